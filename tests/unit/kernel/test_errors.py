"""Errors carry a code and values, and nothing else decides how they are shown."""

import pytest

from grm.kernel.errors import (
    Conflict,
    Forbidden,
    GrmError,
    IllegalAction,
    InvalidInput,
    NotFound,
    TooMany,
    Unavailable,
)


@pytest.mark.parametrize("kind", [NotFound, Forbidden, Conflict, IllegalAction, InvalidInput, Unavailable])
def test_every_error_has_a_code_of_its_own_and_takes_another(kind: type[GrmError]) -> None:
    assert kind().code == kind.default_code
    assert kind("closed-case", status="closed").code == "closed-case"
    assert kind("closed-case", status="closed").params == {"status": "closed"}


def test_what_is_forbidden_looks_like_what_does_not_exist() -> None:
    assert Forbidden().code == NotFound().code


def test_a_conflict_says_what_changed() -> None:
    assert Conflict(changed={"status": "resolved"}).changed == {"status": "resolved"}
    assert Conflict().changed == {}


def test_invalid_input_names_fields() -> None:
    error = InvalidInput(fields={"phone": "phone-not-mobile"})
    assert (error.code, error.fields) == ("invalid-input", {"phone": "phone-not-mobile"})
    assert InvalidInput("phone-missing").fields == {}


def test_too_many_says_when_to_come_back() -> None:
    error = TooMany(retry_after_seconds=30)
    assert error.retry_after_seconds == 30
    assert error.params["retry_after_seconds"] == 30


def test_the_text_of_an_error_shows_no_values() -> None:
    error = InvalidInput("phone-not-mobile", value="01712345678")
    assert "0171" not in str(error) + repr(error)
