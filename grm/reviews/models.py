"""What reviewers outside the office found in closed cases that were drawn by lot."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, Small, one_of
from grm.reviews.findings import ANSWERS

_SOUND = "contacted <> 'no' AND to_the_point = 'yes' AND passed_on = 'no' AND evidence <> 'no' AND reopen = 'no'"


class ClosureReview(Model):
    """One writing of a review. What is corrected is written anew with the next ``number``, until the month is reported; the one
    before stays, with ``replaced_at``. Only the last one of a sample counts."""

    __tablename__ = "closure_review"
    __table_args__ = (
        CheckConstraint("number >= 1", "number_counted"),
        *(CheckConstraint(one_of(column, values), f"{column}_known") for column, values in ANSWERS.items()),
        UniqueConstraint("sample_id", "number"),
        Index("uq__closure_review__last", "sample_id", unique=True, postgresql_where=text("replaced_at IS NULL")),
    )

    id: Mapped[Id]
    sample_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("closure_sample.id"))
    number: Mapped[Small]
    reviewer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"))
    reviewed_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]
    contacted: Mapped[str]
    to_the_point: Mapped[str]
    passed_on: Mapped[str]
    evidence: Mapped[str]
    reopen: Mapped[str]
    remark: Mapped[str]
    is_sound: Mapped[bool] = mapped_column(Boolean, Computed(_SOUND, persisted=True))
