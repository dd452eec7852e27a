"""The rungs of the ladder in time: a step so many working days before or after the due date. Pure.

Who hears of a rung is decided by `grm/escalation/ladder.py`; when it is due belongs here, because a deadline is
written with the instant of its first rung.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from grm.deadlines.calendar import Calendar, dhaka_midnight, end_of_day


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder. A negative offset warns before the due date; 0 is the moment it is missed."""

    deadline_kind: str
    level: int
    offset_working_days: int
    role: str


def rung_instant(rung: Rung, due_on: date, calendar: Calendar) -> datetime:
    """From when the rung is due (UTC): a warning at 00:00 Dhaka of its day, any other at the end of its day."""
    on = calendar.add_working_days(due_on, rung.offset_working_days)
    return dhaka_midnight(on) if rung.offset_working_days < 0 else end_of_day(on)


def rungs_of(rungs: Iterable[Rung], deadline_kind: str) -> list[Rung]:
    """The rungs of one kind of deadline from the lowest level up."""
    return sorted((rung for rung in rungs if rung.deadline_kind == deadline_kind), key=lambda rung: rung.level)


def first_rung(rungs: Iterable[Rung], deadline_kind: str) -> Rung | None:
    """The lowest rung, or None if this kind of deadline has no ladder."""
    return next(iter(rungs_of(rungs, deadline_kind)), None)


def rung_after(rungs: Iterable[Rung], deadline_kind: str, level: int) -> Rung | None:
    """The rung above `level`, or None at the top."""
    return next((rung for rung in rungs_of(rungs, deadline_kind) if rung.level > level), None)
