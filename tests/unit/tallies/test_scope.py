"""Whose cases an officer's figures count."""

from datetime import date

import pytest

from grm.kernel.actor import Actor, Seat
from grm.offices.directory import Cluster, Directory, Ministry, Office, Place
from grm.tallies.scope import ALL_SHADES, DESK_ONLY, WITHOUT_SENSITIVE, Scope, chosen, scopes_of

DAY = date(2026, 1, 1)


def book() -> Directory:
    """Two ministries of one cluster, one outside it, the cell, and a district's office."""
    ministries = tuple(
        Ministry(number, slug, slug, slug, 10 + number, clusters, DAY, None)
        for number, slug, clusters in ((1, "food", ("relief",)), (2, "disaster", ("relief",)), (3, "labour", ()))
    )
    offices = (
        Office(1, "cell", "cell", "Cell", "সেল", None, None, None, DAY, None),
        *(Office(10 + m.id, m.slug, "ministry", m.slug, m.slug, m.id, None, 1, DAY, None) for m in ministries),
        Office(20, "dc-3026", "district", "DC", "ডিসি", None, 7, 1, DAY, None),
    )
    relief = Cluster(5, "relief", "Relief", "ত্রাণ", 1, (1, 2), DAY, None)
    dhaka = Place(7, "3026", "district", "Dhaka", "ঢাকা", None, (3, 4), DAY, None)
    return Directory(1, ministries, (relief,), (dhaka,), offices, (), (), {})


def seat(role: str, office_id: int) -> Seat:
    """A seat at one of those offices."""
    office = book().office(office_id)
    return Seat(office_id, office.kind, office.ministry_id, "3026" if office.kind == "district" else None, 99, role)


def actor(*seats: Seat) -> Actor:
    """An officer with seats."""
    return Actor(1, "Officer", "officer", seats)


def short(scope: Scope) -> tuple[str, set[int] | None, frozenset[int], bool]:
    """What matters of a scope."""
    return scope.code, None if scope.ids is None else set(scope.ids), scope.shades, scope.has_lists


@pytest.mark.parametrize(
    ("seats", "expected"),
    [
        ([("cell_officer", 1)], [("all", None, ALL_SHADES, True)]),
        ([("cell_officer", 1), ("gro", 11)], [("all", None, ALL_SHADES, True)]),
        ([("head", 1)], [("all", None, ALL_SHADES, False), ("own", {1}, ALL_SHADES, True)]),
        ([("viewer", 1)], [("all", None, ALL_SHADES, False)]),
        ([("gro", 11)], [("desk", {11}, DESK_ONLY, True)]),
        ([("appeal_officer", 11)], [("own", {11}, ALL_SHADES, True)]),
        ([("gro", 11), ("head", 11)], [("own", {11}, ALL_SHADES, True)]),
        ([("gro", 11), ("head", 12)], [("own", {12}, ALL_SHADES, True), ("desk", {11}, DESK_ONLY, True)]),
        ([("cluster_coordinator", 11)], [("cluster", {11, 12}, WITHOUT_SENSITIVE, True)]),
        ([("cluster_coordinator", 13)], []),
        ([("gro", 20)], [("desk", {20}, DESK_ONLY, True), ("district", {7}, WITHOUT_SENSITIVE, False)]),
        ([("head", 20)], [("own", {20}, ALL_SHADES, True), ("district", {7}, WITHOUT_SENSITIVE, False)]),
        ([("desk_officer", 20), ("case_officer", 11)], []),
    ],
)
def test_scopes(seats: list[tuple[str, int]], expected: list[object]) -> None:
    found = scopes_of(actor(*(seat(role, office) for role, office in seats)), book())
    assert [short(scope) for scope in found] == expected


def test_the_scope_of_an_address() -> None:
    both = scopes_of(actor(seat("head", 20)), book())
    assert chosen(both, "district") is both[1]
    assert chosen(both, "all") is both[0] is chosen(both, None)
    assert chosen((), "all") is None
