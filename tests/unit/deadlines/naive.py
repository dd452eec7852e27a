"""A second reckoning of deadlines that shares nothing with the product: it walks the clock, minute by minute.

Instants are whole minutes since 1970 in UTC. The zone is two lines of arithmetic from the newspapers of 2009, the days off are
plain sets. At each minute it asks which Dhaka date it is; where the date changes, a day has ended, and it counts or not.

`walk` goes along every single minute of one clock. `along` does the same for many clocks at the price of one walk: every minute
from 2008 to 2030 is looked at once for all of them, and each clock is told of the days that end in its time. No minute
is leapt over; it is only not asked ten thousand times which date it is.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

EPOCH = date(1970, 1, 1).toordinal()
_A_DAY = 1440


def minute(year: int, month: int, day: int, hour: int = 0, minutes: int = 0) -> int:
    """The minute of a UTC wall-clock time."""
    return (date(year, month, day).toordinal() - EPOCH) * _A_DAY + hour * 60 + minutes


# "Clocks go forward an hour at 11 p.m. on 19 June 2009", back at the end of 31 December 2009.
FORWARD = minute(2009, 6, 19, 17)
BACK = minute(2009, 12, 31, 17)


def dhaka_day(at: int) -> int:
    """The ordinal of the date in Dhaka at a minute."""
    offset = 7 if FORWARD <= at < BACK else 6
    return (at + offset * 60) // _A_DAY + EPOCH


def as_datetime(at: int, zone: object) -> datetime:
    """A minute as an aware datetime, for handing it to the product."""
    hours, minutes = divmod(at, 60)
    days, hours = divmod(hours, 24)
    on = date.fromordinal(days + EPOCH)
    return datetime(on.year, on.month, on.day, hours, minutes, tzinfo=zone)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Week:
    """Which days offices are open: the weekdays off (Monday is 0), days shut, days open in spite of the weekday; ordinals."""

    off: frozenset[int]
    shut: frozenset[int]
    ordered: frozenset[int]

    def is_open(self, day: int) -> bool:
        if day in self.ordered:
            return True
        return day not in self.shut and (day + 6) % 7 not in self.off


@dataclass(frozen=True)
class Task:
    """A clock: when it starts, how long it is, and when it stands still (from, until), all in minutes."""

    start: int
    limit: int
    unit: str
    extension: int
    pauses: tuple[tuple[int, int], ...]


def days_to_count(task: Task) -> int:
    if task.unit != "calendar_months":
        return task.limit + task.extension
    first = date.fromordinal(dhaka_day(task.start))
    year, month = first.year, first.month
    for _ in range(task.limit):
        month += 1
        if month == 13:
            year, month = year + 1, 1
    for day in (first.day, first.day - 1, first.day - 2, first.day - 3):
        try:
            return date(year, month, day).toordinal() - first.toordinal() + task.extension
        except ValueError:  # there is no such day in this month
            continue
    raise AssertionError("a month has at least 28 days")


class Count:
    """What has been counted so far; told of each day that ends."""

    def __init__(self, task: Task, week: Week) -> None:
        self.task, self.week = task, week
        self.left = days_to_count(task)
        self.started_on: int | None = None

    def ends(self, day: int, last_minute: int) -> bool:
        """A day has ended with this minute; whether the clock has run out with it."""
        works = self.task.unit == "working_days"
        if self.started_on is None:
            if works and not self.week.is_open(day):
                return False
            self.started_on = day
            return self.left == 0
        must_be_open = works or self.left == 1
        stands_still = any(begin <= last_minute < end for begin, end in self.task.pauses)
        if (self.week.is_open(day) or not must_be_open) and not stands_still:
            self.left -= 1
        return self.left == 0


def walk(task: Task, week: Week) -> tuple[int, int, int]:
    """The first day, the last day, and the minute from which the task is late. Every minute is looked at."""
    count, at, day = Count(task, week), task.start, dhaka_day(task.start)
    while True:
        after = dhaka_day(at + 1)
        if after != day and count.ends(day, at):
            assert count.started_on is not None
            return count.started_on, day, at + 1
        at, day = at + 1, after


FIRST, LAST = minute(2008, 10, 1), minute(2031, 1, 1)


@cache
def day_ends() -> tuple[list[int], list[int]]:
    """The last minute of each day from `FIRST` to `LAST`, and which day it is: found by asking every minute."""
    minutes, days = [], []
    day = dhaka_day(FIRST)
    for at in range(FIRST, LAST):
        after = dhaka_day(at + 1)
        if after != day:
            minutes.append(at)
            days.append(day)
            day = after
    return minutes, days


def along(task: Task, week: Week) -> tuple[int, int, int]:
    """What `walk` finds, by the walk that all clocks share."""
    assert task.start >= FIRST
    count = Count(task, week)
    minutes, days = day_ends()
    for index in range(bisect_left(minutes, task.start), len(minutes)):
        if count.ends(days[index], minutes[index]):
            assert count.started_on is not None
            return count.started_on, days[index], minutes[index] + 1
    raise AssertionError("the clock runs on beyond the walk")
