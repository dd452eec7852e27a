"""E-mail delivery to a real SMTP server (aiosmtpd): what it took, what it refused, what it never said."""

import datetime as dt
import ssl
from dataclasses import replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask
from sqlalchemy.orm import Session

from grm.kernel import clock, context
from grm.notifications import delivery
from grm.notifications.channels.contract import Letter
from grm.notifications.channels.smtp import MailServer
from grm.notifications.delivery import Post, deliver_due, end_overdue
from tests.support.mailbox import Mailbox, free_port, running_mailbox
from tests.support.outbox import add_message, later, message, outcomes, states

ADDRESS = "rahima@example.org"
SENDER = "অভিযোগ প্রতিকার <grm@grm.example.gov.bd>"
TIMEOUT = 0.6


@pytest.fixture
def now(session: Session) -> datetime:
    return clock.now(session)


@pytest.fixture
def post(app: Flask, session: Session, server: tuple[Mailbox, int]) -> Post:
    return post_to(f"smtp://127.0.0.1:{server[1]}")


def post_to(url: str) -> Post:
    settings = replace(context.settings(), smtp_url=url, mail_from=SENDER, http_timeout_seconds=TIMEOUT)
    post = delivery.post_for("email", settings)
    assert post is not None
    return post


def add(session: Session, now: datetime, key: str = "m1", address: str = ADDRESS, **changes: object) -> int:
    return add_message(session, now, key, channel="email", address=address, **changes)


def test_a_bangla_mail_arrives_whole(session: Session, mailbox: Mailbox, post: Post, now: datetime) -> None:
    message_id = add(session, now)
    assert deliver_due(post, now) == {"delivered": 1}
    (mail,) = mailbox.taken
    assert mail["Subject"] == "আপনার অভিযোগ 7K3M-PQ9X-R2TB4 গ্রহণ করা হয়েছে"
    assert mail["To"] == ADDRESS and mail["From"] == SENDER
    assert mail["Auto-Submitted"] == "auto-generated" and mail["Content-Language"] == "bn"
    assert abs(parsedate_to_datetime(mail["Date"]) - now) < dt.timedelta(seconds=1)
    assert mail["Date"].endswith("+0600")
    assert mail["Message-ID"].endswith("@grm.example.gov.bd>")
    row = message(session, message_id)
    assert mail.get_content().replace("\r\n", "\n") == row.body
    assert "৩১ ডিসেম্বর ২০২৬" in mail.get_content()
    assert (row.state, row.ended_at, row.provider_reference) == ("delivered", now, mail["Message-ID"])
    assert all(max(raw) < 128 for raw in mailbox.raw), "headers and body travel as ASCII, whatever the servers between"


def test_a_line_with_a_leading_dot_ends_no_mail(post: Post, mailbox: Mailbox, now: datetime) -> None:
    body = "first\n.\n..two\nRSET\nlast\n"
    letter = Letter("r", ADDRESS, "en", "Dots", body, now)
    assert post.transport.send(letter, lambda: True).result == "delivered"
    assert mailbox.taken[0].get_content().replace("\r\n", "\n") == body


def test_two_messages_never_share_a_message_id(session: Session, mailbox: Mailbox, post: Post, now: datetime) -> None:
    for n in range(3):
        add(session, now, f"m{n}", language="en")
    deliver_due(post, now)
    assert len(set(mailbox.message_ids())) == 3
    assert "7K3M-PQ9X-R2TB4" in mailbox.taken[0].get_content()


@pytest.mark.parametrize("answer", ["550 5.1.1 No such user", "552 5.2.2 Mailbox full for ever"])
def test_a_refused_recipient_is_final_and_stops_nobody_else(
    session: Session, mailbox: Mailbox, post: Post, now: datetime, answer: str
) -> None:
    mailbox.refusals[ADDRESS] = answer
    first = add(session, now, "a")
    add(session, now, "b", address="karim@example.org")
    assert deliver_due(post, now) == {"refused": 1, "delivered": 1}
    assert message(session, first).state == "failed" and (message(session, first).error or "").startswith("SMTP 55")
    assert [mail["To"] for mail in mailbox.taken] == ["karim@example.org"]


