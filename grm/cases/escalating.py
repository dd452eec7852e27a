"""The complainant of a late case asks to have it sent higher now. What climbs is the ladder's own next rung
(`grm/escalation/asked.py`), so that the sweep and the complainant never do the same twice."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, cast, exists, select

from grm.cases import events
from grm.cases.models import CaseEvent
from grm.cases.spine import Step, acting, apply
from grm.cases.states import Action
from grm.deadlines.models import Deadline
from grm.kernel.actor import Actor
from grm.kernel.errors import IllegalAction

LOWEST_ASKED = 1
"""Nobody asks for a reminder: if the sweep has not even come to that, the first rung above it is asked for."""


def offered_level(next_level: int) -> int:
    """The rung that is asked for where the clock climbs `next_level` next."""
    return max(next_level, LOWEST_ASKED)


def escalate_case(
    actor: Actor,
    tracking_number: str,
    level: int | None = None,
    *,
    version: int | None = None,
    now: datetime | None = None,
) -> int:
    """Have a late case climb its next rung now, once under each clock; returns the version.

    `level` is the rung that the page offered: where the sweep has climbed it meanwhile there is nothing left to do, and
    nothing is. Errors as in `service.py`, with the reasons `not-late-yet`, `asked-before` and `at-the-top`.
    """
    with acting(actor, tracking_number, version, Action.ESCALATE, now) as step:
        clock = _clock(step)
        if clock.next_level is None or clock.set_aside_at is not None:
            raise IllegalAction("at-the-top")
        wanted = offered_level(clock.next_level)
        if level is not None and level < wanted:
            return step.case.version
        if _was_asked(step, clock):
            raise IllegalAction("asked-before")
        data = {
            "deadline_kind": clock.kind,
            "deadline_id": clock.id,
            "epoch": clock.epoch,
            "level": wanted,
            "due_on": clock.due_on,
        }
        apply(step, "escalation_asked", data, change={"asked_higher_at": step.act.now})
        step.act.record(events.EscalationAsked(**step.about(), deadline_id=clock.id, level=wanted))
        return step.case.version


def _clock(step: Step) -> Deadline:
    """The main clock as it is now, locked: what was read with the case may be older than the lock on it."""
    statement = (
        select(Deadline)
        .where(Deadline.case_id == step.case.id, Deadline.kind == step.case.main_clock)
        .order_by(Deadline.epoch.desc())
        .limit(1)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return step.session.scalars(statement).one()


def _was_asked(step: Step, clock: Deadline) -> bool:
    found = exists().where(
        CaseEvent.case_id == step.case.id,
        CaseEvent.kind == "escalation_asked",
        cast(CaseEvent.data["deadline_id"].astext, BigInteger) == clock.id,
        cast(CaseEvent.data["epoch"].astext, Integer) == clock.epoch,
    )
    return bool(step.session.execute(select(found)).scalar_one())
