"""What a payment complaint and a request to correct data say beside the story: the period, how much came of how much and by
whom; or what is wrong, what stands there and what it should be. Pure; the public form, the desk and registers share it.

All of it is optional: nobody is refused for what they do not know. The fields of another kind of complaint are not looked
at, so that who changes the category after typing is not sent back for them.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from grm.cases.claim_kinds import CORRECT_WHAT, WAYS_OF_PAYMENT
from grm.intake.periods import first_of_month, parse_month
from grm.kernel.errors import InvalidInput
from grm.kernel.text import is_blank, latin_digits, nfc

PAYMENT_CATEGORIES = frozenset({"payment-not-received", "payment-short-or-late", "payment-account"})
CORRECTION_CATEGORIES = frozenset({"data-correction"})

PAYMENT_FIELDS = (
    *("period_from", "period_to", "taka_expected", "taka_received"),
    *("provider_kind", "provider", "account_note"),
)
CORRECTION_FIELDS = ("correct_what", "correct_from", "correct_to")
FACT_FIELDS = (*PAYMENT_FIELDS, *CORRECTION_FIELDS)

IDENTIFYING_FACTS = frozenset({"account_note", "correct_from", "correct_to"})
"""Numbers of accounts and phones, names: what an anonymous filing loses as it loses the name."""

EARLIEST_PERIOD = date(1990, 1, 1)
"""Before the first of the present allowances: an earlier year is a typing error."""
MOST_TAKA = 9_999_999
LONGEST_NOTE = 200
LONGEST_VALUE = 300

_AMOUNT = re.compile(r"(\d{1,10})(?:\.(\d{0,2}))?")
_AROUND_AMOUNT = re.compile(r"^(?:৳|tk\.?|bdt|taka|টাকা)\s*|\s*(?:/-|/=|৳|tk\.?|bdt|taka|টাকা)+\s*$", re.IGNORECASE)


class Sieve(Protocol):
    """What reads the fields of a filled form and collects the faults: `grm/intake/screening.py` has it."""

    def fault(self, name: str, code: str, **params: Any) -> None: ...
    def raw(self, name: str) -> str: ...
    def choice(self, name: str, allowed: Iterable[str], missing: str = "") -> str | None: ...
    def text(self, name: str, longest: int, clean: Callable[[str], str] = ...) -> str: ...


@dataclass(frozen=True, slots=True)
class Claim:
    """The facts in stored form. Periods are first days of months, both inclusive; amounts whole taka; `provider` the code
    of an office. What is not known or not told is None, or empty for words."""

    kind: str
    """`payment` or `correction`."""
    period_from: date | None = None
    period_to: date | None = None
    taka_expected: int | None = None
    taka_received: int | None = None
    provider_kind: str | None = None
    provider: str | None = None
    account_note: str = field(default="", repr=False)
    correct_what: str | None = None
    correct_from: str = field(default="", repr=False)
    correct_to: str = field(default="", repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was told."""
        return self == Claim(self.kind)


def fields_for(category: str | None) -> tuple[str, ...]:
    """The fields a category asks for; none for most."""
    if category in PAYMENT_CATEGORIES:
        return PAYMENT_FIELDS
    return CORRECTION_FIELDS if category in CORRECTION_CATEGORIES else ()


def screen_claim(
    sieve: Sieve, category: str | None, providers: Mapping[str, str], today: date, is_anonymous: bool = False
) -> Claim | None:
    """The facts that belong to a category on a Dhaka date; None where there are none.

    `providers`: code of a payment provider in force → its kind.
    """
    claim = None
    if category in PAYMENT_CATEGORIES:
        claim = Claim("payment", **screen_payment(sieve, today, providers))
    elif category in CORRECTION_CATEGORIES:
        claim = Claim("correction", **screen_correction(sieve))
    if claim is not None and is_anonymous:
        claim = _without_identity(claim)
    return None if claim is None or claim.is_empty else claim


def screen_payment(sieve: Sieve, today: date, providers: Mapping[str, str]) -> dict[str, Any]:
    """Period, amounts and provider. A provider that is named tells its kind, where the kind was left open."""
    start, end = _month(sieve, "period_from", today), _month(sieve, "period_to", today)
    if start and end and end < start:
        sieve.fault("period_to", "period-reversed")
    provider = sieve.choice("provider", providers)
    kind = sieve.choice("provider_kind", WAYS_OF_PAYMENT)
    return {
        "period_from": start or end,
        "period_to": end or start,
        "taka_expected": _taka(sieve, "taka_expected"),
        "taka_received": _taka(sieve, "taka_received"),
        "provider_kind": providers[provider] if provider and kind in (None, "unknown") else kind,
        "provider": provider,
        "account_note": sieve.text("account_note", LONGEST_NOTE),
    }


def screen_correction(sieve: Sieve) -> dict[str, Any]:
    """What is wrong, what stands there now and what it should be."""
    return {
        "correct_what": sieve.choice("correct_what", CORRECT_WHAT),
        "correct_from": sieve.text("correct_from", LONGEST_VALUE),
        "correct_to": sieve.text("correct_to", LONGEST_VALUE),
    }


def parse_taka(typed: str) -> int | None:
    """An amount as people write it, in whole taka, poisha rounded: 1500, ১,৫০০/-, ৳ 1,500.00, ১৫০০ টাকা. None if it is none."""
    plain = _AROUND_AMOUNT.sub("", nfc(latin_digits(typed[:60])).strip())
    plain = _AROUND_AMOUNT.sub("", plain).replace(",", "").replace(" ", "")
    found = _AMOUNT.fullmatch(plain)
    if found is None:
        return None
    whole, poisha = int(found[1]), int((found[2] or "0").ljust(2, "0"))
    return whole + (poisha >= 50)


def _taka(sieve: Sieve, name: str) -> int | None:
    typed = sieve.raw(name)
    if is_blank(typed):
        return None
    taka = parse_taka(typed)
    if taka is None:
        sieve.fault(name, "taka-unreadable")
    elif taka > MOST_TAKA:
        sieve.fault(name, "taka-too-much", most=MOST_TAKA)
        return None
    return taka


def _month(sieve: Sieve, name: str, today: date) -> date | None:
    typed = sieve.raw(name)
    if is_blank(typed):
        return None
    try:
        month = parse_month(typed)
    except InvalidInput as error:
        sieve.fault(name, error.code)
        return None
    if month > first_of_month(today):
        sieve.fault(name, "period-in-future")
        return None
    if month < EARLIEST_PERIOD:
        sieve.fault(name, "period-too-early", earliest=EARLIEST_PERIOD)
        return None
    return month


def _without_identity(claim: Claim) -> Claim:
    kept = {
        name: getattr(claim, name)
        for name in ("period_from", "period_to", "taka_expected", "taka_received", "provider_kind", "provider")
    }
    return Claim(claim.kind, **kept, correct_what=claim.correct_what)
