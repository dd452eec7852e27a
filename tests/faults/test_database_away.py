"""The database stopped, cut off and locked under load: nothing acknowledged is lost, nothing is half there."""

import signal
import threading
import time
from collections import Counter

import pytest

from tests.support.fault_table import Findings, Form
from tests.support.faults import FaultRig, check
from tests.support.filers import Answer, Complaint, Filers, ask, new_form, press
from tests.support.invariants import half_written

pytestmark = pytest.mark.faults

WORKERS_BACK_SECONDS = 45
CUT = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = 'grm' AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def settle(rig: FaultRig, findings: Findings, row: int, injected: str, complaints: list[Complaint]) -> None:
    """What every fault must leave behind: each form one case, each case one SMS, nothing open, nothing half written."""
    rig.wait_until(rig.is_green, "workers, beat and sweep at work again", WORKERS_BACK_SECONDS)
    rig.drain()
    stored = Counter(each["tracking_number"] for each in rig.rows("SELECT tracking_number FROM cases"))
    told = [complaint.number for complaint in complaints]
    phones = Counter(complaint.phone for complaint in complaints)
    ledger, half = check(rig), half_written(rig)
    presses = Counter(status for complaint in complaints for status in complaint.answers)
    figures = {"filed": len(told), "answered_503": presses[503], "half_written": len(half)}
    findings.add(row, injected, ledger.figures, **figures)
    assert "" not in told, f"never filed: {presses}"
    assert Counter(told) == stored, (
        "a receipt for what was not stored, two forms on one receipt, or two cases of one form"
    )
    assert Counter(sms["to"] for sms in rig.sms.accepted) == phones, "each acknowledged once, by the gateway's own log"
    assert half == []
    assert ledger.faults == []


def test_stopped_at_once_under_load_nothing_acknowledged_is_lost(rig: FaultRig, form: Form, findings: Findings) -> None:
    chance, stops, complaints = form.chance("stops"), form.of(2, 3), []
    for number in range(form.of(1, 6)):
        with Filers(rig.url, people=4) as filers:
            for _ in range(stops):
                time.sleep(chance.uniform(0.8, 1.6))
                rig.postgres.signal(
                    signal.SIGQUIT
                )  # what `pg_ctl stop -m immediate` does, which refuses to run as root
                rig.postgres.end()
                time.sleep(chance.uniform(0.2, 1.5))
                rig.postgres.start()
            time.sleep(1.5)
        complaints += filers.complaints
        assert filers.faults == []
        assert filers.answers[503] >= stops, "nobody was there to see it"
        assert filers.answers[200] >= 4, "nothing was filed"
        settle(rig, findings, 14, f"immediate stop x {stops}, round {number + 1}", complaints)


def test_connections_cut_every_two_seconds_cost_at_most_one_request_each(
    rig: FaultRig, form: Form, findings: Findings
) -> None:
    cut, rounds = 0, form.of(3, 60)
    with Filers(rig.url, people=4) as filers, rig.connect() as other:
        for _ in range(rounds):
            time.sleep(2)
            ended = other.execute(CUT).fetchone()
            assert ended is not None
            cut += ended["count"]
        time.sleep(1)
    assert filers.faults == []
    assert cut > rounds and filers.answers[503] <= cut
    settle(rig, findings, 15, f"{cut} connections cut in {rounds} rounds", filers.complaints)


def test_a_table_locked_for_long_costs_five_seconds_and_only_who_needs_it(
    rig: FaultRig, form: Form, findings: Findings
) -> None:
    """Three people file into a locked table, others read pages meanwhile. Then the lock goes, and all is filed."""
    seconds = form.of(7.0, 30.0)
    begun = [new for _ in range(3) if (new := new_form(rig.url))]
    read: list[tuple[str, Answer]] = []

    def file_on(complaint: Complaint, fields: dict[str, str], ends: float) -> None:
        while time.monotonic() < ends:
            press(rig.url, complaint, fields)

    def read_on(path: str, ends: float) -> None:
        while time.monotonic() < ends:
            read.append((path, ask(rig.url, path)))
            time.sleep(0.05)

    with rig.connect() as other, other.transaction():
        other.execute("LOCK TABLE cases IN ACCESS EXCLUSIVE MODE")
        until = time.monotonic() + seconds
        people = [threading.Thread(target=file_on, args=(*new, until - 5.5)) for new in begun]
        pages = ("/", "/complaints/new", "/track", "/login")
        people += [threading.Thread(target=read_on, args=(path, until - 1)) for path in pages]
        for thread in people:
            thread.start()
        for thread in people:
            thread.join(60)
    presses = [answer for complaint, _ in begun for answer in complaint.answers]
    slowest = max(second for complaint, _ in begun for second in complaint.seconds)
    waits = sorted((answer.seconds, path) for path, answer in read)
    for complaint, fields in begun:
        press(rig.url, complaint, fields)
    injected = f"table locked {seconds:g} s (filing {slowest:.1f} s, other pages {waits[-1][0]:.2f} s at most)"
    settle(rig, findings, 17, injected, [complaint for complaint, _ in begun])
    assert set(presses) == {503} and slowest < 6.5
    assert {answer.status for _, answer in read} == {200}
    assert len(waits) > 100 and waits[-1][0] < 3.0, waits[-5:]
