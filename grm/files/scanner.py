"""Asks ClamAV whether a file is infected, over its own protocol (clamd(8), INSTREAM): no library, no file on its disk."""

import socket
import struct
from urllib.parse import urlsplit

SECONDS = 20.0
_CHUNK = 1 << 16


class ScannerAway(Exception):
    """The scanner does not answer, or not as it should; the file is to be scanned later."""


def scan(url: str, data: bytes, seconds: float = SECONDS) -> str:
    """The name of what a file is infected with; empty if it is clean.

    `url` is `unix:///path/of/clamd.sock` or `tcp://host:port`. Raises `ScannerAway`; also where the file is larger than the
    scanner takes (StreamMaxLength), since nobody has looked at it then.
    """
    try:
        with _connected(url, seconds) as link:
            link.sendall(b"zINSTREAM\0")
            for at in range(0, len(data), _CHUNK):
                piece = data[at : at + _CHUNK]
                link.sendall(struct.pack(">I", len(piece)) + piece)
            link.sendall(bytes(4))
            return _verdict(_answer(link))
    except OSError as error:
        raise ScannerAway(type(error).__name__) from error


def _connected(url: str, seconds: float) -> socket.socket:
    parts = urlsplit(url)
    if parts.scheme == "tcp":
        return socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 3310), seconds)
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(seconds)
    try:
        link.connect(parts.path)
    except OSError:
        link.close()
        raise
    return link


def _answer(link: socket.socket) -> str:
    found = b""
    while b"\0" not in found and len(found) < 4096:
        piece = link.recv(4096)
        if not piece:
            break
        found += piece
    return found.rstrip(b"\0\n").decode("utf-8", "replace")


def _verdict(answer: str) -> str:
    if answer == "stream: OK":
        return ""
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        return answer.removeprefix("stream: ").removesuffix(" FOUND")[:200]
    raise ScannerAway(answer[:200] or "no answer")
