"""The watch at size: every question it asks is a few index look-ups, above all when much is wrong.

A watchdog whose query is too slow is off just when it is needed.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from grm.kernel import clock
from grm.kernel.db import db
from grm.watch import gauges
from grm.watch.retention import RULES
from grm.web.health import EXTENSION
from tests.support import build
from tests.support.outbox import add_message

CASES, OVERDUE, OF_EACH = 40_000, 5_000, 40_000
MOST_ROWS = 1_100
LARGE = ("message", "deadline", "cases", "receipt", "attempt", "escalation")


@pytest.fixture
def at_size(app: Flask, session: Session) -> Session:
    """Forty thousand messages in each of five states, and five thousand clocks that no sweep has seen for an hour."""
    now = clock.now(session)
    offices = [build.office_id(session, slug) for slug in ("social-welfare", "food", "land", "agriculture")]
    build.many_cases(session, CASES, OVERDUE, now - timedelta(hours=1), offices)
    session.commit()
    add_message(session, now)
    session.execute(text("SET LOCAL statement_timeout = 0"))
    for state, ended in (("pending", None), ("accepted", None), ("held", 1), ("delivered", 40), ("failed", 1)):
        session.execute(
            text(
                "INSERT INTO message (key, template, channel, language, priority, address_sealed, params, state, attempts,"
                " next_attempt_at, created_at, expires_at, ended_at)"
                " SELECT :state || n, template, CASE WHEN n % 2 = 0 THEN 'sms' ELSE 'email' END, language, 1 + n % 5,"
                " address_sealed, params, :state, 0, :now - n * interval '1 second', :now - n * interval '1 second',"
                " expires_at, :now - :ended * interval '1 day' FROM message, generate_series(1, :count) AS n WHERE key = 'm1'"
            ),
            {"state": state, "now": now, "ended": ended, "count": OF_EACH},
        )
    session.commit()
    session.execute(text("ANALYZE message, receipt, attempt"))
    session.commit()
    return session


def asked_by(work: Callable[[], object]) -> list[tuple[str, Any]]:
    """The statements that some work sends, with their parameters."""
    found: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        found.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return found


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(each for part in plan.get("Plans", ()) for each in nodes(part))]


def plans(session: Session, asked: list[tuple[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The plans of the reading ones among some statements, as they really ran."""
    found = []
    session.execute(
        text("SET LOCAL random_page_cost = 1.1")
    )  # on a disk without heads; a million rows need no such hint
    for statement, parameters in asked:
        if statement.lstrip().upper().startswith(("SELECT", "WITH")):
            explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
            [plan] = session.connection().exec_driver_sql(explain, parameters).scalar_one()
            found.append((statement, nodes(plan["Plan"])))
    return found


@pytest.mark.slow
def test_all_checks_are_index_look_ups_however_much_is_wrong(app: Flask, at_size: Session) -> None:
    now = clock.now(at_size)
    checks = app.extensions[EXTENSION]

    def ask() -> None:
        for check in checks.values():
            check(at_size, now)

    ask()
    asked = asked_by(ask)
    assert len(asked) <= 20, "a constant number of statements"
    for statement, plan in plans(at_size, asked):
        scanned = {n.get("Relation Name") for n in plan if n["Node Type"] == "Seq Scan"}
        assert not scanned & set(LARGE), (scanned, statement)
        assert all(n["Actual Rows"] * n["Actual Loops"] <= MOST_ROWS for n in plan), statement
    started = time.perf_counter()
    ask()
    assert time.perf_counter() - started < 0.5
    found = app.test_client().get("/healthz").get_json()
    assert found["parts"]["sweep"]["overlooked"] == 1000 and found["parts"]["outbox"]["held"] == 1000


@pytest.mark.slow
def test_gauges_and_forgetting_read_through_indexes(app: Flask, at_size: Session) -> None:
    now = clock.now(at_size)
    for statement, plan in plans(at_size, asked_by(lambda: list(gauges.gauges(at_size, now)))):
        scanned = {n.get("Relation Name") for n in plan if n["Node Type"] == "Seq Scan"}
        # All cases here are open and half of all messages are: of those it counts, no index could spare the table.
        allowed = {"cases"} if "is_open" in statement else {"message"} if "GROUP BY message" in statement else set()
        assert not scanned & set(LARGE) - allowed, (scanned, statement)
    for name, statement, kept in RULES[:2]:
        query = "EXPLAIN (FORMAT JSON) " + statement.text
        given = {"before": now - kept, "now": now, "batch": 100}
        [plan] = at_size.execute(text(query), given).scalar_one()
        scanned = {n.get("Relation Name") for n in nodes(plan["Plan"]) if n["Node Type"] == "Seq Scan"}
        assert "message" not in scanned, name
