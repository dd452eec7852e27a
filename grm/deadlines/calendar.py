"""Which days are worked in Dhaka: weekly days off, gazetted holidays and working-day orders, all of them
dated data.

The week runs Sunday-Thursday. Holidays by executive order and by the moon are announced late, and a
Saturday can be ordered a working day; so a calendar has a version, and a deadline remembers the one it
was reckoned with.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from grm.kernel.errors import Misconfigured

DHAKA = ZoneInfo("Asia/Dhaka")
"""The zone, never an offset: it was +07 from 20 June to 31 December 2009."""

COVERAGE_WORKING_DAYS = 60
"""How far ahead the calendar must be announced before an alarm is raised: the longest limit, the cell's."""

DayKind = Literal["holiday", "working"]
VerdictKind = Literal["working", "weekend", "holiday", "ordered-working"]


@dataclass(frozen=True, slots=True)
class Day:
    """An announced exception: a holiday, or a weekend day ordered to be worked."""

    kind: DayKind
    name_bn: str
    name_en: str
    source: str
    is_estimated: bool = False


@dataclass(frozen=True, slots=True)
class DayVerdict:
    """What a date is and by whose word. Names are empty for an ordinary working day and a weekend."""

    kind: VerdictKind
    name_bn: str = ""
    name_en: str = ""
    source: str = ""
    is_estimated: bool = False

    @property
    def is_working(self) -> bool:
        """Whether offices are open."""
        return self.kind in ("working", "ordered-working")


_WORKING, _WEEKEND = DayVerdict("working"), DayVerdict("weekend")


@dataclass(frozen=True, eq=False)
class Calendar:
    """One version of the working calendar.

    `weekends` holds (valid from, weekdays off with Monday = 0) in any order; before the first date the
    first entry holds. `covered_until` is the last date for which holidays are known: later dates are
    guesses by the weekend alone.
    """

    version: int
    weekends: tuple[tuple[date, frozenset[int]], ...]
    days: Mapping[date, Day]
    covered_until: date
    _years: dict[int, tuple[int, ...]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.weekends or any(len(off) > 6 for _, off in self.weekends):
            raise Misconfigured("calendar-weekend")
        object.__setattr__(self, "weekends", tuple(sorted(self.weekends, key=lambda entry: entry[0])))

    def reason(self, on: date) -> DayVerdict:
        """What the date is. An announced day speaks before the weekend: a holiday on a Friday is called
        by its name."""
        announced = self.days.get(on)
        if announced is None:
            return _WEEKEND if on.weekday() in self._days_off(on) else _WORKING
        kind: VerdictKind = "holiday" if announced.kind == "holiday" else "ordered-working"
        return DayVerdict(kind, announced.name_bn, announced.name_en, announced.source, announced.is_estimated)

    def is_working_day(self, on: date) -> bool:
        """Whether offices are open on the date."""
        announced = self.days.get(on)
        return on.weekday() not in self._days_off(on) if announced is None else announced.kind == "working"

    def next_working_day(self, on: date) -> date:
        """The first working day on or after the date."""
        return on if self.is_working_day(on) else self.add_working_days(on, 1)

    def add_working_days(self, on: date, count: int) -> date:
        """The count-th working day after the date, itself not counted; before it if count is negative;
        `on` if it is 0.

        Raises `Misconfigured` if no office opens for years on end.
        """
        if count == 0:
            return on
        year, ordinal = on.year, on.toordinal()
        if count > 0:
            index = bisect_right(self._working_days(year), ordinal) + count - 1
            while index >= (size := len(self._working_days(year))):
                index, year = index - size, year + 1
        else:
            index = bisect_left(self._working_days(year), ordinal) + count
            while index < 0:
                year -= 1
                index += len(self._working_days(year))
        return date.fromordinal(self._working_days(year)[index])

    def working_days_between(self, after: date, until: date) -> int:
        """How many working days d have after < d <= until; negative if `until` comes first."""
        if until < after:
            return -self.working_days_between(until, after)
        whole_years = sum(len(self._working_days(year)) for year in range(after.year, until.year))
        passed = bisect_right(self._working_days(after.year), after.toordinal())
        return whole_years + bisect_right(self._working_days(until.year), until.toordinal()) - passed

    def coverage_gap(self, today: date, needed: int = COVERAGE_WORKING_DAYS) -> int:
        """How many of the next `needed` working days lie beyond what is announced. 0: all is well; else
        raise the alarm."""
        return max(0, needed - max(0, self.working_days_between(today, self.covered_until)))

    def is_provisional(self, due_on: date) -> bool:
        """Whether the date rests on days that no list of holidays covers yet."""
        return due_on > self.covered_until

    def _days_off(self, on: date) -> frozenset[int]:
        current = self.weekends[0][1]
        for valid_from, off in self.weekends[1:]:
            if valid_from > on:
                break
            current = off
        return current

    def _working_days(self, year: int) -> tuple[int, ...]:
        """The ordinals of the year's working days. Made once a year: two threads at worst make the same
        tuple twice."""
        known = self._years.get(year)
        if known is None:
            if not 1 < year < 9998:
                raise Misconfigured("calendar-range")
            first, after = date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal()
            known = tuple(n for n in range(first, after) if self.is_working_day(date.fromordinal(n)))
            self._years[year] = known
        return known


def dhaka_date(instant: datetime) -> date:
    """The date in Dhaka at an aware instant."""
    return instant.astimezone(DHAKA).date()


def dhaka_midnight(on: date) -> datetime:
    """The instant at which the date begins in Dhaka, as an aware UTC datetime."""
    return datetime.combine(on, time(), tzinfo=DHAKA).astimezone(UTC)


def end_of_day(on: date) -> datetime:
    """The first instant after the date in Dhaka (an exclusive bound), as an aware UTC datetime."""
    return dhaka_midnight(on + timedelta(days=1))
