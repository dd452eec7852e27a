"""What the office does to which a case was referred: it accepts, or returns it with a reason. Acts like those of
`grm/cases/service.py`, by the same spine and with the same errors.

Whatever else it does with the case accepts it as well (`lifecycle`). Sending a case on is `service.refer_case`; a part of a case
is sent by `grm/cases/subcases.py`.
"""

from datetime import datetime

from grm.cases import events, referral, subcases
from grm.cases.content import Content
from grm.cases.spine import Step, acting, apply, clock_facts
from grm.cases.states import Action
from grm.deadlines import service as deadlines
from grm.kernel.actor import Actor
from grm.kernel.errors import IllegalAction


def offer(step: Step) -> None:
    """After a referral: the new office has a first look to take, under a new epoch of that clock.

    The main clock does not notice. Silence of the new office is so seen within days, and not only when the case is late.
    """
    deadlines.start(step.session, step.case.id, "acknowledge", clock_facts(step.session, step.case), step.act.now)


def accept_case(actor: Actor, tracking_number: str, version: int | None, *, now: datetime | None = None) -> int:
    """The office takes what was referred to it. `IllegalAction` `not-offered` where that is settled already."""
    with acting(actor, tracking_number, version, Action.ACCEPT, now) as step:
        apply(step, "accepted", {})
        return step.case.version


def return_case(
    actor: Actor, tracking_number: str, version: int | None, reason: str, *, now: datetime | None = None
) -> int:
    """The office sends back what it has not accepted: to the desk that sent it, unassigned; a part of a case ends with that.

    It counts as a transfer: the third one needs the appeal officer or the cell (`IllegalAction`).
    """
    content = Content()
    text = content.text("reason", reason)
    with acting(actor, tracking_number, version, Action.RETURN, now) as step:
        content.check()
        if step.facts.is_subcase:
            return subcases.turn_down(step, text)
        case, session = step.case, step.session
        to_office_id, to_desk = case.referred_from_office_id, case.referred_from_desk
        takers = {office.id for office, _ in referral.targets(session, step.facts, step.today)}
        if to_office_id is None or to_desk is None or to_office_id not in takers:
            raise IllegalAction("sender-is-gone")
        from_office_id, from_desk = case.office_id, case.desk
        deadlines.meet(session, case.id, "acknowledge", step.act.now)
        case.referral_count += 1
        data = {
            "from_office_id": from_office_id,
            "from_desk": from_desk,
            "to_office_id": to_office_id,
            "to_desk": to_desk,
        }
        change = {"office_id": to_office_id, "desk": to_desk, "assignee_id": None, **NOT_REFERRED}
        apply(step, "returned", data, {"reason": text}, change)
        step.act.record(events.CaseReturned(**step.about(), from_office_id=from_office_id, to_office_id=to_office_id))
        return case.version


NOT_REFERRED = {"referred_from_office_id": None, "referred_from_desk": None, "referral_state": None}
"""The columns of a case that nobody has sent to where it lies: as filed, returned, or risen to a higher desk."""
