"""Earlier directions of the Cabinet Division, followed up: what became of each, by when it was due, and how late it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases import queries
from grm.cases.directions import KIND
from grm.cases.models import Case, CaseText, Direction
from grm.deadlines.calendar import dhaka_date
from grm.deadlines.models import Deadline
from grm.kernel.actor import Actor
from grm.kernel.text import latin_digits

PAGE = 50
EXCERPT = 160
STATES = ("open", "answered", "overtaken", "all")
LATENESS = ("late", "in_time")


@dataclass(frozen=True, slots=True)
class Filters:
    """Which directions: in which state, late or not, on cases that lie at which office now, given by whom."""

    state: str = "open"
    lateness: str = ""
    office_id: int | None = None
    is_own: bool = False
    office: str = ""

    def as_query(self, **changes: Any) -> str:
        """The address of this choice, changed."""
        chosen = replace(self, **changes)
        values = {"state": chosen.state if chosen.state != STATES[0] else "", "late": chosen.lateness}
        values |= {"office": chosen.office, "own": "1" if chosen.is_own else ""}
        return urlencode({key: value for key, value in values.items() if value})


@dataclass(frozen=True, slots=True)
class Followed:
    """One direction as the list shows it."""

    id: int
    tracking_number: str
    office_id: int
    desk: str
    status: str
    words: str
    """The beginning of what was directed; empty where the text was erased."""
    issuer_bn: str
    issuer_en: str
    issued_at: datetime
    due_on: date
    due_at: datetime
    ended_at: datetime | None
    how: str | None

    @property
    def state(self) -> str:
        """`open`, `answered` or `overtaken`."""
        return self.how or "open"

    def days_late(self, now: datetime) -> int:
        """By how many days the answer came after its date, or is late today; 0 in time, and where none is due any more."""
        if self.how == "overtaken":
            return 0
        until = self.ended_at or now
        return max(0, (dhaka_date(until) - self.due_on).days) if until >= self.due_at else 0


def filters_from(values: Mapping[str, str], offices: Mapping[str, int]) -> Filters:
    """The choice of an address; what means nothing in it is left out. `offices` are ids by code."""
    state, lateness, office = values.get("state", ""), values.get("late", ""), values.get("office", "")
    return Filters(
        state=state if state in STATES else STATES[0],
        lateness=lateness if lateness in LATENESS else "",
        office_id=offices.get(office),
        office=office if office in offices else "",
        is_own=values.get("own") == "1",
    )


def page(
    session: Session, actor: Actor, filters: Filters, now: datetime, after: tuple[datetime, int] | None = None
) -> tuple[Sequence[Followed], tuple[datetime, int] | None]:
    """One page of what the actor may see, and where the next begins: the open ones by their dates, the others the latest first
    (one statement)."""
    is_open = filters.state == "open"
    key = Deadline.due_at if is_open else Direction.issued_at
    words = (
        select(func.left(CaseText.body, EXCERPT + 1))
        .where(CaseText.case_id == Direction.case_id, CaseText.seq == Direction.seq, CaseText.field == "direction")
        .correlate(Direction)
        .scalar_subquery()
    )
    statement = (
        select(
            *(Direction.id, Case.tracking_number, Case.office_id, Case.desk, Case.status, words),
            *(Officer.name_bn, Officer.name_en, Direction.issued_at, Deadline.due_on, Deadline.due_at),
            *(Direction.ended_at, Direction.how),
        )
        .select_from(Direction)
        .join(Case, Case.id == Direction.case_id)
        .join(Officer, Officer.id == Direction.issued_by_id)
        .join(Deadline, _CLOCK)
        .where(*_conditions(actor, filters, now))
    )
    if after is not None:
        here, mark = tuple_(key, Direction.id), tuple_(*after)
        statement = statement.where(here > mark if is_open else here < mark)
    order = (key, Direction.id) if is_open else (key.desc(), Direction.id.desc())
    rows: Sequence[Any] = session.execute(statement.order_by(*order).limit(PAGE + 1)).all()
    found = [Followed(*(*row[:5], _excerpt(row[5]), *row[6:])) for row in rows[:PAGE]]
    last = found[-1] if len(rows) > PAGE else None
    return found, ((last.due_at if is_open else last.issued_at, last.id) if last else None)


def counts(session: Session, actor: Actor, filters: Filters, now: datetime) -> dict[str, int]:
    """How many there are in each state under the other choices, and how many of the open ones are `late` (one statement)."""
    whole = replace(filters, state="all")
    is_late = and_(Direction.ended_at.is_(None), Deadline.due_at <= now)
    columns = [func.count().filter(_in_state(state)).label(state) for state in STATES]
    row = session.execute(
        select(*columns, func.count().filter(is_late).label("late"))
        .select_from(Direction)
        .join(Case, Case.id == Direction.case_id)
        .join(Deadline, _CLOCK)
        .where(*_conditions(actor, whole, now))
    ).one()
    return dict(row._mapping)


def mark_from(text: str) -> tuple[datetime, int] | None:
    """Where a page begins, out of an address; what means nothing shows the first page. Bangla digits work too."""
    instant, _, number = latin_digits(text[:60]).rpartition("_")
    try:
        at = datetime.fromisoformat(instant)
        return (at, int(number)) if at.tzinfo is not None and 0 < int(number) < 2**63 else None
    except ValueError:
        return None


_CLOCK = and_(Deadline.case_id == Direction.case_id, Deadline.kind == KIND, Deadline.epoch == Direction.epoch)


def _in_state(state: str) -> ColumnElement[bool]:
    if state == "open":
        return Direction.ended_at.is_(None)
    return Direction.id.is_not(None) if state == "all" else Direction.how == state


def _conditions(actor: Actor, filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    found = [queries.visible_to(actor), _in_state(filters.state)]
    if filters.lateness:
        is_late = or_(
            and_(Direction.ended_at.is_(None), Deadline.due_at <= now),
            and_(Direction.how == "answered", Direction.ended_at >= Deadline.due_at),
        )
        found.append(is_late if filters.lateness == "late" else ~is_late)
    if filters.office_id is not None:
        found.append(Case.office_id == filters.office_id)
    if filters.is_own:
        found.append(Direction.issued_by_id == actor.officer_id)
    return found


def _excerpt(text: str | None) -> str:
    if text is None:
        return ""
    return text if len(text) <= EXCERPT else text[:EXCERPT].rstrip() + "…"
