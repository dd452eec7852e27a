"""From the rows of a spreadsheet to the rows of a register: where the header is, what stands above it, which sheets belong. Pure.

Titles and blank lines above the header are passed over, and so are a row of column numbers under it and a header repeated on
every printed page. Sheets with the same header are one register; hidden ones and others are named, not read.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from grm.files.sheets import Refused, Row, Sheet
from grm.intake.batch_columns import LOOKED_AT, is_header, is_in_old_font, is_result, known_in
from grm.kernel.text import has_forbidden_characters, is_blank, latin_digits, search_key

Cell = str | Mapping[str, str]
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass
class Table:
    """A register being read. `rows` may be gone through once; then the rest is known."""

    headings: tuple[str, ...] = ()
    starts_1904: bool = False
    sheets: list[str] = field(default_factory=list)
    """The sheets that are read, in order; a row's `sheet` is a place in it."""
    hidden: list[str] = field(default_factory=list)
    others: list[tuple[str, int]] = field(default_factory=list)
    """Visible sheets that are not read because their header is another one, or none: name and rows."""


@dataclass(frozen=True, slots=True, repr=False)
class Line:
    """A row of the register: its sheet, its number there, and its cells."""

    sheet: int
    number: int
    cells: list[Cell]
    mark: str


def rows_of(found: Iterable[Sheet | Row], table: Table) -> Iterator[Line]:
    """Yield the rows of the register, and fill in `table` on the way.

    Raises `Refused`: `empty`, `no-header`, `old-font`, `no-rows`, or whatever the file itself is refused for.
    """
    is_any = is_old = False
    count = 0
    for sheet, rows in _sheets(found):
        if sheet.is_hidden:
            table.hidden.append(sheet.name)
            continue
        beginning: list[Row] = []
        for row in rows:
            beginning.append(row)
            if len(beginning) == LOOKED_AT:
                break
        is_any = is_any or bool(beginning)
        is_old = is_old or any(is_in_old_font(_texts(row.cells)) for row in beginning)
        at = _header_among(beginning)
        headings = tuple(_texts(beginning[at].cells)) if at is not None else ()
        if at is None or (table.headings and not _same(headings, table.headings)):
            if left := len(beginning) + sum(1 for _ in rows):
                table.others.append((sheet.name, left))
            continue
        if not table.headings:
            table.headings, table.starts_1904 = headings, sheet.starts_1904
        table.sheets.append(sheet.name)
        for row in _chained(beginning[at + 1 :], rows):
            cells = [_disarmed(cell) for cell in row.cells]
            if _is_counting(cells) or _is_repeated(cells, headings) or not _has_own(cells, headings):
                continue
            count += 1
            yield Line(len(table.sheets) - 1, row.number, cells, row.mark)
    if not table.headings:
        raise Refused("old-font" if is_old else "no-header" if is_any else "empty")
    if not count:
        raise Refused("no-rows")


def _sheets(found: Iterable[Sheet | Row]) -> Iterator[tuple[Sheet, Iterator[Row]]]:
    """The sheets, each with its rows, which must be gone through before the next sheet is asked for."""
    pieces = iter(found)
    upcoming: list[Sheet] = []

    def rows() -> Iterator[Row]:
        for piece in pieces:
            if isinstance(piece, Sheet):
                upcoming.append(piece)
                return
            yield piece

    first = next(pieces, None)
    if isinstance(first, Sheet):
        upcoming.append(first)
    while upcoming:
        sheet, of_sheet = upcoming.pop(), rows()
        yield sheet, of_sheet
        for _ in of_sheet:
            pass


def _chained(beginning: list[Row], rest: Iterator[Row]) -> Iterator[Row]:
    yield from beginning
    yield from rest


def _header_among(rows: list[Row]) -> int | None:
    """The row that names most fields; of equals the first."""
    fitting = [(known_in(_texts(row.cells)), -place) for place, row in enumerate(rows) if is_header(_texts(row.cells))]
    return -max(fitting)[1] if fitting else None


def _texts(cells: Iterable[Cell]) -> list[str]:
    """Headings as they are kept: one line each, and nothing that the database could not store."""
    return [
        " ".join(cell.split())[:120] if isinstance(cell, str) and not has_forbidden_characters(cell) else ""
        for cell in cells
    ]


def _same(one: Iterable[str], other: Iterable[str]) -> bool:
    """Whether two rows of headings are alike; what a results file has added does not count."""

    def plain(headings: Iterable[str]) -> list[str]:
        return [search_key(each) for each in headings if each.strip() and not is_result(each)]

    return plain(one) == plain(other)


def _is_repeated(cells: list[Cell], headings: tuple[str, ...]) -> bool:
    """Whether a row is the header once more."""
    first = next((place for place, heading in enumerate(headings) if heading.strip()), None)
    if first is None or first >= len(cells) or " ".join(str(cells[first]).split()) != headings[first]:
        return False  # as nearly all rows are, at once
    return _same(_texts(cells), headings)


def _is_counting(cells: list[Cell]) -> bool:
    """Whether a row only numbers the columns: 1 2 3 4 …, as printed registers do under their header."""
    if len(cells) < 3 or not all(isinstance(cell, str) and len(cell) < 8 for cell in cells):
        return False
    said = [latin_digits(cell).strip(" ().।") if isinstance(cell, str) else "x" for cell in cells]
    figures = [each for each in said if each]
    return len(figures) >= 3 and figures == [str(place) for place in range(1, len(figures) + 1)]


def _has_own(cells: list[Cell], headings: tuple[str, ...]) -> bool:
    """Whether anything stands in a row but what a results file has added."""
    return any(
        not (isinstance(cell, str) and is_blank(cell)) and not (place < len(headings) and is_result(headings[place]))
        for place, cell in enumerate(cells)
    )


def _disarmed(cell: Cell) -> Cell:
    """A cell without the apostrophe that our own CSV files put before what a spreadsheet would take for a formula."""
    if isinstance(cell, str) and cell.startswith("'") and cell[1:].startswith(_FORMULA_STARTS):
        return cell[1:]
    return cell
