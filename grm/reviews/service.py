"""Reviews are written and corrected until their month is reported; then they stand.

Every writing is a row of its own and an entry of the audit stream `reviews`, so that a finding cannot quietly become another one.
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.orm import Session

from grm.cases.closing_models import ClosureSample, SampleMonth
from grm.cases.models import Case, CaseEvent
from grm.cases.queries import spares, visible_to
from grm.kernel import audit
from grm.kernel import tracking_number as numbers
from grm.kernel.actor import Actor
from grm.kernel.db import among, db
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, NotFound
from grm.kernel.transaction import Act, transaction
from grm.offices.overseeing import ROLE as COORDINATOR
from grm.offices.queries import directory
from grm.reviews.events import FindingMade
from grm.reviews.findings import ANSWERS, Closure, Reviewer, Written, what_is_wrong, why_not
from grm.reviews.models import ClosureReview

STREAM = "reviews"
DECISIONS = ("resolved", "declined", "recommended", "complied", "answered_together")
"""The events by which an officer decides a case."""


def write_review(
    actor: Actor, tracking_number: str, written: Written, number: int, *, now: datetime | None = None
) -> int:
    """Write the review of a drawn closure, or correct it: `number` is that of the review that was shown, 0 for none. Returns the
    number of the one that stands; the same again changes nothing.

    Raises `NotFound` for what was not drawn or must not be seen, `IllegalAction` for who may not review it and for a month that
    was reported, `Conflict` where somebody else has written meanwhile, `InvalidInput` for what is missing.
    """
    with transaction(now) as act:
        row = drawn(act.session, actor, tracking_number, for_update=True)
        sample, case = row.ClosureSample, row.Case
        month = act.session.get_one(SampleMonth, sample.month, with_for_update={"read": True}, populate_existing=True)
        if month.reported_at is not None:
            raise IllegalAction("month-reported")
        closure = closures_of(act.session, [(sample, case)])[sample.id]
        if why := why_not_reviewing(actor, sample, closure):
            raise IllegalAction(why)
        last = last_review(act.session, sample.id)
        if last is not None and is_same(last, written):
            return last.number
        if (last.number if last else 0) != number:
            raise Conflict
        needs_evidence = directory(act.session).category(case.category_id).needs_visit
        if wrong := what_is_wrong(written, needs_evidence):
            raise InvalidInput(fields=wrong)
        _write(act, actor, sample, written, last)
        if written.faults:
            about = {"case_id": case.id, "tracking_number": case.tracking_number, "is_sensitive": case.is_sensitive}
            not_told = frozenset({*closure.decider_ids, actor.officer_id or 0})
            act.record(
                FindingMade(**about, office_id=sample.office_id, desk=case.desk, sample_id=sample.id, not_told=not_told)
            )
        data = {"tracking_number": case.tracking_number, "number": number + 1, "findings": list(written.faults)}
        audit.record(act.session, STREAM, "ClosureReviewed", actor, act.now, **data)
        return number + 1


def _write(act: Act, actor: Actor, sample: ClosureSample, written: Written, last: ClosureReview | None) -> None:
    if last is not None:
        last.replaced_at = act.now
        act.session.flush()
    act.session.add(
        ClosureReview(
            sample_id=sample.id,
            number=(last.number if last else 0) + 1,
            reviewer_id=actor.officer_id,
            reviewed_at=act.now,
            remark=written.remark.strip(),
            **{question: getattr(written, question) for question in ANSWERS},
        )
    )
    sample.state = "reviewed"
    act.session.flush()


def report_month(actor: Actor, month: date, *, is_confirmed: bool = False, now: datetime | None = None) -> None:
    """Report the findings of a month: they stand from now on. A month that was reported stays as it is.

    Raises `NotFound` for a month that was not drawn, `InvalidInput` unless it is confirmed, and `IllegalAction`
    `nothing-reviewed` where nothing is to be reported. Nothing of it depends on reviews that are open: one that the actor must
    not know of would show.
    """
    with transaction(now) as act:
        drawn_month = act.session.get(SampleMonth, month, with_for_update=True, populate_existing=True)
        if drawn_month is None or not actor.has_role("cell_officer"):
            raise NotFound
        if drawn_month.reported_at is not None:
            return
        if not is_confirmed:
            raise InvalidInput(fields={"confirmed": "confirm-it"})
        states = select(ClosureSample.state, func.count()).where(ClosureSample.month == month)
        rows = act.session.execute(states.group_by(ClosureSample.state)).all()
        counts: dict[str, int] = {row[0]: row[1] for row in rows}
        if not counts.get("reviewed"):
            raise IllegalAction("nothing-reviewed")
        drawn_month.reported_at, drawn_month.reported_by_id = act.now, actor.officer_id
        data = {"month": month.isoformat(), "reviewed": counts["reviewed"], "open": counts.get("open", 0)}
        audit.record(act.session, STREAM, "ReviewsReported", actor, act.now, **data)


def why_not_reviewing(actor: Actor, sample: ClosureSample, closure: Closure) -> str:
    """Why an officer may not review a drawn closure that he may see: a code, or empty if he may. Any officer of the cell may who
    fits, a coordinator what was given to him."""
    reviewer = reviewer_of(actor)
    if reviewer is None or not (reviewer.is_of_cell or sample.reviewer_id == actor.officer_id):
        return "not-your-part"
    return why_not(reviewer, closure)


def reviewer_of(actor: Actor) -> Reviewer | None:
    """The actor as somebody who reviews closures; None for all others."""
    if actor.officer_id is None or not actor.has_role("cell_officer", COORDINATOR):
        return None
    return Reviewer(actor.officer_id, actor.office_ids(), actor.has_role("cell_officer"))


def seen_by(actor: Actor) -> ColumnElement[bool]:
    """The drawn closures that an actor may know of, as a condition on samples joined with their cases: those whose cases he may
    see; and a coordinator what he was given of the cell's, where he sees the closure and not the case."""
    seen = visible_to(actor)
    if not actor.has_role(COORDINATOR):
        return seen
    is_given = and_(ClosureSample.reviewer_id == actor.officer_id, ClosureSample.office_id == cell_id())
    return or_(seen, and_(is_given, spares(actor)))


