"""What keeping the tallies costs, and what they give: filing with and without them, folding, rebuilding, reading; and whether
they still are what the cases are after a storm of filings and sweeps."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import text

from bench import load
from bench.filing import one_post
from bench.generate import Generated
from bench.results import Line, median, spread
from bench.system import System
from grm.app import create_app
from grm.escalation.sweep import sweep
from grm.kernel.db import db
from grm.tallies import rebuilding
from grm.tallies.cube import GROUPINGS, Grouping
from grm.tallies.figures import View
from grm.tallies.folding import fold, fold_all
from grm.tallies.reading import read, series
from grm.tallies.summing import PASSES, Pass, flows_from

CLIENTS = 8
FOLD_SECONDS = 5.0
SECTION = "Tallies"
OLD_INDEX = "CREATE INDEX IF NOT EXISTS ix_bench_filed_at ON cases (filed_at)"
NEW_INDEXES = (
    "ix__cases__office_received",
    "ix__cases__district_received",
    "ix__cases__office_ended",
    "ix__cases__district_ended",
)
TRIGGERS = ("tally_new_cases", "tally_changed_cases")
BARE = (
    "SELECT {spine}, {value}, date_trunc('month', received_on), count(*), count(*) FILTER (WHERE is_open), "
    "count(*) FILTER (WHERE ended_at < due_at), count(*) FILTER (WHERE ended_at >= due_at) FROM cases GROUP BY 1, 2, 3"
)
"""What one summary of cases by two dimensions and month costs at the least."""
BARE_COUNTS = (
    "SELECT {spine}, {value}, received_month, count(*), count(*) FILTER (WHERE state = 0), "
    "count(*) FILTER (WHERE state IN (1, 2)), count(*) FILTER (WHERE state = 3) FROM case_count GROUP BY 1, 2, 3"
)


def measure(
    system: System, generated: Generated, seconds: float, rounds: int, say: Callable[[str], None]
) -> list[Line]:
    """All of it; raises RuntimeError where the tallies are not what the cases are."""
    app = create_app(system.settings())
    lines: list[Line] = []
    with app.app_context():
        lines += _reading(system, generated.today, rounds, say)
        db.session.remove()
    lines += _filing(system, app, seconds, rounds, say)
    lines += _storm(system, app, generated, seconds, say)
    return lines


def measure_rebuild(system: System, say: Callable[[str], None]) -> list[Line]:
    """Making everything anew, which takes its time: a part of its own."""
    with create_app(system.settings()).app_context():
        try:
            return _rebuilding(system, say)
        finally:
            db.session.remove()


# --- reading ------------------------------------------------------------------------------------------------------------


def _reading(system: System, today: date, rounds: int, say: Callable[[str], None]) -> list[Line]:
    until = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
    since = until.replace(year=until.year - 1)
    session = db.session()
    lines = []
    for what, view, question, spine, value, target in (
        ("ministry, 12 months", View(since, until, by="office"), read, "office_id", "0", ""),
        ("district, 12 months", View(since, until, by="district"), read, "district_id", "0", ""),
        ("programme, 12 months", View(since, until, by="programme"), read, "programme_id", "0", ""),
        ("ministry x month", View(since, until, by="office"), series, "office_id", "0", ""),
        ("one ministry by district", _of_largest(session, since, until), read, "office_id", "district_id", ""),
    ):
        times = [_seconds(partial(question, session, view)) for _ in range(10 + 3 * rounds)][3:]
        session.rollback()
        bare = _bare(system, spine, value)
        lines.append(
            Line(
                SECTION,
                f"read: {what} (with medians, ages, levels)",
                f"p50 {median(times) * 1000:.1f}, worst {max(times) * 1000:.1f} ms",
                f"{bare * 1000:.0f} ms (bare GROUP BY over the cases)",
                f"{bare / median(times):.0f} x as fast",
                target,
            )
        )
        say(f"  {lines[-1].what}: {lines[-1].grm}, bare {lines[-1].floor}")
    return lines


def _of_largest(session: Any, since: date, until: date) -> View:
    office = session.scalar(
        text("SELECT spine_id FROM tally WHERE spine = 1 AND dimension = 0 ORDER BY received DESC LIMIT 1")
    )
    return View(since, until, by="district", spine="office", spine_ids=(office,))


def _bare(system: System, spine: str, value: str) -> float:
    with system.connect() as connection:
        return median([_seconds(lambda: connection.execute(_statement(spine, value)).fetchall()) for _ in range(2)])


def _statement(spine: str, value: str) -> Any:
    return BARE.format(spine=spine, value=value)


# --- rebuilding ---------------------------------------------------------------------------------------------------------


def _rebuilding(system: System, say: Callable[[str], None]) -> list[Line]:
    """Each pass against the bare GROUP BYs that its groupings would take; then all of it, and the proof."""
    lines = []
    for each in PASSES:
        ours = _seconds(partial(_one_pass, each))
        bare = sum(_seconds(partial(_bare_grouping, grouping)) for grouping in each.groupings)
        names = ", ".join(f"{grouping.spine} x {grouping.dimension or 'nothing'}" for grouping in each.groupings)
        lines.append(
            Line(
                SECTION,
                f"rebuild by month, with days taken and receipts by day: {names}",
                f"{ours:.1f} s",
                f"{bare:.1f} s ({len(each.groupings)} bare GROUP BY)",
                f"{ours / bare:.1f} x",
                "<= 1.5 x",
            )
        )
        say(f"  {lines[-1].what}: {lines[-1].grm}, bare {lines[-1].floor}")
    started = time.perf_counter()
    made = rebuilding.rebuild(say)
    whole = time.perf_counter() - started
    counting, adding = made.counting_seconds, made.adding_seconds
    lines.append(
        Line(
            SECTION,
            f"rebuild all: {len(GROUPINGS)} groupings, and the stays of the returns",
            f"{whole:.0f} s: cases {counting:.0f}, sums {adding:.0f}, stays {whole - counting - adding:.0f}",
            "",
            "",
            "beside everything else",
        )
    )
    say(f"  {lines[-1].what}: {lines[-1].grm}")
    wrong: list[str] = []
    took = _seconds(lambda: wrong.extend(rebuilding.verify(say)))
    lines.append(
        Line(SECTION, "verify: every case and every row compared", f"{took:.0f} s, {len(wrong)} differ", "", "", "0")
    )
    say(f"  {lines[-1].what}: {lines[-1].grm}")
    if wrong:
        raise RuntimeError(f"after a rebuild: {wrong[:5]}")
    return lines


def _one_pass(each: Pass) -> None:
    """What is made of a pass, into tables of its own."""
    session = db.session()
    for setting in rebuilding.SETTINGS:
        session.execute(text(setting))
    rebuilding.make(session, each)
    for number, grouping in enumerate(each.groupings):
        session.execute(text(f"CREATE TEMP TABLE made_{number} ON COMMIT DROP AS {flows_from('happened', grouping)}"))
    session.rollback()


def _bare_grouping(grouping: Grouping) -> None:
    """What one summary of the counts by the same two dimensions and month costs at the least."""
    session = db.session()
    for setting in rebuilding.SETTINGS:
        session.execute(text(setting))
    session.execute(text(BARE_COUNTS.format(spine=grouping.spine_column, value=grouping.value_column))).all()
    session.rollback()


# --- filing, with and without ---------------------------------------------------------------------------------------------


def _filing(system: System, app: Flask, seconds: float, rounds: int, say: Callable[[str], None]) -> list[Line]:
    """The same server, by turns with triggers, new indexes and folds, and as it was before there were any."""
    program, port = system.serve_grm()
    load.run(one_post, port, CLIENTS, 4.0)
    flows: dict[str, list[float]] = {"with": [], "without": []}
    cpu: dict[str, list[float]] = {"with": [], "without": []}
    with system.connect() as connection:
        connection.execute(OLD_INDEX)
        for number in range(2 * max(rounds, 3)):
            which = ("with", "without")[number % 2]
            _switch(connection, is_on=which == "with")
            load.run(one_post, port, CLIENTS, 1.0)
            with _folding(app, is_on=which == "with"):
                before = system.cpu_seconds(program)
                result = load.run(one_post, port, CLIENTS, max(seconds, 2 * FOLD_SECONDS))
                used = system.cpu_seconds(program) - before
            if result.errors:
                raise RuntimeError(f"filing {which} tallies: {result.complaint}")
            flows[which].append(result.rate)
            cpu[which].append(used * 1000 / max(1, len(result.acknowledged)))
        _switch(connection, is_on=True)
        connection.execute("DROP INDEX ix_bench_filed_at")
        for name in NEW_INDEXES:
            connection.execute(f"REINDEX INDEX {name}")
        connection.execute(
            "INSERT INTO tally_due SELECT id FROM cases WHERE id > (SELECT max(case_id) FROM case_count)"
        )
    with app.app_context():
        started = time.perf_counter()
        folded = fold_all()
        took = time.perf_counter() - started
        db.session.remove()
    share = median(flows["with"]) / median(flows["without"])
    lines = [
        Line(
            SECTION,
            f"filing with triggers, list indexes and a fold each 5 s, {CLIENTS} clients",
            f"{spread(flows['with'])} flows/s; {median(cpu['with']):.2f} ms of processor a filing",
            f"{spread(flows['without'])} flows/s; {median(cpu['without']):.2f} ms (without, as before)",
            f"{share:.0%}",
            ">= 90 %",
        ),
        Line(SECTION, "folding new cases, alone", f"{folded / took:.0f} cases/s ({folded:,} cases)"),
    ]
    for line in lines:
        say(f"  {line.what}: {line.grm}, {line.floor}")
    return lines


def _switch(connection: psycopg.Connection[Any], *, is_on: bool) -> None:
    """Let inserts keep the new indexes and call the triggers, or let them be as they were (the indexes are made again later)."""
    for name in TRIGGERS:
        connection.execute(f"ALTER TABLE cases {'ENABLE' if is_on else 'DISABLE'} TRIGGER {name}")
    for names, ready in ((NEW_INDEXES, is_on), (("ix_bench_filed_at",), not is_on)):
        connection.execute(
            "UPDATE pg_index SET indisready = %s WHERE indexrelid = ANY(%s::regclass[])", (ready, list(names))
        )


@contextmanager
def _folding(app: Flask, *, is_on: bool = True) -> Iterator[None]:
    """A fold every five seconds, as the tick has it, in a process of the bench's own: PostgreSQL's share of it counts."""
    stop = threading.Event()

    def work() -> None:
        with app.app_context():
            while not stop.wait(FOLD_SECONDS):
                fold()
                db.session.remove()

    thread = threading.Thread(target=work)
    if is_on:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        if is_on:
            thread.join()


# --- a storm --------------------------------------------------------------------------------------------------------------


def _storm(system: System, app: Flask, generated: Generated, seconds: float, say: Callable[[str], None]) -> list[Line]:
    """Filings from eight clients while cohorts are swept and two processes fold; then every case and row is compared."""
    _, port = system.serve_grm()
    ends: list[int] = []

    def sweeps() -> None:
        with app.app_context():
            for due_at in generated.cohort_due_at:
                ends.append(sum(sweep(as_of=due_at).escalated.values()))
            db.session.remove()

    thread = threading.Thread(target=sweeps)
    thread.start()
    with _folding(app), _folding(app):
        result = load.run(one_post, port, CLIENTS, max(seconds, 4 * FOLD_SECONDS))
        thread.join()
    with app.app_context():
        started = time.perf_counter()
        fold_all()
        wrong = list(rebuilding.verify())
        took = time.perf_counter() - started
        db.session.remove()
    if wrong or result.errors:
        raise RuntimeError(f"after the storm: {wrong[:5]} {result.complaint}")
    line = Line(
        SECTION,
        f"after {len(result.acknowledged):,} filings and {sum(ends):,} escalations at once: cases and rows that differ",
        f"0 ({took:.0f} s to compare all)",
        "",
        "",
        "0",
    )
    say(f"  {line.what}: {line.grm}")
    return [line]


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
