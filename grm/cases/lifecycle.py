"""May this be done to this case now, and what follows? The one pure decision before every act."""

from dataclasses import dataclass
from datetime import date

from grm.cases import permissions
from grm.cases.permissions import CaseFacts
from grm.cases.states import ENDED, TRANSITIONS, Action, Status
from grm.kernel.actor import Actor

REFERRALS_WITHOUT_SUPERIOR = 2
"""The third referral needs a superior's decision (GRS practice: cases that wander are cases that are lost)."""

HIDDEN = ("not-found",)
"""Codes that must look like a case that does not exist."""

_MEETS_ACKNOWLEDGE = frozenset(
    {Action.ACKNOWLEDGE, Action.CLAIM, Action.ASSIGN, Action.ASK, Action.REFER, Action.RESOLVE, Action.DECLINE}
)
"""Whatever shows that an officer has looked at the case; a note does not."""

_WRONG_STATE = {
    Action.ACKNOWLEDGE: "already-acknowledged",
    Action.ASK: "already-waiting",
    Action.ANSWER: "no-question-open",
    Action.RESUME: "no-question-open",
    Action.CLOSE: "not-resolved-yet",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an action is allowed. If so: the next status, and the effects on the clocks, in order: `stop`, `pause` or
    `resume`, then `acknowledge` (the first look is done). If not: `why`, a code."""

    is_allowed: bool
    status: Status | None = None
    why: str = ""
    effects: tuple[str, ...] = ()

    @property
    def is_hidden(self) -> bool:
        """Whether the answer must be the one for a case that does not exist."""
        return self.why in HIDDEN


def decide(case: CaseFacts, action: Action, actor: Actor) -> Verdict:
    """Decide on an action from part, state and referrals, in this order: what nobody of this part may ever do is
    said first."""
    why = permissions.why_not(actor, case, action)
    status = Status(case.status)
    after = TRANSITIONS.get((status, action))
    if after is None and why != "not-found" and why != "not-your-part":
        why = "case-ended" if status in ENDED else _WRONG_STATE.get(action, "not-in-this-state")
    elif not why and action is Action.CLAIM and case.assignee_id == actor.officer_id:
        why = "already-yours"
    elif not why and action is Action.CLAIM and case.assignee_id is not None and _is_colleague(actor, case):
        why = "held-by-another"
    elif not why and action is Action.REFER and case.referral_count >= REFERRALS_WITHOUT_SUPERIOR:
        why = "" if permissions.is_superior(actor, case) else "third-referral-needs-superior"
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
    if action in _MEETS_ACKNOWLEDGE:
        effects.append("acknowledge")
    return tuple(effects)
