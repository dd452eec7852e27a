"""How many filings one source or one phone may make: generous, and off the filing path for nearly everybody.

Behind one address there may be a whole district (mobile operators share addresses among thousands), so the limit is high
and ends in the helpline's number, not in silence. Each process counts in memory and tells the database every
`REPORT_EVERY` filings of one source; an ordinary citizen's single filing costs no statement. With W processes at most
W x REPORT_EVERY filings are unknown to the others, which a limit of this kind can bear.

Nothing in clear is kept: keys are keyed hashes that change with the day. Staff are not limited. `FILINGS_PER_HOUR` sets the
limit per source.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from grm.kernel.clock import dhaka_date
from grm.kernel.context import settings
from grm.kernel.errors import TooMany
from grm.web import throttle
from grm.web.security import keyed_hash

REPORT_EVERY = 5
_REMEMBERED = 20_000


@dataclass
class _Tally:
    """What this process knows of a key: counted here and not yet reported, and the last known total."""

    unreported: int
    total: int
    ends_at: datetime


class LooseLimit:
    """At most so many happenings per key in a window, counted loosely."""

    def __init__(self, name: str, window: timedelta) -> None:
        self.name = name
        self.window = window
        self._tallies: OrderedDict[str, _Tally] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, session: Session, value: str, now: datetime, limit: int) -> None:
        """Count one happening of a value (an address, a number); raises `TooMany` `filing-limit` beyond the limit.

        Every `REPORT_EVERY`-th one is one statement in the caller's transaction.
        """
        key = keyed_hash(f"limit-{self.name}:{dhaka_date(now)}", value)
        with self._lock:
            tally = self._tallies.get(key)
            if tally is None or tally.ends_at <= now:
                tally = self._tallies[key] = _Tally(0, 0, now + self.window)
            self._tallies.move_to_end(key)
            while len(self._tallies) > _REMEMBERED:
                self._tallies.popitem(last=False)
            tally.unreported += 1
            to_report = tally.unreported if tally.unreported >= REPORT_EVERY else 0
            tally.unreported -= to_report
            tally.total += 1
        if to_report:
            tally.total = throttle.count(session, key, now, self.window, by=to_report)
        if tally.total > limit:
            wait = max(1, int((tally.ends_at - now).total_seconds()))
            raise TooMany("filing-limit", retry_after_seconds=wait)


PER_PHONE = 30
"""Complaints a day that name one phone."""
POSTS_PER_FILING = 10
"""How many posts of the form's pages a source may make for each complaint it may file."""

_posts = LooseLimit("posts", timedelta(hours=1))
_filings = LooseLimit("filings", timedelta(hours=1))
_phones = LooseLimit("phones", timedelta(hours=24))


def admit_post(session: Session, source: str, now: datetime) -> None:
    """Count a post of any page of the public form. Raises `TooMany`."""
    if per_hour := settings().filings_per_hour:
        _posts.admit(session, source, now, per_hour * POSTS_PER_FILING)


def admit_filing(session: Session, source: str, phone: str | None, now: datetime) -> None:
    """Count a complaint about to be filed by the public form. Raises `TooMany`."""
    if per_hour := settings().filings_per_hour:
        _filings.admit(session, source, now, per_hour)
        if phone:
            _phones.admit(session, phone, now, PER_PHONE)
