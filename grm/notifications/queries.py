"""Reading messages: what a case's page shows of them, and whether the outbox moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.kernel import context
from grm.notifications.models import Message
from grm.notifications.rendering import over_budget
from grm.web.health import Verdict

LONGEST_LAG = timedelta(minutes=5)
"""How long a due message may lie untouched before an operator must look: an outage of a provider counts, too."""


@dataclass(frozen=True, slots=True)
class MessageLine:
    """One message of a case for its page: to whom by name or kind, never the complainant's address."""

    id: int
    template: str
    channel: str
    state: str
    error: str | None
    attempts: int
    created_at: datetime
    ended_at: datetime | None
    officer_name_bn: str | None
    officer_name_en: str | None

    @property
    def is_undelivered(self) -> bool:
        """Whether the recipient was not reached, so that somebody should call or write."""
        return self.state in ("failed", "expired", "held")


def messages_of_case(session: Session, case_id: int) -> Sequence[MessageLine]:
    """A case's messages, newest first (one statement). The caller has checked that the case may be seen."""
    rows = session.execute(
        select(
            Message.id,
            Message.template,
            Message.channel,
            Message.state,
            Message.error,
            Message.attempts,
            Message.created_at,
            Message.ended_at,
            Officer.name_bn.label("officer_name_bn"),
            Officer.name_en.label("officer_name_en"),
        )
        .outerjoin(Officer, Officer.id == Message.officer_id)
        .where(Message.case_id == case_id)
        .order_by(Message.id.desc())
    )
    return [MessageLine(**row._mapping) for row in rows]


def outbox_lag(session: Session, now: datetime) -> timedelta:
    """How long the oldest due message has been waiting for its attempt; zero when none is due."""
    oldest = session.execute(
        select(func.min(Message.next_attempt_at)).where(
            Message.state.in_(("pending", "sending", "unknown")),
            Message.next_attempt_at <= now,
            Message.expires_at > now,
            Message.lease_until.is_(None) | (Message.lease_until < now),
        )
    ).scalar()
    return max(now - oldest, timedelta()) if oldest is not None else timedelta()


def outbox_health(session: Session, now: datetime) -> Verdict:
    """Check for `/healthz`: messages move, and PUBLIC_URL is short enough for every SMS."""
    lag = outbox_lag(session, now)
    too_long = over_budget(context.settings().public_url)
    return Verdict(
        lag <= LONGEST_LAG and not too_long,
        {"lag_seconds": round(lag.total_seconds(), 1), "sms_too_long": list(too_long)},
    )
