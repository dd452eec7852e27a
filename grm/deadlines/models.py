"""The calendar, the dated policies, and the running deadlines with their pauses."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import SmallInteger

from grm.kernel.db import Id, Model, Small, one_of
from grm.offices.models import ValidFrom

KINDS = ("acknowledge", "resolve", "investigate", "inform", "appeal", "cell", "comply", "appeal_window", "direct")
FILING_KINDS = ("acknowledge", "resolve")
"""The clocks that begin when a case is filed; the others begin with the act that calls for them."""
MAIN_KINDS = ("resolve", "appeal", "cell", "comply")
"""The clocks a case as a whole can stand under, one at a time (`cases.main_clock`): its due date, its pauses and its
escalation level are theirs. All others are side clocks: they remind and escalate, and leave the case row alone."""
UNITS = ("working_days", "calendar_days", "calendar_months")
EXTENSION_STATES = ("requested", "approved", "refused")
STATES = ("running", "paused", "met", "breached")


class CalendarEdition(Model):
    """One recorded change of the calendar; its id is the calendar version that deadlines remember."""

    __tablename__ = "calendar_edition"

    id: Mapped[Id]
    created_at: Mapped[datetime]
    source: Mapped[str]
    note: Mapped[str]
    covered_until: Mapped[date]


class CalendarDay(Model):
    """A holiday, or a weekend day ordered to be worked. In force for editions in [added_in, removed_in)."""

    __tablename__ = "calendar_day"
    __table_args__ = (
        CheckConstraint("kind IN ('holiday', 'working')", "kind_known"),
        Index("uq__calendar_day__day_in_force", "day", unique=True, postgresql_where="removed_in IS NULL"),
    )

    id: Mapped[Id]
    day: Mapped[date]
    kind: Mapped[str]
    name_bn: Mapped[str]
    name_en: Mapped[str]
    source: Mapped[str]
    is_estimated: Mapped[bool] = mapped_column(default=False, server_default="false")
    added_in: Mapped[int] = mapped_column(BigInteger, ForeignKey("calendar_edition.id"))
    removed_in: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("calendar_edition.id"))


class WeekendRule(Model):
    """The weekly days off from a date on (Monday is 0): Friday and Saturday since 2005."""

    __tablename__ = "weekend_rule"

    id: Mapped[Id]
    valid_from: Mapped[date] = mapped_column(unique=True)
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    source: Mapped[str]


class DeadlinePolicy(Model):
    """The dated rule: how long a step may take. A change is a new row of the same code; deadlines keep the row they were
    made by."""

    __tablename__ = "deadline_policy"
    __table_args__ = (
        CheckConstraint(one_of("unit", UNITS), "unit_known"),
        CheckConstraint("tier IN ('gro', 'appeal', 'cell')", "tier_known"),
        CheckConstraint('"limit" > 0', "limit_positive"),
        UniqueConstraint("code", "valid_from"),
    )

    id: Mapped[Id]
    code: Mapped[str]
    kind: Mapped[str]
    limit: Mapped[Small]
    unit: Mapped[str]
    office_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("office.id"))
    programme: Mapped[str | None]
    category: Mapped[str | None]
    priority: Mapped[str | None]
    tier: Mapped[str | None]
    source: Mapped[str]
    valid_from: Mapped[ValidFrom]
    valid_to: Mapped[date | None]


class Deadline(Model):
    """A running clock of a case. ``next_rung_at`` is when the sweep must look at it again; NULL: never.

    A paused clock keeps its ``next_level``, to go on where it stood. ``extension_days`` is what was granted on top of the
    policy's limit, in the policy's unit. A clock that is set aside waits for a person: the sweep leaves it alone.
    """

    __tablename__ = "deadline"
    __table_args__ = (
        CheckConstraint(one_of("kind", KINDS), "kind_known"),
        CheckConstraint("state IN ('running', 'paused', 'met', 'breached')", "state_known"),
        CheckConstraint("state = 'paused' OR (next_level IS NULL) = (next_rung_at IS NULL)", "rung_complete"),
        CheckConstraint("state <> 'met' OR met_at IS NOT NULL", "met_has_instant"),
        CheckConstraint("extension_days >= 0", "extension_not_negative"),
        CheckConstraint("state IN ('running', 'breached') OR next_rung_at IS NULL", "only_live_clocks_escalate"),
        CheckConstraint("(set_aside_at IS NULL) = (set_aside_why IS NULL)", "set_aside_has_reason"),
        UniqueConstraint("case_id", "kind", "epoch"),
        Index("ix__deadline__running", "due_at", postgresql_where="state = 'running'"),
        Index("ix__deadline__set_aside", "case_id", postgresql_where="set_aside_at IS NOT NULL"),
        Index("ix__deadline__next_rung_at", "next_rung_at", "id", postgresql_where="next_rung_at IS NOT NULL"),
    )

    id: Mapped[Id]
    case_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("cases.id"))
    kind: Mapped[str]
    epoch: Mapped[Small] = mapped_column(default=1)
    policy_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("deadline_policy.id"))
    calendar_version: Mapped[int] = mapped_column(BigInteger, ForeignKey("calendar_edition.id"))
    started_at: Mapped[datetime]
    due_on: Mapped[date]
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="running")
    met_at: Mapped[datetime | None]
    breached_at: Mapped[datetime | None]
    next_level: Mapped[int | None] = mapped_column(SmallInteger)
    next_rung_at: Mapped[datetime | None]
    is_provisional: Mapped[bool] = mapped_column(default=False, server_default="false")
    extension_days: Mapped[Small] = mapped_column(server_default="0")
    set_aside_at: Mapped[datetime | None]
    set_aside_why: Mapped[str | None]
    begun_at: Mapped[datetime | None]
    """Since when there is this clock, where it has taken over the start of an earlier one; none: since it started."""


class DeadlinePause(Model):
    """A stretch in which a deadline stood still, with its reason and its automatic end."""

    __tablename__ = "deadline_pause"
    __table_args__ = (
        Index(None, "deadline_id"),
        Index("ix__deadline_pause__open", "ends_by_at", postgresql_where="until_at IS NULL"),
        CheckConstraint("until_at IS NULL OR until_at >= from_at", "ends_after_start"),
    )

    id: Mapped[Id]
    deadline_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("deadline.id"))
    from_at: Mapped[datetime]
    until_at: Mapped[datetime | None]
    ends_by_at: Mapped[datetime]
    reason: Mapped[str]


class Extension(Model):
    """A request for more time, at most one for each clock. The reasons are texts of the case's history.

    ``handed_to_id`` is who stands in for an asker who has left: the answer goes to them, and they do not decide on it.
    """

    __tablename__ = "extension"
    __table_args__ = (
        CheckConstraint(one_of("state", EXTENSION_STATES), "state_known"),
        CheckConstraint("working_days > 0", "days_positive"),
        CheckConstraint(
            "(state = 'requested') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by_id IS NULL)",
            "decided_is_complete",
        ),
        CheckConstraint("decided_by_id <> requested_by_id", "decided_by_another"),
    )

    id: Mapped[Id]
    deadline_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("deadline.id"), unique=True)
    working_days: Mapped[Small]
    state: Mapped[str] = mapped_column(default="requested")
    requested_by_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("officer.id"))
    requested_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))
    decided_at: Mapped[datetime | None]
    handed_to_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("officer.id"))


class LadderRung(Model):
    """One step of the ladder: which post hears of it, how many working days after the due date."""

    __tablename__ = "ladder_rung"
    __table_args__ = (
        UniqueConstraint("deadline_kind", "level"),
        CheckConstraint("level BETWEEN 0 AND 3", "level_in_range"),
    )

    id: Mapped[Id]
    deadline_kind: Mapped[str]
    level: Mapped[Small]
    offset_working_days: Mapped[Small]
    role: Mapped[str]
    source: Mapped[str]
