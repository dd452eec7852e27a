"""Rows of the outbox for tests, and what a test asks of it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.kernel import context
from grm.notifications.catalogue import LONGEST_LIFE
from grm.notifications.models import Attempt, Message
from grm.notifications.service import address_context

PHONE = "+8801712345678"
PARAMS = {"tracking_number": "7K3MPQ9XR2TB4", "due_on": "2026-12-31", "level": 1}


def add_message(session: Session, now: datetime, key: str = "m1", **changes: Any) -> int:
    """Put one message into the outbox and commit; returns its id. By default an acknowledgement by SMS in Bangla."""
    address = changes.pop("address", PHONE)
    values: dict[str, Any] = {
        "key": key,
        "template": "case-filed-complainant",
        "channel": "sms",
        "language": "bn",
        "priority": 1,
        "params": PARAMS,
        "state": "pending",
        "attempts": 0,
        "next_attempt_at": now,
        "created_at": now,
        "expires_at": now + LONGEST_LIFE,
        **changes,
    }
    if values.get("officer_id") is None:
        values["address_sealed"] = context.keyring().seal(address, address_context(key))
    message = Message(**values)
    session.add(message)
    session.commit()
    return int(message.id)


def message(session: Session, message_id: int) -> Message:
    """The message as the database has it now."""
    session.expire_all()
    session.rollback()
    return session.get_one(Message, message_id)


def states(session: Session) -> list[str]:
    """The states of all messages in the order of their ids."""
    session.rollback()
    return list(session.scalars(select(Message.state).order_by(Message.id)))


def attempts(session: Session, message_id: int) -> list[tuple[int, str | None, str | None]]:
    """Number, outcome and detail of a message's attempts."""
    session.rollback()
    rows = session.execute(
        select(Attempt.number, Attempt.outcome, Attempt.detail)
        .where(Attempt.message_id == message_id)
        .order_by(Attempt.number)
    )
    return [(row.number, row.outcome, row.detail) for row in rows]


def outcomes(session: Session, message_id: int) -> list[str | None]:
    """The outcomes of a message's attempts, in order."""
    return [outcome for _, outcome, _ in attempts(session, message_id)]


def later(now: datetime, **duration: float) -> datetime:
    """An instant after another."""
    return now + timedelta(**duration)


def all_same(values: Iterable[Any], value: Any) -> bool:
    """Whether there are values and all of them are this one."""
    found = list(values)
    return bool(found) and all(each == value for each in found)
