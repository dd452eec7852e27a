"""Views of the queue that an officer keeps under a name. They are the officer's own: nobody else reads or changes them.

What is kept is the address, not the list: which cases it shows is decided anew each time, by the one filter of sight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases import bulk_queries
from grm.cases.bulk_models import SavedFilter
from grm.kernel.actor import Actor
from grm.kernel.errors import InvalidInput, NotFound
from grm.kernel.prepared import PREPARED
from grm.kernel.text import clean_line, has_forbidden_characters
from grm.kernel.transaction import transaction

LONGEST_NAME = 60
MOST_FILTERS = 20


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above the queue beside its counts: the filters kept, and how many bulk acts wait for the officer's decision."""

    filters: Sequence[SavedFilter]
    to_decide: int

    @property
    def default(self) -> SavedFilter | None:
        """The one that the queue opens with."""
        return next((each for each in self.filters if each.is_default), None)


def head(session: Session, actor: Actor) -> Head:
    """Read both in one statement."""
    rows = session.execute(_heading(actor)).all()
    return Head([row[0] for row in rows if row[0] is not None], rows[0][1])


@lru_cache(256)  # building it takes longer than the database needs for it
def _heading(actor: Actor) -> Select[*tuple[Any, ...]]:
    waiting = select(bulk_queries.counting(actor).scalar_subquery().label("waiting")).subquery()
    own = SavedFilter.officer_id == actor.officer_id
    return (
        select(SavedFilter, waiting.c.waiting)
        .select_from(waiting)
        .outerjoin(SavedFilter, own)
        .order_by(SavedFilter.name)
        .execution_options(**PREPARED)
    )


def filters_of(session: Session, actor: Actor) -> Sequence[SavedFilter]:
    """The officer's filters by name."""
    own = select(SavedFilter).where(SavedFilter.officer_id == actor.officer_id)
    return session.scalars(own.order_by(SavedFilter.name), execution_options={"populate_existing": True}).all()


def save_filter(actor: Actor, name: str, query: str, *, is_default: bool = False) -> int:
    """Keep a view under a name. Raises `InvalidInput` for a name that is bad or taken, and for the twenty-first filter."""
    assert actor.officer_id is not None
    with transaction() as act:
        own = _locked(act.session, actor)
        cleaned = _name(name, [each.name for each in own])
        if len(own) >= MOST_FILTERS:
            raise InvalidInput(fields={"name": "too-many-filters"})
        row = SavedFilter(officer_id=actor.officer_id, name=cleaned, query=query, is_default=False, created_at=act.now)
        act.session.add(row)
        act.session.flush()
        if is_default:
            _prefer(act.session, actor, row.id)
        return row.id


def rename_filter(actor: Actor, filter_id: int, name: str) -> None:
    """Give a filter another name. Raises `NotFound` for one that is not the officer's, `InvalidInput`."""
    with transaction() as act:
        own = _locked(act.session, actor)
        row = _one(own, filter_id)
        row.name = _name(name, [each.name for each in own if each is not row])


def prefer_filter(actor: Actor, filter_id: int | None) -> None:
    """Let the queue open with a filter; None: with what is unassigned, as before. Raises `NotFound`."""
    with transaction() as act:
        own = _locked(act.session, actor)
        if filter_id is not None:
            _one(own, filter_id)
        _prefer(act.session, actor, filter_id)


def delete_filter(actor: Actor, filter_id: int) -> None:
    """Forget a filter; one that is gone already is no fault."""
    with transaction() as act:
        for row in _locked(act.session, actor):
            if row.id == filter_id:
                act.session.delete(row)


def _locked(session: Session, actor: Actor) -> Sequence[SavedFilter]:
    """The officer's filters, by one act at a time: two at once could exceed the limit."""
    session.execute(select(Officer.id).where(Officer.id == actor.officer_id).with_for_update(key_share=True))
    return filters_of(session, actor)


def _one(own: Sequence[SavedFilter], filter_id: int) -> SavedFilter:
    for row in own:
        if row.id == filter_id:
            return row
    raise NotFound


def _prefer(session: Session, actor: Actor, filter_id: int | None) -> None:
    own = update(SavedFilter).where(SavedFilter.officer_id == actor.officer_id)
    session.execute(own.where(SavedFilter.is_default).values(is_default=False))
    if filter_id is not None:
        session.execute(own.where(SavedFilter.id == filter_id).values(is_default=True))


def _name(typed: str, taken: Sequence[str]) -> str:
    if has_forbidden_characters(typed):
        raise InvalidInput(fields={"name": "control-characters"})
    cleaned = clean_line(typed)
    fault = (
        "missing"
        if not cleaned
        else "name-too-long"
        if len(cleaned) > LONGEST_NAME
        else "name-taken"
        if cleaned.casefold() in {each.casefold() for each in taken}
        else ""
    )
    if fault:
        raise InvalidInput(fields={"name": fault})
    return cleaned
