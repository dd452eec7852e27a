"""The gateway that delivery is measured against: it answers as Kannel does, after a set time, and remembers what it took.

As little work a message as asyncio allows, so that what is measured is the sender and not this.
"""

import asyncio
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

BODY = b"0: Accepted for delivery"
ANSWER = b"HTTP/1.1 202 Accepted\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s"


class Sendsms(asyncio.Protocol):
    """One kept connection."""

    taken: dict[bytes, int] = {}
    after_seconds = 0.0

    def __init__(self) -> None:
        self._buffer = b""

    def connection_made(self, transport: Any) -> None:
        """Somebody calls."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Serve whole requests; they have no body."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            line, self._buffer = self._buffer[:end].split(b"\r\n", 1)[0], self._buffer[end + 4 :]
            self._serve(line)

    def _serve(self, line: bytes) -> None:
        if line.startswith(b"GET /after?"):
            Sendsms.after_seconds = float(parse_qs(urlsplit(line.split()[1].decode()).query)["s"][0])
            Sendsms.taken.clear()
            self._answer(b"ok")
        elif line.startswith(b"GET /count"):
            self._answer(b"%d %d" % (sum(self.taken.values()), len(self.taken)))
        else:
            start = line.find(b"receipts%3Fm%3D")
            name = line[start : line.find(b"%26", start)] if start >= 0 else line
            self.taken[name] = self.taken.get(name, 0) + 1
            if self.after_seconds:
                asyncio.get_running_loop().call_later(self.after_seconds, self._answer, BODY)
            else:
                self._answer(BODY)

    def _answer(self, body: bytes) -> None:
        self._transport.write(ANSWER % (len(body), body))


async def serve() -> None:
    """Listen on a free port of this machine and print it."""
    server = await asyncio.get_running_loop().create_server(Sendsms, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    sys.setswitchinterval(0.05)
    asyncio.run(serve())
