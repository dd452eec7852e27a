"""One tick of delivery: hand due messages over, one after the other, until none is due or the tick has had its time.

claim and commit → close the session → call the provider → note the outcome in a second transaction. No transaction and no
connection is held while we wait for somebody else's answer.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from config import Settings
from grm.kernel import context
from grm.kernel.db import db
from grm.kernel.transaction import transaction
from grm.notifications import breaker, outbox, receipts
from grm.notifications.catalogue import Channel
from grm.notifications.channels.contract import Outcome, Transport
from grm.notifications.channels.sms_kannel import KannelGateway
from grm.notifications.channels.smtp import MailServer

log = structlog.get_logger("grm.notifications")

TICK_SECONDS = 5.0
"""How long a tick goes on claiming. Short, so that a large outbox never keeps a worker from the sweep and the heartbeat; the
next tick comes two seconds later."""
LONGEST_TIMEOUT_SECONDS = 10.0
"""A call takes at most four timeouts, and a task may live 45 seconds (see grm/worker.py)."""
LEASE_TIMEOUTS = 4
_FAILURES = ("unreachable", "unknown", "temporary")


@dataclass(frozen=True, slots=True)
class Post:
    """A channel ready for use: its transport and how long a claim on it lasts."""

    channel: Channel
    transport: Transport
    lease: timedelta


def post_for(channel: Channel, settings: Settings) -> Post | None:
    """The configured way out for a channel; None where none is configured (messages then wait until they expire)."""
    timeout = min(settings.http_timeout_seconds, LONGEST_TIMEOUT_SECONDS)
    lease = timedelta(seconds=LEASE_TIMEOUTS * timeout)
    if channel == "sms":
        if not settings.sms_gateway_url:
            return None
        gateway = KannelGateway(
            settings.sms_gateway_url,
            settings.sms_gateway_user,
            settings.sms_gateway_password,
            settings.sms_sender,
            timeout,
        )
        return Post(channel, gateway, lease)
    server = settings.smtp
    return Post(channel, MailServer(server, settings.mail_from, timeout), lease) if server else None


def deliver_due(post: Post, now: datetime | None = None, tick_seconds: float = TICK_SECONDS) -> Counter[str]:
    """Hand over what is due on a channel; returns how often each result came. Safe to run any number of times at once.

    `now` is the database's clock unless a test says otherwise. When the provider's breaker opens, the tick ends; a refusal (a
    bad number) stops nothing.
    """
    tally: Counter[str] = Counter()
    ends = time.monotonic() + tick_seconds
    with transaction(now) as act:
        until = breaker.open_until(act.session, post.channel)
        if until is not None and until > act.now:
            return tally
        tally["abandoned"] += outbox.recover(act.session, post.channel, act.now)
    while time.monotonic() < ends:
        started = time.monotonic()
        with transaction(now) as act:
            claimed = outbox.claim(
                act.session,
                context.keyring(),
                post.channel,
                act.now,
                post.lease,
                context.settings().public_url,
                _report_url(),
            )
        if claimed is None:
            break
        if isinstance(claimed, outbox.Skipped):
            tally["skipped"] += 1
            log.info("message ended without a call", message_id=claimed.id, error=claimed.error)
            continue
        outcome = _hand_over(post, claimed, started)
        tally[outcome.result] += 1
        if _settle(post, claimed, outcome, now):
            break
    return +tally


def _hand_over(post: Post, claimed: outbox.Claimed, started: float) -> Outcome:
    """Call the provider, without a session. A claim older than half its lease is given up: another sender may soon have it."""
    db.session.remove()
    half = post.lease.total_seconds() / 2
    outcome = post.transport.send(claimed.letter, lambda: time.monotonic() - started < half)
    log.info(
        "message handed over", message_id=claimed.id, channel=post.channel, result=outcome.result, detail=outcome.detail
    )
    return outcome


def _settle(post: Post, claimed: outbox.Claimed, outcome: Outcome, now: datetime | None) -> bool:
    """Note the outcome and the provider's health; returns whether this tick should end."""
    chance = random.random()  # noqa: S311 - spreads retries, guards nothing
    with transaction(now) as act:
        outbox.settle(act.session, claimed, outcome, act.now, chance)
        if outcome.result in _FAILURES and not _is_about_one(post.channel, outcome):
            is_away = outcome.result == "unreachable"
            return breaker.trip(act.session, post.channel, act.now, is_away, outcome.retry_after_seconds)
        if outcome.result != "not_sent":
            breaker.reset(act.session, post.channel, act.now)
    return False


def _is_about_one(channel: Channel, outcome: Outcome) -> bool:
    """A mail server's "try later" is mostly about one mailbox (greylisting, quota); a gateway's is about itself."""
    return channel == "email" and outcome.result == "temporary"


def _report_url() -> Callable[[int], str]:
    settings = context.settings()
    return lambda message_id: receipts.report_url(settings.sms_report_url, settings.secret_key, message_id)


def end_overdue(now: datetime | None = None) -> Counter[str]:
    """End messages whose life is over: expired, or held for a person where nobody knows whether they were sent.

    Returns how many ended in each state. One statement; a second run finds nothing.
    """
    with transaction(now) as act:
        return outbox.end_overdue(act.session, act.now)
