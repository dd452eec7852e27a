"""How far the tallies are behind: for `/metrics` and `/healthz`, and for whoever reads figures. Up to `reading.MOST_DUE`
changes they are true all the same, only slower to read; beyond, pages show what was counted last, and say so."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.kernel.db import db
from grm.tallies import reading
from grm.tallies.folding import HEARTBEAT
from grm.tallies.rebuilding import is_wanted
from grm.web.health import Verdict
from grm.web.metrics import Gauge
from grm.web.models import Heartbeat

LONG = timedelta(minutes=5)
"""A fold comes every few seconds; after so long without being through with the list, something holds it up."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Figures that were read lack `count` changes of cases, all later than `at` (None: nothing was ever folded)."""

    at: datetime | None
    count: int


def init_app(app: Flask) -> None:
    """Give `figures_behind()` to the templates: what a page says whose figures are not of this moment."""
    app.jinja_env.globals["figures_behind"] = lambda: behind(db.session())


def behind(session: Session) -> Behind | None:
    """How old the figures are that this session has read; None where they are true."""
    if not session.info.get(reading.BEHIND):
        return None
    return Behind(_folded_at(session), _waiting(session))


def gauges(session: Session, now: datetime) -> Iterator[Gauge]:
    """How long changes have been waiting to be folded, at most, and how many they are."""
    lag = lag_of(session, now)
    yield Gauge("grm_tally_lag_seconds", "Since the tallies last held every change of a case", lag.total_seconds())
    yield Gauge("grm_tally_waiting", "Changes of cases that are not in the tallies yet", float(_waiting(session)))


def tallies_health(session: Session, now: datetime) -> Verdict:
    """Warn of a fold that does not follow, and of tallies that were never made."""
    lag = lag_of(session, now)
    is_unmade = is_wanted(session)
    warnings = []
    if is_unmade:
        warnings.append("the figures are not complete: run `flask tallies rebuild` once")
    elif (waiting := _waiting(session)) > reading.MOST_DUE:
        warnings.append(f"{waiting} changes of cases are not folded into the tallies; pages show figures without them")
    elif lag > LONG:
        warnings.append("changes of cases are not folded into the tallies; figures are true, but slow to read")
    return Verdict(
        True, {"lag_seconds": round(lag.total_seconds(), 1), "is_rebuild_wanted": is_unmade}, tuple(warnings)
    )


def lag_of(session: Session, now: datetime) -> timedelta:
    """Since when there may have been something to fold; nothing where the list is empty, or was never looked at yet."""
    if session.scalar(text("SELECT true FROM tally_due LIMIT 1")) is None:
        return timedelta()
    at = _folded_at(session)
    return max(now - at, timedelta()) if at is not None else timedelta()


def _folded_at(session: Session) -> datetime | None:
    return session.scalar(select(Heartbeat.at).where(Heartbeat.name == HEARTBEAT))


def _waiting(session: Session) -> int:
    return int(session.scalar(text("SELECT count(*) FROM tally_due")) or 0)
