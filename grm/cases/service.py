"""The acts on a case. Each is one transaction, goes through `spine.acting`, and returns the new version.

`version` is the version the officer had on the screen. Common errors: `NotFound`, `Conflict` (somebody acted since),
`IllegalAction` (with the reason), `InvalidInput` (with a code for each field). `now` is given in tests and by the demo.
"""

from collections.abc import Collection
from datetime import date, datetime

from grm.cases import closing, events, lifecycle, queries, referral, referrals, spine, subcases
from grm.cases.attachments import Received, apply_with
from grm.cases.content import Content
from grm.cases.permissions import HANDLER_ROLES, Accusation
from grm.cases.spine import Step, acting, apply
from grm.cases.states import CONTACTS, DECLINE_REASONS, OUTCOME_OF_END, OUTCOMES, Action, Status
from grm.kernel import audit
from grm.kernel.actor import SYSTEM, Actor
from grm.kernel.errors import IllegalAction, InvalidInput, NotFound
from grm.kernel.transaction import transaction
from grm.offices.queries import PostHolder, StaffedPost, holders


def acknowledge_case(actor: Actor, tracking_number: str, version: int | None, *, now: datetime | None = None) -> int:
    """An officer has looked at the case: meets the acknowledge clock."""
    with acting(actor, tracking_number, version, Action.ACKNOWLEDGE, now) as step:
        apply(step, "acknowledged", {})
        step.act.record(events.CaseAcknowledged(**step.about()))
        return step.case.version


def claim_case(actor: Actor, tracking_number: str, version: int | None, *, now: datetime | None = None) -> int:
    """An officer of the desk takes the case."""
    with acting(actor, tracking_number, version, Action.CLAIM, now) as step:
        assert actor.officer_id is not None
        spine.hold_officer(step.session, actor.officer_id)
        if actor.officer_id not in {holder.officer_id for seat in _seats(step) for holder in seat.holders}:
            raise NotFound  # has left the office since the page was asked for
        return _give(step, actor.officer_id, is_claim=True)


def assign_case(
    actor: Actor, tracking_number: str, version: int | None, assignee_id: int | None, *, now: datetime | None = None
) -> int:
    """The case is given to an officer posted at the desk where it lies; `InvalidInput` for anybody else."""
    with acting(actor, tracking_number, version, Action.ASSIGN, now) as step:
        spine.hold_officer(step.session, assignee_id)
        if assignee_id not in {holder.officer_id for holder in handlers(step)}:
            raise InvalidInput(fields={"assignee": "choose-one"})
        assert assignee_id is not None
        return _give(step, assignee_id, is_claim=assignee_id == actor.officer_id)


def add_note(actor: Actor, tracking_number: str, version: int | None, note: str, *, now: datetime | None = None) -> int:
    """An internal note: the complainant never sees it, and no clock minds it."""
    content = Content()
    text = content.text("note", note)
    with acting(actor, tracking_number, version, Action.NOTE, now) as step:
        content.check()
        apply(step, "noted", {}, {"note": text})
        return step.case.version


def ask_complainant(
    actor: Actor, tracking_number: str, version: int | None, question: str, *, now: datetime | None = None
) -> int:
    """Ask the complainant; the resolve clock stands still until the answer, or until the wait runs out."""
    content = Content()
    text = content.text("question", question)
    with acting(actor, tracking_number, version, Action.ASK, now) as step:
        content.check()
        answer_by_on = spine.window_ends_on(step, "answer")
        apply(step, "asked", {"answer_by_on": answer_by_on}, {"question": text})
        step.act.record(events.QuestionAsked(**step.about(), answer_by_on=answer_by_on))
        return step.case.version


def refer_case(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    to_office_id: int | None,
    reason: str,
    *,
    now: datetime | None = None,
) -> int:
    """Hand the case to another office: number and clocks go on, the new office begins unassigned.

    A third referral, or a return to a former holder, needs the appeal officer or the cell (`IllegalAction`).
    """
    content = Content()
    text = content.text("reason", reason)
    with acting(actor, tracking_number, version, Action.REFER, now) as step:
        case = step.case
        to_desk = {office.id: desk for office, desk in referral.targets(step.session, step.facts, step.today)}
        if to_office_id is None or (to_office_id not in to_desk and to_office_id != case.office_id):
            content.faults["office"] = "choose-one"
        elif why := lifecycle.why_not_to(step.facts, to_office_id, actor):
            raise IllegalAction(why)
        content.check()
        assert to_office_id is not None
        from_office_id, from_desk = case.office_id, case.desk
        case.office_id, case.desk = to_office_id, to_desk[to_office_id]
        case.assignee_id = None
        case.referral_count += 1
        case.referred_from_office_id, case.referred_from_desk = from_office_id, from_desk
        case.referral_state = "offered"
        apply(
            step,
            "referred",
            {
                "from_office_id": from_office_id,
                "from_desk": from_desk,
                "to_office_id": to_office_id,
                "to_desk": case.desk,
            },
            {"reason": text},
        )
        referrals.offer(step)
        step.act.record(events.CaseReferred(**step.about(), from_office_id=from_office_id, to_office_id=to_office_id))
        return case.version


