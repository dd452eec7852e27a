"""Reminders, the coordinator who sends them, and acts on cases of many offices from a report."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases import appeals, bulk, bulk_run, casepage, directions, escalating, public_status, reminding, service
from grm.cases.bulk_models import BulkAct, BulkItem
from grm.cases.models import Case, CaseEvent
from grm.cases.states import Action
from grm.escalation.sweep import sweep
from grm.kernel.actor import Actor, complainant
from grm.kernel.db import db
from grm.kernel.errors import Conflict, GrmError, IllegalAction, NotFound
from grm.notifications.models import Message
from grm.offices.coordinators import coordinators_post
from grm.offices.queries import directory
from grm.offices.signed_in import actor_of
from tests.support import build

FILED = build.dhaka(2026, 1, 4)
NOW = build.dhaka(2026, 1, 11, 11)
ORDER = "সাত কর্মদিবসের মধ্যে উপকারভোগীর বাড়ি গিয়ে যাচাই করে জানান।"
WORDS = "তিন মাসের ভাতা বকেয়া; আজই দেখুন।"
ANSWER: dict[str, Any] = {
    "outcome": "answered",
    "reply": "১২ জানুয়ারি আপনার হিসাব নম্বর সংশোধন করে তিন মাসের ভাতা পাঠানো হয়েছে।",
    "root_cause": "হিসাব নম্বর ভুল ছিল",
    "prevention": "নম্বর মিলিয়ে নেওয়া",
    "contact": "spoke",
}


def coordinator(session: Session, ministry: str = "social-welfare") -> Actor:
    """A coordinator with a seat in the office of a ministry, as the session would load him."""
    office = build.office_id(session, ministry)
    officer = build.officer(session)
    build.posting(session, coordinators_post(session, directory(session), office).id, officer.id)
    session.commit()
    return actor_of(session, session.get_one(Officer, officer.id), NOW.date())


def told(session: Session) -> list[tuple[str, int | None, int | None]]:
    session.rollback()
    rows = session.execute(
        select(Message.template, Message.officer_id, Message.case_id).where(Message.template.like("%remind%"))
    )
    return sorted((template, officer_id, case_id) for template, officer_id, case_id in rows)


def why_not(act: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(IllegalAction) as caught:
        act(*args, **more)
    return caught.value.code


def test_a_coordinator_reminds_and_does_nothing_else(session: Session, app: Flask) -> None:
    book = directory(session)
    cluster = next(each for each in book.clusters if each.slug == "social-allowance")
    watcher = coordinator(session)
    assert watcher.overseen_office_ids == {book.ministry(each).office_id for each in cluster.ministry_ids}
    assert build.actor(session, "coordinator.social-welfare").overseen_office_ids == watcher.overseen_office_ids
    with pytest.raises(NotFound):  # that ministry coordinates no cluster
        coordinator(session, "agriculture")
    session.rollback()
    other = next(each for each in book.ministries if each.office_id not in watcher.overseen_office_ids)
    own = build.case(session, filed_at=FILED)
    hidden = build.case(session, desk="appeal", is_sensitive=True, filed_at=FILED)
    elsewhere = build.case(session, other.office_id, filed_at=FILED)
    session.commit()
    gro = build.actor(session, "gro.social-welfare")
    number = own.tracking_number
    for row in (hidden, elsewhere):
        with pytest.raises(NotFound):
            reminding.remind_case(watcher, row.tracking_number, None, now=NOW)
    assert why_not(service.add_note, watcher, number, None, WORDS, now=NOW) == "not-your-part"
    assert why_not(reminding.remind_case, gro, number, None, now=NOW) == "not-your-part"
    assert reminding.remind_case(watcher, number, 1, WORDS, now=NOW) == 1, "a reminder makes no version"
    assert told(session) == [("case-reminded-officer", gro.officer_id, own.id)]
    # Once a working day for each sender; another one may on the same day.
    assert why_not(reminding.remind_case, watcher, number, 1, now=NOW + timedelta(hours=3)) == "reminded-today"
    above, cell = build.actor(session, "appeal.social-welfare"), build.actor(session, "cabinet")
    reminding.remind_case(above, number, 1, now=NOW)
    reminding.remind_case(watcher, number, 1, now=NOW + timedelta(days=1))
    # Who handles it is told, once somebody does; and his form is not made stale by a reminder.
    clerk = build.actor(session, "officer.social-welfare")
    version = service.claim_case(clerk, number, 1, now=NOW + timedelta(days=1))
    reminding.remind_case(cell, number, version, now=NOW + timedelta(days=1))
    assert [each[1] for each in told(session)].count(clerk.officer_id) == 1
    with app.test_request_context("/?lang=en"):
        session.rollback()
        page = casepage.load(session, watcher, number)
        assert [each.actor.id for each in page.reminders if each.actor][-1] == watcher.officer_id
        assert len(page.reminders) == 4 and page.people == (), "what is alleged, and not by whom"
        assert [each.action for each in page.sections] == [Action.REMIND]
        shown = {each.kind for each in public_status.status_of(session, number, NOW + timedelta(days=2)).events}
        assert "reminded" not in shown
    session.rollback()
    service.resolve_case(clerk, number, version, **ANSWER, now=NOW + timedelta(days=1))
    assert why_not(reminding.remind_case, cell, number, None, now=NOW + timedelta(days=4)) == "case-ended"
    session.refresh(own)
    assert own.reminded_at is not None
    appeals.contest_case(complainant(number), number, "টাকা এখনো পাইনি, আবার দেখুন।", now=NOW + timedelta(days=2))
    session.rollback()
    session.refresh(own)
    assert own.reminded_at is None, "the desk above has not been reminded of anything"


def test_the_mark_of_what_rose_at_the_complainants_word(session: Session) -> None:
    row = build.case(session, filed_at=FILED)
    session.commit()
    late = row.due_at + timedelta(days=1)
    sweep(as_of=late, now=late)
    escalating.escalate_case(complainant(row.tracking_number), row.tracking_number, now=late)
    session.rollback()
    session.refresh(row)
    assert row.asked_higher_at == late


def test_one_form_reminds_many_offices_and_each_holder_hears_once(session: Session, app: Flask) -> None:
    cell, gro, food = (build.actor(session, name) for name in ("cabinet", "gro.social-welfare", "gro.food"))
    rows = [build.case(session, filed_at=FILED) for _ in range(3)]
    rows += [build.case(session, build.office_id(session, "food"), filed_at=FILED)]
    session.commit()
    picks = [(row.tracking_number, row.version) for row in rows]
    with pytest.raises(NotFound):
        bulk.ask_bulk(gro, None, Action.REMIND, {"reminder": ""}, picks, now=NOW)
    service.add_note(gro, rows[2].tracking_number, 1, WORDS, now=NOW)  # somebody was faster
    asked = bulk.ask_bulk(cell, None, Action.REMIND, {"reminder": WORDS}, picks, now=NOW)
    assert bulk_run.run_bulk(asked.id, 25) == 4
    session.rollback()
    act = session.get_one(BulkAct, asked.id)
    assert (act.state, act.office_id, act.asked_as, act.decided_by_id) == ("done", None, "cell_officer", None)
    items = session.execute(
        select(BulkItem.case_id, BulkItem.state, BulkItem.code).where(BulkItem.bulk_act_id == asked.id)
    )
    found = {case_id: (state, code) for case_id, state, code in items}
    assert found.pop(rows[2].id) == ("refused", "case-changed")
    assert set(found.values()) == {("done", None)}
    assert told(session) == sorted(("cases-reminded-officer", each.officer_id, None) for each in (gro, food))
    with_bulk = select(CaseEvent.data).where(CaseEvent.case_id == rows[3].id, CaseEvent.kind == "reminded")
    assert session.scalars(with_bulk).one()["bulk_id"] == asked.id
    # A direction on all four: the one that has one already is refused, and says why.
    directions.direct_case(cell, rows[0].tracking_number, None, ORDER, now=NOW)
    session.rollback()
    picks = [(row.tracking_number, session.get_one(Case, row.id, populate_existing=True).version) for row in rows]
    asked = bulk.ask_bulk(cell, None, Action.DIRECT, {"direction": ORDER}, picks, now=NOW)
    bulk_run.run_bulk(asked.id, 25)
    session.rollback()
    codes = session.scalars(select(BulkItem.code).where(BulkItem.bulk_act_id == asked.id).order_by(BulkItem.case_id))
    assert list(codes) == ["direction-open-already", None, None, None]
    session.rollback()
    late = rows[0].due_at + timedelta(days=1)
    above = build.actor(session, "appeal.social-welfare")
    versions = [(row.tracking_number, session.get_one(Case, row.id, populate_existing=True).version) for row in rows]
    asked = bulk.ask_bulk(above, None, Action.TAKE_UP, {"reason": WORDS}, versions[1:], now=late)
    assert asked.missing == 1, "what he must not know of is no item of his act"
    assert bulk.may_ask(above, None) == (Action.REMIND, Action.TAKE_UP)
    assert bulk.may_ask(replace(gro, overseen_office_ids=frozenset({1})), None) == (Action.REMIND,)


def at_once(app: Flask, *acts: Any) -> list[Any]:
    """What becomes of acts done in the same moment: the result, or the error."""
    results: dict[int, Any] = {}
    gate = threading.Barrier(len(acts))

    def run(place: int) -> None:
        with app.app_context():
            try:
                gate.wait(5)
                results[place] = acts[place]()
            except GrmError as error:
                results[place] = error
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return [results[place] for place in range(len(acts))]


def test_two_at_once(session: Session, app: Flask) -> None:
    """Two reminders of one sender make one; a direction and an answer never both pass."""
    cell, gro = build.actor(session, "cabinet"), build.actor(session, "gro.social-welfare")

    def remind(number: str) -> Any:
        return lambda: reminding.remind_case(cell, number, 1, now=NOW)

    def answer(number: str, version: int | None) -> Any:
        return lambda: service.resolve_case(gro, number, version, **ANSWER, now=NOW)

    def direct(number: str) -> Any:
        return lambda: directions.direct_case(cell, number, None, ORDER, now=NOW)

    for _ in range(4):
        row, other = build.case(session, filed_at=FILED), build.case(session, filed_at=FILED)
        session.commit()
        number = row.tracking_number
        found = at_once(app, remind(number), remind(number))
        assert sorted(str(getattr(each, "code", each)) for each in found) == ["1", "reminded-today"]
        session.rollback()
        events = session.scalars(select(CaseEvent).where(CaseEvent.case_id == row.id, CaseEvent.kind == "reminded"))
        assert len(events.all()) == 1
        session.rollback()
        codes = {str(getattr(each, "code", "done")) for each in at_once(app, direct(number), answer(number, None))}
        assert codes in ({"done", "direction-open"}, {"case-ended", "done"}), codes
        found = at_once(app, remind(other.tracking_number), answer(other.tracking_number, 1))
        assert found[1] == 2, "a reminder never stands in the way of an answer"
        assert found[0] == 1 or isinstance(found[0], Conflict)
        session.rollback()
