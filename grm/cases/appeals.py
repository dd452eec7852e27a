"""What follows when the complainant is not content: it is not solved, a first and a second appeal, and what the cell
recommends to a ministry. Acts like those of `grm/cases/service.py`, by the same spine and with the same errors."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from grm.cases import closing, events, instances, lifecycle, spine
from grm.cases.content import SHORTEST_REPLY, Content
from grm.cases.instances import Instance
from grm.cases.referrals import NOT_REFERRED
from grm.cases.service import answer_texts
from grm.cases.spine import Step, acting, apply
from grm.cases.states import ENDED, Action, Status
from grm.kernel.actor import Actor
from grm.kernel.errors import IllegalAction


def contest_case(
    actor: Actor, tracking_number: str, grounds: str, *, version: int | None = None, now: datetime | None = None
) -> int:
    """The complainant says within the window that the answer has not solved it: the desk above takes the case, unassigned,
    and the main clock begins a new epoch. The tier stays, so that an appeal remains open."""
    content = Content()
    text = content.text("grounds", grounds)
    with acting(actor, tracking_number, version, Action.CONTEST, now) as step:
        content.check()
        to = instances.superior_desk(step.session, step.case, step.facts, step.today)
        main_clock = "cell" if step.case.main_clock == "comply" else step.case.main_clock
        moved = _moved(step, to)
        apply(step, "contested", moved, {"grounds": text}, _anew(to, main_clock))
        step.act.record(
            events.CaseContested(
                **step.about(), from_office_id=moved["from_office_id"], due_on=step.case.due_on, tier=step.case.tier
            )
        )
        return step.case.version


def appeal_case(
    actor: Actor, tracking_number: str, grounds: str, *, version: int | None = None, now: datetime | None = None
) -> int:
    """The complainant appeals against the decision, or, where the limit has passed without one, against the silence (then
    `grounds` may be empty). The next instance takes the case, unassigned and at level 0, under a clock of its own."""
    content = Content()
    with acting(actor, tracking_number, version, Action.APPEAL, now) as step:
        is_silence = Status(step.case.status) not in ENDED or lifecycle.is_awaiting_lead(step.facts)
        text = content.text("grounds", grounds, is_required=not is_silence)
        content.check()
        to = instances.above(step.session, step.case, step.facts, step.today)
        moved = _moved(step, to)
        data = {"tier": to.tier, "is_silence": is_silence, **moved}
        apply(step, "appealed", data, {"grounds": text}, _anew(to, to.tier))
        step.act.record(
            events.AppealFiled(
                **step.about(),
                from_office_id=moved["from_office_id"],
                due_on=step.case.due_on,
                tier=to.tier,
                is_silence=is_silence,
            )
        )
        return step.case.version


def recommend_case(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    *,
    outcome: str,
    reply: str,
    recommendation: str,
    root_cause: str,
    prevention: str,
    contact: str,
    reason: str = "",
    confirmed: Collection[str] | None = None,
    now: datetime | None = None,
) -> int:
    """The cell decides a second appeal and recommends something to the ministry, whose appeal desk has it done.

    `IllegalAction` `nobody-to-comply` where no ministry stands behind the case, or only the accused; `Questioned` as
    `service.resolve_case` does.
    """
    content = Content()
    texts = answer_texts(content, outcome, reply, root_cause, prevention, contact, reason)
    texts["recommendation"] = content.text("recommendation", recommendation, shortest=SHORTEST_REPLY)
    with acting(actor, tracking_number, version, Action.RECOMMEND, now) as step:
        content.check()
        to = instances.ministry_desk(step.session, step.case, step.facts, step.today)
        if to is None:
            raise IllegalAction("nobody-to-comply")
        questioned = closing.judge(step, texts["reply"], confirmed)
        data = {"outcome": outcome, "contact": contact, **_moved(step, to), **questioned}
        change = {"office_id": to.office_id, "desk": to.desk, "assignee_id": None, "main_clock": "comply"}
        apply(step, "recommended", data, texts, change | {"outcome": outcome} | NOT_REFERRED)
        step.act.record(
            events.CaseRecommended(**step.about(), outcome=outcome, contact=contact, due_on=step.case.due_on)
        )
        return step.case.version


def comply_case(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    reply: str,
    *,
    confirmed: Collection[str] | None = None,
    now: datetime | None = None,
) -> int:
    """The ministry reports what it has done on the cell's recommendation; the complainant may say that it has not.

    Raises `Questioned` as `service.resolve_case` does.
    """
    content = Content()
    text = content.text("reply", reply, shortest=SHORTEST_REPLY)
    with acting(actor, tracking_number, version, Action.COMPLY, now) as step:
        content.check()
        questioned = closing.judge(step, text, confirmed)
        confirm_by_on = spine.window_ends_on(step, "confirm")
        apply(step, "complied", {"confirm_by_on": confirm_by_on, **questioned}, {"reply": text})
        step.act.record(events.CaseComplied(**step.about(), confirm_by_on=confirm_by_on))
        return step.case.version


def _moved(step: Step, to: Instance) -> dict[str, Any]:
    case = step.case
    return {
        "from_office_id": case.office_id,
        "from_desk": case.desk,
        "to_office_id": to.office_id,
        "to_desk": to.desk,
        "level_was": case.level,
    }


def _anew(to: Instance, main_clock: str) -> dict[str, Any]:
    """The columns of a case that begins anew at another desk."""
    return {
        "tier": to.tier,
        "main_clock": main_clock,
        "office_id": to.office_id,
        "desk": to.desk,
        "assignee_id": None,
        "outcome": None,
        "ended_at": None,
        **NOT_REFERRED,
    }
