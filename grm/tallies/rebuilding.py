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
from grm.tallies.cube import Grouping
from grm.tallies.folding import LOCK, fold_all
from grm.tallies.summing import FLOW_COLUMNS, NOW_COLUMNS, PASSES, Pass, flows_from, stocks_from
from grm.tallies.vectors import COLUMNS, VECTORS_BETWEEN

Say = Callable[[str], None]
SHOWN = 20
CHUNK = 500_000
"""Cases are counted, and compared, for so many ids at once: one sees it go on, and it takes no more memory for more of them."""
SETTINGS = (
    "SET LOCAL statement_timeout = 0",
    "SET LOCAL lock_timeout = 0",  # another rebuild may have begun: it is waited for
    "SET LOCAL idle_in_transaction_session_timeout = 0",
    "SET LOCAL work_mem = '256MB'",
    "SET LOCAL jit = off",
)
_NAMES = ", ".join(COLUMNS)
_COUNTED = "SELECT * FROM case_count WHERE case_id BETWEEN :first AND :last"
_FORGET = "DELETE FROM case_count AS k WHERE NOT EXISTS (SELECT FROM cases AS c WHERE c.id = k.case_id)"
_COUNT_FIRST = f"INSERT INTO case_count (case_id, {_NAMES}) {VECTORS_BETWEEN}"
_COUNT_AGAIN = f"""
    INSERT INTO case_count AS t (case_id, {_NAMES})
    SELECT f.* FROM ({VECTORS_BETWEEN}) AS f LEFT JOIN ({_COUNTED}) AS k USING (case_id) WHERE f IS DISTINCT FROM k
    ON CONFLICT (case_id) DO UPDATE SET ({_NAMES}) = ROW({", ".join(f"excluded.{name}" for name in COLUMNS)})
"""  # noqa: S608 - names of our own
_OTHERWISE = f"""
    SELECT coalesce(f.case_id, k.case_id) FROM ({VECTORS_BETWEEN}) AS f FULL JOIN ({_COUNTED}) AS k USING (case_id)
    WHERE f IS DISTINCT FROM k AND coalesce(f.case_id, k.case_id) NOT IN (SELECT case_id FROM tally_due)
    ORDER BY 1 LIMIT {SHOWN}
"""  # noqa: S608 - names of our own


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
        session = act.session
        for setting in SETTINGS:
            session.execute(text(setting))
        session.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        corrected = _rows(session, _FORGET) + _count(session, say)
        counted = time.monotonic()
        say(f"{corrected} cases counted otherwise, {counted - started:.0f} s")
        session.execute(text("DELETE FROM tally"))
        session.execute(text("DELETE FROM tally_now"))
        for number, each in enumerate(PASSES, 1):
            make(session, each)
            for grouping in each.groupings:
                session.execute(text(f"INSERT INTO tally ({FLOW_COLUMNS}) {flows_from('happened', grouping)}"))
                session.execute(text(f"INSERT INTO tally_now ({NOW_COLUMNS}) {stocks_from('stands', grouping)}"))
            say(f"added up {number} of {len(PASSES)}, {time.monotonic() - started:.0f} s")
    added = time.monotonic()
    fold_all()
    cases = stays.rebuild(say=say)
    with transaction() as act:  # last of all: killed before, it is wanted still
        act.session.execute(text("DELETE FROM tally_rebuild"))
    say(f"the stays of {cases} cases, {time.monotonic() - added:.0f} s")
    return Rebuilt(corrected, counted - started, added - counted)


def _count(session: Session, say: Say) -> int:
    """Write what each case counts as where it is not that already; returns how many rows were written."""
    is_first = session.scalar(text("SELECT true FROM case_count LIMIT 1")) is None
    statement = _COUNT_FIRST if is_first else _COUNT_AGAIN
    written = sum(_rows(session, statement, chunk) for chunk in _chunks(session, "counted", say))
    session.execute(text("ANALYZE case_count"))
    return written


def make(session: Session, each: Pass) -> None:
    """Make the tables `happened` and `stands` of a pass, for as long as the transaction lasts or until the next one.

    Tables, because PostgreSQL counts with several processes for them, and with one for an INSERT into the tallies.
    """
    for table, atoms in (("happened", each.happened()), ("stands", each.stands())):
        session.execute(text(f"DROP TABLE IF EXISTS pg_temp.{table}"))
        session.execute(text(f"CREATE TEMP TABLE {table} ON COMMIT DROP AS {atoms}"))
        session.execute(text(f"ANALYZE pg_temp.{table}"))


def is_wanted(session: Session) -> bool:
    """Whether the tallies must be made anew before they can be relied on: the upgrade that brought them found cases."""
    return session.scalar(text("SELECT true FROM tally_rebuild LIMIT 1")) is not None


