"""A small load generator: closed-loop clients with keep-alive connections, several in one process by epoll.

A flow is a generator that yields requests as bytes and is sent the answers; what it returns is the thing the server
acknowledged (a tracking number). The client does as little as it can, because it shares the machine with the server.
"""

import os
import re
import selectors
import socket
import time
import zlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """A response: status, the head as received, and the body."""

    status: int
    head: bytes
    body: bytes

    def cookie(self, name: str) -> str:
        """The value a Set-Cookie line gives a cookie; empty without one."""
        found = re.search(rb"(?i)\r\nset-cookie: " + name.encode() + rb"=([^;\r]*)", self.head)
        return found[1].decode() if found else ""

    def location(self) -> str:
        """Where a redirect leads."""
        found = re.search(rb"(?i)\r\nlocation: ([^\r]*)", self.head)
        return found[1].decode() if found else ""


Flow = Generator[bytes, Answer, str | None]
MakeFlow = Callable[[], Flow]


@dataclass
class Result:
    """What one burst of load did."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    errors: int = 0
    acknowledged: list[str] = field(default_factory=list)
    """Everything acknowledged, warm-up included."""
    complaint: str = ""
    """The first error in words."""

    @property
    def rate(self) -> float:
        """Flows a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency in seconds that a share of the flows did not exceed; nan without any."""
        if not self.latencies:
            return float("nan")
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def get(path: str, host: str, headers: str = "") -> bytes:
    """A GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n{headers}\r\n".encode()


def post(path: str, host: str, body: bytes, headers: str = "") -> bytes:
    """A POST of a form."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\nSec-Fetch-Site: same-origin\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    ).encode() + body


def run(make_flow: MakeFlow, port: int, clients: int, seconds: float, warm_up: float = 1.0) -> Result:
    """Keep `clients` flows going for `seconds` after a warm-up; half of the clients in each of two processes from 8 on."""
    shares = [clients] if clients < 8 else [clients - clients // 2, clients // 2]
    context = get_context("fork")
    pipes = []
    for share in shares:
        ours, theirs = context.Pipe(duplex=False)
        worker = context.Process(target=_work, args=(theirs, make_flow, port, share, seconds, warm_up), daemon=True)
        worker.start()
        theirs.close()
        pipes.append((worker, ours))
    total = Result(seconds)
    for worker, ours in pipes:
        part: Result = ours.recv()
        worker.join()
        total.latencies += part.latencies
        total.errors += part.errors
        total.acknowledged += part.acknowledged
        total.complaint = total.complaint or part.complaint
    return total


def _work(pipe: Any, make_flow: MakeFlow, port: int, clients: int, seconds: float, warm_up: float) -> None:
    result = Result(seconds)
    try:
        _Loop(make_flow, port, result, warm_up).run(clients)
    except Exception as error:
        result.errors += 1
        result.complaint = f"{type(error).__name__}: {error}"
    pipe.send(result)
    pipe.close()
    os._exit(0)  # nothing of the parent's (connections, pools) may be tidied up here


class _Client:
    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.buffer = bytearray()
        self.flow: Flow | None = None
        self.began = 0.0
        self.wanted = -1  # length of the whole answer, once its head is read


class _Loop:
    def __init__(self, make_flow: MakeFlow, port: int, result: Result, warm_up: float) -> None:
        self._make_flow = make_flow
        self._address = ("127.0.0.1", port)
        self._result = result
        self._selector = selectors.DefaultSelector()
        self._counts_from = time.perf_counter() + warm_up
        self._ends = self._counts_from + result.seconds
        self._active = 0

    def run(self, clients: int) -> None:
        for _ in range(clients):
            self._begin(_Client())
        while self._active and time.perf_counter() < self._ends + 30:
            for key, _ in self._selector.select(1.0):
                self._read(key.data)

    def _begin(self, client: _Client) -> None:
        """Start the next flow of a client, or retire the client when time is up."""
        if client.flow is None:
            self._active += 1
        client.began = time.perf_counter()
        if client.began >= self._ends:
            self._active -= 1
            client.flow = None
            self._drop(client)
            return
        client.flow = self._make_flow()
        self._send(client, next(client.flow))

    def _send(self, client: _Client, request: bytes) -> None:
        if client.socket is None:
            client.socket = socket.create_connection(self._address, timeout=30)
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(client.socket, selectors.EVENT_READ, client)
        client.buffer.clear()
        client.wanted = -1
        client.socket.sendall(request)

    def _read(self, client: _Client) -> None:
        assert client.socket is not None
        try:
            data = client.socket.recv(262_144)
        except OSError:
            data = b""
        client.buffer += data
        if client.wanted < 0:
            client.wanted = _whole_length(client.buffer)
        if client.wanted >= 0 and len(client.buffer) >= client.wanted:
            self._answered(client)
        elif not data:
            self._fail(client, "connection closed")

    def _answered(self, client: _Client) -> None:
        raw = bytes(client.buffer)
        head, _, body = raw.partition(b"\r\n\r\n")
        if b"\r\ncontent-encoding: gzip" in head.lower():
            body = zlib.decompress(body, wbits=31)
        if b"\r\nconnection: close" in head.lower():
            self._drop(client)
        assert client.flow is not None
        try:
            request = client.flow.send(Answer(int(raw[9:12]), head, body))
        except StopIteration as done:
            ended = time.perf_counter()
            if done.value:
                self._result.acknowledged.append(done.value)
            if self._counts_from <= ended < self._ends:
                self._result.latencies.append(ended - client.began)
            self._begin(client)
        except Exception as error:
            self._fail(client, f"{type(error).__name__}: {error}")
        else:
            self._send(client, request)

    def _fail(self, client: _Client, why: str) -> None:
        self._result.errors += 1
        self._result.complaint = self._result.complaint or why
        self._drop(client)
        self._begin(client)

    def _drop(self, client: _Client) -> None:
        if client.socket is not None:
            self._selector.unregister(client.socket)
            client.socket.close()
            client.socket = None


def _whole_length(buffer: bytearray) -> int:
    """The length of head and body together; -1 while the head is not there yet. Our servers send no chunks."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return -1
    found = re.search(rb"(?i)\r\ncontent-length: *([0-9]+)", buffer[:end])
    return end + 4 + (int(found[1]) if found else 0)
