"""Reviews are written and corrected until their month is reported; then they stand.

Every writing is a row of its own and an entry of the audit stream `reviews`, so that a finding cannot quietly become another one.
"""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from grm.cases.closing_models import ClosureSample, SampleMonth
from grm.cases.models import Case, CaseEvent
from grm.cases.queries import visible_to
from grm.kernel import audit
from grm.kernel import tracking_number as numbers
from grm.kernel.actor import Actor
from grm.kernel.db import among
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, NotFound
from grm.kernel.transaction import Act, transaction
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
        deciders = deciders_of(act.session, [case.id]).get(case.id, frozenset())
        if why := why_not_reviewing(actor, sample, deciders):
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
            not_told = frozenset({*deciders, actor.officer_id or 0})
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

    Raises `NotFound` for a month that was not drawn, `IllegalAction` `nothing-reviewed` where there is nothing to report, and
    `InvalidInput` while reviews are open, unless that is confirmed.
    """
    with transaction(now) as act:
        drawn_month = act.session.get(SampleMonth, month, with_for_update=True, populate_existing=True)
        if drawn_month is None or not actor.has_role("cell_officer"):
            raise NotFound
        if drawn_month.reported_at is not None:
            return
        states = select(ClosureSample.state, func.count()).where(ClosureSample.month == month)
        rows = act.session.execute(states.group_by(ClosureSample.state)).all()
        counts: dict[str, int] = {row[0]: row[1] for row in rows}
        if not counts.get("reviewed"):
            raise IllegalAction("nothing-reviewed")
        if counts.get("open") and not is_confirmed:
            raise InvalidInput(fields={"confirmed": "reviews-are-open"})
        drawn_month.reported_at, drawn_month.reported_by_id = act.now, actor.officer_id
        data = {"month": month.isoformat(), "reviewed": counts["reviewed"], "open": counts.get("open", 0)}
        audit.record(act.session, STREAM, "ReviewsReported", actor, act.now, **data)


def why_not_reviewing(actor: Actor, sample: ClosureSample, deciders: Collection[int]) -> str:
    """Why an officer may not review a drawn closure that he may see: a code, or empty if he may."""
    if not actor.has_role("cell_officer") or actor.officer_id is None:
        return "not-your-part"
    return why_not(Reviewer(actor.officer_id, actor.office_ids()), Closure(sample.office_id, deciders))


def drawn(
    session: Session, actor: Actor, tracking_number: str, *, for_update: bool = False
) -> Row[ClosureSample, Case]:
    """A drawn closure that the actor may see. Raises `NotFound` for all others."""
    number = numbers.parse(tracking_number)
    statement = (
        select(ClosureSample, Case)
        .join(Case, Case.id == ClosureSample.case_id)
        .where(Case.tracking_number == (number or ""), visible_to(actor))
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


def deciders_of(session: Session, case_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """Who has ever decided the cases, by case id (one statement)."""
    if not case_ids:
        return {}
    found: dict[int, set[int]] = {}
    wanted = select(CaseEvent.case_id, CaseEvent.actor_id).where(
        CaseEvent.case_id == among(case_ids),
        CaseEvent.kind.in_(DECISIONS),
        CaseEvent.actor_kind == "officer",
        CaseEvent.actor_id.is_not(None),
    )
    for case_id, officer_id in session.execute(wanted):
        found.setdefault(case_id, set()).add(int(officer_id or 0))
    return {case_id: frozenset(officers) for case_id, officers in found.items()}


def is_same(last: ClosureReview, written: Written) -> bool:
    """Whether a review says just what was written."""
    return as_written(last) == Written(**{**_values(written), "remark": written.remark.strip()})


def as_written(review: Any) -> Written:
    """A review as its form."""
    return Written(**_values(review))


def _values(source: Any) -> dict[str, str]:
    return {name: getattr(source, name) for name in (*ANSWERS, "remark")}
