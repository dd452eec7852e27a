"""A list of people is read as people write lists; what cannot be read is named by its line, and nobody is lost."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.intake.others import LONGEST, MOST, Person, read

SALMA = Person("সালমা বেগম", "+8801812345678")


@pytest.mark.parametrize(
    "line",
    [
        "সালমা বেগম, ০১৮১২৩৪৫৬৭৮",
        "সালমা বেগম 01812345678",
        "০১৮১২-৩৪৫৬৭৮ সালমা বেগম",
        "১. সালমা বেগম – ০১৮১২ ৩৪৫ ৬৭৮",
        "(12) সালমা বেগম: +880 1812-345678",
        "১। সালমা বেগম\t৮৮০১৮১২৩৪৫৬৭৮",
        "- সালমা বেগম (০১৮১২৩৪৫৬৭৮)",
        "  সালমা   বেগম ;٠١٨١٢٣٤٥٦٧٨ ",
    ],
)
def test_every_way_of_writing_a_line_is_one_person(line: str) -> None:
    assert read(line).people == (SALMA,) and read(line).faults == ()


def test_a_name_or_a_number_alone_will_do_and_empty_lines_do_not_count() -> None:
    typed = "জমিলা খাতুন\r\n\r\n \u200b\r\n০১৭১২৩৪৫৬৭৮\r\n—\r\nওয়ার্ড ৫ এর রফিক\r\nজমিলা খাতুন"
    assert read(typed).people == (Person("জমিলা খাতুন"), Person(None, "+8801712345678"), Person("ওয়ার্ড ৫ এর রফিক"))


def test_people_may_share_a_telephone() -> None:
    assert len(read("ক, 01712345678\nখ, 01712345678").people) == 2


def test_wrong_lines_are_named_and_the_others_kept() -> None:
    found = read("সালমা বেগম, ০১৮১২৩৪৫৬৭৮\nক, ০১২১২৩৪৫৬৭৮\n\nখ 12345\n" + "গ" * 301 + "\nঘ, +15005550006")
    assert found.people == (SALMA,)
    assert {code: figures["lines"] for code, figures in found.faults} == {
        "others-phone": (2, 4, 6),
        "others-name": (5,),
    }


def test_there_are_at_most_fifty() -> None:
    lines = [f"কেউ {number}" for number in range(MOST)]
    assert read("\n".join(lines)).faults == ()
    ((code, figures),) = read("\n".join([*lines, "আরেকজন"])).faults
    assert (code, figures["count"], figures["limit"]) == ("others-many", MOST + 1, MOST)


@pytest.mark.parametrize(("typed", "code"), [("a\x00b", "control-characters"), ("ক" * (LONGEST + 1), "too-long")])
def test_what_is_no_list_is_refused(typed: str, code: str) -> None:
    assert [fault for fault, _ in read(typed).faults] == [code]


def test_odd_text_is_a_name_and_takes_no_time() -> None:
    assert read("<script>alert(1)</script>").people == (Person("<script>alert(1)</script>"),)
    start = time.process_time()
    for typed in ("1 " * 10_000, "1-" * 10_000, "(" * 20_000, "1\n" * 10_000, "১." * 10_000):
        read(typed)
    assert time.process_time() - start < 0.5


@given(st.text(max_size=200))
def test_whatever_is_typed_gets_an_answer(typed: str) -> None:
    found = read(typed)
    for person in found.people:
        assert person.name or person.phone
    for _, figures in found.faults:
        assert typed == "" or all(value != typed for value in figures.values())
