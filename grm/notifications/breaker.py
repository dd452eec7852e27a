"""A fuse per provider: after a failure nobody calls it for a while, so that an outage costs one call a minute, not thousands.

Kept in the `heartbeat` row `delivery.<channel>.<gateway>`, which all workers share; it survives a restart and needs no Redis.
An account that is empty opens the fuse for longer: somebody must pay, and until then each probe is answered the same.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.notifications.backoff import balance_wait, breaker_wait
from grm.notifications.channels.contract import Outcome
from grm.web.health import record_heartbeat
from grm.web.models import Heartbeat

log = structlog.get_logger("grm.notifications")

PATIENCE = 3
FAILURES = frozenset({"unreachable", "unknown", "temporary", "no_balance"})
_NO_NEWS = frozenset({"not_sent", "asked"})


@dataclass(frozen=True, slots=True)
class Fuse:
    """The fuse of one provider. `empty_since`: since when our account there has been without money."""

    failures: int = 0
    open_until: datetime | None = None
    empty_since: datetime | None = None
    probes: int = 0

    def is_open(self, now: datetime) -> bool:
        """Whether nobody may call."""
        return self.open_until is not None and self.open_until > now


def row_name(channel: str, gateway: str) -> str:
    """The heartbeat's name."""
    return f"delivery.{channel}.{gateway}"


def fuses(session: Session, channel: str, gateways: Collection[str]) -> dict[str, Fuse]:
    """The fuses of some providers, by their names."""
    names = {row_name(channel, gateway): gateway for gateway in gateways}
    rows = session.execute(select(Heartbeat.name, Heartbeat.detail).where(Heartbeat.name.in_(names)))
    found = {names[name]: _fuse(detail) for name, detail in rows}
    return {gateway: found.get(gateway, Fuse()) for gateway in gateways}


def note(
    session: Session, channel: str, gateway: str, now: datetime, before: Fuse, outcomes: Sequence[Outcome]
) -> Fuse:
    """Note what came of some calls, in their order, and return the fuse as it is now, `before` being as it was just read; the
    caller commits.

    It opens at once where nobody is there, where the provider asks for peace (Retry-After) or the account is empty; otherwise
    after `PATIENCE` failures in a row: single hiccups are the messages' own affair. It is written only where it changes.
    """
    fuse = before
    for outcome in outcomes:
        fuse = _after(fuse, outcome, now)
    if fuse != before:
        _write(session, channel, gateway, now, fuse)
    if fuse.empty_since is not None and any(outcome.result == "no_balance" for outcome in outcomes):
        log.error("SMS account is empty: pay, then `flask delivery resume`", gateway=gateway, probes=fuse.probes)
    elif before.empty_since is not None and fuse.empty_since is None:
        log.warning("SMS account has money again", gateway=gateway)
    return fuse


def resume(session: Session, channel: str, gateway: str, now: datetime) -> bool:
    """Let the next tick probe at once; the caller commits. Returns whether the fuse was open.

    An account that was empty counts as such until the probe is answered otherwise.
    """
    fuse = fuses(session, channel, [gateway])[gateway]
    if not fuse.is_open(now):
        return False
    _write(session, channel, gateway, now, Fuse(fuse.failures, None, fuse.empty_since, 0))
    return True


def _after(fuse: Fuse, outcome: Outcome, now: datetime) -> Fuse:
    if outcome.result in _NO_NEWS:
        return fuse
    if outcome.result not in FAILURES:
        return Fuse()
    failures = fuse.failures + 1
    asked = outcome.retry_after_seconds
    if outcome.result == "no_balance":
        wait = max(balance_wait(fuse.probes + 1), timedelta(seconds=asked or 0))
        return Fuse(failures, now + wait, fuse.empty_since or now, fuse.probes + 1)
    is_open = outcome.result == "unreachable" or asked is not None or failures >= PATIENCE
    until = now + max(breaker_wait(failures), timedelta(seconds=asked or 0))
    if fuse.open_until is not None:
        until = max(until, fuse.open_until)
    return Fuse(failures, until if is_open else fuse.open_until, fuse.empty_since, fuse.probes)


def _fuse(detail: dict[str, Any]) -> Fuse:
    return Fuse(
        int(detail.get("failures", 0)),
        _instant(detail.get("open_until")),
        _instant(detail.get("empty_since")),
        int(detail.get("probes", 0)),
    )


def _write(session: Session, channel: str, gateway: str, now: datetime, fuse: Fuse) -> None:
    record_heartbeat(
        session,
        row_name(channel, gateway),
        now,
        failures=fuse.failures,
        open_until=fuse.open_until.isoformat() if fuse.open_until else None,
        empty_since=fuse.empty_since.isoformat() if fuse.empty_since else None,
        probes=fuse.probes,
    )


def _instant(value: str | None) -> datetime | None:
    return datetime.fromisoformat(value) if value else None


def usable(found: dict[str, Fuse], order: Iterable[str], now: datetime) -> tuple[str, ...]:
    """The providers that may be called, in their order of preference."""
    return tuple(gateway for gateway in order if not found[gateway].is_open(now))
