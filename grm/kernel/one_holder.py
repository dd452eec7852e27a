"""One of many: whoever holds a PostgreSQL advisory lock does the work, the others stand by.

The lock belongs to a connection of its own, so it is free the moment its holder dies or is cut off. It only saves work:
nothing here may be needed for a result to be right (ADR 0019). Behind a connection pooler that shares sessions it does not work.
Plain psycopg: beat, whose only connection this is, stays half the size without SQLAlchemy.
"""

import json
from datetime import datetime
from typing import Any

import psycopg
import structlog

from grm.kernel.clock import SQL_NOW

log = structlog.get_logger("grm.one_holder")

CONNECT_ARGS: dict[str, Any] = {
    "connect_timeout": 3,
    "application_name": "grm beat",
    # A peer that vanished without a word is noticed within ten seconds, on both sides.
    "keepalives_idle": 3,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
    "options": "-c statement_timeout=3000 -c lock_timeout=3000 -c timezone=UTC "
    "-c tcp_keepalives_idle=3 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3",
}
_TRY = "SELECT pg_try_advisory_lock(hashtextextended(%(name)s, 0))"
_STILL = """
    SELECT count(*) > 0 FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()
      AND (classid::bigint << 32 | objid::bigint) = hashtextextended(%(name)s, 0)
"""
_DISLODGE = """
    SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid()
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(%(name)s, 0)
"""
_SAY = f"""
    INSERT INTO heartbeat (name, at, detail) VALUES (%(name)s, {SQL_NOW}, %(detail)s::jsonb)
    ON CONFLICT (name) DO UPDATE SET at = excluded.at, detail = excluded.detail
"""  # noqa: S608 - a constant
_NOW = f"SELECT {SQL_NOW}"
_SILENT = f"SELECT extract(epoch FROM {SQL_NOW} - at)::float FROM heartbeat WHERE name = %(name)s"  # noqa: S608


class OneHolder:
    """A lock by name on one database, with the connection it lives on. Nothing here raises: without the database nobody
    holds anything."""

    def __init__(self, database_url: str, name: str) -> None:
        self._address = database_url.replace("postgresql+psycopg:", "postgresql:", 1)
        self._name = name
        self._is_held = False
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def holds(self) -> bool:
        """Whether the lock is ours at this moment; asks the database, and tries for the lock where it is not."""
        if self._connection is None:
            self._connect()
        if self._is_held:
            self._is_held = bool(self._ask(_STILL, name=self._name))
        if not self._is_held:
            self._is_held = bool(self._ask(_TRY, name=self._name))
        return self._is_held

    def dislodge(self) -> None:
        """Cut the holder off: for one that is frozen and gives no sign of life, whose connection would live for ever."""
        if not self._is_held:
            self._ask(_DISLODGE, name=self._name)

    def now(self) -> datetime | None:
        """The present instant by the database's clock."""
        found: datetime | None = self._ask(_NOW)
        return found

    def say(self, heartbeat: str, **detail: Any) -> None:
        """Leave a sign of life."""
        self._ask(_SAY, name=heartbeat, detail=json.dumps(detail))

    def silent_seconds(self, heartbeat: str) -> float | None:
        """How long ago the last sign of life of this name was left; None without any."""
        found: float | None = self._ask(_SILENT, name=heartbeat)
        return found

    def let_go(self) -> None:
        """Give the lock up and close its connection."""
        self._is_held = False
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connect(self) -> None:
        self._is_held = False
        try:
            self._connection = psycopg.connect(self._address, autocommit=True, **CONNECT_ARGS)
        except psycopg.Error as error:
            log.warning("no database to hold a lock in", lock=self._name, error=type(error).__name__)

    def _ask(self, query: str, **values: Any) -> Any:
        """The one value of a query; None where it has none or the database is away, and the lock with it."""
        if self._connection is None:
            return None
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(query, values)
                row = cursor.fetchone() if cursor.description else None
        except psycopg.Error as error:
            log.warning("the connection of a lock is lost", lock=self._name, error=type(error).__name__)
            self.let_go()
            return None
        return row[0] if row else None
