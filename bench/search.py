"""The officers' search, by everything that is likely to be slow, against the bare look-up in the index of the same words."""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

import psycopg

from bench import load
from bench.load import Flow
from bench.queue import HOST, _median_time, sign_in
from bench.results import Line, median
from bench.system import System
from grm.app import create_app
from grm.cases.search import names
from grm.cases.search_terms import as_tsquery, parse
from grm.kernel import context
from grm.kernel.db import db
from grm.offices.queries import directory

QUERIES = (
    ("a word of most complaints", "টাকা"),
    ("a name and a word", "রহিমা ভাতা"),
    ("three words", "মেম্বার টাকা চায়"),
    ("a programme and a former name of a district", "বয়স্ক ভাতা Barisal"),
    ("a phone number", "০১৩০০-১২৩৪৫৬"),
    ("a misspelt word", "চেয়ারম্যন"),
    ("words that are nowhere together", "চাল ঋণ বৃত্তি স্কুল"),
)
ACTORS = (
    ("the GRO of the largest ministry", "gro.social-welfare"),
    ("the GRO of a small one", "gro.land"),
    ("the Cabinet Division", "cabinet"),
)
BARE = "SELECT case_id FROM case_search WHERE terms @@ %s::tsquery ORDER BY case_id DESC LIMIT 51"
TARGET = "p95 <= 1000 ms"


def measure(system: System, seconds: float, rounds: int, say: Callable[[str], None]) -> list[Line]:
    """Each query as each of three officers, at one client."""
    program, port = system.serve_grm()
    lines = []
    wanted = _understood(system)
    with system.connect() as connection:
        bare = {typed: _bare(connection, query) for typed, query in wanted.items()}
    for who, username in ACTORS:
        cookie = sign_in(port, username)
        for what, typed in QUERIES:
            flow = partial(_page, "/search?" + urlencode({"q": typed}), cookie)
            load.run(flow, port, 1, 0.2)
            results = [load.run(flow, port, 1, seconds / 4) for _ in range(rounds)]
            for result in results:
                if result.errors:
                    raise RuntimeError(f"{what}: {result.complaint}")
            p50, p95 = (median([result.percentile(share) for result in results]) * 1000 for share in (0.5, 0.95))
            lines.append(
                Line(
                    "Search",
                    f"{what}, {who}",
                    f"p50 {p50:.0f}, p95 {p95:.0f} ms",
                    f"{bare[typed] * 1000:.1f} ms (all cases with these words, newest 51)",
                    f"{p50 / (bare[typed] * 1000):.2f} x",
                    TARGET,
                )
            )
            say(f"  {lines[-1].what}: {lines[-1].grm}, bare {lines[-1].floor}")
    lines.append(Line("Search", "memory (PSS) of the web server", f"{system.memory_mb(program):.0f} MB"))
    return lines


def _page(path: str, cookie: str) -> Flow:
    page = yield load.get(path, HOST, cookie)
    if page.status != 200:
        raise ValueError(f"{path} was answered {page.status} {page.location()}")
    if b'name="q"' not in page.body or b'role="alert"' in page.body:
        raise ValueError(f"{path} was cut off")
    return None


def _understood(system: System) -> dict[str, str]:
    """What each query asks the index for, without the actor."""
    app = create_app(system.settings())
    with app.app_context():
        session = db.session()
        known = names(session)
        found = {
            typed: as_tsquery(parse(typed, directory(session), known, context.keyring()).groups) for _, typed in QUERIES
        }
        db.session.remove()
        db.engine.dispose()
    return found


def _bare(connection: psycopg.Connection[Any], query: str) -> float:
    return _median_time(lambda: connection.execute(BARE, (query,)).fetchall(), 5)
