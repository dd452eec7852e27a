"""What a desk has filed in a day, and the receipt of one of its filings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.cases.queries import visible_to
from grm.kernel.actor import Actor
from grm.kernel.clock import DHAKA

LISTED = 50


@dataclass(frozen=True, slots=True)
class DeskFiling:
    """One line of a desk's list."""

    id: int
    tracking_number: str
    filed_at: datetime
    received_on: date
    channel: str
    category_id: int
    office_id: int
    district_id: int | None
    due_on: date
    is_anonymous: bool


_COLUMNS = [getattr(Case, name) for name in DeskFiling.__dataclass_fields__]


def filings_of_day(
    session: Session, actor: Actor, day: date, limit: int = LISTED, before_id: int | None = None
) -> tuple[int, Sequence[DeskFiling]]:
    """How many cases the officer filed on a Dhaka date and may still see, and the latest of them, or those before one.

    Sensitive ones are left out by the filter of sight: a desk that took one down need not be able to look it up.
    """
    midnight = datetime.combine(day, time(), DHAKA)
    mine = (*_own(actor), Case.filed_at >= midnight, Case.filed_at < midnight + timedelta(days=1))
    statement = select(*_COLUMNS).where(*mine).order_by(Case.id.desc()).limit(limit)
    if before_id is not None:
        statement = statement.where(Case.id < before_id)
    filings = [DeskFiling(*row) for row in session.execute(statement).all()]
    if before_id is None and len(filings) < limit:
        return len(filings), filings
    return session.execute(select(func.count()).select_from(Case).where(*mine)).scalar_one(), filings


def own_filing(session: Session, actor: Actor, number: str, is_fresh: bool) -> DeskFiling | None:
    """A case that the officer has filed; a sensitive one only where it `is_fresh`, filed in the same session."""
    own = Case.filed_by_id == actor.officer_id if is_fresh else _own(actor)[0] & _own(actor)[1]
    row = session.execute(select(*_COLUMNS).where(own, Case.tracking_number == number)).one_or_none()
    return DeskFiling(*row) if row is not None else None


def _own(actor: Actor) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return Case.filed_by_id == actor.officer_id, visible_to(actor)
