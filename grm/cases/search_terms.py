"""What a case is found by (its terms), and what a query asks for. Pure: both sides are made here, so they meet.

A term is the key of a word of the complaint (`grm.kernel.words`), or a mark. Marks begin with #, which no word does:

    #o12  an office that holds, held or filed the case: what an officer may see lies at his offices
    #x    a sensitive case: most officers may see none, and need not pass them by one after the other
    #l12  a place where it happened: upazila, district and division   #p12  its programme   #c12  its category
    #n…   a word of a complainant's name, #t… a telephone number: keyed hashes, unreadable without the key (ADR 0021)
    #e…   the whole text, where it is no mere line: who sent the same words has the same mark; a keyed hash, too
    #s12  the 16,384 cases it was filed among, #m12 the 131,072: a common word is looked for among the newest first

A query is groups of alternatives: each group must be met, by all terms of one of its alternatives. A word may stand in the
complaint or be a name; a place, programme, category or ministry goes by any of its names, former ones too, or by its mark.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from grm.kernel import tracking_number, words
from grm.kernel.contact import COUNTRY_CODE, parse_mobile
from grm.kernel.crypto import Keyring
from grm.kernel.errors import InvalidInput
from grm.kernel.text import search_key
from grm.offices.directory import Category, Directory, Ministry, Place, Programme

Named = Place | Programme | Category | Ministry
Names = Mapping[tuple[str, ...], tuple[Named, ...]]
"""Keys of the words of a name → what goes by it."""

LONGEST_QUERY = 200
"""Characters of a query that are read. Nobody types more; somebody pastes a whole complaint."""
MOST_GROUPS = 12
LONGEST_NAME_WORDS = 8

NEAR_BITS, FAR_BITS = 14, 17
SENSITIVE = "#x"
TEXT_MARK = "#e"
SHORTEST_TEXT = 40
"""Letters of a text that get a mark of their own: "I did not get my money" is said by many who have never met."""


@dataclass(frozen=True, slots=True)
class Findable:
    """What is known of a case when its terms are made."""

    case_id: int
    texts: tuple[str, ...]
    """The complaint's text first."""
    office_ids: tuple[int, ...]
    place_ids: tuple[int, ...]
    programme_id: int | None
    category_id: int
    names: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    is_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """One thing that a query asks for: as it was typed, what it was taken for, and the ways in which a case can meet it."""

    typed: str
    alternatives: tuple[frozenset[str], ...]
    named: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """What was understood. `phone` is in E.164 form. `is_cut`: something of the query was left out."""

    typed: str
    number: str | None = None
    phone: str | None = None
    groups: tuple[Group, ...] = ()
    is_cut: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for."""
        return self.number is None and not self.groups


def office_mark(office_id: int) -> str:
    """The term of an office."""
    return f"#o{office_id}"


def place_mark(place_id: int) -> str:
    """The term of a place."""
    return f"#l{place_id}"


def programme_mark(programme_id: int) -> str:
    """The term of a programme."""
    return f"#p{programme_id}"


def category_mark(category_id: int) -> str:
    """The term of a category."""
    return f"#c{category_id}"


def near_mark(case_id: int) -> str:
    """The term of the 16,384 cases around one."""
    return f"#s{case_id >> NEAR_BITS}"


def far_mark(case_id: int) -> str:
    """The term of the 131,072 cases around one."""
    return f"#m{case_id >> FAR_BITS}"


def name_mark(keyring: Keyring, key: str) -> str:
    """The term of a word of a name: 64 bits of a keyed hash."""
    return "#n" + keyring.blind_index("name-word", key)[:8].hex()


def phone_mark(keyring: Keyring, phone: str) -> str:
    """The term of a telephone number in E.164 form."""
    return "#t" + keyring.blind_index("phone-term", phone)[:8].hex()


def text_mark(keyring: Keyring, text: str) -> str | None:
    """The term of a whole text, however it was spaced, and whichever digits it was typed in; None for a short one."""
    plain = search_key(text)
    if len(plain) < SHORTEST_TEXT:
        return None
    return TEXT_MARK + keyring.blind_index("whole-text", plain)[:8].hex()


def terms_of(case: Findable, book: Directory, keyring: Keyring) -> tuple[frozenset[str], frozenset[str]]:
    """All terms of a case, and those among them that are words of the complaint."""
    spoken = frozenset().union(*(words.keys(text) for text in case.texts))
    places = {inner.id for place_id in case.place_ids for inner in book.within(book.place(place_id))}
    marks = {
        *map(office_mark, case.office_ids),
        *map(place_mark, places),
        category_mark(case.category_id),
        near_mark(case.case_id),
        far_mark(case.case_id),
        *(name_mark(keyring, key) for name in case.names for key in words.name_keys(name)),
        *(phone_mark(keyring, phone) for phone in case.phones),
    }
    if case.is_sensitive:
        marks.add(SENSITIVE)
    if case.texts and (whole := text_mark(keyring, case.texts[0])) is not None:
        marks.add(whole)
    if case.programme_id is not None:
        marks.add(programme_mark(case.programme_id))
    return spoken | marks, spoken


def names_of(book: Directory) -> Names:
    """Every name that places, programmes, categories and ministries go by, former and popular ones too."""
    found: dict[tuple[str, ...], dict[tuple[type, int], Named]] = {}
    entries: Iterable[Named] = (*book.places, *book.programmes, *book.categories, *book.ministries)
    for entry in entries:
        for name in all_names(book, entry):
            if keys := _keys(name):
                found.setdefault(keys, {})[type(entry), entry.id] = entry
    return {keys: tuple(entries.values()) for keys, entries in found.items()}


def all_names(book: Directory, entry: Named) -> tuple[str, ...]:
    """Both names of an entry, and its aliases."""
    kind, code = ("place", entry.code) if isinstance(entry, Place) else (type(entry).__name__.lower(), entry.slug)
    return (entry.name_en, entry.name_bn, *book.aliases.get((kind, code), ()))


def parse(typed: str, book: Directory, names: Names, keyring: Keyring) -> Query:
    """Understand a query. Never raises: whatever was typed is looked for, in vain if need be."""
    text = typed[:LONGEST_QUERY].strip()
    is_cut = len(typed.strip()) > LONGEST_QUERY
    phone = _phone(text)
    if phone is not None:
        return Query(text, None, phone, (Group(text, _phone_alternatives(phone, keyring)),), is_cut)
    found = list(words.words(text))
    if is_cut and len(found) > 1:
        found.pop()  # the last one may be half a word
    said = [word for word in found if word not in words.FILLERS and word not in words.HONORIFICS] or found
    groups = _groups(said, book, names, keyring)
    return Query(text, tracking_number.parse(text), None, groups[:MOST_GROUPS], is_cut or len(groups) > MOST_GROUPS)


def as_tsquery(
    groups: Iterable[Group],
    scope: Iterable[str] | None = None,
    window: Iterable[str] = (),
    without: Iterable[str] = (),
) -> str:
    """The groups as PostgreSQL reads them. Of the marks of `scope` and of `window` one each must be there as well, and none
    of `without`."""
    parts = [_any(_all(alternative) for alternative in group.alternatives) for group in groups]
    for marks in (scope, window):
        if marks:
            parts.append(_any(_quoted(mark) for mark in sorted(marks)))
    parts += [f"!{_quoted(mark)}" for mark in sorted(without)]
    return " & ".join(parts)


def _groups(said: list[str], book: Directory, names: Names, keyring: Keyring) -> tuple[Group, ...]:
    """The longest names first, then single words; each group once."""
    groups: dict[tuple[frozenset[str], ...], Group] = {}
    keys = [words.key(word) for word in said]
    at = 0
    while at < len(said):
        for length in range(min(LONGEST_NAME_WORDS, len(said) - at), 0, -1):
            named = names.get(tuple(keys[at : at + length]), ())
            if named or length == 1:
                break
        typed = " ".join(said[at : at + length])
        ways = [frozenset(keys[at : at + length])]
        if length == 1:
            ways.append(frozenset({name_mark(keyring, keys[at])}))
            if (phone := _phone(typed)) is not None:
                ways += _phone_alternatives(phone, keyring)
        for entry in named:
            ways.append(frozenset({_mark(entry)}))
            ways += [frozenset(_keys(name)) for name in all_names(book, entry)]
        group = Group(typed, tuple(dict.fromkeys(way for way in ways if way)), named)
        groups.setdefault(group.alternatives, group)
        at += length
    return tuple(groups.values())


def _keys(name: str) -> tuple[str, ...]:
    return tuple(words.key(word) for word in words.words(name) if word not in words.FILLERS)


def _mark(entry: Named) -> str:
    if isinstance(entry, Place):
        return place_mark(entry.id)
    if isinstance(entry, Programme):
        return programme_mark(entry.id)
    return category_mark(entry.id) if isinstance(entry, Category) else office_mark(entry.office_id)


def _phone(text: str) -> str | None:
    try:
        return parse_mobile(text)
    except InvalidInput:
        return None


def _phone_alternatives(phone: str, keyring: Keyring) -> tuple[frozenset[str], ...]:
    """A number as somebody's own, or written in the complaint with or without the country's code."""
    abroad = phone.removeprefix("+")
    at_home = "0" + abroad.removeprefix(COUNTRY_CODE)
    return tuple(frozenset({term}) for term in (phone_mark(keyring, phone), at_home, abroad))


def _any(parts: Iterable[str]) -> str:
    return f"({' | '.join(parts)})"


def _all(terms: Iterable[str]) -> str:
    return f"({' & '.join(_quoted(term) for term in sorted(terms))})"


def _quoted(term: str) -> str:
    """A term as a quoted lexeme; terms hold letters, marks, digits and #, but this does not rely on it."""
    doubled = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
