"""The outbox's statements: claim a message, note what came of it, find what was left behind.

A claim is a conditional UPDATE under SKIP LOCKED, committed before anybody is called, together with the attempt's row: two
senders never hold one message, and a sender that dies leaves a trace. Only the holder of the claim may write the outcome.
A claim that outlives its lease becomes `unknown`: nobody can say whether the call was made.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, select, text, update
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.models import Case
from grm.kernel.contact import is_sendable_mobile
from grm.kernel.crypto import CannotOpen, Keyring
from grm.notifications import digests, rendering
from grm.notifications.backoff import REPORT_PATIENCE, UNREACHED_WAIT, retry_wait
from grm.notifications.catalogue import CATALOGUE, Channel, Entry
from grm.notifications.channels.contract import Letter, Outcome
from grm.notifications.models import Attempt, Message
from grm.notifications.service import address_context

RESEND = "resend"
"""How an attempt after a lost answer is marked."""
MOST_UNKNOWN = 2
"""The attempt whose answer was lost, and one more. Then only a delivery report can tell, or a person."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this sender, and nobody else, may hand over now."""

    id: int
    claim: UUID
    number: int
    channel: Channel
    may_resend: bool
    letter: Letter = field(repr=False)


@dataclass(frozen=True, slots=True)
class Skipped:
    """A due message that ended without a call: no usable address, no fitting text, or no longer of use."""

    id: int
    error: str


_CLAIM = text(
    """
    UPDATE message SET state = 'sending', attempts = attempts + 1, claim = :claim, lease_until = :lease_until
    WHERE id = (
        SELECT id FROM message
        WHERE channel = :channel AND state IN ('pending', 'unknown') AND next_attempt_at <= :at AND expires_at > :at
        ORDER BY priority, next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING id
    """
)

_ABANDON = text(
    """
    UPDATE message SET state = 'unknown', claim = NULL, lease_until = NULL, next_attempt_at =
        CASE WHEN channel = 'sms' THEN lease_until + :patience ELSE CAST(:at AS timestamptz) END
    WHERE channel = :channel AND state = 'sending' AND lease_until < :at
    """
)


def recover(session: Session, channel: Channel, at: datetime) -> int:
    """Turn claims whose lease has run out into `unknown`: their sender was killed or frozen. Returns how many."""
    result = session.execute(_ABANDON, {"channel": channel, "at": at, "patience": REPORT_PATIENCE})
    return int(result.rowcount)  # type: ignore[attr-defined]


def claim(
    session: Session,
    keyring: Keyring,
    channel: Channel,
    at: datetime,
    lease: timedelta,
    public_url: str,
    report_url: Callable[[int], str],
) -> Claimed | Skipped | None:
    """Claim the most urgent due message of a channel and write its attempt; the caller commits before calling anybody.

    None: nothing is due. `Skipped`: one was due but ended here without a call; try the next.
    """
    token = uuid4()
    given = {"claim": token, "lease_until": at + lease, "channel": channel, "at": at}
    message_id = session.execute(_CLAIM, given).scalar_one_or_none()
    if message_id is None:
        return None
    message = session.get_one(Message, message_id, populate_existing=True)
    entry = CATALOGUE.get(message.template)
    if entry is None:
        return _end(message, "failed", "template-unknown", at)
    unknown_before = _unknown_attempts(session, message_id)
    if unknown_before and not entry.may_resend:
        return _end(message, "held", "answer-unknown", at)
    if entry.only_while_open and not _is_case_open(session, message.case_id):
        return _end(message, "expired", "no-longer-needed", at)
    if message_id in (digest := digests.write(session, [message_id], at)):
        if (params := digest[message_id]) is None:
            return _end(message, "expired", "no-longer-needed", at)
        message.params = params
    address, why = _address(session, keyring, message)
    if address is None:
        return _end(message, "failed", why, at)
    if (fault := _write_text(message, entry, public_url)) is not None:
        return _end(message, "failed", fault, at)
    mark = RESEND if unknown_before else None
    session.add(Attempt(message_id=message.id, number=message.attempts, started_at=at, detail=mark))
    letter = Letter(
        reference=_reference(message),
        address=address,
        language=message.language,
        subject=message.subject,
        body=message.body or "",
        created_at=message.created_at,
        report_url=report_url(message.id) if channel == "sms" else None,
    )
    return Claimed(message.id, token, message.attempts, channel, entry.may_resend, letter)


def settle(session: Session, claimed: Claimed, outcome: Outcome, at: datetime, chance: float) -> bool:
    """Write down what came of an attempt. Returns whether the claim was still ours.

    Where it is not, a delivery report came first or the lease ran out: the message stays as it is, the attempt is noted
    all the same.
    """
    session.execute(
        update(Attempt)
        .where(Attempt.message_id == claimed.id, Attempt.number == claimed.number)
        .values(
            finished_at=at, outcome=outcome.result, detail=func.concat_ws("; ", Attempt.detail, outcome.detail or None)
        )
    )
    values = _after(session, claimed, outcome, at, chance)
    if outcome.reference:
        values["provider_reference"] = outcome.reference
    result = session.execute(
        update(Message)
        .where(Message.id == claimed.id, Message.state == "sending", Message.claim == claimed.claim)
        .values(claim=None, lease_until=None, **values)
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]


