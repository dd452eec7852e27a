"""What a query is understood as, and that a case's terms meet it: both sides are made by the same module."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.cases import search_terms
from grm.cases.search_terms import Findable, Group, Query, as_tsquery, names_of, parse, terms_of
from grm.kernel.crypto import Keyring
from grm.kernel.tracking_number import display, new_tracking_number
from grm.offices.directory import Category, Directory, Ministry, Office, Place, Programme

SINCE = date(1971, 3, 26)
DIVISION = Place(1, "10", "division", "Barishal", "বরিশাল", None, None, SINCE, None)
DISTRICT = Place(2, "1006", "district", "Barishal", "বরিশাল", 1, (2, 6), SINCE, None)
SADAR = Place(3, "100651", "upazila", "Barishal Sadar", "বরিশাল সদর", 2, None, SINCE, None)
BOOK = Directory(
    edition=1,
    ministries=(Ministry(1, "food", "Ministry of Food", "খাদ্য মন্ত্রণালয়", 11, ("a",), SINCE, None),),
    clusters=(),
    places=(DIVISION, DISTRICT, SADAR),
    offices=(Office(11, "food", "ministry", "Ministry of Food", "খাদ্য মন্ত্রণালয়", 1, None, None, SINCE, None),),
    programmes=(Programme(1, "oaa", "Old Age Allowance", "বয়স্ক ভাতা", 1, "old-age", "cash", SINCE, None),),
    categories=(Category(5, "bribe", "Bribe or illegal fee", "ঘুষ বা অবৈধ অর্থ", "x", "y", "sensitive", SINCE, None),),
    aliases={("place", "1006"): ("Barisal",), ("programme", "oaa"): ("OAA", "বৃদ্ধ ভাতা")},
)
NAMES = names_of(BOOK)
KEYS = Keyring.from_keys([b"d" * 32], b"i" * 32)
CASE = Findable(
    case_id=300_000,
    texts=("মেম্বার টাকা চেয়েছে, ফোন 01811111111", "গ্রাম: চরবাড়িয়া"),
    office_ids=(11, 20),
    place_ids=(2, 3),
    programme_id=1,
    category_id=5,
    names=("মোছাঃ রহিমা বেগম",),
    phones=("+8801712345678",),
)
TERMS, SPOKEN = terms_of(CASE, BOOK, KEYS)


def understood(typed: str) -> Query:
    return parse(typed, BOOK, NAMES, KEYS)


def finds(typed: str) -> bool:
    """Whether the case meets every group of a query."""
    groups = understood(typed).groups
    return bool(groups) and all(any(way <= TERMS for way in group.alternatives) for group in groups)


@pytest.mark.parametrize(
    "typed",
    [
        *("মেম্বারের টাকা", "টাকা মেম্বার", "চরবাড়িয়ায়", "০১৭১২৩৪৫৬৭৮", "+880 1712-345678", "০১৮১১১১১১১১", "8801811111111 টাকা"),
        *("রহিমা", "রহীমা বেগম", "মোছাঃ রহিমা", "Barisal", "বরিশাল", "Barishal Sadar", "বরিশালের টাকা"),
        *(
            "Old age allowances",
            "OAA",
            "বৃদ্ধ ভাতার টাকা",
            "bribe or illegal fee",
            "the ministry of food",
            "খাদ্য মন্ত্রণালয়ে রহিমা",
        ),
    ],
)
def test_what_finds_the_case(typed: str) -> None:
    assert finds(typed), understood(typed)


@pytest.mark.parametrize(
    "typed",
    ["করিম", "রহিমা করিম", "০১৭১২৩৪৫৬৭৯", "Bogura", "মেম্বার চাল", "#o11", "#p1", "%", "_", "' OR 1=1", "মে:*", "!টাকা চাল"],
)
def test_what_does_not(typed: str) -> None:
    assert not finds(typed), understood(typed)


def test_neither_name_nor_number_can_be_read_from_the_terms() -> None:
    marks = TERMS - SPOKEN
    assert all(mark.startswith("#") for mark in marks)
    assert not any("1712345678" in term or "রহিমা" in term for term in TERMS)
    other_key = terms_of(CASE, BOOK, Keyring.from_keys([b"d" * 32], b"j" * 32))[0]
    secret = {term for term in TERMS if term[:2] in ("#n", "#t")}
    assert len(secret) == 3 and not secret & other_key


def test_the_words_kept_to_find_similar_ones_hold_no_name_of_a_complainant() -> None:
    assert terms_of(replace(CASE, names=(), phones=()), BOOK, KEYS)[1] == SPOKEN
    assert "রহিমা" not in SPOKEN


def test_a_number_is_a_tracking_number_a_phone_or_a_word() -> None:
    number = new_tracking_number(12345)
    for typed in (number, display(number), f" {number.lower()} "):
        assert understood(typed).number == number
    assert understood("০১৭১২-৩৪৫৬৭৮").phone == "+8801712345678"
    assert (understood("01712").phone, understood("01712").number) == (None, None)
    assert understood("01712").groups


def test_a_former_name_is_said_to_be_what_it_is_now() -> None:
    assert [(group.typed, group.named) for group in understood("Barisal টাকা").groups] == [
        ("barisal", (DISTRICT,)),
        ("টাকা", ()),
    ]
    assert understood("old age allowance").groups[0].named == BOOK.programmes


def test_titles_and_fillers_are_left_out_unless_nothing_else_is_there() -> None:
    assert [group.typed for group in understood("মোঃ রহিম এবং করিম").groups] == ["রহিম", "করিম"]
    assert [group.typed for group in understood("the").groups] == ["the"]


def test_a_long_query_is_cut_at_a_word_and_says_so() -> None:
    long = understood("টাকা মেম্বার " * 1000)
    assert long.is_cut and len(long.typed) <= search_terms.LONGEST_QUERY
    assert {group.typed for group in long.groups} == {"টাকা", "মেম্বার"}
    many = understood(" ".join(f"w{number}" for number in range(40)))
    assert many.is_cut and len(many.groups) == search_terms.MOST_GROUPS
    assert not understood("টাকা মেম্বার").is_cut
    assert understood("ক" * 10_000).groups


def test_a_tsquery_quotes_what_it_is_given() -> None:
    groups = [Group("x", (frozenset({"a'b", "c\\"}), frozenset({"d"})))]
    assert as_tsquery(groups, without=["#x"]) == "(('a''b' & 'c\\\\') | ('d')) & !'#x'"
    assert as_tsquery(groups, ["#o1"], ["#s2", "#s1"]) == "(('a''b' & 'c\\\\') | ('d')) & ('#o1') & ('#s1' | '#s2')"


@given(st.text(max_size=300))
def test_anything_may_be_typed(typed: str) -> None:
    query = understood(typed)
    assert query.is_empty == (not query.groups and query.number is None)
    assert len(query.groups) <= search_terms.MOST_GROUPS
