"""Reading a registry's CSV file, row by row: everything that is wrong is told with its line. Pure.

One row is one payment of one beneficiary in one programme; the rows of a beneficiary stand together. A row whose payment
columns are empty says that somebody is enrolled.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, NoReturn

from grm.kernel.errors import InvalidInput
from grm.kernel.text import clean_line, latin_digits
from grm.registry.beneficiary import (
    REASONS,
    STATES,
    Beneficiary,
    Enrolment,
    Payment,
    Unreadable,
    month_of,
    newest_first,
    parse_key,
)

REQUIRED = ("beneficiary_id", "programme")
PAYMENT = ("period_from", "period_to", "taka", "state")
COLUMNS = (*REQUIRED, "nid", "name", "enrolled_on", "ended_on", "provider", *PAYMENT, "sent_on", "reason")
MOST_FAULTS = 50
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """A beneficiary with the keys to be found by."""

    person: Beneficiary
    id_key: str
    nid_key: str | None


class RegistryFaults(Exception):
    """A file that cannot be taken; `faults` are lines of text, without any value of the file."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        super().__init__("\n".join(faults))


def read_registry(
    lines: Iterable[str], as_of: date, programme_of: Callable[[str], str | None], providers: Iterable[str]
) -> Iterator[Entry]:
    """The beneficiaries of a file, one after the other; raises `RegistryFaults` at its end if anything was wrong.

    `programme_of` is a programme's slug by what the file calls it, None for none; `providers` are codes of offices.
    """
    reader = csv.reader(lines, strict=True)
    file = _File(as_of, programme_of, frozenset(providers))
    try:
        header = [cell.strip().lstrip("\ufeff") for cell in next(reader, [])]
        file.check_header(header)
        rows = ((reader.line_num, dict(zip(header, cells, strict=False)), len(cells)) for cells in reader if cells)
        whole = ((line, row) for line, row, count in rows if file.has_all(line, count, len(header)))
        for typed, group in groupby(whole, key=lambda each: each[1].get("beneficiary_id", "").strip()):
            if entry := file.entry(typed, list(group)):
                yield entry
    except csv.Error as error:
        file.fault(reader.line_num, f"is no CSV: {error}")
    if file.faults:
        raise RegistryFaults(file.faults)


class _File:
    def __init__(self, as_of: date, programme_of: Callable[[str], str | None], providers: frozenset[str]) -> None:
        self.faults: list[str] = []
        self._as_of = as_of
        self._programme_of = programme_of
        self._providers = providers
        self._seen: set[str] = set()

    def fault(self, line: int, text: str) -> None:
        self.faults.append(f"line {line}: {text}")
        if len(self.faults) >= MOST_FAULTS:
            raise RegistryFaults([*self.faults, "… and perhaps more"])

    def check_header(self, header: list[str]) -> None:
        missing = [f"line 1: the column {name} is missing" for name in REQUIRED if name not in header]
        unknown = [f"line 1: the column {name!r} is not known" for name in header if name not in COLUMNS]
        double = [f"line 1: the column {name} is there twice" for name in sorted(set(header)) if header.count(name) > 1]
        if faults := missing + unknown + double:
            raise RegistryFaults(faults)

    def has_all(self, line: int, count: int, wanted: int) -> bool:
        if count != wanted:
            self.fault(line, f"has {count} cells, the header has {wanted}")
        return count == wanted

    def entry(self, typed: str, rows: list[tuple[int, dict[str, str]]]) -> Entry | None:
        """A beneficiary with all rows of his; None where something is wrong with one of them."""
        before = len(self.faults)
        first = rows[0][0]
        key = self._read(first, "beneficiary_id", typed, parse_key)
        if key is not None and key in self._seen:
            self.fault(first, "beneficiary_id was there before: the rows of a beneficiary must stand together")
        nids = {latin_digits(row.get("nid", "").strip()) for _, row in rows} - {""}
        if len(nids) > 1:
            self.fault(first, "nid differs between the rows of a beneficiary")
        nid = next(iter(nids), None)
        nid_key = self._read(first, "nid", nid, _nid) if nid else None
        names = [name for line, row in rows if (name := self._read(line, "name", row.get("name", ""), _words))]
        enrolments = self._enrolments(rows)
        if len(self.faults) > before or key is None:
            return None
        self._seen.add(key)
        person = Beneficiary(latin_digits(typed), self._as_of, nid, names[0] if names else "", enrolments)
        return Entry(person, key, nid_key)

    def _enrolments(self, rows: list[tuple[int, dict[str, str]]]) -> tuple[Enrolment, ...]:
        found: dict[str, dict[str, Any]] = {}
        for line, row in rows:
            programme = self._read(line, "programme", row.get("programme", ""), self._programme)
            if programme is None:
                continue
            one = found.setdefault(programme, {"payments": []})
            for name in ("enrolled_on", "ended_on"):
                one[name] = self._read(line, name, row.get(name, ""), _day) or one.get(name)
            one["provider"] = self._read(line, "provider", row.get("provider", ""), self._provider) or one.get(
                "provider"
            )
            if payment := self._payment(line, row):
                one["payments"].append(payment)
        return tuple(
            Enrolment(programme, **{**one, "payments": newest_first(one["payments"])})
            for programme, one in found.items()
        )

    def _payment(self, line: int, row: Mapping[str, str]) -> Payment | None:
        given = [name for name in PAYMENT if row.get(name, "").strip()]
        if not given:
            return None
        for name in PAYMENT:
            if name not in given and name != "period_to":
                self.fault(line, f"{name} is blank")
        start = self._read(line, "period_from", row.get("period_from", ""), _month)
        end = self._read(line, "period_to", row.get("period_to", ""), _month) or start
        taka = self._read(line, "taka", row.get("taka", ""), _taka)
        state = self._read(line, "state", row.get("state", ""), _one_of(STATES))
        sent_on = self._read(line, "sent_on", row.get("sent_on", ""), _day)
        reason = self._read(line, "reason", row.get("reason", ""), _one_of(REASONS))
        if start is None or end is None or taka is None or state is None:
            return None
        if end < start:
            self.fault(line, "period_to is before period_from")
        return Payment(start, end, taka, state, sent_on, reason)

    def _read(self, line: int, name: str, text: str, read: Callable[[str], Any]) -> Any:
        """A cell's value; None for an empty cell, and for one that is wrong."""
        if not text.strip() and name not in REQUIRED:
            return None
        try:
            return read(text.strip())
        except (ValueError, InvalidInput):
            self.fault(line, f"{name} cannot be read")
            return None

    def _programme(self, text: str) -> str:
        return self._programme_of(text) or _fail()

    def _provider(self, text: str) -> str:
        return text if text in self._providers else _fail()


def _nid(text: str) -> str:
    """A national identity number: 10 figures on a smart card, 13 or, with the year of birth, 17 on the older one."""
    key = parse_key(text)
    return key if key.isdigit() and len(key) in (10, 13, 17) else _fail()


def _words(text: str) -> str:
    cleaned = clean_line(text)
    return cleaned if len(cleaned) <= _LONGEST else _fail()


def _day(text: str) -> date:
    return date.fromisoformat(latin_digits(text))


def _month(text: str) -> date:
    return month_of(latin_digits(text))


def _taka(text: str) -> int:
    plain = latin_digits(text).replace(",", "")
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) <= 8 else _fail()


def _one_of(codes: tuple[str, ...]) -> Callable[[str], str]:
    return lambda text: text if text in codes else _fail()


def _fail() -> NoReturn:
    raise Unreadable
