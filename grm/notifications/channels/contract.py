"""What delivery asks of a channel, and the nine things that can come of handing a message over.

The words matter more than the protocol behind them: "refused" is never "sent", "accepted" is not "delivered", and an
answer that was lost is not an error but a state of its own.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

Result = Literal[
    "accepted", "delivered", "refused", "temporary", "unreachable", "no_balance", "unknown", "not_sent", "asked"
]

RESULTS: dict[Result, str] = {
    "accepted": "the provider has it and will report on it",
    "delivered": "the provider has taken over all responsibility; nothing more will be heard (RFC 5321, 6.1)",
    "refused": "the provider will not take this message, now or later",
    "temporary": "the provider asks to try again later; it does not have the message",
    "unreachable": "nothing was handed over: no provider there, or it will not deal with us at all",
    "no_balance": "our account there is empty; it does not have the message",
    "unknown": "the message was handed over and no answer came: it may or may not have been taken",
    "not_sent": "we gave up before handing anything over",
    "asked": "we asked whether it has an earlier attempt, and learnt nothing; nothing was handed over",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt. `detail` is for operators and holds no address and no text of ours."""

    result: Result
    detail: str = ""
    retry_after_seconds: float | None = None
    reference: str | None = None
    is_sighting: bool = False
    """It is the provider's word about an earlier attempt: nothing was handed over now."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message ready to go. `reference` is ours, the same for every attempt; the provider's reports carry it.

    `created_at` is an aware instant; `subject` is None for an SMS, `report_url` for a channel without reports.
    `provider_reference` is the provider's own name for it, where an earlier attempt was given one; `return_path` is where an
    e-mail goes back to that cannot be delivered (None: to its sender).
    """

    reference: str
    address: str = field(repr=False)
    language: str
    subject: str | None
    body: str = field(repr=False)
    created_at: datetime
    report_url: str | None = None
    provider_reference: str | None = None
    return_path: str | None = None


Sighting = Literal["not_found", "accepted", "delivered", "failed", "unknown"]
"""What a provider says when it is asked for a message by our reference; unknown: it did not say anything of use."""

MaySend = Callable[[], bool]
"""Asked right before the step that cannot be taken back; False when this sender's claim has grown too old."""


class Transport(Protocol):
    """A channel with one provider behind it."""

    def send(self, letter: Letter, may_send: MaySend) -> Outcome:
        """Hand one message over and say what came of it.

        Takes at most four timeouts, at most two of them before `may_send` is asked; never raises for what the other
        side does; calls the configured provider and nobody else. Any number of threads may call it at the same time.
        """
        ...

    def hang_up(self) -> None:
        """Close the connections that are kept for the next message."""
        ...


class Witness(Protocol):
    """A channel whose provider can be asked for a message."""

    def look_up(self, letter: Letter) -> Sighting:
        """Ask the provider whether it has the message. Takes at most three timeouts; never raises for what it answers."""
        ...


def one_line(answer: str) -> str:
    """A provider's words, short and in one line, without markup, phone numbers or a quoted text of ours."""
    plain = re.sub(r"<[^>]*>|[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", answer.partition("text:")[0])
    return re.sub(r"\+?\d{7,}", "…", re.sub(r"\s+", " ", plain)).strip()[:160]
