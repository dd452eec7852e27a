"""A table on its way into a file: what it is called, what it holds, and what may not be in it.

The part of the system that owns a list says what its columns are; how they look in CSV, Excel or PDF is said once, here below.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from grm.kernel.text import latin_digits

Kind = Literal["text", "code", "number", "percent", "date"]
"""``text``: words, in which long numbers are masked. ``code``: a tracking number or the like, left as it is. ``number``: an int
or float. ``percent``: 93.5 means 93.5 %. ``date``: a date, or an instant whose Dhaka date is meant."""
Cell = str | int | float | date | datetime | None
Row = Sequence[Cell]

KEPT = 2
_LONG_NUMBER = re.compile(
    r"(?<![\dA-Za-z])\+?(?:\d{10,}|\d{3}[ -]\d{3}[ -]\d{4}|(?:88[ -]?)?01\d{3}[ -]\d{3}[ -]?\d{3})(?![\dA-Za-z])"
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``width`` in characters, 0: by its kind. ``decimals`` of a percentage, or of a number that is not whole."""

    title: str
    kind: Kind = "text"
    width: int = 0
    decimals: int = 0

    @property
    def characters(self) -> int:
        """How wide the column should be, in characters of text."""
        return self.width or {"text": 24, "code": 17, "number": 11, "percent": 10, "date": 17}[self.kind]

    def decimals_of(self, value: int | float) -> int:
        """How many decimals a figure of the column shows: a whole number none, in a column of mixed ones as well."""
        return 0 if isinstance(value, int) and self.kind == "number" else self.decimals or 1

    @property
    def is_figure(self) -> bool:
        """Whether it stands to the right, as figures do."""
        return self.kind in ("number", "percent")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its heading, all words in the language of the file.

    ``title``: what it is. ``filters``: what was chosen, in words, a line each. ``rows``: read once, one at a time, so that a
    large table never lies in memory; each as long as ``columns``. ``count``: how many rows there will be, if the list's figure
    is known: it decides whether the file is made at once, and shows how far it is. ``total``: a last row in bold. ``notes``:
    lines below (how something is counted). ``is_portrait``: for a PDF of few columns.
    """

    title: str
    columns: Sequence[Column]
    rows: Iterable[Row]
    filters: Sequence[str] = ()
    count: int | None = None
    total: Row | None = None
    notes: Sequence[str] = ()
    is_portrait: bool = False


def without_long_numbers(text: str) -> str:
    """A text in which what may be a telephone number or the number of an identity card is masked but for its end.

    Officers' notes and names of offices hold none; where one does, a file that goes from hand to hand is not to carry it on.
    """
    if not any(character.isdigit() for character in text):
        return text
    plain, masked = latin_digits(text), list(text)  # of the same length
    for found in _LONG_NUMBER.finditer(plain):
        places = [place for place in range(*found.span()) if plain[place].isdigit()]
        for place in places[:-KEPT]:
            masked[place] = "*"
    return "".join(masked)


def shown(column: Column, value: Cell) -> Cell:
    """The cell as it may go into a file."""
    return without_long_numbers(value) if isinstance(value, str) and column.kind == "text" else value
