"""Monthly returns: that one is due, what was submitted, who was reminded, and what was frozen when the month was closed."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, Small, one_of

CLOSED_KINDS = ("country", "ministry", "district", "programme")
"""Whose returns nobody submits; they are frozen when the month is closed."""


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


class ReturnClosing(Model):
    """That a month (its first day) was closed: the instant, and the SHA-256 of all its stays as they were then."""

    __tablename__ = "return_closing"
    __table_args__ = (CheckConstraint("extract(day FROM month) = 1", "month_is_first_day"),)

    month: Mapped[date] = mapped_column(primary_key=True, autoincrement=False)
    closed_at: Mapped[datetime]
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class ClosedStay(Model):
    """A stay that counts in a closed month, as it was at the closing. Kept once; the returns of country, ministries, districts
    and programmes are all read from it. Columns as in `grm/tallies/stays_models.py`. The database refuses to change it."""

    __tablename__ = "closed_stay"

    month: Mapped[date] = mapped_column(primary_key=True, autoincrement=False)
    case_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    no: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    office_id: Mapped[int] = mapped_column(BigInteger)
    from_office_id: Mapped[int | None] = mapped_column(BigInteger)
    to_office_id: Mapped[int | None] = mapped_column(BigInteger)
    against_office_id: Mapped[int | None] = mapped_column(BigInteger)
    programme_id: Mapped[int | None] = mapped_column(BigInteger)
    district_id: Mapped[int | None] = mapped_column(BigInteger)
    side: Mapped[str]
    channel: Mapped[str]
    shade: Mapped[Small]
    began_on: Mapped[date]
    began_how: Mapped[str]
    ended_on: Mapped[date | None]
    ended_how: Mapped[str | None]
    overdue_on: Mapped[date | None]
    extended_on: Mapped[date | None]
    rated_on: Mapped[date | None]
    stars: Mapped[int | None] = mapped_column(SmallInteger)
    days: Mapped[int | None]
    is_paused: Mapped[bool]
    is_late: Mapped[bool]
    is_upheld: Mapped[bool | None]


class ClosedReturn(Model):
    """The return of the country, a ministry, district or programme as the month was closed: its figures, the offices of it that
    had not submitted theirs by then, and the SHA-256 of both and of the month's stays. The database refuses to change it."""

    __tablename__ = "closed_return"
    __table_args__ = (CheckConstraint(one_of("kind", CLOSED_KINDS), "kind_known"),)

    month: Mapped[date] = mapped_column(ForeignKey("return_closing.month"), primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """The id of the ministry, district or programme; 0 for the country."""
    figures: Mapped[dict[str, Any]]
    not_submitted: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    """Offices' ids."""
    hash: Mapped[bytes] = mapped_column(LargeBinary)
