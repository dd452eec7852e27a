"""SMS by Kannel's sendsms interface, which most gateways in use speak or imitate.

Source: Kannel User's Guide 1.4.5, "SMS push (send-sms) interface" and "Delivery reports". One GET: 202 with `0:` (taken) or
`3:` (queued) means the gateway has it. Whether it arrived is told only by the delivery reports (`dlr-url`), see
`grm/notifications/receipts.py`. Only the configured host is ever called: http.client follows no redirect and no proxy.
"""

import http.client
import re
import ssl
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode, urlsplit

from grm.notifications.channels.contract import Letter, MaySend, Outcome, one_line
from grm.notifications.sms_text import measure

EVERY_REPORT = 31
"""dlr-mask: delivered 1, failed 2, queued at the centre 4, taken by the centre 8, refused by the centre 16."""
LONGEST_ANSWER_BYTES = 2048
LONGEST_WAIT_SECONDS = 3600.0

_TAKEN = re.compile(r"\s*[03]:")
_NOT_OUR_MESSAGE = {401, 404, 405, 407}
_TRY_AGAIN = {408, 425, 429, 500, 501, 503}
_MIDDLEMAN = {502, 504}


@dataclass(frozen=True, slots=True)
class KannelGateway:
    """One gateway account. `timeout_seconds` bounds connecting and each wait for the answer."""

    url: str
    user: str
    password: str = field(repr=False)
    sender: str
    timeout_seconds: float

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
        parts = urlsplit(self.url)
        target = f"{parts.path or '/'}?{urlencode(fields)}"
        connection = self._connection(parts.scheme, parts.hostname or "", parts.port)
        try:
            try:
                connection.connect()
            except OSError as error:
                return Outcome("unreachable", _name(error))
            if not may_send():
                return Outcome("not_sent", "claim too old")
            try:
                connection.request("GET", target, headers={"Connection": "close"})
                response = connection.getresponse()
                answer = response.read(LONGEST_ANSWER_BYTES).decode("utf-8", "replace")
            except (OSError, http.client.HTTPException) as error:
                return Outcome("unknown", _name(error))
            return read_answer(response.status, answer, response.headers)
        finally:
            connection.close()

    def _connection(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        if scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self.timeout_seconds, context=context)
        return http.client.HTTPConnection(host, port, timeout=self.timeout_seconds)


def read_answer(status: int, answer: str, headers: http.client.HTTPMessage) -> Outcome:
    """What a gateway's answer means.

    A redirect, a wrong account or a wrong path is about us, not about the message: it waits until somebody has mended the
    settings. 502 and 504 are a middleman's word about a gateway that may have the message all the same. A 2xx without
    Kannel's `0:` or `3:` may hide an error in its text, as many gateways do: nobody knows.
    """
    detail = f"HTTP {status} {one_line(answer)}".strip()
    retry_after = _retry_after_seconds(headers)
    if 200 <= status < 300:
        return Outcome("accepted" if _TAKEN.match(answer) else "unknown", detail)
    if 300 <= status < 400 or status in _NOT_OUR_MESSAGE or (status == 403 and "authori" in answer.lower()):
        return Outcome("unreachable", detail)
    if status in _TRY_AGAIN:
        return Outcome("temporary", detail, retry_after)
    if status in _MIDDLEMAN:
        return Outcome("unknown", detail)
    return Outcome("refused" if status < 500 else "temporary", detail, retry_after)


def _retry_after_seconds(headers: http.client.HTTPMessage) -> float | None:
    """Retry-After in seconds or as a date (RFC 9110, 10.2.3), the date counted from the answer's own Date."""
    value = (headers.get("Retry-After") or "").strip()
    if value.isascii() and value.isdecimal():
        return min(float(value[:9]), LONGEST_WAIT_SECONDS)
    try:
        seconds = (parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date") or "")).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)


def _name(error: Exception) -> str:
    return type(error).__name__
