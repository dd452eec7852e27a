"""An actor's seats decide what the actor may do; an administrator has none."""

from grm.kernel.actor import SYSTEM, Actor, Seat, complainant

GRO = Seat(1, "ministry", 7, None, 11, "gro")
DESK = Seat(2, "district", None, "3026", 12, "desk_officer")
ALTERNATE = Seat(3, "ministry", 8, None, 13, "gro", is_alternate=True)


def test_roles_and_offices_come_from_the_seats() -> None:
    officer = Actor(5, "A. Rahman", "officer", (GRO, DESK, ALTERNATE))
    assert officer.is_officer
    assert officer.has_role("gro")
    assert officer.has_role("head", "desk_officer")
    assert not officer.has_role("head")
    assert not officer.has_role()
    assert officer.office_ids() == {1, 2, 3}
    assert officer.office_ids("gro") == {1, 3}
    assert officer.office_ids("head") == frozenset()
    assert officer.seats_as("desk_officer") == (DESK,)


def test_an_administrator_has_no_role_by_being_one() -> None:
    admin = Actor(6, "B. Karim", "officer", is_admin=True)
    assert not admin.has_role("gro", "cell_officer", "viewer")
    assert admin.office_ids() == frozenset()


def test_the_system_and_a_complainant_are_no_officers() -> None:
    person = complainant("0000000000C1SW"[:13])
    assert (SYSTEM.is_system, SYSTEM.is_officer, SYSTEM.officer_id) == (True, False, None)
    assert (person.is_complainant, person.is_officer, person.tracking_number) == (True, False, "0000000000C1S")
    assert person.seats == SYSTEM.seats == ()
