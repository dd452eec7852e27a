"""Announced ends of postings: a reminder ahead and on the day; and the end itself, where nothing is left to hand over."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases.duties import inventory
from grm.cases.events import HandoverDue
from grm.cases.handover import Wanted, WorkLeft, departure_from_posting, hand_over
from grm.kernel import clock
from grm.kernel.actor import SYSTEM
from grm.kernel.clock import dhaka_date
from grm.kernel.db import db
from grm.kernel.errors import Conflict
from grm.kernel.transaction import transaction
from grm.offices.models import Post, Posting
from grm.offices.queries import holders

AHEAD = timedelta(days=7)
"""How long before the day the first reminder goes out."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a run did: how many postings ended, and of how many officers were reminded."""

    ended: int
    reminded: int


def run(now: datetime | None = None) -> Result:
    """Go through the postings whose announced end is near. Any number of runs a day ends the same: a reminder has a key, and
    what is handed over is handed over."""
    session = db.session()
    today = dhaka_date(now or clock.now(session))
    near = select(Posting.id, Posting.leaving_on).where(
        Posting.ends_on.is_(None), Posting.leaving_on.is_not(None), Posting.leaving_on <= today + AHEAD
    )
    found = session.execute(near.order_by(Posting.leaving_on, Posting.id)).all()
    session.rollback()
    ended = reminded = 0
    for posting_id, leaving_on in found:
        assert leaving_on is not None
        if leaving_on <= today and _end(posting_id, now):
            ended += 1
        else:
            reminded += _remind(posting_id, leaving_on, today, now)
    return Result(ended, reminded)


def _end(posting_id: int, now: datetime | None) -> bool:
    try:
        hand_over(SYSTEM, Wanted(posting_id=posting_id), now=now)
    except WorkLeft:
        return False
    except Conflict:
        return True  # ended meanwhile
    return True


def _remind(posting_id: int, leaving_on: date, today: date, now: datetime | None) -> bool:
    with transaction(now) as act:
        departure = departure_from_posting(act.session, posting_id, today)
        if not any(duty.kind != "alternate" for duty in inventory(act.session, departure.leaving)):
            return False
        heads = _heads(act.session, posting_id, today)
        told = tuple(sorted({departure.officer_id, *heads}))
        act.record(HandoverDue(posting_id=posting_id, leaving_on=leaving_on, on=today, officer_ids=told))
        return True


def _heads(session: Session, posting_id: int, today: date) -> set[int]:
    office_id = session.scalar(select(Post.office_id).join(Posting).where(Posting.id == posting_id))
    seats = holders(session, [office_id] if office_id is not None else [], today)
    return {each.officer_id for seat in seats if seat.role == "head" for each in seat.present}
