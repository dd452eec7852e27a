"""One tick of delivery: hand due messages over until none is due or the tick has had its time.

claim and commit → write the attempts and commit → call the providers → note the outcomes in another transaction. One thread talks
to the database; a few others, each over a connection of its own, do nothing but call. No transaction and no database connection
is held for anybody's answer. Of what is claimed only a handful is under way at any moment, so a sender that is killed leaves
few messages in doubt.
"""

import contextlib
import random
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from grm.kernel import context
from grm.kernel.db import db
from grm.kernel.transaction import transaction
from grm.notifications import breaker, dsn, outbox, receipts, settling, stops
from grm.notifications.breaker import Fuse
from grm.notifications.budgets import Budget
from grm.notifications.callers import Callers
from grm.notifications.catalogue import Channel
from grm.notifications.channels.contract import Outcome, Sighting, Transport
from grm.notifications.outbox import Claimed, Terms
from grm.notifications.posts import LEASE_TIMEOUTS as LEASE_TIMEOUTS
from grm.notifications.posts import Post as Post
from grm.notifications.posts import post_for as post_for
from grm.notifications.posts import report_url_of, report_words
from grm.notifications.settling import Settled

log = structlog.get_logger("grm.notifications")

TICK_SECONDS = 5.0
"""How long a tick goes on calling. Short, so that a large outbox never keeps a worker from the sweep and the heartbeat; the
next tick comes two seconds later."""
LARGEST_CLAIM = 256
AHEAD_SECONDS = 0.5
"""How much work is claimed ahead: what is more urgent and comes in meanwhile waits no longer than this."""
MOST_BEGUN = 64
"""How many calls are begun ahead at most, with a gateway that answers at once: a killed sender leaves them in doubt."""
SWITCH_SECONDS = 0.0005
"""How soon a thread lets another one run while a tick lasts: the one at the database must not wait for four others' turns."""
DATABASE_PATIENCE_SECONDS = 0.5


def deliver_due(post: Post, now: datetime | None = None, tick_seconds: float = TICK_SECONDS) -> Counter[str]:
    """Hand over what is due on a channel; returns how often each result came. Safe to run any number of times at once.

    `now` is the database's clock unless a test says otherwise. When no provider may be called any more the tick ends; a
    refusal (a bad number) stops nothing.
    """
    with transaction(now) as act:
        if stops.is_stopped(act.session, post.channel, act.now):
            return Counter()
        abandoned = outbox.recover(act.session, post.channel, act.now, post.can_ask)
        if post.channel == "sms":
            receipts.match_early(act, report_words(context.settings()))
    tick = _Tick(post, now, tick_seconds)
    switch_seconds = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        tick.run()
    finally:
        sys.setswitchinterval(switch_seconds)
        tick.callers.dismiss()
        for each in post.ways.values():
            hang_up(each.transport)
    tick.tally["abandoned"] += abandoned
    return +tick.tally


def hang_up(transport: Transport) -> None:
    """Close what a transport keeps open, whatever the other side makes of it."""
    with contextlib.suppress(OSError):
        transport.hang_up()


@dataclass(frozen=True, slots=True)
class _Held:
    """A claim in our hands, and since when by the monotonic clock."""

    claimed: Claimed
    since: float


