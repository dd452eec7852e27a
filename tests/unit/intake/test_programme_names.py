"""Whoever writes a programme's name as people say it is understood; where more than one may be meant, somebody is asked."""

import csv
import time
from pathlib import Path

import pytest

import grm
from grm.intake.programme_names import MOST, ProgrammeNames

DATA = Path(grm.__file__).parent / "data"


@pytest.fixture(scope="module")
def names() -> ProgrammeNames:
    """The programmes and names that the system is delivered with."""
    with (DATA / "programmes.csv").open(encoding="utf-8") as file:
        named = {row["slug"]: [row["name_bn"], row["name_en"]] for row in csv.DictReader(file)}
    with (DATA / "aliases.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["kind"] == "programme":
                named[row["code"]].append(row["name"])
    return ProgrammeNames(named)


@pytest.mark.parametrize(
    ("typed", "slug"),
    [
        ("বয়স্ক ভাতা", "old-age-allowance"),
        ("বয়স্কভাতার", "old-age-allowance"),
        ("বয়ষ্ক ভাতার টাকা পাই না", "old-age-allowance"),
        ("  OLD   age\u200b allowance ", "old-age-allowance"),
        ("বৃদ্ধ ভাতা", "old-age-allowance"),
        ("VGD", "vwb"),
        ("vgd card", "vwb"),
        ("ভিজিডি কার্ড", "vwb"),
        ("ভি জি এফ", "vgf"),
        ("জেলে ভিজিএফ", "fishers-food-assistance"),
        ("আমরা জেলে ভিজিএফ পাইনি", "fishers-food-assistance"),
        ("১০ টাকার চাল", "food-friendly-programme"),
        ("10 টাকার চাল", "food-friendly-programme"),
        ("৪০ দিনের কাজ করেছি", "egpp"),
        ("একটি বাড়ি একটি খামার", "my-house-my-farm"),
        ("বিধবা", "widow-allowance"),
        ("হিজড়া", "hijra-programme"),
        ("হিজ\u09dcা ভাতা", "hijra-programme"),
    ],
)
def test_one_programme_is_meant(names: ProgrammeNames, typed: str, slug: str) -> None:
    found = names.find(typed)
    assert (found.slugs, found.is_sure) == ((slug,), True)


@pytest.mark.parametrize(
    ("typed", "slugs"),
    [
        ("চাল", {"oms", "food-friendly-programme", "vgf", "gr-food"}),
        ("পেনশন", {"universal-pension", "government-pension"}),
        ("বয়স্ক ভাতা পাইনি, বিধবা ভাতাও না", {"old-age-allowance", "widow-allowance"}),
        ("widow alowance", {"widow-allowance"}),
        ("মুক্তিযুদ্ধা ভাতা", {"freedom-fighter-honorarium"}),
    ],
)
def test_where_it_is_not_certain_somebody_is_asked(names: ProgrammeNames, typed: str, slugs: set[str]) -> None:
    found = names.find(typed)
    assert (set(found.slugs), found.is_sure) == (slugs, False)


@pytest.mark.parametrize(
    "typed", ["", " \u200b", "ভাতা", "কার্ড", "allowance", "কর্মসূচির", "xyz", "আমার নাম করিম", "%", "\x00", "?!"]
)
def test_what_says_too_little_finds_nothing(names: ProgrammeNames, typed: str) -> None:
    assert names.find(typed).slugs == ()


def test_there_are_never_more_than_can_be_read(names: ProgrammeNames) -> None:
    for word in ("সহায়তা", "উপবৃত্তি", "food", "চাল", "programme for women"):
        assert len(names.find(word).slugs) <= MOST


def test_both_encodings_of_a_letter_are_one_name() -> None:
    names = ProgrammeNames({"a": ["বয়স্ক"], "b": ["বড়"]})
    for one, two in (("বয়স্ক", "ব\u09df\u09b8\u09cd\u0995"), ("বড়", "ব\u09dc")):
        assert names.find(one) == names.find(two) != ProgrammeNames({}).find(one)


def test_nonsense_of_any_length_is_quick(names: ProgrammeNames) -> None:
    start = time.process_time()
    for typed in ("ক" * 100_000, "ক " * 50_000, "্" * 100_000, "a-" * 50_000):
        names.find(typed)
    assert time.process_time() - start < 0.2
