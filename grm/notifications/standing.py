"""How delivery stands: each provider's fuse and account, and the day's budget. For monitors, `/healthz` and operators."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from grm.kernel import context
from grm.notifications import breaker, budgets
from grm.notifications.budgets import Budget
from grm.notifications.posts import gateway_names


def delivery_state(session: Session, now: datetime) -> dict[str, Any]:
    """The state of every configured provider, in order of preference, and of the day's budget; ready for JSON.

    `is_open`: nobody calls it now. `is_out_of_balance`: our account there was empty when it was last asked; messages go by
    another gateway or wait.
    """
    settings = context.settings()
    gateways = []
    for channel, names in gateway_names(settings).items():
        for name, fuse in breaker.fuses(session, channel, names).items():
            gateways.append(
                {
                    "name": name,
                    "channel": channel,
                    "failures": fuse.failures,
                    "is_open": fuse.is_open(now),
                    "open_until": fuse.open_until.isoformat() if fuse.open_until and fuse.is_open(now) else None,
                    "is_out_of_balance": fuse.empty_since is not None,
                    "since": fuse.empty_since.isoformat() if fuse.empty_since else None,
                }
            )
    return {"gateways": gateways, "budget": budgets.standing(session, Budget.of(settings), now)}
