"""The one way an act on a case goes: load and lock what the actor may see, compare the version, decide, apply to the
row, write history, move the clocks, record the event. All in one transaction.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from grm.cases import history, lifecycle, queries
from grm.cases.models import Case
from grm.cases.permissions import CaseFacts
from grm.cases.states import Action
from grm.deadlines import policy
from grm.deadlines import queries as deadline_queries
from grm.deadlines import service as deadlines
from grm.deadlines.calendar import dhaka_date, end_of_day
from grm.kernel.actor import Actor
from grm.kernel.errors import Conflict, IllegalAction, NotFound
from grm.kernel.transaction import Act, transaction
from grm.offices.queries import directory


@dataclass(frozen=True, slots=True)
class Step:
    """An act that was allowed, on a case that is locked."""

    act: Act
    actor: Actor
    case: Case
    facts: CaseFacts
    verdict: lifecycle.Verdict

    @property
    def session(self) -> Session:
        """The session of the act."""
        return self.act.session

    @property
    def today(self) -> date:
        """The date in Dhaka."""
        return dhaka_date(self.act.now)

    def about(self) -> dict[str, Any]:
        """What every event says about the case (`grm/cases/events.py`)."""
        return {
            "case_id": self.case.id,
            "tracking_number": self.case.tracking_number,
            "is_sensitive": self.case.is_sensitive,
            "office_id": self.case.office_id,
            "desk": self.case.desk,
        }


@contextmanager
def acting(
    actor: Actor, tracking_number: str, version: int | None, action: Action, now: datetime | None = None
) -> Iterator[Step]:
    """Open an act on a case and commit it at the end.

    `version` is what the actor saw; None skips the comparison, for acts that do not depend on it. Raises `NotFound` for
    what the actor must not know of, `Conflict` for a stale version (with what happened since), `IllegalAction` with the
    reason for what cannot be done.
    """
    with transaction(now) as act:
        case, facts = queries.find_case(act.session, actor, tracking_number, for_update=True)
        if version is not None and version != case.version:
            raise Conflict("case-changed", changed=_changed(act.session, case, version))
        verdict = lifecycle.decide(facts, action, actor, act.now)
        if verdict.is_hidden:
            raise NotFound
        if not verdict.is_allowed:
            raise IllegalAction(verdict.why)
        yield Step(act, actor, case, facts, verdict)


def apply(
    step: Step,
    kind: str,
    data: Mapping[str, Any],
    texts: Mapping[str, str] | None = None,
    change: Mapping[str, Any] | None = None,
) -> None:
    """Write what was decided: status, version, clocks and history. `change` has further columns of the case row, which
    become what they are to be together with the status."""
    case, now, after = step.case, step.act.now, step.verdict.status
    assert after is not None
    before, facts = case.status, dict(data)
    case.status = after.value
    case.version += 1
    for name, value in (change or {}).items():
        setattr(case, name, value)
    for effect in step.verdict.effects:
        _EFFECTS[effect](step)
    if "renew" in step.verdict.effects:
        facts["due_on"] = case.due_on
    if case.status != before:
        facts |= {"status_from": before, "status_to": case.status}
    history.append(step.session, case, kind, step.actor, now, {**facts, "version": case.version}, texts)


def window_ends_on(step: Step, kind: str) -> date:
    """The last day of a dated limit that begins today: `answer` or `confirm` (grm/data/deadline_policies.csv)."""
    return ends_on(step.session, step.case, kind, step.today)


def ends_on(session: Session, case: Case, kind: str, today: date) -> date:
    """The last day of a limit of a case that begins on a Dhaka date. Raises `Misconfigured` where no policy fits."""
    facts = clock_facts(session, case).of_kind(kind)
    limit = policy.decide(deadline_queries.policies(session), facts, today).policy.limit
    return deadline_queries.calendar(session).add_working_days(today, limit)


def clock_facts(session: Session, case: Case) -> policy.CaseFacts:
    """What chooses the policies of a case's clocks."""
    entries = directory(session)
    return policy.CaseFacts(
        office_id=case.office_id,
        programme=entries.programme(case.programme_id).slug if case.programme_id is not None else None,
        category=entries.category(case.category_id).slug,
        priority=case.priority,
        tier=case.tier,
    )


def _acknowledge(step: Step) -> None:
    if step.case.acknowledged_at is None:
        step.case.acknowledged_at = step.act.now
        deadlines.meet(step.session, step.case.id, "acknowledge", step.act.now)


def _pause(step: Step) -> None:
    until = end_of_day(window_ends_on(step, "answer"))
    step.case.waiting_until = until
    main_clock = step.case.main_clock
    step.case.is_paused = deadlines.pause(step.session, step.case.id, step.act.now, until, "asked", main_clock)


def _resume(step: Step) -> None:
    step.case.waiting_until, step.case.is_paused = None, False
    due_on = deadlines.resume(step.session, step.case.id, step.act.now, step.case.main_clock)
    if due_on is not None:
        step.case.due_on, step.case.due_at = due_on, end_of_day(due_on)


def _stop(step: Step) -> None:
    step.case.ended_at = step.act.now
    _resume(step)
    deadlines.stop_all(step.session, step.case.id, step.act.now)


def _renew(step: Step) -> None:
    case, session, now = step.case, step.session, step.act.now
    deadlines.stop_all(session, case.id, now)
    for kind in deadlines.OUTLIVING_KINDS:  # who contests a decision knows of it
        deadlines.meet(session, case.id, kind, now)
    planned = deadlines.start(session, case.id, case.main_clock, clock_facts(session, case), now)
    case.due_on, case.due_at, case.level = planned.due_on, planned.due_at, 0


# The row is made whole first, the clocks follow: their statements flush it, and the database checks what is flushed.
_EFFECTS = {"acknowledge": _acknowledge, "pause": _pause, "resume": _resume, "renew": _renew, "stop": _stop}


def _changed(session: Session, case: Case, version: int) -> dict[str, Any]:
    lines = queries.events_of(session, case.id)
    since = queries.events_since(lines, version)
    return {
        "version": case.version,
        "seen": since[0].seq - 1 if since else case.history_length,
        "events": [{"kind": line.kind, "at": line.at, "seq": line.seq} for line in since],
    }