def test_a_full_mailbox_is_tried_again_and_stops_nobody_else(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    mailbox.refusals[ADDRESS] = "452 4.2.2 Mailbox full"
    first = add(session, now, "a")
    add(session, now, "b", address="karim@example.org")
    assert deliver_due(post, now) == {"temporary": 1, "delivered": 1}
    mailbox.refusals.clear()
    assert deliver_due(post, later(now, seconds=10)) == {}
    assert deliver_due(post, later(now, seconds=20)) == {"delivered": 1}
    assert outcomes(session, first) == ["temporary", "delivered"]


def test_refusal_of_the_text(session: Session, mailbox: Mailbox, post: Post, now: datetime) -> None:
    mailbox.data_answers = ["451 4.3.0 Try later", "554 5.6.0 Not this text"]
    add(session, now, "a")
    add(session, now, "b")
    assert deliver_due(post, now) == {"temporary": 1, "refused": 1}
    assert states(session) == ["pending", "failed"]


def test_a_server_that_does_not_take_our_mail_loses_nothing(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    mailbox.sender_answer = "530 5.7.0 Authentication required"
    add(session, now, "a")
    add(session, now, "b")
    assert deliver_due(post, now) == {"unreachable": 1}
    assert states(session) == ["pending", "pending"]
    mailbox.sender_answer = ""
    assert deliver_due(post, later(now, minutes=2)) == {"delivered": 2}


def test_silence_after_the_text_leads_to_the_same_mail_under_the_same_message_id(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    mailbox.data_answers = [None]
    message_id = add(session, now)
    assert deliver_due(post, now) == {"unknown": 1}
    assert message(session, message_id).state == "unknown"
    assert deliver_due(post, later(now, minutes=1)) == {"delivered": 1}
    assert len(mailbox.taken) == 2 and len(set(mailbox.message_ids())) == 1
    assert mailbox.taken[0].get_content() == mailbox.taken[1].get_content()
    assert mailbox.taken[0]["Date"] == mailbox.taken[1]["Date"]
    assert message(session, message_id).state == "delivered"


def test_a_server_that_is_slow_after_the_text_is_unknown_not_lost(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    mailbox.wait_seconds = 3 * TIMEOUT
    add(session, now)
    assert deliver_due(post, now) == {"unknown": 1}


def test_server_away_then_back(session: Session, now: datetime) -> None:
    port = free_port()
    post = post_to(f"smtp://127.0.0.1:{port}")
    ids = [add(session, now, f"m{n}") for n in range(5)]
    assert deliver_due(post, now) == {"unreachable": 1}
    assert deliver_due(post, later(now, seconds=1)) == {}
    with running_mailbox(port) as (mailbox, _):
        assert deliver_due(post, later(now, minutes=5)) == {"delivered": 5}
        assert len(set(mailbox.message_ids())) == len(ids)
    assert end_overdue(later(now, hours=80)) == {}


# --- encryption -------------------------------------------------------------------------------------------------


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, Path]:
    """A server context with a fresh self-signed certificate for 127.0.0.1, and the certificate's file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / f"{name}.crt", folder / f"{name}.key"
    cert_file.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert_file, key_file)
    return server, cert_file


def trusting(post: Post, authority: Path) -> Post:
    """The same way out, trusting one more certificate."""
    transport = post.transport
    assert isinstance(transport, MailServer)
    own = ssl.create_default_context(cafile=str(authority))
    return replace(post, transport=replace(transport, context=own))


def test_starttls_is_used_where_it_is_configured(session: Session, now: datetime, tmp_path: Path) -> None:
    server, authority = certificate(tmp_path, "right")
    add(session, now)
    with running_mailbox(tls=server) as (mailbox, port):
        post = trusting(post_to(f"smtp://127.0.0.1:{port}?starttls=1"), authority)
        assert deliver_due(post, now) == {"delivered": 1}
        assert mailbox.was_encrypted == [True]


def test_nothing_is_said_in_clear_to_a_server_without_starttls(
    session: Session, server: tuple[Mailbox, int], now: datetime
) -> None:
    message_id = add(session, now)
    assert deliver_due(post_to(f"smtp://127.0.0.1:{server[1]}?starttls=1"), now) == {"unreachable": 1}
    assert server[0].taken == []
    assert message(session, message_id).state == "pending"


def test_a_certificate_of_somebody_else_gets_nothing(session: Session, now: datetime, tmp_path: Path) -> None:
    server, _ = certificate(tmp_path, "wrong")
    _, authority = certificate(tmp_path, "right")
    message_id = add(session, now)
    with running_mailbox(tls=server) as (mailbox, port):
        post = trusting(post_to(f"smtp://127.0.0.1:{port}?starttls=1"), authority)
        assert deliver_due(post, now) == {"unreachable": 1}
        assert mailbox.taken == []
    assert "SSL" in (message(session, message_id).error or "")


def test_tls_from_the_first_byte(session: Session, now: datetime, tmp_path: Path) -> None:
    server, authority = certificate(tmp_path, "right")
    add(session, now)
    with running_mailbox(ssl_context=server) as (mailbox, port):
        assert deliver_due(trusting(post_to(f"smtps://127.0.0.1:{port}"), authority), now) == {"delivered": 1}
        assert len(mailbox.taken) == 1
