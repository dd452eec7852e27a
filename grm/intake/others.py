"""Who complains together with the one who fills the form: one person a line, "name, phone". Pure.

People write lists as they like: numbered or not, the number before or after the name, a comma, a dash or nothing between. What
looks like a telephone number is one; the rest is the name. A line may have either alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grm.kernel.contact import parse_mobile
from grm.kernel.errors import InvalidInput
from grm.kernel.text import clean_text, is_blank, latin_digits

MOST = 50
"""More people than that come with a list on paper: the desk takes it, and the office may add to the case."""
LONGEST_NAME = 300
LONGEST = 20_000
_NAMED_LINES = 5
"""How many faulty lines are named; who has mended five sees the next."""

_NUMBERED = re.compile(r"\s*(?:[-–•*·]|\(?[0-9]{1,2}\s*[.)।:/-])\s*(?![0-9])")
_NUMBER = re.compile(r"[+＋]?[0-9][0-9().\u00ad\u2010-\u2015\u2212 -]{3,}[0-9]")
_BETWEEN = " \t,;:|/।-–—()=＋+.،"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody else who complains; at least one of both is given. The phone is in E.164 form."""

    name: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Others:
    """Who was named, each once, and what is wrong: (code, figures for its sentence), never a word of what was typed."""

    people: tuple[Person, ...]
    faults: tuple[tuple[str, Mapping[str, Any]], ...] = ()


def read(typed: str) -> Others:
    """The people of a list as typed. Lines are counted from 1, as an editor counts them; empty ones are passed over.

    Codes: `control-characters`, `too-long` (count, limit, over), `others-phone` (lines), `others-name` (lines, limit),
    `others-many` (count, limit).
    """
    try:
        text = clean_text(typed)
    except InvalidInput as error:
        return Others((), ((error.code, {}),))
    if len(text) > LONGEST:
        return Others((), (("too-long", {"count": len(text), "limit": LONGEST, "over": len(text) - LONGEST}),))
    people: dict[Person, None] = {}
    bad: dict[str, list[int]] = {"others-phone": [], "others-name": []}
    for number, line in enumerate(text.split("\n"), 1):
        try:
            person = _person(line)
        except InvalidInput as error:
            bad[error.code].append(number)
            continue
        if not is_blank(person.name) or person.phone:
            people[person] = None
    faults: list[tuple[str, Mapping[str, Any]]] = [
        (code, {"lines": tuple(lines[:_NAMED_LINES]), "limit": LONGEST_NAME}) for code, lines in bad.items() if lines
    ]
    if len(people) > MOST:
        faults.append(("others-many", {"count": len(people), "limit": MOST}))
    return Others(tuple(people), tuple(faults))


def _person(line: str) -> Person:
    plain = latin_digits(line)  # as long as the line, so that what is found in one can be cut from the other
    start = match.end() if (match := _NUMBERED.match(plain)) else 0
    found = _NUMBER.search(plain, start)
    phone, name = None, line[start:]
    if found:
        try:
            phone = parse_mobile(found[0])
        except InvalidInput:
            raise InvalidInput("others-phone") from None
        name = f"{line[start : found.start()]} {line[found.end() :]}"
    name = " ".join(name.split()).strip(_BETWEEN)
    if len(name) > LONGEST_NAME:
        raise InvalidInput("others-name")
    return Person(name or None, phone)
