"""When an SMS that nobody waits for may ring: not at night. Pure.

Deadlines end at midnight in Dhaka, so without this every escalation would wake somebody. What is delayed is the sending,
never the escalation. E-mail wakes nobody and goes at once, and so does the answer to something a person has just done.
"""

from datetime import datetime, time, timedelta

from grm.kernel.clock import DHAKA

STARTS = time(21, 0)
ENDS = time(8, 0)


def earliest_sending(at: datetime) -> datetime:
    """The instant itself by day; for one between 21:00 and 08:00 in Dhaka, 08:00 of that morning. Keeps the zone."""
    local = at.astimezone(DHAKA)
    if ENDS <= local.time() < STARTS:
        return at
    morning = local.date() + timedelta(days=1 if local.time() >= STARTS else 0)
    return datetime.combine(morning, ENDS, DHAKA).astimezone(at.tzinfo)