class _Tick:
    """One tick: what it holds, what is under way, and how fast it goes."""

    def __init__(self, post: Post, now: datetime | None, tick_seconds: float) -> None:
        self.post, self.ways, self._now = post, post.ways, now
        self.began = time.monotonic()
        self.ends = self.began + tick_seconds
        self.tally: Counter[str] = Counter()
        self.callers: Callers[_Held, Outcome | None] = Callers(self._call, post.connections)
        self._held: deque[_Held] = deque()
        self._halted: set[str] = set()
        self._settled = 0
        self._fruitless = 0
        """Claims in a row of which nothing may be handed over: the budget is spent, or a flood goes last."""
        self._round_seconds = 0.0
        self._moved = self.began
        self._fuses: dict[str, Fuse] = {}
        self._is_proven = False
        """Whether a call has been made in this tick: the first goes alone, as a provider that is away needs no crowd."""

    def run(self) -> None:
        """Go on until nothing is due, the time is over or nobody may be called."""
        is_dry = False
        while True:
            finished = self.callers.take(0 if self._held and self._room() else 0.25)
            self._move(finished)
            is_over = time.monotonic() >= self.ends
            if is_over and self._held:
                self._hand_back()
            is_dry = is_dry and not finished
            is_idle = not self.callers.busy
            if (
                not is_over
                and len(self._held) < self.post.connections
                and (is_idle or (self._is_proven and not is_dry))
            ):
                is_dry = not self._claim()
            if is_idle and not self._held and (is_over or is_dry):
                return

    def _claim(self) -> bool:
        """Claim about as much as will be handed over in the next moment; returns whether there was anything."""
        since = time.monotonic()
        settings = context.settings()
        with transaction(self._now) as act:
            self._fuses = fuses = breaker.fuses(act.session, self.post.channel, self.ways)
            gateways = tuple(name for name in breaker.usable(fuses, self.ways, act.now) if name not in self._halted)
            if not gateways:
                return False
            terms = Terms(
                channel=self.post.channel,
                lease=self.post.lease,
                gateways=gateways,
                can_ask=self.post.can_ask,
                public_url=settings.public_url,
                report_url=report_url_of(settings),
                return_path=dsn.return_path(settings.mail_bounce_to, settings.secret_key),
                budget=Budget.of(settings),
                is_quiet_at_night=settings.is_production,
                per_recipient=settings.acks_per_recipient,
            )
            batch = outbox.claim(act.session, context.keyring(), terms, act.now, self._size())
        for skipped in batch.skipped:
            log.info("message ended without a call", message_id=skipped.id, error=skipped.error)
        self.tally["skipped"] += len(batch.skipped)
        self.tally["postponed"] += batch.postponed
        self._held.extend(_Held(claimed, since) for claimed in batch.claimed)
        self._fruitless = 0 if batch.claimed else self._fruitless + 1
        return len(batch) > 0

    def _size(self) -> int:
        """What went in the last moments tells what will go in the next; and where nothing may go, look at twice as many."""
        likely = max(self.post.connections, self._rate() * AHEAD_SECONDS)
        return int(min(likely * 2 ** min(self._fruitless, 8), LARGEST_CLAIM))

    def _rate(self) -> float:
        """Calls a second so far."""
        return self._settled / max(time.monotonic() - self.began, 0.001)

    def _room(self) -> int:
        """How many calls may be begun now: one while it is not known whether anybody is there, then what keeps every connection
        busy until we come round again."""
        if time.monotonic() >= self.ends:
            return 0
        if not self._is_proven:
            return max(0, 1 - self.callers.busy)
        rounds = self._round_seconds / max(self.callers.call_seconds, 0.0005)
        return max(0, min(int(self.post.connections * (2 + rounds)), MOST_BEGUN) - self.callers.busy)

    def _move(self, returned: list[tuple[_Held, Outcome | None]]) -> None:
        """Note what is over and begin as many calls as there is room for, in one transaction."""
        finished = [(held, outcome) for held, outcome in returned if outcome is not None]
        self._held.extendleft(held for held, outcome in reversed(returned) if outcome is None)
        starting = [self._held.popleft() for _ in range(min(self._room(), len(self._held)))]
        if not finished and not starting:
            return
        settled = [(held, outcome, random.random()) for held, outcome in finished]  # noqa: S311 - spreads retries only
        until = min((held.since for held, _ in finished), default=0.0) + self.post.lease.total_seconds()
        while True:
            try:
                released = self._note(settled, starting)
                break
            except (OperationalError, InterfaceError) as error:
                # What is known must not be lost with a connection: the claims are ours until their lease ends.
                if not finished or time.monotonic() > until:
                    raise
                log.warning("outcomes could not be noted yet", error=type(error).__name__)
                db.session.remove()
                time.sleep(DATABASE_PATIENCE_SECONDS)
                self._held.extendleft(reversed(starting))
                starting = []
        for _, outcome in finished:
            self.tally[outcome.result] += 1
        self._settled += len(finished)
        here = time.monotonic()
        self._round_seconds += (min(here - self._moved, 0.25) - self._round_seconds) / 4
        self._moved = here
        self._is_proven = self._is_proven or bool(finished)
        for held in starting:
            if held.claimed.id in released:
                self.callers.give(held)

    def _note(self, settled: list[tuple[_Held, Outcome, float]], starting: list[_Held]) -> set[int]:
        with transaction(self._now) as act:
            fuses = self._fuses
            failed = any(outcome.result in breaker.FAILURES for _, outcome, _ in settled)
            if failed or any(fuse.failures for fuse in fuses.values()):
                fuses = breaker.fuses(act.session, self.post.channel, self.ways)
            for name in self.ways:
                outcomes = [_news(self.post.channel, o) for held, o, _ in settled if held.claimed.gateway == name]
                if outcomes:
                    fuses[name] = breaker.note(act.session, self.post.channel, name, act.now, fuses[name], outcomes)
            self._fuses = fuses
            open_now = {name for name, fuse in fuses.items() if fuse.is_open(act.now)}
            calls = [
                Settled(held.claimed, outcome, chance, self._fallback(held.claimed.gateway, open_now))
                for held, outcome, chance in settled
            ]
            settling.settle(act.session, calls, act.now)
            self._halted |= open_now
            halted = frozenset(self._halted)
            blocked = [held.claimed for held in (*starting, *self._held) if held.claimed.gateway in halted]
            outbox.hand_back(act.session, blocked, act.now)
            going = [held.claimed for held in starting if held.claimed.gateway not in halted]
            released = outbox.release(act.session, going, act.now)
        if blocked:
            self._held = deque(held for held in self._held if held.claimed.gateway not in halted)
        return {claimed.id for claimed in released}

    def _fallback(self, gateway: str, open_now: set[str]) -> str | None:
        """The next gateway in the order of preference that may be called."""
        names = list(self.ways)
        after = names[names.index(gateway) + 1 :] if gateway in names else []
        return next((name for name in after if name not in open_now), None)

    def _hand_back(self) -> None:
        with transaction(self._now) as act:
            outbox.hand_back(act.session, [held.claimed for held in self._held], act.now)
        self._held.clear()

    def _call(self, held: _Held) -> Outcome | None:
        """Call the provider; in a thread of its own, without a session. A claim older than half its lease is given up: another
        sender may soon have it. None: it was not even begun, because the tick is over or the provider wants no calls."""
        claimed, half = held.claimed, self.post.lease.total_seconds() / 2
        way = self.ways[claimed.gateway]

        def may_send() -> bool:
            return time.monotonic() - held.since < half and claimed.gateway not in self._halted

        if time.monotonic() >= self.ends or claimed.gateway in self._halted:
            return None
        try:
            outcome = _ask_first(way, claimed) if claimed.asks_first else None
            if outcome is None:
                outcome = way.transport.send(claimed.letter, may_send)
        except Exception as error:  # a bug: it must not stop the others, and nobody knows how far it came
            log.exception("sender failed", message_id=claimed.id, gateway=claimed.gateway)
            outcome = Outcome("unknown", f"sender failed: {type(error).__name__}")
        is_away = outcome.result in ("unreachable", "no_balance") or outcome.retry_after_seconds is not None
        if is_away and self.post.channel == "sms":
            self._halted.add(claimed.gateway)  # those that wait their turn need not find out for themselves
        log.info(
            "message handed over",
            message_id=claimed.id,
            channel=claimed.channel,
            gateway=claimed.gateway,
            result=outcome.result,
            detail=outcome.detail,
        )
        return outcome


def _ask_first(way: Post, claimed: Claimed) -> Outcome | None:
    """What the gateway says of a message whose answer was lost; None when it does not have it, so that it may be sent again."""
    seen: Sighting = way.witness.look_up(claimed.letter) if way.witness is not None else "unknown"
    if seen == "not_found":
        return None
    if seen == "unknown":
        return Outcome("asked", "no answer of use")
    return Outcome("refused" if seen == "failed" else seen, seen, is_sighting=True)


def _news(channel: Channel, outcome: Outcome) -> Outcome:
    """An outcome as it speaks of the provider: a mail server's "try later" is mostly about one mailbox (greylisting, quota)."""
    if channel == "email" and outcome.result == "temporary":
        return replace(outcome, result="accepted")
    return outcome


def end_overdue(now: datetime | None = None) -> Counter[str]:
    """End messages whose life is over: expired, or held for a person where nobody knows whether they were sent.

    Returns how many ended in each state. One statement; a second run finds nothing.
    """
    with transaction(now) as act:
        return outbox.end_overdue(act.session, act.now)
