"""Reading the calendar, the policies, the ladder's rungs and the clocks of cases."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import NamedTuple, cast

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from grm.deadlines import models
from grm.deadlines.calendar import Calendar, Day, DayKind
from grm.deadlines.policy import Policy, Unit
from grm.deadlines.reckoning import Pause
from grm.deadlines.rungs import Rung
from grm.kernel.db import among
from grm.kernel.errors import Misconfigured
from grm.offices.edition import per_edition


class RunOut(NamedTuple):
    """A pause whose automatic end has come."""

    case_id: int
    deadline_id: int
    ends_by_at: datetime


@per_edition
def calendar(session: Session) -> Calendar:
    """The calendar in force, read once per process and edition (three statements). Raises `Misconfigured` `no-calendar`."""
    latest = session.scalars(select(models.CalendarEdition).order_by(models.CalendarEdition.id.desc()).limit(1)).first()
    if latest is None:
        raise Misconfigured("no-calendar")
    return _calendar(session, latest)


def calendar_at(session: Session, version: int) -> Calendar:
    """The calendar as it was in a version, to explain a deadline reckoned with it; each is read once per process and edition.

    Raises `Misconfigured` `no-calendar` where there is none of that number.
    """
    held = _versions(session)
    if version not in held:
        edition = session.get(models.CalendarEdition, version)
        if edition is None:
            raise Misconfigured("no-calendar", version=version)
        held[version] = _calendar(session, edition)
    return held[version]


@per_edition
def _versions(session: Session) -> dict[int, Calendar]:
    """The calendars read so far in this edition, by version: what a version says does not change any more."""
    return {}


@per_edition
def policies(session: Session) -> tuple[Policy, ...]:
    """All policies of all dates, read once per process and edition."""
    rows = session.scalars(select(models.DeadlinePolicy).order_by(models.DeadlinePolicy.id))
    return tuple(policy_of(row) for row in rows)


def policy_by_id(session: Session, policy_id: int) -> Policy | None:
    """One policy, from the cache where that has it already."""
    held = next((policy for policy in policies(session) if policy.id == policy_id), None)
    if held is not None:
        return held
    row = session.get(models.DeadlinePolicy, policy_id)
    return policy_of(row) if row else None


@per_edition
def rungs(session: Session) -> tuple[Rung, ...]:
    """The ladder, read once per process and edition."""
    rows = session.scalars(select(models.LadderRung).order_by(models.LadderRung.deadline_kind, models.LadderRung.level))
    return tuple(Rung(row.deadline_kind, row.level, row.offset_working_days, row.role) for row in rows)


def policy_of(row: models.DeadlinePolicy) -> Policy:
    """A stored policy as the pure decisions take it."""
    return Policy(
        id=row.id,
        code=row.code,
        kind=row.kind,
        limit=row.limit,
        unit=cast(Unit, row.unit),
        office_id=row.office_id,
        programme=row.programme,
        category=row.category,
        priority=row.priority,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        source=row.source,
        tier=row.tier,
    )


def deadlines_of(session: Session, case_id: int) -> Sequence[models.Deadline]:
    """All clocks of a case, the acknowledging one first, each kind by epoch."""
    return session.scalars(
        select(models.Deadline)
        .where(models.Deadline.case_id == case_id)
        .order_by(models.Deadline.kind, models.Deadline.epoch)
    ).all()


def pauses_of(session: Session, deadline_ids: Collection[int]) -> dict[int, tuple[Pause, ...]]:
    """The pauses of some deadlines, in order; deadlines without any are missing (one statement)."""
    found: dict[int, list[Pause]] = {}
    rows = session.scalars(
        select(models.DeadlinePause)
        .where(models.DeadlinePause.deadline_id == among(deadline_ids))
        .order_by(models.DeadlinePause.from_at, models.DeadlinePause.id)
    )
    for row in rows:
        found.setdefault(row.deadline_id, []).append(Pause(row.from_at, row.until_at, row.reason))
    return {deadline_id: tuple(pauses) for deadline_id, pauses in found.items()}


def pauses_run_out(session: Session, now: datetime, limit: int) -> list[RunOut]:
    """The cases whose wait has run out at `now`, the oldest first; for the tick that resumes them."""
    pause, deadline = models.DeadlinePause, models.Deadline
    rows = session.execute(
        select(deadline.case_id, deadline.id, pause.ends_by_at)
        .join(deadline, deadline.id == pause.deadline_id)
        .where(pause.until_at.is_(None), pause.ends_by_at <= now)
        .order_by(pause.ends_by_at, pause.id)
        .limit(limit)
    )
    return [RunOut(*row) for row in rows]


def days_in_force(session: Session, version: int | None = None) -> dict[date, models.CalendarDay]:
    """The announced days of a version of the calendar; of the present one without a number."""
    rows = session.scalars(select(models.CalendarDay).where(_in_force(version)).order_by(models.CalendarDay.day))
    return {row.day: row for row in rows}


def _in_force(version: int | None) -> ColumnElement[bool]:
    day = models.CalendarDay
    if version is None:
        return day.removed_in.is_(None)
    return and_(day.added_in <= version, or_(day.removed_in.is_(None), day.removed_in > version))


def _calendar(session: Session, edition: models.CalendarEdition) -> Calendar:
    weekends = session.scalars(select(models.WeekendRule).order_by(models.WeekendRule.valid_from))
    days = {
        on: Day(cast(DayKind, row.kind), row.name_bn, row.name_en, row.source, row.is_estimated)
        for on, row in days_in_force(session, edition.id).items()
    }
    return Calendar(
        version=edition.id,
        weekends=tuple((rule.valid_from, frozenset(rule.weekdays)) for rule in weekends),
        days=days,
        covered_until=edition.covered_until,
    )
