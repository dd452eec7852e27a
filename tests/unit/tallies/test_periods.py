"""Periods of whole months, age bands and shares."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.tallies.periods import (
    AGE_BANDS,
    PERIODS,
    age_band,
    band_of,
    days_overdue,
    due_dates,
    fiscal_year,
    month_of,
    percent,
    period,
    previous,
)

DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


@pytest.mark.parametrize(
    ("code", "today", "starts_on", "ends_on", "before"),
    [
        ("this_month", date(2026, 11, 21), date(2026, 11, 1), date(2026, 12, 1), date(2026, 10, 1)),
        ("last_month", date(2026, 1, 1), date(2025, 12, 1), date(2026, 1, 1), date(2025, 11, 1)),
        ("last_3_months", date(2026, 2, 28), date(2025, 12, 1), date(2026, 3, 1), date(2025, 9, 1)),
        ("this_fiscal_year", date(2026, 6, 30), date(2025, 7, 1), date(2026, 7, 1), date(2024, 7, 1)),
        ("this_fiscal_year", date(2026, 7, 1), date(2026, 7, 1), date(2026, 8, 1), date(2026, 6, 1)),
        ("last_fiscal_year", date(2026, 6, 30), date(2024, 7, 1), date(2025, 7, 1), date(2023, 7, 1)),
        ("last_12_months", date(2024, 2, 29), date(2023, 3, 1), date(2024, 3, 1), date(2022, 3, 1)),
        ("of no meaning", date(2024, 2, 29), date(2023, 3, 1), date(2024, 3, 1), date(2022, 3, 1)),
    ],
)
def test_periods(code: str, today: date, starts_on: date, ends_on: date, before: date) -> None:
    found = period(code, today)
    assert (found.starts_on, found.ends_on) == (starts_on, ends_on)
    assert (previous(found).starts_on, previous(found).ends_on) == (before, starts_on)


@given(DAYS, st.sampled_from(PERIODS))
def test_periods_are_whole_months_and_the_one_before_is_as_long(today: date, code: str) -> None:
    found = period(code, today)
    months = list(found.months)
    assert found.code == code and found.month_count == len(months) >= 1
    assert months[0] == found.starts_on and all(month.day == 1 for month in [*months, found.ends_on])
    assert previous(found).month_count == found.month_count and previous(found).ends_on == found.starts_on
    assert found.is_running(today) == (not code.startswith(("last_month", "last_fiscal"))) == found.holds(today)
    assert found.holds(found.last_day) and not found.holds(found.ends_on) and not found.holds(None)


def test_a_month_by_a_day_of_it() -> None:
    found = month_of(date(2026, 12, 31))
    assert (found.code, found.starts_on, found.ends_on) == ("2026-12", date(2026, 12, 1), date(2027, 1, 1))


@pytest.mark.parametrize(
    ("day", "year"),
    [(date(2026, 6, 30), "2025-26"), (date(2026, 7, 1), "2026-27"), (date(2099, 12, 31), "2099-00")],
)
def test_fiscal_years(day: date, year: str) -> None:
    assert fiscal_year(day) == year


def test_age_bands_leave_no_day_out() -> None:
    today = date(2026, 11, 21)
    for days in range(-3, 400):
        due_on = date.fromordinal(today.toordinal() - days)
        fitting = []
        for band in AGE_BANDS:
            earliest, latest = due_dates(band, today)
            if (earliest is None or due_on >= earliest) and due_on <= latest:
                fitting.append(band.code)
        assert fitting == ([] if days < 1 else [band_of(due_on, today)]), days
        assert days_overdue(due_on, today) == max(0, days)
    assert band_of(today, today) is None and age_band("8-14").longest_days == 14


def test_a_share_of_nothing_is_not_zero() -> None:
    assert percent(0, 0) is None
    assert percent(1, 3) == 33.3
