"""How far ahead the days off are announced. Fewer working days than the longest limit: an alarm, and dates beyond are
provisional; a guess is not shown as a promise."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from grm.deadlines import queries
from grm.deadlines.calendar import COVERAGE_WORKING_DAYS, Calendar


@dataclass(frozen=True, slots=True)
class Coverage:
    """Until when holidays are announced, and how many of the next `needed` working days lie beyond."""

    covered_until: date
    needed: int
    missing: int

    @property
    def is_short(self) -> bool:
        """Whether somebody must import the next list of holidays."""
        return self.missing > 0


def coverage_of(calendar: Calendar, today: date, needed: int = COVERAGE_WORKING_DAYS) -> Coverage:
    """The coverage of a calendar on a Dhaka date. Pure."""
    return Coverage(calendar.covered_until, needed, calendar.coverage_gap(today, needed))


def coverage(session: Session, today: date) -> Coverage:
    """The coverage of the calendar in force. Raises `Misconfigured` `no-calendar`."""
    return coverage_of(queries.calendar(session), today)
