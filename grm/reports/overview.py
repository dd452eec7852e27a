"""The overview: figures over all of a scope, against the period before, and a line for each value of a dimension.

Two statements read the tallies, however many cases there are; the directory and the beneficiary numbers come from caches.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from grm.kernel.actor import Actor
from grm.kernel.clock import dhaka_date
from grm.offices.directory import Directory
from grm.offices.queries import StaffedPost, vacant_posts
from grm.reports.beneficiaries import Numbers, numbers_for
from grm.reports.dimensions import (
    BASE,
    GROUPED_OFFICES,
    Asked,
    grouped,
    in_force_on,
    keys_of,
    may_meet,
    single_offices,
    values_of,
    view_of,
)
from grm.reports.measures import FILTERS
from grm.tallies.figures import NONE, TOTAL, Line, total
from grm.tallies.periods import Period, fiscal_year, period, previous
from grm.tallies.reading import read, series
from grm.tallies.scope import Scope

TREND_MONTHS = 12
NEXT = ("programme", "district", "ministry", "category", "sex")
"""By what a value is looked at when it is opened: the first that may meet it."""
IN_ORDER = ("channel", "stage", "sex", "age_group", "disability", "area")
"""The dimensions whose values have an order of their own; the others come with the most overdue first."""


@dataclass(frozen=True, slots=True)
class Row:
    """One value of the dimension. ``people`` are those its programmes serve; ``vacant`` posts of its offices; None: not known."""

    code: str
    line: Line
    people: int | None
    vacant: int | None


@dataclass(frozen=True, slots=True)
class Silent:
    """A value from which nothing came in the period, and how many people it serves (None: not known)."""

    code: str
    people: int | None


@dataclass(frozen=True, slots=True)
class Overview:
    """What the page shows."""

    asked: Asked
    span: Period
    before: Period
    total: Line
    previous: Line
    rows: tuple[Row, ...]
    silent: tuple[Silent, ...]
    months: tuple[tuple[date, Line], ...]
    people: int | None
    people_year: str | None
    vacancies: tuple[StaffedPost, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing at all to show."""
        return says_nothing(self.total)


def says_nothing(line: Line) -> bool:
    """Whether a line is of zeros only: neither did anything happen in the period, nor is anything open."""
    ended = line.resolved + line.declined + line.withdrawn
    judged = line.appealed + line.appeals_upheld + line.appeals_rejected
    return not (line.received or ended or line.open or line.parts or line.not_informed or judged or line.rated)


def asked_from(book: Directory, scope: Scope, values: Mapping[str, str]) -> Asked:
    """Return what an address asks for; what means nothing or cannot be counted together gives way, never an error page."""
    dimension, _, value = values.get("only", "").partition(":")
    only = (dimension, value) if dimension in FILTERS and keys_of(book, dimension, value) else None
    by = values.get("by", "")
    fallback = default_by(scope, only[0] if only else None)
    return Asked(scope, by if by in FILTERS and may_meet(scope, by, only[0] if only else None) else fallback, only)


def default_by(scope: Scope, only: str | None) -> str:
    """Return by what is looked at first: ministries where there are several, else programmes."""
    if only is None and (scope.ids is None or (scope.spine == "office" and len(scope.ids) > 1)):
        return "ministry"
    return next((each for each in (*NEXT, *FILTERS) if each != only and may_meet(scope, each, only)), FILTERS[0])


def overview(
    session: Session, actor: Actor, book: Directory, asked: Asked, period_code: str, now: datetime
) -> Overview:
    """Read the overview of a scope."""
    today = dhaka_date(now)
    span = period(period_code, today)
    before = previous(span)
    filters = dict([asked.only]) if asked.only else {}
    view = view_of(book, asked.scope, span, filters, asked.by)
    plain = view_of(book, asked.scope, span, filters)
    assert view is not None and plain is not None  # `asked_from` lets nothing else through
    lines = read(session, replace(view, excluding=actor))
    first = min(before.starts_on, _months_before(span.ends_on, TREND_MONTHS))
    by_month = series(session, replace(plain, since=first, until=span.ends_on, excluding=actor)).get(TOTAL, {})
    trend_first = _months_before(span.ends_on, TREND_MONTHS)
    trend = Period("trend", trend_first, span.ends_on)
    numbers = numbers_for(session, fiscal_year(min(span.last_day, today)))
    vacancies = _vacancies(session, book, asked, today)
    shown = _shown(book, asked, lines)
    return Overview(
        asked=asked,
        span=span,
        before=before,
        total=lines[TOTAL],
        previous=total(line for month, line in by_month.items() if before.holds(month)),
        rows=_rows(book, asked, shown, numbers, vacancies, today),
        silent=_silent(book, asked, shown, numbers, today),
        months=tuple((month, by_month.get(month, Line())) for month in trend.months),
        people=_people(book, asked.scope, filters, numbers),
        people_year=numbers.fiscal_year if numbers else None,
        vacancies=vacancies,
    )


def _shown(book: Directory, asked: Asked, lines: Mapping[str, Line]) -> dict[str, Line]:
    if asked.only and asked.by == asked.only[0] == "ministry" and asked.only[1] in GROUPED_OFFICES.values():
        return single_offices(book, asked.only[1], lines)
    return grouped(book, asked.by, lines)


