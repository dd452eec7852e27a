"""SMS by Kannel's sendsms interface, which most gateways in use speak or imitate.

Source: Kannel User's Guide 1.4.5, "SMS push (send-sms) interface" and "Delivery reports". One GET: 202 with `0:` (taken) or
`3:` (queued) means the gateway has it. Whether it arrived is told only by the delivery reports (`dlr-url`), see
`grm/notifications/receipts.py`. It cannot be asked for a message, so a lost answer stays lost until a report comes.
"""

import http.client
import re
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from grm.notifications.channels.contract import Letter, MaySend, Outcome, one_line
from grm.notifications.channels.lines import MIDDLEMAN, NOT_OUR_MESSAGE, TRY_AGAIN, Lines, retry_after_seconds
from grm.notifications.sms_text import measure

EVERY_REPORT = 31
"""dlr-mask: delivered 1, failed 2, queued at the centre 4, taken by the centre 8, refused by the centre 16."""

_TAKEN = re.compile(r"\s*[03]:")


@dataclass(frozen=True)
class KannelGateway:
    """One gateway account. `timeout_seconds` bounds connecting and each wait for the answer."""

    url: str
    user: str
    password: str = field(repr=False)
    sender: str
    timeout_seconds: float

    _lines: Lines = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Keep the connections of this account together."""
        object.__setattr__(self, "_lines", Lines(self.url, self.timeout_seconds))

    def send(self, letter: Letter, may_send: MaySend) -> Outcome:
        """Hand one SMS over."""
        size = measure(letter.body)
        if not size.parts:
            return Outcome("refused", "empty text")  # Kannel would take and send it
        fields = {
            "username": self.user,
            "password": self.password,
            "from": self.sender,
            "to": letter.address,
            "charset": "UTF-8",
            "coding": "2" if size.encoding == "ucs2" else "0",
            "text": letter.body,
        }
        if letter.report_url:
            fields |= {"dlr-mask": str(EVERY_REPORT), "dlr-url": letter.report_url}
        reply = self._lines.exchange("GET", f"{urlsplit(self.url).path or '/'}?{urlencode(fields)}", may_send)
        return reply if isinstance(reply, Outcome) else read_answer(reply.status, reply.text, reply.headers)

    def hang_up(self) -> None:
        """Close the kept connections."""
        self._lines.close()


def read_answer(status: int, answer: str, headers: http.client.HTTPMessage) -> Outcome:
    """What a gateway's answer means.

    A redirect, a wrong account or a wrong path is about us, not about the message: it waits until somebody has mended the
    settings. 502 and 504 are a middleman's word about a gateway that may have the message all the same. A 2xx without
    Kannel's `0:` or `3:` may hide an error in its text, as many gateways do: nobody knows.
    """
    detail = f"HTTP {status} {one_line(answer)}".strip()
    retry_after = retry_after_seconds(headers)
    if 200 <= status < 300:
        return Outcome("accepted" if _TAKEN.match(answer) else "unknown", detail)
    if 300 <= status < 400 or status in NOT_OUR_MESSAGE or (status == 403 and "authori" in answer.lower()):
        return Outcome("unreachable", detail)
    if status in TRY_AGAIN:
        return Outcome("temporary", detail, retry_after)
    if status in MIDDLEMAN:
        return Outcome("unknown", detail)
    return Outcome("refused" if status < 500 else "temporary", detail, retry_after)
