"""From what was handed in to what may be kept: sniffed, made anew, and with its hash.

Pictures and PDFs are decoded in a process of their own (`scrubber.py`): a file that fells the decoder, or would take all
memory, fells that process and is refused. At most `AT_ONCE` run beside one another for each web server process.
"""

import hashlib
import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from grm.files import sound
from grm.files.kinds import Kind, Refused, sniff
from grm.files.scrubber import REFUSED

AT_ONCE = 2
SECONDS = 20
_SCRUBBER = str(Path(__file__).with_name("scrubber.py"))
_turn = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True, slots=True, repr=False)
class Clean:
    """A file that may be kept. `taken_out` names what acted by itself and is gone: `scripts`, `files`."""

    kind: Kind
    data: bytes
    sha256: bytes
    taken_out: tuple[str, ...] = ()


def clean(data: bytes) -> Clean:
    """Check a file and take out of it what must not travel with it. Raises `Refused` with the reason."""
    kind = sniff(data)
    taken_out: tuple[str, ...] = ()
    if kind.family == "sound":
        kept = sound.clean(data, kind)
    else:
        kept, taken_out = _scrub(data, kind.family)
    return Clean(kind, kept, hashlib.sha256(kept).digest(), taken_out)


def _scrub(data: bytes, family: str) -> tuple[bytes, tuple[str, ...]]:
    command = [sys.executable, "-I", _SCRUBBER, family]
    with _turn:
        try:
            done = subprocess.run(command, input=data, capture_output=True, env={}, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise Refused("too-much") from error
    if done.returncode == REFUSED:
        raise Refused(done.stdout.decode())
    if done.returncode:
        raise Refused("damaged")
    head, _, kept = done.stdout.partition(b"\n")
    return kept, tuple(json.loads(head)["taken_out"])
