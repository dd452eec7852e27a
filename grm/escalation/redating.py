"""A calendar that has changed moves the clocks: one recorded act for each announcement, old date, new date and why in
each history.

Every clock that is not met is dated anew, running or missed; a paused one is reckoned when it goes on. What had been
escalated too early by the new calendar is withdrawn where nobody was told of it yet (`grm/escalation/withdrawal.py`);
what was told stands, and the date moves all the same. Nobody becomes late by an announcement: a clock that a shorter
reckoning would have ended already keeps its date and the calendar it was reckoned with.

The act is a row of `redating`; its batches are one transaction each and move the row's mark along. A run that was cut off
goes on after the mark, whoever takes it up; two runs at once take turns. Until it is through, the sweep dates a clock
anew before it climbs (`bring_up_to_date`), so no rung is climbed by an old calendar, whatever was killed.
"""

import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from grm.cases import history
from grm.cases.models import Case
from grm.deadlines import queries
from grm.deadlines.calendar import Calendar, dhaka_date
from grm.deadlines.models import CalendarDay, CalendarEdition, Deadline
from grm.deadlines.reckoning import Due, Pause, due
from grm.escalation.events import DatesMoved
from grm.escalation.models import Redating
from grm.escalation.withdrawal import premature_rungs, set_next_rung
from grm.kernel import audit
from grm.kernel.actor import SYSTEM, Actor
from grm.kernel.db import among
from grm.kernel.transaction import Act, transaction

log = structlog.get_logger("grm.escalation")

BATCH_SIZE = 500
WINDOW = 50_000
"""How many ids one statement looks through: it stays fast also where a million met clocks lie between two live ones."""
SETTLED_AFTER = timedelta(seconds=10)
"""How long after an announcement another process may still plan by the old calendar (its cache lives two seconds); a pass
begun later sees the clocks of all of them."""
MOST_DAYS_NAMED = 10


@dataclass
class Redated:
    """What a run did: clocks looked at, how many now end later or earlier, were kept from becoming late in retrospect, or
    could not be dated; and what was withdrawn. `by_kind` counts the moves of each kind of clock."""

    examined: int = 0
    later: int = 0
    earlier: int = 0
    kept: int = 0
    failed: int = 0
    withdrawn_escalations: int = 0
    withdrawn_messages: int = 0
    is_complete: bool = True
    by_kind: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Changed:
    """A day that is something else than it was: by what name, and whether offices are shut on it now."""

    on: date
    name_bn: str
    name_en: str
    is_off: bool


@dataclass(frozen=True, slots=True)
class Source:
    """The calendar to date by, whose word it is, and what changed since each earlier version, in order of days."""

    calendar: Calendar
    why: str
    changed: dict[int, tuple[Changed, ...]]

    def first_changed(self, version: int) -> date:
        """The first day that is not as it was in an earlier version; `date.max` if none."""
        days = self.changed.get(version, ())
        return days[0].on if days else date.max


@dataclass(frozen=True, slots=True)
class Move:
    """One clock whose date has moved."""

    clock: Any
    before: date
    after: date
    version_before: int


def redate_open(actor: Actor = SYSTEM, max_seconds: float = float("inf")) -> Redated:
    """Bring all clocks to the calendar in force, or go on where an earlier run was cut off; in batches.

    After `max_seconds` it ends between two batches, and the next run goes on. Done already: nothing happens.
    """
    ends = time.monotonic() + max_seconds
    with transaction() as act:
        begun = _begin(act, actor)
        source = source_of(act.session, begun[1]) if begun else None
    done = Redated()
    if begun is None or source is None:
        return done
    before = _counts(begun[0])
    while _pass_batch(done, begun[0], source, actor):
        if time.monotonic() > ends:
            done.is_complete = False
            break
    after = _counts(begun[0])
    done.withdrawn_escalations, done.withdrawn_messages = (new - old for new, old in zip(after, before, strict=True))
    return done


def is_pending(session: Session) -> bool:
    """Whether clocks are still to be dated by the calendar in force (two index look-ups)."""
    newest = select(func.max(CalendarEdition.id)).scalar_subquery()
    finished = select(Redating.id).where(Redating.calendar_version == newest, Redating.finished_at.is_not(None))
    return session.execute(finished).first() is None


