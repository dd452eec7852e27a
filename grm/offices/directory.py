"""The directory as the other packages read it: one frozen snapshot of all reference data, without a database behind it.

Look-ups by id or code (`directory.office(7)`, `directory.programme("vwb")`) take what the tables hold and raise `NotFound`
where there is no such entry. Look-ups by what somebody typed (`find_…`) accept names in both languages, former and
popular names, any case and any digits, and return everything that fits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Protocol, TypeVar

from grm.kernel.errors import NotFound
from grm.kernel.text import search_key


@dataclass(frozen=True, slots=True)
class Ministry:
    """A ministry or division of the government. `office_id` is the office that holds its queues."""

    id: int
    slug: str
    name_en: str
    name_bn: str
    office_id: int
    cluster_slugs: tuple[str, ...]
    valid_from: date
    valid_to: date | None

    @property
    def primary_cluster(self) -> str:
        """The cluster that counts where a ministry may be counted once only."""
        return self.cluster_slugs[0]


@dataclass(frozen=True, slots=True)
class Cluster:
    """A thematic cluster of ministries."""

    id: int
    slug: str
    name_en: str
    name_bn: str
    coordinator_ministry_id: int | None
    ministry_ids: tuple[int, ...]
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Place:
    """A division, district, upazila or city corporation. `tile` is a district's column and row on the tile map."""

    id: int
    code: str
    kind: str
    name_en: str
    name_bn: str
    parent_id: int | None
    tile: tuple[int, int] | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Office:
    """A ministry's office, the Cabinet Division cell (`code` cell), a district office or a payment provider's desk."""

    id: int
    code: str
    kind: str
    name_en: str
    name_bn: str
    ministry_id: int | None
    district_id: int | None
    parent_id: int | None
    valid_from: date
    valid_to: date | None
    provider_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Programme:
    """A social security programme and the ministry that runs it."""

    id: int
    slug: str
    name_en: str
    name_bn: str
    ministry_id: int
    lifecycle_stage: str
    kind: str
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Category:
    """What a grievance is about."""

    id: int
    slug: str
    name_en: str
    name_bn: str
    description_en: str
    description_bn: str
    sensitivity: str
    valid_from: date
    valid_to: date | None
    priority: str = "normal"
    needs_visit: bool = False

    @property
    def is_sensitive(self) -> bool:
        """Whether only named roles may see such a case."""
        return self.sensitivity == "sensitive"


