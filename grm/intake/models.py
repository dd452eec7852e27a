"""Drafts of the public form, and submissions as received."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, Small


class Draft(Model):
    """A half-filled form, kept 72 hours under the hash of a random token that only the browser holds; sealed.

    One that an officer at a desk has put aside says whose it is, and holds its token among what is sealed.
    """

    __tablename__ = "draft"
    __table_args__ = (
        Index(None, "expires_at"),
        Index("ix__draft__of_officer", "officer_id", "updated_at", postgresql_where=text("officer_id IS NOT NULL")),
    )

    id: Mapped[Id]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    sealed: Mapped[bytes]
    officer_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    updated_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    file_count: Mapped[Small] = mapped_column(default=0, server_default="0")
    """How many files were handed in with it (`DraftFile`)."""


class Submission(Model):
    """The form as received, verbatim, sealed and immutable. Its key makes any number of posts of one form one case."""

    __tablename__ = "submission"
    __table_args__ = (
        CheckConstraint(
            "channel IN ('web', 'assisted', 'paper', 'call_centre', 'letter', 'email', 'suo_motu')",
            "channel_known",
        ),
    )

    id: Mapped[Id]
    key: Mapped[bytes] = mapped_column(unique=True)
    sealed: Mapped[bytes]
    channel: Mapped[str]
    received_at: Mapped[datetime]
