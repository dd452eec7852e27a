"""For whom a return can be made, and what of it an officer may see. Pure.

An office submits its return. Those of the country, a ministry, a district or a programme are put together from the stays of all
offices, within what the reader may see; nobody submits them, and they are frozen when the month is closed.
"""

from dataclasses import dataclass

from grm.kernel.actor import Actor
from grm.kernel.errors import NotFound
from grm.offices.directory import Directory, Ministry, Office, Place, Programme
from grm.tallies.scope import ALL_SHADES, DESK_ONLY, WITHOUT_SENSITIVE, Scope, scopes_of

KINDS = ("office", "ministry", "district", "programme", "country")
VIEWS = {"whole": ALL_SHADES, "open": WITHOUT_SENSITIVE, "desk": DESK_ONLY}
"""Of what is frozen, how much is for whom: who sees all; coordinators and districts; a grievance redress officer."""
SUBMITTERS = ("gro", "head")
"""Who of an office submits its return."""
CELL_SUBMITTERS = ("cell_officer", "head")
"""Who does at the Cabinet Division cell, which has no grievance redress officer."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What a return is about; `code` stands in addresses."""

    kind: str
    code: str
    entry: Office | Ministry | Place | Programme | None
    office_ids: frozenset[int] = frozenset()

    @property
    def id(self) -> int:
        """The id of what it is about; 0 for the country."""
        return self.entry.id if self.entry is not None else 0


@dataclass(frozen=True, slots=True)
class Sight:
    """What of a unit's return a reader sees: cases of these shades, at these offices (None: all); and whether it opens lists."""

    shades: frozenset[int]
    within: frozenset[int] | None
    has_lists: bool

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return self.shades == ALL_SHADES and self.within is None


COUNTRY = Unit("country", "all", None)


def unit_of(book: Directory, kind: str, code: str) -> Unit:
    """Return the unit of an address. Raises `NotFound` for none."""
    if kind == "country" and code == COUNTRY.code:
        return COUNTRY
    try:
        if kind == "office":
            return office_unit(next(each for each in book.offices if each.code == code))
        if kind == "ministry":
            return ministry_unit(book.ministry(code), book)
        if kind == "district":
            return Unit(kind, code, next(each for each in book.districts if each.code == code))
        if kind == "programme":
            return Unit(kind, code, book.programme(code))
    except (LookupError, StopIteration, NotFound):
        raise NotFound from None
    raise NotFound


def office_unit(office: Office) -> Unit:
    """The unit of an office."""
    return Unit("office", office.code, office, frozenset({office.id}))


def ministry_unit(ministry: Ministry, book: Directory) -> Unit:
    """The unit of a ministry: all its offices."""
    offices = frozenset(each.id for each in book.offices if each.ministry_id == ministry.id)
    return Unit("ministry", ministry.slug, ministry, offices)


def sight(actor: Actor, unit: Unit, book: Directory) -> Sight | None:
    """Return what of a unit's return an officer may see; None: it does not exist for this officer."""
    for scope in scopes_of(actor, book):
        seen = _through(scope, unit, book)
        if seen is not None:
            return seen
    return None


def _through(scope: Scope, unit: Unit, book: Directory) -> Sight | None:
    if scope.spine == "all":
        return Sight(scope.shades, None, scope.has_lists)
    assert scope.ids is not None
    if scope.spine == "district":
        is_own = unit.kind == "district" and unit.id in scope.ids
        return Sight(scope.shades, None, scope.has_lists) if is_own else None
    if unit.kind in ("office", "ministry"):
        return Sight(scope.shades, None, scope.has_lists) if unit.office_ids and unit.office_ids <= scope.ids else None
    if isinstance(unit.entry, Programme) and book.ministry(unit.entry.ministry_id).office_id in scope.ids:
        return Sight(scope.shades, scope.ids, scope.has_lists)
    return None


def may_submit(actor: Actor, unit: Unit) -> bool:
    """Whether an officer submits the return of this unit."""
    return (
        unit.kind == "office"
        and isinstance(unit.entry, Office)
        and unit.id in actor.office_ids(*submitters(unit.entry.kind))
    )


def submitters(office_kind: str) -> tuple[str, ...]:
    """The roles that submit the return of an office of a kind, who is asked first first."""
    return CELL_SUBMITTERS if office_kind == "cell" else SUBMITTERS


def closed_units(book: Directory) -> tuple[Unit, ...]:
    """The units whose returns are frozen when a month is closed."""
    return (
        COUNTRY,
        *(ministry_unit(each, book) for each in book.ministries),
        *(Unit("district", each.code, each) for each in book.districts),
        *(Unit("programme", each.slug, each) for each in book.programmes),
    )


def visible_units(actor: Actor, book: Directory) -> tuple[Unit, ...]:
    """The units other than offices whose return an officer may open."""
    return tuple(unit for unit in closed_units(book) if sight(actor, unit, book) is not None)


__all__ = ["ALL_SHADES", "DESK_ONLY", "Sight", "Unit", "may_submit", "sight", "unit_of", "visible_units"]
