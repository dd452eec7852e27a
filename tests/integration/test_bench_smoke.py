"""The benchmarks' generator makes consistent cases. How fast anything is, no test says."""

from datetime import timedelta

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.generate import COHORTS, cohort_due_at, generate, shape_of
from grm import cli
from grm.escalation.sweep import sweep
from grm.kernel import tracking_number
from grm.kernel.db import db
from grm.tallies.folding import fold_all
from grm.tallies.rebuilding import verify

CASES = 1_000
ORPHANS = """
    SELECT (SELECT count(*) FROM cases c LEFT JOIN {table} t ON t.{key} = c.{own} WHERE t.{key} IS NULL)
"""

FOREIGN_KEYS = """
    SELECT conname, conrelid::regclass, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE contype = 'f' AND conrelid::regclass::text = ANY (ARRAY['submission', 'cases', 'complainant', 'case_event',
                                                                  'deadline', 'escalation', 'message'])
"""


def count(session: Session, sql: str) -> int:
    return int(session.execute(text(sql)).scalar_one())


def test_generated_cases_are_consistent_and_the_sweep_climbs_a_cohort(app: Flask, session: Session) -> None:
    generated = generate(app, CASES, seed=3, threads=1)
    shape = shape_of(CASES)
    assert generated.shape == shape and shape.ended + shape.open == CASES
    assert generated.cohort_due_at == cohort_due_at(app, generated.today)

    assert count(session, "SELECT count(*) FROM cases") == CASES == count(session, "SELECT count(*) FROM floor.cases")
    assert count(session, "SELECT count(*) FROM cases WHERE is_open") == shape.open
    for table, key, own in (("submission", "id", "submission_id"), ("complainant", "case_id", "id")):
        assert count(session, ORPHANS.format(table=table, key=key, own=own)) == 0
    assert count(session, "SELECT count(*) FROM deadline") == 2 * CASES
    numbers = session.execute(text("SELECT tracking_number FROM cases")).scalars().all()
    assert all(tracking_number.parse(number) == number for number in numbers)
    assert count(session, "SELECT count(DISTINCT office_id) FROM cases") > 20, "every ministry with programmes"
    # What the load did not check must hold: every constraint validates.
    for name, table, definition in session.execute(text(FOREIGN_KEYS)).all():
        session.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {definition}"))
    session.rollback()
    result = cli.register(app).test_cli_runner().invoke(args=["audit", "verify"])
    assert result.exit_code == 0 and f"{CASES} cases" in result.output, result.output

    assert count(session, "SELECT received FROM tally WHERE spine = 0 AND dimension = 0 AND shade = 2 LIMIT 1")
    session.rollback()
    for due_at in generated.cohort_due_at:
        assert sweep(as_of=due_at - timedelta(seconds=1)).is_empty
        done = sweep(as_of=due_at)
        assert (done.warned, done.escalated[1], done.failed) == (0, shape.cohort, 0)
        assert sweep(as_of=due_at).is_empty
    assert count(session, "SELECT count(*) FROM cases WHERE level = 1") == COHORTS * shape.cohort
    session.rollback()
    assert fold_all() == COHORTS * shape.cohort
    assert list(verify()) == [], "what the load made, and what the sweeps changed"
    assert cli.register(app).test_cli_runner().invoke(args=["audit", "verify"]).exit_code == 0
    with db.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA floor CASCADE"))


def test_a_seed_gives_the_same_numbers(app: Flask, session: Session) -> None:
    first = _numbers(app, session, 3)
    assert first == _numbers(app, session, 3)
    assert first != _numbers(app, session, 4)


def _numbers(app: Flask, session: Session, seed: int) -> list[str]:
    session.execute(text("SET session_replication_role = replica"))
    session.execute(text("TRUNCATE cases, submission, case_event, message, deadline, escalation, complainant CASCADE"))
    session.execute(text("SET session_replication_role = origin"))
    session.commit()
    generate(app, 60, seed, threads=1)
    found = session.execute(text("SELECT tracking_number || details FROM cases ORDER BY id")).scalars().all()
    session.execute(text("DROP SCHEMA floor CASCADE"))
    session.commit()
    return list(found)
