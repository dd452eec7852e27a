"""What is done about a lost answer, kind by kind: the policy table of the promises."""

from datetime import timedelta

import pytest

from grm.notifications.backoff import LONGEST_WAIT, REPORT_PATIENCE, balance_wait, retry_wait
from grm.notifications.catalogue import CATALOGUE, TRACK_CODE
from grm.notifications.doubt import ASK_WAIT, Policy, policy_of, step, wait

CODE = CATALOGUE[TRACK_CODE]


def test_each_kind_gives_up_one_of_the_two() -> None:
    others = [entry for entry in CATALOGUE.values() if entry is not CODE]
    assert policy_of(CODE, "sms") == "never" and CODE.life == timedelta(minutes=10) and not CODE.keeps_text
    assert {policy_of(entry, "sms") for entry in others} == {"witness"}
    assert {policy_of(entry, "email") for entry in others} == {"same_id"} and all(each.keeps_text for each in others)


@pytest.mark.parametrize(
    ("policy", "can_ask", "unknown", "expected", "waits"),
    [
        ("never", False, 1, "hold", None),
        ("never", True, 1, "hold", None),
        ("same_id", False, 1, "send", retry_wait(1, 0.5)),
        ("same_id", False, 5, "send", retry_wait(5, 0.5)),
        ("witness", True, 1, "ask", ASK_WAIT),
        ("witness", True, 7, "ask", retry_wait(7, 0.5)),
        ("witness", False, 1, "send", REPORT_PATIENCE),
        ("witness", False, 2, "hold", None),
        ("witness", False, 3, "hold", None),
    ],
)
def test_the_table(policy: Policy, can_ask: bool, unknown: int, expected: str, waits: timedelta | None) -> None:
    assert step(policy, can_ask, unknown) == expected
    assert wait(policy, can_ask, unknown, unknown, 0.5) == waits


def test_a_gateway_that_can_be_asked_is_asked_until_the_end() -> None:
    assert wait("witness", True, 1, 40, 0.5) == LONGEST_WAIT
    assert wait("same_id", False, 12, 12, 0.5) is None


def test_an_empty_account_is_probed_ever_more_rarely() -> None:
    minutes = [balance_wait(probes).total_seconds() / 60 for probes in range(8)]
    assert minutes == [1, 1, 2, 4, 8, 15, 15, 15]
