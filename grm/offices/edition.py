"""Caches of reference data that are good for one edition.

Every change of reference data bumps the edition inside its own transaction. Each process then asks for the edition at most
every two seconds and reads the data anew only when the number has changed: a rule changed by an administrator is in force
everywhere two seconds later, and a page does not read a thousand rows to show ten names.
"""

import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grm.kernel import clock
from grm.offices.models import ReferenceEdition

T = TypeVar("T")

CHECK_EVERY_SECONDS = 2.0
_CHANGED_BY = "grm.reference-changed-by"


class _Known:
    """What this process knows of one database."""

    def __init__(self) -> None:
        self.edition = -1
        self.checked_at = float("-inf")  # monotonic seconds
        self.values: dict[Callable[..., object], tuple[int, object]] = {}


_known: "WeakKeyDictionary[Engine, _Known]" = WeakKeyDictionary()
_lock = threading.Lock()


def per_edition(load: Callable[[Session], T]) -> Callable[[Session], T]:
    """Make `load(session)` read once per process and edition. What it returns is shared: it must be immutable."""

    @wraps(load)
    def cached(session: Session) -> T:
        if _is_changing(session):
            return load(session)  # others must not see what may yet be rolled back
        known = _of(session)
        edition = _current(session, known)
        held = known.values.get(load)
        if held is None or held[0] != edition:
            held = known.values[load] = (edition, load(session))
        return cast(T, held[1])

    return cached


def current(session: Session) -> int:
    """The number of the present edition; 0 before the first import."""
    return session.execute(select(ReferenceEdition.edition).where(ReferenceEdition.id == 1)).scalar_one_or_none() or 0


def bump(session: Session) -> int:
    """Begin a new edition within the caller's transaction and return its number.

    The number is the instant in microseconds, not a count: a count that was rolled back would be given out again, for other
    data.
    """
    number = max(int(clock.now(session).timestamp() * 1_000_000), current(session) + 1)
    statement = insert(ReferenceEdition).values(id=1, edition=number)
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_={"edition": number}))
    session.info[_CHANGED_BY] = session.get_transaction()
    with _lock:
        _of(session).checked_at = float("-inf")
    return number


def source_hash(session: Session) -> str | None:
    """The hash of the shipped data that was imported last, None before the first import."""
    statement = select(ReferenceEdition.source_hash).where(ReferenceEdition.id == 1)
    return session.execute(statement).scalar_one_or_none()


def set_source_hash(session: Session, value: str) -> None:
    """Remember which shipped data this edition came from."""
    session.execute(update(ReferenceEdition).where(ReferenceEdition.id == 1).values(source_hash=value))


def _is_changing(session: Session) -> bool:
    changed_by = session.info.get(_CHANGED_BY)
    return changed_by is not None and changed_by is session.get_transaction()


def _of(session: Session) -> _Known:
    engine = session.get_bind().engine
    return _known.setdefault(engine, _Known())


def _current(session: Session, known: _Known) -> int:
    now = time.monotonic()
    if now - known.checked_at > CHECK_EVERY_SECONDS:
        known.edition = current(session)
        known.checked_at = now
    return known.edition


def forget() -> None:
    """Drop what this process holds, as a new process would: where a database was replaced under its feet."""
    with _lock:
        _known.clear()
