"""The files around the code: locks, Makefile, generated pages, and nothing that belongs to one machine."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

LOCKS = ("requirements.lock", "requirements-test.lock", "requirements-tools.lock")
# Written in pieces, so that this file does not contain what it looks for.
MACHINE_PATH = re.compile("|".join((r"/wo" + r"rk/", r"/ro" + r"ot/", r"/ho" + r"me/[a-z]", r"/Us" + r"ers/[a-z]")))


def pins(text: str) -> dict[str, str]:
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_locks_are_hashed_and_name_no_registry(root: Path, name: str) -> None:
    text = (root / name).read_text()
    assert "http" not in text and "index-url" not in text and "find-links" not in text
    packages = re.split(r"\n(?=[A-Za-z])", text.strip())
    assert packages and all("--hash=sha256:" in package for package in packages)


def test_the_test_lock_holds_the_run_lock(root: Path) -> None:
    run, test = (pins((root / name).read_text()) for name in LOCKS[:2])
    assert run and run.items() <= test.items()


def test_the_lock_answers_every_dependency(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    wanted = [*project["project"]["dependencies"], *groups["embedded"], *groups["test"]]
    names = {re.split(r"[^A-Za-z0-9_-]", line)[0].lower().replace("_", "-") for line in wanted}
    locked = {name.lower().replace("_", "-") for name in pins((root / LOCKS[1]).read_text())}
    assert {"flask", "celery", "pytest"} <= names <= locked


def test_make_help_lists_every_target(root: Path) -> None:
    source = (root / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", source, re.MULTILINE)
    targets = set(re.findall(r"^([a-z][a-z-]*):", source, re.MULTILINE))
    assert set(phony.split()) == targets
    assert {"run", "test", "demo", "bench", "lint", "help", "lock"} <= targets
    shown = subprocess.run(["make", "help"], cwd=root, capture_output=True, text=True, check=True).stdout
    lines = dict(re.findall(r"^  make ([a-z-]+) +(\S.*)$", shown, re.MULTILINE))
    assert set(lines) == targets


def test_the_configuration_page_is_current(root: Path) -> None:
    printed = subprocess.run([sys.executable, "config.py"], cwd=root, capture_output=True, text=True, check=True).stdout
    assert (root / "docs" / "configuration.md").read_text() == printed


def test_no_file_names_a_place_on_one_machine(root: Path, tracked: list[Path]) -> None:
    assert len(tracked) > 20
    found = []
    for path in tracked:
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(root)}: {match[0]}" for match in MACHINE_PATH.finditer(text)]
    assert not found


def test_a_planted_machine_path_would_be_found() -> None:
    assert MACHINE_PATH.search("see /ro" + "ot/notes.txt") and not MACHINE_PATH.search("/usr/share/fonts")


def test_every_test_has_the_prefix_that_makes_it_run(root: Path) -> None:
    """A function in a test module that asserts, and that nothing calls, is a test that never runs."""
    idle = []
    for path in (root / "tests").rglob("test_*.py"):
        tree = ast.parse(path.read_text())
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("test_"):
                is_fixture = any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list)
                has_assert = any(isinstance(inner, ast.Assert) for inner in ast.walk(node))
                if has_assert and not is_fixture and node.name not in used:
                    idle.append(f"{path.relative_to(root)}: {node.name}")
    assert not idle
