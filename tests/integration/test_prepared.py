"""Statements that are planned once a connection: which they are, and that they outlive the end of a request."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from grm.kernel.prepared import PREPARED

MARKED = text("SELECT 'kept' WHERE :number > 0").execution_options(**PREPARED)
UNMARKED = text("SELECT 'unmarked' WHERE :number > 0")
HELD = text("SELECT generic_plans + custom_plans FROM pg_prepared_statements WHERE statement LIKE :begins")


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session that stays with one connection: the pool gives a rolled back one another."""
    from grm.kernel.db import db

    with app.app_context(), db.engine.connect() as connection, Session(connection) as session:
        yield session


def held(session: Session, begins: str) -> list[int]:
    """How often each prepared statement of this connection has been used."""
    found = list(session.execute(HELD, {"begins": f"SELECT '{begins}'%"}).scalars())
    session.rollback()
    return found


def test_a_marked_statement_is_planned_once_and_outlives_a_rollback(session: Session) -> None:
    for _ in range(3):
        assert session.execute(MARKED, {"number": 1}).scalar_one() == "kept"
        session.rollback()
    assert held(session, "kept") == [3]


def test_what_is_not_marked_is_planned_for_its_values_however_often_it_comes(session: Session) -> None:
    for _ in range(8):
        session.execute(UNMARKED, {"number": 1})
    session.commit()
    assert held(session, "unmarked") == []


def test_after_an_error_all_are_forgotten_and_work_again(session: Session) -> None:
    session.execute(MARKED, {"number": 1})
    with pytest.raises(DBAPIError):
        session.execute(text("SELECT 1 / 0"))
    session.rollback()
    assert held(session, "kept") == []
    assert session.execute(MARKED, {"number": 1}).scalar_one() == "kept"
    session.rollback()
    assert held(session, "kept") == [1]


def test_a_rollback_takes_back_what_was_written(session: Session) -> None:
    kept = session.execute(text("SELECT count(*) FROM reference_edition")).scalar_one()
    session.execute(text("DELETE FROM reference_edition"))
    session.rollback()
    assert session.execute(text("SELECT count(*) FROM reference_edition")).scalar_one() == kept == 1