def source_of(session: Session, version: int) -> Source:
    """The calendar of a version, and how it differs from each one before (four statements)."""
    columns = (CalendarDay.day, CalendarDay.kind, CalendarDay.name_bn, CalendarDay.name_en)
    rows = session.execute(select(*columns, CalendarDay.added_in, CalendarDay.removed_in)).all()

    def in_force(at: int) -> dict[date, Any]:
        return {row.day: row for row in rows if row.added_in <= at and (row.removed_in or at + 1) > at}

    calendar = queries.calendar_at(session, version)
    after = in_force(version)
    changed = {}
    for old in session.scalars(select(CalendarEdition.id).where(CalendarEdition.id < version)).all():
        before = in_force(old)
        changed[old] = tuple(
            Changed(on, row.name_bn, row.name_en, not calendar.is_working_day(on))
            for on in sorted(before.keys() | after.keys())
            if (row := after.get(on) or before[on]) and _kind(before.get(on)) != _kind(after.get(on))
        )
    why = session.execute(select(CalendarEdition.source).where(CalendarEdition.id == version)).scalar_one()
    return Source(calendar, why, changed)


def _kind(row: Any) -> str | None:
    return row.kind if row is not None else None


def forecast(session: Session, source: Source, at: datetime) -> Redated:
    """What a run by this calendar would move, without moving anything; the calendar need not be announced yet."""
    policies = {policy.id: policy for policy in queries.policies(session)}
    done, ids, through, is_last = Redated(), list[int](), 0, False
    columns = select(
        *(Deadline.id, Deadline.kind, Deadline.policy_id, Deadline.started_at, Deadline.extension_days),
        *(Deadline.due_on, Deadline.due_at),
    )
    while not is_last:
        through, is_last = _find(session, through, source, ids)
        pauses = queries.pauses_of(session, ids)
        for row in session.execute(columns.where(Deadline.id == among(ids)).order_by(Deadline.id)):
            policy = policies[row.policy_id]
            result = reckoned(row, policy.limit, policy.unit, pauses.get(row.id, ()), source.calendar)
            if is_late_in_retrospect(row.due_at, result.due_at, at):
                _tally(done, ["kept"])
            else:
                _tally(done, [Move(row, row.due_on, result.due_on, 0)] if result.due_on != row.due_on else ["same"])
        ids.clear()
    return done


def bring_up_to_date(act: Act, deadline_ids: Collection[int], at: datetime) -> int:
    """Date some live clocks anew, whose rows and cases the caller has locked; how many moved.

    For the sweep: `at` is the instant it climbs up to.
    """
    version = act.session.execute(select(func.max(CalendarEdition.id))).scalar_one()
    source = source_of(act.session, version)
    return sum(isinstance(each, Move) for each in _redate(act, deadline_ids, source, SYSTEM, at))


def _begin(act: Act, actor: Actor) -> tuple[int, int] | None:
    """The id and version of the run to do, None if the newest calendar is done. Runs it overtakes end here."""
    session = act.session
    edition = session.scalars(select(CalendarEdition).order_by(CalendarEdition.id.desc()).limit(1)).first()
    if edition is None:
        return None
    run = {
        "calendar_version": edition.id,
        "why": edition.source,
        "actor_kind": actor.kind,
        "actor_id": actor.officer_id,
        "begun_at": act.now,
        "pass_begun_at": act.now,
    }
    statement = pg_insert(Redating).values(run).on_conflict_do_nothing(index_elements=["calendar_version"])
    new_id = session.execute(statement.returning(Redating.id)).scalar_one_or_none()
    if new_id is not None:
        overtaken = update(Redating).where(Redating.id != new_id, Redating.finished_at.is_(None))
        session.execute(overtaken.values(finished_at=act.now))
        audit.record(session, "calendar", "redating-begun", actor, act.now, version=edition.id, why=edition.source)
    found = session.execute(
        select(Redating.id, Redating.finished_at).where(Redating.calendar_version == edition.id)
    ).one()
    return None if found.finished_at is not None else (found.id, edition.id)


def _counts(run_id: int) -> tuple[int, int]:
    with transaction() as act:
        run = act.session.get_one(Redating, run_id, populate_existing=True)
        return run.withdrawn_escalations, run.withdrawn_messages


def _pass_batch(done: Redated, run_id: int, source: Source, actor: Actor) -> bool:
    """Do one batch, singly where it cannot be done at once; False at the end. Who dies in it leaves the mark where it was."""
    ids: list[int] = []
    try:
        return _batch(done, run_id, source, actor, ids)
    except Exception as error:
        if not ids or (isinstance(error, DBAPIError) and error.connection_invalidated):
            raise
        log.warning("a batch cannot be dated anew and is done clock by clock", error=type(error).__name__)
        failed = [each for each in ids if not _alone(done, each, source, actor)]
        with transaction() as act:
            run = act.session.get_one(Redating, run_id, populate_existing=True, with_for_update=True)
            run.done_through_id = max(run.done_through_id, ids[-1])
            run.failed += len(failed)
        return True


