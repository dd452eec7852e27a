"""Alarms: what raises one and what does not; few cases and many, a place that is never calm, silence, and falling behind."""

import random
from datetime import date, timedelta

import pytest

from grm.alarms import rules
from grm.alarms.rules import Pace, behind, lasting, missed_mornings, silence, surge, unheard

LAST = date(2026, 6, 30)


def weekly(*weeks: int, last: date = LAST) -> dict[date, int]:
    """Cases by day: the last week's all on its last day, then the week before, and so on."""
    return {last - timedelta(weeks=number): cases for number, cases in enumerate(weeks)}


@pytest.mark.parametrize(
    ("this_week", "before", "is_surge"),
    [
        (7, [0] * 13, False),  # fewer than eight are never a surge
        (8, [0] * 13, True),  # but eight from where nobody ever complains are
        (8, [1] * 13, False),
        (12, [1] * 13, True),
        (20, [10] * 13, False),  # chance alone does that, now and then
        (30, [10] * 13, True),
        (130, [100] * 13, False),
        (199, [100] * 13, False),  # not chance, but less than twice the usual
        (200, [100] * 13, True),
        (45, [5, 25, 2, 30, 8, 22, 1, 28, 6, 24, 3, 31, 9], False),  # a place that is never calm
        (45, [10] * 12 + [400], True),  # one great week long ago does not hide the next
    ],
)
def test_a_surge_is_more_than_the_place_explains_by_itself(this_week: int, before: list[int], is_surge: bool) -> None:
    found = surge(weekly(this_week, *before), LAST)
    assert (found is not None) is is_surge
    if found is not None:
        assert (found.cases, found.starts_on, found.until_on) == (this_week, LAST - timedelta(days=6), LAST)


@pytest.mark.parametrize(
    ("this_week", "usual", "last_year", "is_surge"),
    [
        (16, 2, None, True),  # where last year is not known
        (12, 1, 0, True),
        (12, 1, 11, False),  # as every January
        (40, 1, 11, True),  # far beyond last year's flood
        (21, 1, 11, False),  # hardly twice last year's
        (24, 1, 11, False),  # twice, and chance may do that
        (30, 10, 3, True),  # last year explains less than the weeks before
    ],
)
def test_what_comes_every_year_in_these_weeks_is_no_surge(
    this_week: int, usual: int, last_year: int | None, is_surge: bool
) -> None:
    days = weekly(this_week, *[usual] * 13)
    found = surge(days, LAST, last_year)
    assert (found is not None) is is_surge
    assert found is None or (found.usual, found.last_year) == (usual, last_year)
    # Whatever last year was, it never makes a surge, and the more came then, the less is one.
    alike = [surge(days, LAST, count) is not None for count in range(40)]
    assert alike == sorted(alike, reverse=True) and alike[0] == (surge(days, LAST) is not None)
    began = LAST - timedelta(days=6)
    goes_on = [lasting(days, LAST, began, count) is not None for count in range(40)]
    assert (
        goes_on == sorted(goes_on, reverse=True)
        and goes_on[0]
        and not goes_on[39]
        and all(goes_on[n] for n in range(40) if alike[n])
    )


def test_a_season_is_three_weeks_around_the_same_days_of_last_year() -> None:
    first, last = rules.season(LAST)
    assert (first, last) == (date(2025, 6, 18), date(2025, 7, 8)) and (last - first).days == 20
    assert last.weekday() == LAST.weekday(), "days of the week keep their places"


def test_chance_alone_raises_next_to_nothing() -> None:
    """A thousand subjects at their usual pace, for a year of mornings each a week apart: a handful at most."""
    dice = random.Random(7)
    false = 0
    for pace in [0.2, 1, 3, 10, 40] * 200:
        weeks = [sum(dice.random() < pace / 200 for _ in range(200)) for _ in range(20)]
        days = weekly(*weeks)
        false += sum(surge(days, LAST - timedelta(weeks=week)) is not None for week in range(6))
    assert false <= 3, "of six thousand"


