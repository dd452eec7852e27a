"""May this be done to this case now, and what follows? The one pure decision before every act."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from grm.cases import permissions
from grm.cases.permissions import CaseFacts
from grm.cases.states import ENDED, TRANSITIONS, Action, Status
from grm.kernel.actor import Actor

REFERRALS_WITHOUT_SUPERIOR = 2
"""The third referral needs a superior's decision (GRS practice: cases that wander are cases that are lost)."""

HIDDEN = ("not-found",)
"""Codes that must look like a case that does not exist."""

_MEETS_ACKNOWLEDGE = frozenset(
    {
        *(Action.ACKNOWLEDGE, Action.CLAIM, Action.ASSIGN, Action.ASK, Action.REFER, Action.RESOLVE, Action.DECLINE),
        *(Action.INVESTIGATE, Action.RECOMMEND),
    }
)
"""Whatever shows that an officer has looked at the case; a note does not."""

_WRONG_STATE = {
    Action.ACKNOWLEDGE: "already-acknowledged",
    Action.ASK: "already-waiting",
    Action.ANSWER: "no-question-open",
    Action.RESUME: "no-question-open",
    Action.CLOSE: "not-resolved-yet",
    Action.CONTEST: "not-resolved-yet",
}

_RENEWS = frozenset({Action.CONTEST, Action.APPEAL, Action.RECOMMEND})
"""All clocks end, and the case stands under another main clock, or under a new epoch of the same."""

_NOT_WHILE_COMPLYING = frozenset(
    {Action.RESOLVE, Action.DECLINE, Action.REFER, Action.INVESTIGATE, Action.REQUEST_EXTENSION, Action.RECOMMEND}
)
"""The cell has decided: the ministry does what it recommends, and reports."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an action is allowed. If so: the next status, and the effects on the clocks, in order: `stop`, `pause` or
    `resume`, then `renew` (they end, and the main clock begins anew), then `acknowledge` (the first look is done). If not:
    `why`, a code."""

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
    if after is None and why != "not-found" and why != "not-your-part":
        why = "case-ended" if status in ENDED else _WRONG_STATE.get(action, "not-in-this-state")
    elif not why and action is Action.CLAIM and case.assignee_id == actor.officer_id:
        why = "already-yours"
    elif not why and action is Action.CLAIM and case.assignee_id is not None and _is_colleague(actor, case):
        why = "held-by-another"
    elif not why and action in _NOT_WHILE_COMPLYING and case.main_clock == "comply":
        why = "comply-instead"
    elif not why and action in _ASKS:
        why = _ASKS[action](case, actor, now)
    if why or after is None:
        return Verdict(False, why=why)
    return Verdict(True, after, effects=_effects(status, after, action))


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


def _asks_decide(case: CaseFacts, actor: Actor, now: datetime) -> str:
    return "decided-before" if actor.officer_id in case.decider_ids else ""


def _asks_recommend(case: CaseFacts, actor: Actor, now: datetime) -> str:
    return "only-the-cell" if case.tier != "cell" else _asks_decide(case, actor, now)


def _asks_request(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if not case.is_investigated:
        return "not-investigated"
    if case.extension is not None:
        return "extension-asked-before"
    return "clock-missed" if is_overdue(case, now) else ""


def _asks_decide_extension(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if case.extension != "requested":
        return "no-request-open"
    return "own-request" if actor.officer_id == case.extension_requester_id else ""


def _asks_contest(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if case.desk == "cell":
        return "nobody-above"
    return "" if case.confirm_until_at is not None and now < case.confirm_until_at else "window-over"


def _asks_appeal(case: CaseFacts, actor: Actor, now: datetime) -> str:
    if case.tier == "cell":
        return "last-instance"
    if Status(case.status) not in ENDED:
        return "" if is_overdue(case, now) else "not-late-yet"
    return "" if case.appeal_until_at is None or now < case.appeal_until_at else "window-over"


_ASKS: dict[Action, Callable[[CaseFacts, Actor, datetime], str]] = {
    Action.REFER: _asks_refer,
    Action.RESOLVE: _asks_decide,
    Action.DECLINE: _asks_decide,
    Action.RECOMMEND: _asks_recommend,
    Action.COMPLY: lambda case, actor, now: "" if case.main_clock == "comply" else "nothing-recommended",
    Action.INVESTIGATE: lambda case, actor, now: "already-investigating" if case.is_investigating else "",
    Action.REPORT: lambda case, actor, now: "" if case.is_investigating else "not-investigating",
    Action.REQUEST_EXTENSION: _asks_request,
    Action.DECIDE_EXTENSION: _asks_decide_extension,
    Action.INFORM: lambda case, actor, now: "" if case.is_to_be_informed else "nobody-to-inform",
    Action.CONTEST: _asks_contest,
    Action.APPEAL: _asks_appeal,
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
