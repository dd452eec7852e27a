"""The day's budget of SMS parts: never exceeded, whoever sends; a share kept for acknowledgements; the rest waits, not lost."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.kernel import clock, context
from grm.kernel.clock import DHAKA, dhaka_date
from grm.kernel.db import db
from grm.kernel.transaction import transaction
from grm.notifications import budgets, delivery
from grm.notifications.budgets import Budget, Cost
from grm.notifications.delivery import Post, deliver_due, end_overdue
from grm.notifications.sms_text import measure
from grm.notifications.standing import delivery_state
from tests.support import gateway as gw
from tests.support.gateway import Gateway, running_gateway
from tests.support.outbox import add_message, later, message, states

Use = Callable[..., Post]


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as running:
        yield running


@pytest.fixture
def now(session: Session) -> datetime:
    """Noon in Dhaka, so that a day has room on both sides."""
    today = clock.now(session).astimezone(DHAKA)
    return today.replace(hour=12, minute=0).astimezone(clock.now(session).tzinfo)


@pytest.fixture
def use(app: Flask, session: Session, gateway: Gateway) -> Iterator[Use]:
    before = app.extensions[context.SETTINGS]

    def with_budget(limit: int, share: int = 20, **changes: object) -> Post:
        values = {"sms_gateway_url": gateway.url, "http_timeout_seconds": 5.0, **changes}
        app.extensions[context.SETTINGS] = replace(before, sms_daily_segments=limit, sms_reserved_share=share, **values)
        post = delivery.post_for("sms", context.settings())
        assert post is not None
        return post

    yield with_budget
    app.extensions[context.SETTINGS] = before


def bulk(session: Session, now: datetime, count: int, name: str = "bulk", **changes: object) -> list[int]:
    values = {"template": "case-late-complainant", "priority": 4, **changes}
    return [add_message(session, now, f"{name}-{n}", **values) for n in range(count)]


def parts_sent(gateway: Gateway) -> int:
    return sum(measure(sent["text"]).parts for sent in gateway.accepted)


def spent(session: Session, now: datetime) -> tuple[int, int]:
    session.rollback()
    row = session.execute(text("SELECT segments, ordinary FROM sms_day WHERE day = :day"), {"day": dhaka_date(now)})
    return tuple(row.one())  # type: ignore[return-value]


def test_what_does_not_fit_waits_for_the_next_day(session: Session, gateway: Gateway, use: Use, now: datetime) -> None:
    ids = bulk(session, now, 12)
    post, each = use(10, share=0), measure_of_bulk(session, gateway, use, now)
    fits = 10 // each
    tally = deliver_due(post, now)
    assert (tally["accepted"], tally["postponed"]) == (fits, 12 - fits)
    assert parts_sent(gateway) == fits * each and spent(session, now)[0] == fits * each
    assert deliver_due(post, later(now, hours=11)) == {}, "it is still the same day in Dhaka"
    row = message(session, ids[-1])
    assert (row.state, row.error, row.attempts) == ("pending", "budget-spent", 0)
    midnight = row.next_attempt_at.astimezone(DHAKA)
    assert (midnight.hour, midnight.minute, midnight.date()) == (0, 0, dhaka_date(now) + timedelta(days=1))
    assert deliver_due(use(1000), later(now, hours=13))["accepted"] == 12 - fits
    assert set(states(session)) == {"accepted"}


def measure_of_bulk(session: Session, gateway: Gateway, use: Use, now: datetime) -> int:
    """How many parts one of the bulk messages takes."""
    from grm.notifications.catalogue import CATALOGUE
    from grm.notifications.rendering import render
    from tests.support.outbox import PARAMS

    entry = CATALOGUE["case-late-complainant"]
    return measure(render(entry, "sms", "bn", PARAMS, context.settings().public_url).body).parts


def test_the_reserved_share_is_for_acknowledgements(
    session: Session, gateway: Gateway, use: Use, now: datetime
) -> None:
    bulk(session, now, 30)
    post = use(10, share=40)
    deliver_due(post, now)
    assert parts_sent(gateway) == 6, "what is left is reserved"
    ids = [add_message(session, later(now, minutes=1), f"ack-{n}") for n in range(6)]
    tally = deliver_due(post, later(now, minutes=2))
    assert tally["accepted"] == 4 and parts_sent(gateway) == 10 and spent(session, now) == (10, 6)
    assert sum(message(session, each).state == "accepted" for each in ids) == 4


def test_eight_senders_together_never_exceed_it(
    app: Flask, session: Session, gateway: Gateway, use: Use, now: datetime
) -> None:
    """Ninety messages of one and two parts, failing ones among them, against a budget of 61."""
    for n in range(60):
        add_message(session, now, f"ack-{n}", language="en" if n % 2 else "bn")
    for n in range(30):
        add_message(session, now, f"two-{n}", template="case-question-complainant", priority=2)
    gateway.answers(*[gw.NOT_ROUTABLE, gw.ACCEPTED, gw.BAD_NUMBER, gw.ACCEPTED] * 3)
    post = use(61, share=20)
    barrier, tallies = threading.Barrier(8), []

    def work() -> None:
        with app.app_context():
            barrier.wait()
            tallies.append(deliver_due(post, now, tick_seconds=60))
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total, ordinary = spent(session, now)
    assert sum(tally["refused"] for tally in tallies) == 6
    assert total == parts_sent(gateway) <= 61, "never above, and counted exactly"
    assert total >= 61 - 12, "what the six refused ones gave back may come too late for the others of this tick"
    assert ordinary <= 48
    assert sum(tally["accepted"] + tally["postponed"] + tally["refused"] for tally in tallies) == 90


def test_a_lock_on_the_day_and_not_luck_keeps_it(app: Flask, session: Session, now: datetime) -> None:
    """Twenty claims at once through `take` alone, each seeing the other's count."""
    taken: list[bool] = []
    barrier = threading.Barrier(10)

    def work() -> None:
        with app.app_context():
            barrier.wait()
            for _ in range(2):
                with transaction(now) as act:
                    taken.extend(budgets.take(act.session, Budget(25, 25), now, [Cost(2, False), Cost(1, True)]))
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 40 and spent(session, now)[0] == 25


