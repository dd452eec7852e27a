"""Making the tallies anew from the ledger, and proving that they are what the ledger says.

Both run beside everything else. A rebuild is one transaction under the lock of the fold: acts go on and put their cases on the
list, readers see the old tallies and the list until the new ones are committed, and the next fold goes on from there.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.kernel.db import db
from grm.kernel.transaction import transaction
from grm.tallies import cube, stays
from grm.tallies.cube import COUNTERS, FLOW_KEY, GROUPINGS, NOW_KEY, Grouping
from grm.tallies.folding import LOCK, adding, fold_all
from grm.tallies.vectors import COLUMNS, vectors

Say = Callable[[str], None]
SHOWN = 20
_NAMES = ", ".join(COLUMNS)
SETTINGS = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL lock_timeout = 0",  # another rebuild may have begun: it is waited for
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL work_mem = '512MB'",
    "SET LOCAL jit = off",
)
_FORGET = "DELETE FROM case_count AS k WHERE NOT EXISTS (SELECT FROM cases AS c WHERE c.id = k.case_id)"
_COUNT = f"""
    INSERT INTO case_count AS t (case_id, {_NAMES})
    SELECT f.* FROM ({vectors()}) AS f LEFT JOIN case_count AS k USING (case_id) WHERE f IS DISTINCT FROM k
    ON CONFLICT (case_id) DO UPDATE SET ({_NAMES}) = ROW({", ".join(f"excluded.{name}" for name in COLUMNS)})
"""  # noqa: S608 - names of our own
_COUNTED = "(SELECT 1 AS sign, k.* FROM case_count AS k)"
_STANDING = "(SELECT 1 AS sign, k.* FROM case_count AS k WHERE k.state = 0 OR k.is_not_informed)"

_ATOMS = "SELECT * FROM atoms"
_OBJECTED_OR_RATED = "(SELECT 1 AS sign, k.* FROM case_count AS k WHERE k.appealed_on IS NOT NULL OR k.stars > 0)"


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many cases counted otherwise than before, and how long it took, in seconds: to count the cases, and to add them up."""

    corrected: int
    counting_seconds: float
    adding_seconds: float


def rebuild(say: Say = lambda line: None) -> Rebuilt:
    """Make what every case counts as, and all tallies, anew from the ledger; then the stays, in chunks. Folds wait meanwhile."""
    started = time.monotonic()
    with transaction() as act:
        for setting in SETTINGS:
            act.session.execute(text(setting))
        act.session.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        corrected = _rows(act.session, _FORGET) + _rows(act.session, _COUNT)
        counted = time.monotonic()
        say(f"{corrected} cases counted otherwise, {counted - started:.0f} s")
        act.session.execute(text("DELETE FROM tally"))
        act.session.execute(text("DELETE FROM tally_now"))
        for number, grouping in enumerate(GROUPINGS, 1):
            # A table of its own first: PostgreSQL counts with several processes for that, and with one for an INSERT.
            act.session.execute(text(f"CREATE TEMP TABLE atoms ON COMMIT DROP AS {cube.common_atoms(grouping)}"))
            act.session.execute(text(f"INSERT INTO tally {cube.flows_of(_ATOMS)}"))
            act.session.execute(text("DROP TABLE atoms"))
            act.session.execute(text(f"INSERT INTO tally_now {cube.stocks_of(cube.open_atoms(grouping))}"))
            say(f"{number} of {len(GROUPINGS)} groupings, {time.monotonic() - started:.0f} s")
        act.session.execute(text(adding(_OBJECTED_OR_RATED, cube.SELDOM)))
    added = time.monotonic()
    fold_all()
    cases = stays.rebuild()
    with transaction() as act:  # last of all: killed before, it is wanted still
        act.session.execute(text("DELETE FROM tally_rebuild"))
    say(f"the stays of {cases} cases, {time.monotonic() - added:.0f} s")
    return Rebuilt(corrected, counted - started, added - counted)


