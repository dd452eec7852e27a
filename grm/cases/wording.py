"""The words for what happened to a case, for what can be done, and for why something cannot."""

from datetime import date
from typing import Any

from grm.cases.queries import EventLine
from grm.cases.states import Action
from grm.offices.directory import Directory
from grm.web.labels import label
from grm.web.locale import gettext
from grm.web.presentation import digits, name, show_date


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


ACTIONS: dict[Action, str] = {
    Action.ACKNOWLEDGE: _("Acknowledge receipt"),
    Action.CLAIM: _("Take this case"),
    Action.ASSIGN: _("Assign to an officer"),
    Action.NOTE: _("Write an internal note"),
    Action.ASK: _("Ask the complainant"),
    Action.REFER: _("Refer to another office"),
    Action.RESOLVE: _("Resolve"),
    Action.DECLINE: _("Decline as out of scope"),
    Action.CLOSE: _("Close the file"),
}
"""What officers do, in the order of the page."""

DONE: dict[str, str] = {
    "ACKNOWLEDGE": _("Receipt is acknowledged."),
    "CLAIM": _("The case is yours now."),
    "ASSIGN": _("The case is assigned."),
    "NOTE": _("The note is kept."),
    "ASK": _("The question goes to the complainant."),
    "REFER": _("The case went to the other office."),
    "RESOLVE": _("The answer is recorded and goes to the complainant."),
    "DECLINE": _("The case is declined; the complainant is told why."),
    "CLOSE": _("The file is closed."),
}

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
    "same-office": _("The case is at this office already."),
}

FAULTS: dict[str, str] = {
    "missing": _("Write something here"),
    "too-short": _("Write at least a full sentence: %(count)s characters or more"),
    "too-long": _("This is too long: at most %(count)s characters"),
    "choose-one": _("Choose one"),
    "control-characters": _("This has characters that cannot be stored; type it anew"),
}

_TITLES: dict[str, str] = {
    "filed": _("Filed"),
    "acknowledged": _("Receipt acknowledged"),
    "assigned": _("Assigned to %(officer)s"),
    "claimed": _("Taken by %(officer)s"),
    "noted": _("Internal note"),
    "asked": _("Question to the complainant, answer until %(date)s"),
    "answered": _("Answer of the complainant"),
    "information_added": _("Information added by the complainant"),
    "resumed": _("No answer came; the clock goes on"),
    "referred": _("Referred from %(from_office)s to %(to_office)s"),
    "resolved": _("Resolved: %(outcome)s"),
    "declined": _("Declined: %(reason)s"),
    "closed": _("File closed"),
    "withdrawn": _("Withdrawn by the complainant"),
    "warned": _("Reminder: %(deadline)s due on %(date)s"),
    "escalated": _("Escalated to level %(level)s: %(deadline)s was due on %(date)s"),
    "gap": _("Level %(level)s passed: the post is vacant"),
    "redated": _("New due date %(date)s: the calendar has changed"),
}

TEXTS: dict[str, str] = {
    "note": "",
    "question": "",
    "answer": "",
    "information": "",
    "reply": _("Reply to the complainant"),
    "root_cause": _("Root cause"),
    "prevention": _("To prevent it from happening again"),
    "reason": _("Reason"),
}
"""Headings of the free texts; empty where the title of the event says enough."""

_KIND_CLASS = {"escalated": "late", "noted": "note", "resolved": "done", "closed": "done"}


def title(line: EventLine, book: Directory) -> str:
    """What happened, in one line in the page's language."""
    data = line.data
    key = "claimed" if line.kind == "assigned" and data.get("is_claim") else line.kind
    if line.kind == "escalated" and data.get("is_gap"):
        key = "gap"
    text = _TITLES[key]
    return gettext(text, **_values(line, book)) if "%(" in text else gettext(text)


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
        "date": _date(data.get("answer_by_on") or data.get("to_due_on") or data.get("due_on")),
        "from_office": _office(book, data.get("from_office_id")),
        "to_office": _office(book, data.get("to_office_id")),
        "outcome": label("outcome", data.get("outcome")),
        "reason": label("decline_reason", data.get("reason_code")),
        "deadline": label("deadline_kind", data.get("deadline_kind", "resolve")),
        "level": digits(data.get("level", "")),
    }


def _date(value: Any) -> str:
    return show_date(date.fromisoformat(value)) if value else "–"


def _office(book: Directory, office_id: int | None) -> str:
    return name(book.office(office_id)) if office_id is not None else "–"
