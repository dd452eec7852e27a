"""The facts of a payment or a correction: kept with the case, read by its page, told to a part's office, shown to the holder.

What names a person or an account is sealed to the case (`sealed`), so that it is in no search, no message and no list, and a
copy for another office is sealed anew.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Label, func, select
from sqlalchemy.orm import Session

from grm.cases.claims_models import Claim
from grm.cases.models import Case
from grm.kernel import context

SEALED = ("account_note", "correct_from", "correct_to")
_PLAIN = (
    *("kind", "period_from", "period_to", "taka_expected", "taka_received"),
    *("provider_kind", "provider_id", "correct_what"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """The facts as they were told. `is_whole`: nothing that names a person or an account was left out for the reader."""

    kind: str
    period_from: date | None = None
    period_to: date | None = None
    taka_expected: int | None = None
    taka_received: int | None = None
    provider_kind: str | None = None
    provider_id: int | None = None
    correct_what: str | None = None
    account_note: str = field(default="", repr=False)
    correct_from: str = field(default="", repr=False)
    correct_to: str = field(default="", repr=False)
    is_whole: bool = True


def values_of(tracking_number: str, told: Any, provider_id: int | None) -> dict[str, Any]:
    """The column values of `claim` for facts as the form has them; the case's id is for the caller to add."""
    plain = {name: provider_id if name == "provider_id" else getattr(told, name) for name in _PLAIN}
    return {**plain, "sealed": sealed(tracking_number, {name: getattr(told, name) for name in SEALED})}


def sealed(tracking_number: str, values: Mapping[str, str]) -> bytes | None:
    """What names a person or an account, sealed to its case; None where nothing does."""
    kept = {name: value for name, value in values.items() if value}
    if not kept:
        return None
    return context.keyring().seal(json.dumps(kept, ensure_ascii=False), _context(tracking_number))


def claim_column() -> Label[Any]:
    """The facts of the case as a JSON column, so that the case page needs no statement of its own for them."""
    pairs = [each for name in _PLAIN for each in (name, getattr(Claim, name))]
    found = select(func.jsonb_build_object(*pairs, "sealed", func.encode(Claim.sealed, "hex")))
    return found.where(Claim.case_id == Case.id).scalar_subquery().label("claim")


def told_of(row: Mapping[str, Any] | None, tracking_number: str, *, opens: bool) -> Told | None:
    """The facts out of `claim_column`; None for a case without. Who must not know the person gets them without those."""
    if row is None:
        return None
    days = {name: date.fromisoformat(row[name]) for name in ("period_from", "period_to") if row[name]}
    plain: dict[str, Any] = {name: row[name] for name in _PLAIN} | days
    if row["sealed"] is None:
        return Told(**plain)
    if not opens:
        return Told(**plain, is_whole=False)
    return Told(**plain, **_opened(bytes.fromhex(row["sealed"]), tracking_number))


def of_case(session: Session, case: Case) -> Told | None:
    """The facts of a case for whoever holds its secret, and for acts on it (one statement)."""
    claim = session.get(Claim, case.id)
    if claim is None:
        return None
    hidden = _opened(claim.sealed, case.tracking_number) if claim.sealed else {}
    return Told(**{name: getattr(claim, name) for name in _PLAIN}, **hidden)


def pass_on(session: Session, whole: Case, part: Case) -> bool:
    """Tell the office of a part the facts of the whole case, sealed to the part; whether there were any."""
    told = of_case(session, whole)
    if told is not None:
        session.add(Claim(case_id=part.id, **values_of(part.tracking_number, told, told.provider_id)))
    return told is not None


def _opened(value: bytes, tracking_number: str) -> dict[str, Any]:
    found: dict[str, str] = json.loads(context.keyring().open(value, _context(tracking_number)))
    return {name: found.get(name, "") for name in SEALED}


def _context(tracking_number: str) -> str:
    return f"claim:{tracking_number}"
