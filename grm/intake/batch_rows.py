"""One row of a register: what it fills in on the desk's form, what is wrong with it, and what makes it the same row again. Pure.

A row says less than a form: what its cells leave out, the plan gives to all rows alike. What somebody has written and nobody
can read is a fault; what nobody has written is "not known", as on every other form.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from grm.intake import batch_values as values
from grm.intake.batch_columns import APPEND, FIELDS, NOTHING, is_result
from grm.intake.batch_names import Names
from grm.intake.screening import IDENTIFYING, NONE_OF_THESE, UNKNOWN, Answers, Choices, Problem, screen
from grm.kernel.text import search_key

Cell = str | Mapping[str, str]
NAMED = ("programme", "category", "district", "upazila")
"""Fields whose cells name something that we have a list of; what a name means can be said once for all rows."""
DEFAULTS = ("medium", "received_on", "district", "programme", "category")
"""Fields that can be the same for all rows that leave them out."""
_OPTIONAL_FACTS = {
    "sex": values.parse_sex,
    "age_group": values.parse_age_group,
    "medium": values.parse_medium,
    "relation": values.parse_relation,
}
_SAME_ROW = (
    *("received_on", "programme", "category", "district", "upazila", "place", "details", "incident_on"),
    *("name", "phone", "email", "representative_name"),
)
"""What makes two rows one complaint: neither their serial numbers nor what all rows were given alike."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a register is read: chosen by whoever hands it in."""

    headings: tuple[str, ...]
    columns: tuple[str, ...]
    """The field of each column: one of `FIELDS`, `APPEND`, or `NOTHING`."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    meanings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Field → search key of a name that is in no list → the code it stands for."""
    tells: bool = True
    """Whether complainants with a mobile number are told by SMS."""
    starts_1904: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Read:
    """A row as it would be filed, or what is wrong with it."""

    filling: Mapping[str, str]
    answers: Answers | None
    problems: tuple[Problem, ...]
    token: str
    """Names the complaint: equal for the same row in any file of the office."""
    row_key: bytes
    """Names the cells as they stand, whatever the plan makes of them."""
    unknown: Mapping[str, str] = field(default_factory=dict)
    """Field → the name that is in no list, where somebody can say what it means."""


