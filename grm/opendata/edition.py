"""One month of open data, from the internal figures to what is published: pure.

A table counts every case of the month once, by one dimension. Its blocks are what is hidden together: the received ones; those
answered in time and not in time; those declined and withdrawn. Nothing is published that links two blocks of a row, so each is
protected by itself: what is open at the end of the month, from which the one could be reckoned out of the others, is told of the
whole country only, and not where it would give back what the country's own row withholds. The tables share nothing but the
country's totals, save that programmes belong to ministries; whoever adds up a ministry's programmes knows about its total, and
`suppression.protect_within` reckons with that.

A later edition of a month hides whatever an earlier one hid, and protects what changed in between as it protects the counts.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from grm.opendata.suppression import SMALL, Row, hides, is_small, protect, protect_within, sums

COUNTS = ("received", "in_time", "not_in_time", "declined", "withdrawn")
BLOCKS: dict[str, tuple[int, ...]] = {"received": (0,), "answered": (1, 2), "otherwise": (3, 4)}
"""What is hidden together: places in `COUNTS`."""
SHOWN = ("received", "resolved", "in_time", "not_in_time", "declined", "withdrawn")
"""The columns of a published row."""
OPEN = "open_at_month_end"
LICENCE = "CC-BY-4.0"
LICENCE_URL = "https://creativecommons.org/licenses/by/4.0/"
WITHHELD = "[c]"
"""What a CSV file says instead of a hidden count; JSON has null."""
HEADER = ("month", "edition", "table", "code", "name_en", "name_bn", *SHOWN, OPEN)

Published = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a dimension: its names and its `COUNTS`."""

    name_en: str
    name_bn: str
    counts: Row


@dataclass(frozen=True, slots=True)
class Table:
    """One dimension: entries by code. ``groups`` names, for each code that has one, the row of the table ``coarser`` that its
    cases are counted in."""

    dimension: str
    entries: Mapping[str, Entry]
    groups: Mapping[str, str] | None = None
    coarser: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """The internal figures of a month, before anything is hidden. A coarser table stands before the finer one."""

    month: date
    total: Row
    open_at_month_end: int
    tables: tuple[Table, ...]


def publish(
    figures: Figures,
    made_on: date,
    earlier: Sequence[Published] = (),
    untold: Sequence[Row] = (),
    late: Sequence[int] = (),
) -> Published | None:
    """Return the next edition of a month; None where there is nothing to publish.

    That is where nothing changed since the latest of ``earlier`` (all former editions, oldest first), and where a total changed
    by 1 to 4: so small a difference would tell of somebody, and waits until others have joined it. ``untold`` are the country's
    counts that the months before withhold, back to the last of which the open ones were told (`withheld`). ``late`` is, for each
    edition of any month that told what was open, how many have come to be open since of whom no file tells.
    """
    for table in figures.tables:
        if sums([entry.counts for entry in table.entries.values()]) != figures.total:
            raise ValueError(f"the table by {table.dimension} does not add up to the total")
    total = _total(figures, earlier, untold, late)
    if total is None:
        return None
    hidden: dict[str, dict[str, frozenset[str]]] = {}
    for table in figures.tables:
        hidden[table.dimension] = {
            block: _hidden(table, block, total, hidden.get(table.coarser or ""), earlier) for block in BLOCKS
        }
    made: dict[str, Any] = {
        "title": "Grievances about social security programmes of Bangladesh, by month",
        "publisher": "Cabinet Division, Government of the People's Republic of Bangladesh",
        "licence": LICENCE,
        "licence_url": LICENCE_URL,
        "month": f"{figures.month:%Y-%m}",
        "edition": len(earlier) + 1,
        "made_on": made_on.isoformat(),
        "withheld_from": 1,
        "withheld_to": SMALL - 1,
        "total": {**_shown(total), OPEN: total[OPEN]},
        "tables": {table.dimension: _rows(table, hidden[table.dimension]) for table in figures.tables},
    }
    if earlier and all(made[part] == earlier[-1][part] for part in ("total", "tables")):
        return None
    return made


def as_json(edition: Published) -> str:
    """The file for programs."""
    return json.dumps(edition, ensure_ascii=False, indent=1) + "\n"


