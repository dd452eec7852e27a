"""What PostgreSQL itself can do here: pgbench with the five rows of a filing in seven round trips, and in one."""

import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench.results import Line, median, spread
from bench.system import System, tool

_DRAW = "\\set ministry random(1, 39)\n\\set slot random(0, 15)\n"
_CASE = """INSERT INTO floor.cases (number, ministry_id, district_id, category_id, status, details, filed_at, due_at)
VALUES (gen_random_uuid()::text, :ministry, 49, 3, 'filed', repeat('অভিযোগ ', 40), now(), now() + interval '42 days')
"""
_COUNT = "UPDATE floor.counter SET count = count + 1 WHERE ministry_id = :ministry AND slot = :slot;\n"
SEVEN = f"""{_DRAW}BEGIN;
{_CASE}RETURNING id \\gset
INSERT INTO floor.event (case_id, kind, at, data) VALUES (:id, 'filed', now(), '{{"channel": "web"}}');
INSERT INTO floor.deadline (case_id, due_at) VALUES (:id, now() + interval '42 days');
INSERT INTO floor.outbox (case_id, channel, body) VALUES (:id, 'sms', 'x');
{_COUNT}COMMIT;
"""
ONE = f"""{_DRAW}WITH filed AS ({_CASE}RETURNING id, due_at),
event AS (INSERT INTO floor.event (case_id, kind, at, data) SELECT id, 'filed', now(), '{{"channel": "web"}}' FROM filed),
deadline AS (INSERT INTO floor.deadline (case_id, due_at) SELECT id, due_at FROM filed),
outbox AS (INSERT INTO floor.outbox (case_id, channel, body) SELECT id, 'sms', 'x' FROM filed)
{_COUNT}"""


def measure(
    system: System, clients: tuple[int, ...], seconds: float, rounds: int, say: Callable[[str], None]
) -> list[Line]:
    """Transactions a second of both ways; nothing where pgbench is missing."""
    pgbench = tool("pgbench")
    if pgbench is None:
        say("  pgbench is not here; left out")
        return []
    lines = []
    for what, script in (("five rows, seven round trips", SEVEN), ("five rows, one statement", ONE)):
        for number in clients:
            rates = [_run(pgbench, system, script, number, seconds) for _ in range(rounds)]
            lines.append(
                Line(
                    "Commits (pgbench)",
                    f"{what}, {number} client{'s' if number > 1 else ''}",
                    "",
                    f"{spread(rates)} /s",
                )
            )
            say(f"  {lines[-1].what}: {lines[-1].floor}")
    return lines


def rate_of(lines: list[Line], what: str) -> float:
    """The median of a line that `measure` returned; nan without it."""
    found = next((line.floor for line in lines if line.what == what), "")
    return median([float(found.split()[0])]) if found else float("nan")


def _run(pgbench: Path, system: System, script: str, clients: int, seconds: float) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".sql", dir=system.home, delete=False) as file:
        file.write(script)
    options = [pgbench, "-n", "-M", "prepared", "-f", file.name, "-c", str(clients), "-j", str(min(clients, 2))]
    try:
        done = subprocess.run(
            [*options, "-T", str(max(1, round(seconds))), "-h", system.places.postgres, "-U", "grm", system.database],
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        Path(file.name).unlink()
    found = re.search(r"tps = ([0-9.]+) \(without initial", done.stdout)
    assert found, done.stdout + done.stderr
    return float(found[1])
