"""Workers killed, frozen and restarted: rows 1, 2, 3, 34 and 35 of the fault matrix."""

import os
import signal
import time

import pytest

from tests.support.fault_table import Findings, Form
from tests.support.faults import LEASE_SECONDS, SLOW, FaultRig, check

pytestmark = pytest.mark.faults


def test_workers_killed_in_mid_send(rig: FaultRig, form: Form, findings: Findings) -> None:
    chance = form.chance("row 1")
    kills = form.of(8, 90)
    rig.sms.always(SLOW)
    rig.messages(kills * 15)
    rig.overdue_cases(kills * 3)
    in_flight = 0
    for kill in range(kills):
        worker = rig.workers[kill % 2]
        time.sleep(chance.uniform(0.2, form.of(0.6, 1.5)))
        in_flight += rig.number("SELECT count(*) FROM message WHERE state = 'sending'") > 0
        worker.kill()
        worker.start()
    rig.drain()
    found = check(rig)
    findings.add(1, f"kill -9 of a worker x {kills}", found.figures, in_mid_send=in_flight)
    assert in_flight, "no worker was killed while it was sending"
    assert not found.faults
