"""A superior takes up a case whose time has run out, without waiting for an appeal. An act like those of `grm/cases/service.py`,
by the same spine and with the same errors."""

from datetime import datetime
from typing import Any

from grm.cases import events, lifecycle, spine
from grm.cases.content import Content
from grm.cases.referrals import NOT_REFERRED
from grm.cases.spine import acting, apply
from grm.cases.states import Action
from grm.kernel.actor import Actor
from grm.kernel.errors import NotFound
from grm.offices.queries import directory, holders


def take_up_case(
    actor: Actor, tracking_number: str, version: int | None, reason: str, *, now: datetime | None = None
) -> int:
    """The appeal officer or the cell takes a case whose main clock is missed to the own tier, under that tier's clock, and is its
    officer from now on; who had it and the complainant are told.

    It is decided there as an appeal would be: by somebody who has not decided it before, and what is left to the complainant is
    the appeal from there. `IllegalAction` `not-missed-yet`, `already-there`, `decided-before`.
    """
    content = Content()
    text = content.text("reason", reason)
    with acting(actor, tracking_number, version, Action.TAKE_UP, now) as step:
        content.check()
        case, tier = step.case, lifecycle.tier_of(actor)
        office_id = directory(step.session).cell.id if tier == "cell" else case.office_id
        spine.hold_officer(step.session, actor.officer_id)
        seats = holders(step.session, [office_id], step.today)
        if actor.officer_id not in {each.officer_id for seat in seats for each in seat.holders}:
            raise NotFound  # has left the office since the page was asked for
        had_it: dict[str, Any] = {"from_office_id": case.office_id, "from_desk": case.desk}
        former_officer_id = case.assignee_id
        data = {
            "tier": tier,
            "officer_id": actor.officer_id,
            **had_it,
            "to_office_id": office_id,
            "to_desk": tier,
            "level_was": case.level,
        }
        change = {
            "tier": tier,
            "main_clock": tier,
            "office_id": office_id,
            "desk": tier,
            "assignee_id": actor.officer_id,
            **NOT_REFERRED,
        }
        apply(step, "own_motion", data, {"reason": text}, change)
        step.act.record(
            events.CaseTakenUp(
                **step.about(), **had_it, former_officer_id=former_officer_id, tier=tier, due_on=case.due_on
            )
        )
        return case.version
