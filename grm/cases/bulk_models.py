"""Acts on many cases at once, each case an item of its own; and the filters of the queue that an officer keeps."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, one_of

OF_REPORTS = ("REMIND", "DIRECT", "TAKE_UP")
"""What is done from a figure, to cases of any office; the other acts are of one desk."""
BULK_ACTIONS = ("ASSIGN", "REFER", "RESOLVE", "CLOSE", *OF_REPORTS)
ACT_STATES = ("waiting_for_approval", "running", "done", "refused", "withdrawn")
UNFINISHED = ("waiting_for_approval", "running")
ITEM_STATES = ("waiting", "done", "refused")


class BulkAct(Model):
    """One form for many cases: of one desk, or, from a report, of many offices (``office_id`` and ``desk`` NULL). ``fields`` is
    the form as typed; ``asked_as`` the asker's role there.

    What ends cases happens only after somebody else has approved it; the table itself refuses anything else.
    """

    __tablename__ = "bulk_act"
    __table_args__ = (
        CheckConstraint(one_of("action", BULK_ACTIONS), "action_known"),
        CheckConstraint("desk IN ('gro', 'appeal', 'cell')", "desk_known"),
        CheckConstraint(one_of("state", ACT_STATES), "state_known"),
        CheckConstraint("decided_by_id <> officer_id", "decided_by_another"),
        CheckConstraint(
            "(decided_by_id IS NULL) = (decided_at IS NULL) AND (decided_by_id IS NULL) = (decision_reason IS NULL)",
            "decision_is_whole",
        ),
        CheckConstraint("state <> 'refused' OR decided_by_id IS NOT NULL", "refused_by_somebody"),
        CheckConstraint(
            "action IN ('ASSIGN', 'REFER', 'REMIND', 'DIRECT', 'TAKE_UP') OR state <> 'running' OR decided_by_id IS NOT NULL",
            "ending_is_approved",
        ),
        CheckConstraint(
            f"({one_of('action', OF_REPORTS)}) = (office_id IS NULL) AND (office_id IS NULL) = (desk IS NULL) "
            "AND (office_id IS NOT NULL OR state <> 'waiting_for_approval')",
            "at_one_desk",
        ),
        CheckConstraint(
            "(state IN ('done', 'refused', 'withdrawn')) = (finished_at IS NOT NULL)", "finished_has_instant"
        ),
        Index("ix__bulk_act__officer_id_id", "officer_id", "id"),
        Index(
            "ix__bulk_act__to_approve",
            "office_id",
            "desk",
            "id",
            postgresql_where=text("state = 'waiting_for_approval'"),
        ),
        Index("ix__bulk_act__running", "id", postgresql_where=text("state = 'running'")),
    )

    id: Mapped[Id]
    officer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"))
    asked_as: Mapped[str]
    action: Mapped[str]
    office_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("office.id"))
    desk: Mapped[str | None]
    fields: Mapped[dict[str, Any]]
    state: Mapped[str]
    asked_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    decided_at: Mapped[datetime | None]
    decision_reason: Mapped[str | None]
    finished_at: Mapped[datetime | None]


class BulkItem(Model):
    """One case of a bulk act, with the version the officer saw. It is done in the very transaction of the single act;
    refused, ``code`` says why, and ``field`` which field of the form it is about."""

    __tablename__ = "bulk_item"
    __table_args__ = (
        CheckConstraint(one_of("state", ITEM_STATES), "state_known"),
        CheckConstraint("(state = 'refused') = (code IS NOT NULL)", "refused_says_why"),
        UniqueConstraint("bulk_act_id", "case_id"),
        Index("ix__bulk_item__waiting", "bulk_act_id", "id", postgresql_where=text("state = 'waiting'")),
        Index(None, "case_id"),
    )

    id: Mapped[Id]
    bulk_act_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("bulk_act.id"))
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    version: Mapped[int]
    state: Mapped[str] = mapped_column(default="waiting")
    code: Mapped[str | None]
    field: Mapped[str | None]


class SavedFilter(Model):
    """A view of the queue that an officer has given a name; ``query`` is the part of the address behind the question mark."""

    __tablename__ = "saved_filter"
    __table_args__ = (
        UniqueConstraint("officer_id", "name"),
        CheckConstraint("name <> ''", "has_name"),
        Index("uq__saved_filter__default", "officer_id", unique=True, postgresql_where=text("is_default")),
    )

    id: Mapped[Id]
    officer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"))
    name: Mapped[str]
    query: Mapped[str]
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
