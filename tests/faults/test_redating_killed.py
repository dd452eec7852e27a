"""A run that dates clocks anew, killed at any moment: the next goes on, each clock moves once and is recorded once
(SIGKILL, real processes, sweeps beside it)."""

import os
import signal
import time
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from grm.deadlines import queries
from grm.deadlines import service as deadlines
from grm.deadlines.announcements import announce
from grm.deadlines.calendar import Day, dhaka_date
from grm.deadlines.models import CalendarEdition
from grm.escalation import redating
from grm.escalation.sweep import sweep
from grm.kernel import clock
from grm.kernel.actor import SYSTEM
from grm.kernel.db import db
from tests.support import build
from tests.support.fault_table import Findings, Form

BATCH = 5

pytestmark = pytest.mark.faults


def in_a_process(app: Flask, is_sweep: bool) -> int:
    """Fork a process that dates anew, or sweeps, in small batches; return its id."""
    child = os.fork()
    if child:
        return child
    try:
        with app.app_context():
            db.engine.dispose(close=False)  # the parent's connections are not ours
            db.session.remove()
            if is_sweep:
                sweep(batch_size=BATCH)
            else:
                redating.redate_open()
    finally:
        os._exit(0)


def number(session: Session, statement: str) -> int:
    session.rollback()
    return int(session.execute(text(statement)).scalar_one())


def test_runs_killed_at_random_moments_move_each_clock_once(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, form: Form, findings: Findings
) -> None:
    cases, rounds = form.of((160, 14), (1_200, 120))
    monkeypatch.setattr(redating, "BATCH_SIZE", BATCH)
    calendar = queries.calendar(session)
    today = dhaka_date(clock.now(session))
    for index in range(cases):
        # Half of them missed by now, and told nobody yet.
        started = calendar.add_working_days(calendar.add_working_days(today, -2 + index % 4), -30)
        filed_at = build.dhaka(started.year, started.month, started.day)
        row = build.case(session, filed_at=filed_at)
        deadlines.meet(session, row.id, "acknowledge", filed_at)
    session.commit()
    sweep()
    missed = number(session, "SELECT count(*) FROM deadline WHERE state = 'breached'")
    assert missed >= cases // 4
    holiday = Day("holiday", "ঈদ", "Eid", "Gazette")
    days: dict[object, Day | None] = {calendar.add_working_days(today, -n): holiday for n in range(1, 5)}
    version = announce(session, days, "Gazette", SYSTEM, clock.now(session)).version  # type: ignore[arg-type]
    session.commit()

    chance = form.chance("redating")
    killed = 0
    for _ in range(rounds):
        children = [in_a_process(app, is_sweep=False), in_a_process(app, is_sweep=True)]
        time.sleep(chance.uniform(0.02, 0.3))
        for child in children:
            os.kill(child, signal.SIGKILL)
            killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        if not number(session, f"SELECT count(*) FROM deadline WHERE met_at IS NULL AND calendar_version < {version}"):
            break
    assert killed >= 4, "the runs were over before anything could be killed"
    time.sleep(1)  # what a killed client had locked is let go
    aged = CalendarEdition.created_at - timedelta(minutes=1)
    session.execute(update(CalendarEdition).where(CalendarEdition.id == version).values(created_at=aged))
    session.commit()
    redating.redate_open()
    redating.redate_open()

    events = number(session, "SELECT count(*) FROM case_event WHERE kind = 'redated'")
    moved = number(session, "SELECT count(DISTINCT case_id) FROM case_event WHERE kind = 'redated'")
    injected = f"kill -9 x {killed} while {cases} clocks are dated anew beside sweeps"
    findings.add(29, injected, lost=cases - moved, twice=events - moved)
    assert (moved, events) == (cases, cases)
    assert not redating.is_pending(session)
    assert number(session, "SELECT count(*) FROM deadline WHERE state = 'breached' AND kind = 'resolve'") == 0
    assert number(session, "SELECT count(*) FROM escalation WHERE level = 1 AND withdrawn_at IS NULL") == 0
    withdrawn = number(session, "SELECT count(*) FROM case_event WHERE kind = 'escalation_withdrawn'")
    assert withdrawn == missed == number(session, "SELECT count(*) FROM escalation WHERE level = 1")
    assert number(session, "SELECT count(*) FROM cases WHERE level > 0") == 0
    differs = "FROM cases AS c JOIN deadline AS d ON d.case_id = c.id AND d.kind = 'resolve' WHERE c.due_at <> d.due_at"
    assert number(session, f"SELECT count(*) {differs}") == 0
    broken = "SELECT count(*) FROM case_event AS e JOIN case_event AS b ON b.case_id = e.case_id AND b.seq = e.seq - 1 "
    assert number(session, broken + "WHERE e.previous_hash <> b.hash") == 0
    assert number(session, "SELECT count(*) FROM cases WHERE history_length <> (SELECT count(*) FROM case_event AS e "
                  "WHERE e.case_id = cases.id)") == 0  # fmt: skip
