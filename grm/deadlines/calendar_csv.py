"""Reading a file of gazetted days: either every line is good, or all faults are told with their line numbers. Pure.

Columns: `day` (2027-03-10), `kind`, `name_bn`, `name_en`, `source`, and if wanted `estimated` (yes or no). Kinds:
`holiday`, `working` (a weekend day ordered to be worked), and `none`, which takes back an announced day. An empty file
is a fault: an empty feed is never read as "no holidays".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from grm.deadlines import strict_csv
from grm.deadlines.calendar import Day
from grm.deadlines.strict_csv import Fault, Row, date_of

__all__ = ["OPTIONAL", "REQUIRED", "Fault", "Parsed", "parse"]

REQUIRED = ("day", "kind", "name_bn", "name_en", "source")
OPTIONAL = ("estimated",)
_YES, _NO = {"yes", "true", "1"}, {"", "no", "false", "0"}


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


@dataclass(frozen=True, slots=True)
class Parsed:
    """The announced days by date, None for one that is taken back; or the faults, and then no days."""

    days: Mapping[date, Day | None]
    faults: tuple[Fault, ...]


def parse(content: bytes) -> Parsed:
    """Read the content of a file. Never raises for what a file can hold."""
    rows, refused = strict_csv.read(
        content, REQUIRED, OPTIONAL, _("the file is empty; an empty file never means that there are no holidays")
    )
    if refused:
        return Parsed({}, refused)
    days: dict[date, Day | None] = {}
    seen: dict[date, int] = {}
    faults: list[Fault] = []
    for row in rows:
        found = list(_faults_of(row))
        on = date_of(row.values["day"])
        if on is not None and on in seen:
            found.append(Fault(row.line, _("%(day)s is in line %(line)s already"), {"day": on, "line": seen[on]}))
        faults += found
        if not found and on is not None:
            seen[on] = row.line
            days[on] = _day_of(row)
    if not faults and not days:
        text = _("the file has no days; an empty file never means that there are no holidays")
        faults.append(Fault(0, text))
    return Parsed({}, tuple(faults)) if faults else Parsed(days, ())


def _faults_of(row: Row) -> Iterator[Fault]:
    yield from strict_csv.too_many_values(row)
    kind = row.values["kind"].strip()
    if date_of(row.values["day"]) is None:
        yield strict_csv.not_a_date(row, "day")
    if kind not in ("holiday", "working", "none"):
        yield Fault(row.line, _("kind must be holiday, working or none"))
    for name in ("name_bn", "name_en", "source"):
        yield from strict_csv.faults_of_words(row, name, may_be_empty=kind == "none" and name != "source")
    if row.values.get("estimated", "").strip().lower() not in _YES | _NO:
        yield Fault(row.line, _("estimated must be yes or no"))


def _day_of(row: Row) -> Day | None:
    kind = row.values["kind"].strip()
    if kind == "none":
        return None
    return Day(
        "holiday" if kind == "holiday" else "working",
        row.words("name_bn"),
        row.words("name_en"),
        row.words("source"),
        row.values.get("estimated", "").strip().lower() in _YES,
    )
