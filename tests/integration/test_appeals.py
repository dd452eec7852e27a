"""What follows when the complainant is not content: the desk above, two appeals, the cell's recommendation; each with its own
clock, and never by whoever has decided before."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import appeals, queries, service
from grm.cases.models import Case, CaseEvent
from grm.deadlines.calendar import dhaka_date
from grm.deadlines.models import Deadline
from grm.deadlines.policy import CaseFacts
from grm.deadlines.queries import calendar, deadlines_of
from grm.deadlines.service import start
from grm.escalation.models import Escalation
from grm.escalation.sweep import sweep
from grm.kernel.actor import Actor, complainant
from grm.kernel.errors import IllegalAction, InvalidInput, NotFound
from grm.notifications.models import Message
from tests.support import build

FILED = build.dhaka(2026, 1, 4)
DECIDED = build.dhaka(2026, 1, 20, 11)
LATER = build.dhaka(2026, 1, 25, 11)
TEXT = "টাকা এখনো পাইনি, মোবাইল নম্বরটিও ঠিক হয়নি।"
ANSWER: dict[str, Any] = {
    "outcome": "answered",
    "reply": "আপনার ভাতা আবার চালু হয়েছে এবং বকেয়া পাঠানো হয়েছে।",
    "root_cause": "হিসাব নম্বর ভুল ছিল",
    "prevention": "নম্বর মিলিয়ে নেওয়া",
    "contact": "spoke",
}
RECOMMENDED = {**ANSWER, "recommendation": "বকেয়া ভাতা সাত দিনের মধ্যে পরিশোধ করুন।"}


@pytest.fixture
def gro(session: Session) -> Actor:
    return build.actor(session, "gro.social-welfare")


@pytest.fixture
def appeal(session: Session) -> Actor:
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


def clocks(session: Session, row: Case) -> dict[tuple[str, int], str]:
    """Kind and epoch of every clock, with its state; `!` marks one that is not done yet."""
    session.rollback()
    return {
        (each.kind, each.epoch): each.state + ("!" if each.met_at is None else "")
        for each in deadlines_of(session, row.id)
    }


def why_not(act: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(IllegalAction) as caught:
        act(*args, **more)
    return caught.value.code


def after(day: datetime, working_days: int, session: Session) -> date:
    known = calendar(session)
    return known.add_working_days(known.next_working_day(dhaka_date(day)), working_days)


# --- not solved -------------------------------------------------------------------------------------------------------


def test_not_solved_goes_to_the_desk_above_under_a_new_epoch(session: Session, filed: Case, gro: Actor) -> None:
    number, me = filed.tracking_number, complainant(filed.tracking_number)
    service.claim_case(gro, number, 1, now=FILED + timedelta(hours=2))
    service.resolve_case(gro, number, 2, **ANSWER, now=DECIDED)
    assert appeals.contest_case(me, number, TEXT, now=LATER) == 4
    row = fresh(session, filed)
    assert (row.status, row.tier, row.desk, row.main_clock, row.level) == ("filed", "gro", "appeal", "resolve", 0)
    assert (row.assignee_id, row.outcome, row.ended_at) == (None, None, None)
    clock = build.deadline(session, row.id)
    assert (clock.epoch, clock.state, clock.started_at) == (2, "running", LATER)
    assert clock.due_on == row.due_on == after(LATER, 30, session)
    assert clocks(session, row)["resolve", 1] == "met"
    event = last(session, row)
    assert (event.kind, event.actor_kind) == ("contested", "complainant")
    assert event.data["due_on"] == row.due_on.isoformat() and event.data["to_desk"] == "appeal"
    with pytest.raises(NotFound):
        service.acknowledge_case(gro, number, None, now=LATER)


def test_not_solved_again_goes_to_the_cell_and_no_further(
    session: Session, filed: Case, gro: Actor, appeal: Actor, cell: Actor
) -> None:
    number, me = filed.tracking_number, complainant(filed.tracking_number)
    service.resolve_case(gro, number, None, **ANSWER, now=DECIDED)
    appeals.contest_case(me, number, TEXT, now=LATER)
    service.resolve_case(appeal, number, None, **ANSWER, now=LATER)
    appeals.contest_case(me, number, TEXT, now=LATER)
    assert (fresh(session, filed).desk, filed.tier, filed.main_clock) == ("cell", "gro", "resolve")
    service.resolve_case(cell, number, None, **ANSWER, now=LATER)
    assert why_not(appeals.contest_case, me, number, TEXT, now=LATER) == "nobody-above"


def test_not_solved_can_be_said_until_the_last_day_of_the_window(session: Session, filed: Case, gro: Actor) -> None:
    number, me = filed.tracking_number, complainant(filed.tracking_number)
    service.resolve_case(gro, number, None, **ANSWER, now=DECIDED)
    until = queries.find_case(session, me, number)[1].confirm_until_at
    session.rollback()
    assert until is not None and dhaka_date(until) == after(DECIDED, 10, session) + timedelta(days=1)
    session.rollback()
    assert why_not(appeals.contest_case, me, number, TEXT, now=until) == "window-over"
    with pytest.raises(InvalidInput):
        appeals.contest_case(me, number, " ", now=until - timedelta(seconds=1))
    appeals.contest_case(me, number, TEXT, now=until - timedelta(seconds=1))


def test_a_second_press_of_the_button_contests_once(session: Session, filed: Case, gro: Actor) -> None:
    number, me = filed.tracking_number, complainant(filed.tracking_number)
    service.resolve_case(gro, number, None, **ANSWER, now=DECIDED)
    appeals.contest_case(me, number, TEXT, now=LATER)
    assert why_not(appeals.contest_case, me, number, TEXT, now=LATER) == "not-resolved-yet"


# --- appeals ----------------------------------------------------------------------------------------------------------


def test_two_appeals_each_with_its_clock(session: Session, filed: Case, gro: Actor, appeal: Actor, cell: Actor) -> None:
    number, me = filed.tracking_number, complainant(filed.tracking_number)
    service.decline_case(gro, number, None, "before_court", ANSWER["reply"], now=DECIDED)
    appeals.appeal_case(me, number, TEXT, now=LATER)
    row = fresh(session, filed)
    assert (row.status, row.tier, row.desk, row.main_clock) == ("filed", "appeal", "appeal", "appeal")
    assert why_not(service.refer_case, appeal, number, None, 2, TEXT, now=LATER) == "not-in-appeal"
    assert row.due_on == build.deadline(session, row.id, "appeal").due_on == after(LATER, 20, session)
    service.resolve_case(appeal, number, None, **ANSWER, now=LATER)
    assert clocks(session, row)["appeal", 1] == "met"
    appeals.appeal_case(me, number, TEXT, now=LATER)
    row = fresh(session, filed)
    assert (row.tier, row.desk, row.main_clock) == ("cell", "cell", "cell")
    assert row.due_on == build.deadline(session, row.id, "cell").due_on == after(LATER, 60, session)
    service.resolve_case(cell, number, None, **ANSWER, now=LATER)
    assert clocks(session, row)["cell", 1] == "met"
    assert why_not(appeals.appeal_case, me, number, TEXT, now=LATER) == "last-instance"


def test_silence_can_be_appealed_from_the_moment_the_limit_has_passed(session: Session, filed: Case) -> None:
    number, me, due_at = filed.tracking_number, complainant(filed.tracking_number), filed.due_at
    assert why_not(appeals.appeal_case, me, number, "", now=due_at - timedelta(seconds=1)) == "not-late-yet"
    sweep(due_at + timedelta(days=30))
    assert fresh(session, filed).level == 3
    appeals.appeal_case(me, number, "", now=due_at + timedelta(days=31))
    row = fresh(session, filed)
    assert (row.status, row.tier, row.level) == ("filed", "appeal", 0)
    event = last(session, row)
    assert event.data["is_silence"] is True and event.data["level_was"] == 3
    assert clocks(session, row)["resolve", 1] == "breached"
    sweep(row.due_at)
    assert fresh(session, filed).level == 1


def test_a_paused_clock_is_not_silence(session: Session, filed: Case, gro: Actor) -> None:
    number = filed.tracking_number
    service.ask_complainant(gro, number, None, TEXT, now=filed.due_at - timedelta(days=1))
    asked = filed.due_at + timedelta(days=1)
    assert why_not(appeals.appeal_case, complainant(number), number, "", now=asked) == "not-late-yet"


def test_what_the_appeal_officer_decided_first_is_appealed_to_the_cell(session: Session, appeal: Actor) -> None:
    row = build.case(session, filed_at=FILED, desk="appeal", category="bribe-demand")
    session.commit()
    number = row.tracking_number
    service.resolve_case(appeal, number, None, **ANSWER, now=DECIDED)
    appeals.appeal_case(complainant(number), number, TEXT, now=LATER)
    assert (fresh(session, row).tier, row.desk, row.main_clock) == ("cell", "cell", "cell")


def test_an_accused_appeal_officer_never_hears_the_appeal(session: Session, gro: Actor, appeal: Actor) -> None:
    assert appeal.officer_id is not None
    row = build.case(session, filed_at=FILED, accused_officers=[appeal.officer_id])
    session.commit()
    number = row.tracking_number
    service.resolve_case(gro, number, None, **ANSWER, now=DECIDED)
    appeals.contest_case(complainant(number), number, TEXT, now=LATER)
    assert (fresh(session, row).tier, row.desk) == ("gro", "cell")


def test_who_decided_before_does_not_decide_the_appeal(session: Session, filed: Case) -> None:
    office, officers = build.office(session, ["gro", "appeal_officer"])
    build.posting(session, build.post_id(session, office, "appeal_officer"), officers["gro"].id, is_alternate=True)
    row = build.case(session, office=office, filed_at=FILED)
    session.commit()
    both, superior = (build.actor(session, officers[role].username) for role in ("gro", "appeal_officer"))
    number = row.tracking_number
    service.resolve_case(both, number, None, **ANSWER, now=DECIDED)
    appeals.appeal_case(complainant(number), number, TEXT, now=LATER)
    assert fresh(session, row).office_id == office
    assert why_not(service.resolve_case, both, number, None, **ANSWER, now=LATER) == "decided-before"
    assert why_not(service.decline_case, both, number, None, "before_court", TEXT, now=LATER) == "decided-before"
    service.resolve_case(superior, number, None, **ANSWER, now=LATER)


def test_the_window_ends_the_right_to_appeal_and_not_being_informed_keeps_it(
    session: Session, filed: Case, gro: Actor
) -> None:
    number, me = filed.tracking_number, complainant(filed.tracking_number)
    service.resolve_case(gro, number, None, **{**ANSWER, "contact": "could_not_reach", "reason": TEXT}, now=DECIDED)
    session.rollback()
    facts = queries.find_case(session, me, number)[1]
    assert facts.appeal_until_at is None  # no time has begun: no message has arrived
    planned = start(session, filed.id, "appeal_window", CaseFacts(tier="gro"), DECIDED)
    session.commit()
    assert planned.due_on == date(2026, 2, 22)  # a calendar month; the 20th and 21st are no working days
    assert why_not(appeals.appeal_case, me, number, TEXT, now=planned.due_at) == "window-over"
    appeals.appeal_case(me, number, TEXT, now=planned.due_at - timedelta(seconds=1))
    assert clocks(session, filed)["appeal_window", 1] == "met"


# --- the cell recommends ----------------------------------------------------------------------------------------------


@pytest.fixture
def second(session: Session, filed: Case, gro: Actor, appeal: Actor) -> Case:
    """A case of the second appeal."""
    number, me = filed.tracking_number, complainant(filed.tracking_number)
    service.resolve_case(gro, number, None, **ANSWER, now=DECIDED)
    appeals.appeal_case(me, number, TEXT, now=LATER)
    service.resolve_case(appeal, number, None, **ANSWER, now=LATER)
    appeals.appeal_case(me, number, TEXT, now=LATER)
    return fresh(session, filed)


def test_the_ministry_carries_out_what_the_cell_recommends(
    session: Session, second: Case, appeal: Actor, cell: Actor
) -> None:
    number, ministry = second.tracking_number, build.office_id(session)
    appeals.recommend_case(cell, number, None, **RECOMMENDED, now=LATER)
    row = fresh(session, second)
    assert (row.status, row.tier, row.main_clock) == ("in_progress", "cell", "comply")
    assert (row.office_id, row.desk, row.outcome, row.ended_at) == (ministry, "appeal", "answered", None)
    assert row.due_on == build.deadline(session, row.id, "comply").due_on == after(LATER, 20, session)
    assert clocks(session, row)["cell", 1] == "met"
    assert why_not(service.resolve_case, appeal, number, None, **ANSWER, now=LATER) == "comply-instead"
    assert why_not(service.refer_case, appeal, number, None, 2, TEXT, now=LATER) == "comply-instead"
    appeals.comply_case(appeal, number, None, ANSWER["reply"], now=LATER)
    row = fresh(session, second)
    assert (row.status, row.outcome, row.ended_at) == ("resolved", "answered", LATER)
    assert clocks(session, row)["comply", 1] == "met"


def test_a_recommendation_not_carried_out_goes_back_to_the_cell(
    session: Session, second: Case, appeal: Actor, cell: Actor
) -> None:
    number = second.tracking_number
    appeals.recommend_case(cell, number, None, **RECOMMENDED, now=LATER)
    appeals.comply_case(appeal, number, None, ANSWER["reply"], now=LATER)
    appeals.contest_case(complainant(number), number, TEXT, now=LATER)
    row = fresh(session, second)
    assert (row.status, row.tier, row.desk, row.main_clock) == ("filed", "cell", "cell", "cell")
    assert build.deadline(session, row.id, "cell").epoch == 2
    service.resolve_case(cell, number, None, **ANSWER, now=LATER)


def test_only_the_cell_recommends_and_only_the_ministry_complies(
    session: Session, filed: Case, second: Case, gro: Actor, cell: Actor
) -> None:
    other = build.case(session, filed_at=FILED)
    session.commit()
    assert why_not(appeals.recommend_case, gro, other.tracking_number, 1, **RECOMMENDED, now=LATER) == "only-the-cell"
    service.claim_case(gro, other.tracking_number, 1, now=LATER)
    assert why_not(appeals.comply_case, gro, other.tracking_number, 2, TEXT, now=LATER) == "nothing-recommended"
    with pytest.raises(InvalidInput) as caught:
        appeals.recommend_case(cell, second.tracking_number, None, **{**RECOMMENDED, "recommendation": ""}, now=LATER)
    assert set(caught.value.fields) == {"recommendation"}


def test_where_no_ministry_stands_behind_the_case_the_cell_resolves_itself(session: Session, cell: Actor) -> None:
    assert cell.officer_id is not None
    colleague = build.officer(session)
    central = build.office_id(session, "cell")
    build.posting(session, build.post_id(session, central, "cell_officer"), colleague.id, is_alternate=True)
    row = build.case(session, office=central, desk="cell", filed_at=FILED, programme=None)
    session.commit()
    number, other = row.tracking_number, build.actor(session, colleague.username)
    service.resolve_case(cell, number, None, **ANSWER, now=DECIDED)
    appeals.appeal_case(complainant(number), number, TEXT, now=LATER)
    assert (fresh(session, row).tier, row.desk) == ("cell", "cell")
    assert why_not(service.resolve_case, cell, number, None, **ANSWER, now=LATER) == "decided-before"
    assert why_not(appeals.recommend_case, other, number, None, **RECOMMENDED, now=LATER) == "nobody-to-comply"
    service.resolve_case(other, number, None, **ANSWER, now=LATER)


# --- ladder and messages ----------------------------------------------------------------------------------------------


def test_each_clock_climbs_its_own_ladder_and_the_side_clocks_leave_the_level(
    session: Session, second: Case, appeal: Actor, cell: Actor
) -> None:
    number = second.tracking_number
    appeals.recommend_case(cell, number, None, **RECOMMENDED, now=LATER)
    sweep(fresh(session, second).due_at + timedelta(days=30))
    session.rollback()
    comply = build.deadline(session, second.id, "comply")
    climbed = session.execute(
        select(Escalation.level, Escalation.role)
        .join(Deadline, Deadline.id == Escalation.deadline_id)
        .where(Deadline.id == comply.id)
        .order_by(Escalation.level)
    ).all()
    assert [tuple(row) for row in climbed] == [(0, "appeal_officer"), (1, "appeal_officer"), (2, "cell_officer")]
    assert fresh(session, second).level == 2


def test_who_must_know_is_told(session: Session, filed: Case, gro: Actor, appeal: Actor) -> None:
    number, me = filed.tracking_number, complainant(filed.tracking_number)
    service.claim_case(gro, number, None, now=FILED + timedelta(hours=1))
    service.add_information(me, number, TEXT, now=DECIDED)
    service.resolve_case(gro, number, None, **ANSWER, now=DECIDED)
    appeals.contest_case(me, number, TEXT, now=LATER)
    session.rollback()
    told = session.execute(select(Message.template, Message.officer_id).order_by(Message.id)).all()
    assert [tuple(row) for row in told] == [
        ("case-information-officer", gro.officer_id),
        ("case-resolved-complainant", None),
        ("case-appealed-complainant", None),
        ("case-appealed-officer", appeal.officer_id),
    ]
