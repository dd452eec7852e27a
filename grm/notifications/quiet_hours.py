"""When an SMS that nobody waits for may ring: not at night. Pure.

Deadlines end at midnight in Dhaka, so without this every escalation would wake somebody. What is delayed is the sending,
never the escalation. E-mail wakes nobody and goes at once, and so does the answer to something a person has just done.
"""

from datetime import date, datetime, time, timedelta

from grm.kernel.clock import DHAKA

STARTS = time(21, 0)
ENDS = time(8, 0)
GATHERING = timedelta(minutes=5)
"""How long a digest that is begun by day waits for the rest of what the same sweep finds."""


def earliest_sending(at: datetime) -> datetime:
    """The instant itself by day; for one between 21:00 and 08:00 in Dhaka, 08:00 of that morning. Keeps the zone."""
    local = at.astimezone(DHAKA)
    if ENDS <= local.time() < STARTS:
        return at
    morning = local.date() + timedelta(days=1 if local.time() >= STARTS else 0)
    return datetime.combine(morning, ENDS, DHAKA).astimezone(at.tzinfo)


def digest_leaves(at: datetime, day: date | None = None) -> datetime:
    """When the digest of a Dhaka day may leave that something found at `at` goes into: at 08:00, where that is still to come.

    Without `day` it is that of the find. Who finds something by day (a sweep after an outage) waits `GATHERING`; late in the
    evening it waits for the next morning.
    """
    morning = datetime.combine(day or at.astimezone(DHAKA).date(), ENDS, DHAKA)
    return earliest_sending(max(at + GATHERING, morning).astimezone(at.tzinfo))
