"""Delivery reports: what a gateway says later about an SMS it has taken.

Reports come late, twice, out of order, for a message nobody knows, from somebody who made them up, and before we have noted
that the message was taken at all. So: the call-back's address carries a MAC over the message's id; every authentic report is
kept; and a report only ever lifts the state, along pending, sending, unknown < accepted < failed, expired, held < delivered.
The outcome of any reports is the highest of them, whatever their order.

A gateway that is described by configuration reports in its own words, to an address made for the message (with the MAC) or to a
fixed one that a shared token opens. It may name our reference or its own id; a report that names an id which we have not
noted yet is kept and matched by the next tick.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import structlog
from sqlalchemy import select, text

from grm.kernel.gateways import Found, Reports
from grm.kernel.text import clean_line, has_forbidden_characters
from grm.kernel.transaction import Act
from grm.notifications.channels.contract import one_line
from grm.notifications.channels.sms_http import reader
from grm.notifications.models import Message, Receipt
from grm.notifications.outbox import reference_of

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
    known_id = report.message_id if is_known else None
    _keep(act, known_id, None, str(report.message_id), str(report.status), detail)
    if not is_known:
        log.warning("delivery report for an unknown message", message_id=report.message_id, status=report.status)
        return False
    meaning = MEANING.get(report.status)
    if meaning is None:
        log.warning("delivery report with an unknown status", message_id=report.message_id, status=report.status)
        return False
    fault = _FAULT.get(report.status)
    return _lift(act, report.message_id, meaning, " ".join(filter(None, (fault, detail))) if fault else None)


def _keep(act: Act, message_id: int | None, gateway: str | None, reference: str, status: str, detail: str) -> None:
    """Keep a report, once: one for a message that we do not know yet is told from one for the same message later."""
    seen = select(Receipt.id).where(
        Receipt.reference == reference,
        Receipt.status == status,
        Receipt.detail == detail,
        Receipt.gateway.is_not_distinct_from(gateway),
    )
    if message_id is not None:
        seen = seen.where(Receipt.message_id == message_id)
    if act.session.execute(seen.limit(1)).scalar() is None:
        act.session.add(
            Receipt(
                message_id=message_id,
                gateway=gateway,
                reference=reference,
                status=status,
                detail=detail,
                received_at=act.now,
            )
        )


def _lift(act: Act, message_id: int, meaning: str, error: str | None) -> bool:
    given = {"id": message_id, "state": meaning, "error": error, "at": act.now}
    lower = [state for state, rank in RANK.items() if rank < RANK[meaning]]
    return bool(act.session.execute(_LIFT, {**given, "lower": lower}).rowcount)  # type: ignore[attr-defined]


# --- gateways described by configuration -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DescribedReport:
    """A report in the words of a described gateway. `message_id` is proven by the address's MAC; without it the message is
    found by `reference`, ours or the gateway's own."""

    gateway: str
    message_id: int | None
    reference: str
    is_ours: bool
    word: str
    meaning: Found | None


def gateway_report_url(base_url: str, secret_key: str, message_id: int, gateway: str) -> str:
    """The address that a described gateway is given for the reports on one message."""
    return f"{base_url}{PATH}/{gateway}?{urlencode({'m': message_id, 't': mac(secret_key, message_id)})}"


def bears_token(reports: Reports, *given: str) -> bool:
    """Whether one of the texts that a call-back to the fixed address brought is the gateway's token; in constant time.

    Without a configured token there is no fixed address.
    """
    plain = [each.removeprefix("Bearer ").encode("utf-8", "replace") for each in given]
    found = [hmac.compare_digest(reports.token.encode(), each) for each in plain]
    return bool(reports.token) and any(found)


def read_described(gateway: str, reports: Reports, message_id: int | None, body: str) -> DescribedReport:
    """A call-back as its gateway's description reads it; `body` is JSON, or a form's fields as JSON."""
    look = reader(body)
    word, reference = _storable(look(reports.status)), _storable(look(reports.reference) if reports.reference else None)
    return DescribedReport(gateway, message_id, reference, reports.is_ours, word, reports.words.get(word))


def _storable(value: str | None) -> str:
    return "" if value is None or has_forbidden_characters(value) else clean_line(value)[:200]


def take_described(act: Act, report: DescribedReport) -> bool:
    """Keep a described gateway's report and lift its message's state; returns whether it changed anything."""
    message_id = _message_of(act, report)
    word = one_line(report.word)[:60]
    _keep(act, message_id, report.gateway, report.reference or str(report.message_id or ""), word, "")
    if report.meaning is None:
        log.warning("delivery report with an unknown status", gateway=report.gateway, status=word)
        return False
    if message_id is None:
        log.info("delivery report before its message, or for an unknown one", gateway=report.gateway)
        return False
    return _lift_by_word(act, message_id, report.meaning, word)


def _lift_by_word(act: Act, message_id: int, meaning: Found, word: str) -> bool:
    if meaning == "not_found":
        return False  # no gateway reports on what it does not have
    return _lift(act, message_id, meaning, f"not-delivered {word}" if meaning == "failed" else None)


def _message_of(act: Act, report: DescribedReport) -> int | None:
    if report.message_id is not None:
        found = act.session.execute(select(Message.id).where(Message.id == report.message_id)).scalar()
        return found
    if report.is_ours:
        parts = report.reference.split(".")
        if len(parts) != 3 or not _ID.fullmatch(parts[1]):
            return None
        row = act.session.execute(
            select(Message.id, Message.key, Message.created_at).where(Message.id == int(parts[1]))
        ).first()
        return (
            row.id
            if row is not None
            and hmac.compare_digest(reference_of(row).encode(), report.reference.encode("utf-8", "replace"))
            else None
        )
    return act.session.execute(
        select(Message.id)
        .where(
            Message.channel == "sms",
            Message.gateway == report.gateway,
            Message.provider_reference == report.reference,
        )
        .limit(1)
    ).scalar()


_EARLY = text(
    """
    UPDATE receipt AS r SET message_id = m.id FROM message AS m
    WHERE r.message_id IS NULL AND r.gateway IS NOT NULL AND m.channel = 'sms' AND m.provider_reference IS NOT NULL
      AND m.gateway = r.gateway AND m.provider_reference = r.reference
    RETURNING r.gateway, r.status, m.id
    """
)


def match_early(act: Act, words: Mapping[str, Mapping[str, Found]]) -> int:
    """Match reports that came before we had noted the gateway's id of their message; returns how many. `words` says for
    each gateway what its words mean. The caller commits."""
    rows = act.session.execute(_EARLY).all()
    for gateway, word, message_id in rows:
        meaning = words.get(gateway, {}).get(word)
        if meaning is not None:
            _lift_by_word(act, message_id, meaning, word)
    return len(rows)
