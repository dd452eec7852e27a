"""Duplicates merged and set apart, alike cases linked, and complaints of many: what becomes of clocks, histories, people and messages."""

import threading
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cases import appeals, charges, informing, links, merging, queries, service
from grm.cases import why as why_page
from grm.cases.links_models import CaseLink
from grm.cases.models import Case, CaseEvent, ContactTask
from grm.cases.verification import Tally, faults
from grm.deadlines.explain import explain_case
from grm.deadlines.models import Deadline
from grm.escalation.sweep import sweep
from grm.kernel.actor import Actor, complainant
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, NotFound
from grm.notifications.models import Message
from grm.notifications.undelivered import follow_up
from tests.support import build

REPLY = "তালিকায় নাম যোগ করা হয়েছে; আগামী কিস্তি থেকে ভাতা পাওয়া যাবে।"
EARLY, LATE = build.dhaka(2026, 1, 4), build.dhaka(2026, 1, 18)
MERGED = build.dhaka(2026, 1, 20)


def two(session: Session, lead_at: datetime = LATE, other_at: datetime = EARLY, **columns: Any) -> tuple[Case, Case]:
    """A lead case and its duplicate, of one phone unless told otherwise."""
    lead = build.case(session, filed_at=lead_at)
    other = build.case(session, filed_at=other_at, **columns)
    session.commit()
    return lead, other


def gro(session: Session) -> Actor:
    return build.actor(session, "gro.social-welfare")


def merge(session: Session, case: Case, lead: Case, now: datetime = MERGED, **more: Any) -> None:
    merging.merge_case(gro(session), case.tracking_number, case.version, lead.tracking_number, now=now, **more)
    refresh(session, case, lead)


def refresh(session: Session, *cases: Case) -> None:
    session.rollback()
    for case in cases:
        session.refresh(case)


def resolve(session: Session, case: Case, now: datetime, who: Actor | None = None) -> None:
    service.resolve_case(
        who or gro(session),
        case.tracking_number,
        case.version,
        outcome="service_given",
        reply=REPLY,
        root_cause="তালিকায় ভুল ছিল",
        prevention="তালিকা যাচাই করা হবে",
        contact="spoke",
        now=now,
    )
    refresh(session, case)


def kinds(session: Session, case: Case) -> list[str]:
    statement = select(CaseEvent.kind).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq)
    return list(session.scalars(statement))


def messages(session: Session, case: Case, template: str) -> list[str]:
    statement = select(Message.key).where(Message.case_id == case.id, Message.key.like(f"{template}%"))
    return sorted(session.scalars(statement))


def assert_whole(session: Session, *cases: Case, now: datetime = MERGED) -> None:
    """Chains hold, every clock explains its date, the row says what the main clock says, and the charged days are all days."""
    refresh(session, *cases)
    assert list(faults(session.connection(), Tally())) == []
    for case in cases:
        explained = explain_case(session, case.id)
        assert all(each.is_consistent for each in explained)
        clock = build.deadline(session, case.id, case.main_clock)
        assert (clock.due_on, clock.due_at) == (case.due_on, case.due_at)
        if not case.is_open:
            assert clock.met_at is not None and clock.next_rung_at is None
        reasons = why_page.load(session, case, now)
        assert sum(each.days for each in reasons.charged.charges) == reasons.charged.days
        versions = [e.data["version"] for e in queries.events_of(session, case.id) if "version" in e.data]
        assert versions == list(range(2, case.version + 1))
    session.rollback()


# --- clocks -----------------------------------------------------------------------------------------------------------


def test_the_lead_is_due_when_the_earlier_of_the_two_is_and_the_duplicate_climbs_no_more(session: Session) -> None:
    lead, other = two(session)
    earlier, own = other.due_on, lead.due_on
    assert earlier < own
    merge(session, other, lead)
    assert (other.status, other.outcome, other.ended_at) == ("closed", "merged", MERGED)
    assert lead.due_on == earlier
    assert_whole(session, lead, other)
    reasons = why_page.load(session, lead, MERGED)
    [moves] = [moves for moves in reasons.moves.values() if moves]
    assert (moves[0].before, moves[0].after, moves[0].is_merge) == (own, earlier, True)
    sweep(build.dhaka(2026, 4, 1))
    rows = session.execute(text("SELECT DISTINCT case_id FROM escalation WHERE level > 0")).scalars()
    assert list(rows) == [lead.id]
    assert kinds(session, lead).count("escalated") == 3, "each rung once, by the earlier date"
    assert kinds(session, other) == ["filed", "merged"]


