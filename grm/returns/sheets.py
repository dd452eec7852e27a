"""One side of a monthly return, in the columns of the GRS Guidelines 2015 (revised 2018), and whether it balances. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grm.tallies.periods import percent

SIDES = ("complaint", "appeal")
CHANNELS = ("web", "333", "conventional", "suo_motu")
COLUMNS = {
    "carried": "came = 'carried'",
    "web": "came = 'web'",
    "333": "came = '333'",
    "conventional": "came = 'conventional'",
    "suo_motu": "came = 'suo_motu'",
    "reopened": "came = 'reopened'",
    "from_offices": "came = 'from_offices'",
    "received": "came <> 'carried'",
    "total": "came IS NOT NULL",
    "disposed": "went = 'disposed'",
    "in_time": "went = 'disposed' AND NOT is_late",
    "late": "went = 'disposed' AND is_late",
    "sent": "went = 'sent'",
    "pending": "went = 'pending'",
    "overdue": "went = 'overdue'",
    "extended": "went IN ('pending', 'overdue') AND is_extended",
    "rated": "stars IS NOT NULL",
    "satisfied": "stars >= 4",
    "decided": "is_upheld IS NOT NULL",
    "upheld": "is_upheld",
}
"""What each number counts, as a condition on the entries of a return (`grm/returns/counting.py`); its list has the same."""
RECEIVED = (*CHANNELS, "reopened", "from_offices")


@dataclass(frozen=True, slots=True)
class Sheet:
    """The numbers of one side."""

    counts: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(COLUMNS, 0))
    median_days: float | None = None
    ninetieth_days: float | None = None

    def __getitem__(self, column: str) -> int:
        return self.counts[column]

    @property
    def balances(self) -> bool:
        """Carried over + received = disposed of + sent + pending, and every sum is that of its parts."""
        here = self.counts
        came = here["carried"] + here["received"]
        went = here["disposed"] + here["sent"] + here["pending"] + here["overdue"]
        parts = sum(here[column] for column in RECEIVED) == here["received"]
        return came == here["total"] == went and parts and here["in_time"] + here["late"] == here["disposed"]

    @property
    def rate(self) -> float | None:
        """Disposed of, in per cent of all there was to do."""
        return percent(self["disposed"], self["total"])

    @property
    def in_time_percent(self) -> float | None:
        """Disposed of in time, in per cent of what was disposed of."""
        return percent(self["in_time"], self["disposed"])

    @property
    def satisfied_percent(self) -> float | None:
        """Ratings of 4 or 5 stars, in per cent of all."""
        return percent(self["satisfied"], self["rated"])

    @property
    def upheld_percent(self) -> float | None:
        """Appeals that gave the complainant right, in per cent of those decided."""
        return percent(self["upheld"], self["decided"])

    def as_json(self) -> dict[str, Any]:
        """The sheet as it is frozen."""
        return {"counts": dict(self.counts), "median_days": self.median_days, "ninetieth_days": self.ninetieth_days}


Sheets = Mapping[str, Sheet]
"""Both sides."""


def from_json(value: Mapping[str, Any]) -> Sheet:
    """Read a frozen sheet; a column that was unknown then is zero."""
    counts = {column: int(value["counts"].get(column, 0)) for column in COLUMNS}
    return Sheet(counts, value["median_days"], value["ninetieth_days"])


def is_silent(complaints: Sheet) -> bool:
    """Whether no complaint was received: what was opened again, or came from elsewhere, had been one before."""
    return not any(complaints[channel] for channel in CHANNELS)
