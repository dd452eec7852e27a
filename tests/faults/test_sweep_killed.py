"""A sweep killed at any moment: nothing is lost, nothing is done twice, nothing is half done (SIGKILL, real processes)."""

import os
import signal
import time
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.escalation.sweep import sweep
from grm.kernel.db import db
from tests.support import build
from tests.support.fault_table import Findings, Form

INSTANTS = [
    build.dhaka(2026, 2, 16, 0),
    build.dhaka(2026, 2, 19, 0),
    build.dhaka(2026, 2, 26, 0),
    build.dhaka(2026, 4, 15, 0),
]
"""One after the other the reminder and the levels 1, 2 and 3 of a case filed on 4 January fall due."""
CASES = 300

pytestmark = pytest.mark.faults


def sweep_in_a_process(app: Flask, as_of: datetime, batch_size: int) -> int:
    """Fork a process that sweeps in small batches; return its id."""
    child = os.fork()
    if child:
        return child
    try:
        with app.app_context():
            db.engine.dispose(close=False)  # the parent's connections are not ours
            db.session.remove()
            sweep(as_of, batch_size=batch_size)
    finally:
        os._exit(0)


def number(session: Session, statement: str) -> int:
    return int(session.execute(text(statement)).scalar_one())


def test_sweeps_killed_at_random_moments_do_everything_once(
    app: Flask, session: Session, form: Form, findings: Findings
) -> None:
    """Two at a time, rung by rung, each pair killed at a random moment; the last sweep of an instant is left alone."""
    for _ in range(CASES):
        build.case(session)
    session.commit()
    chance, rounds = form.chance("B1"), form.of(6, 125)
    killed = 0
    for as_of in INSTANTS:
        for _ in range(rounds):
            children = [sweep_in_a_process(app, as_of, form.of(8, 2)) for _ in range(2)]
            time.sleep(chance.uniform(0.01, 0.12))
            for child in children:
                os.kill(child, signal.SIGKILL)
                killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        _wait_until_nobody_holds_a_lock(session)
        sweep(as_of)
    sweeps = len(INSTANTS) * (2 * rounds + 1)
    lost = CASES * 5 - number(session, "SELECT count(*) FROM escalation")
    again = sweep(INSTANTS[-1])
    findings.add(
        "B1", f"{sweeps} sweeps, two at a time, {killed} of them killed", lost=max(lost, 0), twice=max(-lost, 0)
    )
    assert killed >= rounds, "the sweeps were over before anything could be killed"
    assert again.is_empty

    assert lost == 0
    assert number(session, "SELECT count(*) FROM case_event WHERE kind IN ('warned', 'escalated')") == CASES * 5
    assert number(session, "SELECT count(*) FROM cases WHERE level = 3 AND history_length = 6") == CASES
    assert number(session, "SELECT count(*) FROM deadline WHERE state = 'breached'") == CASES * 2
    # Told each once, per recipient, level and channel: two reminders by e-mail, levels 1 and 2 by e-mail and SMS, gathered in
    # the digests of two officers and two channels; level 3 by e-mail and SMS at once; the complainant by an SMS.
    assert number(session, "SELECT count(*) FROM digest_item") == CASES * (2 + 4)
    assert number(session, "SELECT count(*) FROM message WHERE template = 'digest-officer'") == 4
    assert number(session, "SELECT count(*) FROM message WHERE template = 'case-escalated-officer'") == CASES * 2
    assert number(session, "SELECT count(*) FROM message WHERE template = 'case-late-complainant'") == CASES
    assert number(session, "SELECT count(*) FROM message") == CASES * 3 + 4
    broken = "SELECT count(*) FROM case_event AS e JOIN case_event AS b ON b.case_id = e.case_id AND b.seq = e.seq - 1 "
    assert number(session, broken + "WHERE e.previous_hash <> b.hash") == 0


def _wait_until_nobody_holds_a_lock(session: Session) -> None:
    """A killed client's transaction ends when PostgreSQL notices, which may take a moment."""
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL "
    deadline = time.monotonic() + 20
    while number(session, others + "AND pid <> pg_backend_pid()") and time.monotonic() < deadline:
        session.rollback()
        time.sleep(0.1)
    session.rollback()
