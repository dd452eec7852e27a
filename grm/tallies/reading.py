"""Reading the figures: exact to the last committed act, in one statement.

lines = read(session, View(since=…, until=…, by="office"))
lines[TOTAL].received, lines["12"].median_days
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.kernel.actor import Actor
from grm.tallies.figures import TOTAL, Line, View, key_of
from grm.tallies.vectors import STATES, vectors


def read(session: Session, view: View) -> dict[str, Line]:
    """Return the lines of a view by key (`figures.key_of`), with `TOTAL` always there; a value without any case has none."""
    sums: dict[str, _Sums] = {TOTAL: _Sums()}
    for vector in _vectors(session, view):
        keys = [TOTAL]
        if view.by is not None:
            keys.append(key_of(view.by, getattr(vector, f"{view.by}_id", getattr(vector, view.by, 0))))
        for key in keys:
            sums.setdefault(key, _Sums()).add(vector, view.since, view.until)
    lines = {key: each.line() for key, each in sums.items()}
    return {key: line for key, line in lines.items() if key == TOTAL or line != Line()}


def series(session: Session, view: View) -> dict[str, dict[date, Line]]:
    """Return the lines of each month of a view, by key and first day of the month: what happened in it. What is open is of no
    month and left out. Months without anything are missing."""
    found: dict[str, dict[date, _Sums]] = {TOTAL: {}}
    for vector in _vectors(session, view):
        keys = [TOTAL]
        if view.by is not None:
            keys.append(key_of(view.by, getattr(vector, f"{view.by}_id", getattr(vector, view.by, 0))))
        for month in _months(vector, view):
            for key in keys:
                found.setdefault(key, {}).setdefault(month, _Sums()).add(vector, month, _next(month), is_stock=False)
    return {key: {month: sums.line() for month, sums in sorted(months.items())} for key, months in found.items()}


def _next(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _months(vector: Any, view: View) -> set[date]:
    days = (vector.received_on, vector.ended_on, vector.appealed_on, vector.appeal_decided_on, vector.rated_on)
    return {day.replace(day=1) for day in days if day is not None and view.since <= day < view.until}


def _vectors(session: Session, view: View) -> Iterable[Any]:
    found = session.execute(text(f"SELECT * FROM ({vectors()}) AS v")).all()  # noqa: S608 - our own text
    accused = _accusing(session, view.excluding) if view.excluding else set()
    for vector in found:
        fits = all(
            kept is None or getattr(vector, f"{dimension}_id", getattr(vector, dimension, 0)) in kept
            for dimension, kept in view.conditions.items()
        )
        if fits and vector.shade in view.shades and vector.case_id not in accused:
            yield vector


def _accusing(session: Session, actor: Actor) -> set[int]:
    return set(
        session.scalars(
            text(
                "SELECT case_id FROM accused WHERE officer_id = :officer_id OR (officer_id IS NULL AND post_id = ANY(:posts)) "
                "OR (officer_id IS NULL AND post_id IS NULL AND office_id = ANY(:offices))"
            ),
            {
                "officer_id": actor.officer_id,
                "posts": [seat.post_id for seat in actor.seats],
                "offices": list(actor.office_ids()),
            },
        )
    )


@dataclass(slots=True)
class _Sums:
    numbers: Counter[str] = field(default_factory=Counter)
    stars: list[int] = field(default_factory=lambda: [0] * 5)
    days: Counter[int] = field(default_factory=Counter)
    received_by_day: Counter[date] = field(default_factory=Counter)
    running: Counter[tuple[int, date]] = field(default_factory=Counter)
    paused: Counter[tuple[int, date]] = field(default_factory=Counter)
    parts: Counter[tuple[int, date]] = field(default_factory=Counter)

    def add(self, vector: Any, since: date, until: date, *, is_stock: bool = True) -> None:
        state = STATES[vector.state]
        if vector.is_part:
            if is_stock and state == "open" and vector.level:
                self.parts[vector.level, vector.due_on] += 1
            return
        if since <= vector.received_on < until:
            self.numbers["received"] += 1
            self.received_by_day[vector.received_on] += 1
        if state == "open":
            if is_stock:
                (self.paused if vector.is_paused else self.running)[vector.level, vector.due_on] += 1
        elif since <= vector.ended_on < until:
            self.numbers[state] += 1
            if state in ("in_time", "extended", "late"):
                self.days[vector.days_taken] += 1
        if vector.is_not_informed and is_stock:
            self.numbers["not_informed"] += 1
        if vector.appealed_on is not None and since <= vector.appealed_on < until:
            self.numbers["appealed"] += 1
        if vector.appeal_decided_on is not None and since <= vector.appeal_decided_on < until:
            self.numbers["appeals_upheld" if vector.appeal_result == 2 else "appeals_rejected"] += 1
        if vector.rated_on is not None and since <= vector.rated_on < until:
            self.stars[vector.stars - 1] += 1

    def line(self) -> Line:
        tables = {name: dict(getattr(self, name)) for name in ("days", "received_by_day", "running", "paused", "parts")}
        return Line(**self.numbers, stars=tuple(self.stars), **tables)  # type: ignore[arg-type]
