"""Reading messages: what a case's page shows of them, and whether the outbox moves."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.panels import MessageLine
from grm.kernel import context
from grm.notifications import wording
from grm.notifications.models import Message
from grm.notifications.rendering import over_budget
from grm.web.health import Verdict
from grm.web.locale import gettext, language

LONGEST_LAG = timedelta(minutes=5)
"""How long a due message may lie untouched before an operator must look: an outage of a provider counts, too."""


def messages_of_case(session: Session, case_id: int) -> Sequence[MessageLine]:
    """A case's messages for its page, oldest first (one statement). The caller has checked that the case may be seen."""
    rows = session.execute(
        select(Message, Officer.name_bn, Officer.name_en)
        .outerjoin(Officer, Officer.id == Message.officer_id)
        .where(Message.case_id == case_id)
        .order_by(Message.id)
    )
    in_english = language() == "en"
    return [
        MessageLine(
            at=message.created_at,
            channel=message.channel,
            recipient=(name_en if in_english else name_bn) or gettext("Complainant"),
            subject=wording.subject(message.template),
            state=message.state,
            ended_at=message.ended_at,
            error="" if message.state == "delivered" else wording.fault(message.error),
        )
        for message, name_bn, name_en in rows
    ]


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
