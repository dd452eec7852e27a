"""Duplicates merged and set apart, alike cases linked, and complaints of many: what becomes of clocks, people and messages."""

import random
import re
import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from grm.cases import (
    appeals,
    casepage,
    charges,
    closing,
    collective,
    informing,
    links,
    links_page,
    merging,
    queries,
    service,
    together,
    tracking,
)
from grm.cases import why as why_page
from grm.cases.links_models import CaseLink
from grm.cases.models import Case, CaseEvent, ContactTask
from grm.cases.public_status import status_of
from grm.cases.states import Action
from grm.cases.verification import Tally, faults
from grm.deadlines.explain import explain_case
from grm.deadlines.models import Deadline
from grm.escalation.sweep import sweep
from grm.kernel import clock, context
from grm.kernel.actor import Actor, complainant
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, NotFound
from grm.notifications.models import Message
from grm.notifications.undelivered import follow_up
from grm.offices.models import Leave
from grm.web.locale import speaking
from tests.support import build
from tests.support.citizen import counted_statements

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


def resolve(session: Session, case: Case, now: datetime, who: Actor | None = None, contact: str = "spoke") -> None:
    service.resolve_case(
        who or gro(session),
        case.tracking_number,
        case.version,
        outcome="service_given",
        reply=REPLY,
        root_cause="তালিকায় ভুল ছিল",
        prevention="তালিকা যাচাই করা হবে",
        contact=contact,
        reason="ফোন ধরেননি" if contact == "could_not_reach" else "",
        now=now,
    )
    refresh(session, case)


def kinds(session: Session, case: Case) -> list[str]:
    statement = select(CaseEvent.kind).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq)
    return list(session.scalars(statement))


def is_marked(session: Session, case: Case) -> bool:
    refresh(session, case)
    return case.is_not_informed


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
    away = {"starts_on": date(2026, 1, 22), "ends_on": date(2026, 2, 1), "entered_at": MERGED}
    session.add(Leave(officer_id=build.officer_id(session, "officer.social-welfare"), **away))
    session.commit()
    merging.unmerge_case(gro(session), number, other.version, now=build.dhaka(2026, 1, 25))
    refresh(session, lead, other)
    assert (other.status, other.outcome, other.ended_at) == ("acknowledged", None, None)
    assert other.assignee_id == build.officer_id(session, "officer.social-welfare"), "also while on leave"
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


def test_who_answered_the_lead_may_answer_what_was_set_apart_from_it(session: Session) -> None:
    lead, other = two(session)
    merge(session, other, lead)
    resolve(session, lead, MERGED + timedelta(days=1))
    refresh(session, lead, other)
    merging.unmerge_case(gro(session), other.tracking_number, other.version, now=MERGED + timedelta(days=2))
    refresh(session, other)
    resolve(session, other, MERGED + timedelta(days=3))
    refresh(session, lead, other)
    assert other.status == "resolved", "its answer was another case's: an office with one officer would be stuck"
    assert_whole(session, lead, other, now=MERGED + timedelta(days=4))


def test_an_answer_that_is_sent_back_is_taken_back_from_the_duplicates_too(session: Session) -> None:
    lead, other = two(session)
    merge(session, other, lead)
    resolve(session, lead, MERGED + timedelta(days=1))
    refresh(session, lead, other)
    superior = build.actor(session, "appeal.social-welfare")
    reason = "কত টাকা কবে পাঠানো হয়েছে তা লেখা নেই।"
    closing.send_back_case(superior, lead.tracking_number, lead.version, reason, now=MERGED + timedelta(days=2))
    refresh(session, lead, other)
    _, facts = queries.find_case(session, complainant(other.tracking_number), other.tracking_number)
    assert not facts.is_answered_with_lead and facts.confirm_until_at is None and facts.appeal_until_at is None
    assert kinds(session, other)[-2:] == ["answered_together", "sent_back"]
    assert len(messages(session, other, "case-sent-back-complainant")) == 1
    assert not messages(session, other, "case-sent-back-officer")
    late = build.dhaka(2026, 6, 1)
    resolve(session, lead, late)
    refresh(session, lead, other)
    _, facts = queries.find_case(session, complainant(other.tracking_number), other.tracking_number)
    assert facts.is_answered_with_lead and facts.confirm_until_at is not None
    assert_whole(session, lead, other, now=late)


