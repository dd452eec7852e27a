"""What was rehearsed, and which rungs would have been climbed: kept apart from what really happened."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, one_of

STATES = ("waiting", "running", "done", "failed")
UNFINISHED = ("waiting", "running")


class Rehearsal(Model):
    """A proposal played over past cases. The ticks work on it in steps: ``last_case_id`` says how far they have come.

    ``as_of`` is the instant at which it began: what happened later is not looked at. ``result`` grows with each step
    (`grm/escalation/tally.py`).
    """

    __tablename__ = "rehearsal"
    __table_args__ = (
        CheckConstraint(one_of("state", STATES), "state_known"),
        CheckConstraint("policies_csv IS NOT NULL OR calendar_csv IS NOT NULL", "proposes_something"),
        CheckConstraint("until_on >= since_on", "span_in_order"),
        CheckConstraint("(state IN ('done', 'failed')) = (finished_at IS NOT NULL)", "finished_has_instant"),
    )

    id: Mapped[Id]
    created_at: Mapped[datetime]
    created_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"))
    since_on: Mapped[date]
    until_on: Mapped[date]
    policies_csv: Mapped[str | None]
    calendar_csv: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="waiting")
    as_of: Mapped[datetime | None]
    last_case_id: Mapped[int] = mapped_column(BigInteger, default=0)
    through_case_id: Mapped[int | None] = mapped_column(BigInteger)
    result: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    finished_at: Mapped[datetime | None]


class RehearsalLine(Model):
    """One rung of one case that differs: would have been climbed (``at``), really was (``really_at``), or both.

    Who is told (``role`` … ``officer_id``) is of the rehearsed rung; of one that falls away it is empty. The case is
    named by its id only: who reads the lines sees those of cases he may see.
    """

    __tablename__ = "rehearsal_line"
    __table_args__ = (
        CheckConstraint("at IS NOT NULL OR really_at IS NOT NULL", "would_or_did"),
        Index("ix__rehearsal_line__rehearsal_id_id", "rehearsal_id", "id"),
    )

    id: Mapped[Id]
    rehearsal_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("rehearsal.id", ondelete="CASCADE"))
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    kind: Mapped[str]
    change: Mapped[str]
    old_due_on: Mapped[date]
    new_due_on: Mapped[date]
    level: Mapped[int] = mapped_column(SmallInteger)
    at: Mapped[datetime | None]
    really_at: Mapped[datetime | None]
    role: Mapped[str | None]
    office_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("office.id"))
    post_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("post.id"))
    officer_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    is_alternate: Mapped[bool] = mapped_column(default=False)
    is_vacant: Mapped[bool] = mapped_column(default=False)
