"""A pytest plugin: short and long form of the fault tests, one seed for all of them, and the table of what they found.

    form       how much to inject: `form.of(12, 90)` is 12 in the short form and 90 in the long one;
               `form.chance()` is a random number generator that the seed decides
    findings   `findings.add(row=1, injected="kill -9 x 90", lost=0, twice=0, held=0)` writes a line of the table

The long form is asked for with `--long-faults` (or GRM_FAULTS=long), which `make faults` does; the seed is given with
`--faults-seed`. The lines travel with the tests' reports, so the table is whole under pytest-xdist too.
"""

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

SHORT_SEED = 7
_KEY = "fault-finding"
_SECOND_TRY = "fault-second-try"
_COLUMNS = ("lost", "twice", "twice_allowed", "held")
_HEADS = ("row", "injected", "lost", "twice", "twice, allowed", "held", "besides", "verdict")


@dataclass(frozen=True)
class Form:
    """How much is injected, and the chance that decides where."""

    is_long: bool
    seed: int

    def of(self, short: Any, long: Any) -> Any:
        """One of two values, by the form."""
        return long if self.is_long else short

    def chance(self, of_whom: str = "") -> random.Random:
        """Random numbers of one test: the same seed gives the same, whichever other tests run."""
        return random.Random(f"{self.seed} {of_whom}")


class Findings:
    """What one test injected and found; each call is a line of the table."""

    def __init__(self, node: pytest.Item) -> None:
        self._node = node
        self.began = time.monotonic()

    def add(self, row: int | str, injected: str, found: dict[str, Any] | None = None, **more: Any) -> None:
        """Note a line. `row` is the fault's number. `found` (or keywords): `lost`, `twice`, `twice_allowed`, `held`
        have columns of their own, anything else is shown beside them. Call it before asserting: a test that fails
        afterwards turns its lines to FAILED.
        """
        self._node.user_properties.append((_KEY, (str(row), injected, {**(found or {}), **more})))


# --- options ------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """The two options."""
    group = parser.getgroup("faults")
    group.addoption("--long-faults", action="store_true", help="inject many more faults, for up to an hour")
    group.addoption("--faults-seed", type=int, help="what decides the moments at which faults are injected")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the seed once, so that workers of pytest-xdist get the controller's."""
    is_long = config.getoption("--long-faults") or os.environ.get("GRM_FAULTS") == "long"
    seed = config.getoption("--faults-seed")
    if hasattr(config, "workerinput"):
        is_long, seed = config.workerinput["faults"]
    elif seed is None:
        seed = int.from_bytes(os.urandom(4)) if is_long else SHORT_SEED
    config.stash[_FORM] = Form(is_long, seed)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist which form this is."""
    form = node.config.stash[_FORM]
    node.workerinput["faults"] = (form.is_long, form.seed)


def pytest_report_header(config: pytest.Config) -> str:
    """Name the seed before anything can go wrong."""
    return f"faults: {_describe(config.stash[_FORM])}"


_FORM = pytest.StashKey[Form]()


def _describe(form: Form) -> str:
    return f"{'long' if form.is_long else 'short'} form, --faults-seed={form.seed}"


def form_of(config: pytest.Config) -> Form:
    """How much this run injects."""
    return config.stash[_FORM]


def note_second_try(item: pytest.Item, failures: str) -> None:
    """Note that a test has failed and is tried once more."""
    item.user_properties.append((_SECOND_TRY, failures))


# --- fixtures -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def form(pytestconfig: pytest.Config) -> Form:
    """How much to inject."""
    return pytestconfig.stash[_FORM]


@pytest.fixture
def findings(request: pytest.FixtureRequest) -> Iterator[Findings]:
    """Where a test notes what it injected and found."""
    yield Findings(request.node)


# --- the table ----------------------------------------------------------------------------------------------------


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table of all lines, whichever test they came from."""
    lines = [line for reports in terminalreporter.stats.values() for report in reports for line in _lines(report)]
    if not lines:
        return
    for report in {id(report): report for reports in terminalreporter.stats.values() for report in reports}.values():
        for failures in _first_tries(report):
            terminalreporter.section(f"failed at the first try: {report.nodeid}")
            terminalreporter.write_line(failures)
    lines.sort(key=lambda line: ([int(part) if part.isdigit() else 999 for part in line[0].split(",")], line))
    widths = [max(len(line[at]) for line in [_HEADS, *lines]) for at in range(len(_HEADS))]
    terminalreporter.section(f"faults injected and found ({_describe(config.stash[_FORM])})")
    for line in (_HEADS, tuple("-" * width for width in widths), *lines):
        terminalreporter.write_line(" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


def _lines(report: Any) -> Iterator[tuple[str, ...]]:
    """The lines of one test; one that failed before it could note anything has a line all the same."""
    phase, failed = getattr(report, "when", None), getattr(report, "failed", False)
    if phase != "call" and not (failed and phase == "setup"):
        return
    noted = [value for key, value in report.user_properties if key == _KEY]
    if failed and not noted and "faults" in report.keywords:
        noted = [("?", report.nodeid.rpartition("/")[2], {})]
    for row, injected, found in noted:
        own = [str(found.get(name, "")) for name in _COLUMNS]
        rest = ", ".join(f"{name.replace('_', ' ')} {found[name]}" for name in found if name not in _COLUMNS)
        kept = "kept at the second try" if any(_first_tries(report)) else "kept"
        yield (row, injected, *own, rest, "FAILED" if failed else kept)


def _first_tries(report: Any) -> list[str]:
    """What a test failed with before it was tried once more."""
    if getattr(report, "when", None) != "call":
        return []
    return [value for key, value in report.user_properties if key == _SECOND_TRY]
