"""The development sink speaks Kannel's sendsms and SMTP, over real sockets, and keeps what it is given."""

import http.server
import json
import os
import smtplib
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BANGLA = "আপনার অভিযোগ গৃহীত হয়েছে"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sink:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.sms_port, self.smtp_port = free_port(), free_port()
        command = [sys.executable, "-P", ROOT / "grm" / "devsink.py", "--home", home]
        command += ["--sms-port", str(self.sms_port), "--smtp-port", str(self.smtp_port)]
        env = {**os.environ, "SMS_GATEWAY_USER": "grm", "SMS_GATEWAY_PASSWORD": "pw"}
        self.process = subprocess.Popen(command, cwd=ROOT, env=env)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.smtp_port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the sink did not start")

    def send(self, **change: str) -> tuple[int, str]:
        fields = {"username": "grm", "password": "pw", "to": "+8801712345678", "text": BANGLA, "from": "16122"}
        query = urllib.parse.urlencode({**fields, "charset": "UTF-8", "coding": "2", **change})
        try:
            url = f"http://127.0.0.1:{self.sms_port}/cgi-bin/sendsms?{query}"
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def outbox(self, kind: str) -> list[dict[str, Any]]:
        path = self.home / "outbox" / f"{kind}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture(scope="module")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sink]:
    sink = Sink(tmp_path_factory.mktemp("home"))
    yield sink
    sink.process.terminate()
    assert sink.process.wait(10) == 0


def test_an_sms_is_accepted_and_kept_as_sent(sink: Sink) -> None:
    before = len(sink.outbox("sms"))
    assert sink.send() == (202, "0: Accepted for delivery")
    (kept,) = sink.outbox("sms")[before:]
    assert (kept["to"], kept["from"], kept["text"], kept["coding"]) == ("+8801712345678", "16122", BANGLA, "2")
    assert (sink.home / "outbox" / "sms.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"password": "wrong"}, 403),
        ({"username": "nobody"}, 403),
        ({"to": "017-garbage"}, 400),
        ({"to": "০১৭১২৩৪৫৬৭৮"}, 400),
        ({"to": ""}, 400),
        ({"text": "x" * 2000}, 400),
        ({"dlr-url": "http://192.0.2.1/steal?status=%d"}, 400),
        ({"dlr-url": "file:///etc/passwd"}, 400),
        ({"dlr-url": "http://127.0.0.1@192.0.2.1/"}, 400),
    ],
)
def test_what_kannel_refuses_is_refused_and_not_kept(sink: Sink, change: dict[str, str], status: int) -> None:
    before = len(sink.outbox("sms"))
    assert sink.send(**change)[0] == status
    assert len(sink.outbox("sms")) == before


def test_delivery_reports_come_in_order_with_everything_filled_in(sink: Sink) -> None:
    seen: list[str] = []
    both = threading.Event()

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(204)
            self.end_headers()
            if len(seen) == 2:
                both.set()

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/sms/report?id=a%2Fb&status=%d&answer=%A"
        assert sink.send(**{"dlr-mask": "31", "dlr-url": url})[0] == 202
        assert both.wait(15), seen
        server.shutdown()
    reports = [dict(urllib.parse.parse_qsl(path.partition("?")[2])) for path in seen]
    assert [report["status"] for report in reports] == ["8", "1"]
    assert {report["id"] for report in reports} == {"a/b"}
    assert reports[0]["answer"] == "ACK/" and "DELIVRD" in reports[1]["answer"]


def test_an_email_is_kept_with_both_bodies(sink: Sink) -> None:
    message = EmailMessage()
    message["Subject"] = BANGLA
    message["From"] = "GRM <grm@localhost>"
    message["To"] = "officer@example.gov.bd"
    message["Message-ID"] = "<1.2@grm.localhost>"
    message.set_content("বাংলা text")
    message.add_alternative("<p>বাংলা html</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", sink.smtp_port, timeout=10) as client:
        client.send_message(message)
    kept = sink.outbox("email")[-1]
    assert (kept["subject"], kept["id"], kept["to"]) == (BANGLA, "<1.2@grm.localhost>", ["officer@example.gov.bd"])
    assert kept["text"].strip() == "বাংলা text" and kept["html"].strip() == "<p>বাংলা html</p>"


def test_nonsense_is_answered_and_does_not_end_the_sink(sink: Sink) -> None:
    with socket.create_connection(("127.0.0.1", sink.sms_port), 10) as client:
        client.sendall(b"POST /elsewhere HTTP/1.1\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 404")
    assert sink.send()[0] == 202
