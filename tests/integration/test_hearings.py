"""Hearings: set, moved, recorded and called off, told to both sides once, and never what they are about."""

import threading
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cases import appeals, hearings, service
from grm.cases.closing_forms import parse_hour
from grm.cases.closing_models import Hearing
from grm.cases.models import Case, CaseEvent
from grm.cases.public_status import status_of
from grm.kernel import clock
from grm.kernel.actor import Actor, complainant
from grm.kernel.errors import IllegalAction, InvalidInput
from grm.notifications import undelivered
from grm.notifications.models import Message
from tests.integration.test_closing import ANSWER, GRO, post, sign_in
from tests.support import build

FILED = build.dhaka(2026, 1, 4)
NOW = build.dhaka(2026, 1, 6, 11)
DAY = date(2026, 1, 20)
AT = build.dhaka(2026, 1, 20, 10, 30)
EVE = build.dhaka(2026, 1, 19, 10)
ROOM = "উপজেলা পরিষদ ভবন, কক্ষ ২০৫"


@pytest.fixture
def gro(session: Session) -> Actor:
    return build.actor(session, GRO)


@pytest.fixture
def clerk(session: Session) -> Actor:
    return build.actor(session, "officer.social-welfare")


def made(session: Session, **columns: Any) -> Case:
    row = build.case(session, **{"filed_at": FILED, **columns})
    session.commit()
    return row


def schedule(who: Actor, row: Case, now: datetime = NOW, **changes: Any) -> int:
    values: dict[str, Any] = {"on": DAY, "hour": time(10, 30), "place": ROOM, "note": "ভাতার বই", **changes}
    return hearings.schedule_hearing(who, row.tracking_number, None, **values, now=now)


def rows(session: Session) -> list[Hearing]:
    session.rollback()
    return list(session.scalars(select(Hearing).order_by(Hearing.id).execution_options(populate_existing=True)))


def kinds(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(CaseEvent.kind).order_by(CaseEvent.id)))


def sent(session: Session) -> list[str]:
    """The messages so far; each is told once, so they are forgotten here."""
    session.rollback()
    found = [row.template for row in session.execute(text("DELETE FROM message RETURNING id, template")).all()]
    session.commit()
    return sorted(found)


def test_a_hearing_is_set_and_both_sides_are_told(session: Session, gro: Actor, clerk: Actor) -> None:
    row = made(session)
    service.assign_case(gro, row.tracking_number, None, clerk.officer_id, now=NOW)
    sent(session)
    schedule(gro, row)
    [hearing] = rows(session)
    assert (hearing.at, hearing.place, hearing.note, hearing.state, hearing.remind_at) == (
        *(AT, ROOM, "ভাতার বই"),
        *("planned", EVE),
    )
    found = session.scalars(select(Message)).all()
    assert {each.template for each in found} == {"hearing-set-complainant", "hearing-set-officer"}
    assert {each.officer_id for each in found} == {None, clerk.officer_id}
    assert all(set(each.params) == {"tracking_number", "due_on", "hearing_at"} for each in found), (
        "nothing that was typed"
    )
    shown = status_of(session, row.tracking_number, NOW)
    assert shown.hearing is not None and (shown.hearing.at, shown.hearing.place) == (AT, ROOM)
    line = next(each for each in shown.events if each.kind == "hearing_set")
    assert set(line.texts) == {ROOM, "ভাতার বই"}


def test_who_sets_it_is_not_told_and_a_first_look_counts(session: Session, gro: Actor) -> None:
    row = made(session)
    service.claim_case(gro, row.tracking_number, None, now=NOW)
    other = made(session)
    schedule(gro, row)
    schedule(gro, other)
    assert sent(session) == ["hearing-set-complainant"] * 2
    session.refresh(other)
    assert (other.status, other.acknowledged_at) == ("acknowledged", NOW)


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"on": None}, {"hearing_on"}),
        ({"hour": None}, {"hour"}),
        ({"on": date(2026, 1, 6), "hour": time(11)}, {"hearing_on"}),  # now
        ({"on": date(2028, 1, 6)}, {"hearing_on"}),
        ({"place": " "}, {"place"}),
    ],
)
def test_day_hour_and_place_are_checked(
    session: Session, gro: Actor, changes: dict[str, Any], faults: set[str]
) -> None:
    row = made(session)
    with pytest.raises(InvalidInput) as caught:
        schedule(gro, row, **changes)
    assert set(caught.value.fields) == faults and rows(session) == []


