"""The words for what happened to a case, for what can be done, and for why something cannot."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from grm.cases.queries import EventLine
from grm.cases.states import Action
from grm.offices.directory import Directory
from grm.web.labels import label
from grm.web.locale import gettext
from grm.web.presentation import digits, name, show_date, show_datetime


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


ACTIONS: dict[Action, str] = {
    Action.ACKNOWLEDGE: _("Acknowledge receipt"),
    Action.CLAIM: _("Take this case"),
    Action.ASSIGN: _("Assign to an officer"),
    Action.NOTE: _("Write an internal note"),
    Action.ASK: _("Ask the complainant"),
    Action.ACCEPT: _("Accept what was referred"),
    Action.RETURN: _("Return it with a reason"),
    Action.REFER: _("Refer to another office"),
    Action.SPLIT: _("Send a part to another office"),
    Action.INVESTIGATE: _("Appoint investigators"),
    Action.PERMIT: _("Decide on the permission to investigate"),
    Action.REPORT: _("Record the investigation report"),
    Action.REQUEST_EXTENSION: _("Ask for more time"),
    Action.DECIDE_EXTENSION: _("Decide on the request for more time"),
    Action.WRITE: _("Write to the complainant"),
    Action.SCHEDULE_HEARING: _("Set or move a hearing"),
    Action.RECORD_HEARING: _("Record what came of the hearing"),
    Action.ANSWER_DIRECTION: _("Answer the direction"),
    Action.RESOLVE: _("Resolve"),
    Action.RECOMMEND: _("Decide and recommend to the ministry"),
    Action.COMPLY: _("Report what was done on the recommendation"),
    Action.DECLINE: _("Decline as out of scope"),
    Action.CLOSE: _("Close the file"),
    Action.INFORM: _("Record how the complainant was told"),
    Action.ADD_COMPLAINANT: _("Add a complainant"),
    Action.TAKE_UP: _("Take up the late case"),
    Action.DIRECT: _("Give a direction"),
    Action.REMIND: _("Send a reminder"),
    Action.SEND_BACK: _("Send the answer back"),
    Action.ATTACH: _("Attach files"),
}
"""What officers do, in the order of the page."""

DONE: dict[str, str] = {
    "ACKNOWLEDGE": _("Receipt is acknowledged."),
    "CLAIM": _("The case is yours now."),
    "ASSIGN": _("The case is assigned."),
    "NOTE": _("The note is kept."),
    "ASK": _("The question goes to the complainant."),
    "REFER": _("The case went to the other office."),
    "ACCEPT": _("The case is accepted."),
    "RETURN": _("The case went back with your reason."),
    "SPLIT": _("The part went to the other office; this case waits for its answer."),
    "TAKE_UP": _("The case is yours now; who had it and the complainant are told."),
    "DIRECT": _("The direction is recorded and its date runs; the office is told."),
    "REMIND": _("The reminder is recorded; who has the case is told."),
    "ANSWER_DIRECTION": _("The answer is recorded; who gave the direction is told."),
    "RESOLVE": _("The answer is recorded and goes to the complainant."),
    "WRITE": _("The letter is on the tracking page, and the complainant is told of it."),
    "SCHEDULE_HEARING": _("The hearing is set; both sides are told, and reminded the day before."),
    "RECORD_HEARING": _("What came of the hearing is recorded."),
    "SEND_BACK": _("The answer went back; the officer and the complainant are told."),
    "DECLINE": _("The case is declined; the complainant is told why."),
    "CLOSE": _("The file is closed."),
    "ATTACH": _("The files are attached."),
    "ADD_COMPLAINANT": _("The complainant is added, and told where there is an address."),
    "INFORM": _("It is recorded how the complainant was told."),
    "INVESTIGATE": _("Recorded. Who permits it is asked; where that is you, the investigators are told."),
    "PERMIT": _("The decision on the investigation is recorded; who asked is told."),
    "REPORT": _("The report is recorded."),
    "REQUEST_EXTENSION": _("The request is recorded; somebody else decides on it."),
    "DECIDE_EXTENSION": _("The decision on more time is recorded."),
    "RECOMMEND": _("The decision is recorded; the ministry has the case and its date."),
    "COMPLY": _("What was done is recorded and goes to the complainant."),
}

ANSWERED_PART = _("The answer is recorded and goes to the office that has the whole case.")
"""What is said instead where a part was answered: no complainant hears of it."""


def done(name: str, *, is_part: bool = False) -> str:
    """What is said of an act that was just done, to be translated when shown; empty for a name that is none."""
    return ANSWERED_PART if is_part and name == Action.RESOLVE else DONE.get(name, "")


WHY: dict[str, str] = {
    "not-your-part": _("This is not part of your role in this case."),
    "claim-first": _("Take the case first, or let it be assigned to you."),
    "holder-decides": _("The officer who holds the case decides; you may have to hear the appeal."),
    "case-ended": _("The case has ended."),
    "already-acknowledged": _("Receipt is acknowledged already."),
    "already-waiting": _("A question is open already."),
    "already-yours": _("The case is yours already."),
    "held-by-another": _("Another officer has the case; only the office can give it to you."),
    "no-question-open": _("No question is open."),
    "not-resolved-yet": _("The case is not resolved yet."),
    "not-in-this-state": _("The status of the case does not allow it."),
    "third-referral-needs-superior": _(
        "It was referred twice already; a third time the appeal officer or the Cabinet Division decides."
    ),
    "return-needs-superior": _(
        "That office has held the case before; to return it the appeal officer or the Cabinet Division decides."
    ),
    "no-hearing": _("No hearing is planned."),
    "hearing-to-come": _("The hearing is still to come: it can be called off or moved, not recorded."),
    "record-hearing-first": _("A hearing has passed: record first what came of it."),
    "not-answered": _("There is no answer that could be sent back."),
    "answer-stands": _("The time in which the complainant may object is over; the answer stands."),
    "nobody-to-inform": _("The complainant knows of everything already."),
    "not-in-appeal": _("An appeal is decided where it lies; it is not referred."),
    "decided-before": _("You have decided this case before; somebody else decides now."),
    "comply-instead": _("The Cabinet Division has decided: report what was done on its recommendation."),
    "only-the-cell": _("Only the Cabinet Division cell recommends, when it decides a second appeal."),
    "nothing-recommended": _("The Cabinet Division has recommended nothing here."),
    "nobody-to-comply": _("No ministry stands behind this case; resolve it instead."),
    "already-investigating": _("The matter is being investigated already."),
    "permission-asked": _("Permission to investigate is asked for already."),
    "no-permission-asked": _("Nobody asks for permission to investigate."),
    "another-permits": _("The head of office permits it; without one the appeal officer, else the Cabinet Division."),
    "permit-after-answer": _("A question to the complainant is open; decide when the answer is there."),
    "not-investigating": _("No investigation is going on."),
    "not-investigated": _("More time is given only where the matter is investigated."),
    "extension-asked-before": _("More time was asked for already; it is given once only."),
    "clock-missed": _("The date is missed already."),
    "no-request-open": _("Nobody asks for more time."),
    "own-request": _("You asked yourself; somebody else decides."),
    "same-office": _("The case is at this office already."),
    "sender-is-gone": _("The office that sent it takes no cases any more: refer it instead."),
    "same-case": _("This is the case itself."),
    "leads-others": _("Other cases are merged into it or linked under it; take these apart first."),
    "follows-already": _("It is linked under another case already."),
    "investigated-alone": _("It is being investigated; merge the other one into it instead."),
    "not-merged": _("It is not merged into another case."),
    "not-linked": _("It is not linked under another case."),
    "lead-not-yours": _("You must hold both cases: the other one is not in your hands."),
    "lead-ended": _("The other case has ended."),
    "lead-follows": _("The other case itself follows a third one; use that one."),
    "other-desk": _("They lie at different desks: nobody there could answer both together."),
    "other-tier": _("One of the two is in appeal and the other is not: they are decided by different officers."),
    "sensitivity-differs": _("One of the two is sensitive and the other is not: fewer people may see it."),
    "accuses-others": _("One of the two complains of somebody who may see the other."),
    "too-many-people": _("There are as many complainants in it as one case can have."),
    "anonymous-stays": _("The complaint is anonymous; nobody is named in it."),
    "subcases-open": _("A part of the case is with another office: wait until it is answered or returned."),
    "direction-open": _("A direction of the Cabinet Division is not answered yet: answer it first."),
    "part-of-a-case": _("This is a part of another office's case: answer it, or return it before you accept it."),
    "not-offered": _("There is no referral to accept or return."),
    "nothing-directed": _("No direction of the Cabinet Division is open."),
    "only-the-cell-directs": _("Only the Cabinet Division cell gives directions."),
    "direction-open-already": _("A direction is open already; wait for its answer."),
    "already-there": _("The case is decided at this level already."),
    "not-missed-yet": _("Its date is not missed yet."),
    "reminded-today": _("You have sent a reminder today; the next one is possible on the next working day."),
}

FAULTS: dict[str, str] = {
    "missing": _("Write something here"),
    "too-short": _("Write at least a full sentence: %(count)s characters or more"),
    "too-long": _("This is too long: at most %(count)s characters"),
    "choose-one": _("Choose one"),
    "may-not-investigate": _("Somebody named may not investigate any more: refuse, and let it be asked for anew"),
    "refer-instead": _(
        "A case that belongs to another office is not ended: refer it there, with “Refer to another office”"
    ),
    "no-such-case": _("There is no case with this number that you may open"),
    "another-complainant": _("Tick the box: these are different people, and the second gets the answer to the first"),
    "already-in-it": _("This phone or address is in the complaint already"),
    "phone-or-email": _("Give a phone or an e-mail address, or at least a name"),
    "phone-wrong": _("Give a Bangladeshi mobile number (013 to 019), or leave it empty"),
    "email-wrong": _("Give an e-mail address such as name@example.org, or leave it empty"),
    "too-long-line": _("At most 300 characters"),
    "choose-files": _("Choose at least one file"),
    "day-not-possible": _("Choose a day from the day of receipt to today"),
    "visit-or-why": _("Write what was found on the spot, or below why nobody went"),
    "day-to-come": _("Choose a day and hour to come, at most a year ahead"),
    "hour-not-read": _("Write the hour as 10:30"),
    "questioned-empty": _("This seems to say nothing of the matter itself"),
    "questioned-unfilled": _("A blank is left open"),
    "questioned-canned": _("This is a canned text as it came"),
    "questioned-repeated": _("Your office has sent the same reply in another case"),
    "questioned-language": _("This is hardly in the complainant's language"),
    "control-characters": _("This has characters that cannot be stored; type it anew"),
}

_TITLES: dict[str, str] = {
    "filed": _("Filed"),
    "acknowledged": _("Receipt acknowledged"),
    "assigned": _("Assigned to %(officer)s"),
    "claimed": _("Taken by %(officer)s"),
    "handed_over": _("Handed over to %(officer)s"),
    "unassigned": _("Back at the desk; %(officer)s has it no longer"),
    "noted": _("Internal note"),
    "asked": _("Question to the complainant, answer until %(date)s"),
    "answered": _("Answer of the complainant"),
    "information_added": _("Information added by the complainant"),
    "resumed": _("No answer came; the clock goes on"),
    "referred": _("Referred from %(from_office)s to %(to_office)s"),
    "filed_part": _("Sent here as a part of a case, by %(part_from)s"),
    "accepted": _("Referral accepted"),
    "returned": _("Returned by %(from_office)s to %(to_office)s"),
    "split": _("A part sent to %(part_office)s"),
    "subcase_answered": _("Answer about the part sent to %(part_office)s: %(outcome)s"),
    "subcase_returned": _("%(part_office)s has returned the part"),
    "subcase_ended": _("Ended, because the complainant has withdrawn the whole case"),
    "directed": _("Direction of the Cabinet Division, to be answered by %(date)s"),
    "direction_answered": _("Direction answered"),
    "reminded": _("Reminder to who has the case, due on %(date)s"),
    "own_motion": _("Taken up on own motion, because it is late. To: %(to_office)s (%(desk)s)"),
    "resolved": _("Resolved: %(outcome)s"),
    "declined": _("Declined: %(reason)s"),
    "closed": _("File closed"),
    "withdrawn": _("Withdrawn by the complainant"),
    "written": _("Letter to the complainant"),
    "hearing_set": _("Hearing set for %(hearing)s"),
    "hearing_moved": _("Hearing moved to %(hearing)s"),
    "hearing_held": _("The hearing of %(hearing)s was held"),
    "hearing_missed_complainant": _("The complainant did not come to the hearing of %(hearing)s"),
    "hearing_missed_office": _("The office did not come to the hearing of %(hearing)s"),
    "hearing_cancelled": _("The hearing of %(hearing)s is called off"),
    "sent_back": _("Answer sent back by the superior; due on %(date)s"),
    "not_informed": _("Not informed: %(message)s did not arrive. To be called or written to"),
    "informed_phone": _("Told by phone on %(date)s"),
    "informed_letter": _("Told by letter on %(date)s"),
    "informed_in_person": _("Told in person on %(date)s"),
    "informed_read": _("The complainant has read it on the tracking page"),
    "informed_delivered": _("The message with the decision has arrived"),
    "informed_nobody": _("Nobody to inform: no address was left; the tracking page shows the decision"),
    "warned": _("Reminder: %(deadline)s due on %(date)s"),
    "escalated": _("Escalated to level %(level)s: %(deadline)s was due on %(date)s"),
    "escalated_asked": _("Escalated to level %(level)s, as the complainant asked: %(deadline)s was due on %(date)s"),
    "escalation_asked": _("The complainant asked to have the late case sent higher"),
    "rated": _("Rated by the complainant, the answer to the complaint: %(stars)s of 5"),
    "rated_appeal": _("Rated by the complainant, the answer to the appeal: %(stars)s of 5"),
    "gap": _("Level %(level)s passed: the post is vacant"),
    "investigation_started": _("Investigation begun, led by %(officer)s; report due on %(date)s"),
    "investigation_permitted": _(
        "Investigation permitted (%(role)s) and begun, led by %(officer)s; report due on %(date)s"
    ),
    "investigation_asked": _("Permission asked for an investigation led by %(officer)s"),
    "investigation_refused": _("Investigation not permitted"),
    "investigators_changed": _("Handover in the investigation, now led by %(officer)s"),
    "investigation_reported": _("Investigation report"),
    "extension_requested": _("More time asked for: %(days)s working days"),
    "extension_approved": _("More time given: %(days)s working days, new due date %(date)s"),
    "extension_refused": _("More time refused"),
    "contested": _("Not solved, says the complainant. To: %(to_office)s (%(desk)s)"),
    "appealed": _("Appeal of the complainant. To: %(to_office)s (%(desk)s)"),
    "appealed_silence": _("Appeal of the complainant, because no decision came in time. To: %(to_office)s (%(desk)s)"),
    "recommended": _("Decided: %(outcome)s. Recommended to %(to_office)s, to be done by %(date)s"),
    "complied": _("The recommendation was carried out"),
    "redated": _("New due date %(date)s: the calendar has changed"),
    "escalation_withdrawn": _("Level %(level)s withdrawn before anybody was told: %(deadline)s is due on %(date)s"),
    "warning_withdrawn": _("Reminder withdrawn before anybody was told: %(deadline)s is due on %(date)s"),
    "attached": _("Files attached: %(count)s"),
    "attachment_infected": _("An attached file was found infected and deleted"),
    "set_aside": _("Set aside by an operator, the clock no longer climbs: %(deadline)s, due on %(date)s"),
    "merged": _("Merged into another case, to be answered with it by %(date)s"),
    "merged_in": _("A duplicate was merged into this case"),
    "merged_in_earlier": _("A duplicate filed earlier was merged into this case; new due date %(date)s"),
    "unmerged": _("Set apart again; due on %(date)s"),
    "unmerged_lead_ended": _("Set apart again, because the other case has ended without an answer; due on %(date)s"),
    "unmerged_from": _("A merged case was set apart again"),
    "unmerged_from_later": _("A merged case was set apart again; new due date %(date)s"),
    "unmerged_from_contested": _("The complainant of a merged case is not content; it is set apart"),
    "unmerged_from_appealed": _("The complainant of a merged case has appealed; it is set apart"),
    "unmerged_from_withdrawn": _("The complainant of a merged case has withdrawn it"),
    "answered_together": _("Answered together with the case it is merged into: %(decision)s"),
    "linked": _("Linked under another case, to be answered together"),
    "linked_lead": _("Another case was linked under this one"),
    "unlinked": _("No longer linked under another case"),
    "unlinked_lead": _("A linked case was taken off this one"),
    "complainant_added": _("A complainant was added"),
    "taken_up": _("The clock climbs again: %(deadline)s, due on %(date)s"),
}

_TITLED_BY: dict[str, Callable[[dict[str, Any]], str]] = {
    "merged_in": lambda data: "merged_in_earlier" if data.get("to_due_on") else "merged_in",
    "unmerged": lambda data: "unmerged_lead_ended" if data.get("why") == "lead_ended" else "unmerged",
    "unmerged_from": lambda data: (
        "unmerged_from_later"
        if data.get("to_due_on")
        else f"unmerged_from_{data['why']}"
        if data.get("why") in ("contested", "appealed", "withdrawn")
        else "unmerged_from"
    ),
    "investigation_started": lambda data: (
        "investigation_permitted" if data.get("permitted_as") else "investigation_started"
    ),
    "rated": lambda data: "rated_appeal" if data.get("stage") == "appeal" else "rated",
    "linked": lambda data: "linked_lead" if data.get("is_lead") else "linked",
    "unlinked": lambda data: "unlinked_lead" if data.get("is_lead") else "unlinked",
}
"""Events whose title says more than their kind: links tell which side of them this case is."""

TEXTS: dict[str, str] = {
    "note": "",
    "question": "",
    "answer": "",
    "information": "",
    "reply": _("Reply to the complainant"),
    "root_cause": _("Root cause"),
    "prevention": _("To prevent it from happening again"),
    "reason": _("Reason"),
    "visit": _("Found on the spot"),
    "no_visit": _("Why nobody went and saw"),
    "letter": "",
    "place": _("Place"),
    "bring": _("To bring"),
    "minutes": "",
    "permission": _("Permission"),
    "findings": "",
    "grounds": "",
    "comment": "",
    "recommendation": _("Recommendation"),
    "part": "",
    "direction": "",
    "reminder": "",
    "report": "",
}
"""Headings of the free texts; empty where the title of the event says enough."""

_KIND_CLASS = {
    "escalated": "late",
    "sent_back": "late",
    "escalation_asked": "late",
    "noted": "note",
    "resolved": "done",
    "closed": "done",
    "complied": "done",
    "recommended": "done",
    "answered_together": "done",
}


def title(line: EventLine, book: Directory) -> str:
    """What happened, in one line in the page's language."""
    data = line.data
    key = "claimed" if line.kind == "assigned" and data.get("is_claim") else line.kind
    if line.kind == "assigned" and data.get("handover_id"):
        key = "handed_over"
    if line.kind == "filed" and "part_from_office_id" in data:
        key = "filed_part"
    if line.kind == "escalated" and (data.get("is_gap") or data.get("is_asked")):
        key = "gap" if data.get("is_gap") else "escalated_asked"
    if line.kind == "appealed" and data.get("is_silence"):
        key = "appealed_silence"
    if line.kind in _TITLED_BY:
        key = _TITLED_BY[line.kind](data)
    if line.kind == "hearing_missed":
        key = f"hearing_missed_{data.get('missed_by', 'complainant')}"
    if line.kind == "informed":
        key = f"informed_{data.get('how', 'read')}"
    text = _TITLES[key]
    told = gettext(text, **_values(line, book)) if "%(" in text else gettext(text)
    if line.kind != "attached" and (files := len(data.get("files", ()))):
        return gettext("%(what)s – files: %(count)s", what=told, count=digits(files))
    return told


