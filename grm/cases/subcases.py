"""A part of a case sent to another office, as a case of its own: with number, clocks, queue and history. The whole waits for it.

The part has no complainant, no secret and no submission; nobody is told of it but officers, and whoever handles it sees only what
was passed on. Its answer or its return comes back as an event of the whole case. While one is open, the whole cannot be ended by
an office (`lifecycle`); where the complainant withdraws, the parts end with it; where the whole moves to another desk, the parts
stay where they are and answer to that desk (`spine`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Label, func, select
from sqlalchemy.orm import aliased

from grm.cases import claims, events, history, queries, referral
from grm.cases.content import SHORTEST_REPLY, Content
from grm.cases.models import Accused, Case, CaseEvent, CaseText
from grm.cases.spine import Step, acting, apply, clock_facts, overtake_direction
from grm.cases.states import OUTCOME_OF_END, OUTCOMES, Action, Status
from grm.deadlines import service as deadlines
from grm.deadlines.policy import CaseFacts as ClockFacts
from grm.kernel import tracking_number as numbers
from grm.kernel.actor import SYSTEM, Actor
from grm.offices.queries import directory
from grm.web.locale import gettext, speaking

PASSED_ON = ("place", "incident_on", "claim", "details")
"""What of the whole case the other office may be told, each as the officer chooses; never who complains."""


def split_case(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    to_office_id: int | None,
    part: str,
    passed_on: Collection[str] = (),
    *,
    now: datetime | None = None,
) -> int:
    """Send a part of the case, in the officer's words, to another office; `passed_on` are of `PASSED_ON`."""
    content = Content()
    text = content.text("part", part, shortest=SHORTEST_REPLY)
    if not set(passed_on) <= set(PASSED_ON):
        content.faults["passed_on"] = "choose-one"
    with acting(actor, tracking_number, version, Action.SPLIT, now) as step:
        desks = {office.id: desk for office, desk in referral.targets(step.session, step.facts, step.today)}
        if to_office_id not in desks:
            content.faults["office"] = "choose-one"
        content.check()
        assert to_office_id is not None
        made = _make(step, to_office_id, desks[to_office_id], text, passed_on)
        data = {"subcase_id": made.id, "part_office_id": to_office_id, "part_desk": made.desk}
        apply(step, "split", data, {"part": text})
        step.act.record(events.SubcaseSent(**events.about(made), due_on=made.due_on))
        return step.case.version


def answer(step: Step, outcome: str, reply: str) -> int:
    """The answer to a part: it is closed with that, and the whole case has the answer in its history."""
    content = Content()
    content.choice("outcome", outcome, OUTCOMES)
    text = content.text("reply", reply, shortest=SHORTEST_REPLY)
    content.check()
    case, session = step.case, step.session
    case.outcome = outcome
    apply(step, "resolved", {"outcome": outcome}, {"reply": text})
    session.flush()  # resolved first: the database knows no other way to closed
    case.status = Status.CLOSED.value
    ends = {"is_early": False, "status_from": Status.RESOLVED.value, "status_to": case.status, "version": case.version}
    history.append(session, case, "closed", step.actor, step.act.now, ends)
    _tell_whole(step, "subcase_answered", {"outcome": outcome}, {"reply": text})
    return case.version


def turn_down(step: Step, reason: str) -> int:
    """The office does not take the part: it ends, and the whole case has the reason in its history."""
    case = step.case
    data = {
        "from_office_id": case.office_id,
        "from_desk": case.desk,
        "to_office_id": case.referred_from_office_id,
        "to_desk": case.referred_from_desk,
    }
    apply(step, "returned", data, {"reason": reason}, {"outcome": "returned"})
    _tell_whole(step, "subcase_returned", {}, {"reason": reason})
    return case.version


def end_all(step: Step) -> None:
    """The complainant has withdrawn the whole case: its open parts end with it, and who works on one is told."""
    session, now = step.session, step.act.now
    open_parts = select(Case).where(Case.parent_id == step.case.id, Case.is_open).order_by(Case.id).with_for_update()
    for part in session.scalars(open_parts.execution_options(populate_existing=True)).all():
        before, part.status, part.outcome = part.status, Status.WITHDRAWN.value, OUTCOME_OF_END[Status.WITHDRAWN]
        part.ended_at, part.version, part.waiting_until, part.is_paused = now, part.version + 1, None, False
        deadlines.stop_all(session, part.id, now)
        overtake_direction(session, part.id, now)
        data = {"status_from": before, "status_to": part.status, "version": part.version}
        history.append(session, part, "subcase_ended", SYSTEM, now, data)
        step.act.record(events.CaseWithdrawn(**events.about(part), officer_id=part.assignee_id))


# --- reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a case, as the page of the whole shows it."""

    id: int
    tracking_number: str
    office_id: int
    status: str
    outcome: str | None
    referral_state: str | None
    due_on: date
    is_late: bool


