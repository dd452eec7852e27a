"""Words for the codes that tables hold: one place, so that a status reads the same on every page and in every message."""

from grm.web.locale import gettext


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


LABELS: dict[str, dict[str, str]] = {
    "attachment_state": {
        "stored": _("Scanned"),
        "not_scanned": _("Not scanned"),
        "quarantined": _("Waits for the virus scanner"),
        "infected": _("Infected: deleted"),
        "missing": _("Missing or changed"),
    },
    "media_type": {
        "image/jpeg": _("Photo"),
        "image/png": _("Picture"),
        "application/pdf": _("PDF"),
        "audio/mpeg": _("Sound recording"),
        "audio/mp4": _("Sound recording"),
        "audio/aac": _("Sound recording"),
        "audio/ogg": _("Sound recording"),
        "audio/amr": _("Sound recording"),
        "audio/amr-wb": _("Sound recording"),
        "audio/wav": _("Sound recording"),
    },
    "taken_out": {
        "scripts": _("scripts were taken out"),
        "files": _("files inside were taken out"),
    },
    "status": {
        "filed": _("Filed"),
        "acknowledged": _("Acknowledged"),
        "in_progress": _("In progress"),
        "waiting": _("Waiting for the complainant"),
        "resolved": _("Resolved"),
        "closed": _("Closed"),
        "declined": _("Declined"),
        "withdrawn": _("Withdrawn"),
    },
    "outcome": {
        "service_given": _("Service or benefit given"),
        "answered": _("Explained and answered"),
        "instruction_executed": _("Instruction given and carried out"),
        "proved": _("Allegation proved, action taken"),
        "unfounded": _("Found to be without basis"),
        "partly_proved": _("Partly proved"),
        "withdrawn": _("Withdrawn by the complainant"),
        "not_admissible": _("Not admissible"),
        "returned": _("Returned to the sender"),
        "merged": _("Answered together with another complaint"),
    },
    "decline_reason": {
        "before_court": _("Before a court or a formal enquiry"),
        "right_to_information": _("A right-to-information request"),
        "statutory_appeal": _("Has its own appeal under the law"),
        "time_not_run_out": _("The promised time of the service has not run out"),
        "not_a_grievance": _("Not a grievance about a public service"),
    },
    "contact": {
        "spoke": _("Yes, we spoke"),
        "wrote": _("Yes, in writing"),
        "could_not_reach": _("No, they could not be reached"),
    },
    "hearing_result": {
        "held": _("It was held"),
        "complainant_missed": _("The complainant did not come"),
        "office_missed": _("The office did not come"),
        "cancelled": _("It is called off"),
    },
    "canned_use": {
        "any": _("Everything"),
        "ask": _("Questions"),
        "write": _("Letters"),
        "resolve": _("Answers"),
        "decline": _("Declines"),
    },
    "sample_state": {"open": _("To be reviewed"), "reviewed": _("Reviewed")},
    "tier": {
        "gro": _("Grievance redress officer"),
        "appeal": _("Appeal"),
        "cell": _("Cabinet Division cell"),
    },
    "desk": {
        "gro": _("Grievance redress officer"),
        "appeal": _("Appeal officer"),
        "cell": _("Cabinet Division cell"),
    },
    "level": {
        "0": _("Not escalated"),
        "1": _("Level 1: grievance redress officer"),
        "2": _("Level 2: appeal officer"),
        "3": _("Level 3: Cabinet Division"),
    },
    "role": {
        "gro": _("Grievance redress officer"),
        "appeal_officer": _("Appeal officer"),
        "case_officer": _("Case officer"),
        "head": _("Head of office"),
        "cell_officer": _("Cabinet Division cell officer"),
        "desk_officer": _("Desk officer"),
        "cluster_coordinator": _("Cluster coordinator"),
        "viewer": _("Observer"),
    },
    "channel": {
        "web": _("Web form"),
        "assisted": _("Filed with help at an office"),
        "paper": _("Paper application"),
        "call_centre": _("Call centre 333"),
        "letter": _("Letter"),
        "email": _("E-mail"),
        "suo_motu": _("Taken up on own motion"),
        "sms": _("SMS"),
    },
    "deadline_kind": {
        "acknowledge": _("First look"),
        "resolve": _("Decision"),
        "investigate": _("Investigation report"),
        "inform": _("Telling the complainant"),
        "appeal": _("Decision on the appeal"),
        "cell": _("Decision of the Cabinet Division"),
        "comply": _("Carrying out the recommendation"),
        "appeal_window": _("Time to appeal"),
        "direct": _("Answer to the Cabinet Division's direction"),
        "extension": _("Extension"),
        "answer": _("Answer of the complainant"),
        "confirm": _("Confirmation by the complainant"),
    },
    "referral_state": {"offered": _("Not accepted yet"), "accepted": _("Accepted")},
    "direction_state": {
        "open": _("To be answered"),
        "answered": _("Answered"),
        "overtaken": _("Overtaken"),
    },
    "extension_decision": {"approve": _("Yes, as asked for"), "refuse": _("No")},
    "extension_state": {
        "requested": _("Asked for"),
        "approved": _("Given"),
        "refused": _("Refused"),
    },
    "priority": {"normal": _("Normal"), "urgent": _("Urgent")},
    "deadline_state": {
        "running": _("Running"),
        "paused": _("Paused"),
        "met": _("Met"),
        "breached": _("Missed"),
    },
    "message_state": {
        "pending": _("To be sent"),
        "sending": _("Being sent"),
        "unknown": _("Answer unknown"),
        "accepted": _("Accepted by the provider"),
        "delivered": _("Delivered"),
        "failed": _("Not delivered"),
        "expired": _("Expired"),
        "held": _("Held for a person"),
        "withdrawn": _("Withdrawn before it was sent"),
    },
    "message_subject": {
        "case-filed-complainant": _("Acknowledgement with number and due date"),
        "case-question-complainant": _("Notice that information is needed"),
        "case-resolved-complainant": _("Notice of the answer"),
        "case-declined-complainant": _("Notice that the case was declined"),
        "case-recommended-complainant": _("Notice of the decision"),
        "case-complied-complainant": _("Notice that the recommendation was carried out"),
        "hearing-set-complainant": _("Notice of a hearing"),
        "hearing-moved-complainant": _("Notice that a hearing was moved"),
        "hearing-cancelled-complainant": _("Notice that a hearing is called off"),
    },
    "contact_way": {"phone": _("By phone"), "letter": _("By letter"), "in_person": _("In person")},
    "rehearsal_state": {
        "waiting": _("Waiting to begin"),
        "running": _("Under way"),
        "done": _("Done"),
        "failed": _("Could not be done"),
    },
    "rehearsal_change": {
        "newly_late": _("Newly late"),
        "no_longer_late": _("No longer late"),
        "moved": _("Due on another day"),
        "retimed": _("Only its steps come at other times"),
    },
    "handover_reason": {
        "posting_ended": _("The posting ended"),
        "account_deactivated": _("The account was closed"),
        "work_only": _("Only the work was handed over"),
    },
    "duty": {
        "case": _("Open cases"),
        "investigation": _("Investigations"),
        "extension_asked": _("Own requests for more time"),
        "extension_decision": _("Requests for more time to decide on"),
        "bulk_asked": _("Own acts on many cases waiting for approval"),
        "bulk_decision": _("Acts on many cases to approve"),
        "hearing": _("Hearings"),
        "direction": _("Directions to answer"),
        "alternate": _("Seats as alternate"),
    },
    "promise": {
        "hearing": _("Hearing"),
        "question": _("Question to the complainant, open until"),
        "direction": _("Direction of the Cabinet Division, to be answered by"),
        "answer": _("Answered; the complainant may object until"),
        "extension": _("More time was given; due on"),
    },
    "sex": {"female": _("Woman"), "male": _("Man"), "other": _("Third gender (Hijra)")},
    "age_group": {
        "under_18": _("Under 18"),
        "18_35": _("18 to 35"),
        "36_59": _("36 to 59"),
        "60_plus": _("60 or older"),
    },
    "disability": {"no": _("No disability"), "yes": _("Has a disability")},
    "about": {
        "none": _("Nobody in particular"),
        "field-office": _("An upazila or district office, or somebody there"),
        "gro": _("The grievance redress officer of the ministry"),
        "appeal-officer": _("The appeal officer of the ministry"),
        "ministry": _("The ministry or division itself"),
    },
    "provider_kind": {
        "wallet": _("Mobile wallet (bKash, Nagad …)"),
        "agent_bank": _("Bank agent"),
        "bank": _("Bank branch"),
        "post_office": _("Post office"),
        "by_hand": _("In cash, by hand"),
        "unknown": _("I do not know"),
    },
    "correct_what": {
        "name": _("Name"),
        "nid": _("National identity number (NID)"),
        "phone": _("Mobile number"),
        "account": _("Account or wallet"),
        "birth_date": _("Date of birth or age"),
        "address": _("Address"),
        "other": _("Something else"),
    },
    "payment_state": {
        "held": _("Not sent yet"),
        "sent": _("Sent"),
        "paid": _("On the account"),
        "returned": _("Came back"),
    },
    "payment_reason": {
        "name-mismatch": _("The name of the account differs from the list"),
        "nid-mismatch": _("The NID of the account differs from the list"),
        "account-closed": _("The account is closed or asleep"),
        "account-wrong": _("The account number is wrong"),
        "other": _("Another reason"),
    },
    "preferred_channel": {
        "sms": _("SMS"),
        "email": _("E-mail"),
        "none": _("No message; I will follow it myself"),
    },
    "language": {"bn": _("Bangla"), "en": _("English")},
    "relation": {
        "family": _("Family member"),
        "neighbour": _("Neighbour"),
        "guardian": _("Guardian or nominee"),
        "representative": _("Elected representative or local leader"),
        "other": _("Other"),
    },
}


def label(group: str, code: object) -> str:
    """Return the words for a code in the page's language; an unknown code is shown as it is, never hidden."""
    text = LABELS[group].get(str(code))
    return gettext(text) if text else str(code)


def choices(group: str) -> list[tuple[str, str]]:
    """Return (code, words) pairs of a group, for a form's choices."""
    return [(code, gettext(text)) for code, text in LABELS[group].items()]
