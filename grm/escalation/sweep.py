"""One pass over all missed deadlines: each climbs the rungs that are due, in order, exactly once.

A pass takes batches of deadlines under row locks and skips what others hold, so any number of passes may run at the same
time. A batch is one transaction with a constant number of statements. The unique key of an escalation makes the second
attempt a no-op: neither history nor messages follow from it. A row that cannot be processed stops nobody: its batch
is done again row by row, it is logged, and `/healthz` shows that it stays behind.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import structlog
from sqlalchemy import Row, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from grm.cases import history
from grm.deadlines import queries as deadline_queries
from grm.deadlines.calendar import dhaka_date
from grm.deadlines.models import MAIN_KINDS
from grm.deadlines.rungs import Rung
from grm.escalation import ladder
from grm.escalation.events import Climb, LadderClimbed
from grm.escalation.models import SweepRun
from grm.escalation.posts import Accused, Found, Posts
from grm.escalation.redating import bring_up_to_date
from grm.kernel import clock
from grm.kernel.actor import SYSTEM
from grm.kernel.transaction import Act, transaction
from grm.web.health import record_heartbeat

log = structlog.get_logger("grm.escalation")

BATCH_SIZE = 1_500
"""Large enough for less than a hundredth of a statement a case, small enough to hold its locks for a moment only."""

HEARTBEAT = "sweep"


@dataclass
class SweepResult:
    """What a pass did. `escalated` counts rungs by level, vacant ones included; `failed` rows stay due."""

    as_of: datetime
    warned: int = 0
    escalated: dict[int, int] = field(default_factory=lambda: {1: 0, 2: 0, 3: 0})
    vacant: int = 0
    failed: int = 0
    batches: int = 0
    duration_seconds: float = 0.0
    is_complete: bool = True
    now: datetime | None = None

    def add(self, climbs: Iterable[Climb]) -> None:
        """Count what a batch has climbed."""
        for climb in climbs:
            self.vacant += climb.is_vacant
            if climb.level == ladder.WARNING:
                self.warned += 1
            else:
                self.escalated[climb.level] = self.escalated.get(climb.level, 0) + 1

    def as_dict(self) -> dict[str, Any]:
        """The result as JSON can hold it."""
        return {
            "as_of": self.as_of.isoformat(),
            "warned": self.warned,
            "escalated": {str(level): count for level, count in sorted(self.escalated.items())},
            "vacant": self.vacant,
            "failed": self.failed,
            "duration_seconds": round(self.duration_seconds, 3),
        }

    @property
    def is_empty(self) -> bool:
        """Whether nothing was due."""
        return not (self.warned or self.failed or any(self.escalated.values()))


COLUMNS = """
    SELECT d.id, d.kind, d.epoch, d.due_on, d.due_at, d.state, d.breached_at, d.next_level, d.calendar_version, c.id AS case_id,
           c.tracking_number, c.office_id, c.desk, c.assignee_id, c.is_sensitive, c.has_accused, c.history_length,
           c.history_head
    FROM deadline AS d JOIN cases AS c ON c.id = d.case_id
"""
"""What must be known of a clock and its case to climb."""
_SELECT = f"""
    {COLUMNS}
    WHERE d.next_rung_at <= :as_of AND d.set_aside_at IS NULL AND {{which}}
    ORDER BY d.next_rung_at, d.id
    LIMIT :limit
    FOR NO KEY UPDATE OF d, c SKIP LOCKED
