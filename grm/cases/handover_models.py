"""The record of handovers: who left what to whom, in one act that cannot be altered afterwards."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, one_of

REASONS = ("posting_ended", "account_deactivated", "work_only")
"""Why work was handed over; with `work_only` the officer stays in the post (before a long leave, or ahead of leaving)."""

ITEM_KINDS = (
    "case",  # an open case assigned to the officer
    "investigation",  # a running investigation in which the officer takes part
    "extension_asked",  # a request for more time that the officer made, not decided yet
    "extension_decision",  # one that the officer would decide on
    "bulk_asked",  # a bulk act the officer asked approval for
    "bulk_decision",  # one that waits for the officer's approval
    "hearing",  # a hearing that is due in a case of the officer
    "direction",  # an open direction that the officer is to answer
    "alternate",  # a post in which the officer stands in for somebody
)
"""The kinds of duties, in the order of the record. What each is: `grm/cases/duties.py`."""


class Handover(Model):
    """One act by which an officer's open work went to others; append-only. ``by_id`` is NULL for an operator's command."""

    __tablename__ = "handover"
    __table_args__ = (
        CheckConstraint(one_of("reason", REASONS), "reason_known"),
        CheckConstraint("reason <> 'posting_ended' OR posting_id IS NOT NULL", "ended_names_posting"),
        Index(None, "officer_id"),
        Index(None, "office_id", "id"),
    )

    id: Mapped[Id]
    officer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"))
    office_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("office.id"))
    posting_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("posting.id"))
    reason: Mapped[str]
    by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    at: Mapped[datetime]
    ended_on: Mapped[date | None]


class HandoverItem(Model):
    """One duty that changed hands. ``to_officer_id`` NULL: back to the desk. ``ref_id`` is the row of the duty's own table, where
    it has one: an extension, a posting, a hearing."""

    __tablename__ = "handover_item"
    __table_args__ = (
        CheckConstraint(one_of("kind", ITEM_KINDS), "kind_known"),
        CheckConstraint("case_id IS NOT NULL OR ref_id IS NOT NULL", "names_something"),
        Index(None, "handover_id", "id"),
        Index(None, "to_officer_id", "handover_id", postgresql_where=text("to_officer_id IS NOT NULL")),
    )

    id: Mapped[Id]
    handover_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("handover.id"))
    kind: Mapped[str]
    case_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("cases.id"))
    ref_id: Mapped[int | None] = mapped_column(BigInteger)
    office_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("office.id"))
    to_officer_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
