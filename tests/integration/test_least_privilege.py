"""The role that docs/operations.md gives to the running system can do its work and cannot touch the history."""

import re
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from config import Settings
from tests.conftest import OwnDatabase

PAGE = Path(__file__).parents[2] / "docs/operations.md"


@pytest.fixture
def as_app(own_database: OwnDatabase, settings: Settings):  # type: ignore[no-untyped-def]
    """A connection under the role, made by the very statements of the page."""
    statements = re.search(r"```sql\n(.*?)```", PAGE.read_text(), re.S)
    assert statements
    address = settings.database_url.replace("+psycopg", "")
    with psycopg.connect(address) as connection:
        for statement in statements[1].replace("'…'", "'x'").split(";\n"):
            if statement.strip():
                connection.execute(sql.SQL(statement))  # type: ignore[arg-type]
        connection.execute("SET ROLE grm_app")
        yield connection
        connection.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER case_event_append_only ON case_event",
        "ALTER TABLE case_event DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "TRUNCATE case_event",
        "DROP TABLE audit_entry",
    ],
)
def test_it_cannot_get_at_the_history(as_app: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_app.execute(statement)  # type: ignore[arg-type]


def test_its_acts_are_noted_for_the_tallies_and_it_may_make_these_anew(as_app: psycopg.Connection) -> None:
    assert as_app.execute("SELECT count(*) FROM tally_due").fetchone() == (0,)
    as_app.execute("UPDATE cases SET level = 0")  # of no case: the triggers run once a statement all the same
    for statement in (
        "CREATE TEMP TABLE atoms ON COMMIT DROP AS SELECT 1 AS n",
        "DELETE FROM tally",
        "DELETE FROM tally_due",
    ):
        as_app.execute(statement)  # type: ignore[arg-type]
    as_app.execute("SELECT pg_advisory_xact_lock(1)")


@pytest.mark.parametrize("table", ["case_event", "audit_entry", "submission", "case_text"])
def test_it_may_add_but_not_change(as_app: psycopg.Connection, table: str) -> None:
    as_app.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
    allowed = as_app.execute("SELECT has_table_privilege('grm_app', %s, 'INSERT')", [table]).fetchone()
    assert allowed == (True,)
    triggers = as_app.execute(
        "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgenabled = 'O'", [table]
    ).fetchone()
    assert triggers and triggers[0] >= 2