"""
DUE = text(_SELECT.format(which="d.id <> ALL(CAST(:failed AS bigint[]))"))
_ONE = text(_SELECT.format(which="d.id = :deadline_id"))
_AGAIN = text(_SELECT.format(which="d.id = ANY(CAST(:ids AS bigint[]))"))
_ACCUSED = text(
    "SELECT case_id, officer_id, office_id, post_id FROM accused WHERE case_id = ANY(CAST(:case_ids AS bigint[]))"
)
_INSERT = text(
    """
    INSERT INTO escalation (case_id, deadline_id, epoch, level, due_at, escalated_at, role, office_id, post_id,
                            officer_id, is_alternate, is_vacant, is_asked)
    SELECT case_id, deadline_id, epoch, level, due_at, :now, role, office_id, post_id, officer_id, is_alternate, is_vacant,
           is_asked
    FROM unnest(CAST(:case_ids AS bigint[]), CAST(:deadline_ids AS bigint[]), CAST(:epochs AS smallint[]),
                CAST(:levels AS smallint[]), CAST(:due_ats AS timestamptz[]), CAST(:roles AS text[]),
                CAST(:office_ids AS bigint[]), CAST(:post_ids AS bigint[]), CAST(:officer_ids AS bigint[]),
                CAST(:alternates AS boolean[]), CAST(:vacant AS boolean[]), CAST(:asked AS boolean[]))
        AS new (case_id, deadline_id, epoch, level, due_at, role, office_id, post_id, officer_id, is_alternate, is_vacant,
                is_asked)
    ON CONFLICT (case_id, deadline_id, epoch, level) DO NOTHING
    RETURNING deadline_id, level
    """
)
_ADVANCE = text(
    """
    UPDATE deadline SET state = new.state, breached_at = new.breached_at, next_level = new.level, next_rung_at = new.at
    FROM unnest(CAST(:ids AS bigint[]), CAST(:states AS text[]), CAST(:breached_ats AS timestamptz[]),
                CAST(:levels AS smallint[]), CAST(:ats AS timestamptz[])) AS new (id, state, breached_at, level, at)
    WHERE deadline.id = new.id
    """
)


def sweep(
    as_of: datetime | None = None,
    max_seconds: float = float("inf"),
    batch_size: int = BATCH_SIZE,
    now: datetime | None = None,
) -> SweepResult:
    """Climb everything due up to `as_of` (the database's present if not given) and return what was done.

    `now` is the instant that is written, for the demo, which plays the past; else the database's clock.

    A second pass at the same instant does nothing. After `max_seconds` the pass ends between two batches and the next one
    goes on. Only a pass over the present counts as a sign of life.
    """
    started = time.monotonic()
    with transaction(now) as act:
        started_at = act.now
    result = SweepResult(as_of or started_at, now=now)
    posts = Posts(dhaka_date(result.as_of))
    failed: set[int] = set()
    while True:
        taken = _pass_batch(result, posts, failed, batch_size)
        if taken < batch_size:
            break
        if time.monotonic() - started > max_seconds:
            result.is_complete = False
            break
    result.failed = len(failed)
    result.duration_seconds = time.monotonic() - started
    _record(result, started_at, is_present=as_of is None)
    return result


def _pass_batch(result: SweepResult, posts: Posts, failed: set[int], batch_size: int) -> int:
    """Process one batch, singly where it cannot be done at once; return how many deadlines were taken."""
    taken: list[int] = []
    parameters = {"as_of": result.as_of, "limit": batch_size, "failed": sorted(failed)}
    try:
        result.add(_climb_batch(DUE, parameters, posts, taken, result.now))
    except Exception as error:
        if not taken or _is_connection_lost(error):
            raise
        log.warning("a batch failed and is done row by row", rows=len(taken), error=type(error).__name__)
        for deadline_id in taken:
            _pass_single(result, posts, failed, deadline_id)
    result.batches += 1
    return len(taken)


def _pass_single(result: SweepResult, posts: Posts, failed: set[int], deadline_id: int) -> None:
    parameters = {"as_of": result.as_of, "limit": 1, "deadline_id": deadline_id}
    try:
        result.add(_climb_batch(_ONE, parameters, posts, [], result.now))
    except Exception as error:
        if _is_connection_lost(error):
            raise
        failed.add(deadline_id)
        log.error("a deadline cannot climb", deadline_id=deadline_id, error=type(error).__name__, exc_info=error)


def _is_connection_lost(error: Exception) -> bool:
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _climb_batch(
    statement: Any, parameters: dict[str, Any], posts: Posts, taken: list[int], now: datetime | None
) -> tuple[Climb, ...]:
    with transaction(now) as act:
        rows = act.session.execute(statement, parameters).all()
        taken += [row.id for row in rows]
        rows = _by_the_calendar_in_force(act, rows, parameters["as_of"])
        if not rows:
            return ()
        return climb_rows(act, rows, parameters["as_of"], posts)


def _by_the_calendar_in_force(act: Act, rows: Sequence[Row[Any]], as_of: datetime) -> Sequence[Row[Any]]:
    """Date anew what an earlier calendar says is due, and leave out what then is not: an announcement whose clocks are still
    being dated, or whose run was killed, makes nobody climb too early."""
    version = deadline_queries.calendar(act.session).version
    stale = [row.id for row in rows if row.calendar_version < version]
    if not stale or not bring_up_to_date(act, stale, as_of):
        return rows
    parameters = {"as_of": as_of, "limit": len(rows), "ids": [row.id for row in rows]}
    return act.session.execute(_AGAIN, parameters).all()


def climb_rows(
    act: Act, rows: Sequence[Row[Any]], as_of: datetime, posts: Posts, asked_level: int | None = None
) -> tuple[Climb, ...]:
    """Climb with locked rows (`COLUMNS`) what is due up to `as_of`; up to `asked_level` before its time, too. Returns what
    had not been climbed yet."""
    session = act.session
    posts.read(session, {row.office_id for row in rows})
    ascents = _Ascents(session, posts, as_of, _accused_of(session, rows), asked_level)
    climbs: list[Climb] = []
    advances: list[tuple[int, str, datetime | None, int | None, datetime | None]] = []
    for row in rows:
        steps, next_level, next_rung_at = ascents.of(row)
        is_missed = row.state == "breached" or row.due_at <= as_of
        breached_at = (row.breached_at or row.due_at) if is_missed else None
        advances.append((row.id, "breached" if is_missed else row.state, breached_at, next_level, next_rung_at))
        climbs += [_climb(row, step, found) for step, found in steps]
    new = _insert(session, climbs, act.now)
    _advance(session, advances)
    done = tuple(climb for climb in climbs if (climb.deadline_id, climb.level) in new)
    tips = {row.case_id: (row.tracking_number, history.Tip(row.history_length, row.history_head)) for row in rows}
    history.append_many(session, [_entry(climb) for climb in done], SYSTEM, act.now, locked=tips)
    if done:
        act.record(LadderClimbed(done))
    return done


class _Ascents:
    """The rungs that rows climb; rows alike in what decides share one answer."""

    def __init__(
        self,
        session: Session,
        posts: Posts,
        as_of: datetime,
        accused: dict[int, tuple[Accused, ...]],
        asked_level: int | None,
    ) -> None:
        self._rungs = deadline_queries.rungs(session)
        self._calendar = deadline_queries.calendar(session)
        self._posts = posts
        self._as_of = as_of
        self._accused = accused
        self._asked_level = asked_level
        self._known: dict[Any, Any] = {}

    def of(self, row: Row[Any]) -> tuple[list[tuple[ladder.Step, Found]], int | None, datetime | None]:
        """The steps to take now, each with who hears of it, and the rung to wait for."""
        accused = self._accused.get(row.case_id, ())
        where = (row.office_id, row.desk, row.assignee_id, accused)
        key = (row.kind, row.next_level, row.due_on, where)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._climb(row.kind, row.next_level, row.due_on, where)
        return known

    def _climb(
        self, kind: str, next_level: int, due_on: date, where: tuple[int, str, int | None, tuple[Accused, ...]]
    ) -> tuple[list[tuple[ladder.Step, Found]], int | None, datetime | None]:
        def found(rung: Rung) -> Found:
            return self._posts.find(rung.role, rung.level, *where)

        climb = ladder.climb(
            *(self._rungs, kind, next_level, due_on, self._calendar, self._as_of),
            is_vacant=lambda rung: found(rung).is_vacant,
            asked_level=self._asked_level,
        )
        return [(step, found(step.rung)) for step in climb.steps], climb.next_level, climb.next_rung_at


def _accused_of(session: Session, rows: Sequence[Row[Any]]) -> dict[int, tuple[Accused, ...]]:
    case_ids = [row.case_id for row in rows if row.has_accused]
    found: dict[int, tuple[Accused, ...]] = {}
    if case_ids:
        for row in session.execute(_ACCUSED, {"case_ids": case_ids}):
            found[row.case_id] = (*found.get(row.case_id, ()), Accused(row.officer_id, row.office_id, row.post_id))
    return found


def _climb(row: Row[Any], step: ladder.Step, found: Found) -> Climb:
    return Climb(
        case_id=row.case_id,
        tracking_number=row.tracking_number,
        is_sensitive=row.is_sensitive,
        deadline_id=row.id,
        kind=row.kind,
        epoch=row.epoch,
        level=step.rung.level,
        due_on=row.due_on,
        due_at=step.due_at,
        role=found.role,
        office_id=found.office_id,
        post_id=found.post_id,
        officer_id=found.officer_id,
        is_alternate=found.is_alternate,
        is_vacant=found.is_vacant,
        is_asked=step.is_asked,
    )


def _entry(climb: Climb) -> history.Entry:
    data: dict[str, Any] = {
        "deadline_kind": climb.kind,
        "due_on": climb.due_on.isoformat(),
        "officer_id": climb.officer_id,
        "post_id": climb.post_id,
        "is_gap": climb.is_vacant,
    }
    if climb.level == ladder.WARNING:
        return history.Entry(climb.case_id, "warned", data)
    data["level"] = climb.level
    if climb.is_asked:
        data["is_asked"] = True
    # A side clock reminds and escalates, but how high the case stands says how late its decision is.
    return history.Entry(climb.case_id, "escalated", data, level=climb.level if climb.kind in MAIN_KINDS else None)


def _insert(session: Session, climbs: Sequence[Climb], now: datetime) -> set[tuple[int, int]]:
    """Write the rungs; return (deadline, level) of those that were not there yet."""
    if not climbs:
        return set()
    rows = session.execute(
        _INSERT,
        {
            "now": now,
            "case_ids": [climb.case_id for climb in climbs],
            "deadline_ids": [climb.deadline_id for climb in climbs],
            "epochs": [climb.epoch for climb in climbs],
            "levels": [climb.level for climb in climbs],
            "due_ats": [climb.due_at for climb in climbs],
            "roles": [climb.role for climb in climbs],
            "office_ids": [climb.office_id for climb in climbs],
            "post_ids": [climb.post_id for climb in climbs],
            "officer_ids": [climb.officer_id for climb in climbs],
            "alternates": [climb.is_alternate for climb in climbs],
            "vacant": [climb.is_vacant for climb in climbs],
            "asked": [climb.is_asked for climb in climbs],
        },
    )
    return {(deadline_id, level) for deadline_id, level in rows}


def _advance(
    session: Session, advances: Sequence[tuple[int, str, datetime | None, int | None, datetime | None]]
) -> None:
    ids, states, breached_ats, levels, ats = (list(column) for column in zip(*advances, strict=True))
    session.execute(
        _ADVANCE, {"ids": ids, "states": states, "breached_ats": breached_ats, "levels": levels, "ats": ats}
    )


def _record(result: SweepResult, started_at: datetime, is_present: bool) -> None:
    """Note the pass: a row where it did something, and a sign of life if it looked at the present."""
    counts = result.as_dict()
    with transaction(result.now) as act:
        if not result.is_empty:
            finished_at = result.now or clock.now(act.session)
            run = SweepRun(as_of=result.as_of, started_at=started_at, finished_at=finished_at, counts=counts)
            act.session.add(run)
        if is_present:
            record_heartbeat(act.session, HEARTBEAT, act.now, **counts)
