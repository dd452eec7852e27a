"""Acts on many cases: each case is an act of its own, refused in words, done once, and ended only with approval."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from grm.cases import acts, bulk, bulk_queries, bulk_rules, bulk_run, service
from grm.cases.bulk_models import BulkAct, BulkItem
from grm.cases.closing import Questioned
from grm.cases.models import Case, CaseEvent
from grm.cases.queue import Queue
from grm.cases.states import Action
from grm.kernel.actor import Actor
from grm.kernel.audit import AuditEntry
from grm.kernel.errors import IllegalAction, InvalidInput, NotFound
from grm.notifications.models import Message
from grm.offices.queries import directory
from tests.support import build

REASON = "একই ধরনের অভিযোগ, একই উত্তর প্রযোজ্য।"
ANSWER = {
    "outcome": "service_given",
    "reply": "আপনার বকেয়া ভাতা ১২ জানুয়ারি ২০২৬ তারিখে আপনার মোবাইল হিসাবে পাঠানো হয়েছে।",
    "root_cause": "তালিকা দেরিতে অনুমোদিত হয়েছে।",
    "prevention": "তালিকা প্রতি মাসের ৫ তারিখের মধ্যে অনুমোদন করা হবে।",
    "contact": "spoke",
    "reason": "",
}


@pytest.fixture
def people(session: Session) -> dict[str, Actor]:
    """Officers of one ministry, its cell and another ministry."""
    names = ("gro.social-welfare", "officer.social-welfare", "appeal.social-welfare", "cabinet", "gro.food")
    return {name.partition(".")[0] if "food" not in name else "other": build.actor(session, name) for name in names}


@pytest.fixture
def desk(session: Session) -> Queue:
    """The GRO's desk of that ministry."""
    return Queue(build.office_id(session), "gro")


def some(session: Session, count: int, **columns: Any) -> list[Case]:
    """Cases at the desk."""
    made = [build.case(session, **columns) for _ in range(count)]
    session.commit()
    return made


def picks(cases: list[Case]) -> list[tuple[str, int]]:
    """As the queue's form names them."""
    return [(case.tracking_number, case.version) for case in cases]


def outcome_of(session: Session, bulk_id: int) -> dict[str, tuple[str, str | None]]:
    """What became of each case."""
    rows = session.execute(
        select(Case.tracking_number, BulkItem.state, BulkItem.code)
        .join(Case, Case.id == BulkItem.case_id)
        .where(BulkItem.bulk_act_id == bulk_id)
    )
    return {number: (state, code) for number, state, code in rows}


def events_of(session: Session, cases: list[Case], kind: str) -> list[int]:
    """How many events of a kind each case has."""
    count = select(func.count()).where(CaseEvent.kind == kind)
    return [session.execute(count.where(CaseEvent.case_id == case.id)).scalar_one() for case in cases]


