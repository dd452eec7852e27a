"""The cases behind a figure: the same condition in SQL, one page of them at a time by an index, or all as a stream.

A list is what the actor may see (`visible_to`), within the scope, of the measure: so it is as long as its figure. It is read from
the ledger, not from the tallies; only who appealed and who gave stars when is found through the tallies' row of each case, and is
read anew for cases that are not folded yet.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, Literal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    and_,
    cast,
    column,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
    tuple_,
)
from sqlalchemy.orm import Session, aliased

from grm.accounts.models import Officer
from grm.cases.models import Case, Complainant
from grm.cases.queries import is_overdue, visible_to
from grm.deadlines.models import Deadline, Extension
from grm.kernel.actor import Actor
from grm.kernel.clock import DHAKA, dhaka_date
from grm.offices.directory import Directory
from grm.offices.models import Place
from grm.reports.dimensions import BASE, keys_of, view_of
from grm.reports.measures import (
    AS_OF_NOW,
    ENDED,
    Selection,
    age_band,
    due_dates,
    due_within,
    figure,
    span_of,
)
from grm.tallies import reading
from grm.tallies.figures import NONE, TOTAL
from grm.tallies.reading import read
from grm.tallies.scope import DESK_OPEN, OTHER_OPEN, SENSITIVE, Scope
from grm.tallies.vectors import RESULTS, vectors

PAGE = 50
SORT_LIMIT = 10_000
"""Up to so many cases any order may be asked for; beyond, only the one that an index has."""
SORTS = ("received", "due", "ended", "level")
Sort = Literal["received", "due", "ended", "level"]
_BY_VECTOR = {
    "appealed": "appealed_on",
    "upheld": "appeal_decided_on",
    "rejected": "appeal_decided_on",
    "rated": "rated_on",
    "satisfied": "rated_on",
}
"""The measures that the case's own row does not tell, with the day that counts."""


@dataclass(frozen=True, slots=True)
class Order:
    """In which order a list comes."""

    sort: Sort
    is_latest_first: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """The last case of a page: its value of the order, and its id."""

    value: date | datetime | int
    case_id: int


@dataclass(frozen=True, slots=True)
class Found:
    """How many cases a selection holds, and at which offices they lie (None: not known)."""

    number: int
    office_ids: tuple[int, ...] | None


def natural(chosen: Selection) -> Order:
    """Return the order that an index has for a measure: what is open by its due date, what ended and came in the latest first."""
    if chosen.measure in ENDED:
        return Order("ended", is_latest_first=True)
    if chosen.measure == "received" or chosen.measure in _BY_VECTOR:
        return Order("received", is_latest_first=True)
    return Order("due")


def sorts(chosen: Selection, number: int) -> tuple[Sort, ...]:
    """Return the orders that may be asked for."""
    if number > SORT_LIMIT:
        return (natural(chosen).sort,)
    if chosen.measure in ENDED:
        return ("received", "due", "ended")
    return ("received", "due", "level")


def find(session: Session, actor: Actor, book: Directory, scope: Scope, chosen: Selection, now: datetime) -> Found:
    """Return the figure of a selection: from the tallies where they tell, counted out where they do not."""
    today = dhaka_date(now)
    view = view_of(book, scope, span_of(chosen, today), chosen.filters, "ministry") if not chosen.since else None
    if view is not None:
        lines = read(session, replace(view, excluding=actor))
        number = figure(lines[TOTAL], chosen, today)
        if number is not None:
            at = [key for key, line in lines.items() if key != TOTAL and figure(line, chosen, today)]
            return Found(number, tuple(int(key) for key in at))
    view = view_of(book, scope, span_of(chosen, today), chosen.filters) if not chosen.since else None
    if view is not None:
        number = figure(read(session, replace(view, excluding=actor))[TOTAL], chosen, today)
        if number is not None:
            return Found(number, None)
    return Found(count(session, actor, book, scope, chosen, now), None)


def count(session: Session, actor: Actor, book: Directory, scope: Scope, chosen: Selection, now: datetime) -> int:
    """Count the cases of a selection one by one."""
    statement = select(func.count()).select_from(_source(book, chosen, now))
    return session.execute(statement.where(conditions(actor, book, scope, chosen, now))).scalar_one()


