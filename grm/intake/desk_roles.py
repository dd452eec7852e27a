"""Who sits at a desk and files for others."""

from flask import abort

from grm.kernel.actor import Actor, Seat
from grm.web import guard

ROLES = ("desk_officer", "cell_officer", "gro")


def desk_seats(actor: Actor) -> tuple[Seat, ...]:
    """The seats from which an officer files for others: not a payment provider's, which answers complaints about itself."""
    return tuple(seat for seat in actor.seats_as(*ROLES) if seat.office_kind != "provider")


def only_from_a_desk() -> None:
    """Before a request to a desk's pages, once the guard has let it pass: 404 for who has a seat at no desk."""
    if not desk_seats(guard.actor()):
        abort(404)
