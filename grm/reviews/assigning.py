"""Whom a drawn closure is given to for review: an officer of the cell who may review it, the one with the fewest; and what the
cell itself has closed, to the coordinator of a cluster first (`findings.assign`).

Within the cell it is a suggestion that spreads the work: any other officer of the cell who may review a closure can do so. Who
may review it no more, because it accuses him now, or he sits where it was closed, or has decided it since, is relieved of it.
"""

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from grm.cases.closing_models import ClosureSample, SampleMonth
from grm.cases.models import Case, CaseEvent
from grm.cases.queries import spares
from grm.kernel import audit
from grm.kernel.actor import SYSTEM, Actor
from grm.kernel.clock import dhaka_date
from grm.kernel.db import among
from grm.kernel.transaction import transaction
from grm.offices.overseeing import ROLE as COORDINATOR
from grm.offices.queries import directory, holders
from grm.offices.signed_in import actors_of
from grm.reviews.findings import assign
from grm.reviews.service import DECISIONS, STREAM, cell_id, closures_of, reviewer_of

BATCH = 500
"""A tick gives out as many at most: what it leaves, the next one takes."""


def assign_open(now: datetime | None = None) -> int:
    """Give each open review that nobody has, or that its reviewer may not write any more, to somebody else, or take it from him;
    how many. Again, it is none. That somebody was relieved is an entry of the audit stream `reviews`."""
    with transaction(now) as act:
        session = act.session
        actors, present = _reviewers(session, dhaka_date(act.now))
        rows = _to_give(session, actors)
        closures = closures_of(session, rows)
        fit = [
            reviewer for each in actors if each.officer_id in present and (reviewer := reviewer_of(each)) is not None
        ]
        given = assign(closures, fit, _hidden(session, actors, list(closures)), _held(session))
        changed = 0
        for sample, case in rows:
            before, after = sample.reviewer_id, given.get(sample.id)
            if before == after:
                continue
            sample.reviewer_id, changed = after, changed + 1
            if before is not None:
                told = {"tracking_number": case.tracking_number, "from_officer_id": before, "to_officer_id": after}
                audit.record(session, STREAM, "ReviewerChanged", SYSTEM, act.now, **told)
        return changed


def _reviewers(session: Session, today: date) -> tuple[list[Actor], set[int]]:
    """Who reviews closures today, and which of them are not on leave."""
    book = directory(session)
    coordinating = {each.coordinator_ministry_id for each in book.clusters} - {None}
    offices = [each.id for each in book.offices if each.kind == "ministry" and each.ministry_id in coordinating]
    roles = {book.cell.id: "cell_officer"}
    posts = holders(session, [book.cell.id, *offices], today)
    seats = [seat for seat in posts if seat.role == roles.get(seat.office_id, COORDINATOR)]
    everybody = {each.officer_id for seat in seats for each in seat.holders}
    present = {each.officer_id for seat in seats for each in seat.present}
    return (actors_of(session, everybody, today) if everybody else []), present


def _to_give(session: Session, actors: Collection[Actor]) -> list[tuple[ClosureSample, Case]]:
    everybody = [each.officer_id for each in actors]
    found = session.execute(
        select(ClosureSample, Case)
        .join(SampleMonth, SampleMonth.month == ClosureSample.month)
        .join(Case, Case.id == ClosureSample.case_id)
        .where(
            ClosureSample.state == "open",
            SampleMonth.reported_at.is_(None),
            or_(
                ClosureSample.reviewer_id.is_(None),
                ClosureSample.reviewer_id.not_in(everybody),
                *(and_(ClosureSample.reviewer_id == each.officer_id, _may_not(each)) for each in actors),
            ),
        )
        .order_by(ClosureSample.reviewer_id.is_(None), ClosureSample.id)
        .limit(BATCH)
        .with_for_update(of=ClosureSample, skip_locked=True)
    )
    return [(row.ClosureSample, row.Case) for row in found]


def _may_not(actor: Actor) -> ColumnElement[bool]:
    """Open reviews that an officer has and may not write any more; `findings.why_not` as far as it can come to be true later."""
    own = cell_id()
    elsewhere = ClosureSample.office_id != own
    grounds = [~spares(actor), and_(elsewhere, ClosureSample.office_id.in_(actor.office_ids()))]
    if not actor.has_role("cell_officer"):
        grounds.append(elsewhere)
    acted = exists().where(
        CaseEvent.case_id == Case.id,
        CaseEvent.actor_kind == "officer",
        CaseEvent.actor_id == actor.officer_id,
        CaseEvent.at >= ClosureSample.drawn_at,
        or_(CaseEvent.kind.in_(DECISIONS), and_(~elsewhere, CaseEvent.kind != "noted")),
    )
    return or_(*grounds, acted)


def _hidden(session: Session, actors: Collection[Actor], sample_ids: list[int]) -> set[tuple[int, int]]:
    """Whom the cases accuse: pairs of sample and officer."""
    pairs: set[tuple[int, int]] = set()
    for actor in actors:
        accusing = select(ClosureSample.id).join(Case, Case.id == ClosureSample.case_id)
        found = session.scalars(accusing.where(ClosureSample.id == among(sample_ids), Case.has_accused, ~spares(actor)))
        pairs |= {(sample_id, actor.officer_id or 0) for sample_id in found}
    return pairs


def _held(session: Session) -> dict[int, int]:
    """How many open reviews each officer has already."""
    counted = select(ClosureSample.reviewer_id, func.count()).where(
        ClosureSample.state == "open", ClosureSample.reviewer_id.is_not(None)
    )
    rows = session.execute(counted.group_by(ClosureSample.reviewer_id))
    return {officer_id: count for officer_id, count in rows if officer_id is not None}