def page(
    session: Session,
    actor: Actor,
    book: Directory,
    scope: Scope,
    chosen: Selection,
    now: datetime,
    order: Order,
    after: Mark | None = None,
    office_ids: Collection[int] | None = None,
    number: int = 0,
    limit: int = PAGE,
) -> Sequence[Any]:
    """Return one page of the cases of a selection; one row more than `limit` tells that there is more.

    `office_ids` (`Found`) are the offices where there are any, None: not known; `number` is how many there are in all. Both
    only help to find them quickly.
    """
    condition = conditions(actor, book, scope, chosen, now)
    key = _key(order.sort)
    if after is not None:
        mark = tuple_(literal(after.value), literal(after.case_id))
        here = tuple_(key, Case.id)
        condition = and_(condition, here < mark if order.is_latest_first else here > mark)
    size = limit + 1
    is_natural = order == replace(natural(chosen), is_latest_first=order.is_latest_first)
    is_few = number <= SORT_LIMIT
    is_counted = is_few and _by_counted(book, chosen, dhaka_date(now)) is not None
    stretches = _stretches(book, chosen, office_ids) if is_natural and not is_counted else None
    if stretches is not None:
        ids = _merged(stretches, order, condition, size)
    else:
        source = select(Case.id.label("id"), key.label("key"))
        source = source.select_from(_source(book, chosen, now, is_few=is_few)).where(condition)
        ids = _ordered(source, key, Case.id, order).limit(size)
    chosen_ids = ids.subquery("page")
    statement = _columns().join(chosen_ids, chosen_ids.c.id == Case.id)
    return session.execute(_ordered(statement, key, Case.id, order)).all()


def all_rows(
    session: Session,
    actor: Actor,
    book: Directory,
    scope: Scope,
    chosen: Selection,
    now: datetime,
    order: Order | None = None,
) -> Any:
    """Return all cases of a selection as a server-side cursor, for an export in bounded memory."""
    in_order = order or natural(chosen)
    wanted = select(Case.id).select_from(_source(book, chosen, now)).where(conditions(actor, book, scope, chosen, now))
    statement = _ordered(_columns().where(Case.id.in_(wanted)), _key(in_order.sort), Case.id, in_order)
    return session.execute(statement.execution_options(yield_per=1000))


def conditions(actor: Actor, book: Directory, scope: Scope, chosen: Selection, now: datetime) -> ColumnElement[bool]:
    """Return the condition of a figure on `Case` (and on the vector, where the measure needs it)."""
    today = dhaka_date(now)
    parts: list[ColumnElement[bool]] = [visible_to(actor), _within(scope), _measure(chosen, now)]
    if chosen.measure != "escalated":
        # A part of a case is no grievance of its own; that it is late is the delay of the office that has it.
        parts.append(Case.parent_id.is_(None))
    parts += [_narrowed(name, keys_of(book, name, value)) for name, value in chosen.filters.items()]
    if chosen.level:
        parts.append(Case.level == chosen.level)
    if chosen.holder:
        is_free = chosen.holder == "none"
        parts.append(Case.assignee_id.is_(None) if is_free else Case.assignee_id == int(chosen.holder))
    if chosen.age:
        earliest, latest = due_dates(age_band(chosen.age), today)
        parts.append(Case.due_on <= latest)
        if earliest is not None:
            parts.append(Case.due_on >= earliest)
    return and_(*parts)


def _stretches(
    book: Directory, chosen: Selection, office_ids: Collection[int] | None
) -> tuple[Any, Collection[int]] | None:
    """The column by whose values an index has a list in its own order, with those where there are any; None: none has."""
    if chosen.measure in _BY_VECTOR:
        return None
    districts = [
        int(key)
        for name in ("district", "division")
        if (value := getattr(chosen, name))
        for key in keys_of(book, name, value)
        if key != NONE
    ]
    if districts and natural(chosen).sort != "due":
        return Case.district_id, districts
    return None if office_ids is None else (Case.office_id, office_ids)


def _merged(
    stretches: tuple[Any, Collection[int]], order: Order, condition: ColumnElement[bool], size: int
) -> Select[*tuple[Any, ...]]:
    """The first ids of each office or district, merged: an index of each in this order, and no more of it than a page."""
    key = _key(order.sort)
    place, ids = stretches
    at = (
        func.unnest(cast(literal(sorted(ids), ARRAY(BigInteger)), ARRAY(BigInteger)))
        .table_valued(column("place_id", BigInteger), name="at")
        .render_derived()
    )
    inner = select(Case.id.label("id"), key.label("key"))
    where = [condition, place == at.c.place_id]
    source: Any = at
    if order.sort == "due":  # the queues' index is by desk
        desks = (
            func.unnest(literal(["gro", "appeal", "cell"], ARRAY(Case.desk.type)))
            .table_valued(column("desk", Case.desk.type), name="desks")
            .render_derived()
        )
        where.append(Case.desk == desks.c.desk)
        source = at.join(desks, true())
    firsts = _ordered(inner.where(*where), key, Case.id, order).limit(size).lateral("firsts")
    merged = select(firsts.c.id).select_from(source.join(firsts, true()))
    return _ordered(merged, firsts.c.key, firsts.c.id, order).limit(size)


