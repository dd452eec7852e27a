"""What a desk has filed today."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.cases.queries import visible_to
from grm.kernel.actor import Actor
from grm.kernel.clock import DHAKA

LISTED = 50


@dataclass(frozen=True, slots=True)
class DeskFiling:
    """One line of a desk's list."""

    tracking_number: str
    filed_at: datetime
    received_on: date
    channel: str
    category_id: int
    office_id: int
    due_on: date


def filings_of_day(session: Session, actor: Actor, day: date) -> tuple[int, Sequence[DeskFiling]]:
    """How many cases the officer filed on a Dhaka date and may still see, and the latest of them.

    Sensitive ones are left out by the filter of sight: a desk that took one down need not be able to look it up.
    """
    midnight = datetime.combine(day, time(), DHAKA)
    mine = (Case.filed_by_id == actor.officer_id, Case.filed_at >= midnight, visible_to(actor))
    columns = [getattr(Case, name) for name in DeskFiling.__dataclass_fields__]
    rows = session.execute(select(*columns).where(*mine).order_by(Case.id.desc()).limit(LISTED)).all()
    filings = [DeskFiling(*row) for row in rows]
    if len(filings) < LISTED:
        return len(filings), filings
    return session.execute(select(func.count()).select_from(Case).where(*mine)).scalar_one(), filings
