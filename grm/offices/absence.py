"""Leave: a stretch of days on which an officer is absent. Whoever stands in is told instead; posts and cases stay."""

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.kernel import audit
from grm.kernel.actor import SYSTEM, Actor
from grm.kernel.errors import Conflict, InvalidInput, NotFound
from grm.offices.models import Leave

LONGEST = timedelta(days=3 * 366)
"""Study leave and lien last years; a slip of the pen lasts decades."""


def enter_leave(
    session: Session, now: datetime, officer_id: int, starts_on: date, last_on: date, *, actor: Actor = SYSTEM
) -> Leave:
    """Note that an officer is absent from the first to the last of two days, both of them included.

    Days that are over may be entered too: a record is made late where somebody fell ill. Raises `InvalidInput` for days out of
    order or too many, `Conflict` `leave-overlaps`, `NotFound` `no-such-officer`.
    """
    if session.scalar(select(Officer.id).where(Officer.id == officer_id).with_for_update()) is None:
        raise NotFound("no-such-officer", officer_id=officer_id)
    if last_on < starts_on:
        raise InvalidInput("leave-out-of-order", fields={"last_on": "leave-out-of-order"})
    if last_on - starts_on > LONGEST:
        raise InvalidInput("leave-too-long", fields={"last_on": "leave-too-long"})
    back_on = last_on + timedelta(days=1)
    overlapping = select(Leave.id).where(
        Leave.officer_id == officer_id, Leave.starts_on < back_on, Leave.ends_on > starts_on
    )
    if session.scalar(overlapping.limit(1)) is not None:
        raise Conflict("leave-overlaps")
    leave = Leave(
        officer_id=officer_id, starts_on=starts_on, ends_on=back_on, entered_by_id=actor.officer_id, entered_at=now
    )
    session.add(leave)
    session.flush()
    days = {"starts_on": starts_on.isoformat(), "ends_on": back_on.isoformat()}
    audit.record(session, "directory", "leave-entered", actor, now, leave_id=leave.id, officer_id=officer_id, **days)
    return leave


def end_leave(session: Session, now: datetime, leave_id: int, back_on: date, *, actor: Actor = SYSTEM) -> None:
    """The officer is back on a day, earlier than noted; a leave that had not begun by then is struck out.

    Raises `NotFound` `no-such-leave`, `Conflict` `leave-is-over` where it ends no later anyway.
    """
    leave = session.scalar(select(Leave).where(Leave.id == leave_id).with_for_update())
    if leave is None:
        raise NotFound("no-such-leave", leave_id=leave_id)
    if leave.ends_on <= back_on:
        raise Conflict("leave-is-over")
    before = leave.ends_on.isoformat()
    if back_on <= leave.starts_on:
        session.delete(leave)
    else:
        leave.ends_on = back_on
    session.flush()
    said = {"officer_id": leave.officer_id, "ends_on": back_on.isoformat(), "was": before}
    audit.record(session, "directory", "leave-ended", actor, now, leave_id=leave_id, **said)
