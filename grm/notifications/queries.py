"""Reading messages: what a case's page shows of them, and whether the outbox moves."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, column, false, func, null, or_, select, table, union_all
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.panels import MessageLine
from grm.kernel import context
from grm.notifications import wording
from grm.notifications.models import DigestItem, Message
from grm.notifications.rendering import over_budget
from grm.web.health import Verdict
from grm.web.locale import gettext, language

Escalation = table("escalation", column("id"), column("case_id"), column("level"))
"""The sweep's table, by name: this package and the sweep's do not import one another."""

LONGEST_LAG = timedelta(minutes=5)
"""How long a due message may lie untouched before an operator must look: an outage of a provider counts, too."""


def messages_of_case(session: Session, case_id: int) -> Sequence[MessageLine]:
    """A case's messages for its page, and the digests that told of it, oldest first (one statement).

    The caller has checked that the case may be seen.
    """
    columns = (
        Message.created_at,
        Message.template,
        Message.channel,
        Message.state,
        Message.ended_at,
        Message.error,
        Officer.name_bn,
        Officer.name_en,
        Message.id,
    )
    # A digest that has left without the case did not tell of it: the case needed it no more.
    was_left_out = and_(DigestItem.written_at.is_(None), or_(Message.body.is_not(None), Message.ended_at.is_not(None)))
    own = (
        select(*columns, null().label("level"), false().label("is_left_out"))
        .outerjoin(Officer, Officer.id == Message.officer_id)
        .where(Message.case_id == case_id)
    )
    gathered = (
        select(*columns, Escalation.c.level, was_left_out.label("is_left_out"))
        .select_from(Escalation)
        .join(DigestItem, DigestItem.escalation_id == Escalation.c.id)
        .join(Message, Message.id == DigestItem.message_id)
        .join(Officer, Officer.id == DigestItem.officer_id)
        .where(Escalation.c.case_id == case_id)
    )
    rows: Sequence[Any] = session.execute(union_all(own, gathered).order_by("id")).all()
    in_english = language() == "en"
    return [
        MessageLine(
            at=row.created_at,
            channel=row.channel,
            recipient=(row.name_en if in_english else row.name_bn) or gettext("Complainant"),
            subject=wording.subject(row.template) if row.level is None else wording.in_digest(row.level),
            state="expired" if row.is_left_out else row.state,
            ended_at=row.ended_at,
            error=wording.fault("no-longer-needed")
            if row.is_left_out
            else ""
            if row.state == "delivered"
            else wording.fault(row.error),
        )
        for row in rows
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
