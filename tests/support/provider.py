"""A generic SMS provider on a port of its own, scripted: the oracle of what it really took, by our reference.

It speaks JSON, keeps connections open as real ones do, can be asked for a message, and answers errors with HTTP 200.
"""

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from grm.kernel.gateways import HttpDescription, parse_gateways

TOKEN = "a-token-that-only-it-knows"


@dataclass(frozen=True)
class Says:
    """What the provider does with one message. `takes`: it has it now. `drops`: it cuts the line instead of answering."""

    status: int = 200
    code: int = 200
    word: str = "SUCCESS"
    takes: bool = True
    drops: bool = False
    after_seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None


TAKEN = Says()
NO_BALANCE = Says(code=4019, word="FAILED", takes=False)
BAD_NUMBER = Says(code=4023, word="FAILED", takes=False)
THROTTLED = Says(code=4290, word="FAILED", takes=False)
WRONG_ACCOUNT = Says(code=4001, word="FAILED", takes=False)
ODD = Says(code=9999, word="FAILED", takes=False)
BROKEN = Says(status=500, takes=False)
CUT = Says(takes=False, drops=True)
TAKEN_THEN_CUT = Says(drops=True)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # with socketserver's 5 a crowd of callers would find nobody there


class Provider:
    """The server. `knows` is what it tells of a message when asked, by reference; else what it has taken counts."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.accepted: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.knows: dict[str, str] = {}
        self.is_mute = False
        self.connections = 0
        self.during: Callable[[], None] = lambda: None
        self._script: list[Says] = []
        self._always: Says | None = None
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0
        self.start()

    def says(self, *script: Says) -> None:
        """Answer the next messages so, then take them."""
        self._script = list(script)

    def always(self, answer: Says | None) -> None:
        """Answer every message so from now on; None: take them again."""
        self._always = answer

    def references(self) -> Counter[str]:
        """How often each message was taken, by our reference."""
        return Counter(str(message["ref"]) for message in self.accepted)

    def describe(self, name: str = "generic", look_up: bool = True, extra: str = "") -> str:
        """Its part of a gateways file."""
        text = f"""
            [[gateway]]
            name = "{name}"
            url = "http://127.0.0.1:{self.port}/send"
            sender = "GRM"
            secrets = {{ token = "PROVIDER_TOKEN" }}
            headers = {{ Authorization = "Bearer {{token}}" }}
            fields = {{ to = "{{to}}", sms = "{{text}}", ref = "{{reference}}", callback = "{{report_url}}" }}
            [gateway.answer]
            message_id = "info.0.id"
            code = "code"
            taken = [{{ path = "status", equals = "SUCCESS" }}]
            codes = {{ bad_number = [4023], throttled = [4290], no_balance = [4019], wrong_account = [4001] }}
            [gateway.report]
            reference = "id"
            reference_is = "theirs"
            status = "word"
            token_env = "PROVIDER_TOKEN"
            words = {{ accepted = ["SENT"], delivered = ["DELIVRD"], failed = ["UNDELIV"] }}
            {extra}
            """
        if look_up:
            text += f"""
            [gateway.look_up]
            url = "http://127.0.0.1:{self.port}/ask/{{reference}}"
            method = "GET"
            status = "word"
            words = {{ not_found = ["NONE", "HTTP 404"], accepted = ["SENT"], delivered = ["DELIVRD"], failed = ["UNDELIV"] }}
            """
        return text

    def start(self) -> None:
        """Come back on the same port."""
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                provider.connections += 1
                super().setup()

            def do_POST(self) -> None:
                provider.take(self)

            def do_GET(self) -> None:
                provider.tell(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Go away: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def take(self, request: BaseHTTPRequestHandler) -> None:
        """Serve one message by the script."""
        raw = request.rfile.read(int(request.headers["Content-Length"]))
        is_json = "json" in request.headers["Content-Type"]
        message = json.loads(raw) if is_json else {key: each[-1] for key, each in parse_qs(raw.decode()).items()}
        with self._lock:
            self.requests.append(message)
            self.headers.append(dict(request.headers))
            answer = self._script.pop(0) if self._script else self._always or TAKEN
            if answer.takes:
                self.accepted.append(message)
        self.during()
        time.sleep(answer.after_seconds)
        if answer.drops:
            request.close_connection = True
            request.connection.close()
            return
        body = answer.body
        if body is None:
            body = json.dumps(
                {"status": answer.word, "code": answer.code, "info": [{"id": f"id-{message.get('ref')}"}]}
            )
        _answer(request, answer.status, body, answer.headers)

    def tell(self, request: BaseHTTPRequestHandler) -> None:
        """Tell what is known of a message."""
        reference = urlsplit(request.path).path.removeprefix("/ask/")
        with self._lock:
            self.asked.append(reference)
            word = self.knows.get(reference, "SENT" if self.references()[reference] else "NONE")
        if self.is_mute:
            _answer(request, 500, "no")
        else:
            _answer(request, 404 if word == "NONE" else 200, json.dumps({"word": word}))


def _answer(request: BaseHTTPRequestHandler, status: int, text: str, headers: dict[str, str] | None = None) -> None:
    body = text.encode()
    with contextlib.suppress(OSError):
        request.send_response(status)
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


def described(*parts: str) -> tuple[HttpDescription, ...]:
    """The gateways of a file made of these parts."""
    return parse_gateways("\n".join(parts), {"PROVIDER_TOKEN": TOKEN})  # type: ignore[return-value]


@contextlib.contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider for the length of a block."""
    provider = Provider()
    try:
        yield provider
    finally:
        provider.stop()
