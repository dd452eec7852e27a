"""The form of a handover: what is to be given away, and who may take each of it, as far as the reader may know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases import duties as registry
from grm.cases import handover, handover_ground
from grm.cases.duties import FOLLOWS, Duty
from grm.cases.handover import Departure, Wanted
from grm.cases.handover_ground import DESK, Choices, Ground
from grm.cases.models import Case
from grm.kernel.actor import Actor
from grm.kernel.text import latin_digits
from grm.offices.queries import PostHolder

MOST_SINGLE = 300
"""How many cases can be given away one by one on a page; what is beyond goes with the rest."""


@dataclass(frozen=True, slots=True)
class Line:
    """A case, with everything of it that is handed over, and who may take it."""

    case: Any
    kinds: tuple[str, ...]
    takers: tuple[PostHolder, ...]
    may_go_to_desk: bool
    chosen: str


@dataclass(frozen=True, slots=True)
class SeatLine:
    """A seat as alternate that ends, and who may take it over."""

    posting_id: int
    role: str
    takers: tuple[PostHolder, ...]
    chosen: str


@dataclass(frozen=True, slots=True)
class OfficePart:
    """What is to be given away at one office. `counts` says how much there is of each kind, for the reader to know."""

    office_id: int
    counts: tuple[tuple[str, int], ...]
    takers: tuple[PostHolder, ...]
    may_go_to_desk: bool
    chosen: str
    lines: tuple[Line, ...]
    more: int
    seats: tuple[SeatLine, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A handover to be filled in."""

    officer: Officer
    departure: Departure
    parts: tuple[OfficePart, ...]
    is_blind: bool
    """Whether the reader sees counts only."""
    is_for_head: bool
    """Whether the reader is an administrator who must leave the choice to the head."""

    @property
    def has_duties(self) -> bool:
        """Whether anything is to be chosen."""
        return any(part.counts for part in self.parts)


def load(session: Session, actor: Actor, wanted: Wanted, today: date, typed: Mapping[str, str]) -> Page:
    """Read the form of a handover, with what was typed into it before. Raises as `handover.hand_over`."""
    departure = wanted.departure(session, today)
    handover.check_may_run(session, actor, departure)
    duties = registry.inventory(session, departure.leaving)
    ground = handover_ground.read(session, departure.officer_id, duties, departure.office_ids, today)
    is_blind = handover.is_blind(actor, departure.office_ids)
    shown = handover.shown_to(session, actor, duties)
    known = duties if is_blind else [each for each in duties if each.case_id is None or each.case_id in shown]
    offices = sorted({duty.office_id for duty in duties} | departure.office_ids)
    has_head = handover.has_present_head(session, {each.office_id for each in duties}, today, departure.officer_id)
    cases = _cases(session, shown)
    parts = [
        _part(office_id, [each for each in known if each.office_id == office_id], ground, cases, typed, is_blind)
        for office_id in offices
    ]
    return Page(
        officer=session.get_one(Officer, departure.officer_id),
        departure=departure,
        parts=tuple(parts),
        is_blind=is_blind,
        is_for_head=is_blind and bool(duties) and has_head,
    )


def choices(typed: Mapping[str, str], duties_of: Mapping[str, int]) -> Choices:
    """What was chosen: `to_<office>`, `case_<tracking number>`, `seat_<posting>`; empty values are no choice."""
    found: dict[str, dict[int, int]] = {"to": {}, "case": {}, "seat": {}}
    for name, value in typed.items():
        kind, _, key = name.partition("_")
        target = _number(value)
        if kind not in found or target is None:
            continue
        number = duties_of.get(key) if kind == "case" else _number(key)
        if number is not None:
            found[kind][number] = target
    return Choices(found["to"], found["case"], found["seat"])


def case_ids(session: Session, typed: Mapping[str, str]) -> dict[str, int]:
    """The cases named in a form, by tracking number."""
    numbers = [name.partition("_")[2] for name in typed if name.startswith("case_")][: 2 * MOST_SINGLE]
    if not numbers:
        return {}
    rows = session.execute(select(Case.tracking_number, Case.id).where(Case.tracking_number.in_(numbers)))
    return {row[0]: row[1] for row in rows}


def _number(typed: str) -> int | None:
    plain = latin_digits(typed.strip())
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 19 else None


def _cases(session: Session, ids: frozenset[int]) -> dict[int, Any]:
    if not ids:
        return {}
    columns = (Case.id, Case.tracking_number, Case.due_on, Case.due_at, Case.is_paused, Case.category_id, Case.status)
    rows = session.execute(select(*columns, Case.level).where(Case.id.in_(ids)).order_by(Case.due_at, Case.id))
    return {row.id: row for row in rows}


def _part(
    office_id: int,
    duties: Sequence[Duty],
    ground: Ground,
    cases: Mapping[int, Any],
    typed: Mapping[str, str],
    is_blind: bool,
) -> OfficePart:
    counts: dict[str, int] = {}
    of_case: dict[int, list[Duty]] = {}
    takers: dict[int, PostHolder] = {}
    may_go_to_desk = False
    for duty in duties:
        counts[duty.kind] = counts.get(duty.kind, 0) + 1
        if duty.case_id is not None:
            of_case.setdefault(duty.case_id, []).append(duty)
    personal = [each for each in duties if each.kind not in FOLLOWS and each.kind != "alternate"]
    allowed = {id(duty): ground.takers(duty) for duty in personal[: 2 * MOST_SINGLE]}
    for duty in personal:
        takers |= {each.officer_id: each for each in allowed.get(id(duty), ())}
        may_go_to_desk = may_go_to_desk or ground.allows(duty, DESK)
    lines = []
    for case_id in [each for each in cases if each in of_case][:MOST_SINGLE] if not is_blind else ():
        own = [each for each in of_case[case_id] if each.kind not in FOLLOWS]
        first = next((each for each in own if each.kind == "case"), own[0] if own else None)
        if first is not None:
            lines.append(
                Line(
                    case=cases[case_id],
                    kinds=tuple(each.kind for each in of_case[case_id]),
                    takers=allowed.get(id(first), ()),
                    may_go_to_desk=ground.allows(first, DESK),
                    chosen=typed.get(f"case_{cases[case_id].tracking_number}", ""),
                )
            )
    seats = tuple(
        SeatLine(duty.ref_id or 0, duty.role, ground.takers(duty), typed.get(f"seat_{duty.ref_id}", ""))
        for duty in duties
        if duty.kind == "alternate"
    )
    return OfficePart(
        office_id=office_id,
        counts=tuple(counts.items()),
        takers=tuple(takers.values()),
        may_go_to_desk=may_go_to_desk,
        chosen=typed.get(f"to_{office_id}", ""),
        lines=tuple(lines),
        more=max(0, len(of_case) - len(lines)) if not is_blind else 0,
        seats=seats,
    )
