"""Senders killed and frozen at bad moments: nothing is lost, and nothing is sent twice but for a lost answer, once, marked."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from config import Settings
from grm.kernel import clock, context
from grm.kernel.places import derive_keys
from grm.notifications import delivery
from grm.notifications.backoff import REPORT_PATIENCE
from grm.notifications.delivery import LEASE_TIMEOUTS, Post, deliver_due, end_overdue
from tests.support import gateway as gw
from tests.support.gateway import Gateway, running_gateway
from tests.support.outbox import add_message, attempts, later, message, outcomes, states

pytestmark = pytest.mark.faults

SCRIPT = Path(__file__).parents[1] / "support" / "sender.py"
TIMEOUT = 1.0
LEASE_SECONDS = LEASE_TIMEOUTS * TIMEOUT


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as running:
        yield running


@pytest.fixture
def post(app: Flask, session: Session, gateway: Gateway) -> Post:
    settings = replace(context.settings(), sms_gateway_url=gateway.url, http_timeout_seconds=TIMEOUT)
    post = delivery.post_for("sms", settings)
    assert post is not None
    return post


@contextmanager
def sender(settings: Settings, gateway: Gateway, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A worker process on the test's own database."""
    env = {
        "PATH": os.environ["PATH"],
        "GRM_ENV": "test",
        "GRM_HOME": str(settings.grm_home),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "HTTP_TIMEOUT_SECONDS": str(TIMEOUT),
        "LOG_LEVEL": "ERROR",
        "ACKS_PER_RECIPIENT": "0",  # every message here goes to one number
        **derive_keys(b"tests"),
    }
    command = [sys.executable, str(SCRIPT), gateway.url, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as process:
        try:
            read_line(process, "ready")
            yield process
        finally:
            process.kill()


def read_line(process: subprocess.Popen[str], expected: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline().strip() == expected


def wait_until(condition: Callable[[], object], seconds: float = 15) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.01)


def test_killed_between_claim_and_call(session: Session, settings: Settings, gateway: Gateway, post: Post) -> None:
    now = clock.now(session)
    message_id = add_message(session, now)
    with sender(settings, gateway, "stall") as process:
        read_line(process, "claimed")
        process.kill()
        process.wait()
    assert message(session, message_id).state == "sending" and gateway.requests == []
    assert deliver_due(post, now) == {}, "the claim still holds"
    after = later(clock.now(session), seconds=LEASE_SECONDS + 5)
    assert deliver_due(post, after) == {"abandoned": 1}
    assert states(session) == ["unknown"], "nobody can say whether the call was made"
    at = later(after, seconds=REPORT_PATIENCE.total_seconds())
    assert deliver_due(post, at) == {"accepted": 1}
    assert gateway.references() == {str(message_id): 1}
    assert attempts(session, message_id)[0][1] is None and attempts(session, message_id)[1][2].startswith("resend")  # type: ignore[union-attr]


def test_killed_while_the_gateway_thinks_and_reported_later(
    app: Flask, session: Session, settings: Settings, gateway: Gateway, post: Post
) -> None:
    now = clock.now(session)
    message_id = add_message(session, now)
    gateway.answers(gw.Answer(after_seconds=0.8))
    with sender(settings, gateway) as process:
        wait_until(lambda: gateway.accepted)
        process.kill()
        process.wait()
    after = later(clock.now(session), seconds=LEASE_SECONDS + 5)
    assert deliver_due(post, after) == {"abandoned": 1}
    assert app.test_client().get(gw.report_path(gateway.accepted[0], 1)).status_code == 200
    assert deliver_due(post, later(after, hours=1)) == {}
    assert message(session, message_id).state == "delivered"
    assert gateway.references() == {str(message_id): 1}


def test_a_killed_sender_leaves_in_doubt_only_what_was_under_way(
    session: Session, settings: Settings, gateway: Gateway, post: Post
) -> None:
    """It holds more than it calls for: what it merely held is free again, and is no resend."""
    now = clock.now(session)
    ids = [add_message(session, now, f"m{number}") for number in range(60)]
    gateway.always(gw.Answer(after_seconds=0.3))
    with sender(settings, gateway) as process:
        wait_until(lambda: len(gateway.accepted) > 12)
        process.kill()
        process.wait()
    begun = text("SELECT count(*) FROM attempt WHERE outcome IS NULL")
    in_doubt = int(session.execute(begun).scalar_one())
    session.rollback()
    gateway.always(None)
    after = later(clock.now(session), seconds=LEASE_SECONDS + 5)
    deliver_due(post, after)
    assert states(session).count("unknown") == in_doubt <= 16
    assert states(session).count("accepted") == 60 - in_doubt
    unsure = {each for each in ids if message(session, each).state == "unknown"}
    deliver_due(post, later(after, seconds=REPORT_PATIENCE.total_seconds()))
    assert set(states(session)) == {"accepted"}
    accepted = gateway.references()
    assert all(accepted[str(each)] == 1 for each in ids if each not in unsure)
    assert all(1 <= accepted[str(each)] <= 2 for each in unsure)


def test_frozen_past_its_lease_the_sender_gives_up(
    session: Session, settings: Settings, gateway: Gateway, post: Post
) -> None:
    """A machine that sleeps between claim and call: when it wakes, its claim is too old, and it must not call."""
    now = clock.now(session)
    message_id = add_message(session, now)
    with sender(settings, gateway, "stall") as process:
        read_line(process, "claimed")
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(LEASE_SECONDS / 2 + 0.2)
        os.kill(process.pid, signal.SIGCONT)
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        process.stdin.close()
        read_line(process, "claimed")  # it gave the message up and, as nobody else had it, claimed it afresh
    assert outcomes(session, message_id)[0] == "not_sent"
    assert len(gateway.requests) <= 1


def unsettled(session: Session) -> int:
    """How many messages still have something before them but the end of their life."""
    statement = (
        "SELECT count(*) FROM message WHERE state IN ('pending', 'sending')"
        " OR (state = 'unknown' AND next_attempt_at < expires_at)"
    )
    return int(session.execute(text(statement)).scalar_one())


def test_senders_killed_at_random_lose_nothing_and_send_nothing_twice_unmarked(
    session: Session, settings: Settings, gateway: Gateway, post: Post
) -> None:
    """Thirty messages, five senders killed at random moments, a gateway that also breaks and cuts the line."""
    chance = random.Random(7)
    now = clock.now(session)
    ids = [add_message(session, now, f"m{number}") for number in range(30)]
    script = [chance.choice([gw.ACCEPTED] * 6 + [gw.BROKEN, gw.TAKEN_THEN_CUT, gw.CUT]) for _ in range(40)]
    gateway.answers(*[replace(answer, after_seconds=0.03) for answer in script])
    for _ in range(5):
        with sender(settings, gateway) as process:
            time.sleep(chance.uniform(0.02, 0.25))
            process.kill()
            process.wait()
    at = now
    for _ in range(200):
        at = later(at, seconds=20)
        deliver_due(post, at)
        if not unsettled(session):
            break
    assert not unsettled(session)
    accepted = gateway.references()
    for message_id in ids:
        answers = outcomes(session, message_id)
        lost_answers = sum(1 for answer in answers if answer in (None, "unknown"))
        assert accepted[str(message_id)] <= 1 + lost_answers and lost_answers <= 2, answers
        assert accepted[str(message_id)] >= 1 or lost_answers == 2, "lost"
        assert answers[-1] == "accepted" or lost_answers == 2, answers
    end_overdue(later(now, hours=73))
    assert set(states(session)) <= {"expired", "held"}, "no report has come, so nothing is called delivered"
    doubles = session.execute(
        text("SELECT count(*) FROM (SELECT FROM attempt GROUP BY message_id, number HAVING count(*) > 1) AS twice")
    ).scalar_one()
    assert doubles == 0


def test_two_workers_and_a_drained_outbox(session: Session, settings: Settings, gateway: Gateway) -> None:
    now = clock.now(session)
    ids = [add_message(session, now, f"m{number}") for number in range(40)]
    gateway.always(gw.Answer(after_seconds=0.01))
    with sender(settings, gateway) as first, sender(settings, gateway) as second:
        read_line(first, "done")
        read_line(second, "done")
    assert gateway.references() == {str(each): 1 for each in ids}
