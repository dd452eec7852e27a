"""The SMS gateway broken, busy, slow, or silent after it has taken a message: by its own log nothing is lost or sent twice."""

import threading
import time
from dataclasses import replace

import pytest

from tests.support import gateway as gw
from tests.support.fault_table import Findings, Form
from tests.support.faults import SLOW, TIMEOUT_SECONDS, FaultRig, Ledger, check
from tests.support.filers import Filers

pytestmark = pytest.mark.faults

BREAKER_SECONDS = 5.0
RETRY_AFTER_SECONDS = 4.0
IN_FLIGHT_SECONDS = 0.7
"""Calls that other workers had begun when the gateway asked for peace; each takes half a second at most."""
_LINGERING = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = 'grm' AND state LIKE 'idle in transaction%%'
    AND clock_timestamp() - state_change > interval '200 milliseconds'
"""


def settle(rig: FaultRig, form: Form, findings: Findings, row: int, injected: str, **more: object) -> Ledger:
    """Wait for the end of every message and make the check L."""
    rig.sms.always(SLOW)
    rig.drain(form.of(90, 600))
    ledger = check(rig)
    findings.add(row, injected, ledger.figures, calls=len(rig.sms.requests), **more)
    assert ledger.faults == []
    return ledger


def hasten(rig: FaultRig) -> None:
    """Let the waits of refused messages be over; who keeps them is tested elsewhere, against the clock it is given."""
    rig.do("UPDATE message SET next_attempt_at = clock_timestamp() WHERE state = 'pending'")


def wait_for_calls(rig: FaultRig, count: int) -> None:
    rig.wait_until(lambda: len(rig.sms.times) >= count, f"{count} calls at the gateway", 30)


def test_a_broken_gateway_is_left_alone_and_then_gets_everything_once(
    rig: FaultRig, form: Form, findings: Findings
) -> None:
    count, seconds = form.of(60, 600), form.of(3.0, 60.0)
    rig.sms.always(gw.BROKEN)
    rig.messages(count)
    time.sleep(seconds)
    tried = len(rig.sms.times)
    rig.sms.always(SLOW)
    if not form.is_long:
        rig.do("DELETE FROM heartbeat WHERE name LIKE 'delivery.%%'")  # the long form waits until the fuse closes
    hasten(rig)
    ledger = settle(rig, form, findings, 18, f"HTTP 500 for {seconds:g} s, {count} messages", tried_meanwhile=tried)
    # Four worker processes may have four calls each under way when the fuse blows; later each of them tries with one.
    assert 3 <= tried <= 3 + 16 + 6 * (1 + seconds / BREAKER_SECONDS), "the breaker did not spare the gateway"
    assert len(rig.sms.accepted) == count and ledger.twice_allowed == 0


def test_retry_after_is_obeyed_by_all_workers(rig: FaultRig, form: Form, findings: Findings) -> None:
    """By the gateway's clock: nobody calls until the time it asked for is over, but who was in a call already."""
    busy = replace(gw.BUSY, headers={"Retry-After": f"{RETRY_AFTER_SECONDS:g}"})
    asked = 0
    for _ in range(form.of(1, 10)):
        seen = len(rig.sms.times)
        rig.sms.answers(busy)
        rig.messages(40, f"r{seen}-")
        wait_for_calls(rig, seen + 1)
        began = rig.sms.times[seen]
        time.sleep(1.5 * IN_FLIGHT_SECONDS)
        rig.messages(40, f"s{seen}-")  # there is always something to send
        time.sleep(RETRY_AFTER_SECONDS - 1.5 * IN_FLIGHT_SECONDS - 0.5)
        early = [at - began for at in rig.sms.times[seen:] if at - began > IN_FLIGHT_SECONDS]
        asked += 1
        assert early == [], "called before the gateway's time was over"
        time.sleep(1)
        hasten(rig)
        rig.drain(form.of(60, 300))
    settle(rig, form, findings, 18, f"429 with Retry-After {RETRY_AFTER_SECONDS:g} s x {asked}")


