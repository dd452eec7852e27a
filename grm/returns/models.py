"""Monthly returns: that one is due, what was submitted, and who was reminded."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, Small


class MonthlyReturn(Model):
    """The return of an office for a month (its first day), due on a date. It holds no figures: they are counted from the
    histories until it is submitted. ``next_rung_at`` is when somebody is to be reminded; NULL: never again."""

    __tablename__ = "monthly_return"
    __table_args__ = (
        UniqueConstraint("month", "office_id"),
        CheckConstraint("extract(day FROM month) = 1", "month_is_first_day"),
        CheckConstraint("(next_level IS NULL) = (next_rung_at IS NULL)", "rung_complete"),
        Index("ix__monthly_return__next_rung_at", "next_rung_at", postgresql_where=text("next_rung_at IS NOT NULL")),
        Index(None, "office_id", "month"),
    )

    id: Mapped[Id]
    month: Mapped[date]
    office_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("office.id"))
    prepared_at: Mapped[datetime]
    due_on: Mapped[date]
    due_at: Mapped[datetime]
    next_level: Mapped[int | None] = mapped_column(SmallInteger)
    next_rung_at: Mapped[datetime | None]


class ReturnSubmission(Model):
    """What an office submitted: the figures as they were counted at that instant, with what they counted, and the SHA-256 of
    both. The database refuses to change it; what came to light later is shown beside it as a correction."""

    __tablename__ = "return_submission"

    return_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("monthly_return.id"), primary_key=True, autoincrement=False
    )
    submitted_at: Mapped[datetime]
    submitted_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"))
    figures: Mapped[dict[str, Any]]
    counted: Mapped[str]
    """The stays behind the figures (`grm/returns/counting.py`)."""
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class ReturnReminder(Model):
    """One rung climbed because a return is late, exactly once. Without an officer the post is vacant: a gap."""

    __tablename__ = "return_reminder"
    __table_args__ = (UniqueConstraint("return_id", "level"),)

    id: Mapped[Id]
    return_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("monthly_return.id"))
    level: Mapped[Small]
    role: Mapped[str]
    at: Mapped[datetime]
    officer_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
