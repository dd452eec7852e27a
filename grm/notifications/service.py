"""What follows from an event: message rows, inserted in the event's own transaction; delivery ticks find them.

Each row has a key made of the message, the case and what caused it, so that the second attempt to create it does nothing.
What the ladder has climbed is told by `grm/notifications/climbs.py`.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from grm.cases import events
from grm.kernel import context
from grm.kernel.clock import dhaka_date
from grm.kernel.crypto import Keyring
from grm.kernel.transaction import Act
from grm.notifications import audience
from grm.notifications.audience import CaseContact, OfficerContact
from grm.notifications.catalogue import Channel, template_for

_BOTH: tuple[Channel, ...] = ("email", "sms")


@dataclass(frozen=True, slots=True)
class Draft:
    """A message about to be inserted: what it is about and who gets it, an officer or an address."""

    key: str
    template: str
    channel: Channel
    language: str
    case_id: int
    is_sensitive: bool
    params: dict[str, Any]
    at: datetime
    not_before: datetime
    officer_id: int | None = None
    address: str | None = field(default=None, repr=False)


_COLUMNS = """(key, template, channel, language, priority, case_id, officer_id, address_sealed, params, next_attempt_at,
               created_at, expires_at)"""
_INSERT = text(
    f"""
    INSERT INTO message {_COLUMNS}
    SELECT key, template, channel, language, priority, case_id, officer_id, address_sealed, params::jsonb,
           next_attempt_at, created_at, expires_at
    FROM unnest(CAST(:key AS text[]), CAST(:template AS text[]), CAST(:channel AS text[]), CAST(:language AS text[]),
                CAST(:priority AS smallint[]), CAST(:case_id AS bigint[]), CAST(:officer_id AS bigint[]),
                CAST(:address AS bytea[]), CAST(:params AS text[]), CAST(:not_before AS timestamptz[]),
                CAST(:created AS timestamptz[]), CAST(:expires AS timestamptz[])) AS new {_COLUMNS}
    ON CONFLICT (key) DO NOTHING
    """  # noqa: S608 - a constant
)
_INSERT_ONE = text(
    f"""
    INSERT INTO message {_COLUMNS}
    VALUES (:key, :template, :channel, :language, :priority, :case_id, :officer_id, :address, CAST(:params AS jsonb),
            :not_before, :created, :expires)
    ON CONFLICT (key) DO NOTHING
    """  # noqa: S608 - a constant
)
"""The same for one message, as every filing makes: a dozen arrays of one element cost more than the row."""


def insert(act: Act, drafts: Iterable[Draft]) -> None:
    """Insert messages in one statement; one that exists already stays as it is. Addresses are sealed to their row."""
    keyring = context.keyring()
    rows = [_values(draft, keyring) for draft in drafts]
    if len(rows) == 1:
        act.session.execute(_INSERT_ONE, rows[0])
    elif rows:
        act.session.execute(_INSERT, {name: [row[name] for row in rows] for name in rows[0]})


def _values(draft: Draft, keyring: Keyring) -> dict[str, Any]:
    entry = template_for(draft.template, draft.is_sensitive)
    return {
        "key": draft.key,
        "template": entry.key,
        "channel": draft.channel,
        "language": draft.language,
        "priority": entry.priority,
        "case_id": draft.case_id,
        "officer_id": draft.officer_id,
        "address": keyring.seal(draft.address, address_context(draft.key)) if draft.address else None,
        "params": "{}" if draft.is_sensitive else json.dumps(draft.params),
        "not_before": draft.not_before,
        "created": draft.at,
        "expires": draft.at + entry.life,
    }


def address_context(key: str) -> str:
    """What a sealed address is bound to: it opens in the row it was sealed for and in no other."""
    return f"message.address:{key}"


def on_case_filed(act: Act, event: events.CaseFiled) -> None:
    """Acknowledge: number and due date, never the secret. One statement; nothing for who left no address."""
    found = audience.chosen(event.preferred_channel, event.phone, event.email)
    if found is None:
        return
    channel, address = found
    template = "case-filed-complainant"
    insert(
        act,
        [
            Draft(
                f"{template}:{event.case_id}:{channel}",
                template,
                channel,
                event.language,
                event.case_id,
                event.is_sensitive,
                {"tracking_number": event.tracking_number, "due_on": event.due_on.isoformat()},
                act.now,
                act.now,
                address=address,
            )
        ],
    )


def on_question_asked(act: Act, event: events.QuestionAsked) -> None:
    """Tell the complainant that something was asked, not what."""
    tell_complainant(act, event, "case-question-complainant")


def on_complainant_answered(act: Act, event: events.ComplainantAnswered) -> None:
    """Tell who handles the case that the answer is there; if nobody does, who answers for the desk."""
    tell_officer(act, event, "case-answered-officer", event.officer_id)


def on_case_assigned(act: Act, event: events.CaseAssigned) -> None:
    """Tell an officer who was given a case; who took it knows."""
    if not event.is_claim:
        tell_officer(act, event, "case-assigned-officer", event.officer_id)


def on_case_referred(act: Act, event: events.CaseReferred) -> None:
    """Tell the complainant, and the one who answers for the desk that holds the case now."""
    tell_complainant(act, event, "case-referred-complainant")
    tell_officer(act, event, "case-referred-officer", None)


def on_case_resolved(act: Act, event: events.CaseResolved) -> None:
    """Tell the complainant that there is an answer."""
    tell_complainant(act, event, "case-resolved-complainant")


def on_case_declined(act: Act, event: events.CaseDeclined) -> None:
    """Tell the complainant that there is a reason to read."""
    tell_complainant(act, event, "case-declined-complainant")


def on_case_closed(act: Act, event: events.CaseClosed) -> None:
    """Tell the complainant that the file is ended."""
    tell_complainant(act, event, "case-closed-complainant")


def on_case_recommended(act: Act, event: events.CaseRecommended) -> None:
    """Tell the complainant that the appeal is decided, and the ministry's desk what it is about."""
    tell_complainant(act, event, "case-recommended-complainant")
    tell_officer(act, event, "case-recommended-officer", None)


