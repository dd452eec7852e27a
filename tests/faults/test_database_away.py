"""The database stopped, cut off and locked under load: nothing acknowledged is lost, nothing is half there."""

import threading
import time
from collections import Counter

import pytest

from tests.support.fault_table import Findings, Form
from tests.support.filers import Answer, Complaint, Filers, ask, new_form, press
from tests.support.live import Live

pytestmark = pytest.mark.faults

WORKERS_BACK_SECONDS = 45
FORGIVEN_AFTER_SECONDS = 125
"""A program that dies more than five times in two minutes is not started again (grm/supervisor.py)."""
CUT = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = 'grm' AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def settle(live: Live, findings: Findings, row: int, injected: str, complaints: list[Complaint], before: int) -> None:
    """What every fault must leave behind: each form one case, each case one SMS, nothing open, nothing half written."""
    live.wait_until(live.is_green, "workers, beat and sweep at work again", WORKERS_BACK_SECONDS)
    live.drain()
    stored = Counter(each["tracking_number"] for each in live.rows("SELECT tracking_number FROM cases"))
    told = [complaint.number for complaint in complaints]
    phones = Counter(complaint.phone for complaint in complaints)
    sent = Counter(sms["to"] for sms in live.sms.accepted if sms["to"] in phones)
    ledger = live.ledger()
    presses = Counter(status for complaint in complaints for status in complaint.answers)
    findings.add(row, injected, ledger.counts(), filed=len(told), answered_503=presses[503])
    assert "" not in told, f"never filed: {presses}"
    assert Counter(told) <= stored, "a receipt was shown for what was not stored, or two forms share one"
    assert stored.total() == before + len(complaints), "a retry made a second case"
    assert sent == phones, "each acknowledged once, by the gateway's own log"
    assert ledger.faults == []


def test_stopped_at_once_under_load_nothing_acknowledged_is_lost(live: Live, form: Form, findings: Findings) -> None:
    chance, stops, before = form.chance("stops"), form.of(2, 3), len(live.rows("SELECT id FROM cases"))
    for round_number in range(form.of(1, 3)):
        if round_number:
            time.sleep(FORGIVEN_AFTER_SECONDS)
        with Filers(live.url, people=4) as filers:
            for _ in range(stops):
                time.sleep(chance.uniform(0.8, 1.6))
                live.stop_database_immediately()
                live.wait_until(live.database_answers, "PostgreSQL again", 30)
            time.sleep(1.5)
        assert filers.faults == []
        assert filers.answers[503] >= stops, "nobody was there to see it"
        assert filers.answers[200] > 20
        settle(live, findings, 14, f"immediate stop x {stops}, round {round_number + 1}", filers.complaints, before)
        before += len(filers.complaints)


def test_connections_cut_every_two_seconds_cost_at_most_one_request_each(
    live: Live, form: Form, findings: Findings
) -> None:
    cut, rounds, before = 0, form.of(3, 60), len(live.rows("SELECT id FROM cases"))
    with Filers(live.url, people=4) as filers, live.connect() as other:
        for _ in range(rounds):
            time.sleep(2)
            ended = other.execute(CUT).fetchone()
            assert ended is not None
            cut += int(str(ended[0]))
        time.sleep(1)
    assert filers.faults == []
    assert cut > rounds and filers.answers[503] <= cut
    settle(live, findings, 15, f"{cut} connections cut in {rounds} rounds", filers.complaints, before)


def test_a_table_locked_for_long_costs_five_seconds_and_only_who_needs_it(
    live: Live, form: Form, findings: Findings
) -> None:
    """Three people file into a locked table, others read pages meanwhile. Then the lock goes, and all is filed."""
    seconds, before = form.of(7.0, 30.0), len(live.rows("SELECT id FROM cases"))
    begun = [new for _ in range(3) if (new := new_form(live.url))]
    read: list[tuple[str, Answer]] = []

    def file_on(complaint: Complaint, fields: dict[str, str], ends: float) -> None:
        while time.monotonic() < ends:
            press(live.url, complaint, fields)

    def read_on(path: str, ends: float) -> None:
        while time.monotonic() < ends:
            read.append((path, ask(live.url, path)))
            time.sleep(0.05)

    with live.connect() as other, other.transaction():
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
        press(live.url, complaint, fields)
    injected = f"table locked {seconds:g} s (filing {slowest:.1f} s, other pages {waits[-1][0]:.2f} s at most)"
    settle(live, findings, 17, injected, [complaint for complaint, _ in begun], before)
    assert set(presses) == {503} and slowest < 6.5
    assert {answer.status for _, answer in read} == {200}
    assert len(waits) > 100 and waits[-1][0] < 1.5, waits[-5:]
