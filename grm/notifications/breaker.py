"""A fuse per provider: after a failure nobody calls it for a while, so that an outage costs one call a minute, not thousands.

Kept in the `heartbeat` row `delivery.<channel>`, which all workers share; it survives a restart and needs no Redis.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.notifications.backoff import breaker_wait
from grm.web.health import record_heartbeat
from grm.web.models import Heartbeat

PATIENCE = 3


def open_until(session: Session, channel: str) -> datetime | None:
    """Until when nobody may call the channel's provider; None while all is well."""
    until = _detail(session, channel).get("open_until")
    return datetime.fromisoformat(until) if until else None


def trip(session: Session, channel: str, now: datetime, is_away: bool, asked_seconds: float | None = None) -> bool:
    """Note a failure and return whether the fuse is open now; the caller commits.

    It opens at once where nobody is there (`is_away`) or the provider asks for peace (`asked_seconds`, from Retry-After),
    otherwise after `PATIENCE` failures in a row: single hiccups are the messages' own affair.
    """
    failures = int(_detail(session, channel).get("failures", 0)) + 1
    is_open = is_away or asked_seconds is not None or failures >= PATIENCE
    wait = max(breaker_wait(failures), timedelta(seconds=asked_seconds or 0))
    until = (now + wait).isoformat() if is_open else None
    record_heartbeat(session, f"delivery.{channel}", now, failures=failures, open_until=until)
    return is_open


def reset(session: Session, channel: str, now: datetime) -> None:
    """Note that the provider answers again; writes only where a failure was noted."""
    if _detail(session, channel).get("failures"):
        record_heartbeat(session, f"delivery.{channel}", now, failures=0, open_until=None)


def _detail(session: Session, channel: str) -> dict[str, Any]:
    return session.execute(select(Heartbeat.detail).where(Heartbeat.name == f"delivery.{channel}")).scalar() or {}
