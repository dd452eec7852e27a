"""CSV that opens right in a spreadsheet: UTF-8 with a mark, and no cell that a spreadsheet would run as a formula."""

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence

MARK = "\ufeff"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: object) -> str:
    """Return a cell's text; a leading character that starts a formula is disarmed by an apostrophe (OWASP, CSV injection)."""
    text = "" if value is None else str(value)
    is_plain_number = isinstance(value, (int, float))
    return "'" + text if text.startswith(FORMULA_STARTS) and not is_plain_number else text


def csv_lines(header: Sequence[object], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield a CSV file in pieces, so that a large one never lies in memory whole (RFC 4180 quoting and line ends)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    yield MARK
    for row in itertools.chain([header], rows):
        writer.writerow([safe_cell(value) for value in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