def css_class(line: EventLine) -> str:
    """How the timeline marks the event."""
    return _KIND_CLASS.get(line.kind, "")


def doer(line: EventLine) -> str:
    """Who did it, in the page's language."""
    if line.actor_kind == "complainant":
        return gettext("Complainant")
    return name(line.actor) if line.actor else gettext("The system")


def fault(code: str, shortest: int, longest: int) -> str:
    """The sentence for what is wrong with a field."""
    text = FAULTS[code]
    count = digits(shortest if code == "too-short" else longest)
    return gettext(text, count=count) if "%(" in text else gettext(text)


def _values(line: EventLine, book: Directory) -> dict[str, Any]:
    data = line.data
    return {
        "officer": name(line.officer),
        "date": _date(
            data.get("answer_by_on") or data.get("to_due_on") or data.get("due_on") or data.get("contacted_on")
        ),
        "hearing": show_datetime(datetime.fromisoformat(data["hearing_at"])) if "hearing_at" in data else "–",
        "message": label("message_subject", data.get("subject")),
        "from_office": _office(book, data.get("from_office_id")),
        "part_office": _office(book, data.get("part_office_id")),
        "part_from": _office(book, data.get("part_from_office_id")),
        "to_office": _office(book, data.get("to_office_id")),
        "outcome": label("outcome", data.get("outcome")),
        "reason": label("decline_reason", data.get("reason_code")),
        "decision": label("decline_reason", data["reason_code"])
        if data.get("reason_code")
        else label("outcome", data.get("outcome")),
        "deadline": label("deadline_kind", data.get("deadline_kind", "resolve")),
        "level": digits(data.get("level", "")),
        "stars": digits(data.get("stars", "")),
        "days": digits(data.get("working_days", "")),
        "count": digits(len(data.get("files", ()))),
        "desk": label("desk", data.get("to_desk", "gro")),
        "role": label("role", data["permitted_as"]) if "permitted_as" in data else "–",
    }


def _date(value: Any) -> str:
    return show_date(date.fromisoformat(value)) if value else "–"


def _office(book: Directory, office_id: int | None) -> str:
    return name(book.office(office_id)) if office_id is not None else "–"