def test_each_case_is_assigned_by_itself_and_each_refusal_says_why(
    session: Session, people: dict[str, Actor], desk: Queue
) -> None:
    clerk = people["officer"].officer_id
    assert clerk is not None
    well, changed, ended, moved = some(session, 4)
    named = picks([well, changed, ended, moved])
    service.add_note(people["gro"], changed.tracking_number, 1, "ফোনে কথা হয়েছে।")
    build.case(session, build.office_id(session, "food"))
    foreign = build.case(session, build.office_id(session, "food"))
    sensitive = build.case(session, desk="appeal", category="bribe-demand")
    session.execute(update(Case).where(Case.id == moved.id).values(desk="appeal"))
    session.execute(
        update(Case)
        .where(Case.id == ended.id)
        .values(status="withdrawn", outcome="withdrawn", ended_at=build.dhaka(2026, 1, 5))
    )
    session.commit()
    named += [(foreign.tracking_number, 1), (sensitive.tracking_number, 1), ("0000000000000", 1)]
    asked = bulk.ask_bulk(people["gro"], desk, Action.ASSIGN, {"assignee": str(clerk)}, named)
    assert asked.missing == 4, (
        "another ministry's, the sensitive, the one at the appeal desk and an invented one look alike"
    )
    assert bulk_run.run_bulk(asked.id, 25) == 2, "one is known to be impossible at once"
    assert outcome_of(session, asked.id) == {
        well.tracking_number: ("done", None),
        changed.tracking_number: ("refused", "case-changed"),
        ended.tracking_number: ("refused", "case-ended"),
    }
    session.expire_all()
    assert (well.assignee_id, well.version, changed.assignee_id) == (clerk, 2, None)
    row = session.get_one(BulkAct, asked.id)
    assert row.state == "done" and row.finished_at is not None
    trail = session.scalars(select(AuditEntry.kind).where(AuditEntry.stream == "bulk")).all()
    assert trail == ["bulk-asked"]
    again = bulk.ask_bulk(people["gro"], desk, Action.ASSIGN, {"assignee": str(clerk)}, picks([changed]))
    bulk_run.run_bulk(again.id, 25)
    assert outcome_of(session, again.id) == {changed.tracking_number: ("done", None)}, (
        "a second try with what is now seen"
    )


def test_referred_cases_begin_at_the_other_office(session: Session, people: dict[str, Actor], desk: Queue) -> None:
    cases = some(session, 3)
    fields = {"office": "food", "reason": REASON}
    codes = {office.code for office in directory(session).offices}
    fields["office"] = next(code for code in codes if "food" in code)
    asked = bulk.ask_bulk(people["gro"], desk, Action.REFER, fields, picks(cases))
    assert bulk_run.run_bulk(asked.id, 2) == 2 and session.get_one(BulkAct, asked.id).state == "running"
    session.rollback()
    assert bulk_run.run_all(5.0) == 1
    session.expire_all()
    assert {case.office_id for case in cases} == {build.office_id(session, "food")}
    assert events_of(session, cases, "referred") == [1, 1, 1]


@pytest.mark.parametrize(
    ("action", "fields", "fault"),
    [
        (Action.ASSIGN, {"assignee": "1"}, {"assignee": "choose-one"}),
        (Action.REFER, {"office": "nowhere", "reason": ""}, {"office": "choose-one", "reason": "missing"}),
        (
            Action.RESOLVE,
            {**ANSWER, "reply": "ঠিক আছে", "outcome": ""},
            {"outcome": "choose-one", "reply": "too-short"},
        ),
        (Action.CLOSE, {"reason": "x" * 10_001}, {"reason": "too-long"}),
    ],
)
def test_a_form_that_is_wrong_whatever_the_case_is_not_put_away(
    session: Session,
    people: dict[str, Actor],
    desk: Queue,
    action: Action,
    fields: dict[str, str],
    fault: dict[str, str],
) -> None:
    cases = some(session, 1)
    with pytest.raises(InvalidInput) as caught:
        bulk.ask_bulk(people["gro"], desk, action, fields, picks(cases))
    assert caught.value.fields == fault
    assert session.execute(select(func.count()).select_from(BulkAct)).scalar_one() == 0


def test_a_reply_that_says_nothing_is_questioned_before_anybody_is_asked_to_approve(
    session: Session, people: dict[str, Actor], desk: Queue
) -> None:
    cases = some(session, 1) + some(session, 1, language="en")
    hollow = {**ANSWER, "reply": "আপনার অভিযোগটি গ্রহণ করা হয়েছে এবং যথাযথ ব্যবস্থা নেওয়া হয়েছে।"}
    with pytest.raises(Questioned) as caught:
        bulk.ask_bulk(people["gro"], desk, Action.RESOLVE, hollow, picks(cases))
    assert {each.code for each in caught.value.questions} == {"empty", "language"}
    asked = bulk.ask_bulk(people["gro"], desk, Action.RESOLVE, {**hollow, "confirmed": "empty language"}, picks(cases))
    bulk.decide_bulk(people["appeal"], asked.id, "approve", REASON)
    bulk_run.run_bulk(asked.id, 25)
    assert set(outcome_of(session, asked.id).values()) == {("done", None)}, "one text to all is what was approved"


