"""Who may import whom: the contracts of pyproject.toml hold, and each one catches a planted violation."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

STANDARD_LIBRARY_ONLY = (
    *("config.py", "grm/up.py", "grm/supervisor.py", "grm/engines.py"),
    *("grm/kernel/places.py", "grm/kernel/parsers.py", "grm/kernel/variables.py", "grm/kernel/gateways.py"),
)
PURE_NAMES = (
    *("states", "lifecycle", "rules", "calendar", "policy", "ladder"),
    *("screening", "catalogue", "sms_text", "measures"),
)


def lint_imports(directory: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    env = {**os.environ, "COLUMNS": "200"}  # it wraps the names of contracts
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False, env=env)


def test_all_contracts_hold(root: Path) -> None:
    done = lint_imports(root)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    shutil.copytree(root / "grm", tmp_path / "grm", ignore=shutil.ignore_patterns("__pycache__", "static", "data"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("contract", "module", "line"),
    [
        ("Downward only", "cases/planted.py", "import grm.notifications.models"),
        ("Downward only", "deadlines/planted.py", "import grm.routing.models"),
        ("Downward only", "kernel/planted.py", "import grm.web.guard"),
        ("Pure modules", "deadlines/calendar.py", "import sqlalchemy"),
        ("Pure modules", "escalation/ladder.py", "import grm.kernel.db"),
        ("Services, sweeps and tasks", "accounts/service.py", "from flask import request"),
        ("Only tasks.py", "accounts/service.py", "from celery import shared_task"),
    ],
)
def test_a_planted_import_is_caught(copy: Path, contract: str, module: str, line: str) -> None:
    planted = copy / "grm" / module
    before = planted.read_text() if planted.exists() else '"""Planted."""\n'
    planted.write_text(f"{before}\n{line}\n")
    done = lint_imports(copy)
    broken = [text for text in done.stdout.splitlines() if " BROKEN" in text]
    assert done.returncode == 1 and [text for text in broken if text.startswith(contract)], done.stdout + done.stderr


def test_the_pure_contract_covers_every_pure_module(root: Path) -> None:
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (pure,) = [contract for contract in contracts if contract["id"] == "pure-decisions"]
    assert {f"grm.*.{name}" for name in PURE_NAMES} <= set(pure["source_modules"])
    missing = [name for name in PURE_NAMES if not list((root / "grm").glob(f"*/{name}.py"))]
    assert not missing, "a pure module was renamed or is gone; the contract no longer guards it"


@pytest.mark.parametrize("name", STANDARD_LIBRARY_ONLY)
def test_the_launcher_needs_only_the_standard_library(root: Path, name: str) -> None:
    own = {path.removesuffix(".py").replace("/", ".") for path in STANDARD_LIBRARY_ONLY}
    imported = set()
    for node in ast.walk(ast.parse((root / name).read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            nested = {f"{node.module}.{alias.name}" for alias in node.names}
            imported |= nested & own or {str(node.module)}
    foreign = {
        module for module in imported if module not in own and module.split(".")[0] not in sys.stdlib_module_names
    }
    assert not foreign


def test_package_init_files_hold_a_docstring_only(root: Path) -> None:
    for path in (root / "grm").rglob("__init__.py"):
        body = ast.parse(path.read_text()).body
        assert len(body) == 1 and ast.get_docstring(ast.Module(body, [])), path