def on_case_complied(act: Act, event: events.CaseComplied) -> None:
    """Tell the complainant that the recommendation was carried out."""
    tell_complainant(act, event, "case-complied-complainant")


def on_case_contested(act: Act, event: events.CaseContested) -> None:
    """Tell the desk above that the complainant does not accept the answer, and the complainant until when it decides."""
    tell_complainant(act, event, "case-appealed-complainant")
    tell_officer(act, event, "case-appealed-officer", None)


def on_appeal_filed(act: Act, event: events.AppealFiled) -> None:
    """Tell the complainant that the appeal is there, and the desk that decides on it."""
    tell_complainant(act, event, "case-appealed-complainant")
    tell_officer(act, event, "case-appealed-officer", None)


def on_investigation_started(act: Act, event: events.InvestigationStarted) -> None:
    """Tell everybody who is to investigate, and until when."""
    contact = audience.contacts_of(act.session, context.keyring(), [event.case_id])[event.case_id]
    found = audience.officers_of(act.session, event.officer_ids)
    drafts: list[Draft] = []
    for officer_id in event.officer_ids:
        if officer_id in found:
            cause = f"{contact.history_length}:{officer_id}"
            drafts += _officer_drafts(
                "case-investigation-officer", contact, found[officer_id], cause, act.now, event.due_on
            )
    insert(act, drafts)


def complainant_drafts(
    template: str, contact: CaseContact, cause: str, at: datetime, not_before: datetime, due_on: date | None = None
) -> Iterable[Draft]:
    """The messages to the complainant and to who has joined in: who chose none, or left no address, gets none. `cause` tells two
    of a kind apart; an SMS leaves no earlier than `not_before`. The key of a member's message ends with who it is for."""
    told: list[tuple[Channel, str, str]] = []
    if contact.channel is not None and contact.address is not None:
        told.append((contact.channel, contact.address, ""))
    told += [(each.channel, each.address, f":{each.complainant_id}") for each in contact.members]
    for channel, address, who in told:
        yield Draft(
            f"{template}:{contact.case_id}:{cause}:{channel}{who}",
            template,
            channel,
            contact.language,
            contact.case_id,
            contact.is_sensitive,
            {"tracking_number": contact.tracking_number, "due_on": (due_on or contact.due_on).isoformat()},
            at,
            not_before if channel == "sms" else at,
            address=address,
        )


def tell_complainant(
    act: Act, event: events.CaseFact, template: str, more: Mapping[str, Any] | None = None, cause: str = ""
) -> None:
    """Tell the complainant by the channel they chose; nothing for who left no address. `more` has further values of the text,
    `cause` what makes it one message where the length of the history does not."""
    contact = audience.contacts_of(act.session, context.keyring(), [event.case_id])[event.case_id]
    drafts = complainant_drafts(template, contact, cause or str(contact.history_length), act.now, act.now)
    insert(act, (replace(each, params={**each.params, **(more or {})}) for each in drafts))


def tell_officer(
    act: Act,
    event: events.CaseFact,
    template: str,
    officer_id: int | None,
    more: Mapping[str, Any] | None = None,
    cause: str = "",
) -> None:
    """By e-mail, to the officer named or else to who answers for the desk that holds the case; `more` and `cause` as in
    `tell_complainant`."""
    contact = audience.contacts_of(act.session, context.keyring(), [event.case_id])[event.case_id]
    place, today = (contact.office_id, contact.desk), dhaka_date(act.now)
    if officer_id is None:
        officer_id = audience.desk_holder(act.session, event.case_id, *place, today)
    else:
        officer_id = audience.stand_in(act.session, event.case_id, *place, officer_id, today)
    found = audience.officers_of(act.session, [officer_id] if officer_id is not None else [])
    drafts: list[Draft] = []
    for officer in found.values():
        drafts += _officer_drafts(template, contact, officer, cause or str(contact.history_length), act.now)
    insert(act, (replace(each, params={**each.params, **(more or {})}) for each in drafts))


def _officer_drafts(
    template: str, contact: CaseContact, officer: OfficerContact, cause: str, at: datetime, due_on: date | None = None
) -> Iterable[Draft]:
    """By e-mail; from whom mail came back, the bare notice goes by SMS: "you have a message, sign in"."""
    channel: Channel | None = next((each for each in _BOTH if each in officer.channels), None)
    if channel is not None:
        yield Draft(
            f"{template}:{contact.case_id}:{cause}:{channel}",
            template,
            channel,
            officer.language,
            contact.case_id,
            contact.is_sensitive or channel == "sms",
            {"tracking_number": contact.tracking_number, "due_on": (due_on or contact.due_on).isoformat()},
            at,
            at,
            officer_id=officer.officer_id,
        )
