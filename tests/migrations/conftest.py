"""Empty databases to migrate, and rows as a system of the first revision would hold."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from psycopg import sql

from config import load_settings
from grm.kernel.places import derive_keys, embedded_places

ROOT = Path(__file__).parents[2]
ROWS = Path(__file__).parent / "rows_of_0001.sql"


def scripts() -> ScriptDirectory:
    """The numbered revisions, as Alembic reads them."""
    config = Config(str(ROOT / "migrations" / "alembic.ini"))
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return ScriptDirectory.from_config(config)


def revisions() -> list[str]:
    """All revisions, oldest first."""
    return [script.revision for script in reversed(list(scripts().walk_revisions()))]


@dataclass
class Migrated:
    """One database and the application that migrates it."""

    app: Flask
    connection: psycopg.Connection[Any]

    def up(self, revision: str = "head") -> None:
        """Migrate up to a revision."""
        with self.app.app_context():
            upgrade(directory=str(ROOT / "migrations"), revision=revision)

    def down(self, revision: str) -> None:
        """Migrate down to a revision."""
        with self.app.app_context():
            downgrade(directory=str(ROOT / "migrations"), revision=revision)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Rows of one query."""
        return self.connection.execute(query).fetchall()  # type: ignore[arg-type]

    def tables(self) -> list[str]:
        """Names of all tables, Alembic's own left out."""
        query = (
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace "
            "AND relname <> 'alembic_version' ORDER BY 1"
        )
        return [name for (name,) in self.ask(query)]

    def leftovers(self) -> list[tuple[Any, ...]]:
        """Whatever the schema holds that belongs to no extension: tables, sequences, functions, types, triggers."""
        return self.ask(
            """
            SELECT 'relation', relname::text FROM pg_class
             WHERE relnamespace = 'public'::regnamespace AND relname !~ '^alembic_version'
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_class.oid AND d.deptype = 'e')
            UNION ALL
            SELECT 'function', proname::text FROM pg_proc
             WHERE pronamespace = 'public'::regnamespace
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_proc.oid AND d.deptype = 'e')
            UNION ALL
            SELECT 'type', typname::text FROM pg_type
             WHERE typnamespace = 'public'::regnamespace AND typname !~ 'alembic_version'
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_type.oid AND d.deptype = 'e')
            """
        )

    def shape(self) -> list[tuple[Any, ...]]:
        """Columns, constraints, indexes, triggers and functions as PostgreSQL describes them, for comparing."""
        return self.ask(
            """
            SELECT 'column', format('%s.%s', table_name, column_name),
                   concat_ws(' ', data_type, udt_name, is_nullable, column_default, is_identity, generation_expression)
              FROM information_schema.columns WHERE table_schema = 'public'
            UNION ALL
            SELECT 'constraint', format('%s.%s', conrelid::regclass, conname), pg_get_constraintdef(oid)
              FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
            UNION ALL
            SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
            UNION ALL
            SELECT 'trigger', format('%s.%s', tgrelid::regclass, tgname), pg_get_triggerdef(oid)
              FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL
            SELECT 'function', p.proname, p.prosrc FROM pg_proc p
             WHERE pronamespace = 'public'::regnamespace
               AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
            ORDER BY 1, 2, 3
            """
        )


@pytest.fixture
def empty(home: Path) -> Iterator[Migrated]:
    """A database without any table, dropped afterwards."""
    from grm.app import create_app
    from grm.kernel.db import db
    from grm.setup import prepare_migrations

    places = embedded_places(home)
    name = f"migrations_{uuid.uuid4().hex[:12]}"
    host = str(places.postgres)
    settings = load_settings(
        {
            "GRM_ENV": "test",
            "GRM_HOME": str(home),
            "DATABASE_URL": places.database_url.replace("@/grm?", f"@/{name}?"),
            "LOG_LEVEL": "WARNING",
            **derive_keys(b"tests"),
        }
    )
    with psycopg.connect(host=host, user="grm", dbname="postgres", autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        app = create_app(settings)
        prepare_migrations(app)
        with psycopg.connect(host=host, user="grm", dbname=name, autocommit=True) as connection:
            yield Migrated(app, connection)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def migrated(empty: Migrated) -> Migrated:
    """A database at the newest revision, with no rows."""
    empty.up()
    return empty
