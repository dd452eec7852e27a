"""Kept-alive HTTP connections to one gateway, and one exchange over them.

A kept connection saves a handshake a message and carries one danger: the other side may close it at the moment we write,
and then nobody knows whether it read the message. So one is used again only within a second and only while silent; a new one
is opened otherwise. No redirect and no proxy is followed and only the configured host is called; certificates are verified.
"""

import http.client
import select
import ssl
import time
from collections import deque
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from grm.notifications.channels.contract import MaySend, Outcome

LONGEST_ANSWER_BYTES = 8192
LONGEST_WAIT_SECONDS = 3600.0
KEPT_SECONDS = 1.0
"""How long an unused connection is trusted. Servers close idle ones after some seconds."""

NOT_OUR_MESSAGE = frozenset({401, 404, 405, 407})
TRY_AGAIN = frozenset({408, 425, 429, 500, 501, 503})
MIDDLEMAN = frozenset({502, 504})


@dataclass(frozen=True, slots=True)
class Reply:
    """A gateway's answer, cut at `LONGEST_ANSWER_BYTES`."""

    status: int
    headers: http.client.HTTPMessage
    text: str


class Lines:
    """Connections to the host of one address. Safe to use from any number of threads; each exchange has one of its own."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._context = ssl.create_default_context() if parts.scheme == "https" else None
        self._timeout_seconds = timeout_seconds
        self._idle: deque[tuple[http.client.HTTPConnection, float]] = deque()

    def exchange(
        self,
        method: str,
        target: str,
        may_send: MaySend,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply | Outcome:
        """Ask once. An `Outcome` says why there is no reply: nobody there, given up in time, or silence after the request."""
        try:
            connection = self._take()
        except OSError as error:
            return Outcome("unreachable", type(error).__name__)
        keep = False
        try:
            if not may_send():
                keep = True
                return Outcome("not_sent", "claim too old")
            try:
                connection.request(method, target, body, headers or {})
                response = connection.getresponse()
                answer = response.read(LONGEST_ANSWER_BYTES)
            except (OSError, http.client.HTTPException) as error:
                return Outcome("unknown", type(error).__name__)
            keep = response.isclosed() and not response.will_close
            return Reply(response.status, response.headers, answer.decode("utf-8", "replace"))
        finally:
            if keep:
                self._idle.append((connection, time.monotonic()))
            else:
                connection.close()

    def close(self) -> None:
        """Close what is not in use."""
        while self._idle:
            self._idle.pop()[0].close()

    def _take(self) -> http.client.HTTPConnection:
        """A connection that is open; the one used last first, so that those not needed grow old."""
        while True:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                break
            if time.monotonic() - since < KEPT_SECONDS and _is_silent(connection):
                return connection
            connection.close()
        if self._context is not None:
            connection = http.client.HTTPSConnection(
                self._host, self._port, timeout=self._timeout_seconds, context=self._context
            )
        else:
            connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_seconds)
        connection.connect()
        return connection


def _is_silent(connection: http.client.HTTPConnection) -> bool:
    """Whether nothing has come that we did not ask for, such as the other side's goodbye."""
    if connection.sock is None:
        return False
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return not poll.poll(0)


def retry_after_seconds(headers: http.client.HTTPMessage) -> float | None:
    """Retry-After in seconds or as a date (RFC 9110, 10.2.3), the date counted from the answer's own Date."""
    value = (headers.get("Retry-After") or "").strip()
    if value.isascii() and value.isdecimal():
        return min(float(value[:9]), LONGEST_WAIT_SECONDS)
    try:
        seconds = (parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("Date") or "")).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS)
