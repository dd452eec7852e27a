"""Revision 0005 on a database with rows: what was there stays and fits, and what is new goes when it is taken back."""

import psycopg
import pytest

from .conftest import ROWS, Migrated

CLOCKS = """
    INSERT INTO deadline (id, case_id, kind, epoch, policy_id, calendar_version, started_at, due_on, due_at, state,
                          extension_days, next_level, next_rung_at) VALUES
        (101, 1, 'investigate', 1, 1, 1, '2026-02-02 05:00+00', '2026-03-02', '2026-03-02 18:00+00', 'running', 0, 0,
         '2026-02-25 18:00+00'),
        (102, 1, 'resolve', 2, 1, 1, '2026-02-02 05:00+00', '2026-03-30', '2026-03-30 18:00+00', 'running', 10, 0,
         '2026-03-25 18:00+00');
    INSERT INTO deadline_pause (deadline_id, from_at, ends_by_at, reason)
        VALUES (101, '2026-02-03 05:00+00', '2026-02-12 05:00+00', 'asked');
    INSERT INTO escalation (case_id, deadline_id, epoch, level, due_at, escalated_at, role, office_id, post_id, officer_id)
        VALUES (1, 101, 1, 0, '2026-02-25 18:00+00', '2026-02-25 18:00+00', 'gro', 1, 1, 1);
    INSERT INTO officer (id, username, password_hash, name_bn, name_en, created_at) VALUES
        (2, 'head', 'x', 'ক', 'A', '2026-01-04 04:00+00');
"""
ASKED = (
    "INSERT INTO extension (deadline_id, working_days, state, requested_by_id, requested_at{more}) VALUES ({values})"
)


@pytest.fixture
def filled(empty: Migrated) -> Migrated:
    """The rows of the first revision, at 0005."""
    empty.up("0001")
    empty.connection.execute(ROWS.read_text())  # type: ignore[arg-type]
    empty.up("0005")
    return empty


def run(migrated: Migrated, statement: str) -> None:
    migrated.connection.execute(statement)  # type: ignore[arg-type]


def test_what_was_there_is_as_if_it_had_been_filed_today(filled: Migrated) -> None:
    assert filled.ask("SELECT tier, main_clock, priority FROM cases") == [("gro", "resolve", "normal")]
    assert filled.ask("SELECT extension_days, state FROM deadline") == [(0, "breached")]
    assert filled.ask("SELECT priority FROM category") == [("normal",)]
    assert filled.ask("SELECT tier FROM deadline_policy") == [(None,)]


def test_every_condition_is_checked_against_what_was_there(filled: Migrated) -> None:
    assert filled.ask("SELECT conname FROM pg_constraint WHERE NOT convalidated") == []


def test_a_run_that_gave_up_before_the_last_step_is_simply_repeated(filled: Migrated) -> None:
    before = filled.shape()
    run(filled, "UPDATE alembic_version SET version_num = '0004'")
    filled.up("0005")
    assert filled.shape() == before
    assert filled.ask("SELECT conname FROM pg_constraint WHERE NOT convalidated") == []


def test_a_case_that_has_ended_can_come_back_but_not_from_a_withdrawal(filled: Migrated) -> None:
    run(filled, "UPDATE cases SET status = 'declined', ended_at = filed_at")
    run(filled, "UPDATE cases SET status = 'filed', ended_at = NULL, tier = 'appeal', main_clock = 'appeal'")
    run(filled, "UPDATE cases SET status = 'withdrawn', ended_at = filed_at")
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="cannot go from withdrawn to filed"):
        run(filled, "UPDATE cases SET status = 'filed', ended_at = NULL")


IMPOSSIBLE = (
    "UPDATE cases SET tier = 'appeal'",
    "UPDATE cases SET main_clock = 'comply'",
    "UPDATE cases SET main_clock = 'investigate'",
    "UPDATE cases SET priority = 'high'",
    "UPDATE category SET priority = NULL",
    "UPDATE deadline SET kind = 'confirm'",
    "UPDATE deadline SET extension_days = -1",
    "UPDATE deadline_policy SET unit = 'calendar_weeks'",
    "UPDATE deadline_policy SET tier = 'head'",
    ASKED.format(more="", values="1, 0, 'requested', 1, '2026-02-02 05:00+00'"),
    ASKED.format(more="", values="1, 10, 'approved', 1, '2026-02-02 05:00+00'"),
    ASKED.format(
        more=", decided_by_id, decided_at",
        values="1, 10, 'approved', 1, '2026-02-02 05:00+00', 1, '2026-02-03 05:00+00'",
    ),
)


def test_the_database_refuses_what_cannot_be(filled: Migrated) -> None:
    for change in IMPOSSIBLE:
        with pytest.raises(psycopg.errors.IntegrityError), filled.connection.transaction():
            run(filled, change)
            pytest.fail(f"not refused: {change}")


def test_a_clock_is_extended_once(filled: Migrated) -> None:
    asked = ASKED.format(more="", values="1, 10, 'requested', 1, '2026-02-02 05:00+00'")
    run(filled, asked)
    with pytest.raises(psycopg.errors.UniqueViolation):
        run(filled, asked)


def test_going_back_takes_the_new_clocks_and_leaves_the_old(filled: Migrated) -> None:
    before = filled.ask("SELECT * FROM escalation")
    run(filled, CLOCKS)
    run(filled, ASKED.format(more="", values="102, 10, 'requested', 2, '2026-02-02 05:00+00'"))
    run(filled, "UPDATE cases SET tier = 'cell', main_clock = 'comply'")
    filled.down("0004")
    assert filled.ask("SELECT id, kind FROM deadline ORDER BY id") == [(1, "resolve"), (102, "resolve")]
    assert filled.ask("SELECT count(*) FROM deadline_pause") == [(1,)]
    assert filled.ask("SELECT * FROM escalation") == before
    filled.up("0005")
    assert filled.ask("SELECT extension_days FROM deadline ORDER BY id") == [(0,), (0,)]
