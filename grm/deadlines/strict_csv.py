"""Reading a CSV file that people send: its lines, or every reason why it cannot be read. Pure.

A fault is a sentence of the catalogue with its values apart, so that a page can say it in the reader's language.
"""

import csv
import io
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from grm.kernel.errors import InvalidInput
from grm.kernel.text import clean_line, latin_digits

MAX_BYTES = 1_000_000
MAX_WORDS = 200
"""How long a name or a source may be, in characters."""

FIRST, LAST = date(2000, 1, 1), date(2100, 12, 31)
EXTRA = "…"
"""The key under which a row keeps the values that no column has a name for."""

_ISO_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


NOT_A_DATE = _("%(column)s must be a date like 2027-03-10, from %(first)s to %(last)s")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in which line (1 is the first; 0 the file as a whole): a sentence and the values in it."""

    line: int
    text: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> str:
        """The sentence in English."""
        return self.text % self.values if self.values else self.text

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


@dataclass(frozen=True, slots=True)
class Row:
    """A line that is not blank: the number of its last line in the file, and its values by column."""

    line: int
    values: Mapping[str, str]

    def words(self, column: str) -> str:
        """The value as one clean line; empty where the file lacks the column. Raises `InvalidInput`."""
        return clean_line(self.values.get(column) or "")


def read(
    content: bytes, required: Collection[str], optional: Collection[str], when_empty: str
) -> tuple[Sequence[Row], tuple[Fault, ...]]:
    """The lines of a file with a header of these columns in any order; or why it is none. Never raises.

    `when_empty` is what to say of a file without any text, because an empty feed must never pass for "nothing".
    """
    if len(content) > MAX_BYTES:
        return _refused(0, _("the file has more than %(limit)s bytes"), limit=MAX_BYTES)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _refused(content[: error.start].count(b"\n") + 1, _("the text is not UTF-8"))
    if "\0" in text:
        return _refused(text[: text.index("\0")].count("\n") + 1, _("the file holds a NUL character"))
    if not text.strip():
        return _refused(0, when_empty)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, restkey=EXTRA, restval="")
    try:
        header = [name.strip() for name in reader.fieldnames or ()]
        if faults := _faults_of_header(header, required, optional):
            return (), faults
        reader.fieldnames = header
        rows = [Row(reader.line_num, row) for row in reader if any(str(value).strip() for value in row.values())]
    except csv.Error as error:
        return _refused(reader.reader.line_num, _("this is no readable CSV: %(why)s"), why=str(error))
    return rows, ()


def too_many_values(row: Row) -> tuple[Fault, ...]:
    """The fault of a line with more values than the header has names."""
    return (Fault(row.line, _("there are more values than columns")),) if EXTRA in row.values else ()


def faults_of_words(row: Row, column: str, may_be_empty: bool = False) -> tuple[Fault, ...]:
    """What is wrong with a text of one line."""
    try:
        text = row.words(column)
    except InvalidInput:
        return (Fault(row.line, _("%(column)s holds characters that cannot be stored"), {"column": column}),)
    if not text and not may_be_empty:
        return (Fault(row.line, _("%(column)s is empty"), {"column": column}),)
    if len(text) > MAX_WORDS:
        values = {"column": column, "limit": MAX_WORDS}
        return (Fault(row.line, _("%(column)s is longer than %(limit)s characters"), values),)
    return ()


def not_a_date(row: Row, column: str) -> Fault:
    """The fault of a value that `date_of` cannot read."""
    return Fault(row.line, NOT_A_DATE, {"column": column, "first": FIRST.year, "last": LAST.year})


def date_of(text: str) -> date | None:
    """A date as yyyy-mm-dd in any digits, within the years that a calendar can hold; else None."""
    plain = latin_digits(text[:40]).strip()
    if not _ISO_DATE.fullmatch(plain):
        return None
    try:
        on = date.fromisoformat(plain)
    except ValueError:
        return None
    return on if FIRST <= on <= LAST else None


def _refused(line: int, text: str, **values: Any) -> tuple[Sequence[Row], tuple[Fault, ...]]:
    return (), (Fault(line, text, values),)


def _faults_of_header(header: list[str], required: Collection[str], optional: Collection[str]) -> tuple[Fault, ...]:
    missing = [name for name in required if name not in header]
    unknown = [name or "(no name)" for name in header if name not in (*required, *optional)]
    doubled = sorted({name for name in header if header.count(name) > 1})
    words = (
        (_("column %(names)s is missing"), missing),
        (_("column %(names)s is not known"), unknown),
        (_("column %(names)s occurs twice"), doubled),
    )
    return tuple(Fault(1, text, {"names": ", ".join(names)}) for text, names in words if names)
