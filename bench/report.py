"""The pages of reports as the Cabinet Division sees them, against the bare GROUP BY over the same rows."""

import re
import time
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from typing import Any

from bench import load
from bench.queue import _page, sign_in
from bench.results import Line, median
from bench.system import System

ESCALATED = "SELECT office_id, level, count(*) FROM cases WHERE is_open AND level > 0 GROUP BY office_id, level"
BY_MONTH = (
    "SELECT office_id, district_id, date_trunc('month', received_on), count(*), count(*) FILTER (WHERE is_open), "
    "count(*) FILTER (WHERE ended_at < due_at) FROM cases GROUP BY 1, 2, 3"
)
ALL = (BY_MONTH, "GROUP BY office, district, month over all cases")
LEVELS = (ESCALATED, "GROUP BY office, level over what is open")
PAGES = (
    ("overview by ministry", "/reports", ALL, "p50 <= 25 ms"),
    ("overview by district, with its tile map", "/reports?by=district", ALL, ""),
    ("overview by programme", "/reports?by=programme", ALL, ""),
    ("escalation report", "/reports/escalations", LEVELS, ""),
    ("monthly returns", "/reports/returns", ALL, ""),
    ("one monthly return", "/reports/returns/{month}/office/social-welfare", ALL, ""),
    ("list behind a figure: open", "/reports/cases?measure=open", ALL, ""),
    ("list behind a figure: late, in 12 months", "/reports/cases?measure=late", ALL, ""),
    (
        "list behind a figure: received, one ministry",
        "/reports/cases?measure=received&ministry=social-welfare",
        ALL,
        "",
    ),
)


def measure(system: System, seconds: float, rounds: int, say: Callable[[str], None]) -> list[Line]:
    """Every page, as the cell sees it, one client. A page that is not there is said to be missing."""
    program, port = system.serve_grm()
    cookie = sign_in(port, "cabinet")
    with system.connect() as connection:
        bare = {statement: _time(connection, statement) for statement, _ in (ALL, LEVELS)}
    lines = []
    month = (date.today().replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    for what, address, (statement, name), target in PAGES:
        path = address.format(month=month)
        load.run(partial(_page, path, cookie), port, 1, 1.0)  # caches and statements as they are in the morning
        before = system.cpu_seconds(program)
        results = [load.run(partial(_page, path, cookie), port, 1, seconds, 0.0) for _ in range(rounds)]
        used = system.cpu_seconds(program) - before
        broken = next((result.complaint for result in results if result.errors), "")
        if broken:
            if not re.search(r"\b404\b", broken):
                raise RuntimeError(f"{what}: {broken}")
            say(f"  {what}: there is no such page")
            continue
        p50, p95 = (median([result.percentile(share) for result in results]) for share in (0.5, 0.95))
        floor = bare[statement]
        ratio = f"{floor / p50:.1f} x as fast" if p50 < floor else f"{p50 / floor:.1f} x"
        each = used * 1000 / max(1, sum(len(result.latencies) for result in results))
        timing = f"p50 {p50 * 1000:.0f}, p95 {p95 * 1000:.0f} ms; {each:.0f} ms of processor"
        lines.append(Line("Reports", f"{what} (`{path}`)", timing, f"{floor * 1000:.0f} ms ({name})", ratio, target))
        say(f"  {what}: {lines[-1].grm}, bare {lines[-1].floor}")
    lines.append(Line("Reports", "memory (PSS) of the web server", f"{system.memory_mb(program):.0f} MB"))
    return lines


def _time(connection: Any, statement: str) -> float:
    times = []
    for _ in range(3):
        started = time.perf_counter()
        connection.execute(statement).fetchall()
        times.append(time.perf_counter() - started)
    return median(times)
