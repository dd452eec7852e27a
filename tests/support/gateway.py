"""An SMS gateway that speaks Kannel's sendsms and does as it is told: the oracle of what was really accepted.

Answers are scripted per request; `accepted` records every message the gateway has taken, also where the sender never
learnt of it. It never reports by itself: tests do, in the order they like.
"""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Answer:
    """What the gateway does with one request. `takes`: the message is in its hands. `drops`: it cuts the line."""

    status: int = 202
    text: str = "0: Accepted for delivery"
    takes: bool = True
    drops: bool = False
    after_seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)


ACCEPTED = Answer()
QUEUED = Answer(text="3: Queued for later delivery")
NOT_ROUTABLE = Answer(403, "Not routable. Do not try again.", takes=False)
WRONG_ACCOUNT = Answer(403, "Authorization failed for sendsms", takes=False)
BAD_NUMBER = Answer(400, "Missing or garbage receiver number, rejected", takes=False)
BROKEN = Answer(500, "Internal error", takes=False)
BUSY = Answer(429, "Slow down", takes=False, headers={"Retry-After": "40"})
ODD_200 = Answer(200, "ERROR: insufficient balance", takes=False)
REDIRECT = Answer(302, "Moved", takes=False, headers={"Location": "http://127.0.0.1:9/elsewhere"})
TAKEN_THEN_CUT = Answer(drops=True)
CUT = Answer(takes=False, drops=True)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # with socketserver's 5 a crowd of callers would find nobody there


class Gateway:
    """A scripted gateway on a port of its own. Without a script every message is accepted."""

    def __init__(self) -> None:
        self.accepted: list[dict[str, str]] = []
        self.requests: list[dict[str, str]] = []
        self.times: list[float] = []
        self.during: Callable[[], None] = lambda: None
        self._script: list[Answer] = []
        self._always: Answer | None = None
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        """SMS_GATEWAY_URL of this gateway."""
        return f"http://127.0.0.1:{self._port}/cgi-bin/sendsms"

    def answers(self, *script: Answer) -> None:
        """Answer the next requests so, then accept."""
        self._script = list(script)

    def always(self, answer: Answer | None) -> None:
        """Answer every request so from now on; None: accept again."""
        self._always = answer

    def references(self) -> Counter[str]:
        """How often each message, by its id in our report address, was accepted."""
        return Counter(reference_of(message) for message in self.accepted)

    def start(self) -> None:
        """Come back on the same port."""
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                gateway.handle(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", self._port), Handler)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Go away: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """Serve one request by the script."""
        fields = {key: values[-1] for key, values in parse_qs(urlsplit(request.path).query).items()}
        with self._lock:
            self.requests.append(fields)
            self.times.append(time.monotonic())
            answer = self._script.pop(0) if self._script else self._always or ACCEPTED
            if answer.takes:
                self.accepted.append(fields)
        self.during()
        time.sleep(answer.after_seconds)
        if answer.drops:
            request.close_connection = True
            request.connection.close()
            return
        body = answer.text.encode()
        with contextlib.suppress(OSError):
            request.send_response(answer.status)
            for name, value in answer.headers.items():
                request.send_header(name, value)
            request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            request.wfile.write(body)


def reference_of(message: dict[str, str]) -> str:
    """Our message's id, from the report address the gateway was given."""
    return parse_qs(urlsplit(message["dlr-url"]).query)["m"][0]


def report_path(message: dict[str, str], status: int, answer: str = "") -> str:
    """Path and query of the call-back that a gateway makes for a message, with %d and %A filled in."""
    parts = urlsplit(message["dlr-url"])
    return f"{parts.path}?{parts.query}".replace("%d", str(status)).replace("%A", answer)


@contextlib.contextmanager
def running_gateway(script: Iterable[Answer] = ()) -> Iterator[Gateway]:
    """A gateway for the length of a block."""
    gateway = Gateway()
    gateway.answers(*script)
    try:
        yield gateway
    finally:
        gateway.stop()
