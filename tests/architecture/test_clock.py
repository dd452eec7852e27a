"""Only grm/kernel/clock.py reads a clock: everything else is told the time."""

import ast
import re
from pathlib import Path

import pytest

# None decides anything about a case: the launcher measures its own start, the development sink stamps its files, and the watch
# dates the e-mail that says that the database is away.
ALLOWED = {"grm/kernel/clock.py", "grm/up.py", "grm/devsink.py", "grm/watch/deadman.py"}
CLOCK_CALLS = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "datetime.datetime.now"),
    *("datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
    *("time.time", "time.time_ns", "time.localtime", "time.gmtime", "func.now", "func.current_timestamp"),
    *("func.current_date", "func.localtimestamp", "func.clock_timestamp", "func.statement_timestamp"),
}
SQL_CLOCK = re.compile(
    r"\b(now|clock_timestamp|statement_timestamp|transaction_timestamp)\s*\(\s*\)|\bcurrent_(timestamp|date|time)\b"
    r"|\blocaltimestamp\b",
    re.IGNORECASE,
)


def clock_reads(source: str) -> list[str]:
    """Every place where a source reads a clock, as `line: what`."""
    tree = ast.parse(source)
    found = []
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in CLOCK_CALLS:
            found.append(f"{node.lineno}: {ast.unparse(node)}")
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            found += [
                f"{node.lineno}: from time import {a.name}" for a in node.names if f"time.{a.name}" in CLOCK_CALLS
            ]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            found += [f"{node.lineno}: SQL {match[0]}" for match in SQL_CLOCK.finditer(node.value)]
    return found


def test_nothing_else_reads_a_clock(root: Path) -> None:
    sources = [root / "wsgi.py", root / "config.py", *(root / "grm").rglob("*.py")]
    found = {
        str(path.relative_to(root)): reads
        for path in sources
        if str(path.relative_to(root)) not in ALLOWED and (reads := clock_reads(path.read_text()))
    }
    assert not found


@pytest.mark.parametrize(
    "source",
    [
        "at = datetime.now(UTC)",
        "on = date.today()",
        "import datetime\nat = datetime.datetime.utcnow()",
        "import time\nat = time.time()",
        "from time import time\nat = time()",
        "default = datetime.now",
        "select(func.now())",
        "text('UPDATE t SET at = now()')",
        "text('select CURRENT_TIMESTAMP')",
        "server_default = 'clock_timestamp ( )'",
    ],
)
def test_a_planted_reading_is_caught(source: str) -> None:
    assert clock_reads(source)


def test_prose_and_elapsed_time_are_no_readings() -> None:
    assert not clock_reads('"""Never call now() here."""\nimport time\nstarted = time.monotonic()\nx = "known()"')


def test_the_clock_itself_would_be_caught(root: Path) -> None:
    assert clock_reads((root / "grm" / "kernel" / "clock.py").read_text()), "the allowance is no longer needed"
