"""Figures and the lists behind them, from one set of conditions: a figure cannot differ from its list.

Everything passes through ``visible_to``: what an officer may not open is not counted for that officer either.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true, tuple_, union_all
from sqlalchemy.orm import Session, aliased

from grm.accounts.models import Officer
from grm.cases.models import Case
from grm.cases.queries import is_overdue, visible_to
from grm.deadlines.models import Deadline, Extension
from grm.escalation.models import Escalation
from grm.kernel.actor import Actor
from grm.kernel.clock import DHAKA, dhaka_date
from grm.notifications.climbs import ESCALATED
from grm.notifications.models import DigestItem, Message
from grm.offices.models import Category, Ministry, Office, Place, Programme
from grm.reports.measures import AGE_BANDS, IN_A_PERIOD, Selection, age_band, due_dates, period

PAGE = 50
DIMENSIONS = ("ministry", "level", "programme", "district", "age")
CELL, PROVIDERS = "cell", "providers"


@dataclass(frozen=True, slots=True)
class Figures:
    """One line of the overview."""

    key: str | None
    received: int
    resolved: int
    in_time: int
    extended: int
    late: int
    declined: int
    open: int
    overdue: int
    median_days: float | None
    ninetieth_days: float | None


def conditions(actor: Actor, chosen: Selection, now: datetime) -> ColumnElement[bool]:
    """Return the condition of a figure: visible to the actor, of the measure, in every chosen dimension."""
    today = dhaka_date(now)
    parts: list[ColumnElement[bool]] = [visible_to(actor), _measure(chosen, now)]
    if chosen.measure != "escalated":
        # A part of a case is no grievance of its own; that it is late is the delay of the office that has it.
        parts.append(Case.parent_id.is_(None))
    if chosen.ministry:
        parts.append(_held_by(chosen.ministry))
    if chosen.level:
        parts.append(Case.level == chosen.level)
    if chosen.programme:
        parts.append(
            Case.programme_id.is_(None)
            if chosen.programme == "none"
            else Case.programme_id == select(Programme.id).where(Programme.slug == chosen.programme).scalar_subquery()
        )
    if chosen.category:
        parts.append(Case.category_id == select(Category.id).where(Category.slug == chosen.category).scalar_subquery())
    if chosen.district:
        parts.append(
            Case.district_id.is_(None)
            if chosen.district == "none"
            else Case.district_id == select(Place.id).where(Place.code == chosen.district).scalar_subquery()
        )
    if chosen.age:
        earliest, latest = due_dates(age_band(chosen.age), today)
        parts.append(Case.due_on <= latest)
        if earliest is not None:
            parts.append(Case.due_on >= earliest)
    return and_(*parts)


_HOLDER = case((Office.kind == "provider", PROVIDERS), else_=func.coalesce(Ministry.slug, CELL))
"""Who has the case: a ministry by its slug; the Cabinet Division cell and the payment providers, whose offices belong to no
ministry, are a line each."""


def _held_by(holder: str) -> ColumnElement[bool]:
    if holder == PROVIDERS:
        return Office.kind == "provider"
    if holder == CELL:
        return and_(Office.ministry_id.is_(None), Office.kind != "provider")
    return Office.ministry_id == select(Ministry.id).where(Ministry.slug == holder).scalar_subquery()


def count(session: Session, actor: Actor, chosen: Selection, now: datetime) -> int:
    """Return how many cases a selection holds."""
    return session.execute(
        select(func.count())
        .select_from(Case)
        .join(Office, Office.id == Case.office_id)
        .where(conditions(actor, chosen, now))
    ).scalar_one()


def cases(
    session: Session,
    actor: Actor,
    chosen: Selection,
    now: datetime,
    after: tuple[datetime, int] | None = None,
    limit: int = PAGE,
) -> Sequence[Any]:
    """Return one page of the cases of a selection, oldest due date first; one row more than ``limit`` tells there is more."""
    statement = _listing(actor, chosen, now)
    if after is not None:
        statement = statement.where(or_(Case.due_at > after[0], and_(Case.due_at == after[0], Case.id > after[1])))
    return session.execute(statement.limit(limit + 1)).all()


def all_cases(session: Session, actor: Actor, chosen: Selection, now: datetime) -> Any:
    """Return all cases of a selection as a server-side cursor, for an export in bounded memory."""
    return session.execute(_listing(actor, chosen, now).execution_options(yield_per=1000))


def escalations_by(
    session: Session, actor: Actor, chosen: Selection, now: datetime
) -> dict[str, list[tuple[str | None, int]]]:
    """Return the number of escalated open cases by each dimension, in one statement; under ``total`` their sum."""
    today = dhaka_date(now)
    age = case(
        *[
            (and_(*([Case.due_on >= earliest] if earliest else []), Case.due_on <= latest), band.code)
            for band in AGE_BANDS
            for earliest, latest in [due_dates(band, today)]
        ],
        else_=None,
    )
    rows = (
        select(
            _HOLDER.label("ministry"),
            Case.level.label("level"),
            func.coalesce(Programme.slug, "none").label("programme"),
            func.coalesce(Place.code, "none").label("district"),
            age.label("age"),
        )
        .select_from(Case)
        .join(Office, Office.id == Case.office_id)
        .outerjoin(Ministry, Ministry.id == Office.ministry_id)
        .outerjoin(Programme, Programme.id == Case.programme_id)
        .outerjoin(Place, Place.id == Case.district_id)
        .where(conditions(actor, chosen, now))
        .subquery()
    )
    columns = [rows.c[name] for name in DIMENSIONS]
    grouped = select(func.grouping(*columns), *columns, func.count()).group_by(func.grouping_sets(*columns, tuple_()))
    result: dict[str, list[tuple[str | None, int]]] = {name: [] for name in DIMENSIONS}
    result["total"] = []
    full = (1 << len(DIMENSIONS)) - 1
    for mask, *values, number in session.execute(grouped):
        if mask == full:
            result["total"].append((None, number))
            continue
        position = next(i for i in range(len(DIMENSIONS)) if not mask & (1 << (len(DIMENSIONS) - 1 - i)))
        result[DIMENSIONS[position]].append((None if values[position] is None else str(values[position]), number))
    return result


def ministry_by_level(session: Session, actor: Actor, chosen: Selection, now: datetime) -> dict[tuple[str, int], int]:
    """Return the number of escalated open cases by ministry and level."""
    rows = session.execute(
        select(_HOLDER, Case.level, func.count())
        .select_from(Case)
        .join(Office, Office.id == Case.office_id)
        .outerjoin(Ministry, Ministry.id == Office.ministry_id)
        .where(conditions(actor, chosen, now))
        .group_by(_HOLDER, Case.level)
    )
    return {(ministry, level): number for ministry, level, number in rows}


def gaps(session: Session, actor: Actor) -> Sequence[Any]:
    """Return where the ladder met an empty chair: office, role, how many open cases passed it, since when."""
    return session.execute(
        select(
            Escalation.office_id,
            Escalation.role,
            func.count(func.distinct(Escalation.case_id)).label("cases"),
            func.min(Escalation.escalated_at).label("since"),
        )
        .join(Case, Case.id == Escalation.case_id)
        .where(Escalation.is_vacant, Escalation.withdrawn_at.is_(None), Case.is_open, visible_to(actor))
        .group_by(Escalation.office_id, Escalation.role)
        .order_by(func.count().desc())
    ).all()


def undelivered(session: Session, actor: Actor) -> Sequence[Any]:
    """Return whom notices of late cases did not reach: officer, of which office's rung, how many open cases, since when.

    A notice that came back, was refused or ran out of time; each was passed on, but somebody must mend the address.
    """
    is_lost = and_(
        Message.state.in_(("failed", "expired", "held")),
        func.coalesce(Message.error, "").not_in(("no-longer-needed", "date-moved")),
    )
    columns = (Escalation.case_id, Escalation.office_id, Message.officer_id, Message.ended_at)
    gathered = (
        select(*columns)
        .join(DigestItem, DigestItem.escalation_id == Escalation.id)
        .join(Message, Message.id == DigestItem.message_id)
        .where(is_lost, Escalation.withdrawn_at.is_(None))
    )
    parts = (Escalation.case_id, Escalation.deadline_id, Escalation.epoch, Escalation.level, Message.channel)
    single = (
        select(*columns)
        .join(Message, Message.case_id == Escalation.case_id)
        .where(is_lost, Escalation.withdrawn_at.is_(None), Message.key == func.concat_ws(":", ESCALATED, *parts))
    )
    lost = union_all(gathered, single).subquery()
    return session.execute(
        select(
            lost.c.office_id,
            Officer.name_bn,
            Officer.name_en,
            func.count(func.distinct(lost.c.case_id)).label("cases"),
            func.min(lost.c.ended_at).label("since"),
        )
        .join(Officer, Officer.id == lost.c.officer_id)
        .join(Case, Case.id == lost.c.case_id)
        .where(Case.is_open, visible_to(actor))
        .group_by(lost.c.office_id, Officer.id, Officer.name_bn, Officer.name_en)
        .order_by(func.count(func.distinct(lost.c.case_id)).desc(), Officer.id)
    ).all()


def set_aside(session: Session, actor: Actor) -> Sequence[Any]:
    """Return the clocks that an operator has set aside: they climb no more until somebody has mended them."""
    return session.execute(
        select(Case.tracking_number, Deadline.kind, Deadline.due_on, Deadline.set_aside_at, Deadline.set_aside_why)
        .join(Case, Case.id == Deadline.case_id)
        .where(Deadline.set_aside_at.is_not(None), Deadline.state != "met", visible_to(actor))
        .order_by(Deadline.set_aside_at, Deadline.id)
    ).all()


def figures(session: Session, actor: Actor, chosen: Selection, now: datetime) -> list[Figures]:
    """Return the overview by ministry and, with key None, in total, in one statement."""

    def of(measure: str) -> ColumnElement[bool]:
        return _measure(chosen.with_(measure=measure), now)

    days = func.extract("epoch", Case.ended_at - Case.filed_at) / 86400.0
    scope = conditions(actor, chosen.with_(measure="any"), now)
    statement = (
        select(
            _HOLDER,
            *[func.count().filter(of(measure)) for measure in (*IN_A_PERIOD, "open", "overdue")],
            func.percentile_cont(0.5).within_group(days).filter(of("resolved")),
            func.percentile_cont(0.9).within_group(days).filter(of("resolved")),
        )
        .select_from(Case)
        .join(Office, Office.id == Case.office_id)
        .outerjoin(Ministry, Ministry.id == Office.ministry_id)
        .where(scope, or_(of("received"), of("resolved"), of("declined"), Case.is_open))
        .group_by(func.rollup(_HOLDER))
    )
    return [Figures(*tuple(row)) for row in session.execute(statement)]


_IS_EXTENDED = tuple_(Case.id, Case.main_clock).in_(
    select(Deadline.case_id, Deadline.kind)
    .join(Extension, Extension.deadline_id == Deadline.id)
    .where(Extension.state == "approved")
)
"""Cases whose limit was extended. A list that PostgreSQL makes once, for extensions are few."""


def _measure(chosen: Selection, now: datetime) -> ColumnElement[bool]:
    """The condition of each measure. "In time" means ended before the due instant; a missed clock stays missed. What was in
    time only because its limit had been extended is counted apart, as "extended"."""
    span = period(chosen.period, dhaka_date(now))
    starts_at = datetime.combine(span.starts_on, time(), DHAKA)
    ends_at = datetime.combine(span.ends_on, time(), DHAKA)
    is_resolved = and_(Case.status.in_(("resolved", "closed")), Case.ended_at >= starts_at, Case.ended_at < ends_at)
    table: dict[str, ColumnElement[bool]] = {
        "any": true(),
        "escalated": and_(Case.is_open, Case.level > 0),
        "received": and_(Case.filed_at >= starts_at, Case.filed_at < ends_at),
        "resolved": is_resolved,
        "in_time": and_(is_resolved, Case.ended_at < Case.due_at, ~_IS_EXTENDED),
        "extended": and_(is_resolved, Case.ended_at < Case.due_at, _IS_EXTENDED),
        "late": and_(is_resolved, Case.ended_at >= Case.due_at),
        "declined": and_(Case.status == "declined", Case.ended_at >= starts_at, Case.ended_at < ends_at),
        "open": Case.is_open.is_(true()),
        "overdue": is_overdue(now),
        "not_informed": cast(ColumnElement[bool], Case.is_not_informed),
    }
    return table[chosen.measure]


def _listing(actor: Actor, chosen: Selection, now: datetime) -> Select[*tuple[Any, ...]]:
    holder = aliased(Officer)
    return (
        select(
            Case.id,
            Case.tracking_number,
            Case.status,
            Case.level,
            Case.due_on,
            Case.due_at,
            Case.is_paused,
            Case.filed_at,
            Case.ended_at,
            Case.is_sensitive,
            Case.office_id,
            Case.programme_id,
            Case.category_id,
            Case.district_id,
            holder.name_bn.label("holder_bn"),
            holder.name_en.label("holder_en"),
        )
        .join(Office, Office.id == Case.office_id)
        .outerjoin(holder, holder.id == Case.assignee_id)
        .where(conditions(actor, chosen, now))
        .order_by(Case.due_at, Case.id)
    )


def days_overdue(due_on: date, today: date) -> int:
    """Return the whole calendar days since the due date; 0 on it and before."""
    return max(0, (today - due_on).days)