def resolve_case(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    *,
    outcome: str,
    reply: str,
    root_cause: str,
    prevention: str,
    contact: str,
    reason: str = "",
    visited_on: date | None = None,
    visit: str = "",
    no_visit: str = "",
    confirmed: Collection[str] | None = None,
    now: datetime | None = None,
) -> int:
    """Record the answer: outcome, a reply in words, cause, prevention, and how the complainant was reached; where that was
    not possible, `reason` says why. Where the category needs it, also what was found on which day on the spot (`visit`,
    `visited_on`), or why nobody went (`no_visit`).

    Raises `Questioned` for a reply that seems to say nothing, unless the questions are `confirmed` (`closing.judge`).
    """
    content = Content()
    texts = answer_texts(content, outcome, reply, root_cause, prevention, contact, reason)
    with acting(actor, tracking_number, version, Action.RESOLVE, now) as step:
        if step.facts.is_subcase:  # answered to the office that asked, not to a complainant
            return subcases.answer(step, outcome, reply)
        visited, found = closing.check_visit(step, content, visited_on, visit, no_visit)
        content.check()
        questioned = closing.judge(step, texts["reply"], confirmed)
        confirm_by_on = spine.window_ends_on(step, "confirm")
        data = {"outcome": outcome, "contact": contact, "confirm_by_on": confirm_by_on, **visited, **questioned}
        step.case.outcome = outcome
        apply(step, "resolved", data, texts | found)
        step.act.record(
            events.CaseResolved(**step.about(), outcome=outcome, contact=contact, confirm_by_on=confirm_by_on)
        )
        return step.case.version


def answer_texts(
    content: Content, outcome: str, reply: str, root_cause: str, prevention: str, contact: str, reason: str
) -> dict[str, str]:
    """The texts of a decision, its choices and texts checked into `content`."""
    content.choice("outcome", outcome, OUTCOMES)
    content.choice("contact", contact, CONTACTS)
    return {
        "reply": content.reply("reply", reply),
        "root_cause": content.text("root_cause", root_cause),
        "prevention": content.text("prevention", prevention),
        "reason": content.text("reason", reason, is_required=contact == "could_not_reach"),
    }


def decline_case(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    reason: str,
    reply: str,
    *,
    confirmed: Collection[str] | None = None,
    now: datetime | None = None,
) -> int:
    """End a case that is out of scope: `reason` is one of the admissible codes, `reply` tells the complainant why.

    Raises `Questioned` as `resolve_case` does.
    """
    content = Content()
    content.choice("reason", reason, DECLINE_REASONS)
    text = content.reply("reply", reply)
    with acting(actor, tracking_number, version, Action.DECLINE, now) as step:
        content.check()
        questioned = closing.judge(step, text, confirmed, codes=closing.OF_A_DECLINE)
        step.case.outcome = OUTCOME_OF_END[Status.DECLINED]
        apply(step, "declined", {"reason_code": reason, **questioned}, {"reply": text})
        step.act.record(events.CaseDeclined(**step.about(), reason_code=reason))
        return step.case.version


def close_case(
    actor: Actor, tracking_number: str, version: int | None, reason: str = "", *, now: datetime | None = None
) -> int:
    """End the file after the answer; while the complainant may still object, a reason is needed."""
    content = Content()
    with acting(actor, tracking_number, version, Action.CLOSE, now) as step:
        confirm_by_on = queries.confirm_by_on(queries.events_of(step.session, step.case.id))
        is_early = lifecycle.needs_reason_to_close(confirm_by_on, step.today)
        text = content.text("reason", reason, is_required=is_early)
        content.check()
        apply(step, "closed", {"is_early": is_early}, {"reason": text})
        step.act.record(events.CaseClosed(**step.about()))
        return step.case.version


