"""ruff and mypy are part of the suite, and each is shown to catch something."""

import subprocess
import sys
from pathlib import Path

import pytest


def run(root: Path, *command: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=root, input=text, capture_output=True, text=True, check=False
    )


def test_ruff_finds_nothing(root: Path) -> None:
    done = run(root, "ruff", "check", "--output-format", "concise", ".")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ('"""A module."""\n\nimport os\n', "F401"),
        ('"""A module."""\n\nNAME = "' + "x" * 150 + '"\n', "E501"),
        ('"""A module."""\n\n\ndef shown() -> None:\n    pass\n', "D103"),
        ('"""A module."""\n\nfrom datetime import datetime\n\nAT = datetime.now()\n', "DTZ005"),
        ('"""A module."""\n\nprint("seen")\n', "T201"),
    ],
)
def test_ruff_catches_a_planted_fault(root: Path, source: str, rule: str) -> None:
    done = run(
        root, "ruff", "check", "--stdin-filename", "grm/planted.py", "--output-format", "concise", "-", text=source
    )
    assert done.returncode == 1 and rule in done.stdout, done.stdout


def test_mypy_finds_nothing(root: Path) -> None:
    done = run(root, "mypy")
    assert done.returncode == 0, done.stdout + done.stderr


def test_mypy_catches_a_planted_fault(root: Path, tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    planted.write_text("def untyped(x):\n    return x\n\n\ndef wrong() -> int:\n    return 'word'\n")
    done = run(root, "mypy", "--config-file", root / "pyproject.toml", planted)
    assert "[no-untyped-def]" in done.stdout and "[return-value]" in done.stdout, done.stdout
