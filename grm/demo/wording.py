"""Texts as people and officers write them, put together from hand-written parts. Pure but for reading its own files."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from grm.kernel.text import bangla_digits

_FOLDER = Path(__file__).parent
_MONTHS = {
    "bn": (
        *("জানুয়ারি", "ফেব্রুয়ারি", "মার্চ", "এপ্রিল", "মে", "জুন"),
        *("জুলাই", "আগস্ট", "সেপ্টেম্বর", "অক্টোবর", "নভেম্বর", "ডিসেম্বর"),
    ),
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
}
_VILLAGES = {
    "bn": (
        *("চর গোবিন্দপুর", "দক্ষিণ রামপুর", "পূর্ব কৃষ্ণনগর", "মাঝেরচর", "শ্যামপুর", "উত্তর হরিপুর", "কুমারপাড়া", "জেলেপাড়া"),
        *("ধনতলা", "বালিয়াকান্দা", "নতুনহাট", "পশ্চিম মাধবপুর", "চকপাড়া", "বেলতলী", "কাজীর চর", "সোনাখালী"),
    ),
    "en": ("Char Gobindapur", "South Rampur", "Majherchar", "Shyampur", "Jelepara", "Natunhat", "Sonakhali"),
}
_UNIONS = {
    "bn": ("রামপুর", "কালীনগর", "চর ভবানী", "গোপালপুর", "শিবপুর", "মহিষখোলা", "নয়াহাট", "ফুলবাড়ি", "দৌলতপুর", "কাশিমপুর"),
    "en": ("Rampur", "Kalinagar", "Char Bhabani", "Gopalpur", "Shibpur", "Nayahat", "Daulatpur"),
}

_PAYMENTS = frozenset({"payment-not-received", "payment-short-or-late", "payment-account", "work-wage"})
_LISTS = frozenset({"exclusion-error", "inclusion-error", "application-delay", "eligibility-appeal"})
_APART = frozenset({"pension", "fighter", "orphanage", "artist", "migrant", "student"})
"""Groups that need not be poor: their complaints speak of nobody's empty pot."""
_CHANNEL_OPENINGS = {
    "assisted": "desk",
    "paper": "letter",
    "letter": "letter",
    "email": "letter",
    "call_centre": "call_centre",
    "suo_motu": "suo_motu",
}


@dataclass(frozen=True, slots=True)
class Matter:
    """What a text is about. `programme` None: about a ministry (its slug in `ministry`) that runs none."""

    language: str
    programme: str | None
    group: str
    kind: str
    stage: str
    category: str
    ministry: str
    district: str
    upazila: str
    is_city: bool
    is_sensitive: bool


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def group_of(programme: str) -> str:
    """The group of people with a life of their own kind that a programme serves; empty for the poor at large."""
    return str(_read("programmes").get(programme, {}).get("group", ""))


def weights() -> dict[str, int]:
    """How often each programme is complained of, relative to the others; by slug."""
    return {slug: entry["weight"] for slug, entry in _read("programmes").items()}


def complaint(rng: Random, matter: Matter, channel: str, *, is_anonymous: bool, is_on_behalf: bool) -> str:
    """The text of a complaint: who, what, what happened since, what it does, what is wanted; never all of it."""
    parts = _read(f"complaints_{matter.language}")
    values = _values(rng, matter)
    chosen = [_opening(rng, parts, matter, channel, is_anonymous=is_anonymous, is_on_behalf=is_on_behalf)]
    chosen.append(_problem(rng, parts, matter))
    if channel == "suo_motu":
        chosen.append(rng.choice(parts["request"]["suo_motu"]))
    else:
        if rng.random() < 0.75:
            chosen.append(_asked(rng, parts, matter))
        if rng.random() < 0.6 and matter.group not in _APART:
            chosen.append(rng.choice(parts["effect"]["any"]))
        chosen.append(rng.choice(_requests(parts, matter)))
    paragraph = "\n\n" if rng.random() < 0.15 else " "
    return paragraph.join((chosen[0], " ".join(chosen[1:]))).format_map(values)


def said(rng: Random, matter: Matter, what: str, variant: str = "any") -> str:
    """A later text of the complainant (answer, withdraw, information) or of an officer (note, question, reply …)."""
    for source in ("complaints", "officers"):
        parts = _read(f"{source}_{matter.language}")
        if what in parts:
            return str(rng.choice(parts[what][variant])).format_map(_values(rng, matter))
    raise KeyError(what)


def officer_lines(language: str, what: str, variant: str) -> list[str]:
    """All wordings of one thing officers write, as they stand in the file."""
    return list(_read(f"officers_{language}")[what][variant])