def test_no_case_and_too_many(session: Session, people: dict[str, Actor], desk: Queue) -> None:
    with pytest.raises(InvalidInput) as caught:
        bulk.ask_bulk(people["gro"], desk, Action.CLOSE, {"reason": ""}, [("0000000000000", 1)])
    assert caught.value.fields == {"case": "choose-cases"}
    many = [(f"{number:013d}", 1) for number in range(bulk_rules.MOST_CASES + 1)]
    some(session, 1)
    with pytest.raises(InvalidInput) as caught:
        bulk.ask_bulk(people["gro"], desk, Action.CLOSE, {"reason": ""}, many)
    assert caught.value.fields["case"] in ("too-many-cases", "choose-cases")
    with pytest.raises(NotFound):
        bulk.ask_bulk(people["other"], desk, Action.CLOSE, {"reason": ""}, [("0000000000000", 1)])


def test_answers_and_closings_wait_for_somebody_else(session: Session, people: dict[str, Actor], desk: Queue) -> None:
    cases = some(session, 3, assignee=people["officer"].officer_id, status="in_progress")
    asked = bulk.ask_bulk(people["officer"], desk, Action.RESOLVE, ANSWER, picks(cases))
    assert bulk_run.run_bulk(asked.id, 25) == 0 and bulk_run.run_all(1.0) == 0, "nothing happens before"
    assert [each.id for each in bulk_queries.unfinished_of(session, people["officer"].officer_id or 0)] == [asked.id]
    for stranger in ("officer", "other"):
        assert bulk_queries.count_to_decide(session, people[stranger]) == 0
        with pytest.raises(NotFound):
            bulk.decide_bulk(people[stranger], asked.id, "approve", REASON)
    for name in ("gro", "appeal", "cabinet"):
        assert bulk_queries.count_to_decide(session, people[name]) == 1, name
    told = select(Message.officer_id, Message.case_id).where(Message.template == "bulk-asked-officer")
    assert session.execute(told).all() == [(people["gro"].officer_id, None)], "the nearest above is told"
    with pytest.raises(InvalidInput) as caught:
        bulk.decide_bulk(people["gro"], asked.id, "approve", " ")
    assert caught.value.fields == {"reason": "missing"}
    assert bulk.decide_bulk(people["gro"], asked.id, "approve", REASON)
    with pytest.raises(IllegalAction):
        bulk.decide_bulk(people["appeal"], asked.id, "refuse", REASON)
    answered = select(Message.officer_id).where(Message.template == "bulk-decided-officer")
    assert session.scalars(answered).all() == [people["officer"].officer_id]
    assert bulk_run.run_bulk(asked.id, 25) == 3
    assert set(outcome_of(session, asked.id).values()) == {("done", None)}
    session.expire_all()
    assert {case.status for case in cases} == {"resolved"}
    actors = select(CaseEvent.actor_id).where(CaseEvent.kind == "resolved").distinct()
    assert session.scalars(actors).all() == [people["officer"].officer_id], "the act is the asker's"
    closing = bulk.ask_bulk(people["gro"], desk, Action.CLOSE, {"reason": ""}, picks(cases))
    with pytest.raises(NotFound):
        bulk.decide_bulk(people["gro"], closing.id, "approve", REASON)
    assert bulk_queries.count_to_decide(session, people["gro"]) == 0, "nobody above the GRO is the GRO"
    assert not bulk.decide_bulk(people["appeal"], closing.id, "refuse", "আপিলের সময় শেষ হয়নি।")
    assert session.get_one(BulkAct, closing.id, populate_existing=True).state == "refused"
    assert bulk_run.run_bulk(closing.id, 25) == 0
    kinds = select(AuditEntry.kind).where(AuditEntry.stream == "bulk").order_by(AuditEntry.seq)
    assert session.scalars(kinds).all() == ["bulk-asked", "bulk-approved", "bulk-asked", "bulk-refused"]
    with pytest.raises(IntegrityError):  # the table itself
        session.execute(
            update(BulkAct).where(BulkAct.id == asked.id).values(decided_by_id=people["officer"].officer_id)
        )
    session.rollback()


