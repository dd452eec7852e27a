"""Is the sweep really working?"""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.deadlines.models import Deadline
from grm.escalation.sweep import HEARTBEAT
from grm.web.health import Check, Verdict
from grm.web.models import Heartbeat

SLACK = timedelta(seconds=10)
"""What a pass itself, or a row that an officer holds locked for a moment, may take beyond two periods."""


def oldest_due(session: Session) -> datetime | None:
    """The instant of the rung that waits longest to be climbed, due or not; None without any (one index look-up)."""
    statement = select(func.min(Deadline.next_rung_at)).where(Deadline.next_rung_at.is_not(None))
    return session.execute(statement).scalar_one()


def sweep_health(period_seconds: float) -> Check:
    """A check that the sweep runs and leaves nothing behind: neither is older than two of its periods.

    It asks the table of deadlines itself, so it is red as well when the sweep runs without doing its work.
    """
    allowed = 2 * timedelta(seconds=period_seconds) + SLACK

    def check(session: Session, now: datetime) -> Verdict:
        last = session.execute(select(Heartbeat.at).where(Heartbeat.name == HEARTBEAT)).scalar_one_or_none()
        oldest = oldest_due(session)
        lag = now - oldest if oldest is not None and oldest < now else timedelta(0)
        is_well = last is not None and now - last <= allowed and lag <= allowed
        age = None if last is None else round((now - last).total_seconds(), 1)
        return Verdict(is_well, {"age_seconds": age, "oldest_due_seconds": round(lag.total_seconds(), 1)})

    return check
