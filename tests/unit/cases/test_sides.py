"""Whom the facts of a payment or a correction point to."""

from datetime import date
from itertools import product

import pytest

from grm.cases.claim_kinds import CORRECT_WHAT, WAYS_OF_PAYMENT
from grm.cases.claim_words import SIDES, WHY
from grm.cases.sides import Facts, Known, Sent, Side, hint

JAN, FEB, MAR, APR = (date(2026, month, 1) for month in (1, 2, 3, 4))


def payment(state: str, taka: int = 1800, start: date = JAN, end: date = MAR, *, identity: bool = False) -> Sent:
    return Sent(start, end, taka, state, identity)


@pytest.mark.parametrize(
    ("what", "side"),
    [
        ("name", Side.IDENTITY),
        ("nid", Side.IDENTITY),
        ("birth_date", Side.IDENTITY),
        ("phone", Side.PROVIDER),
        ("account", Side.PROVIDER),
        ("address", Side.MINISTRY),
        ("other", Side.MINISTRY),
    ],
)
def test_a_correction_points_to_whoever_keeps_that_fact(what: str, side: Side) -> None:
    found = hint(Facts("correction", correct_what=what))
    assert found is not None and found.side == side


@pytest.mark.parametrize(
    ("facts", "side", "why"),
    [
        (Facts("payment", provider_kind="wallet"), Side.OPEN, "sent-or-not"),
        (Facts("payment", provider_kind="wallet", taka_expected=1800, taka_received=0), Side.OPEN, "sent-or-not"),
        (Facts("payment", provider_kind="bank", taka_expected=1800, taka_received=1500), Side.PROVIDER, "part-came"),
        (Facts("payment", provider_kind="bank", taka_expected=1500, taka_received=1500), Side.OPEN, "sent-or-not"),
        (Facts("payment", provider_kind="by_hand", taka_received=1), Side.MINISTRY, "handed-over"),
        (Facts("payment", provider_kind="unknown", taka_expected=9, taka_received=1), Side.OPEN, "sent-or-not"),
        (Facts("payment", is_about_account=True, provider_kind="wallet"), Side.PROVIDER, "account-trouble"),
    ],
)
def test_what_was_told_alone(facts: Facts, side: Side, why: str) -> None:
    found = hint(facts)
    assert found is not None and (found.side, found.why) == (side, why)


@pytest.mark.parametrize(
    ("known", "side", "why"),
    [
        (Known(False), Side.MINISTRY, "never-enrolled"),
        (Known(True), Side.MINISTRY, "not-sent"),
        (Known(True, [payment("held")]), Side.MINISTRY, "not-sent"),
        (Known(True, [payment("sent", start=APR, end=APR)]), Side.MINISTRY, "not-sent"),  # other months
        (Known(True, [payment("sent")]), Side.PROVIDER, "sent-not-received"),
        (Known(True, [payment("paid", start=FEB, end=APR)]), Side.PROVIDER, "sent-not-received"),
        (Known(True, [payment("paid", 1500)]), Side.MINISTRY, "sent-less"),
        (Known(True, [payment("paid", 900), payment("sent", 900)]), Side.PROVIDER, "sent-not-received"),
        (Known(True, [payment("returned")]), Side.PROVIDER, "came-back"),
        (Known(True, [payment("sent"), payment("returned", identity=True)]), Side.IDENTITY, "came-back-identity"),
    ],
)
def test_what_the_registry_knows_decides(known: Known, side: Side, why: str) -> None:
    told = Facts("payment", provider_kind="by_hand", period_from=JAN, period_to=MAR, taka_expected=1800)
    found = hint(told, known)
    assert found is not None and (found.side, found.why) == (side, why)


def test_without_named_months_every_payment_may_be_meant() -> None:
    found = hint(Facts("payment"), Known(True, [payment("sent", start=APR, end=APR)]))
    assert found is not None and found.why == "sent-not-received"


def test_every_side_and_every_reason_has_words_and_is_reached() -> None:
    assert set(SIDES) == set(Side)
    ways = [
        Facts("payment", about, None, way, JAN, MAR, 2, taka)
        for about, way, taka in product((True, False), (*WAYS_OF_PAYMENT, None), (None, 0, 1, 2))
    ]
    told = [*(Facts("correction", correct_what=what) for what in CORRECT_WHAT), *ways]
    states = [[payment(state, taka, identity=is_identity)] for state, taka, is_identity in product(
        ("held", "sent", "paid", "returned"), (1, 2), (True, False))]  # fmt: skip
    known = [None, Known(False), Known(True), *(Known(True, each) for each in states)]
    reached = {found.why for facts, each in product(told, known) if (found := hint(facts, each))}
    assert reached == set(WHY)
    assert hint(Facts("correction")) is None
