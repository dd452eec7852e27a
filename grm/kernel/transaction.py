"""One act, one transaction: the only place that commits.

Case change, history, deadline effect and message rows either all become true or none does. Events recorded during the
act are handed to the handlers of `grm/reactions.py` just before the commit, inside the same transaction.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from grm.kernel import clock
from grm.kernel.db import db
from grm.kernel.events import Event

Handler = Callable[["Act", Any], None]
Reactions = Mapping[type[Event], Sequence[Handler]]
EXTENSION = "grm.reactions"


class Act:
    """One act under way: its database session, its instant and the events recorded so far."""

    def __init__(self, session: Session, now: datetime | None) -> None:
        self.session = session
        self._given_now = now
        self._events: list[Event] = []

    @cached_property
    def now(self) -> datetime:
        """The instant of the act: the one given, else the database's clock, read once."""
        return self._given_now or clock.now(self.session)

    def record(self, event: Event) -> None:
        """Remember a fact; its reactions run before the commit, in the order of recording."""
        self._events.append(event)

    def run_reactions(self) -> None:
        """Run the handlers of all recorded events, including events that handlers record."""
        reactions: Reactions = current_app.extensions[EXTENSION]
        while self._events:
            event = self._events.pop(0)
            for handler in reactions.get(type(event), ()):
                handler(self, event)


@contextmanager
def transaction(now: datetime | None = None) -> Iterator[Act]:
    """Run one act: commit on success, roll back on any exception (which is raised on).

    ``now`` is given where the caller has already read the database's clock or, in development, looks ahead.
    """
    session = db.session()
    act = Act(session, now)
    try:
        yield act
        session.flush()
        act.run_reactions()
        session.commit()
    except BaseException:
        session.rollback()
        raise
