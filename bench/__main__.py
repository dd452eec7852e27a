"""`make bench`: generate, measure, print. See README.md."""

import argparse
import hashlib
import os
import platform
import shutil
import sys
import time
from pathlib import Path

import psycopg
from flask import Flask

from bench import commits, delivery, filing, queue, report, search, sweep, tallies
from bench.generate import Generated, cohort_due_at, generate, shape_of
from bench.results import Line, markdown, write
from bench.system import System, production_like
from config import load_settings
from grm.app import create_app
from grm.cli import set_up
from grm.kernel import clock
from grm.kernel.db import db

PARTS = ("sweep", "commits", "filing", "queue", "search", "report", "tallies", "rebuild", "delivery")
"""In this order: the clocks of new filings would be due among the cohorts that the sweep is measured by; what it puts into the
outbox stands aside while delivery is measured."""
LARGEST_COPIED = 2_000_000
"""Up to this size a generated database is kept as a template and copied for each run, so that it is there the next time."""


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def main() -> int:
    """Run the benchmarks; the exit status is 1 when something was lost, done twice or answered with an error."""
    options = _options()
    size = _number(options.size)
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    started = time.monotonic()
    with System() as system:
        if options.fresh:
            shutil.rmtree(system.home / "template", ignore_errors=True)
        generated = _upgrade(system, size) if options.reuse else _prepare(system, size, options.seed)
        lines = _measure(system, generated, options)
        if not (options.keep or options.reuse):
            _drop(system, system.database)
    text = markdown(lines)
    heading = (
        f"{size:,} cases, {generated.shape.open:,} open; {os.cpu_count()} cores ({platform.machine()}), load average at the end "
        f"{os.getloadavg()[0]:.1f}; {options.rounds} x {options.seconds:g} s; Python {platform.python_version()}; "
        f"{time.monotonic() - started:.0f} s in all"
    )
    say(f"\n{heading}\n\n{text}")
    if options.write:
        write(f"results {options.size}", f"\n{heading}\n\n{text}\n")
        say("Written to bench/README.md")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--size", default=os.environ.get("SIZE", "1m"), help="cases: 100k, 1m (default), 10m")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts to run, of {', '.join(PARTS)}")
    parser.add_argument("--clients", default="1,8,32", help="numbers of clients for filing")
    parser.add_argument("--seconds", type=float, default=4.0, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each, medians are shown")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the tables into bench/README.md")
    parser.add_argument("--keep", action="store_true", help="keep the used database for a look at it")
    parser.add_argument("--full", action="store_true", help="100,000 messages for the memory of a delivering worker")
    parser.add_argument("--fresh", action="store_true", help="generate anew")
    parser.add_argument(
        "--reuse", action="store_true", help="measure the kept database as it is, upgraded as an installation would be"
    )
    return parser.parse_args()


def _measure(system: System, generated: Generated, options: argparse.Namespace) -> list[Line]:
    clients = tuple(int(each) for each in options.clients.split(","))
    wanted = [part for part in PARTS if part in options.only.split(",")]
    seconds, rounds = options.seconds, options.rounds
    lines: list[Line] = []
    for part in wanted:
        say(f"{part.capitalize()} ...")
        if part == "commits":
            lines += commits.measure(system, clients, seconds, rounds, say)
        elif part == "filing":
            lines += filing.measure(system, clients, seconds, rounds, say)
        elif part == "queue":
            lines += queue.measure(system, seconds, rounds, say)
        elif part == "search":
            lines += search.measure(system, seconds, rounds, say)
        elif part == "report":
            lines += report.measure(system, seconds, rounds, say)
        elif part == "tallies":
            lines += tallies.measure(system, generated, seconds, rounds, say)
        elif part == "rebuild":
            lines += tallies.measure_rebuild(system, say)
        elif part == "delivery":
            lines += delivery.measure(system, rounds, options.full, say)
        else:
            lines += sweep.measure(system, generated, say)
        system.stop_servers()
    return lines


def _upgrade(system: System, size: int) -> Generated:
    """The database that an earlier run kept, perhaps of an older release: set up as after an upgrade, tallies and all."""
    started = time.monotonic()
    app = create_app(system.settings())
    set_up(app, demo=True, say=say)
    say(f"Upgraded in {time.monotonic() - started:.0f} s")
    return _found(app, size)


def _prepare(system: System, size: int, seed: int) -> Generated:
    """The database of this run: copied from the template of the same size, seed, day and code, or generated."""
    mark = system.home / "template"
    with system.connect("postgres") as connection:
        row = connection.execute("SELECT (clock_timestamp() AT TIME ZONE 'Asia/Dhaka')::date").fetchone()
    assert row is not None
    today = row[0]
    wanted = f"{size} {seed} {today} {_code()}"
    name = "grm_bench_template" if size <= LARGEST_COPIED else system.database
    if size > LARGEST_COPIED or not mark.exists() or mark.read_text() != wanted:
        say(f"Generating {size:,} cases ...")
        mark.unlink(missing_ok=True)
        for each in ("grm_bench_template", system.database):
            _drop(system, each)
        _create(system, name)
        env = system.env() | {"DATABASE_URL": system.env()["DATABASE_URL"].replace(system.database, name)}
        app = create_app(load_settings(env))
        set_up(app, demo=True)
        generate(app, size, seed, say)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        mark.write_text(wanted) if size <= LARGEST_COPIED else None
    if name != system.database:
        started = time.monotonic()
        _drop(system, system.database)
        _create(system, system.database, f"TEMPLATE {name} STRATEGY FILE_COPY")
        say(f"Copied the generated database in {time.monotonic() - started:.0f} s")
    return _found(create_app(system.settings()), size)


def _found(app: Flask, size: int) -> Generated:
    """What of a generated database falls due when."""
    with app.app_context():
        today = clock.dhaka_date(clock.now(db.session()))
        db.session.remove()
        due = cohort_due_at(app, today)
        db.session.remove()
        db.engine.dispose()
    return Generated(shape_of(size), today, due)


def _code() -> str:
    """A hash of what decides how cases are generated: this folder's generator and the migrations."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in [
        root / "bench" / "generate.py",
        root / "bench" / "floor_app.py",
        *sorted((root / "migrations/versions").glob("*.py")),
        *sorted((root / "grm/tallies").glob("*.py")),
    ]:
        digest.update(path.read_bytes())
    digest.update(" ".join(production_like()).encode())
    return digest.hexdigest()[:16]


def _drop(system: System, name: str) -> None:
    with system.connect("postgres") as connection:
        connection.execute(
            psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(psycopg.sql.Identifier(name))
        )


def _create(system: System, name: str, how: str = "") -> None:
    with system.connect("postgres") as connection:
        statement = f"CREATE DATABASE {{}} {how}"
        connection.execute(psycopg.sql.SQL(statement).format(psycopg.sql.Identifier(name)))  # type: ignore[arg-type]


def _number(text: str) -> int:
    factor = {"k": 1_000, "m": 1_000_000}.get(text[-1:].lower(), 1)
    return int(float(text.rstrip("kKmM")) * factor)


if __name__ == "__main__":
    sys.exit(main())
