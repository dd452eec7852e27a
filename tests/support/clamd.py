"""A virus scanner that speaks clamd's protocol (clamd(8), zINSTREAM) and finds one word; on wish it is unwell."""

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

INFECTED = b"GRM-TEST-VIRUS"
LARGEST = 25 * 1024 * 1024


class Clamd:
    """What it was sent, and how it answers: `scripted` is said instead of a verdict; empty bytes cut the line."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[bytes] = []
        self.scripted: bytes | None = None

    def verdict(self, data: bytes) -> bytes:
        """What clamd says of a file."""
        if self.scripted is not None:
            return self.scripted
        return b"stream: Test.GRM.UNOFFICIAL FOUND\0" if INFECTED in data else b"stream: OK\0"


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        clamd: Clamd = self.server.clamd  # type: ignore[attr-defined]
        if self.rfile.read(10) != b"zINSTREAM\0":
            self.wfile.write(b"UNKNOWN COMMAND\0")
            return
        data = b""
        while length := struct.unpack(">I", self.rfile.read(4))[0]:
            data += self.rfile.read(length)
            if len(data) > LARGEST:
                self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
        clamd.seen.append(data)
        self.wfile.write(clamd.verdict(data))


class _OnSocket(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


class _OnPort(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def running_clamd(socket: Path | None = None) -> Iterator[Clamd]:
    """Run one on a Unix socket, or on a free port of this machine."""
    server = _OnSocket(str(socket), _Handler) if socket else _OnPort(("127.0.0.1", 0), _Handler)
    url = f"unix://{socket}" if socket else f"tcp://127.0.0.1:{server.server_address[1]}"
    server.clamd = Clamd(url)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server.clamd  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
