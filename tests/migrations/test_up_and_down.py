"""Up from nothing, down again, up again; the models say what the migrations make; and rows survive an upgrade."""

import hashlib
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event

import grm.models  # noqa: F401 - so that all tables are known
from grm.kernel.db import Base, db

from .conftest import ROWS, Migrated, revisions

LOCKS = """
    SELECT relation::regclass::text FROM pg_locks
    WHERE pid = pg_backend_pid() AND granted AND locktype = 'relation'
        AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
        AND relation::regclass::text IN ('cases', 'complainant', 'contact_task', 'deadline', 'case_event', 'message')
"""
"""The tables that grow, of which this session keeps writers out."""


def fingerprints(migrated: Migrated, columns: dict[str, str]) -> dict[str, tuple[int, str]]:
    """Of each table how many rows it has, and a hash over the named columns of all."""
    found = {}
    for table, names in columns.items():
        rows = migrated.ask(f"SELECT {names} FROM {table} ORDER BY 1, 2")
        found[table] = (len(rows), hashlib.sha256(repr(rows).encode()).hexdigest())
    return found


def columns_of(migrated: Migrated) -> dict[str, str]:
    """Of each table the columns it has now, as a list for SELECT."""
    query = (
        "SELECT table_name, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position) "
        "FROM information_schema.columns WHERE table_schema = 'public' GROUP BY 1"
    )
    return {table: names for table, names in migrated.ask(query) if table != "alembic_version"}


def test_up_from_nothing_down_to_nothing_and_up_again(empty: Migrated) -> None:
    empty.up()
    first = empty.shape()
    assert len(empty.tables()) > 30
    empty.down("base")
    assert empty.leftovers() == []
    empty.up()
    assert empty.shape() == first


def test_each_step_down_undoes_exactly_its_step_up(empty: Migrated) -> None:
    shapes = []
    for revision in revisions():
        empty.up(revision)
        shapes.append(empty.shape())
    for revision, shape in zip(reversed(revisions()), reversed(shapes), strict=True):
        assert empty.shape() == shape, f"not as after {revision}"
        empty.down("-1")


def test_the_models_are_what_the_migrations_make(migrated: Migrated) -> None:
    """As `flask db check` sees it; a table or column more or less on either side is a fault."""
    with migrated.app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
        assert set(Base.metadata.tables) == set(migrated.tables())


def test_tables_made_from_the_models_are_the_same_to_the_last_constraint(empty: Migrated) -> None:
    """Alembic compares neither check constraints nor conditions of indexes, and they guard the states of a case."""
    parts = ("column", "constraint", "index")
    with empty.app.app_context():
        Base.metadata.create_all(db.engine)
        by_models = [row for row in empty.shape() if row[0] in parts]
        Base.metadata.drop_all(db.engine)
    empty.up()
    by_migrations = [row for row in empty.shape() if row[0] in parts and "alembic_version" not in row[1]]
    assert sum(row[2].startswith("CHECK") for row in by_models) > 20
    assert by_models == by_migrations


def test_rows_of_the_first_revision_survive_every_later_one(empty: Migrated) -> None:
    first, *later = revisions()
    empty.up(first)
    empty.connection.execute(ROWS.read_text())  # type: ignore[arg-type]
    columns = columns_of(empty)
    before = fingerprints(empty, columns)
    assert [table for table, (count, _) in before.items() if not count] == [], "each table should have a row"
    for revision in later:
        empty.up(revision)
        assert fingerprints(empty, columns) == before, revision
    for _ in later:
        empty.down("-1")
    assert fingerprints(empty, columns) == before
    empty.up()
    assert fingerprints(empty, columns) == before


GUARDED = (
    "UPDATE case_event SET kind = 'x'",
    "DELETE FROM case_event",
    "TRUNCATE case_event CASCADE",
    "UPDATE audit_entry SET kind = 'x'",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry",
    "UPDATE submission SET channel = 'paper'",
    "DELETE FROM submission",
    "TRUNCATE submission CASCADE",
    "DELETE FROM case_text",
    "UPDATE case_text SET body = 'another'",
    "TRUNCATE case_text",
    "UPDATE cases SET status = 'closed', ended_at = filed_at, outcome = 'answered'",
)
"""What nobody may do to rows that were there before the upgrade."""


def test_after_an_upgrade_old_rows_are_guarded_like_new_ones(empty: Migrated) -> None:
    empty.up("0001")
    empty.connection.execute(ROWS.read_text())  # type: ignore[arg-type]
    empty.up()
    for change in GUARDED:
        with pytest.raises(psycopg.errors.IntegrityConstraintViolation), empty.connection.transaction():
            empty.connection.execute(change)  # type: ignore[arg-type]
            pytest.fail(f"not refused: {change}")


def test_no_large_table_is_read_through_while_the_locks_of_its_revision_are_held(empty: Migrated) -> None:
    held: list[tuple[str, str]] = []

    def look(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if " VALIDATE " in statement or "search_due (case_id) SELECT" in statement:
            found = connection.connection.cursor().execute(LOCKS).fetchall()
            held.extend((statement, table) for (table,) in found)

    empty.up("0009")
    event.listen(Engine, "before_cursor_execute", look)
    try:
        empty.up()
    finally:
        event.remove(Engine, "before_cursor_execute", look)
    assert held == []


@pytest.mark.parametrize("revision", ["0012", "0013", "0014", "0015"])
def test_a_revision_that_was_interrupted_after_its_first_steps_can_be_run_again(empty: Migrated, revision: str) -> None:
    empty.up(revision)
    empty.connection.execute("UPDATE alembic_version SET version_num = %s", [f"{int(revision) - 1:04}"])
    empty.up()


def test_a_migration_gives_up_rather_than_queue_everybody_behind_a_lock(empty: Migrated) -> None:
    empty.up("0002")
    with empty.connection.transaction():
        empty.connection.execute("LOCK TABLE cases IN ROW EXCLUSIVE MODE")  # as a writer holds it
        with pytest.raises(Exception, match="lock timeout"):
            empty.up()
    empty.up()