def test_a_hearing_is_moved_and_the_reminder_with_it(session: Session, gro: Actor) -> None:
    row = made(session)
    schedule(gro, row)
    sent(session)
    schedule(gro, row, on=date(2026, 1, 25))
    [hearing] = rows(session)
    assert (hearing.at, hearing.times_moved, hearing.remind_at) == (
        *(AT + timedelta(days=5), 1),
        EVE + timedelta(days=5),
    )
    assert kinds(session)[-2:] == ["hearing_set", "hearing_moved"]
    assert "hearing-moved-complainant" in sent(session)
    assert hearings.remind(EVE) == 0, "the day it had been set for"
    assert hearings.remind(EVE + timedelta(days=5)) == 1


def test_the_day_before_both_sides_are_reminded_exactly_once(app: Flask, session: Session, gro: Actor) -> None:
    due, soon, past = made(session), made(session), made(session)
    schedule(gro, due)
    schedule(gro, soon, now=EVE + timedelta(hours=1))  # set on the eve: the notice is the reminder
    schedule(gro, past, on=date(2026, 1, 10))
    sent(session)
    assert hearings.remind(EVE - timedelta(seconds=1)) == 0 and sent(session) == []
    results: list[int] = []

    def run() -> None:
        with app.app_context():
            results.append(hearings.remind(EVE + timedelta(hours=2)))

    threads = [threading.Thread(target=run) for _ in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0] * 6 + [1]
    assert sent(session) == ["hearing-near-complainant", "hearing-near-officer"]
    assert all(each.remind_at is None for each in rows(session))


@pytest.mark.parametrize(
    ("result", "kind", "state", "missed_by"),
    [
        ("held", "hearing_held", "held", None),
        ("complainant_missed", "hearing_missed", "missed", "complainant"),
        ("office_missed", "hearing_missed", "missed", "office"),
        ("cancelled", "hearing_cancelled", "cancelled", None),
    ],
)
def test_what_came_of_it_is_recorded(
    session: Session, gro: Actor, result: str, kind: str, state: str, missed_by: str | None
) -> None:
    row = made(session)
    number, after = row.tracking_number, AT + timedelta(hours=1)
    with pytest.raises(IllegalAction, match="no-hearing"):
        hearings.record_hearing(gro, number, None, result, "কিছু", now=after)
    schedule(gro, row)
    sent(session)
    if result != "cancelled":
        with pytest.raises(IllegalAction, match="hearing-to-come"):
            hearings.record_hearing(gro, number, None, result, "কিছু", now=NOW)
    if result in ("held", "cancelled"):
        with pytest.raises(InvalidInput):
            hearings.record_hearing(gro, number, None, result, "", now=after)
    with pytest.raises(InvalidInput):
        hearings.record_hearing(gro, number, None, "postponed", "কিছু", now=after)
    hearings.record_hearing(gro, number, None, result, "উভয় পক্ষ বক্তব্য দিয়েছেন।", now=after)
    [hearing] = rows(session)
    assert (hearing.state, hearing.missed_by, hearing.remind_at, hearing.ended_at) == (state, missed_by, None, after)
    assert kinds(session)[-1] == kind
    assert ("hearing-cancelled-complainant" in sent(session)) == (result == "cancelled")
    shown = status_of(session, number, after)
    line = next(each for each in shown.events if each.kind == kind)
    assert line.texts == () and shown.hearing is None, "what was said is for the office"
    schedule(gro, row, now=after, on=date(2026, 1, 29))  # another one may follow
    assert [each.state for each in rows(session)] == [state, "planned"]


def test_nothing_is_decided_before_a_past_hearing_is_recorded(session: Session, gro: Actor) -> None:
    row = made(session)
    schedule(gro, row)
    after = AT + timedelta(minutes=1)
    for act in (
        lambda: service.resolve_case(gro, row.tracking_number, None, **ANSWER, now=after),
        lambda: service.decline_case(gro, row.tracking_number, None, "before_court", ANSWER["reply"], now=after),
        lambda: schedule(gro, row, now=after, on=date(2026, 1, 30)),
    ):
        with pytest.raises(IllegalAction, match="record-hearing-first"):
            act()
    hearings.record_hearing(gro, row.tracking_number, None, "complainant_missed", now=after)
    service.resolve_case(gro, row.tracking_number, None, **ANSWER, now=after)