class _Entry(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name_en(self) -> str: ...
    @property
    def name_bn(self) -> str: ...
    @property
    def valid_from(self) -> date: ...
    @property
    def valid_to(self) -> date | None: ...


_E = TypeVar("_E", bound=_Entry)

CELL = "cell"
"""The code of the Cabinet Division cell's office."""


@dataclass(frozen=True)
class Directory:
    """Everything at one edition. Tuples are in the order in which people expect to read them."""

    edition: int
    ministries: tuple[Ministry, ...]
    clusters: tuple[Cluster, ...]
    places: tuple[Place, ...]
    offices: tuple[Office, ...]
    programmes: tuple[Programme, ...]
    categories: tuple[Category, ...]
    aliases: Mapping[tuple[str, str], tuple[str, ...]] = field(repr=False)
    """(kind, code or slug) → former, popular and differently spelt names; kinds: place, programme, ministry, category."""

    @cached_property
    def derived(self) -> dict[Any, Any]:
        """Room for what others work out of an edition and nothing else, so that they do so once; by keys of their own."""
        return {}

    @cached_property
    def _by_id(self) -> dict[tuple[str, int], _Entry]:
        return {(kind, entry.id): entry for kind, entries in self._entries().items() for entry in entries}

    @cached_property
    def _by_code(self) -> dict[tuple[str, str], _Entry]:
        return {(kind, _code(entry)): entry for kind, entries in self._entries().items() for entry in entries}

    @cached_property
    def _by_name(self) -> dict[str, dict[str, tuple[_Entry, ...]]]:
        found: dict[str, dict[str, dict[int, _Entry]]] = {}
        for kind, entries in self._entries().items():
            names = found.setdefault(kind, {})
            for entry in entries:
                code = _code(entry)
                for name in (code, entry.name_en, entry.name_bn, *self.aliases.get((kind, code), ())):
                    names.setdefault(search_key(name), {})[entry.id] = entry
        return {kind: {key: tuple(hits.values()) for key, hits in names.items()} for kind, names in found.items()}

    def _entries(self) -> dict[str, tuple[_Entry, ...]]:
        return {
            "ministry": self.ministries,
            "cluster": self.clusters,
            "place": self.places,
            "office": self.offices,
            "programme": self.programmes,
            "category": self.categories,
        }

    def _get(self, kind: str, key: int | str, of: type[_E]) -> _E:
        entry = self._by_id.get((kind, key)) if isinstance(key, int) else self._by_code.get((kind, key))
        if not isinstance(entry, of):
            raise NotFound(f"no-such-{kind}", key=key)
        return entry

    def ministry(self, key: int | str) -> Ministry:
        """The ministry with this id or slug. Raises `NotFound` `no-such-ministry`."""
        return self._get("ministry", key, Ministry)

    def cluster(self, key: int | str) -> Cluster:
        """The cluster with this id or slug. Raises `NotFound` `no-such-cluster`."""
        return self._get("cluster", key, Cluster)

    def place(self, key: int | str) -> Place:
        """The place with this id or code. Raises `NotFound` `no-such-place`."""
        return self._get("place", key, Place)

    def office(self, key: int | str) -> Office:
        """The office with this id or code. Raises `NotFound` `no-such-office`."""
        return self._get("office", key, Office)

    def programme(self, key: int | str) -> Programme:
        """The programme with this id or slug. Raises `NotFound` `no-such-programme`."""
        return self._get("programme", key, Programme)

    def category(self, key: int | str) -> Category:
        """The category with this id or slug. Raises `NotFound` `no-such-category`."""
        return self._get("category", key, Category)

    @cached_property
    def cell(self) -> Office:
        """The Cabinet Division cell's office."""
        return self.office(CELL)

    def office_of(self, ministry: int | str) -> Office:
        """The office that holds the queues of a ministry (id or slug)."""
        return self.office(self.ministry(ministry).office_id)

    def district_office(self, district: int | str) -> Office:
        """The Deputy Commissioner's office of a district (id or code). Raises `NotFound` `no-such-office`."""
        wanted = self.place(district).id
        for office in self.offices:
            if office.district_id == wanted:
                return office
        raise NotFound("no-such-office", district=district)

    def providers_on(self, day: date) -> tuple[Office, ...]:
        """The payment providers in force on a day, in the order of their file."""
        return tuple(office for office in in_force(self.offices, day) if office.kind == "provider")

    # Places --------------------------------------------------------------------------------------------------------

    @cached_property
    def divisions(self) -> tuple[Place, ...]:
        """The eight divisions."""
        return tuple(place for place in self.places if place.kind == "division")

    @cached_property
    def districts(self) -> tuple[Place, ...]:
        """The 64 districts."""
        return tuple(place for place in self.places if place.kind == "district")

    @cached_property
    def _children(self) -> dict[int, tuple[Place, ...]]:
        grouped: dict[int, list[Place]] = {}
        for place in self.places:
            if place.parent_id is not None:
                grouped.setdefault(place.parent_id, []).append(place)
        return {parent: tuple(children) for parent, children in grouped.items()}

    def children(self, place: int | str) -> tuple[Place, ...]:
        """The places directly within one: a division's districts; a district's upazilas, then its city corporations."""
        return self._children.get(self.place(place).id, ())

    def within(self, place: Place) -> tuple[Place, ...]:
        """The place and everything above it, from the inside out: upazila, district, division."""
        chain = [place]
        while (parent_id := chain[-1].parent_id) is not None:
            chain.append(self.place(parent_id))
        return tuple(chain)

    def district_of(self, place: Place) -> Place | None:
        """The district a place lies in (a district itself); None for a division."""
        return next((each for each in self.within(place) if each.kind == "district"), None)

    def division_of(self, place: Place) -> Place | None:
        """The division a place lies in (a division itself)."""
        return next((each for each in self.within(place) if each.kind == "division"), None)

    # What is in force, and what somebody typed ---------------------------------------------------------------------

    def programmes_on(self, day: date) -> tuple[Programme, ...]:
        """The programmes in force on a day, grouped by ministry in the ministries' order."""
        return in_force(self.programmes, day)

    def categories_on(self, day: date) -> tuple[Category, ...]:
        """The categories in force on a day, in the order of the form."""
        return in_force(self.categories, day)

    def ministries_on(self, day: date) -> tuple[Ministry, ...]:
        """The ministries and divisions in force on a day."""
        return in_force(self.ministries, day)

    def find_programmes(self, typed: str) -> tuple[Programme, ...]:
        """The programmes that go by what somebody typed: slug, name or alias."""
        return tuple(hit for hit in self._named("programme", typed) if isinstance(hit, Programme))

    def find_categories(self, typed: str) -> tuple[Category, ...]:
        """The categories that go by what somebody typed: slug, name or alias."""
        return tuple(hit for hit in self._named("category", typed) if isinstance(hit, Category))

    def find_ministries(self, typed: str) -> tuple[Ministry, ...]:
        """The ministries that go by what somebody typed: slug, name or alias."""
        return tuple(hit for hit in self._named("ministry", typed) if isinstance(hit, Ministry))

    def find_places(self, typed: str, *kinds: str, within: Place | None = None) -> tuple[Place, ...]:
        """The places that go by what somebody typed: code, name or former name; of some kinds, within a place."""
        return tuple(
            hit
            for hit in self._named("place", typed)
            if isinstance(hit, Place) and _is_within_reach(self, hit, kinds, within)
        )

    def near_names(self, kind: str, typed: str, *place_kinds: str, within: Place | None = None) -> tuple[str, ...]:
        """Up to three entries whose names hold or resemble what somebody typed, as `code (English name)`."""
        wanted = search_key(typed)
        names = {
            key: fitting
            for key, hits in self._by_name[kind].items()
            if (fitting := [hit for hit in hits if _is_within_reach(self, hit, place_kinds, within)])
        }
        holding = [key for key in names if wanted and wanted in key]
        close = get_close_matches(wanted, names, n=12, cutoff=0.6)
        entries = {id(entry): entry for key in (*close, *holding) for entry in names[key]}.values()
        return tuple(f"{_code(entry)} ({entry.name_en})" for entry in entries)[:3]

    def _named(self, kind: str, typed: str) -> tuple[_Entry, ...]:
        return self._by_name[kind].get(search_key(typed), ())


def in_force(entries: Iterable[_E], day: date) -> tuple[_E, ...]:
    """The entries whose validity covers a day (`valid_to` is exclusive)."""
    return tuple(e for e in entries if e.valid_from <= day and (e.valid_to is None or day < e.valid_to))


def _is_within_reach(known: Directory, entry: _Entry, kinds: tuple[str, ...], within: Place | None) -> bool:
    """Whether an entry may be meant where only places of some kinds, or within a place, are asked for."""
    if not isinstance(entry, Place):
        return True
    return (not kinds or entry.kind in kinds) and (within is None or within in known.within(entry))


def _code(entry: _Entry) -> str:
    return entry.code if isinstance(entry, Place | Office) else str(getattr(entry, "slug"))  # noqa: B009
