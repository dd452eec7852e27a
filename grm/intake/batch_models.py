"""Registers handed in as a spreadsheet, and their rows. What they hold of people is sealed, and forgotten in time."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import BigInt, Id, Model, Small, one_of

BATCH_STATES = ("new", "running", "done", "discarded")
ROW_STATES = ("waiting", "filed", "known", "bad")


class RegisterBatch(Model):
    """One file. ``facts_sealed``: its name, sheets and headings; ``plan_sealed``: how it is read, and what the check found.

    ``file_mac`` is a keyed hash of the file, by which the same one is recognised.
    """

    __tablename__ = "register_batch"
    __table_args__ = (
        CheckConstraint(one_of("state", BATCH_STATES), "state_known"),
        CheckConstraint("row_count > 0", "has_rows"),
        CheckConstraint("(state IN ('done', 'discarded')) = (finished_at IS NOT NULL)", "finished_has_instant"),
        CheckConstraint("state IN ('new', 'discarded') OR confirmed_at IS NOT NULL", "filing_was_confirmed"),
        Index("ix__register_batch__officer_id_id", "officer_id", "id"),
        Index("ix__register_batch__running", "id", postgresql_where=text("state = 'running'")),
        Index(
            "ix__register_batch__to_forget",
            "id",
            postgresql_where=text("forgotten_at IS NULL"),
        ),
    )

    id: Mapped[Id]
    officer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"))
    office_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("office.id"))
    state: Mapped[str] = mapped_column(default="new")
    file_mac: Mapped[bytes]
    row_count: Mapped[int]
    facts_sealed: Mapped[bytes | None]
    plan_sealed: Mapped[bytes | None]
    uploaded_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    secrets_forgotten_at: Mapped[datetime | None]
    forgotten_at: Mapped[datetime | None]


class RegisterRow(Model):
    """One row. It is marked in the very transaction of its filing; ``submission_key`` leads to the case, ``row_key`` to the
    same cells in another file. ``token_sealed`` gives the secret, for as long as the results file may hold it.
    """

    __tablename__ = "register_row"
    __table_args__ = (
        CheckConstraint(one_of("state", ROW_STATES), "state_known"),
        CheckConstraint("(state = 'bad') = (problems IS NOT NULL)", "bad_says_why"),
        CheckConstraint("(state IN ('filed', 'known')) = (submission_key IS NOT NULL)", "filed_has_key"),
        UniqueConstraint("batch_id", "sheet", "number"),
        Index("ix__register_row__waiting", "batch_id", "id", postgresql_where=text("state = 'waiting'")),
        Index("ix__register_row__row_key", "row_key", postgresql_where=text("row_key IS NOT NULL")),
    )

    id: Mapped[Id]
    batch_id: Mapped[BigInt] = mapped_column(BigInteger, ForeignKey("register_batch.id"))
    sheet: Mapped[Small]
    number: Mapped[int]
    state: Mapped[str] = mapped_column(default="waiting")
    sealed: Mapped[bytes | None]
    token_sealed: Mapped[bytes | None]
    submission_key: Mapped[bytes | None]
    row_key: Mapped[bytes | None]
    problems: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))
