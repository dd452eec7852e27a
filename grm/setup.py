"""`flask setup`: brings a database to what this release needs, and does next to nothing where it is there already."""

import hashlib
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import click
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, current_app
from flask.cli import with_appcontext
from flask_migrate import Migrate, upgrade
from sqlalchemy.orm import Session

from grm.cases import canned_seeding
from grm.deadlines import seeding
from grm.kernel import clock
from grm.kernel.context import settings
from grm.kernel.db import db
from grm.kernel.errors import Misconfigured
from grm.kernel.transaction import transaction
from grm.offices import demo as demo_accounts
from grm.offices import edition
from grm.offices.service import import_reference_data
from grm.routing import service as routing
from grm.tallies import rebuilding

Say = Callable[[str], None]
_PACKAGE = Path(__file__).parent
_SEED_SOURCES = ("data/*.csv", "offices/*.py", "routing/*.py", "deadlines/*.py", "cases/canned_seeding.py")


@click.command("setup")
@click.option("--demo/--no-demo", default=None, help="Demo accounts; by default in development only.")
@with_appcontext
def setup(demo: bool | None) -> None:
    """Migrate the database and load reference data, calendar, routing rules and (in development) demo accounts."""
    wanted = not settings().is_production if demo is None else demo
    set_up(current_app._get_current_object(), wanted, click.echo)  # type: ignore[attr-defined]


def set_up(app: Flask, demo: bool, say: Say = lambda line: None) -> None:
    """Bring the database to what this release needs; does next to nothing where it is there already.

    Idempotent, and safe to run while the system is up or from several hosts at once. `demo` also makes the demo accounts.
    Raises `Misconfigured` `demo-in-production`, and `BadFiles` for faulty reference data.
    """
    with app.app_context():
        if demo and settings().is_production:
            raise Misconfigured("demo-in-production")
        started = time.monotonic()
        _migrate(app, say)
        with transaction() as act:
            mark = _mark(act.session, act.now, demo)
            if edition.source_hash(act.session) == mark:
                say("Reference data: unchanged")
            else:
                _seed(act.session, act.now, demo, say)
                edition.set_source_hash(act.session, mark)
            has_stale_tallies = rebuilding.is_wanted(act.session)
        if has_stale_tallies:
            say("Tallies: making them from the cases that are there")
            rebuilding.rebuild(say)
        say(f"Set up in {time.monotonic() - started:.1f} s")


def prepare_migrations(app: Flask) -> None:
    """Let this application run migrations. Not in create_app: Alembic is 10 MB that web, worker and beat do without."""
    if "migrate" not in app.extensions:
        Migrate(app, db, directory=str(_PACKAGE.parent / "migrations"), compare_type=True)


def _migrate(app: Flask, say: Say) -> None:
    """Upgrade to the newest revision; starting Alembic only to find nothing to do would cost a second each start."""
    prepare_migrations(app)
    newest = ScriptDirectory(app.extensions["migrate"].directory).get_heads()
    with db.engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_heads()
    if set(present) == set(newest):
        say(f"Database: at revision {', '.join(newest)}")
        return
    say(f"Database: migrating to revision {', '.join(newest)}")
    upgrade()


def _seed(session: Session, now: datetime, demo: bool, say: Say) -> None:
    report = import_reference_data(session, now)
    counts = ", ".join(f"{t.created + t.changed + t.unchanged} {table}" for table, t in report.tallies.items())
    say(f"Directory: {counts}")
    for table, code in report.unlisted:
        say(f"  {table} {code} is in force, but not in the files")
    seeding.seed(session, now)
    say("Calendar, deadline policies and ladder: seeded")
    rules = routing.seed(session, now)
    say(f"Routing: {rules.created} new rules, {len(rules.ended)} ended")
    for code in rules.left:
        say(f"  {code} was ended by hand and stays ended")
    say(f"Canned replies: {canned_seeding.seed(session, now)} new")
    if demo:
        say(f"Demo accounts: {demo_accounts.seed(session, now)} new (password: {demo_accounts.PASSWORD})")


def _mark(session: Session, now: datetime, demo: bool) -> str:
    """What the seeds depend on, as a hash: the shipped data, the code that seeds, the year, and whether demo is wanted."""
    digest = hashlib.sha256(f"{clock.dhaka_date(now).year} {demo}".encode())
    for pattern in _SEED_SOURCES:
        for path in sorted(_PACKAGE.glob(pattern)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
