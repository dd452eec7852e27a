"""Which lists can be had as a file: each is registered by the part that owns it, under a short name.

    @exportable("escalations", *READERS)
    def escalations(asked: Asked) -> Sheet:
        return Sheet(gettext("Open escalated cases"), (Column(gettext("Tracking number"), "code"), ...), rows(asked), count=…)

The function reads through ``asked.session`` alone, for ``asked.actor`` alone (``visible_to``), and knows no request: large files
are made by a process of their own, later, in the seats that the officer holds then. Words are in the file's language already.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from grm.exports.sheet import Sheet
from grm.kernel.actor import Actor
from grm.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for a list, with which choices (as in the address of its page), as of which instant."""

    session: Session
    actor: Actor
    query: Mapping[str, str]
    now: datetime


Make = Callable[[Asked], Sheet]
"""Raises `NotFound` where the actor has no such list."""


@dataclass(frozen=True, slots=True)
class Exportable:
    """A list that can be had as a file, and the roles that may have it; without roles whoever is signed in."""

    name: str
    roles: tuple[str, ...]
    make: Make

    def is_open_to(self, actor: Actor) -> bool:
        """Whether the officer may ask for it at all."""
        return not self.roles or actor.has_role(*self.roles) or (actor.is_admin and "admin" in self.roles)


_KNOWN: dict[str, Exportable] = {}


def exportable(name: str, *roles: str) -> Callable[[Make], Make]:
    """Register a list under a name (letters and hyphens), for officers with one of the roles."""

    def register(make: Make) -> Make:
        if name in _KNOWN and _KNOWN[name].make.__qualname__ != make.__qualname__:
            raise ValueError(f"two lists are called {name}")
        _KNOWN[name] = Exportable(name, roles, make)
        return make

    return register


def of_name(name: str) -> Exportable:
    """The list of a name. Raises `NotFound`."""
    if name not in _KNOWN:
        raise NotFound
    return _KNOWN[name]


def names() -> Iterator[str]:
    """All names that are registered."""
    yield from sorted(_KNOWN)


def sheet_of(name: str, asked: Asked) -> Sheet:
    """The list of a name for whoever asks. Raises `NotFound` where there is none for them."""
    found = of_name(name)
    if not found.is_open_to(asked.actor):
        raise NotFound
    return found.make(asked)
