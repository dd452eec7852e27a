"""How long to wait before the next attempt, and when there is none. Pure; chance comes from outside.

Three cases: the provider refused us for now (counted, growing waits, ends after `MOST_TRIES`); nobody was there (not the
message's fault: its life is the only limit, and a breaker keeps everybody from knocking); the answer was lost (see
`grm/notifications/doubt.py`).
"""

from datetime import timedelta

MOST_TRIES = 12
FIRST_WAIT = timedelta(seconds=15)
LONGEST_WAIT = timedelta(hours=2)
JITTER = 0.25

UNREACHED_WAIT = timedelta(seconds=30)
"""How long a message stands aside after nobody took it, so that one that makes a provider hang up blocks no other."""

BREAKER_FIRST = timedelta(seconds=5)
BREAKER_LONGEST = timedelta(seconds=60)

BALANCE_FIRST = timedelta(minutes=1)
BALANCE_LONGEST = timedelta(minutes=15)

REPORT_PATIENCE = timedelta(minutes=10)
"""How long a delivery report may take before an SMS whose answer was lost is sent once more (ADR 0012)."""


def retry_wait(tries: int, chance: float, asked: timedelta | None = None) -> timedelta | None:
    """The wait after the `tries`-th attempt that was refused for now; None when it was the last one.

    Doubles from 15 seconds to two hours, spread by ±25 % with `chance` in [0, 1) so that messages do not march in step. The
    provider's own wish (Retry-After) is obeyed where it is longer.
    """
    if tries >= MOST_TRIES:
        return None
    wait = min(FIRST_WAIT * float(2 ** (max(tries, 1) - 1)), LONGEST_WAIT)
    wait *= 1 - JITTER + 2 * JITTER * chance
    return max(wait, asked) if asked is not None else wait


def breaker_wait(failures: int) -> timedelta:
    """How long nobody calls a provider after this many failures in a row: 5 seconds, doubling, a minute at most."""
    return min(BREAKER_FIRST * float(2 ** min(max(failures, 1) - 1, 10)), BREAKER_LONGEST)


def balance_wait(probes: int) -> timedelta:
    """How long nobody calls a gateway whose account was found empty so many times: a minute, doubling, 15 minutes at most."""
    return min(BALANCE_FIRST * float(2 ** min(max(probes, 1) - 1, 10)), BALANCE_LONGEST)
