"""What closing well stands on: prints of replies, samples of closures, canned texts; and hearings."""

from datetime import date, datetime

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, Small, one_of

HEARING_STATES = ("planned", "held", "missed", "cancelled")
PARTIES = ("complainant", "office")
CANNED_USES = ("any", "ask", "write", "resolve", "decline")
"""What a canned text may be inserted into; `resolve` stands for every decision on the merits."""


class ReplyPrint(Model):
    """What is kept of a reply to recognise it when it comes again: a hash of its words, and a sample of their hashes
    (`grm/cases/quality.py`). One row for each decision, of the office that took it."""

    __tablename__ = "reply_print"
    __table_args__ = (Index(None, "office_id", "fingerprint"), Index("ix__reply_print__latest", "office_id", "id"))

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    office_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("office.id"))
    fingerprint: Mapped[bytes]
    sketch: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class SampleMonth(Model):
    """A month whose closures were sampled: once, from `seed`, so that the draw can be done again and compared."""

    __tablename__ = "sample_month"

    month: Mapped[date] = mapped_column(primary_key=True)
    seed: Mapped[str]
    drawn_at: Mapped[datetime]
    closures: Mapped[int]
    drawn: Mapped[int]
    reported_at: Mapped[datetime | None]
    """When its findings were reported; no review of it is written or corrected afterwards."""
    reported_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))


class ClosureSample(Model):
    """A closed case drawn for review. A case is drawn once in its life; `office_id` and `is_late` are its stratum: who had closed
    it, and whether it was late then. ``reviewer_id`` is whom the review was given to (`grm/reviews/assigning.py`)."""

    __tablename__ = "closure_sample"
    __table_args__ = (
        CheckConstraint(one_of("state", ("open", "reviewed")), "state_known"),
        Index(None, "month", "id"),
        Index(None, "office_id", "month"),
    )

    id: Mapped[Id]
    month: Mapped[date] = mapped_column(ForeignKey("sample_month.month"))
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"), unique=True)
    office_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("office.id"))
    drawn_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="open", server_default="open")
    is_late: Mapped[bool] = mapped_column(default=False, server_default="false")
    reviewer_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))


class CannedReply(Model):
    """A text to begin a letter with, in both languages, of one office or of all. It is retired, never deleted.

    ``code`` names those that came with the product; they are not loaded twice, nor over what was changed since.
    """

    __tablename__ = "canned_reply"
    __table_args__ = (
        CheckConstraint(one_of("used_for", CANNED_USES), "use_known"),
        Index(None, "office_id"),
    )

    id: Mapped[Id]
    code: Mapped[str | None] = mapped_column(unique=True)
    office_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("office.id"))
    category_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("category.id"))
    used_for: Mapped[str] = mapped_column(default="any", server_default="any")
    title_bn: Mapped[str]
    title_en: Mapped[str]
    text_bn: Mapped[str]
    text_en: Mapped[str]
    changed_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    changed_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class Hearing(Model):
    """A day on which both sides are heard. At most one of a case is planned at a time; one that is moved stays the same row.

    ``note`` tells the complainant what to bring. ``missed_by`` says which side did not come. ``remind_at`` is when both sides
    are to be reminded; empty when that is done, or needless.
    """

    __tablename__ = "hearing"
    __table_args__ = (
        CheckConstraint(one_of("state", HEARING_STATES), "state_known"),
        CheckConstraint(one_of("missed_by", PARTIES), "party_known"),
        CheckConstraint("(state = 'missed') = (missed_by IS NOT NULL)", "missed_says_by_whom"),
        CheckConstraint("(state = 'planned') = (ended_at IS NULL)", "ended_has_instant"),
        CheckConstraint("state = 'planned' OR remind_at IS NULL", "only_planned_reminds"),
        Index(None, "case_id", "id"),
        Index("ix__hearing__one_planned", "case_id", unique=True, postgresql_where=text("state = 'planned'")),
        Index("ix__hearing__remind_at", "remind_at", postgresql_where=text("remind_at IS NOT NULL")),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    at: Mapped[datetime]
    place: Mapped[str]
    note: Mapped[str]
    state: Mapped[str] = mapped_column(default="planned", server_default="planned")
    missed_by: Mapped[str | None]
    times_moved: Mapped[Small] = mapped_column(default=0, server_default="0")
    set_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"))
    set_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]