def test_the_rest_of_the_duplicates_clock_is_no_rest_of_the_leads_office(session: Session) -> None:
    lead, other = two(session, build.dhaka(2026, 1, 8))
    number = other.tracking_number
    service.ask_complainant(gro(session), number, 1, "কোন মাস?", now=build.dhaka(2026, 1, 8, 11))
    service.answer_question(complainant(number), number, "নভেম্বর", now=build.dhaka(2026, 1, 11))
    refresh(session, other)
    merge(session, other, lead)
    assert lead.due_on == date(2026, 2, 19) and build.deadline(session, lead.id).epoch == 2
    shares = {each.holder.kind: each.days for each in why_page.load(session, lead, MERGED).charged.charges}
    assert shares == {"office": 12}
    assert_whole(session, lead, other)


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
    service.answer_question(
        complainant(lead.tracking_number), lead.tracking_number, "১২৩", now=build.dhaka(2026, 1, 22)
    )
    refresh(session, lead)
    assert lead.due_on == date(2026, 2, 22), "two working days of waiting after the merge, and a weekend"
    assert_whole(session, lead, other, now=build.dhaka(2026, 1, 23))


def acts_on(session: Session, case: Case, other: Case, now: datetime) -> dict[str, Callable[[], Any]]:
    """What may be tried with a case and another, by the GRO and by the complainant."""
    who, number, version = gro(session), case.tracking_number, case.version
    person, lead = complainant(number), other.tracking_number
    texts: dict[str, Any] = {"outcome": "answered", "reply": REPLY, "root_cause": "ভুল", "prevention": "যাচাই"}
    return {
        "merge": lambda: merging.merge_case(who, number, version, lead, now=now),
        "unmerge": lambda: merging.unmerge_case(who, number, version, now=now),
        "link": lambda: links.link_case(who, number, version, lead, now=now),
        "unlink": lambda: links.unlink_case(who, number, version, now=now),
        "ask": lambda: service.ask_complainant(who, number, version, "কোন মাস?", now=now),
        "answer": lambda: service.answer_question(person, number, "নভেম্বর", now=now),
        "resolve": lambda: service.resolve_case(who, number, version, contact="spoke", **texts, now=now),
        "contest": lambda: appeals.contest_case(person, number, "সমাধান হয়নি", now=now),
        "appeal": lambda: appeals.appeal_case(person, number, "সমাধান হয়নি", now=now),
        "withdraw": lambda: service.withdraw_case(person, number, now=now),
        "sweep": lambda: sweep(now),
    }


@pytest.mark.parametrize("seed", range(3))
def test_random_lives_of_a_group_of_cases(session: Session, seed: int) -> None:
    """Whoever does whatever in whatever order: chains, dates, charged days and rows hold for all of them, and no case leads and
    follows at once."""
    rng, now = random.Random(seed), build.dhaka(2026, 1, 18)
    group = [build.case(session, filed_at=build.dhaka(2026, 1, 4 + rng.randrange(12))) for _ in range(4)]
    session.commit()
    done = 0
    for _ in range(45):
        now += timedelta(hours=rng.randrange(2, 40))
        refresh(session, *group)
        case, other = rng.sample(group, 2)
        acts = acts_on(session, case, other, now)
        weights = {
            "merge": 8,
            "unmerge": 5,
            "link": 3,
            "ask": 3,
            "answer": 3,
            "withdraw": 0.3,
            "resolve": 0.7,
            "sweep": 2,
        }
        name = rng.choices(list(acts), [weights.get(each, 1) for each in acts])[0]
        try:
            acts[name]()
            done += name != "sweep"
        except (IllegalAction, InvalidInput, NotFound):
            session.rollback()
            if case.waiting_until is not None and case.waiting_until <= now:
                service.resume_wait(case.tracking_number, now=now)
    assert done >= 8
    assert_whole(session, *group, now=now)
    live = session.scalars(select(CaseLink).where(CaseLink.ended_at.is_(None))).all()
    assert not {link.case_id for link in live} & {link.lead_id for link in live}
    for case in group:
        merged = [link for link in live if link.case_id == case.id and link.kind == "merged"]
        assert bool(merged) == (case.outcome == "merged")


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


