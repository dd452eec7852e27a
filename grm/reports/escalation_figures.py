"""The figures of the escalation report: what is open above level 0, by who has it, how long, for what, where; and what will be.

Three statements read the tallies, by office, programme and district, however many cases there are. Only the names of who has the
cases come from the ledger, and only up to `NAMED` cases: beyond, an office is chosen first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.models import Case
from grm.deadlines import queries as deadline_queries
from grm.kernel.actor import Actor
from grm.kernel.clock import dhaka_date
from grm.offices.directory import Directory
from grm.reports import lists
from grm.reports.dimensions import grouped, view_of
from grm.reports.escalation_forecast import HORIZONS, Outlook, outlook, pace_of
from grm.reports.measures import AGE_BANDS, LEVELS, Selection, figure
from grm.tallies.figures import TOTAL, Line
from grm.tallies.periods import Period, period
from grm.tallies.reading import read
from grm.tallies.scope import Scope

NAMED = 5_000
"""Up to so many cases the officers who have them are named."""
MOST_HOLDERS = 50
FILTERS = ("ministry", "programme", "district")
PACE_PERIOD = "last_3_months"


@dataclass(frozen=True, slots=True)
class Row:
    """One value of a dimension: its cases at levels 1, 2 and 3, by age (in the order of the bands), and together."""

    code: str
    levels: tuple[int, int, int]
    ages: tuple[int, ...]
    number: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is about to be late at one office."""

    office_id: int
    outlook: Outlook


@dataclass(frozen=True, slots=True)
class Holder:
    """An officer, or the desk of an office where nobody has taken them (`officer_id` None), and how many late cases lie there."""

    office_id: int
    officer_id: int | None
    name_bn: str
    name_en: str
    number: int
    due_on: date
    """The due date of the one that is late longest."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the report shows. A dimension is None where cases are not counted by it for this choice."""

    total: Row | None
    open: int
    overdue: int
    ministries: tuple[Row, ...] | None
    programmes: tuple[Row, ...] | None
    districts: tuple[Row, ...] | None
    ahead: tuple[Ahead, ...] | None
    """Offices where something falls due soon, those with the most that cannot be done first; None: not told for this choice."""
    ahead_total: tuple[Mapping[int, int], Mapping[int, int]]
    """Of all of them together: how many fall due, and how many cannot be done, within each horizon."""
    pace_since: date
    office_ids: tuple[int, ...] | None
    """The offices where the cases lie, so that a list of them is read by an index of each; None: not known."""


def figures(session: Session, actor: Actor, book: Directory, scope: Scope, chosen: Selection, now: datetime) -> Figures:
    """Read the figures of a choice: a level, an age, and values of `FILTERS`; of these no more than two can be told at once."""
    today = dhaka_date(now)
    span = period(PACE_PERIOD, today)
    kept = {name: value for name, value in chosen.filters.items() if name in FILTERS}

    def lines(by: str) -> dict[str, Line] | None:
        # How fast they work is told of offices only; of the others just what is open is read.
        view = view_of(book, scope, span if by == "ministry" else replace(span, starts_on=span.ends_on), kept, by)
        return None if view is None else read(session, replace(view, excluding=actor))

    def rows(by: str, found: dict[str, Line] | None) -> tuple[Row, ...] | None:
        if found is None:
            return None
        made = (_row(code, line, chosen, today) for code, line in grouped(book, by, found).items())
        return tuple(sorted((row for row in made if row.number), key=lambda row: -row.number))

    by_office, by_programme, by_district = (lines(name) for name in FILTERS)
    known = next((found for found in (by_office, by_programme, by_district) if found is not None), None)
    if known is None and (view := view_of(book, scope, span, kept)) is not None:
        known = read(session, replace(view, excluding=actor))
    total = known[TOTAL] if known is not None else Line()
    tells = by_office is not None and not kept.keys() & {"programme", "district"}
    ahead = _ahead(session, by_office, span, today) if tells and by_office is not None else None
    return Figures(
        total=_row("", total, chosen, today) if known is not None else None,
        open=total.open,
        overdue=total.overdue(today),
        ministries=rows("ministry", by_office),
        programmes=rows("programme", by_programme),
        districts=rows("district", by_district),
        ahead=ahead,
        ahead_total=(_sums(ahead or (), lambda each: each.due), _sums(ahead or (), lambda each: each.late)),
        pace_since=span.starts_on,
        office_ids=_offices(by_office, chosen, today),
    )


def holders(
    session: Session, actor: Actor, book: Directory, scope: Scope, chosen: Selection, now: datetime
) -> tuple[Holder, ...]:
    """Who has the late cases of a choice, those with the most first (one statement over the cases themselves)."""
    number = func.count()
    rows = session.execute(
        select(Case.office_id, Case.assignee_id, Officer.name_bn, Officer.name_en, number, func.min(Case.due_on))
        .outerjoin(Officer, Officer.id == Case.assignee_id)
        .where(lists.conditions(actor, book, scope, chosen, now))
        .group_by(Case.office_id, Case.assignee_id, Officer.name_bn, Officer.name_en)
        .order_by(number.desc(), func.min(Case.due_on), Case.office_id, Case.assignee_id)
        .limit(MOST_HOLDERS)
    )
    return tuple(Holder(row[0], row[1], row[2] or "", row[3] or "", row[4], row[5]) for row in rows)


def _row(code: str, line: Line, chosen: Selection, today: date) -> Row:
    """The cases of a line at each level and age, as far as the choice keeps to a level or an age; each as its list counts it."""

    by_level, by_age = line.escalated_by_level, line.escalated_by_age(today, AGE_BANDS)

    def number(level: int | None = chosen.level, age: str | None = chosen.age) -> int:
        if chosen.level not in (None, level) or chosen.age not in (None, age):
            return 0
        if age:
            return sum(by_age.get((each, age), 0) for each in LEVELS if level in (None, each))
        return by_level[level - 1] if level else sum(by_level)

    levels = tuple(number(level=level) for level in LEVELS)
    ages = tuple(number(age=band.code) for band in AGE_BANDS)
    return Row(code, (levels[0], levels[1], levels[2]), ages, number())


def _offices(by_office: Mapping[str, Line] | None, chosen: Selection, today: date) -> tuple[int, ...] | None:
    if by_office is None:
        return None
    kept = Selection(level=chosen.level, age=chosen.age)
    return tuple(int(key) for key, line in by_office.items() if key != TOTAL and figure(line, kept, today))


def _ahead(session: Session, by_office: Mapping[str, Line], span: Period, today: date) -> tuple[Ahead, ...]:
    calendar = deadline_queries.calendar(session)
    days = calendar.working_days_between(_day_before(span.starts_on), today)
    found = (
        Ahead(int(key), outlook(line.due, pace_of(line, days), today, calendar.is_working_day))
        for key, line in by_office.items()
        if key != TOTAL
    )
    longest = HORIZONS[-1]
    due = (each for each in found if each.outlook.due[longest])
    return tuple(sorted(due, key=lambda each: (-each.outlook.late[longest], -each.outlook.due[longest])))


def _day_before(on: date) -> date:
    return date.fromordinal(on.toordinal() - 1)


def _sums(ahead: tuple[Ahead, ...], which: Callable[[Outlook], Mapping[int, int]]) -> dict[int, int]:
    return {days: sum(which(each.outlook)[days] for each in ahead) for days in HORIZONS}