def _alone(done: Redated, deadline_id: int, source: Source, actor: Actor) -> bool:
    try:
        with transaction() as act:
            found = _redate(act, [deadline_id], source, actor, act.now)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        log.error("a clock cannot be dated anew", deadline_id=deadline_id, exc_info=error)
    except Exception as error:
        log.error("a clock cannot be dated anew", deadline_id=deadline_id, exc_info=error)
    else:
        _tally(done, found)
        return True
    done.failed += 1
    return False


def _batch(done: Redated, run_id: int, source: Source, actor: Actor, ids: list[int]) -> bool:
    with transaction() as act:
        session = act.session
        run = session.get_one(Redating, run_id, populate_existing=True, with_for_update=True)
        newest = session.execute(select(func.max(CalendarEdition.id))).scalar_one()
        if run.finished_at is not None or newest != run.calendar_version:
            return False
        through, is_last = _find(session, run.done_through_id, source, ids)
        found = _redate(act, ids, source, actor, act.now)
        tally = Redated()
        _tally(tally, found)
        run.done_through_id = through
        run.examined, run.later = run.examined + tally.examined, run.later + tally.later
        run.earlier, run.kept = run.earlier + tally.earlier, run.kept + tally.kept
        if is_last:
            _end_pass(act, run, actor)
    _tally(done, found)
    return not is_last


def _end_pass(act: Act, run: Redating, actor: Actor) -> None:
    """All clocks are seen. A pass that began while others may still have planned by the old calendar, or that left clocks
    behind, is gone over again by the next run."""
    announced_at = act.session.get_one(CalendarEdition, run.calendar_version).created_at
    if run.failed or run.pass_begun_at < announced_at + SETTLED_AFTER:
        run.pass_begun_at, run.done_through_id = act.now, 0
        run.examined, run.kept, run.failed = run.examined - run.kept, 0, 0  # the next pass looks at these again
        return
    run.finished_at = act.now
    audit.record(
        act.session,
        "calendar",
        "redating-finished",
        actor,
        act.now,
        version=run.calendar_version,
        **{name: getattr(run, name) for name in ("examined", "later", "earlier", "kept", "failed")},
        withdrawn_escalations=run.withdrawn_escalations,
        withdrawn_messages=run.withdrawn_messages,
    )


def _find(session: Session, after_id: int, source: Source, ids: list[int]) -> tuple[int, bool]:
    """Collect the next stale clocks that the change can touch; how far was looked, and whether that is the end."""
    last = session.execute(select(func.max(Deadline.id))).scalar_one() or 0
    through = after_id
    while through < last and not ids:
        ids += session.scalars(affected(source).where(Deadline.id > through, Deadline.id <= through + WINDOW))
        through = ids[-1] if len(ids) == BATCH_SIZE else min(through + WINDOW, last)
    return through, through >= last


def affected(source: Source) -> Any:
    """The ids of a batch of live clocks that were reckoned with an earlier calendar and may move, in order."""
    versions = sorted(source.changed)
    before = (
        func.unnest(
            text("CAST(:versions AS bigint[])").bindparams(versions=versions),
            text("CAST(:firsts AS date[])").bindparams(firsts=[source.first_changed(each) for each in versions]),
        )
        .table_valued("version", "first_changed")
        .render_derived()
    )
    return (
        select(Deadline.id)
        .join(before, before.c.version == Deadline.calendar_version)
        .where(
            Deadline.met_at.is_(None),
            Deadline.state.in_(("running", "breached")),
            or_(
                Deadline.due_on >= before.c.first_changed,
                Deadline.state == "breached",
                Deadline.is_provisional,
            ),
        )
        .order_by(Deadline.id)
        .limit(BATCH_SIZE)
    )


def _tally(done: Redated, found: Sequence[Move | str]) -> None:
    done.examined += len(found)
    done.kept += found.count("kept")
    moves = [each for each in found if isinstance(each, Move)]
    done.later += sum(move.after > move.before for move in moves)
    done.earlier += sum(move.after < move.before for move in moves)
    done.by_kind.update(move.clock.kind for move in moves)


