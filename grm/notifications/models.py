"""Messages, attempts to hand them over, and the receipts of providers."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, Small

OPEN_STATES = ("pending", "sending", "unknown", "accepted")
FINAL_STATES = ("delivered", "failed", "expired", "held", "withdrawn")


class Message(Model):
    """One recipient on one channel. ``key`` makes the second attempt to create it a no-op.

    pending → sending → accepted → delivered, or failed, expired, held; ``unknown`` when the provider's answer was lost;
    ``withdrawn`` where a late holiday came before it was sent.
    ``followed_up`` is the final state that was acted on (`grm/notifications/undelivered.py`); 'past': from before there was such.
    """

    __tablename__ = "message"
    __table_args__ = (
        CheckConstraint("channel IN ('sms', 'email')", "channel_known"),
        CheckConstraint(
            "state IN ('pending', 'sending', 'unknown', 'accepted', 'delivered', 'failed', 'expired', 'held', 'withdrawn')",
            "state_known",
        ),
        CheckConstraint("(officer_id IS NULL) <> (address_sealed IS NULL)", "one_recipient"),
        CheckConstraint(
            "(state IN ('delivered', 'failed', 'expired', 'held', 'withdrawn')) = (ended_at IS NOT NULL)",
            "final_has_instant",
        ),
        Index(
            "ix__message__to_send",
            "channel",
            "priority",
            "next_attempt_at",
            "id",
            postgresql_where=text("state IN ('pending', 'sending', 'unknown')"),
        ),
        Index("ix__message__awaiting", "expires_at", postgresql_where=text("ended_at IS NULL")),
        Index(
            "ix__message__at_provider",
            "gateway",
            "provider_reference",
            postgresql_where=text("channel = 'sms' AND provider_reference IS NOT NULL"),
        ),
        Index("ix__message__accepted", "created_at", postgresql_where=text("state = 'accepted'")),
        Index("ix__message__held", "id", postgresql_where=text("state = 'held'")),
        Index(
            "ix__message__to_forget",
            "ended_at",
            postgresql_where=text("ended_at IS NOT NULL AND forgotten_at IS NULL"),
        ),
        Index(None, "case_id"),
        Index(
            "ix__message__to_follow_up",
            "id",
            postgresql_where=text(
                "ended_at IS NOT NULL AND followed_up IS DISTINCT FROM 'past' AND followed_up IS DISTINCT FROM state"
            ),
        ),
    )

    id: Mapped[Id]
    key: Mapped[str] = mapped_column(unique=True)
    template: Mapped[str]
    channel: Mapped[str]
    language: Mapped[str]
    priority: Mapped[Small]
    case_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("cases.id"))
    officer_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    address_sealed: Mapped[bytes | None]
    params: Mapped[dict[str, Any]]
    subject: Mapped[str | None]
    body: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="pending", server_default="pending")
    attempts: Mapped[Small] = mapped_column(default=0, server_default="0")
    next_attempt_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    claim: Mapped[UUID | None]
    gateway: Mapped[str | None]
    """The gateway that has an SMS or may have it; while pending, the one to begin with (none: the first)."""
    segments: Mapped[Small | None]
    """How many SMS the text costs; none until it is written, and for e-mail."""
    provider_reference: Mapped[str | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    followed_up: Mapped[str | None]
    forgotten_at: Mapped[datetime | None]


class DigestItem(Model):
    """One escalation that a digest tells an officer of. `written_at`: since when it stands in the digest's text; never, where
    the case had ended before."""

    __tablename__ = "digest_item"
    __table_args__ = (CheckConstraint("channel IN ('sms', 'email')", "channel_known"), Index(None, "message_id"))

    escalation_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("escalation.id"), primary_key=True)
    officer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date]
    message_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("message.id"))
    written_at: Mapped[datetime | None]


class Attempt(Model):
    """One call to a provider, written before the call is made."""

    __tablename__ = "attempt"
    __table_args__ = (UniqueConstraint("message_id", "number"),)

    id: Mapped[Id]
    message_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("message.id"))
    number: Mapped[Small]
    gateway: Mapped[str | None]
    segments: Mapped[Small | None]
    """What the attempt counts for in the day's budget; zero once it is known that nothing was taken."""
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    detail: Mapped[str | None]


class Receipt(Model):
    """A provider's delivery report as it came; reports may come twice, late, out of order or for an unknown message."""

    __tablename__ = "receipt"
    __table_args__ = (
        Index(None, "message_id"),
        Index("ix__receipt__of_no_message", "received_at", postgresql_where=text("message_id IS NULL")),
        Index(
            "ix__receipt__early",
            "gateway",
            "reference",
            postgresql_where=text("message_id IS NULL AND gateway IS NOT NULL"),
        ),
    )

    id: Mapped[Id]
    message_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("message.id"))
    gateway: Mapped[str | None]
    """Whose report it is, where a gateways file describes it; none for Kannel's own way."""
    reference: Mapped[str]
    status: Mapped[str]
    detail: Mapped[str]
    received_at: Mapped[datetime]


class SmsDay(Model):
    """What one day in Dhaka has cost so far, in segments; `ordinary` are those without a right to the reserved share."""

    __tablename__ = "sms_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    segments: Mapped[int] = mapped_column(default=0, server_default="0")
    ordinary: Mapped[int] = mapped_column(default=0, server_default="0")
    turned_away_at: Mapped[datetime | None]
    """When the first message had to wait for the next day."""
