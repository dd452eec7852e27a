"""Whom a drawn closure is given to for review: an officer of the cell who may review it, the one with the fewest.

It is a suggestion that spreads the work: any other officer of the cell who may review it can do so.
"""

from datetime import datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.closing_models import ClosureSample, SampleMonth
from grm.cases.models import Case
from grm.cases.queries import visible_to
from grm.kernel.actor import Actor
from grm.kernel.clock import dhaka_date
from grm.kernel.db import among
from grm.kernel.transaction import transaction
from grm.offices.queries import directory, holders
from grm.offices.signed_in import actor_of
from grm.reviews.findings import Closure, Reviewer, assign
from grm.reviews.service import deciders_of

BATCH = 500
"""A tick gives out as many at most: what it leaves, the next one takes."""


def assign_open(now: datetime | None = None) -> int:
    """Give each open review that nobody has, or whose reviewer has left the cell, to somebody; how many. Again, it is none."""
    with transaction(now) as act:
        session, today = act.session, dhaka_date(act.now)
        seats = [seat for seat in holders(session, [directory(session).cell.id], today) if seat.role == "cell_officer"]
        everybody = {each.officer_id for seat in seats for each in seat.holders}
        present = {each.officer_id for seat in seats for each in seat.present}
        rows = _without_reviewer(session, everybody)
        if not rows or not present:
            return 0
        officers = session.scalars(select(Officer).where(Officer.id.in_(present))).all()
        actors = [actor_of(session, officer, today) for officer in officers]
        deciders = deciders_of(session, [row.case_id for row in rows])
        given = assign(
            {row.id: Closure(row.office_id, deciders.get(row.case_id, ())) for row in rows},
            [Reviewer(each.officer_id or 0, each.office_ids()) for each in actors],
            _hidden(session, actors, [row.id for row in rows]),
            _held(session),
        )
        for sample_id, officer_id in given.items():
            session.execute(update(ClosureSample).where(ClosureSample.id == sample_id).values(reviewer_id=officer_id))
        return len(given)


def _without_reviewer(session: Session, everybody: set[int]) -> list[ClosureSample]:
    return list(
        session.scalars(
            select(ClosureSample)
            .join(SampleMonth, SampleMonth.month == ClosureSample.month)
            .where(
                ClosureSample.state == "open",
                SampleMonth.reported_at.is_(None),
                or_(ClosureSample.reviewer_id.is_(None), ClosureSample.reviewer_id.not_in(everybody)),
                ClosureSample.office_id != directory(session).cell.id,
            )
            .order_by(ClosureSample.id)
            .limit(BATCH)
            .with_for_update(of=ClosureSample, skip_locked=True)
        )
    )


def _hidden(session: Session, actors: list[Actor], sample_ids: list[int]) -> set[tuple[int, int]]:
    """Which of the cases an officer must not know of: pairs of sample and officer."""
    pairs: set[tuple[int, int]] = set()
    for actor in actors:
        seen = select(ClosureSample.id).join(Case, Case.id == ClosureSample.case_id)
        visible = set(session.scalars(seen.where(ClosureSample.id == among(sample_ids), visible_to(actor))))
        pairs |= {(sample_id, actor.officer_id or 0) for sample_id in sample_ids if sample_id not in visible}
    return pairs


def _held(session: Session) -> dict[int, int]:
    """How many open reviews each officer has already."""
    counted = select(ClosureSample.reviewer_id, func.count()).where(
        ClosureSample.state == "open", ClosureSample.reviewer_id.is_not(None)
    )
    rows = session.execute(counted.group_by(ClosureSample.reviewer_id))
    return {officer_id: count for officer_id, count in rows if officer_id is not None}
