"""The figures straight from the vectors of all cases, in Python: what the tallies must always come to."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.tallies.figures import TOTAL, Line, View, key_of
from grm.tallies.vectors import STATES, vectors


def straight(session: Session, view: View, accusing: Iterable[int] = ()) -> dict[str, Line]:
    """What `tallies.reading.read` must answer; `accusing` are the cases that accuse whoever asks."""
    sums: dict[str, list[Any]] = {TOTAL: []}
    for vector in session.execute(text(vectors())).mappings():
        kept = view.conditions.items()
        if (
            vector["shade"] not in view.shades
            or vector["case_id"] in set(accusing)
            or any(values is not None and _value(vector, dimension) not in values for dimension, values in kept)
        ):
            continue
        for key in {TOTAL, TOTAL if view.by is None else key_of(view.by, _value(vector, view.by))}:
            sums.setdefault(key, []).append(vector)
    lines = {key: _line(found, view) for key, found in sums.items()}
    return {key: line for key, line in lines.items() if key == TOTAL or line != Line()}


def _value(vector: Mapping[str, Any], dimension: str) -> int:
    return int(vector[f"{dimension}_id"] if f"{dimension}_id" in vector else vector[dimension])


def _line(found: list[Any], view: View) -> Line:
    def within(day: date | None) -> bool:
        return day is not None and view.since <= day < view.until

    counts: Counter[str] = Counter()
    tables: dict[str, Counter[Any]] = {
        name: Counter() for name in ("days", "received_by_day", "running", "paused", "parts")
    }
    stars = [0] * 5
    for v in found:
        state = STATES[v["state"]]
        if v["is_part"]:
            if state == "open" and v["level"]:
                tables["parts"][v["level"], v["due_on"]] += 1
            continue
        if within(v["received_on"]):
            counts["received"] += 1
            if view.by_day and len(view.conditions) < 2:
                tables["received_by_day"][v["received_on"]] += 1
        if state == "open":
            tables["paused" if v["is_paused"] else "running"][v["level"], v["due_on"]] += 1
        elif within(v["ended_on"]):
            counts[state] += 1
            if state in ("in_time", "extended", "late"):
                tables["days"][v["days_taken"]] += 1
        counts["not_informed"] += v["is_not_informed"]
        counts["appealed"] += within(v["appealed_on"])
        if within(v["appeal_decided_on"]):
            counts["appeals_upheld" if v["appeal_result"] == 2 else "appeals_rejected"] += 1
        if within(v["rated_on"]):
            stars[v["stars"] - 1] += 1
    return Line(**counts, stars=tuple(stars), **tables)  # type: ignore[arg-type]
