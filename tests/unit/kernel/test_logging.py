"""One event is one line of JSON, whatever somebody typed is in it; and it is never long."""

import json
from typing import Any

import pytest

from grm.kernel import logging as kernel_logging
from grm.kernel.logging import LONGEST

FORGED = [
    "a\nERROR you have been paid\r\n",
    '"}\n{"level": "error", "event": "forged"}',
    "\x1b[2J\x1b[31mred\x07",
    "\x9b31m and \x85 next \x7f",
    "line\u2028paragraph\u2029",
    "\u202egnp.exe\u202c \u2066x\u2069",
    "hid\u200bden\ufeff",
    "${jndi:ldap://evil.example/x}",
    "\ud800 alone",
]


def logged(**values: Any) -> str:
    """What is written for an event."""
    event: Any = {"event": "tried", **values}
    return kernel_logging._line(None, "", kernel_logging._cut(None, "", event))


@pytest.mark.parametrize("typed", FORGED)
def test_one_event_is_one_readable_line(typed: str) -> None:
    line = logged(value=typed, **{typed: 1}, nested={"deep": [typed]})
    assert line.splitlines() == [line] and line.isprintable()
    line.encode()
    found = json.loads(line)
    assert found["event"] == "tried" and found["value"] == typed and found["nested"] == {"deep": [typed]}


@pytest.mark.parametrize("value", ["x" * 1_000_000, ["y" * 1_000_000], {"k": "z" * 1_000_000}, [1] * 500_000, object()])
def test_a_million_characters_are_cut(value: Any) -> None:
    line = logged(value=value)
    assert len(line) < LONGEST + 100
    json.loads(line)


def test_of_a_traceback_the_end_is_kept() -> None:
    assert json.loads(logged(exception="a" * 5000 + "the fault"))["exception"].endswith("the fault")


def test_words_stay_readable() -> None:
    assert "অভিযোগ" in logged(value="অভিযোগ")
