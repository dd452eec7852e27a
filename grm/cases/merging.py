"""Duplicates: merged into a lead case, answered with it, and set apart again.

A duplicate is closed with the outcome `merged`; its clocks end, and it climbs no more. The lead is due by the earlier of the two
dates: where that is the duplicate's, the lead's clock goes on as the duplicate's stood. Number and secret of the duplicate stay
good. What is decided on the lead is copied into its history and told on its own number, and its complainant may object to it
or appeal as in any case; if the date passes without an answer, they may appeal at once. Each of these sets it apart, and so
does an officer (`UNMERGE`), or the lead's complainant by withdrawing the lead: then its clock goes on where it stood.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from grm.cases import events, history, links, service, spine
from grm.cases.links_models import CaseLink
from grm.cases.models import Accused, Case, CaseEvent, CaseText
from grm.cases.permissions import Accusation
from grm.cases.states import MERGED, TRANSITIONS, Action, Status
from grm.deadlines import service as deadlines
from grm.deadlines.carrying import carry_on
from grm.kernel.actor import SYSTEM, Actor
from grm.kernel.clock import dhaka_date
from grm.kernel.errors import InvalidInput
from grm.kernel.transaction import Act
from grm.offices.queries import holders

Decided = events.CaseResolved | events.CaseDeclined | events.CaseRecommended | events.CaseComplied
_KIND_OF: dict[type[Any], str] = {
    events.CaseResolved: "resolved",
    events.CaseDeclined: "declined",
    events.CaseRecommended: "recommended",
    events.CaseComplied: "complied",
}
_PASSED_ON = ("reply", "recommendation")
"""The texts of a decision that complainants read. Cause and prevention stay with the lead, and so does who was spoken to."""


def merge_case(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    lead_number: str,
    *,
    lead_version: int | None = None,
    is_confirmed: bool = False,
    now: datetime | None = None,
) -> int:
    """Close a duplicate, to be answered with its lead case; both must be open and in the actor's hands. Returns its new version.

    Where the two have no complainant in common, the officer has to say (`is_confirmed`) that it is the same matter all the same:
    `InvalidInput` `another-complainant` otherwise.
    """
    with links.acting_on_two(actor, tracking_number, version, lead_number, lead_version, Action.MERGE, now) as pair:
        step, lead, session, at = pair.step, pair.lead, pair.step.session, pair.step.act.now
        case = step.case
        if not is_confirmed and not links.is_same_person(session, case.id, lead.id):
            raise InvalidInput(fields={"confirmed": "another-complainant"})
        if (linked_so_far := links.live_link(session, case.id)) is not None:
            links.end(linked_so_far, "replaced", actor, at)
            session.flush()
        links.release(session, case.id, at)
        due_on_before = case.due_on
        spine.end_wait(step)
        clock = deadlines.newest(session, case.id, case.main_clock)
        session.add(
            CaseLink(
                case_id=case.id,
                lead_id=lead.id,
                kind=MERGED,
                linked_at=at,
                linked_by_id=actor.officer_id,
                clock_state="breached" if clock.state == "breached" else "running",
                clock_next_level=clock.next_level,
            )
        )
        moved = _hand_over(session, case, lead, at)
        due_on = min(case.due_on, lead.due_on)
        own = {"own_due_on": case.due_on} if case.due_on != due_on_before else {}
        spine.apply(step, "merged", {"due_on": due_on, **own}, change={"outcome": MERGED})
        links.note(step, lead, "merged_in", moved)
        step.act.record(events.CaseMerged(**step.about(), due_on=due_on))
        return case.version


def unmerge_case(actor: Actor, tracking_number: str, version: int | None, *, now: datetime | None = None) -> int:
    """Set a duplicate apart again, answered or not: acknowledged, at its desk, with its clock where it stood. A lead that is due
    earlier because of it gets back the date it had."""
    with spine.acting(actor, tracking_number, version, Action.UNMERGE, now) as step:
        session, case = step.session, step.case
        link = links.live_link(session, case.id)
        assert link is not None, "the verdict has seen it"
        lead = links.case_of(session, link.lead_id)
        moved = _give_back(session, case, lead, link, step.act.now)
        _reopen(step.act, actor, case, link, "unmerged")
        links.note(step, lead, "unmerged_from", {"why": "unmerged", **moved})
        return case.version


# --- what follows from other acts -------------------------------------------------------------------------------------


def on_lead_decided(act: Act, event: Decided) -> None:
    """Give every case merged into a decided one the same answer: in its own history, told on its own number."""
    found = _merged_into(act.session, event.case_id)
    if not found:
        return
    decision, texts = _decision(act.session, event.case_id, _KIND_OF[type(event)])
    decider = Actor(decision.actor_id, "", "officer", ())
    facts: dict[str, Any] = {
        name: decision.data[name] for name in ("outcome", "reason_code", "confirm_by_on") if name in decision.data
    }
    for case, _ in found:
        case.version += 1
        data: dict[str, Any] = {"decision": decision.kind, **facts, "version": case.version}
        history.append(act.session, case, "answered_together", decider, act.now, data, texts)
        act.record(events.CaseAnsweredTogether(**events.about(case), decision=decision.kind))


def on_lead_sent_back(act: Act, event: events.CaseSentBack) -> None:
    """The answer of the lead does not stand: nor does what was passed on. What it began for each complainant ends, and they
    hear that there will be another."""
    for case, link in _merged_into(act.session, event.case_id):
        undone = _answer(act.session, case, link)
        if undone is not None:
            for kind in deadlines.OUTLIVING_KINDS:
                deadlines.meet(act.session, case.id, kind, act.now)
            case.version += 1
            data = {"undone": undone, "due_on": event.due_on, "with_lead": True, "version": case.version}
            history.append(act.session, case, "sent_back", SYSTEM, act.now, data)
            told = events.CaseSentBack(**events.about(case), officer_id=None, due_on=event.due_on, is_with_lead=True)
            act.record(told)


def on_lead_withdrawn(act: Act, event: events.CaseWithdrawn) -> None:
    """The lead's complainant has ended it: what was merged into it and waits for an answer stands by itself again."""
    for case, link in _merged_into(act.session, event.case_id):
        if _answer(act.session, case, link) is None:
            _reopen(act, SYSTEM, case, link, "lead_ended")


