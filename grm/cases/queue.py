"""An office's queue: its five views with exact counts, filters, and paging that costs the same at any depth.

A page is one desk of one office, so that the partial index `(office_id, desk, due_at, id)` serves it. Counts are exact
up to `COUNT_CAP` and read no further.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, func, literal, select, tuple_
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.models import Case
from grm.cases.queries import is_overdue, visible_to
from grm.deadlines import queries as deadline_queries
from grm.deadlines.calendar import dhaka_date, end_of_day
from grm.kernel.actor import Actor

PAGE_SIZE = 25
COUNT_CAP = 1000
DUE_SOON_WORKING_DAYS = 3
"""A case is due soon from the day of the ladder's first warning on."""

TABS = ("unassigned", "mine", "due_soon", "overdue", "all")

_DESKS_OF_ROLE: dict[str, tuple[str, ...]] = {
    "gro": ("gro",),
    "case_officer": ("gro",),
    "appeal_officer": ("appeal", "gro"),
    "head": ("appeal", "gro"),
    "cell_officer": ("cell",),
}


@dataclass(frozen=True, slots=True)
class Queue:
    """One desk of one office."""

    office_id: int
    desk: str

    @property
    def key(self) -> str:
        """How an address names it."""
        return f"{self.office_id}-{self.desk}"


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a list; None leaves all."""

    programme_id: int | None = None
    category_id: int | None = None
    district_id: int | None = None
    level: int | None = None
    status: str | None = None
    is_not_informed: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is narrowed."""
        return self == Filters()

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filters as conditions on `Case`."""
        # The bare column: only that lets the planner use the index over these few.
        marked = [cast(ColumnElement[bool], Case.is_not_informed)] if self.is_not_informed else []
        return marked + [
            column == value
            for column, value in (
                (Case.programme_id, self.programme_id),
                (Case.category_id, self.category_id),
                (Case.district_id, self.district_id),
                (Case.level, self.level),
                (Case.status, self.status),
            )
            if value is not None
        ]


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two rows: those after it, or those before it."""

    due_at: datetime
    id: int
    is_backward: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page (`Case`, and `name_bn`, `name_en` of who has it), and where the pages beside it begin."""

    rows: Sequence[Row[Any]]
    previous: Cursor | None
    next: Cursor | None


def queues_of(actor: Actor) -> tuple[Queue, ...]:
    """The desks the actor works at, the own one first; empty for those without a queue."""
    found: dict[Queue, None] = {}
    for seat in actor.seats:
        for desk in _DESKS_OF_ROLE.get(seat.role, ()):
            if seat.office_kind != "cell" or desk == "cell":
                found.setdefault(Queue(seat.office_id, desk))
        if seat.role == "head" and seat.office_kind == "cell":
            found.setdefault(Queue(seat.office_id, "cell"))
    return tuple(found)


def counts(session: Session, actor: Actor, queue: Queue, filters: Filters, now: datetime) -> dict[str, int]:
    """How many cases each view holds; `COUNT_CAP + 1` stands for more than the cap. One statement."""
    columns = []
    for tab in TABS:
        found = select(literal(1)).where(*_conditions(session, actor, queue, tab, filters, now)).limit(COUNT_CAP + 1)
        columns.append(select(func.count()).select_from(found.subquery()).scalar_subquery().label(tab))
    row = session.execute(select(*columns)).one()
    return {tab: int(count) for tab, count in zip(TABS, row, strict=True)}


def page(
    session: Session,
    actor: Actor,
    queue: Queue,
    tab: str,
    filters: Filters,
    now: datetime,
    cursor: Cursor | None = None,
) -> Page:
    """One page of a view: open cases the most urgent first, all cases the latest first. One statement."""
    is_backward = cursor is not None and cursor.is_backward
    statement = _ordered(
        select(Case, Officer.name_bn, Officer.name_en)
        .outerjoin(Officer, Officer.id == Case.assignee_id)
        .where(*_conditions(session, actor, queue, tab, filters, now)),
        tab,
        cursor,
        is_backward,
    )
    found = list(session.execute(statement.limit(PAGE_SIZE + 1)))
    has_more, rows = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
    if is_backward:
        rows.reverse()
    if not rows:
        return Page((), None, None)
    first, last = rows[0].Case, rows[-1].Case
    has_previous = has_more if is_backward else cursor is not None
    has_next = True if is_backward else has_more
    return Page(
        rows,
        _cursor(first, is_backward=True) if has_previous else None,
        _cursor(last, is_backward=False) if has_next else None,
    )


def _conditions(
    session: Session, actor: Actor, queue: Queue, tab: str, filters: Filters, now: datetime
) -> list[ColumnElement[bool]]:
    # The bare column: only that lets the planner use the indexes over open cases.
    is_open = cast(ColumnElement[bool], Case.is_open)
    conditions: list[ColumnElement[bool]] = [
        Case.office_id == queue.office_id,
        Case.desk == queue.desk,
        *filters.conditions(),
        visible_to(actor),
    ]
    if tab == "unassigned":
        conditions += [is_open, Case.assignee_id.is_(None)]
    elif tab == "mine":
        conditions += [is_open, Case.assignee_id == actor.officer_id]
    elif tab == "due_soon":
        conditions += [is_open, Case.due_at > now, Case.due_at <= soon_until(session, now), ~Case.is_paused]
    elif tab == "overdue":
        conditions.append(is_overdue(now))
    return conditions


def soon_until(session: Session, now: datetime) -> datetime:
    """Until when a case must be due to be due soon."""
    return end_of_day(deadline_queries.calendar(session).add_working_days(dhaka_date(now), DUE_SOON_WORKING_DAYS))


def _ordered(
    statement: Select[*tuple[Any, ...]], tab: str, cursor: Cursor | None, is_backward: bool
) -> Select[*tuple[Any, ...]]:
    is_descending = (tab == "all") != is_backward
    if cursor is not None:
        key, place = tuple_(Case.due_at, Case.id), tuple_(literal(cursor.due_at), literal(cursor.id))
        statement = statement.where(key < place if is_descending else key > place)
    if is_descending:
        return statement.order_by(Case.due_at.desc(), Case.id.desc())
    return statement.order_by(Case.due_at, Case.id)


def _cursor(case: Case, *, is_backward: bool) -> Cursor:
    return Cursor(case.due_at, case.id, is_backward)
