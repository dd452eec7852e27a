"""The case: the government's file on a grievance, its people, its append-only history."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from grm.kernel.db import Id, Model, Small, one_of
from grm.offices.models import PRIORITIES

OPEN_STATUSES = ("filed", "acknowledged", "in_progress", "waiting")
ENDED_STATUSES = ("resolved", "closed", "declined", "withdrawn")
STATUSES = OPEN_STATUSES + ENDED_STATUSES
TIERS = ("gro", "appeal", "cell")
CHANNELS = ("web", "assisted", "paper", "call_centre", "letter", "email", "suo_motu")
REFERRAL_STATES = ("offered", "accepted")
DIRECTION_ENDS = ("answered", "overtaken")
_OPEN = text("is_open")


class Case(Model):
    """Status, tier, outcome and escalation level are four facts, not one list of codes.

    ``version`` grows with every act of a person and guards against lost updates; ``history_length`` and
    ``history_head`` tie the row to the end of its event chain. ``main_clock`` names the clock the case stands under
    (`grm.deadlines.models.MAIN_KINDS`); ``due_at`` repeats that clock's for the queue; while ``is_paused``, it makes
    nothing overdue. ``waiting_until`` is when a wait for the complainant ends by itself.

    ``referred_from_*`` is the desk that sent the case here last and still reads it; ``referral_state`` says whether this
    one has accepted it. A case with a ``parent_id`` is a part of that one, sent to another office: nobody filed it, so
    it has neither submission nor secret.
    """

    __tablename__ = "cases"
    __table_args__ = (
        CheckConstraint(one_of("status", STATUSES), "status_known"),
        CheckConstraint(one_of("tier", TIERS), "tier_known"),
        CheckConstraint(one_of("priority", PRIORITIES), "priority_known"),
        CheckConstraint(
            "(tier = 'gro' AND main_clock = 'resolve') OR (tier = 'appeal' AND main_clock = 'appeal') "
            "OR (tier = 'cell' AND main_clock IN ('cell', 'comply'))",
            "tier_has_clock",
        ),
        CheckConstraint("desk IN ('gro', 'appeal', 'cell')", "desk_known"),
        CheckConstraint(one_of("channel", CHANNELS), "channel_known"),
        CheckConstraint("level BETWEEN 0 AND 3", "level_in_range"),
        CheckConstraint("status NOT IN ('resolved', 'closed') OR outcome IS NOT NULL", "resolved_has_outcome"),
        CheckConstraint(
            "(status IN ('resolved', 'closed', 'declined', 'withdrawn')) = (ended_at IS NOT NULL)",
            "ended_has_instant",
        ),
        CheckConstraint(
            "status <> 'filed' OR assignee_id IS NULL OR acknowledged_at IS NULL", "filed_not_acknowledged"
        ),
        CheckConstraint("status = 'waiting' OR (waiting_until IS NULL AND NOT is_paused)", "only_waiting_pauses"),
        CheckConstraint("NOT is_anonymous OR channel <> 'assisted' OR filed_by_id IS NOT NULL", "assisted_has_filer"),
        CheckConstraint(one_of("referral_state", REFERRAL_STATES), "referral_state_known"),
        CheckConstraint("(referred_from_office_id IS NULL) = (referred_from_desk IS NULL)", "referrer_is_a_desk"),
        CheckConstraint("referral_state IS NULL OR referred_from_office_id IS NOT NULL", "referral_has_referrer"),
        CheckConstraint(
            "(parent_id IS NULL) = (submission_id IS NOT NULL) AND (parent_id IS NULL) = (secret_mac IS NOT NULL)",
            "part_has_no_submission",
        ),
        Index(
            "ix__cases__referred_from",
            "referred_from_office_id",
            "referred_from_desk",
            "due_at",
            "id",
            postgresql_where=text("referred_from_office_id IS NOT NULL"),
        ),
        Index(
            "ix__cases__offered",
            "office_id",
            "desk",
            "due_at",
            "id",
            postgresql_where=text("is_open AND referral_state = 'offered'"),
        ),
        Index("ix__cases__parent_id", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        Index("ix__cases__queue", "office_id", "desk", "due_at", "id", postgresql_where=_OPEN),
        Index(
            "ix__cases__unassigned",
            "office_id",
            "desk",
            "due_at",
            "id",
            postgresql_where=text("is_open AND assignee_id IS NULL"),
        ),
        Index("ix__cases__waiting_until", "waiting_until", postgresql_where=text("waiting_until IS NOT NULL")),
        Index(
            "ix__cases__waiting",
            "office_id",
            "desk",
            "due_at",
            "id",
            postgresql_where=text("waiting_until IS NOT NULL"),
        ),
        Index("ix__cases__mine", "assignee_id", "due_at", "id", postgresql_where=_OPEN),
        Index("ix__cases__office_all", "office_id", "desk", "due_at", "id"),
        Index(
            "ix__cases__late",
            "office_id",
            "desk",
            "due_at",
            "id",
            postgresql_include=["level"],
            postgresql_where=text("is_open AND level > 0"),
        ),
        Index(
            "ix__cases__not_informed",
            "office_id",
            "desk",
            "due_at",
            "id",
            postgresql_where=text("is_not_informed"),
        ),
        Index("ix__cases__office_received", "office_id", "received_on", "id"),
        Index("ix__cases__district_received", "district_id", "received_on", "id"),
        Index("ix__cases__office_ended", "office_id", "ended_at", "id", postgresql_where=text("ended_at IS NOT NULL")),
        Index(
            "ix__cases__district_ended", "district_id", "ended_at", "id", postgresql_where=text("ended_at IS NOT NULL")
        ),
        Index("ix__cases__ended_at", "ended_at", "id", postgresql_where=text("ended_at IS NOT NULL")),
        Index(
            "ix__cases__filed_by_office",
            "filed_by_office_id",
            "id",
            postgresql_where=text("filed_by_office_id IS NOT NULL"),
        ),
        Index("ix__cases__filed_by", "filed_by_id", "id", postgresql_where=text("filed_by_id IS NOT NULL")),
    )

    id: Mapped[Id]
    tracking_number: Mapped[str] = mapped_column(unique=True)
    secret_mac: Mapped[bytes | None]
    submission_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("submission.id"), unique=True)

    status: Mapped[str]
    tier: Mapped[str] = mapped_column(default="gro")
    main_clock: Mapped[str] = mapped_column(default="resolve", server_default="resolve")
    priority: Mapped[str] = mapped_column(default="normal", server_default="normal")
    outcome: Mapped[str | None]
    level: Mapped[Small] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    is_open: Mapped[bool] = mapped_column(
        Boolean, Computed("status IN ('filed', 'acknowledged', 'in_progress', 'waiting')", persisted=True)
    )

    office_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("office.id"))
    desk: Mapped[str]
    assignee_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    routing_rule_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("routing_rule.id"))
    referral_count: Mapped[Small] = mapped_column(default=0, server_default="0")
    referred_from_office_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("office.id"))
    referred_from_desk: Mapped[str | None]
    referral_state: Mapped[str | None]
    parent_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("cases.id"))

    programme_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("programme.id"))
    programme_words: Mapped[str | None]
    """The programme's name as the complainant wrote it, where it is none that is known."""
    category_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("category.id"))
    district_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("place.id"))
    upazila_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("place.id"))
    place: Mapped[str]
    incident_on: Mapped[date | None]
    details: Mapped[str]
    is_sensitive: Mapped[bool]
    is_anonymous: Mapped[bool]
    has_accused: Mapped[bool]
    about: Mapped[str]

    channel: Mapped[str]
    language: Mapped[str]
    preferred_channel: Mapped[str]
    filed_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    filed_by_office_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("office.id"))

    filed_at: Mapped[datetime]
    received_on: Mapped[date]
    acknowledged_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    due_on: Mapped[date]
    due_at: Mapped[datetime]
    waiting_until: Mapped[datetime | None]
    is_paused: Mapped[bool] = mapped_column(default=False, server_default="false")
    is_not_informed: Mapped[bool] = mapped_column(default=False, server_default="false")
    asked_higher_at: Mapped[datetime | None]
    """When the complainant asked to have it sent higher, under the present main clock."""
    reminded_at: Mapped[datetime | None]
    """When its holder was last reminded by a superior, under the present main clock."""

    history_length: Mapped[int]
    history_head: Mapped[bytes]


