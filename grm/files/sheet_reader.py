"""Reads one spreadsheet (XLSX or CSV) and says what its cells hold, row by row. Runs as a program of its own, see `sheets.py`:
what a file does to the reader stays in here, within limits of memory and time.

    python -I grm/files/sheet_reader.py  < file  > one JSON list a line

    ["sheet", name, is_hidden, starts_1904]  what follows lies on this sheet
    ["row", number, [cell, …], mark]      a row with something in it; a cell is text, or {"e": code} where no value can be had
    ["refused", code]                     the file is not taken; nothing follows

Formulas are never computed: the value that the spreadsheet program stored with them counts. Merged cells hold their value in
each of their rows. Imports nothing of grm.
"""

import csv
import io
import json
import re
import resource
import sys
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

MEMORY_BYTES = 1 << 30
CPU_SECONDS = 40
MOST_UNPACKED = 200 * 1024 * 1024
MOST_PARTS = 2000
MOST_ROWS = 20_000
"""Rows with something in them, over all sheets."""
MOST_COLUMNS = 100
LAST_ROW = 1_048_576
"""Beyond it no spreadsheet program numbers a row."""
LONGEST_CELL = 32_767
"""What a spreadsheet program puts into one cell at the most; a longer one in a CSV file is a quotation mark left open."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NOT_TEXT = (
    b"%PDF",
    b"\xff\xd8\xff",
    b"\x89PNG",
    b"GIF8",
    b"\x1f\x8b",
    b"Rar!",
    b"7z\xbc\xaf",
    b"MZ",
    b"\x7fELF",
    b"{\\rtf",
)
_MARKUP = re.compile(rb"<(!doctype|html|table|head|body|\?xml|svg)", re.IGNORECASE)
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=[\"']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})[\"']")
_LONGEST_MERGED = 200
_SEPARATORS = ",;\t|"
_SAMPLE_LINES = 60

Cell = str | dict[str, str]


class Refused(Exception):
    """A file that is not taken."""


def say(*words: Any) -> None:
    """Write one line of the answer."""
    sys.stdout.write(json.dumps(words, ensure_ascii=True) + "\n")


def read(data: bytes) -> None:
    """Tell what kind of file it is and read it."""
    if not data.strip(b"\0 \t\r\n"):
        raise Refused("empty")
    if data.startswith(b"PK\x03\x04"):
        read_workbook(data)
    elif data.startswith(_OLE):
        # Excel puts an encrypted workbook into the same envelope as the files of its versions before 2007.
        raise Refused("password" if "EncryptedPackage".encode("utf-16-le") in data else "old-excel")
    elif data.startswith(_NOT_TEXT):
        raise Refused("not-a-sheet")
    elif _MARKUP.search(data[:1024]):
        raise Refused("web-page")
    else:
        read_csv(data)


# --- XLSX -------------------------------------------------------------------------------------------------------------


def read_workbook(data: bytes) -> None:
    """Read every visible sheet of a workbook; hidden ones are named."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            _look_into(parts)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Refused("damaged") from error
    from openpyxl import load_workbook
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    book: Any = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    is_mac = book.epoch == CALENDAR_MAC_1904
    rows = 0
    for sheet in book.worksheets:
        is_hidden = sheet.sheet_state != "visible"
        say("sheet", sheet.title, is_hidden, is_mac)
        if is_hidden:
            continue
        last = 0
        for number, cells in _rows_of(sheet):
            if not last < number <= LAST_ROW:
                raise Refused("damaged")  # numbers made by hand: they tell no row from another
            last = number
            rows += 1
            if rows > MOST_ROWS:
                raise Refused("too-many-rows")
            say("row", number, cells, "")


def _look_into(parts: zipfile.ZipFile) -> None:
    entries = parts.infolist()
    names = {entry.filename for entry in entries}
    if "[Content_Types].xml" not in names:
        is_office = "mimetype" in names and parts.read("mimetype")[:60].startswith(b"application/vnd.oasis.")
        raise Refused("other-office" if is_office else "not-a-sheet")
    if len(entries) > MOST_PARTS or sum(entry.file_size for entry in entries) > MOST_UNPACKED:
        raise Refused("too-much")
    kinds = parts.read("[Content_Types].xml")
    if b"macroEnabled" in kinds or any(name.lower().endswith("vbaproject.bin") for name in names):
        raise Refused("macros")
    if "xl/workbook.bin" in names:
        raise Refused("other-office")
    if "xl/workbook.xml" not in names:
        raise Refused("not-a-sheet")
    for name in names:
        if name.endswith((".xml", ".rels")):
            with parts.open(name) as part:
                if b"<!DOCTYPE" in part.read(2048):  # no spreadsheet program writes one; entity bombs need one
                    raise Refused("damaged")


