"""Where SMS and e-mail go in development: a gateway and a mail server that keep what they are given.

It speaks what production speaks, Kannel's sendsms over HTTP with delivery reports and SMTP, so that nothing in
the product knows it is there. Each message becomes one JSON line in GRM_HOME/outbox, which /dev/outbox shows.
"""

import argparse
import asyncio
import email
import email.policy
import hmac
import json
import os
import re
import signal
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from aiosmtpd.smtp import SMTP, Envelope, Session

LARGEST_REQUEST_BYTES = 65536
LONGEST_TEXT = 10 * 153
REPORTS = ((8, 8, 0.3), (1, 1, 1.2))  # bit of dlr-mask, status, seconds after: taken by the centre, delivered
REPORT_TRIES = 4
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Outbox:
    """Two files of JSON lines: sms.jsonl and email.jsonl."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def add(self, kind: str, **fields: Any) -> None:
        """Append one message. One write of one line, so a reader never sees half of it."""
        line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **fields}, ensure_ascii=False)
        path = self._directory / f"{kind}.jsonl"
        with open(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab", buffering=0) as file:
            file.write(line.encode() + b"\n")


class SmsGateway:
    """Kannel's `GET /cgi-bin/sendsms`, as far as the product uses it."""

    def __init__(self, outbox: Outbox, user: str, password: str) -> None:
        self._outbox = outbox
        self._account = f"{user}\0{password}"
        self._reports: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close the connection."""
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
            status, text = self._answer(head.split(b"\r\n")[0].decode("latin-1"))
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            status, text = 400, "Bad request"
        body = text.encode()
        writer.write(f"HTTP/1.1 {status} {_REASONS[status]}\r\n".encode())
        writer.write(f"Content-Type: text/html\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode())
        writer.write(body)
        try:
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        except OSError:
            pass  # the sender hung up; Kannel would not care either

    def _answer(self, request_line: str) -> tuple[int, str]:
        method, _, rest = request_line.partition(" ")
        parts = urlsplit(rest.rpartition(" ")[0])
        if method not in {"GET", "HEAD"} or parts.path != "/cgi-bin/sendsms":
            return 404, "Not found"
        fields = dict(parse_qsl(parts.query, keep_blank_values=True, encoding="utf-8", errors="replace"))
        account = f"{fields.get('username', '')}\0{fields.get('password', '')}"
        if not hmac.compare_digest(account.encode(), self._account.encode()):
            return 403, "Authorization failed for sendsms"
        to = fields.get("to", "")
        if not re.fullmatch(r"\+?[0-9]{4,15}", to):
            return 400, "Missing or garbage receiver number, rejected"
        if "text" not in fields or len(fields["text"]) > LONGEST_TEXT:
            return 400, "Missing or too long text, rejected"
        report = fields.get("dlr-url", "")
        if report and not _is_on_this_machine(report):
            return 400, "This sink reports to this machine only"
        message_id = str(uuid.uuid4())
        self._outbox.add(
            "sms",
            id=message_id,
            to=to,
            **{"from": fields.get("from", "")},
            text=fields["text"],
            coding=fields.get("coding", "0"),
        )
        mask = fields.get("dlr-mask", "0")
        if report and mask.isdecimal():
            task = asyncio.create_task(_send_reports(report, int(mask), message_id, to, fields.get("from", "")))
            self._reports.add(task)
            task.add_done_callback(self._reports.discard)
        return 202, "0: Accepted for delivery"


class MailServer:
    """What aiosmtpd calls with each e-mail."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the e-mail; the sender may then forget it."""
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        message = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self._outbox.add(
            "email",
            id=str(message.get("Message-ID", "")).strip(),
            to=list(envelope.rcpt_tos),
            **{"from": str(message.get("From", envelope.mail_from or ""))},
            subject=str(message.get("Subject", "")),
            text=_part(message, "plain"),
            html=_part(message, "html"),
        )
        return "250 OK"


_REASONS = {202: "Accepted", 400: "Bad Request", 403: "Forbidden", 404: "Not Found"}


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else None


def _is_on_this_machine(url: str) -> bool:
    """A sink that calls any address it is told would be a way into the network."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "http" and parts.hostname in _LOOPBACK
    except ValueError:
        return False


async def _send_reports(url: str, mask: int, message_id: str, to: str, sender: str) -> None:
    """Call dlr-url as Kannel does: %d is the status, %A the centre's answer, %P and %p the two numbers."""
    waited = 0.0
    for bit, status, seconds in REPORTS:
        if not mask & bit:
            continue
        await asyncio.sleep(seconds - waited)
        waited = seconds
        answer = "ACK/" if status == 8 else f"id:{message_id} stat:DELIVRD err:000"
        values = {"d": str(status), "A": answer, "P": to, "p": sender, "I": message_id, "F": message_id}
        target = _fill_in(url, values)
        for attempt in range(REPORT_TRIES):
            if await asyncio.to_thread(_call, target):
                break
            await asyncio.sleep(2.0**attempt)


def _fill_in(url: str, values: dict[str, str]) -> str:
    """Replace %d and its like, but not percent-encoded bytes such as %D0."""
    return re.sub("%([dAPpIF])(?![0-9A-Fa-f])", lambda found: quote(values[found[1]], safe=""), url)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def _call(url: str) -> bool:
    """Whether the report arrived; a refusal (4xx) counts too, as asking again changes nothing."""
    try:
        with _opener.open(url, timeout=5):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


async def run(home: Path, host: str, sms_port: int, smtp_port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    outbox = Outbox(home / "outbox")
    user, password = os.environ.get("SMS_GATEWAY_USER", "grm"), os.environ.get("SMS_GATEWAY_PASSWORD", "")
    gateway = SmsGateway(outbox, user, password)
    mail = MailServer(outbox)
    sms = await asyncio.start_server(gateway.serve, host, sms_port, limit=LARGEST_REQUEST_BYTES)
    smtp = await loop.create_server(
        lambda: SMTP(mail, enable_SMTPUTF8=True, hostname="localhost", ident="GRM development sink"), host, smtp_port
    )
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
    sms.close()
    smtp.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--sms-port", type=int, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    options = parser.parse_args()
    asyncio.run(run(options.home, options.host, options.sms_port, options.smtp_port))
