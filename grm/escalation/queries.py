"""Is the sweep really working?"""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.deadlines.models import Deadline, LadderRung
from grm.escalation.sweep import HEARTBEAT
from grm.web.health import Check, Verdict
from grm.web.models import Heartbeat

SLACK = timedelta(seconds=10)
"""What a pass itself, or a row that an officer holds locked for a moment, may take beyond two periods."""

MOST_COUNTED = 1000
"""What is wrong is counted up to here: a watch must be quick above all when much is wrong."""


def oldest_due(session: Session) -> datetime | None:
    """The instant of the rung that waits longest to be climbed, due or not; None without any (one index look-up).

    Clocks that are set aside do not count: they wait for a person.
    """
    return session.execute(
        select(Deadline.next_rung_at)
        .where(Deadline.next_rung_at.is_not(None), Deadline.set_aside_at.is_(None))
        .order_by(Deadline.next_rung_at, Deadline.id)
        .limit(1)
    ).scalar_one_or_none()


def overlooked(session: Session, before: datetime) -> int:
    """How many clocks with a ladder have run out before an instant and still count as running: the sweep does not see them.

    It asks the due instants, not what the sweep goes by, and counts no further than `MOST_COUNTED`.
    """
    rung = select(LadderRung.id).where(LadderRung.deadline_kind == Deadline.kind, LadderRung.offset_working_days >= 0)
    rows = (
        select(Deadline.id)
        .where(Deadline.state == "running", Deadline.due_at < before, Deadline.set_aside_at.is_(None), rung.exists())
        .limit(MOST_COUNTED)
    )
    return session.execute(select(func.count()).select_from(rows.subquery())).scalar_one()


def set_aside_count(session: Session) -> int:
    """How many clocks that have not ended are set aside (there are few: they are counted through an index of their own)."""
    counted = select(func.count()).where(Deadline.set_aside_at.is_not(None), Deadline.state != "met")
    return session.execute(counted).scalar_one()


def sweep_health(period_seconds: float) -> Check:
    """A check that the sweep runs and leaves nothing behind: neither is older than two of its periods.

    It asks the table of deadlines itself, so it is red as well when the sweep runs without doing its work; and it asks by what
    is due, so that a row which the sweep would never look at shows, too.
    """
    allowed = 2 * timedelta(seconds=period_seconds) + SLACK

    def check(session: Session, now: datetime) -> Verdict:
        last = session.execute(select(Heartbeat.at).where(Heartbeat.name == HEARTBEAT)).scalar_one_or_none()
        oldest = oldest_due(session)
        lag = now - oldest if oldest is not None and oldest < now else timedelta(0)
        unseen = overlooked(session, now - allowed)
        is_well = last is not None and now - last <= allowed and lag <= allowed and not unseen
        age = None if last is None else round((now - last).total_seconds(), 1)
        aside = set_aside_count(session)
        warnings = (f"{aside} deadlines are set aside and wait for a person",) if aside else ()
        figures = {"oldest_due_seconds": round(lag.total_seconds(), 1), "overlooked": unseen, "set_aside": aside}
        return Verdict(is_well, {"age_seconds": age, **figures}, warnings)

    return check