class Complainant(Model):
    """Who is aggrieved, or who files for them, or has joined in (`member`). Name, phone and address of mail are sealed; the
    phone has a blind index."""

    __tablename__ = "complainant"
    __table_args__ = (
        CheckConstraint("role IN ('complainant', 'representative', 'member')", "role_known"),
        Index(None, "case_id"),
        Index(None, "phone_index", postgresql_where=text("phone_index IS NOT NULL")),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    role: Mapped[str]
    name_sealed: Mapped[bytes | None]
    phone_sealed: Mapped[bytes | None]
    phone_index: Mapped[bytes | None]
    email_sealed: Mapped[bytes | None]
    sex: Mapped[str | None]
    age_group: Mapped[str | None]
    disability: Mapped[str | None]
    relation: Mapped[str | None]


class Accused(Model):
    """An officer, or a whole office, that the grievance is against: never sees the case in any list, count or message."""

    __tablename__ = "accused"
    __table_args__ = (
        CheckConstraint("officer_id IS NOT NULL OR office_id IS NOT NULL", "names_somebody"),
        Index(None, "case_id"),
        Index(None, "officer_id", postgresql_where=text("officer_id IS NOT NULL")),
        Index(None, "post_id", postgresql_where=text("post_id IS NOT NULL")),
        Index(None, "office_id", postgresql_where=text("office_id IS NOT NULL")),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    officer_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    office_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("office.id"))
    post_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("post.id"))


