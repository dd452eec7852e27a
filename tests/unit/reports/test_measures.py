"""Selections and their addresses, what a line says of them, dimensions that meet, and beneficiary files."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.offices.directory import Category, Cluster, Directory, Ministry, Office, Place, Programme
from grm.reports.beneficiaries import Numbers
from grm.reports.beneficiary_csv import parse
from grm.reports.dimensions import Asked, choices, keys_of, view_of
from grm.reports.measures import AGE_BANDS, MEASURES, PERIODS, Selection, figure, selection_from, span_of
from grm.reports.overview import asked_from, next_by, only_choices
from grm.tallies.figures import Line
from grm.tallies.periods import period
from grm.tallies.scope import ALL_SHADES, DESK_ONLY, Scope
from grm.web.exports import csv_lines, safe_cell

DAY = date(2026, 1, 1)
TODAY = date(2026, 11, 21)
ALL = Scope("all", "all", None, ALL_SHADES, has_lists=True)
OWN = Scope("desk", "office", frozenset({11}), DESK_ONLY, has_lists=True)


def book() -> Directory:
    """Two ministries with a programme each, a cluster, a provider, two districts of one division."""
    return Directory(
        1,
        tuple(Ministry(n, slug, slug, slug, 10 + n, ("relief",), DAY, None) for n, slug in ((1, "food"), (2, "land"))),
        (Cluster(5, "relief", "Relief", "ত্রাণ", 1, (1,), DAY, None),),
        (
            Place(6, "30", "division", "Dhaka", "ঢাকা", None, None, DAY, None),
            Place(7, "3026", "district", "Dhaka", "ঢাকা", 6, (1, 1), DAY, None),
            Place(8, "3033", "district", "Gazipur", "গাজীপুর", 6, (1, 2), DAY, None),
        ),
        (
            Office(1, "cell", "cell", "Cell", "সেল", None, None, None, DAY, None),
            *(
                Office(10 + n, slug, "ministry", slug, slug, n, None, 1, DAY, None)
                for n, slug in ((1, "food"), (2, "land"))
            ),
            Office(30, "bkash", "provider", "bKash", "বিকাশ", None, None, None, DAY, None),
        ),
        tuple(
            Programme(n, slug, slug, slug, ministry, "old-age", "cash", DAY, None)
            for n, slug, ministry in ((21, "vgf", 1), (22, "rice", 1), (23, "house", 2))
        ),
        (Category(40, "late", "Late", "বিলম্ব", "", "", "normal", DAY, None),),
        {},
    )


@given(
    st.sampled_from(MEASURES),
    st.none() | st.sampled_from(["food", "cell"]),
    st.none() | st.sampled_from([1, 2, 3]),
    st.none() | st.sampled_from([band.code for band in AGE_BANDS]),
    st.sampled_from([*PERIODS, "2026-11"]),
)
def test_an_address_makes_the_same_selection_again(
    measure: str, ministry: str | None, level: int | None, age: str | None, code: str
) -> None:
    chosen = Selection(measure=measure, scope="own", ministry=ministry, level=level, age=age, period=code)
    again = selection_from(chosen.as_query())
    assert again.as_query() == chosen.as_query()
    assert measure not in ("received", "late") or again == chosen


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "", "1899-01", "২০২৬-৯৯", "x" * 99])
def test_a_period_that_means_nothing_is_the_last_12_months(text: str) -> None:
    assert selection_from({"period": text, "measure": "received"}).period == "last_12_months"


def test_the_days_of_a_selection() -> None:
    month = span_of(selection_from({"period": "2026-10", "measure": "received"}), TODAY)
    assert (month.starts_on, month.ends_on) == (date(2026, 10, 1), date(2026, 11, 1))
    days = {"since": "2026-10-05", "until": "২০২৬-১০-১২", "measure": "received"}
    assert span_of(selection_from(days), TODAY).ends_on == date(2026, 10, 12)
    assert selection_from({**days, "until": "2026-10-05"}).since is None


LINE = Line(
    received=9,
    in_time=3,
    late=1,
    stars=(1, 0, 0, 2, 3),
    running={(0, date(2026, 11, 20)): 2, (2, date(2026, 9, 1)): 1, (0, TODAY): 4, (0, date(2026, 11, 28)): 1},
    paused={(0, date(2026, 1, 1)): 5, (1, date(2026, 1, 1)): 1},
    parts={(1, date(2026, 11, 1)): 1},
)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Selection("received"), 9),
        (Selection("resolved"), 4),
        (Selection("overdue"), 3),
        (Selection("overdue", age="1-7"), 2),
        (Selection("open"), 14),
        (Selection("paused"), 6),
        (Selection("escalated"), 3),
        (Selection("escalated", level=1), 2),
        (Selection("escalated", level=2, age="31-90"), 1),
        (Selection("rated"), 6),
        (Selection("rated", stars=4), 2),
        (Selection("satisfied"), 5),
        (Selection("due_7"), 5),
        (Selection("open", level=1), None),
        (Selection("open", age="1-7"), None),
        (Selection("received", since=DAY, until=TODAY), None),
    ],
)
def test_what_a_line_says_of_a_selection(chosen: Selection, expected: int | None) -> None:
    assert figure(LINE, chosen, TODAY) == expected


def test_groups_of_offices_and_what_means_nothing() -> None:
    assert keys_of(book(), "ministry", "food") == ("11",) and keys_of(book(), "ministry", "providers") == ("30",)
    assert keys_of(book(), "ministry", "bkash") == ("30",) and keys_of(book(), "cluster", "relief") == ("11",)
    assert keys_of(book(), "division", "30") == ("7", "8") and keys_of(book(), "stage", "old-age") == ("21", "22", "23")
    assert keys_of(book(), "programme", "none") == ("none",)
    assert keys_of(book(), "ministry", "nowhere") == keys_of(book(), "sex", "x") == ()


def test_only_dimensions_that_are_counted_together_meet() -> None:
    span = period("last_12_months", TODAY)
    assert set(choices(ALL, "programme")) == {"ministry", "cluster", "programme", "stage", "district", "division"}
    assert "sex" in choices(ALL, "ministry") and "sex" not in choices(ALL, "category")
    assert set(choices(OWN, "district")) == {"ministry", "cluster", "district", "division"}
    assert view_of(book(), ALL, span, {"programme": "vgf", "category": "late"}) is None
    assert view_of(book(), ALL, span, {"ministry": "food", "programme": "vgf"}, "district") is None
    view = view_of(book(), ALL, span, {"ministry": "food", "programme": "vgf"})
    assert view is not None and view.conditions == {"office": (11,), "programme": (21,)}
    view = view_of(book(), OWN, span, {"ministry": "land", "district": "3026"})
    assert view is not None and view.conditions == {"office": (), "district": (7,)}
    view = view_of(book(), ALL, span, {"cluster": "relief", "ministry": "land"}, "sex")
    assert view is not None and view.conditions == {"office": (), "sex": None}


@pytest.mark.parametrize(
    ("scope", "query", "by", "only"),
    [
        (ALL, {}, "ministry", None),
        (OWN, {}, "programme", None),
        (ALL, {"by": "sex"}, "sex", None),
        (ALL, {"by": "sex", "only": "ministry:food"}, "sex", ("ministry", "food")),
        (ALL, {"by": "sex", "only": "category:late"}, "district", ("category", "late")),
        (ALL, {"by": "sex", "only": "category:nothing"}, "sex", None),
        (OWN, {"by": "nothing", "only": "sex:female"}, "ministry", ("sex", "female")),
    ],
)
def test_what_an_address_asks_for(scope: Scope, query: dict[str, str], by: str, only: tuple[str, str] | None) -> None:
    asked = asked_from(book(), scope, query)
    assert (asked.by, asked.only) == (by, only)
    assert view_of(book(), scope, period("this_month", TODAY), dict([only]) if only else {}, by) is not None


def test_what_a_row_opens_and_to_what_a_page_may_be_kept() -> None:
    assert next_by(Asked(ALL, "ministry", None)) == "programme"
    assert next_by(Asked(ALL, "division", None)) == "district"
    assert next_by(Asked(OWN, "programme", None)) == "ministry"
    assert "category" not in only_choices(book(), Asked(ALL, "programme", None))
    assert set(only_choices(book(), Asked(OWN, "programme", None))) <= {"stage"}


def test_people_are_those_of_the_country_or_the_sum_of_districts() -> None:
    numbers = Numbers("2025-26", {(21, None): 1000, (21, 7): 300, (22, 7): 50, (22, 8): 70})
    assert numbers.of(None, None) == 1120
    assert numbers.of({21}, None) == 1000 and numbers.of({22}, None) == 120
    assert numbers.of(None, {7}) == 350 and numbers.of({21}, {8}) is None and numbers.of({99}, None) is None


HEADER = "programme,district,fiscal_year,people,source\n"


def test_a_good_file_of_beneficiary_numbers() -> None:
    content = (HEADER + 'vgf,,2025-26,"১২,৩৪,৫৬৭",বাজেট\nRICE,Gazipur,২০২৫-২৬,0,budget\n').encode()
    lines, faults = parse(content, book())
    assert not faults
    assert [(line.programme_id, line.district_id, line.fiscal_year, line.people) for line in lines] == [
        (21, None, "2025-26", 1_234_567),
        (22, 8, "2025-26", 0),
    ]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("vgff,,2025-26,1,s", "there is no programme vgff; perhaps vgf"),
        ("vgf,nowhere at all,2025-26,1,s", "there is no district nowhere at all"),
        ("vgf,30,2025-26,1,s", "there is no district 30"),
        ("vgf,,2025-27,1,s", "fiscal_year must be"),
        ("vgf,,2025,1,s", "fiscal_year must be"),
        ("vgf,,2025-26,-1,s", "people must be"),
        ("vgf,,2025-26,1.5,s", "people must be"),
        ("vgf,,2025-26,900000000,s", "people must be"),
        ("vgf,,2025-26,,s", "people must be"),
        ("vgf,,2025-26,1,", "source is empty"),
        ("vgf,,2025-26,1,s,more", "more values than columns"),
        ("land,,2025-26,1,s\nhouse,,2025-26,1,s\nhouse,,2025-26,2,s", "line 3 says a number of the same already"),
    ],
)
def test_faults_of_a_file_are_all_told_and_nothing_is_taken(row: str, words: str) -> None:
    lines, faults = parse((HEADER + row + "\n").encode(), book())
    assert not lines and any(words in str(fault) for fault in faults), [str(fault) for fault in faults]


def test_files_that_are_none() -> None:
    for content in (b"", HEADER.encode(), b"programme,people\nvgf,1\n", b"\xff\xfe", b"a\0b"):
        lines, faults = parse(content, book())
        assert not lines and faults, content


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start: str) -> None:
    assert safe_cell(start + "1+1") == "'" + start + "1+1"


def test_numbers_stay_numbers() -> None:
    assert safe_cell(-3) == "-3"
    assert safe_cell(None) == ""
    assert "".join(csv_lines(["ক", "b"], [["x,y", 'q"']])) == '\ufeff"ক","b"\r\n"x,y","q"""\r\n'
