"""Directions of the Cabinet Division: what the office that holds a case is to do, and to answer by a date. Acts like those of
`grm/cases/service.py`, by the same spine and with the same errors.

A direction has a clock of its own (`direct`), beside the main one. It follows the case to another office; where the case ends
or rises to another tier it is overtaken. An office does not end a case over an open one (`lifecycle`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Label, and_, func, select

from grm.cases import events
from grm.cases.content import SHORTEST_REPLY, Content
from grm.cases.models import Case, Direction
from grm.cases.spine import acting, apply, clock_facts
from grm.cases.states import Action
from grm.deadlines import service as deadlines
from grm.deadlines.models import Deadline
from grm.kernel.actor import Actor

KIND = "direct"


def direct_case(
    actor: Actor, tracking_number: str, version: int | None, direction: str, *, now: datetime | None = None
) -> int:
    """The cell directs the office that holds the case to do something and to answer; one direction at a time."""
    content = Content()
    text = content.text("direction", direction, shortest=SHORTEST_REPLY)
    with acting(actor, tracking_number, version, Action.DIRECT, now) as step:
        content.check()
        assert actor.officer_id is not None
        case, session = step.case, step.session
        planned = deadlines.start(session, case.id, KIND, clock_facts(session, case), step.act.now)
        apply(step, "directed", {"due_on": planned.due_on, "epoch": planned.epoch}, {"direction": text})
        session.add(
            Direction(
                case_id=case.id,
                seq=case.history_length,
                epoch=planned.epoch,
                issued_by_id=actor.officer_id,
                issued_at=step.act.now,
            )
        )
        step.act.record(events.CaseDirected(**step.about(), officer_id=case.assignee_id, due_on=planned.due_on))
        return case.version


def answer_direction(
    actor: Actor, tracking_number: str, version: int | None, report: str, *, now: datetime | None = None
) -> int:
    """The office answers the direction that is open: what it has done. Who gave it is told."""
    content = Content()
    text = content.text("report", report, shortest=SHORTEST_REPLY)
    with acting(actor, tracking_number, version, Action.ANSWER_DIRECTION, now) as step:
        content.check()
        case, session = step.case, step.session
        is_open = (Direction.case_id == case.id, Direction.ended_at.is_(None))
        found = session.scalars(select(Direction).where(*is_open).with_for_update()).one()
        deadlines.meet(session, case.id, KIND, step.act.now)
        apply(step, "direction_answered", {"directed_seq": found.seq}, {"report": text})
        found.ended_at, found.how, found.answered_seq = step.act.now, "answered", case.history_length
        step.act.record(events.DirectionAnswered(**step.about(), officer_id=found.issued_by_id))
        return case.version


_CLOCK = and_(Deadline.case_id == Direction.case_id, Deadline.kind == KIND, Deadline.epoch == Direction.epoch)


@dataclass(frozen=True, slots=True)
class Shown:
    """A direction as the case page shows it; its words are texts of the events."""

    seq: int
    due_on: date
    how: str | None
    answered_seq: int | None


def directions_column() -> Label[Any]:
    """The directions on the case as a JSON column of the case page's statement."""
    pairs = [each for name in ("seq", "how", "answered_seq") for each in (name, getattr(Direction, name))]
    rows = select(func.jsonb_agg(func.jsonb_build_object(*pairs, "due_on", Deadline.due_on))).select_from(Direction)
    found = rows.join(Deadline, _CLOCK).where(Direction.case_id == Case.id)
    return found.correlate(Case).scalar_subquery().label("directions")


def directions_of(rows: Sequence[dict[str, Any]] | None) -> tuple[Shown, ...]:
    """The directions out of `directions_column`, the latest first."""
    found = sorted(rows or (), key=lambda row: -int(row["seq"]))
    return tuple(Shown(**{**row, "due_on": date.fromisoformat(row["due_on"])}) for row in found)
