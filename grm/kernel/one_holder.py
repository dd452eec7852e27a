"""One of many: whoever holds a PostgreSQL advisory lock does the work, the others stand by.

The lock belongs to a connection of its own, so it is free the moment its holder dies or is cut off. It only saves work:
nothing here may be needed for a result to be right (ADR 0019). Behind a connection pooler that shares sessions it does not work.
"""

import structlog
from sqlalchemy import Connection, NullPool, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger("grm.one_holder")

CONNECT_ARGS = {
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
_TRY = text("SELECT pg_try_advisory_lock(hashtextextended(:name, 0))")
_STILL = text(
    """
    SELECT count(*) > 0 FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()
      AND (classid::bigint << 32 | objid::bigint) = hashtextextended(:name, 0)
    """
)
_DISLODGE = text(
    """
    SELECT count(pg_terminate_backend(l.pid)) FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.granted AND l.pid <> pg_backend_pid()
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(:name, 0)
    """
)


class OneHolder:
    """A lock by name on one database, with the connection it lives on."""

    def __init__(self, database_url: str, name: str) -> None:
        self._engine = create_engine(
            database_url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=CONNECT_ARGS
        )
        self._name = name
        self._is_held = False
        self.connection: Connection | None = None
        """The connection of the lock, for what its holder has to say; None while the database is away."""

    def holds(self) -> bool:
        """Whether the lock is ours at this moment; asks the database, and tries for the lock where it is not.

        Never raises: without the database nobody holds anything.
        """
        try:
            if self.connection is None:
                self.connection, self._is_held = self._engine.connect(), False
            if self._is_held:
                self._is_held = bool(self.connection.execute(_STILL, {"name": self._name}).scalar_one())
            if not self._is_held:
                self._is_held = bool(self.connection.execute(_TRY, {"name": self._name}).scalar_one())
        except SQLAlchemyError as error:
            log.warning("no database to hold a lock in", lock=self._name, error=type(error).__name__)
            self.let_go()
        return self._is_held

    def dislodge(self) -> None:
        """Cut the holder off: for one that is frozen and gives no sign of life, whose connection would live for ever."""
        if self.connection is not None and not self._is_held:
            try:
                self.connection.execute(_DISLODGE, {"name": self._name})
            except SQLAlchemyError as error:
                log.warning("the holder of a lock cannot be cut off", lock=self._name, error=type(error).__name__)
                self.let_go()

    def let_go(self) -> None:
        """Give the lock up and close its connection."""
        self._is_held = False
        connection, self.connection = self.connection, None
        if connection is not None:
            try:
                connection.close()
            except SQLAlchemyError:
                connection.invalidate()
