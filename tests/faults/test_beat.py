"""Beats and clocks: rows 4, 5, 6, 7 and 27 of the fault matrix."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import Celery

from tests.support.fault_table import Findings, Form
from tests.support.faults import ROOT, SLOW, FaultRig, check
from tests.support.gateway import Answer

pytestmark = pytest.mark.faults

FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
JUMPING = ROOT / "tests" / "support" / "jumping_clock"
ON_DUTY = """
    SELECT count(*) FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND a.application_name = 'grm beat'
"""


def ticks_within(rig: FaultRig, seconds: float) -> int:
    """How many tasks are published meanwhile, by the broker's own count."""

    def published() -> int:
        with rig.broker() as broker:
            return int(broker.info("commandstats").get("cmdstat_lpush", {}).get("calls", 0))

    before = published()
    time.sleep(seconds)
    return published() - before


@contextmanager
def restarted(rig: FaultRig, *names: str, **env: str) -> Iterator[None]:
    """Some programs with another environment, for the length of a block."""
    for name in names:
        if rig.programs[name].is_running:
            rig.programs[name].kill()
        rig.programs[name].start(**env)
    try:
        rig.wait_until(rig.is_green, "the restarted programs", 60)
        yield
    finally:
        for name in names:
            rig.programs[name].kill()  # the rig starts them again as they should be


def producer(rig: FaultRig) -> Celery:
    """Somebody who can publish."""
    sender = Celery("faults", broker=rig.env["REDIS_URL"])
    sender.conf.update(broker_transport_options={"global_keyprefix": "grm:"}, task_ignore_result=True)
    return sender


def test_tasks_that_outlast_the_brokers_patience_have_one_effect(rig: FaultRig, form: Form, findings: Findings) -> None:
    """The broker gives a task that takes too long to another worker, again and again: claims make that harmless."""
    # A worker with little to do looks every ten seconds only for what the broker has waited for too long.
    visibility, lasts = form.of(1.5, 8.0), form.of(13.0, 25.0)
    rig.sms.always(Answer(after_seconds=0.2))
    with restarted(rig, "worker-a", "worker-b", FAULTS_VISIBILITY_SECONDS=str(visibility)):
        rig.messages(form.of(80, 500))
        producer(rig).send_task("faults.deliver-slowly", args=[lasts], queue="delivery")
        time.sleep(lasts + 1)
        rig.drain()
        found, starts = check(rig), rig.slow_starts()
        findings.add(4, f"task of {lasts} s, visibility timeout {visibility} s", found.figures, starts=starts)
        assert starts >= 2, "it was started only once"
        assert not found.faults

        countdown = lasts
        rig.messages(20, "eta")
        rig.beat.freeze()  # the other ticks would have done the work long before
        producer(rig).send_task("faults.deliver-slowly", args=[0.2], queue="delivery", countdown=countdown)
        time.sleep(countdown + 2)
        rig.beat.thaw()
        rig.drain()
        found, more = check(rig), rig.slow_starts() - starts
        injected = f"countdown of {countdown} s, visibility timeout {visibility} s"
        findings.add(5, injected, found.figures, starts=more)
        assert more >= 2, "it ran only once"
        assert not found.faults


def test_of_two_beats_one_stands_by(rig: FaultRig, form: Form, findings: Findings) -> None:
    seconds = form.of(2, 20)
    alone = ticks_within(rig, seconds)
    rig.programs["beat-2"].start()
    rig.wait_until(lambda: rig.number("SELECT count(*) FROM heartbeat WHERE name = 'beat.standby'"), "the second beat")
    both = ticks_within(rig, seconds)
    holders = rig.number(ON_DUTY)
    rig.beat.kill()
    killed_at = time.monotonic()
    rig.wait_until(lambda: ticks_within(rig, 0.5) >= 1, "the second beat to take over", 15)
    took_over = time.monotonic() - killed_at
    figures = {"ticks_of_one": alone, "of_two": both, "taken_over_after_s": round(took_over, 1)}
    findings.add(6, f"a second beat for {seconds} s, then the first one killed", figures)
    assert holders == 1
    assert both <= alone * 1.4 + 2, "both send"
    assert took_over < 10


def test_two_beats_that_both_send_change_nothing(rig: FaultRig, form: Form, findings: Findings) -> None:
    """The lock saves work. Nothing may depend on it: here it is bypassed."""
    seconds, counts = form.of(4, 30), list[int]()
    rig.sms.always(SLOW)
    alone = ticks_within(rig, seconds)

    def are_both_sending() -> bool:
        counts.append(ticks_within(rig, seconds))
        return counts[-1] > alone * 1.4

    with restarted(rig, "beat", "beat-2", FAULTS_BEAT_LOCK="bypassed"):
        rig.wait_until(are_both_sending, "two beats that send", 60)
        rig.messages(form.of(40, 400))
        rig.overdue_cases(form.of(20, 200))
        rig.drain()
    found = check(rig)
    figures = {"ticks_of_one": alone, "of_two": counts[-1], "escalations": found.escalations}
    findings.add(6, f"two beats without their lock for {seconds} s", found.figures, **figures)
    assert not found.faults


