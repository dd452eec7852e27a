"""What is counted, in which words and in which periods: pure, so that a figure and the list it opens mean the same.

Indicators follow the monthly return of the GRS Guidelines 2015 (revised 2018) and the offices' performance agreements
(target: 90 % in time).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from grm.tallies.periods import (
    AGE_BANDS,
    DEFAULT_PERIOD,
    LEVELS,
    PERIODS,
    TARGET_PERCENT_IN_TIME,
    AgeBand,
    Period,
    age_band,
    due_dates,
    percent,
    period,
)

__all__ = [
    "AGE_BANDS",
    "DEFAULT_PERIOD",
    "IN_A_PERIOD",
    "LEVELS",
    "MEASURES",
    "PERIODS",
    "TARGET_PERCENT_IN_TIME",
    "AgeBand",
    "Period",
    "Selection",
    "age_band",
    "due_dates",
    "percent",
    "period",
    "selection_from",
]

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
