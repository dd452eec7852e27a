"""What tests stand on: their own PostgreSQL and Valkey, a migrated database with reference data and demo officers.

Nothing is faked and nothing need be running. The engines start when the first test asks for one of the fixtures
below, so unit tests pay nothing. Under pytest-xdist the controller starts them once, and each worker has a
database of its own, copied from the same template.

    app        the application, as a session-wide fixture
    make_app   another application with changed settings: make_app(grm_env="development")
    client     a browser without cookies; CSRF is on
    session    a database session in an application context, for services and queries
    settings   the settings of `app`;  home: its GRM_HOME

Between tests every table that is not reference data is emptied, and reference data that a test changed is put back.
"""

import contextlib
import contextvars
import dataclasses
import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from psycopg import sql
from sqlalchemy import event
from sqlalchemy.orm import Session

from config import Settings, load_settings
from grm.engines import start_postgres, start_valkey
from grm.kernel.places import derive_keys, embedded_places
from grm.supervisor import Supervisor

pytest_plugins = ["tests.support.fault_table"]

REFERENCE_TABLES = {
    *("alembic_version", "reference_edition", "officer"),
    *("cluster", "ministry", "cluster_ministry", "place", "office", "post", "posting"),
    *("programme", "category", "alias", "routing_rule"),
    *("calendar_edition", "calendar_day", "weekend_rule", "deadline_policy", "ladder_rung"),
    "canned_reply",
}
TEMPLATE = "grm"
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100", "autovacuum=off")


class TestEngines:
    """PostgreSQL and Valkey of one test run; `home` says where."""

    __test__ = False

    def __init__(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="grm-tests-"))
        self.home.chmod(0o711)  # started by root, PostgreSQL runs as nobody and must pass through
        for name in ("log", "run"):
            (self.home / name).mkdir()
        self._supervisor = Supervisor(self.home / "log", self.home / "run" / "programs", lambda text: None)
        places = embedded_places(self.home)
        try:
            start_postgres(self._supervisor, self.home, places, _FAST)
            start_valkey(self._supervisor, self.home, places)
            _fill_template(_settings(self.home, TEMPLATE, 0))
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop both and leave nothing behind."""
        self._supervisor.stop_all()
        shutil.rmtree(embedded_places(self.home).sockets, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)


def _settings(home: Path, database: str, redis_database: int) -> Settings:
    places = embedded_places(home)
    return load_settings(
        {
            "GRM_ENV": "test",
            "GRM_HOME": str(home),
            "DATABASE_URL": places.database_url.replace("@/grm?", f"@/{database}?"),
            "REDIS_URL": places.redis_url.replace("db=0", f"db={redis_database}"),
            "LOG_LEVEL": "WARNING",
            "ACKS_PER_RECIPIENT": "0",  # most tests send everything to one number
            **derive_keys(b"tests"),
        }
    )


def _fill_template(settings: Settings) -> None:
    """Migrate and load reference data and demo officers, as `flask setup` does."""
    from grm.app import create_app
    from grm.kernel.db import db
    from grm.setup import set_up

    _hash_cheaply()
    app = create_app(settings)
    with app.app_context():
        set_up(app, demo=True)
        db.session.remove()
        db.engine.dispose()


def _connect(home: Path, database: str) -> psycopg.Connection[Any]:
    host = str(embedded_places(home).postgres)
    return psycopg.connect(host=host, user="grm", dbname=database, autocommit=True)


def _copy_template(home: Path, database: str) -> None:
    name = sql.Identifier(database)
    with _connect(home, "postgres") as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(name, sql.Identifier(TEMPLATE)))


class OwnDatabase:
    """The database of this test process, and what brings it back to the state of the template."""

    def __init__(self, home: Path, name: str) -> None:
        self.home = home
        self.name = name
        _copy_template(home, name)
        self._connection = _connect(home, name)
        self._look_around()

    def clean(self) -> None:
        """Empty what is not reference data, and put back the reference data that was changed.

        Deleting a few rows costs a hundredth of TRUNCATE, which gives every table new files.
        """
        changed = self._changed_tables()
        used = [name for (name,) in self._connection.execute(self._find_used).fetchall()]
        if not changed and not used:
            return
        with self._connection.transaction():
            # As a replica would: no trigger runs, neither for foreign keys nor to guard the append-only tables.
            self._connection.execute("SET LOCAL session_replication_role = replica")
            self._connection.execute("; ".join(f"DELETE FROM {name}" for name in used + changed))
            for name in changed:
                with self._connection.cursor().copy(f"COPY {name} FROM STDIN") as copy:
                    copy.write(self._rows[name])
            self._connection.execute(self._reset_sequences)
        if used:
            # Without it new rows would lie in the gaps of old ones, and a list that asks for no order would come in any.
            self._connection.execute(f"VACUUM {', '.join(used)}")
        if changed:
            from grm.offices import edition

            edition.forget()  # the caches were made from rows that are gone
            self._untouched = self._reference_state()

    def _look_around(self) -> None:
        rows = self._connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
        ).fetchall()
        tables = {name for (name,) in rows}
        assert tables >= REFERENCE_TABLES, REFERENCE_TABLES - tables
        self._untouched = self._reference_state()
        self._rows = {name: self._copied(name) for name in REFERENCE_TABLES}
        self._find_used = " UNION ALL ".join(
            f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in sorted(tables - REFERENCE_TABLES)
        )
        sequences = self._connection.execute(
            "SELECT sequencename, start_value, last_value FROM pg_sequences WHERE schemaname = 'public'"
        ).fetchall()
        resets = (
            f"setval('{name}', {start if last is None else last}, {last is not None})"
            for name, start, last in sequences
        )
        self._reset_sequences = f"SELECT {', '.join(resets)}"

    def _copied(self, table: str) -> bytes:
        with self._connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:
            return b"".join(bytes(part) for part in copy)

    def _reference_state(self) -> set[tuple[Any, ...]]:
        # xmin names the transaction that last wrote a row; with the count, every change shows.
        parts = (f"SELECT '{t}', count(*), max(xmin::text::bigint) FROM {t}" for t in sorted(REFERENCE_TABLES))
        return set(self._connection.execute(" UNION ALL ".join(parts)).fetchall())

    def _changed_tables(self) -> list[str]:
        return sorted({name for name, *_ in self._reference_state() ^ self._untouched})


class IsolatedClient(FlaskClient):
    """A client whose requests see nothing of the test's own application context, as if over the network."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Make one request in a context of its own."""
        return contextvars.Context().run(super().open, *args, **kwargs)


