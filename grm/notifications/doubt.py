"""What to do about a message whose answer was lost. Pure.

Nobody can promise both "never lost" and "never twice" to a provider that cannot be asked; so each kind of message says which
of the two it gives up (ADR 0012, ADR 0016):

    never     a one-time code: never sent again by us; who waits for it asks for another
    witness   an SMS: ask the gateway for it by our reference and believe what it says; where it cannot be asked, wait for a
              delivery report, then send once more, marked; after a second lost answer a person decides
    same_id   an e-mail: again under the same Message-ID; a duplicate shows once, a loss would not show at all
"""

from datetime import timedelta
from typing import Literal

from grm.notifications.backoff import LONGEST_WAIT, REPORT_PATIENCE, retry_wait
from grm.notifications.catalogue import Channel, Entry

Policy = Literal["never", "witness", "same_id"]
Step = Literal["hold", "ask", "send"]

MOST_UNKNOWN = 2
"""The attempt whose answer was lost, and one more. Then only a delivery report can tell, or a person."""
ASK_WAIT = timedelta(seconds=60)
"""How long a gateway is given before it is asked: it may still be busy with the very request that we gave up."""


def policy_of(entry: Entry, channel: Channel) -> Policy:
    """Which of the two a message gives up on a channel."""
    if not entry.may_resend:
        return "never"
    return "same_id" if channel == "email" else "witness"


def step(policy: Policy, can_ask: bool, unknown: int) -> Step:
    """What may be done when the wait is over with a message whose answer was lost `unknown` times (at least once)."""
    if policy == "never":
        return "hold"
    if policy == "same_id":
        return "send"
    if can_ask:
        return "ask"
    return "send" if unknown < MOST_UNKNOWN else "hold"


def wait(policy: Policy, can_ask: bool, unknown: int, tries: int, chance: float) -> timedelta | None:
    """How long to wait after an answer was lost, for the `unknown`-th time in `tries` attempts, before the next step.

    None: until the end of the message's life, when it is held for a person unless a report has come.
    """
    if policy == "never":
        return None
    if policy == "same_id":
        return retry_wait(tries, chance)
    if can_ask:
        return max(ASK_WAIT, retry_wait(tries, chance) or LONGEST_WAIT)
    return REPORT_PATIENCE if unknown < MOST_UNKNOWN else None
