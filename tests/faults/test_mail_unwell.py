"""The mail server refusing, cutting the line after the text, without STARTTLS, and slow: by its own log nothing is lost."""

import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from grm.kernel import clock, context
from grm.notifications import delivery
from grm.notifications.delivery import Post, deliver_due, end_overdue
from tests.support.fault_table import Findings, Form
from tests.support.faults import FaultRig, check
from tests.support.mailbox import running_mailbox
from tests.support.outbox import add_message, later, message, outcomes

pytestmark = pytest.mark.faults

NEVER_IN_CLEAR = (b"MAIL", b"RCPT", b"DATA", b"AUTH", b"secret", b"example.org")


def post_to(url: str) -> Post:
    changed = replace(context.settings(), smtp_url=url, mail_from="GRM <grm@grm.example>", http_timeout_seconds=0.6)
    post = delivery.post_for("email", changed)
    assert post is not None
    return post


def test_refused_cut_and_answered_at_random_every_mail_is_sent_or_refused_for_good(
    rig: FaultRig, form: Form, findings: Findings
) -> None:
    """Refusals for now, refusals for good, and lines cut after the text, as the seed has it, among good answers."""
    count, chance = form.of(60, 1500), form.chance("mail")
    script = chance.choices(("250 OK", "451 4.3.0 Later", "554 5.6.0 Not this", None), (6, 2, 1, 2), k=count)
    rig.mail.data_answers[:] = script
    with rig.session() as session:
        now = clock.now(session)
        for number in range(count):
            add_message(session, now, f"mail {number}", channel="email", address=f"reader{number}@example.org")
    open_mails = "SELECT count(*) FROM message WHERE ended_at IS NULL"

    def is_done() -> bool:
        rig.do("UPDATE message SET next_attempt_at = clock_timestamp() WHERE state IN ('pending', 'unknown')")
        rig.do("DELETE FROM heartbeat WHERE name LIKE 'delivery.%%'")  # the waits are tested below, the end is here
        return rig.number(open_mails) == 0

    rig.wait_until(is_done, "every mail at its end", form.of(60, 600))
    rig.mail.data_answers.clear()
    ledger = check(rig)
    cut, refused = script.count(None), script.count("554 5.6.0 Not this")
    readers = Counter(str(mail["To"]) for mail in rig.mail.taken)
    named: dict[str, set[str]] = {}
    for mail in rig.mail.taken:
        named.setdefault(str(mail["To"]), set()).add(str(mail["Message-ID"]))
    gone = rig.number("SELECT count(*) FROM message WHERE state = 'failed'")
    # A mail refused for good is not lost: it has ended, with the server's words.
    unexplained = [fault for fault in ledger.faults if "never taken: failed" not in fault]
    figures = {**ledger.figures, "lost": len(unexplained)}
    findings.add(23, f"{count} mails, {cut} cut after DATA, {refused} refused for good", figures, refused=gone)
    assert gone == refused and len(readers) >= count - refused
    assert all(len(names) == 1 for names in named.values()), "a repeat under another Message-ID"
    repeated = [times for times in readers.values() if times > 1]
    assert len(repeated) == ledger.twice_allowed and sum(repeated) - len(repeated) <= cut, (
        "a repeat without a lost answer"
    )
    assert unexplained == []


def test_a_mailbox_that_is_always_full_is_asked_less_and_less_and_given_up(
    app: Flask, session: Session, form: Form, findings: Findings
) -> None:
    now = clock.now(session)
    with running_mailbox() as (mailbox, port):
        post = post_to(f"smtp://127.0.0.1:{port}")
        mailbox.refusals["full@example.org"] = "452 4.2.2 Mailbox full"
        message_id = add_message(session, now, "full", channel="email", address="full@example.org")
        asked, at = [], now
        while (row := message(session, message_id)).ended_at is None and at < now + timedelta(hours=80):
            at = max(row.next_attempt_at, at)
            asked.append(at)
            deliver_due(post, at)
            end_overdue(at)
        assert mailbox.taken == []
    waits = [after - before for before, after in pairwise(asked)]
    findings.add(
        23, "a full mailbox", lost=0, twice=0, asked=len(asked), hours=round((at - now).total_seconds() / 3600, 1)
    )
    assert row.state in ("failed", "expired") and at - now <= timedelta(hours=72)
    assert 8 <= len(asked) <= 40 and max(waits) <= timedelta(hours=2.5)
    assert all(after > before for before, after in pairwise(waits[:6])), "the first waits grow"


