"""What operators do by hand: clocks set aside, held messages, stopped channels; and what is forgotten by itself."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.cases.verification import Tally, faults
from grm.cli import register
from grm.deadlines.models import Deadline
from grm.escalation.queries import oldest_due, sweep_health
from grm.escalation.sweep import sweep
from grm.kernel import clock
from grm.kernel.db import db
from grm.notifications import stops
from grm.notifications.delivery import deliver_due, post_for
from grm.notifications.models import Attempt, Message, Receipt
from grm.watch.retention import BATCH, forget
from grm.web.health import record_heartbeat
from tests.support import build
from tests.support.gateway import running_gateway
from tests.support.outbox import add_message, later, message

Run = Callable[..., Result]
MakeApp = Callable[..., Flask]


@pytest.fixture
def run(app: Flask) -> Run:
    runner = register(app).test_cli_runner()

    def command(*arguments: object, status: int = 0) -> Result:
        done = runner.invoke(args=[str(each) for each in arguments])
        assert done.exit_code == status, done.output
        db.session.rollback()
        return done

    return command


def kinds(session: Session, stream: str = "operations") -> list[str]:
    rows = session.execute(text("SELECT kind FROM audit_entry WHERE stream = :s ORDER BY seq"), {"s": stream})
    return list(rows.scalars())


# --- clocks set aside -------------------------------------------------------------------------------------------


def clocks(session: Session, case_id: int) -> dict[str, Any]:
    session.expire_all()
    rows = session.query(Deadline).filter_by(case_id=case_id).order_by(Deadline.epoch)
    return {row.kind: row for row in rows}


def test_a_clock_set_aside_does_not_climb_and_keeps_nothing_red(session: Session, run: Run) -> None:
    bad, good = build.case(session), build.case(session)
    session.commit()
    for kind in ("acknowledge", "resolve"):
        run("deadlines", "set-aside", bad.tracking_number, kind, "--reason", "its office is gone")
    again = run("deadlines", "set-aside", bad.tracking_number, "resolve", "--reason", "again", status=1)
    assert "already" in again.output
    sweep()
    session.rollback()
    levels = session.execute(text("SELECT DISTINCT case_id FROM escalation")).scalars().all()
    assert levels == [good.id], "the other one climbs, the one set aside does not"
    oldest = oldest_due(session)
    assert oldest is None or oldest > clock.now(session)
    now = clock.now(session)
    verdict = sweep_health(5)(session, now)
    assert verdict.is_well and verdict.detail["set_aside"] == 2 and "2 deadlines are set aside" in verdict.warnings[0]
    listed = run("deadlines", "aside").output.splitlines()
    assert len(listed) == 2 and all("its office is gone" in line for line in listed)

    run("deadlines", "take-up", bad.tracking_number, "resolve")
    assert "not set aside" in run("deadlines", "take-up", bad.tracking_number, "resolve", status=1).output
    sweep()
    session.rollback()
    assert session.execute(text("SELECT count(*) > 0 FROM escalation WHERE case_id = :id"), {"id": bad.id}).scalar()
    assert clocks(session, bad.id)["resolve"].state == "breached"
    assert kinds(session) == ["deadline-set-aside", "deadline-set-aside", "deadline-taken-up"]
    history = session.execute(text("SELECT kind FROM case_event WHERE case_id = :id ORDER BY seq"), {"id": bad.id})
    assert [kind for kind in history.scalars() if kind in ("set_aside", "taken_up")] == ["set_aside"] * 2 + ["taken_up"]
    with db.engine.connect() as connection:
        assert list(faults(connection, Tally())) == []


def test_a_clock_can_be_set_aside_although_its_history_is_the_fault(session: Session, run: Run) -> None:
    case = build.case(session)
    session.execute(text("UPDATE cases SET history_length = 0 WHERE id = :id"), {"id": case.id})
    session.commit()
    assert sweep().failed > 0
    session.rollback()
    for kind in ("acknowledge", "resolve"):
        run("deadlines", "set-aside", case.tracking_number, kind, "--reason", "its chain is cut")
    assert sweep().failed == 0
    session.rollback()
    data = (
        session.execute(text("SELECT data FROM audit_entry WHERE stream = 'operations' ORDER BY seq")).scalars().all()
    )
    assert [entry["history_fault"] for entry in data] == ["UniqueViolation"] * 2


def test_only_a_living_clock_can_be_set_aside(session: Session, run: Run) -> None:
    case = build.case(session)
    session.commit()
    run("deadlines", "set-aside", case.tracking_number, "appeal", "--reason", "x", status=1)
    run("deadlines", "set-aside", "0000-0000-00000", "resolve", "--reason", "x", status=1)
    assert run("deadlines", "set-aside", case.tracking_number, "resolve", status=2)


# --- held messages, stopped channels ----------------------------------------------------------------------------


@pytest.fixture
def now(session: Session) -> datetime:
    return clock.now(session)


def test_held_messages_are_listed_released_and_cancelled(session: Session, run: Run, now: datetime) -> None:
    held = [
        add_message(session, now, f"m{n}", state="held", ended_at=now, error=error)
        for n, error in enumerate(("answer-unknown", "restored-from-backup", "restored-from-backup"))
    ]
    sent = add_message(session, now, "sent", state="accepted")
    lines = [json.loads(line) for line in run("messages", "list", "--state", "held").output.splitlines()]
    assert [line["id"] for line in lines] == held and lines[0]["to"] == "complainant"
    assert "+880" not in str(lines)
    assert run("messages", "release", held[0]).output == "1 released, 0 refused\n"
    first = message(session, held[0])
    assert (first.state, first.error, first.ended_at) == ("pending", None, None) and first.expires_at > later(
        now, hours=71
    )
    assert "not held" in run("messages", "release", held[0], status=1).output
    assert run("messages", "release", "--all", "--error", "restored").output == "2 released, 0 refused\n"
    assert "under way" in run("messages", "cancel", sent, "--reason", "x", status=1).output
    run("messages", "cancel", held[2], "--reason", "told by telephone")
    last = message(session, held[2])
    assert (last.state, last.error) == ("failed", "cancelled") and last.ended_at is not None
    assert "has ended" in run("messages", "cancel", held[2], "--reason", "x", status=1).output
    run("messages", "release", status=2)
    assert kinds(session) == ["message-released"] * 3 + ["message-cancelled"]


def test_a_stopped_channel_hands_nothing_over_until_it_goes_on(
    app: Flask, session: Session, run: Run, make_app: MakeApp, now: datetime
) -> None:
    with running_gateway() as gateway:
        other = make_app(sms_gateway_url=gateway.url)
        number = add_message(session, now)
        session.rollback()
        run("messages", "stop", "sms", "email")
        with other.app_context():
            post = post_for("sms", other.extensions["grm.settings"])
            assert post is not None
            deliver_due(post)
            assert gateway.accepted == []
        assert message(session, number).state == "pending"
        session.rollback()
        run("messages", "go", "sms")
        with other.app_context():
            deliver_due(post)
            assert len(gateway.accepted) == 1
            db.session.remove()
    assert "was not stopped" in run("messages", "go", "sms").output
    assert list(stops.stops(session)) == ["email"]
    assert kinds(session) == ["sending-stopped", "sending-stopped", "sending-resumed"]


def test_messages_can_be_delivered_without_any_worker(session: Session, make_app: MakeApp, now: datetime) -> None:
    with running_gateway() as gateway:
        other = register(make_app(sms_gateway_url=gateway.url))
        add_message(session, now)
        session.rollback()
        with other.app_context():
            done = other.test_cli_runner().invoke(args=["messages", "deliver", "--seconds", "2"])
        assert done.exit_code == 0, done.output
        sms, email = (json.loads(line) for line in done.output.splitlines())
        assert sms == {"channel": "sms", "configured": True, "accepted": 1} and not email["configured"]
        assert len(gateway.accepted) == 1


def test_a_stop_after_a_restore_is_not_taken_back_by_hand(session: Session, run: Run, now: datetime) -> None:
    stops.stop(session, "sms", stops.OPERATOR, now)
    stops.stop(session, "sms", stops.RESTORED, now)
    stops.stop(session, "sms", stops.OPERATOR, now)
    session.commit()
    assert "restore-finish" in run("messages", "go", "sms", status=1).output
    assert stops.stops(session)["sms"][0] == stops.RESTORED


# --- forgetting -------------------------------------------------------------------------------------------------


def test_texts_are_forgotten_thirty_days_after_the_end_and_never_before(session: Session, now: datetime) -> None:
    text_of = {"body": "স্মারক", "subject": "s"}
    old = later(now, days=-31)
    ended = add_message(session, old, "old", state="delivered", ended_at=old, **text_of)
    recent = add_message(session, old, "recent", state="failed", ended_at=later(now, days=-29), **text_of)
    waiting = add_message(session, old, "open", state="accepted", **text_of)
    for number in (ended, recent):
        session.add(Attempt(message_id=number, number=1, started_at=old, outcome="accepted", detail="to 017…"))
        session.add(Receipt(message_id=number, reference=str(number), status="1", detail="id:1 err:0", received_at=old))
    session.add(Receipt(reference="999", status="1", detail="x", received_at=old))
    session.commit()
    assert forget(now)["message"] == 1 and forget(now)["message"] == 0
    session.expire_all()
    gone = message(session, ended)
    assert (gone.body, gone.subject, gone.params, gone.address_sealed) == (None, None, {}, b"")
    assert gone.forgotten_at == now and gone.state == "delivered", "that it was sent stays"
    for number in (recent, waiting):
        kept = message(session, number)
        assert kept.body == text_of["body"] and kept.params and kept.address_sealed and kept.forgotten_at is None
    details = session.execute(text("SELECT message_id, detail FROM attempt ORDER BY 1")).all()
    assert [tuple(row) for row in details] == [(ended, None), (recent, "to 017…")]
    receipts = session.execute(text("SELECT message_id, detail FROM receipt ORDER BY 1")).all()
    assert [tuple(row) for row in receipts] == [(ended, ""), (recent, "id:1 err:0")]


def test_a_forgotten_message_is_never_released(session: Session, run: Run, now: datetime) -> None:
    old = later(now, days=-31)
    number = add_message(session, old, state="held", ended_at=old, error="answer-unknown", body="x")
    forget(now)
    session.rollback()
    assert "forgotten" in run("messages", "release", number, status=1).output


def test_records_of_sweeps_and_silent_parts_are_dropped_in_time(session: Session, now: datetime) -> None:
    for days in (1, 89, 91, 400):
        at = later(now, days=-days)
        session.execute(text("INSERT INTO sweep_run (as_of, started_at, counts) VALUES (:at, :at, '{}')"), {"at": at})
    for name in ("worker:a@b", "worker:c@d", "beat.standby", "beat", "worker"):
        record_heartbeat(session, name, now - timedelta(days=0 if name == "worker:c@d" else 2))
    session.commit()
    assert forget(now) == {"message": 0, "receipt": 0, "sweep_run": 2, "heartbeat": 2}
    names = session.execute(text("SELECT name FROM heartbeat ORDER BY 1")).scalars().all()
    assert names == ["beat", "worker", "worker:c@d"]


def test_more_than_a_batch_is_forgotten_in_one_run(session: Session, now: datetime) -> None:
    old = later(now, days=-40)
    add_message(session, old, state="delivered", ended_at=old, body="x")
    session.execute(
        text(
            "INSERT INTO message (key, template, channel, language, priority, address_sealed, params, body, state, attempts,"
            " next_attempt_at, created_at, expires_at, ended_at)"
            " SELECT 'n' || n, template, channel, language, priority, address_sealed, params, body, state, attempts,"
            " next_attempt_at, created_at, expires_at, ended_at FROM message, generate_series(1, :n) AS n"
        ),
        {"n": BATCH + 5},
    )
    session.commit()
    assert forget(now)["message"] == BATCH + 6
    assert session.query(Message).filter(Message.body.is_not(None)).count() == 0
