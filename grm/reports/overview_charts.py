"""What the overview draws beside its table: how offices compare in answering in time."""

from collections.abc import Mapping, Sequence
from typing import Any

from grm.reports.overview import Row
from grm.tallies.periods import percent

COMPARED_BY = ("ministry", "cluster", "division", "stage")
MOST_BARS = 8
"""More would be a table; it stands above."""


def compared(by: str, rows: Sequence[Row], titles: Mapping[str, str], link: Any) -> list[dict[str, Any]]:
    """The bars of those who have resolved most, the best first: what share was in time, and of how many."""
    if by not in COMPARED_BY:
        return []
    answered = sorted((row for row in rows if row.line.resolved), key=lambda row: -row.line.resolved)[:MOST_BARS]
    bars = [
        {
            "label": titles.get(row.code, row.code),
            "value": percent(row.line.in_time, row.line.resolved),
            "count": row.line.resolved,
            "href": link("resolved", row.code) if link else None,
        }
        for row in answered
    ]
    return sorted(bars, key=lambda bar: -(bar["value"] or 0)) if len(bars) > 1 else []