def _rows(
    book: Directory,
    asked: Asked,
    shown: Mapping[str, Line],
    numbers: Numbers | None,
    vacancies: Sequence[StaffedPost],
    today: date,
) -> tuple[Row, ...]:
    empty = Counter(post.office_id for post in vacancies)
    filters = dict([asked.only]) if asked.only else {}
    rows = [
        Row(
            code,
            line,
            _people(book, asked.scope, {**filters, asked.by: code}, numbers),
            sum(empty[int(key)] for key in keys_of(book, asked.by, code)) if BASE[asked.by] == "office" else None,
        )
        for code, line in shown.items()
    ]
    if asked.by in IN_ORDER:
        return tuple(rows)
    return tuple(sorted(rows, key=lambda row: (row.code == NONE, -row.line.overdue(today), -row.line.open)))


def _silent(
    book: Directory, asked: Asked, shown: Mapping[str, Line], numbers: Numbers | None, today: date
) -> tuple[Silent, ...]:
    """Whom nothing came from: a finding, not good news. Those who serve the most people first."""
    if asked.only and asked.only[0] not in ("cluster", "division", "stage", "ministry"):
        return ()
    inside = _inside(book, asked)
    filters = dict([asked.only]) if asked.only else {}
    found = [
        Silent(code, _people(book, asked.scope, {**filters, asked.by: code}, numbers))
        for code in in_force_on(book, asked.by, today)
        if (inside is None or code in inside) and not (code in shown and shown[code].received)
    ]
    return tuple(sorted(found, key=lambda each: -(each.people or 0)))


def _inside(book: Directory, asked: Asked) -> Collection[str] | None:
    """The values of the dimension that could have had complaints within the scope; None: all of them."""
    offices = _offices(book, asked)
    if asked.by == "programme":
        if asked.only and asked.only[0] == "stage":
            kept = set(keys_of(book, "stage", asked.only[1]))
            return {each.slug for each in book.programmes if str(each.id) in kept}
        if offices is None:
            return None
        return {each.slug for each in book.programmes if book.ministry(each.ministry_id).office_id in offices}
    if asked.by == "ministry":
        if offices is None:
            return None
        return {each.slug for each in book.ministries if each.office_id in offices}
    if asked.by == "district" and asked.scope.spine == "district" and asked.scope.ids is not None:
        return {each.code for each in book.districts if each.id in asked.scope.ids}
    if asked.by == "district" and asked.only and asked.only[0] == "division":
        kept = set(keys_of(book, "division", asked.only[1]))
        return {each.code for each in book.districts if str(each.id) in kept}
    return None


def _offices(book: Directory, asked: Asked) -> Collection[int] | None:
    """The offices within the scope and the filter; None: all."""
    kept = asked.scope.ids if asked.scope.spine == "office" else None
    if asked.only and BASE[asked.only[0]] == "office":
        narrowed = frozenset(int(key) for key in keys_of(book, *asked.only))
        return narrowed if kept is None else kept & narrowed
    return kept


def _people(book: Directory, scope: Scope, filters: Mapping[str, str], numbers: Numbers | None) -> int | None:
    """The people whom the programmes of a selection serve; None where nobody knows, or where people cannot be told apart so."""
    if numbers is None or not set(filters) <= {"ministry", "cluster", "programme", "stage", "district", "division"}:
        return None
    programmes: frozenset[int] | None = None
    districts: frozenset[int] | None = None
    offices = scope.ids if scope.spine == "office" else None
    if scope.spine == "district":
        districts = scope.ids
    for dimension, value in filters.items():
        ids = frozenset(int(key) for key in keys_of(book, dimension, value) if key != NONE)
        base = BASE[dimension]
        if base == "office":
            offices = ids if offices is None else offices & ids
        elif base == "programme":
            programmes = ids if programmes is None else programmes & ids
        else:
            districts = ids if districts is None else districts & ids
    if offices is not None:
        theirs = frozenset(each.id for each in book.programmes if book.ministry(each.ministry_id).office_id in offices)
        programmes = theirs if programmes is None else programmes & theirs
    return numbers.of(programmes, districts)


def _vacancies(session: Session, book: Directory, asked: Asked, today: date) -> tuple[StaffedPost, ...]:
    """The posts that nobody holds as a regular, at the offices of the scope; a district's figures have none of their own."""
    if asked.scope.spine == "district":
        return ()
    offices = _offices(book, asked)
    return tuple(post for post in vacant_posts(session, today) if offices is None or post.office_id in offices)


def _months_before(month: date, count: int) -> date:
    number = month.year * 12 + month.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)


def next_by(asked: Asked) -> str | None:
    """Return by what a row of the page is looked at when it is opened; None: there is nothing to open."""
    if asked.by == "cluster":
        return "ministry" if may_meet(asked.scope, "ministry", "cluster") else None
    if asked.by == "division":
        return "district" if may_meet(asked.scope, "district", "division") else None
    return next((each for each in NEXT if each != asked.by and may_meet(asked.scope, each, asked.by)), None)


def only_choices(book: Directory, asked: Asked) -> tuple[str, ...]:
    """Return the dimensions to whose values the page may be kept, beside the one it is broken down by."""
    is_one_office = asked.scope.spine == "office" and asked.scope.ids is not None and len(asked.scope.ids) == 1
    return tuple(
        each
        for each in FILTERS
        if (each != asked.by or each == "ministry")
        and may_meet(asked.scope, asked.by, each)
        and not (is_one_office and BASE[each] == "office")
        and len(values_of(book, each)) > 1
    )
