"""Proving that the rules leave no gap: every programme, category, district and accused is decided, one by one.

Pure. A combination is at fault if no rule fits, if only the rule without conditions does (a known programme must not fall
to triage), or if the queue does not exist. A decision that could put a complaint before the one it accuses, or a sensitive
one on an ordinary desk, is a fault too, whoever wrote the rule.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import product

from grm.kernel.errors import Misconfigured
from grm.offices.directory import Category, Directory, Office, Place, Programme
from grm.routing.rules import ABOUT, SPECIFICITY, Decision, Facts, Rule, RuleBook, decide, overlaps

Queues = Collection[tuple[int, str]]
"""The queues that exist: (office id, desk)."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Combinations at fault for the same reason, told together."""

    reason: str
    programme: str
    about: str
    categories: tuple[str, ...]
    districts: int
    count: int

    def __str__(self) -> str:
        about = "" if self.about == "none" else f", about the {self.about}"
        names = ", ".join(self.categories[:4]) + (
            f" and {len(self.categories) - 4} more" if self.categories[4:] else ""
        )
        return (
            f"{self.programme}{about}: {self.reason} ({self.count} combinations; {self.districts} districts; {names})"
        )


@dataclass(frozen=True, slots=True)
class Proof:
    """What a check of all combinations found."""

    on: date
    programmes: int
    categories: int
    districts: int
    combinations: int
    by_desk: dict[str, int]
    offices: int
    gaps: tuple[Gap, ...]
    overlapping: tuple[tuple[Rule, Rule], ...]

    @property
    def is_complete(self) -> bool:
        """Whether every combination resolves to exactly one queue that may have it."""
        return self.combinations > 0 and not self.gaps and not self.overlapping


def prove(book: RuleBook, known: Directory, queues: Queues, on: date) -> Proof:
    """Decide every (programme, category, district) in force on a day, for each kind of accused."""
    programmes, categories = known.programmes_on(on), known.categories_on(on)
    divisions = {place.id: place.code for place in known.divisions}
    named = {name for rule in book.rules for name in (rule.division, rule.district)}
    faults: dict[tuple[str, str, str], list[tuple[Category, Place]]] = defaultdict(list)
    by_desk: dict[str, int] = defaultdict(int)
    offices: set[int] = set()
    combinations = 0
    for programme, about, category in product(programmes, ABOUT, categories):
        seen: dict[tuple[str | None, str | None], tuple[Decision | None, tuple[str, ...]]] = {}
        for district in known.districts:
            combinations += 1
            division = divisions[district.parent_id] if district.parent_id is not None else None
            # Districts that no rule names, in a division that none names or in the same one, look alike to every rule.
            place = (division if division in named else None, district.code if district.code in named else None)
            if place not in seen:
                facts = Facts(
                    programme.slug, category.slug, category.sensitivity, division, district.code, None, about, on
                )
                seen[place] = _judge(book, facts, programme, known, queues)
            decision, reasons = seen[place]
            if decision is not None:
                by_desk[decision.desk] += 1
                offices.add(decision.office_id)
            for reason in reasons:
                faults[reason, programme.slug, about].append((category, district))
    return Proof(
        on=on,
        programmes=len(programmes),
        categories=len(categories),
        districts=len(known.districts),
        combinations=combinations,
        by_desk=dict(by_desk),
        offices=len(offices),
        gaps=tuple(_gap(*key, found) for key, found in faults.items()),
        overlapping=tuple(overlaps(rule for rule in book.rules if rule.valid_to is None or rule.valid_to > on)),
    )


def _judge(
    book: RuleBook, facts: Facts, programme: Programme, known: Directory, queues: Queues
) -> tuple[Decision | None, tuple[str, ...]]:
    try:
        decision = decide(book, facts)
    except Misconfigured:
        return None, ("no rule fits",)
    return decision, tuple(_faults(decision, facts, programme, known, queues))


def _faults(decision: Decision, facts: Facts, programme: Programme, known: Directory, queues: Queues) -> Iterator[str]:
    office = known.office(decision.office_id)
    if all(getattr(decision.rule, name) is None for name in SPECIFICITY):
        yield "only triage takes it"
    if (office.id, decision.desk) not in queues:
        yield f"office {office.code} has no desk {decision.desk}"
    if facts.sensitivity == "sensitive" and decision.desk == "gro":
        yield f"sensitive, but at the ordinary desk of {office.code} (rule {decision.rule.code})"
    if _accuses(facts.about, office, decision.desk, programme):
        yield f"would reach whom it accuses: {office.code}, desk {decision.desk} (rule {decision.rule.code})"


def _accuses(about: str, office: Office, desk: str, programme: Programme) -> bool:
    """Whether the queue is that of the one complained of, or of somebody below."""
    if about == "field-office":
        return office.kind == "district"
    if about == "none" or office.ministry_id != programme.ministry_id:
        return False
    return desk == "gro" or about != "gro"


def _gap(reason: str, programme: str, about: str, found: list[tuple[Category, Place]]) -> Gap:
    categories = tuple(dict.fromkeys(category.slug for category, _ in found))
    return Gap(reason, programme, about, categories, len({district.code for _, district in found}), len(found))
