"""Reading messages: what a case's page shows of them, and whether the outbox moves."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, column, false, func, null, or_, select, table, text, union_all
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.panels import MessageLine
from grm.kernel import context
from grm.kernel.prepared import PREPARED
from grm.notifications import stops, wording
from grm.notifications.catalogue import CHANNELS
from grm.notifications.models import DigestItem, Message
from grm.notifications.rendering import over_budget
from grm.web.health import Verdict
from grm.web.locale import gettext, language

Escalation = table("escalation", column("id"), column("case_id"), column("level"))
"""The sweep's table, by name: this package and the sweep's do not import one another."""

LONGEST_LAG = timedelta(minutes=5)
"""How long a due message may lie untouched before an operator must look: an outage of a provider counts, too."""
LONGEST_WITHOUT_REPORT = timedelta(hours=6)
"""After this long without a delivery report it is likelier that reports do not reach us than that a phone is off."""
MOST_COUNTED = 1000


def _of_case() -> Any:
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
        .where(Message.case_id == bindparam("case_id"))
    )
    gathered = (
        select(*columns, Escalation.c.level, was_left_out.label("is_left_out"))
        .select_from(Escalation)
        .join(DigestItem, DigestItem.escalation_id == Escalation.c.id)
        .join(Message, Message.id == DigestItem.message_id)
        .join(Officer, Officer.id == DigestItem.officer_id)
        .where(Escalation.c.case_id == bindparam("case_id"))
    )
    return union_all(own, gathered).order_by("id")


_OF_CASE = _of_case().execution_options(**PREPARED)  # built once: to build it takes longer than to run it


def messages_of_case(session: Session, case_id: int) -> Sequence[MessageLine]:
    """A case's messages for its page, and the digests that told of it, oldest first (one statement).

    The caller has checked that the case may be seen.
    """
    rows: Sequence[Any] = session.execute(_OF_CASE, {"case_id": case_id}).all()
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


_LAGS = text(
    """
    SELECT c.channel, min(first.at) AS at
    FROM unnest(ARRAY['sms', 'email']) AS c (channel), generate_series(0, 9) AS p (priority),
        LATERAL (
            SELECT next_attempt_at AS at FROM message
            WHERE channel = c.channel AND priority = p.priority AND state IN ('pending', 'sending', 'unknown')
              AND next_attempt_at <= :now AND expires_at > :now AND (lease_until IS NULL OR lease_until < :now)
            ORDER BY next_attempt_at LIMIT 1) AS first
    GROUP BY c.channel
    """
)
"""The first due message of each channel and urgency: twenty index look-ups, however long the queue is."""


def outbox_lags(session: Session, now: datetime) -> dict[str, timedelta]:
    """Of each channel how long the oldest due message has been waiting for its attempt; zero when none is due."""
    oldest = {row.channel: row.at for row in session.execute(_LAGS, {"now": now})}
    return {channel: max(now - oldest.get(channel, now), timedelta()) for channel in CHANNELS}


def outbox_lag(session: Session, now: datetime) -> timedelta:
    """The longer of the channels' lags."""
    return max(outbox_lags(session, now).values())


def oldest_undelivered(session: Session) -> datetime | None:
    """When the message was made that has been with a provider longest without a report; None without any."""
    accepted = select(Message.created_at).where(Message.state == "accepted").order_by(Message.created_at)
    return session.execute(accepted.limit(1)).scalar_one_or_none()


def held_count(session: Session) -> int:
    """How many messages are held for a person, counted no further than `MOST_COUNTED`; forgotten ones are past help."""
    rows = select(Message.id).where(Message.state == "held", Message.forgotten_at.is_(None)).limit(MOST_COUNTED)
    return session.execute(select(func.count()).select_from(rows.subquery())).scalar_one()


def outbox_health(session: Session, now: datetime) -> Verdict:
    """Check for `/healthz`: messages move unless somebody stopped them, and PUBLIC_URL is short enough for every SMS."""
    stopped = stops.stops(session)
    lags = outbox_lags(session, now)
    too_long = over_budget(context.settings().public_url)
    restored = sorted(channel for channel, (why, _) in stopped.items() if why == stops.RESTORED)
    warnings = [f"sending of {channel} was stopped at {at.isoformat()}" for channel, (_, at) in sorted(stopped.items())]
    if restored:
        warnings = ["this database was restored from a backup: nothing is sent before `flask restore-finish`"]
    undelivered = oldest_undelivered(session)
    waits = now - undelivered if undelivered is not None else timedelta()
    if waits > LONGEST_WITHOUT_REPORT:
        hours = int(waits.total_seconds() // 3600)
        warnings.append(f"a message has been with its provider for {hours} hours without a report")
    if held := held_count(session):
        warnings.append(f"{held} messages are held for a person: see `flask messages list --state held`")
    return Verdict(
        all(lag <= LONGEST_LAG for channel, lag in lags.items() if channel not in stopped)
        and not too_long
        and not restored,
        {
            "lag_seconds": round(max(lags.values()).total_seconds(), 1),
            "undelivered_seconds": round(waits.total_seconds(), 1),
            "held": held,
            "stopped": {channel: why for channel, (why, _) in sorted(stopped.items())},
            "sms_too_long": list(too_long),
        },
        tuple(warnings),
    )
