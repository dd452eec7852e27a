"""Which programme somebody means who writes its name: official, common, former, half of it, or misspelt. Pure.

Three ways, the first that finds something counts: the very name, with or without spaces between its words; the words
of a name, in any form and order; a name that looks much the same. Words that many programmes have in common (ভাতা,
কর্মসূচি, programme) find nothing alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from grm.kernel.words import FILLERS, LONGEST_WORD, key, words

MOST = 6
"""More than these are no help to choose from: then the office finds the programme."""
_COMMON = 4
"""A word in the names of more programmes than this tells none of them."""
_LOOKS_ALIKE = 0.78
_LONGEST_TYPED = 300


@dataclass(frozen=True, slots=True)
class Found:
    """The programmes that may be meant, in the order of the list. `is_sure`: it is one, and nothing speaks against it."""

    slugs: tuple[str, ...] = ()
    is_sure: bool = False


class ProgrammeNames:
    """All names of the programmes in force on a day."""

    def __init__(self, named: Mapping[str, Iterable[str]]) -> None:
        """`named`: slug → its names, in the order in which programmes are shown."""
        self._order = {slug: place for place, slug in enumerate(named)}
        self._names = [(slug, _keys(name)) for slug, names in named.items() for name in (slug, *names)]
        self._joined: dict[str, set[str]] = {}
        for slug, names in named.items():
            for name in names:
                if joined := _joined(name):
                    self._joined.setdefault(joined, set()).add(slug)
        having: dict[str, set[str]] = {}
        for slug, keys in self._names:
            for each in keys:
                having.setdefault(each, set()).add(slug)
        self._weight = {each: 1 / len(slugs) for each, slugs in having.items()}
        self._telling = frozenset(each for each, slugs in having.items() if len(slugs) <= _COMMON)

    def find(self, typed: str) -> Found:
        """The programmes that go by what somebody typed; none where it says too little or fits too many."""
        typed = typed[:_LONGEST_TYPED]
        joined = _joined(typed)
        if slugs := self._joined.get(joined, set()):
            return self._found(slugs, is_sure=True)
        keys = _keys(typed)
        if slugs := self._whole_names(keys):
            return self._found(slugs, is_sure=True)
        said = keys & self._telling
        is_said = bool(said) and 2 * len(said) >= len(keys)
        if slugs := {slug for slug, name in self._names if is_said and said <= name}:
            return self._found(slugs, is_sure=keys <= said | self._weight.keys())
        if len(joined) >= 4:
            alike = get_close_matches(joined, self._joined, n=MOST, cutoff=_LOOKS_ALIKE)
            if slugs := {slug for name in alike for slug in self._joined[name]}:
                return self._found(slugs)
        return self._found({slug for slug, name in self._names if is_said and 2 * len(said & name) >= len(keys)})

    def _whole_names(self, keys: frozenset[str]) -> set[str]:
        """Programmes of which a whole name is among the words; of a name within a longer one, only the longer one counts."""
        whole = [(slug, name) for slug, name in self._names if name and name <= keys and name & self._telling]
        return {slug for slug, name in whole if not any(name < other for _, other in whole)}

    def _found(self, slugs: set[str], *, is_sure: bool = False) -> Found:
        if len(slugs) > MOST:
            return Found()
        return Found(tuple(sorted(slugs, key=self._order.__getitem__)), is_sure and len(slugs) == 1)


def _keys(name: str) -> frozenset[str]:
    return frozenset(key(word) for word in words(name) if word not in FILLERS)


def _joined(name: str) -> str:
    """The words of a name as one; empty for what is too long to be compared so."""
    joined = "".join(words(name))
    return key(joined) if len(joined) <= LONGEST_WORD else ""