def _redate(act: Act, deadline_ids: Collection[int], source: Source, actor: Actor, at: datetime) -> list[Move | str]:
    """Date clocks anew. Case rows are locked first and in order of their ids, as in every act; then the clocks."""
    session = act.session
    if not deadline_ids:
        return []
    case_ids = select(Deadline.case_id).where(Deadline.id == among(deadline_ids))
    session.execute(select(Case.id).where(Case.id.in_(case_ids)).order_by(Case.id).with_for_update(key_share=True))
    clocks = session.scalars(
        select(Deadline)
        .where(
            Deadline.id == among(deadline_ids), Deadline.met_at.is_(None), Deadline.state.in_(("running", "breached"))
        )
        .order_by(Deadline.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    policies = {policy.id: policy for policy in queries.policies(session)}
    pauses = queries.pauses_of(session, [clock.id for clock in clocks])
    found: list[Move | str] = []
    moved_to: dict[int, Due] = {}
    for clock in clocks:
        policy = policies[clock.policy_id]
        result = reckoned(clock, policy.limit, policy.unit, pauses.get(clock.id, ()), source.calendar)
        if is_late_in_retrospect(clock.due_at, result.due_at, at):
            found.append("kept")
            continue
        moved_to[clock.id] = result
        before, version = clock.due_on, clock.calendar_version
        with session.no_autoflush:  # half changed, the row would not pass the database's checks
            _apply(session, clock, result, source.calendar, at)
        found.append(Move(clock, before, clock.due_on, version) if clock.due_on != before else "same")
    session.flush()
    moves = [each for each in found if isinstance(each, Move)]
    _record(act, moves, source, actor)
    rungs = premature_rungs(session, [clock for clock in clocks if clock.id in moved_to], source.calendar, at)
    if rungs:
        act.record(DatesMoved(rungs, source.calendar.version, source.why, at))
    return found


def reckoned(clock: Any, limit: int, unit: Any, pauses: Sequence[Pause], calendar: Calendar) -> Due:
    """When a stored clock is due by a calendar; pauses that stand are left out."""
    ended = [pause for pause in pauses if pause.until_at is not None]
    return due(clock.started_at, limit, unit, ended, calendar, extension_days=clock.extension_days)


def is_late_in_retrospect(due_at: datetime, new_due_at: datetime, at: datetime) -> bool:
    """Whether a shorter reckoning would end a clock before `at`: nobody becomes late, or later, by an announcement."""
    return new_due_at < due_at and new_due_at <= at


def _apply(session: Session, clock: Deadline, result: Due, calendar: Calendar, at: datetime) -> None:
    clock.due_on, clock.due_at = result.due_on, result.due_at
    clock.calendar_version = calendar.version
    clock.is_provisional = calendar.is_provisional(result.due_on)
    if clock.state == "breached":
        is_missed = result.due_at <= at
        clock.state = "breached" if is_missed else "running"
        clock.breached_at = result.due_at if is_missed else None
        if not is_missed and clock.next_level is None:
            # Told up to the top, and not missed after all: the sweep must still look when it is. A rung that stands is not
            # climbed twice.
            levels = [rung.level for rung in queries.rungs(session) if rung.deadline_kind == clock.kind]
            clock.next_level = max(levels, default=None)
    set_next_rung(session, clock, calendar)


_UPDATE_CASES = text(
    """
    UPDATE cases SET due_on = new.due_on, due_at = new.due_at
    FROM unnest(CAST(:ids AS bigint[]), CAST(:kinds AS text[]), CAST(:due_ons AS date[]),
                CAST(:due_ats AS timestamptz[])) AS new (id, kind, due_on, due_at)
    WHERE cases.id = new.id AND cases.main_clock = new.kind
    """
)


def _record(act: Act, moves: Sequence[Move], source: Source, actor: Actor) -> None:
    """Write each move into the history of its case, and the new date of a main clock into its row."""
    if not moves:
        return
    entries = [
        history.Entry(
            move.clock.case_id,
            "redated",
            {
                "deadline_kind": move.clock.kind,
                "from_due_on": move.before.isoformat(),
                "to_due_on": move.after.isoformat(),
                "calendar_version": source.calendar.version,
                "why": source.why,
                "days": _days_named(move, source),
            },
        )
        for move in moves
    ]
    history.append_many(act.session, entries, actor, act.now)
    act.session.execute(
        _UPDATE_CASES,
        {
            "ids": [move.clock.case_id for move in moves],
            "kinds": [move.clock.kind for move in moves],
            "due_ons": [move.clock.due_on for move in moves],
            "due_ats": [move.clock.due_at for move in moves],
        },
    )


def _days_named(move: Move, source: Source) -> list[dict[str, Any]]:
    """The days that moved a clock: which are off or worked now and were not before."""
    first, last = dhaka_date(move.clock.started_at), max(move.before, move.after)
    days = [each for each in source.changed.get(move.version_before, ()) if first <= each.on <= last]
    return [{**asdict(each), "on": each.on.isoformat()} for each in days[:MOST_DAYS_NAMED]]
