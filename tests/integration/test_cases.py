"""The acts on a case: each writes its history, moves its clocks and records its event, or nothing at all."""

import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cases import events, service, tasks
from grm.cases.models import Case, CaseEvent, CaseText
from grm.deadlines.models import DeadlinePause
from grm.deadlines.queries import calendar
from grm.kernel import transaction
from grm.kernel.actor import Actor, complainant
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, NotFound
from grm.kernel.events import Event
from tests.support import build

FILED = build.dhaka(2026, 1, 4)
NOW = build.dhaka(2026, 1, 6, 11)
REPLY = "আপনার ভাতা আবার চালু হয়েছে এবং বকেয়া পাঠানো হয়েছে।"
ANSWER: dict[str, Any] = {
    "outcome": "service_given",
    "reply": REPLY,
    "root_cause": "হিসাব নম্বর ভুল ছিল",
    "prevention": "নম্বর মিলিয়ে নেওয়া",
    "contact": "spoke",
}


class Recorded(list[Event]):
    """The events of the acts so far."""

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self if type(event) is kind]


@pytest.fixture
def recorded(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Listen beside the real reactions, which run as always."""
    seen, reactions = Recorded(), dict(app.extensions[transaction.EXTENSION])
    kinds = [value for value in vars(events).values() if isinstance(value, type) and issubclass(value, Event)]
    for kind in kinds:
        reactions[kind] = (*reactions.get(kind, ()), lambda act, event: seen.append(event))
    monkeypatch.setitem(app.extensions, transaction.EXTENSION, reactions)
    return seen


@pytest.fixture
def gro(session: Session) -> Actor:
    return build.actor(session, "gro.social-welfare")


@pytest.fixture
def clerk(session: Session) -> Actor:
    return build.actor(session, "officer.social-welfare")


@pytest.fixture
def appeal(session: Session) -> Actor:
    return build.actor(session, "appeal.social-welfare")


@pytest.fixture
def cell(session: Session) -> Actor:
    return build.actor(session, "cabinet")


def made(session: Session, **columns: Any) -> Case:
    row = build.case(session, filed_at=FILED, **columns)
    session.commit()
    return row


def fresh(session: Session, row: Case) -> Case:
    session.rollback()
    session.refresh(row)
    return row


def history(session: Session, row: Case) -> list[CaseEvent]:
    session.rollback()
    return list(session.scalars(select(CaseEvent).where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq)))


def texts(session: Session, row: Case) -> dict[str, str | None]:
    rows = session.execute(select(CaseText.field, CaseText.body).where(CaseText.case_id == row.id))
    return {row.field: row.body for row in rows}


def state(session: Session, row: Case) -> tuple[Any, ...]:
    row = fresh(session, row)
    return row.status, row.version, row.history_length, row.office_id, row.assignee_id


# --- each act ---------------------------------------------------------------------------------------------------------


def test_acknowledging_meets_the_first_clock(session: Session, gro: Actor, recorded: Recorded) -> None:
    row = made(session)
    assert service.acknowledge_case(gro, row.tracking_number, 1, now=NOW) == 2
    assert fresh(session, row).status == "acknowledged" and row.acknowledged_at == NOW
    assert build.deadline(session, row.id, "acknowledge").state == "met"
    assert build.deadline(session, row.id).state == "running"
    last = history(session, row)[-1]
    assert (last.kind, last.actor_kind, last.actor_id, last.at) == ("acknowledged", "officer", gro.officer_id, NOW)
    assert last.data == {"version": 2, "status_from": "filed", "status_to": "acknowledged"}
    (event,) = recorded.of(events.CaseAcknowledged)
    assert (event.case_id, event.office_id, event.desk) == (row.id, row.office_id, "gro")


def test_claiming_is_a_first_look_too(session: Session, clerk: Actor, recorded: Recorded) -> None:
    row = made(session)
    service.claim_case(clerk, row.tracking_number, 1, now=NOW)
    assert fresh(session, row).assignee_id == clerk.officer_id and row.status == "in_progress"
    assert build.deadline(session, row.id, "acknowledge").met_at == NOW
    assert recorded.of(events.CaseAssigned)[0].is_claim
    assert len(recorded.of(events.CaseAcknowledged)) == 1


def test_assigning_goes_to_officers_of_the_desk_only(
    session: Session, gro: Actor, clerk: Actor, appeal: Actor, recorded: Recorded
) -> None:
    row = made(session)
    elsewhere = build.officer_id(session, "officer.food")
    before = state(session, row)
    for stranger in (elsewhere, appeal.officer_id, 999_999, None):
        with pytest.raises(InvalidInput) as caught:
            service.assign_case(gro, row.tracking_number, 1, stranger, now=NOW)
        assert caught.value.fields == {"assignee": "choose-one"}
    assert state(session, row) == before
    service.assign_case(gro, row.tracking_number, 1, clerk.officer_id, now=NOW)
    (event,) = recorded.of(events.CaseAssigned)
    assert (event.officer_id, event.is_claim) == (clerk.officer_id, False)
    assert history(session, row)[-1].data["officer_id"] == clerk.officer_id


def test_a_case_is_not_assigned_to_whom_it_accuses(session: Session, appeal: Actor, gro: Actor, clerk: Actor) -> None:
    row = made(session, accused_officers=[clerk.officer_id])
    with pytest.raises(InvalidInput):
        service.assign_case(gro, row.tracking_number, 1, clerk.officer_id, now=NOW)
    with pytest.raises(NotFound):
        service.claim_case(clerk, row.tracking_number, 1, now=NOW)


def test_a_note_is_kept_beside_the_chain_and_meets_nothing(session: Session, gro: Actor, recorded: Recorded) -> None:
    row = made(session)
    service.add_note(gro, row.tracking_number, 1, "ফোন <b>করতে</b> হবে {{7*7}}", now=NOW)
    assert fresh(session, row).status == "filed" and row.acknowledged_at is None
    assert build.deadline(session, row.id, "acknowledge").state == "running"
    assert texts(session, row) == {"note": "ফোন <b>করতে</b> হবে {{7*7}}"}
    assert "ফোন" not in str(history(session, row)[-1].data)
    assert not recorded


def test_asking_stops_the_clock_and_the_answer_starts_it(session: Session, gro: Actor, recorded: Recorded) -> None:
    row = made(session)
    due_on = row.due_on
    service.ask_complainant(gro, row.tracking_number, 1, "কোন মাস থেকে ভাতা পান না?", now=NOW)
    assert fresh(session, row).status == "waiting" and row.is_paused
    assert build.deadline(session, row.id).state == "paused"
    by = calendar(session).add_working_days(date(2026, 1, 6), 10)
    assert recorded.of(events.QuestionAsked)[0].answer_by_on == by
    pause = session.scalars(select(DeadlinePause)).one()
    assert pause.ends_by_at == row.waiting_until == build.dhaka(by.year, by.month, by.day, 0) + timedelta(days=1)

    later = build.dhaka(2026, 1, 11)
    service.answer_question(complainant(row.tracking_number), row.tracking_number, "জুলাই থেকে", now=later)
    assert fresh(session, row).status == "in_progress" and not row.is_paused and row.waiting_until is None
    clock = build.deadline(session, row.id)
    assert clock.state == "running" and (row.due_on, row.due_at) == (clock.due_on, clock.due_at)
    # From the 6th (asked) to the 11th (answered, and counted) three working days were not counted.
    assert row.due_on == calendar(session).add_working_days(due_on, 3)
    (event,) = recorded.of(events.ComplainantAnswered)
    assert (event.officer_id, event.due_on) == (None, row.due_on)


def test_asking_does_not_help_an_office_that_is_late(session: Session, gro: Actor) -> None:
    row = made(session)
    late = row.due_at + timedelta(hours=1)
    due_on = row.due_on
    service.ask_complainant(gro, row.tracking_number, 1, "কোন মাস থেকে?", now=late)
    assert fresh(session, row).status == "waiting" and not row.is_paused and row.waiting_until is not None
    assert build.deadline(session, row.id).state != "paused"
    service.answer_question(complainant(row.tracking_number), row.tracking_number, "জুলাই", now=late + timedelta(days=1))
    assert fresh(session, row).due_on == due_on


def test_a_wait_ends_by_itself(app: Flask, session: Session, gro: Actor, recorded: Recorded) -> None:
    row, other = made(session), made(session)
    service.ask_complainant(gro, row.tracking_number, 1, "কোন মাস থেকে?", now=NOW)
    until = fresh(session, row).waiting_until
    assert until is not None
    assert not service.resume_wait(row.tracking_number, now=until - timedelta(seconds=1))
    assert not service.resume_wait(other.tracking_number, now=until)
    assert service.resume_wait(row.tracking_number, now=until)
    assert not service.resume_wait(row.tracking_number, now=until), "a second run does nothing"
    assert fresh(session, row).status == "in_progress" and row.version == 3
    last = history(session, row)[-1]
    assert (last.kind, last.actor_kind, last.actor_id) == ("resumed", "system", None)
    assert len(recorded.of(events.CaseResumed)) == 1


def test_an_outage_does_not_lengthen_a_wait(session: Session, gro: Actor) -> None:
    row, twin = made(session), made(session)
    for each in (row, twin):
        service.ask_complainant(gro, each.tracking_number, 1, "কোন মাস থেকে?", now=NOW)
    until = fresh(session, row).waiting_until
    assert until is not None
    service.resume_wait(row.tracking_number, now=until)
    service.resume_wait(twin.tracking_number, now=until + timedelta(days=9))
    assert fresh(session, row).due_on == fresh(session, twin).due_on


def test_the_tick_resumes_what_has_run_out(app: Flask, session: Session, gro: Actor) -> None:
    row, waiting = made(session), made(session)
    service.ask_complainant(gro, row.tracking_number, 1, "কোন মাস থেকে?", now=NOW)
    service.ask_complainant(gro, waiting.tracking_number, 1, "কোন মাস থেকে?")
    assert tasks.resume_waiting() == 1
    assert tasks.resume_waiting() == 0
    assert (fresh(session, row).status, fresh(session, waiting).status) == ("in_progress", "waiting")


def test_a_referral_keeps_number_and_clocks(session: Session, gro: Actor, clerk: Actor, recorded: Recorded) -> None:
    row = made(session)
    food = build.office_id(session, "food")
    service.claim_case(clerk, row.tracking_number, 1, now=NOW)
    number, due_at = row.tracking_number, row.due_at
    service.refer_case(gro, number, 2, food, "খাদ্য মন্ত্রণালয়ের কর্মসূচি", now=NOW)
    assert fresh(session, row).office_id == food and row.assignee_id is None and row.status == "acknowledged"
    assert (row.tracking_number, row.due_at, row.referral_count, row.desk) == (number, due_at, 1, "gro")
    assert build.deadline(session, row.id).state == "running"
    (event,) = recorded.of(events.CaseReferred)
    assert (event.from_office_id, event.to_office_id, event.office_id) == (gro.seats[0].office_id, food, food)
    with pytest.raises(NotFound):
        service.add_note(build.actor(session, "gro.agriculture"), number, 3, "দেখা যায় না", now=NOW)
    with pytest.raises(IllegalAction):
        service.claim_case(gro, number, 3, now=NOW)  # who sent it may still read it


def test_a_referral_while_waiting_lets_the_clock_go_on(session: Session, gro: Actor) -> None:
    row = made(session)
    service.ask_complainant(gro, row.tracking_number, 1, "কোন মাস থেকে?", now=NOW)
    service.refer_case(gro, row.tracking_number, 2, build.office_id(session, "food"), "অন্য দপ্তর", now=NOW)
    assert fresh(session, row).status == "acknowledged" and not row.is_paused and row.waiting_until is None
    assert build.deadline(session, row.id).state == "running"


def test_sensitive_cases_are_referred_to_the_appeal_desk(session: Session, appeal: Actor) -> None:
    row = made(session, desk="appeal", category="bribe-demand")
    assert row.is_sensitive
    service.refer_case(appeal, row.tracking_number, 1, build.office_id(session, "food"), "অন্য মন্ত্রণালয়ের বিষয়", now=NOW)
    assert fresh(session, row).desk == "appeal"
    district = build.actor(session, "desk.dhaka").seats[0].office_id
    with pytest.raises(InvalidInput) as caught:  # a district office has no appeal desk
        service.refer_case(build.actor(session, "appeal.food"), row.tracking_number, 2, district, "জেলা", now=NOW)
    assert caught.value.fields == {"office": "choose-one"}


def test_a_referral_never_reaches_the_accused(session: Session, cell: Actor, gro: Actor, appeal: Actor) -> None:
    home, cells = build.office_id(session), build.office_id(session, "cell")
    against_gro = made(session, office=cells, desk="cell", accused_officers=[gro.officer_id])
    service.refer_case(cell, against_gro.tracking_number, 1, home, "মন্ত্রণালয় দেখুক", now=NOW)
    assert fresh(session, against_gro).desk == "appeal"
    against_appeal = made(session, office=cells, desk="cell", accused_officers=[appeal.officer_id], is_sensitive=True)
    against_all = made(session, office=cells, desk="cell", accused_office=home)
    for row in (against_appeal, against_all):
        with pytest.raises(InvalidInput):
            service.refer_case(cell, row.tracking_number, 1, home, "মন্ত্রণালয় দেখুক", now=NOW)


def test_cases_do_not_wander(session: Session, gro: Actor, appeal: Actor, cell: Actor) -> None:
    row = made(session)
    number, home = row.tracking_number, build.office_id(session)
    food, land = build.office_id(session, "food"), build.office_id(session, "land")
    service.refer_case(gro, number, 1, food, "খাদ্যের বিষয়", now=NOW)
    food_gro = build.actor(session, "gro.food")
    with pytest.raises(IllegalAction) as caught:
        service.refer_case(food_gro, number, 2, home, "আপনাদেরই বিষয়", now=NOW)
    assert caught.value.code == "return-needs-superior"
    service.refer_case(food_gro, number, 2, land, "ভূমির বিষয়", now=NOW)
    with pytest.raises(IllegalAction) as caught:
        service.refer_case(
            build.actor(session, "gro.land"), number, 3, build.office_id(session, "agriculture"), "কৃষি", now=NOW
        )
    assert caught.value.code == "third-referral-needs-superior"
    service.refer_case(cell, number, 3, home, "সমাজকল্যাণই দেখবে", now=NOW)
    assert fresh(session, row).office_id == home and row.referral_count == 3


def test_resolving_needs_an_answer_in_full(session: Session, gro: Actor, recorded: Recorded) -> None:
    row = made(session)
    before = state(session, row)
    empty = dict.fromkeys(ANSWER, " \u200b")
    for given, faults in (
        (empty, {"outcome", "reply", "root_cause", "prevention", "contact"}),
        ({**ANSWER, "reply": "হয়েছে"}, {"reply"}),
        ({**ANSWER, "contact": "could_not_reach"}, {"reason"}),
        ({**ANSWER, "outcome": "not_pertaining"}, {"outcome"}),
        ({**ANSWER, "reply": "ক" * 10_001}, {"reply"}),
        ({**ANSWER, "prevention": "a\x00b"}, {"prevention"}),
    ):
        with pytest.raises(InvalidInput) as caught:
            service.resolve_case(gro, row.tracking_number, 1, **given, now=NOW)
        assert set(caught.value.fields) == faults
    assert state(session, row) == before and not recorded

    service.resolve_case(gro, row.tracking_number, 1, **ANSWER, now=NOW)
    assert fresh(session, row).status == "resolved" and row.outcome == "service_given" and row.ended_at == NOW
    assert (
        build.deadline(session, row.id).state == "met" and build.deadline(session, row.id, "acknowledge").state == "met"
    )
    assert texts(session, row) == {name: ANSWER[name] for name in ("reply", "root_cause", "prevention")}
    by = calendar(session).add_working_days(date(2026, 1, 6), 10)
    (event,) = recorded.of(events.CaseResolved)
    assert (event.outcome, event.confirm_by_on) == ("service_given", by)


def test_resolving_late_stays_late(session: Session, gro: Actor) -> None:
    row = made(session)
    service.resolve_case(gro, row.tracking_number, 1, **ANSWER, now=row.due_at)
    clock = build.deadline(session, row.id)
    assert clock.state == "breached" and clock.met_at == row.due_at and clock.next_rung_at is None


def test_resolving_while_waiting_ends_the_wait(session: Session, gro: Actor) -> None:
    row = made(session)
    service.ask_complainant(gro, row.tracking_number, 1, "কোন মাস থেকে?", now=NOW)
    service.resolve_case(gro, row.tracking_number, 2, **ANSWER, now=NOW + timedelta(days=2))
    assert fresh(session, row).waiting_until is None and not row.is_paused
    clock = build.deadline(session, row.id)
    assert clock.state == "met" and clock.due_on == row.due_on


def test_declining_needs_an_admissible_reason(session: Session, gro: Actor, recorded: Recorded) -> None:
    row = made(session)
    for reason, reply, faults in (
        ("not_pertaining_to_us", REPLY, {"reason"}),
        ("", REPLY, {"reason"}),
        ("before_court", "আদালতে", {"reply"}),
    ):
        with pytest.raises(InvalidInput) as caught:
            service.decline_case(gro, row.tracking_number, 1, reason, reply, now=NOW)
        assert set(caught.value.fields) == faults
    service.decline_case(gro, row.tracking_number, 1, "before_court", "বিষয়টি আদালতে বিচারাধীন, রায়ের পর আসুন।", now=NOW)
    assert fresh(session, row).status == "declined" and row.outcome == "not_admissible" and row.ended_at == NOW
    assert build.deadline(session, row.id).state == "met"
    assert recorded.of(events.CaseDeclined)[0].reason_code == "before_court"


def test_closing_early_needs_a_reason(session: Session, gro: Actor, recorded: Recorded) -> None:
    row, other = made(session), made(session)
    for each in (row, other):
        service.resolve_case(gro, each.tracking_number, 1, **ANSWER, now=NOW)
    with pytest.raises(InvalidInput) as caught:
        service.close_case(gro, row.tracking_number, 2, now=NOW + timedelta(days=3))
    assert caught.value.fields == {"reason": "missing"}
    service.close_case(gro, row.tracking_number, 2, "ফোনে সন্তুষ্টি জানিয়েছেন", now=NOW + timedelta(days=3))
    assert fresh(session, row).status == "closed" and history(session, row)[-1].data["is_early"] is True
    service.close_case(gro, other.tracking_number, 2, now=NOW + timedelta(days=40))
    assert history(session, other)[-1].data["is_early"] is False
    assert len(recorded.of(events.CaseClosed)) == 2


def test_the_complainant_adds_and_withdraws(session: Session, gro: Actor, clerk: Actor, recorded: Recorded) -> None:
    row, other = made(session), made(session)
    number, me = row.tracking_number, complainant(row.tracking_number)
    service.claim_case(clerk, number, 1, now=NOW)
    service.add_information(me, number, "ব্যাংকের কাগজ আছে", now=NOW)
    assert recorded.of(events.InformationAdded)[0].officer_id == clerk.officer_id
    with pytest.raises(IllegalAction) as caught:
        service.answer_question(me, number, "কেউ জিজ্ঞাসা করেনি", now=NOW)
    assert caught.value.code == "no-question-open"
    with pytest.raises(NotFound):
        service.withdraw_case(me, other.tracking_number, now=NOW)
    with pytest.raises(InvalidInput):
        service.add_information(me, number, "\u200b", now=NOW)
    service.withdraw_case(me, number, now=NOW)
    assert fresh(session, row).status == "withdrawn" and row.outcome == "withdrawn"
    assert build.deadline(session, row.id).state == "met"
    with pytest.raises(IllegalAction):
        service.add_information(me, number, "আরও কিছু", now=NOW)


# --- what is refused --------------------------------------------------------------------------------------------------


def acts(session: Session) -> dict[str, Callable[[Actor, str, int], int]]:
    """Every act of an officer, with input that is in order."""
    food = build.office_id(session, "food")
    clerk = build.officer_id(session, "officer.social-welfare")
    return {
        "acknowledge": lambda who, number, version: service.acknowledge_case(who, number, version, now=NOW),
        "claim": lambda who, number, version: service.claim_case(who, number, version, now=NOW),
        "assign": lambda who, number, version: service.assign_case(who, number, version, clerk, now=NOW),
        "note": lambda who, number, version: service.add_note(who, number, version, "মন্তব্য", now=NOW),
        "ask": lambda who, number, version: service.ask_complainant(who, number, version, "কবে?", now=NOW),
        "refer": lambda who, number, version: service.refer_case(who, number, version, food, "কারণ", now=NOW),
        "resolve": lambda who, number, version: service.resolve_case(who, number, version, **ANSWER, now=NOW),
        "decline": lambda who, number, version: service.decline_case(
            who, number, version, "before_court", REPLY, now=NOW
        ),
        "close": lambda who, number, version: service.close_case(who, number, version, "কারণ", now=NOW),
    }


def test_a_stale_version_loses_and_learns_what_changed(
    session: Session, gro: Actor, clerk: Actor, recorded: Recorded
) -> None:
    row = made(session)
    number = row.tracking_number
    service.claim_case(clerk, number, 1, now=NOW)
    service.add_note(clerk, number, 2, "আমি দেখছি", now=NOW)
    before = state(session, row)
    recorded.clear()
    for name, act in acts(session).items():
        with pytest.raises(Conflict) as caught:
            act(gro, number, 1)
        assert [event["kind"] for event in caught.value.changed["events"]] == ["assigned", "noted"], name
        assert (caught.value.changed["version"], caught.value.changed["seen"]) == (3, 1)
        with pytest.raises(Conflict) as caught:
            act(gro, number, 2)
        assert [event["kind"] for event in caught.value.changed["events"]] == ["noted"]
    assert state(session, row) == before and not recorded


def test_an_ended_case_takes_no_act(session: Session, gro: Actor) -> None:
    row = made(session)
    service.decline_case(gro, row.tracking_number, 1, "before_court", REPLY, now=NOW)
    before = state(session, row)
    for name, act in acts(session).items():
        with pytest.raises(IllegalAction) as caught:
            act(gro, row.tracking_number, 2)
        assert caught.value.code == "case-ended", name
    assert state(session, row) == before


def test_for_strangers_the_case_does_not_exist(session: Session, recorded: Recorded) -> None:
    row = made(session, desk="appeal", category="bribe-demand")
    before = state(session, row)
    for username in ("gro.social-welfare", "officer.social-welfare", "gro.food", "appeal.food", "desk.dhaka", "admin"):
        who = build.actor(session, username)
        for act in acts(session).values():
            with pytest.raises(NotFound):
                act(who, row.tracking_number, 1)
    with pytest.raises(NotFound):
        service.acknowledge_case(build.actor(session, "cabinet"), "not-a-number", 1)
    assert state(session, row) == before and not recorded


def test_the_database_refuses_what_the_table_does_not_know(session: Session, gro: Actor) -> None:
    row = made(session)
    for status, extra in (
        ("closed", ", outcome = 'answered', ended_at = filed_at"),
        ("withdrawn", ", ended_at = NULL"),
    ):
        with pytest.raises(Exception, match=r"cannot go from|only a merged case|ended_has_instant"):
            session.execute(text(f"UPDATE cases SET status = '{status}'{extra} WHERE id = :id"), {"id": row.id})
        session.rollback()
    service.withdraw_case(complainant(row.tracking_number), row.tracking_number, now=NOW)
    with pytest.raises(Exception, match="cannot go from withdrawn to filed"):
        session.execute(
            text("UPDATE cases SET status = 'filed', ended_at = NULL, outcome = NULL WHERE id = :id"), {"id": row.id}
        )
    session.rollback()


def test_a_failing_reaction_undoes_the_whole_act(
    app: Flask, session: Session, gro: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(act: object, event: object) -> None:
        raise RuntimeError("no messages today")

    row = made(session)
    before = state(session, row)
    reactions = {**app.extensions[transaction.EXTENSION], events.CaseResolved: (fail,)}
    monkeypatch.setitem(app.extensions, transaction.EXTENSION, reactions)
    with pytest.raises(RuntimeError):
        service.resolve_case(gro, row.tracking_number, 1, **ANSWER, now=NOW)
    assert state(session, row) == before
    assert build.deadline(session, row.id).state == "running" and not texts(session, row)


# --- two at once ------------------------------------------------------------------------------------------------------


def together(app: Flask, *acts: Callable[[], int]) -> list[int | Exception]:
    """Run acts in threads of their own that start at the same moment."""
    barrier, outcomes = threading.Barrier(len(acts)), [None] * len(acts)  # type: ignore[var-annotated]

    def run(index: int, act: Callable[[], int]) -> None:
        with app.app_context():
            barrier.wait(10)
            try:
                outcomes[index] = act()
            except Exception as error:
                outcomes[index] = error

    threads = [threading.Thread(target=run, args=(index, act)) for index, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes  # type: ignore[return-value]


def test_two_officers_at_once_leave_one_owner(app: Flask, session: Session, gro: Actor, clerk: Actor) -> None:
    for _ in range(20):
        row = made(session)
        number = row.tracking_number
        outcomes = together(
            app,
            partial(service.claim_case, gro, number, 1),
            partial(service.claim_case, clerk, number, 1),
        )
        assert {type(outcome) for outcome in outcomes} == {int, Conflict}
        winner = gro if outcomes[0] == 2 else clerk
        assert fresh(session, row).assignee_id == winner.officer_id
        assert [event.kind for event in history(session, row)] == ["filed", "assigned"]


def test_many_acts_at_once_lose_nothing(app: Flask, session: Session, gro: Actor) -> None:
    row = made(session)
    me, number = complainant(row.tracking_number), row.tracking_number
    acts = [partial(service.add_information, me, number, f"তথ্য {n}") for n in range(6)]
    assert sorted(together(app, *acts)) == [2, 3, 4, 5, 6, 7]  # type: ignore[type-var]
    assert len(history(session, row)) == 7 and fresh(session, row).history_length == 7


def test_officer_and_complainant_at_once(app: Flask, session: Session, gro: Actor) -> None:
    for _ in range(5):
        row = made(session)
        me, number = complainant(row.tracking_number), row.tracking_number
        outcomes = together(
            app,
            partial(service.resolve_case, gro, number, 1, **ANSWER),
            partial(service.withdraw_case, me, number),
        )
        ended = fresh(session, row).status
        assert ended in ("resolved", "withdrawn")
        assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
        assert isinstance(next(each for each in outcomes if not isinstance(each, int)), Conflict | IllegalAction)
        assert len(history(session, row)) == 2


def test_time_is_the_databases(session: Session, gro: Actor) -> None:
    row = made(session)
    service.acknowledge_case(gro, row.tracking_number, 1)
    stamped = fresh(session, row).acknowledged_at
    now: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
    assert stamped is not None and timedelta(0) <= now - stamped < timedelta(seconds=30)
