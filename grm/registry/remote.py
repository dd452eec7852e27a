"""A registry of another system, asked over HTTP: one fixed address, nothing secret in it, no redirect, an answer in three
seconds or none.

The key travels in the body, so that no log on the way holds an identity number. No proxy is asked; certificates are verified.
What is not exactly as described (docs/registry.md) is no answer. After a failure the registry is left alone for some seconds:
the next officer is told at once, and no row of requests waits for a system that is down.
"""

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from grm.kernel.errors import Unavailable
from grm.registry.beneficiary import MOST_FOUND, Beneficiary, Unreadable, goes_by, parse_beneficiary

TIMEOUT_SECONDS = 3.0
"""For the whole exchange, however slowly the answer drips in: somebody stands in front of the desk."""
PEACE_SECONDS = 15.0
LONGEST_ANSWER_BYTES = 262_144
PATH = "/look-up"


@dataclass
class RemoteRegistry:
    """One registry behind a base address. Safe to use from any number of threads."""

    url: str
    token: str = field(repr=False)
    timeout_seconds: float = TIMEOUT_SECONDS
    peace_seconds: float = PEACE_SECONDS
    _down_until: float = field(default=float("-inf"), init=False)

    def find(self, key: str) -> tuple[Beneficiary, ...]:
        """Whoever goes by a key. Raises `Unavailable` `registry-away` where there is no answer, or none to be relied on.

        To be called outside any transaction: nothing may be locked, no connection held, while another system thinks.
        """
        if time.monotonic() < self._down_until:
            raise Unavailable("registry-away")
        try:
            found = self._ask(key)
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            self._down_until = time.monotonic() + self.peace_seconds
            raise Unavailable("registry-away", why=type(error).__name__) from None
        return found

    def _ask(self, key: str) -> tuple[Beneficiary, ...]:
        parts = urlsplit(self.url)
        connection = self._connection(parts.hostname or "", parts.port, parts.scheme == "https")
        began = time.monotonic()
        connection.connect()
        # The timeout of a socket begins anew with each byte; this one does not. It holds the socket itself: the connection
        # lets go of it as soon as the answer begins.
        left = began + self.timeout_seconds - time.monotonic()
        watchdog = threading.Timer(max(left, 0.0), _cut, (connection.sock,))
        watchdog.start()
        try:
            body = json.dumps({"key": key}).encode()
            headers = {"Content-Type": "application/json", "Accept": "application/json"}
            if self.token:
                headers["Authorization"] = f"Bearer {self.token}"
            connection.request("POST", parts.path.rstrip("/") + PATH, body, headers)
            response = connection.getresponse()
            if response.status == http.client.NOT_FOUND:
                return ()
            if response.status != http.client.OK:
                raise Unreadable(f"HTTP {response.status}")
            text = response.read(LONGEST_ANSWER_BYTES + 1)
            if len(text) > LONGEST_ANSWER_BYTES:
                raise Unreadable("too long")
            if response.length:
                raise Unreadable("cut short")
            return _read(text, key)
        finally:
            watchdog.cancel()
            connection.close()

    def _connection(self, host: str, port: int | None, is_secure: bool) -> http.client.HTTPConnection:
        if is_secure:
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self.timeout_seconds, context=context)
        return http.client.HTTPConnection(host, port, timeout=self.timeout_seconds)


@lru_cache(4)
def registry_at(url: str, token: str) -> RemoteRegistry:
    """The registry at an address, one for the process: it remembers that it was away."""
    return RemoteRegistry(url, token)


def _read(text: bytes, key: str) -> tuple[Beneficiary, ...]:
    data: Any = json.loads(text)
    listed = data.get("beneficiaries") if isinstance(data, dict) else None
    if not isinstance(listed, list) or len(listed) > MOST_FOUND:
        raise Unreadable("beneficiaries")
    found = tuple(parse_beneficiary(each) for each in listed)
    if not all(goes_by(each, key) for each in found):
        raise Unreadable("somebody else")
    return found


def _cut(sock: socket.socket) -> None:
    """End an exchange from outside: whoever waits for the next byte gets an error, or what is no whole answer."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
