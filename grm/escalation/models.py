"""The ladder, the escalations made, and the record of sweeps."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, Small


class Escalation(Model):
    """One rung climbed for one missed deadline, exactly once; level 0 is the warning before.

    A vacant rung is a gap: ``office_id``, ``role`` and ``post_id`` name the empty post. It has no officer, save that a
    warning (which brings no rung forward) names who above was told instead. One that a late holiday has overtaken before
    anybody was told of it is ``withdrawn_at`` an instant; its clock then goes on in a new epoch.
    """

    __tablename__ = "escalation"
    __table_args__ = (
        UniqueConstraint("case_id", "deadline_id", "epoch", "level"),
        CheckConstraint("is_vacant OR officer_id IS NOT NULL", "told_or_vacant"),
        CheckConstraint("NOT is_vacant OR officer_id IS NULL OR level = 0", "only_warning_has_stand_in"),
        Index(None, "office_id", "level"),
        Index("ix__escalation__vacant", "due_at", postgresql_where=text("is_vacant")),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    deadline_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("deadline.id"))
    epoch: Mapped[Small]
    level: Mapped[int] = mapped_column(SmallInteger)
    due_at: Mapped[datetime]
    escalated_at: Mapped[datetime]
    role: Mapped[str]
    office_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("office.id"))
    post_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("post.id"))
    officer_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    is_alternate: Mapped[bool] = mapped_column(default=False, server_default="false")
    is_vacant: Mapped[bool] = mapped_column(default=False, server_default="false")
    withdrawn_at: Mapped[datetime | None]
    is_asked: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Whether the complainant had it brought forward, before its own time."""


class Redating(Model):
    """The act of dating all clocks anew after one change of the calendar, and how far it has come.

    A run that was cut off goes on after ``done_through_id``. ``kept`` counts clocks that a shorter reckoning would have made
    late in retrospect.
    """

    __tablename__ = "redating"

    id: Mapped[Id]
    calendar_version: Mapped[int] = mapped_column(BigInteger, ForeignKey("calendar_edition.id"), unique=True)
    why: Mapped[str]
    actor_kind: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    begun_at: Mapped[datetime]
    pass_begun_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    done_through_id: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    examined: Mapped[int] = mapped_column(default=0, server_default="0")
    later: Mapped[int] = mapped_column(default=0, server_default="0")
    earlier: Mapped[int] = mapped_column(default=0, server_default="0")
    kept: Mapped[int] = mapped_column(default=0, server_default="0")
    failed: Mapped[int] = mapped_column(default=0, server_default="0")
    withdrawn_escalations: Mapped[int] = mapped_column(default=0, server_default="0")
    withdrawn_messages: Mapped[int] = mapped_column(default=0, server_default="0")


class SweepRun(Model):
    """What one pass of the sweep did."""

    __tablename__ = "sweep_run"
    __table_args__ = (Index(None, "started_at"),)

    id: Mapped[Id]
    as_of: Mapped[datetime]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]]
