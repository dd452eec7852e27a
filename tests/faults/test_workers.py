"""Workers killed, frozen, starved and restarted: rows 1, 2, 3, 34, 35 and 38 of the fault matrix."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.support.fault_table import Findings, Form
from tests.support.faults import DELIVERY_SECONDS, LEASE_SECONDS, SLOW, FaultRig, Program, check
from tests.support.filers import Filers
from tests.support.gateway import Answer

pytestmark = pytest.mark.faults

CUT_OFF = "SELECT count(*) FROM attempt WHERE outcome IS NULL"
STORED = "SELECT tracking_number FROM cases WHERE tracking_number = ANY(%s)"
LEFT_BEHIND = CUT_OFF + " AND started_at < clock_timestamp() - interval '1 second'"
JUST_BEGUN = """
    SELECT count(*) FROM attempt WHERE outcome IS NULL AND started_at > clock_timestamp() - interval '0.2 seconds'
"""
BOOT_SECONDS = 15
"""What a worker may take to start on a busy machine of two cores."""
STOP_SECONDS = {"web": 30, "worker-a": 65, "worker-b": 65}
"""Requests are ended within thirty seconds, a task at the latest by its hard limit of sixty."""


def in_mid_send(rig: FaultRig, chance: random.Random, moment: float = 0.06) -> None:
    """Wait until somebody has just begun to send, and then a moment more or less. Calls of the dead do not count."""
    rig.wait_until(lambda: rig.number(JUST_BEGUN), "somebody to send")
    time.sleep(chance.uniform(0, moment))


def enough_to_do(rig: FaultRig, number: int) -> None:
    """Put more into the outbox when little is left."""
    if rig.number("SELECT count(*) FROM message WHERE state = 'pending'") < 20:
        rig.messages(60, f"more{number}.")


def until_hit(rig: FaultRig, kills: int) -> Iterator[int]:
    """Count the kills: at least so many, and a few more where chance missed the calls under way."""
    for kill in range(3 * kills):
        if kill >= kills and rig.number(LEFT_BEHIND) >= kills / 4:
            return
        yield kill


def test_workers_killed_in_mid_send(rig: FaultRig, form: Form, findings: Findings) -> None:
    chance, kills = form.chance("row 1"), form.of(6, 90)
    rig.sms.always(SLOW)
    rig.overdue_cases(form.of(20, 200))
    for kill in until_hit(rig, kills):
        enough_to_do(rig, kill)
        in_mid_send(rig, chance)
        for worker in rig.workers if kill % 3 == 2 else [rig.workers[kill % 2]]:
            worker.kill()
            worker.start()
    rig.drain(120)
    found, cut_off = check(rig), rig.number(CUT_OFF)
    findings.add(1, f"kill -9 of a worker or both x {kill + 1}", found.figures, calls_cut_off=cut_off)
    assert cut_off >= kills / 4, "hardly a call was under way when its worker died"
    assert not found.faults


def test_pool_children_killed_in_mid_task(rig: FaultRig, form: Form, findings: Findings) -> None:
    chance, kills = form.chance("row 2"), form.of(12, 90)
    rig.sms.always(SLOW)
    rig.overdue_cases(form.of(20, 200))
    for kill in until_hit(rig, kills):
        enough_to_do(rig, kill)
        in_mid_send(rig, chance)
        children = [pid for worker in rig.workers for pid in worker.children()]
        for child in chance.sample(children, k=min(2, len(children))):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
    rig.drain(120)
    found, cut_off = check(rig), rig.number(CUT_OFF)
    findings.add(2, f"kill -9 of two pool children x {kill + 1}", found.figures, calls_cut_off=cut_off)
    assert all(worker.is_running for worker in rig.workers), "a worker did not outlive its children"
    assert cut_off >= kills / 4, "hardly a child was at work when it died"
    assert not found.faults


def test_a_task_that_only_a_dead_worker_knew_is_made_up_for_at_once(
    rig: FaultRig, form: Form, findings: Findings
) -> None:
    """The broker gives it back after five minutes. Nothing waits for that: the next tick finds the rows."""
    chance, rounds, longest, unacknowledged = form.chance("row 3"), form.of(2, 10), 0.0, 0
    rig.sms.always(SLOW)
    for number in range(rounds):
        rig.messages(30, f"r{number}.")
        in_mid_send(rig, chance)
        rig.programs["worker-b"].kill()
        rig.programs["worker-a"].kill()
        with rig.broker() as broker:
            unacknowledged += int(broker.hlen("grm:unacked"))
        taken = len(rig.sms.accepted)
        killed_at = time.monotonic()
        rig.programs["worker-b"].start()
        rig.wait_until(lambda before=taken: len(rig.sms.accepted) > before, "the next message", BOOT_SECONDS + 5)
        longest = max(longest, time.monotonic() - killed_at)
        rig.programs["worker-a"].start()
    rig.drain()
    found = check(rig)
    figures = {"tasks_only_in_broker": unacknowledged, "going_on_after_s": round(longest, 1)}
    findings.add(3, f"both workers killed, one started again x {rounds}", found.figures, **figures)
    assert unacknowledged >= 1, "no task was lost with its worker"
    assert longest <= BOOT_SECONDS + 2 * DELIVERY_SECONDS
    assert not found.faults


def test_workers_frozen_longer_than_their_lease(rig: FaultRig, form: Form, findings: Findings) -> None:
    chance, freezes = form.chance("row 34"), form.of(3, 62)
    rig.sms.always(SLOW)
    for freeze in range(freezes):
        enough_to_do(rig, freeze)
        in_mid_send(rig, chance)
        worker = rig.workers[freeze % 2]
        worker.freeze()
        time.sleep(LEASE_SECONDS * 1.3)
        worker.thaw()
    rig.drain(120)
    found = check(rig)
    abandoned = rig.number(
        "SELECT count(*) FROM attempt AS a WHERE a.finished_at > a.started_at + make_interval(secs => %s)",
        LEASE_SECONDS,
    )
    injected = f"SIGSTOP for {LEASE_SECONDS * 1.3:g} s, lease {LEASE_SECONDS:g} s x {freezes}"
    findings.add(34, injected, found.figures, calls_that_outlived_their_claim=abandoned)
    assert not found.faults
    assert found.twice_allowed <= freezes


def test_a_deployment_restarts_everything_again_and_again(rig: FaultRig, form: Form, findings: Findings) -> None:
    """SIGTERM to a worker every 2.6 seconds, and now and then to the web server, under load."""
    restarts, longest, killed = form.of(2, 10), 0.0, []
    rig.sms.always(Answer(after_seconds=0.02))
    rig.messages(form.of(150, 600))
    rig.overdue_cases(form.of(10, 100))
    with Filers(rig.url, people=2, pause_seconds=0.2) as filers:
        for restart in range(restarts):
            time.sleep(2.6)
            programs: list[Program] = [rig.workers[restart % 2]]
            if restart % 3 == 1:
                programs.append(rig.programs["web"])
            for program in programs:
                asked_at = time.monotonic()
                killed += [] if program.stop(STOP_SECONDS[program.name]) else [program.name]
                longest = max(longest, time.monotonic() - asked_at)
                program.start()
        rig.wait_until(rig.is_green, "the system after the restarts", 60)
    rig.drain(120)
    found = check(rig)
    numbers = [each.number for each in filers.complaints]
    stored = Counter(row["tracking_number"] for row in rig.rows(STORED, numbers))
    figures = {"filed": len(filers.complaints), "closed_door": filers.answers[0], "slowest_stop_s": round(longest, 1)}
    findings.add(35, f"SIGTERM x {restarts}", found.figures, **figures)
    assert killed == [], "it did not stop in time"
    assert "" not in numbers, "somebody never got a receipt"
    assert stored == Counter(numbers), "a receipt for nothing, or two cases of one form"
    assert set(filers.faults) <= {"answered 0"}, "more than a closed door"
    assert not found.faults


@contextlib.contextmanager
def busy_cores(processes: int, megabytes: int) -> Iterator[None]:
    """So many processes that do nothing but compute, each on a heap that it walks over."""
    code = f"import itertools\nheap = bytearray({megabytes} << 20)\nfor n in itertools.count(): heap[n * 4096 % len(heap)] = 1"
    running = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def test_starved_of_cpu_it_is_slow_and_loses_nothing(rig: FaultRig, form: Form, findings: Findings) -> None:
    seconds, eaters = form.of(6, 60), 8
    rig.messages(form.of(60, 600))
    rig.overdue_cases(form.of(20, 200))
    with busy_cores(eaters, megabytes=100), Filers(rig.url, people=2, pause_seconds=0.3) as filers:
        time.sleep(seconds)
    rig.drain(120)
    found = check(rig)
    slowest = max((each for complaint in filers.complaints for each in complaint.seconds), default=0.0)
    figures = {"filed": len(filers.complaints), "slowest_press_s": round(slowest, 1)}
    findings.add(38, f"{eaters} busy processes for {seconds} s", found.figures, **figures)
    assert filers.faults == []
    assert filers.complaints and all(each.number for each in filers.complaints)
    assert not found.faults
