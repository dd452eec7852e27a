"""Which closures are looked at again: a draw, stratified by office, that anybody can repeat from its seed. Pure.

So that no office is passed over: of each at least `AT_LEAST` closures, or all it has; of a large one `PERCENT` of them. Within an
office the draw is systematic: its closures stand in order of their strata (in time or late, and by category), by lot within
each, and every so-manyth is taken from a start drawn by lot. So each case has the same chance, and each stratum its share.
"""

from collections.abc import Hashable, Mapping, Sequence
from hashlib import sha256
from typing import Any

AT_LEAST = 3
PERCENT = 5
_PARTS = 2**32


def size(closures: int) -> int:
    """How many of an office's closures are drawn."""
    return min(closures, max(AT_LEAST, -(-closures * PERCENT // 100)))


def draw(
    closures: Mapping[int, Sequence[int]], seed: str, strata: Mapping[int, Hashable] | None = None
) -> list[tuple[int, int]]:
    """The cases drawn, as (office, case), office by office. `strata` gives the stratum of each case (values that can be put in
    order). The order in which the cases are given makes no difference."""
    drawn: list[tuple[int, int]] = []
    for office_id in sorted(closures):
        drawn += ((office_id, case_id) for case_id in _of_one(office_id, closures[office_id], seed, strata or {}))
    return drawn


def _of_one(office_id: int, case_ids: Sequence[int], seed: str, strata: Mapping[int, Any]) -> list[int]:
    cases = sorted(set(case_ids), key=lambda case_id: (strata.get(case_id, ()), _lot(f"{seed}:{case_id}")))
    wanted = size(len(cases))
    start = int.from_bytes(_lot(f"{seed}:office:{office_id}")[:4], "big")
    # Whole numbers only: position i is (start / 2^32 + i) steps of len / wanted, rounded down.
    return [cases[(start + number * _PARTS) * len(cases) // (wanted * _PARTS)] for number in range(wanted)]


def _lot(text: str) -> bytes:
    return sha256(text.encode()).digest()
