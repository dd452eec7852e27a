"""Delivery reports over HTTP: authentic or refused, in any order, any number of times, early and late."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.kernel import clock, context
from grm.kernel.transaction import transaction
from grm.notifications import outbox, receipts
from grm.notifications.channels.contract import Outcome
from grm.notifications.delivery import end_overdue
from grm.notifications.models import Message, Receipt
from grm.notifications.receipts import RANK, Report
from grm.notifications.settling import Settled, settle
from tests.support.outbox import add_message, later, message

ORDERS = [
    ("settle", 8, 1),
    ("settle", 4, 8, 1),
    ("settle", 8, 1, 1),
    ("settle", 8, 2),
    ("settle", 16),
    ("settle", 8, 2, 1),
    ("lost", 8, 1),
    ("lost", 16, 2),
    ("lost", 77, 0, 8),
    ("expire", 8, 1),
    ("expire", "settle", 2),
]


@pytest.fixture
def now(session: Session) -> datetime:
    return clock.now(session)


@pytest.fixture
def keys(app: Flask, session: Session) -> Iterator[str]:
    yield context.settings().secret_key


def path(key: str, message_id: int, status: object = 1, answer: str = "", **changes: str) -> str:
    values = {"m": str(message_id), "t": receipts.mac(key, message_id), **changes}
    return f"{receipts.PATH}?m={values['m']}&t={values['t']}&status={status}&answer={answer}"


def kept(session: Session) -> list[tuple[int | None, str, str, str]]:
    session.rollback()
    rows = session.execute(select(Receipt).order_by(Receipt.id)).scalars()
    return [(row.message_id, row.reference, row.status, row.detail) for row in rows]


def test_a_report_lifts_the_message(client: FlaskClient, session: Session, keys: str, now: datetime) -> None:
    message_id = add_message(session, now, state="accepted")
    assert client.get(path(keys, message_id, 8)).status_code == 200
    assert message(session, message_id).state == "accepted"
    answer = client.post(path(keys, message_id, 1, "id:77%20stat:DELIVRD%20err:000%20text:Your%20complaint"))
    assert (answer.status_code, answer.text) == (200, "ok\n")
    row = message(session, message_id)
    assert row.state == "delivered" and row.ended_at is not None
    assert kept(session)[-1] == (message_id, str(message_id), "1", "id:77 stat:DELIVRD err:000")


def test_fields_may_come_in_the_body(client: FlaskClient, session: Session, keys: str, now: datetime) -> None:
    message_id = add_message(session, now, state="accepted")
    fields = {"m": message_id, "t": receipts.mac(keys, message_id), "status": "2", "answer": "err:005"}
    assert client.post(receipts.PATH, data=fields).status_code == 200
    row = message(session, message_id)
    assert (row.state, row.error) == ("failed", "not-delivered err:005")


@pytest.mark.parametrize(
    "changes",
    [{"t": ""}, {"t": "0" * 32}, {"t": "ক"}, {"m": "2"}, {"m": "x"}, {"m": "১"}, {"m": "-1"}, {"m": "9" * 30}],
)
def test_a_forged_report_changes_nothing(
    client: FlaskClient, session: Session, keys: str, now: datetime, changes: dict[str, str]
) -> None:
    message_id = add_message(session, now, state="accepted")
    assert client.get(path(keys, message_id, **changes)).status_code == 401
    assert client.get(receipts.PATH).status_code == 401
    assert message(session, message_id).state == "accepted" and kept(session) == []


def test_the_mac_of_one_message_opens_no_other(client: FlaskClient, session: Session, keys: str, now: datetime) -> None:
    first, second = add_message(session, now, "a"), add_message(session, now, "b")
    assert client.get(path(keys, second, t=receipts.mac(keys, first))).status_code == 401
    assert receipts.mac(keys, first) != receipts.mac(keys + "x", first)


def test_a_former_key_still_verifies(app: Flask, session: Session, now: datetime) -> None:
    message_id = add_message(session, now, state="accepted")
    app.extensions[context.SETTINGS], before = (
        replace(context.settings(), secret_key_fallbacks=("former",)),
        context.settings(),
    )
    try:
        assert app.test_client().get(path("former", message_id)).status_code == 200
    finally:
        app.extensions[context.SETTINGS] = before
    assert app.test_client().get(path("former", message_id)).status_code == 401


def test_an_unknown_message_is_kept_and_answered(client: FlaskClient, session: Session, keys: str) -> None:
    assert client.get(path(keys, 4711, 1, "gone")).status_code == 200
    assert kept(session) == [(None, "4711", "1", "gone")]


def test_the_same_report_twice_is_kept_once(client: FlaskClient, session: Session, keys: str, now: datetime) -> None:
    message_id = add_message(session, now, state="accepted")
    for _ in range(3):
        assert client.get(path(keys, message_id, 8, "ACK/")).status_code == 200
    assert kept(session) == [(message_id, str(message_id), "8", "ACK/")]


@pytest.mark.parametrize("status", ["", "ok", "১", "99999", "-1", "1;DROP"])
def test_an_odd_status_is_no_error_and_changes_nothing(
    client: FlaskClient, session: Session, keys: str, now: datetime, status: str
) -> None:
    message_id = add_message(session, now, state="accepted")
    assert client.get(path(keys, message_id, status)).status_code == 200
    assert message(session, message_id).state == "accepted"


def test_words_of_the_centre_are_cut_and_carry_no_number(
    client: FlaskClient, session: Session, keys: str, now: datetime
) -> None:
    message_id = add_message(session, now, state="accepted")
    answer = "to%20%2B8801712345678%0A%3Cb%3Efailed%3C/b%3E" + "x" * 3000
    assert client.get(path(keys, message_id, 2, answer)).status_code == 200
    (_, _, _, detail) = kept(session)[0]
    assert detail.startswith("to … failed") and len(detail) <= 160
    assert client.get(path(keys, message_id, 2, "%00%ff")).status_code == 200


@pytest.mark.parametrize("steps", ORDERS, ids=lambda steps: "-".join(map(str, steps)))
def test_every_order_of_reports_and_our_own_commit_ends_the_same(
    session: Session, now: datetime, steps: tuple[object, ...]
) -> None:
    """All orders, each on a message of its own: states only rise, and the end does not depend on the order.

    The end of a message's life is no report: which of failed, expired and held it was may depend on what came first.
    """
    ends: set[object] = set()
    for number, order in enumerate(sorted(set(permutations(steps)), key=str)):
        session.execute(text("UPDATE message SET next_attempt_at = next_attempt_at + interval '2 days'"))
        session.commit()
        message_id = add_message(session, now, f"m{number}", expires_at=later(now, hours=1))
        claimed = claim_one(now)
        assert claimed.id == message_id
        seen = [RANK["sending"]]
        for step in order:
            take_step(step, claimed, now)
            seen.append(RANK[message(session, message_id).state])
        assert seen == sorted(seen), order
        row = message(session, message_id)
        assert (row.ended_at is not None) == (row.state in ("delivered", "failed", "expired", "held"))
        ends.add(RANK[row.state] if "expire" in steps else row.state)
    assert len(ends) == 1, ends


def claim_one(now: datetime, gateway: str = "default") -> outbox.Claimed:
    """Claim the one due message and write its attempt, as a sender does right before the call."""
    terms = outbox.Terms("sms", timedelta(seconds=30), (gateway,), frozenset(), "http://x", lambda *_: "r")
    with transaction(now) as act:
        batch = outbox.claim(act.session, context.keyring(), terms, now, 10)
    with transaction(now) as act:
        (claimed,) = outbox.release(act.session, batch.claimed, now)
    return claimed


def take_step(step: object, claimed: outbox.Claimed, now: datetime) -> None:
    if step == "expire":
        end_overdue(later(now, hours=2))
        return
    with transaction(now) as act:
        if step in ("settle", "lost"):
            result = Outcome("accepted" if step == "settle" else "unknown", "said")
            settle(act.session, [Settled(claimed, result, 0.5)], now)
        else:
            assert isinstance(step, int)
            receipts.take(act, Report(claimed.id, step, ""))


def test_a_failure_reported_after_the_end_changes_nothing_and_a_delivery_does(session: Session, now: datetime) -> None:
    message_id = add_message(session, now, state="unknown", expires_at=later(now, hours=1))
    assert end_overdue(later(now, hours=2)) == {"held": 1}
    with transaction(later(now, hours=3)) as act:
        assert not receipts.take(act, Report(message_id, 2, "late"))
    row = message(session, message_id)
    assert (row.state, row.error, row.ended_at) == ("held", "answer-unknown", later(now, hours=2))
    with transaction(later(now, hours=4)) as act:
        assert receipts.take(act, Report(message_id, 1, "later still"))
    row = message(session, message_id)
    assert (row.state, row.error, row.ended_at) == ("delivered", None, later(now, hours=2))


def test_an_early_report_survives_our_own_commit(session: Session, now: datetime) -> None:
    """The gateway reports delivery before its answer reaches us: the later "accepted" must not push the message back."""
    message_id = add_message(session, now)
    claimed = claim_one(now)
    with transaction(now) as act:
        assert receipts.take(act, Report(message_id, 1, "early"))
    with transaction(now) as act:
        assert settle(act.session, [Settled(claimed, Outcome("accepted", "HTTP 202"), 0.5)], now) == set()
    row = session.execute(select(Message).execution_options(populate_existing=True)).scalar_one()
    assert row.state == "delivered"


def test_a_release_whose_commit_was_in_doubt_is_simply_repeated(session: Session, now: datetime) -> None:
    message_id = add_message(session, now)
    claimed = claim_one(now)
    with transaction(now) as act:
        assert outbox.release(act.session, [claimed], now) == [claimed]
    with transaction(now) as act:
        assert settle(act.session, [Settled(claimed, Outcome("accepted"), 0.5)], now) == {message_id}
    with transaction(now) as act:
        assert settle(act.session, [Settled(claimed, Outcome("unknown"), 0.5)], now) == set()
        assert outbox.release(act.session, [claimed], now) == []
    assert message(session, message_id).state == "accepted"
