"""What SMS may cost: a daily budget in segments, counted before anything is handed over.

The day is Dhaka's. Claiming locks the day's row and counts what it claims, so that any number of senders together never hand
over more than the budget; what turns out not to have been taken is given back. A share is kept for what a person is waiting
for, acknowledgements and one-time codes: a flood of other messages cannot use it up. What does not fit waits for the next day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import structlog
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from config import Settings
from grm.kernel.clock import DHAKA, dhaka_date
from grm.notifications.catalogue import SENSITIVE_COMPLAINANT, Entry
from grm.notifications.models import SmsDay
from grm.notifications.quiet_hours import earliest_sending

log = structlog.get_logger("grm.notifications")

RESERVED_PRIORITY = 1
"""Messages up to this priority are what a person is waiting for: one-time codes and acknowledgements."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A day's limits in segments: for all messages, and for those without a right to the reserved share. 0: no limit."""

    limit: int = 0
    ordinary_limit: int = 0

    @classmethod
    def of(cls, settings: Settings) -> "Budget":
        """The budget that the settings give; the reserved share is rounded up."""
        limit = settings.sms_daily_segments
        return cls(limit, limit - -(-limit * settings.sms_reserved_share // 100))


NO_LIMIT = Budget()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one message takes from the day's budget."""

    segments: int
    is_reserved: bool


def is_reserved(entry: Entry) -> bool:
    """Whether a message may use the reserved share. The bare notice is one: it may stand for an acknowledgement."""
    return entry.priority <= RESERVED_PRIORITY or entry.key == SENSITIVE_COMPLAINANT


_OPEN_DAY = text(
    "INSERT INTO sms_day (day) VALUES (:day) ON CONFLICT (day) DO UPDATE SET segments = sms_day.segments "
    "RETURNING segments, ordinary, turned_away_at"
)
_COUNT = text(
    "UPDATE sms_day SET segments = segments + :segments, ordinary = ordinary + :ordinary, turned_away_at = :turned_away_at "
    "WHERE day = :day"
)
_GIVE_BACK = text(
    "UPDATE sms_day SET segments = segments - :segments, ordinary = ordinary - :ordinary WHERE day = :day"
)


def take(session: Session, budget: Budget, at: datetime, costs: Sequence[Cost]) -> list[bool]:
    """Count what fits into the day, in the order given, and say which did; the caller commits.

    The day's row stays locked until then, which makes the sum exact however many senders there are.
    """
    if not costs:
        return []
    day = dhaka_date(at)
    spent, ordinary, turned_away_at = session.execute(_OPEN_DAY, {"day": day}).one()
    before = (spent, ordinary)
    fits = []
    for cost in costs:
        kept = 0 if cost.is_reserved else cost.segments
        fit = budget.limit == 0 or (
            spent + cost.segments <= budget.limit and (not kept or ordinary + kept <= budget.ordinary_limit)
        )
        fits.append(fit)
        if fit:
            spent, ordinary = spent + cost.segments, ordinary + kept
    if not all(fits) and turned_away_at is None:
        turned_away_at = at
        log.error("the day's SMS budget is spent: messages wait for tomorrow", day=day.isoformat(), spent=spent)
    given = {"day": day, "segments": spent - before[0], "ordinary": ordinary - before[1]}
    session.execute(_COUNT, {**given, "turned_away_at": turned_away_at})
    return fits


def give_back(session: Session, returned: Sequence[tuple[date, Cost]]) -> None:
    """Take back what was counted for calls of which it is known that nothing was taken; the caller commits."""
    for day in sorted({day for day, _ in returned}):
        costs = [cost for each, cost in returned if each == day]
        segments = sum(cost.segments for cost in costs)
        ordinary = sum(cost.segments for cost in costs if not cost.is_reserved)
        if segments:
            session.execute(_GIVE_BACK, {"day": day, "segments": segments, "ordinary": ordinary})


def next_day(at: datetime, is_quiet_at_night: bool) -> datetime:
    """When a message that did not fit may try again: as the next day begins in Dhaka, or at the end of its quiet hours."""
    midnight = datetime.combine(dhaka_date(at) + timedelta(days=1), time(0), DHAKA).astimezone(at.tzinfo)
    return earliest_sending(midnight) if is_quiet_at_night else midnight


def standing(session: Session, budget: Budget, at: datetime) -> dict[str, Any]:
    """The day's budget and what of it is used, for people and monitors."""
    day = session.execute(select(SmsDay).where(SmsDay.day == dhaka_date(at))).scalar()
    turned_away_at = day.turned_away_at if day else None
    return {
        "day": dhaka_date(at).isoformat(),
        "limit": budget.limit,
        "spent": day.segments if day else 0,
        "ordinary_limit": budget.ordinary_limit,
        "ordinary_spent": day.ordinary if day else 0,
        "is_exhausted": turned_away_at is not None,
        "turned_away_at": turned_away_at.isoformat() if turned_away_at else None,
    }
