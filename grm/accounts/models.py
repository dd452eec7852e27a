"""Officers who sign in, and their sessions."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model


class Officer(Model):
    """A person who signs in. What they may do follows from their postings, not from this row.

    ``email_bounced`` is the address from which mail came back (since ``email_bounced_at``): a new address lifts the mark.
    While ``must_set_password``, the password is one that somebody else gave out, good until ``password_until_at``, and opens
    nothing but the page where the officer chooses an own one.
    """

    __tablename__ = "officer"
    __table_args__ = (
        CheckConstraint("language IN ('bn', 'en')", "language_known"),
        CheckConstraint("must_set_password OR password_until_at IS NULL", "only_given_passwords_end"),
    )

    id: Mapped[Id]
    username: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    name_bn: Mapped[str]
    name_en: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    email_bounced: Mapped[str | None]
    email_bounced_at: Mapped[datetime | None]
    language: Mapped[str] = mapped_column(default="bn", server_default="bn")
    is_active: Mapped[bool] = mapped_column(default=True, server_default="true")
    is_admin: Mapped[bool] = mapped_column(default=False, server_default="false")
    is_demo: Mapped[bool] = mapped_column(default=False, server_default="false")
    must_set_password: Mapped[bool] = mapped_column(default=False, server_default="false")
    password_until_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class StaffSession(Model):
    """A server-side session: the cookie holds a random token, this row only its hash (OWASP ASVS 5.0, 7.2)."""

    __tablename__ = "staff_session"
    __table_args__ = (Index(None, "officer_id"), Index(None, "expires_at"))

    id: Mapped[Id]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    officer_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    data: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