def test_where_the_date_passes_without_an_answer_a_merged_complaint_can_be_appealed_on_silence(
    session: Session,
) -> None:
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
            merging.merge_case(
                who or gro(session), case.tracking_number, case.version, into.tracking_number, now=MERGED
            )
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
        numbers = (one.tracking_number, two_.tracking_number)
        results: list[str] = []
        who, barrier = gro(session), threading.Barrier(2)
        session.commit()

        def cross(
            case: str, lead: str, who: Actor = who, barrier: threading.Barrier = barrier, found: list[str] = results
        ) -> None:
            with app.app_context():
                barrier.wait()
                try:
                    merging.merge_case(who, case, 1, lead, now=MERGED)
                    found.append("merged")
                except (IllegalAction, Conflict) as error:
                    found.append(error.code)

        threads = [threading.Thread(target=cross, args=pair) for pair in (numbers, numbers[::-1])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=20)
        assert sorted(results)[1] == "merged" and sorted(results)[0] in ("case-changed", "case-ended", "lead-ended")
        assert_whole(session, one, two_)
        assert session.query(CaseLink).filter(CaseLink.ended_at.is_(None)).count() >= 1


# --- alike cases ------------------------------------------------------------------------------------------------------


def test_linked_cases_keep_their_clocks_and_get_one_answer_each_by_its_own_act(session: Session) -> None:
    lead, one = two(session, LATE, EARLY)
    two_, complained = build.case(session, filed_at=LATE, phone="+8801811111111"), build.case(session, filed_at=LATE)
    later, last = build.case(session, filed_at=LATE), build.case(session, filed_at=LATE)
    session.commit()
    dates = (lead.due_on, one.due_on)
    for follower in (one, two_, complained):
        links.link_case(gro(session), follower.tracking_number, 1, lead.tracking_number, now=MERGED)
    links.unlink_case(gro(session), complained.tracking_number, 2, now=MERGED)
    refresh(session, lead, one, two_, complained)
    assert (lead.due_on, one.due_on) == dates and one.status == "filed"
    assert [each.tracking_number for each in links.links_of(session, gro(session), lead.tracking_number)] == [
        one.tracking_number,
        two_.tracking_number,
    ]
    with pytest.raises(IllegalAction, match="not-resolved-yet"):
        together.answer_followers(gro(session), lead.tracking_number, now=MERGED)
    resolve(session, lead, MERGED)
    service.refer_case(
        gro(session), two_.tracking_number, 2, build.office_id(session, "food"), "খাদ্যের বিষয়", now=MERGED
    )
    done = together.answer_followers(gro(session), lead.tracking_number, now=MERGED)
    refresh(session, lead, one, two_, complained)
    assert (done.count, list(done.refused.items()), done.left) == (1, [(two_.tracking_number, "not-your-part")], 0)
    assert (one.status, one.outcome, two_.status, complained.status) == (
        "resolved",
        "service_given",
        "acknowledged",
        "filed",
    )
    answer = next(line for line in queries.events_of(session, one.id) if line.kind == "resolved")
    assert answer.texts["reply"] == REPLY and answer.data["contact"] == "could_not_reach"
    assert len(messages(session, one, "case-resolved-complainant")) == 1
    assert build.deadline(session, one.id, "inform").met_at is None, "nobody has spoken with this one"
    assert together.answer_followers(gro(session), lead.tracking_number, now=MERGED).count == 0
    refresh(session, complained)
    links.link_case(gro(session), complained.tracking_number, 3, later.tracking_number, now=MERGED)
    refresh(session, complained, later)
    resolve(session, complained, MERGED)
    refresh(session, later)
    merge(session, later, last)  # what is linked under it has ended, so there is no chain
    assert [link.why_ended for link in session.scalars(select(CaseLink).where(CaseLink.lead_id == later.id))] == [
        "lead_ended"
    ]
    assert_whole(session, lead, one, two_, complained)


