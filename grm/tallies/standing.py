"""How far the tallies are behind: for `/metrics` and `/healthz`. Figures are true all the same, only slower to read."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.tallies.rebuilding import is_wanted
from grm.web.health import Verdict
from grm.web.metrics import Gauge

MANY = 20_000
"""Due rows that some minutes of folding do not explain; reading them with each page takes seconds."""
_DUE = text("SELECT count(*) FROM (SELECT FROM tally_due LIMIT 100000) AS due")


def gauges(session: Session, now: datetime) -> Iterator[Gauge]:
    """How many changes wait to be folded."""
    yield Gauge("grm_tally_due", "Changes of cases not yet folded into the tallies (at most 100000)", _due(session))


def tallies_health(session: Session, now: datetime) -> Verdict:
    """Warn of a fold that does not follow, and of tallies that were never made."""
    due = _due(session)
    is_unmade = is_wanted(session)
    warnings = []
    if is_unmade:
        warnings.append("the figures are not complete: run `flask tallies rebuild` once")
    elif due > MANY:
        warnings.append(f"{due} changes of cases wait to be folded into the tallies; is the worker behind?")
    return Verdict(True, {"due": due, "is_rebuild_wanted": is_unmade}, tuple(warnings))


def _due(session: Session) -> int:
    return int(session.scalar(_DUE) or 0)
