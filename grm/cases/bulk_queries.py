"""Reading acts on many cases: one's own, those that wait for one's decision, and of an act the cases that one may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from grm.accounts.models import Officer
from grm.cases import queue
from grm.cases.bulk import asking, known_to, knows
from grm.cases.bulk_models import UNFINISHED, BulkAct, BulkItem
from grm.cases.bulk_rules import approver_roles, may_decide
from grm.cases.models import Case
from grm.cases.permissions import DESK_ROLE
from grm.cases.queries import visible_to
from grm.kernel.actor import Actor
from grm.kernel.errors import NotFound

LISTED = 50


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An act of an officer that is not over: it waits for approval, or some of its cases are still to be done."""

    id: int
    action: str
    office_id: int | None
    desk: str | None
    state: str
    asked_at: datetime
    cases_left: int


def unfinished_of(session: Session, officer_id: int) -> tuple[Unfinished, ...]:
    """The acts that hang on an officer, the oldest first: whoever leaves a post leaves none behind (one statement)."""
    left = _items(BulkItem.state == "waiting")
    columns = (BulkAct.id, BulkAct.action, BulkAct.office_id, BulkAct.desk, BulkAct.state, BulkAct.asked_at)
    statement = select(*columns, left).where(BulkAct.officer_id == officer_id, BulkAct.state.in_(UNFINISHED))
    return tuple(Unfinished(*row) for row in session.execute(statement.order_by(BulkAct.id)))


def to_decide(session: Session, actor: Actor) -> Sequence[Row[Any]]:
    """The acts that wait for the actor's decision, the oldest first, as rows of `_listed`."""
    return session.execute(_listed(actor).where(_decidable(actor)).order_by(BulkAct.id).limit(LISTED)).all()


def count_to_decide(session: Session, actor: Actor) -> int:
    """How many acts wait for the actor's decision (one statement)."""
    return session.execute(counting(actor)).scalar_one()


def counting(actor: Actor) -> Select[int]:
    """`count_to_decide` as a part of another statement."""
    return select(func.count()).select_from(BulkAct).where(_decidable(actor))


def own(session: Session, actor: Actor) -> Sequence[Row[Any]]:
    """The actor's acts, the newest first, as rows of `_listed`."""
    found = _listed(actor).where(BulkAct.officer_id == actor.officer_id)
    return session.execute(found.order_by(BulkAct.id.desc()).limit(LISTED)).all()


def decided_by(session: Session, actor: Actor) -> Sequence[Row[Any]]:
    """What the actor has decided on, the newest first, as rows of `_listed`."""
    found = _listed(actor).where(BulkAct.decided_by_id == actor.officer_id)
    return session.execute(found.order_by(BulkAct.id.desc()).limit(LISTED)).all()


def find_bulk(session: Session, actor: Actor, bulk_id: int) -> Row[Any]:
    """An act as a row of `_listed`, for who asked for it, who decided, and who may decide. Raises `NotFound`."""
    row = session.execute(_listed(actor).where(BulkAct.id == bulk_id)).one_or_none()
    if row is None:
        raise NotFound
    if actor.officer_id not in (row.BulkAct.officer_id, row.BulkAct.decided_by_id) and not (
        row.BulkAct.state == "waiting_for_approval"
        and may_decide(actor, asking(row.BulkAct))
        and knows(session, actor, bulk_id)
    ):
        raise NotFound
    return row


def items_of(session: Session, actor: Actor, bulk_id: int) -> Sequence[Row[Any]]:
    """The cases of an act that the actor may see, as rows of `queue.COLUMNS` with `item_state`, `code` and `field`."""
    columns: tuple[Any, ...] = (*queue.COLUMNS, BulkItem.state.label("item_state"), BulkItem.code, BulkItem.field)
    return session.execute(
        select(*columns)
        .select_from(BulkItem)
        .join(Case, Case.id == BulkItem.case_id)
        .outerjoin(Officer, Officer.id == Case.assignee_id)
        .where(BulkItem.bulk_act_id == bulk_id, visible_to(actor))
        .order_by(BulkItem.id)
    ).all()


def _items(*conditions: ColumnElement[bool]) -> Any:
    return (
        select(func.count())
        .select_from(BulkItem)
        .where(BulkItem.bulk_act_id == BulkAct.id, *conditions)
        .correlate(BulkAct)
        .scalar_subquery()
    )


def _listed(actor: Actor) -> Select[*tuple[Any, ...]]:
    """An act with names, and how many of its cases, of those that the reader may see, are in which state."""
    asker, decider = aliased(Officer), aliased(Officer)
    seen = select(Case.id).where(Case.id == BulkItem.case_id, visible_to(actor)).correlate(BulkItem).exists()
    return (
        select(
            BulkAct,
            asker.name_bn.label("asker_bn"),
            asker.name_en.label("asker_en"),
            decider.name_bn.label("decider_bn"),
            decider.name_en.label("decider_en"),
            _items(seen).label("cases"),
            _items(seen, BulkItem.state == "done").label("done"),
            _items(seen, BulkItem.state == "refused").label("refused"),
        )
        .join(asker, asker.id == BulkAct.officer_id)
        .outerjoin(decider, decider.id == BulkAct.decided_by_id)
        .execution_options(populate_existing=True)
    )


def _decidable(actor: Actor) -> ColumnElement[bool]:
    """`bulk_rules.may_decide` once more, as a condition; a test holds them together."""
    grounds: list[ColumnElement[bool]] = []
    if not actor.has_role("cell_officer"):
        for desk in DESK_ROLE:
            for asked_as in ("case_officer", None):
                offices = actor.office_ids(*approver_roles(desk, asked_as or ""))
                if offices:
                    here = [BulkAct.desk == desk, BulkAct.office_id.in_(offices)]
                    grounds.append(and_(*here, *([BulkAct.asked_as == asked_as] if asked_as else [])))
    may = or_(*grounds) if grounds else false()
    waits = [BulkAct.state == "waiting_for_approval", BulkAct.officer_id != actor.officer_id, known_to(actor)]
    return and_(*waits) if actor.has_role("cell_officer") else and_(*waits, may)
