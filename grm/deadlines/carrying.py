"""A clock that goes on where another stood: with its start, its rule, its pauses and what was granted on top.

A duplicate that was filed earlier than its lead case hands its clock over; a case that is set apart again takes its own up. The
new epoch is reckoned from the same sources as the old, so its date explains itself; `begun_at` says since when there is it.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from grm.deadlines import queries
from grm.deadlines.models import Deadline, DeadlinePause
from grm.deadlines.reckoning import Pause, due
from grm.deadlines.rungs import rung_instant
from grm.deadlines.service import clocks_of_kind, end_clock, is_live, rung_of


def carry_on(
    session: Session,
    case_id: int,
    like: Deadline,
    now: datetime,
    *,
    state: str,
    next_level: int | None,
    since: Deadline | None = None,
    more_days: int = 0,
) -> Deadline:
    """Begin a new epoch of a case's clock that counts as `like` does, whosever that is; an epoch that is still live ends.

    `state` and `next_level` say where it stands on the ladder: what was told stands and is not told again. `like` has no pause
    that still stands. `since` is a clock of the case that ran in between: its pauses count too, and `more_days` that it was
    extended by. The calendar is the one in force, unless by that the clock would have run out already and did not:
    nobody becomes late by an announcement. The caller holds the case row locked and commits.
    """
    earlier = clocks_of_kind(session, case_id, like.kind)
    for clock in earlier:
        if is_live(clock):
            end_clock(session, clock, now)
    session.flush()
    policy = next(each for each in queries.policies(session) if each.id == like.policy_id)
    pauses = [*_pauses(session, like), *(_pauses(session, since, since.begun_at) if since else ())]
    calendar, extension = queries.calendar(session), like.extension_days + more_days
    result = due(like.started_at, policy.limit, policy.unit, pauses, calendar, extension_days=extension)
    if result.due_at < like.due_at and result.due_at <= now:
        calendar = queries.calendar_at(session, like.calendar_version)
        result = due(like.started_at, policy.limit, policy.unit, pauses, calendar, extension_days=extension)
    is_missed = state == "breached" and result.due_at <= now
    rung = rung_of(session, like.kind, next_level)
    clock = Deadline(
        case_id=case_id,
        kind=like.kind,
        epoch=earlier[-1].epoch + 1 if earlier else 1,
        policy_id=like.policy_id,
        calendar_version=calendar.version,
        started_at=like.started_at,
        begun_at=now,
        due_on=result.due_on,
        due_at=result.due_at,
        state="breached" if is_missed else "running",
        breached_at=result.due_at if is_missed else None,
        next_level=rung.level if rung else None,
        next_rung_at=rung_instant(rung, result.due_on, calendar) if rung else None,
        is_provisional=calendar.is_provisional(result.due_on),
        extension_days=extension,
    )
    session.add(clock)
    session.flush()
    session.add_all(
        DeadlinePause(
            deadline_id=clock.id,
            from_at=each.from_at,
            until_at=each.until_at,
            ends_by_at=each.until_at,
            reason=each.reason,
        )
        for each in pauses
    )
    session.flush()
    return clock


def _pauses(session: Session, clock: Deadline, from_at: datetime | None = None) -> list[Pause]:
    found = queries.pauses_of(session, [clock.id]).get(clock.id, ())
    return [each for each in found if each.until_at is not None and (from_at is None or each.from_at >= from_at)]
