"""What did not reach the officer it was meant for goes to somebody whom it can reach.

Of a message that failed, everything that still needs somebody is put into another digest: a reminder into the same officer's
own, by SMS, where it was the e-mail that failed; what is late into that of whoever stands above and was not told of it yet.
An SMS that failed beside an e-mail about the same changes nothing.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.kernel.clock import dhaka_date
from grm.kernel.transaction import Act
from grm.notifications import audience, digests
from grm.notifications.audience import OfficerContact

_TOLD = text(
    """
    SELECT e.id, e.level, e.role, e.office_id, e.case_id, c.has_accused,
           ARRAY(SELECT i.officer_id FROM digest_item AS i WHERE i.escalation_id = e.id) || e.officer_id AS told
    FROM escalation AS e
    JOIN deadline AS d ON d.id = e.deadline_id
    JOIN cases AS c ON c.id = e.case_id
    WHERE e.withdrawn_at IS NULL AND d.met_at IS NULL AND e.id IN (
        SELECT i.escalation_id FROM digest_item AS i WHERE i.message_id = :id
        UNION ALL
        SELECT x.id FROM escalation AS x
        WHERE x.case_id = :case_id
          AND concat_ws(':', x.case_id, x.deadline_id, x.epoch, x.level, CAST(:channel AS text)) = :cause)
      AND (:channel = 'email' OR NOT EXISTS (
        SELECT FROM digest_item AS i
        WHERE i.escalation_id = e.id AND i.officer_id = :officer_id AND i.channel = 'email'))
      AND (:channel = 'email' OR NOT EXISTS (
        SELECT FROM message AS m
        WHERE m.key = concat_ws(':', CAST(:template AS text), e.case_id, e.deadline_id, e.epoch, e.level, 'email')))
    ORDER BY e.id
    """
)
"""The escalations that a message was to tell of and that still need somebody."""


def pass_on(act: Act, message: Row[Any]) -> int:
    """Put what a failed message was to tell into other digests; returns how many escalations found somebody.

    `message` is a row as `undelivered.follow_up` takes it.
    """
    session = act.session
    given = {
        "id": message.id,
        "template": message.subject,
        "case_id": message.case_id,
        "officer_id": message.officer_id,
        "channel": message.channel,
        "cause": message.key.partition(":")[2],
    }
    rows = session.execute(_TOLD, given).all()
    accused = audience.accused_of(session, [row.case_id for row in rows if row.has_accused])
    items: list[digests.Item] = []
    for row in rows:
        recipient = _recipient(act, message, row, accused.get(row.case_id, ()))
        if recipient is not None:
            items += [
                digests.Item(row.id, recipient, channel) for channel in digests.channels_for(row.level, recipient)
            ]
    digests.gather(session, items, act.now)
    return len({item.escalation_id for item in items})


def _recipient(act: Act, message: Row[Any], row: Row[Any], accused: Sequence[Any]) -> OfficerContact | None:
    own = audience.officers_of(act.session, [message.officer_id]).get(message.officer_id)
    if own is not None and row.level == 0 and message.channel == "email":
        by_sms = OfficerContact(own.officer_id, own.language, own.channels & {"sms"})
        if by_sms.channels:
            return by_sms
    today = dhaka_date(act.now)
    above = audience.seat_above(act.session, row.office_id, row.role, today, accused, row.told)
    if above is None or above.acting is None:
        return None
    return audience.officers_of(act.session, [above.acting.officer_id]).get(above.acting.officer_id)


def mark_refused_address(session: Session, message: Row[Any], at: Any) -> bool:
    """Mark an officer's address that the mail server itself refuses as unknown, as if mail had come back from it."""
    if message.channel != "email" or not _is_about_address(message.error or ""):
        return False
    officer = session.get_one(Officer, message.officer_id, populate_existing=True)
    if officer.email is None or officer.email_bounced == officer.email:
        return False
    officer.email_bounced, officer.email_bounced_at = officer.email, at
    return True


def _is_about_address(error: str) -> bool:
    """Whether an SMTP refusal is about the mailbox: 550, 551 and 553 (RFC 5321, 4.2.3), unless its own code says policy."""
    words = error.split()
    if len(words) < 2 or words[0] != "SMTP" or words[1] not in ("550", "551", "553"):
        return False
    return len(words) < 3 or not words[2].startswith("5.") or words[2].startswith(("5.0.", "5.1.", "5.2."))
