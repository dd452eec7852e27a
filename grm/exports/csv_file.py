"""A table as CSV, for programs: plain numbers, ISO dates, nothing that a spreadsheet would run as a formula."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain
from typing import IO

from grm.exports.sheet import Cell, Column, Row, Sheet, shown
from grm.kernel.clock import dhaka_date
from grm.web.exports import csv_lines

TOLD_EVERY = 500


def write(sheet: Sheet, out: IO[bytes], as_of: datetime, say: Callable[[int], None] = lambda done: None) -> int:
    """Write the table; returns the number of rows. ``say`` hears how many are done, and may raise to stop."""
    del as_of  # a table for programs has nothing but its rows
    count = 0

    def rows() -> Iterator[Row]:
        nonlocal count
        for count, row in enumerate(sheet.rows, 1):
            if count % TOLD_EVERY == 0:
                say(count)
            yield row

    total = [sheet.total] if sheet.total is not None else []
    header = [column.title for column in sheet.columns]
    for line in csv_lines(header, (_values(sheet.columns, row) for row in chain(rows(), total))):
        out.write(line.encode())
    return count


def _values(columns: Sequence[Column], row: Row) -> list[Cell]:
    return [_plain(column, value) for column, value in zip(columns, row, strict=True)]


def _plain(column: Column, value: Cell) -> Cell:
    value = shown(column, value)
    if isinstance(value, datetime):
        value = dhaka_date(value)
    return value.isoformat() if isinstance(value, date) else value
