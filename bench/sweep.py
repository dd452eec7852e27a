"""The sweep: 10,000 missed deadlines among all the others, against the bare set-based statement in the same run."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from multiprocessing import get_context
from typing import Any

from flask import Flask
from sqlalchemy import event

from bench.generate import Generated
from bench.results import Line, median, spread
from bench.system import System
from grm.app import create_app
from grm.escalation.sweep import sweep
from grm.kernel.db import db

# As in the measured study of the machine: 10,000 updates, 10,000 events, 20,000 outbox rows, plain tables, one statement.
BARE = """
    WITH due AS (
        SELECT id FROM floor.cases WHERE next_at <= %(as_of)s ORDER BY next_at, id LIMIT %(limit)s
        FOR NO KEY UPDATE SKIP LOCKED),
    raised AS (
        UPDATE floor.cases AS c SET level = c.level + 1, next_at = c.next_at + interval '7 days' FROM due WHERE c.id = due.id
        RETURNING c.id, c.number, c.level, c.due_at),
    told AS (
        INSERT INTO floor.event (case_id, kind, at, data)
        SELECT id, 'escalated', %(as_of)s, jsonb_build_object('level', level, 'due_at', due_at) FROM raised)
    INSERT INTO floor.outbox (case_id, channel, body)
    SELECT id, channel, 'অভিযোগ ' || number || ' সময়মতো নিষ্পত্তি হয়নি'
    FROM raised CROSS JOIN (VALUES ('email'), ('sms')) AS by (channel)
"""
# The same on GRM's own tables, with all their keys and indexes: what the schema itself costs. Rolled back.
BARE_ON_OURS = """
    WITH due AS (
        SELECT d.id, d.case_id, d.due_at, d.due_on, c.office_id, c.history_length, c.history_head, c.tracking_number
        FROM deadline AS d JOIN cases AS c ON c.id = d.case_id WHERE d.next_rung_at <= %(as_of)s
        ORDER BY d.next_rung_at, d.id LIMIT %(limit)s FOR NO KEY UPDATE OF d, c SKIP LOCKED),
    clocks AS (
        UPDATE deadline AS d SET state = 'breached', breached_at = d.due_at, next_level = 2,
                                 next_rung_at = d.next_rung_at + interval '7 days' FROM due WHERE d.id = due.id),
    raised AS (
        UPDATE cases AS c SET level = 1, history_length = c.history_length + 1, history_head = sha256(c.history_head)
        FROM due WHERE c.id = due.case_id),
    rungs AS (
        INSERT INTO escalation (case_id, deadline_id, epoch, level, due_at, escalated_at, role, office_id, officer_id)
        SELECT case_id, id, 1, 1, due_at, %(as_of)s, 'gro', office_id, %(officer)s FROM due),
    told AS (
        INSERT INTO case_event (case_id, seq, kind, at, actor_kind, data, previous_hash, hash)
        SELECT case_id, history_length + 1, 'escalated', %(as_of)s, 'system', jsonb_build_object('level', 1, 'due_on', due_on),
               history_head, sha256(history_head) FROM due)
    INSERT INTO message (key, template, channel, language, priority, case_id, officer_id, address_sealed, params,
                         next_attempt_at, created_at, expires_at)
    SELECT 'bare:' || case_id || ':' || to_whom, 'case-escalated-officer', channel, 'bn', 10, case_id,
           CASE WHEN to_whom < 3 THEN %(officer)s::bigint END, CASE WHEN to_whom = 3 THEN sha256(history_head) END,
           jsonb_build_object('tracking_number', tracking_number, 'due_on', due_on), %(as_of)s, %(as_of)s,
           %(as_of)s::timestamptz + interval '1 day'
    FROM due CROSS JOIN (VALUES ('email', 1), ('sms', 2), ('sms', 3)) AS by (channel, to_whom)