class CaseEvent(Model):
    """One row of the append-only, hash-chained history of a case. ``data`` holds facts and commitments, no free text."""

    __tablename__ = "case_event"
    __table_args__ = (
        UniqueConstraint("case_id", "seq"),
        Index(
            "ix__case_event__appeals",
            "case_id",
            "seq",
            postgresql_where=text("kind IN ('appealed', 'contested')"),
        ),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    seq: Mapped[int]
    kind: Mapped[str]
    at: Mapped[datetime]
    actor_kind: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(BigInteger)
    data: Mapped[dict[str, Any]]
    previous_hash: Mapped[bytes]
    hash: Mapped[bytes]


class CaseText(Model):
    """Free text that belongs to an event (a reply, a question, a note); the event holds only a salted commitment to it,
    so erasing a text for privacy does not break the chain."""

    __tablename__ = "case_text"
    __table_args__ = (UniqueConstraint("case_id", "seq", "field"),)

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    seq: Mapped[int]
    field: Mapped[str]
    body: Mapped[str | None]
    salt: Mapped[bytes]


class Direction(Model):
    """What the Cabinet Division directs the office that holds a case to do, and to answer by a date; one open at a time.

    The words are texts of the case's history, at event ``seq`` and, answered, at ``answered_seq``; its clock is the
    `direct` deadline of ``epoch``. It is overtaken where the case ends or moves to another tier before it is answered.
    """

    __tablename__ = "direction"
    __table_args__ = (
        CheckConstraint(one_of("how", DIRECTION_ENDS), "how_known"),
        CheckConstraint("(ended_at IS NULL) = (how IS NULL)", "ended_says_how"),
        CheckConstraint("(answered_seq IS NOT NULL) = (how IS NOT DISTINCT FROM 'answered')", "answered_has_event"),
        UniqueConstraint("case_id", "seq"),
        Index("uq__direction__open", "case_id", unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    seq: Mapped[int]
    epoch: Mapped[Small]
    issued_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"))
    issued_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    how: Mapped[str | None]
    answered_seq: Mapped[int | None]


CONTACT_WAYS = ("phone", "letter", "in_person")
"""How an officer may reach somebody whom no message reached."""


class ContactTask(Model):
    """Somebody is to be called or written to: a message they had to get did not arrive. One for each such message.

    ``subject`` and ``channel`` are the message's; ``reason`` is why it did not arrive. ``how`` it ended: an officer reached
    them (``contacted_on``), they read it on the tracking page, it arrived after all, or nothing hangs on it any more.
    """

    __tablename__ = "contact_task"
    __table_args__ = (
        CheckConstraint(one_of("how", (*CONTACT_WAYS, "read", "delivered", "overtaken")), "how_known"),
        CheckConstraint("(closed_at IS NULL) = (how IS NULL)", "closed_says_how"),
        Index(None, "case_id"),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    message_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("message.id"), unique=True)
    subject: Mapped[str]
    channel: Mapped[str]
    reason: Mapped[str]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    how: Mapped[str | None]
    contacted_on: Mapped[date | None]
    officer_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    complainant_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("complainant.id"))
    """Who is to be reached, where it is one who has joined in; none: who filed."""
