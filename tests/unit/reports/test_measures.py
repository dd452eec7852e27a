"""Periods, age bands and selections."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.reports.measures import AGE_BANDS, MEASURES, PERIODS, Selection, due_dates, percent, period, selection_from
from grm.web.exports import csv_lines, safe_cell


@pytest.mark.parametrize(
    ("code", "today", "starts_on", "ends_on"),
    [
        ("this_month", date(2026, 11, 21), date(2026, 11, 1), date(2026, 11, 22)),
        ("last_month", date(2026, 1, 1), date(2025, 12, 1), date(2026, 1, 1)),
        ("last_90_days", date(2026, 3, 31), date(2026, 1, 1), date(2026, 4, 1)),
        ("this_fiscal_year", date(2026, 6, 30), date(2025, 7, 1), date(2026, 7, 1)),
        ("this_fiscal_year", date(2026, 7, 1), date(2026, 7, 1), date(2026, 7, 2)),
        ("last_12_months", date(2024, 2, 29), date(2023, 2, 1), date(2024, 3, 1)),
    ],
)
def test_periods(code: str, today: date, starts_on: date, ends_on: date) -> None:
    found = period(code, today)
    assert (found.starts_on, found.ends_on) == (starts_on, ends_on)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from(PERIODS))
def test_no_period_is_empty(today: date, code: str) -> None:
    found = period(code, today)
    assert found.starts_on < found.ends_on


def test_age_bands_leave_no_day_out() -> None:
    today = date(2026, 11, 21)
    for days in range(1, 400):
        due_on = date.fromordinal(today.toordinal() - days)
        fitting = []
        for band in AGE_BANDS:
            earliest, latest = due_dates(band, today)
            if (earliest is None or due_on >= earliest) and due_on <= latest:
                fitting.append(band.code)
        assert len(fitting) == 1, days


@given(
    st.sampled_from(MEASURES),
    st.none() | st.sampled_from(["food", "cell"]),
    st.none() | st.sampled_from([1, 2, 3]),
    st.none() | st.sampled_from([band.code for band in AGE_BANDS]),
)
def test_an_address_makes_the_same_selection_again(
    measure: str, ministry: str | None, level: int | None, age: str | None
) -> None:
    chosen = Selection(measure=measure, ministry=ministry, level=level, age=age)
    assert selection_from(chosen.as_query()) == chosen


def test_a_share_of_nothing_is_not_zero() -> None:
    assert percent(0, 0) is None
    assert percent(1, 3) == 33.3


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start: str) -> None:
    assert safe_cell(start + "1+1") == "'" + start + "1+1"


def test_numbers_stay_numbers() -> None:
    assert safe_cell(-3) == "-3"
    assert safe_cell(None) == ""
    assert "".join(csv_lines(["ক", "b"], [["x,y", 'q"']])) == '\ufeff"ক","b"\r\n"x,y","q"""\r\n'
