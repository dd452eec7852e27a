"""Reading what really happened to cases, batch by batch, for a rehearsal: a constant number of statements for each batch."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from grm.deadlines.reckoning import Pause
from grm.escalation.posts import Accused
from grm.escalation.rehearsal import TIER_OF_MAIN_CLOCK, ClockFacts, Place, place_at

BATCH_SIZE = 1_000

CASES = text(
    """
    SELECT c.id, c.tracking_number, c.is_sensitive, c.has_accused, c.office_id, c.desk, c.assignee_id, c.priority,
           p.slug AS programme, k.slug AS category
    FROM cases AS c
    JOIN category AS k ON k.id = c.category_id
    LEFT JOIN programme AS p ON p.id = c.programme_id
    WHERE c.id > :after AND c.id <= :through AND c.filed_at < :until_at
      AND (c.ended_at IS NULL OR c.ended_at >= :since_at)
    ORDER BY c.id
    LIMIT :limit
    """
)
CLOCKS = text(
    """
    SELECT id, case_id, kind, policy_id, calendar_version, started_at, due_on, due_at, state, met_at, extension_days
    FROM deadline
    WHERE case_id = ANY(CAST(:case_ids AS bigint[])) AND started_at < :horizon
    ORDER BY case_id, started_at, id
    """
)
_PAUSES = text(
    """
    SELECT p.deadline_id, p.from_at, p.until_at, p.reason
    FROM deadline_pause AS p
    WHERE p.deadline_id = ANY(CAST(:deadline_ids AS bigint[])) AND p.from_at < :horizon
    ORDER BY p.from_at, p.id
    """
)
_EXTENSIONS = text(
    """
    SELECT deadline_id, decided_at FROM extension
    WHERE deadline_id = ANY(CAST(:deadline_ids AS bigint[])) AND state = 'approved'
    """
)
CLIMBED = text(
    """
    SELECT deadline_id, level, min(due_at) AS at FROM escalation
    WHERE case_id = ANY(CAST(:case_ids AS bigint[])) AND withdrawn_at IS NULL AND due_at < :horizon
    GROUP BY deadline_id, level
    """
)
_MOVES = text(
    """
    SELECT case_id, at, kind, data FROM case_event
    WHERE case_id = ANY(CAST(:case_ids AS bigint[]))
      AND (kind = 'assigned' OR data ?| ARRAY['office_id', 'to_office_id', 'to_desk'])
    ORDER BY case_id, seq
    """
)
_ACCUSED = text(
    "SELECT case_id, officer_id, office_id, post_id FROM accused WHERE case_id = ANY(CAST(:case_ids AS bigint[]))"
)


@dataclass(frozen=True, slots=True)
class Clock:
    """A stored clock: what happened to it, the rules it had, and the rungs it really climbed (level → since when)."""

    id: int
    facts: ClockFacts
    policy_id: int
    calendar_version: int
    due_on: date
    due_at: datetime
    is_paused: bool
    tier: str
    climbed: Mapping[int, datetime]

    def was_late(self, horizon: datetime) -> bool:
        """Whether it was really missed, as known at an instant."""
        return not self.is_paused and self.due_at <= min(self.facts.ended_at or horizon, horizon)


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """A case with its clocks, and where it lay when."""

    id: int
    tracking_number: str
    is_sensitive: bool
    programme: str | None
    category: str
    priority: str
    accused: tuple[Accused, ...]
    moves: tuple[tuple[datetime, Place], ...]
    now_at: Place
    clocks: tuple[Clock, ...]

    def place_at(self, at: datetime) -> Place:
        """Where the case lay at an instant."""
        return place_at(self.moves, at) if self.moves else self.now_at


@dataclass(frozen=True, slots=True)
class Window:
    """Which cases are read: filed before `until_at` and not ended before `since_at`, as all was known at `horizon`."""

    since_at: datetime
    until_at: datetime
    horizon: datetime
    through_id: int


def batch(session: Session, window: Window, after_id: int, limit: int = BATCH_SIZE) -> list[CaseHistory]:
    """The next cases in the order of their ids, with all that a rehearsal needs of them (seven statements)."""
    rows = session.execute(
        CASES,
        {
            "after": after_id,
            "through": window.through_id,
            "since_at": window.since_at,
            "until_at": window.until_at,
            "limit": limit,
        },
    ).all()
    if not rows:
        return []
    of_cases = {"case_ids": [row.id for row in rows], "horizon": window.horizon}
    clocks = session.execute(CLOCKS, of_cases).all()
    of_clocks = {"deadline_ids": [clock.id for clock in clocks], "horizon": window.horizon}
    pauses = _grouped(session.execute(_PAUSES, of_clocks).all(), "deadline_id")
    extended = {row.deadline_id: row.decided_at for row in session.execute(_EXTENSIONS, of_clocks)}
    climbed = _grouped(session.execute(CLIMBED, of_cases).all(), "deadline_id")
    moves = _grouped(session.execute(_MOVES, of_cases).all(), "case_id")
    accused = _grouped(session.execute(_ACCUSED, of_cases).all(), "case_id")
    by_case: dict[int, list[Clock]] = defaultdict(list)
    tiers: dict[int, str] = {}
    for row in clocks:
        tier = tiers[row.case_id] = TIER_OF_MAIN_CLOCK.get(row.kind, tiers.get(row.case_id, "gro"))
        rungs = {each.level: each.at for each in climbed[row.id]}
        by_case[row.case_id].append(_clock(row, pauses[row.id], extended.get(row.id), rungs, tier, window.horizon))
    return [_history(row, by_case[row.id], moves[row.id], accused[row.id]) for row in rows]


def _clock(
    row: Row[Any],
    pauses: Sequence[Row[Any]],
    extended_at: datetime | None,
    climbed: Mapping[int, datetime],
    tier: str,
    horizon: datetime,
) -> Clock:
    is_ended = row.met_at is not None and row.met_at <= horizon
    return Clock(
        id=row.id,
        facts=ClockFacts(
            kind=row.kind,
            started_at=row.started_at,
            ended_at=row.met_at if is_ended else None,
            pauses=tuple(Pause(each.from_at, each.until_at, each.reason) for each in pauses),
            extension_days=row.extension_days,
            extended_at=extended_at,
        ),
        policy_id=row.policy_id,
        calendar_version=row.calendar_version,
        due_on=row.due_on,
        due_at=row.due_at,
        is_paused=row.state == "paused",
        tier=tier,
        climbed=climbed,
    )


def _history(
    row: Row[Any], clocks: Sequence[Clock], moves: Sequence[Row[Any]], accused: Sequence[Row[Any]]
) -> CaseHistory:
    now_at = Place(row.office_id, row.desk, row.assignee_id)
    return CaseHistory(
        id=row.id,
        tracking_number=row.tracking_number,
        is_sensitive=row.is_sensitive,
        programme=row.programme,
        category=row.category,
        priority=row.priority,
        accused=tuple(Accused(each.officer_id, each.office_id, each.post_id) for each in accused),
        moves=_places(moves, now_at),
        now_at=now_at,
        clocks=tuple(clocks),
    )


def _places(moves: Sequence[Row[Any]], now_at: Place) -> tuple[tuple[datetime, Place], ...]:
    """Where a case lay since when, by its history; the last place is the one the case row knows."""
    found: list[tuple[datetime, Place]] = []
    current: Place | None = None
    for event in moves:
        data = event.data
        if event.kind == "assigned" and current is not None:
            current = Place(current.office_id, current.desk, data.get("officer_id"))
        else:
            before = current or now_at
            current = Place(
                data.get("to_office_id", data.get("office_id", before.office_id)),
                data.get("to_desk", data.get("desk", before.desk)),
                data.get("officer_id"),
            )
        found.append((event.at, current))
    if found:
        found[-1] = (found[-1][0], now_at)
    return tuple(found)


def _grouped(rows: Sequence[Row[Any]], key: str) -> dict[int, list[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[getattr(row, key)].append(row)
    return found
