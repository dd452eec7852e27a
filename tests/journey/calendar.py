"""A second reckoning of working days, from the bare rows of the calendar: the oracle of the journey."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.support.rig import Rig

DHAKA = ZoneInfo("Asia/Dhaka")


class WorkingDays:
    """Which days are worked in Bangladesh, as the system's calendar says."""

    def __init__(self, rig: Rig) -> None:
        rows = rig.rows("SELECT day, kind FROM calendar_day WHERE removed_in IS NULL")
        self._off = {row["day"] for row in rows if row["kind"] == "holiday"}
        self._ordered = {row["day"] for row in rows if row["kind"] == "working"}

    def is_worked(self, day: date) -> bool:
        """Neither Friday, Saturday nor holiday, or a day ordered to be worked."""
        return day in self._ordered or (day.weekday() not in (4, 5) and day not in self._off)

    def after(self, day: date, count: int) -> date:
        """The count-th working day after a day; before it, where the count is negative."""
        return next(on for number, on in enumerate(self._from(day, 1 if count > 0 else -1), 1) if number == abs(count))

    def between(self, first: date, last: date) -> int:
        """Working days after the first day up to and including the last."""
        return sum(self.is_worked(first + timedelta(days=n)) for n in range(1, (last - first).days + 1))

    def _from(self, day: date, step: int) -> Iterator[date]:
        while True:
            day += timedelta(days=step)
            if self.is_worked(day):
                yield day


def start_of(day: date) -> datetime:
    """00:00 of a day in Dhaka."""
    return datetime.combine(day, time(), DHAKA)


def end_of(day: date) -> datetime:
    """The first instant after a day in Dhaka."""
    return start_of(day + timedelta(days=1))