def on_follower_gone(act: Act, event: events.CaseContested | events.AppealFiled | events.CaseWithdrawn) -> None:
    """A merged case has objected, appealed or withdrawn: it is set apart by that. The lead goes on as it is."""
    link = links.live_link(act.session, event.case_id)
    if link is None or link.kind != MERGED:
        return
    why = "withdrawn"
    if not isinstance(event, events.CaseWithdrawn):
        why = "appealed" if isinstance(event, events.AppealFiled) else "contested"
    links.end(link, why, SYSTEM, act.now)
    lead = links.case_of(act.session, link.lead_id)
    lead.version += 1
    history.append(act.session, lead, "unmerged_from", SYSTEM, act.now, {"why": why, "version": lead.version})


def _merged_into(session: Session, lead_id: int) -> Sequence[tuple[Case, CaseLink]]:
    """The cases merged into one, each with its link, locked in the order of their ids."""
    rows = session.execute(
        select(Case, CaseLink)
        .join(CaseLink, CaseLink.case_id == Case.id)
        .where(CaseLink.lead_id == lead_id, CaseLink.kind == MERGED, CaseLink.ended_at.is_(None))
        .order_by(Case.id)
        .with_for_update(of=Case, key_share=True)
        .execution_options(populate_existing=True)
    )
    return [(case, link) for case, link in rows]


def _decision(session: Session, lead_id: int, kind: str) -> tuple[CaseEvent, dict[str, str]]:
    """The decision of the lead that was just written, with the texts that go on."""
    statement = select(CaseEvent).where(CaseEvent.case_id == lead_id, CaseEvent.kind == kind)
    decision = session.scalars(statement.order_by(CaseEvent.seq.desc()).limit(1)).one()
    of_event = and_(CaseText.case_id == lead_id, CaseText.seq == decision.seq, CaseText.field.in_(_PASSED_ON))
    texts = session.execute(select(CaseText.field, CaseText.body).where(of_event))
    return decision, {field: body for field, body in texts if body}


def _answer(session: Session, case: Case, link: CaseLink) -> int | None:
    """The place in the history of the answer that came with the lead and stands."""
    of_link = (CaseEvent.case_id == case.id, CaseEvent.at >= link.linked_at)
    last = select(CaseEvent.seq, CaseEvent.kind).where(*of_link, CaseEvent.kind.in_(("answered_together", "sent_back")))
    row = session.execute(last.order_by(CaseEvent.seq.desc()).limit(1)).one_or_none()
    return row.seq if row is not None and row.kind == "answered_together" else None


