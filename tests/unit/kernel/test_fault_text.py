"""A log says what went wrong and where, and nothing that somebody typed."""

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from grm.kernel.fault_text import fault_line, fault_text

PHONE = "01712345678"


def raised() -> BaseException:
    """What a careless conversion raises while another fault is being handled."""
    try:
        try:
            int(PHONE + "x")
        except ValueError:
            {}[PHONE]
    except KeyError as error:
        return error
    raise AssertionError


def test_the_whole_chain_is_told_without_the_value() -> None:
    text = fault_text(raised())
    assert PHONE not in text.replace('int(PHONE + "x")', "")
    assert text.index("ValueError") < text.index("KeyError") and "test_fault_text.py" in text and "in raised" in text


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("no seat"), "RuntimeError: no seat"),
        (RuntimeError(), "RuntimeError"),
        (KeyError("period_from"), "KeyError: 'period_from'"),
        (KeyError(PHONE), "KeyError"),
        (KeyError("রহিমা"), "KeyError"),
        (ValueError(f"invalid literal: '{PHONE}'"), "ValueError"),
        (UnicodeDecodeError("utf-8", PHONE.encode() + b"\xff", 11, 12, "invalid"), "UnicodeDecodeError"),
        (
            IntegrityError("INSERT", {"phone": PHONE}, psycopg.errors.CheckViolation(f"row ({PHONE})")),
            "sqlalchemy.exc.IntegrityError of psycopg.errors.CheckViolation: 23514",
        ),
    ],
)
def test_a_line_names_the_kind(error: BaseException, line: str) -> None:
    assert fault_line(error) == line
