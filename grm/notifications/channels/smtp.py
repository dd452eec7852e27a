"""E-mail by SMTP (RFC 5321), plain text in UTF-8. A connection serves many messages, one after the other.

Where STARTTLS is configured nothing is said in clear: a server that does not offer it gets nothing. A permanent refusal of
the recipient is told apart from one of ourselves, a temporary one from both; silence after the text was handed over is
unknown, and the message may then go again under the same Message-ID, so that mail readers show it once.
"""

import contextlib
import smtplib
import ssl
import time
from collections import deque
from dataclasses import dataclass, field
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, parseaddr
from typing import Any

from grm.kernel.clock import DHAKA
from grm.kernel.parsers import SmtpServer
from grm.notifications.channels.contract import Letter, MaySend, Outcome, Result, one_line

MOST_MESSAGES = 100
"""After so many a connection is closed; mail servers commonly allow no more."""
_ABOUT_US = {530, 534, 535, 538}  # it wants another sign-in (RFC 4954): no fault of the message


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where e-mail is handed over; `sender` is an address, with a name if wanted (MAIL_FROM)."""

    server: SmtpServer
    sender: str
    timeout_seconds: float
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context, compare=False, repr=False)

    _kept: deque["_Conversation"] = field(default_factory=deque, init=False, compare=False, repr=False)

    def send(self, letter: Letter, may_send: MaySend) -> Outcome:
        """Hand one e-mail over."""
        message = compose(letter, self.sender)
        data = message.as_bytes(policy=_POLICY)
        data = b"".join(b"." + line if line.startswith(b".") else line for line in data.splitlines(keepends=True))
        ends = time.monotonic() + 2 * self.timeout_seconds
        connection: _Conversation | None = None
        try:
            connection, refusal = self._introduce(letter, ends)
            if refusal is None and not may_send():
                refusal = Outcome("not_sent", "claim too old")
            if refusal is None:
                connection.allow(self.timeout_seconds)
                code, answer = connection.docmd("DATA")
                refusal = None if code == 354 else Outcome(_refusal(code), _said(code, answer))
        except (OSError, smtplib.SMTPException) as error:
            if connection is not None:
                connection.close()
            return Outcome("unreachable", _detail(error))
        if refusal is None:
            try:
                connection.allow(self.timeout_seconds)
                connection.send(data + b".\r\n")
                code, answer = connection.getreply()
            except (OSError, smtplib.SMTPException) as error:
                connection.close()
                return Outcome("unknown", _detail(error), reference=message["Message-ID"])
        self._keep(connection, is_between=refusal is None)
        if refusal is not None:
            return refusal
        if code != 250:
            return Outcome(_refusal(code), _said(code, answer))
        return Outcome("delivered", _said(code, answer), reference=message["Message-ID"])

    def _keep(self, connection: "_Conversation", is_between: bool) -> None:
        """Keep a connection for the next message. `is_between`: the last one is done with, nothing need be taken back."""
        connection.messages += 1
        connection.is_between = is_between
        if connection.messages < MOST_MESSAGES:
            self._kept.append(connection)
        else:
            connection.part()

    def hang_up(self) -> None:
        """Close the kept connections."""
        while self._kept:
            self._kept.pop().part()

    def _introduce(self, letter: Letter, ends: float) -> tuple["_Conversation", Outcome | None]:
        """Name sender and recipient on a kept connection or a new one; with why not, where they are not taken.

        A kept one may have been closed meanwhile: as nothing was handed over yet, a new one is tried. Raises OSError or
        SMTPException where there is none.
        """
        sender = letter.return_path or parseaddr(self.sender)[1]
        with contextlib.suppress(IndexError):
            kept = self._kept.pop()
            kept.allow(ends - time.monotonic())
            try:
                return kept, kept.offer(sender, letter.address)
            except (OSError, smtplib.SMTPException):
                kept.close()
        fresh = _connection_class(self.server)(self)
        try:
            fresh.allow(ends - time.monotonic())
            fresh.open()
            return fresh, fresh.offer(sender, letter.address)
        except BaseException:
            fresh.close()
            raise


class _Conversation(smtplib.SMTP):
    """An SMTP client with one time limit for a whole stretch of the conversation instead of one for each wait."""

    def __init__(self, mail: MailServer, **options: Any) -> None:
        self.mail_server = mail
        self.messages = 0
        self.is_between = True
        domain = parseaddr(mail.sender)[1].rpartition("@")[2]
        # Naming ourselves saves smtplib a look-up that no time limit covers.
        super().__init__(local_hostname=domain, timeout=mail.timeout_seconds, **options)
        self.allow(2 * mail.timeout_seconds)

    def allow(self, seconds: float) -> None:
        """Give the next stretch this long."""
        self._ends = time.monotonic() + seconds

    def getreply(self) -> tuple[int, bytes]:
        """Wait for the server's answer, no longer than is left."""
        if self.sock is not None:
            self.sock.settimeout(max(0.05, self._ends - time.monotonic()))
        return super().getreply()

    def open(self) -> None:
        """Connect, encrypt and sign in as configured; raises OSError or SMTPException where that does not work."""
        server = self.mail_server.server
        self._host = server.host  # whose name the certificate must bear
        code, answer = self.connect(server.host, server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, answer)
        self.ehlo_or_helo_if_needed()
        if server.tls == "starttls":
            self.starttls(context=self.mail_server.context)  # raises where the server does not offer it
        if server.user:
            self.login(server.user, server.password or "")

    def offer(self, sender: str, address: str) -> Outcome | None:
        """Name sender and recipient; None when both are taken."""
        if not self.is_between:
            self.rset()
        self.ehlo_or_helo_if_needed()
        code, answer = self.mail(sender)
        if code == 421 and self.messages:
            raise smtplib.SMTPServerDisconnected  # it has had enough of this connection, not of us
        if code != 250:
            self.close()
            return Outcome("unreachable", _said(code, answer))  # it will not take anything from us
        code, answer = self.rcpt(address)
        return None if code in (250, 251) else Outcome(_refusal(code), _said(code, answer))

    def part(self) -> None:
        """Say goodbye where the other side still listens; how that ends does not matter."""
        self.allow(self.mail_server.timeout_seconds)
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self.quit()
        self.close()


