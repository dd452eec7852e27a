"""The stays of cases at offices, made from their histories; what the monthly return counts."""

from datetime import date

from sqlalchemy import BigInteger, CheckConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Model, Small, one_of

SIDES = ("complaint", "appeal")
BEGINNINGS = ("filed", "reopened", "appealed", "referred", "returned", "raised", "recommended")
"""How a case came to an office: from its complainant (filed, reopened, appealed), or from another office."""
FROM_OFFICES = ("referred", "returned", "raised", "recommended")
DISPOSALS = ("resolved", "declined", "withdrawn", "merged")
SENDINGS = ("referred", "returned", "raised", "recommended")
ENDS = DISPOSALS + SENDINGS
"""How it left: disposed of there, or sent on."""
_COUNTED = (
    *("began_on", "began_how", "ended_how", "side", "shade", "channel", "overdue_on", "is_paused", "is_late"),
    *("extended_on", "days", "is_upheld", "case_id"),
)


class Stay(Model):
    """One continuous time of a case at an office, on one side: as a complaint, or as an appeal. Made anew from the case's
    history whenever that grows (`grm/tallies/stays.py`), so without foreign keys; parts of cases have none.

    Days are days in Dhaka. ``from_office_id`` and ``to_office_id`` are the offices before and after on the same side. From
    ``overdue_on`` on it counts as overdue while it lasts. ``days`` are those from the receipt of complaint or appeal to its
    answer; ``is_upheld``, whether a decision on an appeal gave the complainant right; ``rated_on`` and ``stars``, what was
    thought of the answer it ended with.
    """

    __tablename__ = "stay"
    __table_args__ = (
        CheckConstraint(one_of("side", SIDES), "side_known"),
        CheckConstraint(one_of("began_how", BEGINNINGS), "beginning_known"),
        CheckConstraint(one_of("ended_how", ENDS), "end_known"),
        CheckConstraint("(ended_on IS NULL) = (ended_how IS NULL)", "ended_says_how"),
        Index("ix__stay__of_office", "office_id", "ended_on", postgresql_include=_COUNTED),
        Index("ix__stay__of_programme", "programme_id", "ended_on"),
        Index("ix__stay__of_district", "district_id", "ended_on"),
        Index(
            "ix__stay__rated",
            "office_id",
            "rated_on",
            postgresql_include=("stars", "side", "shade", "case_id"),
            postgresql_where=text("rated_on IS NOT NULL"),
        ),
        Index(
            "ix__stay__decided",
            "against_office_id",
            "ended_on",
            postgresql_include=("is_upheld", "shade", "case_id"),
            postgresql_where=text("is_upheld IS NOT NULL"),
        ),
    )

    case_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    no: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    office_id: Mapped[int] = mapped_column(BigInteger)
    from_office_id: Mapped[int | None] = mapped_column(BigInteger)
    to_office_id: Mapped[int | None] = mapped_column(BigInteger)
    against_office_id: Mapped[int | None] = mapped_column(BigInteger)
    """Whose decision, or silence, the appeal is against."""
    programme_id: Mapped[int | None] = mapped_column(BigInteger)
    district_id: Mapped[int | None] = mapped_column(BigInteger)
    side: Mapped[str]
    channel: Mapped[str]
    """The group of channels: web, 333, conventional, suo_motu."""
    shade: Mapped[Small]
    """As in `grm/tallies/scope.py`."""
    began_on: Mapped[date]
    began_how: Mapped[str]
    ended_on: Mapped[date | None]
    ended_how: Mapped[str | None]
    due_on: Mapped[date | None]
    overdue_on: Mapped[date | None]
    extended_on: Mapped[date | None]
    rated_on: Mapped[date | None]
    stars: Mapped[int | None] = mapped_column(SmallInteger)
    days: Mapped[int | None]
    is_paused: Mapped[bool]
    is_late: Mapped[bool]
    """Disposed of, but after its time."""
    is_upheld: Mapped[bool | None]
