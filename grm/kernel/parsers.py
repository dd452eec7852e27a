"""How the text of an environment variable becomes a value.

Each parser raises ValueError, whose text nobody sees: it may hold the value. Standard library only.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

KEY_BYTES = 32


@dataclass(frozen=True)
class SmtpServer:
    """Where e-mail is handed over. `tls` is "none", "starttls" (required, not tried) or "implicit"."""

    host: str
    port: int
    user: str | None
    password: str | None = field(repr=False)
    tls: str


def parse_smtp_url(address: str) -> SmtpServer:
    """Take apart smtp://user:password@host:port?starttls=1 or smtps://…; user, password percent-encoded."""
    parts = urlsplit(plain(address))
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValueError
    starttls = parse_qs(parts.query).get("starttls", ["0"])[0] == "1"
    tls = "implicit" if parts.scheme == "smtps" else "starttls" if starttls else "none"
    return SmtpServer(
        host=parts.hostname,
        port=parts.port or {"implicit": 465, "starttls": 587, "none": 25}[tls],
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        tls=tls,
    )


def plain(text: str) -> str:
    """Text without control characters."""
    if any(ord(letter) < 32 for letter in text):
        raise ValueError
    return text


def number(low: int, high: int) -> Callable[[str], int]:
    """A whole number in ASCII digits, both bounds included."""

    def parse(text: str) -> int:
        if not text.isascii() or not low <= int(text) <= high:
            raise ValueError
        return int(text)

    return parse


def seconds(low: float, high: float) -> Callable[[str], float]:
    """A duration in seconds, both bounds included."""

    def parse(text: str) -> float:
        if not low <= float(text) <= high:
            raise ValueError
        return float(text)

    return parse


def choice(*choices: str) -> Callable[[str], str]:
    """One of the given words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError
        return text

    return parse


def flag(text: str) -> bool:
    """0 or 1."""
    return choice("0", "1")(text) == "1"


def url(*schemes: str) -> Callable[[str], str]:
    """An address with one of the schemes; a slash at its end is dropped so that paths can be appended."""

    def parse(text: str) -> str:
        parts = urlsplit(plain(text))
        if parts.scheme not in schemes or not (parts.hostname or parts.path.strip("/")):
            raise ValueError
        _ = parts.port  # raises ValueError where the port is no number
        return text.rstrip("/")

    return parse


def smtp_url(text: str) -> str:
    """An address that `parse_smtp_url` understands."""
    parse_smtp_url(text)
    return text


def key(text: str) -> bytes:
    """32 bytes from base64."""
    value = base64.b64decode(text, validate=True)  # its binascii.Error is a ValueError
    if len(value) != KEY_BYTES:
        raise ValueError
    return value


def keys(text: str) -> tuple[bytes, ...]:
    """Keys from name:base64,name:base64; the names are for the people who change keys."""
    pairs = [item.strip().partition(":") for item in text.split(",")]
    if not all(name for name, _, _ in pairs) or len({name for name, _, _ in pairs}) != len(pairs):
        raise ValueError
    return tuple(key(value) for _, _, value in pairs)


def names(text: str) -> tuple[str, ...]:
    """Items separated by commas, blank ones dropped."""
    return tuple(item.strip() for item in plain(text).split(",") if item.strip())


def directory(text: str) -> Path:
    """An absolute path that is a directory or does not exist yet."""
    path = Path(plain(text)).resolve()
    if path.exists() and not path.is_dir():
        raise ValueError
    return path


def mailboxes(text: str) -> tuple[str, ...]:
    """E-mail addresses separated by commas."""
    return tuple(mailbox(item) for item in names(text))


def mailbox(text: str) -> str:
    """An e-mail address, alone or as `Name <address>`."""
    local, at, host = plain(text).rpartition("<")[2].removesuffix(">").rpartition("@")
    if not (local and at and host) or any(letter.isspace() for letter in local + host):
        raise ValueError
    return text
