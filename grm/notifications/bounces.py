"""Mail that comes back: the message failed after all, the officer's address is marked, and what was to be told goes on.

To a mail server "taken" means that it will deliver or report (RFC 5321, 6.1); the report may come days later. It lifts a
message to `failed`, even one that counted as delivered. It is believed where it came to the return address that only this
message bore, or quotes its Message-ID letter by letter. Anything else is kept and changes nothing.

An officer whose address sends mail back is told by SMS from then on. What follows for the message itself follows from every
message that fails (`grm/notifications/undelivered.py`): what it told of an officer goes to whoever stands above, and a
complainant who cannot be reached becomes a task to call or write.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.kernel.transaction import Act
from grm.notifications import dsn
from grm.notifications.dsn import Returned
from grm.notifications.models import Message, Receipt
from grm.notifications.outbox import reference_of

log = structlog.get_logger("grm.notifications")

Verdict = Literal["no-report", "unknown", "noted", "failed"]

ERROR = "bounced"


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a returned mail: no report at all, of no message we know, noted only, or the message has failed."""

    verdict: Verdict
    message_id: int | None = None
    is_address_marked: bool = False


def take(act: Act, mail: bytes, came_to: str, secret_keys: Sequence[str]) -> Taken:
    """Take one returned mail. The same one twice changes nothing the second time; the mail itself is not kept."""
    returned = dsn.read(mail, came_to, secret_keys)
    if returned is None:
        return Taken("no-report")
    message = _message_of(act.session, returned)
    _keep(act, returned, message)
    if message is None:
        log.warning("a delivery status notification for no message of ours", status=returned.status)
        return Taken("unknown")
    if not returned.is_final or not _fail(act, message, returned):
        return Taken("noted", message.id)
    is_marked = message.officer_id is not None and _mark(act, message.officer_id, returned)
    return Taken("failed", message.id, is_marked)


def _message_of(session: Session, returned: Returned) -> Message | None:
    """The message that the notification is proven to be about; its row is locked."""
    locked = select(Message).with_for_update().execution_options(populate_existing=True)
    if returned.proven_id is not None:
        return session.scalars(locked.where(Message.id == returned.proven_id, Message.channel == "email")).first()
    for quoted in returned.message_ids:
        message = session.scalars(locked.where(Message.id == dsn.id_in(quoted), Message.channel == "email")).first()
        ours = reference_of(message) if message is not None else ""
        if hmac.compare_digest(quoted[1:].partition("@")[0], ours):
            return message
    return None


def _keep(act: Act, returned: Returned, message: Message | None) -> None:
    reference = f"mail:{message.id}" if message is not None else next(iter(returned.message_ids), "mail")
    values = {
        "message_id": message.id if message is not None else None,
        "reference": reference,
        "status": f"{returned.action} {returned.status}".strip(),
        "detail": returned.said,
    }
    seen = select(Receipt.id).filter_by(**values).limit(1)
    if act.session.execute(seen).scalar() is None:
        act.session.add(Receipt(**values, received_at=act.now))


_CAN_FAIL = ("sending", "unknown", "accepted", "delivered", "expired", "held")
"""States in which a message may have been handed over; what was never sent cannot come back."""


def _fail(act: Act, message: Message, returned: Returned) -> bool:
    if message.state not in _CAN_FAIL:
        return False
    message.state, message.ended_at = "failed", act.now
    message.error = " ".join(filter(None, (f"{ERROR}: {returned.status}".rstrip(": "), returned.said)))
    message.claim = message.lease_until = None
    act.session.flush()
    return True


def _mark(act: Act, officer_id: int, returned: Returned) -> bool:
    """Mark the officer's address, unless the notification names another: it may have been changed since."""
    officer = act.session.get_one(Officer, officer_id, populate_existing=True)
    if not returned.is_about_address or officer.email is None:
        return False
    if returned.recipients and officer.email.casefold() not in returned.recipients:
        return False
    if officer.email_bounced != officer.email:
        officer.email_bounced, officer.email_bounced_at = officer.email, act.now
    return True


def clear(session: Session, username: str) -> bool:
    """Take the mark off an officer's address: mail may go there again. False where there was none."""
    cleared = (
        update(Officer)
        .where(Officer.username == username, Officer.email_bounced.is_not(None))
        .values(email_bounced=None, email_bounced_at=None)
    )
    return bool(session.execute(cleared).rowcount)  # type: ignore[attr-defined]
