"""No task is put off by the broker: what is due later is a row with an instant, and a tick finds it (row 5 of the fault matrix).

A task with an ETA beyond the visibility timeout is started again and again; tests/faults/test_beat.py shows it happening.
"""

import ast
from pathlib import Path

import pytest

LATER = {"eta", "countdown"}
PUBLISHING = {"delay", "apply_async", "send_task"}
MAY_PUBLISH = {"grm/schedule.py"}
"""Beat publishes the ticks. The request path never does: a frozen broker would hang it."""


def put_off(source: str) -> list[str]:
    """Every place where a source gives a task an ETA or countdown, or leaves a repetition to the broker."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            found += [f"{node.lineno}: {each.arg}" for each in node.keywords if each.arg in LATER]
            if isinstance(node.func, ast.Attribute) and node.func.attr == "retry":
                found.append(f"{node.lineno}: retry")
            if isinstance(node.func, ast.Name | ast.Attribute) and any(k.arg == "autoretry_for" for k in node.keywords):
                found.append(f"{node.lineno}: autoretry_for")
        elif isinstance(node, ast.Dict):
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            found += [f"{node.lineno}: {key!r}" for key in keys if key in LATER]
    return found


def published(source: str) -> list[str]:
    """Every place where a source hands a task to the broker."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = [(call.lineno, call.func.attr) for call in calls if isinstance(call.func, ast.Attribute)]
    return [f"{line}: {name}" for line, name in names if name in PUBLISHING]


def test_no_task_is_put_off_by_the_broker(root: Path) -> None:
    found = {str(path.relative_to(root)): put_off(path.read_text()) for path in (root / "grm").rglob("*.py")}
    assert {path: places for path, places in found.items() if places} == {}


def test_nobody_but_beat_publishes(root: Path) -> None:
    found = {str(path.relative_to(root)): published(path.read_text()) for path in (root / "grm").rglob("*.py")}
    assert {path: places for path, places in found.items() if places and path not in MAY_PUBLISH} == {}


@pytest.mark.parametrize(
    "source",
    [
        "send.apply_async(args=[1], countdown=259200)",
        "send.apply_async(eta=tomorrow)",
        "app.send_task('x', **{'countdown': 3})",
        "self.retry(exc=error)",
        "@shared_task(autoretry_for=(OSError,))\ndef f(): ...",
    ],
)
def test_a_planted_delay_is_caught(source: str) -> None:
    assert put_off(source)


@pytest.mark.parametrize("source", ["send.delay(4)", "send.apply_async()", "celery.send_task('sweep')"])
def test_a_planted_publication_is_caught(source: str) -> None:
    assert published(source)
