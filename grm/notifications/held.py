"""Messages that wait for a person, and what a person can do: send one all the same, or end it for good."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from grm.kernel import audit
from grm.kernel.actor import SYSTEM
from grm.kernel.errors import Conflict, NotFound
from grm.kernel.transaction import Act
from grm.notifications.catalogue import CATALOGUE
from grm.notifications.models import Attempt, Message

STREAM = "operations"
PAGE = 500


def messages(
    session: Session, state: str, channel: str | None = None, why: str | None = None, limit: int = PAGE
) -> Sequence[Message]:
    """Messages in a state, the oldest first; of a channel and with an error that begins so, where asked for."""
    statement = select(Message).where(Message.state == state)
    if channel:
        statement = statement.where(Message.channel == channel)
    if why:
        statement = statement.where(Message.error.startswith(why, autoescape=True))
    return session.scalars(statement.order_by(Message.id).limit(limit)).all()


def release(act: Act, message_id: int) -> Message:
    """Let a held message go out now, with a new life; the operator answers for its perhaps coming twice.

    Raises NotFound, and Conflict `not-held`, `forgotten` (its text is gone) or `never-twice` (a kind that is not sent again
    where nobody knows whether it was).
    """
    message, now = _lock(act.session, message_id), act.now
    entry = CATALOGUE.get(message.template)
    if message.state != "held":
        raise Conflict("not-held")
    if message.forgotten_at is not None or entry is None:
        raise Conflict("forgotten")
    if not entry.may_resend:
        raise Conflict("never-twice")
    why = message.error
    # What is not known of the attempts so far no longer decides: the operator did.
    in_doubt = Attempt.outcome.is_(None) | (Attempt.outcome == "unknown")
    act.session.execute(update(Attempt).where(Attempt.message_id == message_id, in_doubt).values(outcome="overruled"))
    message.state, message.error, message.ended_at = "pending", None, None
    message.next_attempt_at, message.expires_at = now, now + entry.life
    _record(act, "message-released", message, why)
    return message


def cancel(act: Act, message_id: int, why: str) -> Message:
    """End a message for good that waits or is held. Raises NotFound, and Conflict `under-way` or `ended`."""
    message, now = _lock(act.session, message_id), act.now
    if message.state in ("sending", "unknown", "accepted"):
        raise Conflict("under-way")
    if message.state not in ("pending", "held"):
        raise Conflict("ended")
    message.state, message.error = "failed", "cancelled"
    message.ended_at = message.ended_at or now
    _record(act, "message-cancelled", message, why)
    return message


def hold(session: Session, message_ids: Sequence[int], error: str, now: datetime) -> None:
    """Hold messages for a person; the caller commits."""
    session.execute(
        update(Message)
        .where(Message.id.in_(message_ids))
        .values(state="held", error=error, ended_at=now, claim=None, lease_until=None)
        .execution_options(synchronize_session=False)
    )


def _lock(session: Session, message_id: int) -> Message:
    message = session.get(Message, message_id, populate_existing=True, with_for_update=True)
    if message is None:
        raise NotFound("no-such-message")
    return message


def _record(act: Act, kind: str, message: Message, why: str | None) -> None:
    act.session.flush()
    audit.record(act.session, STREAM, kind, SYSTEM, act.now, message_id=message.id, template=message.template, why=why)
