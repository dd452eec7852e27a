"""Who may see a case, and who may do what to it. Pure; `grm/cases/queries.py` says the first half again as SQL,
and a test proves both equal.

Seeing: the complainant sees the own case; the Cabinet Division cell every case; the GRO and the case officers what
lies at their office's gro desk and is not sensitive; the appeal officer and the head of office everything of their
office; a desk officer what the own office filed, unless it is sensitive; and who sent a case on, until it is sent
further, what they saw while it lay there; a cluster coordinator what lies at the offices of the cluster and is not
sensitive. Administrators and viewers see no case. Nobody ever sees a case that accuses him, his post or his office.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from grm.cases.states import COMPLAINANT_ACTIONS, SYSTEM_ACTIONS, Action
from grm.kernel.actor import Actor

HANDLER_ROLES: dict[str, tuple[str, ...]] = {
    "gro": ("gro", "case_officer"),
    "appeal": ("appeal_officer",),
    "cell": ("cell_officer",),
}
"""Who may be given a case that lies at a desk."""

DESK_ROLE = {"gro": "gro", "appeal": "appeal_officer", "cell": "cell_officer"}
"""Who answers for a desk. An office without such a post has no such desk."""


@dataclass(frozen=True, slots=True)
class Accusation:
    """Whom a grievance is against: a person; or, if the chair was empty, whoever sits in the post; or a whole office."""

    officer_id: int | None
    office_id: int | None
    post_id: int | None


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What decisions about a case depend on."""

    tracking_number: str
    status: str
    office_id: int
    desk: str
    is_sensitive: bool
    assignee_id: int | None = None
    filed_by_office_id: int | None = None
    accusations: tuple[Accusation, ...] = ()
    referral_count: int = 0
    former_office_ids: frozenset[int] = field(default_factory=frozenset)
    tier: str = "gro"
    main_clock: str = "resolve"
    due_at: datetime | None = None
    is_paused: bool = False
    decider_ids: frozenset[int] = field(default_factory=frozenset)
    """Who has decided the case before; empty until a decision was contested or appealed, or while it stands."""
    investigator_ids: frozenset[int] = field(default_factory=frozenset)
    is_investigating: bool = False
    """Whether a report is still due."""
    is_investigated: bool = False
    """Whether an investigation was begun under the present main clock."""
    permission_asker_id: int | None = None
    """Who asks for permission to investigate, while nobody has decided on it."""
    proposed_ids: tuple[int, ...] = ()
    """Who is to investigate then, the leader first."""
    permitting_role: str = ""
    """In which role somebody may permit it today (`permits.with_permitter`); empty: it was not asked."""
    extension: str | None = None
    """The state of the request to extend the present main clock; None: nobody has asked."""
    extension_requester_id: int | None = None
    extension_heir_id: int | None = None
    """Who stands in for a requester who has left."""
    confirm_until_at: datetime | None = None
    """Until when (exclusive) the complainant may say that it is not solved; None without an answer."""
    appeal_until_at: datetime | None = None
    """Until when (exclusive) the decision may be appealed; None: the complainant was not told of it yet."""
    follows: str | None = None
    """How the case follows a lead case: `merged` or `linked`; None: it stands by itself."""
    lead_due_at: datetime | None = None
    """When the answer that a merged case waits for is due: with its lead, and at its own date at the latest."""
    is_answered_with_lead: bool = False
    """Whether a merged case has had the answer of its lead."""
    merged_count: int = 0
    """How many duplicates are merged into the case."""
    linked_count: int = 0
    """How many open cases are linked under it."""
    is_anonymous: bool = False
    is_to_be_informed: bool = False
    hearing_at: datetime | None = None
    """When a hearing is, or was, that nobody has recorded yet."""
    referred_from_office_id: int | None = None
    referred_from_desk: str = ""
    referral_state: str | None = None
    """`offered` until the office that a case was sent to accepts it, works on it or returns it; then `accepted`."""
    is_subcase: bool = False
    """Whether it is a part of another case, which waits for it."""
    has_subcases: bool = False
    open_subcases: int = 0
    is_directed: bool = False
    """Whether a direction of the Cabinet Division is still to be answered."""
    next_level: int | None = None
    """The rung that the main clock climbs next; None: the top is reached, or the clock climbs no more."""
    is_escalation_asked: bool = False
    """Whether the complainant has asked already to have the case sent higher, under the present main clock."""
    reminder_ids: frozenset[int] = field(default_factory=frozenset)
    """Who has reminded the holder since the present working day began (`reminders.with_reminders`)."""


def is_accused(actor: Actor, accusations: tuple[Accusation, ...]) -> bool:
    """Whether one of the accusations names the officer, a post held today, or an office where the officer sits."""
    posts = {seat.post_id for seat in actor.seats}
    offices = actor.office_ids()
    return any(
        accusation.officer_id == actor.officer_id
        if accusation.officer_id is not None
        else accusation.post_id in posts
        if accusation.post_id is not None
        else accusation.office_id in offices
        for accusation in accusations
    )