def test_what_the_decider_must_not_know_of_is_not_approved(
    session: Session, people: dict[str, Actor], desk: Queue
) -> None:
    appeal = people["appeal"]
    assert appeal.officer_id is not None
    (plain,) = some(session, 1, status="in_progress")
    (about,) = some(session, 1, status="in_progress", accused_officers=[appeal.officer_id])
    asked = bulk.ask_bulk(people["gro"], desk, Action.RESOLVE, ANSWER, picks([plain, about]))
    (row,) = bulk_queries.to_decide(session, appeal)
    assert row.cases == 1, "counts too"
    assert [each.tracking_number for each in bulk_queries.items_of(session, appeal, asked.id)] == [
        plain.tracking_number
    ]
    bulk.decide_bulk(appeal, asked.id, "approve", REASON)
    bulk_run.run_bulk(asked.id, 25)
    assert outcome_of(session, asked.id) == {
        plain.tracking_number: ("done", None),
        about.tracking_number: ("refused", "not-approved"),
    }


def test_who_must_not_know_of_any_of_the_cases_learns_of_no_act(
    session: Session, people: dict[str, Actor], desk: Queue
) -> None:
    appeal, cell = people["appeal"], people["cabinet"]
    about = some(session, 2, status="in_progress", accused_officers=[appeal.officer_id])
    asked = bulk.ask_bulk(people["gro"], desk, Action.RESOLVE, ANSWER, picks(about))
    assert not bulk_queries.to_decide(session, appeal) and bulk_queries.count_to_decide(session, appeal) == 0
    with pytest.raises(NotFound):
        bulk_queries.find_bulk(session, appeal, asked.id)
    session.rollback()
    with pytest.raises(NotFound):
        bulk.decide_bulk(appeal, asked.id, "approve", REASON)
    told = session.scalars(select(Message.officer_id).where(Message.template == "bulk-asked-officer")).all()
    assert told and appeal.officer_id not in told, "who may decide is told instead"
    assert bulk_queries.count_to_decide(session, cell) == 1
    assert bulk.decide_bulk(cell, asked.id, "refuse", REASON) is False


def test_nobody_is_asked_to_approve_what_is_impossible(session: Session, people: dict[str, Actor], desk: Queue) -> None:
    cases = some(session, 2)
    asked = bulk.ask_bulk(people["gro"], desk, Action.CLOSE, {"reason": ""}, picks(cases))
    assert set(outcome_of(session, asked.id).values()) == {("refused", "not-resolved-yet")}
    assert session.get_one(BulkAct, asked.id).state == "done"
    assert bulk_queries.count_to_decide(session, people["appeal"]) == 0


def test_a_request_can_be_withdrawn_until_it_is_decided(
    session: Session, people: dict[str, Actor], desk: Queue
) -> None:
    cases = some(session, 1, status="in_progress")
    asked = bulk.ask_bulk(people["gro"], desk, Action.RESOLVE, ANSWER, picks(cases))
    with pytest.raises(NotFound):
        bulk.withdraw_bulk(people["appeal"], asked.id)
    bulk.withdraw_bulk(people["gro"], asked.id)
    with pytest.raises(IllegalAction):
        bulk.decide_bulk(people["appeal"], asked.id, "approve", REASON)
    assert bulk_queries.unfinished_of(session, people["gro"].officer_id or 0) == ()


def test_who_has_left_the_post_meanwhile_has_lost_what_it_allowed(
    session: Session, people: dict[str, Actor], desk: Queue
) -> None:
    cases = some(session, 2, status="in_progress")
    asked = bulk.ask_bulk(people["gro"], desk, Action.RESOLVE, ANSWER, picks(cases))
    bulk.decide_bulk(people["cabinet"], asked.id, "approve", REASON)
    build.vacate(session, desk.office_id, "gro")
    session.commit()
    bulk_run.run_bulk(asked.id, 25)
    assert set(outcome_of(session, asked.id).values()) == {("refused", "not-found")}