def test_a_linked_case_may_be_merged_and_nobody_sees_one_case_through_another(session: Session) -> None:
    lead, other = two(session)
    links.link_case(gro(session), other.tracking_number, 1, lead.tracking_number, now=MERGED)
    refresh(session, lead, other)
    merge(session, other, lead)
    assert [link.why_ended for link in session.scalars(select(CaseLink).order_by(CaseLink.id))] == ["replaced", None]
    service.refer_case(
        gro(session), lead.tracking_number, lead.version, build.office_id(session, "food"), "খাদ্যের বিষয়", now=MERGED
    )
    food, appeal = build.actor(session, "gro.food"), build.actor(session, "appeal.social-welfare")
    assert links.links_of(session, food, lead.tracking_number) == ()
    assert [each.kind for each in links.links_of(session, appeal, other.tracking_number)] == ["merged"]
    for who in (food, gro(session), appeal):
        for case in (lead, other):
            if queries.can_find(session, who, case.tracking_number):
                seen = [each.tracking_number for each in links.links_of(session, who, case.tracking_number)]
                assert all(queries.can_find(session, who, number) for number in seen)
    refresh(session, lead)
    resolve(session, lead, MERGED + timedelta(days=1), food)
    assert kinds(session, other)[-1] == "answered_together", "answered though its lead went to another office"
    refresh(session, other)
    merging.unmerge_case(gro(session), other.tracking_number, other.version, now=MERGED + timedelta(days=2))
    assert_whole(session, lead, other, now=MERGED + timedelta(days=2))


# --- many complainants ------------------------------------------------------------------------------------------------


def test_everybody_in_a_complaint_is_told_once_and_who_is_not_reached_is_named(session: Session) -> None:
    case = build.case(session, email="a@example.org")
    session.commit()
    number = case.tracking_number

    def add(**who: str) -> None:
        refresh(session, case)
        collective.add_complainant(gro(session), number, case.version, **who, now=MERGED)

    def faults_of(**who: str) -> dict[str, str]:
        with pytest.raises(InvalidInput) as refused:
            add(**who)
        session.rollback()
        return dict(refused.value.fields)

    assert faults_of() == {"name": "phone-or-email"}
    assert faults_of(phone="01212345678", email="a@b") == {"phone": "phone-wrong", "email": "email-wrong"}
    assert faults_of(phone="০১৭১২৩৪৫৬৭৮") == {"phone": "already-in-it"}
    assert faults_of(email="A@example.org") == {"email": "already-in-it"}
    add(name="রহিমা বেগম", phone="০১৮১১ ১১১১১১")
    add(name="করিম", email="karim@example.org")
    add(name="শুধু নাম")
    refresh(session, case)
    assert len(messages(session, case, "case-joined-complainant")) == 2
    people = queries.people_of(session, case, context.keyring())
    assert [(each.role, each.name, each.phone) for each in people[1:]] == [
        ("member", "রহিমা বেগম", "+8801811111111"),
        ("member", "করিম", None),
        ("member", "শুধু নাম", None),
    ]
    # A second row of the same phone, as a registry might have it: one message for the phone all the same.
    session.execute(
        text(
            "INSERT INTO complainant (case_id, role, phone_sealed, phone_index) "
            "SELECT case_id, 'member', phone_sealed, phone_index FROM complainant WHERE id = (SELECT min(id) FROM complainant)"
        )
    )
    session.commit()
    resolve(session, case, MERGED, contact="could_not_reach")
    told = messages(session, case, "case-resolved-complainant")
    assert [key.split(":")[3] for key in told] == ["email", "sms", "sms"]
    session.execute(
        text("UPDATE message SET state = 'delivered', ended_at = :at WHERE key LIKE 'case-resolved%:email:%'"),
        {"at": MERGED},
    )
    session.commit()
    assert follow_up(MERGED).arrived == 1
    assert build.deadline(session, case.id, "inform").met_at is None, "who filed does not know yet"
    member = next(key for key in told if key.count(":") == 4 and ":sms:" in key)
    session.execute(
        text("UPDATE message SET state = CASE WHEN key = :key THEN 'failed' ELSE 'delivered' END, ended_at = :at, "
             "error = CASE WHEN key = :key THEN 'refused' END WHERE key LIKE 'case-resolved%'"),
        {"key": member, "at": MERGED},
    )  # fmt: skip
    session.commit()
    follow_up(MERGED + timedelta(hours=1))
    refresh(session, case)
    [task] = informing.open_tasks(session, case)
    assert is_marked(session, case) and task.complainant_id == int(member.split(":")[4])
    informing.note_reading(number, now=MERGED + timedelta(hours=2))
    assert is_marked(session, case), "who filed has read it, not the other"
    told_by_phone: dict[str, Any] = {"how": "phone", "contacted_on": MERGED.date(), "now": MERGED + timedelta(hours=3)}
    informing.inform_case(gro(session), number, case.version, whom=0, **told_by_phone)
    assert is_marked(session, case), "who filed was called, not the other"
    page = casepage.load(session, gro(session), number)
    [section] = [each for each in page.sections if each.action is Action.INFORM]
    choices: Any = section.form["whom"]
    assert [value for value, _ in choices.choices] == ["", "0", str(task.complainant_id)]
    assert page.whom(page.contact_tasks[0]) == "রহিমা বেগম"
    informing.inform_case(gro(session), number, case.version, whom=task.complainant_id, **told_by_phone)
    assert not is_marked(session, case) and session.scalars(select(ContactTask.how)).all() == ["phone"]
    assert_whole(session, case)