def _ordered(statement: Select[*tuple[Any, ...]], key: Any, case_id: Any, order: Order) -> Select[*tuple[Any, ...]]:
    """In order; what has no value of it (not ended yet) has none to compare and is not in such a list."""
    if order.is_latest_first:
        return statement.order_by(key.desc(), case_id.desc())
    return statement.order_by(key, case_id)


def _key(sort: Sort) -> Any:
    return {"received": Case.received_on, "due": Case.due_at, "ended": Case.ended_at, "level": Case.level}[sort]


def _within(scope: Scope) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = []
    if scope.ids is not None:
        parts.append((Case.office_id if scope.spine == "office" else Case.district_id).in_(sorted(scope.ids)))
    if SENSITIVE not in scope.shades:
        parts.append(~Case.is_sensitive)
    if scope.shades == {DESK_OPEN}:
        parts.append(Case.desk == "gro")
    elif OTHER_OPEN not in scope.shades:
        return false()
    return and_(true(), *parts)


def _narrowed(dimension: str, keys: Sequence[str]) -> ColumnElement[bool]:
    """The condition of one value of a dimension; a value that means nothing holds nothing."""
    if not keys:
        return false()
    base = BASE[dimension]
    columns: dict[str, Any] = {
        "office": Case.office_id,
        "district": Case.district_id,
        "programme": Case.programme_id,
        "category": Case.category_id,
    }
    if base in columns:
        ids = [int(key) for key in keys if key != NONE]
        found = columns[base] == ids[0] if len(ids) == 1 else columns[base].in_(ids)
        return or_(found, columns[base].is_(None)) if NONE in keys and base != "office" else found
    if base == "channel":
        return Case.channel.in_(_CHANNELS[keys[0]])
    if base == "area":
        kind = {"urban": "city_corporation", "rural": "upazila"}.get(keys[0])
        is_of = exists().where(Place.id == Case.upazila_id, Place.kind == kind)
        return is_of if kind else Case.upazila_id.is_(None)
    of_person = (
        select(getattr(Complainant, base))
        .where(Complainant.case_id == Case.id, Complainant.role == "complainant")
        .order_by(Complainant.id)
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(of_person, "unknown") == keys[0]


_CHANNELS = {
    "web": ("web",),
    "333": ("call_centre",),
    "conventional": ("assisted", "paper", "letter", "email"),
    "suo_motu": ("suo_motu",),
    "unknown": (),
}

_IS_EXTENDED = (
    select(Deadline.id)
    .join(Extension, Extension.deadline_id == Deadline.id)
    .where(Deadline.case_id == Case.id, Deadline.kind == Case.main_clock, Extension.state == "approved")
    .correlate(Case)
    .exists()
)


def _measure(chosen: Selection, now: datetime) -> ColumnElement[bool]:
    """The condition of each measure. "In time" means ended before the due instant; a missed clock stays missed. What was in
    time only because its limit had been extended is counted apart, as "extended"."""
    today = dhaka_date(now)
    span = span_of(chosen, today)
    measure = chosen.measure
    if measure in _BY_VECTOR:
        return _by_vector(chosen, today)
    if measure == "received":
        return and_(Case.received_on >= span.starts_on, Case.received_on < span.ends_on)
    if measure in ENDED:
        starts_at, ends_at = (datetime.combine(day, time(), DHAKA) for day in (span.starts_on, span.ends_on))
        in_span = and_(Case.ended_at >= starts_at, Case.ended_at < ends_at)
        is_resolved = and_(Case.status.in_(("resolved", "closed")), in_span)
        return {
            "resolved": is_resolved,
            "in_time": and_(is_resolved, Case.ended_at < Case.due_at, ~_IS_EXTENDED),
            "extended": and_(is_resolved, Case.ended_at < Case.due_at, _IS_EXTENDED),
            "late": and_(is_resolved, Case.ended_at >= Case.due_at),
            "declined": and_(Case.status == "declined", in_span),
            "withdrawn": and_(Case.status == "withdrawn", in_span),
        }[measure]
    if between := due_within(measure, today):
        return and_(Case.is_open, ~Case.is_paused, Case.due_on.between(*between))
    if measure == "escalated":
        return and_(Case.is_open, Case.level > 0)
    if measure == "overdue":
        return is_overdue(now)
    if measure == "paused":
        return and_(Case.is_open, Case.is_paused)
    return and_(Case.is_not_informed) if measure == "not_informed" else and_(Case.is_open)


def _by_vector(chosen: Selection, today: date) -> ColumnElement[bool]:
    span = span_of(chosen, today)
    day: ColumnElement[date] = column(_BY_VECTOR[chosen.measure])
    parts: list[ColumnElement[bool]] = [day >= span.starts_on, day < span.ends_on]
    if chosen.measure in ("upheld", "rejected"):
        parts.append(column("appeal_result") == RESULTS.index(chosen.measure))
    if chosen.measure == "satisfied":
        parts.append(column("stars") >= 4)
    if chosen.stars:
        parts.append(column("stars") == chosen.stars)
    return and_(*parts)


def _source(book: Directory, chosen: Selection, now: datetime, *, is_few: bool = False) -> Any:
    """What a list is read from: the cases; joined with their vectors where the measure is told by those, or (`is_few`) where
    an index of the vectors finds what no index of the cases does: a programme's, and what is open in a district."""
    day = _BY_VECTOR.get(chosen.measure)
    if day is not None:
        span = span_of(chosen, dhaka_date(now))
        between = {"counted_from": span.starts_on, "counted_until": span.ends_on}
        return _joined(_counted(f"{day} >= :counted_from AND {day} < :counted_until"), between)
    where = _by_counted(book, chosen, dhaka_date(now)) if is_few else None
    return Case if where is None else _joined(*where)


def _by_counted(book: Directory, chosen: Selection, today: date) -> tuple[str, dict[str, Any]] | None:
    """The vectors of a few cases, through their indexes; None where the cases have the better one."""
    found = {
        BASE[name]: [int(key) for key in keys_of(book, name, value) if key != NONE]
        for name, value in chosen.filters.items()
        if BASE[name] in ("district", "programme")
    }
    if chosen.measure in AS_OF_NOW:
        for place in ("district", "programme"):
            if found.get(place) and chosen.measure != "not_informed":
                return _counted(f"state = 0 AND {place}_id = ANY(:counted_ids)"), {"counted_ids": found[place]}
        return None
    if not found.get("programme") or "district" in found:
        return None
    span = span_of(chosen, today)
    day = "received_on" if chosen.measure == "received" else "ended_on"
    values = {"counted_ids": found["programme"], "counted_from": span.starts_on, "counted_until": span.ends_on}
    return _counted(f"programme_id = ANY(:counted_ids) AND {day} >= :counted_from AND {day} < :counted_until"), values


@lru_cache(32)
def _counted(where: str) -> str:
    """The vectors for which a condition holds, exact to the last act: as counted, or as they are for what is not folded yet."""
    due = reading.DUE
    return f"""
        SELECT case_id AS vector_id, {_NAMES} FROM case_count AS k
        WHERE {where} AND k.case_id <> ALL(ARRAY({due}))
        UNION ALL
        SELECT case_id, {_NAMES} FROM ({vectors(f"c.id = ANY(ARRAY({due}))")}) AS f WHERE {where}"""  # noqa: S608 - our own


def _joined(counted: str, values: Mapping[str, Any]) -> Any:
    """The cases of some vectors."""
    told = text(counted).bindparams(**values, most_due=reading.MOST_DUE)
    vector = told.columns(column("vector_id", BigInteger), *map(column, _NAMES.split(", "))).subquery("vector")
    return vector.join(Case, Case.id == vector.c.vector_id)


_NAMES = "appealed_on, appeal_result, appeal_decided_on, rated_on, stars"


def _columns() -> Select[*tuple[Any, ...]]:
    holder = aliased(Officer)
    return select(
        Case.id,
        Case.tracking_number,
        Case.version,
        Case.status,
        Case.level,
        Case.due_on,
        Case.due_at,
        Case.is_paused,
        Case.received_on,
        Case.ended_at,
        Case.is_sensitive,
        Case.parent_id,
        Case.office_id,
        Case.programme_id,
        Case.category_id,
        Case.district_id,
        holder.name_bn.label("holder_bn"),
        holder.name_en.label("holder_en"),
    ).outerjoin(holder, holder.id == Case.assignee_id)
