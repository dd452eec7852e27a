"""Reading the figures: exact to the last committed act, in one statement and therefore of one instant.

    lines = read(session, View(since=…, until=…, by="office"))
    lines[TOTAL].received, lines["12"].median_days

What is read are the tallies; to which is added what stands on the list of due cases and is not folded yet (as it is now, less as
it was counted), and from which the cases are taken that accuse whoever asks.

Where no fold has come for hours the list is too long for a page. Then it is read as of the last fold, and the session knows that
it was (`standing.behind`): every page that shows such figures says so.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from itertools import repeat
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from grm.kernel.prepared import PREPARED
from grm.tallies import cube
from grm.tallies.cube import COUNTERS, FLOW_KEY, NOW_KEY, Grouping
from grm.tallies.figures import LEVELS, TOTAL, Line, View, key_of, total
from grm.tallies.vectors import vectors

EPOCH = date(1970, 1, 1)
MOST_DUE = 10_000
"""So many changes are counted for a page before they are folded: a third of a second of processor."""
_HOWEVER_MANY = 10**12
DUE = """
    SELECT case_id FROM tally_due
    WHERE (SELECT count(*) FROM (SELECT FROM tally_due LIMIT CAST(:most_due AS bigint) + 1) AS few) <= :most_due
"""
"""What is not folded yet, several times perhaps; nothing where it is more than `:most_due`."""
BEHIND = "figures as of the last fold"
"""In `Session.info`: this session has read kept figures while more than `MOST_DUE` changes waited."""


def read(session: Session, view: View, *, exactly: bool = False) -> dict[str, Line]:
    """Return the lines of a view by key (`figures.key_of`), with `TOTAL` always there; a value without any case has none.

    ``exactly``, for what is kept: true to the last act however much waits. A page would show what was folded last.
    """
    sums: dict[str, _Sums] = {}
    for key, _month, part, row in _rows(session, view, exactly, is_by_month=False):
        sums.setdefault(key, _Sums()).add(part, row)
    lines = {key: each.line() for key, each in sums.items()}
    found = {key: line for key, line in lines.items() if line != Line()}
    return {TOTAL: total(lines.values()), **(found if view.by is not None else {})}


def series(session: Session, view: View, *, exactly: bool = False) -> dict[str, dict[date, Line]]:
    """Return the lines of each month of a view, by key and first day of the month: what happened in it. What is open is of no
    month and left out. Months without anything are missing. ``exactly`` as for `read`."""
    sums: dict[str, dict[date, _Sums]] = {}
    for key, month, part, row in _rows(session, view, exactly, is_by_month=True):
        sums.setdefault(key, {}).setdefault(month, _Sums()).add(part, row)
    lines = {key: {month: each.line() for month, each in months.items()} for key, months in sums.items()}
    months = sorted({month for each in lines.values() for month in each})
    lines[TOTAL] = {month: total(each[month] for key, each in lines.items() if month in each) for month in months}
    return {key: {month: line for month, line in sorted(each.items()) if line != Line()} for key, each in lines.items()}


# --- the statement ------------------------------------------------------------------------------------------------------

_FLOW, _DAYS, _RECEIVED, _STOCK, _BEHIND = range(5)
_ACCUSING = """
    SELECT case_id FROM accused WHERE officer_id = :officer_id
    UNION SELECT case_id FROM accused WHERE officer_id IS NULL AND post_id = ANY(:post_ids)
    UNION SELECT case_id FROM accused WHERE officer_id IS NULL AND post_id IS NULL AND office_id = ANY(:office_ids)
