"""The fixtures themselves: a real database, clean again after each test, also when reference data was changed."""

import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from config import Settings

LEFT_BEHIND: dict[str, int] = {}


def count(session: Session, table: str) -> int:
    return int(session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_reference_data_is_there(session: Session) -> None:
    assert count(session, "ministry") == 39
    assert count(session, "programme") == 58
    assert count(session, "officer") > 100
    LEFT_BEHIND["programme"] = count(session, "programme")


def test_a_row_is_left_behind_on_purpose(session: Session) -> None:
    session.execute(text("INSERT INTO heartbeat (name, at, detail) VALUES ('left', '2026-01-01Z', '{}')"))
    session.commit()
    assert count(session, "heartbeat") == 1


def test_it_is_gone(session: Session) -> None:
    assert count(session, "heartbeat") == 0
    size = session.execute(text("SELECT pg_relation_size('heartbeat')")).scalar_one()
    assert size == 0, "rows are read in the order in which they were written"


def test_reference_data_is_changed_on_purpose(session: Session) -> None:
    session.execute(text("UPDATE ministry SET name_en = 'Changed'"))
    session.commit()


def test_it_is_as_it_was(session: Session) -> None:
    assert session.execute(text("SELECT count(*) FROM ministry WHERE name_en = 'Changed'")).scalar_one() == 0
    assert count(session, "programme") == LEFT_BEHIND.get("programme", 58)


def test_append_only_tables_stay_so_for_the_application(session: Session) -> None:
    with pytest.raises(Exception, match="append-only"):
        session.execute(text("TRUNCATE audit_entry"))


def test_bangla_has_trigrams(session: Session) -> None:
    session.execute(text("CREATE EXTENSION IF NOT EXISTS pg_trgm"))
    assert session.execute(text("SELECT similarity('ভূমি অফিস', 'ভূমি আফিস')")).scalar_one() > 0.4


def test_a_request_sees_nothing_of_the_tests_context(app: Flask, client: FlaskClient, session: Session) -> None:
    from flask import g

    g.planted = True
    seen: list[bool] = []
    app.before_request_funcs.setdefault(None, []).append(lambda: seen.append(hasattr(g, "planted")))
    try:
        client.get("/healthz")
    finally:
        app.before_request_funcs[None].pop()
    assert seen == [False]


def test_the_engines_are_the_tests_own(settings: Settings) -> None:
    assert "/tmp/grm-" in settings.database_url and settings.redis_url.startswith("unix:///tmp/grm-")
    assert psycopg.connect(settings.database_url.replace("+psycopg", "")).info.server_version >= 150000
