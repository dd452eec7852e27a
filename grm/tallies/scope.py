"""Whose cases an officer's figures count, and whether the figures open lists. Pure.

A scope narrows and never widens: a list behind a figure is what the officer may see (`visible_to`) within the scope. Where a
scope shows more than its reader may open (a district's figures to its head, the country's to the monitors), it has no lists.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from grm.kernel.actor import Actor
from grm.offices.directory import Cluster, Directory, Office, Place

Spine = Literal["all", "office", "district"]

DESK_OPEN, OTHER_OPEN, SENSITIVE = 0, 1, 2
"""The shades of a case: at the gro desk and not sensitive; at another desk and not sensitive; sensitive."""
ALL_SHADES = frozenset({DESK_OPEN, OTHER_OPEN, SENSITIVE})
WITHOUT_SENSITIVE = frozenset({DESK_OPEN, OTHER_OPEN})
DESK_ONLY = frozenset({DESK_OPEN})

REPORT_ROLES = ("cell_officer", "appeal_officer", "head", "gro", "cluster_coordinator", "viewer")
"""Who has a scope at all."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of cases by where they lie now: everything, some offices', or some districts'.

    `code` names it in an address (`?scope=`); `ids` are offices' or districts' ids, None for all; `about` is what gives it its
    name: offices, clusters or a district.
    """

    code: str
    spine: Spine
    ids: frozenset[int] | None
    shades: frozenset[int]
    has_lists: bool
    about: tuple[Office | Cluster | Place, ...] = ()


def scopes_of(actor: Actor, book: Directory) -> tuple[Scope, ...]:
    """Return the scopes an officer may choose from, the widest first; none: reports do not exist for this officer."""
    if actor.has_role("cell_officer"):
        return (Scope("all", "all", None, ALL_SHADES, has_lists=True),)
    found: list[Scope] = []
    if actor.has_role("viewer") or any(seat.office_kind == "cell" for seat in actor.seats_as("head")):
        # The chair of the cell sees how all fares; the files are the cell's officers'.
        found.append(Scope("all", "all", None, ALL_SHADES, has_lists=False))
    found += _clusters(actor, book)
    whole = actor.office_ids("appeal_officer", "head")
    desks = actor.office_ids("gro") - whole
    found += [
        Scope(code, "office", ids, shades, has_lists=True, about=tuple(book.office(each) for each in sorted(ids)))
        for code, ids, shades in (("own", whole, ALL_SHADES), ("desk", desks, DESK_ONLY))
        if ids
    ]
    found += _districts(actor, book)
    return tuple(found)


def chosen(scopes: Sequence[Scope], code: str | None) -> Scope | None:
    """Return the scope of an address; the widest where it names none of them, None where there is none."""
    return next((scope for scope in scopes if scope.code == code), scopes[0] if scopes else None)


def coordinated(actor: Actor, book: Directory) -> tuple[Cluster, ...]:
    """Return the clusters that the actor's ministries coordinate, where the actor sits as coordinator."""
    ministries = {seat.ministry_id for seat in actor.seats_as("cluster_coordinator")} - {None}
    return tuple(each for each in book.clusters if each.coordinator_ministry_id in ministries)


def offices_in(clusters: Sequence[Cluster], book: Directory) -> frozenset[int]:
    """Return the ministry offices of clusters."""
    return frozenset(book.ministry(each).office_id for cluster in clusters for each in cluster.ministry_ids)


def _clusters(actor: Actor, book: Directory) -> list[Scope]:
    clusters = coordinated(actor, book)
    if not clusters:
        return []
    ids = offices_in(clusters, book)
    return [Scope("cluster", "office", ids, WITHOUT_SENSITIVE, has_lists=True, about=clusters)]


def _districts(actor: Actor, book: Directory) -> list[Scope]:
    """Figures only: a district's office opens nobody's file but those that lie with it."""
    codes = {
        seat.district_code
        for seat in actor.seats_as("head", "gro")
        if seat.office_kind == "district" and seat.district_code
    }
    if not codes:
        return []
    places = tuple(book.place(code) for code in sorted(codes))
    ids = frozenset(place.id for place in places)
    return [Scope("district", "district", ids, WITHOUT_SENSITIVE, has_lists=False, about=places)]
