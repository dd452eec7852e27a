"""What is about to be late, by what an office has to answer and how quickly it does so. Pure.

How many of the open cases that fall due within some days can an office not answer in time, even if from now on it does the
most urgent one first? Its pace is its own of the last three months: the cases it answered in time (or in extended time) or
declined, for each working day. What it answered late is no part of it: that time went into cases that were late already, and
will again. Working days are those of the calendar, today among them.

It is the least that will be late: an office that does not do the most urgent first, or gets much that is new, does worse.
Everything is reckoned in whole numbers; a case is answered when a whole case's worth of work is there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from grm.tallies.figures import Line

HORIZONS = (7, 14)
"""How many days ahead, beside today."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many cases were done in time within how many working days."""

    cases: int
    working_days: int

    @property
    def a_day(self) -> float:
        """Cases in a working day."""
        return self.cases / self.working_days if self.working_days else 0.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """What falls due within each horizon, and how much of it cannot be done in time."""

    pace: Pace
    due: Mapping[int, int]
    late: Mapping[int, int]


def pace_of(line: Line, working_days: int) -> Pace:
    """The pace of whoever has the cases of a line that covers `working_days`."""
    return Pace(line.in_time + line.extended + line.declined, working_days)


def outlook(due: Mapping[date, int], pace: Pace, today: date, is_working_day: Callable[[date], bool]) -> Outlook:
    """Look ahead at open cases by due date (those under a running clock; what is late already is left out)."""
    return Outlook(
        pace,
        {days: within(due, today, days) for days in HORIZONS},
        {days: late_within(due, pace, today, days, is_working_day) for days in HORIZONS},
    )


def within(due: Mapping[date, int], today: date, days: int) -> int:
    """How many cases are due today or within the next `days` days."""
    last = today + timedelta(days=days)
    return sum(number for on, number in due.items() if today <= on <= last)


def late_within(
    due: Mapping[date, int], pace: Pace, today: date, days: int, is_working_day: Callable[[date], bool]
) -> int:
    """How many of them cannot be done by their dates.

    Work is saved up while nothing is due: it goes into what is due next. A case that cannot be done in time takes none of it.
    """
    saved, late = 0, 0  # in parts of a case: as many to a case as the pace has working days
    for ahead in range(days + 1):
        on = today + timedelta(days=ahead)
        saved += pace.cases if is_working_day(on) else 0
        wanted = due.get(on, 0)
        done = min(wanted, saved // pace.working_days) if pace.working_days else 0
        saved -= done * pace.working_days
        late += wanted - done
    return late