# --- pytest-xdist: one pair of engines for all workers ----------------------------------------------------------

_shared: list[TestEngines] = []


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """On the controller, for each worker: tell it where the engines are, starting them the first time."""
    if not _shared:
        compiling = _compile_ahead(node.config)
        _shared.append(TestEngines())
        for process in compiling:
            process.wait()
    node.workerinput["grm_home"] = str(_shared[0].home)


def _compile_ahead(config: pytest.Config) -> list[subprocess.Popen[bytes]]:
    """Compile all tests and what they import while the engines start, so that not every worker does it for itself.

    Rewriting the assertions of all tests takes pytest a quarter of a minute, and all workers begin with it at once.
    """
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return []
    folders = sorted(path.name for path in Path(__file__).parent.glob("*/") if any(path.glob("**/test_*.py")))
    halves = (["tests/integration"], [f"tests/{name}" for name in folders if name != "integration"])
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    collect = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return [subprocess.Popen([*collect, *half], cwd=config.rootpath, env=env, **quiet) for half in halves]


_TOGETHER = ("tests/browser/", "tests/faults/", "tests/journey/")
"""Folders whose tests share one running system, or tell one story."""
_SECONDS = {
    "tests/faults/": 350,
    "tests/browser/": 250,
    "tests/journey/": 110,
    "tests/integration/test_at_a_million.py": 60,
    "tests/integration/test_launcher.py": 35,
    "tests/abuse/test_access.py": 35,
    "tests/abuse/test_headers.py": 30,
    "tests/migrations/test_up_and_down.py": 25,
    "tests/architecture/test_style_and_types.py": 25,
    "tests/integration/test_beat.py": 20,
    "tests/integration/test_demo.py": 17,
    "tests/integration/test_case_walks.py": 16,
    "tests/unit/test_supervisor.py": 15,
    "tests/integration/test_queue.py": 15,
    "tests/integration/test_two_at_once.py": 14,
    "tests/integration/test_rehearsing.py": 12,
    "tests/integration/test_floods.py": 12,
    "tests/integration/test_attachments.py": 11,
    "tests/integration/test_tallies.py": 18,
    "tests/integration/test_reconciliation.py": 19,
    "tests/integration/test_reports.py": 18,
    "tests/integration/test_exports.py": 16,
    "tests/integration/test_returns.py": 12,
    "tests/integration/test_escalation_report.py": 9,
}
"""What takes long, roughly. The rest are counted at a tenth of a second a test."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep what belongs together on one worker: the tests of a file, and those of some folders.

    With `--dist=loadgroup` this could be said by marks, but xdist 3.8 writes them where pytest 9.2 no longer looks.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((folder for folder in _TOGETHER if nodeid.startswith(folder)), nodeid.partition("::")[0])

        def _assign_work_unit(self, node: Any) -> None:
            """Long ones first, so that no worker has a long one to do while the other has nothing left."""
            queue = self.workqueue
            queue.move_to_end(max(queue, key=lambda scope: _SECONDS.get(scope, len(queue[scope]) / 10)), last=False)
            super()._assign_work_unit(node)

    return Together(config, log)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over all that was imported: it stays, and would be looked at again and again."""
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Stop the engines the controller started, after the last worker has ended."""
    while _shared:
        _shared.pop().stop()


# --- fixtures ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def home(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The directory of the running engines."""
    if hasattr(request.config, "workerinput"):
        yield Path(request.config.workerinput["grm_home"])
        return
    engines = TestEngines()
    yield engines.home
    engines.stop()


