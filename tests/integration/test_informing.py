"""Told or not: when the inform clock is met, when the time for an appeal begins, and what follows from undelivered messages."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cases import appeals, informing, service
from grm.cases.models import Case, CaseEvent, ContactTask
from grm.deadlines.models import Deadline
from grm.escalation.sweep import sweep
from grm.kernel.actor import complainant
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput
from grm.notifications.models import Message
from grm.notifications.undelivered import follow_up
from tests.support import build

REPLY = "আপনার হিসাব নম্বর সংশোধন করা হয়েছে; টাকা ১৫ দিনের মধ্যে যাবে।"
DECIDED = build.dhaka(2026, 1, 11)
LATER = build.dhaka(2026, 1, 13, 9)


def resolve(session: Session, case: Case, contact: str = "could_not_reach", now: datetime = DECIDED) -> None:
    gro = build.actor(session, "gro.social-welfare")
    service.resolve_case(
        gro,
        case.tracking_number,
        case.version,
        outcome="service_given",
        reply=REPLY,
        root_cause="ভুল নম্বর",
        prevention="যাচাই করা হবে",
        contact=contact,
        reason="ফোন ধরেননি" if contact == "could_not_reach" else "",
        now=now,
    )
    session.refresh(case)


def a_case(session: Session, **columns: Any) -> Case:
    case = build.case(session, **columns)
    session.commit()
    return case


def clock(session: Session, case: Case, kind: str) -> Deadline | None:
    session.rollback()
    statement = select(Deadline).where(Deadline.case_id == case.id, Deadline.kind == kind)
    statement = statement.order_by(Deadline.epoch.desc()).limit(1).execution_options(populate_existing=True)
    return session.scalars(statement).first()


def live(found: Deadline | None) -> bool:
    return found is not None and found.met_at is None


def told_by(session: Session, case: Case) -> list[str]:
    """How the history says the complainant was told, and where not, that."""
    kinds = select(CaseEvent).where(CaseEvent.case_id == case.id, CaseEvent.kind.in_(("informed", "not_informed")))
    events = session.scalars(kinds.order_by(CaseEvent.seq))
    return [event.data.get("how", "not_informed") for event in events]


def end(session: Session, state: str, error: str | None = None, about: str = "case-resolved") -> int:
    """End the message about something, as delivery would."""
    session.rollback()
    row = session.execute(
        text("UPDATE message SET state = :state, error = :error, ended_at = :at WHERE key LIKE :key RETURNING id"),
        {"state": state, "error": error, "at": LATER, "key": f"{about}%"},
    ).one()
    session.commit()
    return int(row.id)


def mark(session: Session, case: Case) -> bool:
    session.rollback()
    session.refresh(case)
    return case.is_not_informed


# --- the clocks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("contact", ["spoke", "wrote"])
def test_who_was_in_touch_is_informed_with_the_decision(session: Session, contact: str) -> None:
    case = a_case(session)
    resolve(session, case, contact)
    inform, window = clock(session, case, "inform"), clock(session, case, "appeal_window")
    assert inform is not None and inform.state == "met" and inform.met_at == DECIDED
    assert window is not None and window.started_at == DECIDED
    assert window.due_on == date(2026, 2, 15), "a month by the calendar, the end of which falls on days off"
    assert informing.appeal_open_until(session, case) == window.due_on


@pytest.mark.parametrize("columns", [{"is_anonymous": True}, {"phone": None}, {"preferred_channel": "none"}])
def test_where_nobody_can_be_told_the_clock_is_met_with_that_reason(session: Session, columns: dict[str, Any]) -> None:
    case = a_case(session, **columns)
    resolve(session, case)
    assert not live(clock(session, case, "inform")) and live(clock(session, case, "appeal_window"))
    assert told_by(session, case) == ["nobody"]


def test_until_somebody_is_told_the_time_for_an_appeal_does_not_begin(session: Session) -> None:
    case = a_case(session)
    resolve(session, case)
    assert live(clock(session, case, "inform"))
    assert clock(session, case, "appeal_window") is None
    assert informing.appeal_open_until(session, case) is None
    far = build.dhaka(2028, 1, 1)
    assert appeals.appeal_case(complainant(case.tracking_number), case.tracking_number, "টাকা পাইনি", now=far)


def test_a_delivered_message_informs_and_the_time_begins_that_day(session: Session) -> None:
    case = a_case(session)
    resolve(session, case)
    end(session, "delivered")
    assert follow_up(LATER).arrived == 1
    window = clock(session, case, "appeal_window")
    assert window is not None and window.started_at == LATER
    assert not live(clock(session, case, "inform"))
    assert told_by(session, case) == ["delivered"]
    assert follow_up(LATER).arrived == 0


def test_after_the_window_an_appeal_comes_too_late(session: Session) -> None:
    case = a_case(session)
    resolve(session, case, "spoke")
    with pytest.raises(IllegalAction, match="window-over"):
        late = build.dhaka(2026, 2, 16, 0)
        appeals.appeal_case(complainant(case.tracking_number), case.tracking_number, "টাকা পাইনি", now=late)


def test_an_inform_clock_that_nobody_meets_reminds_the_holder_and_rises_to_the_gro(session: Session) -> None:
    case = a_case(session)
    resolve(session, case)
    sweep(build.dhaka(2026, 3, 1, 0))
    rows = session.execute(
        text(
            "SELECT e.level FROM escalation e JOIN deadline d ON d.id = e.deadline_id WHERE d.kind = 'inform' ORDER BY 1"
        )
    ).scalars()
    assert list(rows) == [0, 1]
    session.rollback()
    session.refresh(case)
    assert case.level == 0, "how high a case stands says how late its decision is"


# --- messages that do not arrive ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "error"),
    [("failed", "not-delivered err:5"), ("expired", "no-delivery-report"), ("held", "answer-unknown")],
)
def test_a_decision_that_did_not_arrive_marks_the_case_and_makes_one_task(
    session: Session, state: str, error: str
) -> None:
    case = a_case(session)
    resolve(session, case)
    message_id = end(session, state, error)
    assert follow_up(LATER).not_arrived == 1
    assert follow_up(LATER).not_arrived == 0
    assert mark(session, case)
    [task] = session.scalars(select(ContactTask))
    assert (task.message_id, task.reason, task.subject) == (message_id, error, "case-resolved-complainant")
    assert told_by(session, case) == ["not_informed"]
    assert clock(session, case, "appeal_window") is None and live(clock(session, case, "inform"))


def test_a_report_that_comes_late_after_all_ends_the_task(session: Session) -> None:
    case = a_case(session)
    resolve(session, case)
    end(session, "expired", "no-delivery-report")
    follow_up(LATER)
    end(session, "delivered")
    assert follow_up(LATER + timedelta(days=1)).arrived == 1
    assert not mark(session, case) and live(clock(session, case, "appeal_window"))
    [task] = session.scalars(select(ContactTask))
    assert task.how == "delivered"


def test_mail_that_comes_back_undoes_what_its_delivery_began(session: Session) -> None:
    case = a_case(session, preferred_channel="email", email="a@example.org")
    resolve(session, case)
    end(session, "delivered")
    follow_up(LATER)
    assert live(clock(session, case, "appeal_window"))
    end(session, "failed", "bounced: 5.1.1")
    follow_up(LATER + timedelta(days=2))
    assert mark(session, case) and live(clock(session, case, "inform"))
    assert not live(clock(session, case, "appeal_window"))
    assert informing.appeal_open_until(session, case) is None
    assert told_by(session, case) == ["delivered", "not_informed"]


def test_who_was_told_otherwise_needs_no_call(session: Session) -> None:
    case = a_case(session)
    resolve(session, case, "spoke")
    end(session, "failed", "not-delivered")
    follow_up(LATER)
    assert not mark(session, case) and told_by(session, case) == []


def test_a_question_needs_a_call_while_it_is_open(session: Session) -> None:
    gro = build.actor(session, "gro.social-welfare")
    open_one, answered = a_case(session), a_case(session)
    for case in (open_one, answered):
        service.ask_complainant(gro, case.tracking_number, case.version, "কোন মাস থেকে?", now=DECIDED)
    service.answer_question(complainant(answered.tracking_number), answered.tracking_number, "মার্চ থেকে", now=DECIDED)
    session.rollback()
    session.execute(
        text("UPDATE message SET state = 'failed', ended_at = :at WHERE key LIKE 'case-question%'"), {"at": LATER}
    )
    session.commit()
    follow_up(LATER)
    assert mark(session, open_one) and not mark(session, answered)


@pytest.mark.parametrize("error", ["no-longer-needed", "date-moved"])
def test_what_nobody_needed_any_more_is_no_loss(session: Session, error: str) -> None:
    case = a_case(session)
    resolve(session, case)
    end(session, "expired", error)
    follow_up(LATER)
    assert not mark(session, case)


def test_messages_from_before_are_left_alone(session: Session) -> None:
    case = a_case(session)
    resolve(session, case)
    end(session, "failed", "not-delivered")
    session.execute(text("UPDATE message SET followed_up = 'past'"))
    session.commit()
    follow_up(LATER)
    assert not mark(session, case)


def test_one_that_cannot_be_followed_up_stops_no_other(session: Session) -> None:
    cases = [a_case(session) for _ in range(3)]
    for case in cases:
        resolve(session, case)
    session.rollback()
    session.execute(text("UPDATE message SET state = 'failed', ended_at = :at"), {"at": LATER})
    session.execute(text(f"ALTER TABLE contact_task ADD CONSTRAINT trap CHECK (case_id <> {int(cases[1].id)})"))
    session.commit()
    try:
        done = follow_up(LATER)
    finally:
        session.rollback()
        session.execute(text("ALTER TABLE contact_task DROP CONSTRAINT trap"))
        session.commit()
    assert (done.not_arrived, done.failed) == (2, 1)
    assert follow_up(LATER).not_arrived == 1, "the next pass takes it up"


# --- how it ends ----------------------------------------------------------------------------------------------------


def not_informed(session: Session) -> Case:
    case = a_case(session)
    resolve(session, case)
    end(session, "failed", "not-delivered")
    follow_up(LATER)
    assert mark(session, case)
    return case


def test_an_officer_records_how_the_complainant_was_told(session: Session) -> None:
    case = not_informed(session)
    gro = build.actor(session, "gro.social-welfare")
    at = LATER + timedelta(days=1)
    version = informing.inform_case(
        gro,
        case.tracking_number,
        case.version,
        how="phone",
        contacted_on=date(2026, 1, 14),
        note="মেয়ের সঙ্গে কথা হয়েছে",
        now=at,
    )
    assert not mark(session, case) and version == case.version
    [task] = session.scalars(select(ContactTask))
    assert (task.how, task.contacted_on, task.officer_id, task.closed_at) == (
        "phone",
        date(2026, 1, 14),
        gro.officer_id,
        at,
    )
    window = clock(session, case, "appeal_window")
    assert window is not None and window.started_at == at
    assert told_by(session, case) == ["not_informed", "phone"]
    with pytest.raises(IllegalAction, match="nobody-to-inform"):
        informing.inform_case(
            gro, case.tracking_number, version, how="phone", contacted_on=date(2026, 1, 14), note="", now=at
        )


@pytest.mark.parametrize("day", [None, date(2026, 1, 3), date(2026, 1, 14)])
def test_the_day_lies_between_receipt_and_today(session: Session, day: date | None) -> None:
    case = not_informed(session)
    gro = build.actor(session, "gro.social-welfare")
    with pytest.raises(InvalidInput) as caught:
        informing.inform_case(gro, case.tracking_number, case.version, how="telepathy", contacted_on=day, now=LATER)
    assert set(caught.value.fields) == {"how", "contacted_on"}


def test_a_stale_page_records_nothing(session: Session) -> None:
    case = not_informed(session)
    gro = build.actor(session, "gro.social-welfare")
    with pytest.raises(Conflict):
        informing.inform_case(
            gro, case.tracking_number, case.version - 1, how="phone", contacted_on=date(2026, 1, 13), now=LATER
        )


def test_reading_it_on_the_tracking_page_is_being_told(app: Flask, session: Session) -> None:
    case = not_informed(session)
    assert informing.note_reading(case.tracking_number, now=LATER)
    assert not informing.note_reading(case.tracking_number, now=LATER)
    assert not mark(session, case) and live(clock(session, case, "appeal_window"))
    assert told_by(session, case) == ["not_informed", "read"]


def test_after_the_cells_decision_there_is_no_further_appeal(session: Session) -> None:
    case = a_case(session, office=build.office_id(session, "cell"), desk="cell", tier="cell", main_clock="cell")
    session.execute(text("UPDATE deadline SET kind = 'cell' WHERE case_id = :id AND kind = 'resolve'"), {"id": case.id})
    session.commit()
    cell = build.actor(session, "cabinet")
    service.resolve_case(
        cell,
        case.tracking_number,
        case.version,
        outcome="answered",
        reply=REPLY,
        root_cause="ক",
        prevention="খ",
        contact="wrote",
        now=DECIDED,
    )
    assert not live(clock(session, case, "inform")) and clock(session, case, "appeal_window") is None


def test_the_worklist_is_read_by_its_index(session: Session) -> None:
    from grm.notifications import undelivered

    session.execute(text("SET LOCAL enable_seqscan = off"))
    plan = session.execute(text("EXPLAIN " + str(undelivered._FIND)), {**undelivered._GIVEN, "limit": 10}).scalars()
    assert "ix__message__to_follow_up" in "\n".join(plan)
    assert session.query(Message).count() == 0
