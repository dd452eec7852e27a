"""The clocks of a case: planned when it is filed, met, paused, resumed and begun anew as it goes on.

Whoever calls these functions holds the case row locked and commits. A clock is paused only while it runs and is not
yet missed; a missed one stays missed, and `met_at` then says when the step was done after all.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy import insert as sql_insert
from sqlalchemy.orm import Session

from grm.deadlines import queries
from grm.deadlines.calendar import dhaka_date
from grm.deadlines.models import KINDS, Deadline, DeadlinePause
from grm.deadlines.policy import CaseFacts, Policy, decide
from grm.deadlines.reckoning import Pause, due
from grm.deadlines.rungs import Rung, first_rung, rung_instant
from grm.deadlines.seeding import seed

__all__ = ["CaseFacts", "Planned", "insert", "meet", "pause", "plan", "redate", "restart", "resume", "seed", "stop_all"]


@dataclass(frozen=True, slots=True)
class Planned:
    """A deadline not yet written: its column values, all but `id` and `case_id`."""

    kind: str
    epoch: int
    policy_id: int
    calendar_version: int
    started_at: datetime
    due_on: date
    due_at: datetime
    state: str
    next_level: int | None
    next_rung_at: datetime | None
    is_provisional: bool


def plan(
    session: Session, facts: CaseFacts, filed_at: datetime, kinds: Sequence[str] = KINDS, epoch: int = 1
) -> list[Planned]:
    """When each step of a case filed at this instant is due: one deadline for each kind, nothing written.

    Reads caches only. Policy and calendar are those in force; the policy is chosen by the Dhaka date of filing.
    Raises `Misconfigured` where no policy fits.
    """
    return [_plan_one(session, kind, facts, filed_at, epoch) for kind in kinds]


def insert(session: Session, case_id: int, planned: Iterable[Planned]) -> None:
    """Write planned deadlines of a case (one statement). Filing does this inside its own statement instead."""
    session.execute(sql_insert(Deadline), [{"case_id": case_id, **asdict(each)} for each in planned])


def meet(session: Session, case_id: int, kind: str, now: datetime) -> None:
    """The step is done: its clock ends, met if in time, else breached. Done already: nothing happens."""
    for clock in _live(session, case_id, kind):
        _end(session, clock, now)


def stop_all(session: Session, case_id: int, now: datetime) -> None:
    """The case has ended: all its clocks end, met if in time, else breached; nothing climbs any more."""
    for clock in _live(session, case_id):
        _end(session, clock, now)


def pause(session: Session, case_id: int, now: datetime, ends_by_at: datetime, reason: str) -> bool:
    """Stop the resolve clock while the complainant is asked, until `ends_by_at` at the latest.

    Returns False, and does nothing, where the clock does not run or its time is already over: an office that is late
    cannot mend that by asking. The rung it waits for is kept.
    """
    clock = _current(session, case_id, "resolve")
    if clock is None or clock.state != "running" or clock.due_at <= now:
        return False
    clock.state, clock.next_rung_at = "paused", None
    session.add(
        DeadlinePause(deadline_id=clock.id, from_at=now, until_at=None, ends_by_at=max(now, ends_by_at), reason=reason)
    )
    return True


def resume(session: Session, case_id: int, now: datetime) -> date | None:
    """Let the resolve clock go on and return the new due date; None if it stood not still.

    The pause ends at its automatic end where that has passed, however late the tick comes. The date is reckoned anew
    with the calendar of today; the caller writes it to the case row.
    """
    clock = _current(session, case_id, "resolve")
    if clock is None or clock.state != "paused":
        return None
    _resume(session, clock, now)
    return clock.due_on


def restart(session: Session, case_id: int, kind: str, facts: CaseFacts, started_at: datetime) -> Planned:
    """Begin a new epoch of a clock, as when a case is reopened or goes to another tier; an earlier one ends first.

    The ladder begins anew with it. Returns what was written.
    """
    epoch = 1
    for clock in session.scalars(_clocks(case_id, kind)).all():
        epoch = clock.epoch + 1
        if _is_live(clock):
            _end(session, clock, started_at)
    session.flush()
    planned = _plan_one(session, kind, facts, started_at, epoch)
    insert(session, case_id, [planned])
    return planned


def redate(session: Session, clock: Deadline, policy: Policy, pauses: Sequence[Pause]) -> bool:
    """Reckon a running clock anew with the calendar in force; True if the due date has moved."""
    calendar = queries.calendar(session)
    before = clock.due_on
    result = due(clock.started_at, policy.limit, policy.unit, pauses, calendar)
    clock.due_on, clock.due_at = result.due_on, result.due_at
    clock.calendar_version = calendar.version
    clock.is_provisional = calendar.is_provisional(result.due_on)
    rung = _rung(session, clock.kind, clock.next_level)
    clock.next_rung_at = rung_instant(rung, clock.due_on, calendar) if rung else None
    return clock.due_on != before


def _plan_one(session: Session, kind: str, facts: CaseFacts, started_at: datetime, epoch: int) -> Planned:
    calendar = queries.calendar(session)
    policy = decide(queries.policies(session), facts.of_kind(kind), dhaka_date(started_at)).policy
    result = due(started_at, policy.limit, policy.unit, (), calendar)
    rung = first_rung(queries.rungs(session), kind)
    return Planned(
        kind=kind,
        epoch=epoch,
        policy_id=policy.id,
        calendar_version=calendar.version,
        started_at=started_at,
        due_on=result.due_on,
        due_at=result.due_at,
        state="running",
        next_level=rung.level if rung else None,
        next_rung_at=rung_instant(rung, result.due_on, calendar) if rung else None,
        is_provisional=calendar.is_provisional(result.due_on),
    )


def _clocks(case_id: int, kind: str | None = None) -> Select[Deadline]:
    statement = select(Deadline).where(Deadline.case_id == case_id)
    if kind is not None:
        statement = statement.where(Deadline.kind == kind)
    return statement.order_by(Deadline.kind, Deadline.epoch).with_for_update().execution_options(populate_existing=True)


def _live(session: Session, case_id: int, kind: str | None = None) -> list[Deadline]:
    return [clock for clock in session.scalars(_clocks(case_id, kind)) if _is_live(clock)]


def _is_live(clock: Deadline) -> bool:
    """Whether the step is still to be done, in time or late."""
    return clock.state in ("running", "paused") or (clock.state == "breached" and clock.met_at is None)


def _current(session: Session, case_id: int, kind: str) -> Deadline | None:
    found: list[Deadline] = list(session.scalars(_clocks(case_id, kind)))
    return found[-1] if found else None


def _end(session: Session, clock: Deadline, now: datetime) -> None:
    if clock.state == "paused":
        _resume(session, clock, now)
    if clock.state == "running":
        is_late = clock.due_at <= now
        clock.state = "breached" if is_late else "met"
        clock.breached_at = clock.due_at if is_late else None
    clock.met_at = now
    clock.next_level = clock.next_rung_at = None


def _resume(session: Session, clock: Deadline, now: datetime) -> None:
    for row in session.scalars(
        select(DeadlinePause).where(DeadlinePause.deadline_id == clock.id, DeadlinePause.until_at.is_(None))
    ):
        row.until_at = max(row.from_at, min(now, row.ends_by_at))
    session.flush()
    policy = next(each for each in queries.policies(session) if each.id == clock.policy_id)
    pauses = queries.pauses_of(session, [clock.id]).get(clock.id, ())
    with session.no_autoflush:  # half changed, the row would not pass the database's checks
        clock.state = "running"
        redate(session, clock, policy, pauses)


def _rung(session: Session, kind: str, level: int | None) -> Rung | None:
    if level is None:
        return None
    return next((r for r in queries.rungs(session) if r.deadline_kind == kind and r.level == level), None)
