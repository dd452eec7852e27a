"""Alembic's environment: online only, on the application's own engine, with a lock timeout so that a migration gives up
rather than queue the whole site behind a lock."""

from alembic import context
from flask import current_app
from sqlalchemy import text

import grm.models  # noqa: F401 - so that all tables are known
from grm.kernel.db import Base

LOCK_TIMEOUT = "5s"


def run() -> None:
    """Run the migrations, each in its own transaction."""
    engine = current_app.extensions["migrate"].db.engine
    with engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
        connection.execute(text("SET statement_timeout = 0"))
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
