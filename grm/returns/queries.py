"""Reading monthly returns: which there are and how they stand, and one of them as a reader may see it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, aliased

from grm.accounts.models import Officer
from grm.cases.models import Case
from grm.cases.queries import visible_to
from grm.deadlines import queries as deadline_queries
from grm.deadlines.calendar import dhaka_date
from grm.kernel.actor import Actor
from grm.kernel.db import among
from grm.offices.directory import Place
from grm.returns import counting, rules
from grm.returns.models import ClosedReturn, MonthlyReturn, ReturnClosing, ReturnReminder, ReturnSubmission
from grm.returns.sheets import SIDES, Sheets, from_json
from grm.returns.units import VIEWS, Sight, Unit
from grm.tallies.periods import Period

MOST_CHANGES = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A return in the list. `figures` are those that were submitted, as JSON."""

    id: int
    month: date
    office_id: int
    due_on: date
    due_at: datetime
    submitted_at: datetime | None
    name_bn: str | None
    name_en: str | None
    figures: dict[str, Any] | None
    reminders: int

    def state(self, now: datetime) -> str:
        """How it stands: submitted, submitted_late, due or late."""
        if self.submitted_at is not None:
            return "submitted" if self.submitted_at < self.due_at else "submitted_late"
        return "late" if self.due_at <= now else "due"

    def days_late(self, now: datetime) -> int:
        """By how many calendar days it is, or was, late."""
        return max(0, (dhaka_date(self.submitted_at or now) - self.due_on).days)


@dataclass(frozen=True, slots=True)
class Closed:
    """What was frozen of a unit when its month was closed. `figures` as JSON; `not_submitted` are offices' ids."""

    at: datetime
    figures: dict[str, Any]
    not_submitted: Sequence[int]


@dataclass(frozen=True, slots=True)
class Page:
    """One unit's return as a reader sees it: the figures as frozen or as they are now, and what has changed since."""

    sheets: Sheets
    line: Line | None
    closed: Closed | None
    corrections: dict[str, dict[str, int]]
    changes: Sequence[Any]

    @property
    def is_frozen(self) -> bool:
        """Whether the figures are those that were submitted, or those with which the month was closed."""
        return self.closed is not None or (self.line is not None and self.line.submitted_at is not None)


def _listing() -> Any:
    by = aliased(Officer)
    reminders = (
        select(func.count())
        .where(ReturnReminder.return_id == MonthlyReturn.id)
        .correlate(MonthlyReturn)
        .scalar_subquery()
    )
    return (
        select(
            *(
                MonthlyReturn.id,
                MonthlyReturn.month,
                MonthlyReturn.office_id,
                MonthlyReturn.due_on,
                MonthlyReturn.due_at,
            ),
            *(ReturnSubmission.submitted_at, by.name_bn, by.name_en, ReturnSubmission.figures, reminders),
        )
        .outerjoin(ReturnSubmission, ReturnSubmission.return_id == MonthlyReturn.id)
        .outerjoin(by, by.id == ReturnSubmission.submitted_by_id)
    )


def of_month(session: Session, month: date, office_ids: Collection[int] | None) -> list[Line]:
    """The returns of a month, of some offices or of all."""
    statement = _listing().where(MonthlyReturn.month == month).order_by(MonthlyReturn.office_id)
    if office_ids is not None:
        statement = statement.where(MonthlyReturn.office_id.in_(office_ids))
    return [Line(*row) for row in session.execute(statement)]


def late(session: Session, now: datetime, office_ids: Collection[int] | None) -> list[Line]:
    """The returns of any month that are late now, the oldest first."""
    statement = _listing().where(MonthlyReturn.due_at <= now, ReturnSubmission.submitted_at.is_(None))
    if office_ids is not None:
        statement = statement.where(MonthlyReturn.office_id.in_(office_ids))
    return [Line(*row) for row in session.execute(statement.order_by(MonthlyReturn.month, MonthlyReturn.office_id))]


def months(session: Session) -> list[date]:
    """The months of which returns were prepared, the latest first."""
    return list(session.scalars(select(MonthlyReturn.month).distinct().order_by(MonthlyReturn.month.desc())))


def find(session: Session, unit: Unit, month: Period) -> Line | None:
    """An office's return of a month, where there is one."""
    if unit.kind != "office":
        return None
    statement = _listing().where(MonthlyReturn.month == month.starts_on, MonthlyReturn.office_id == unit.id)
    row = session.execute(statement).one_or_none()
    return Line(*row) if row is not None else None