def test_a_later_duplicate_moves_nothing(session: Session) -> None:
    lead, other = two(session, EARLY, LATE)
    own = lead.due_on
    merge(session, other, lead)
    assert lead.due_on == own and len(list(session.scalars(select(Deadline).where(Deadline.case_id == lead.id)))) == 2
    assert_whole(session, lead, other)


@pytest.mark.parametrize("columns", [{"phone": "+8801811111111"}, {"phone": None}])
def test_another_persons_case_is_merged_only_by_an_officer_who_says_so(
    session: Session, columns: dict[str, Any]
) -> None:
    lead, other = two(session, **columns)
    with pytest.raises(InvalidInput) as refused:
        merge(session, other, lead)
    assert refused.value.fields == {"confirmed": "another-complainant"}
    refresh(session, lead, other)
    assert (other.status, lead.version) == ("filed", 1)
    merge(session, other, lead, is_confirmed=True)
    assert other.outcome == "merged"


def test_a_case_set_apart_goes_on_where_it_stood_and_the_lead_gets_its_date_back(session: Session) -> None:
    lead, other = two(session)
    earlier, own, number = other.due_on, lead.due_on, other.tracking_number
    service.assign_case(gro(session), number, 1, build.officer_id(session, "officer.social-welfare"), now=EARLY)
    service.ask_complainant(gro(session), number, 2, "কোন মাস থেকে ভাতা পান না?", now=build.dhaka(2026, 1, 6))
    service.answer_question(complainant(number), number, "নভেম্বর থেকে", now=build.dhaka(2026, 1, 8))
    refresh(session, other)
    paused = other.due_on
    assert earlier < paused < own, "two days of waiting"
    merge(session, other, lead)
    assert lead.due_on == paused
    sweep(MERGED + timedelta(days=1))
    merging.unmerge_case(gro(session), number, other.version, now=build.dhaka(2026, 1, 25))
    refresh(session, lead, other)
    assert (other.status, other.outcome, other.ended_at) == ("acknowledged", None, None)
    assert other.assignee_id == build.officer_id(session, "officer.social-welfare")
    assert (other.due_on, lead.due_on) == (paused, own)
    assert_whole(session, lead, other, now=build.dhaka(2026, 1, 27))
    reasons = why_page.load(session, other, build.dhaka(2026, 1, 27))
    shares = {each.holder.kind: each.days for each in reasons.charged.charges}
    assert shares["merged"] == 4, "21 to 24 January: the day of an act lies with who had the case when it ended"
    assert shares["complainant"] == 2
    assert charges.MERGED in [each.holder for each in reasons.charged.charges]
    assert "complainant" not in {each.holder.kind for each in why_page.load(session, lead, MERGED).charged.charges}
    sweep(build.dhaka(2026, 4, 1))
    assert kinds(session, other).count("escalated") == 3 and kinds(session, lead).count("escalated") == 3
    assert len(messages(session, other, "case-unmerged-complainant")) == 1


def test_what_the_ladder_has_told_stands_and_is_not_told_again(session: Session) -> None:
    lead, other = two(session)
    late = build.dhaka(2026, 2, 26)
    sweep(late)
    refresh(session, lead, other)
    assert (other.level, lead.level) == (2, 0) and other.due_at < late < lead.due_at
    merge(session, other, lead, now=late)
    merging.unmerge_case(gro(session), other.tracking_number, other.version, now=late + timedelta(hours=1))
    sweep(build.dhaka(2026, 5, 1))
    refresh(session, lead, other)
    assert (other.level, lead.level) == (3, 3)
    assert kinds(session, other).count("escalated") == 3 and kinds(session, other).count("warned") == 2
    assert_whole(session, lead, other, now=build.dhaka(2026, 5, 2))


