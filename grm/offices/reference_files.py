"""Reading a folder of reference CSV files: everything is checked and all faults are told together, with file and line.

Format: UTF-8, comma, a header row with the columns named below in any order; `valid_from` and `valid_to` (ISO dates, the
second exclusive) may be added to any file. Pure: what the database already knows is passed in.
"""

import csv
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from pathlib import Path

from grm.kernel.errors import InvalidInput
from grm.kernel.text import clean_line, has_forbidden_characters, is_blank

Value = str | int | date | None
Known = Mapping[str, Collection[str]]
"""Kind of thing (ministry, division, …) → the codes or slugs that exist already."""

DATED = ("valid_from", "valid_to")
KIND_COLUMN = "*kind"
"""What `Column.refers_to` says when the row's own column `kind` names the kind of thing."""

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_CODE = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a file; `line` 1 is the header, 0 the file as a whole."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


class BadFiles(InvalidInput):
    """Reference files that cannot be taken; `faults` lists every reason. Nothing has been written."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("bad-reference-files", count=len(self.faults))

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: how its text is read, and what it must name if it refers to something."""

    name: str
    read: Callable[[str], Value]
    refers_to: str = ""
    is_optional: bool = False
    """Whether a row may leave the cell empty (None)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a file must look like.

    `defines` is the kind of thing its first key column makes known. Kinds of one `group` share their codes: a code is of
    one kind only, and may be referred to by the group's name.
    """

    file: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    defines: str = ""
    group: str = ""
    ignored: tuple[str, ...] = ()
    extra: tuple[Column, ...] = ()
    """Columns a file may leave out altogether; what they say then stays as it is."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was read; `values` has the columns of the layout, and the dates where the file has them."""

    line: int
    values: Mapping[str, Value]

    def text(self, column: str) -> str:
        """The text of a required column."""
        return str(self.values[column])


@dataclass
class Folder:
    """What a folder holds: file name → rows; files that are not there are missing here too."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def slug(text: str) -> str:
    """A slug: lower-case ASCII words joined by hyphens."""
    if not _SLUG.fullmatch(text):
        raise ValueError("must be lower-case words joined by hyphens")
    return text


def code(text: str) -> str:
    """A code: ASCII letters and digits, with hyphens between."""
    if not _CODE.fullmatch(text):
        raise ValueError("must be letters and digits")
    return text


def words(text: str) -> str:
    """One line of text in any script."""
    if len(text) > _LONGEST:
        raise ValueError(f"is longer than {_LONGEST} characters")
    return clean_line(text)


def whole_number(text: str) -> int:
    """A number from 0 to 999 in ASCII digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise ValueError("must be a number from 0 to 999")
    return int(text)


def yes_or_no(text: str) -> bool:
    """Yes or no."""
    if text not in ("yes", "no"):
        raise ValueError("must be yes or no")
    return text == "yes"


