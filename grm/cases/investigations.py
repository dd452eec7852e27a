"""Investigation and the one extension it allows. Acts like those of `grm/cases/service.py`, by the same spine and with the
same errors."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import events, permits
from grm.cases.content import Content
from grm.cases.models import Case
from grm.cases.permissions import Accusation, is_permitting
from grm.cases.spine import Step, acting, apply, clock_facts
from grm.cases.states import EXTENSION_DECISIONS, Action
from grm.deadlines import policy
from grm.deadlines import queries as deadline_queries
from grm.deadlines import service as deadlines
from grm.deadlines.calendar import dhaka_date, end_of_day
from grm.deadlines.models import Deadline, Extension
from grm.kernel.actor import Actor
from grm.kernel.errors import IllegalAction
from grm.offices.queries import PostHolder, StaffedPost, holders

MOST_INVESTIGATORS = 3
INVESTIGATOR_ROLES: dict[str, tuple[str, ...]] = {
    "gro": ("gro", "case_officer", "appeal_officer", "head"),
    "appeal": ("appeal_officer", "head"),
    "cell": ("cell_officer", "head"),
}
"""Who of an office may be appointed, by the desk where the case lies: only who may read it there."""


def start_investigation(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    officer_ids: Sequence[int | None],
    reason: str,
    *,
    now: datetime | None = None,
) -> int:
    """Ask that one to three officers of the office investigate, the first of whom leads, and say why. Who may permit it
    himself has it begin at once. None stands for a place left empty."""
    content = Content()
    text = content.text("reason", reason)
    chosen = list(dict.fromkeys(each for each in officer_ids if each is not None))
    with acting(actor, tracking_number, version, Action.INVESTIGATE, now) as step:
        seats = holders(step.session, [step.case.office_id], step.today)
        if not 1 <= len(chosen) <= MOST_INVESTIGATORS or not _are_eligible(step, seats, chosen):
            content.faults["member_1"] = "choose-one"
        content.check()
        role, _ = permits.permitter_among(seats, step.facts.accusations)
        if is_permitting(actor, replace(step.facts, permitting_role=role)):
            _start(step, chosen, {"permitted_as": role}, text)
            return step.case.version
        role, permitter = permits.permitter_among(seats, step.facts.accusations, actor.officer_id)
        data = {"officer_id": chosen[0], "investigator_ids": chosen, "asked_of": role}
        apply(step, "investigation_asked", data, {"reason": text})
        officer_id = permitter.officer_id if permitter else None
        step.act.record(events.PermissionAsked(**step.about(), officer_id=officer_id))
        return step.case.version


def permit_investigation(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    decision: str,
    reason: str = "",
    *,
    now: datetime | None = None,
) -> int:
    """Permit or refuse the investigation that was asked for; a refusal needs its reason. Permitted, it begins, if all who
    were named may still investigate. `IllegalAction` `permit-after-answer` while the complainant is asked something."""
    content = Content()
    content.choice("decision", decision, EXTENSION_DECISIONS)
    text = content.text("reason", reason, is_required=decision == "refuse")
    with acting(actor, tracking_number, version, Action.PERMIT, now) as step:
        facts, chosen = step.facts, list(step.facts.proposed_ids)
        seats = holders(step.session, [step.case.office_id], step.today)
        if decision == "approve" and not _are_eligible(step, seats, chosen):
            content.faults["decision"] = "may-not-investigate"
        content.check()
        asked = {"asked_by": facts.permission_asker_id}
        if decision == "approve":
            if step.case.waiting_until is not None:  # its clock would run while the case stands still
                raise IllegalAction("permit-after-answer")
            _start(step, chosen, {"permitted_as": facts.permitting_role, **asked}, text)
        else:
            apply(step, "investigation_refused", asked, {"reason": text})
        is_here = any(each.officer_id == facts.permission_asker_id for seat in seats for each in seat.holders)
        told_id = facts.permission_asker_id if is_here else step.case.assignee_id
        step.act.record(events.PermissionDecided(**step.about(), officer_id=told_id))
        return step.case.version


def _are_eligible(step: Step, seats: tuple[StaffedPost, ...], chosen: Sequence[int]) -> bool:
    eligible = investigators_among(seats, step.case.desk, step.facts.accusations)
    return set(chosen) <= {each.officer_id for each in eligible}


def _start(step: Step, chosen: list[int], permission: dict[str, Any], text: str) -> None:
    """The investigation begins, and its clock."""
    facts = clock_facts(step.session, step.case)
    planned = deadlines.start(step.session, step.case.id, "investigate", facts, step.act.now)
    data = {"officer_id": chosen[0], "investigator_ids": chosen, "due_on": planned.due_on, **permission}
    apply(step, "investigation_started", data, {"reason": text})
    step.act.record(events.InvestigationStarted(**step.about(), officer_ids=tuple(chosen), due_on=planned.due_on))


def report_investigation(
    actor: Actor, tracking_number: str, version: int | None, findings: str, *, now: datetime | None = None
) -> int:
    """The report of an investigation: meets its clock. The complainant does not see it; the decision says what follows."""
    content = Content()
    text = content.text("findings", findings)
    with acting(actor, tracking_number, version, Action.REPORT, now) as step:
        content.check()
        deadlines.meet(step.session, step.case.id, "investigate", step.act.now)
        apply(step, "investigation_reported", {}, {"findings": text})
        step.act.record(events.InvestigationReported(**step.about(), officer_id=step.case.assignee_id))
        return step.case.version


def request_extension(
    actor: Actor, tracking_number: str, version: int | None, reason: str, *, now: datetime | None = None
) -> int:
    """Ask for more time to decide, once for each clock, while the case is investigated and the clock is not missed."""
    content = Content()
    text = content.text("reason", reason)
    with acting(actor, tracking_number, version, Action.REQUEST_EXTENSION, now) as step:
        content.check()
        assert actor.officer_id is not None
        clock = deadlines.newest(step.session, step.case.id, step.case.main_clock)
        days = extension_days(step.session, step.case, clock)
        step.session.add(
            Extension(
                deadline_id=clock.id,
                working_days=days,
                state="requested",
                requested_by_id=actor.officer_id,
                requested_at=step.act.now,
            )
        )
        apply(step, "extension_requested", {"deadline_kind": clock.kind, "working_days": days}, {"reason": text})
        step.act.record(events.ExtensionRequested(**step.about(), requester_id=actor.officer_id, working_days=days))
        return step.case.version


def decide_extension(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    decision: str,
    reason: str = "",
    *,
    now: datetime | None = None,
) -> int:
    """Grant or refuse what was asked for, by somebody else than who asked; a refusal needs its reason.

    Granted, the clock is dated anew. `IllegalAction` `clock-missed` where it has been missed meanwhile.
    """
    content = Content()
    content.choice("decision", decision, EXTENSION_DECISIONS)
    text = content.text("reason", reason, is_required=decision == "refuse")
    with acting(actor, tracking_number, version, Action.DECIDE_EXTENSION, now) as step:
        content.check()
        case, session = step.case, step.session
        clock = deadlines.newest(step.session, step.case.id, step.case.main_clock)
        asked = session.scalars(select(Extension).where(Extension.deadline_id == clock.id).with_for_update()).one()
        before, is_approved = clock.due_on, decision == "approve"
        data = {"deadline_kind": clock.kind, "working_days": asked.working_days}
        if is_approved:
            if not deadlines.extend(session, clock, asked.working_days, step.act.now):
                raise IllegalAction("clock-missed")
            case.due_on, case.due_at = clock.due_on, end_of_day(clock.due_on)
            data |= {"from_due_on": before, "to_due_on": clock.due_on}
        asked.state = "approved" if is_approved else "refused"
        asked.decided_by_id, asked.decided_at = actor.officer_id, step.act.now
        apply(step, "extension_approved" if is_approved else "extension_refused", data, {"reason": text})
        step.act.record(
            events.ExtensionDecided(
                **step.about(),
                officer_id=_who_asks(step, asked),
                is_approved=is_approved,
                due_on=case.due_on,
            )
        )
        return case.version


def _who_asks(step: Step, asked: Extension) -> int | None:
    """Who is told of the decision: who asked, or stands for it after a handover; None for the desk, where they have left."""
    asker_id = asked.handed_to_id or asked.requested_by_id
    seats = holders(step.session, [step.case.office_id], step.today)
    return asker_id if any(each.officer_id == asker_id for seat in seats for each in seat.holders) else None


def extension_days(session: Session, case: Case, clock: Deadline) -> int:
    """How many days an extension of a clock has, by the dated rules under which it began."""
    facts = clock_facts(session, case).of_kind("extension")
    return policy.decide(deadline_queries.policies(session), facts, dhaka_date(clock.started_at)).policy.limit


def investigators_among(
    seats: tuple[StaffedPost, ...], desk: str, accusations: tuple[Accusation, ...], *, with_absent: bool = False
) -> tuple[PostHolder, ...]:
    """The officers among the seats of an office who may investigate a case at a desk, each once.

    None whom the case accuses, nor anybody who does not stand above the highest accused post of this office. Nor who is on
    leave, unless it is asked who may be doing it already (`with_absent`).
    """
    officers = {a.officer_id for a in accusations if a.officer_id is not None}
    posts = {a.post_id for a in accusations if a.post_id is not None}
    floor = max((seat.rank for seat in seats if seat.post_id in posts or officers & _sitting(seat)), default=None)
    found: dict[int, PostHolder] = {}
    for seat in seats:
        if seat.role in INVESTIGATOR_ROLES[desk] and (floor is None or seat.rank > floor):
            for holder in seat.holders if with_absent else seat.present:
                if holder.officer_id not in officers:
                    found.setdefault(holder.officer_id, holder)
    return tuple(found.values())


def _sitting(seat: StaffedPost) -> set[int]:
    return {each.officer_id for each in (seat.regular, *seat.alternates) if each is not None}
