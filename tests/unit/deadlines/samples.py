"""Calendars and a slow, independent reference for the tests of deadlines and ladder."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from grm.deadlines.calendar import DHAKA, Calendar, Day
from grm.deadlines.reckoning import Pause

FRIDAY, SATURDAY = 4, 5
WEEKENDS = ((date(1997, 5, 29), frozenset({FRIDAY})), (date(2005, 9, 9), frozenset({FRIDAY, SATURDAY})))


def holiday(name: str, is_estimated: bool = False) -> Day:
    return Day("holiday", name, name, "gazette", is_estimated)


def days_of_2025() -> dict[date, Day]:
    """The government's list for 2025 with both Eid clusters and the two Saturdays ordered to be worked."""
    days = {date(2025, 2, 21): holiday("Martyrs' Day"), date(2025, 3, 26): holiday("Independence Day")}
    for on in [date(2025, 3, 28) + timedelta(n) for n in range(7)]:
        days[on] = holiday("Eid-ul-Fitr")
    for on in [date(2025, 6, 5) + timedelta(n) for n in range(10)]:
        days[on] = holiday("Eid-ul-Azha")
    for on in (date(2025, 5, 17), date(2025, 5, 24)):
        days[on] = Day("working", "ঈদের ছুটির বদলে", "For the Eid break", "order")
    single = ((4, 14), (5, 1), (5, 11), (7, 6), (8, 5), (8, 16), (9, 6), (10, 1), (10, 2), (12, 16), (12, 25))
    for month, day in single:
        days[date(2025, month, day)] = holiday("holiday")
    return days


def days_of_2009() -> dict[date, Day]:
    return {date(2009, 9, 20) + timedelta(n): holiday("Eid-ul-Fitr") for n in range(3)}


CALENDAR = Calendar(7, WEEKENDS, days_of_2009() | days_of_2025(), date(2025, 12, 31))
BARE = Calendar(1, ((date(2005, 9, 9), frozenset({FRIDAY, SATURDAY})),), {}, date(2030, 12, 31))


def naive_is_working(on: date, calendar: Calendar) -> bool:
    if on in calendar.days:
        return calendar.days[on].kind == "working"
    return on.weekday() not in ({FRIDAY, SATURDAY} if on >= date(2005, 9, 9) else {FRIDAY})


def naive_due_on(started_at: datetime, limit: int, unit: str, pauses: Sequence[Pause], calendar: Calendar) -> date:
    """Day by day, asking for each day whether the clock stood still in its very last microsecond in Dhaka."""

    def is_paused_at_end(on: date) -> bool:
        midnight = datetime(on.year, on.month, on.day, tzinfo=DHAKA) + timedelta(days=1)  # by the wall clock
        last = midnight.astimezone(UTC) - timedelta(microseconds=1)
        return any(pause.until_at is not None and pause.from_at <= last < pause.until_at for pause in pauses)

    on = started_at.astimezone(DHAKA).date()
    while unit == "working_days" and not naive_is_working(on, calendar):
        on += timedelta(days=1)
    counted = 0
    while counted < limit:
        on += timedelta(days=1)
        must_be_open = unit == "working_days" or counted == limit - 1
        if (not must_be_open or naive_is_working(on, calendar)) and not is_paused_at_end(on):
            counted += 1
    return on
