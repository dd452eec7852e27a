"""A real SMTP server (aiosmtpd) that keeps what it takes and refuses what it is told to refuse."""

import asyncio
import contextlib
import email
import email.policy
import socket
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Mailbox:
    """The server's handler and its memory. `refusals` maps an address to the answer it gets at RCPT."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.return_paths: list[str] = []
        """The envelope's sender of each mail that was taken: where it would go back to."""
        self.refusals: dict[str, str] = {}
        self.data_answers: list[str | None] = []
        """Scripted answers after the text: an SMTP answer, or None for taking the mail and cutting the line."""
        self.sender_answer = ""
        self.wait_seconds = 0.0
        self.was_encrypted: list[bool] = []

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """MAIL FROM."""
        if self.sender_answer:
            return self.sender_answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """RCPT TO."""
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The text."""
        await asyncio.sleep(self.wait_seconds)
        answer = self.data_answers.pop(0) if self.data_answers else "250 OK"
        if answer is None or answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            message = email.message_from_bytes(content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.taken.append(message)
            self.raw.append(content)
            self.return_paths.append(envelope.mail_from or "")
            self.was_encrypted.append(session.ssl is not None)
        if answer is None:
            assert server.transport is not None
            server.transport.abort()
            return "250 OK"
        return answer

    def message_ids(self) -> list[str]:
        """The Message-ID of everything that was taken, in order."""
        return [str(message["Message-ID"]) for message in self.taken]


def free_port() -> int:
    """A port that nobody uses just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running_mailbox(
    port: int | None = None, tls: ssl.SSLContext | None = None, **options: Any
) -> Iterator[tuple[Mailbox, int]]:
    """A mail server for the length of a block, and its port. With `tls` it offers and demands STARTTLS."""
    mailbox = Mailbox()
    # aiosmtpd dials its own port to see whether it listens, which does not work with port 0.
    chosen = port or free_port()
    if tls is not None:
        options |= {"tls_context": tls, "require_starttls": True}
    controller = Controller(mailbox, hostname="127.0.0.1", port=chosen, **options)
    controller.start()
    try:
        yield mailbox, chosen
    finally:
        controller.stop()
