"""Statements that PostgreSQL plans once a connection instead of each time.

To plan the statement of a page takes PostgreSQL several times as long as to answer it. psycopg prepares what it has seen five
times, but forgets everything at a rollback, and every request that only reads ends with one. Hence both are ours here:

    _OF_CASE = select(…).where(… == bindparam("case_id")).execution_options(**PREPARED)

A prepared statement may get one plan for all values. So only those are marked whose best plan does not depend on the values
they are given (ADR 0046): a case by its number, an officer by his id; not the queue of an office, which may hold ten cases or a
million. What is not marked is planned for its values, however often it comes.
"""

from typing import Any

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import Dialect, Engine, event

PREPARED = {"grm_prepared": True}
"""Execution options of a statement that is planned once a connection."""
UNASKED_AFTER = 10**9
"""psycopg's threshold for preparing what nobody has marked: never."""


class Connection(psycopg.Connection[Any]):
    """A connection that still has its prepared statements after the rollback of a sound transaction."""

    def rollback(self) -> None:
        """Roll back. After an error the prepared statements go with it: one of them may be what failed."""
        with self.lock:
            is_sound = self.pgconn.transaction_status == TransactionStatus.INTRANS
            if is_sound and self.pgconn.exec_(b"ROLLBACK").status == ExecStatus.COMMAND_OK:
                return
        super().rollback()


def keep_plans(engine: Engine) -> None:
    """Let an engine prepare the statements that are marked, and no other."""

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: Dialect, _record: Any, arguments: list[Any], options: dict[str, Any]) -> Connection:
        return Connection.connect(*arguments, **options, prepare_threshold=UNASKED_AFTER)

    @event.listens_for(engine, "do_execute")
    def _execute(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        # What is read through a server-side cursor (a list for a file) is declared, not prepared.
        if not context.execution_options.get("grm_prepared") or isinstance(cursor, psycopg.ServerCursor):
            return False
        cursor.execute(statement, parameters, prepare=True)
        return True