"""


def measure(system: System, generated: Generated, say: Callable[[str], None]) -> list[Line]:
    """Climb cohort after cohort, once with the bare statement and once with the sweep. Raises RuntimeError unless each case
    was escalated exactly once."""
    app = create_app(system.settings())
    cohort = generated.shape.cohort
    alone, shared = generated.cohort_due_at[:3], generated.cohort_due_at[3:]
    bare, on_ours, ours = [], [], []
    with app.app_context(), system.connect() as connection:
        officer = connection.execute("SELECT min(id) FROM officer").fetchone()
        counted: list[str] = []
        event.listen(db.engine, "before_cursor_execute", lambda *a: counted.append(a[2]))
        before = alone[0] - timedelta(seconds=1)
        sweep(as_of=before)  # warms caches, as a worker's are
        for as_of in alone:
            parameters = {"as_of": as_of, "limit": cohort, "officer": officer[0] if officer else None}
            on_ours.append(_timed_and_undone(connection, BARE_ON_OURS, parameters))
            bare.append(_timed(connection, BARE, parameters, cohort))
            counted.clear()
            started = time.perf_counter()
            done = sweep(as_of=as_of)
            ours.append(time.perf_counter() - started)
            if done.escalated[1] != cohort or done.failed:
                raise RuntimeError(f"the sweep climbed {done.escalated[1]} of {cohort}")
            say(
                f"  {cohort:,} deadlines: {ours[-1]:.2f} s; bare statement {bare[-1]:.2f} s, on our tables {on_ours[-1]:.2f} s"
            )
        statements, batches = len(counted), done.batches
        idle = [_idle(alone[-1]) for _ in range(7)]
        db.engine.dispose()
    times = f"{spread([each * 1000 for each in ours])} ms"
    ratio = median(ours) / median(bare)
    lines = [
        Line("Sweep", f"escalate {cohort:,} of {generated.shape.size:,}: bare statement on plain tables", times,
             f"{spread([each * 1000 for each in bare])} ms", f"{ratio:.1f} x", "<= 4 x"),
        Line("Sweep", "the same: bare statement on our tables, without chain and routing of messages", times,
             f"{spread([each * 1000 for each in on_ours])} ms", f"{median(ours) / median(on_ours):.1f} x"),
        Line("Sweep", "SQL statements a case", f"{statements / cohort:.4f} ({statements} in {batches} batches)", "",
             target="<= 0.01"),
        Line("Sweep", "messages queued in the same transactions", f"{_messages(system) / sum(ours):,.0f}/s", "",
             target=">= 20,000/s"),
        Line("Sweep", "a pass with nothing due", f"{spread([each * 1000 for each in idle], 1)} ms", "", target="<= 50 ms"),
    ]  # fmt: skip
    for copies, as_of in zip((2, 4), shared, strict=True):
        seconds, climbed = _together(system, as_of, copies)
        lines.append(
            Line(
                "Sweep",
                f"{copies} passes at once over {cohort:,}",
                f"{seconds * 1000:.0f} ms; {climbed:,} escalated",
                "",
                target="each once",
            )
        )
        say(f"  {copies} at once: {seconds:.2f} s")
    lines.append(_exactly_once(system, generated))
    return lines


def _timed(connection: Any, statement: str, parameters: dict[str, Any], expected: int) -> float:
    started = time.perf_counter()
    done = connection.execute(statement, parameters)
    seconds = time.perf_counter() - started
    if done.rowcount != 2 * expected:
        raise RuntimeError(f"the bare statement wrote {done.rowcount} outbox rows, not {2 * expected}")
    return seconds


def _timed_and_undone(connection: Any, statement: str, parameters: dict[str, Any]) -> float:
    connection.execute("BEGIN")
    started = time.perf_counter()
    connection.execute(statement, parameters)
    seconds = time.perf_counter() - started
    connection.execute("ROLLBACK")
    return seconds


def _idle(as_of: datetime) -> float:
    started = time.perf_counter()
    if not sweep(as_of=as_of).is_empty:
        raise RuntimeError("a second pass over the same instant did something")
    return time.perf_counter() - started


def _messages(system: System) -> int:
    with system.connect() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM digest_item) + (SELECT count(*) FROM message WHERE template IN ("
            "'case-escalated-officer', 'case-late-complainant', 'sensitive-notice-officer', "
            "'sensitive-notice-complainant') AND state = 'pending')"
        ).fetchone()
    return int(row[0]) if row else 0


def _together(system: System, as_of: datetime, copies: int) -> tuple[float, int]:
    """Several processes sweep the same instant, started together; the longest time and what all of them climbed."""
    context = get_context("spawn")
    barrier, queue = context.Barrier(copies), context.Queue()
    workers = [context.Process(target=_copy, args=(system.env(), as_of, barrier, queue)) for _ in range(copies)]
    for worker in workers:
        worker.start()
    results = [queue.get(timeout=300) for _ in workers]
    for worker in workers:
        worker.join()
    return max(seconds for seconds, _ in results), sum(count for _, count in results)


def _copy(env: dict[str, str], as_of: datetime, barrier: Any, queue: Any) -> None:
    from config import load_settings

    app: Flask = create_app(load_settings(env))
    with app.app_context():
        sweep(as_of=as_of - timedelta(days=1))
        barrier.wait(timeout=120)
        started = time.perf_counter()
        done = sweep(as_of=as_of)
        queue.put((time.perf_counter() - started, done.escalated[1]))


def _exactly_once(system: System, generated: Generated) -> Line:
    """Each case of the cohorts climbed level 1 once: one escalation, one event, an item in each digest, the row raised."""
    wanted = generated.shape.cohort * len(generated.cohort_due_at)
    since = generated.shape.ended + generated.shape.late
    with system.connect() as connection:
        row = connection.execute(
            """
            SELECT (SELECT count(*) FROM cases WHERE level = 1 AND id > %(since)s),
                   (SELECT count(*) FROM escalation WHERE level = 1 AND case_id > %(since)s),
                   (SELECT count(DISTINCT case_id) FROM escalation WHERE level = 1 AND case_id > %(since)s),
                   (SELECT count(*) FROM case_event WHERE kind = 'escalated' AND case_id > %(since)s),
                   (SELECT count(*) FROM (SELECT e.id FROM escalation AS e JOIN digest_item AS i ON i.escalation_id = e.id
                    WHERE e.level = 1 AND e.case_id > %(since)s GROUP BY e.id HAVING count(*) = 2) AS told)
            """,
            {"since": since},
        ).fetchone()
    if row is None or set(row) != {wanted}:
        raise RuntimeError(f"{wanted} cases should have climbed once, found {row}")
    return Line(
        "Sweep", "escalated, recorded and told exactly once", f"{wanted:,} of {wanted:,}", target="all, no duplicate"
    )