def is_wanted(session: Session) -> bool:
    """Whether the tallies must be made anew before they can be relied on: the upgrade that brought them found cases."""
    return session.scalar(text("SELECT true FROM tally_rebuild LIMIT 1")) is not None


def verify() -> Iterator[str]:
    """Compare every case's count with the ledger and every row of the tallies with the counts, as of one instant; yields the
    differences in words, at most so many of each kind, and nothing where all is as it should be.

    Cases that are due are compared by what they were counted as: they will be counted again anyway.
    """
    with _snapshot() as session:
        rows = session.execute(
            text(
                f"""
                SELECT coalesce(f.case_id, k.case_id) FROM ({vectors()}) AS f FULL JOIN case_count AS k USING (case_id)
                WHERE f IS DISTINCT FROM k AND coalesce(f.case_id, k.case_id) NOT IN (SELECT case_id FROM tally_due)
                ORDER BY 1 LIMIT {SHOWN}
                """  # noqa: S608 - names of our own
            )
        )
        yield from (f"case {case_id} counts otherwise than it was counted" for (case_id,) in rows)
        for grouping in GROUPINGS:
            for statement in (_unlike_flows(grouping), _unlike_stocks(grouping)):
                for side, *row in session.execute(text(statement)):
                    yield f"{grouping.spine} by {grouping.dimension or 'nothing'}, {side}: {row}"


def _unlike_flows(grouping: Grouping) -> str:
    counters = ", ".join(COUNTERS)
    columns = f"{FLOW_KEY}, {counters}, {_plain('received_at', 'received_n')} AS by_day, {_plain('days_at', 'days_n')} AS taken"
    anything = f"({counters}) IS DISTINCT FROM ({', '.join('0' for _ in COUNTERS)}) OR by_day <> '' OR taken <> ''"
    return _unlike("tally", columns, anything, cube.flows(_COUNTED, [grouping]), grouping)


def _unlike_stocks(grouping: Grouping) -> str:
    columns = f"{NOW_KEY}, {_plain('due_at', 'due_n')} AS due"
    return _unlike("tally_now", columns, "due <> ''", cube.stocks(_STANDING, [grouping]), grouping)


def _unlike(table: str, columns: str, anything: str, right: str, grouping: Grouping) -> str:
    """The rows that are kept and should not be, and those that are missing. Rows that have come to nothing count for nothing."""
    place = f"spine = {cube.SPINES[grouping.spine]} AND dimension = {cube.NUMBER_OF[grouping.dimension]}"
    return f"""
        WITH kept AS (SELECT * FROM (SELECT {columns} FROM {table} WHERE {place}) AS k WHERE {anything}),
        made AS (SELECT * FROM (SELECT {columns} FROM ({right}) AS m) AS m WHERE {anything})
        (SELECT 'too much', * FROM (SELECT * FROM kept EXCEPT SELECT * FROM made) AS a LIMIT {SHOWN})
        UNION ALL
        (SELECT 'missing', * FROM (SELECT * FROM made EXCEPT SELECT * FROM kept) AS b LIMIT {SHOWN})
    """  # noqa: S608 - names of our own


def _plain(at: str, n: str) -> str:
    """A histogram as text that is the same for the same counts, in whatever order and pieces they are kept."""
    return f"""coalesce((
        SELECT string_agg(p.at || ':' || p.n, ' ' ORDER BY p.at) FROM (
            SELECT u.at, sum(u.n) AS n FROM unnest({at}, {n}) AS u(at, n) GROUP BY u.at HAVING sum(u.n) <> 0) AS p), '')"""  # noqa: S608


@contextmanager
def _snapshot() -> Iterator[Session]:
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with db.engine.connect().execution_options(**options) as connection, Session(bind=connection) as session:
        for setting in SETTINGS:
            session.execute(text(setting))
        yield session
        session.rollback()


def _rows(session: Session, statement: str) -> int:
    done: Any = session.execute(text(statement))
    return int(done.rowcount)
