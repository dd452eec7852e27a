"""Days charged: with whom a case lay on each day from its filing to its end, so that the parts sum to the whole. Pure.

A day belongs to whoever had the case when it ended (the same rule by which a clock counts a day): the officer it was given
to; the desk, while nobody had it; the complainant, while the main clock stood still for an answer; and, between a
decision and an appeal against it, nobody in the offices. The day of a decision is still the decider's. The day of filing
itself is day zero. An escalation moves no case: its days stay with the desk that is late.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, Protocol

from grm.cases.states import ENDED
from grm.deadlines.calendar import dhaka_date, end_of_day
from grm.deadlines.reckoning import Pause

_ENDED = {status.value for status in ENDED}
_ONE_DAY = timedelta(days=1)


class Happening(Protocol):
    """An event of the history."""

    @property
    def kind(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def data(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Holder:
    """With whom days lay. `office`: an officer of a desk, or the desk itself (`officer_id` None). `complainant`: the clock
    stood still for an answer. `decided`: there was a decision, and no appeal yet. `merged`: it was to be answered with
    another case."""

    kind: Literal["office", "complainant", "decided", "merged"]
    office_id: int | None = None
    desk: str = ""
    tier: str = ""
    officer_id: int | None = None


COMPLAINANT, DECIDED, MERGED = Holder("complainant"), Holder("decided"), Holder("merged")


@dataclass(frozen=True, slots=True)
class Span:
    """Days in a row with one holder: those after `after_on`, up to and with `until_on`."""

    holder: Holder
    after_on: date
    until_on: date
    working_days: int

    @property
    def days(self) -> int:
        """How many days these are."""
        return (self.until_on - self.after_on).days


@dataclass(frozen=True, slots=True)
class Charge:
    """All days of one holder."""

    holder: Holder
    days: int
    working_days: int


@dataclass(frozen=True, slots=True)
class Charged:
    """Every day after the filing, up to and with `until_on`, in order and by holder. The parts sum to the totals."""

    filed_on: date
    until_on: date
    is_ended: bool
    spans: tuple[Span, ...]

    @property
    def days(self) -> int:
        """How many days have passed since the filing."""
        return (self.until_on - self.filed_on).days

    @property
    def working_days(self) -> int:
        """How many of them were working days."""
        return sum(span.working_days for span in self.spans)

    @property
    def charges(self) -> tuple[Charge, ...]:
        """The sum for each holder, in the order in which they first had it."""
        sums: dict[Holder, tuple[int, int]] = {}
        for span in self.spans:
            days, working = sums.get(span.holder, (0, 0))
            sums[span.holder] = (days + span.days, working + span.working_days)
        return tuple(Charge(holder, *both) for holder, both in sums.items())


def charge(
    events: Sequence[Happening], pauses: Iterable[Pause], now: datetime, is_working_day: Callable[[date], bool]
) -> Charged:
    """Share out the days of a case by its history (oldest event first, the filing among them) and the main clocks' pauses.

    An ended case is charged up to its decision, an open one up to the Dhaka date of `now`.
    """
    known = _holders(events)
    last_at, last_holder = known[-1]
    is_ended = last_holder in (DECIDED, MERGED)
    end_at = last_at if is_ended else now
    filed_on, until_on = dhaka_date(events[0].at), max(dhaka_date(events[0].at), dhaka_date(end_at))
    still = [(dhaka_date(each.from_at), dhaka_date(each.until_at or now)) for each in pauses]
    days: list[tuple[date, Holder]] = []
    on, index = filed_on, 0
    while on < until_on:
        on += _ONE_DAY
        while index + 1 < len(known) and known[index + 1][0] < end_of_day(on):
            index += 1
        at, holder = known[index]
        if holder in (DECIDED, MERGED) and index and dhaka_date(at) == on:
            holder = known[index - 1][1]
        if holder.kind == "office" and any(begin <= on < end for begin, end in still):
            holder = COMPLAINANT
        days.append((on, holder))
    return Charged(filed_on, until_on, is_ended, tuple(_spans(filed_on, days, is_working_day)))


def _spans(
    filed_on: date, days: Sequence[tuple[date, Holder]], is_working_day: Callable[[date], bool]
) -> Iterable[Span]:
    after_on, working = filed_on, 0
    for index, (on, holder) in enumerate(days):
        working += is_working_day(on)
        if index + 1 == len(days) or days[index + 1][1] != holder:
            yield Span(holder, after_on, on, working)
            after_on, working = on, 0


def _holders(events: Sequence[Happening]) -> list[tuple[datetime, Holder]]:
    """Who has the case from which instant on."""
    found: list[tuple[datetime, Holder]] = []
    office_id: int | None = None
    desk, tier, officer_id, is_decided, is_merged = "", "gro", None, False, False
    for event in events:
        data = event.data
        if event.kind == "filed":
            office_id, desk = data.get("office_id"), data.get("desk", "")
        elif "to_office_id" in data:  # referred, returned, contested, appealed, recommended; who takes a case up has it
            office_id, desk, officer_id = data["to_office_id"], data.get("to_desk", ""), data.get("officer_id")
            tier = data.get("tier", tier)
        elif event.kind in ("assigned", "unmerged"):
            officer_id = data.get("officer_id")
        elif event.kind == "unassigned":
            officer_id = None
        is_decided = data["status_to"] in _ENDED if "status_to" in data else is_decided
        is_merged = (
            event.kind == "merged"
            or bool(data.get("with_lead"))
            or (is_merged and event.kind != "answered_together" and is_decided)
        )
        holder = MERGED if is_merged else DECIDED if is_decided else Holder("office", office_id, desk, tier, officer_id)
        if not found or found[-1][1] != holder:
            found.append((event.at, holder))
    return found