class Killed(BaseException):
    """What a SIGKILL leaves: nothing that was not committed."""


def test_killed_anywhere_no_case_is_left_out_or_done_twice(
    session: Session, people: dict[str, Actor], desk: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = some(session, 6)
    asked = bulk.ask_bulk(
        people["gro"], desk, Action.ASSIGN, {"assignee": str(people["officer"].officer_id)}, picks(cases)
    )
    plain = acts.ACTS[Action.ASSIGN]

    def killed(at: int, *, is_after: bool) -> Callable[..., int]:
        calls = iter(range(100))

        def act(*args: Any) -> int:
            is_last = next(calls) == at
            if is_last and not is_after:
                raise Killed
            version = plain(*args)
            if is_last:
                raise Killed
            return version

        return act

    for at, is_after in ((1, False), (1, True), (0, False)):
        monkeypatch.setitem(acts.ACTS, Action.ASSIGN, killed(at, is_after=is_after))
        with pytest.raises(Killed):
            bulk_run.run_bulk(asked.id, 25)
        session.rollback()
    monkeypatch.setitem(acts.ACTS, Action.ASSIGN, plain)
    assert [each.cases_left for each in bulk_queries.unfinished_of(session, people["gro"].officer_id or 0)] == [3]
    assert bulk_run.run_bulk(asked.id, 25) == 3
    assert set(outcome_of(session, asked.id).values()) == {("done", None)}
    assert events_of(session, cases, "assigned") == [1] * 6


def test_two_runs_at_once_share_the_cases(app: Flask, session: Session, people: dict[str, Actor], desk: Queue) -> None:
    cases = some(session, 12)
    asked = bulk.ask_bulk(
        people["gro"], desk, Action.ASSIGN, {"assignee": str(people["officer"].officer_id)}, picks(cases)
    )
    handled: list[int] = []

    def run() -> None:
        with app.app_context():
            handled.append(bulk_run.run_bulk(asked.id, 100))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(handled) == 12 and len(handled) == 3
    assert events_of(session, cases, "assigned") == [1] * 12
    assert session.get_one(BulkAct, asked.id, populate_existing=True).state == "done"


def test_the_list_of_approvals_is_whom_the_rule_allows(session: Session, people: dict[str, Actor], desk: Queue) -> None:
    """`_decidable` and `bulk_rules.may_decide` are one rule, said twice."""
    head = build.officer(session)
    build.posting(session, build.post_id(session, desk.office_id, "head"), head.id)
    session.commit()
    deciders = {**people, "head": build.actor(session, head.username)}
    offices = (desk.office_id, build.office_id(session, "food"), build.office_id(session, "cell"))
    askers = [people[name].officer_id or 0 for name in ("gro", "officer", "appeal", "cabinet")]
    for office in offices:
        for where in ("gro", "appeal", "cell"):
            for asker in askers:
                for role in ("gro", "case_officer", "appeal_officer", "cell_officer"):
                    session.add(
                        BulkAct(
                            officer_id=asker,
                            asked_as=role,
                            action="CLOSE",
                            office_id=office,
                            desk=where,
                            fields={},
                            state="waiting_for_approval",
                            asked_at=build.dhaka(2026, 1, 5),
                        )
                    )
    session.commit()
    rows = session.scalars(select(BulkAct)).all()
    for name, actor in deciders.items():
        allowed = sum(bulk_rules.may_decide(actor, bulk.asking(row)) for row in rows)
        assert bulk_queries.count_to_decide(session, actor) == allowed, name
    assert (
        bulk_queries.count_to_decide(session, deciders["head"])
        > bulk_queries.count_to_decide(session, people["gro"])
        > 0
    )
