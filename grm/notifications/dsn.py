"""Reading a returned mail: is it a delivery status notification, for which of our messages, and what does it say? Pure.

RFC 3464 (the machine's part of a notification), RFC 6522 (multipart/report), RFC 3463 (status codes). Whatever else arrives
in the mailbox of returned mail (a holiday notice, an answer by somebody, spam) is none, and nothing follows from it.
"""

import hmac
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from email.utils import parseaddr

from grm.notifications.channels.contract import one_line

LARGEST_READ_BYTES = 1_000_000
"""A notification carries the returned mail at most; ours are small."""
_MAC_LENGTH = 20
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
_REPLY = re.compile(r"\b([245])\d\d\b")
_OUR_ID = re.compile(r"<grm\.([1-9][0-9]{0,17})\.[0-9a-f]{16}@[^<>\s]{1,255}>")
_RETURN = re.compile(rf"\+([1-9][0-9]{{0,17}})\.([0-9a-f]{{{_MAC_LENGTH}}})@")
_ADDRESS = re.compile(r"[^\s<>;:,]+@[^\s<>;:,]+")


@dataclass(frozen=True, slots=True)
class Returned:
    """What a notification says. `status` is the RFC 3463 code or empty; `recipients` are the addresses it names, small letters.

    `proven_id` is the message whose own return address it came to; `message_ids` are Message-IDs of ours that it quotes, which
    prove nothing until the whole of one is compared.
    """

    action: str
    status: str
    said: str
    recipients: frozenset[str]
    proven_id: int | None
    message_ids: tuple[str, ...]

    @property
    def is_final(self) -> bool:
        """Whether the server has given up: "delayed" and "relayed" are news, no more."""
        return self.action == "failed"

    @property
    def is_about_address(self) -> bool:
        """Whether the address itself is at fault: unknown, moved, closed or full for good; not a refused content (5.7) or a
        server that was away for days (4.x)."""
        return self.is_final and self.status.split(".")[:2] in (["5", "0"], ["5", "1"], ["5", "2"], ["5", "4"])


def return_path(mailbox: str, secret_key: str) -> Callable[[int], str | None]:
    """The return address of each message, below a mailbox (MAIL_BOUNCE_TO): its id, and a proof that we gave it away.

    Small letters and figures only, for mail servers may fold capitals. Without a mailbox there is none.
    """
    local, _, host = parseaddr(mailbox)[1].rpartition("@")

    def address(message_id: int) -> str | None:
        return f"{local}+{message_id}.{_mac(secret_key, message_id)}@{host}" if local else None

    return address


def _mac(secret_key: str, message_id: int) -> str:
    """80 bits of HMAC-SHA-256 in hex."""
    return hmac.digest(secret_key.encode(), f"grm:mail-bounce:{message_id}".encode(), "sha256").hex()[:_MAC_LENGTH]


def read(mail: bytes, came_to: str, secret_keys: Sequence[str]) -> Returned | None:
    """Read a returned mail; None for one that is no delivery status notification.

    `came_to` is the envelope's recipient, where the mail server tells it; else the headers are asked. Never raises for
    what somebody sent.
    """
    try:
        message = message_from_bytes(mail[:LARGEST_READ_BYTES], policy=policy.compat32)
        blocks = [block for part in message.walk() for block in _blocks(part)]
        fields = next((block for block in blocks if block.get("Action")), None)
        if message.get_content_type() != "multipart/report" or fields is None:
            return None
        addresses = [came_to, *(str(message.get(name, "")) for name in ("Delivered-To", "X-Original-To", "To"))]
        return Returned(
            action=_field(fields, "Action").casefold(),
            status=_status(fields),
            said=_without_addresses(_field(fields, "Diagnostic-Code")),
            recipients=frozenset(_typed_address(fields, name) for name in ("Original-Recipient", "Final-Recipient"))
            - {""},
            proven_id=_proven(addresses, secret_keys),
            message_ids=tuple(_quoted_ids(message)),
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _blocks(part: Message) -> Iterator[Message]:
    """The groups of fields of a delivery-status part: one for the mail, one for each recipient."""
    if part.get_content_type() == "message/delivery-status":
        payload = part.get_payload()
        yield from (block for block in payload if isinstance(block, Message)) if isinstance(payload, list) else ()


def _field(fields: Message, name: str) -> str:
    return one_line(str(fields.get(name, "")).partition(";")[2] or str(fields.get(name, ""))).strip()


def _status(fields: Message) -> str:
    """The status code; where the field is missing, the class of the server's reply."""
    if found := _STATUS.search(str(fields.get("Status", ""))):
        return ".".join(found.groups())
    said = str(fields.get("Diagnostic-Code", ""))
    if found := _STATUS.search(said):
        return ".".join(found.groups())
    reply = _REPLY.search(said)
    return f"{reply[1]}.0.0" if reply else ""


def _typed_address(fields: Message, name: str) -> str:
    """The address of a field like `rfc822; somebody@example.org`."""
    return str(fields.get(name, "")).partition(";")[2].strip().strip("<>").casefold()


def _without_addresses(said: str) -> str:
    return one_line(_ADDRESS.sub("…", said))


def _proven(addresses: Sequence[str], secret_keys: Sequence[str]) -> int | None:
    for address in addresses:
        if found := _RETURN.search(address.casefold()):
            message_id = int(found[1])
            if any(hmac.compare_digest(_mac(key, message_id), found[2]) for key in secret_keys):
                return message_id
    return None


def _quoted_ids(message: Message) -> Iterator[str]:
    """Message-IDs in the returned mail or its headers, and in what the notification answers."""
    for part in message.walk():
        texts = [
            str(part.get(name, "")) for name in ("Message-ID", "In-Reply-To", "References", "X-Original-Message-ID")
        ]
        if part.get_content_type() == "text/rfc822-headers":
            payload = part.get_payload(decode=True)
            texts.append(payload.decode("utf-8", "replace") if isinstance(payload, bytes) else "")
        for text in texts:
            yield from (found[0] for found in _OUR_ID.finditer(text))


def id_in(message_id_header: str) -> int:
    """The number of the message in a Message-ID of ours."""
    found = _OUR_ID.fullmatch(message_id_header)
    if found is None:
        raise ValueError("no Message-ID of ours")
    return int(found[1])
