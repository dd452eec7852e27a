"""Delivery reports: what a gateway says later about an SMS it has taken.

Reports come late, twice, out of order, for a message nobody knows, from somebody who made them up, and before we have noted
that the message was taken at all. So: the call-back's address carries a MAC over the message's id; every authentic report is
kept; and a report only ever lifts the state, along pending, sending, unknown < accepted < failed, expired, held < delivered.
The outcome of any reports is the highest of them, whatever their order.
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from sqlalchemy import select, text

from grm.kernel.text import clean_line
from grm.kernel.transaction import Act
from grm.notifications.channels.contract import one_line
from grm.notifications.models import Message, Receipt

log = structlog.get_logger("grm.notifications")

PATH = "/gateway/sms/receipts"

RANK = {
    "pending": 0,
    "sending": 0,
    "unknown": 0,
    "accepted": 1,
    "failed": 2,
    "expired": 2,
    "held": 2,
    "delivered": 3,
}
"""Reports move a message up only. That it arrived is the last word: it stands even against a time that ran out before."""

MEANING = {1: "delivered", 2: "failed", 4: "accepted", 8: "accepted", 16: "failed"}
"""Kannel's status numbers (User's Guide, "Delivery reports"): delivered; not delivered; queued at the centre; taken by the
centre; refused by the centre. Any other number is kept and changes nothing."""

_FAULT = {2: "not-delivered", 16: "refused-by-the-centre"}
_ID = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Report:
    """One call-back as it came: our message's id, the gateway's status number, and the centre's words."""

    message_id: int
    status: int
    answer: str


def mac(secret_key: str, message_id: int) -> str:
    """The proof that a call-back's address came from us: 128 bits of HMAC-SHA-256, in hex."""
    return hmac.digest(secret_key.encode(), f"grm:sms-receipt:{message_id}".encode(), "sha256").hex()[:32]


def report_url(base_url: str, secret_key: str, message_id: int) -> str:
    """The address a gateway is told to report to. It fills in %d (status) and %A (the centre's answer) itself."""
    return f"{base_url}{PATH}?{urlencode({'m': message_id, 't': mac(secret_key, message_id)})}&status=%d&answer=%A"


def is_authentic(secret_keys: Sequence[str], message_id: str, token: str) -> bool:
    """Whether the call-back bears our MAC, under the present key or a former one; in constant time."""
    if not _ID.fullmatch(message_id):
        return False
    expected = [mac(key, int(message_id)) for key in secret_keys]
    return any(hmac.compare_digest(each.encode(), token.encode("utf-8", "replace")) for each in expected)


_LIFT = text(
    """
    UPDATE message SET state = :state, error = :error, claim = NULL, lease_until = NULL,
        ended_at = CASE WHEN :state = 'accepted' THEN NULL ELSE coalesce(ended_at, :at) END
    WHERE id = :id AND state = ANY(:lower)
    """
)


def take(act: Act, report: Report) -> bool:
    """Keep a report and lift its message's state; returns whether it changed anything. The same report twice is kept once.

    A report for a message that does not exist is kept and logged: its address was ours, so the row must be gone.
    """
    detail = one_line(clean_line(report.answer.replace("\x00", "")))
    session = act.session
    is_known = session.execute(select(Message.id).where(Message.id == report.message_id)).scalar() is not None
    seen = select(Receipt.id).where(
        Receipt.reference == str(report.message_id), Receipt.status == str(report.status), Receipt.detail == detail
    )
    if is_known:
        seen = seen.where(Receipt.message_id == report.message_id)
    if session.execute(seen.limit(1)).scalar() is None:
        session.add(
            Receipt(
                message_id=report.message_id if is_known else None,
                reference=str(report.message_id),
                status=str(report.status),
                detail=detail,
                received_at=act.now,
            )
        )
    if not is_known:
        log.warning("delivery report for an unknown message", message_id=report.message_id, status=report.status)
        return False
    meaning = MEANING.get(report.status)
    if meaning is None:
        log.warning("delivery report with an unknown status", message_id=report.message_id, status=report.status)
        return False
    fault = _FAULT.get(report.status)
    result = session.execute(
        _LIFT,
        {
            "id": report.message_id,
            "state": meaning,
            "error": " ".join(filter(None, (fault, detail))) if fault else None,
            "at": act.now,
            "lower": [state for state, rank in RANK.items() if rank < RANK[meaning]],
        },
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]
