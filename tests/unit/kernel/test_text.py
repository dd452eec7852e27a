"""Two scripts, two sets of digits, two encodings of some letters: one stored form."""

import re
import sys
import time
import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.kernel import text
from grm.kernel.errors import InvalidInput

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
BANGLA = st.text(alphabet=st.characters(min_codepoint=0x0980, max_codepoint=0x09FF) | st.sampled_from("\u200c\u200d "))


@pytest.mark.parametrize(
    "one, two", [("\u09dc", "\u09a1\u09bc"), ("\u09dd", "\u09a2\u09bc"), ("\u09df", "\u09af\u09bc")]
)
def test_both_encodings_of_a_letter_become_one(one: str, two: str) -> None:
    assert text.nfc(one) == text.nfc(two) == two
    assert text.clean_line(f"বা{one}ি") == text.clean_line(f"বা{two}ি")
    assert text.search_key(one) == text.search_key(two)


@pytest.mark.parametrize(
    "digits", ["০১২৩৪৫৬৭৮৯", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "０１２３４５６７８９", "0123456789"]
)
def test_digits_of_any_script_become_latin(digits: str) -> None:
    assert text.latin_digits(f"ক{digits}z") == "ক0123456789z"


def test_latin_digits_become_bangla_and_back() -> None:
    assert text.bangla_digits("12,34,567.5 টাকা") == "১২,৩৪,৫৬৭.৫ টাকা"
    assert text.latin_digits(text.bangla_digits("0123456789")) == "0123456789"


@pytest.mark.parametrize(
    "blank", ["", " ", "\t\r\n", "\u200b\u200c\u200d\u200e\u200f", "\u2060", "\ufeff", "\u00a0", " \u2003\u200b", None]
)
def test_nothing_to_read_is_blank(blank: str | None) -> None:
    assert text.is_blank(blank)
    assert blank is None or text.clean_text(blank) == text.clean_line(blank) == ""


@pytest.mark.parametrize("filled", [".", "ক", "\u200bক", "0", "\u09bc"])
def test_something_to_read_is_not_blank(filled: str) -> None:
    assert not text.is_blank(filled)


@pytest.mark.parametrize("bad", ["\x00", "নাম\x00", "\ud800", "a\udfff"])
def test_what_cannot_be_stored_is_refused(bad: str) -> None:
    assert text.has_forbidden_characters(bad)
    for clean in (text.clean_line, text.clean_text):
        with pytest.raises(InvalidInput) as caught:
            clean(bad)
        assert caught.value.code == "control-characters"
    assert text.search_key(bad) in ("", "নাম", "a")


def test_pasted_control_characters_go_and_line_ends_become_one_kind() -> None:
    assert text.clean_text("\r\n ক\x07\r\nখ\rগ\u2028ঘ\x0bঙ\u202eচ \n") == "ক\nখ\nগ\nঘ\nঙচ"
    assert text.clean_line("  আবদুল\t\r\n  করিম\u00a0 ") == "আবদুল করিম"
    assert not text.has_forbidden_characters("\x07\t\n")


def test_joiners_in_conjuncts_and_emoji_are_kept_and_do_not_hide_words_from_search() -> None:
    for kept in ("র\u200d্যাব", "হ\u200cত্যা", "👩\u200d🌾"):
        assert text.clean_text(kept) == kept
    assert text.search_key("র\u200d্যাব") == text.search_key("র্যাব")


def test_search_ignores_case_digits_and_spacing() -> None:
    assert text.search_key("  Old  Age ৫০০ ") == text.search_key("old age 500") == "old age 500"


def test_runs_of_combining_marks_are_cut() -> None:
    assert text.clean_text("a" + "\u0316" * 5000 + "b") == "a" + "\u0316" * text.MAX_MARKS + "b"
    joined = text.clean_text("ক" + "\u0981\u200d" * 500)
    assert joined.count("\u0981") == text.MAX_MARKS
    assert text.clean_text("ক্ষ্ম্যৌঁঃ") == "ক্ষ্ম্যৌঁঃ"


def test_a_hundred_thousand_marks_take_no_time() -> None:
    started = time.process_time()
    text.clean_text("a" + "\u0300\u0316" * 50_000)
    assert time.process_time() - started < 0.5


@given(ANY_TEXT | BANGLA)
def test_cleaning_is_done_once_for_all(typed: str) -> None:
    for clean in (text.clean_text, text.clean_line, text.search_key, text.nfc):
        once = clean(typed)
        assert clean(once) == once
        assert unicodedata.is_normalized("NFC", once)
    assert "\n" not in text.clean_line(typed)


@given(BANGLA)
def test_bangla_in_any_normal_form_is_found_by_the_same_key(typed: str) -> None:
    assert text.search_key(typed) == text.search_key(unicodedata.normalize("NFD", typed))


@pytest.mark.parametrize(
    "typed", ["16/12/2025", "16-12-2025", "১৬/১২/২০২৫", "2025-12-16", "২০২৫-১২-১৬", " 16.12.2025 ", "16/12/２０２５"]
)
def test_a_date_is_read_in_any_digits(typed: str) -> None:
    assert text.parse_date(typed) == date(2025, 12, 16)


@pytest.mark.parametrize(
    "typed",
    ["", "31/02/2025", "29/02/2025", "1/1/25", "12/16/2025", "16/12/0025", "16/12/2025x", "9" * 5000, "আজ", "1/1/2200"],
)
def test_what_is_no_date_is_none(typed: str) -> None:
    assert text.parse_date(typed) is None


def test_a_leap_day_is_a_date() -> None:
    assert text.parse_date("২৯/২/২০২৮") == date(2028, 2, 29)


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_every_date_survives_being_written_in_bangla(on: date) -> None:
    assert text.parse_date(text.bangla_digits(on.strftime("%d/%m/%Y"))) == on
    assert text.parse_date(text.bangla_digits(on.isoformat())) == on


@pytest.mark.parametrize(
    "typed, page",
    [("3", 3), ("৩", 3), (None, 1), ("", 1), ("0", 1), ("-2", 1), ("1e3", 1), ("9" * 5000, 1), ("x", 1), ("²", 1)],
)
def test_a_page_number_never_fails(typed: str | None, page: int) -> None:
    assert text.parse_page_number(typed) == page


def test_marks_and_joiners_are_no_letters_to_the_quick_look() -> None:
    """`nfc` looks for runs without a letter first: a mark that counted as one would slip through."""
    quick = re.compile(r"\w")
    assert not [
        c
        for c in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(c) in ("Mn", "Mc", "Me", "Cf") and quick.match(c)
    ]
