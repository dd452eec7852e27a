"""The one place that reads a clock.

Everything else takes ``now`` as an argument. The clock is the database's: web servers, workers and sweeps on several
machines then agree, and an application host whose own clock jumps cannot bring a deadline forward.
"""

from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

DHAKA = ZoneInfo("Asia/Dhaka")
SQL_NOW = "clock_timestamp()"
"""The same clock for a statement that reads it on its way; its answer is then handed on as ``now``."""


def now(session: "Session") -> datetime:
    """Return the present instant by the database's clock, as an aware UTC datetime (one round trip)."""
    from sqlalchemy import text  # beat needs SQL_NOW only, and does without SQLAlchemy's 25 MB

    instant = session.execute(text(f"SELECT {SQL_NOW}")).scalar_one()
    assert isinstance(instant, datetime)
    return instant


def dhaka_date(instant: datetime) -> date:
    """Return the calendar date in Dhaka at an aware instant; working days and reports are counted by it."""
    return instant.astimezone(DHAKA).date()
