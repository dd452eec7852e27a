"""What officers and complainants write: blank in all its forms, too short, too long, unstorable, not offered."""

import pytest

from grm.cases.content import LONGEST_TEXT, SHORTEST_REPLY, Content
from grm.kernel.errors import InvalidInput

BLANKS = ["", "   ", "\u200b\u200d\ufeff", "\u00a0\n\t", "\u2060"]


@pytest.mark.parametrize("typed", BLANKS)
def test_blank_is_missing(typed: str) -> None:
    content = Content()
    content.text("note", typed)
    with pytest.raises(InvalidInput) as caught:
        content.check()
    assert caught.value.fields == {"note": "missing"}


@pytest.mark.parametrize("typed", BLANKS)
def test_blank_may_be_where_nothing_is_needed(typed: str) -> None:
    content = Content()
    assert content.text("reason", typed, is_required=False) == ""
    content.check()


def test_all_faults_come_together() -> None:
    content = Content()
    content.text("reply", "ঠিক আছে", shortest=SHORTEST_REPLY)
    content.text("note", "x" * (LONGEST_TEXT + 1))
    content.text("reason", "a\x00b")
    content.choice("outcome", "lost", ("answered",))
    with pytest.raises(InvalidInput) as caught:
        content.check()
    assert caught.value.fields == {
        "reply": "too-short",
        "note": "too-long",
        "reason": "control-characters",
        "outcome": "choose-one",
    }


def test_padding_is_no_content() -> None:
    content = Content()
    content.text("reply", "ঠিক" + " \u200b" * 40 + "আছে", shortest=SHORTEST_REPLY)
    assert content.faults == {"reply": "too-short"}


def test_a_text_is_kept_whole_and_clean() -> None:
    content = Content()
    typed = "প্রথম লাইন\r\nদ্বিতীয় লাইন <b>{{7*7}}</b> '; DROP"
    assert content.text("note", typed) == "প্রথম লাইন\nদ্বিতীয় লাইন <b>{{7*7}}</b> '; DROP".replace(
        "\u09df", "\u09af\u09bc"
    )
    assert content.text("note", "x" * LONGEST_TEXT) == "x" * LONGEST_TEXT
    content.check()