def test_a_lead_that_waits_for_its_complainant_waits_on_under_the_earlier_date(session: Session) -> None:
    lead, other = two(session)
    service.ask_complainant(gro(session), lead.tracking_number, 1, "কোন হিসাব নম্বর?", now=LATE)
    refresh(session, lead)
    merge(session, other, lead)
    assert (lead.status, lead.is_paused) == ("waiting", True)
    assert lead.due_on == date(2026, 2, 18)
    service.answer_question(complainant(lead.tracking_number), lead.tracking_number, "১২৩", now=build.dhaka(2026, 1, 22))
    refresh(session, lead)
    assert lead.due_on == date(2026, 2, 22), "two working days of waiting after the merge, and a weekend"
    assert_whole(session, lead, other, now=build.dhaka(2026, 1, 23))


# --- the answer -------------------------------------------------------------------------------------------------------


def test_the_answer_of_the_lead_is_told_on_the_own_number_and_can_be_contested_there(session: Session) -> None:
    lead, other = two(session, phone="+8801811111111")
    merge(session, other, lead, is_confirmed=True)
    who, decided = complainant(other.tracking_number), build.dhaka(2026, 1, 25)
    with pytest.raises(IllegalAction, match="not-late-yet"):
        appeals.appeal_case(who, other.tracking_number, "দেরি হচ্ছে", now=decided)
    resolve(session, lead, decided)
    refresh(session, other)
    assert (other.status, other.outcome) == ("closed", "merged")
    answer = queries.events_of(session, other.id)[-1]
    assert (answer.kind, answer.texts) == ("answered_together", {"reply": REPLY})
    assert [len(messages(session, each, "case-resolved-complainant")) for each in (lead, other)] == [1, 1]
    inform = build.deadline(session, other.id, "inform")
    assert inform.met_at is None, "the officer spoke with the lead's complainant, not with this one"
    informing.note_reading(other.tracking_number, now=decided + timedelta(days=1))
    assert build.deadline(session, other.id, "appeal_window").started_at == decided + timedelta(days=1)
    assert_whole(session, lead, other, now=decided)
    appeals.contest_case(who, other.tracking_number, "আমার টাকা আসেনি", now=decided + timedelta(days=2))
    refresh(session, lead, other)
    assert (other.status, other.desk, lead.status) == ("filed", "appeal", "resolved")
    assert links.live_link(session, other.id) is None
    assert kinds(session, lead)[-1] == "unmerged_from"
    assert_whole(session, lead, other, now=decided + timedelta(days=3))
    _, facts = queries.find_case(session, who, other.tracking_number)
    assert gro(session).officer_id in facts.decider_ids, "who has answered the lead has answered this one"


def test_a_decline_goes_on_as_well_and_can_be_appealed(session: Session) -> None:
    lead, other = two(session)
    merge(session, other, lead)
    service.decline_case(gro(session), lead.tracking_number, lead.version, "before_court", REPLY, now=MERGED)
    refresh(session, other)
    who = complainant(other.tracking_number)
    with pytest.raises(IllegalAction, match="window-over"):
        appeals.contest_case(who, other.tracking_number, "আপত্তি", now=MERGED + timedelta(days=1))
    appeals.appeal_case(who, other.tracking_number, "মামলা নেই", now=MERGED + timedelta(days=1))
    refresh(session, lead, other)
    assert (other.status, other.tier, other.main_clock) == ("filed", "appeal", "appeal")
    assert_whole(session, lead, other)


def test_where_the_date_passes_without_an_answer_a_merged_complaint_can_be_appealed_on_silence(session: Session) -> None:
    lead, other = two(session, EARLY, LATE)
    merge(session, other, lead)
    who, number = complainant(other.tracking_number), other.tracking_number
    with pytest.raises(IllegalAction, match="not-late-yet"):
        appeals.appeal_case(who, number, "", now=lead.due_at - timedelta(seconds=1))
    appeals.appeal_case(who, number, "", now=lead.due_at)
    refresh(session, lead, other)
    assert (other.status, other.tier) == ("filed", "appeal")
    assert queries.events_of(session, other.id)[-1].data["is_silence"] is True
    assert lead.is_open and kinds(session, lead)[-1] == "unmerged_from"
    assert_whole(session, lead, other)