def test_what_is_too_old_while_the_gateway_is_away_is_never_sent(rig: FaultRig, findings: Findings) -> None:
    rig.sms.always(gw.BROKEN)
    rig.messages(2, "stale")
    rig.do("UPDATE message SET expires_at = clock_timestamp() + interval '2 seconds'")
    wait_for_calls(rig, 1)
    time.sleep(2.5)
    rig.messages(3, "fresh")
    rig.sms.always(None)
    sent = "SELECT count(*) FROM message WHERE state = 'delivered'"
    rig.wait_until(lambda: rig.number(sent) == 3, "the fresh ones delivered", 60)
    assert len(rig.sms.accepted) == 3
    with rig.app.app_context():
        from grm.notifications.delivery import end_overdue

        end_overdue()  # beat does this once a minute
    states = {row["state"] for row in rig.rows("SELECT state FROM message WHERE key LIKE 'stale%%'")}
    findings.add(18, "messages past their life in an outage", lost=0, twice=0, expired=2)
    assert states == {"expired"}


def test_taken_and_then_cut_is_one_message_when_the_report_comes(rig: FaultRig, form: Form, findings: Findings) -> None:
    count, chance = form.of(60, 1500), form.chance("cut")
    script = [gw.TAKEN_THEN_CUT if chance.random() < 0.25 else SLOW for _ in range(count)]
    rig.sms.always(SLOW)
    rig.sms.answers(*script)
    rig.messages(count)
    ledger = settle(rig, form, findings, 19, f"{script.count(gw.TAKEN_THEN_CUT)} lines cut after taking, then reported")
    assert len(rig.sms.accepted) == count and ledger.twice_allowed == 0


def test_a_lost_answer_without_a_report_is_one_marked_resend_and_no_more(
    rig: FaultRig, form: Form, findings: Findings
) -> None:
    """The gateway takes, cuts the line, and never reports: what no code can know. One more, marked, as the policy says.

    Answers between the cuts keep the breaker closed.
    """
    cuts = form.of(5, 150)
    count = 3 * cuts
    rig.reporter.is_reporting = False
    rig.sms.answers(*[gw.TAKEN_THEN_CUT, SLOW, SLOW] * cuts)
    rig.messages(count)
    settled = "SELECT count(*) FROM message WHERE state IN ('unknown', 'accepted')"
    rig.wait_until(lambda: rig.number(settled) == count, "all in the gateway's hands", 60)
    assert rig.number("SELECT count(*) FROM message WHERE state = 'unknown'") == cuts
    assert len(rig.sms.accepted) == count, "sent again before the wait for a report was over"
    rig.do("UPDATE message SET next_attempt_at = clock_timestamp() WHERE state = 'unknown'")  # the ten minutes are over
    rig.wait_until(lambda: len(rig.sms.accepted) >= count + cuts, "one more of each", 60)
    rig.reporter.is_reporting = True
    ledger = settle(rig, form, findings, 19, f"{cuts} answers lost, no report")
    assert ledger.twice_allowed == cuts and len(rig.sms.accepted) == count + cuts
    assert rig.number("SELECT count(*) FROM attempt WHERE number = 2 AND detail LIKE 'resend%%'") == cuts


def test_a_slow_gateway_holds_no_transaction_and_slows_no_page(rig: FaultRig, form: Form, findings: Findings) -> None:
    seconds, takes = form.of(4.0, 40.0), form.of(TIMEOUT_SECONDS * 0.8, 6 * TIMEOUT_SECONDS)
    with Filers(rig.url, people=1) as quiet:
        time.sleep(2.0)
    rig.sms.always(gw.Answer(after_seconds=takes))
    rig.messages(form.of(40, 600))
    lingering: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            lingering.append(rig.number(_LINGERING))

    looker = threading.Thread(target=look)
    looker.start()
    with Filers(rig.url, people=1) as busy:
        time.sleep(seconds)
    over.set()
    looker.join(10)
    before, during = (
        sorted(second for complaint in each.complaints for second in complaint.seconds) for each in (quiet, busy)
    )
    usual, now = (each[int(len(each) * 0.99)] for each in (before, during))
    injected = f"gateway takes {takes:g} s (p99 of filing {usual * 1000:.0f} ms, then {now * 1000:.0f} ms)"
    settle(rig, form, findings, 20, injected, idle_in_transaction=max(lingering))
    assert quiet.faults == [] and busy.faults == []
    assert len(during) > 20 and now < 2 * usual + 0.5
    assert len(lingering) > 20 and max(lingering) == 0