def _opening(
    rng: Random,
    parts: Mapping[str, Any],
    matter: Matter,
    channel: str,
    *,
    is_anonymous: bool,
    is_on_behalf: bool,
) -> str:
    openings = parts["opening"]
    if channel == "suo_motu":
        return str(rng.choice(openings["suo_motu"]))
    if is_anonymous:
        return str(rng.choice(openings["anonymous"]))
    if is_on_behalf:
        return str(rng.choice(openings["behalf"]))
    own = _own_words(rng, openings, matter)
    before = openings.get(_CHANNEL_OPENINGS.get(channel, ""))
    if before and rng.random() < 0.8:
        return f"{rng.choice(before)} {own}"
    return f"{rng.choice(openings['greeting'])} {own}" if channel == "web" and rng.random() < 0.3 else own


def _own_words(rng: Random, openings: Mapping[str, Any], matter: Matter) -> str:
    """Who somebody is: in the words of the group, else of the poor, else just from where."""
    special = [*openings.get(matter.group, ()), *openings.get(matter.stage, ())]
    if special and rng.random() < 0.6:
        return str(rng.choice(special))
    if matter.group in _APART or rng.random() < 0.3:
        return str(rng.choice(openings["neutral"]))
    return str(rng.choice(openings["urban" if matter.is_city else "poor"]))


def _problem(rng: Random, parts: Mapping[str, Any], matter: Matter) -> str:
    if matter.programme is None:
        ministries = parts["ministry"]
        return str(ministries.get(matter.ministry) or ministries.get("any"))
    problems = parts["problem"][matter.category]
    special = [text for key in (matter.kind, matter.stage, matter.group) for text in problems.get(key, ())]
    return str(rng.choice(special if special and rng.random() < 0.45 else problems["any"]))


def _asked(rng: Random, parts: Mapping[str, Any], matter: Matter) -> str:
    school = parts["asked"].get("school")
    return str(
        rng.choice(school if school and matter.group == "pupil" and rng.random() < 0.6 else parts["asked"]["field"])
    )


def _requests(parts: Mapping[str, Any], matter: Matter) -> list[str]:
    requests = parts["request"]
    found = list(requests["any"])
    if matter.is_sensitive:
        found += requests["sensitive"] * 2
    elif matter.category in _PAYMENTS:
        found += requests["payment"]
    elif matter.category in _LISTS:
        found += requests["enrol"]
    return found


def _values(rng: Random, matter: Matter) -> dict[str, str]:
    """Values for every placeholder; the same draws whatever the text uses, so that one part's change moves no other."""
    language = matter.language
    words = _read("programmes").get(matter.programme or "", {})
    amount = rng.choice(words.get("amounts", [1000]))
    first_month = rng.randrange(12)
    numbers = {
        "ward": rng.randint(1, 9),
        "age": rng.randint(66, 84) if matter.stage == "old-age" else rng.randint(29, 71),
        "count": rng.randint(3, 9),
        "count2": rng.randint(2, 5),
        "months": rng.choice((3, 4, 5, 6, 7, 8, 9, 11)),
        "days": rng.choice((20, 25, 30, 40)),
        "days2": rng.choice((8, 10, 12, 15)),
        "amount": amount,
        "less": max(1, round(amount * rng.choice((0.6, 0.7, 0.75, 0.8, 0.85)))),
        "bribe": rng.choice((500, 1000, 1500, 2000, 3000, 5000)),
        "debt": rng.choice((1800, 2500, 3200, 4500)),
    }
    is_bangla = language == "bn"
    values = {name: _number(value, is_bangla=is_bangla) for name, value in numbers.items()}
    name = words.get("name" if is_bangla else "en", "সহায়তা" if is_bangla else "assistance")
    return values | {
        "programme": name,
        "of": words.get("of", "সহায়তার") if is_bangla else name,
        "gives": words.get("gives", "সহায়তা") if is_bangla else name,
        "district": matter.district,
        "upazila": matter.upazila,
        "place": matter.upazila,
        "village": rng.choice(_VILLAGES[language]),
        "union": rng.choice(_UNIONS[language]),
        "month": _MONTHS[language][first_month],
        "month2": _MONTHS[language][(first_month + rng.choice((2, 3, 5))) % 12],
    }


def _number(value: int, *, is_bangla: bool) -> str:
    """Grouped in lakh and crore as people write it: 12,34,567."""
    text = str(value)
    head, tail = text[:-3], text[-3:]
    groups: list[str] = []
    while head:
        groups.insert(0, head[-2:])
        head = head[:-2]
    text = ",".join([*groups, tail])
    return bangla_digits(text) if is_bangla else text
