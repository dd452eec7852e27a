"""What the development sink (grm/devsink.py) was given: two files of JSON lines in GRM_HOME/outbox, read for `/dev/outbox`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from grm.kernel.text import latin_digits

LARGEST_READ_BYTES = 1_000_000
MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Sunk:
    """One SMS or e-mail as the sink received it; `to` is a number, or addresses joined by commas."""

    at: datetime
    to: str
    sender: str
    subject: str | None
    text: str


def received(home: Path, kind: str, recipient: str = "") -> list[Sunk]:
    """The newest messages of a kind ('sms' or 'email'), newest first, `MOST_SHOWN` at most; empty where there is no file.

    With `recipient` only those whose address contains it, in any digits and without regard to +880 or 0.
    """
    wanted = _comparable(recipient)
    found = [message for message in _read(home / "outbox" / f"{kind}.jsonl") if wanted in _comparable(message.to)]
    return found[::-1][:MOST_SHOWN]


def _read(path: Path) -> list[Sunk]:
    """The last lines of a file; a line that is cut or not ours is passed over."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - LARGEST_READ_BYTES))
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return []
    return [message for line in lines if (message := _message(line)) is not None]


def _message(line: bytes) -> Sunk | None:
    try:
        fields: Mapping[str, Any] = json.loads(line)
        to = fields["to"]
        return Sunk(
            datetime.fromisoformat(fields["at"]),
            ", ".join(to) if isinstance(to, list) else str(to),
            str(fields.get("from", "")),
            fields.get("subject"),
            str(fields.get("text") or ""),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _comparable(address: str) -> str:
    plain = "".join(latin_digits(address).casefold().split()).replace("-", "")
    return plain.removeprefix("+880").removeprefix("880").removeprefix("0") if "@" not in plain else plain