"""
"""The cases that accuse an officer, a post held today, or an office sat in: what `visible_to` leaves out."""


_ACCUSERS = "SELECT case_id FROM accusing"


@lru_cache(maxsize=256)
def _statement(
    grouping: Grouping, by: str | None, kept: frozenset[str], *, is_excluding: bool, is_by_day: bool, is_by_month: bool
) -> TextClause:
    """One text for each shape of view: few are ever asked for, and each is planned once a connection."""
    key = "0" if by is None else "spine_id" if by == grouping.spine else "value"
    place = (
        f"spine = {cube.SPINES[grouping.spine]} AND dimension = {cube.NUMBER_OF[grouping.dimension]} AND shade = :shade"
    )
    if grouping.spine in kept:
        place += " AND spine_id = ANY(:spine_ids)"
    if grouping.dimension in kept:
        place += " AND value = ANY(:values)"
    again, out = "SELECT case_id FROM due", "SELECT case_id FROM due"
    if is_excluding:
        again, out = f"{again} EXCEPT {_ACCUSERS}", f"{out} UNION {_ACCUSERS}"
    month = "month" if is_by_month else "NULL::date"
    groups = "1, 2" if is_by_month else "1"
    months = "month = ANY(:months)"
    parts = [
        f"""SELECT {key} AS key, {month} AS month, {_FLOW} AS part, 0 AS what,
            ARRAY[{", ".join(f"sum({name})::integer" for name in COUNTERS)}] AS at, NULL::integer[] AS n
        FROM happened GROUP BY {groups}""",  # noqa: S608 - names of our own
        _histogram(key, month, _DAYS, "0", "happened", "days_at", "days_n"),
    ]
    if is_by_day and grouping.has_days:
        day = f"(month - {cube.EPOCH}) - 1 + unnest(received_at)"
        parts.append(_histogram(key, month, _RECEIVED, "0", "happened", "received_at", "received_n", day))
    if not is_by_month:
        parts.append(_histogram(key, "NULL::date", _STOCK, "what", "stands", "due_at", "due_n"))
    parts.append(
        f"""SELECT 0, NULL::date, {_BEHIND}, 0, NULL::integer[], NULL::integer[]
        WHERE NOT EXISTS (SELECT FROM due) AND EXISTS (SELECT FROM tally_due)"""  # noqa: S608 - names of our own
    )
    statement = text(
        f"""
        WITH due AS MATERIALIZED (SELECT DISTINCT case_id FROM ({DUE}) AS waits),
        accusing AS MATERIALIZED ({_ACCUSING if is_excluding else "SELECT 0::bigint AS case_id WHERE false"}),
        signed AS MATERIALIZED (
            SELECT 1 AS sign, v.* FROM ({vectors(f"c.id = ANY(ARRAY({again}))")}) AS v
            UNION ALL
            SELECT -1, k.* FROM case_count AS k WHERE k.case_id = ANY(ARRAY({out}))),
        newly AS MATERIALIZED (SELECT * FROM ({cube.flows("signed", [grouping])}) AS f WHERE {place} AND {months}),
        happened AS NOT MATERIALIZED (
            SELECT {FLOW_KEY}, {_FLOWS} FROM tally WHERE {place} AND {months}
            UNION ALL SELECT {FLOW_KEY}, {_FLOWS} FROM newly),
        stands AS (
            SELECT {NOW_KEY}, due_at, due_n FROM tally_now WHERE {place}
            UNION ALL SELECT {NOW_KEY}, due_at, due_n FROM ({cube.stocks("signed", [grouping])}) AS s WHERE {place})
        {" UNION ALL ".join(parts)}
        """  # noqa: S608 - names of our own
    )
    return statement.execution_options(**PREPARED)


_FLOWS = ", ".join((*COUNTERS, "received_at", "received_n", "days_at", "days_n"))


def _histogram(key: str, month: str, part: int, what: str, table: str, at: str, n: str, place: str = "") -> str:
    """One row for each key (month, kind of stock), with the places of its histogram and how many stand at each."""
    counted = f"""
        SELECT {key} AS key, {month} AS month, {what} AS what, {place or f"unnest({at})"} AS at, unnest({n}) AS n FROM {table}
    """  # noqa: S608 - names of our own
    return f"""
        SELECT key, month, {part}, what, array_agg(at), array_agg(n) FROM (
            SELECT key, month, what, at, sum(n)::integer AS n FROM ({counted}) AS u GROUP BY 1, 2, 3, 4 HAVING sum(n) <> 0
        ) AS h GROUP BY key, month, what
    """  # noqa: S608 - names of our own


def _rows(session: Session, view: View, exactly: bool, *, is_by_month: bool) -> Iterable[tuple[str, Any, int, Any]]:
    """The answer: key, month, part, and what it holds."""
    conditions = view.conditions
    grouping = grouping_of(conditions)
    values: dict[str, Any] = {
        "shade": max(view.shades),
        "most_due": _HOWEVER_MANY if exactly else MOST_DUE,
        "months": list(_months(view.since, view.until)),
        "spine_ids": _list(conditions.get(grouping.spine)),
        "values": _list(conditions.get(grouping.dimension or "")),
    }
    if view.excluding is not None:
        values["officer_id"] = view.excluding.officer_id
        values["post_ids"] = [seat.post_id for seat in view.excluding.seats]
        values["office_ids"] = list(view.excluding.office_ids())
    statement = _statement(
        grouping,
        view.by,
        frozenset(dimension for dimension, kept in conditions.items() if kept is not None),
        is_excluding=view.excluding is not None,
        is_by_day=view.by_day,
        is_by_month=is_by_month,
    )
    used = {name: value for name, value in values.items() if name in statement._bindparams}
    for row in session.execute(statement, used):
        if row.part == _BEHIND:
            session.info[BEHIND] = True
            continue
        yield TOTAL if view.by is None else key_of(view.by, row.key), row.month, row.part, row


def grouping_of(conditions: Mapping[str, Any]) -> Grouping:
    """The grouping that holds these dimensions, of which `figures.can_read` is true."""
    spine = next((name for name in ("office", "district") if name in conditions), "all")
    return Grouping(spine, next((name for name in conditions if name != spine), None))


def _list(numbers: Iterable[int] | None) -> list[int]:
    return sorted(numbers or ())


def _months(since: date, until: date) -> Iterable[date]:
    while since < until:
        yield since
        since = date(since.year + since.month // 12, since.month % 12 + 1, 1)


@dataclass(slots=True)
class _Sums:
    """A line under way: each part comes once, as one row of the answer."""

    counters: Sequence[int] = (0,) * len(COUNTERS)
    days: dict[int, int] = field(default_factory=dict)
    received: dict[int, int] = field(default_factory=dict)
    stocks: dict[int, dict[int, int]] = field(default_factory=dict)

    def add(self, part: int, row: Any) -> None:
        if part == _FLOW:
            self.counters = row.at
        elif part == _STOCK:
            self.stocks[row.what] = dict(zip(row.at, row.n, strict=True))
        elif part == _DAYS:
            self.days = dict(zip(row.at, row.n, strict=True))
        else:
            self.received = dict(zip(row.at, row.n, strict=True))

    def line(self) -> Line:
        numbers = dict(zip(COUNTERS, self.counters, strict=True))
        stars = tuple(numbers.pop(f"stars_{number}") for number in range(1, 6))
        return Line(
            **numbers,
            stars=stars,  # type: ignore[arg-type]
            not_informed=self.stocks.get(cube.NOT_INFORMED, {}).get(0, 0),
            days=self.days,
            received_by_day={_day(at): n for at, n in self.received.items()},
            running=self._stock(cube.RUNNING),
            paused=self._stock(cube.PAUSED),
            parts=self._stock(cube.PARTS),
        )

    def _stock(self, first: int) -> dict[tuple[int, date], int]:
        found: dict[tuple[int, date], int] = {}
        for level in LEVELS:
            counts = self.stocks.get(first + level)
            if counts:
                found.update(zip(zip(repeat(level), map(_day, counts), strict=False), counts.values(), strict=True))
        return found


@lru_cache(maxsize=4096)
def _day(number: int) -> date:
    return EPOCH + timedelta(days=number)
