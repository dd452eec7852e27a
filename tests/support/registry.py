"""A beneficiary registry of another system, on loopback, that does as it is told."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PERSON: dict[str, Any] = {
    "beneficiary_id": "OA-17",
    "as_of": "2026-11-01",
    "nid": "1990123456789",
    "name": "রহিমা খাতুন",
    "enrolments": [
        {
            "programme": "old-age-allowance",
            "enrolled_on": "2019-07-01",
            "provider": "bkash",
            "payments": [
                {"period_from": "2026-01", "period_to": "2026-03", "taka": 1800, "state": "sent", "sent_on": "2026-04-02"},
                {"period_from": "2025-10", "period_to": "2025-12", "taka": 1800, "state": "returned",
                 "reason": "name-mismatch"},
            ],
        },
        {"programme": "A programme of a city", "ended_on": "2024-06-30", "payments": []},
    ],
}  # fmt: skip


class FakeRegistry:
    """A scripted registry. `answer` writes the answer to one request; `requests` are what was asked: path, headers, body."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.during: Callable[[], None] = lambda: None
        self.status = 200
        self.body = json.dumps({"beneficiaries": [PERSON]}).encode()
        self.headers: dict[str, str] = {}
        self.drip_seconds = 0.0
        self.url = ""

    def says(self, *people: Any) -> None:
        """Answer with these people from now on."""
        self.body = json.dumps({"beneficiaries": list(people)}).encode()


@contextlib.contextmanager
def running_registry() -> Iterator[FakeRegistry]:
    """A registry on a port of its own."""
    fake = FakeRegistry()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fake.requests.append((self.path, dict(self.headers), body))
            fake.during()
            self.send_response(fake.status)
            for name, value in {"Content-Length": str(len(fake.body)), **fake.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                if not fake.drip_seconds:
                    self.wfile.write(fake.body)
                for number in range(len(fake.body) if fake.drip_seconds else 0):
                    self.wfile.write(fake.body[number : number + 1])
                    time.sleep(fake.drip_seconds)

        do_GET = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}/registry/"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
