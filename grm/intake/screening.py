"""What is wrong with a filled form, and the answers in stored form. Pure; the public form and the desk share it.

Everything is checked, not only up to the first fault, and a fault names its field. Codes become sentences in
`grm/intake/wording.py`. Nobody is refused for what they do not know: a programme or district may be `unknown`.
"""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from grm.intake import facts, others
from grm.intake.facts import Claim
from grm.intake.others import Person
from grm.intake.programme_names import Found
from grm.intake.sieve import Problem as Problem
from grm.intake.sieve import Sieve
from grm.kernel.contact import parse_email, parse_mobile
from grm.kernel.text import clean_text, is_blank

UNKNOWN = "unknown"
"""What the select sends for "I do not know"; an empty value means that nobody has chosen yet."""
NONE_OF_THESE = "none-of-these"
"""What is sent where several programmes go by the name that was written, and none of them is meant."""

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
_TOLD = ("name", "representative_name", "phone", "email")
IDENTIFYING = frozenset({*_TOLD, "others"}) | facts.IDENTIFYING_FACTS
"""What an anonymous submission loses before it is kept anywhere (reliability promise 10)."""

_TRUE = frozenset({"1", "on", "yes", "true", "y"})


def _finds_nothing(_typed: str) -> Found:
    return Found()


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
    find_programmes: Callable[[str], Found] = _finds_nothing
    """Which programmes go by a name as people write it."""
    providers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Code of a payment provider → its kind."""


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
    programme_words: str | None = None
    """The programme's name as written, where it is not one that is known."""
    others: tuple[Person, ...] = dataclasses.field(default=(), repr=False)
    """Who complains together with this one."""
    claim: Claim | None = None
    """The facts of a payment, or of a correction."""


@dataclass(frozen=True, slots=True)
class Screened:
    """The verdict: answers when nothing is wrong, else the problems in the order of the form."""

    answers: Answers | None
    problems: tuple[Problem, ...]


def is_ticked(value: str | None) -> bool:
    """Whether a checkbox's value means yes."""
    return (value or "").strip().casefold() in _TRUE


def without_identity(filling: Mapping[str, str]) -> dict[str, str]:
    """The filling as it may be kept: an anonymous one loses names, phones, e-mail and numbers of accounts."""
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
    sieve = Sieve(filling)
    is_anonymous = is_ticked(filling.get("anonymous"))
    is_on_behalf = is_ticked(filling.get("on_behalf"))
    values: dict[str, Any] = _what_and_where(sieve, choices)
    values["claim"] = facts.screen_claim(sieve, values["category"], choices.providers, today, is_anonymous)
    values |= _what_happened(sieve, today, needs_words=not _says_what_to_correct(filling, values["category"]))
    values |= _about_you(sieve, is_anonymous, is_on_behalf, language)
    if is_desk:
        values |= _receipt(sieve, choices, today)
    elif not is_ticked(filling.get("declaration")):
        sieve.fault("declaration", "declaration-missing")
    if sieve.problems:
        return Screened(None, tuple(sieve.problems))
    return Screened(Answers(is_anonymous=is_anonymous, is_on_behalf=is_on_behalf, **values), ())


def programme_of(filling: Mapping[str, str], choices: Choices) -> str | None:
    """The programme that a filling means, by choice or by the name written; None where nobody knows, or it is open which."""
    return _programme(Sieve(filling), choices)["programme"]  # type: ignore[no-any-return]


def problems_among(problems: Iterable[Problem], fields: Iterable[str]) -> tuple[Problem, ...]:
    """The problems of some fields: those of one page of the form."""
    wanted = frozenset(fields)
    return tuple(problem for problem in problems if problem.field in wanted)


def _what_and_where(sieve: Sieve, choices: Choices) -> dict[str, Any]:
    programme = _programme(sieve, choices)
    category = sieve.choice("category", choices.categories, "category-missing")
    district = sieve.choice("district", choices.districts | {UNKNOWN}, "district-missing")
    upazila = sieve.choice("upazila", choices.upazilas.keys() | {UNKNOWN})
    if upazila not in (None, UNKNOWN) and choices.upazilas[str(upazila)] != district:
        sieve.fault("upazila", "upazila-elsewhere")
    return programme | {
        "category": category,
        "is_sensitive": choices.categories.get(category or "", False),
        "district": None if district == UNKNOWN else district,
        "upazila": None if upazila == UNKNOWN else upazila,
    }


def _programme(sieve: Sieve, choices: Choices) -> dict[str, Any]:
    """The programme chosen; where none is, the one whose name was written. Where several go by it the fault is a question."""
    written = sieve.text("programme_words", LONGEST_LINE)
    programme = sieve.choice(
        "programme", choices.programmes | {UNKNOWN, NONE_OF_THESE}, "" if written else "programme-missing"
    )
    if programme in choices.programmes:
        return {"programme": programme, "programme_words": None}
    if written and programme != NONE_OF_THESE and not sieve.problems:
        found = choices.find_programmes(written)
        if found.is_sure:
            return {"programme": found.slugs[0], "programme_words": None}
        if found.slugs:
            sieve.fault("programme", "programme-several" if len(found.slugs) > 1 else "programme-perhaps")
    return {"programme": None, "programme_words": written or None}


def _says_what_to_correct(filling: Mapping[str, str], category: str | None) -> bool:
    """Whether a request to correct data says so in its own fields; then it needs no story."""
    names = facts.CORRECTION_FIELDS
    return category in facts.CORRECTION_CATEGORIES and any(not is_blank(filling.get(name)) for name in names)


def _what_happened(sieve: Sieve, today: date, needs_words: bool) -> dict[str, Any]:
    details = sieve.text("details", LONGEST_DETAILS, clean_text)
    if needs_words and not details and not any(problem.field == "details" for problem in sieve.problems):
        sieve.fault("details", "details-missing")
    return {
        "details": details,
        "incident_on": sieve.day("incident_on", EARLIEST_INCIDENT, today),
        "place": sieve.text("place", LONGEST_LINE),
        "about": sieve.choice("about", ABOUT) or "none",
    }


def _about_you(sieve: Sieve, is_anonymous: bool, is_on_behalf: bool, language: str) -> dict[str, Any]:
    told: dict[str, Any] = dict.fromkeys(_TOLD) | {"others": ()}
    channel = sieve.choice("preferred_channel", PREFERRED_CHANNELS)
    if is_anonymous:
        channel = "none"
    else:
        told = {
            "name": sieve.text("name", LONGEST_LINE) or None,
            "representative_name": (sieve.text("representative_name", LONGEST_LINE) or None) if is_on_behalf else None,
            "phone": sieve.contact("phone", parse_mobile),
            "email": sieve.contact("email", parse_email),
            "others": _others(sieve),
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


def _others(sieve: Sieve) -> tuple[Person, ...]:
    found = others.read(sieve.raw("others"))
    for code, figures in found.faults:
        sieve.fault("others", code, **figures)
    return found.people


def _receipt(sieve: Sieve, choices: Choices, today: date) -> dict[str, Any]:
    return {
        "medium": sieve.choice("medium", MEDIA, "medium-missing"),
        "received_on": sieve.day("received_on", today - LONGEST_BACKDATING, today) or today,
        "accused_office": sieve.choice("accused_office", choices.offices),
    }
