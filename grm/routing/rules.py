"""Which office's queue answers for a grievance: dated rules, the most specific one wins, and every
decision says why.

A rule's conditions are weighed in the order of `SPECIFICITY`: whom the complaint is about and whether it
is sensitive come first, so that no rule for a programme or a place can send a complaint to the very desk
it complains of. Rules with the same conditions set are equally specific; the lower `rank`, then the
lower id wins, and `overlaps` reports them as a fault of configuration.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Literal

from grm.kernel.errors import Misconfigured

About = Literal["none", "field-office", "gro", "appeal-officer", "ministry"]
Desk = Literal["gro", "appeal", "cell"]

ABOUT: tuple[About, ...] = ("none", "field-office", "gro", "appeal-officer", "ministry")
"""Whom the complaint accuses, as far as routing must know."""

SPECIFICITY = ("about", "sensitivity", "programme", "category", "district", "division")
"""The conditions of a rule, the weightiest first."""

_Mask = tuple[bool, ...]
_Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """If every condition that is not None holds, the case goes to this desk of this office. `valid_to`
    is exclusive."""

    id: int
    code: str
    programme: str | None
    category: str | None
    sensitivity: str | None
    division: str | None
    district: str | None
    about: str | None
    office_id: int
    desk: Desk
    rank: int
    valid_from: date
    valid_to: date | None
    source: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What routing may know of a grievance. Places are codes; None where not told."""

    programme: str | None
    category: str | None
    sensitivity: str | None
    division: str | None
    district: str | None
    upazila: str | None
    about: str
    filed_on: date


@dataclass(frozen=True, slots=True)
class Decision:
    """The queue chosen. `why` lists each rule whose conditions fit, the winner first.

    The words beside them: `won`, `less-specific`, `later-in-order`, `not-yet-valid`, `expired`.
    """

    rule: Rule
    office_id: int
    desk: Desk
    why: tuple[tuple[Rule, str], ...]


class RuleBook:
    """Rules arranged by what they ask, so that a decision looks up one key for each kind of rule, not
    each rule."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules: tuple[Rule, ...] = tuple(rules)
        tables: dict[_Mask, dict[_Key, list[Rule]]] = defaultdict(lambda: defaultdict(list))
        for rule in sorted(self.rules, key=lambda rule: (rule.rank, rule.id)):
            tables[_mask(rule)][_key(rule)].append(rule)
        self._tables = [
            ([name for name, is_set in zip(SPECIFICITY, mask, strict=True) if is_set], dict(tables[mask]))
            for mask in sorted(tables, reverse=True)
        ]

    def fitting(self, facts: Facts) -> Iterator[Rule]:
        """The rules whose conditions hold, whatever their dates, from the most specific to the most
        general."""
        for names, table in self._tables:
            yield from table.get(tuple(getattr(facts, name) for name in names), ())


def decide(rules: RuleBook | Iterable[Rule], facts: Facts) -> Decision:
    """Choose exactly one queue for a grievance filed on `facts.filed_on`. Pass a `RuleBook` to decide
    often.

    Raises `Misconfigured` `no-routing-rule` if no rule fits: a rule without conditions, leading to
    triage, must always be in force.
    """
    book = rules if isinstance(rules, RuleBook) else RuleBook(rules)
    winner: Rule | None = None
    lost: list[tuple[Rule, str]] = []
    for rule in book.fitting(facts):
        if facts.filed_on < rule.valid_from:
            lost.append((rule, "not-yet-valid"))
        elif rule.valid_to is not None and facts.filed_on >= rule.valid_to:
            lost.append((rule, "expired"))
        elif winner is None:
            winner = rule
        else:
            lost.append((rule, "later-in-order" if _mask(rule) == _mask(winner) else "less-specific"))
    if winner is None:
        raise Misconfigured("no-routing-rule", filed_on=facts.filed_on.isoformat())
    return Decision(winner, winner.office_id, winner.desk, ((winner, "won"), *lost))


def mismatch(rule: Rule, facts: Facts) -> str:
    """The weightiest condition of the rule that does not hold (`other-district`), or the empty string if
    all do."""
    for name in SPECIFICITY:
        wanted = getattr(rule, name)
        if wanted is not None and wanted != getattr(facts, name):
            return f"other-{name}"
    return ""


def overlaps(rules: Iterable[Rule]) -> list[tuple[Rule, Rule]]:
    """Pairs of rules that ask the same and are in force on a common day: only their order decides, which
    is a fault."""
    same: dict[tuple[_Mask, _Key], list[Rule]] = defaultdict(list)
    for rule in sorted(rules, key=lambda rule: (rule.rank, rule.id)):
        same[_mask(rule), _key(rule)].append(rule)
    return [pair for group in same.values() for pair in combinations(group, 2) if _share_a_day(*pair)]


def _mask(rule: Rule) -> _Mask:
    return tuple(getattr(rule, name) is not None for name in SPECIFICITY)


def _key(rule: Rule) -> _Key:
    return tuple(value for name in SPECIFICITY if (value := getattr(rule, name)) is not None)


def _share_a_day(one: Rule, other: Rule) -> bool:
    return (one.valid_to is None or other.valid_from < one.valid_to) and (
        other.valid_to is None or one.valid_from < other.valid_to
    )
