"""What came of calls: written down for many at once, each by the holder of its claim only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.notifications import budgets, codes, doubt
from grm.notifications.backoff import UNREACHED_WAIT, retry_wait
from grm.notifications.channels.contract import Outcome
from grm.notifications.outbox import Claimed

_NOT_TAKEN = frozenset({"refused", "temporary", "unreachable", "no_balance", "not_sent", "asked"})
"""Outcomes after which the provider surely does not have what was counted for this call."""
_FAR = timedelta(days=36500)


@dataclass(frozen=True, slots=True)
class Settled:
    """One call that is over. `fallback` is the gateway that may be tried instead, where there is one; `chance` in [0, 1)
    spreads the waits."""

    claimed: Claimed
    outcome: Outcome
    chance: float
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of the message: `wait` until the next attempt, None for never (it has ended, or waits for a report)."""

    state: str
    error: str | None
    wait: timedelta | None = None
    gateway: str | None = None


def change(settled: Settled) -> Change:
    """The message after a call. Pure.

    A message whose answer was ever lost stays in doubt, and with its gateway: another one would never know of it.
    """
    claimed, outcome = settled.claimed, settled.outcome
    here, detail = claimed.gateway, outcome.detail
    if outcome.result == "accepted" or outcome.result == "delivered":
        return Change(outcome.result, None, None, here)
    if outcome.result == "refused":
        return Change("failed", detail, None, here)
    if outcome.result == "unknown" or outcome.result == "asked":
        unknown = claimed.unknown_before + (outcome.result == "unknown")
        wait = doubt.wait(claimed.policy, claimed.can_ask, unknown, claimed.number, settled.chance)
        return Change("unknown", detail, _FAR if wait is None else wait, here)
    state, fallback = ("unknown", None) if claimed.unknown_before else ("pending", settled.fallback)
    stays = here if state == "unknown" else fallback
    if outcome.result == "not_sent" or (fallback is not None and outcome.result != "temporary"):
        return Change(state, detail, timedelta(), stays)
    if outcome.result in ("unreachable", "no_balance"):
        return Change(state, detail, UNREACHED_WAIT, stays)
    asked = timedelta(seconds=outcome.retry_after_seconds) if outcome.retry_after_seconds is not None else None
    wait = retry_wait(claimed.temporary_before + 1, settled.chance, asked)
    if wait is None:
        return Change("failed", f"gave up: {detail}", None, here)
    return Change(state, detail, timedelta() if fallback is not None else wait, stays)


_FINISH = text(
    """
    UPDATE attempt AS a SET finished_at = :at, outcome = f.outcome, segments = CASE WHEN f.is_taken THEN a.segments ELSE 0 END,
        detail = nullif(concat_ws('; ', a.detail, f.detail), '')
    FROM unnest(CAST(:ids AS bigint[]), CAST(:numbers AS smallint[]), CAST(:outcomes AS text[]), CAST(:details AS text[]),
                CAST(:taken AS boolean[])) AS f (id, number, outcome, detail, is_taken)
    WHERE a.message_id = f.id AND a.number = f.number AND a.finished_at IS NULL
    RETURNING a.message_id
    """
)
_SETTLE = text(
    """
    UPDATE message AS m SET claim = NULL, lease_until = NULL, state = s.state, error = s.error, gateway = s.gateway,
        ended_at = CASE WHEN s.state IN ('delivered', 'failed') THEN CAST(:at AS timestamptz) END,
        next_attempt_at = least(coalesce(s.next_attempt_at, m.next_attempt_at), m.expires_at),
        provider_reference = coalesce(s.reference, m.provider_reference)
    FROM unnest(CAST(:ids AS bigint[]), CAST(:claims AS uuid[]), CAST(:states AS text[]), CAST(:errors AS text[]),
                CAST(:gateways AS text[]), CAST(:nexts AS timestamptz[]), CAST(:references AS text[]))
         AS s (id, claim, state, error, gateway, next_attempt_at, reference)
    WHERE m.id = s.id AND m.claim = s.claim AND m.state = 'sending'
    RETURNING m.id
    """
)
# A name learnt too late for the state is still worth having: a report that came early waits for it.
_NAME = text(
    """
    UPDATE message AS m SET provider_reference = n.reference
    FROM unnest(CAST(:ids AS bigint[]), CAST(:references AS text[]), CAST(:gateways AS text[])) AS n (id, reference, gateway)
    WHERE m.id = n.id AND m.gateway = n.gateway AND m.provider_reference IS NULL
    """
)


def settle(session: Session, calls: Sequence[Settled], at: datetime) -> set[int]:
    """Write down what came of calls; the caller commits. Returns the messages whose claim was still ours.

    Where it is not, a delivery report came first or the lease ran out: the message stays as it is, the attempt is noted all
    the same. A second run over the same calls changes nothing: after a lost connection it is simply tried again.
    """
    if not calls:
        return set()
    calls = sorted(calls, key=lambda call: call.claimed.id)
    changes = [change(call) for call in calls]
    ids = [call.claimed.id for call in calls]
    finished = {
        "at": at,
        "ids": ids,
        "numbers": [call.claimed.number for call in calls],
        "outcomes": [call.outcome.result for call in calls],
        "details": [call.outcome.detail or None for call in calls],
        "taken": [_is_counted(call.outcome) for call in calls],
    }
    first_time = set(session.execute(_FINISH, finished).scalars())
    settled = {
        "at": at,
        "ids": ids,
        "claims": [call.claimed.claim for call in calls],
        "states": [each.state for each in changes],
        "errors": [each.error for each in changes],
        "gateways": [each.gateway for each in changes],
        "nexts": [at + each.wait if each.wait is not None else None for each in changes],
        "references": [call.outcome.reference for call in calls],
    }
    ours = set(session.execute(_SETTLE, settled).scalars())
    sent = zip(calls, changes, strict=True)
    codes.wipe(session, [c.claimed.code_id for c, then in sent if c.claimed.code_id and then.state != "pending"])
    named = [call for call in calls if call.outcome.reference and call.claimed.id not in ours]
    if named:
        given = {"ids": [c.claimed.id for c in named], "references": [c.outcome.reference for c in named]}
        session.execute(_NAME, {**given, "gateways": [c.claimed.gateway for c in named]})
    returned = [call for call in calls if call.claimed.id in first_time and not _is_counted(call.outcome)]
    budgets.give_back(session, [(call.claimed.day, call.claimed.cost) for call in returned])
    return ours


def _is_counted(outcome: Outcome) -> bool:
    return outcome.result not in _NOT_TAKEN and not outcome.is_sighting
