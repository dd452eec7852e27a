"""The monthly sample of closures: drawn once for a month that is over, whoever asks for it and however often, and read by the
Cabinet Division's cell, which reviews them."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.orm import Session

from grm.cases import sampling
from grm.cases.closing_models import ClosureSample, SampleMonth
from grm.cases.models import Accused, Case
from grm.cases.queries import names_as_accused
from grm.deadlines.calendar import end_of_day
from grm.kernel.actor import Actor
from grm.kernel.clock import dhaka_date
from grm.kernel.errors import IllegalAction
from grm.kernel.transaction import transaction
from grm.offices.queries import directory

CLOSED = ("resolved", "closed", "declined")
"""What counts as a closure: the office has answered, or said that it will not. Who withdrew has closed it himself."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of a draw; `is_new` is False where the month had been drawn before."""

    month: date
    closures: int
    drawn: int
    is_new: bool


def month_before(today: date) -> date:
    """The first day of the month that is over, on a Dhaka date."""
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def draw_month(month: date | None = None, now: datetime | None = None) -> Drawn:
    """Draw the sample of a month (its first day; without one, of the month before). A month is drawn once: later calls change
    nothing and tell what was drawn then, and two at the same time end as one.

    `IllegalAction` `month-not-over` for a month of which closures are still to come.
    """
    with transaction(now) as act:
        before = month_before(dhaka_date(act.now))
        month = month or before
        if month > before:
            raise IllegalAction("month-not-over")
        session, seed = act.session, secrets.token_hex(8)
        row = {"month": month, "seed": seed, "drawn_at": act.now, "closures": 0, "drawn": 0}
        begun = session.execute(
            pg_insert(SampleMonth).values(row).on_conflict_do_nothing().returning(SampleMonth.month)
        ).scalar_one_or_none()
        if begun is None:
            there = session.get_one(SampleMonth, month)
            return Drawn(month, there.closures, there.drawn, is_new=False)
        counts = {"closures": 0, "drawn": 0}
        for office in directory(session).offices:  # one at a time: a month may have a million closures
            closures = _closures(session, month, office.id)
            drawn = sampling.draw({office.id: list(closures)}, seed, closures)
            if drawn:
                row = {"month": month, "office_id": office.id, "drawn_at": act.now}
                values = [{**row, "case_id": case_id, "is_late": closures[case_id][0]} for _, case_id in drawn]
                session.execute(insert(ClosureSample), values)
            counts = {"closures": counts["closures"] + len(closures), "drawn": counts["drawn"] + len(drawn)}
        session.execute(update(SampleMonth).where(SampleMonth.month == month).values(counts))
        return Drawn(month, **counts, is_new=True)


def _closures(session: Session, month: date, office_id: int) -> dict[int, tuple[bool, int]]:
    """The cases that an office closed in a month and that were never drawn, each with its stratum: whether it was late, and its
    category. Parts of cases and duplicates are not among them: their answer is another case's."""
    rows = session.execute(
        select(Case.id, Case.ended_at >= Case.due_at, Case.category_id).where(
            Case.office_id == office_id,
            *_closed_in(month),
            ~exists().where(ClosureSample.case_id == Case.id),
        )
    )
    return {case_id: (is_late, category_id) for case_id, is_late, category_id in rows}


def accusing(session: Session, actor: Actor, month: date) -> int:
    """How many closures of a month accuse the actor: they are no part of any number that he is shown."""
    about = Case.id.in_(select(Accused.case_id).where(names_as_accused(actor)))
    return int(session.execute(select(func.count()).where(about, *_closed_in(month))).scalar_one())


def _closed_in(month: date) -> tuple[ColumnElement[bool], ...]:
    after = (month + timedelta(days=31)).replace(day=1)
    return (
        Case.ended_at >= end_of_day(month - timedelta(days=1)),
        Case.ended_at < end_of_day(after - timedelta(days=1)),
        Case.status.in_(CLOSED),
        Case.outcome.is_distinct_from("merged"),
        Case.parent_id.is_(None),
    )


def months(session: Session) -> Sequence[SampleMonth]:
    """The months that were drawn, the latest first."""
    return session.scalars(select(SampleMonth).order_by(SampleMonth.month.desc())).all()
