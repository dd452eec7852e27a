"""Limits against floods: waits instead of lock-outs, nothing typed lost, and nobody's way barred by a stranger."""

import threading
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from grm.kernel import clock
from grm.kernel.db import db
from grm.kernel.transaction import transaction
from grm.web import throttle

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def now(session: Session) -> datetime:
    return clock.now(session)


# --- turns: for what costs money or bothers somebody ------------------------------------------------------------


def test_turns_are_a_minute_apart_and_five_a_day(session: Session, now: datetime) -> None:
    def ask(after: timedelta) -> int:
        return throttle.take_turn(session, "phone", now + after, MINUTE, 5, DAY)

    assert ask(timedelta()) == 0
    assert ask(timedelta(seconds=20)) == 41
    assert ask(timedelta(seconds=59)) == 2, "asking in vain has pushed nothing away"
    assert [ask(MINUTE * n) for n in (1, 2, 3, 4)] == [0, 0, 0, 0]
    assert ask(MINUTE * 5) == (DAY - MINUTE * 5).total_seconds() + 1
    assert ask(DAY) == 0, "a day after the first"


def test_of_many_at_once_one_gets_the_turn(app: Flask, session: Session, now: datetime) -> None:
    waits: list[int] = []
    barrier = threading.Barrier(8)

    def ask() -> None:
        with app.app_context():
            barrier.wait()
            with transaction(now) as act:
                waits.append(throttle.take_turn(act.session, "phone", now, MINUTE, 5, DAY))
            db.session.remove()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [0, *[61] * 7]
