"""Acts on many cases: which there are, how many cases, and who must approve what ends them. Pure.

What ends cases is looked at by a second person before it happens: closed cases are where an audit of such systems finds most
that was done badly, and one form that closes a hundred is the quickest way to do it.
"""

from dataclasses import dataclass

from grm.cases.permissions import DESK_ROLE, MAY_DO, CaseFacts, relation_of
from grm.cases.states import Action
from grm.kernel.actor import Actor

ACTIONS = (Action.ASSIGN, Action.REFER, Action.RESOLVE, Action.CLOSE)
OF_REPORTS = (Action.REMIND, Action.DIRECT, Action.TAKE_UP)
"""What a superior does from a figure, to cases of any office."""
NEEDS_APPROVAL = frozenset({Action.RESOLVE, Action.CLOSE})
MOST_CASES = 500
"""Cases in one act."""
AT_ONCE = 25
"""So many are done in the request itself: a page of the queue. The rest follows by a tick."""

_ROLES_AT = ("cell_officer", "appeal_officer", "head", "gro", "case_officer")


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asked for an act, as what, and at which desk."""

    officer_id: int
    asked_as: str
    office_id: int | None
    desk: str | None


def actions_from_reports(actor: Actor) -> tuple[Action, ...]:
    """The acts that make sense for an actor on cases of a report. Each case is asked about again when its turn comes."""
    if actor.has_role("cell_officer"):
        return OF_REPORTS
    if actor.has_role("appeal_officer"):
        return (Action.REMIND, Action.TAKE_UP)
    return (Action.REMIND,) if actor.overseen_office_ids else ()


def reporting_role(actor: Actor) -> str:
    """As what an actor acts from a report."""
    return next(
        (role for role in ("cell_officer", "appeal_officer") if actor.has_role(role)),
        "cluster_coordinator",
    )


def actions_at(actor: Actor, office_id: int, desk: str) -> tuple[Action, ...]:
    """The acts that make sense for an actor on cases of a desk. Each case is asked about again when its turn comes."""
    relation = relation_of(actor, CaseFacts("", "filed", office_id, desk, False, assignee_id=actor.officer_id))
    return tuple(action for action in ACTIONS if relation is not None and action in MAY_DO[relation])


def role_at(actor: Actor, office_id: int, desk: str) -> str:
    """As what an actor works at a desk: who answers for it, or else the highest role in its office."""
    roles = {seat.role for seat in actor.seats if seat.office_id == office_id}
    if DESK_ROLE[desk] in roles:
        return DESK_ROLE[desk]
    return next((role for role in _ROLES_AT if role in roles), "cell_officer")


def approver_roles(desk: str, asked_as: str) -> tuple[str, ...]:
    """The roles in the office of a desk that may approve what was asked there: those above who asks, the nearest first.

    Of the Cabinet Division cell each officer may, everywhere; at the cell's own desk that is another one of them.
    """
    if desk == "gro":
        return (*(("gro",) if asked_as == "case_officer" else ()), "appeal_officer", "head")
    return ("head",)


def may_decide(actor: Actor, asking: Asking) -> bool:
    """Whether the actor may approve or refuse; nobody decides on what he asked for himself."""
    if actor.officer_id is None or actor.officer_id == asking.officer_id or asking.desk is None:
        return False  # what is done from a report waits for nobody
    own = actor.office_ids(*approver_roles(asking.desk, asking.asked_as))
    return asking.office_id in own or actor.has_role("cell_officer")
