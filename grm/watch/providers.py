"""How the providers of messages stand, and what of the day's budget is spent."""

from datetime import datetime
from importlib import import_module
from typing import Any

from sqlalchemy.orm import Session

from grm.web.health import Verdict

NEARLY_SPENT = 0.9


def state(session: Session, now: datetime) -> dict[str, Any]:
    """What `grm.notifications.standing.delivery_state` says."""
    try:
        standing = import_module("grm.notifications.standing")
    except ModuleNotFoundError:
        return {}
    found: dict[str, Any] = standing.delivery_state(session, now)
    return found


def providers_health(session: Session, now: datetime) -> Verdict:
    """Check for `/healthz`: red where a provider wants money; an open breaker or a spent budget is a warning.

    A provider that is away for long shows as the outbox's lag, which turns red by itself.
    """
    found = state(session, now)
    gateways = found.get("gateways", ())
    warnings = [
        f"{gateway['name']} ({gateway['channel']}) does not answer" for gateway in gateways if gateway["is_open"]
    ]
    empty = [gateway["name"] for gateway in gateways if gateway["is_out_of_balance"]]
    warnings += [f"{name} has no balance left: nothing goes out through it" for name in empty]
    budget = found.get("budget") or {}
    if budget.get("is_exhausted"):
        warnings.append("today's SMS budget is spent: only acknowledgements go out")
    elif budget.get("limit") and budget["spent"] >= NEARLY_SPENT * budget["limit"]:
        warnings.append(f"{budget['spent']} of today's {budget['limit']} SMS parts are spent")
    return Verdict(not empty, found, tuple(warnings))