_PART, _WHOLE = aliased(Case), aliased(Case)
"""Made once: an alias of so wide a table takes milliseconds."""


def parts_column(actor: Actor, now: Any) -> Label[Any]:
    """The parts of the case that the actor may see, as a JSON column of the case page's statement."""
    part = _PART
    fields = ("id", "tracking_number", "office_id", "status", "outcome", "referral_state", "due_on")
    pairs = [each for name in fields for each in (name, getattr(part, name))]
    is_late = part.is_open & (part.due_at <= now) & ~part.is_paused
    rows = select(func.jsonb_agg(func.jsonb_build_object(*pairs, "is_late", is_late)))
    visible = rows.where(part.parent_id == Case.id, queries.visible_to(actor, part))
    return visible.correlate(Case).scalar_subquery().label("parts")


def parts_of(rows: Sequence[dict[str, Any]] | None) -> tuple[Part, ...]:
    """The parts out of `parts_column`, in the order in which they were sent."""
    found = sorted(rows or (), key=lambda row: int(row["id"]))
    return tuple(Part(**{**row, "due_on": date.fromisoformat(row["due_on"])}) for row in found)


def whole_column(actor: Actor) -> Label[Any]:
    """The number of the case that this one is a part of, where the actor may see that one too."""
    whole = _WHOLE
    found = select(whole.tracking_number).where(whole.id == Case.parent_id, queries.visible_to(actor, whole))
    return found.correlate(Case).scalar_subquery().label("whole")


# --- writing ----------------------------------------------------------------------------------------------------------


def _make(step: Step, office_id: int, desk: str, text: str, passed_on: Collection[str]) -> Case:
    session, whole, now = step.session, step.case, step.act.now
    facts = clock_facts(session, whole)
    planned = deadlines.plan(
        session, ClockFacts(office_id, facts.programme, facts.category, whole.priority, "gro"), now
    )
    due = next(each for each in planned if each.kind == "resolve")
    number = numbers.new_tracking_number()
    data = {"office_id": office_id, "desk": desk, "due_on": due.due_on, "part_from_office_id": whole.office_id}
    first = history.first_event(number, "filed", now, step.actor, data)
    place = "place" in passed_on
    made = Case(
        tracking_number=number,
        parent_id=whole.id,
        status=Status.FILED.value,
        office_id=office_id,
        desk=desk,
        priority=whole.priority,
        referred_from_office_id=whole.office_id,
        referred_from_desk=whole.desk,
        referral_state="offered",
        programme_id=whole.programme_id,
        category_id=whole.category_id,
        district_id=whole.district_id if place else None,
        upazila_id=whole.upazila_id if place else None,
        place=whole.place if place else "",
        incident_on=whole.incident_on if "incident_on" in passed_on else None,
        details=_details(whole, text, "details" in passed_on),
        is_sensitive=whole.is_sensitive,
        is_anonymous=False,  # no time of this case is a time of the complainant's
        has_accused=whole.has_accused,
        about=whole.about,
        channel=whole.channel,
        language=whole.language,
        preferred_channel="none",
        filed_at=now,
        received_on=step.today,
        due_on=due.due_on,
        due_at=due.due_at,
        history_length=first.tip.length,
        history_head=first.tip.head,
    )
    session.add(made)
    session.flush()
    session.add(CaseEvent(case_id=made.id, **first.values))
    session.add_all(CaseText(case_id=made.id, **row) for row in first.texts)
    # Whom the whole accuses, the part accuses: he must see neither.
    session.add_all(
        Accused(case_id=made.id, officer_id=each.officer_id, office_id=each.office_id, post_id=each.post_id)
        for each in step.facts.accusations
    )
    if "claim" in passed_on:
        claims.pass_on(session, whole, made)
    deadlines.insert(session, made.id, planned)
    return made


def _details(whole: Case, text: str, is_quoted: bool) -> str:
    if not is_quoted:
        return text
    with speaking(whole.language):
        heading = gettext("The complaint in its own words:")
    return f"{text}\n\n{heading}\n{whole.details}"


def _tell_whole(step: Step, kind: str, data: dict[str, Any], texts: dict[str, str]) -> None:
    """Write what came back into the history of the whole case, whose row the act has locked, and tell who handles it."""
    part = step.case
    assert part.parent_id is not None
    facts = {"subcase_id": part.id, "part_office_id": part.office_id, **data}
    history.append_many(step.session, [history.Entry(part.parent_id, kind, facts, texts)], step.actor, step.act.now)
    whole = step.session.get_one(Case, part.parent_id, populate_existing=True)
    step.act.record(events.SubcaseBack(**events.about(whole), officer_id=whole.assignee_id))


__all__ = [
    "PASSED_ON",
    "Part",
    "answer",
    "directory",
    "end_all",
    "parts_column",
    "parts_of",
    "split_case",
    "turn_down",
    "whole_column",
]