@pytest.mark.parametrize("answer", [gw.BROKEN, gw.NOT_ROUTABLE, gw.WRONG_ACCOUNT, gw.BUSY])
def test_what_was_surely_not_taken_is_given_back(
    session: Session, gateway: Gateway, use: Use, now: datetime, answer: gw.Answer
) -> None:
    add_message(session, now)
    gateway.answers(answer)
    deliver_due(use(10), now)
    assert spent(session, now) == (0, 0)


def test_what_may_have_been_taken_is_not(session: Session, gateway: Gateway, use: Use, now: datetime) -> None:
    gateway.answers(gw.CUT)
    bulk(session, now, 1)
    deliver_due(use(10, share=0), now)
    before = spent(session, now)
    assert before[0] == before[1] > 0
    deliver_due(use(10, share=0), later(now, minutes=11))
    assert spent(session, now)[0] == 2 * before[0], "the second sending costs, too"


def test_a_message_whose_life_ends_before_says_why(session: Session, gateway: Gateway, use: Use, now: datetime) -> None:
    (message_id,) = bulk(session, now, 1, expires_at=later(now, hours=6))
    assert deliver_due(use(1, share=100), now) == {"postponed": 1}
    assert end_overdue(later(now, hours=7)) == {"expired": 1}
    row = message(session, message_id)
    assert (row.state, row.error) == ("expired", "too-late: budget-spent")


def test_it_is_seen(
    session: Session, gateway: Gateway, use: Use, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    alarms: list[str] = []
    monkeypatch.setattr(budgets, "log", SimpleNamespace(error=lambda event, **_: alarms.append(event)))
    use(10)
    assert delivery_state(session, now)["budget"]["spent"] == 0
    bulk(session, now, 20)
    deliver_due(use(10), now)
    state = delivery_state(session, now)["budget"]
    assert (state["limit"], state["ordinary_limit"], state["is_exhausted"]) == (10, 8, True)
    assert state["spent"] == state["ordinary_spent"] <= 8 and state["turned_away_at"] == now.isoformat()
    assert not delivery_state(session, later(now, days=1))["budget"]["is_exhausted"]
    bulk(session, now, 5, "more")
    deliver_due(use(10), later(now, minutes=1))
    assert len(alarms) == 1, "one alarm a day"


def test_in_production_the_next_day_begins_at_eight(now: datetime) -> None:
    assert budgets.next_day(now, True) - budgets.next_day(now, False) == timedelta(hours=8)


def test_a_text_above_the_cap_is_not_sent_whoever_wrote_it(
    session: Session, gateway: Gateway, use: Use, now: datetime
) -> None:
    message_id = add_message(session, now, body="অ" * 135)
    assert deliver_due(use(0), now) == {"skipped": 1}
    row = message(session, message_id)
    assert (row.state, row.error) == ("failed", "sms-too-long") and gateway.requests == []


def test_without_a_limit_it_is_still_counted(session: Session, gateway: Gateway, use: Use, now: datetime) -> None:
    add_message(session, now)
    bulk(session, now, 3)
    deliver_due(use(0), now)
    assert spent(session, now)[0] == parts_sent(gateway) > 0
    assert [message(session, n).segments for n in range(1, 5)] == [measure(s["text"]).parts for s in gateway.accepted]
