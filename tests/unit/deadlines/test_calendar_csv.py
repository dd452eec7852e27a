"""A file of gazetted days is taken whole or not at all, and every fault is named with its line."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.deadlines.calendar import Day
from grm.deadlines.calendar_csv import parse
from grm.deadlines.seeding import OWN_DAYS

HEADER = "day,kind,name_bn,name_en,source"
EID = "2027-03-11,holiday,ঈদুল ফিতর,Eid-ul-Fitr,Gazette"


def faults(content: str | bytes) -> list[str]:
    parsed = parse(content.encode() if isinstance(content, str) else content)
    assert not (parsed.faults and parsed.days)
    return [f"{fault.line}: {fault.message}" for fault in parsed.faults]


def test_a_good_file() -> None:
    content = (
        "\ufeffday,kind,name_bn,name_en,source,estimated\r\n"
        "২০২৭-০৩-১১,holiday,ঈদুল ফিতর, Eid-ul-Fitr ,Gazette,yes\r\n"
        '2027-03-13,working,কর্মদিবস,Working Saturday,"Order 7, 2027",\r\n'
        "\r\n"
        "2027-03-17,none,,,Gazette,no\r\n"
    )
    parsed = parse(content.encode())
    assert parsed.faults == ()
    assert parsed.days == {
        date(2027, 3, 11): Day("holiday", "ঈদুল ফিতর", "Eid-ul-Fitr", "Gazette", True),
        date(2027, 3, 13): Day("working", "কর্মদিবস", "Working Saturday", "Order 7, 2027"),
        date(2027, 3, 17): None,
    }


@pytest.mark.parametrize("content", ["", " \n\n", "\ufeff", HEADER, HEADER + "\n\n , , , , \n"])
def test_an_empty_file_never_means_that_there_are_no_holidays(content: str) -> None:
    [fault] = faults(content)
    assert fault.startswith("0: ") and "never means that there are no holidays" in fault


def test_all_faults_are_told_together_each_with_its_line() -> None:
    content = "\n".join(
        [
            HEADER,
            EID,
            "11/03/2027,holiday,ক,A,Gazette",
            "2027-02-30,holiday,ক,A,Gazette",
            "1999-12-31,holiday,ক,A,Gazette",
            "2027-03-12,feast,ক,A,Gazette",
            "2027-03-14,holiday,,A,",
            "2027-03-11,working,ক,A,Gazette",
            "2027-03-15,holiday,ক,A,Gazette,too,many",
            f"2027-03-16,holiday,{'ক' * 201},A,Gazette",
            "2027-03-17,none,,,",
        ]
    )
    assert faults(content) == [
        "3: day must be a date like 2027-03-10, from 2000 to 2100",
        "4: day must be a date like 2027-03-10, from 2000 to 2100",
        "5: day must be a date like 2027-03-10, from 2000 to 2100",
        "6: kind must be holiday, working or none",
        "7: name_bn is empty",
        "7: source is empty",
        "8: 2027-03-11 is in line 2 already",
        "9: there are more values than columns",
        "10: name_bn is longer than 200 characters",
        "11: source is empty",
    ]


def test_a_quoted_line_break_does_not_shift_the_line_numbers() -> None:
    content = f'{HEADER}\n2027-03-11,holiday,ক,"Eid\nal-Fitr",Gazette\n2027-03-12,feast,ক,A,Gazette\n'
    assert faults(content) == ["4: kind must be holiday, working or none"]


@pytest.mark.parametrize(
    "content, fault",
    [
        ("day,kind,name_bn,name_en\n", "1: column source is missing"),
        (f"{HEADER},colour\n{EID},red", "1: column colour is not known"),
        (f"{HEADER},day\n{EID},2027-03-12", "1: column day occurs twice"),
        (f"{HEADER},estimated\n{EID},perhaps", "2: estimated must be yes or no"),
        (f"{HEADER}\n{EID}\n2027-03-12,holiday,\x00,A,G", "3: the file holds a NUL character"),
        (HEADER.encode() + b"\n" + EID.encode() + b"\n2027-03-12,holiday,\xff\xfe,A,G", "3: the text is not UTF-8"),
        (b"x" * 1_000_001, "0: the file has more than 1000000 bytes"),
        (f'{HEADER}\n2027-03-11,holiday,"ক,A,Gazette', "2: this is no readable CSV: unexpected end of data"),
    ],
)
def test_what_is_no_such_file(content: str | bytes, fault: str) -> None:
    assert faults(content) == [fault]


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: f"{HEADER}\n{text}".encode(errors="replace")))
def test_nothing_a_file_can_hold_is_a_crash(content: bytes) -> None:
    parsed = parse(content)
    assert bool(parsed.faults) != bool(parsed.days)


def test_our_own_file_is_good_and_every_line_says_whose_word_it_is() -> None:
    parsed = parse(OWN_DAYS.read_bytes())
    assert parsed.faults == ()
    assert all(day is not None and day.source for day in parsed.days.values())
    assert {on.year for on in parsed.days} == {2025, 2026}
