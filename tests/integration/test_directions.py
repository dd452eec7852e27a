"""What the Cabinet Division does with a case that is another office's: it directs, and takes up what is late."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import appeals, casepage, directions, public_status, service, taking_up, why
from grm.cases import directions_followup as followup
from grm.cases.models import Case, CaseEvent, Direction
from grm.deadlines.models import Deadline
from grm.escalation.models import Escalation
from grm.escalation.sweep import sweep
from grm.kernel.actor import Actor, complainant
from grm.kernel.errors import IllegalAction, InvalidInput, NotFound
from grm.notifications.models import Message
from tests.support import build

FILED = build.dhaka(2026, 1, 4)
NOW = build.dhaka(2026, 1, 11, 11)
ORDER = "সাত কর্মদিবসের মধ্যে উপকারভোগীর বাড়ি গিয়ে যাচাই করে জানান।"
REPORT = "১৪ জানুয়ারি ইউনিয়ন সমাজকর্মী বাড়ি গিয়ে যাচাই করেছেন।"
REASON = "সময়সীমা পার হয়েছে, মন্ত্রণালয় থেকে কোনো জবাব নেই।"
ANSWER: dict[str, Any] = {
    "outcome": "answered",
    "reply": "১২ জানুয়ারি আপনার হিসাব নম্বর সংশোধন করে তিন মাসের ভাতা পাঠানো হয়েছে।",
    "root_cause": "হিসাব নম্বর ভুল ছিল",
    "prevention": "নম্বর মিলিয়ে নেওয়া",
    "contact": "spoke",
}


@pytest.fixture
def gro(session: Session) -> Actor:
    return build.actor(session, "gro.social-welfare")


@pytest.fixture
def above(session: Session) -> Actor:
    return build.actor(session, "appeal.social-welfare")


@pytest.fixture
def cell(session: Session) -> Actor:
    return build.actor(session, "cabinet")


@pytest.fixture
def filed(session: Session) -> Case:
    row = build.case(session, filed_at=FILED)
    session.commit()
    return row


def fresh(session: Session, row: Case) -> Case:
    session.rollback()
    session.refresh(row)
    return row


def last(session: Session, row: Case) -> CaseEvent:
    session.rollback()
    found = select(CaseEvent).where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq.desc()).limit(1)
    return session.scalars(found).one()


def told(session: Session, row: Case) -> list[tuple[str, int | None]]:
    session.rollback()
    rows = session.execute(select(Message.template, Message.officer_id).where(Message.case_id == row.id))
    return [(template, officer_id) for template, officer_id in rows]


def followed(session: Session, actor: Actor, at: datetime, **chosen: Any) -> Sequence[followup.Followed]:
    """The directions of a choice, on the first page."""
    session.rollback()
    return followup.page(session, actor, followup.Filters(**chosen), at)[0]


def why_not(act: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(IllegalAction) as caught:
        act(*args, **more)
    return caught.value.code


def test_a_direction_has_a_date_and_is_answered_before_the_case_ends(
    session: Session, app: Flask, filed: Case, gro: Actor, above: Actor, cell: Actor
) -> None:
    number, row = filed.tracking_number, filed
    assert why_not(directions.direct_case, above, number, None, ORDER, now=NOW) == "only-the-cell-directs"
    assert why_not(directions.direct_case, gro, number, None, ORDER, now=NOW) == "not-your-part"
    with pytest.raises(InvalidInput):
        directions.direct_case(cell, number, None, "দেখুন", now=NOW)
    due_on = row.due_on
    directions.direct_case(cell, number, 1, ORDER, now=NOW)
    clock = build.deadline(session, row.id, "direct")
    assert (clock.due_on.isoformat(), clock.state) == ("2026-01-20", "running")  # 7 working days
    assert (fresh(session, row).due_on, row.status, row.level) == (due_on, "filed", 0)
    assert ("case-directed-officer", gro.officer_id) in told(session, row)
    assert why_not(directions.direct_case, cell, number, None, ORDER, now=NOW) == "direction-open-already"
    assert why_not(service.resolve_case, gro, number, None, **ANSWER, now=NOW) == "direction-open"
    # It climbs a ladder of its own: the holder, the appeal officer, the cell. The case's level is not its affair.
    late = NOW + timedelta(days=15)
    session.rollback()
    sweep(as_of=late, now=late)
    rungs = select(Escalation.level, Escalation.officer_id).where(Escalation.deadline_id == clock.id)
    assert sorted(map(tuple, session.execute(rungs))) == [
        (0, gro.officer_id),
        (1, above.officer_id),
        (2, cell.officer_id),
    ]
    assert fresh(session, row).level == 0
    (line,) = followed(session, cell, late)
    assert (line.tracking_number, line.office_id, line.state, line.words) == (number, row.office_id, "open", ORDER)
    assert (line.issued_at, line.days_late(late), line.days_late(NOW)) == (NOW, 6, 0)
    assert followed(session, build.actor(session, "gro.food"), late) == []
    session.rollback()
    # It goes along when the case goes to another office.
    food = build.actor(session, "gro.food")
    service.refer_case(gro, number, None, build.office_id(session, "food"), REASON, now=late)
    with app.test_request_context("/?lang=en"):
        page = casepage.load(session, food, number)
        (shown,) = page.referral.directions
        assert (shown.how, page.referral.words(shown.seq, page.events)) == (None, ORDER)
        session.rollback()
        directions.answer_direction(food, number, None, REPORT, now=late)
        page = casepage.load(session, cell, number)
        (shown,) = page.referral.directions
        assert (shown.how, page.referral.words(shown.answered_seq, page.events)) == ("answered", REPORT)
    session.rollback()
    assert fresh(session, row).referral_state == "accepted", "answering is work"
    assert ("case-direction-answered-officer", cell.officer_id) in told(session, row)
    assert build.deadline(session, row.id, "direct").met_at == late
    assert why_not(directions.answer_direction, food, number, None, REPORT, now=late) == "nothing-directed"
    directions.direct_case(cell, number, None, ORDER, now=late)
    assert build.deadline(session, row.id, "direct").epoch == 2
    # The complainant knows nothing of it, and may end it all.
    session.rollback()
    shown_kinds = {event.kind for event in public_status.status_of(session, number, late).events}
    assert not shown_kinds & {"directed", "direction_answered"}
    session.rollback()
    service.withdraw_case(complainant(number), number, now=late)
    session.rollback()
    ends = list(map(tuple, session.execute(select(Direction.how, Direction.ended_at).order_by(Direction.id))))
    assert ends == [("answered", late), ("overtaken", late)]
    later = late + timedelta(days=90)
    assert followed(session, cell, later) == []
    second, first = followed(session, cell, later, state="all")
    assert (first.state, first.days_late(later)) == ("answered", 6), "what was late when it was answered stays so"
    assert (second.state, second.days_late(later)) == ("overtaken", 0)
    assert followed(session, cell, later, state="all", lateness="late") == [first]
    assert followed(session, cell, later, state="answered", lateness="in_time") == []
    food_id = build.office_id(session, "food")
    assert len(followed(session, cell, later, state="all", office_id=food_id, is_own=True)) == 2
    counted = followup.counts(session, cell, followup.Filters(), later)
    assert counted == {"open": 0, "answered": 1, "overtaken": 1, "all": 2, "late": 0}


def test_earlier_directions_come_page_by_page(session: Session, cell: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followup, "PAGE", 2)
    rows = [build.case(session, filed_at=FILED) for _ in range(5)]
    session.commit()
    for hours, row in enumerate(rows):
        directions.direct_case(cell, row.tracking_number, None, ORDER, now=NOW + timedelta(hours=hours))
    for state in ("open", "all"):
        seen, mark = [], None
        while True:
            found, mark = followup.page(session, cell, followup.Filters(state), NOW, mark)
            seen += [each.tracking_number for each in found]
            if mark is None:
                break
            assert followup.mark_from(f"{mark[0].isoformat()}_{mark[1]}") == mark
        assert sorted(seen) == sorted(row.tracking_number for row in rows), state
    assert followup.mark_from("2026-01-01_5") is None and followup.mark_from("x_y") is None


def test_a_superior_takes_up_what_is_late(
    session: Session, app: Flask, filed: Case, gro: Actor, above: Actor, cell: Actor
) -> None:
    number, row = filed.tracking_number, filed
    late = fresh(session, row).due_at + timedelta(days=1)
    service.claim_case(gro, number, None, now=NOW)
    assert why_not(taking_up.take_up_case, above, number, None, REASON, now=NOW) == "not-missed-yet"
    assert why_not(taking_up.take_up_case, gro, number, None, REASON, now=late) == "not-your-part"
    with pytest.raises(NotFound):
        taking_up.take_up_case(build.actor(session, "appeal.food"), number, None, REASON, now=late)
    session.rollback()
    sweep(as_of=late, now=late)
    assert fresh(session, row).level == 1
    deputy = build.officer(session)
    seat = build.posting(session, build.post_id(session, row.office_id, "appeal_officer"), deputy.id, is_alternate=True)
    session.commit()
    gone = build.actor(session, deputy.username)
    seat.ends_on = seat.starts_on + timedelta(days=1)
    session.commit()
    with pytest.raises(NotFound):  # left since the page was asked for: the case would be nobody's
        taking_up.take_up_case(gone, number, None, REASON, now=late)
    session.rollback()
    taking_up.take_up_case(above, number, None, REASON, now=late)
    row = fresh(session, row)
    assert (row.tier, row.desk, row.main_clock, row.level) == ("appeal", "appeal", "appeal", 0)
    assert (row.status, row.assignee_id, row.office_id) == ("in_progress", above.officer_id, build.office_id(session))
    clock = build.deadline(session, row.id, "appeal")
    assert (clock.started_at, clock.due_on, clock.state) == (late, row.due_on, "running")
    assert build.deadline(session, row.id, "resolve").met_at == late
    event = last(session, row)
    assert (event.kind, event.data["level_was"], event.data["officer_id"]) == ("own_motion", 1, above.officer_id)
    messages = told(session, row)
    assert ("case-taken-up-officer", gro.officer_id) in messages
    assert ("case-taken-up-complainant", None) in messages
    assert why_not(taking_up.take_up_case, cell, number, None, REASON, now=late) == "not-missed-yet"
    with pytest.raises(NotFound):
        service.resolve_case(gro, number, None, **ANSWER, now=late)
    with app.test_request_context("/?lang=en"):
        shown = public_status.status_of(session, number, late)
        assert any(each.kind == "own_motion" and "higher officer" in each.title for each in shown.events)
        reasons = why.load(session, row, late + timedelta(days=4))
    holders = [each.holder for each in reasons.charged.charges]
    assert (holders[-1].desk, holders[-1].tier, holders[-1].officer_id) == ("appeal", "appeal", above.officer_id)
    assert {each.kind for each in reasons.explanations} == {"acknowledge", "resolve", "appeal"}
    session.rollback()
    # Decided there, the complainant still has the appeal to the cell, which takes no case twice.
    service.resolve_case(above, number, None, **ANSWER, now=late)
    appeals.appeal_case(complainant(number), number, "টাকা এখনো পাইনি, আবার দেখুন।", now=late + timedelta(days=1))
    row = fresh(session, row)
    assert (row.tier, row.desk) == ("cell", "cell")


def test_the_cell_takes_up_past_both_tiers_and_nobody_who_decided_before(
    session: Session, filed: Case, gro: Actor, above: Actor, cell: Actor
) -> None:
    number = filed.tracking_number
    service.resolve_case(gro, number, None, **ANSWER, now=NOW)
    appeals.appeal_case(complainant(number), number, "টাকা এখনো পাইনি, আবার দেখুন।", now=NOW + timedelta(days=1))
    late = fresh(session, filed).due_at + timedelta(days=1)
    both = Actor(gro.officer_id, gro.name, "officer", cell.seats)
    assert why_not(taking_up.take_up_case, both, number, None, REASON, now=late) == "decided-before"
    assert why_not(taking_up.take_up_case, above, number, None, REASON, now=late) == "not-your-part"
    taking_up.take_up_case(cell, number, None, REASON, now=late)
    row = fresh(session, filed)
    assert (row.tier, row.desk, row.main_clock) == ("cell", "cell", "cell")
    assert row.office_id == build.office_id(session, "cell")
    # Nobody had it at the appeal desk: whoever answers for that desk is told.
    assert ("case-taken-up-officer", above.officer_id) in told(session, row)
    kinds = set(session.scalars(select(Deadline.kind).where(Deadline.case_id == row.id)))
    assert {"resolve", "appeal", "cell"} <= kinds


def test_a_decline_is_appealed_and_decided_by_another(
    session: Session, filed: Case, gro: Actor, above: Actor, cell: Actor
) -> None:
    """The whole way: declined, appealed, appealed again, recommended, carried out; nobody decides twice."""
    number, me = filed.tracking_number, complainant(filed.tracking_number)
    said = "রিট মামলা ১২৩/২০২৫ হাইকোর্টে চলছে; রায়ের পর আবার আবেদন করতে পারবেন।"
    service.decline_case(gro, number, None, "before_court", said, now=NOW)
    appeals.appeal_case(me, number, "আমার কোনো মামলা নেই, ভুল হয়েছে।", now=NOW + timedelta(days=1))
    promoted = Actor(gro.officer_id, gro.name, "officer", above.seats)
    at = NOW + timedelta(days=2)
    assert why_not(service.decline_case, promoted, number, None, "before_court", said, now=at) == "decided-before"
    service.decline_case(above, number, None, "before_court", said, now=at)
    appeals.appeal_case(me, number, "আমার কোনো মামলা নেই, ভুল হয়েছে।", now=at + timedelta(days=1))
    texts = {**ANSWER, "recommendation": "মামলার তালিকা মিলিয়ে সাত দিনের মধ্যে ভাতা চালু করুন।"}
    seated = Actor(above.officer_id, above.name, "officer", cell.seats)
    refused = why_not(appeals.recommend_case, seated, number, None, **texts, now=at + timedelta(days=2))
    assert refused == "decided-before"
    appeals.recommend_case(cell, number, None, **texts, now=at + timedelta(days=2))
    row = fresh(session, filed)
    assert (row.main_clock, row.office_id, row.desk) == ("comply", build.office_id(session), "appeal")
    appeals.comply_case(above, number, None, "১৮ জানুয়ারি ভাতা চালু করে দুই মাসের টাকা পাঠানো হয়েছে।", now=at + timedelta(days=5))
    assert fresh(session, filed).status == "resolved"
    assert build.deadline(session, row.id, "comply").state == "met"
