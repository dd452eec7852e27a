"""How the providers of messages stand, and what of the day's budget is spent."""

from datetime import datetime

from sqlalchemy.orm import Session

from grm.notifications.standing import delivery_state
from grm.web.health import Verdict

NEARLY_SPENT = 0.9


def providers_health(session: Session, now: datetime) -> Verdict:
    """Check for `/healthz`: red where a channel's providers all want money; one that is away or empty, and a spent budget,
    are warnings. A channel whose providers are all away for long shows as the outbox's lag, which turns red by itself.
    """
    found = delivery_state(session, now)
    gateways = found["gateways"]
    warnings = [
        f"{gateway['name']} ({gateway['channel']}) does not answer" for gateway in gateways if gateway["is_open"]
    ]
    empty = [gateway for gateway in gateways if gateway["is_out_of_balance"]]
    warnings += [f"{gateway['name']} has no balance left: nothing goes out through it" for gateway in empty]
    paid = {gateway["channel"] for gateway in gateways if not gateway["is_out_of_balance"]}
    budget = found["budget"]
    if budget.get("is_exhausted"):
        warnings.append("today's SMS budget is spent")
    elif budget.get("limit") and budget["spent"] >= NEARLY_SPENT * budget["limit"]:
        warnings.append(f"{budget['spent']} of today's {budget['limit']} SMS parts are spent")
    return Verdict(all(gateway["channel"] in paid for gateway in empty), found, tuple(warnings))
