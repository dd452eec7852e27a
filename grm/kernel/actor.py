"""Who acts: an officer in today's seats, a complainant with the key to one case, or the system."""

from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["officer", "complainant", "system"]

ROLES: tuple[str, ...] = (
    "gro",
    "appeal_officer",
    "case_officer",
    "head",
    "cell_officer",
    "desk_officer",
    "cluster_coordinator",
    "viewer",
)
"""What a post lets its holder do. Administrators are no role: `Actor.is_admin` opens no case."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A posting the officer holds on the day of the act, as regular holder or as alternate (বিকল্প)."""

    office_id: int
    office_kind: str
    ministry_id: int | None
    district_code: str | None
    post_id: int
    role: str
    is_alternate: bool = False


@dataclass(frozen=True, slots=True)
class Actor:
    """One acting party. Immutable, made anew for each request or task.

    `officer_id` is set for officers only, `tracking_number` for complainants only. `name` is for the history.
    """

    officer_id: int | None
    name: str
    kind: ActorKind
    seats: tuple[Seat, ...] = ()
    is_admin: bool = False
    tracking_number: str | None = None
    overseen_office_ids: frozenset[int] = frozenset()
    """The offices whose open files a cluster coordinator reads, without handling any (`grm/offices/overseeing.py`)."""

    @property
    def is_officer(self) -> bool:
        """Whether a signed-in officer acts."""
        return self.kind == "officer"

    @property
    def is_complainant(self) -> bool:
        """Whether the holder of a case's tracking number and secret acts."""
        return self.kind == "complainant"

    @property
    def is_system(self) -> bool:
        """Whether a sweep or a command acts."""
        return self.kind == "system"

    def has_role(self, *roles: str) -> bool:
        """Whether any seat carries one of `roles`. Without roles: False."""
        return any(seat.role in roles for seat in self.seats)

    def seats_as(self, *roles: str) -> tuple[Seat, ...]:
        """The seats that carry one of `roles`; without roles all of them."""
        return tuple(seat for seat in self.seats if not roles or seat.role in roles)

    def office_ids(self, *roles: str) -> frozenset[int]:
        """The offices where the actor sits with one of `roles`; without roles all of the actor's offices."""
        return frozenset(seat.office_id for seat in self.seats_as(*roles))


SYSTEM = Actor(officer_id=None, name="system", kind="system")
"""The actor of sweeps and commands. It has no seat: what it may do is said by the code that uses it."""


def complainant(tracking_number: str) -> Actor:
    """The person who proved to hold the secret of the case with this tracking number."""
    return Actor(officer_id=None, name="complainant", kind="complainant", tracking_number=tracking_number)
