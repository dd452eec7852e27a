"""Stopping a channel: by an operator, or by the system itself after a restore. A stopped channel claims nothing.

The claim of a message asks for a stop in the same statement (`grm/notifications/outbox.py`), so none slips through.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from grm.kernel import ledger
from grm.kernel.db import Model
from grm.notifications.catalogue import CHANNELS, Channel

RESTORED: Final = "restored"
OPERATOR: Final = "operator"

SKIPPED_NUMBERS = 1_000_000
"""More than a busy day's messages; half a second's work, once."""

# One by one, as the role of the running system may draw numbers but not set them.
_SKIP_NUMBERS = text(
    """
    SELECT count(nextval(sequence)) FROM pg_get_serial_sequence('message', 'id') AS sequence, generate_series(1, :skipped)
    """
)


class SendingStop(Model):
    """A channel that sends nothing until the row is gone, and why."""

    __tablename__ = "sending_stop"
    __table_args__ = (
        CheckConstraint("channel IN ('sms', 'email')", "channel_known"),
        CheckConstraint("why IN ('operator', 'restored')", "why_known"),
    )

    channel: Mapped[str] = mapped_column(primary_key=True)
    why: Mapped[str]
    stopped_at: Mapped[datetime]


def stop(session: Session, channel: Channel, why: str, now: datetime) -> None:
    """Stop a channel; the caller commits. A stop after a restore outranks an operator's and is not taken back by it."""
    statement = insert(SendingStop).values(channel=channel, why=why, stopped_at=now)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["channel"],
            set_={"why": why, "stopped_at": now},
            where=(SendingStop.why == OPERATOR) & (statement.excluded.why == RESTORED),
        )
    )


def let_go(session: Session, channel: Channel, why: str) -> bool:
    """Take a stop of this kind back; the caller commits. Returns whether there was one."""
    gone = delete(SendingStop).where(SendingStop.channel == channel, SendingStop.why == why)
    return bool(session.execute(gone).rowcount)  # type: ignore[attr-defined]


def stops(session: Session) -> Mapping[str, tuple[str, datetime]]:
    """The channels that are stopped: why, and since when."""
    rows = session.execute(select(SendingStop.channel, SendingStop.why, SendingStop.stopped_at))
    return {channel: (why, at) for channel, why, at in rows}


def stop_after_restore(session: Session, now: datetime) -> None:
    """Stop all channels because this database lacks what was done since its backup; nothing where that was noticed before.

    The numbers that messages had which are lost must not be given out again: reports on those still come in, and would be
    taken for reports on the new ones.
    """
    if any(why == RESTORED for why, _ in stops(session).values()):
        return
    session.execute(_SKIP_NUMBERS, {"skipped": SKIPPED_NUMBERS})
    for channel in CHANNELS:
        stop(session, channel, RESTORED, now)


def is_stopped(session: Session, channel: Channel, now: datetime) -> bool:
    """Whether a channel must not send. Asked at the start of every tick of delivery, it also notices a restore.

    Where the database is not the one that sent last, all channels are stopped; the caller commits.
    """
    if not ledger.is_the_same(session, now):
        stop_after_restore(session, now)
    return session.get(SendingStop, channel, populate_existing=True) is not None