def _rows_of(sheet: Any) -> Iterator[tuple[int, list[Cell]]]:
    from openpyxl.worksheet._reader import WorkSheetParser

    class Parser(WorkSheetParser):
        def parse_cell(self, element: Any) -> Any:
            """A formula that was never computed has no value, and must not look like an empty cell."""
            cell = super().parse_cell(element)
            if cell["value"] is None and any(child.tag.endswith("}f") for child in element):
                cell["data_type"] = "formula"
            return cell

    book = sheet.parent
    merged = _Merged(sheet)
    with sheet._get_source() as source:
        parser: Any = Parser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for number, found in parser.parse():
            parser.row_dimensions.clear()  # one entry for every formatted row, and nobody asks for them
            cells: list[Cell] = []
            for cell in found:
                if cell["column"] > MOST_COLUMNS:
                    break
                value = _cell(cell["value"], cell["data_type"])
                if value:
                    cells.extend([""] * (cell["column"] - len(cells)))
                    cells[cell["column"] - 1] = value
            is_own = any(not isinstance(value, str) or value.strip() for value in cells)
            merged.spread(number, cells)
            if is_own:
                yield number, cells


class _Merged:
    """The merged cells of a sheet that reach over several rows; the list stands at the very end of the sheet's part."""

    def __init__(self, sheet: Any) -> None:
        self._waiting: dict[int, set[tuple[int, int]]] = {}
        self._open: list[tuple[int, int, Cell]] = []
        read = b""
        with sheet._get_source() as source:
            while piece := source.read(1 << 20):
                read = read[-_LONGEST_MERGED:] + piece
                for found in _MERGED.finditer(read):
                    top, bottom = int(found[2]), int(found[4])
                    if bottom > top:
                        self._waiting.setdefault(top, set()).add((_column(found[1]), bottom))

    def spread(self, number: int, cells: list[Cell]) -> None:
        """Put the value of each merged cell that reaches into a row where the row has none of its own."""
        self._open = [each for each in self._open if each[1] >= number]
        for column, _, value in self._open:
            if column <= MOST_COLUMNS:
                cells.extend([""] * (column - len(cells)))
                cells[column - 1] = cells[column - 1] or value
        for column, bottom in self._waiting.pop(number, ()):
            if column <= len(cells) and cells[column - 1]:
                self._open.append((column, bottom, cells[column - 1]))


def _column(letters: bytes) -> int:
    found = 0
    for letter in letters:
        found = found * 26 + letter - 64
    return found


def _cell(value: Any, kind: str) -> Cell:
    """A cell's value as text: dates as yyyy-mm-dd, whole numbers without a point."""
    if kind == "formula":
        return {"e": "formula"}
    if kind == "e":
        return {"e": "value"}
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)


# --- CSV --------------------------------------------------------------------------------------------------------------


def read_csv(data: bytes) -> None:
    """Read a file of separated values in whichever encoding and with whichever separator."""
    text = _decoded(data)
    first = text.split("\n", 1)[0].strip().strip('"')
    csv.field_size_limit(LONGEST_CELL)
    separator = first[4] if re.fullmatch(r"sep=[,;\t|]", first) else _separator(text)
    say("sheet", "", False, False)
    rows = 0
    width = 0
    try:
        for number, cells in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator), 1):
            if number == 1 and first.startswith("sep="):
                continue
            if not any(cell.strip() for cell in cells):
                continue
            rows += 1
            if rows > MOST_ROWS:
                raise Refused("too-many-rows")
            width = max(width, len(cells))
            swallowed = any("\n" in cell and _holds_a_row(cell, separator, width) for cell in cells)
            say("row", number, cells[:MOST_COLUMNS], "quote-open" if swallowed else "")
    except csv.Error as error:
        raise Refused("quote-open") from error
    if not rows:
        raise Refused("empty")


def _holds_a_row(cell: str, separator: str, width: int) -> bool:
    """Whether a line of a cell looks like a row of the file: a quotation mark before it was opened and never closed.

    In a sentence a space follows the comma.
    """
    bare = (line.count(separator) - line.count(separator + " ") for line in cell.split("\n"))
    return any(count >= max(width - 1, 2) for count in bare)


def _decoded(data: bytes) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        encodings = ["utf-8-sig"]
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        sample = data[:4000]
        low, high = sample[0::2].count(0), sample[1::2].count(0)
        if max(low, high) > len(sample) // 20:  # commas and digits have one zero byte in UTF-16
            encodings = ["utf-16-le" if high > low else "utf-16-be"]
        else:
            encodings = ["utf-8"]
    try:
        return data.decode(encodings[0])
    except UnicodeDecodeError as error:
        is_binary = any(byte < 9 or 13 < byte < 27 for byte in data[:4000])
        raise Refused("not-a-sheet" if is_binary else "encoding") from error


def _separator(text: str) -> str:
    """The separator that cuts the beginning into most columns."""
    lines = "\n".join(line for line in text[:200_000].splitlines()[:_SAMPLE_LINES])

    def columns(separator: str) -> int:
        try:
            found = sorted(len(row) for row in csv.reader(io.StringIO(lines, newline=""), delimiter=separator) if row)
        except csv.Error:
            return 0
        return found[len(found) * 3 // 4] if found else 0  # the rows, not the titles above them

    return max(_SEPARATORS, key=columns)


def main() -> int:
    """Read within limits."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    answer(sys.stdin.buffer.read())
    return 0


def answer(data: bytes) -> None:
    """Say what is in a file, or why it is refused."""
    try:
        read(data)
    except Refused as refused:
        say("refused", str(refused))
    except (MemoryError, RecursionError):
        say("refused", "too-much")
    except Exception:
        # Whatever it was that the library could not read: the file is not one that a spreadsheet program wrote.
        say("refused", "damaged")


if __name__ == "__main__":
    sys.exit(main())
