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
from grm.deadlines.models import FILING_KINDS, Deadline, DeadlinePause
from grm.deadlines.policy import CaseFacts, Policy, decide
from grm.deadlines.reckoning import Pause, due
from grm.deadlines.rungs import Rung, first_rung, rung_instant
from grm.deadlines.seeding import seed

__all__ = [
    "CaseFacts",
    "Planned",
    "extend",
    "insert",
    "meet",
    "newest",
    "pause",
    "plan",
    "redate",
    "resume",
    "seed",
    "start",
    "stop_all",
]

OUTLIVING_KINDS = ("inform", "appeal_window")
"""The clocks that a decision starts; the end of the case's work does not end them."""
PAUSABLE_KINDS = ("resolve", "investigate", "appeal", "cell", "comply")
"""The clocks that stand still while the complainant is asked."""


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
    session: Session, facts: CaseFacts, filed_at: datetime, kinds: Sequence[str] = FILING_KINDS, epoch: int = 1
) -> list[Planned]:
    """When each of these steps is due if begun at this instant: one deadline for each kind, nothing written.

    Reads caches only. Policy and calendar are those in force; the policy is chosen by the Dhaka date of the instant.
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
    """The work on the case has ended: its clocks end, met if in time, else breached; nothing climbs any more.

    What a decision starts (`OUTLIVING_KINDS`) goes on: the complainant has still to be told, and may still appeal.
    """
    for clock in _live(session, case_id):
        if clock.kind not in OUTLIVING_KINDS:
            _end(session, clock, now)


def pause(
    session: Session, case_id: int, now: datetime, ends_by_at: datetime, reason: str, main_clock: str = "resolve"
) -> bool:
    """Stop the clocks of deciding and investigating while the complainant is asked, until `ends_by_at` at the latest.

    Returns whether the main clock of the case stands still now. A clock that does not run or is already missed is left
    alone: an office that is late cannot mend that by asking. The rung it waits for is kept.
    """
    is_main_paused = False
    for clock in _live(session, case_id):
        if clock.kind in PAUSABLE_KINDS and clock.state == "running" and clock.due_at > now:
            clock.state, clock.next_rung_at = "paused", None
            ends_at = max(now, ends_by_at)
            session.add(
                DeadlinePause(deadline_id=clock.id, from_at=now, until_at=None, ends_by_at=ends_at, reason=reason)
            )
            is_main_paused = is_main_paused or clock.kind == main_clock
    return is_main_paused


def resume(session: Session, case_id: int, now: datetime, main_clock: str = "resolve") -> date | None:
    """Let what stands still go on, and return the new due date of the main clock; None if it stood not still.

    The pause ends at its automatic end where that has passed, however late the tick comes. The dates are reckoned anew
    with the calendar of today; the caller writes the main one to the case row.
    """
    due_on = None
    for clock in _live(session, case_id):
        if clock.state == "paused":
            _resume(session, clock, now)
            if clock.kind == main_clock:
                due_on = clock.due_on
    return due_on


def start(session: Session, case_id: int, kind: str, facts: CaseFacts, at: datetime) -> Planned:
    """Begin a clock at an instant and return what was written; where one of the kind existed, a new epoch of it.

    An earlier one that is still live ends first, met or breached; the ladder begins anew. The policy is chosen by the Dhaka
    date on which the first of the kind began: a case that is reopened keeps to the rules under which it was filed.
    Raises `Misconfigured` where no policy fits.
    """
    earlier = session.scalars(_clocks(case_id, kind)).all()
    for clock in earlier:
        if _is_live(clock):
            _end(session, clock, at)
    session.flush()
    epoch = earlier[-1].epoch + 1 if earlier else 1
    policy_on = dhaka_date(earlier[0].started_at) if earlier else None
    planned = _plan_one(session, kind, facts, at, epoch, policy_on)
    insert(session, case_id, [planned])
    return planned


def extend(session: Session, clock: Deadline, days: int, now: datetime) -> bool:
    """Grant a clock more days, in the unit of its policy, and reckon its date anew with the calendar in force.

    Returns False, and does nothing, where the clock has ended or its time is over. One that stands still is left so; its
    date is reckoned again when it goes on.
    """
    if clock.state not in ("running", "paused") or (clock.state == "running" and clock.due_at <= now):
        return False
    state = clock.state
    clock.extension_days += days
    policy = next(each for each in queries.policies(session) if each.id == clock.policy_id)
    pauses = queries.pauses_of(session, [clock.id]).get(clock.id, ())
    with session.no_autoflush:  # half changed, the row would not pass the database's checks
        redate(session, clock, policy, [pause for pause in pauses if pause.until_at is not None])
        if state == "paused":
            clock.next_rung_at = None
    return True


def redate(session: Session, clock: Deadline, policy: Policy, pauses: Sequence[Pause]) -> bool:
    """Reckon a running clock anew with the calendar in force; True if the due date has moved."""
    calendar = queries.calendar(session)
    before = clock.due_on
    extension = clock.extension_days
    result = due(clock.started_at, policy.limit, policy.unit, pauses, calendar, extension_days=extension)
    clock.due_on, clock.due_at = result.due_on, result.due_at
    clock.calendar_version = calendar.version
    clock.is_provisional = calendar.is_provisional(result.due_on)
    rung = _rung(session, clock.kind, clock.next_level)
    clock.next_rung_at = rung_instant(rung, clock.due_on, calendar) if rung else None
    return clock.due_on != before


def newest(session: Session, case_id: int, kind: str) -> Deadline:
    """The clock of a kind that was begun last, locked. Raises IndexError for a kind the case has never had."""
    return session.scalars(_clocks(case_id, kind)).all()[-1]


def clocks_of_kind(session: Session, case_id: int, kind: str) -> Sequence[Deadline]:
    """All clocks of a kind that a case has had, the oldest first, locked."""
    return session.scalars(_clocks(case_id, kind)).all()


def end_clock(session: Session, clock: Deadline, now: datetime) -> None:
    """End a live clock, met if in time, else breached."""
    _end(session, clock, now)


def is_live(clock: Deadline) -> bool:
    """Whether the step is still to be done, in time or late."""
    return _is_live(clock)


def rung_of(session: Session, kind: str, level: int | None) -> Rung | None:
    """The rung of a kind's ladder at a level; None for none."""
    return _rung(session, kind, level)


def _plan_one(
    session: Session, kind: str, facts: CaseFacts, started_at: datetime, epoch: int, policy_on: date | None = None
) -> Planned:
    calendar = queries.calendar(session)
    policy = decide(queries.policies(session), facts.of_kind(kind), policy_on or dhaka_date(started_at)).policy
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
