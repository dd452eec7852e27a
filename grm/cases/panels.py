"""What other packages show on the case page. They are above this one, so they hand in a function when the app is built."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, current_app
from sqlalchemy.orm import Session

_MESSAGES = "grm.cases.messages"
_FAULTS = "grm.cases.faults"


@dataclass(frozen=True, slots=True)
class MessageLine:
    """A message about a case: when it was written, by which channel and to whom, and what became of it."""

    at: datetime
    channel: str
    recipient: str
    """Words for the reader, in the page's language: an officer's name, or the complainant; never an address."""
    subject: str
    """What it is about, in the page's language; never its text."""
    state: str
    ended_at: datetime | None = None
    error: str = ""


Messages = Callable[[Session, int], Sequence[MessageLine]]


Fault = Callable[[str], str]


def register_messages(app: Flask, provider: Messages, fault: Fault) -> None:
    """Let the case page show messages: `provider(session, case_id)` gives them, the oldest first, in one statement; `fault`
    says in the page's language why one did not arrive."""
    app.extensions[_MESSAGES] = provider
    app.extensions[_FAULTS] = fault


def fault(reason: str) -> str:
    """Why a message did not arrive, in words; the code itself where nobody registered."""
    words: Fault | None = current_app.extensions.get(_FAULTS)
    return words(reason) if words else reason


def messages_of(session: Session, case_id: int) -> Sequence[MessageLine]:
    """The messages about a case; none where nobody registered."""
    provider: Messages | None = current_app.extensions.get(_MESSAGES)
    return provider(session, case_id) if provider else ()
