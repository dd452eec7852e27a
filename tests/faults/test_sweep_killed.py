"""A sweep killed at any moment: nothing is lost, nothing is done twice, nothing is half done (SIGKILL, real processes)."""

import os
import random
import signal
import time

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.escalation.sweep import sweep
from grm.kernel.db import db
from tests.support import build

AS_OF = build.dhaka(2026, 2, 26, 0)
CASES, KILLS = 400, 20

pytestmark = pytest.mark.faults


def sweep_in_a_process(app: Flask) -> int:
    """Fork a process that sweeps in small batches; return its id."""
    child = os.fork()
    if child:
        return child
    try:
        with app.app_context():
            db.engine.dispose(close=False)  # the parent's connections are not ours
            db.session.remove()
            sweep(AS_OF, batch_size=10)
    finally:
        os._exit(0)


def number(session: Session, statement: str) -> int:
    return int(session.execute(text(statement)).scalar_one())


def test_sweeps_killed_at_random_moments_do_everything_once(app: Flask, session: Session) -> None:
    for _ in range(CASES):
        build.case(session)
    session.commit()
    chance = random.Random(7)
    killed = 0
    for _ in range(KILLS):
        children = [sweep_in_a_process(app) for _ in range(2)]
        time.sleep(chance.uniform(0.0, 0.25))
        for child in children:
            os.kill(child, signal.SIGKILL)
            killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        if number(session, "SELECT count(*) FROM deadline WHERE next_level IN (0, 1)") == 0:
            break
        session.rollback()
    assert killed >= 4, "the sweeps were over before anything could be killed"
    session.rollback()
    _wait_until_nobody_holds_a_lock(session)
    sweep(AS_OF)

    assert number(session, "SELECT count(*) FROM escalation") == CASES * 4
    assert number(session, "SELECT count(*) FROM case_event WHERE kind IN ('warned', 'escalated')") == CASES * 4
    assert number(session, "SELECT count(*) FROM cases WHERE level = 2 AND history_length = 5") == CASES
    assert number(session, "SELECT count(*) FROM deadline WHERE state = 'breached'") == CASES * 2
    # Told each once: two reminders by e-mail and two levels by e-mail and SMS, in the digests of two officers and two
    # channels (the appeal officer gets no reminder); the complainant by an SMS of its own.
    assert number(session, "SELECT count(*) FROM digest_item") == CASES * (2 + 4)
    assert number(session, "SELECT count(*) FROM message WHERE template = 'digest-officer'") == 4
    assert number(session, "SELECT count(*) FROM message") == CASES + 4
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
