"""What an operator watches: cases open and late, how far the sweep and the outbox lag, signs of life. Index look-ups only."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.escalation.queries import oldest_due
from grm.notifications.models import Message
from grm.notifications.queries import outbox_lag
from grm.web.metrics import Gauge
from grm.web.models import Heartbeat


def gauges(session: Session, now: datetime) -> Iterator[Gauge]:
    """All gauges at an instant (six statements)."""
    is_late = Case.due_at <= now
    counted = select(func.count(), func.count().filter(is_late)).where(Case.is_open)
    open_cases, overdue = session.execute(counted).one()
    yield Gauge("grm_cases_open", "Cases that wait for a decision", open_cases)
    yield Gauge("grm_cases_overdue", "Open cases whose due date has passed", overdue)
    levels = select(Case.level, func.count().label("cases")).where(Case.is_open, Case.level > 0).group_by(Case.level)
    found = {row.level: row.cases for row in session.execute(levels)}
    for level in (1, 2, 3):
        meaning = "Open cases by the level they have risen to"
        yield Gauge("grm_cases_escalated", meaning, found.get(level, 0), {"level": str(level)})
    oldest = oldest_due(session)
    lag = max(now - oldest, timedelta()) if oldest is not None else timedelta()
    yield Gauge("grm_sweep_lag_seconds", "Age of the oldest missed deadline the sweep has not met", lag.total_seconds())
    waiting = outbox_lag(session, now).total_seconds()
    yield Gauge("grm_outbox_lag_seconds", "Age of the oldest due message nobody has tried to send", waiting)
    yield from _messages(session)
    for name, at in session.execute(select(Heartbeat.name, Heartbeat.at).order_by(Heartbeat.name)):
        yield Gauge(
            "grm_heartbeat_age_seconds", "Since a part was last alive", (now - at).total_seconds(), {"part": name}
        )


def _messages(session: Session) -> Iterator[Gauge]:
    statement = select(Message.channel, Message.state, func.count()).where(Message.ended_at.is_(None))
    found = {
        (channel, state): n for channel, state, n in session.execute(statement.group_by(Message.channel, Message.state))
    }
    for channel in ("sms", "email"):
        for state in ("pending", "sending", "unknown", "accepted"):
            labels = {"channel": channel, "state": state}
            yield Gauge(
                "grm_messages", "Messages that have not ended, by state", found.get((channel, state), 0), labels
            )
