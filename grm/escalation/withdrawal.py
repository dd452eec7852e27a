"""Escalations that a late holiday has overtaken: what nobody was told of is withdrawn, what was told stands.

Only who holds the outbox knows what was told, so it goes in two steps within one transaction: `DatesMoved` says which rungs
were climbed too early; the outbox withdraws what of them waits, and answers with the rungs of which nothing has left
(`RungsUntold`); those are withdrawn here. A rung is never withdrawn from under one that stands. The clock then goes on
in a new epoch at the lowest rung withdrawn, and a case's level falls back to the highest rung that still stands.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from grm.cases import history
from grm.deadlines import queries
from grm.deadlines.calendar import Calendar
from grm.deadlines.models import MAIN_KINDS, Deadline
from grm.deadlines.rungs import Rung, rung_instant
from grm.escalation import ladder
from grm.escalation.events import RungRef
from grm.escalation.models import Escalation, Redating
from grm.kernel.actor import SYSTEM
from grm.kernel.db import among
from grm.kernel.transaction import Act


class Moved(Protocol):
    """What was found too early, and by which change (`grm.escalation.events.DatesMoved`)."""

    @property
    def calendar_version(self) -> int: ...
    @property
    def why(self) -> str: ...


class Untold(Protocol):
    """The outbox's answer (`grm.notifications.events.RungsUntold`)."""

    @property
    def moved(self) -> Moved: ...
    @property
    def rungs(self) -> Sequence[RungRef]: ...
    @property
    def withdrawn_messages(self) -> int: ...


def too_early(
    made: Sequence[tuple[int, bool]], rungs: dict[int, Rung], due_on_instant: dict[int, datetime], at: datetime
) -> set[int]:
    """The levels among those made (level, is_vacant) whose time, by the new date, is still to come. Pure.

    A rung above an empty chair was due at the same instant as the chair's own.
    """
    found: set[int] = set()
    passed_at: datetime | None = None
    for level, is_vacant in sorted(made):
        if level not in rungs:
            continue
        due_at = due_on_instant[level] if passed_at is None else min(due_on_instant[level], passed_at)
        if due_at > at:
            found.add(level)
        passed_at = due_at if level > ladder.WARNING and is_vacant else None
    return found


def premature_rungs(
    session: Session, clocks: Sequence[Deadline], calendar: Calendar, at: datetime
) -> tuple[RungRef, ...]:
    """The rungs that these clocks have climbed and that, by their dates as they are now, are still to come."""
    known = queries.rungs(session)
    by_id = {clock.id: clock for clock in clocks}
    made: dict[int, list[Escalation]] = {}
    for row in session.scalars(
        select(Escalation)
        .where(
            Escalation.case_id == among({clock.case_id for clock in clocks}),
            Escalation.deadline_id == among(by_id),
            Escalation.withdrawn_at.is_(None),
        )
        .order_by(Escalation.id)
    ):
        made.setdefault(row.deadline_id, []).append(row)
    found: list[RungRef] = []
    for deadline_id, rows in made.items():
        clock = by_id[deadline_id]
        rungs = {rung.level: rung for rung in known if rung.deadline_kind == clock.kind}
        instants = {level: rung_instant(rung, clock.due_on, calendar) for level, rung in rungs.items()}
        # What the complainant brought forward had its time as soon as the date was missed.
        instants |= {row.level: clock.due_at for row in rows if row.is_asked and row.level in rungs}
        early = too_early([(row.level, row.is_vacant) for row in rows], rungs, instants, at)
        found += [
            RungRef(row.id, row.case_id, row.deadline_id, row.epoch, row.level) for row in rows if row.level in early
        ]
    return tuple(found)


