"""A case that another office gets: accepted, returned, worked on, left lying; and what "not ours" cannot do."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import appeals, queries, referrals, service
from grm.cases.models import Case, CaseEvent
from grm.deadlines.models import Deadline
from grm.escalation.models import Escalation
from grm.escalation.sweep import sweep
from grm.kernel.actor import Actor, complainant
from grm.kernel.errors import IllegalAction, InvalidInput, NotFound
from grm.notifications.models import Message
from tests.support import build

FILED = build.dhaka(2026, 1, 4)
SENT = build.dhaka(2026, 1, 11, 11)
REASON = "ভাতার তালিকা খাদ্য মন্ত্রণালয়ের হাতে, সেখানেই সংশোধন হবে।"
ANSWER: dict[str, Any] = {
    "outcome": "answered",
    "reply": "১২ জানুয়ারি আপনার কার্ড নম্বর সংশোধন করে ডিলারের তালিকায় তোলা হয়েছে।",
    "root_cause": "কার্ড নম্বর ভুল ছিল",
    "prevention": "নম্বর মিলিয়ে নেওয়া",
    "contact": "spoke",
}


@pytest.fixture
def gro(session: Session) -> Actor:
    return build.actor(session, "gro.social-welfare")


@pytest.fixture
def food(session: Session) -> Actor:
    return build.actor(session, "gro.food")


@pytest.fixture
def referred(session: Session, gro: Actor) -> Case:
    """Filed at social welfare, sent to food a week later."""
    row = build.case(session, filed_at=FILED)
    session.commit()
    service.refer_case(gro, row.tracking_number, 1, build.office_id(session, "food"), REASON, now=SENT)
    return fresh(session, row)


def fresh(session: Session, row: Case) -> Case:
    session.rollback()
    session.refresh(row)
    return row


def where(row: Case) -> tuple[int | None, ...]:
    return (row.office_id, row.assignee_id, row.referred_from_office_id)


def clocks(session: Session, row: Case) -> dict[tuple[str, int], tuple[str, bool]]:
    session.rollback()
    found = session.scalars(select(Deadline).where(Deadline.case_id == row.id))
    return {(each.kind, each.epoch): (each.state, each.met_at is not None) for each in found}


def last(session: Session, row: Case) -> CaseEvent:
    session.rollback()
    found = select(CaseEvent).where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq.desc()).limit(1)
    return session.scalars(found).one()


def told(session: Session, row: Case) -> set[tuple[str, int | None]]:
    session.rollback()
    rows = session.execute(select(Message.template, Message.officer_id).where(Message.case_id == row.id))
    return {(template, officer_id) for template, officer_id in rows}


def why_not(act: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(IllegalAction) as caught:
        act(*args, **more)
    return caught.value.code


def sees(session: Session, actor: Actor, row: Case) -> bool:
    session.rollback()
    return queries.can_find(session, actor, row.tracking_number)


def test_offered_accepted_and_watched_by_the_sender(session: Session, referred: Case, gro: Actor, food: Actor) -> None:
    here, there = build.office_id(session), build.office_id(session, "food")
    number, row = referred.tracking_number, referred
    due_on = row.due_on
    assert (where(row), row.referral_state, row.referred_from_desk) == ((there, None, here), "offered", "gro")
    assert clocks(session, row) == {
        ("acknowledge", 1): ("breached", True),  # the first look came on the fifth day
        ("acknowledge", 2): ("running", False),
        ("resolve", 1): ("running", False),
    }
    # The sender reads and may note; nothing else, and no other GRO sees anything.
    with pytest.raises(NotFound):
        service.add_note(build.actor(session, "gro.agriculture"), number, None, "এখানে নয়", now=SENT)
    service.add_note(gro, number, None, "ফোনে কথা হয়েছে।", now=SENT)
    assert why_not(service.claim_case, gro, number, None, now=SENT) == "not-your-part"
    assert why_not(referrals.return_case, gro, number, None, REASON, now=SENT) == "not-your-part"
    assert referrals.accept_case(food, number, fresh(session, row).version, now=SENT + timedelta(days=1)) == 4
    row = fresh(session, row)
    assert (row.status, row.referral_state, row.due_on) == ("acknowledged", "accepted", due_on)
    assert clocks(session, row)["acknowledge", 2] == ("met", True)
    assert why_not(referrals.return_case, food, number, None, REASON, now=SENT) == "not-offered"
    assert why_not(referrals.accept_case, food, number, None, now=SENT) == "not-offered"
    service.resolve_case(food, number, None, **ANSWER, now=SENT + timedelta(days=1))
    assert sees(session, gro, row), "the sender sees how it ended"
    appeals.contest_case(complainant(number), number, "কার্ড এখনো পাইনি, আবার দেখুন।", now=SENT + timedelta(days=2))
    assert fresh(session, row).referred_from_office_id is None
    assert not sees(session, gro, row), "what is contested has risen, and is no affair of the first office any more"


def test_work_accepts_by_itself(session: Session, referred: Case, food: Actor) -> None:
    service.claim_case(food, referred.tracking_number, None, now=SENT + timedelta(hours=3))
    row = fresh(session, referred)
    assert (row.status, row.referral_state) == ("in_progress", "accepted")
    assert last(session, row).data["accepts"] is True
    assert clocks(session, row)["acknowledge", 2] == ("met", True)


def test_returned_with_a_reason_and_no_third_time_without_a_superior(
    session: Session, referred: Case, gro: Actor, food: Actor
) -> None:
    here, there = build.office_id(session), build.office_id(session, "food")
    number, row, due_on = referred.tracking_number, referred, referred.due_on
    with pytest.raises(InvalidInput):
        referrals.return_case(food, number, 2, "  ", now=SENT)
    referrals.return_case(food, number, 2, "তালিকাটি সমাজসেবা অধিদপ্তরের।", now=SENT + timedelta(days=2))
    row = fresh(session, row)
    assert (where(row), row.referral_state, row.referral_count, row.due_on) == ((here, None, None), None, 2, due_on)
    assert clocks(session, row)["acknowledge", 2] == ("met", True)
    assert not sees(session, food, row)
    event = last(session, row)
    assert (event.kind, event.data["from_office_id"], event.data["to_office_id"]) == ("returned", there, here)
    assert ("case-returned-officer", gro.officer_id) in told(session, row)
    assert ("case-referred-officer", food.officer_id) in told(session, row)
    assert sum(template == "case-referred-complainant" for template, _ in told(session, row)) == 1  # one address
    # The third transfer, and one back to who has returned it: the appeal officer decides, and that stands.
    farm = build.office_id(session, "agriculture")
    assert why_not(service.refer_case, gro, number, None, farm, REASON, now=SENT) == "third-referral-needs-superior"
    above = build.actor(session, "appeal.social-welfare")
    service.refer_case(above, number, None, there, REASON, now=SENT + timedelta(days=3))
    row = fresh(session, row)
    assert (row.office_id, row.referral_count, row.referral_state) == (there, 3, "offered")
    refused = why_not(referrals.return_case, food, number, None, REASON, now=SENT + timedelta(days=3))
    assert refused == "third-referral-needs-superior"
    session.rollback()
    _, facts = queries.find_case(session, food, number)
    assert facts.former_office_ids == {here, there}
    session.rollback()
    # The superior there can: the cell, too.
    referrals.return_case(build.actor(session, "cabinet"), number, None, REASON, now=SENT + timedelta(days=4))
    assert fresh(session, row).office_id == here


def test_silence_of_the_new_office_is_seen_before_the_case_is_late(
    session: Session, referred: Case, food: Actor
) -> None:
    clock = build.deadline(session, referred.id, "acknowledge")
    assert clock.next_rung_at is not None and clock.due_at < referred.due_at
    at = clock.next_rung_at
    session.rollback()
    sweep(as_of=at, now=at)
    rung = session.scalars(select(Escalation).where(Escalation.deadline_id == clock.id)).one()
    assert (rung.level, rung.officer_id, rung.office_id) == (0, food.officer_id, build.office_id(session, "food"))
    row = fresh(session, referred)
    assert (row.level, row.referral_state) == (0, "offered")
    late_at = row.due_at + timedelta(hours=1)
    sweep(as_of=late_at, now=late_at)
    assert fresh(session, referred).level == 1, "an offer that nobody takes climbs as any case does"


def test_nobody_accused_sees_what_he_sent_on(session: Session, referred: Case, gro: Actor) -> None:
    from grm.cases.models import Accused

    assert gro.officer_id is not None and sees(session, gro, referred)
    referred.has_accused = True
    session.add(Accused(case_id=referred.id, officer_id=gro.officer_id))
    session.commit()
    assert not sees(session, gro, referred)
    assert sees(session, build.actor(session, "appeal.social-welfare"), referred)


def test_not_ours_ends_no_case(session: Session, referred: Case, food: Actor) -> None:
    number = referred.tracking_number
    only = "বিষয়টি আমাদের মন্ত্রণালয়ের এখতিয়ারভুক্ত নয় বিধায় নথিজাত করা হলো।"
    for act in (
        lambda: service.decline_case(food, number, None, "not_a_grievance", only, now=SENT),
        lambda: service.resolve_case(food, number, None, **{**ANSWER, "reply": only}, now=SENT),
    ):
        with pytest.raises(InvalidInput) as caught:
            act()
        assert caught.value.fields == {"reply": "refer-instead"}
    assert fresh(session, referred).status == "acknowledged"
    said = "রিট মামলা ১২৩/২০২৫ হাইকোর্টে চলছে; রায়ের পর আবার আবেদন করতে পারবেন।"
    service.decline_case(food, number, None, "before_court", said, now=SENT)
    assert fresh(session, referred).status == "declined"
