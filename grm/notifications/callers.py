"""The threads that call providers: they know no database, take what they are given and give back what came of it."""

import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class Callers(Generic[Task, Result]):
    """A few threads, started as they are needed.

    `busy` counts what was given to them and is not back yet; `call_seconds` is how long a call takes of late.
    """

    def __init__(self, call: Callable[[Task], Result], most: int) -> None:
        self._call, self._most = call, most
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._results: SimpleQueue[tuple[Task, Result | BaseException, float]] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self.busy = 0
        self.call_seconds = 0.0

    def give(self, task: Task) -> None:
        """Have a call made."""
        self.busy += 1
        if len(self._threads) < min(self._most, self.busy):
            self._threads.append(threading.Thread(target=self._work, name="caller", daemon=True))
            self._threads[-1].start()
        self._tasks.put(task)

    def take(self, longest_seconds: float) -> list[tuple[Task, Result]]:
        """The calls that are over. Waits for the first of them, at most so long; raises what a call raised, which is a bug."""
        found: list[tuple[Task, Result]] = []
        while self.busy:
            try:
                if not found and longest_seconds > 0:
                    task, result, seconds = self._results.get(timeout=longest_seconds)
                else:
                    task, result, seconds = self._results.get_nowait()
            except Empty:
                break
            self.busy -= 1
            self.call_seconds += (seconds - self.call_seconds) / 8
            if isinstance(result, BaseException):
                raise result
            found.append((task, result))
        return found

    def dismiss(self) -> None:
        """Let the threads end. One that still waits for an answer is not waited for."""
        for _ in self._threads:
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            started = time.monotonic()
            result: Result | BaseException
            try:
                result = self._call(task)
            except BaseException as error:
                result = error
            self._results.put((task, result, time.monotonic() - started))
