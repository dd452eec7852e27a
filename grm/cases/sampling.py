"""Which closures are looked at again: a draw, stratified by office, that anybody can repeat from its seed. Pure.

So that no office is passed over: of each at least `AT_LEAST` closures, or all it has; of a large one `PERCENT` of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

AT_LEAST = 3
PERCENT = 5


def size(closures: int) -> int:
    """How many of an office's closures are drawn."""
    return min(closures, max(AT_LEAST, -(-closures * PERCENT // 100)))


def draw(closures: Mapping[int, Sequence[int]], seed: str) -> list[tuple[int, int]]:
    """The cases drawn, as (office, case), office by office. The order in which they are given makes no difference."""
    drawn: list[tuple[int, int]] = []
    for office_id in sorted(closures):
        cases = closures[office_id]
        drawn += ((office_id, case_id) for case_id in _by_lot(cases, seed)[: size(len(cases))])
    return drawn


def _by_lot(case_ids: Iterable[int], seed: str) -> list[int]:
    return sorted(set(case_ids), key=lambda case_id: sha256(f"{seed}:{case_id}".encode()).digest())
