"""Reading a file of gazetted days: either every line is good, or all faults are told with their line numbers. Pure.

Columns: `day` (2027-03-10), `kind`, `name_bn`, `name_en`, `source`, and if wanted `estimated` (yes or no). Kinds:
`holiday`, `working` (a weekend day ordered to be worked), and `none`, which takes back an announced day. An empty file
is a fault: an empty feed is never read as "no holidays".
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from grm.deadlines.calendar import Day
from grm.kernel.errors import InvalidInput
from grm.kernel.text import clean_line, latin_digits

REQUIRED = ("day", "kind", "name_bn", "name_en", "source")
OPTIONAL = ("estimated",)
_ISO_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST, _LAST = date(2000, 1, 1), date(2100, 12, 31)
_YES, _NO = {"yes", "true", "1"}, {"", "no", "false", "0"}
MAX_BYTES = 1_000_000
MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in which line (1 is the first; 0 the file as a whole)."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """The announced days by date, None for one that is taken back; or the faults, and then no days."""

    days: Mapping[date, Day | None]
    faults: tuple[Fault, ...]


def parse(content: bytes) -> Parsed:
    """Read the content of a file. Never raises for what a file can hold."""
    if len(content) > MAX_BYTES:
        return _refused(0, f"the file has more than {MAX_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _refused(content[: error.start].count(b"\n") + 1, "the text is not UTF-8")
    if "\0" in text:
        return _refused(text[: text.index("\0")].count("\n") + 1, "the file holds a NUL character")
    if not text.strip():
        return _refused(0, "the file is empty; an empty file never means that there are no holidays")
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True, restkey="…", restval="")
    try:
        header = [name.strip() for name in reader.fieldnames or ()]
        if fault := _header_fault(header):
            return _refused(1, fault)
        reader.fieldnames = header
        return _collect(reader)
    except csv.Error as error:
        return _refused(reader.reader.line_num, f"this is no readable CSV: {error}")


def _refused(line: int, message: str) -> Parsed:
    return Parsed({}, (Fault(line, message),))


def _header_fault(header: list[str]) -> str:
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name or "(no name)" for name in header if name not in (*REQUIRED, *OPTIONAL)]
    doubled = sorted({name for name in header if header.count(name) > 1})
    words = (("is missing", missing), ("is not known", unknown), ("occurs twice", doubled))
    return "; ".join(f"column {', '.join(names)} {what}" for what, names in words if names)


def _collect(reader: "csv.DictReader[str]") -> Parsed:
    days: dict[date, Day | None] = {}
    seen: dict[date, int] = {}
    faults: list[Fault] = []
    for row in reader:
        line = reader.line_num
        if not any(str(value).strip() for value in row.values()):
            continue
        found = list(_faults_of(row))
        on = _date_of(row["day"])
        if on is not None and on in seen:
            found.append(f"{on} is in line {seen[on]} already")
        if found:
            faults += [Fault(line, message) for message in found]
        elif on is not None:
            seen[on] = line
            days[on] = _day_of(row)
    if not faults and not days:
        faults.append(Fault(0, "the file has no days; an empty file never means that there are no holidays"))
    return Parsed({}, tuple(faults)) if faults else Parsed(days, ())


def _faults_of(row: Mapping[str, str]) -> Iterator[str]:
    if "…" in row:
        yield "there are more values than columns"
    kind = row["kind"].strip()
    if _date_of(row["day"]) is None:
        yield f"day must be a date like 2027-03-10, from {_FIRST.year} to {_LAST.year}"
    if kind not in ("holiday", "working", "none"):
        yield "kind must be holiday, working or none"
    for name in ("name_bn", "name_en", "source"):
        try:
            text = clean_line(row[name])
        except InvalidInput:
            yield f"{name} holds characters that cannot be stored"
            continue
        if not text and (kind != "none" or name == "source"):
            yield f"{name} is empty"
        if len(text) > MAX_NAME:
            yield f"{name} is longer than {MAX_NAME} characters"
    if row.get("estimated", "").strip().lower() not in _YES | _NO:
        yield "estimated must be yes or no"


def _date_of(text: str) -> date | None:
    plain = latin_digits(text[:40]).strip()
    if not _ISO_DATE.fullmatch(plain):
        return None
    try:
        on = date.fromisoformat(plain)
    except ValueError:
        return None
    return on if _FIRST <= on <= _LAST else None


def _day_of(row: Mapping[str, str]) -> Day | None:
    kind = row["kind"].strip()
    if kind == "none":
        return None
    return Day(
        "holiday" if kind == "holiday" else "working",
        clean_line(row["name_bn"]),
        clean_line(row["name_en"]),
        clean_line(row["source"]),
        row.get("estimated", "").strip().lower() in _YES,
    )
