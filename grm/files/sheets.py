"""What a spreadsheet holds, row by row, without trusting it: it is read in a process of its own (`sheet_reader.py`).

A file that fells the reader, or would take all memory or time, fells that process and is refused. What comes back is read as
it comes, so that a register of ten thousand rows never lies in the memory of a web server process.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

AT_ONCE = 1
"""Files read beside one another for each web server process."""
SECONDS = 120
"""For all of it, with what the caller does meanwhile; the reader itself has 40 seconds of processor time."""
_READER = str(Path(__file__).with_name("sheet_reader.py"))
_turn = threading.BoundedSemaphore(AT_ONCE)

Cell = str | dict[str, str]
"""Text, or `{"e": code}` where there is no value: `formula` (never computed), `value` (the spreadsheet's own error)."""


class Refused(Exception):
    """A file that is not taken; `code` says why (the words are in `grm/intake/batch_wording.py`)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet begins. The one of a CSV file has no name. Of a hidden one no rows follow."""

    name: str
    is_hidden: bool
    starts_1904: bool
    """Whether days are counted from 1904, as an old Mac's Excel did."""


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """A row with something in it, by the number that the spreadsheet program shows. `mark`: `quote-open` or empty."""

    number: int
    cells: list[Cell]
    mark: str = ""


def read(data: bytes) -> Iterator[Sheet | Row]:
    """Yield the sheets and rows of a file. Raises `Refused` with the reason, at any time."""
    with _turn, _reader() as reader:
        assert reader.stdin is not None and reader.stdout is not None
        alarm = threading.Timer(SECONDS, reader.kill)
        alarm.start()
        try:
            reader.stdin.write(data)  # all of it is read before the first word of the answer
            reader.stdin.close()
            for line in reader.stdout:
                yield heard(line)
            if reader.wait():
                raise Refused("too-much")
        finally:
            alarm.cancel()
            reader.kill()


@contextmanager
def _reader() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-I", _READER]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    try:
        with subprocess.Popen(command, env={}, **pipes) as reader:
            yield reader
    except BrokenPipeError:
        raise Refused("too-much") from None  # it ended before it had read the file


def heard(line: bytes) -> Sheet | Row:
    """One line of the reader's answer. Raises `Refused`."""
    try:
        kind, *words = json.loads(line)
    except ValueError:
        raise Refused("too-much") from None  # it was stopped in the middle of a word
    if kind == "refused":
        raise Refused(words[0])
    parts: dict[str, Any] = {"sheet": Sheet, "row": Row}
    found: Sheet | Row = parts[kind](*words)
    return found
