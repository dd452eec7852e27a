"""When a return is due, who is reminded of a late one, and when the month is closed: pure, from dated rules
(`grm/data/return_rules.csv`)."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from grm.deadlines.calendar import Calendar, end_of_day
from grm.kernel.errors import Misconfigured

FILE = Path(__file__).parent.parent / "data" / "return_rules.csv"
DUE, CLOSE = "due", "close"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the file: `what` is due, or close, or the level of a rung; `working_days` count from the end of the month, or
    from the day it was due."""

    valid_from: date
    what: str
    role: str
    working_days: int


@lru_cache(1)
def rules() -> tuple[Rule, ...]:
    """The rules of the file. Raises `Misconfigured` for a file that says nothing about when returns are due."""
    with FILE.open(encoding="utf-8", newline="") as file:
        found = tuple(
            Rule(date.fromisoformat(row["valid_from"]), row["what"], row["role"], int(row["working_days"]))
            for row in csv.DictReader(file)
        )
    if not {DUE, CLOSE} <= {rule.what for rule in found}:
        raise Misconfigured("no-return-rules")
    return found


def due_on(known: Sequence[Rule], ends_on: date, calendar: Calendar) -> date:
    """The n-th working day after a month that ended before `ends_on`."""
    rule = _in_force(known, DUE, ends_on)
    assert rule is not None
    return calendar.add_working_days(ends_on - timedelta(days=1), rule.working_days)


def closes_on(known: Sequence[Rule], due: date, calendar: Calendar) -> date:
    """The last day before a month is closed whose returns were due on a day."""
    rule = _in_force(known, CLOSE, due)
    assert rule is not None
    return calendar.add_working_days(due, rule.working_days)


def rung_at(known: Sequence[Rule], level: int, due: date, calendar: Calendar) -> datetime | None:
    """The instant at which a late return climbs to a level; None: there is none."""
    rule = _in_force(known, str(level), due)
    if rule is None:
        return None
    return end_of_day(calendar.add_working_days(due, rule.working_days) if rule.working_days else due)


def role_at(known: Sequence[Rule], level: int, due: date) -> str:
    """Who is told at a level."""
    rule = _in_force(known, str(level), due)
    if rule is None:
        raise Misconfigured("no-return-rules")
    return rule.role


def _in_force(known: Sequence[Rule], what: str, day: date) -> Rule | None:
    """The latest rule of a kind that is in force on a day."""
    return max(
        (rule for rule in known if rule.what == what and rule.valid_from <= day),
        key=lambda rule: rule.valid_from,
        default=None,
    )
