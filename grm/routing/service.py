"""Writing the routing rules that the shipped patterns ask for: one set of rules for each programme, as dated rows.

A rule is never rewritten once it has been in force: if a programme moves to another ministry, the old row ends and a new
one begins on the day of the import, so that a case filed before is explained by the rule it was routed by.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from grm.kernel import audit
from grm.kernel.actor import SYSTEM, Actor
from grm.kernel.clock import dhaka_date
from grm.offices import edition
from grm.offices.directory import CELL, Directory
from grm.offices.layouts import SHIPPED
from grm.offices.models import EPOCH
from grm.offices.queries import directory
from grm.offices.reference_files import BadFiles, Column, Fault, Layout, Row, one_of, read_folder, words
from grm.routing.models import DESKS, RoutingRule
from grm.routing.rules import ABOUT

EACH = "each"
PATTERNS = Layout(
    "routing_patterns.csv",
    (
        Column("code", words),
        Column("programme", one_of(EACH), is_optional=True),
        Column("sensitivity", one_of("normal", "sensitive"), is_optional=True),
        Column("about", one_of(*ABOUT), is_optional=True),
        Column("office", one_of("ministry", CELL)),
        Column("desk", one_of(*DESKS)),
        Column("source", words),
    ),
    ("code",),
)
_CONDITIONS = ("programme", "category", "sensitivity", "division", "district", "about")
_SEED_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('reference-import', 0))")


@dataclass(frozen=True, slots=True)
class SeedReport:
    """What a seeding did. `ended` rules were followed by a new one; `left` were changed by an administrator."""

    created: int
    ended: tuple[str, ...]
    left: tuple[str, ...]


def seed(session: Session, now: datetime, folder: Path = SHIPPED, actor: Actor = SYSTEM) -> SeedReport:
    """Write the rules that follow from the patterns and today's programmes, within the caller's transaction.

    Idempotent. A rule that an administrator has ended stays ended and is reported, rules of other codes are not touched.
    Raises `BadFiles` for faulty patterns.
    """
    session.execute(_SEED_LOCK)
    today = dhaka_date(now)
    patterns = _patterns(folder)
    present = _latest(session)
    new: list[dict[str, Any]] = []
    ended: list[str] = []
    left: list[str] = []
    for wanted in _wanted(patterns, directory(session), today):
        held = present.get(wanted["code"])
        if held is None:
            new.append({**wanted, "valid_from": EPOCH})
        elif held.valid_to is not None:
            left.append(held.code)
        elif any(getattr(held, name) != wanted[name] for name in (*_CONDITIONS, "office_id", "desk")):
            _end(session, held, today)
            ended.append(held.code)
            new.append({**wanted, "code": f"{wanted['code']}@{today.isoformat()}", "valid_from": today})
    if new:
        session.execute(insert(RoutingRule), new)
        audit.record(session, "directory", "routing-rules-seeded", actor, now, created=len(new), ended=ended)
        edition.bump(session)
    return SeedReport(len(new), tuple(ended), tuple(left))


def _patterns(folder: Path) -> list[Row]:
    patterns = read_folder(folder, (PATTERNS,), {})[PATTERNS.file]
    faults = [
        Fault(PATTERNS.file, row.line, f"office ministry needs programme {EACH}: whose ministry would it be?")
        for row in patterns
        if row.values["office"] == "ministry" and row.values["programme"] != EACH
    ]
    if faults:
        raise BadFiles(faults)
    return patterns


def _wanted(patterns: Iterable[Row], known: Directory, today: date) -> Iterator[dict[str, Any]]:
    """The rules the patterns ask for: one for each programme in force where a pattern says so."""
    for pattern in patterns:
        programmes = known.programmes_on(today) if pattern.values["programme"] == EACH else (None,)
        for programme in programmes:
            name = programme.slug if programme else ""
            office = known.cell if programme is None else known.office_of(programme.ministry_id)
            yield {
                "code": pattern.text("code").replace("{programme}", name),
                "programme": name or None,
                "category": None,
                "sensitivity": pattern.values["sensitivity"],
                "division": None,
                "district": None,
                "about": pattern.values["about"],
                "office_id": known.cell.id if pattern.values["office"] == CELL else office.id,
                "desk": pattern.text("desk"),
                "rank": 0,
                "source": pattern.text("source"),
            }


def _latest(session: Session) -> Mapping[str, RoutingRule]:
    """The last row of each rule, by the code without the date of its successors."""
    rules = session.scalars(select(RoutingRule).order_by(RoutingRule.valid_from, RoutingRule.id))
    return {rule.code.partition("@")[0]: rule for rule in rules}


def _end(session: Session, rule: RoutingRule, today: date) -> None:
    """End a rule today; one that began today never decided a full day and makes room for its successor."""
    if rule.valid_from >= today:
        session.execute(update(RoutingRule).where(RoutingRule.id == rule.id).values(code=f"{rule.code}~{rule.id}"))
    session.execute(update(RoutingRule).where(RoutingRule.id == rule.id).values(valid_to=max(today, rule.valid_from)))
