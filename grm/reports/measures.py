"""What is counted, in which words and in which periods: pure, so that a figure and the list it opens mean the same.

Indicators follow the monthly return of the GRS Guidelines 2015 (revised 2018) and the offices' performance agreements
(target: 90 % in time).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

TARGET_PERCENT_IN_TIME = 90
LEVELS = (1, 2, 3)
MEASURES = (
    "escalated",
    "received",
    "resolved",
    "in_time",
    "extended",
    "late",
    "open",
    "overdue",
    "declined",
    "not_informed",
)
IN_A_PERIOD = ("received", "resolved", "in_time", "extended", "late", "declined")
"""The measures that count within a period; the others count as of now."""
PERIODS = ("this_month", "last_month", "last_90_days", "this_fiscal_year", "last_12_months")
DEFAULT_PERIOD = "last_12_months"


@dataclass(frozen=True, slots=True)
class AgeBand:
    """A stretch of calendar days since the due date; ``longest_days`` is inclusive, None: no end."""

    code: str
    shortest_days: int
    longest_days: int | None


AGE_BANDS = (
    AgeBand("1-7", 1, 7),
    AgeBand("8-14", 8, 14),
    AgeBand("15-30", 15, 30),
    AgeBand("31-90", 31, 90),
    AgeBand("91-", 91, None),
)


@dataclass(frozen=True, slots=True)
class Period:
    """Local dates in Dhaka: ``starts_on`` inclusive, ``ends_on`` exclusive."""

    code: str
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True)
class Selection:
    """One figure's filter: what is counted, for whom, in which period. The same object makes the count and the list."""

    measure: str = "escalated"
    ministry: str | None = None
    level: int | None = None
    programme: str | None = None
    district: str | None = None
    category: str | None = None
    age: str | None = None
    period: str = DEFAULT_PERIOD

    def with_(self, **changes: object) -> "Selection":
        """Return this selection narrowed or changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def as_query(self) -> dict[str, str]:
        """Return the address parameters that make this selection again."""
        values = {
            "measure": self.measure,
            "ministry": self.ministry,
            "level": str(self.level) if self.level else None,
            "programme": self.programme,
            "district": self.district,
            "category": self.category,
            "age": self.age,
            "period": self.period if self.measure in IN_A_PERIOD else None,
        }
        return {key: value for key, value in values.items() if value}


def selection_from(values: Mapping[str, str], measure: str = "escalated") -> Selection:
    """Return the selection of an address; values that mean nothing are left out, never an error page."""
    asked = values.get("measure", measure)
    level = values.get("level", "")
    return Selection(
        measure=asked if asked in MEASURES else measure,
        ministry=values.get("ministry") or None,
        level=int(level) if level in ("1", "2", "3") else None,
        programme=values.get("programme") or None,
        district=values.get("district") or None,
        category=values.get("category") or None,
        age=values.get("age") if values.get("age") in {band.code for band in AGE_BANDS} else None,
        period=values.get("period", "") if values.get("period") in PERIODS else DEFAULT_PERIOD,
    )


def period(code: str, today: date) -> Period:
    """Return the dates of a named period. The fiscal year runs from July to June."""
    first_of_month = today.replace(day=1)
    tomorrow = today + timedelta(days=1)
    if code == "this_month":
        return Period(code, first_of_month, tomorrow)
    if code == "last_month":
        return Period(code, (first_of_month - timedelta(days=1)).replace(day=1), first_of_month)
    if code == "last_90_days":
        return Period(code, today - timedelta(days=89), tomorrow)
    if code == "this_fiscal_year":
        return Period(code, date(today.year if today.month >= 7 else today.year - 1, 7, 1), tomorrow)
    # A year back from the first of this month, so that whole months can be compared; 29 February cannot arise.
    return Period("last_12_months", first_of_month.replace(year=today.year - 1), tomorrow)


def age_band(code: str) -> AgeBand:
    """Return an age band by its code."""
    return next(band for band in AGE_BANDS if band.code == code)


def due_dates(band: AgeBand, today: date) -> tuple[date | None, date]:
    """Return the (earliest, latest) due dates, both inclusive, of cases whose age today lies in the band."""
    earliest = today - timedelta(days=band.longest_days) if band.longest_days is not None else None
    return earliest, today - timedelta(days=band.shortest_days)


def percent(part: int, whole: int) -> float | None:
    """Return a share in per cent, one decimal; None where there is nothing to share, which is not zero."""
    return round(100 * part / whole, 1) if whole else None
