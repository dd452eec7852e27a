"""How far ahead the working days are announced, and how many complainants wait for a call or a letter."""

from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.deadlines import queries
from grm.deadlines.calendar import COVERAGE_WORKING_DAYS
from grm.kernel.clock import dhaka_date
from grm.kernel.errors import Misconfigured
from grm.web.health import Check, Verdict

TOO_FEW = 10
"""With fewer announced working days left than this, even the shortest deadlines rest on guesses: somebody must act today."""
MOST_COUNTED = 1000


def covered_working_days(session: Session, today: date) -> int | None:
    """How many working days after today are announced; None without any calendar."""
    try:
        calendar = queries.calendar(session)
    except Misconfigured:
        return None
    return max(0, calendar.working_days_between(today, calendar.covered_until))


def calendar_health(is_strict: bool) -> Check:
    """A check of the calendar: a warning below 60 announced working days, and where people's real complaints are handled
    (`is_strict`) red below ten or without a calendar."""

    def check(session: Session, now: datetime) -> Verdict:
        days = covered_working_days(session, dhaka_date(now))
        is_short = days is None or days < COVERAGE_WORKING_DAYS
        words = f"only {days or 0} working days ahead are announced: import the government's list of holidays"
        is_well = (days is not None and days >= TOO_FEW) or not is_strict
        return Verdict(is_well, {"covered_working_days": days}, (words,) if is_short else ())

    return check


def not_informed(session: Session) -> int:
    """How many complainants could not be told and wait for a call or a letter, counted no further than `MOST_COUNTED`."""
    rows = select(Case.id).where(Case.is_not_informed).limit(MOST_COUNTED)
    return session.execute(select(func.count()).select_from(rows.subquery())).scalar_one()