def on_rungs_untold(act: Act, event: Untold) -> None:
    """Withdraw the rungs nobody was told of, down to the highest that stands; the rows are locked already."""
    session = act.session
    untold = {rung.escalation_id for rung in event.rungs}
    rows = session.execute(
        select(Escalation.id, Escalation.case_id, Escalation.deadline_id, Escalation.level)
        .where(
            Escalation.case_id == among({rung.case_id for rung in event.rungs}),
            Escalation.deadline_id == among({rung.deadline_id for rung in event.rungs}),
            Escalation.withdrawn_at.is_(None),
        )
        .order_by(Escalation.deadline_id, Escalation.level)
    ).all()
    standing: dict[int, int] = {}
    for row in rows:
        if row.id not in untold:
            standing[row.deadline_id] = max(row.level, standing.get(row.deadline_id, -1))
    gone = [row for row in rows if row.id in untold and row.level > standing.get(row.deadline_id, -1)]
    _note(act, event, len(gone))
    if not gone:
        return
    session.execute(
        update(Escalation)
        .where(Escalation.id == among([row.id for row in gone]))
        .values(withdrawn_at=act.now)
        .execution_options(synchronize_session=False)
    )
    lowest: dict[int, int] = {}
    for row in gone:
        lowest[row.deadline_id] = min(row.level, lowest.get(row.deadline_id, row.level))
    clocks = _begin_anew(session, lowest, event.moved.calendar_version)
    entries = [
        history.Entry(
            row.case_id,
            "escalation_withdrawn" if row.level > ladder.WARNING else "warning_withdrawn",
            {
                "deadline_kind": clocks[row.deadline_id].kind,
                "level": row.level,
                "due_on": clocks[row.deadline_id].due_on.isoformat(),
                "calendar_version": event.moved.calendar_version,
                "why": event.moved.why,
            },
        )
        for row in reversed(gone)
    ]
    history.append_many(session, entries, SYSTEM, act.now)
    _lower_levels(session, sorted({row.case_id for row in gone if clocks[row.deadline_id].kind in MAIN_KINDS}))


def _begin_anew(session: Session, lowest: dict[int, int], calendar_version: int) -> dict[int, Deadline]:
    """Let each clock go on in a new epoch, at the lowest of its withdrawn rungs."""
    calendar = queries.calendar_at(session, calendar_version)
    clocks = {clock.id: clock for clock in session.scalars(select(Deadline).where(Deadline.id == among(lowest)))}
    with session.no_autoflush:
        for clock in clocks.values():
            clock.epoch += 1
            clock.next_level = lowest[clock.id]
            set_next_rung(session, clock, calendar)
    session.flush()
    return clocks


def set_next_rung(session: Session, clock: Deadline, calendar: Calendar) -> None:
    """When the sweep must look at a clock again: at the rung it waits for, and not later than it can be missed."""
    rungs = {(rung.deadline_kind, rung.level): rung for rung in queries.rungs(session)}
    rung = rungs.get((clock.kind, clock.next_level)) if clock.next_level is not None else None
    if rung is None:
        clock.next_level = clock.next_rung_at = None
        return
    at = rung_instant(rung, clock.due_on, calendar)
    clock.next_rung_at = min(at, clock.due_at) if clock.state == "running" else at


_LOWER = text(
    """
    UPDATE cases SET level = least(cases.level, coalesce((
        SELECT max(e.level) FROM escalation AS e JOIN deadline AS d ON d.id = e.deadline_id
        WHERE e.case_id = cases.id AND e.withdrawn_at IS NULL AND d.kind = cases.main_clock AND d.met_at IS NULL), 0))
    WHERE id = ANY(CAST(:ids AS bigint[]))
    """
)


def _lower_levels(session: Session, case_ids: Sequence[int]) -> None:
    if case_ids:
        session.execute(_LOWER, {"ids": list(case_ids)})


def _note(act: Act, event: Untold, escalations: int) -> None:
    """Count what was withdrawn in the record of the act."""
    act.session.execute(
        update(Redating)
        .where(Redating.calendar_version == event.moved.calendar_version)
        .values(
            withdrawn_escalations=Redating.withdrawn_escalations + escalations,
            withdrawn_messages=Redating.withdrawn_messages + event.withdrawn_messages,
        )
        .execution_options(synchronize_session=False)
    )
