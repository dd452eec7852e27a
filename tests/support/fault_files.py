"""The product's web application as the fault tests of files run it: told to, it dies by SIGKILL at a named step.

FAULTS_DIE_AT   path of a note; whoever comes to the step that stands in it takes the note away and dies
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grm.cases import attachments
from grm.intake import draft_files, service, views
from wsgi import app

__all__ = ["app"]
_note = Path(os.environ.get("FAULTS_DIE_AT", "/nowhere"))


def die_at(step: str) -> None:
    """Die, if this is the step."""
    try:
        if _note.read_text() != step:
            return
        _note.unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: Any, name: str, step: str) -> None:
    _wrap(owner, name, lambda do: lambda *given, **named: (die_at(step), do(*given, **named))[1])


def _after(owner: Any, name: str, step: str) -> None:
    _wrap(owner, name, lambda do: lambda *given, **named: (do(*given, **named), die_at(step))[0])


def _wrap(owner: Any, name: str, wrapped: Callable[[Any], Any]) -> None:
    setattr(owner, name, wrapped(getattr(owner, name)))


_wrap(
    os,
    "link",
    lambda do: (
        lambda source, target: (
            die_at("file written") if "incoming" in str(source) else None,
            do(source, target),
            die_at("file marked") if "incoming" in str(target) else None,
        )[1]
    ),
)
_before(draft_files, "_add", "file in its place")
_after(draft_files, "_recount", "row written")
_before(attachments, "settle", "row committed")
_after(service, "insert_case", "case written")
_before(views, "to_receipt", "case committed")
_before(draft_files, "_delete", "row deleted")
