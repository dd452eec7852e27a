"""Floods of acknowledgements: ten thousand neighbouring numbers spend the budget to its last part and not one more, while real
complaints are still acknowledged; and one number is not sent a hundred messages by a stranger."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from grm.kernel import clock, context
from grm.kernel.clock import DHAKA
from grm.notifications import delivery, floods
from grm.notifications.catalogue import LONGEST_LIFE, TRACK_CODE
from grm.notifications.delivery import Post, deliver_due
from grm.notifications.floods import Fresh, judge
from grm.notifications.models import Message
from grm.notifications.service import address_context
from tests.support.gateway import Gateway, running_gateway
from tests.support.outbox import PARAMS, add_message, later, message

Use = Callable[..., Post]
ACK = floods.ACKNOWLEDGED


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as running:
        yield running


@pytest.fixture
def now(session: Session) -> datetime:
    """Noon in Dhaka, so that a day has room on both sides."""
    at = clock.now(session)
    return at.astimezone(DHAKA).replace(hour=12, minute=0).astimezone(at.tzinfo)


@pytest.fixture
def use(app: Flask, session: Session, gateway: Gateway) -> Iterator[Use]:
    before = app.extensions[context.SETTINGS]

    def with_settings(**changes: object) -> Post:
        values = {"sms_gateway_url": gateway.url, "http_timeout_seconds": 5.0, "acks_per_recipient": 10, **changes}
        app.extensions[context.SETTINGS] = replace(before, **values)
        post = delivery.post_for("sms", context.settings())
        assert post is not None
        return post

    yield with_settings
    app.extensions[context.SETTINGS] = before


def pump(session: Session, now: datetime, count: int) -> None:
    """Acknowledgements to numbers in a row, as after as many complaints of a program."""
    keyring = context.keyring()
    row = {"template": ACK, "channel": "sms", "language": "bn", "priority": 1, "params": PARAMS, "state": "pending"}
    row |= {"attempts": 0, "next_attempt_at": now, "created_at": now, "expires_at": now + LONGEST_LIFE}
    numbers = {f"pump-{n}": f"+88017{n:08d}" for n in range(count)}
    sealed = [row | {"key": k, "address_sealed": keyring.seal(v, address_context(k))} for k, v in numbers.items()]
    session.execute(insert(Message), sealed)
    session.commit()


def spent(session: Session) -> tuple[int, int]:
    session.rollback()
    return tuple(session.execute(text("SELECT segments, ordinary FROM sms_day")).one())


def test_ten_thousand_neighbours_spend_the_budget_exactly_and_real_acknowledgements_still_go(
    session: Session, gateway: Gateway, use: Use, now: datetime
) -> None:
    """A day of 300 parts, 120 of them reserved: the flood gets five of these, before it is seen, and what nobody else needs."""
    pump(session, now, 10_000)
    waited_for = add_message(session, now, "decided", template="case-resolved-complainant", priority=2)
    post = use(sms_daily_segments=300, sms_reserved_share=40)
    while deliver_due(post, now, tick_seconds=60):
        pass
    assert len(gateway.accepted) == 185 and spent(session) == (185, 180)
    assert message(session, waited_for).state == "accepted", "the flood goes after everybody else"
    real = [add_message(session, now, f"real-{n}", address=f"+88019{n * 777_777:08d}") for n in range(125)]
    while deliver_due(post, later(now, minutes=1), tick_seconds=60):
        pass
    assert len(gateway.accepted) == 300 and spent(session) == (300, 180), "exactly, and not one part more"
    assert sum(message(session, each).state == "accepted" for each in real) == 115
    left = session.execute(
        select(Message.priority, Message.error, text("count(*)"))
        .where(Message.state == "pending")
        .group_by(Message.priority, Message.error)
    ).all()
    assert sorted(tuple(row) for row in left) == [
        (1, "budget-spent", 10),
        (floods.GOES_LAST, "budget-spent", 10_000 - 184),
    ]


def test_a_number_that_a_stranger_names_all_day(
    session: Session, gateway: Gateway, use: Use, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(floods, "NEIGHBOURHOODS", ())
    ids = [add_message(session, now, f"ack-{n}") for n in range(13)]
    own = [add_message(session, now, f"own-{n}", template="case-resolved-complainant", priority=2) for n in range(3)]
    post = use()
    assert deliver_due(post, now) == {"accepted": 13, "postponed": 3}
    assert [message(session, each).state for each in ids] == ["accepted"] * 10 + ["pending"] * 3
    assert {message(session, each).state for each in own} == {"accepted"}, "what the holder waits for is not counted"
    row = message(session, ids[-1])
    assert (row.error, row.body) == ("recipient-has-enough", None)
    assert row.next_attempt_at.astimezone(DHAKA).hour == 0
    assert deliver_due(post, later(now, hours=13))["accepted"] == 3
    assert len(gateway.accepted) == 16


def test_who_is_told_to_go_last(session: Session, now: datetime) -> None:
    def of(*numbers: str, template: str = ACK, day: float = 0) -> tuple[int, int]:
        fresh = [Fresh(id_, template, number) for id_, number in enumerate(numbers, 1)]
        found = judge(session, fresh, 10, later(now, days=day))
        return len(found.waiting), len(found.last)

    mails = [Fresh(n, ACK, "Victim@example.org" if n % 2 else "victim@example.org", "email") for n in range(12)]
    assert judge(session, mails, 10, now) == floods.Verdict(frozenset({10, 11})), "an address, however it is written"
    row = [f"+8801712345{n:03d}" for n in range(8)]
    assert of(*row) == (0, 3), "five of a thousand neighbours keep their right"
    assert of("+8801712345999") == (0, 1) and of("+8801712346000") == (0, 0)
    assert of(*row, template=TRACK_CODE) == (0, 3), "codes are counted apart"
    assert of(*["+8801912345678"] * 12) == (2, 5), "ten to one number, of which five in their place"
    assert of(*["+8801912399678"] * 12, template=TRACK_CODE)[0] == 0, "and never keep anybody out"
    named_along = ["+8801812345678"] * 20
    assert (of(*named_along, template=floods.LATE)[0], of(*named_along, template=floods.LATE)[0]) == (0, 10)
    assert of(*row, template="case-resolved-complainant") == (0, 0)
    assert of(*row, day=1) == (0, 3), "a day is a day"
    assert of(*[f"+88015000{n:02d}000" for n in range(60)]) == (0, 10), "fifty of a hundred thousand"
    assert judge(session, [Fresh(1, ACK, "+8801712345999")], 0, now) == floods.Verdict()
