"""Working days: weekly days off, holidays and working-day orders, by data and as of a date."""

import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.deadlines.calendar import Calendar, dhaka_date, dhaka_midnight, end_of_day
from grm.kernel.errors import Misconfigured
from tests.unit.deadlines.samples import BARE, CALENDAR, FRIDAY, WEEKENDS, holiday, naive_is_working

DATES = st.dates(date(2004, 1, 1), date(2027, 12, 31))
ONE_DAY = timedelta(days=1)


@pytest.mark.parametrize(
    "on, kind, source",
    [
        (date(2025, 3, 26), "holiday", "gazette"),
        (date(2025, 3, 28), "holiday", "gazette"),
        (date(2025, 3, 27), "working", ""),
        (date(2025, 5, 16), "weekend", ""),
        (date(2025, 5, 17), "ordered-working", "order"),
        (date(2025, 5, 10), "weekend", ""),
        (date(2005, 9, 3), "working", ""),
        (date(2005, 9, 10), "weekend", ""),
        (date(1990, 1, 6), "working", ""),
    ],
)
def test_each_day_says_what_it_is_and_by_whose_word(on: date, kind: str, source: str) -> None:
    verdict = CALENDAR.reason(on)
    assert (verdict.kind, verdict.source) == (kind, source)
    assert verdict.is_working == CALENDAR.is_working_day(on) == (kind in ("working", "ordered-working"))


def test_an_announced_day_gives_its_name_in_both_languages() -> None:
    verdict = CALENDAR.reason(date(2025, 5, 17))
    assert (verdict.name_bn, verdict.name_en) == ("ঈদের ছুটির বদলে", "For the Eid break")


@pytest.mark.parametrize(
    "on, count, expected",
    [
        (date(2025, 5, 15), 1, date(2025, 5, 17)),
        (date(2025, 6, 4), 1, date(2025, 6, 15)),
        (date(2025, 3, 20), 30, date(2025, 5, 14)),
        (date(2025, 12, 31), 1, date(2026, 1, 1)),
        (date(2026, 1, 1), 1, date(2026, 1, 4)),
        (date(2026, 1, 4), -2, date(2025, 12, 31)),
        (date(2025, 6, 15), -1, date(2025, 6, 4)),
        (date(2024, 2, 28), 1, date(2024, 2, 29)),
        (date(2024, 2, 29), 1, date(2024, 3, 3)),
        (date(2025, 6, 7), 0, date(2025, 6, 7)),
    ],
)
def test_worked_examples(on: date, count: int, expected: date) -> None:
    """Counted by hand on a printed calendar: both Eids of 2025, an ordered Saturday, year ends, a leap
    day."""
    assert CALENDAR.add_working_days(on, count) == expected


@given(DATES, st.integers(1, 90))
def test_adding_agrees_with_a_naive_walk(on: date, count: int) -> None:
    for direction in (ONE_DAY, -ONE_DAY):
        walked, left = on, count
        while left:
            walked += direction
            left -= naive_is_working(walked, CALENDAR)
        assert CALENDAR.add_working_days(on, count if direction > timedelta() else -count) == walked


@given(DATES, DATES)
def test_between_counts_what_a_naive_walk_counts(one: date, other: date) -> None:
    after, until = min(one, other), max(one, other)
    days = (after + timedelta(n) for n in range(1, (until - after).days + 1))
    expected = sum(naive_is_working(on, CALENDAR) for on in days)
    assert CALENDAR.working_days_between(after, until) == expected
    assert CALENDAR.working_days_between(until, after) == -expected


@given(DATES, st.integers(1, 300))
def test_adding_and_counting_undo_each_other(on: date, count: int) -> None:
    later = CALENDAR.add_working_days(on, count)
    assert CALENDAR.is_working_day(later)
    assert CALENDAR.working_days_between(on, later) == count
    assert CALENDAR.add_working_days(later, -count) <= on or not CALENDAR.is_working_day(on)


