"""The Cabinet Division's reports against the bare GROUP BY over the same rows."""

import time
from collections.abc import Callable
from typing import Any

from bench import load
from bench.queue import HOST, _page, sign_in
from bench.results import Line, median
from bench.system import System

ESCALATED = "SELECT office_id, level, count(*) FROM cases WHERE is_open AND level > 0 GROUP BY office_id, level"
BY_MONTH = (
    "SELECT office_id, district_id, date_trunc('month', filed_at), count(*), count(*) FILTER (WHERE is_open), "
    "count(*) FILTER (WHERE ended_at < due_at) FROM cases GROUP BY 1, 2, 3"
)


def measure(system: System, seconds: float, rounds: int, say: Callable[[str], None]) -> list[Line]:
    """The escalation report and the overview, as the cell sees them."""
    _, port = system.serve_grm()
    cookie = sign_in(port, "cabinet")
    with system.connect() as connection:
        escalated = _time(connection, ESCALATED)
        by_month = _time(connection, BY_MONTH)
        total = connection.execute("SELECT count(*) FROM cases WHERE is_open AND level > 0").fetchone()
    lines = []
    for what, path, bare, name in (
        (
            f"/reports/escalations ({total[0] if total else 0:,} escalated)",
            "/reports/escalations",
            escalated,
            "GROUP BY office, level",
        ),
        ("/reports", "/reports", by_month, "GROUP BY office, district, month over all cases"),
    ):
        results = [load.run(lambda p=path: _page(p, cookie), port, 1, seconds) for _ in range(rounds)]
        for result in results:
            if result.errors:
                raise RuntimeError(f"{what}: {result.complaint}")
        p50, p95 = (median([result.percentile(share) for result in results]) * 1000 for share in (0.5, 0.95))
        lines.append(
            Line(
                "Reports",
                what,
                f"p50 {p50:.0f}, p95 {p95:.0f} ms",
                f"{bare * 1000:.0f} ms ({name})",
                f"{p50 / bare / 1000:.1f} x",
            )
        )
        say(f"  {what}: {lines[-1].grm}, bare {lines[-1].floor}")
    return lines


__all__ = ["HOST", "measure"]


def _time(connection: Any, statement: str) -> float:
    times = []
    for _ in range(5):
        started = time.perf_counter()
        connection.execute(statement).fetchall()
        times.append(time.perf_counter() - started)
    return median(times)
