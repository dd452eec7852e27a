"""Reads the fields of a filled form one after the other and collects what is wrong with them. Pure."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from grm.kernel.errors import InvalidInput
from grm.kernel.text import clean_line, is_blank, latin_digits, parse_date


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of one field. `params` fill the sentence; they never repeat what was typed."""

    field: str
    code: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Sieve:
    """Reads one field after the other and collects what is wrong."""

    def __init__(self, filling: Mapping[str, str]) -> None:
        self._filling = filling
        self.problems: list[Problem] = []

    def fault(self, name: str, code: str, **params: Any) -> None:
        """Note a fault of a field."""
        self.problems.append(Problem(name, code, params))

    def raw(self, name: str) -> str:
        """A field as typed; empty where it was not sent."""
        return self._filling.get(name, "")

    def choice(self, name: str, allowed: Iterable[str], missing: str = "") -> str | None:
        """A code of a list; digits of any script. `missing` is the fault of an empty value, none: it may be empty."""
        value = latin_digits(self.raw(name)[:200]).strip()
        if is_blank(value):
            if missing:
                self.fault(name, missing)
            return None
        if value not in allowed:
            self.fault(name, f"{name}-unknown")
            return None
        return value

    def text(self, name: str, longest: int, clean: Callable[[str], str] = clean_line) -> str:
        """Text cleaned, of at most `longest` characters; too much of it is a fault, and nothing is cut."""
        try:
            value = clean(self.raw(name))
        except InvalidInput as error:
            self.fault(name, error.code)
            return ""
        if len(value) > longest:
            self.fault(name, "too-long", count=len(value), limit=longest, over=len(value) - longest)
        return value

    def contact(self, name: str, parse: Callable[[str], str]) -> str | None:
        """A telephone number or an address by its parser; None where nothing is typed or it is none."""
        value = self.raw(name)
        if is_blank(value):
            return None
        try:
            return parse(value)
        except InvalidInput as error:
            self.fault(name, error.code)
            return None

    def day(self, name: str, earliest: date, today: date) -> date | None:
        """A date from `earliest` to today; None where nothing is typed or it cannot be read."""
        value = self.raw(name)
        if is_blank(value):
            return None
        day = parse_date(value)
        if day is None:
            self.fault(name, "date-unreadable")
        elif day > today:
            self.fault(name, "date-in-future")
        elif day < earliest:
            self.fault(name, "date-too-early", earliest=earliest)
        return day