def test_in_an_anonymous_complaint_nobody_is_named(session: Session) -> None:
    case = build.case(session, is_anonymous=True, phone=None)
    session.commit()
    with pytest.raises(IllegalAction, match="anonymous-stays"):
        collective.add_complainant(gro(session), case.tracking_number, 1, name="রহিমা", now=MERGED)


# --- the pages --------------------------------------------------------------------------------------------------------


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """The GRO, signed in and reading English."""
    client = app.test_client()
    token = token_of(client.get("/login?lang=en").text)
    client.post("/login", data={"csrf_token": token, "username": "gro.social-welfare", "password": "demo"})
    return client


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return unescape(found[1])


def test_a_working_day_with_duplicates_in_the_browser(session: Session, browser: FlaskClient, app: Flask) -> None:
    today = clock.now(session)
    lead, other = two(session, today, today - timedelta(days=3), phone="+8801811111111")
    follower, hidden = build.case(session, filed_at=today), build.case(session, desk="appeal", category="bribe-demand")
    session.commit()
    address = f"/cases/{lead.tracking_number}/links"
    browser.get(
        f"/cases/{follower.tracking_number}"
    )  # its forms are kept in memory: they must not serve for the lead's

    def press(**fields: str) -> TestResponse:
        return browser.post(address, data={"csrf_token": token_of(browser.get(address).text), **fields})

    refused = browser.get(f"{address}?number={hidden.tracking_number}")
    unknown = browser.get(f"{address}?number=0000000000000")
    assert refused.status_code == unknown.status_code == 422
    assert "no case with this number" in refused.text and hidden.details not in refused.text
    page = browser.get(f"{address}?number={other.tracking_number}").text
    assert "These may be different people" in page and "Merge the other case into this one" in page
    pair = {"number": other.tracking_number, "version": "1", "other_version": "1", "what": "merge_other"}
    answer = press(**pair)
    assert answer.status_code == 422 and "different people" in answer.text
    assert press(**{**pair, "number": hidden.tracking_number}, confirmed="1").status_code == 422
    assert press(**{**pair, "other_version": "7"}, confirmed="1").status_code == 409
    assert press(**pair, confirmed="1").status_code == 303
    assert press(what="link_other", number=follower.tracking_number).status_code == 303
    page = browser.get(f"/cases/{lead.tracking_number}").text
    assert "Merged into this one" in page and "Linked under this one" in page
    assert page.count("This answer also goes to the complainant of 1 merged case") == 2, "of an answer and of a decline"
    assert page.count('name="together"') == 1
    assert "Also answer the 1 open case linked under this one" in page
    token, version = token_of(page), re.findall(r'name="version" value="(\d+)"', page)[0]
    reply = {"outcome": "service_given", "reply": REPLY, "contact": "spoke", "root_cause": "ভুল", "prevention": "যাচাই"}
    answer = browser.post(
        f"/cases/{lead.tracking_number}",
        data={"csrf_token": token, "action": "RESOLVE", "version": version, "together": "1", **reply},
    )
    assert answer.status_code == 303 and answer.headers["Location"] == f"{address}?done=TOGETHER"
    refresh(session, lead, other, follower)
    assert (lead.status, other.status, follower.status) == ("resolved", "closed", "resolved")
    assert "The answer was given to the linked cases" in browser.get(f"{address}?done=TOGETHER").text
    undone = press(what="unmerge", number=other.tracking_number, other_version=str(other.version))
    refresh(session, other)
    assert undone.status_code == 303 and other.status == "acknowledged"