# --- nothing in clear ---------------------------------------------------------------------------------------------


class Eavesdropper(socketserver.ThreadingTCPServer):
    """A server without encryption that writes down every byte; `features` is what it offers, `starttls` what it says to it."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, features: bytes, starttls: bytes) -> None:
        self.heard = b""
        self.features, self.starttls = features, starttls
        super().__init__(("127.0.0.1", 0), _Answering)


class _Answering(socketserver.StreamRequestHandler):
    server: Eavesdropper

    def handle(self) -> None:
        self.wfile.write(b"220 mx ESMTP\r\n")
        while line := self.rfile.readline():
            self.server.heard += line
            command = line.split()[0].upper() if line.split() else b""
            if command in (b"EHLO", b"HELO"):
                self.wfile.write(self.server.features)
            elif command == b"STARTTLS":
                self.wfile.write(self.server.starttls)
            elif command == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            elif command == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    self.server.heard += line
                self.wfile.write(b"250 ok\r\n")
            else:
                self.wfile.write(b"250 ok\r\n")


@contextmanager
def eavesdropper(features: bytes, starttls: bytes = b"") -> Iterator[Eavesdropper]:
    with Eavesdropper(features, starttls) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    ("features", "starttls"),
    [
        (b"250-mx\r\n250 AUTH PLAIN LOGIN\r\n", b""),
        (b"250-mx\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n", b"454 4.7.0 TLS not available\r\n"),
        (b"250-mx\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n", b"220 go\r\nthis is no handshake\r\n"),
        (b"250-mx\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n", b"250 injected\r\n250 ok\r\n"),
    ],
    ids=["not offered", "offered and refused", "no handshake", "answers injected"],
)
def test_without_encryption_nothing_is_said(
    app: Flask, session: Session, findings: Findings, features: bytes, starttls: bytes
) -> None:
    now = clock.now(session)
    with eavesdropper(features, starttls) as server:
        post = post_to(f"smtp://grm:secret@127.0.0.1:{server.server_address[1]}?starttls=1")
        message_id = add_message(session, now, "private", channel="email", address="rahima@example.org")
        deliver_due(post, now)
        heard = server.heard
    findings.add(23, "no STARTTLS", lost=0, twice=0, heard_in_clear=heard.split(b"\r\n")[0].decode("latin-1"))
    assert heard.upper().startswith(b"EHLO"), "it was not even called"
    assert [word for word in NEVER_IN_CLEAR if word.lower() in heard.lower()] == []
    row = message(session, message_id)
    assert row.state == "pending" and row.next_attempt_at > now
    assert outcomes(session, message_id) == ["unreachable"]


def test_the_eavesdropper_would_hear_a_mail_in_clear(app: Flask, session: Session) -> None:
    now = clock.now(session)
    with eavesdropper(b"250 mx\r\n") as server:
        post = post_to(f"smtp://127.0.0.1:{server.server_address[1]}")
        add_message(session, now, "open", channel="email", address="rahima@example.org")
        deliver_due(post, now)
        assert b"example.org" in server.heard and b"MAIL" in server.heard.upper()


def test_a_slow_server_keeps_nobody_waiting_and_gets_each_mail_once(
    app: Flask, session: Session, form: Form, findings: Findings
) -> None:
    """It answers after the sender has hung up: what it took then is unknown, and goes again under the same name."""
    now = clock.now(session)
    with running_mailbox() as (mailbox, port):
        post = post_to(f"smtp://127.0.0.1:{port}")
        mailbox.wait_seconds = 1.5
        message_id = add_message(session, now, "slow", channel="email", address="rahima@example.org")
        assert deliver_due(post, now)["unknown"] == 1
        mailbox.wait_seconds = 0.0
        assert deliver_due(post, later(now, minutes=5))["delivered"] == 1
        names = mailbox.message_ids()
    findings.add(23, "a server slower than our patience", lost=0, twice_allowed=len(names) - 1)
    assert 1 <= len(names) <= 2 and len(set(names)) == 1
    assert message(session, message_id).state == "delivered"
