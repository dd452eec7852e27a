"""Words for officers about messages: what one was about, and why it did not arrive. Never its text or address."""

from grm.notifications.catalogue import RESTORED, SENSITIVE_COMPLAINANT, SENSITIVE_OFFICER
from grm.web.locale import gettext
from grm.web.presentation import digits


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


SUBJECTS: dict[str, str] = {
    "track-code-complainant": _("One-time code for the tracking page, asked for there"),
    "case-filed-complainant": _("Acknowledgement with number and due date"),
    "case-question-complainant": _("Notice that information is needed"),
    "case-referred-complainant": _("Notice of the referral"),
    "case-resolved-complainant": _("Notice of the answer"),
    "case-declined-complainant": _("Notice that the case was declined"),
    "case-recommended-complainant": _("Notice of the decision"),
    "case-complied-complainant": _("Notice that the recommendation was carried out"),
    "case-appealed-complainant": _("Acknowledgement of the appeal"),
    "case-closed-complainant": _("Notice that the case is closed"),
    "case-late-complainant": _("Notice that the case has risen to a higher officer"),
    "case-assigned-officer": _("Notice of the assignment"),
    "case-unacknowledged-officer": _("Reminder to acknowledge"),
    "case-warned-officer": _("Reminder before the due date"),
    "case-escalated-officer": _("Notice of the escalation"),
    "case-referred-officer": _("Notice of the referral"),
    "case-appealed-officer": _("Notice of the appeal"),
    "case-returned-officer": _("Notice that the case was returned"),
    "case-part-officer": _("Notice of a part of another case"),
    "case-part-back-officer": _("Notice that a part came back"),
    "case-directed-officer": _("Notice of a direction"),
    "case-direction-answered-officer": _("Notice that the direction is answered"),
    **dict.fromkeys(("case-reminded-officer", "cases-reminded-officer"), _("Reminder from a superior")),
    **dict.fromkeys(
        ("case-taken-up-officer", "case-taken-up-complainant"), _("Notice that a superior took up the case")
    ),
    "case-recommended-officer": _("Notice of the recommendation"),
    "case-investigation-officer": _("Appointment to investigate"),
    "case-answered-officer": _("Notice that the complainant has answered"),
    "case-extended-complainant": _("Notice of the new date"),
    "case-reported-officer": _("Notice of the investigation report"),
    "case-permission-asked-officer": _("Request to permit an investigation"),
    "case-permission-decided-officer": _("Decision on the investigation"),
    "case-extension-asked-officer": _("Request for more time"),
    "case-extension-decided-officer": _("Decision on more time"),
    "case-information-officer": _("Notice of new information"),
    "case-resumed-officer": _("Notice that no answer came"),
    "case-withdrawn-officer": _("Notice of the withdrawal"),
    "case-merged-complainant": _("Notice that the answer comes together with another one's"),
    "case-unmerged-complainant": _("Notice that the case is answered by itself again"),
    "case-joined-complainant": _("Notice of having joined the complaint"),
    "case-unmerged-officer": _("Notice that a merged case was set apart"),
    "work-handed-officer": _("Notice of work handed over"),
    "handover-due-officer": _("Reminder of a handover"),
    "case-written-complainant": _("Notice that the office has written"),
    "case-sent-back-complainant": _("Notice that the answer was sent back"),
    "case-sent-back-officer": _("Notice that the answer was sent back"),
    **dict.fromkeys(("hearing-set-complainant", "hearing-set-officer"), _("Notice of a hearing")),
    **dict.fromkeys(("hearing-moved-complainant", "hearing-moved-officer"), _("Notice that a hearing was moved")),
    **dict.fromkeys(("hearing-near-complainant", "hearing-near-officer"), _("Reminder of a hearing")),
    **dict.fromkeys(
        ("hearing-cancelled-complainant", "hearing-cancelled-officer"), _("Notice that a hearing is called off")
    ),
    "digest-officer": _("Daily digest"),
    RESTORED: _("Notice that the system was restored from a backup"),
    SENSITIVE_COMPLAINANT: _("Bare notice: “you have a message”"),
    SENSITIVE_OFFICER: _("Bare notice: “you have a message”"),
}

FAULTS: dict[str, str] = {
    "number-not-allowed": _("Not a Bangladeshi mobile number"),
    "address-missing": _("No address on file"),
    "address-unreadable": _("The address could not be read"),
    "recipient-inactive": _("The officer's account is closed"),
    "answer-unknown": _("Nobody knows whether it was sent"),
    "no-delivery-report": _("The provider never reported its delivery"),
    "no-longer-needed": _("The case had ended before it was sent"),
    "not-delivered": _("The phone could not be reached"),
    "refused-by-the-centre": _("The operator refused it"),
    "restored-from-backup": _("Perhaps sent before the system was restored from a backup"),
    "recipient-has-enough": _("The recipient has had enough acknowledgements today"),
    "goes-last": _("Part of a flood to neighbouring numbers: it goes last"),
    "cancelled": _("Ended by an operator"),
    "too-late": _("It could not be sent in time"),
    "bounced": _("The mail came back"),
    "date-moved": _("A late holiday has moved the date"),
}
"""By the first word of a message's error. A provider's own words are shown as they came."""


def subject(template: str) -> str:
    """What a message is about, in the page's language; an unknown key is shown as it is."""
    return gettext(SUBJECTS[template]) if template in SUBJECTS else template


def in_digest(level: int) -> str:
    """What a digest told of a case, by the level it had risen to."""
    if level == 0:
        return gettext("In the daily digest: reminder")
    return gettext("In the daily digest: escalation to level %(level)s", level=digits(level))


def fault(error: str | None) -> str:
    """Why a message did not arrive, in the page's language; empty where it did, or may yet."""
    if not error:
        return ""
    code, _space, rest = error.partition(" ")
    words = FAULTS.get(code.rstrip(":"))
    return error if words is None else f"{gettext(words)} ({rest})" if rest else gettext(words)