def verify(say: Say = lambda line: None) -> Iterator[str]:
    """Compare every case's count with the ledger and every row of the tallies with the counts, as of one instant; yields the
    differences in words, at most so many of each kind, and nothing where all is as it should be.

    Cases that are due are compared by what they were counted as: they will be counted again anyway.
    """
    with _snapshot() as session:
        shown = 0
        for chunk in _chunks(session, "compared", say):
            for (case_id,) in session.execute(text(_OTHERWISE), chunk):
                shown += 1
                if shown <= SHOWN:
                    yield f"case {case_id} counts otherwise than it was counted"
        for number, each in enumerate(PASSES, 1):
            make(session, each)
            for grouping in each.groupings:
                yield from _unlike(session, grouping, "tally", FLOW_COLUMNS, flows_from("happened", grouping))
                yield from _unlike(session, grouping, "tally_now", NOW_COLUMNS, stocks_from("stands", grouping))
            say(f"compared the sums, {number} of {len(PASSES)}")


def _unlike(session: Session, grouping: Grouping, table: str, columns: str, made: str) -> Iterator[str]:
    """The rows that are kept and should not be, and those that are missing. Rows that have come to nothing count for nothing, and
    a fold may keep what stands at one place of a histogram in pieces."""
    something = "due_at <> '{}'" if table == "tally_now" else _SOMETHING
    whole = ", ".join(_whole(column) for column in columns.split(", "))
    session.execute(text("DROP TABLE IF EXISTS pg_temp.made, pg_temp.odd"))
    session.execute(text(f"CREATE TEMP TABLE made ON COMMIT DROP AS {made}"))
    kept = f"""
        SELECT {columns} FROM {table}
        WHERE spine = {cube.SPINES[grouping.spine]} AND dimension = {cube.NUMBER_OF[grouping.dimension]}
    """  # noqa: S608 - names of our own
    made = f"SELECT {columns} FROM made"  # noqa: S608 - names of our own
    unlike = f"SELECT {whole} FROM ({kept} EXCEPT {made}) AS t"  # noqa: S608 - names of our own
    session.execute(text(f"CREATE TEMP TABLE odd ON COMMIT DROP AS {unlike}"))
    odd, missing = f"SELECT {columns} FROM odd WHERE {something}", f"{made} EXCEPT ({kept})"  # noqa: S608
    for side, left, right in (("too much", odd, made), ("missing", missing, odd)):
        for row in session.execute(text(f"({left}) EXCEPT ({right}) LIMIT {SHOWN}")):
            yield f"{grouping.spine} by {grouping.dimension or 'nothing'}, {side}: {list(row)}"


def _whole(column: str) -> str:
    """A column of a row `t`; of a histogram's two, with one entry for each place."""
    name, _, side = column.rpartition("_")
    if (name, side) not in _HISTOGRAMS:
        return column
    return f"""(
        SELECT coalesce(array_agg(p.{side} ORDER BY p.at), '{{}}') FROM (
            SELECT u.at, sum(u.n)::integer AS n FROM unnest(t.{name}_at, t.{name}_n) AS u(at, n)
            GROUP BY u.at HAVING sum(u.n) <> 0) AS p) AS {column}"""  # noqa: S608 - names of our own


_HISTOGRAMS = frozenset((name, side) for name in ("received", "days", "due") for side in ("at", "n"))
_NOTHING = ", ".join("0" for _ in cube.COUNTERS)
_SOMETHING = f"(({', '.join(cube.COUNTERS)}) <> ({_NOTHING}) OR received_at <> '{{}}' OR days_at <> '{{}}')"


def _chunks(session: Session, what: str, say: Say) -> Iterator[dict[str, int]]:
    """Ranges of ids that hold all cases, and all that were counted."""
    started = time.monotonic()
    lowest, highest = session.execute(
        text(
            "SELECT min(low), max(high) FROM (SELECT min(id) AS low, max(id) AS high FROM cases "
            "UNION ALL SELECT min(case_id), max(case_id) FROM case_count) AS ids"
        )
    ).one()
    if lowest is None:
        return
    for first in range(lowest, highest + 1, CHUNK):
        last = min(first + CHUNK - 1, highest)
        yield {"first": first, "last": last}
        say(f"{what} to case {last} of {highest}, {time.monotonic() - started:.0f} s")


@contextmanager
def _snapshot() -> Iterator[Session]:
    """One instant, in which tables of one's own can be made."""
    made = db.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with made as connection, Session(bind=connection) as session:
        for setting in SETTINGS:
            session.execute(text(setting))
        yield session
        session.rollback()


def _rows(session: Session, statement: str, values: dict[str, int] | None = None) -> int:
    done: Any = session.execute(text(statement), values or {})
    return int(done.rowcount)
