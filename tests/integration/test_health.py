"""/healthz: what turns a part red, what is only a warning, and whom it blames."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from config import Settings
from grm.escalation.sweep import sweep
from grm.kernel import clock
from grm.notifications import breaker, stops
from grm.watch.providers import providers_health
from grm.web.health import broker_answers, record_heartbeat, worker_alive
from grm.web.models import Heartbeat
from grm.worker import create_celery
from tests.support.outbox import add_message, later

LIMIT = timedelta(seconds=20)


def seen(session: Session, **ages: float) -> None:
    """Signs of life, so many seconds old."""
    now = clock.now(session)
    for name, age in ages.items():
        record_heartbeat(session, name.replace("__", ":"), now - timedelta(seconds=age))
    session.commit()


def test_warnings_alone_leave_the_page_green(client: FlaskClient, session: Session) -> None:
    sweep()
    seen(session, worker=0, beat=0)
    now = clock.now(session)
    stops.stop(session, "sms", stops.OPERATOR, now)
    session.commit()
    add_message(session, later(now, minutes=-30))
    add_message(session, now, "held", state="held", ended_at=now)
    add_message(session, later(now, hours=-7), "accepted", state="accepted")
    answer = client.get("/healthz")
    found = answer.get_json()
    assert answer.status_code == 200 and found["status"] == "ok", found
    assert found["parts"]["outbox"]["stopped"] == {"sms": "operator"} and found["parts"]["outbox"]["held"] == 1
    said = " | ".join(found["warnings"])
    for words in (
        "sending of sms was stopped",
        "7 hours without a report",
        "1 messages are held",
        "working days ahead",
    ):
        assert words in said, said


def test_the_outbox_is_red_where_messages_lie_on_a_channel_that_nobody_stopped(
    client: FlaskClient, session: Session
) -> None:
    now = clock.now(session)
    stops.stop(session, "email", stops.OPERATOR, now)
    session.commit()
    add_message(session, later(now, minutes=-6))
    assert not client.get("/healthz").get_json()["parts"]["outbox"]["ok"]


def test_one_silent_worker_of_several_is_a_warning_and_none_is_red(session: Session) -> None:
    check = worker_alive(LIMIT)
    seen(session, worker=1, worker__a=1, worker__b=500)
    verdict = check(session, clock.now(session))
    assert verdict.is_well and verdict.detail["nodes"] == 1
    assert verdict.warnings == ("the worker b has done nothing for a while",)
    seen(session, worker=30)
    assert not check(session, clock.now(session)).is_well


@pytest.mark.parametrize(
    ("ages", "is_well", "passes"),
    [
        ({"beat": 1, "worker": 1}, True, True),
        ({"beat": 1, "worker": 60}, False, False),
        ({"beat": 60, "worker": 60}, True, None),
        ({}, True, None),
    ],
)
def test_a_broker_is_judged_by_what_it_passes_on(
    session: Session, settings: Settings, ages: dict[str, float], is_well: bool, passes: bool | None
) -> None:
    seen(session, **ages)
    verdict = broker_answers(settings.redis_url, LIMIT)(session, clock.now(session))
    assert (verdict.is_well, verdict.detail["passes_tasks"]) == (is_well, passes)


def test_a_canary_tells_its_way_and_who_had_it(app: Flask, session: Session) -> None:
    celery = create_celery(app)
    sent_at = clock.now(session) - timedelta(seconds=3)
    session.rollback()
    celery.tasks["web.record-worker-heartbeat"].apply(kwargs={"sent_at": sent_at.isoformat()}).get()
    names: dict[str, Any] = {row.name: row.detail for row in session.query(Heartbeat)}
    assert 3 <= names["worker"]["way_seconds"] < 10 and names["worker"]["node"]
    assert f"worker:{names['worker']['node']}" in names


def test_providers_are_red_only_where_a_whole_channel_wants_money(app: Flask, session: Session, make_app: Any) -> None:
    from grm.notifications.channels.contract import Outcome

    with make_app(sms_gateway_url="http://127.0.0.1:9/").app_context():
        now = clock.now(session)
        assert providers_health(session, now).is_well
        breaker.note(session, "sms", "default", now, breaker.Fuse(), [Outcome("no_balance", "paid up")])
        verdict = providers_health(session, now)
        assert not verdict.is_well and any("no balance" in each for each in verdict.warnings)
        session.rollback()
