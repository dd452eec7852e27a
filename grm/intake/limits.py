"""How much one source or one phone may file: generous, off the filing path for nearly everybody, and waits, not lock-outs.

Behind one address there may be a whole district (mobile operators share addresses among thousands). So whoever comes after many
others is asked to wait, seconds at first and three minutes at most (`grm/intake/waiting.py`); only what nobody files in a day
ends with the helpline's number. A phone's limit never refuses: a stranger who names a number all day must not bar its holder's
way. What a number is sent is bounded where messages leave (`grm/notifications/floods.py`). Officers signed in are not counted.

Each process counts in memory and tells the database every so many happenings of one source; an ordinary citizen's single filing
costs no statement. With W processes at most W x `REPORT_EVERY` are unknown to the others, which limits of this kind can bear.
Nothing in clear is kept: keys are keyed hashes that change with the day. `FILINGS_PER_HOUR` sets the measure per source.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from grm.kernel.clock import DHAKA, dhaka_date
from grm.kernel.context import settings
from grm.kernel.errors import TooMany
from grm.web import throttle
from grm.web.security import keyed_hash

REPORT_EVERY = 5
REPORT_DAILY_EVERY = 25
_REMEMBERED = 20_000


@dataclass
class _Tally:
    """What this process knows of a key: counted here and not yet reported, and the last known total."""

    unreported: int
    total: int
    ends_at: datetime


class LooseCount:
    """How often something happened per key in a window, counted loosely."""

    def __init__(self, name: str, window: timedelta, report_every: int = REPORT_EVERY) -> None:
        self.name = name
        self.window = window
        self.report_every = report_every
        self._tallies: OrderedDict[str, _Tally] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, session: Session, value: str, now: datetime, by: int = 1) -> int:
        """Count one happening (or `by`) of a value, an address or a number; returns how many there were, as far as is known here.

        Every `report_every`-th one is one statement in the caller's transaction.
        """
        key = keyed_hash(f"limit-{self.name}:{dhaka_date(now)}", value)
        with self._lock:
            tally = self._tallies.get(key)
            if tally is None or tally.ends_at <= now:
                tally = self._tallies[key] = _Tally(0, 0, now + self.window)
            self._tallies.move_to_end(key)
            while len(self._tallies) > _REMEMBERED:
                self._tallies.popitem(last=False)
            tally.unreported += by
            to_report = tally.unreported if tally.unreported >= self.report_every else 0
            tally.unreported -= to_report
            tally.total += by
        if to_report:
            tally.total = throttle.count(session, key, now, self.window, by=to_report)
        return tally.total


PER_PHONE = 30
"""Complaints a day that name one phone; those beyond wait."""
POSTS_PER_FILING = 10
"""How many posts of the form's pages a source may make for each complaint it may file."""
HOURS_A_DAY = 8
"""What a source may file in a day, in hours' worth; beyond it nothing is taken from there until midnight."""
BYTES_A_POST = 65_536
"""A post of the form has a few thousand; a larger one counts as several, for it is kept as a draft."""

WAITS: tuple[tuple[int, int], ...] = ((1, 0), (2, 20), (4, 60))
LONGEST_WAIT = 180
"""Up to one, two, four times the measure: so many seconds to wait; beyond, the longest."""

_posts = LooseCount("posts", timedelta(hours=1))
_posts_of_day = LooseCount("posts-day", timedelta(hours=24), REPORT_DAILY_EVERY)
_filings = LooseCount("filings", timedelta(hours=1))
_filings_of_day = LooseCount("filings-day", timedelta(hours=24), REPORT_DAILY_EVERY)
_phones = LooseCount("phones", timedelta(hours=24))


def wait_seconds(count: int, measure: int) -> int:
    """How long the `count`-th of a window must wait where `measure` are free. Pure."""
    return next((seconds for times, seconds in WAITS if count <= times * measure), LONGEST_WAIT)


def wait_for_post(session: Session, source: str | None, now: datetime, length: int = 0) -> int:
    """Count a post of any page of the public form, of `length` bytes; returns for how many seconds it must wait, mostly 0.

    `source` is None for officers, who never wait. Raises `TooMany` `filing-limit` when the source has had its day.
    """
    per_hour = settings().filings_per_hour * POSTS_PER_FILING
    if not per_hour or source is None:
        return 0
    by = 1 + length // BYTES_A_POST
    _stop_at(_posts_of_day.add(session, source, now, by), per_hour, now)
    return wait_seconds(_posts.add(session, source, now, by), per_hour)


def wait_for_filing(session: Session, source: str | None, phone: str | None, now: datetime) -> int:
    """Count a complaint about to be filed by the public form; returns and raises as `wait_for_post`."""
    per_hour = settings().filings_per_hour
    if not per_hour or source is None:
        return 0
    _stop_at(_filings_of_day.add(session, source, now), per_hour, now)
    wait = wait_seconds(_filings.add(session, source, now), per_hour)
    if phone is not None:
        wait = max(wait, wait_seconds(_phones.add(session, phone, now), PER_PHONE))
    return wait


def _stop_at(count: int, per_hour: int, now: datetime) -> None:
    if count > per_hour * HOURS_A_DAY:
        midnight = datetime.combine(dhaka_date(now) + timedelta(days=1), time(0), DHAKA)
        raise TooMany("filing-limit", retry_after_seconds=max(1, int((midnight - now).total_seconds()) + 1))
