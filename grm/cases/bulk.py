"""Acts on many cases are asked for with one form, approved by somebody else where they end cases, or withdrawn.

`bulk_run` does them, each case as an act of its own.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from grm.cases import bulk_rules, canned, events, lifecycle, quality, queries, service
from grm.cases.bulk_models import BulkAct, BulkItem
from grm.cases.bulk_rules import MOST_CASES, NEEDS_APPROVAL, Asking
from grm.cases.closing import Questioned
from grm.cases.content import SHORTEST_REPLY, Content
from grm.cases.models import Case
from grm.cases.queue import Queue
from grm.cases.states import Action
from grm.deadlines.calendar import dhaka_date
from grm.kernel import audit
from grm.kernel.actor import Actor
from grm.kernel.errors import IllegalAction, NotFound
from grm.kernel.transaction import transaction
from grm.offices.queries import directory, holders

log = structlog.get_logger("grm.bulk")

STREAM = "bulk"
DECISIONS = ("approve", "refuse")


@dataclass(frozen=True, slots=True)
class Asked:
    """An act that was put away: its id, and how many of the cases named do not exist or must not be known of."""

    id: int
    missing: int


def ask_bulk(
    actor: Actor,
    queue: Queue | None,
    action: Action,
    fields: Mapping[str, str],
    picks: Sequence[tuple[str, int]],
    *,
    now: datetime | None = None,
) -> Asked:
    """Put an act away for cases of a desk, or, without one, of a report; named by tracking number and the version seen.

    It waits for approval if it ends cases, else it begins. Only what the actor may see becomes an item; what is known to be
    impossible already is refused at once, so that nobody is asked to approve it. Raises `InvalidInput` for the fields, and
    under `case` where no case is left or too many are named; `Questioned` for an answer that seems to say nothing; `NotFound`
    for an act that is not the actor's to do at this desk.
    """
    if action not in may_ask(actor, queue):
        raise NotFound
    seen = dict(picks)
    content = Content()
    if len(seen) > MOST_CASES:
        content.faults["case"] = "too-many-cases"
    with transaction(now) as act:
        _check(act.session, content, queue, action, fields, act.now)
        found = act.session.scalars(
            select(Case)
            .where(Case.tracking_number.in_(list(seen)[:MOST_CASES]), queries.visible_to(actor))
            .order_by(Case.due_at, Case.id)
        ).all()
        refused = {case.id: _refusal(case, queue, action, actor, act.now) for case in found}
        is_left = any(not code for code in refused.values())
        if not found:
            content.faults["case"] = "choose-cases"
        content.check()
        if action is Action.RESOLVE:
            _question(act.session, fields, {case.language: case for case in reversed(found) if not refused[case.id]})
        row = BulkAct(
            officer_id=actor.officer_id,
            asked_as=bulk_rules.role_at(actor, queue.office_id, queue.desk)
            if queue
            else bulk_rules.reporting_role(actor),
            action=action.value,
            office_id=queue.office_id if queue else None,
            desk=queue.desk if queue else None,
            fields=dict(fields) | _same_to_all(action, fields),
            state="done" if not is_left else "waiting_for_approval" if action in NEEDS_APPROVAL else "running",
            asked_at=act.now,
            finished_at=None if is_left else act.now,
        )
        act.session.add(row)
        act.session.flush()
        for case in found:
            code = refused[case.id] or None
            state = "refused" if code else "waiting"
            version = seen[case.tracking_number]
            act.session.add(BulkItem(bulk_act_id=row.id, case_id=case.id, version=version, state=state, code=code))
        audit.record(
            act.session, STREAM, "bulk-asked", actor, act.now, id=row.id, action=action.value, cases=len(found)
        )
        if row.state == "waiting_for_approval" and row.office_id is not None and row.desk is not None:
            act.record(
                events.BulkAsked(
                    bulk_id=row.id,
                    office_id=row.office_id,
                    asker_id=row.officer_id,
                    roles=bulk_rules.approver_roles(row.desk, row.asked_as),
                )
            )
        bulk_id = row.id
    return Asked(bulk_id, len(seen) - len(found))


def may_ask(actor: Actor, queue: Queue | None) -> tuple[Action, ...]:
    """The acts that an actor may ask for at a desk, or from a report."""
    if queue is None:
        return bulk_rules.actions_from_reports(actor)
    return bulk_rules.actions_at(actor, queue.office_id, queue.desk)


def decide_bulk(actor: Actor, bulk_id: int, decision: str, reason: str, *, now: datetime | None = None) -> bool:
    """Approve or refuse an act that waits for it; True if it was approved, and begins.

    What the decider must not know of is not approved either: those items are refused. Raises `NotFound` for an act that the
    actor may not decide on, `IllegalAction` for one that is decided already, `InvalidInput`.
    """
    content = Content()
    content.choice("decision", decision, DECISIONS)
    text_ = content.text("reason", reason)
    with transaction(now) as act:
        row = _locked(act.session, bulk_id)
        if not bulk_rules.may_decide(actor, asking(row)) or not knows(act.session, actor, bulk_id):
            raise NotFound
        if row.state != "waiting_for_approval":
            raise IllegalAction("bulk-decided")
        content.check()
        is_approved = decision == "approve"
        row.decided_by_id, row.decided_at, row.decision_reason = actor.officer_id, act.now, text_
        if is_approved:
            row.state = "running"
            seen = select(Case.id).where(Case.id == BulkItem.case_id, queries.visible_to(actor)).exists()
            hidden = update(BulkItem).where(BulkItem.bulk_act_id == bulk_id, BulkItem.state == "waiting", ~seen)
            act.session.execute(
                hidden.values(state="refused", code="not-approved"), execution_options={"synchronize_session": False}
            )
        else:
            row.state, row.finished_at = "refused", act.now
        kind = "bulk-approved" if is_approved else "bulk-refused"
        audit.record(act.session, STREAM, kind, actor, act.now, id=bulk_id, officer_id=row.officer_id)
        count = select(func.count()).where(BulkItem.bulk_act_id == bulk_id)
        cases = act.session.execute(count).scalar_one()
        act.record(events.BulkDecided(bulk_id=bulk_id, asker_id=row.officer_id, cases=cases))
    return is_approved


def withdraw_bulk(actor: Actor, bulk_id: int, *, now: datetime | None = None) -> None:
    """Take back what the actor asked for and nobody has decided on yet. Raises `NotFound`, `IllegalAction`."""
    with transaction(now) as act:
        row = _locked(act.session, bulk_id)
        if row.officer_id != actor.officer_id:
            raise NotFound
        if row.state != "waiting_for_approval":
            raise IllegalAction("bulk-decided")
        row.state, row.finished_at = "withdrawn", act.now
        audit.record(act.session, STREAM, "bulk-withdrawn", actor, act.now, id=bulk_id)


def known_to(actor: Actor) -> ColumnElement[bool]:
    """Acts that are not all about cases the actor must not know of, as a condition on `BulkAct`: of such an act neither the
    answer nor that it exists is told."""
    of_act = select(BulkItem.id).where(BulkItem.bulk_act_id == BulkAct.id).correlate(BulkAct)
    seen = of_act.join(Case, Case.id == BulkItem.case_id).where(queries.visible_to(actor))
    return or_(seen.exists(), ~of_act.exists())


def knows(session: Session, actor: Actor, bulk_id: int) -> bool:
    """Whether the actor may know of an act (one statement)."""
    return session.scalar(select(BulkAct.id).where(BulkAct.id == bulk_id, known_to(actor))) is not None


def asking(row: Any) -> Asking:
    """Who asked for an act, of its row."""
    return Asking(row.officer_id, row.asked_as, row.office_id, row.desk)


def _check(
    session: Session, content: Content, queue: Queue | None, action: Action, fields: Mapping[str, str], now: datetime
) -> None:
    """Find what is wrong with the form whatever the case, so that nobody is asked to approve what cannot be done."""
    typed = defaultdict(str, fields)
    if action is Action.DIRECT:
        content.text("direction", typed["direction"], shortest=SHORTEST_REPLY)
    elif action is Action.TAKE_UP:
        content.text("reason", typed["reason"])
    elif action is Action.REMIND:
        content.text("reminder", typed["reminder"], is_required=False)
    elif action is Action.ASSIGN and queue is not None:
        seats = holders(session, [queue.office_id], dhaka_date(now))
        staff = service.handlers_among(seats, queue.desk, ())
        content.choice("assignee", typed["assignee"], [str(each.officer_id) for each in staff])
    elif action is Action.REFER:
        content.choice("office", typed["office"], [office.code for office in directory(session).offices])
        content.text("reason", typed["reason"])
    elif action is Action.RESOLVE:
        names = ("outcome", "reply", "root_cause", "prevention", "contact", "reason")
        service.answer_texts(content, *(typed[name] for name in names))
    else:
        content.text("reason", typed["reason"], is_required=False)


def _refusal(case: Case, queue: Queue | None, action: Action, actor: Actor, now: datetime) -> str:
    """Why the act is impossible on a case, as far as its row tells: a code, or empty. The act itself asks for all the rest."""
    if queue is not None and (case.office_id, case.desk) != (queue.office_id, queue.desk):
        return "not-at-this-desk"
    return lifecycle.decide(queries.facts_of(case, (), ()), action, actor, now).why


def _question(session: Session, fields: Mapping[str, str], by_language: Mapping[str, Case]) -> None:
    """Put the questions that the reply raises, by one case of each language, as the single act would put them."""
    typed = defaultdict(str, fields)
    found: dict[str, quality.Question] = {}
    for language, case in by_language.items():
        for each in quality.questions(typed["reply"], language, (), canned.texts_here(session, case)):
            found.setdefault(each.code, each)
    if left := quality.unanswered(found.values(), typed["confirmed"].split()):
        raise Questioned(left, "reply")


def _same_to_all(action: Action, fields: Mapping[str, str]) -> dict[str, str]:
    """Nobody asks whether many cases are to get the same reply: that is what was asked for, and what is approved."""
    if action is not Action.RESOLVE:
        return {}
    return {"confirmed": " ".join(sorted({*fields.get("confirmed", "").split(), quality.REPEATED}))}


def _locked(session: Session, bulk_id: int) -> BulkAct:
    row = session.get(BulkAct, bulk_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound
    return row
