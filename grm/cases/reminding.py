"""A reminder (তাগিদ) to who has a case, from a superior, the Cabinet Division or the coordinator of the cluster. An act like those
of `grm/cases/service.py`, by the same spine and with the same errors, but that it makes no new version: it changes nothing that
an answer depends on, and who is writing one just then is not to be told that somebody was faster."""

from datetime import datetime

from grm.cases import events, history
from grm.cases.content import Content
from grm.cases.reminders import KIND
from grm.cases.spine import acting
from grm.cases.states import Action
from grm.kernel.actor import Actor


def remind_case(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    reminder: str = "",
    *,
    bulk_id: int | None = None,
    now: datetime | None = None,
) -> int:
    """Remind who has an open case, in words or without; returns the version, which stays as it is.

    The officer who has it is told, or whoever answers for the desk where nobody has. `bulk_id` is the act on many cases that
    this one belongs to. `IllegalAction` `reminded-today` where the actor has done so since the working day began.
    """
    content = Content()
    text = content.text("reminder", reminder, is_required=False)
    with acting(actor, tracking_number, version, Action.REMIND, now) as step:
        content.check()
        case = step.case
        data = {"due_on": case.due_on, "officer_id": case.assignee_id}
        if bulk_id is not None:
            data["bulk_id"] = bulk_id
        history.append(step.session, case, KIND, actor, step.act.now, data, {"reminder": text})
        case.reminded_at = step.act.now
        step.act.record(
            events.CaseReminded(**step.about(), officer_id=case.assignee_id, due_on=case.due_on, bulk_id=bulk_id)
        )
        return case.version
