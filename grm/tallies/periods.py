"""Periods of whole months, ages of what is overdue, and shares: pure, so that every page means the same by them.

A day is a day in Dhaka. The running month counts as far as it has come; nothing is counted that lies ahead.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

TARGET_PERCENT_IN_TIME = 90
"""What the offices' performance agreements ask for (GRS Guidelines 2015, revised 2018)."""
LEVELS = (1, 2, 3)
PERIODS = (
    "this_month",
    "last_month",
    "last_3_months",
    "this_fiscal_year",
    "last_fiscal_year",
    "last_12_months",
)
DEFAULT_PERIOD = "last_12_months"
FISCAL_YEAR_BEGINS = 7
"""July."""


@dataclass(frozen=True, slots=True)
class Period:
    """Whole months: `starts_on` is the first day of the first one, `ends_on` (exclusive) of the one after the last."""

    code: str
    starts_on: date
    ends_on: date

    @property
    def month_count(self) -> int:
        """How many months it has."""
        return _number(self.ends_on) - _number(self.starts_on)

    @property
    def months(self) -> Iterator[date]:
        """The first day of each of its months, the earliest first."""
        return (_month(number) for number in range(_number(self.starts_on), _number(self.ends_on)))

    @property
    def last_day(self) -> date:
        """Its last day, inclusive."""
        return self.ends_on - timedelta(days=1)

    def is_running(self, today: date) -> bool:
        """Whether today lies in it, so that its last month is not over."""
        return self.starts_on <= today < self.ends_on

    def holds(self, day: date | None) -> bool:
        """Whether a day lies in it; no day does not."""
        return day is not None and self.starts_on <= day < self.ends_on


def period(code: str, today: date) -> Period:
    """Return a named period as of a day; a name that means nothing is the default one.

    "Last 3 months" and "last 12 months" end with the running month. The fiscal year runs from July to June.
    """
    this = _number(today)
    july = _number(date(today.year if today.month >= FISCAL_YEAR_BEGINS else today.year - 1, FISCAL_YEAR_BEGINS, 1))
    spans = {
        "this_month": (this, this + 1),
        "last_month": (this - 1, this),
        "last_3_months": (this - 2, this + 1),
        "this_fiscal_year": (july, this + 1),
        "last_fiscal_year": (july - 12, july),
        "last_12_months": (this - 11, this + 1),
    }
    known = code if code in spans else DEFAULT_PERIOD
    starts, ends = spans[known]
    return Period(known, _month(starts), _month(ends))


def month_of(day: date) -> Period:
    """Return the month that a day lies in, as a period; its code is like 2026-11."""
    number = _number(day)
    return Period(f"{day:%Y-%m}", _month(number), _month(number + 1))


def previous(span: Period) -> Period:
    """Return the period that a period is measured against: as many months, just before it."""
    starts = _number(span.starts_on)
    return Period(f"before_{span.code}", _month(starts - span.month_count), span.starts_on)


def fiscal_year(day: date) -> str:
    """Return the fiscal year that a day lies in, as 2026-27."""
    first = day.year if day.month >= FISCAL_YEAR_BEGINS else day.year - 1
    return f"{first}-{(first + 1) % 100:02}"


def _number(day: date) -> int:
    return day.year * 12 + day.month - 1


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)


@dataclass(frozen=True, slots=True)
class AgeBand:
    """A stretch of calendar days since the due date; ``longest_days`` is inclusive, None: no end."""

    code: str
    shortest_days: int
    longest_days: int | None

    def holds(self, days: int) -> bool:
        """Whether so many days since the due date lie in it."""
        return days >= self.shortest_days and (self.longest_days is None or days <= self.longest_days)


AGE_BANDS = (
    AgeBand("1-7", 1, 7),
    AgeBand("8-14", 8, 14),
    AgeBand("15-30", 15, 30),
    AgeBand("31-90", 31, 90),
    AgeBand("91-", 91, None),
)


def age_band(code: str) -> AgeBand:
    """Return an age band by its code."""
    return next(band for band in AGE_BANDS if band.code == code)


def band_of(due_on: date, today: date) -> str | None:
    """Return the code of the band in which a due date lies today; None: it is not over."""
    days = (today - due_on).days
    return next(
        (each.code for each in reversed(AGE_BANDS) if days >= each.shortest_days),
        None,
    )


def due_dates(band: AgeBand, today: date) -> tuple[date | None, date]:
    """Return the (earliest, latest) due dates, both inclusive, of cases whose age today lies in the band."""
    earliest = today - timedelta(days=band.longest_days) if band.longest_days is not None else None
    return earliest, today - timedelta(days=band.shortest_days)


def days_overdue(due_on: date, today: date) -> int:
    """Return the whole calendar days since the due date; 0 on it and before."""
    return max(0, (today - due_on).days)


def percent(part: int, whole: int) -> float | None:
    """Return a share in per cent, one decimal; None where there is nothing to share, which is not zero."""
    return round(100 * part / whole, 1) if whole else None