def csv_rows(edition: Published) -> Iterator[list[object]]:
    """The lines under `HEADER`: the country's first, then table by table."""
    lead = [edition["month"], edition["edition"]]
    total = edition["total"]
    yield [*lead, "total", "", "Bangladesh", "বাংলাদেশ", *map(_cell, (total[name] for name in (*SHOWN, OPEN)))]
    for dimension, rows in edition["tables"].items():
        for row in rows:
            names = [row["code"], row["name_en"], row["name_bn"]]
            yield [*lead, dimension, *names, *map(_cell, (row[name] for name in SHOWN)), ""]


def _cell(count: int | None) -> object:
    return WITHHELD if count is None else count


def withheld(total: Row, published: Mapping[str, int | None]) -> list[Row]:
    """The country's counts that an edition does not tell, block by block."""
    return [
        tuple(total[place] for place in places) for places in BLOCKS.values() if published[COUNTS[places[0]]] is None
    ]


def _total(
    figures: Figures, earlier: Sequence[Published], untold: Sequence[Row], late: Sequence[int]
) -> dict[str, int | None] | None:
    """The country's counts, None for hidden ones; None for all of it where it differs too little from a former edition.

    What is open now, less what was open then, is what came in less what ended since: so the open ones would tell what all counts
    withheld meanwhile come to together, and wait until these hide one another. And they would tell how many papers of months
    that are published were entered since, and wait while these are so few.
    """
    counts: dict[str, int | None] = {}
    for block in BLOCKS.values():
        values = [figures.total[place] for place in block]
        was_hidden = any(before["total"][COUNTS[block[0]]] is None for before in earlier)
        for place, value in zip(block, values, strict=True):
            counts[COUNTS[place]] = None if was_hidden or is_small(values) else value
    was_hidden = any(before["total"][OPEN] is None for before in earlier)
    unknown = [*untold, *withheld(figures.total, counts)]
    few = {abs(each) for each in late if is_small([each])}
    is_told = all(hides([*unknown, *rows]) for rows in ([], *([(each,)] for each in few)))
    is_told = is_told and not is_small([figures.open_at_month_end])
    counts[OPEN] = figures.open_at_month_end if is_told and not was_hidden else None
    for before in earlier:
        for name, new in counts.items():
            old = before["total"][name]
            if new is not None and old is not None and is_small([new - old]):
                return None
    return counts


def _hidden(
    table: Table,
    block: str,
    total: Mapping[str, int | None],
    coarser: Mapping[str, frozenset[str]] | None,
    earlier: Sequence[Published],
) -> frozenset[str]:
    places = BLOCKS[block]
    rows = {code: tuple(entry.counts[place] for place in places) for code, entry in table.entries.items()}
    if total[COUNTS[places[0]]] is None:
        return frozenset(rows)
    former = [_of_block(before, table.dimension, places) for before in earlier]
    always = {code for found in former for code, row in found.items() if row is None}
    known = [{code: row for code, row in found.items() if row is not None} for found in former]
    if table.groups is None:
        return protect(rows, always, known)
    return protect_within(rows, table.groups, (coarser or {}).get(block, frozenset()), always, known)


def _of_block(edition: Published, dimension: str, places: tuple[int, ...]) -> dict[str, Row | None]:
    found: dict[str, Row | None] = {}
    for row in edition["tables"].get(dimension, ()):
        values = [row[COUNTS[place]] for place in places]
        found[row["code"]] = None if None in values else tuple(values)
    return found


def _rows(table: Table, hidden: Mapping[str, frozenset[str]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for code, entry in table.entries.items():
        counts: dict[str, int | None] = {}
        for block, places in BLOCKS.items():
            for place in places:
                counts[COUNTS[place]] = None if code in hidden[block] else entry.counts[place]
        rows.append({"code": code, "name_en": entry.name_en, "name_bn": entry.name_bn, **_shown(counts)})
    return rows


def _shown(counts: Mapping[str, int | None]) -> dict[str, int | None]:
    in_time, later = counts["in_time"], counts["not_in_time"]
    resolved = None if in_time is None or later is None else in_time + later
    return {name: resolved if name == "resolved" else counts[name] for name in SHOWN}
