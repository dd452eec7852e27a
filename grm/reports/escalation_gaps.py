"""What keeps the ladder from working: empty chairs it met, notices that reached nobody, clocks that an operator set aside, and
posts that are vacant today. And who answers where the ladder ends."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, func, select, union_all
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.models import Case
from grm.cases.queries import visible_to
from grm.deadlines.models import Deadline
from grm.escalation.models import Escalation
from grm.kernel.actor import Actor
from grm.notifications.climbs import ESCALATED
from grm.notifications.models import DigestItem, Message
from grm.offices.directory import Directory
from grm.offices.queries import PostHolder, StaffedPost, holders, vacant_posts


@dataclass(frozen=True, slots=True)
class Last:
    """Who answers after level 3: the chair of the Cabinet Division's cell, and who acts while the chair is away or empty."""

    chair: StaffedPost | None
    holder: PostHolder | None
    officers: tuple[PostHolder, ...]
    """The officers of the cell, who have the cases of level 3 on their table."""


def last(session: Session, book: Directory, today: date) -> Last:
    """Who sits at the end of the ladder on a day (one statement)."""
    seats = holders(session, [book.cell.id], today)
    chair = next((seat for seat in seats if seat.role == "head"), None)
    found: dict[int, PostHolder] = {}
    for seat in seats:
        if seat.role == "cell_officer":
            for each in seat.present:
                found.setdefault(each.officer_id, each)
    return Last(chair, chair.acting if chair else None, tuple(found.values()))


def vacancies(session: Session, office_ids: Collection[int] | None, today: date) -> tuple[StaffedPost, ...]:
    """The posts of the ladder that nobody holds as a regular, at some offices (None: at all)."""
    found = vacant_posts(session, today)
    return tuple(post for post in found if office_ids is None or post.office_id in office_ids)


def gaps(session: Session, actor: Actor) -> Sequence[Any]:
    """Where the ladder met an empty chair: office, role, how many open cases passed it, since when."""
    return session.execute(
        select(
            Escalation.office_id,
            Escalation.role,
            func.count(func.distinct(Escalation.case_id)).label("cases"),
            func.min(Escalation.escalated_at).label("since"),
        )
        .join(Case, Case.id == Escalation.case_id)
        .where(Escalation.is_vacant, Escalation.withdrawn_at.is_(None), Case.is_open, visible_to(actor))
        .group_by(Escalation.office_id, Escalation.role)
        .order_by(func.count().desc())
    ).all()


def undelivered(session: Session, actor: Actor) -> Sequence[Any]:
    """Whom notices of late cases did not reach: officer, of which office's rung, how many open cases, since when.

    A notice that came back, was refused or ran out of time; each was passed on, but somebody must mend the address.
    """
    is_lost = and_(
        Message.state.in_(("failed", "expired", "held")),
        func.coalesce(Message.error, "").not_in(("no-longer-needed", "date-moved")),
    )
    columns = (Escalation.case_id, Escalation.office_id, Message.officer_id, Message.ended_at)
    gathered = (
        select(*columns)
        .join(DigestItem, DigestItem.escalation_id == Escalation.id)
        .join(Message, Message.id == DigestItem.message_id)
        .where(is_lost, Escalation.withdrawn_at.is_(None))
    )
    parts = (Escalation.case_id, Escalation.deadline_id, Escalation.epoch, Escalation.level, Message.channel)
    single = (
        select(*columns)
        .join(Message, Message.case_id == Escalation.case_id)
        .where(is_lost, Escalation.withdrawn_at.is_(None), Message.key == func.concat_ws(":", ESCALATED, *parts))
    )
    lost = union_all(gathered, single).subquery()
    return session.execute(
        select(
            lost.c.office_id,
            Officer.name_bn,
            Officer.name_en,
            func.count(func.distinct(lost.c.case_id)).label("cases"),
            func.min(lost.c.ended_at).label("since"),
        )
        .join(Officer, Officer.id == lost.c.officer_id)
        .join(Case, Case.id == lost.c.case_id)
        .where(Case.is_open, visible_to(actor))
        .group_by(lost.c.office_id, Officer.id, Officer.name_bn, Officer.name_en)
        .order_by(func.count(func.distinct(lost.c.case_id)).desc(), Officer.id)
    ).all()


def set_aside(session: Session, actor: Actor) -> Sequence[Any]:
    """The clocks that an operator has set aside: they climb no more until somebody has mended them."""
    return session.execute(
        select(Case.tracking_number, Deadline.kind, Deadline.due_on, Deadline.set_aside_at, Deadline.set_aside_why)
        .join(Case, Case.id == Deadline.case_id)
        .where(Deadline.set_aside_at.is_not(None), Deadline.state != "met", visible_to(actor))
        .order_by(Deadline.set_aside_at, Deadline.id)
    ).all()
