"""May this be done to this case now, and what follows? The one pure decision before every act."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from grm.cases import permissions
from grm.cases.permissions import CaseFacts
from grm.cases.states import ENDED, MERGED, TRANSITIONS, Action, Status
from grm.kernel.actor import Actor

REFERRALS_WITHOUT_SUPERIOR = 2
"""The third referral needs a superior's decision (GRS practice: cases that wander are cases that are lost)."""

HIDDEN = ("not-found",)
"""Codes that must look like a case that does not exist."""

_MEETS_ACKNOWLEDGE = frozenset(
    {
        *(Action.ACKNOWLEDGE, Action.CLAIM, Action.ASSIGN, Action.ASK, Action.REFER, Action.RESOLVE, Action.DECLINE),
        *(Action.INVESTIGATE, Action.RECOMMEND, Action.MERGE, Action.ACCEPT, Action.RETURN, Action.SPLIT),
        *(Action.ANSWER_DIRECTION, Action.TAKE_UP),
        *(Action.WRITE, Action.SCHEDULE_HEARING),
    }
)
"""Whatever shows that an officer has looked at the case; a note does not."""

_ACCEPTS = (_MEETS_ACKNOWLEDGE - {Action.REFER, Action.RETURN, Action.TAKE_UP}) | {
    *(Action.WRITE, Action.SCHEDULE_HEARING, Action.RECORD_HEARING, Action.REQUEST_EXTENSION, Action.COMPLY),
    Action.ADD_COMPLAINANT,
}
"""An office that works on what was sent to it has accepted it, whether it says so or not."""

_WRONG_STATE = {
    Action.ACKNOWLEDGE: "already-acknowledged",
    Action.ASK: "already-waiting",
    Action.ANSWER: "no-question-open",
    Action.RESUME: "no-question-open",
    Action.CLOSE: "not-resolved-yet",
    Action.CONTEST: "not-resolved-yet",
    Action.SEND_BACK: "not-answered",
    Action.RECORD_HEARING: "no-hearing",
    Action.PERMIT: "no-permission-asked",
}

_RENEWS = frozenset({Action.CONTEST, Action.APPEAL, Action.RECOMMEND, Action.TAKE_UP, Action.SEND_BACK})
"""All clocks end, and the case stands under another main clock, or under a new epoch of the same."""

_NOT_WHILE_COMPLYING = frozenset(
    {Action.RESOLVE, Action.DECLINE, Action.REFER, Action.INVESTIGATE, Action.REQUEST_EXTENSION, Action.RECOMMEND}
)
"""The cell has decided: the ministry does what it recommends, and reports."""


_AFTER_HEARING = frozenset(
    {Action.RESOLVE, Action.DECLINE, Action.REFER, Action.RECOMMEND, Action.COMPLY, Action.SCHEDULE_HEARING}
)
"""What waits until it is recorded what came of a hearing that has passed."""

_ENDS = frozenset({Action.RESOLVE, Action.DECLINE, Action.CLOSE, Action.MERGE, Action.RECOMMEND, Action.COMPLY})
"""What an office ends a case with: never while a part of it is still out, or a direction is not answered."""

OF_SUBCASES = frozenset(
    {
        *(Action.ACKNOWLEDGE, Action.CLAIM, Action.ASSIGN, Action.NOTE, Action.ACCEPT, Action.RETURN, Action.RESOLVE),
        *(Action.INVESTIGATE, Action.REPORT, Action.REQUEST_EXTENSION, Action.DECIDE_EXTENSION, Action.ATTACH),
        *(Action.DIRECT, Action.ANSWER_DIRECTION, Action.PERMIT, Action.REMIND),
    }
)
"""All that can be done to a part of a case. It has no complainant: whoever holds the whole asks, decides and hears."""