def iso_date(text: str) -> date:
    """A date as yyyy-mm-dd."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a date as yyyy-mm-dd") from None


def one_of(*choices: str) -> Callable[[str], str]:
    """One of the given words."""

    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return read


def read_folder(folder: Path, layouts: Iterable[Layout], known: Known) -> dict[str, list[Row]]:
    """Read every file of the folder that a layout describes. Raises `BadFiles` with all faults together."""
    found = Folder()
    layouts = tuple(layouts)
    if not folder.is_dir():
        raise BadFiles([Fault(str(folder), 0, "is no folder")])
    for layout in layouts:
        path = folder / layout.file
        if path.exists():
            found.rows[layout.file] = _read_file(path, layout, found.faults)
    if not found.rows:
        names = ", ".join(layout.file for layout in layouts)
        raise BadFiles([Fault(str(folder), 0, f"has none of the files {names}")])
    _check_references(found, layouts, known)
    if found.faults:
        raise BadFiles(sorted(found.faults, key=lambda fault: (fault.file, fault.line)))
    return found.rows


def _read_file(path: Path, layout: Layout, faults: list[Fault]) -> list[Row]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (UnicodeDecodeError, OSError):
        faults.append(Fault(layout.file, 0, "is no readable UTF-8 text"))
        return []
    if has_forbidden_characters(text):
        faults.append(Fault(layout.file, 0, "holds NUL characters"))
        return []
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        lines = [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        faults.append(Fault(layout.file, reader.line_num, f"is no CSV: {error}"))
        return []
    header = [cell.strip() for cell in lines[0][1]] if lines else []
    if wrong := _header_faults(header, layout):
        faults.extend(Fault(layout.file, 1, text) for text in wrong)
        return []
    rows = [
        Row(line, _read_row(dict(zip(header, cells, strict=True)), layout, line, faults))
        for line, cells in lines[1:]
        if cells and _has_all_cells(cells, header, layout, line, faults)
    ]
    _check_duplicates(rows, layout, faults)
    return rows


def _header_faults(header: list[str], layout: Layout) -> list[str]:
    wanted = [column.name for column in layout.columns]
    allowed = {*wanted, *layout.ignored, *DATED, *(column.name for column in layout.extra)}
    missing = [f"the column {name} is missing" for name in wanted if name not in header]
    unknown = [f"the column {name!r} is not known" for name in header if name not in allowed]
    double = [f"the column {name} is there twice" for name in sorted(set(header)) if header.count(name) > 1]
    return missing + unknown + double


def _has_all_cells(cells: list[str], header: list[str], layout: Layout, line: int, faults: list[Fault]) -> bool:
    if len(cells) == len(header):
        return True
    faults.append(Fault(layout.file, line, f"has {len(cells)} cells, the header has {len(header)}"))
    return False


def _read_row(cells: dict[str, str], layout: Layout, line: int, faults: list[Fault]) -> dict[str, Value]:
    dates = tuple(Column(name, iso_date, is_optional=name == "valid_to") for name in DATED if name in cells)
    values: dict[str, Value] = {}
    extra = tuple(column for column in layout.extra if column.name in cells)
    for column in layout.columns + extra + dates:
        text = "" if is_blank(cells[column.name]) else cells[column.name].strip()
        values[column.name] = None
        if text:
            try:
                values[column.name] = column.read(text)
            except ValueError as error:
                faults.append(Fault(layout.file, line, f"{column.name} {error}"))
        elif not column.is_optional:
            faults.append(Fault(layout.file, line, f"{column.name} is blank"))
    start, end = values.get("valid_from"), values.get("valid_to")
    if isinstance(start, date) and isinstance(end, date) and end <= start:
        faults.append(Fault(layout.file, line, "valid_to is not after valid_from"))
    return values


def _check_duplicates(rows: list[Row], layout: Layout, faults: list[Fault]) -> None:
    first: dict[tuple[Value, ...], int] = {}
    for row in rows:
        key = tuple(row.values[name] for name in layout.key)
        if None in key:
            continue
        if key in first:
            named = ", ".join(str(part) for part in key)
            faults.append(Fault(layout.file, row.line, f"{named} is there already, in line {first[key]}"))
        first.setdefault(key, row.line)


def _check_references(found: Folder, layouts: tuple[Layout, ...], known: Known) -> None:
    there: dict[str, set[str]] = {kind: set(names) for kind, names in known.items()}
    for layout in layouts:
        _make_known(found, layout, layouts, there)
    for layout in layouts:
        for row in found.rows.get(layout.file, ()):
            for column in layout.columns:
                value = row.values[column.name]
                kind = str(row.values.get("kind") or "") if column.refers_to == KIND_COLUMN else column.refers_to
                if kind and value is not None and value not in there.get(kind, ()):
                    fault = f"{column.name} names no {kind.replace('_', ' ')} that exists: {value}"
                    found.faults.append(Fault(layout.file, row.line, fault))


def _make_known(found: Folder, layout: Layout, layouts: tuple[Layout, ...], there: dict[str, set[str]]) -> None:
    """Add the names a file defines, and find those that are something else of the same group already."""
    if not layout.defines:
        return
    others = {other.defines for other in layouts if layout.group and other.group == layout.group} - {layout.defines}
    for row in found.rows.get(layout.file, ()):
        name = str(row.values[layout.key[0]])
        for other in sorted(others):
            if name in there.get(other, ()):
                found.faults.append(Fault(layout.file, row.line, f"{name} is the code of a {other.replace('_', ' ')}"))
        there.setdefault(layout.defines, set()).add(name)
    if layout.group:
        there.setdefault(layout.group, set()).update(there.get(layout.defines, ()))