@lru_cache(256)  # a page asks it of every action
def relation_of(actor: Actor, case: CaseFacts) -> str | None:
    """What the actor is to the case; None: must not learn that it exists.

    The strongest of `complainant`, `system`, `superior` (appeal officer of the holding office, or the cell),
    `office` (answers for the desk where it lies), `assignee` and `colleague` (case officers), `head`, `overseer` (coordinates the
    cluster of the office), `referrer` (would see it if it still lay at the desk that sent it here), `filer`.
    """
    if actor.is_complainant:
        return "complainant" if actor.tracking_number == case.tracking_number else None
    if actor.is_system:
        return "system"
    if is_accused(actor, case.accusations):
        return None
    roles = {seat.role for seat in actor.seats if seat.office_id == case.office_id}
    if DESK_ROLE[case.desk] in roles and (case.desk != "gro" or not case.is_sensitive):
        return "office"
    if "appeal_officer" in roles or actor.has_role("cell_officer"):
        return "superior"
    if "case_officer" in roles and case.desk == "gro" and not case.is_sensitive:
        return "assignee" if case.assignee_id == actor.officer_id else "colleague"
    if "head" in roles:
        return "head"
    if case.office_id in actor.overseen_office_ids and not case.is_sensitive:
        return "overseer"
    if _has_sent(actor, case):
        return "referrer"
    filed_here = case.filed_by_office_id is not None and case.filed_by_office_id in actor.office_ids("desk_officer")
    return "filer" if filed_here and not case.is_sensitive else None


def _has_sent(actor: Actor, case: CaseFacts) -> bool:
    roles = {seat.role for seat in actor.seats if seat.office_id == case.referred_from_office_id}
    if roles & {"appeal_officer", "head"}:
        return True
    return case.referred_from_desk == "gro" and not case.is_sensitive and bool(roles & {"gro", "case_officer"})


def may_see(actor: Actor, case: CaseFacts) -> bool:
    """Whether the actor may know of the case at all."""
    return relation_of(actor, case) is not None


def may_have_files_of_complainant(actor: Actor, case: CaseFacts) -> bool:
    """Whether what the complainant handed in, or is to have, is also the actor's to open: it may say who complains, which an
    overseer is not told."""
    return relation_of(actor, case) not in (None, "overseer")


_HANDLING = frozenset(
    {
        *(Action.ASK, Action.REFER, Action.RESOLVE, Action.DECLINE, Action.CLOSE),
        *(Action.REPORT, Action.REQUEST_EXTENSION, Action.RECOMMEND, Action.COMPLY, Action.INFORM),
    }
)
_WORKING = frozenset(
    {
        *(Action.ACCEPT, Action.RETURN, Action.SPLIT, Action.ANSWER_DIRECTION, Action.WRITE, Action.ATTACH),
        *(Action.SCHEDULE_HEARING, Action.RECORD_HEARING, Action.MERGE, Action.UNMERGE, Action.LINK, Action.UNLINK),
        Action.ADD_COMPLAINANT,
    }
)
_FIRST_LOOK = frozenset({Action.ACKNOWLEDGE, Action.CLAIM, Action.NOTE, Action.ACCEPT})
MAY_DO: dict[str, frozenset[Action]] = {
    "complainant": COMPLAINANT_ACTIONS,
    "system": SYSTEM_ACTIONS,
    "office": _FIRST_LOOK
    | _HANDLING
    | _WORKING
    | {Action.ASSIGN, Action.INVESTIGATE, Action.PERMIT, Action.DECIDE_EXTENSION},
    "superior": frozenset(
        {
            *(Action.NOTE, Action.ASSIGN, Action.REFER, Action.DECIDE_EXTENSION, Action.PERMIT),
            *(Action.TAKE_UP, Action.DIRECT, Action.SEND_BACK, Action.ATTACH, Action.RETURN),
            *(Action.REMIND, Action.LINK, Action.UNLINK),
        }
    ),
    "assignee": _FIRST_LOOK | _HANDLING | (_WORKING - {Action.RETURN}) | {Action.PERMIT},
    "colleague": _FIRST_LOOK | {Action.PERMIT},
    "head": frozenset({Action.NOTE, Action.PERMIT}),
    "overseer": frozenset({Action.REMIND}),
    "referrer": frozenset({Action.NOTE}),
    "filer": frozenset(),
}
"""What each relation allows. A superior does not decide a case of the tier below: he may have to hear the appeal. Whoever
investigates may report, whatever the relation. Who of all these permits an investigation says `permitting_role`."""

_NOT_HANDLING = {"colleague": "claim-first", "superior": "holder-decides"}


def why_not(actor: Actor, case: CaseFacts, action: Action) -> str:
    """Why the actor's part does not include the action: a code, or empty if it does."""
    relation = relation_of(actor, case)
    if relation is None:
        return "not-found"
    if action in MAY_DO[relation] or (action is Action.REPORT and actor.officer_id in case.investigator_ids):
        return ""
    if action in _HANDLING:
        return _NOT_HANDLING.get(relation, "not-your-part")
    return "not-your-part"


def may_do(actor: Actor, case: CaseFacts, action: Action) -> bool:
    """Whether the actor's part includes the action, whatever the state of the case."""
    return not why_not(actor, case, action)


def is_superior(actor: Actor, case: CaseFacts) -> bool:
    """Whether the actor may decide on a third referral or a return: the office's appeal officer, or the cell."""
    return actor.has_role("cell_officer") or case.office_id in actor.office_ids("appeal_officer")


def is_permitting(actor: Actor, case: CaseFacts) -> bool:
    """Whether the actor sits where investigations of the case are permitted (`permitting_role`)."""
    if case.permitting_role == "cell_officer":
        return actor.has_role("cell_officer")
    return bool(case.permitting_role) and case.office_id in actor.office_ids(case.permitting_role)
