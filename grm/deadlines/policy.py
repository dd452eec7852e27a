"""Which limit holds for a case: the most specific dated policy that fits. Offices print other limits
than the guidelines do."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from grm.kernel.errors import Misconfigured

Unit = Literal["working_days", "calendar_days", "calendar_months"]

SPECIFICITY = ("office_id", "programme", "category", "priority", "tier")
"""The conditions of a policy, the weightiest first: what an office printed goes before what a programme
promises, and a rule for an office alone before one for all the others together."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A dated rule: how long a step of this kind may take. None means any; `valid_to` is exclusive."""

    id: int
    code: str
    kind: str
    limit: int
    unit: Unit
    office_id: int | None
    programme: str | None
    category: str | None
    priority: str | None
    valid_from: date
    valid_to: date | None
    source: str
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """What is known of the case when the clock starts."""

    kind: str
    office_id: int | None = None
    programme: str | None = None
    category: str | None = None
    priority: str | None = None
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What chooses the policies of a case, whatever the step: the office it lies at, programme and category by slug, its
    priority, and the tier that decides it (`gro`, `appeal`, `cell`)."""

    office_id: int | None = None
    programme: str | None = None
    category: str | None = None
    priority: str | None = None
    tier: str | None = None

    def of_kind(self, kind: str) -> PolicyFacts:
        """The facts for one kind of step."""
        return PolicyFacts(kind, self.office_id, self.programme, self.category, self.priority, self.tier)


@dataclass(frozen=True, slots=True)
class Choice:
    """The policy chosen; `why` names the conditions that made it the most specific, or is empty for the
    general rule.

    `rejected` holds every other policy of the same kind with the reason: `not-yet-valid`, `expired`,
    `other-office`, `other-programme`, `other-category`, `other-priority`, `other-tier`,
    `less-specific` or `replaced-by-later`.
    """

    policy: Policy
    why: tuple[str, ...]
    rejected: tuple[tuple[Policy, str], ...]


def decide(policies: Iterable[Policy], facts: PolicyFacts, filed_on: date) -> Choice:
    """Choose the policy for a case filed on this Dhaka date: most specific, then latest in force, then
    highest id.

    Pure and independent of the order of `policies`. Raises `Misconfigured` `no-deadline-policy` if none
    fits.
    """
    same_kind = sorted((policy for policy in policies if policy.kind == facts.kind), key=lambda policy: policy.id)
    unfit = [(policy, _why_unfit(policy, facts, filed_on)) for policy in same_kind]
    fit = [policy for policy, reason in unfit if not reason]
    if not fit:
        raise Misconfigured("no-deadline-policy", kind=facts.kind, filed_on=filed_on.isoformat())
    chosen = max(fit, key=_precedence)
    rejected = tuple(
        (policy, reason or ("replaced-by-later" if _scope(policy) == _scope(chosen) else "less-specific"))
        for policy, reason in unfit
        if policy is not chosen
    )
    return Choice(
        chosen,
        tuple(name for name, is_set in zip(SPECIFICITY, _scope(chosen), strict=True) if is_set),
        rejected,
    )


def _scope(policy: Policy) -> tuple[bool, ...]:
    """Which conditions are set; compared as a tuple, the first condition weighs most."""
    return tuple(getattr(policy, name) is not None for name in SPECIFICITY)


def _precedence(policy: Policy) -> tuple[tuple[bool, ...], date, int]:
    return _scope(policy), policy.valid_from, policy.id


def _why_unfit(policy: Policy, facts: PolicyFacts, filed_on: date) -> str:
    if filed_on < policy.valid_from:
        return "not-yet-valid"
    if policy.valid_to is not None and filed_on >= policy.valid_to:
        return "expired"
    for name in SPECIFICITY:
        wanted = getattr(policy, name)
        if wanted is not None and wanted != getattr(facts, name):
            return f"other-{name.removesuffix('_id')}"
    return ""
