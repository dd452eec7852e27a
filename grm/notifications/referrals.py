"""What officers and complainants are told of returned referrals, parts of cases, directions and own-motion take-ups: message
rows, as in `grm/notifications/service.py`. Of a part no complainant hears anything: it has none."""

from grm.cases import events
from grm.kernel.clock import dhaka_date
from grm.kernel.transaction import Act
from grm.notifications import audience
from grm.notifications.service import tell_complainant, tell_officer


def on_case_returned(act: Act, event: events.CaseReturned) -> None:
    """Tell the complainant where the case lies now, and the desk that has it again."""
    tell_complainant(act, event, "case-referred-complainant")
    tell_officer(act, event, "case-returned-officer", None)


def on_subcase_sent(act: Act, event: events.SubcaseSent) -> None:
    """Tell the desk that a part of a case was sent to."""
    tell_officer(act, event, "case-part-officer", None)


def on_subcase_back(act: Act, event: events.SubcaseBack) -> None:
    """Tell who handles the whole case; if nobody does, who answers for the desk."""
    tell_officer(act, event, "case-part-back-officer", event.officer_id)


def on_case_directed(act: Act, event: events.CaseDirected) -> None:
    """Tell who handles the case until when the direction is to be answered; if nobody does, who answers for the desk."""
    tell_officer(act, event, "case-directed-officer", event.officer_id, {"due_on": event.due_on.isoformat()})


def on_direction_answered(act: Act, event: events.DirectionAnswered) -> None:
    """Tell who gave the direction."""
    tell_officer(act, event, "case-direction-answered-officer", event.officer_id)


def on_case_taken_up(act: Act, event: events.CaseTakenUp) -> None:
    """Tell the complainant until when it is decided now, and who had the case that it is not theirs any more."""
    tell_complainant(act, event, "case-taken-up-complainant")
    former = event.former_officer_id
    if former is None:
        today = dhaka_date(act.now)
        former = audience.desk_holder(act.session, event.case_id, event.from_office_id, event.from_desk, today)
    if former is not None:
        tell_officer(act, event, "case-taken-up-officer", former)
