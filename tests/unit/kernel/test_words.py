"""Words as they are looked for: forms and spellings of one word meet at one key, different words do not."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.kernel.words import HONORIFICS, LONGEST_WORD, key, keys, name_keys, words


@pytest.mark.parametrize(
    "forms",
    [
        "ভাতা ভাতার ভাতাটা ভাতাটার ভাতাকে ভাতাগুলো ভাতায় ভাতাও",
        "মেম্বার মেম্বারের মেম্বারকে মেম্বাররা",
        "মেয়ে মেয়ের মেয়েকে মেয়েটি মেয়েটির",
        "ঘর ঘরের ঘরটি ঘরে",
        "উপজেলা উপজেলার উপজেলায়",
        "অফিস অফিসে অফিসের",
        "রহিমা রহীমা রহিমার",
        "যমুনা জমুনা যমুনার",
        "সরকার শরকার ষরকার",
        "চাঁদা চাদা চাঁদার",
        "office offices Office OFFICE'S",
        "received receive Receives receiving",
        "delay delayed delays",
        "city cities",
        "১২৩৪ 1234 １２３４",
    ],
)
def test_forms_of_a_word_have_one_key(forms: str) -> None:
    found = {form: {key(word) for word in list(words(form))[:1]} for form in forms.split()}
    assert len(set().union(*found.values())) == 1, found


@pytest.mark.parametrize(
    ("one", "other"),
    [("ভাতা", "ভাত"), ("টাকা", "টিকা"), ("ঘর", "ঘা"), ("বই", "বউ"), ("মা", "মামা"), ("তার", "তা"), ("card", "car"), ("ring", "r")],
)
def test_other_words_have_other_keys(one: str, other: str) -> None:
    assert key(one) != key(other)


@pytest.mark.parametrize("letter", ["\u09dc", "\u09dd", "\u09df"])
def test_both_encodings_of_a_letter_are_one(letter: str) -> None:
    apart = unicodedata.normalize("NFD", letter)
    assert len(apart) == 2
    assert keys(f"বা{letter}ি গা{letter}ী") == keys(f"বা{apart}ি গা{apart}ী")


def test_joiners_and_invisible_characters_make_no_difference() -> None:
    assert keys("র\u200d্যাব ভা\u200cতা অফি\u200bস") == keys("র্যাব ভাতা অফিস")


def test_signs_are_no_words_and_part_words() -> None:
    assert list(words("50% _a_b মোঃ রহিম, তাঁর! ০১৭১২-৩৪৫৬৭৮ <b>'; DROP\u0964 দুঃখ")) == [
        *("50", "a", "b", "মো", "রহিম", "তাঁর", "01712", "345678", "b", "drop", "দুঃখ")
    ]
    for sign in ("%", "_", "%%__", "'", "\\", "***", "🙂", " \u200b ", "\x00", "\ud800", "ঃ"):
        assert list(words(sign)) == []


def test_names_lose_their_titles_only() -> None:
    assert name_keys("মোছাঃ রহিমা বেগম") == name_keys("রহীমা বেগম") == (key("রহিমা"), key("বেগম"))
    assert name_keys("Md. Abdul Karim") == ("abdul", "karim")
    assert name_keys("মোঃ") == name_keys("") == ()
    assert name_keys("আলী আলী") == (key("আলী"),)


def test_a_run_of_letters_is_cut() -> None:
    assert len(key("ক" * 5000)) == LONGEST_WORD
    assert len(key("a" * 5000)) <= LONGEST_WORD


@given(st.text(max_size=200))
def test_any_text_has_keys_of_letters_marks_and_digits(text: str) -> None:
    for word in words(text):
        found = key(word)
        assert found and len(found) <= LONGEST_WORD
        assert found[0].isalnum()
        assert all(unicodedata.category(character)[0] in "LMN" for character in found), found


@given(st.lists(st.sampled_from([*"কখগঘচটতদনপবমরলশসয", "়", "া", "ি", "ে", "্", "র", "ের", "টা"]), min_size=2, max_size=12))
def test_a_key_is_its_own_key(parts: list[str]) -> None:
    """Otherwise a form of a form would be looked for in vain."""
    for word in words("".join(parts)):
        assert key(key(word)) == key(word)


def test_titles_are_written_as_words_yields_them() -> None:
    assert all(list(words(title)) == [title] for title in HONORIFICS)
