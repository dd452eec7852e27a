"""An office's queue: its views with exact counts, filters, and paging that costs the same at any depth.

A page is one desk of one office, so that the partial indexes `(office_id, desk, due_at, id)` serve it. Counts are exact
up to `COUNT_CAP` and read no further. Statements are built once for each officer and view: building one takes longer than
the database needs for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Row, Select, bindparam, func, literal, select, tuple_
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.models import Case
from grm.cases.queries import is_overdue, visible_to
from grm.deadlines import queries as deadline_queries
from grm.deadlines.calendar import dhaka_date, end_of_day
from grm.kernel.actor import Actor
from grm.kernel.db import UtcDateTime

PAGE_SIZE = 25
COUNT_CAP = 1000
DUE_SOON_WORKING_DAYS = 3
"""A case is due soon from the day of the ladder's first warning on."""

TABS = ("unassigned", "mine", "due_soon", "overdue", "waiting", "referred_in", "referred_out", "all")
LATEST_FIRST = ("all",)
"""The views that begin with what is due last, unless asked otherwise; the others begin with the most urgent."""

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
    """What narrows a list; None leaves all. `filed_from` is inclusive, `filed_before` is not."""

    programme_id: int | None = None
    category_id: int | None = None
    district_id: int | None = None
    upazila_id: int | None = None
    level: int | None = None
    status: str | None = None
    is_not_informed: bool = False
    filed_from: datetime | None = None
    filed_before: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is narrowed."""
        return self == Filters()

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filters as conditions on `Case`."""
        # The bare column: only that lets the planner use the index over these few.
        found = [cast(ColumnElement[bool], Case.is_not_informed)] if self.is_not_informed else []
        if self.filed_from is not None:
            found.append(Case.filed_at >= self.filed_from)
        if self.filed_before is not None:
            found.append(Case.filed_at < self.filed_before)
        return found + [
            column == value
            for column, value in (
                (Case.programme_id, self.programme_id),
                (Case.category_id, self.category_id),
                (Case.district_id, self.district_id),
                (Case.upazila_id, self.upazila_id),
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
    """The rows of one page (`COLUMNS`), and where the pages beside it begin."""

    rows: Sequence[Row[Any]]
    previous: Cursor | None
    next: Cursor | None


COLUMNS = (
    *(Case.id, Case.tracking_number, Case.version, Case.status, Case.is_open, Case.tier, Case.level, Case.is_sensitive),
    *(Case.programme_id, Case.category_id, Case.district_id, Case.upazila_id, Case.is_not_informed, Case.is_paused),
    *(Case.office_id, Case.desk, Case.assignee_id, Case.referral_state, Case.due_on, Case.due_at),
    *(Case.asked_higher_at, Case.reminded_at),
    *(Officer.name_bn, Officer.name_en),
)
"""What a line shows: nothing of what is alleged, and who has the case."""

_NOW: Any = bindparam("now", type_=UtcDateTime)
_SOON: Any = bindparam("soon_until", type_=UtcDateTime)


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
    times = {"now": now, "soon_until": soon_until(session, now)}
    row = session.execute(_counting(actor, queue, filters), times).one()
    return {tab: int(count) for tab, count in zip(TABS, row, strict=True)}


def page(
    session: Session,
    actor: Actor,
    queue: Queue,
    tab: str,
    filters: Filters,
    now: datetime,
    cursor: Cursor | None = None,
    *,
    is_latest_first: bool | None = None,
    size: int | None = None,
) -> Page:
    """One page of a view, the most urgent first or what is due last (as the view has it, if not said). One statement."""
    size = size or PAGE_SIZE
    is_backward = cursor is not None and cursor.is_backward
    is_descending = (tab in LATEST_FIRST if is_latest_first is None else is_latest_first) != is_backward
    values: dict[str, Any] = {"size": size + 1}
    if tab in ("due_soon", "overdue"):
        values["now"] = now
    if tab == "due_soon":
        values["soon_until"] = soon_until(session, now)
    if cursor is not None:
        values |= {"at": cursor.due_at, "row_id": cursor.id}
    statement = _listing(actor, queue, tab, filters, is_descending, cursor is not None)
    found = list(session.execute(statement, values))
    has_more, rows = len(found) > size, found[:size]
    if is_backward:
        rows.reverse()
    if not rows:
        return Page((), None, None)
    first, last = rows[0], rows[-1]
    has_previous = has_more if is_backward else cursor is not None
    has_next = True if is_backward else has_more
    return Page(
        rows,
        Cursor(first.due_at, first.id, is_backward=True) if has_previous else None,
        Cursor(last.due_at, last.id) if has_next else None,
    )


def soon_until(session: Session, now: datetime) -> datetime:
    """Until when a case must be due to be due soon."""
    return end_of_day(deadline_queries.calendar(session).add_working_days(dhaka_date(now), DUE_SOON_WORKING_DAYS))


@lru_cache(128)
def _counting(actor: Actor, queue: Queue, filters: Filters) -> Select[*tuple[Any, ...]]:
    columns = []
    for tab in TABS:
        found = select(literal(1)).where(*_conditions(actor, queue, tab, filters)).limit(COUNT_CAP + 1)
        columns.append(select(func.count()).select_from(found.subquery()).scalar_subquery().label(tab))
    return select(*columns)


@lru_cache(512)
def _listing(
    actor: Actor, queue: Queue, tab: str, filters: Filters, is_descending: bool, has_cursor: bool
) -> Select[*tuple[Any, ...]]:
    statement = (
        select(*COLUMNS)
        .outerjoin(Officer, Officer.id == Case.assignee_id)
        .where(*_conditions(actor, queue, tab, filters))
        .limit(bindparam("size"))
    )
    if has_cursor:
        key = tuple_(Case.due_at, Case.id)
        place = tuple_(bindparam("at", type_=UtcDateTime), bindparam("row_id"))
        statement = statement.where(key < place if is_descending else key > place)
    if is_descending:
        return statement.order_by(Case.due_at.desc(), Case.id.desc())
    return statement.order_by(Case.due_at, Case.id)


def _conditions(actor: Actor, queue: Queue, tab: str, filters: Filters) -> list[ColumnElement[bool]]:
    # The bare column: only that lets the planner use the indexes over open cases.
    is_open = cast(ColumnElement[bool], Case.is_open)
    at_desk = [Case.office_id == queue.office_id, Case.desk == queue.desk]
    own: list[ColumnElement[bool]]
    match tab:
        case "unassigned":
            own = [*at_desk, is_open, Case.assignee_id.is_(None)]
        case "mine":
            own = [*at_desk, is_open, Case.assignee_id == actor.officer_id]
        case "due_soon":
            own = [*at_desk, is_open, Case.due_at > _NOW, Case.due_at <= _SOON, ~Case.is_paused]
        case "overdue":
            own = [*at_desk, is_overdue(_NOW)]
        case "waiting":
            own = [*at_desk, Case.waiting_until.is_not(None)]
        case "referred_in":
            own = [*at_desk, is_open, Case.referral_state == "offered"]
        case "referred_out":
            own = [
                is_open,
                Case.referred_from_office_id == queue.office_id,
                Case.referred_from_desk == queue.desk,
            ]
        case _:
            own = at_desk
    return [*own, *filters.conditions(), visible_to(actor)]
