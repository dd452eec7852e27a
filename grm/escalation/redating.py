"""A calendar that has changed moves the clocks that still run: old date, new date and why go into each history.

Only clocks that run and are not missed yet are dated anew: what has been missed and told stays so, and keeps the version of
the calendar it was reckoned with. Of missed ones the rungs still to come are timed anew. Paused clocks are reckoned with
the calendar of the day on which they go on. A run that was cut off is taken up by the next: a clock that has been dated
anew carries the new version and is not looked at again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from grm.cases import history
from grm.cases.models import Case
from grm.deadlines import queries, service
from grm.deadlines.calendar import Calendar
from grm.deadlines.models import CalendarDay, CalendarEdition, Deadline
from grm.deadlines.rungs import rung_instant
from grm.kernel.actor import SYSTEM, Actor
from grm.kernel.transaction import transaction

BATCH_SIZE = 500


@dataclass
class Redated:
    """What a run did: how many clocks were looked at, and how many now end later or earlier."""

    examined: int = 0
    later: int = 0
    earlier: int = 0


@dataclass(frozen=True, slots=True)
class _Move:
    case_id: int
    kind: str
    before: date
    after: date


_UPDATE_CASES = text(
    """
    UPDATE cases SET due_on = new.due_on, due_at = new.due_at
    FROM unnest(CAST(:ids AS bigint[]), CAST(:due_ons AS date[]), CAST(:due_ats AS timestamptz[]))
        AS new (id, due_on, due_at)
    WHERE cases.id = new.id
    """
)


def redate_open(actor: Actor = SYSTEM) -> Redated:
    """Bring all live clocks to the calendar in force, in batches of one transaction each."""
    with transaction() as act:
        calendar = queries.calendar(act.session)
        why = act.session.get_one(CalendarEdition, calendar.version).source
        stale = _stale_versions(act.session, calendar.version)
    done = Redated()
    for version, first_changed in stale:
        last_id: int | None = 0
        while last_id is not None:
            last_id = _redate_batch(done, calendar.version, version, first_changed, last_id, why, actor)
    return done


def _stale_versions(session: Session, present: int) -> list[tuple[int, date]]:
    """The versions that live clocks were reckoned with before, each with the first day that changed since."""
    found = []
    versions = session.scalars(
        select(Deadline.calendar_version)
        .where(Deadline.calendar_version < present, Deadline.next_rung_at.is_not(None))
        .distinct()
    )
    for version in versions.all():
        changed = session.scalars(
            select(CalendarDay.day)
            .where(or_(CalendarDay.added_in > version, CalendarDay.removed_in > version))
            .order_by(CalendarDay.day)
            .limit(1)
        ).first()
        found.append((version, changed or date.max))
    return found


def _redate_batch(
    done: Redated, present: int, version: int, first_changed: date, last_id: int, why: str, actor: Actor
) -> int | None:
    """Date one batch anew and return where to go on, None at the end. Case rows are locked first, as in every act."""
    with transaction() as act:
        session = act.session
        calendar = queries.calendar(session)
        found = session.execute(
            select(Deadline.id, Deadline.case_id)
            .where(
                Deadline.id > last_id,
                Deadline.calendar_version == version,
                Deadline.next_rung_at.is_not(None),
                or_(Deadline.due_on >= first_changed, Deadline.state == "breached", Deadline.is_provisional),
            )
            .order_by(Deadline.id)
            .limit(BATCH_SIZE)
        ).all()
        if not found or calendar.version != present:
            return None
        case_ids = {row.case_id for row in found}
        session.execute(select(Case.id).where(Case.id.in_(case_ids)).order_by(Case.id).with_for_update(key_share=True))
        clocks = session.scalars(
            select(Deadline)
            .where(Deadline.id.in_([row.id for row in found]), Deadline.next_rung_at.is_not(None))
            .order_by(Deadline.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).all()
        moves = _move(session, clocks, calendar, act.now)
        session.flush()
        _write(session, moves, clocks, calendar.version, why, actor, act.now)
        done.examined += len(clocks)
        done.later += sum(move.after > move.before for move in moves)
        done.earlier += sum(move.after < move.before for move in moves)
        return int(found[-1].id)


def _move(session: Session, clocks: Sequence[Deadline], calendar: Calendar, now: datetime) -> list[_Move]:
    policies = {policy.id: policy for policy in queries.policies(session)}
    rungs = {(rung.deadline_kind, rung.level): rung for rung in queries.rungs(session)}
    pauses = queries.pauses_of(session, [clock.id for clock in clocks])
    moves = []
    for clock in clocks:
        before = clock.due_on
        if clock.state == "running" and clock.due_at > now:
            if service.redate(session, clock, policies[clock.policy_id], pauses.get(clock.id, ())):
                moves.append(_Move(clock.case_id, clock.kind, before, clock.due_on))
        elif clock.next_level is not None:
            clock.next_rung_at = rung_instant(rungs[clock.kind, clock.next_level], clock.due_on, calendar)
    return moves


def _write(
    session: Session,
    moves: Sequence[_Move],
    clocks: Sequence[Deadline],
    version: int,
    why: str,
    actor: Actor,
    now: datetime,
) -> None:
    entries = [
        history.Entry(
            move.case_id,
            "redated",
            {
                "deadline_kind": move.kind,
                "from_due_on": move.before.isoformat(),
                "to_due_on": move.after.isoformat(),
                "calendar_version": version,
                "why": why,
            },
        )
        for move in moves
    ]
    history.append_many(session, entries, actor, now)
    moved = {move.case_id for move in moves if move.kind == "resolve"}
    rows = [clock for clock in clocks if clock.kind == "resolve" and clock.case_id in moved]
    if rows:
        session.execute(
            _UPDATE_CASES,
            {
                "ids": [clock.case_id for clock in rows],
                "due_ons": [clock.due_on for clock in rows],
                "due_ats": [clock.due_at for clock in rows],
            },
        )
