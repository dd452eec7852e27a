"""What people are told of cases that are answered together, and of complaints that several make: message rows, as in
`grm/notifications/service.py`. Nobody is told of another case or of who else complains."""

from grm.cases import events
from grm.kernel import context
from grm.kernel.transaction import Act
from grm.notifications import audience
from grm.notifications.service import complainant_drafts, insert, tell_complainant, tell_officer

_TOLD_AS = {"declined": "case-declined-complainant"}


def on_case_merged(act: Act, event: events.CaseMerged) -> None:
    """Tell the complainant that the answer comes together with another one's, and by when."""
    tell_complainant(act, event, "case-merged-complainant", {"due_on": event.due_on.isoformat()})


def on_case_unmerged(act: Act, event: events.CaseUnmerged) -> None:
    """Tell the complainant that the case is answered by itself again, and by when; and who has it, if they do not know."""
    tell_complainant(act, event, "case-unmerged-complainant")
    if event.officer_id is not None or not event.is_by_officer:
        tell_officer(act, event, "case-unmerged-officer", event.officer_id)


def on_answered_together(act: Act, event: events.CaseAnsweredTogether) -> None:
    """Tell the complainant of a merged case that there is an answer, or a reason to read."""
    tell_complainant(act, event, _TOLD_AS.get(event.decision, "case-resolved-complainant"))


def on_complainant_added(act: Act, event: events.ComplainantAdded) -> None:
    """Tell who has joined in, and nobody else."""
    contact = audience.contacts_of(act.session, context.keyring(), [event.case_id])[event.case_id]
    cause = str(contact.history_length)
    drafts = complainant_drafts("case-joined-complainant", contact, cause, act.now, act.now)
    insert(act, [draft for draft in drafts if draft.key.endswith(f":{event.complainant_id}")])
