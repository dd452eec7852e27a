"""What is asked of the tallies (`View`) and what they answer (`Line`): pure, additive, exact.

A line holds no means and no percentiles but what they are made of, so that the line of a cluster is `total` of the lines of its
ministries, and its median is the median of its cases.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from grm.kernel.actor import Actor
from grm.tallies.periods import AgeBand

TOTAL = ""
"""The key of the line over all that a view holds."""
NONE = "none"
"""The key of cases without an office's programme, district …; for the dimensions of `CODES` it is "unknown"."""
SPINES = ("all", "office", "district")
CODES: dict[str, tuple[str, ...]] = {
    "channel": ("unknown", "web", "333", "conventional", "suo_motu"),
    "sex": ("unknown", "female", "male", "other"),
    "age_group": ("unknown", "under_18", "18_35", "36_59", "60_plus"),
    "disability": ("unknown", "no", "yes"),
    "area": ("unknown", "urban", "rural"),
}
"""The values of a dimension, each at the number by which the tables name it."""
DIMENSIONS = ("office", "district", "programme", "category", *CODES)
"""Cluster, division and stage are sums of lines by office, district and programme."""
SHADES = (0, 1, 2)
"""Who may count a case: 0 lies at a GRO's desk and is not sensitive, 1 at another desk and is not, 2 is sensitive."""
LEVELS = (0, 1, 2, 3)

Stock = Mapping[tuple[int, date], int]
"""How many open cases at (escalation level, due date)."""


@dataclass(frozen=True, slots=True)
class View:
    """What is to be counted, for whom.

    ``since`` and ``until`` (exclusive) are first days of months; what is open is as of now, whatever they are. ``shades`` are
    {0}, {0, 1} or {0, 1, 2}. ``spine`` `office` or `district` with ``spine_ids`` keeps to those offices or districts (0: none);
    ``only`` keeps to values of one dimension, given as keys of lines: ``("programme", ("17", "none"))``. ``by`` is the dimension
    that makes the lines; None: the total alone. ``excluding`` is the actor whose accusers are not counted for them. ``by_day``
    asks for `Line.received_by_day`.

    At most two dimensions meet, and where there are two, one is `office` or `district` (`can_read`).
    """

    since: date
    until: date
    shades: Collection[int] = SHADES
    spine: str = "all"
    spine_ids: Collection[int] | None = None
    by: str | None = None
    only: tuple[str, Collection[str]] | None = None
    excluding: Actor | None = None
    by_day: bool = False

    def __post_init__(self) -> None:
        """Refuse what no table can answer: a bug of the caller, never a visitor's doing."""
        if self.since.day != 1 or self.until.day != 1 or self.since > self.until:
            raise ValueError("whole months only")
        if tuple(sorted(self.shades)) not in (SHADES[:1], SHADES[:2], SHADES):
            raise ValueError("shades are counted from 0 on")
        if self.spine not in SPINES or (self.by is not None and self.by not in DIMENSIONS):
            raise ValueError("no such dimension")
        if not can_read(self.spine if self.spine_ids is not None else "all", self.by, self.only and self.only[0]):
            raise ValueError("these dimensions are not counted together")

    @property
    def conditions(self) -> dict[str, tuple[int, ...] | None]:
        """The dimensions that meet, the spine first, each with the values it is kept to; None: to none in particular."""
        found: dict[str, tuple[int, ...] | None] = {}
        if self.spine != "all" and self.spine_ids is not None:
            found[self.spine] = tuple(self.spine_ids)
        if self.only is not None:
            dimension, keys = self.only
            values = tuple(number_of(dimension, key) for key in keys)
            kept = found.get(dimension)
            found[dimension] = values if kept is None else tuple(value for value in values if value in kept)
        if self.by is not None:
            found.setdefault(self.by, None)
        return found


def can_read(*dimensions: str | None) -> bool:
    """Whether cases are counted by these dimensions together (None and "all" are none): by one, or by two of which one is
    `office` or `district`."""
    asked = {dimension for dimension in dimensions if dimension not in (None, "all")}
    return len(asked) < 2 or (len(asked) == 2 and bool(asked & {"office", "district"}))


def key_of(dimension: str, number: int) -> str:
    """The key of a line for a value as the tables name it: the row's id as text, `none`, or a code."""
    if dimension in CODES:
        return CODES[dimension][number]
    return str(number) if number else NONE