def test_a_beat_frozen_for_hours_alarms_and_is_made_up_for_once_in_order(
    rig: FaultRig, form: Form, findings: Findings
) -> None:
    """Three hours go by while beat is frozen: the signs of life grow old in the database, as they would."""
    rig.beat.freeze()
    rig.wait_until(lambda: not rig.queued(), "the last ticks to be worked off")
    time.sleep(0.5)  # and the last one to be done
    rig.do("UPDATE heartbeat SET at = at - interval '3 hours'")
    rig.overdue_cases(form.of(20, 300))
    time.sleep(form.of(1, 60))
    status, parts = rig.health()
    red = sorted(name for name, part in parts.items() if not part["ok"])
    climbed_meanwhile = rig.number("SELECT count(*) FROM escalation")
    rig.beat.thaw()
    rig.drain()
    found = check(rig)
    rig.wait_until(rig.is_green, "the alarm to end")
    findings.add(7, "SIGSTOP of beat, three hours by the heartbeats", found.figures, red="+".join(red))
    assert status == 503 and {"beat", "sweep"} <= set(red)
    assert climbed_meanwhile == 0
    assert not found.faults


def test_ticks_that_nobody_takes_do_not_pile_up(rig: FaultRig, form: Form, findings: Findings) -> None:
    seconds = form.of(4, 60)
    for worker in rig.workers:
        worker.freeze()
    time.sleep(seconds)
    queued = rig.queued()
    with rig.broker() as broker:
        headers = [
            json.loads(each)["headers"]
            for queue in ("ticks", "delivery")
            for each in broker.lrange(f"grm:{queue}", 0, -1)
        ]
    for worker in rig.workers:
        worker.thaw()
    thawed_at = time.monotonic()
    rig.wait_until(lambda: rig.queued() <= 3, "the queue to be worked off", 20)
    worked_off = time.monotonic() - thawed_at
    findings.add(7, f"both workers frozen for {seconds} s", queued=queued, worked_off_after_s=round(worked_off, 1))
    assert queued > 3
    assert all(each["expires"] for each in headers), "a tick without an end"
    assert worked_off < 10


# --- clocks that jump -----------------------------------------------------------------------------------------------


def soon(rig: FaultRig) -> int:
    """Cases whose next rung comes in two days: three days ahead they would be late. How many."""
    from tests.support import build

    with rig.session() as session:
        from grm.kernel import clock

        now = clock.now(session)
        for _ in range(5):
            build.case(session, filed_at=now)
    return rig.do(
        "UPDATE deadline SET due_at = clock_timestamp() + interval '2 days', "
        "next_rung_at = clock_timestamp() + interval '2 days' WHERE next_rung_at > clock_timestamp()"
    )


def worked_on(rig: FaultRig, form: Form, prefix: str) -> None:
    """Give everybody something to do and see it done."""
    rig.messages(form.of(15, 100), prefix)
    rig.overdue_cases(form.of(5, 50))
    rig.drain(90)


@pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed (Debian: faketime)")
def test_when_the_machines_clock_jumps_nothing_is_early_and_nothing_stops(
    rig: FaultRig, form: Form, findings: Findings
) -> None:
    """Web, workers and beat jump three days ahead, and six back, while they work; the database's clock does not."""
    control = rig.home / "faketime"
    control.write_text("+0")
    env = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(control),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",  # no clock set by somebody moves it
        "PYTHONPATH": f"{JUMPING}:{ROOT}",
        "NO_FAKE_STAT": "1",
        "FAKE_UTIME": "0",  # gunicorn's workers say by a file's time that they live, on the monotonic clock
    }
    with restarted(rig, "web", "worker-a", "worker-b", "beat", **env):
        waiting = soon(rig)
        for jump in ("+3d", "-3d", "+0")[: form.of(2, 3)]:
            control.write_text(jump)
            worked_on(rig, form, jump)
            rig.wait_until(rig.is_green, f"the system at {jump}", 40)
        found = check(rig)
    early = rig.number("SELECT count(*) FROM deadline WHERE due_at > clock_timestamp() AND state = 'breached'")
    findings.add(27, "clock of the machine +3 days, then -3 days", found.figures, waiting=waiting, early=early)
    assert waiting and not early
    assert not found.faults


def test_a_worker_with_a_wrong_clock_is_never_early(rig: FaultRig, form: Form, findings: Findings) -> None:
    """Only the workers are wrong, by a clock shifted within them. Behind, they work as ever. Ahead, every tick has expired
    before it arrives: nothing is done, which the alarm says; once the clock is right, everything is made up for.
    """
    waiting = soon(rig)
    for days in form.of([3], [3, -3]):
        with restarted_workers(rig, days):
            rig.messages(10, f"{days:+d} days ")
            rig.overdue_cases(5)
            if days < 0:
                rig.drain()
            else:
                time.sleep(form.of(4, 10))
                rig.do("UPDATE heartbeat SET at = at - interval '1 minute' WHERE name = 'worker'")
                assert not rig.is_green(), "nobody would know"
        rig.mend()
        rig.drain()
        found = check(rig)
        early = rig.number("SELECT count(*) FROM deadline WHERE due_at > clock_timestamp() AND state = 'breached'")
        findings.add(27, f"clock of both workers {days:+d} days", found.figures, waiting=waiting, early=early)
        assert waiting and not early
        assert not found.faults


@contextmanager
def restarted_workers(rig: FaultRig, days: int) -> Iterator[None]:
    """Both workers with a clock of their own, for the length of a block."""
    for worker in rig.workers:
        worker.kill()
        worker.start(FAULTS_SHIFT_DAYS=str(days))
    try:
        yield
    finally:
        for worker in rig.workers:
            worker.kill()