class Reader:
    """Reads the rows of one register. `key` is the system's own, `office` the office that hands the register in."""

    def __init__(
        self, plan: Plan, names: Names, choices: Choices, today: date, *, key: bytes, office: str, language: str = "bn"
    ) -> None:
        self._plan = plan
        self._names = names
        self._choices = choices
        self._today = today
        self._key = key
        self._office = office
        self._language = language

    def read(self, cells: Sequence[Cell], mark: str = "") -> Read:
        """Fill in, check, and name one row."""
        filling: dict[str, str] = {}
        problems: list[Problem] = []
        more: list[str] = []
        for number, column in enumerate(self._plan.columns):
            cell = cells[number] if number < len(cells) else ""
            if column == NOTHING:
                continue
            if error := values.error_in(cell) if isinstance(cell, str) else cell["e"]:
                # What is only added to the description must not hold up the row.
                if column != APPEND:
                    problems.append(Problem(column, f"cell-{error}"))
                continue
            assert isinstance(cell, str)
            if not cell.strip():
                continue
            if column == APPEND:
                if not values.is_nothing(cell):
                    more.append(f"{self._plan.headings[number].strip()}: {cell.strip()}")
            else:
                before = filling.get(column)
                filling[column] = f"{before}, {cell.strip()}" if before else cell.strip()
        if mark:
            problems.append(Problem("details", mark))
        unknown = self._interpret(filling, problems)
        own = {name: filling[name] for name in _SAME_ROW if name in filling}
        self._complete(filling)
        is_anonymous = "anonymous" in filling
        if is_anonymous:
            more = []  # a father's name tells who somebody is
        if more and (filling.get("details") or not any(each.field == "details" for each in problems)):
            filling["details"] = "\n".join([filling["details"], *more] if filling.get("details") else more)
            own["details"] = filling["details"]
        faulty = {problem.field for problem in problems}
        if "district" in faulty:
            faulty.add("upazila")  # of which district, nobody can say
        screened = screen(filling, self._choices, self._today, is_desk=True, language=self._language)
        problems += [problem for problem in screened.problems if problem.field not in faulty]
        return Read(
            filling=filling,
            answers=None if problems else screened.answers,
            problems=tuple(sorted(problems, key=_order)),
            token=self._token({k: v for k, v in own.items() if not (is_anonymous and k in IDENTIFYING)}),
            row_key=self._row_key(cells),
            unknown=unknown,
        )

    def _interpret(self, filling: dict[str, str], problems: list[Problem]) -> dict[str, str]:
        """Turn what the cells say into what the form's fields hold, in place; returns the names that are in no list."""
        for name in list(filling):
            if name not in ("details", "place") and values.is_nothing(filling[name]):
                del filling[name]
        self._who(filling, problems)
        for name in ("received_on", "incident_on"):
            if name in filling and (day := values.parse_day(filling[name], self._plan.starts_1904)):
                filling[name] = day.isoformat()
        for name, parse in _OPTIONAL_FACTS.items():
            if name in filling:
                filling[name] = parse(filling[name]) or ("other" if name == "relation" else "")
        if "disability" in filling:
            said = values.parse_yes(filling["disability"])
            filling["disability"] = "" if said is None else "yes" if said else "no"
        return self._what_and_where(filling, problems)

    def _complete(self, filling: dict[str, str]) -> None:
        """Give the row what all rows were given alike."""
        for name in DEFAULTS:
            if not filling.get(name) and (given := self._plan.defaults.get(name)):
                filling[name] = given
        filling.setdefault("programme", UNKNOWN)
        if not filling.get("district"):
            filling["district"] = self._choices.upazilas.get(filling.get("upazila", ""), UNKNOWN)

    def _who(self, filling: dict[str, str], problems: list[Problem]) -> None:
        wants_none = values.parse_yes(filling.pop("anonymous", "")) is True
        if wants_none or values.is_nameless(filling.get("name", "")):
            filling["anonymous"] = "1"
        if filling.get("representative_name"):
            filling["on_behalf"] = "1"
        if phone := filling.get("phone", ""):
            filling["phone"] = values.mend_phone(phone)
            if values.is_shortened(phone):
                problems.append(Problem("phone", "number-shortened"))
        if not self._plan.tells or "anonymous" in filling:
            filling["preferred_channel"] = "none"

    def _what_and_where(self, filling: dict[str, str], problems: list[Problem]) -> dict[str, str]:
        unknown = {}
        for name in NAMED:
            typed = filling.get(name, "")
            if not typed:
                continue
            if values.is_unknown(typed) and name != "category":
                filling[name] = UNKNOWN
                continue
            if meant := self._plan.meanings.get(name, {}).get(search_key(typed)):
                filling[name] = meant
                if name == "programme" and meant == UNKNOWN:
                    filling |= {"programme": NONE_OF_THESE, "programme_words": typed}
                continue
            district = filling.get("district") or self._plan.defaults.get("district", "")
            found = self._names.find(name, typed, district)
            if found.code:
                filling[name] = found.code
            elif found.elsewhere:
                problems.append(Problem(name, "upazila-elsewhere", {"district": found.elsewhere}))
            else:
                problems.append(Problem(name, "name-unknown", {"near": list(found.near)}))
                unknown[name] = typed
        return unknown

    def _token(self, own: Mapping[str, str]) -> str:
        # An empty row has no token of its own; it is never filed either.
        said = {name: _plain(value) for name, value in sorted(own.items()) if value}
        return urlsafe_b64encode(self._mac("row", json.dumps(said))[:16]).rstrip(b"=").decode()

    def _row_key(self, cells: Sequence[Cell]) -> bytes:
        said = [
            " ".join(cell.split()) if isinstance(cell, str) else values.error_text(cell["e"])
            for number, cell in enumerate(cells)
            if not (number < len(self._plan.headings) and is_result(self._plan.headings[number]))
        ]
        while said and not said[-1]:
            said.pop()
        return self._mac("cells", json.dumps(said))

    def _mac(self, purpose: str, said: str) -> bytes:
        return hmac.new(self._key, f"grm:register:{purpose}:{self._office}\0{said}".encode(), hashlib.sha256).digest()


def identity_free(cells: Sequence[Cell], plan: Plan) -> list[Cell]:
    """The cells of an anonymous row as they may be kept: only those that say what happened, never who says so."""
    kept = frozenset(FIELDS) - IDENTIFYING - {"relation"}
    return [
        cell if number < len(plan.columns) and plan.columns[number] in kept else "" for number, cell in enumerate(cells)
    ]


def _plain(text: str) -> str:
    """What makes two texts the same; codes, dates and numbers, which most fields hold, need no more than this."""
    return " ".join(text.casefold().split()) if text.isascii() else search_key(text)


def stored(problem: Problem) -> dict[str, Any]:
    """A problem as JSON takes it: days as yyyy-mm-dd. It holds nothing of what was typed."""
    params = {key: value.isoformat() if isinstance(value, date) else value for key, value in problem.params.items()}
    return {"field": problem.field, "code": problem.code, "params": params}


def _order(problem: Problem) -> int:
    return FIELDS.index(problem.field) if problem.field in FIELDS else len(FIELDS)
