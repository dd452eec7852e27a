"""The broker flushed, killed, frozen, cut off and full: rows 8, 9, 10, 11 and 13 of the fault matrix."""

import signal
import time

import pytest

from tests.support.fault_table import Findings, Form
from tests.support.faults import SLOW, FaultRig, check
from tests.support.filers import Filers
from tests.support.rig import PASSWORD
from tests.support.web import Browser

pytestmark = pytest.mark.faults

BACK_SECONDS = 30
"""Within which work goes on once the broker is back."""
PRESS_SECONDS = 4.0
"""99 of 100 presses of the form are answered within this, on a machine as busy as it may be: the web server publishes nothing.
One that waited for the broker would take five seconds and more (`socket_timeout`). The table has the real figure."""


def goes_on(rig: FaultRig, prefix: str) -> float:
    """Put a message in and wait until the gateway has it; how many seconds that took."""
    before, began = len(rig.sms.accepted), time.monotonic()
    rig.messages(1, prefix)
    rig.wait_until(lambda: len(rig.sms.accepted) > before, "new work to be done", BACK_SECONDS)
    return time.monotonic() - began


def percentile(filers: Filers, share: float = 0.99) -> float:
    """How long a press took at most, but for the slowest few."""
    seconds = sorted(each for complaint in filers.complaints for each in complaint.seconds)
    return seconds[min(len(seconds) - 1, int(len(seconds) * share))]


def test_a_flushed_broker_costs_nobody_anything(rig: FaultRig, form: Form, findings: Findings) -> None:
    flushes, lost_tasks = form.of(2, 20), 0
    officer = Browser(rig.url, "en")
    page = officer.get("/login")
    officer.submit(page.form("username", "password").fill(username="gro.social-welfare", password=PASSWORD))
    rig.do("INSERT INTO throttle (key, count, window_ends_at) VALUES ('a', 4, clock_timestamp() + interval '1 hour')")
    rig.overdue_cases(form.of(10, 100))
    for flush in range(flushes):
        for worker in rig.workers:
            worker.freeze()
        rig.messages(20, f"f{flush}.")
        rig.wait_until(lambda: rig.queued() >= 5, "tasks in the queues")
        lost_tasks += rig.queued()
        with rig.broker() as broker:
            broker.flushall()
        for worker in rig.workers:
            worker.thaw()
    rig.drain()
    found = check(rig)
    findings.add(8, f"FLUSHALL with tasks queued x {flushes}", found.figures, tasks_flushed=lost_tasks)
    assert lost_tasks >= flushes
    assert officer.get("/cases").path == "/cases", "the flush has logged somebody out"
    assert rig.number("SELECT count FROM throttle WHERE key = 'a'") == 4, "a limit was reset"
    assert not found.faults


def test_a_killed_broker_is_taken_up_again(rig: FaultRig, form: Form, findings: Findings) -> None:
    chance, kills, longest = form.chance("row 9"), form.of(1, 6), 0.0
    rig.sms.always(SLOW)
    rig.overdue_cases(form.of(10, 100))
    for kill in range(kills):
        rig.messages(10, f"k{kill}.")
        if kill % 2:
            with rig.broker() as broker:
                broker.shutdown(nosave=True)
            rig.valkey.end()
        else:
            rig.valkey.kill()
        rig.messages(10, f"l{kill}.")
        time.sleep(chance.uniform(1, 2) if not form.is_long else chance.uniform(3, 12))
        rig.valkey.start()
        longest = max(longest, goes_on(rig, f"g{kill}."))
    rig.drain()
    found = check(rig)
    findings.add(
        9,
        f"{form.of('SIGKILL', 'SIGKILL or SHUTDOWN NOSAVE')} x {kills}",
        found.figures,
        back_after_s=round(longest, 1),
    )
    assert not found.faults


def test_a_frozen_broker_does_not_reach_the_web(rig: FaultRig, form: Form, findings: Findings) -> None:
    seconds = form.of(7, 45)
    rig.overdue_cases(form.of(10, 100))
    rig.valkey.signal(signal.SIGSTOP)
    with Filers(rig.url, people=2, pause_seconds=0.1) as filers:
        time.sleep(seconds)
    is_red = not rig.is_green()
    rig.valkey.signal(signal.SIGCONT)
    back = goes_on(rig, "after")
    rig.drain()
    found = check(rig)
    slowest = percentile(filers)
    figures = {"filed": len(filers.complaints), "p99_s": round(slowest, 2), "back_after_s": round(back, 1)}
    findings.add(10, f"SIGSTOP of the broker for {seconds} s", found.figures, **figures)
    assert is_red, "nobody would have heard of it"
    assert filers.faults == [] and all(each.number for each in filers.complaints)
    assert slowest < PRESS_SECONDS
    assert not found.faults


def test_a_silent_line_to_the_broker_is_noticed_and_does_not_reach_the_web(
    rig: FaultRig, form: Form, findings: Findings
) -> None:
    """Packets vanish: no error, no end of connection. Only time-outs tell; they are in grm/worker.py."""
    seconds = form.of(9, 90)
    rig.overdue_cases(form.of(10, 100))
    rig.link.silence()
    with Filers(rig.url, people=2, pause_seconds=0.1) as filers:
        time.sleep(seconds)
    is_red = not rig.is_green()
    rig.link.restore()
    back = goes_on(rig, "after")
    rig.drain()
    found = check(rig)
    slowest = percentile(filers)
    figures = {"filed": len(filers.complaints), "p99_s": round(slowest, 2), "back_after_s": round(back, 1)}
    findings.add(11, f"line to the broker silent for {seconds} s", found.figures, **figures)
    assert is_red
    assert filers.faults == [] and all(each.number for each in filers.complaints)
    assert slowest < PRESS_SECONDS
    assert not found.faults


def test_a_full_broker_refuses_and_loses_nothing(rig: FaultRig, form: Form, findings: Findings) -> None:
    seconds = form.of(3, 30)
    with rig.broker() as broker:
        try:
            broker.set("filling", b"x" * (2 << 20))
            broker.config_set("maxmemory", "2mb")
            rig.messages(20)
            rig.overdue_cases(form.of(10, 100))
            time.sleep(seconds)
            refused = int(broker.info("stats")["total_error_replies"])
        finally:
            broker.config_set("maxmemory", "0")
            broker.delete("filling")
    ended = [program for program in (*rig.workers, rig.beat) if not program.is_running]
    for program in ended:  # a worker that cannot note what it took gives up, and its supervisor starts it again
        program.start()
    back = goes_on(rig, "after")
    rig.drain()
    found = check(rig)
    figures = {"refusals": refused, "gave_up": len(ended), "back_after_s": round(back, 1)}
    findings.add(13, f"maxmemory 2mb, full for {seconds} s, noeviction", found.figures, **figures)
    assert refused > 0, "it was never full"
    assert rig.beat not in ended
    assert not found.faults


def test_a_broker_that_would_throw_queues_away_is_not_started_on(rig: FaultRig, findings: Findings) -> None:
    rig.programs["worker-b"].stop()
    with rig.broker() as broker:
        try:
            broker.config_set("maxmemory-policy", "allkeys-lru")
            rig.programs["worker-b"].start()
            rig.wait_until(lambda: not rig.programs["worker-b"].is_running, "the worker's refusal")
            is_red = not rig.is_green()
        finally:
            broker.config_set("maxmemory-policy", "noeviction")
    said = rig.programs["worker-b"].log.read_text()
    findings.add(13, "worker started on a broker with allkeys-lru", it="refused to start", health_is_red=is_red)
    assert "it must be noeviction" in said
