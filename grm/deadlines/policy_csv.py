"""Reading a file of deadline policies: either every line is good, or all faults are told with their line numbers. Pure.

Columns: `code`, `kind`, `limit`, `unit`, `valid_from` (2027-01-01), `source`; and, empty or left out where a rule is for
all cases, `office`, `programme`, `category`, `priority`, `tier`, and `valid_to` (the first day on which it holds no longer).
A code names one rule through time: a change of it is a new line with the same code and a later `valid_from`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import cast, get_args

from grm.deadlines import strict_csv
from grm.deadlines.policy import SPECIFICITY, Policy, Unit
from grm.deadlines.strict_csv import Fault, Row, date_of
from grm.kernel.text import latin_digits

__all__ = ["CONDITIONS", "OPTIONAL", "REQUIRED", "Fault", "Known", "Line", "Parsed", "parse", "scope_of"]

REQUIRED = ("code", "kind", "limit", "unit", "valid_from", "source")
CONDITIONS = ("office", "programme", "category", "priority", "tier")
OPTIONAL = (*CONDITIONS, "valid_to")
UNITS: tuple[str, ...] = get_args(Unit)
MOST = 1_000
"""The longest limit that can be meant: longer is a slip of the finger."""
MAX_LINES = 1_000


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


@dataclass(frozen=True, slots=True)
class Known:
    """The codes that a line may use: kinds of limits, offices with their ids, the slugs of the rest."""

    kinds: Collection[str]
    offices: Mapping[str, int]
    programmes: Collection[str]
    categories: Collection[str]
    priorities: Collection[str]
    tiers: Collection[str]


@dataclass(frozen=True, slots=True)
class Line:
    """A good line. Its policy is not stored yet: the `id` is the line number below zero."""

    number: int
    policy: Policy


@dataclass(frozen=True, slots=True)
class Parsed:
    """The policies of a file in its order; or the faults, and then no policies."""

    lines: tuple[Line, ...]
    faults: tuple[Fault, ...]


Scope = tuple[str, tuple[object, ...]]


def scope_of(policy: Policy) -> Scope:
    """For which steps of which cases a policy is: its kind and its conditions."""
    return policy.kind, tuple(getattr(policy, name) for name in SPECIFICITY)


def parse(content: bytes, known: Known) -> Parsed:
    """Read the content of a file. Never raises for what a file can hold."""
    empty = _("the file is empty; it must hold at least one policy")
    rows, refused = strict_csv.read(content, REQUIRED, OPTIONAL, empty)
    if refused:
        return Parsed((), refused)
    if not rows:
        return Parsed((), (Fault(0, empty),))
    if len(rows) > MAX_LINES:
        return Parsed((), (Fault(0, _("the file has more than %(limit)s lines"), {"limit": MAX_LINES}),))
    lines: list[Line] = []
    faults: list[Fault] = []
    for row in rows:
        found = list(_faults_of(row, known))
        if not found:
            line = Line(row.line, _policy_of(row, known))
            found = list(_clashes(line.policy, lines))
            lines.append(line)
        faults += found
    return Parsed((), tuple(faults)) if faults else Parsed(tuple(lines), ())


def _faults_of(row: Row, known: Known) -> Iterator[Fault]:
    yield from strict_csv.too_many_values(row)
    for name in ("code", "source"):
        yield from strict_csv.faults_of_words(row, name)
    if (code := row.values["code"].strip()) and not _is_code(code):
        yield Fault(row.line, _("code must be letters, digits and hyphens, like resolve-food"))
    limit = _limit(row)
    if limit is None:
        yield Fault(row.line, _("limit must be a whole number from 1 to %(most)s"), {"most": MOST})
    yield from _unknown(row, "kind", known.kinds, is_list_short=True)
    yield from _unknown(row, "unit", UNITS, is_list_short=True)
    yield from _unknown(row, "office", known.offices)
    yield from _unknown(row, "programme", known.programmes)
    yield from _unknown(row, "category", known.categories)
    yield from _unknown(row, "priority", known.priorities, is_list_short=True)
    yield from _unknown(row, "tier", known.tiers, is_list_short=True)
    yield from _faults_of_dates(row)


def _faults_of_dates(row: Row) -> Iterator[Fault]:
    starts_on, typed_end = date_of(row.values["valid_from"]), (row.values.get("valid_to") or "").strip()
    ends_on = date_of(typed_end) if typed_end else None
    if starts_on is None:
        yield strict_csv.not_a_date(row, "valid_from")
    if typed_end and ends_on is None:
        yield strict_csv.not_a_date(row, "valid_to")
    if starts_on and ends_on and ends_on <= starts_on:
        yield Fault(row.line, _("valid_to must be after valid_from"))


def _unknown(row: Row, column: str, choices: Collection[str], is_list_short: bool = False) -> Iterator[Fault]:
    """A code that nothing has; an empty condition holds for all, and kind and unit must be given."""
    typed = (row.values.get(column) or "").strip()
    if typed in choices or (not typed and column in CONDITIONS):
        return
    shown = {"column": column, "typed": typed[: strict_csv.MAX_WORDS]}
    if is_list_short and choices:
        choice = ", ".join(sorted(choices))
        yield Fault(row.line, _("%(column)s must be one of %(choices)s"), {"column": column, "choices": choice})
    else:
        yield Fault(row.line, _("there is no %(column)s %(typed)s"), shown)


def _clashes(policy: Policy, before: Collection[Line]) -> Iterator[Fault]:
    """Two lines for the same cases from the same day, or one code for different cases."""
    for line in before:
        same_cases = scope_of(line.policy) == scope_of(policy)
        if same_cases and line.policy.valid_from == policy.valid_from:
            text = _("line %(other)s says the same cases from the same day already")
        elif not same_cases and line.policy.code == policy.code:
            text = _("the code %(code)s is for other cases in line %(other)s: each rule needs a code of its own")
        else:
            continue
        yield Fault(-policy.id, text, {"other": line.number, "code": policy.code})
        return


def _policy_of(row: Row, known: Known) -> Policy:
    conditions: dict[str, object] = {name: row.words(name) or None for name in CONDITIONS if name != "office"}
    office = row.words("office")
    typed_end = row.words("valid_to")
    limit, starts_on = _limit(row), date_of(row.values["valid_from"])
    assert limit is not None and starts_on is not None
    return Policy(
        id=-row.line,
        code=row.words("code"),
        kind=row.words("kind"),
        limit=limit,
        unit=cast(Unit, row.words("unit")),
        office_id=known.offices[office] if office else None,
        valid_from=starts_on,
        valid_to=date_of(typed_end) if typed_end else None,
        source=row.words("source"),
        **{name: cast(str | None, value) for name, value in conditions.items()},
    )


def _limit(row: Row) -> int | None:
    plain = latin_digits(row.values["limit"][:20]).strip()
    number = int(plain) if plain.isascii() and plain.isdigit() else 0
    return number if 0 < number <= MOST else None


def _is_code(text: str) -> bool:
    return text.isascii() and text.replace("-", "").isalnum() and not text.startswith("-") and len(text) <= 60


def on_day(policy: Policy, on: date) -> bool:
    """Whether a policy holds on a Dhaka date."""
    return policy.valid_from <= on and (policy.valid_to is None or on < policy.valid_to)
