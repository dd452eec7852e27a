"""On whose side a payment, or a correction, seems to hang: the ministry's, the payment provider's, or the identity side's.

A hint for the officer, never a decision: it says what the facts point to and why. Pure. Without a registry only what was
told is known, and whether the money was sent at all is the first question; with one it can be answered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Side(StrEnum):
    """Who has to act first."""

    MINISTRY = "ministry"
    PROVIDER = "provider"
    IDENTITY = "identity"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Hint:
    """What the facts point to; `why` is a code with words in `grm/cases/claim_words.py`."""

    side: Side
    why: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What was told: amounts in whole taka, months as first days."""

    kind: str
    is_about_account: bool = False
    correct_what: str | None = None
    provider_kind: str | None = None
    period_from: date | None = None
    period_to: date | None = None
    taka_expected: int | None = None
    taka_received: int | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A payment as the registry has it: `state` is `held`, `sent`, `paid` or `returned`."""

    period_from: date
    period_to: date
    taka: int
    state: str
    is_identity_fault: bool = False
    """Whether it came back because name or NID of account and list differ."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the registry says of the person in the programme that the case is about."""

    is_enrolled: bool
    payments: Sequence[Sent] = ()


_OF_CORRECTIONS = {
    "name": Hint(Side.IDENTITY, "identity-data"),
    "nid": Hint(Side.IDENTITY, "identity-data"),
    "birth_date": Hint(Side.IDENTITY, "identity-data"),
    "phone": Hint(Side.PROVIDER, "account-data"),
    "account": Hint(Side.PROVIDER, "account-data"),
    "address": Hint(Side.MINISTRY, "list-data"),
    "other": Hint(Side.MINISTRY, "list-data"),
}
_HAS_PROVIDER = frozenset({"wallet", "agent_bank", "bank", "post_office"})


def hint(told: Facts, known: Known | None = None) -> Hint | None:
    """What the facts point to; None where they say nothing. `known` is what a look-up in the registry has brought."""
    if told.kind == "correction":
        return _OF_CORRECTIONS.get(told.correct_what or "")
    return _by_registry(told, known) if known is not None else _by_telling(told)


def _by_telling(told: Facts) -> Hint | None:
    if told.provider_kind == "by_hand":
        return Hint(Side.MINISTRY, "handed-over")
    if told.is_about_account:
        return Hint(Side.PROVIDER, "account-trouble")
    if told.provider_kind in _HAS_PROVIDER and _is_short(told):
        return Hint(Side.PROVIDER, "part-came")
    return Hint(Side.OPEN, "sent-or-not")


def _by_registry(told: Facts, known: Known) -> Hint:
    if not known.is_enrolled:
        return Hint(Side.MINISTRY, "never-enrolled")
    payments = [each for each in known.payments if _is_meant(each, told)]
    if any(each.state == "returned" and each.is_identity_fault for each in payments):
        return Hint(Side.IDENTITY, "came-back-identity")
    if any(each.state == "returned" for each in payments):
        return Hint(Side.PROVIDER, "came-back")
    sent = [each for each in payments if each.state in ("sent", "paid")]
    if not sent:
        return Hint(Side.MINISTRY, "not-sent")
    if told.taka_expected is not None and sum(each.taka for each in sent) < told.taka_expected:
        return Hint(Side.MINISTRY, "sent-less")
    return Hint(Side.PROVIDER, "sent-not-received")


def _is_meant(payment: Sent, told: Facts) -> bool:
    """Whether a payment covers a month that was named; without named months each may be meant."""
    if told.period_from is None or told.period_to is None:
        return True
    return payment.period_from <= told.period_to and payment.period_to >= told.period_from


def _is_short(told: Facts) -> bool:
    return bool(told.taka_received) and told.taka_expected is not None and told.taka_received < told.taka_expected  # type: ignore[operator]
