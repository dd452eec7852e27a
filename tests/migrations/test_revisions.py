"""What every revision file must be: numbered, explained, reversible or saying that it is not, and free of `grm`."""

import ast
import re
from pathlib import Path

import pytest

from .conftest import ROOT, revisions, scripts

FILES = sorted((ROOT / "migrations" / "versions").glob("*.py"))
HEADER = ("What", "Why", "Lock cost", "Reversible")


def imports_of(source: str) -> set[str]:
    """Top-level packages a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def missing_header_lines(source: str) -> list[str]:
    """Which of the four lines a revision's docstring lacks, or leaves without a word."""
    text = ast.get_docstring(ast.parse(source)) or ""
    return [name for name in HEADER if not re.search(rf"^{name}: \S", text, re.MULTILINE)]


def test_there_is_one_line_of_revisions_numbered_from_0001() -> None:
    assert len(scripts().get_heads()) == 1
    assert revisions() == [f"{number:04}" for number in range(1, len(FILES) + 1)]
    for file, revision in zip(FILES, revisions(), strict=True):
        assert re.fullmatch(rf"{revision}_[a-z0-9_]+\.py", file.name), file.name


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_a_revision_imports_nothing_of_grm(file: Path) -> None:
    """It must go on meaning what it meant when `grm` has long changed."""
    assert imports_of(file.read_text()) & {"grm", "config", "wsgi"} == set()


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_a_revision_says_what_why_lock_cost_and_whether_it_is_reversible(file: Path) -> None:
    assert missing_header_lines(file.read_text()) == []


def test_the_rules_above_catch_what_they_are_for() -> None:
    bad = "def upgrade():\n    from grm.cases.models import Case\n    import config\n"
    assert imports_of(bad) == {"grm", "config"}
    assert missing_header_lines('"""What: x.\nWhy:\nLock cost: none.\n"""') == ["Why", "Reversible"]