@pytest.fixture(scope="session")
def own_database(home: Path) -> OwnDatabase:
    """This process's database."""
    return OwnDatabase(home, f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}")


@pytest.fixture(scope="session")
def settings(own_database: OwnDatabase) -> Settings:
    """Settings that lead to this process's database and its part of Valkey."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return _settings(own_database.home, own_database.name, 1 + int(worker) % 15)


@pytest.fixture(scope="session")
def _app(settings: Settings) -> Flask:
    return _application(settings)


def _hash_cheaply() -> None:
    """Hundreds of tests sign in, at a tenth of a second each; what a hash really costs has a test of its own."""
    from grm.accounts import passwords

    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


def _be_patient(connection: psycopg.Connection[Any], _: Any) -> None:
    """A test holds its transaction while it asks for all pages, which on a busy machine takes longer than a minute."""
    connection.execute("SET idle_in_transaction_session_timeout = 0")
    connection.commit()


def _application(settings: Settings) -> Flask:
    from grm.app import create_app
    from grm.kernel.db import db

    _hash_cheaply()
    app = create_app(settings)
    app.testing = True
    with app.app_context():
        event.listen(db.engine, "connect", _be_patient)
    app.config["PROPAGATE_EXCEPTIONS"] = False  # an unknown error is to be seen as people see it
    app.test_client_class = IsolatedClient
    compiled = settings.grm_home / "run" / "templates"
    compiled.mkdir(parents=True, exist_ok=True)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(
        str(compiled)
    )  # for all workers, and all applications of one
    return app


@pytest.fixture
def app(_app: Flask, own_database: OwnDatabase) -> Iterator[Flask]:
    """The application; the database is as the template again after the test."""
    yield _app
    own_database.clean()


@pytest.fixture
def make_app(app: Flask, settings: Settings) -> Iterator[Callable[..., Flask]]:
    """Build further applications on the same database with some settings changed."""
    made: list[Flask] = []

    def make(**changes: Any) -> Flask:
        made.append(_application(dataclasses.replace(settings, **changes)))
        return made[-1]

    yield make
    from grm.kernel.db import db

    for other in made:
        with other.app_context():
            db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that has never been here."""
    return app.test_client()


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A database session inside an application context; what it has not committed is rolled back."""
    from grm.kernel.db import db

    with app.app_context(), contextlib.closing(db.session()) as session:
        yield session
        session.rollback()
        db.session.remove()