def answer_question(
    actor: Actor,
    tracking_number: str,
    answer: str,
    *,
    version: int | None = None,
    now: datetime | None = None,
    files: Received | None = None,
) -> int:
    """The complainant answers; the clock goes on. `files` that come with it are an answer without words, too."""
    content = Content()
    text = content.text("answer", answer, is_required=files is None)
    with acting(actor, tracking_number, version, Action.ANSWER, now) as step:
        content.check()
        apply_with(step, "answered", {}, {"answer": text}, files)
        step.act.record(
            events.ComplainantAnswered(**step.about(), officer_id=step.case.assignee_id, due_on=step.case.due_on)
        )
        return step.case.version


def add_information(
    actor: Actor,
    tracking_number: str,
    information: str,
    *,
    version: int | None = None,
    now: datetime | None = None,
    files: Received | None = None,
) -> int:
    """The complainant adds something unasked, in words, `files` or both; no clock minds it."""
    content = Content()
    text = content.text("information", information, is_required=files is None)
    with acting(actor, tracking_number, version, Action.ADD_INFORMATION, now) as step:
        content.check()
        apply_with(step, "information_added", {}, {"information": text}, files)
        step.act.record(events.InformationAdded(**step.about(), officer_id=step.case.assignee_id))
        return step.case.version


def withdraw_case(
    actor: Actor, tracking_number: str, reason: str = "", *, version: int | None = None, now: datetime | None = None
) -> int:
    """The complainant ends the case; a reason is welcome, not needed."""
    content = Content()
    text = content.text("reason", reason, is_required=False)
    with acting(actor, tracking_number, version, Action.WITHDRAW, now) as step:
        content.check()
        step.case.outcome = OUTCOME_OF_END[Status.WITHDRAWN]
        apply(step, "withdrawn", {}, {"reason": text})
        step.act.record(events.CaseWithdrawn(**step.about(), officer_id=step.case.assignee_id))
        if step.facts.open_subcases:
            subcases.end_all(step)
        return step.case.version


def resume_wait(tracking_number: str, *, now: datetime | None = None) -> bool:
    """End a wait for the complainant that has run out; False if it has not, or is over already (any number of calls
    ends the same)."""
    try:
        with acting(SYSTEM, tracking_number, None, Action.RESUME, now) as step:
            until = step.case.waiting_until
            if until is None or until > step.act.now:
                raise IllegalAction("not-run-out")
            apply(step, "resumed", {"ran_out_at": until})
            step.act.record(
                events.CaseResumed(**step.about(), officer_id=step.case.assignee_id, due_on=step.case.due_on)
            )
    except IllegalAction:
        return False
    return True


def record_view(actor: Actor, tracking_number: str) -> None:
    """Note that an officer opened a sensitive case (audit stream `views`)."""
    with transaction() as act:
        audit.record(act.session, "views", "sensitive-case-viewed", actor, act.now, tracking_number=tracking_number)


def handlers(step: Step) -> tuple[PostHolder, ...]:
    """Who may be given the case: the officers posted at its desk today, regular or alternate, whom it does not accuse."""
    return handlers_among(_seats(step), step.case.desk, step.facts.accusations)


def _seats(step: Step) -> tuple[StaffedPost, ...]:
    return holders(step.session, [step.case.office_id], step.today)


def handlers_among(
    seats: tuple[StaffedPost, ...], desk: str, accusations: tuple[Accusation, ...], *, with_absent: bool = False
) -> tuple[PostHolder, ...]:
    """The officers among the seats of an office who may be given a case at a desk, each once; nobody who is on leave, unless
    it is asked who may have it already (`with_absent`)."""
    accused = {a.officer_id for a in accusations}
    accused_posts = {a.post_id for a in accusations if a.officer_id is None}
    found: dict[int, PostHolder] = {}
    for seat in seats:
        if seat.role in HANDLER_ROLES[desk] and seat.post_id not in accused_posts:
            for holder in seat.holders if with_absent else seat.present:
                if holder.officer_id not in accused:
                    found.setdefault(holder.officer_id, holder)
    return tuple(found.values())


def _give(step: Step, officer_id: int, *, is_claim: bool) -> int:
    is_first_look = step.case.acknowledged_at is None
    step.case.assignee_id = officer_id
    apply(step, "assigned", {"officer_id": officer_id, "is_claim": is_claim})
    if is_first_look:
        step.act.record(events.CaseAcknowledged(**step.about()))
    step.act.record(events.CaseAssigned(**step.about(), officer_id=officer_id, is_claim=is_claim))
    return step.case.version