def number_of(dimension: str, key: str) -> int:
    """The value behind a key of a line; -1, which no case has, for a key that means nothing."""
    if dimension in CODES:
        return CODES[dimension].index(key) if key in CODES[dimension] else -1
    return 0 if key == NONE else int(key) if key.isascii() and key.isdigit() and len(key) < 10 else -1


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one value, or of all: those of a period, and as of now what is open.

    ``days`` maps whole days from receipt to end to how many were resolved after so long. ``running``, ``paused`` and ``parts``
    are what is open: under a running clock, with a clock that stands still, and parts of cases, which are no case of their own
    and count only as escalated. ``stars``: how often 1, 2, 3, 4, 5 were given. ``received_by_day`` is empty unless asked for,
    and where two dimensions meet.
    """

    received: int = 0
    in_time: int = 0
    extended: int = 0
    late: int = 0
    declined: int = 0
    withdrawn: int = 0
    appealed: int = 0
    appeals_upheld: int = 0
    appeals_rejected: int = 0
    not_informed: int = 0
    stars: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    days: Mapping[int, int] = field(default_factory=dict)
    received_by_day: Mapping[date, int] = field(default_factory=dict)
    running: Stock = field(default_factory=dict)
    paused: Stock = field(default_factory=dict)
    parts: Stock = field(default_factory=dict)

    @property
    def resolved(self) -> int:
        """Answered in the period: in time, in time thanks to an extension, or late."""
        return self.in_time + self.extended + self.late

    @property
    def open(self) -> int:
        """Open now, with those whose clock stands still."""
        return sum(self.running.values()) + sum(self.paused.values())

    @property
    def paused_count(self) -> int:
        """How many of the open ones have a clock that stands still."""
        return sum(self.paused.values())

    @property
    def by_level(self) -> tuple[int, int, int, int]:
        """The open ones at levels 0, 1, 2, 3."""
        return _by_level(self.running, self.paused)

    @property
    def escalated(self) -> int:
        """Open at level 1 or above; parts of cases too."""
        return sum(self.escalated_by_level)

    @property
    def escalated_by_level(self) -> tuple[int, int, int]:
        """Open at levels 1, 2, 3; parts of cases too."""
        return _by_level(self.running, self.paused, self.parts)[1:]

    @property
    def due(self) -> Mapping[date, int]:
        """The due dates of what is open under a running clock: what is late, and what will be."""
        counts: Counter[date] = Counter()
        for (_, due_on), number in self.running.items():
            counts[due_on] += number
        return counts

    def overdue(self, today: date) -> int:
        """Open under a running clock with a due date before today."""
        return sum(number for (_, due_on), number in self.running.items() if due_on < today)

    def overdue_by_age(self, today: date, bands: Iterable[AgeBand]) -> dict[str, int]:
        """The overdue ones by calendar days since the due date."""
        return {band.code: sum(_aged(self.running, today, band).values()) for band in bands}

    def escalated_by_age(self, today: date, bands: Iterable[AgeBand]) -> dict[tuple[int, str], int]:
        """What is open at level 1 or above, parts too, by (level, age); what is not overdue today has no age."""
        found: Counter[tuple[int, str]] = Counter()
        kept = tuple(bands)
        for stock in (self.running, self.paused, self.parts):
            for (level, due_on), number in stock.items():
                if level and due_on < today:
                    for band in kept:
                        if band.holds((today - due_on).days):
                            found[level, band.code] += number
        return dict(found)

    @property
    def median_days(self) -> float | None:
        """Half of the resolved ones took at most so many days; None where nothing was resolved."""
        return percentile(self.days, 0.5)

    @property
    def ninetieth_days(self) -> float | None:
        """Nine tenths of the resolved ones took at most so many days."""
        return percentile(self.days, 0.9)

    @property
    def rated(self) -> int:
        """How many gave stars."""
        return sum(self.stars)

    @property
    def satisfied(self) -> int:
        """How many gave 4 or 5 stars."""
        return self.stars[3] + self.stars[4]


def total(lines: Iterable[Line]) -> Line:
    """The line of all these cases together; each must be counted in one of them only."""
    sums = dict.fromkeys(_NUMBERS, 0)
    stars = [0] * 5
    tables: dict[str, dict[Any, int]] = {name: {} for name in _TABLES}
    for line in lines:
        for name in _NUMBERS:
            sums[name] += getattr(line, name)
        stars = [a + b for a, b in zip(stars, line.stars, strict=True)]
        for name, table in tables.items():
            for place, number in getattr(line, name).items():
                table[place] = table.get(place, 0) + number
    kept = {name: {place: n for place, n in table.items() if n} for name, table in tables.items()}
    return Line(**sums, stars=tuple(stars), **kept)  # type: ignore[arg-type]


def percentile(counts: Mapping[int, int], share: float) -> float | None:
    """PostgreSQL's `percentile_cont` of whole numbers given with how often each occurs; None of nothing."""
    size = sum(counts.values())
    if not size:
        return None
    place = share * (size - 1)
    below, passed, lower = int(place), 0, None
    for value in sorted(counts):
        passed += counts[value]
        if lower is None and passed > below:
            lower = value
        if lower is not None and passed > below + (place > below):
            return lower + (value - lower) * (place - below)
    return float(lower) if lower is not None else None


_TABLES = ("days", "received_by_day", "running", "paused", "parts")
_NUMBERS = tuple(each.name for each in fields(Line) if each.name not in {*_TABLES, "stars"})


def _by_level(*stocks: Stock) -> tuple[int, int, int, int]:
    counts = [0, 0, 0, 0]
    for stock in stocks:
        for (level, _), number in stock.items():
            counts[level] += number
    return (counts[0], counts[1], counts[2], counts[3])


def _aged(stock: Stock, today: date, band: AgeBand) -> Stock:
    return {key: number for key, number in stock.items() if band.holds((today - key[1]).days)}