def test_who_withdraws_a_merged_complaint_hears_no_more_and_a_withdrawn_lead_sets_the_others_apart(
    session: Session,
) -> None:
    lead, other = two(session)
    third = build.case(session, filed_at=LATE)
    session.commit()
    merge(session, other, lead)
    merge(session, third, lead)
    service.withdraw_case(complainant(other.tracking_number), other.tracking_number, now=MERGED)
    refresh(session, lead, other)
    assert (other.status, other.outcome) == ("withdrawn", "withdrawn")
    service.withdraw_case(complainant(lead.tracking_number), lead.tracking_number, now=MERGED + timedelta(days=1))
    refresh(session, lead, other, third)
    assert (third.status, third.outcome, other.status) == ("acknowledged", None, "withdrawn")
    assert len(messages(session, third, "case-unmerged")) == 2, "its complainant, and who answers for the desk"
    assert [link.why_ended for link in session.scalars(select(CaseLink).order_by(CaseLink.id))] == [
        "withdrawn",
        "lead_ended",
    ]
    assert_whole(session, lead, other, third)


# --- who may, and what may not ----------------------------------------------------------------------------------------


def test_no_chains_and_only_what_one_holds_and_sees(session: Session) -> None:
    lead, other = two(session)
    third = build.case(session, filed_at=LATE)
    sensitive = build.case(session, desk="appeal", category="bribe-demand")
    against = build.case(session, desk="appeal", accused_officers=[build.officer_id(session, "gro.social-welfare")])
    elsewhere = build.case(session, build.office_id(session, "food"), programme="oms")
    appealed = build.case(session, desk="appeal")
    session.commit()
    merge(session, other, lead)

    def why(case: Case, into: Case, who: Actor | None = None) -> str:
        refresh(session, case, into)
        try:
            merging.merge_case(who or gro(session), case.tracking_number, case.version, into.tracking_number, now=MERGED)
        except (IllegalAction, InvalidInput, NotFound) as error:
            session.rollback()
            return next(iter(getattr(error, "fields", {}).values()), error.code)
        return ""

    assert why(lead, third) == "leads-others"
    assert why(third, third) == "same-case"
    assert why(third, other) == "lead-ended"
    assert why(other, third) == "case-ended"
    for hidden in (sensitive, against, elsewhere):
        assert why(third, hidden) == "no-such-case"
        assert why(hidden, third) == "not-found"
    appeal = build.actor(session, "appeal.social-welfare")
    assert why(sensitive, appealed, appeal) == "sensitivity-differs"
    assert why(against, appealed, appeal) == "accuses-others"
    assert why(third, appealed, appeal) == "not-your-part"
    assert why(appealed, third, appeal) == "lead-not-yours"
    with pytest.raises(Conflict):
        merging.merge_case(gro(session), third.tracking_number, third.version + 1, lead.tracking_number, now=MERGED)
    session.rollback()
    session.rollback()
    fourth = build.case(session)
    session.commit()
    links.link_case(gro(session), third.tracking_number, third.version, lead.tracking_number, now=MERGED)
    with pytest.raises(IllegalAction, match="lead-follows"):
        links.link_case(gro(session), fourth.tracking_number, 1, third.tracking_number, now=MERGED)
    assert_whole(session, lead, other, third)


def test_two_officers_who_merge_crosswise_do_not_wait_for_ever(app: Flask, session: Session) -> None:
    for _ in range(5):
        one, two_ = two(session)
        numbers, results = (one.tracking_number, two_.tracking_number), []
        who, barrier = gro(session), threading.Barrier(2)
        session.commit()

        def cross(case: str, lead: str, who: Actor = who, barrier: threading.Barrier = barrier) -> None:
            with app.app_context():
                barrier.wait()
                try:
                    merging.merge_case(who, case, 1, lead, now=MERGED)
                    results.append("merged")
                except (IllegalAction, Conflict) as error:
                    results.append(error.code)

        threads = [threading.Thread(target=cross, args=pair) for pair in (numbers, numbers[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        assert sorted(results)[1] == "merged" and sorted(results)[0] in ("case-changed", "case-ended", "lead-ended")
        assert_whole(session, one, two_)
        assert session.query(CaseLink).filter(CaseLink.ended_at.is_(None)).count() >= 1
