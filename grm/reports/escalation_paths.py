"""The way each late case took, and how many days each post had it: those of `grm/cases/charges.py`, for many cases at once.

The days of a path sum to the age of the case; the last step is with whoever has it now. Three statements, however many cases.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.charges import Charged, Span, charge
from grm.cases.models import CaseEvent
from grm.cases.queries import Named
from grm.deadlines import queries as deadline_queries
from grm.deadlines.calendar import dhaka_date
from grm.deadlines.models import MAIN_KINDS, Deadline, DeadlinePause
from grm.deadlines.reckoning import Pause
from grm.kernel.db import among


@dataclass(frozen=True, slots=True)
class Rise:
    """A rung that the case climbed: when, and whether the complainant asked for it. A gap was passed at once."""

    level: int
    on: date
    is_asked: bool
    is_gap: bool


@dataclass(frozen=True, slots=True)
class Path:
    """The days of one case by whom they lay with, in order, and the rungs it climbed meanwhile."""

    charged: Charged
    rises: tuple[Rise, ...]

    @property
    def steps(self) -> tuple[Span, ...]:
        """Who had it for how long, one after the other."""
        return self.charged.spans

    @property
    def days(self) -> int:
        """Its age: the sum of the steps."""
        return self.charged.days

    @property
    def days_at_holder(self) -> int:
        """How many days it has lain with whoever has it now."""
        return self.steps[-1].days if self.steps else 0


@dataclass(frozen=True, slots=True)
class Paths:
    """The paths of some cases, by case id, and the officers they name."""

    of: Mapping[int, Path]
    officers: Mapping[int, Named]


@dataclass(frozen=True, slots=True)
class _Line:
    kind: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)


def load(session: Session, case_ids: Collection[int], now: datetime) -> Paths:
    """Read the paths of cases that the caller may show."""
    if not case_ids:
        return Paths({}, {})
    events: dict[int, list[_Line]] = {}
    rows = session.execute(
        select(CaseEvent.case_id, CaseEvent.kind, CaseEvent.at, CaseEvent.data)
        .where(CaseEvent.case_id == among(case_ids))
        .order_by(CaseEvent.case_id, CaseEvent.seq)
    )
    for case_id, kind, at, data in rows:
        events.setdefault(case_id, []).append(_Line(kind, at, data))
    pauses = _pauses(session, case_ids)
    is_working_day = deadline_queries.calendar(session).is_working_day
    found = {
        case_id: Path(charge(lines, pauses.get(case_id, ()), now, is_working_day), rises_in(lines))
        for case_id, lines in events.items()
    }
    named = {span.holder.officer_id for path in found.values() for span in path.steps} - {None}
    officers = session.execute(select(Officer.id, Officer.name_bn, Officer.name_en).where(Officer.id.in_(named)))
    return Paths(found, {row.id: Named(*row) for row in officers})


def rises_in(events: Sequence[Any]) -> tuple[Rise, ...]:
    """The rungs climbed under the present main clock, out of a history; what was withdrawn again is none. Pure."""
    found: list[Rise] = []
    for line in events:
        if line.data.get("deadline_kind", MAIN_KINDS[0]) not in MAIN_KINDS:
            continue  # a direction and an investigation have ladders of their own
        if line.kind == "escalated":
            is_gap = bool(line.data.get("is_gap"))
            found.append(Rise(int(line.data["level"]), dhaka_date(line.at), bool(line.data.get("is_asked")), is_gap))
        elif line.kind == "escalation_withdrawn":
            level = int(line.data["level"])
            found = [rise for rise in found if rise.level < level]
        elif "level_was" in line.data:  # it stands under a clock of another tier now, at level 0
            found = []
    return tuple(found)


def _pauses(session: Session, case_ids: Collection[int]) -> dict[int, list[Pause]]:
    """The stretches in which the main clocks stood still; what a clock has taken over from another was no rest of this case's."""
    begun_at = func.coalesce(Deadline.begun_at, Deadline.started_at)
    rows = session.execute(
        select(Deadline.case_id, DeadlinePause.from_at, DeadlinePause.until_at)
        .join(DeadlinePause, DeadlinePause.deadline_id == Deadline.id)
        .where(Deadline.case_id == among(case_ids), Deadline.kind.in_(MAIN_KINDS), DeadlinePause.from_at >= begun_at)
        .order_by(DeadlinePause.from_at)
    )
    found: dict[int, list[Pause]] = {}
    for case_id, from_at, until_at in rows:
        found.setdefault(case_id, []).append(Pause(from_at, until_at))
    return found
