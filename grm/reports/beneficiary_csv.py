"""Reading a file of beneficiary numbers: either every line is good, or all faults are told with their line numbers. Pure.

Columns: `programme` (slug or name), `fiscal_year` (2025-26), `people`, `source`; and `district` (code or name), empty or left
out for the whole country.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grm.deadlines import strict_csv
from grm.deadlines.strict_csv import Fault, Row
from grm.kernel.text import latin_digits
from grm.offices.directory import Directory, Place, Programme

REQUIRED = ("programme", "fiscal_year", "people", "source")
OPTIONAL = ("district",)
MOST_PEOPLE = 200_000_000
"""More than the country has: a slip of the finger."""
MAX_LINES = 20_000
"""More than all programmes in all districts."""
_FISCAL_YEAR = re.compile("(20[0-9]{2})-([0-9]{2})")


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


@dataclass(frozen=True, slots=True)
class Line:
    """A good line."""

    number: int
    programme_id: int
    district_id: int | None
    fiscal_year: str
    people: int
    source: str

    @property
    def key(self) -> tuple[int, int | None, str]:
        """What the number is of."""
        return self.programme_id, self.district_id, self.fiscal_year


def parse(content: bytes, book: Directory) -> tuple[tuple[Line, ...], tuple[Fault, ...]]:
    """Return the lines of a file in its order; or the faults, and then no lines. Never raises for what a file can hold."""
    empty = _("the file is empty; it must hold at least one number")
    rows, refused = strict_csv.read(content, REQUIRED, OPTIONAL, empty)
    if refused:
        return (), refused
    if not rows:
        return (), (Fault(0, empty),)
    if len(rows) > MAX_LINES:
        return (), (Fault(0, _("the file has more than %(limit)s lines"), {"limit": MAX_LINES}),)
    lines: list[Line] = []
    faults: list[Fault] = []
    seen: dict[tuple[int, int | None, str], int] = {}
    for row in rows:
        found, line = _read(row, book)
        if line is not None and (other := seen.setdefault(line.key, row.line)) != row.line:
            found = [Fault(row.line, _("line %(other)s says a number of the same already"), {"other": other})]
        faults += found
        if line is not None:
            lines.append(line)
    return ((), tuple(faults)) if faults else (tuple(lines), ())


def _read(row: Row, book: Directory) -> tuple[list[Fault], Line | None]:
    faults = [*strict_csv.too_many_values(row), *strict_csv.faults_of_words(row, "source")]
    people, year = _people(row), _year(row)
    if people is None:
        faults.append(Fault(row.line, _("people must be a whole number from 0 to %(most)s"), {"most": MOST_PEOPLE}))
    if year is None:
        faults.append(Fault(row.line, _("fiscal_year must be a year from July to June, like 2025-26")))
    programmes = book.find_programmes(row.values["programme"])
    faults += _not_one(row, "programme", programmes, book.near_names("programme", row.values["programme"]))
    typed = (row.values.get("district") or "").strip()
    districts = book.find_places(typed, "district") if typed else ()
    if typed:
        faults += _not_one(row, "district", districts, book.near_names("place", typed, "district"))
    if faults or people is None or year is None:
        return faults, None
    district_id = districts[0].id if districts else None
    return [], Line(row.line, programmes[0].id, district_id, year, people, row.words("source"))


def _not_one(
    row: Row, column: str, found: Sequence[Programme] | Sequence[Place], near: tuple[str, ...]
) -> Iterator[Fault]:
    typed = (row.values.get(column) or "").strip()[: strict_csv.MAX_WORDS]
    if len(found) > 1:
        yield Fault(
            row.line,
            _("%(column)s %(typed)s may mean several; give the code"),
            {"column": column, "typed": typed},
        )
    elif not found and near:
        values = {"column": column, "typed": typed, "near": ", ".join(near)}
        yield Fault(row.line, _("there is no %(column)s %(typed)s; perhaps %(near)s"), values)
    elif not found:
        yield Fault(row.line, _("there is no %(column)s %(typed)s"), {"column": column, "typed": typed})


def _people(row: Row) -> int | None:
    """A whole number in either script's digits; the commas of lakh and crore may stand in it."""
    plain = latin_digits(row.values["people"][:40]).replace(",", "").strip()
    is_number = plain.isascii() and plain.isdigit() and int(plain) <= MOST_PEOPLE
    return int(plain) if is_number else None


def _year(row: Row) -> str | None:
    plain = latin_digits(row.values["fiscal_year"][:40]).replace("–", "-").strip()
    found = _FISCAL_YEAR.fullmatch(plain)
    return plain if found and (int(found[1]) + 1) % 100 == int(found[2]) else None
