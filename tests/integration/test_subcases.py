"""A part of a case at another office: a case of its own for that office, and something to wait for in the whole one."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.cases import appeals, directions, public_status, queries, referrals, service, subcases, tracking, wording
from grm.cases import directions_followup as followup
from grm.cases.models import Accused, Case, CaseEvent, CaseText, Complainant
from grm.deadlines.models import Deadline
from grm.escalation.models import Escalation
from grm.escalation.sweep import sweep
from grm.kernel.actor import Actor, complainant
from grm.kernel.errors import IllegalAction, InvalidInput
from grm.notifications.models import Message
from grm.offices.queries import directory
from grm.reports import lists
from grm.reports.measures import Selection
from grm.tallies.scope import scopes_of
from tests.support import build

FILED = build.dhaka(2026, 1, 4)
SPLIT = build.dhaka(2026, 1, 11, 11)
PART = "ডিলারের তালিকায় কার্ড নম্বরটি মিলিয়ে জানান।"
REPLY = "তালিকায় কার্ড নম্বর ভুল ছিল, ১২ জানুয়ারি সংশোধন করা হয়েছে।"
ANSWER: dict[str, Any] = {
    "outcome": "answered",
    "reply": "১২ জানুয়ারি আপনার কার্ড নম্বর সংশোধন করে ডিলারের তালিকায় তোলা হয়েছে।",
    "root_cause": "কার্ড নম্বর ভুল ছিল",
    "prevention": "নম্বর মিলিয়ে নেওয়া",
    "contact": "spoke",
}
NO_TEXTS: dict[str, Any] = {"root_cause": "", "prevention": "", "contact": ""}


@pytest.fixture
def gro(session: Session) -> Actor:
    return build.actor(session, "gro.social-welfare")


@pytest.fixture
def food(session: Session) -> Actor:
    return build.actor(session, "gro.food")


@pytest.fixture
def whole(session: Session) -> Case:
    row = build.case(session, filed_at=FILED, place="৫ নং ওয়ার্ড", incident_on=FILED.date())
    session.commit()
    return row


def split(session: Session, gro: Actor, whole: Case, *passed_on: str, office: str = "food", **more: Any) -> Case:
    """Send a part of a case, and return it."""
    to = build.office_id(session, office)
    session.rollback()
    subcases.split_case(gro, whole.tracking_number, None, to, PART, passed_on, **{"now": SPLIT, **more})
    session.rollback()
    return session.scalars(select(Case).where(Case.parent_id == whole.id).order_by(Case.id.desc()).limit(1)).one()


def fresh(session: Session, row: Case) -> Case:
    session.rollback()
    session.refresh(row)
    return row


def kinds(session: Session, row: Case) -> list[str]:
    session.rollback()
    return list(session.scalars(select(CaseEvent.kind).where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq)))


def told(session: Session, row: Case) -> set[tuple[str, int | None]]:
    session.rollback()
    rows = session.execute(select(Message.template, Message.officer_id).where(Message.case_id == row.id))
    return {(template, officer_id) for template, officer_id in rows}


def why_not(act: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(IllegalAction) as caught:
        act(*args, **more)
    return caught.value.code


def test_a_part_is_a_case_of_its_own_and_comes_back_answered(
    session: Session, whole: Case, gro: Actor, food: Actor
) -> None:
    number = whole.tracking_number
    part = split(session, gro, whole, "place", "details")
    assert (part.status, part.office_id, part.desk) == ("filed", build.office_id(session, "food"), "gro")
    assert (part.submission_id, part.secret_mac, part.referral_state) == (None, None, "offered")
    assert (part.place, part.incident_on) == ("৫ নং ওয়ার্ড", None), "only what was ticked is passed on"
    assert part.details.startswith(PART) and whole.details in part.details
    found = session.scalars(select(Deadline.kind).where(Deadline.case_id == part.id))
    assert set(found) == {"acknowledge", "resolve"}
    assert session.scalar(select(func.count()).where(Complainant.case_id == part.id)) == 0
    assert told(session, part) == {("case-part-officer", food.officer_id)}
    # The whole waits, and says so; what does not end it goes on.
    row = fresh(session, whole)
    assert (row.status, row.acknowledged_at) == ("acknowledged", SPLIT)
    for act in (
        lambda: service.resolve_case(gro, number, None, **ANSWER, now=SPLIT),
        lambda: service.decline_case(gro, number, None, "before_court", ANSWER["reply"], now=SPLIT),
    ):
        assert why_not(act) == "subcases-open"
    service.ask_complainant(gro, number, None, "কার্ডের ছবি দিতে পারেন?", now=SPLIT)
    # The other office sees the part, never the whole; nobody else sees the part.
    assert not queries.can_find(session, food, number)
    assert queries.can_find(session, gro, part.tracking_number)
    assert not queries.can_find(session, build.actor(session, "gro.agriculture"), part.tracking_number)
    session.rollback()
    # What needs a complainant, or a desk above, a part has not.
    mine = part.tracking_number
    refused = [
        why_not(service.ask_complainant, food, mine, None, "কোন কার্ড?", now=SPLIT),
        why_not(service.decline_case, food, mine, None, "before_court", ANSWER["reply"], now=SPLIT),
        why_not(service.refer_case, food, mine, None, build.office_id(session, "agriculture"), PART, now=SPLIT),
        why_not(subcases.split_case, food, mine, None, build.office_id(session, "agriculture"), PART, now=SPLIT),
    ]
    assert set(refused) == {"part-of-a-case"}
    # Answered, it is closed at once, and the whole has the words.
    later = SPLIT + timedelta(days=2)
    service.claim_case(food, mine, None, now=later)
    with pytest.raises(InvalidInput):
        service.resolve_case(food, mine, None, outcome="answered", reply="ঠিক আছে", **NO_TEXTS, now=later)
    service.resolve_case(food, mine, None, outcome="answered", reply=REPLY, **NO_TEXTS, now=later)
    part = fresh(session, part)
    assert (part.status, part.outcome, part.referral_state) == ("closed", "answered", "accepted")
    assert kinds(session, part) == ["filed", "assigned", "resolved", "closed"]
    assert kinds(session, whole)[-1] == "subcase_answered"
    texts = session.scalars(select(CaseText.body).where(CaseText.case_id == whole.id, CaseText.field == "reply"))
    assert list(texts) == [REPLY]
    assert ("case-part-back-officer", gro.officer_id) in told(session, whole)
    assert not any("complainant" in template for template, _ in told(session, part))
    state = {each.state for each in session.scalars(select(Deadline).where(Deadline.case_id == part.id))}
    assert state == {"met"}
    service.resolve_case(gro, number, None, **ANSWER, now=later)
    assert fresh(session, whole).status == "resolved"


def test_a_part_returned_or_withdrawn_with_the_whole(session: Session, whole: Case, gro: Actor, food: Actor) -> None:
    first = split(session, gro, whole)
    referrals.return_case(food, first.tracking_number, 1, "এই তালিকা কৃষি মন্ত্রণালয়ের।", now=SPLIT)
    first = fresh(session, first)
    assert (first.status, first.outcome, first.parent_id) == ("declined", "returned", whole.id)
    assert kinds(session, whole)[-1] == "subcase_returned"
    second = split(session, gro, whole, office="agriculture")
    farm = build.actor(session, "gro.agriculture")
    service.claim_case(farm, second.tracking_number, None, now=SPLIT)
    session.rollback()
    directions.direct_case(build.actor(session, "cabinet"), second.tracking_number, None, PART, now=SPLIT)
    service.withdraw_case(complainant(whole.tracking_number), whole.tracking_number, now=SPLIT)
    second = fresh(session, second)
    assert (second.status, second.outcome, fresh(session, first).status) == ("withdrawn", "withdrawn", "declined")
    assert kinds(session, second)[-1] == "subcase_ended"
    assert ("case-withdrawn-officer", farm.officer_id) in told(session, second)
    live = select(func.count()).where(Deadline.case_id == second.id, Deadline.met_at.is_(None))
    assert (
        session.scalar(live) == 0
        and not followup.page(session, build.actor(session, "cabinet"), followup.Filters(), SPLIT)[0]
    )


def test_the_parts_go_on_when_the_whole_rises(session: Session, whole: Case, gro: Actor, food: Actor) -> None:
    part = split(session, gro, whole)
    number = whole.tracking_number
    late = fresh(session, whole).due_at + timedelta(hours=1)
    appeals.appeal_case(complainant(number), number, "", now=late)
    part = fresh(session, part)
    assert (part.is_open, part.office_id, part.referred_from_desk) == (True, build.office_id(session, "food"), "appeal")
    above = build.actor(session, "appeal.social-welfare")
    session.rollback()
    assert queries.can_find(session, above, part.tracking_number)
    assert not queries.can_find(session, gro, part.tracking_number)
    session.rollback()
    assert why_not(service.resolve_case, above, number, None, **ANSWER, now=late) == "subcases-open"
    service.resolve_case(food, part.tracking_number, None, outcome="answered", reply=REPLY, **NO_TEXTS, now=late)
    assert ("case-part-back-officer", above.officer_id) in told(session, whole)
    service.resolve_case(above, number, None, **ANSWER, now=late)


def test_a_late_part_climbs_and_is_no_case_in_the_figures(
    session: Session, whole: Case, gro: Actor, food: Actor
) -> None:
    part = split(session, gro, whole)
    late = part.due_at + timedelta(hours=1)
    session.rollback()
    sweep(as_of=late, now=late)
    assert fresh(session, part).level == 1
    rungs = select(Escalation.officer_id).where(Escalation.case_id == part.id, Escalation.level == 1)
    assert session.scalars(rungs).all() == [food.officer_id]
    assert not any("complainant" in template for template, _ in told(session, part))
    cell = build.actor(session, "cabinet")

    def count(measure: str) -> int:
        chosen, book = Selection(measure=measure), directory(session)
        (scope,) = scopes_of(cell, book)
        found = lists.find(session, cell, book, scope, chosen, late).number
        assert found == lists.count(session, cell, book, scope, chosen, late)
        assert found == len(lists.page(session, cell, book, scope, chosen, late, lists.natural(chosen)))
        return found

    assert (count("open"), count("received"), count("overdue"), count("escalated")) == (1, 1, 1, 2)


def test_whom_the_whole_accuses_sees_neither(session: Session, gro: Actor) -> None:
    accused = build.actor(session, "gro.food")
    assert accused.officer_id is not None
    row = build.case(session, filed_at=FILED, accused_officers=[accused.officer_id], category="payment-not-received")
    session.commit()
    part = split(session, gro, row)
    assert (part.desk, part.has_accused) == ("appeal", True), "past the accused, to the desk above"
    named = session.scalars(select(Accused.officer_id).where(Accused.case_id == part.id)).all()
    assert named == [accused.officer_id]
    assert not queries.can_find(session, accused, part.tracking_number)
    assert queries.can_find(session, build.actor(session, "appeal.food"), part.tracking_number)


def test_nobody_opens_a_part_by_its_number(session: Session, whole: Case, gro: Actor, client: FlaskClient) -> None:
    part = split(session, gro, whole)
    assert not tracking._matches(session, part.tracking_number, "0000000000000")
    session.rollback()
    shown = public_status.status_of(session, whole.tracking_number, SPLIT)
    assert {event.kind for event in shown.events} == {"filed"}
    said = " ".join(f"{event.title} {event.texts}" for event in shown.events)
    assert part.tracking_number not in said and PART not in said


def test_who_answers_a_part_is_not_told_that_the_complainant_hears_of_it() -> None:
    assert "complainant" in wording.done("RESOLVE")
    assert "complainant" not in wording.done("RESOLVE", is_part=True)
    assert wording.done("CLOSE", is_part=True) == wording.done("CLOSE") and wording.done("no-such-act") == ""


def test_what_each_side_reads(session: Session, app: Flask, whole: Case, gro: Actor, food: Actor) -> None:

    part = split(session, gro, whole)
    service.resolve_case(food, part.tracking_number, None, outcome="answered", reply=REPLY, **NO_TEXTS, now=SPLIT)
    from grm.cases import casepage

    with app.test_request_context("/?lang=en"):
        sender = casepage.load(session, gro, whole.tracking_number)
        (shown,) = sender.referral.parts
        assert (shown.tracking_number, shown.status, shown.outcome) == (part.tracking_number, "closed", "answered")
        assert sender.referral.came_back(shown, sender.events) == REPLY
        session.rollback()
        receiver = casepage.load(session, food, part.tracking_number)
        assert receiver.referral.whole is None and not receiver.people
        assert whole.tracking_number not in repr([line.data for line in receiver.events])
        session.rollback()
        both = casepage.load(session, gro, part.tracking_number)
        assert both.referral.whole == whole.tracking_number
        filer = casepage.load(session, build.actor(session, "cabinet"), whole.tracking_number)
        assert len(filer.referral.parts) == 1
