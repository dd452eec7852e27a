"""What is wrong with a filled form, and the answers in stored form. Pure; the public form and the desk share it.

Everything is checked, not only up to the first fault, and a fault names its field. Codes become sentences in
`grm/intake/wording.py`. Nobody is refused for what they do not know: a programme or district may be `unknown`.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from grm.kernel.contact import parse_email, parse_mobile
from grm.kernel.errors import InvalidInput
from grm.kernel.text import clean_line, clean_text, is_blank, latin_digits, parse_date

UNKNOWN = "unknown"
"""What the select sends for "I do not know"; an empty value means that nobody has chosen yet."""

LONGEST_DETAILS = 20_000
LONGEST_LINE = 300
EARLIEST_INCIDENT = date(1971, 3, 26)
LONGEST_BACKDATING = timedelta(days=366)
"""A paper older than a year is a matter for the archive, not for a clock that starts on its day."""

ABOUT = ("none", "field-office", "gro", "appeal-officer", "ministry")
SEXES = ("female", "male", "other")
AGE_GROUPS = ("under_18", "18_35", "36_59", "60_plus")
DISABILITIES = ("no", "yes")
RELATIONS = ("family", "neighbour", "guardian", "representative", "other")
LANGUAGES = ("bn", "en")
PREFERRED_CHANNELS = ("sms", "email", "none")
MEDIA = ("assisted", "paper", "call_centre", "letter", "email")
CHECKBOXES = frozenset({"anonymous", "on_behalf", "declaration"})
IDENTIFYING = frozenset({"name", "phone", "email", "representative_name"})
"""What an anonymous submission loses before it is kept anywhere (reliability promise 10)."""

_TRUE = frozenset({"1", "on", "yes", "true", "y"})


@dataclass(frozen=True, slots=True)
class Choices:
    """What may be chosen on the day: codes in force, the sensitive categories, each upazila's district."""

    programmes: frozenset[str]
    categories: Mapping[str, bool]
    """Slug → whether the category is sensitive."""
    districts: frozenset[str]
    upazilas: Mapping[str, str]
    """Code of an upazila or city corporation → code of its district."""
    offices: frozenset[str] = frozenset()
    """Codes of offices that a desk may name as accused."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of one field. `params` fill the sentence; they never repeat what was typed."""

    field: str
    code: str
    params: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answers:
    """The form in stored form: NFC, E.164, dates, None for what is not known or not told."""

    programme: str | None
    category: str
    is_sensitive: bool
    district: str | None
    upazila: str | None
    place: str
    details: str
    incident_on: date | None
    about: str
    is_anonymous: bool
    is_on_behalf: bool
    relation: str | None
    name: str | None = dataclasses.field(repr=False)
    representative_name: str | None = dataclasses.field(repr=False)
    phone: str | None = dataclasses.field(repr=False)
    email: str | None = dataclasses.field(repr=False)
    sex: str | None
    age_group: str | None
    disability: str | None
    language: str
    preferred_channel: str
    medium: str | None = None
    received_on: date | None = None
    accused_office: str | None = None


@dataclass(frozen=True, slots=True)
class Screened:
    """The verdict: answers when nothing is wrong, else the problems in the order of the form."""

    answers: Answers | None
    problems: tuple[Problem, ...]


def is_ticked(value: str | None) -> bool:
    """Whether a checkbox's value means yes."""
    return (value or "").strip().casefold() in _TRUE


def without_identity(filling: Mapping[str, str]) -> dict[str, str]:
    """The filling as it may be kept: an anonymous one loses name, phone and e-mail."""
    if not is_ticked(filling.get("anonymous")):
        return dict(filling)
    return {name: value for name, value in filling.items() if name not in IDENTIFYING}


def screen(
    filling: Mapping[str, str], choices: Choices, today: date, *, is_desk: bool = False, language: str = "bn"
) -> Screened:
    """Check a whole filling (field name → text as typed) on a Dhaka date.

    `language` is the one to answer in where the form does not say. The desk's form has no declaration but a medium
    and a date of receipt, and may say less: an officer vouches for it.
    """
    sieve = _Sieve(filling)
    is_anonymous = is_ticked(filling.get("anonymous"))
    is_on_behalf = is_ticked(filling.get("on_behalf"))
    values: dict[str, Any] = _what_and_where(sieve, choices)
    values |= _what_happened(sieve, today)
    values |= _about_you(sieve, is_anonymous, is_on_behalf, language)
    if is_desk:
        values |= _receipt(sieve, choices, today)
    elif not is_ticked(filling.get("declaration")):
        sieve.fault("declaration", "declaration-missing")
    if sieve.problems:
        return Screened(None, tuple(sieve.problems))
    return Screened(Answers(is_anonymous=is_anonymous, is_on_behalf=is_on_behalf, **values), ())