_TIERS = ("gro", "appeal", "cell")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an action is allowed. If so: the next status, and the effects on the clocks, in order: `stop`, `pause` or
    `resume`, then `renew` (they end, and the main clock begins anew), then `acknowledge` (the first look is done) and `accept`
    (the office that the case was sent to takes it). If not: `why`, a code."""

    is_allowed: bool
    status: Status | None = None
    why: str = ""
    effects: tuple[str, ...] = ()

    @property
    def is_hidden(self) -> bool:
        """Whether the answer must be the one for a case that does not exist."""
        return self.why in HIDDEN


def decide(case: CaseFacts, action: Action, actor: Actor, now: datetime) -> Verdict:
    """Decide on an action from part, state, and what the action itself asks for, in this order: what nobody of this part
    may ever do is said first."""
    why = permissions.why_not(actor, case, action)
    status = Status(case.status)
    after = TRANSITIONS.get((status, action))
    if after is not None and action is Action.RETURN and case.is_subcase:
        after = Status.DECLINED  # the part is not taken, and the whole goes on
    if after is None and why != "not-found" and why != "not-your-part":
        why = "case-ended" if status in ENDED else _WRONG_STATE.get(action, "not-in-this-state")
    elif not why and case.is_subcase and action not in OF_SUBCASES:
        why = "part-of-a-case"
    elif not why and action is Action.CLAIM and case.assignee_id == actor.officer_id:
        why = "already-yours"
    elif not why and action is Action.CLAIM and case.assignee_id is not None and _is_colleague(actor, case):
        why = "held-by-another"
    elif not why and action in _NOT_WHILE_COMPLYING and case.main_clock == "comply":
        why = "comply-instead"
    elif not why and action in _ENDS and (case.open_subcases or case.is_directed):
        why = "subcases-open" if case.open_subcases else "direction-open"
    elif not why and action in _AFTER_HEARING and case.hearing_at is not None and case.hearing_at <= now:
        why = "record-hearing-first"
    elif not why and action in _ASKS:
        why = _ASKS[action](case, actor, now)
    if why or after is None:
        return Verdict(False, why=why)
    effects = _effects(status, after, action)
    accepts = case.referral_state == "offered" and action in _ACCEPTS
    return Verdict(True, after, effects=(*effects, "accept") if accepts else effects)


def why_not_to(case: CaseFacts, to_office_id: int, actor: Actor) -> str:
    """Why a referral may not go to this office: `same-office`, or a return that needs a superior; empty if it may."""
    if to_office_id == case.office_id:
        return "same-office"
    if to_office_id in case.former_office_ids and not permissions.is_superior(actor, case):
        return "return-needs-superior"
    return ""


def needs_reason_to_close(confirm_by_on: date | None, today: date) -> bool:
    """Whether the complainant may still object (until `confirm_by_on`, a Dhaka date), so that closing needs a reason."""
    return confirm_by_on is not None and today <= confirm_by_on


def _asks_refer(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if case.tier != "gro":
        return "not-in-appeal"
    if case.referral_count >= REFERRALS_WITHOUT_SUPERIOR and not permissions.is_superior(actor, case):
        return "third-referral-needs-superior"
    return ""


def _asks_return(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if case.referral_state != "offered":
        return "not-offered"
    if case.is_subcase or permissions.is_superior(actor, case):
        return ""
    return "third-referral-needs-superior" if case.referral_count >= REFERRALS_WITHOUT_SUPERIOR else ""


def tier_of(actor: Actor) -> str:
    """The tier on which a superior decides what he takes up."""
    return "cell" if actor.has_role("cell_officer") else "appeal"


def _asks_take_up(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if _TIERS.index(case.tier) >= _TIERS.index(tier_of(actor)):
        return "already-there"
    if not is_overdue(case, now):
        return "not-missed-yet"
    return _asks_decide(case, actor, now)


def _asks_direct(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if not actor.has_role("cell_officer"):
        return "only-the-cell-directs"
    return "direction-open-already" if case.is_directed else ""


def _asks_decide(case: CaseFacts, actor: Actor, now: datetime) -> str:
    return "decided-before" if actor.officer_id in case.decider_ids else ""


def _asks_recommend(case: CaseFacts, actor: Actor, now: datetime) -> str:
    return "only-the-cell" if case.tier != "cell" else _asks_decide(case, actor, now)


def _asks_investigate(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if case.is_investigating:
        return "already-investigating"
    return "permission-asked" if case.permission_asker_id is not None else ""


def _asks_permit(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if case.permission_asker_id is None:
        return "no-permission-asked"
    if actor.officer_id == case.permission_asker_id:
        return "own-request"
    return "" if permissions.is_permitting(actor, case) else "another-permits"


def _asks_request(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if not case.is_investigated:
        return "not-investigated"
    if case.extension is not None:
        return "extension-asked-before"
    return "clock-missed" if is_overdue(case, now) else ""


def _asks_decide_extension(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if case.extension != "requested":
        return "no-request-open"
    return "own-request" if actor.officer_id in (case.extension_requester_id, case.extension_heir_id) else ""


def is_awaiting_lead(case: CaseFacts) -> bool:
    """Whether a case is merged into another and has had no answer yet."""
    return case.follows == MERGED and not case.is_answered_with_lead


def _asks_contest(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if Status(case.status) is Status.CLOSED and case.follows != MERGED:
        return "case-ended"
    if case.desk == "cell":
        return "nobody-above"
    return "" if case.confirm_until_at is not None and now < case.confirm_until_at else "window-over"


def _asks_appeal(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if case.tier == "cell":
        return "last-instance"
    if is_awaiting_lead(case):
        return "" if case.lead_due_at is not None and case.lead_due_at <= now else "not-late-yet"
    if Status(case.status) not in ENDED:
        return "" if is_overdue(case, now) else "not-late-yet"
    return "" if case.appeal_until_at is None or now < case.appeal_until_at else "window-over"


def _asks_escalate(case: CaseFacts, actor: Actor, now: datetime) -> str:
    """From the first moment after the date on, once under each clock, while there is somebody above."""
    if not is_overdue(case, now):
        return "not-late-yet"
    if case.next_level is None:
        return "at-the-top"
    return "asked-before" if case.is_escalation_asked else ""


def _asks_rate(case: CaseFacts, actor: Actor, now: datetime) -> str:
    """A decision is rated, and the rating changed, as long as it can still be objected to or appealed against; the cell's,
    against which there is no appeal, until the file is closed."""
    if is_awaiting_lead(case):
        return "not-answered"
    if case.confirm_until_at is not None and now < case.confirm_until_at:
        return ""
    if case.tier == "cell":
        return "window-over" if Status(case.status) is Status.CLOSED else ""
    return _asks_appeal(case, actor, now)


def _asks_of_merged(case: CaseFacts, actor: Actor, now: datetime) -> str:
    """What the complainant may do with an open case, and with one that is closed only because it is answered elsewhere."""
    return "case-ended" if Status(case.status) is Status.CLOSED and not is_awaiting_lead(case) else ""


def _asks_follow(case: CaseFacts, actor: Actor, now: datetime) -> str:
    """No chains: what leads others follows nobody, and nobody follows two."""
    return "leads-others" if case.merged_count or case.linked_count else ""


def _asks_merge(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if case.main_clock == "comply":
        return "comply-instead"
    return "investigated-alone" if case.is_investigating else _asks_follow(case, actor, now)


def _asks_link(case: CaseFacts, actor: Actor, now: datetime) -> str:
    return "follows-already" if case.follows else _asks_follow(case, actor, now)


def _asks_send_back(case: CaseFacts, actor: Actor, now: datetime) -> str:
    return "" if case.confirm_until_at is not None and now < case.confirm_until_at else "answer-stands"


_ASKS: dict[Action, Callable[[CaseFacts, Actor, datetime], str]] = {
    Action.REFER: _asks_refer,
    Action.RESOLVE: _asks_decide,
    Action.DECLINE: _asks_decide,
    Action.RECOMMEND: _asks_recommend,
    Action.COMPLY: lambda case, actor, now: "" if case.main_clock == "comply" else "nothing-recommended",
    Action.INVESTIGATE: _asks_investigate,
    Action.PERMIT: _asks_permit,
    Action.REPORT: lambda case, actor, now: "" if case.is_investigating else "not-investigating",
    Action.REQUEST_EXTENSION: _asks_request,
    Action.DECIDE_EXTENSION: _asks_decide_extension,
    Action.INFORM: lambda case, actor, now: "" if case.is_to_be_informed else "nobody-to-inform",
    Action.CONTEST: _asks_contest,
    Action.SEND_BACK: _asks_send_back,
    Action.RECORD_HEARING: lambda case, actor, now: "" if case.hearing_at is not None else "no-hearing",
    Action.APPEAL: _asks_appeal,
    Action.ACCEPT: lambda case, actor, now: "" if case.referral_state == "offered" else "not-offered",
    Action.RETURN: _asks_return,
    Action.TAKE_UP: _asks_take_up,
    Action.DIRECT: _asks_direct,
    Action.ANSWER_DIRECTION: lambda case, actor, now: "" if case.is_directed else "nothing-directed",
    Action.MERGE: _asks_merge,
    Action.UNMERGE: lambda case, actor, now: "" if case.follows == MERGED else "not-merged",
    Action.LINK: _asks_link,
    Action.UNLINK: lambda case, actor, now: "" if case.follows == "linked" else "not-linked",
    Action.ADD_COMPLAINANT: lambda case, actor, now: "anonymous-stays" if case.is_anonymous else "",
    Action.ESCALATE: _asks_escalate,
    Action.RATE: _asks_rate,
    Action.REMIND: lambda case, actor, now: "reminded-today" if actor.officer_id in case.reminder_ids else "",
    Action.WITHDRAW: _asks_of_merged,
    Action.ADD_INFORMATION: _asks_of_merged,
}
"""What an action asks for beyond part and status."""


def is_overdue(case: CaseFacts, now: datetime) -> bool:
    """Whether the main clock is missed; one that stands still is not."""
    return case.due_at is not None and case.due_at <= now and not case.is_paused


def _is_colleague(actor: Actor, case: CaseFacts) -> bool:
    return permissions.relation_of(actor, case) == "colleague"


def _effects(before: Status, after: Status, action: Action) -> tuple[str, ...]:
    effects: list[str] = []
    if before not in ENDED and after in ENDED:
        effects.append("stop")
    elif before is not Status.WAITING and after is Status.WAITING:
        effects.append("pause")
    elif before is Status.WAITING and after is not Status.WAITING:
        effects.append("resume")
    if action in _RENEWS:
        effects.append("renew")
    if action in _MEETS_ACKNOWLEDGE:
        effects.append("acknowledge")
    return tuple(effects)
