"""The line to the broker, with a switch: it passes on, falls silent, or is cut. TCP on one side, Valkey's socket on the other.

Silent is what a firewall that drops packets looks like from within: nothing arrives, nothing is refused, no connection ends.
What was under way is delivered once the line is back, as TCP would send it again.
"""

import asyncio
import contextlib
import threading
from pathlib import Path


class Link:
    """A proxy in a thread of its own. `port` is where it listens."""

    def __init__(self, target: Path) -> None:
        self.port = 0
        self._target = str(target)
        self._loop = asyncio.new_event_loop()
        self._gate = asyncio.Event()
        self._ends: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="link")

    def start(self) -> None:
        """Listen."""
        self._thread.start()
        self._wait(self._listen())

    def stop(self) -> None:
        """Hang up and end."""
        self._wait(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def silence(self) -> None:
        """Let nothing through from now on."""
        self._loop.call_soon_threadsafe(self._gate.clear)

    def restore(self) -> None:
        """Let everything through again, also what was held up."""
        self._loop.call_soon_threadsafe(self._gate.set)

    def cut(self) -> None:
        """End all connections at once; new ones are taken."""
        self._wait(self._hang_up())

    def _wait(self, coroutine: "asyncio._CoroutineLike[None]") -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self) -> None:
        self._gate.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._hang_up()

    async def _hang_up(self) -> None:
        for writer in list(self._ends):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        try:
            await self._gate.wait()
            try:
                there, back = await asyncio.open_unix_connection(self._target)
            except OSError:  # Valkey is not there
                return
            self._ends.add(back)
            try:
                ways = [asyncio.ensure_future(self._pass_on(*way)) for way in ((reader, back), (there, writer))]
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in ways:
                    way.cancel()
            finally:
                self._ends.discard(back)
                back.transport.abort()
        finally:
            self._ends.discard(writer)
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._gate.wait()
                writer.write(data)
                await writer.drain()
