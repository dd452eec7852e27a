"""Reading alarms, and the cases of each: through `visible_to`, so that what is shown as a number is the length of its list."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.alarms.models import Alarm
from grm.alarms.rules import HISTORY_WEEKS
from grm.cases.models import Case
from grm.cases.queries import is_overdue, visible_to
from grm.kernel.actor import Actor
from grm.kernel.clock import now as clock_now
from grm.kernel.db import db
from grm.offices.queries import directory

PAGE = 50
OVER_SHOWN = 20


def conditions(alarm: Alarm, now: datetime | None = None) -> ColumnElement[bool]:
    """Which cases an alarm is about: those that surged; what is overdue where an office falls behind; the last ones that came
    from a district that fell silent; none where none ever came."""
    whole = Case.parent_id.is_(None)
    if alarm.kind == "surge":
        # All offices: by their index on the day of receipt, where no district has one.
        offices = [office.id for office in directory(db.session()).offices]
        place = (
            Case.district_id == alarm.district_id
            if alarm.district_id is not None
            else and_(Case.office_id.in_(offices), Case.programme_id == alarm.programme_id)
        )
        received = Case.received_on.between(alarm.starts_on, alarm.until_on)
        return and_(whole, place, Case.category_id == alarm.category_id, received)
    if alarm.kind == "behind":
        return and_(whole, Case.office_id == alarm.office_id, is_overdue(now or clock_now(db.session())))
    if alarm.kind == "silent":
        since = alarm.until_on - timedelta(weeks=HISTORY_WEEKS)
        return and_(whole, Case.district_id == alarm.district_id, Case.received_on.between(since, alarm.until_on))
    return false()


def live(session: Session) -> Sequence[Any]:
    """The alarms that are not over, new ones first, with the names of who acknowledged them."""
    return session.execute(_named().where(Alarm.state != "over").order_by(Alarm.state.desc(), Alarm.id.desc())).all()


def over(session: Session) -> Sequence[Any]:
    """The latest that are over."""
    return session.execute(
        _named().where(Alarm.state == "over").order_by(Alarm.over_at.desc(), Alarm.id.desc()).limit(OVER_SHOWN)
    ).all()


def one(session: Session, alarm_id: int) -> Any:
    """An alarm with the names of who acknowledged it; None where there is none."""
    return session.execute(_named().where(Alarm.id == alarm_id)).one_or_none()


def _named() -> Any:
    return select(Alarm, Officer.name_bn, Officer.name_en).outerjoin(Officer, Officer.id == Alarm.acknowledged_by_id)


def count(session: Session, actor: Actor, alarm: Alarm, now: datetime) -> int:
    """How many cases of an alarm the actor may see: the length of its list."""
    counted = select(func.count()).select_from(Case).where(conditions(alarm, now), visible_to(actor))
    return int(session.execute(counted).scalar_one())


def is_hidden(session: Session, alarm: Alarm, now: datetime, seen: int | None) -> bool:
    """Whether an alarm must not be known to a reader who may see so many of its cases: all that came in accuse him."""
    return (
        alarm.kind == "surge"
        and seen == 0
        and session.execute(select(Case.id).where(conditions(alarm, now)).limit(1)).first() is not None
    )


def cases(
    session: Session, actor: Actor, alarm: Alarm, now: datetime, after: tuple[date, int] | None = None
) -> Sequence[Case]:
    """A page of the cases of an alarm, the latest first; one more than `PAGE` where there is another page."""
    statement = select(Case).where(conditions(alarm, now), visible_to(actor))
    if after is not None:
        on, case_id = after
        statement = statement.where((Case.received_on < on) | ((Case.received_on == on) & (Case.id < case_id)))
    return session.scalars(statement.order_by(Case.received_on.desc(), Case.id.desc()).limit(PAGE + 1)).all()
