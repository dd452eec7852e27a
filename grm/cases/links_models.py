"""Which cases are answered together: duplicates merged into a lead case, and alike ones linked under it."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import SMALLINT
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, one_of

KINDS = ("merged", "linked")
ENDS = ("unmerged", "unlinked", "contested", "appealed", "withdrawn", "lead_ended", "replaced")
"""Why a link has ended: an officer undid it; the complainant objected, appealed or withdrew; the lead ended without an answer; or
the linked case was merged into its lead."""


class CaseLink(Model):
    """A case that follows a lead case; at most one live link a case. What ended stays for the record.

    Of a merged case, ``clock_state`` and ``clock_next_level`` say how its main clock stood, to go on there when it is set apart.
    """

    __tablename__ = "case_link"
    __table_args__ = (
        CheckConstraint(one_of("kind", KINDS), "kind_known"),
        CheckConstraint(one_of("why_ended", ENDS), "end_known"),
        CheckConstraint("case_id <> lead_id", "not_itself"),
        CheckConstraint("(ended_at IS NULL) = (why_ended IS NULL)", "ended_says_why"),
        CheckConstraint("(kind = 'merged') = (clock_state IS NOT NULL)", "merged_knows_clock"),
        Index("uq__case_link__live", "case_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix__case_link__followers", "lead_id", "case_id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    lead_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    kind: Mapped[str]
    linked_at: Mapped[datetime]
    linked_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"))
    ended_at: Mapped[datetime | None]
    why_ended: Mapped[str | None]
    ended_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    """The officer who undid it; none where nobody did: see ``why_ended``."""
    clock_state: Mapped[str | None]
    clock_next_level: Mapped[int | None] = mapped_column(SMALLINT)