def find_closed(session: Session, unit: Unit, month: Period) -> Closed | None:
    """What was frozen of a unit whose return nobody submits, where its month is closed."""
    statement = (
        select(ReturnClosing.closed_at, ClosedReturn.figures, ClosedReturn.not_submitted)
        .join(ClosedReturn, ClosedReturn.month == ReturnClosing.month)
        .where(ReturnClosing.month == month.starts_on, ClosedReturn.kind == unit.kind, ClosedReturn.unit_id == unit.id)
    )
    row = session.execute(statement).one_or_none()
    return Closed(*row) if row is not None else None


def closed_at(session: Session, month: date) -> datetime | None:
    """When a month was closed; None: it is not."""
    return session.scalar(select(ReturnClosing.closed_at).where(ReturnClosing.month == month))


def closes_on(session: Session, month: Period, today: date) -> date | None:
    """The last day before a month will be closed, unless all owed returns are submitted before. None where it was closed, or none
    was prepared in its time."""
    if closed_at(session, month.starts_on) is not None:
        return None
    calendar, known = deadline_queries.calendar(session), rules.rules()
    due = session.scalar(select(func.min(MonthlyReturn.due_on)).where(MonthlyReturn.month == month.starts_on))
    found = rules.closes_on(known, due or rules.due_on(known, month.ends_on, calendar), calendar)
    return found if found >= today or due is not None else None


def silent_districts(session: Session, actor: Actor, seen: Sight, month: Period, known: Sequence[Place]) -> list[Place]:
    """The districts of a closed month from which no complaint came that the reader counts."""
    statement = """
        SELECT DISTINCT district_id FROM closed_stay WHERE month = :month AND side = 'complaint' AND began_how = 'filed'
            AND began_on >= :month AND shade = ANY(:shades) AND case_id <> ALL(CAST(:excluded AS bigint[]))
    """
    excluded = counting.accusing(session, actor)
    parameters = {"month": month.starts_on, "shades": sorted(seen.shades), "excluded": excluded}
    heard = set(session.scalars(text(statement), parameters))
    return [each for each in known if each.id not in heard]


def page(session: Session, actor: Actor, unit: Unit, seen: Sight, month: Period, today: date) -> Page:
    """A unit's return. Cases that accuse the reader are in none of its numbers."""
    excluded = counting.accusing(session, actor)
    now = counting.live(session, unit, month, today, seen.within)
    line, closed = find(session, unit, month), find_closed(session, unit, month)
    kept, frozen_at = _kept(line, closed)
    if kept is None or frozen_at is None:
        return Page(counting.sheets(session, now, seen.shades, excluded), line, None, {}, ())
    was = _frozen(unit, seen, month, line)
    is_whole = seen.within is None and not excluded
    view = next((kept[name] for name, shades in VIEWS.items() if shades == seen.shades and name in kept), None)
    frozen = (
        {side: from_json(view[side]) for side in SIDES}
        if is_whole and view is not None
        else counting.sheets(session, was, seen.shades, excluded)
    )
    corrections, changes = counting.corrections(session, was, now, seen.shades, excluded, frozen_at, MOST_CHANGES)
    return Page(frozen, line, closed, corrections, changes)


def _kept(line: Line | None, closed: Closed | None) -> tuple[dict[str, Any] | None, datetime | None]:
    """The frozen figures, and since when they are."""
    if closed is not None:
        return closed.figures, closed.at
    return (line.figures, line.submitted_at) if line is not None else (None, None)


def _frozen(unit: Unit, seen: Sight, month: Period, line: Line | None) -> counting.Relation:
    return counting.frozen(line.id) if line is not None else counting.closed(unit, month, seen.within)


def open_to(session: Session, actor: Actor, case_ids: Sequence[int]) -> frozenset[int]:
    """Which of some cases an officer may open. One that was here and lies elsewhere now is counted, not named."""
    if not case_ids:
        return frozenset()
    return frozenset(session.scalars(select(Case.id).where(Case.id == among(case_ids), visible_to(actor))))


def relation_of(session: Session, unit: Unit, seen: Sight, month: Period, today: date) -> counting.Relation:
    """The entries behind the numbers of a page: those that were frozen, else those of now."""
    line = find(session, unit, month)
    if (line is not None and line.submitted_at is not None) or find_closed(session, unit, month) is not None:
        return _frozen(unit, seen, month, line)
    return counting.live(session, unit, month, today, seen.within)
