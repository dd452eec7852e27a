"""Programmes, categories and places by what a register calls them: codes, present, former and popular names, and misspelt ones.

A name that differs in case, digits, order, endings, or letters that sound alike is taken. One that only resembles a name is
never taken by itself: it is offered, and somebody decides.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from grm.intake.screening import Choices
from grm.kernel.text import latin_digits, search_key
from grm.kernel.words import FILLERS, key, words
from grm.offices.directory import Directory, Place

_NOISE = {
    kind: frozenset(search_key(word) for word in noise)
    for kind, noise in {
        "place": ("জেলা", "উপজেলা", "থানা", "district", "upazila", "upazilla", "thana", "zila", "zilla", "dist"),
        "programme": ("কর্মসূচি", "কর্মসূচী", "প্রকল্প", "কার্ড", "programme", "program", "scheme", "project", "card"),
        "category": ("অভিযোগ", "বিষয়ে", "সংক্রান্ত", "complaint", "grievance", "about"),
    }.items()
}
"""Words that say only what kind of thing it is."""
_SADAR = frozenset({"সদর", "sadar"})
_CLOSE = 0.72
MOST_NEAR = 3


@dataclass(frozen=True, slots=True)
class Named:
    """What a cell names: a code, or None with the codes of names that resemble it."""

    code: str | None
    near: tuple[str, ...] = ()
    elsewhere: str | None = None
    """For an upazila: the district in which there is one of that name."""


class Names:
    """The names in force on a day; one for a run, because it remembers what it has found."""

    def __init__(self, book: Directory, choices: Choices) -> None:
        self._book = book
        self._choices = choices
        self._seen: dict[tuple[str, str, str], Named] = {}
        self._lists: dict[tuple[str, str], _List] = {}

    def find(self, field_name: str, typed: str, district: str = "") -> Named:
        """The code of a programme, category, district, or (of a district, where that is known) upazila."""
        asked = (field_name, typed, district if field_name == "upazila" else "")
        if asked not in self._seen:
            if len(self._seen) > 20_000:
                self._seen.clear()
            self._seen[asked] = (
                self._upazila(typed, district) if field_name == "upazila" else self._find(field_name, typed)
            )
        return self._seen[asked]

    def _find(self, name: str, typed: str) -> Named:
        found = self._list(name, "").find(typed)
        if name == "programme" and not found.code:
            likely = self._choices.find_programmes(typed)
            if likely.is_sure:
                return Named(likely.slugs[0])
            return Named(None, likely.slugs[:MOST_NEAR] or found.near)
        return found

    def _upazila(self, typed: str, district: str) -> Named:
        known = district if district in self._choices.districts else ""
        found = self._list("upazila", known).find(typed)
        if found.code or not known:
            return found
        said = set(words(typed)) - _NOISE["place"]
        if said and said <= _SADAR and (seat := self._seat(known)):
            return Named(seat)
        other = self._list("upazila", "").find(typed)
        return Named(None, found.near, self._choices.upazilas[other.code] if other.code else None)

    def _seat(self, district: str) -> str | None:
        """The upazila of a district that is called Sadar."""
        seats = [each.code for each in self._book.children(district) if _SADAR & set(words(each.name_bn))]
        return seats[0] if len(seats) == 1 else None

    def _list(self, name: str, district: str) -> "_List":
        held = self._lists.get((name, district))
        if held is None:
            held = self._lists[name, district] = _List(_kind(name), self._entries(name, district))
        return held

    def _entries(self, name: str, district: str) -> dict[str, tuple[str, ...]]:
        """Code → everything it is called."""
        book, choices = self._book, self._choices
        found: Iterable[Any]
        if name == "programme":
            found = (book.programme(code) for code in choices.programmes)
        elif name == "category":
            found = (book.category(code) for code in choices.categories)
        elif name == "district":
            found = (book.place(code) for code in choices.districts)
        else:
            found = (book.place(code) for code, of in choices.upazilas.items() if not district or of == district)
        called = {}
        for entry in found:
            code = entry.code if isinstance(entry, Place) else entry.slug
            called[code] = (code, entry.name_bn, entry.name_en, *book.aliases.get((_kind(name), code), ()))
        return called


@dataclass
class _List:
    """Names of one kind, by what can be typed for them."""

    kind: str
    entries: Mapping[str, tuple[str, ...]]
    _exact: dict[str, set[str]] = field(default_factory=dict)
    _stems: dict[tuple[str, ...], set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for code, names in self.entries.items():
            for name in names:
                for form in {name, name.partition("(")[0], *_in_brackets(name)}:
                    self._exact.setdefault(search_key(form), set()).add(code)
                    self._stems.setdefault(self._stem(form), set()).add(code)
        self._exact.pop("", None)
        self._stems.pop((), None)

    def find(self, typed: str) -> Named:
        for hits in (
            self._exact.get(search_key(latin_digits(typed))),
            self._stems.get(self._stem(typed)),
            self._stems.get(self._stem(typed.partition("(")[0])),
        ):
            if hits is not None:
                return Named(next(iter(hits))) if len(hits) == 1 else Named(None, tuple(sorted(hits))[:MOST_NEAR])
        return Named(None, self._near(typed))

    def _near(self, typed: str) -> tuple[str, ...]:
        wanted = search_key(typed)[:80]
        close = get_close_matches(wanted, self._exact, n=8, cutoff=_CLOSE)
        if len(wanted) >= 4:
            close += [name for name in self._exact if wanted in name or (len(name) >= 4 and name in wanted)][:8]
        return tuple(dict.fromkeys(code for name in close for code in sorted(self._exact[name])))[:MOST_NEAR]

    def _stem(self, name: str) -> tuple[str, ...]:
        noise = _NOISE[self.kind]
        return tuple(sorted({key(word) for word in words(name) if word not in FILLERS and word not in noise}))


def _in_brackets(name: str) -> tuple[str, ...]:
    """What stands in brackets behind a name, which is mostly its short form: (EGPP), (ইজিপিপি)."""
    inner = name.partition("(")[2].partition(")")[0].strip()
    return (
        (inner,) if len(inner) >= 2 and not inner.lower().startswith(("formerly", "pilot", "পাইলট", "secondary")) else ()
    )


def _kind(name: str) -> str:
    return "place" if name in ("district", "upazila") else name