def _after(session: Session, claimed: Claimed, outcome: Outcome, at: datetime, chance: float) -> dict[str, Any]:
    """The message's columns after an outcome."""
    if outcome.result == "accepted":
        return {"state": "accepted", "error": None}
    if outcome.result == "delivered":
        return {"state": "delivered", "error": None, "ended_at": at}
    if outcome.result == "refused":
        return {"state": "failed", "error": outcome.detail, "ended_at": at}
    if outcome.result == "unknown":
        return _after_unknown(session, claimed, outcome, at, chance)
    back = {"state": "pending" if not _unknown_attempts(session, claimed.id) else "unknown", "error": outcome.detail}
    if outcome.result == "not_sent":
        return {**back, "next_attempt_at": at}
    if outcome.result == "unreachable":
        return {**back, "next_attempt_at": at + UNREACHED_WAIT}
    asked = timedelta(seconds=outcome.retry_after_seconds) if outcome.retry_after_seconds is not None else None
    wait = retry_wait(_attempts(session, claimed.id, Attempt.outcome == "temporary"), chance, asked)
    if wait is None:
        return {"state": "failed", "error": f"gave up: {outcome.detail}", "ended_at": at}
    return {**back, "next_attempt_at": at + wait}


def _after_unknown(session: Session, claimed: Claimed, outcome: Outcome, at: datetime, chance: float) -> dict[str, Any]:
    """An SMS waits for its delivery report, then goes once more; an e-mail goes again under the same Message-ID.

    After that it waits until the end of its life, when it is held for a person unless a report has come.
    """
    values: dict[str, Any] = {"state": "unknown", "error": outcome.detail}
    if claimed.channel == "email":
        wait = retry_wait(claimed.number, chance)
        return {**values, "next_attempt_at": at + wait if wait is not None else Message.expires_at}
    if claimed.may_resend and _unknown_attempts(session, claimed.id) < MOST_UNKNOWN:
        return {**values, "next_attempt_at": at + REPORT_PATIENCE}
    return {**values, "next_attempt_at": Message.expires_at}


def _unknown_attempts(session: Session, message_id: int) -> int:
    """How many attempts ended without an answer, those of dead senders among them; the one under way does not count."""
    abandoned = Attempt.outcome.is_(None) & (Attempt.number < Message.attempts)
    return _attempts(session, message_id, (Attempt.outcome == "unknown") | abandoned)


def _attempts(session: Session, message_id: int, condition: ColumnElement[bool]) -> int:
    counted = select(func.count()).select_from(Attempt).join(Message, Message.id == Attempt.message_id)
    return int(session.execute(counted.where(Attempt.message_id == message_id, condition)).scalar_one())


def _reference(message: Message) -> str:
    """Our name for a message at a provider: the same for every attempt, never the same for two messages, wherever kept."""
    digest = hashlib.sha256(f"{message.key} {message.created_at.isoformat()}".encode()).hexdigest()
    return f"grm.{message.id}.{digest[:16]}"


def _end(message: Message, state: str, error: str, at: datetime) -> Skipped:
    message.state, message.error, message.ended_at = state, error, at
    message.claim = message.lease_until = None
    message.attempts -= 1  # nobody was called
    return Skipped(message.id, error)


def _is_case_open(session: Session, case_id: int | None) -> bool:
    return case_id is None or bool(session.execute(select(Case.is_open).where(Case.id == case_id)).scalar_one())


def _address(session: Session, keyring: Keyring, message: Message) -> tuple[str | None, str]:
    """The address to send to, or None and why there is none. Officers' is the one on file now."""
    if message.officer_id is not None:
        officer = session.get_one(Officer, message.officer_id, populate_existing=True)
        if not officer.is_active:
            return None, "recipient-inactive"
        address = officer.email if message.channel == "email" else officer.phone
    else:
        try:
            address = keyring.open(message.address_sealed or b"", address_context(message.key))
        except CannotOpen:
            return None, "address-unreadable"
    if not address:
        return None, "address-missing"
    if message.channel == "sms" and not is_sendable_mobile(address):
        return None, "number-not-allowed"  # asked again here, whatever is in the table: a premium number costs money
    return address, ""


def _write_text(message: Message, entry: Entry, public_url: str) -> str | None:
    """Write subject and body into the row at the first attempt, so that all attempts say the same; or return the fault."""
    if message.body is not None:
        return None
    channel: Channel = "sms" if message.channel == "sms" else "email"
    try:
        written = rendering.render(entry, channel, message.language, message.params, public_url)
    except (rendering.CannotRender, KeyError) as error:
        return getattr(error, "code", "message-cannot-render")
    message.subject, message.body = written.subject, written.body
    return None


_END_OVERDUE = text(
    """
    UPDATE message SET claim = NULL, lease_until = NULL, ended_at = :at,
        state = CASE WHEN state IN ('unknown', 'sending') THEN 'held' ELSE 'expired' END,
        error = CASE WHEN state IN ('unknown', 'sending') THEN 'answer-unknown'
                     WHEN state = 'accepted' THEN 'no-delivery-report'
                     ELSE concat_ws(': ', 'too-late', error) END
    WHERE ended_at IS NULL AND expires_at <= :at AND (state <> 'sending' OR lease_until < :at)
    RETURNING state
    """
)


def end_overdue(session: Session, at: datetime) -> Counter[str]:
    """End every message whose life is over and that nobody holds a claim on; returns how many ended in each state."""
    return Counter(session.execute(_END_OVERDUE, {"at": at}).scalars())
