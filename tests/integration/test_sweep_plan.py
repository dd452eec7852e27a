"""The sweep at size: it finds what is due through the partial index, however many deadlines are not due."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.escalation.sweep import BATCH_SIZE, DUE, sweep
from tests.support import build

AS_OF = datetime(2026, 11, 20, 18, tzinfo=UTC)
CASES, OVERDUE = 100_000, 1_600


@pytest.fixture
def at_size(session: Session) -> Session:
    ministries = ("social-welfare", "food", "land", "agriculture")
    build.many_cases(session, CASES, OVERDUE, AS_OF, [build.office_id(session, slug) for slug in ministries])
    session.commit()
    return session


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(each for part in plan.get("Plans", ()) for each in nodes(part))]


def test_at_size_only_what_is_due_is_read_and_a_pass_over_nothing_costs_nothing(at_size: Session) -> None:
    statement = text(f"EXPLAIN (ANALYZE, FORMAT JSON) {DUE.text}")
    at_size.execute(
        text("SET LOCAL random_page_cost = 1.1")
    )  # on a disk without heads; a million rows need no such hint
    for generic in ("force_custom_plan", "force_generic_plan"):
        at_size.execute(text(f"SET LOCAL plan_cache_mode = {generic}"))
        [found] = at_size.execute(statement, {"as_of": AS_OF, "limit": BATCH_SIZE, "failed": []}).scalar_one()
        plan = nodes(found["Plan"])
        assert "Seq Scan" not in {node["Node Type"] for node in plan}, found
        assert {node.get("Index Name") for node in plan} >= {"ix__deadline__next_rung_at", "pk__cases"}, found
        assert all(node["Actual Rows"] * node["Actual Loops"] <= OVERDUE for node in plan), found
    at_size.rollback()

    result = sweep(AS_OF)
    assert (result.escalated[1], result.batches) == (OVERDUE, 2)

    fastest = min(_seconds_of_a_pass() for _ in range(5))
    assert fastest < 0.05, f"a pass over nothing took {fastest:.3f} s"


def _seconds_of_a_pass() -> float:
    started = time.perf_counter()
    assert sweep(AS_OF).is_empty
    return time.perf_counter() - started
