"""The deadline as a pure function of start, limit, pauses and calendar; nothing else can move it.

Working days: the clock starts on the first working day on or after the Dhaka date of `started_at`; that
day is not counted. Each later working day counts 1, and the limit-th is `due_on`. The case is late from
00:00 Asia/Dhaka of the following day.

Calendar days (an appeal's month): the clock starts on the Dhaka date itself, and every day counts, save
that the last one must be a working day: who may act until a day on which the office is closed may act on
the next day it is open (General Clauses Act 1897, section 10).

Calendar months: the day of the month on which the clock starts, so many months on, or the last day of a month that
has no such day (31 January + 1 month = 28 or 29 February). From there on as calendar days.

An extension adds days of the clock's own unit (of a clock of months: calendar days) to the limit; it is part of the
sum, never a second clock.

Pauses: a date is not counted if the clock was paused at its end, that is for paused_on <= date <
resumed_on in Dhaka dates. A pause that begins and ends on one day costs nothing, the day of resumption
counts, and no moment is counted twice however pauses overlap.
"""

from calendar import monthrange
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from grm.deadlines.calendar import Calendar, DayVerdict, dhaka_date, end_of_day
from grm.deadlines.policy import Unit

Verdict = Literal["start", "counted", "skipped-weekend", "skipped-holiday", "paused"]

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch in which the clock stood still, from an instant until another, or still standing (None)."""

    from_at: datetime
    until_at: datetime | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """When a step is due: the start, the last day in time, and the instant from which it is late (UTC,
    exclusive)."""

    start_on: date
    due_on: date
    due_at: datetime


@dataclass(frozen=True, slots=True)
class DayLine:
    """One date between filing and due date: its verdict, its number if counted, and by whose word it was
    skipped.

    `name_*` and `source` are the calendar's; for a paused day `source` is the reason of the pause.
    """

    on: date
    verdict: Verdict
    number: int | None = None
    name_bn: str = ""
    name_en: str = ""
    source: str = ""
    is_estimated: bool = False


@dataclass(frozen=True, slots=True)
class Reckoning:
    """A deadline with its working shown. `counted` equals `needed`, the days the limit and its extension amount to; the
    last line is `due_on`."""

    start_on: date
    due_on: date
    due_at: datetime
    days: tuple[DayLine, ...]
    counted: int
    needed: int


def due(
    started_at: datetime,
    limit: int,
    unit: Unit,
    pauses: Sequence[Pause],
    calendar: Calendar,
    as_of: datetime | None = None,
    extension_days: int = 0,
) -> Due:
    """When a clock of `limit` units and its extension runs out, without the working: fast, for recomputing many
    deadlines.

    A pause that still stands is taken to last until `as_of` (ValueError without it): the answer then is
    the earliest possible one.
    """
    filed_on = dhaka_date(started_at)
    needed = days_needed(filed_on, limit, unit, extension_days)
    spans = _spans(pauses, as_of)
    if unit != "working_days":
        due_on = _calendar_due(filed_on, needed, spans, calendar)
        return Due(filed_on, due_on, end_of_day(due_on))
    start_on = position = calendar.next_working_day(filed_on)
    remaining = needed
    for paused_on, resumed_on in spans:
        if resumed_on <= position + _ONE_DAY:
            continue
        counted = max(0, calendar.working_days_between(position, paused_on - _ONE_DAY))
        if counted >= remaining:
            break
        remaining, position = remaining - counted, resumed_on - _ONE_DAY
    due_on = calendar.add_working_days(position, remaining)
    return Due(start_on, due_on, end_of_day(due_on))


def reckon(
    started_at: datetime,
    limit: int,
    unit: Unit,
    pauses: Sequence[Pause],
    calendar: Calendar,
    as_of: datetime | None = None,
    extension_days: int = 0,
) -> Reckoning:
    """The deadline with a line for each date from the filing to the due date, to show why it is this
    date (see `due`)."""
    result = due(started_at, limit, unit, pauses, calendar, as_of, extension_days)
    needed = days_needed(dhaka_date(started_at), limit, unit, extension_days)
    covers = [(_span(pause, as_of), pause) for pause in pauses]
    lines: list[DayLine] = []
    counted = 0
    on = dhaka_date(started_at)
    while on <= result.due_on:
        pause = next((pause for (first, after), pause in covers if first <= on < after), None)
        number = None if on == result.start_on else counted + 1
        line = _line(on, number, counted + 1 == needed, unit, pause, calendar.reason(on))
        counted += line.verdict == "counted"
        lines.append(line)
        on += _ONE_DAY
    return Reckoning(result.start_on, result.due_on, result.due_at, tuple(lines), counted, needed)


def days_needed(filed_on: date, limit: int, unit: Unit, extension_days: int = 0) -> int:
    """How many days a clock counts that starts on a Dhaka date: the limit, months turned into days, and the extension.

    Raises ValueError for a negative limit or extension: an extension never takes time away.
    """
    if limit < 0 or extension_days < 0:
        raise ValueError("a limit or an extension cannot be negative")
    days = (months_after(filed_on, limit) - filed_on).days if unit == "calendar_months" else limit
    return days + extension_days


def months_after(on: date, months: int) -> date:
    """The same day of the month so many months later, or the last day of a month that is too short for it."""
    year, month = divmod(on.year * 12 + on.month - 1 + months, 12)
    return date(year, month + 1, min(on.day, monthrange(year, month + 1)[1]))


def _line(on: date, number: int | None, is_last: bool, unit: Unit, pause: Pause | None, day: DayVerdict) -> DayLine:
    """The verdict on a date; `number` is the one it gets if it counts, None on the day of the start."""
    words = (day.name_bn, day.name_en, day.source, day.is_estimated)
    if number is None:
        return DayLine(on, "start", None, *words)
    if not day.is_working and (unit == "working_days" or is_last):
        return DayLine(on, "skipped-holiday" if day.kind == "holiday" else "skipped-weekend", None, *words)
    if pause is not None:
        return DayLine(on, "paused", source=pause.reason)
    return DayLine(on, "counted", number, *words)


def _calendar_due(filed_on: date, limit: int, spans: Iterable[tuple[date, date]], calendar: Calendar) -> date:
    """All but the last day may be any day; the last is the next working day on which the clock runs."""
    if limit == 0:
        return filed_on
    position, remaining = filed_on, limit - 1
    last: date | None = None
    for paused_on, resumed_on in spans:
        counted = max(0, (paused_on - position).days - 1)
        if last is None and counted < remaining:
            if resumed_on > position:
                remaining, position = remaining - counted, resumed_on - _ONE_DAY
            continue
        last = last or calendar.next_working_day(position + timedelta(days=remaining + 1))
        if paused_on <= last < resumed_on:
            last = calendar.next_working_day(resumed_on)
    return last or calendar.next_working_day(position + timedelta(days=remaining + 1))


def _spans(pauses: Iterable[Pause], as_of: datetime | None) -> list[tuple[date, date]]:
    """The paused dates as [paused_on, resumed_on), in order; pauses within one day are gone."""
    spans = (_span(pause, as_of) for pause in pauses)
    return sorted((paused_on, resumed_on) for paused_on, resumed_on in spans if paused_on < resumed_on)


def _span(pause: Pause, as_of: datetime | None) -> tuple[date, date]:
    until_at = pause.until_at or as_of
    if until_at is None:
        raise ValueError("a pause still stands: say as of when")
    return dhaka_date(pause.from_at), dhaka_date(until_at)
