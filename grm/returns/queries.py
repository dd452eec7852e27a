"""Reading monthly returns: which there are and how they stand, and one of them as a reader may see it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from grm.accounts.models import Officer
from grm.cases.models import Case
from grm.cases.queries import visible_to
from grm.deadlines.calendar import dhaka_date
from grm.kernel.actor import Actor
from grm.kernel.db import among
from grm.returns import counting
from grm.returns.models import MonthlyReturn, ReturnReminder, ReturnSubmission
from grm.returns.service import VIEWS
from grm.returns.sheets import SIDES, Sheets, differences, from_json
from grm.returns.units import Sight, Unit
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
class Page:
    """One unit's return as a reader sees it: the figures as submitted or as they are now, and what has changed since."""

    sheets: Sheets
    line: Line | None
    corrections: dict[str, dict[str, int]]
    changes: Sequence[Any]

    @property
    def is_frozen(self) -> bool:
        """Whether the figures are those that were submitted."""
        return self.line is not None and self.line.submitted_at is not None


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


def page(session: Session, actor: Actor, unit: Unit, seen: Sight, month: Period, today: date) -> Page:
    """A unit's return. Cases that accuse the reader are in none of its numbers."""
    excluded = counting.accusing(session, actor)
    now = counting.live(session, unit, month, today, seen.within)
    live = counting.sheets(session, now, seen.shades, excluded)
    line = find(session, unit, month)
    if line is None or line.figures is None:
        return Page(live, line, {}, ())
    was = counting.frozen(line.id)
    kept = next((line.figures[name] for name, shades in VIEWS.items() if shades == seen.shades and not excluded), None)
    frozen = (
        {side: from_json(kept[side]) for side in SIDES}
        if kept is not None
        else counting.sheets(session, was, seen.shades, excluded)
    )
    corrections = {side: differences(frozen[side], live[side]) for side in SIDES}
    changes = (
        counting.changes(session, was, now, seen.shades, excluded, MOST_CHANGES) if any(corrections.values()) else ()
    )
    return Page(frozen, line, corrections, changes)


def open_to(session: Session, actor: Actor, case_ids: Sequence[int]) -> frozenset[int]:
    """Which of some cases an officer may open. One that was here and lies elsewhere now is counted, not named."""
    if not case_ids:
        return frozenset()
    return frozenset(session.scalars(select(Case.id).where(Case.id == among(case_ids), visible_to(actor))))


def relation_of(
    session: Session, unit: Unit, seen: Sight, month: Period, today: date, line: Line | None
) -> counting.Relation:
    """The entries behind the numbers of a page: those that were submitted, else those of now."""
    if line is not None and line.submitted_at is not None:
        return counting.frozen(line.id)
    return counting.live(session, unit, month, today, seen.within)
