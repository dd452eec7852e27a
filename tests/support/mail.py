"""A real SMTP server (aiosmtpd) on this machine that remembers what it was given."""

import email
import email.policy
import socket
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


@dataclass(frozen=True)
class Mail:
    """An e-mail as it arrived."""

    recipients: tuple[str, ...]
    subject: str
    text: str
    message_id: str
    language: str


class MailServer:
    """Takes every e-mail; `received` grows."""

    def __init__(self) -> None:
        self.received: list[Mail] = []
        with socket.socket() as probe:  # aiosmtpd dials the port it is given: 0 would not do
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self._controller.start()

    def stop(self) -> None:
        """Stop listening."""
        self._controller.stop()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """What aiosmtpd calls with each e-mail."""
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        body = message.get_body(("plain",))
        assert body is not None
        self.received.append(
            Mail(
                tuple(envelope.rcpt_tos),
                str(message["Subject"]),
                str(body.get_content()),
                str(message["Message-ID"]),
                str(message["Content-Language"] or ""),
            )
        )
        return "250 OK"