def cell_id() -> int:
    """The office whose closures nobody of its own should review."""
    return directory(db.session()).cell.id


def drawn(
    session: Session, actor: Actor, tracking_number: str, *, for_update: bool = False
) -> Row[ClosureSample, Case]:
    """A drawn closure that the actor may see. Raises `NotFound` for all others."""
    number = numbers.parse(tracking_number)
    statement = (
        select(ClosureSample, Case)
        .join(Case, Case.id == ClosureSample.case_id)
        .where(Case.tracking_number == (number or ""), seen_by(actor))
    )
    if for_update:
        statement = statement.with_for_update(of=ClosureSample)
    row = session.execute(statement.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound
    return row


def last_review(session: Session, sample_id: int) -> ClosureReview | None:
    """The review of a sample that stands; None: it was not reviewed yet."""
    wanted = select(ClosureReview).where(ClosureReview.sample_id == sample_id, ClosureReview.replaced_at.is_(None))
    return session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()


def closures_of(session: Session, rows: Collection[tuple[ClosureSample, Case]]) -> dict[int, Closure]:
    """The drawn closures by sample, as it is decided by who may review them (one statement)."""
    own = cell_id()
    hands: dict[int, set[int]] = {case.id: set() for _, case in rows}
    acts = select(CaseEvent.case_id, CaseEvent.actor_id).where(
        CaseEvent.case_id == among(hands), CaseEvent.actor_kind == "officer", CaseEvent.actor_id.is_not(None)
    )
    of_cell = [case.id for sample, case in rows if sample.office_id == own]
    counted = or_(CaseEvent.kind.in_(DECISIONS), and_(CaseEvent.case_id == among(of_cell), CaseEvent.kind != "noted"))
    for case_id, officer_id in session.execute(acts.where(counted).distinct()):
        hands[case_id].add(int(officer_id or 0))
    for sample, case in rows:
        if sample.office_id == own and case.assignee_id is not None:
            hands[case.id].add(case.assignee_id)
    return {
        sample.id: Closure(sample.office_id, frozenset(hands[case.id]), sample.office_id == own, case.is_sensitive)
        for sample, case in rows
    }


def is_same(last: ClosureReview, written: Written) -> bool:
    """Whether a review says just what was written."""
    return as_written(last) == Written(**{**_values(written), "remark": written.remark.strip()})


def as_written(review: Any) -> Written:
    """A review as its form."""
    return Written(**_values(review))


def _values(source: Any) -> dict[str, str]:
    return {name: getattr(source, name) for name in (*ANSWERS, "remark")}