def test_nobody_comes_in_vain(session: Session, gro: Actor) -> None:
    """What ends the case, or takes it elsewhere, calls the hearing off."""
    resolved, withdrawn, referred, late = (made(session) for _ in range(4))
    for row in (resolved, withdrawn, referred, late):
        schedule(gro, row)
    sent(session)
    service.add_note(gro, resolved.tracking_number, None, "শুধু মন্তব্য", now=NOW)
    assert {each.state for each in rows(session)} == {"planned"}
    service.resolve_case(gro, resolved.tracking_number, None, **ANSWER, now=NOW)
    service.withdraw_case(complainant(withdrawn.tracking_number), withdrawn.tracking_number, now=NOW)
    food = build.office_id(session, "food")
    service.refer_case(gro, referred.tracking_number, None, food, "খাদ্য মন্ত্রণালয়ের কর্মসূচি", now=NOW)
    assert sent(session).count("hearing-cancelled-complainant") == 3
    overdue = late.due_at + timedelta(hours=1)
    appeals.appeal_case(complainant(late.tracking_number), late.tracking_number, "", now=overdue)  # long after its day
    assert {each.state for each in rows(session)} == {"cancelled"}
    assert "hearing-cancelled-complainant" not in sent(session)
    assert hearings.remind(EVE + timedelta(hours=1)) == 0
    by_itself = session.scalars(select(CaseEvent).where(CaseEvent.kind == "hearing_cancelled")).all()
    assert {(each.actor_kind, each.data["is_by_itself"]) for each in by_itself} == {("system", True)}


def test_somebody_calls_where_the_notice_did_not_arrive(session: Session, gro: Actor) -> None:
    row = made(session)
    schedule(gro, row, now=clock.now(session), on=clock.dhaka_date(clock.now(session)) + timedelta(days=9))
    session.rollback()
    session.execute(
        text("UPDATE message SET state = 'failed', ended_at = now(), followed_up = NULL, error = 'bounced'")
    )
    session.commit()
    undelivered.follow_up()
    session.refresh(row)
    assert row.is_not_informed
    tasks = session.execute(text("SELECT subject FROM contact_task")).scalars().all()
    assert tasks == ["hearing-set-complainant"]


def test_messages_of_a_sensitive_case_say_nothing(session: Session) -> None:
    row = made(session, desk="appeal", category="bribe-demand")
    appeal = build.actor(session, "appeal.social-welfare")
    schedule(appeal, row)
    hearings.remind(EVE)
    session.rollback()
    found = session.scalars(select(Message)).all()
    assert len(found) == 3
    assert {each.template for each in found} == {"sensitive-notice-complainant", "sensitive-notice-officer"}
    assert all(each.params == {} for each in found)


def test_who_may_set_one(session: Session, gro: Actor, clerk: Actor) -> None:
    row = made(session)
    for who in (clerk, build.actor(session, "appeal.social-welfare"), build.actor(session, "cabinet")):
        with pytest.raises(IllegalAction):
            schedule(who, row)
    service.assign_case(gro, row.tracking_number, None, clerk.officer_id, now=NOW)
    schedule(clerk, row)
    assert len(rows(session)) == 1


def test_the_page_sets_moves_and_records(app: Flask, session: Session) -> None:
    number = made(session, filed_at=build.dhaka(2026, 1, 4)).tracking_number
    client = sign_in(app, GRO)
    wrong = post(client, number, "SCHEDULE_HEARING", hearing_on="কাল", hour="দশটা", place="", bring="ভাতার বই")
    assert wrong.status_code == 422 and "ভাতার বই" in wrong.text
    assert {f'href="#schedule_hearing-{name}"' in wrong.text for name in ("hearing_on", "hour", "place")} == {True}
    assert post(client, number, "RECORD_HEARING", result="held", minutes="কথা হয়েছে").status_code == 409
    day = clock.dhaka_date(clock.now(session)) + timedelta(days=14)
    typed = f"{day:%d/%m/%Y}"
    done = post(client, number, "SCHEDULE_HEARING", hearing_on=typed, hour="১০:৩০", place=ROOM, bring="")
    assert done.status_code == 303
    page = client.get(f"/cases/{number}").text
    assert ROOM in page and f'value="{typed}"' in page and 'id="hearings"' in page
    assert post(client, number, "RECORD_HEARING", result="held", minutes="কথা হয়েছে").status_code == 409, "to come"
    assert post(client, number, "RECORD_HEARING", result="cancelled", minutes="কর্মকর্তা অসুস্থ").status_code == 303
    assert "Called off" in client.get(f"/cases/{number}").text


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("10:30", time(10, 30)),
        ("১০.৩০", time(10, 30)),
        ("14", time(14)),
        (" 2:30 PM ", time(14, 30)),
        ("12:05 am", time(0, 5)),
        ("24:00", None),
        ("10:75", None),
        ("13 pm", None),
        ("দশটা", None),
        ("", None),
    ],
)
def test_hours_as_people_write_them(typed: str, expected: time | None) -> None:
    assert parse_hour(typed) == expected
