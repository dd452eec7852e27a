"""What the tracking page keeps: one-time codes, which openings of the page are over, and ratings."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, Small, one_of

STAGES = ("complaint", "appeal")
"""What a rating is about: the answer to the complaint, or to an appeal."""


class TrackCode(Model):
    """One request for a one-time code. ``case_id`` is empty where nothing was sent: number and phone did not belong together,
    or codes were asked for too often; such a row is there so that both look alike from outside.

    ``request_hash`` binds the code to the browser's form, the number and the phone; ``code_sealed`` is wiped as soon as the
    message has gone. The row goes when its time is over.
    """

    __tablename__ = "track_code"
    __table_args__ = (CheckConstraint("tries >= 0", "tries_counted"), Index(None, "expires_at"))

    id: Mapped[Id]
    request_hash: Mapped[str] = mapped_column(unique=True)
    case_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("cases.id"))
    code_mac: Mapped[bytes]
    code_sealed: Mapped[bytes | None]
    tries: Mapped[Small] = mapped_column(default=0, server_default="0")
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class TrackVisit(Model):
    """One opening of the status page, by a keyed hash of the form that opened it. Once it is over, the same form, sent again by
    the Back button of a shared phone, opens nothing."""

    __tablename__ = "track_visit"
    __table_args__ = (Index(None, "expires_at"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    opened_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]


class Rating(Model):
    """How good the complainant found an answer: one row for each answer, changed until the time to object is over. What was
    said beside it is a text of the case's history. ``office_id`` and ``desk`` are whose answer it was."""

    __tablename__ = "rating"
    __table_args__ = (
        CheckConstraint(one_of("stage", STAGES), "stage_known"),
        CheckConstraint("stars BETWEEN 1 AND 5", "stars_in_range"),
        UniqueConstraint("case_id", "decision_seq"),
        Index(None, "rated_at"),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    stage: Mapped[str]
    decision_seq: Mapped[int]
    stars: Mapped[Small]
    rated_at: Mapped[datetime]
    office_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("office.id"))
    desk: Mapped[str]
