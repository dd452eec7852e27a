"""The one place that reads a clock.

Everything else takes ``now`` as an argument. The clock is the database's: web servers, workers and sweeps on several
machines then agree, and an application host whose own clock jumps cannot bring a deadline forward.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

DHAKA = ZoneInfo("Asia/Dhaka")
SQL_NOW = "clock_timestamp()"
"""The same clock for a statement that reads it on its way; its answer is then handed on as ``now``."""


def now(session: Session) -> datetime:
    """Return the present instant by the database's clock, as an aware UTC datetime (one round trip)."""
    instant = session.execute(text(f"SELECT {SQL_NOW}")).scalar_one()
    assert isinstance(instant, datetime)
    return instant


def dhaka_date(instant: datetime) -> date:
    """Return the calendar date in Dhaka at an aware instant; working days and reports are counted by it."""
    return instant.astimezone(DHAKA).date()
