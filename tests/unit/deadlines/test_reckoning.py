"""A deadline is a pure function of start, limit, pauses and calendar, and its lines add up to it."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.deadlines.calendar import DHAKA, Calendar, dhaka_date
from grm.deadlines.policy import Unit
from grm.deadlines.reckoning import Pause, due, reckon
from tests.unit.deadlines.samples import BARE, CALENDAR, WEEKENDS, days_of_2025, holiday, naive_due_on

UNITS: tuple[Unit, Unit] = ("working_days", "calendar_days")
ONE_DAY = timedelta(days=1)


def dhaka(year: int, month: int, day: int, hour: int = 10, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=DHAKA)


STARTS = st.datetimes(datetime(2024, 12, 1), datetime(2026, 1, 31), timezones=st.just(UTC)) | st.datetimes(
    datetime(2009, 6, 1), datetime(2010, 1, 31), timezones=st.just(UTC)
)
PAUSES = st.lists(st.tuples(st.integers(0, 90 * 1440), st.integers(0, 20 * 1440)), max_size=4)


def pauses_from(started_at: datetime, minutes: list[tuple[int, int]]) -> list[Pause]:
    begins = [started_at + timedelta(minutes=offset) for offset, _ in minutes]
    return [
        Pause(begin, begin + timedelta(minutes=length), "asked")
        for begin, (_, length) in zip(begins, minutes, strict=True)
    ]


@pytest.mark.parametrize(
    "started_at, limit, start_on, due_on",
    [
        (dhaka(2025, 3, 20), 30, date(2025, 3, 20), date(2025, 5, 14)),  # Eid-ul-Fitr: 55 calendar days
        (dhaka(2025, 3, 28), 3, date(2025, 4, 6), date(2025, 4, 9)),  # filed on a Friday in the Eid break
        (dhaka(2025, 5, 15), 2, date(2025, 5, 15), date(2025, 5, 18)),  # the ordered Saturday counts
        (dhaka(2025, 5, 16), 1, date(2025, 5, 17), date(2025, 5, 18)),  # filed on Friday: starts on that Saturday
        (dhaka(2026, 2, 5), 10, date(2026, 2, 5), date(2026, 2, 19)),  # ten working days from a Thursday
        (dhaka(2025, 12, 31, 23, 59, 59), 1, date(2025, 12, 31), date(2026, 1, 1)),
        (dhaka(2026, 1, 1, 0, 0, 0), 1, date(2026, 1, 1), date(2026, 1, 4)),
        (dhaka(2024, 2, 27), 2, date(2024, 2, 27), date(2024, 2, 29)),  # a leap day is worked
        (dhaka(2009, 6, 18), 1, date(2009, 6, 18), date(2009, 6, 21)),  # over the change to +07
    ],
)
def test_worked_examples(started_at: datetime, limit: int, start_on: date, due_on: date) -> None:
    """Counted by hand on a printed calendar."""
    result = reckon(started_at, limit, "working_days", [], CALENDAR)
    assert (result.start_on, result.due_on, result.counted) == (start_on, due_on, limit)


def test_late_is_from_midnight_in_dhaka_after_the_due_date() -> None:
    assert due(dhaka(2026, 2, 5), 10, "working_days", [], BARE).due_at == datetime(2026, 2, 19, 18, 0, tzinfo=UTC)
    assert due(dhaka(2009, 7, 1), 1, "working_days", [], BARE).due_at == datetime(2009, 7, 2, 17, 0, tzinfo=UTC)
    assert due(dhaka(2009, 12, 30), 1, "working_days", [], BARE).due_at == datetime(2009, 12, 31, 18, 0, tzinfo=UTC)


def test_the_dhaka_date_counts_not_the_utc_date() -> None:
    """19:00 UTC is already tomorrow in Dhaka; in 2009 so was 17:30 UTC."""
    assert due(datetime(2026, 2, 4, 19, tzinfo=UTC), 1, "working_days", [], BARE).start_on == date(2026, 2, 5)
    assert due(datetime(2026, 2, 4, 17, 30, tzinfo=UTC), 1, "working_days", [], BARE).start_on == date(2026, 2, 4)
    assert due(datetime(2009, 7, 1, 17, 30, tzinfo=UTC), 1, "working_days", [], BARE).start_on == date(2009, 7, 2)


def test_every_day_has_its_verdict_and_source() -> None:
    pause = Pause(dhaka(2025, 3, 23, 12), dhaka(2025, 3, 25, 9), "waiting for the complainant")
    result = reckon(dhaka(2025, 3, 21), 3, "working_days", [pause], CALENDAR)
    assert [(line.on.isoformat()[5:], line.verdict, line.number) for line in result.days][:8] == [
        ("03-21", "skipped-weekend", None),
        ("03-22", "skipped-weekend", None),
        ("03-23", "start", None),
        ("03-24", "paused", None),
        ("03-25", "counted", 1),
        ("03-26", "skipped-holiday", None),
        ("03-27", "counted", 2),
        ("03-28", "skipped-holiday", None),
    ]
    assert result.days[3].source == "waiting for the complainant"
    assert (result.days[5].name_en, result.days[5].source) == ("Independence Day", "gazette")
    assert (result.due_on, result.days[-1].on, result.days[-1].number) == (date(2025, 4, 6), date(2025, 4, 6), 3)


@pytest.mark.parametrize(
    "pause, days_later",
    [
        (Pause(dhaka(2026, 2, 9, 9), dhaka(2026, 2, 9, 17)), 0),  # within one day
        (Pause(dhaka(2026, 2, 9, 9), dhaka(2026, 2, 10, 0)), 1),  # to midnight: that day is lost
        (Pause(dhaka(2026, 2, 9, 0), dhaka(2026, 2, 10, 23, 59)), 1),  # the day of resumption counts
        (Pause(dhaka(2026, 2, 9, 9), dhaka(2026, 2, 11, 9)), 2),
        (Pause(dhaka(2026, 2, 12, 23, 59), dhaka(2026, 2, 15, 0, 1)), 1),  # Thursday night to Sunday: Thursday alone
        (Pause(dhaka(2026, 2, 13, 9), dhaka(2026, 2, 14, 9)), 0),  # over a weekend
        (Pause(dhaka(2026, 3, 9, 9), dhaka(2026, 3, 11, 9)), 0),  # after the due date
        (Pause(dhaka(2026, 1, 9, 9), dhaka(2026, 2, 5, 9)), 0),  # before the start
    ],
)
def test_a_pause_costs_the_days_at_whose_end_the_clock_stood_still(pause: Pause, days_later: int) -> None:
    base = due(dhaka(2026, 2, 5), 10, "working_days", [], BARE).due_on
    result = due(dhaka(2026, 2, 5), 10, "working_days", [pause], BARE).due_on
    assert BARE.working_days_between(base, result) == days_later


def test_overlapping_pauses_cost_a_day_once() -> None:
    long = Pause(dhaka(2026, 2, 9), dhaka(2026, 2, 12))
    inner = Pause(dhaka(2026, 2, 10), dhaka(2026, 2, 11))
    one = due(dhaka(2026, 2, 5), 10, "working_days", [long], BARE)
    assert due(dhaka(2026, 2, 5), 10, "working_days", [inner, long, inner], BARE) == one


def test_a_standing_pause_needs_an_as_of_and_moves_with_it() -> None:
    standing = Pause(dhaka(2026, 2, 9), None)
    with pytest.raises(ValueError, match="as of"):
        due(dhaka(2026, 2, 5), 10, "working_days", [standing], BARE)
    days = [
        due(dhaka(2026, 2, 5), 10, "working_days", [standing], BARE, dhaka(2026, 2, day)).due_on for day in (9, 10, 11)
    ]
    assert days == [date(2026, 2, 19), date(2026, 2, 22), date(2026, 2, 23)]
    base = due(dhaka(2026, 2, 5), 10, "working_days", [], BARE)
    assert due(dhaka(2026, 2, 5), 10, "working_days", [standing], BARE, dhaka(2026, 2, 7)) == base
    closed = Pause(standing.from_at, dhaka(2026, 2, 11))
    assert reckon(dhaka(2026, 2, 5), 10, "working_days", [closed], BARE).due_on == days[-1]


@pytest.mark.parametrize(
    "started_at, due_on",
    [
        (dhaka(2026, 2, 5), date(2026, 2, 15)),  # ten days on is Sunday
        (dhaka(2026, 2, 3), date(2026, 2, 15)),  # ten days on is Friday: the next open day
        (dhaka(2026, 2, 6), date(2026, 2, 16)),  # begins on a Friday, by the date itself
        (dhaka(2025, 5, 26), date(2025, 6, 15)),  # ten days on is the first day of Eid-ul-Azha
    ],
)
def test_a_calendar_limit_ends_on_an_open_day(started_at: datetime, due_on: date) -> None:
    result = reckon(started_at, 10, "calendar_days", [], CALENDAR)
    assert (result.due_on, result.counted, result.start_on) == (due_on, 10, started_at.date())


def test_a_late_holiday_moves_the_date_by_the_days_it_takes() -> None:
    late = Calendar(8, WEEKENDS, days_of_2025() | {date(2025, 4, 8): holiday("moon")}, date(2025, 12, 31))
    before = due(dhaka(2025, 3, 20), 30, "working_days", [], CALENDAR)
    assert due(dhaka(2025, 3, 20), 30, "working_days", [], late).due_on == date(2025, 5, 15) > before.due_on


def test_a_negative_limit_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="negative"):
        due(dhaka(2026, 2, 5), -1, "working_days", [], BARE)


@given(STARTS, st.integers(0, 70), st.sampled_from(UNITS), PAUSES)
def test_the_lines_add_up_to_the_date(
    started_at: datetime, limit: int, unit: Unit, minutes: list[tuple[int, int]]
) -> None:
    pauses = pauses_from(started_at, minutes)
    result = reckon(started_at, limit, unit, pauses, CALENDAR)
    short = due(started_at, limit, unit, pauses, CALENDAR)
    assert (result.start_on, result.due_on, result.due_at) == (short.start_on, short.due_on, short.due_at)
    assert result.counted == limit == sum(line.verdict == "counted" for line in result.days)
    numbers = [line.number for line in result.days if line.number is not None]
    assert numbers == list(range(1, limit + 1))
    assert [line.on for line in result.days] == [result.days[0].on + n * ONE_DAY for n in range(len(result.days))]
    assert (result.days[0].on, result.days[-1].on) == (dhaka_date(started_at), result.due_on)
    assert [line.on for line in result.days if line.verdict == "start"] == [result.start_on]
    assert limit == 0 or CALENDAR.is_working_day(result.due_on)


@given(STARTS, st.integers(0, 70), st.sampled_from(UNITS), PAUSES)
def test_the_date_agrees_with_the_naive_reference(
    started_at: datetime, limit: int, unit: Unit, minutes: list[tuple[int, int]]
) -> None:
    pauses = pauses_from(started_at, minutes)
    assert due(started_at, limit, unit, pauses, CALENDAR).due_on == naive_due_on(
        started_at, limit, unit, pauses, CALENDAR
    )


def test_twelve_thousand_cases_agree_with_the_naive_reference() -> None:
    """Starts cluster where mistakes live: midnights, both Eids of 2025, year ends, a leap day and 2009's
    change of the clock."""
    draw = random.Random(20250331)
    anchors = [(2025, 3, 26), (2025, 6, 3), (2025, 12, 29), (2024, 2, 27), (2009, 6, 17), (2009, 12, 29), (2025, 5, 14)]
    for _ in range(12_000):
        midnight = datetime(*draw.choice(anchors), tzinfo=DHAKA).astimezone(UTC) + draw.randrange(6) * ONE_DAY
        started_at = midnight + timedelta(seconds=draw.choice([-1, 0, 1, draw.randrange(86_400)]))
        lengths = [
            (draw.randrange(50 * 1440), draw.choice([1, 1440, draw.randrange(15 * 1440)]))
            for _ in range(draw.randrange(4))
        ]
        pauses, limit, unit = pauses_from(started_at, lengths), draw.randrange(1, 45), draw.choice(UNITS)
        expected = naive_due_on(started_at, limit, unit, pauses, CALENDAR)
        assert due(started_at, limit, unit, pauses, CALENDAR).due_on == expected, (started_at, limit, unit, pauses)