def test_a_surge_goes_on_against_what_was_usual_before_it() -> None:
    days = weekly(40, 40, 40, *[5] * 13)
    began = LAST - timedelta(days=20)
    found = lasting(days, LAST, began)
    assert found is not None and (found.cases, found.usual, found.starts_on) == (120, 15.0, began)
    assert surge(days, LAST) is not None
    assert lasting(weekly(6, 40, 40, *[5] * 13), LAST, began) is None, "back to usual"
    usual_now = weekly(*[40] * 40)
    assert lasting(usual_now, LAST, LAST - timedelta(weeks=25)) is None, "after two months it is usual"


@pytest.mark.parametrize(
    ("weeks", "days_since", "is_silent"),
    [
        ([0] * 2 + [10] * 13, 14, True),
        ([0] * 2 + [3] * 13, 14, False),  # six expected
        ([0] * 3 + [3] * 13, 21, True),
        ([0] + [50] * 13, 7, False),  # a week is too short, whatever the pace
        ([0] * 4 + [1] * 12 + [200], 28, False),  # one great week is no pace
        ([0] * 4 + [9] * 2, 28, False),  # too short a past
    ],
)
def test_a_silence_is_longer_than_chance(weeks: list[int], days_since: int, is_silent: bool) -> None:
    counted_from = LAST - timedelta(days=7 * len(weeks) - 1)
    found = silence(weekly(*weeks), LAST, counted_from)
    assert (found is not None) is is_silent
    if found is not None:
        assert found.days == days_since and found.last_on == LAST - timedelta(days=days_since)


def test_nobody_was_ever_heard() -> None:
    assert silence({}, LAST, LAST) is None
    assert unheard(640, 64, 154) == 10
    assert unheard(440, 64, 154) is None, "too few in the country to wonder"
    assert unheard(64_000, 64, 60) is None, "too short a time"


STEADY = Pace(received=600, ended=590, resolved=560, late=56, median_days=20)


@pytest.mark.parametrize(
    ("now", "reasons"),
    [
        (Pace(received=200, ended=195, resolved=190, late=20, median_days=21), []),
        (Pace(received=200, ended=195, resolved=190, late=60, median_days=21), ["late"]),
        (Pace(received=200, ended=195, resolved=190, late=36, median_days=21), []),  # nine points more
        (Pace(received=200, ended=195, resolved=190, late=19, median_days=30), ["slower"]),
        (Pace(received=200, ended=195, resolved=190, late=19, median_days=29), []),
        (Pace(received=200, ended=0, resolved=0), ["fewer"]),
        (Pace(received=200, ended=160, resolved=150, late=15, median_days=20), []),
        (Pace(received=200, ended=100, resolved=95, late=60, median_days=40), ["late", "slower", "fewer"]),
        (Pace(received=12, ended=0, resolved=0), []),  # too few to tell
        (Pace(received=20, ended=19, resolved=19, late=19, median_days=90), []),
    ],
)
def test_an_office_is_measured_against_its_own_past(now: Pace, reasons: list[str]) -> None:
    assert [each.code for each in behind(now, STEADY)] == reasons
    assert behind(now, Pace()) == (), "without a past nobody falls behind it"


def test_missed_mornings_are_made_up_for_once_and_in_order() -> None:
    today = date(2026, 6, 10)
    day = [today - timedelta(days=n) for n in range(40)]
    assert missed_mornings([], today, 14) == (today,)
    assert missed_mornings([day[1], day[2]], today, 14) == (today,)
    assert missed_mornings([day[4]], today, 14) == (day[3], day[2], day[1], today)
    assert missed_mornings([day[30]], today, 14) == tuple(reversed(day[:14]))
    assert missed_mornings([today, day[4]], today, 14) == ()


def test_what_is_kept_is_enough_for_the_longest_surge() -> None:
    from grm.alarms.counting import AGAIN_DAYS, KEPT_DAYS

    assert KEPT_DAYS >= 7 * (rules.HISTORY_WEEKS + rules.LONGEST_SURGE_WEEKS + 1)
    assert AGAIN_DAYS >= rules.WINDOW_DAYS
