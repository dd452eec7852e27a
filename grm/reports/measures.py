"""What is counted and by what: pure, so that a figure and the list it opens mean the same.

Indicators follow the monthly return of the GRS Guidelines 2015 (revised 2018) and the offices' performance agreements
(target: 90 % in time). What each figure means is written out in docs/figures.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from grm.kernel.text import latin_digits
from grm.tallies.figures import Line
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
    month_of,
    percent,
    period,
)

__all__ = [
    "AGE_BANDS",
    "AS_OF_NOW",
    "DEFAULT_PERIOD",
    "ENDED",
    "FILTERS",
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
    "figure",
    "percent",
    "period",
    "selection_from",
    "span_of",
]

ENDED = ("resolved", "in_time", "extended", "late", "declined", "withdrawn")
IN_A_PERIOD = ("received", *ENDED, "appealed", "upheld", "rejected", "rated", "satisfied")
"""The measures that count within a period; the others count as of now."""
AS_OF_NOW = ("escalated", "open", "overdue", "paused", "not_informed", "due_7", "due_14")
"""`due_7`: still in time, and due today or within the next seven days."""
MEASURES = (*AS_OF_NOW, *IN_A_PERIOD)
FILTERS = (
    "ministry",
    "cluster",
    "programme",
    "category",
    "district",
    "division",
    "channel",
    "stage",
    "sex",
    "age_group",
    "disability",
    "area",
)
"""The dimensions, by the names they have in an address; `ministry` is the office that has the case."""
_DUE_WITHIN = {"due_7": 7, "due_14": 14}


@dataclass(frozen=True, slots=True)
class Selection:
    """One figure's filter: what is counted, for whom, in which period. The same object makes the count and the list.

    The dimensions hold codes of the directory (`ministry` the code of an office), or `none`. ``age`` is a band of days overdue.
    ``holder`` is an officer's id, or `none` for cases that nobody has taken.
    ``period`` is a named period or a month like 2026-11; ``since`` and ``until`` (exclusive) stand before it.
    """

    measure: str = "escalated"
    scope: str | None = None
    ministry: str | None = None
    cluster: str | None = None
    programme: str | None = None
    category: str | None = None
    district: str | None = None
    division: str | None = None
    channel: str | None = None
    stage: str | None = None
    sex: str | None = None
    age_group: str | None = None
    disability: str | None = None
    area: str | None = None
    level: int | None = None
    age: str | None = None
    stars: int | None = None
    holder: str | None = None
    period: str = DEFAULT_PERIOD
    since: date | None = None
    until: date | None = None

    @property
    def filters(self) -> dict[str, str]:
        """The dimensions that are narrowed, with their values."""
        return {name: value for name in FILTERS if (value := getattr(self, name))}

    def with_(self, **changes: object) -> "Selection":
        """Return this selection narrowed or changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def as_query(self) -> dict[str, str]:
        """Return the address parameters that make this selection again."""
        is_dated = self.measure in IN_A_PERIOD
        values: dict[str, object] = {
            "measure": self.measure,
            "scope": self.scope,
            **self.filters,
            "level": self.level,
            "age": self.age,
            "stars": self.stars,
            "holder": self.holder,
            "period": self.period if is_dated and not self.since else None,
            "since": self.since if is_dated else None,
            "until": self.until if is_dated else None,
        }
        return {key: str(value) for key, value in values.items() if value}


def selection_from(values: Mapping[str, str], measure: str = "escalated") -> Selection:
    """Return the selection of an address; values that mean nothing are left out, never an error page."""
    asked = values.get("measure", measure)
    level, stars = values.get("level", ""), values.get("stars", "")
    since, until = _day(values.get("since")), _day(values.get("until"))
    if since is None or until is None or since >= until:
        since = until = None
    return Selection(
        measure=asked if asked in MEASURES else measure,
        scope=values.get("scope") or None,
        **{name: values.get(name) or None for name in FILTERS},
        level=int(level) if level in ("1", "2", "3") else None,
        age=values.get("age") if values.get("age") in {band.code for band in AGE_BANDS} else None,
        stars=int(stars) if stars in ("1", "2", "3", "4", "5") else None,
        holder=_holder(values.get("holder", "")),
        period=_period_code(values.get("period", "")),
        since=since,
        until=until,
    )


def span_of(chosen: Selection, today: date) -> Period:
    """Return the days within which a selection counts."""
    if chosen.since and chosen.until:
        return Period("days", chosen.since, chosen.until)
    if chosen.period in PERIODS:
        return period(chosen.period, today)
    return month_of(date.fromisoformat(f"{chosen.period}-01"))


def due_within(measure: str, today: date) -> tuple[date, date] | None:
    """Return the first and last due date of what is soon due by a measure; None for another measure."""
    days = _DUE_WITHIN.get(measure)
    return (today, today + timedelta(days=days)) if days else None


def figure(line: Line, chosen: Selection, today: date) -> int | None:
    """Return what a line says of a selection; None where lines do not tell (levels of what is not escalated, and the like)."""
    if chosen.since or chosen.holder or (chosen.stars and chosen.measure != "rated"):
        return None
    if chosen.measure == "escalated":
        by_age = line.escalated_by_age(today, AGE_BANDS) if chosen.age else {}
        if chosen.age:
            return sum(n for (level, age), n in by_age.items() if age == chosen.age and chosen.level in (None, level))
        return line.escalated_by_level[chosen.level - 1] if chosen.level else line.escalated
    if chosen.level:
        return None
    if chosen.measure == "overdue":
        return line.overdue_by_age(today, AGE_BANDS)[chosen.age] if chosen.age else line.overdue(today)
    if chosen.age:
        return None
    if chosen.measure == "rated" and chosen.stars:
        return line.stars[chosen.stars - 1]
    if between := due_within(chosen.measure, today):
        return sum(number for due_on, number in line.due.items() if between[0] <= due_on <= between[1])
    named = {"paused": "paused_count", "upheld": "appeals_upheld", "rejected": "appeals_rejected"}
    return int(getattr(line, named.get(chosen.measure, chosen.measure)))


def _holder(text: str) -> str | None:
    plain = latin_digits(text)
    return plain if plain == "none" or (plain.isascii() and plain.isdigit() and len(plain) < 16) else None


def _period_code(text: str) -> str:
    if text in PERIODS:
        return text
    day = _day(f"{text}-01") if len(text) == len("2026-11") else None
    return f"{day:%Y-%m}" if day else DEFAULT_PERIOD


def _day(text: str | None) -> date | None:
    """A date of an address, in either script's digits, in years that mean something."""
    try:
        day = date.fromisoformat(latin_digits(text or ""))
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2100 else None
