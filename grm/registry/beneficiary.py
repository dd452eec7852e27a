"""What a registry says of a beneficiary, read strictly from JSON: from our own sealed rows and from another system alike. Pure.

docs/registry.md describes the form. What is missing, of another kind or unknown makes the whole answer unreadable: half an
answer about somebody's money is worse than none.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, NoReturn

from grm.kernel.errors import InvalidInput
from grm.kernel.text import is_blank, latin_digits

STATES = ("held", "sent", "paid", "returned")
"""Of a payment: not sent yet; handed to the provider; on the account, as the provider says; come back."""
REASONS = ("name-mismatch", "nid-mismatch", "account-closed", "account-wrong", "other")
"""Why a payment came back or is held."""
IDENTITY_REASONS = frozenset({"name-mismatch", "nid-mismatch"})
MOST_PAYMENTS = 24
"""Of each programme, the newest."""
MOST_FOUND = 20

_LONGEST = 300
_KEY = re.compile(r"[A-Z0-9]{4,30}")
_BETWEEN = re.compile(r"[\s./_-]+")
_MONTH = re.compile(r"(\d{4})-(\d{2})(?:-\d{2})?")


class Unreadable(ValueError):
    """An answer that is not as described; the text names the place, never a value."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment: months as first days, both inclusive; whole taka."""

    period_from: date
    period_to: date
    taka: int
    state: str
    sent_on: date | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One programme of a beneficiary: its slug, or its name where it is none of ours. The newest payment first."""

    programme: str
    enrolled_on: date | None = None
    ended_on: date | None = None
    provider: str | None = None
    payments: tuple[Payment, ...] = ()


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """A person on a list. `as_of`: the day for which the registry speaks."""

    beneficiary_id: str = field(repr=False)
    as_of: date
    nid: str | None = field(default=None, repr=False)
    name: str = field(default="", repr=False)
    enrolments: tuple[Enrolment, ...] = ()


def parse_key(typed: str) -> str:
    """A beneficiary id or NID as the registry knows it: capitals and figures only, digits of any script.

    Raises `InvalidInput` `key-missing` or `key-unreadable`.
    """
    if is_blank(typed):
        raise InvalidInput("key-missing")
    key = _BETWEEN.sub("", latin_digits(typed[:100]).strip()).upper()
    if not _KEY.fullmatch(key):
        raise InvalidInput("key-unreadable")
    return key


def goes_by(person: Beneficiary, key: str) -> bool:
    """Whether a beneficiary is the one a key asks for."""
    return key in (_bare(person.beneficiary_id), _bare(person.nid or ""))


def to_plain(person: Beneficiary) -> dict[str, Any]:
    """The beneficiary as JSON has it."""
    plain: dict[str, Any] = _plain(asdict(person))
    return plain


def parse_beneficiary(data: Any) -> Beneficiary:
    """A beneficiary out of JSON. Raises `Unreadable`."""
    given = _Object(data, "beneficiary")
    person = Beneficiary(
        beneficiary_id=given.text("beneficiary_id", required=True) or "",
        as_of=given.day("as_of") or _fail("as_of"),
        nid=given.text("nid"),
        name=given.text("name") or "",
        enrolments=tuple(_enrolment(each) for each in given.list("enrolments")),
    )
    given.end()
    return person


def newest_first(payments: list[Payment]) -> tuple[Payment, ...]:
    """The payments to keep of a programme."""
    return tuple(sorted(payments, key=lambda each: (each.period_to, each.period_from), reverse=True)[:MOST_PAYMENTS])


def month_of(text: str) -> date:
    """The first day of a month written yyyy-mm, or of the month of a day. Raises `Unreadable`."""
    found = _MONTH.fullmatch(text)
    try:
        return date(int(found[1]), int(found[2]), 1) if found else _fail("month")
    except ValueError:
        return _fail("month")


def _enrolment(data: Any) -> Enrolment:
    given = _Object(data, "enrolment")
    made = Enrolment(
        programme=given.text("programme", required=True) or "",
        enrolled_on=given.day("enrolled_on"),
        ended_on=given.day("ended_on"),
        provider=given.text("provider"),
        payments=newest_first([_payment(each) for each in given.list("payments")]),
    )
    given.end()
    return made


def _payment(data: Any) -> Payment:
    given = _Object(data, "payment")
    start, end = (month_of(given.text(name, required=True) or "") for name in ("period_from", "period_to"))
    if end < start:
        _fail("period_to")
    made = Payment(
        period_from=start,
        period_to=end,
        taka=given.taka("taka"),
        state=given.one_of("state", STATES) or _fail("state"),
        sent_on=given.day("sent_on"),
        reason=given.one_of("reason", REASONS),
    )
    given.end()
    return made


class _Object:
    """One JSON object, read name by name."""

    def __init__(self, data: Any, what: str) -> None:
        if not isinstance(data, Mapping):
            _fail(what)
        self._data = dict(data)
        self._what = what

    def text(self, name: str, required: bool = False) -> str | None:
        value = self._data.pop(name, None)
        if value is None and not required:
            return None
        if not isinstance(value, str) or len(value) > _LONGEST or (required and not value) or "\0" in value:
            _fail(f"{self._what}.{name}")
        return value or None

    def one_of(self, name: str, codes: tuple[str, ...]) -> str | None:
        value = self.text(name)
        return value if value is None or value in codes else _fail(f"{self._what}.{name}")

    def day(self, name: str) -> date | None:
        value = self.text(name)
        try:
            return date.fromisoformat(value) if value else None
        except ValueError:
            return _fail(f"{self._what}.{name}")

    def taka(self, name: str) -> int:
        value = self._data.pop(name, None)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 99_999_999:
            _fail(f"{self._what}.{name}")
        return value

    def list(self, name: str) -> list[Any]:
        value = self._data.pop(name, [])
        if not isinstance(value, list) or len(value) > 500:
            _fail(f"{self._what}.{name}")
        return value

    def end(self) -> None:
        if self._data:
            _fail(f"{self._what}: a name that is not described")


def _fail(where: str) -> NoReturn:
    raise Unreadable(where)


def _bare(text: str) -> str:
    return _BETWEEN.sub("", latin_digits(text)).upper()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