# --- clocks -----------------------------------------------------------------------------------------------------------


def _hand_over(session: Session, case: Case, lead: Case, now: datetime) -> dict[str, Any]:
    """Let the lead's clock go on as the duplicate's, where that is due earlier. What the lead's ladder has told is not told
    again, and what it has not told comes by the new date."""
    if case.due_at >= lead.due_at:
        return {}
    like = deadlines.newest(session, case.id, case.main_clock)
    own = deadlines.newest(session, lead.id, lead.main_clock)
    before, state = lead.due_on, "breached" if own.state == "breached" else "running"
    clock = carry_on(session, lead.id, like, now, state=state, next_level=own.next_level)
    return _set_date(session, lead, clock, before, now)


def _give_back(session: Session, case: Case, lead: Case, link: CaseLink, now: datetime) -> dict[str, Any]:
    """Let the lead's clock go on as its own, where it stands under the one of this duplicate: with the pauses and the extension
    that it has had since."""
    if not lead.is_open:
        return {}
    clocks = deadlines.clocks_of_kind(session, lead.id, lead.main_clock)
    if len(clocks) < 2 or clocks[-1].begun_at != link.linked_at:
        return {}
    current, own = clocks[-1], clocks[-2]
    of_duplicate = deadlines.newest(session, case.id, current.kind).extension_days
    state = "breached" if current.state == "breached" else "running"
    clock = carry_on(
        session,
        lead.id,
        own,
        now,
        state=state,
        next_level=current.next_level,
        since=current,
        more_days=max(0, current.extension_days - of_duplicate),
    )
    return _set_date(session, lead, clock, lead.due_on, now)


def _set_date(session: Session, lead: Case, clock: Any, before: Any, now: datetime) -> dict[str, Any]:
    """Write the lead's new date to its row; a lead that waits for its complainant waits on under the new clock."""
    lead.due_on, lead.due_at = clock.due_on, clock.due_at
    if lead.waiting_until is not None:
        lead.is_paused = deadlines.pause(session, lead.id, now, lead.waiting_until, "asked", lead.main_clock)
    return {
        "deadline_kind": clock.kind,
        "epoch": clock.epoch,
        "from_due_on": before,
        "to_due_on": clock.due_on,
        "extension_days": clock.extension_days,
    }


def _reopen(act: Act, actor: Actor, case: Case, link: CaseLink, why: str) -> None:
    """Set a merged case apart: what it was, with its clock where it stood. Who had it keeps it, if still at the desk."""
    session, before = act.session, case.status
    links.end(link, why, actor, act.now)
    for kind in deadlines.OUTLIVING_KINDS:  # the lead's answer is not this one's any more
        deadlines.meet(session, case.id, kind, act.now)
    like = deadlines.newest(session, case.id, case.main_clock)
    clock = carry_on(
        session, case.id, like, act.now, state=link.clock_state or "running", next_level=link.clock_next_level
    )
    case.status = TRANSITIONS[Status(before), Action.UNMERGE].value
    case.version += 1
    case.outcome = case.ended_at = None
    case.due_on, case.due_at = clock.due_on, clock.due_at
    if case.assignee_id not in _staff(session, case, act.now):
        case.assignee_id = None
    data = {
        "why": why,
        "officer_id": case.assignee_id,
        "due_on": case.due_on,
        "status_from": before,
        "status_to": case.status,
        "version": case.version,
    }
    history.append(session, case, "unmerged", actor, act.now, data)
    act.record(
        events.CaseUnmerged(
            **events.about(case),
            officer_id=None if case.assignee_id == actor.officer_id else case.assignee_id,
            is_by_officer=actor.officer_id is not None,
        )
    )


def _staff(session: Session, case: Case, now: datetime) -> set[int]:
    """Who may have the case today, also while on leave."""
    columns = (Accused.officer_id, Accused.office_id, Accused.post_id)
    accusations = tuple(Accusation(*row) for row in session.execute(select(*columns).where(Accused.case_id == case.id)))
    spine.hold_officer(session, case.assignee_id)
    seats = holders(session, [case.office_id], dhaka_date(now))
    return {each.officer_id for each in service.handlers_among(seats, case.desk, accusations, with_absent=True)}
