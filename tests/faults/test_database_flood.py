"""Thousands of deadlines fall due in one moment: each is climbed once, told in digests, and nobody's acknowledgement waits."""

import threading
import time
from collections import Counter

import pytest

from grm.kernel import clock
from tests.support import build
from tests.support.fault_table import Findings, Form
from tests.support.faults import SLOW, SWEEP_SECONDS, FaultRig, check
from tests.support.filers import new_form, press

pytestmark = pytest.mark.faults

LONGEST_ACKNOWLEDGEMENT_SECONDS = 30.0
FIRST_RUNGS = "SELECT case_id, id AS deadline_id, epoch, 1::smallint AS level FROM deadline WHERE state = 'breached'"
WITHOUT_BEGINNING = "lines in the history that are not in its length"
"""True of every case here: put in by thousands, they have no first event."""
UNTOLD = """
    SELECT count(*) FROM escalation AS e WHERE NOT EXISTS
    (SELECT FROM digest_item AS i WHERE i.escalation_id = e.id AND i.written_at IS NOT NULL)
"""


def test_five_thousand_deadlines_due_at_once(rig: FaultRig, form: Form, findings: Findings) -> None:
    count = form.of(5_000, 50_000)
    offices = [row["id"] for row in rig.rows("SELECT id FROM office WHERE kind = 'ministry' ORDER BY id")]
    rig.sms.always(SLOW)
    waits: list[float] = []
    over = threading.Event()

    def file_on() -> None:
        while not over.wait(0.5):
            new = new_form(rig.url)
            if new is None:
                continue
            press(rig.url, *new)
            pressed = time.monotonic()
            while not any(sms["to"] == new[0].phone for sms in list(rig.sms.accepted)):
                if time.monotonic() - pressed > 2 * LONGEST_ACKNOWLEDGEMENT_SECONDS:
                    break
                time.sleep(0.02)
            waits.append(time.monotonic() - pressed)

    with rig.session() as session:
        build.many_cases(session, count, count, clock.now(session), offices)
    fell_due = time.monotonic()
    citizen = threading.Thread(target=file_on)
    citizen.start()
    escalated = "SELECT count(*) FROM escalation"
    rig.wait_until(lambda: rig.number(escalated) >= count, "every rung climbed", form.of(60, 600))
    seconds = time.monotonic() - fell_due
    rig.drain(form.of(60, 600))
    over.set()
    citizen.join(90)
    rig.drain()
    ledger = check(rig, FIRST_RUNGS)
    mails = Counter(str(mail["To"]) for mail in rig.mail.taken)
    digests = rig.rows("SELECT key FROM message WHERE template LIKE '%%digest%%'")
    injected = f"{count} deadlines due at once, climbed in {seconds:.1f} s"
    figures = {"mails": mails.total(), "officers": len(mails), "acknowledged_after": f"{max(waits):.1f} s at most"}
    findings.add(33, injected, ledger.figures, **figures)
    assert [fault for fault in ledger.faults if WITHOUT_BEGINNING not in fault] == []
    assert ledger.escalations == count
    assert rig.number("SELECT count(*) FROM cases WHERE level = 1") == count
    assert rig.number(UNTOLD) == 0, "an escalation in nobody's digest"
    assert len(mails) == len(offices) and len(digests) == len({row["key"] for row in digests})
    # A digest leaves at once here (at 08:00 in production), so each batch of the sweep may find the day's gone already.
    passes = rig.number("SELECT count(*) FROM sweep_run")
    assert max(mails.values()) <= 2 * passes + count / 1_500 < count / len(offices) / 10
    assert len(waits) >= 3 and max(waits) < LONGEST_ACKNOWLEDGEMENT_SECONDS
    assert seconds < form.of(30, 300) + 2 * SWEEP_SECONDS
