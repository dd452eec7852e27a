"""Folding: what was changed since the last time is taken out of the tallies as it was and put in as it is now.

Only the holder of an advisory lock folds, so nobody waits for anybody's row; acts and readers wait for nobody. A batch is one
transaction: taken from the list, counted, written. Killed anywhere, it is as if it had not begun.
"""

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.kernel.transaction import transaction
from grm.tallies import cube, stays
from grm.tallies.vectors import COLUMNS, vectors
from grm.web.health import record_heartbeat

BATCH = 4_000
"""So many rows of the list are taken at once."""
SECONDS = 20
"""So long may a statement of a batch take, and so long does a run begin further ones: a page's five seconds, too few on a busy
machine, would stop every fold at the same batch, and the list would only grow."""
HEARTBEAT = "tallies"
"""When the list was last found empty, or emptied."""
LOCK = "hashtextextended('grm tallies', 0)"
_TRY = text(f"SELECT pg_try_advisory_xact_lock({LOCK}), set_config('statement_timeout', '{SECONDS}s', true)")
_NO_LIMITS = text("SELECT set_config('lock_timeout', '0', true), set_config('statement_timeout', '0', true)")
_WAIT = text(f"SELECT pg_advisory_xact_lock({LOCK})")
_TAKE = text("DELETE FROM tally_due WHERE ctid = ANY(ARRAY(SELECT ctid FROM tally_due LIMIT :batch)) RETURNING case_id")
_NAMES = ", ".join(COLUMNS)
_CHANGED = f"""
    fresh AS MATERIALIZED ({vectors("c.id = ANY(:ids)")}),
    counted AS MATERIALIZED (SELECT * FROM case_count WHERE case_id = ANY(:ids)),
    signed AS MATERIALIZED (
        SELECT 1 AS sign, f.* FROM fresh AS f LEFT JOIN counted AS k USING (case_id) WHERE f IS DISTINCT FROM k
        UNION ALL
        SELECT -1, k.* FROM counted AS k LEFT JOIN fresh AS f USING (case_id) WHERE f IS DISTINCT FROM k)
"""  # noqa: S608 - names of our own


def _merged(at: str, n: str) -> str:
    """Two columns of a histogram, the row's and the new one's added up."""
    return f"""
        ({at}, {n}) = (
            SELECT coalesce(array_agg(m.at ORDER BY m.at), '{{}}'), coalesce(array_agg(m.n ORDER BY m.at), '{{}}')
            FROM (
                SELECT u.at, sum(u.n)::integer AS n FROM unnest(t.{at} || excluded.{at}, t.{n} || excluded.{n}) AS u(at, n)
                GROUP BY u.at HAVING sum(u.n) <> 0) AS m)
    """  # noqa: S608 - names of our own


_COUNTERS = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in cube.COUNTERS)
_HAPPENED = f"""
    ON CONFLICT ({cube.FLOW_KEY}) DO UPDATE SET {_COUNTERS},
        {_merged("received_at", "received_n")}, {_merged("days_at", "days_n")}
"""


_WRITE = text(
    f"""
    WITH {_CHANGED},
    kept AS (
        INSERT INTO case_count AS t (case_id, {_NAMES}) SELECT case_id, {_NAMES} FROM signed WHERE sign = 1
        ON CONFLICT (case_id) DO UPDATE SET ({_NAMES}) = ROW({", ".join(f"excluded.{name}" for name in COLUMNS)})),
    gone AS (
        DELETE FROM case_count WHERE case_id IN (SELECT case_id FROM counted EXCEPT SELECT case_id FROM fresh)),
    happened AS (
        INSERT INTO tally AS t {cube.flows("signed")} {_HAPPENED}),
    stands AS (
        INSERT INTO tally_now AS t {cube.stocks("signed")}
        ON CONFLICT ({cube.NOW_KEY}) DO UPDATE SET {_merged("due_at", "due_n")})
    SELECT count(*) FILTER (WHERE sign = 1) FROM signed
    """  # noqa: S608 - names of our own
)


def fold(batches: int = 4) -> int:
    """Fold what is due, up to so many batches; returns how many cases. Another fold at work leaves nothing to do."""
    done, until = 0, time.monotonic() + SECONDS
    for _ in range(batches):
        taken, count = _fold_batch(_TRY)
        done += count
        if taken < BATCH or time.monotonic() > until:
            break
    return done


def fold_all() -> int:
    """Fold all that is due, waiting for another fold or a rebuild at work; returns how many cases. It ends while others act."""
    done, taken = 0, BATCH
    while taken == BATCH:
        taken, count = _fold_batch(_NO_LIMITS, _WAIT)
        done += count
    return done


def _fold_batch(*lock: Any) -> tuple[int, int]:
    """One batch: how many rows of the list it took, and how many cases these were."""
    with transaction() as act:
        if [act.session.scalar(statement) for statement in lock][-1] is False:
            return 0, 0
        taken = act.session.scalars(_TAKE, {"batch": BATCH}).all()
        ids = sorted(set(taken))
        if ids:
            count_again(act.session, ids)
            stays.rewrite(act.session, ids)
        if len(taken) < BATCH:
            record_heartbeat(act.session, HEARTBEAT, act.now)
    return len(taken), len(ids)


def count_again(session: Session, ids: Sequence[int]) -> int:
    """Write these cases' counts and the tallies anew, within the caller's transaction, which holds the lock; returns how many
    cases count otherwise than before.

    The list was read by an earlier statement: whatever it named is seen here, and who commits later names the case again.
    """
    return int(session.scalar(_WRITE, {"ids": list(ids)}) or 0)
