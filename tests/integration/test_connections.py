"""A connection that dies after the answer was made: the answer stands, and the next request gets a living one."""

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from config import Settings
from grm.kernel.db import db


def backend() -> int:
    """Ask something, as a page does, and leave the transaction open, as a page does that only reads."""
    return int(db.session().execute(text("SELECT pg_backend_pid()")).scalar_one())


def end(settings: Settings, pid: int) -> None:
    with psycopg.connect(settings.database_url.replace("+psycopg", ""), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@pytest.mark.parametrize("rounds", [1, 3])
def test_a_connection_that_dies_before_it_is_given_back_spoils_nothing(
    app: Flask, settings: Settings, rounds: int
) -> None:
    for _ in range(rounds):
        with app.app_context():
            end(settings, backend())
    with app.app_context():
        assert backend() > 0