class _TlsConversation(_Conversation, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""

    def __init__(self, mail: MailServer) -> None:
        super().__init__(mail, context=mail.context)


def _connection_class(server: SmtpServer) -> type[_Conversation]:
    return _TlsConversation if server.tls == "implicit" else _Conversation


class _Policy(EmailPolicy):
    """How header fields are folded. A subject is done by hand: the policy of Python 3.11 loses the space between two words that
    each need to be encoded where a line ends between them, and a Bangla subject is nothing but such words."""

    def fold_binary(self, name: str, value: str) -> bytes:
        """One header field as it goes over the line."""
        if name.lower() != "subject" or value.isascii():
            return super().fold_binary(name, value)
        return f"{name}: {Header(value, 'utf-8', header_name=name).encode(linesep=self.linesep)}{self.linesep}".encode()


_POLICY = _Policy(linesep=SMTP.linesep)


def compose(letter: Letter, sender: str) -> EmailMessage:
    """The e-mail of a letter. The same letter gives the same Message-ID and Date, however often it is sent."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = letter.address
    message["Subject"] = letter.subject or ""
    message["Date"] = format_datetime(letter.created_at.astimezone(DHAKA))
    message["Message-ID"] = f"<{letter.reference}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notice comes back
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(letter.body.rstrip("\n") + "\n", cte="7bit" if letter.body.isascii() else "base64")
    message["Content-Language"] = letter.language  # after set_content, which drops all Content-… headers
    return message


def _refusal(code: int) -> Result:
    if code in _ABOUT_US:
        return "unreachable"
    return "temporary" if 400 <= code < 500 else "refused"


def _said(code: int, answer: bytes) -> str:
    return f"SMTP {code} {one_line(answer.decode('utf-8', 'replace'))}".strip()


def _detail(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        return _said(error.smtp_code, words if isinstance(words, bytes) else words.encode())
    return type(error).__name__