def test_the_page_of_a_lead_reads_many_followers_as_it_reads_one(session: Session, app: Flask) -> None:
    lead = build.case(session, filed_at=LATE)
    counts: list[int] = []
    for _ in range(2):
        for follower in [build.case(session, filed_at=EARLY) for _ in range(1 + 5 * len(counts))]:
            session.commit()
            links.link_case(gro(session), follower.tracking_number, None, lead.tracking_number, now=MERGED)
        session.rollback()
        with counted_statements(app) as made:
            page = links_page.load(session, gro(session), lead.tracking_number)
        counts.append(len(made))
    assert len(page.may_take_off) == len(page.links) == 7
    assert counts[1] <= counts[0] + 2, "but for a question about the edition now and then"
    refresh(session, lead)
    resolve(session, lead, MERGED + timedelta(days=1))
    with counted_statements(app) as made:
        page = links_page.load(session, gro(session), lead.tracking_number)
    assert len(page.left) == 7 and len(made) <= counts[0] + 2


def test_the_tracking_page_of_a_merged_complaint_tells_of_the_answer_and_not_of_the_other_one(
    session: Session, app: Flask
) -> None:
    today = clock.now(session)
    lead, other = two(session, today, today - timedelta(days=9), phone="+8801811111111", details="আমার ভাতা আসে না")
    number = other.tracking_number
    merge(session, other, lead, now=today, is_confirmed=True)

    def tracked(action: str = "", **fields: str) -> str:
        client = app.test_client()
        token = token_of(client.get("/track?lang=en").text)
        with app.app_context():
            view = tracking.view_token(number, today)
        return client.post("/track", data={"csrf_token": token, "view": view, "action": action, **fields}).text

    page = tracked()
    assert "answered together with another about the same matter" in page
    assert (
        f"{lead.due_on.day} {lead.due_on:%B %Y}" in page
        and "if the date passes without one, you may appeal at once" in page
    )
    for secret in (lead.tracking_number, lead.tracking_number[:4], lead.details):
        assert secret not in page
    assert "What you added is with the office" in tracked("add_information", information="আরও একটি কথা", version="2")
    refresh(session, lead)
    resolve(session, lead, today + timedelta(minutes=1))
    page = tracked()
    assert REPLY in page and "Is it not solved?" in page and lead.tracking_number not in page
    assert "A higher officer has your complaint now" in tracked("contest", not_solved="টাকা আসেনি")
    refresh(session, other)
    assert (other.status, other.desk) == ("filed", "appeal")
    with speaking("en"):
        status = status_of(session, lead.tracking_number, today + timedelta(hours=1))
    words = " ".join(event.title for event in status.events)
    assert number not in words and "because of another complaint about the same matter" in words
    assert any("another complaint about the same matter, filed earlier" in each for each in status.why)
