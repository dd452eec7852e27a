"""How far the tallies are behind: for `/metrics` and `/healthz`. Figures are true all the same, only slower to read."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.tallies.folding import HEARTBEAT
from grm.tallies.rebuilding import is_wanted
from grm.web.health import Verdict
from grm.web.metrics import Gauge
from grm.web.models import Heartbeat

LONG = timedelta(minutes=5)
"""A fold comes every few seconds; after so long without being through with the list, something holds it up."""


def gauges(session: Session, now: datetime) -> Iterator[Gauge]:
    """How long changes have been waiting to be folded, at most."""
    lag = lag_of(session, now)
    yield Gauge("grm_tally_lag_seconds", "Since the tallies last held every change of a case", lag.total_seconds())


def tallies_health(session: Session, now: datetime) -> Verdict:
    """Warn of a fold that does not follow, and of tallies that were never made."""
    lag = lag_of(session, now)
    is_unmade = is_wanted(session)
    warnings = []
    if is_unmade:
        warnings.append("the figures are not complete: run `flask tallies rebuild` once")
    elif lag > LONG:
        warnings.append("changes of cases are not folded into the tallies; figures are true, but slow to read")
    return Verdict(
        True, {"lag_seconds": round(lag.total_seconds(), 1), "is_rebuild_wanted": is_unmade}, tuple(warnings)
    )


def lag_of(session: Session, now: datetime) -> timedelta:
    """Since when there may have been something to fold; nothing where the list is empty, or was never looked at yet."""
    if session.scalar(text("SELECT true FROM tally_due LIMIT 1")) is None:
        return timedelta()
    at = session.scalar(select(Heartbeat.at).where(Heartbeat.name == HEARTBEAT))
    return max(now - at, timedelta()) if at is not None else timedelta()