def problems_among(problems: Iterable[Problem], fields: Iterable[str]) -> tuple[Problem, ...]:
    """The problems of some fields: those of one page of the form."""
    wanted = frozenset(fields)
    return tuple(problem for problem in problems if problem.field in wanted)


class _Sieve:
    """Reads one field after the other and collects what is wrong."""

    def __init__(self, filling: Mapping[str, str]) -> None:
        self._filling = filling
        self.problems: list[Problem] = []

    def fault(self, name: str, code: str, **params: Any) -> None:
        self.problems.append(Problem(name, code, params))

    def raw(self, name: str) -> str:
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
        try:
            value = clean(self.raw(name))
        except InvalidInput as error:
            self.fault(name, error.code)
            return ""
        if len(value) > longest:
            self.fault(name, "too-long", count=len(value), limit=longest, over=len(value) - longest)
        return value

    def contact(self, name: str, parse: Callable[[str], str]) -> str | None:
        value = self.raw(name)
        if is_blank(value):
            return None
        try:
            return parse(value)
        except InvalidInput as error:
            self.fault(name, error.code)
            return None

    def day(self, name: str, earliest: date, today: date) -> date | None:
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


def _what_and_where(sieve: _Sieve, choices: Choices) -> dict[str, Any]:
    programme = sieve.choice("programme", choices.programmes | {UNKNOWN}, "programme-missing")
    category = sieve.choice("category", choices.categories, "category-missing")
    district = sieve.choice("district", choices.districts | {UNKNOWN}, "district-missing")
    upazila = sieve.choice("upazila", choices.upazilas.keys() | {UNKNOWN})
    if upazila not in (None, UNKNOWN) and choices.upazilas[str(upazila)] != district:
        sieve.fault("upazila", "upazila-elsewhere")
    return {
        "programme": None if programme == UNKNOWN else programme,
        "category": category,
        "is_sensitive": choices.categories.get(category or "", False),
        "district": None if district == UNKNOWN else district,
        "upazila": None if upazila == UNKNOWN else upazila,
    }


def _what_happened(sieve: _Sieve, today: date) -> dict[str, Any]:
    details = sieve.text("details", LONGEST_DETAILS, clean_text)
    if not details and not any(problem.field == "details" for problem in sieve.problems):
        sieve.fault("details", "details-missing")
    return {
        "details": details,
        "incident_on": sieve.day("incident_on", EARLIEST_INCIDENT, today),
        "place": sieve.text("place", LONGEST_LINE),
        "about": sieve.choice("about", ABOUT) or "none",
    }


def _about_you(sieve: _Sieve, is_anonymous: bool, is_on_behalf: bool, language: str) -> dict[str, Any]:
    told: dict[str, Any] = dict.fromkeys(IDENTIFYING)
    channel = sieve.choice("preferred_channel", PREFERRED_CHANNELS)
    if is_anonymous:
        channel = "none"
    else:
        told = {
            "name": sieve.text("name", LONGEST_LINE) or None,
            "representative_name": (sieve.text("representative_name", LONGEST_LINE) or None) if is_on_behalf else None,
            "phone": sieve.contact("phone", parse_mobile),
            "email": sieve.contact("email", parse_email),
        }
        if channel == "sms" and is_blank(sieve.raw("phone")):
            sieve.fault("phone", "channel-needs-phone")
        if channel == "email" and is_blank(sieve.raw("email")):
            sieve.fault("email", "channel-needs-email")
    return told | {
        "relation": sieve.choice("relation", RELATIONS) if is_on_behalf else None,
        "sex": sieve.choice("sex", SEXES),
        "age_group": sieve.choice("age_group", AGE_GROUPS),
        "disability": sieve.choice("disability", DISABILITIES),
        "language": sieve.choice("language", LANGUAGES) or language,
        "preferred_channel": channel or ("sms" if told["phone"] else "email" if told["email"] else "none"),
    }


def _receipt(sieve: _Sieve, choices: Choices, today: date) -> dict[str, Any]:
    return {
        "medium": sieve.choice("medium", MEDIA, "medium-missing"),
        "received_on": sieve.day("received_on", today - LONGEST_BACKDATING, today) or today,
        "accused_office": sieve.choice("accused_office", choices.offices),
    }