@given(DATES)
def test_the_next_working_day_is_the_first_on_or_after(on: date) -> None:
    found = CALENDAR.next_working_day(on)
    assert CALENDAR.is_working_day(found)
    assert found >= on
    assert not any(CALENDAR.is_working_day(on + timedelta(n)) for n in range((found - on).days))


def test_ten_thousand_additions_take_no_time() -> None:
    started = time.process_time()
    for n in range(10_000):
        CALENDAR.add_working_days(date(2025, 1, 1) + timedelta(n % 365), 30)
    assert time.process_time() - started < 0.5


def test_the_gap_is_what_is_missing_of_the_days_announced() -> None:
    assert CALENDAR.coverage_gap(date(2025, 6, 1)) == 0
    assert CALENDAR.coverage_gap(date(2025, 12, 30), needed=60) == 59
    assert CALENDAR.coverage_gap(date(2025, 12, 31), needed=60) == 60
    assert CALENDAR.coverage_gap(date(2026, 5, 1), needed=60) == 60
    last_covered = CALENDAR.add_working_days(CALENDAR.covered_until + ONE_DAY, -60)
    assert CALENDAR.coverage_gap(last_covered - ONE_DAY, needed=60) == 0


def test_an_empty_list_of_holidays_is_not_read_as_no_holidays() -> None:
    unknown = Calendar(1, WEEKENDS, {}, covered_until=date(1971, 1, 1))
    assert unknown.coverage_gap(date(2026, 1, 1)) == 60
    assert unknown.is_provisional(date(2026, 1, 1))
    assert not BARE.is_provisional(BARE.covered_until)


def test_a_weekend_rule_holds_from_its_very_day() -> None:
    saturday = date(2030, 6, 1)
    changing = Calendar(
        1, ((date(2005, 1, 1), frozenset({FRIDAY})), (saturday, frozenset({FRIDAY, 5}))), {}, date(2031, 1, 1)
    )
    assert changing.is_working_day(saturday - timedelta(days=7))
    assert not changing.is_working_day(saturday)


def test_weekends_may_be_given_in_any_order() -> None:
    turned = Calendar(1, tuple(reversed(WEEKENDS)), {}, date(2030, 1, 1))
    assert turned.is_working_day(date(2005, 9, 3))
    assert not turned.is_working_day(date(2025, 9, 6))


@pytest.mark.parametrize("weekends", [(), ((date(2005, 1, 1), frozenset(range(7))),)])
def test_a_calendar_without_a_week_is_refused(weekends: tuple[tuple[date, frozenset[int]], ...]) -> None:
    with pytest.raises(Misconfigured):
        Calendar(1, weekends, {}, date(2030, 1, 1))


def test_a_count_beyond_all_calendars_fails_instead_of_looping() -> None:
    everything_off = {date(2025, 1, 1) + timedelta(n): holiday("shut") for n in range(365)}
    shut = Calendar(1, ((date(2005, 1, 1), frozenset({FRIDAY})),), everything_off, date(2025, 12, 31))
    assert shut.next_working_day(date(2025, 1, 1)) == date(2026, 1, 1)
    with pytest.raises(Misconfigured):
        BARE.add_working_days(date(2025, 1, 1), 10_000_000)


@pytest.mark.parametrize(
    "on, offset_hours",
    [
        (date(2025, 7, 1), 6),
        (date(2009, 6, 19), 6),
        (date(2009, 6, 20), 7),
        (date(2009, 12, 31), 7),
        (date(2010, 1, 1), 6),
    ],
)
def test_midnight_follows_the_zone_not_an_offset(on: date, offset_hours: int) -> None:
    midnight = datetime(on.year, on.month, on.day, tzinfo=UTC) - timedelta(hours=offset_hours)
    assert dhaka_midnight(on) == midnight
    assert end_of_day(on - ONE_DAY) == midnight
    assert dhaka_date(midnight) == on
    assert dhaka_date(midnight - timedelta(microseconds=1)) == on - ONE_DAY


@given(st.datetimes(datetime(2008, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))
def test_an_instant_lies_within_its_dhaka_date(instant: datetime) -> None:
    on = dhaka_date(instant)
    assert dhaka_midnight(on) <= instant < end_of_day(on)
