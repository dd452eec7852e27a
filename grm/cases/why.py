"""Why a case is due when it is, and with whom its days lay: for officers in full, for the complainant in plain words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from grm.cases import charges, queries
from grm.cases.charges import Charged, Holder
from grm.cases.models import Case
from grm.cases.queries import EventLine, Named
from grm.deadlines import queries as deadline_queries
from grm.deadlines.explain import Explanation, explain_case
from grm.deadlines.models import MAIN_KINDS
from grm.deadlines.reckoning import Pause
from grm.offices.directory import Directory
from grm.web.labels import label
from grm.web.locale import gettext, language, ngettext
from grm.web.presentation import digits, name, number, show_date, show_weekday

_MOVES = ("redated", "extension_approved", "merged_in", "unmerged_from")
_A_WEEK = [date(2024, 1, 1 + n) for n in range(7)]  # begins on a Monday


@dataclass(frozen=True, slots=True)
class Move:
    """A date that was another before: when it moved, from what to what, and why, in words."""

    at: datetime
    kind: str
    before: date
    after: date
    why: str
    days: tuple[str, ...]
    is_extension: bool
    is_merge: bool = False
    """Whether a duplicate that was filed earlier has moved it, or one that was set apart again."""


@dataclass(frozen=True, slots=True)
class Why:
    """Everything the officers' page shows."""

    explanations: tuple[Explanation, ...]
    moves: Mapping[int, tuple[Move, ...]]
    """The moves of each clock, by the id of its deadline."""
    charged: Charged
    officers: Mapping[int, Named]


def load(session: Session, case: Case, now: datetime) -> Why:
    """The clocks of a case with their working, what moved them, and the days charged. Four statements and three a clock."""
    events = queries.events_of(session, case.id)
    explanations = tuple(explain_case(session, case.id))
    return Why(
        explanations=explanations,
        moves=moves_of(explanations, events),
        charged=charged_of(session, explanations, events, now),
        officers={line.officer.id: line.officer for line in events if line.officer is not None},
    )


def moves_of(explanations: Sequence[Explanation], events: Sequence[EventLine]) -> dict[int, tuple[Move, ...]]:
    """What moved each clock. A move belongs to the epoch of its kind that was running: the last one begun before it."""
    found: dict[int, list[Move]] = {each.deadline_id: [] for each in explanations}
    for line in events:
        if line.kind not in _MOVES or not line.data.get("from_due_on"):
            continue
        kind = line.data.get("deadline_kind")
        clocks = [each for each in explanations if each.kind == kind and each.begun_at <= line.at]
        if clocks:
            found[max(clocks, key=lambda each: each.epoch).deadline_id].append(_move(line))
    return {deadline_id: tuple(moves) for deadline_id, moves in found.items()}


def charged_of(
    session: Session, explanations: Sequence[Explanation], events: Sequence[EventLine], now: datetime
) -> Charged:
    """The days of a case, shared out by its history and the pauses of its main clocks."""
    pauses: list[Pause] = [
        pause
        for each in explanations
        if each.kind in MAIN_KINDS
        for pause in each.pauses
        if pause.from_at >= each.begun_at  # what a clock has taken over from another was no rest of this case's
    ]
    return charges.charge(events, pauses, now, deadline_queries.calendar(session).is_working_day)


def holder_in_words(holder: Holder, officers: Mapping[int, Named], book: Directory) -> str:
    """With whom days lay, in one line."""
    if holder.kind == "complainant":
        return gettext("The complainant: the clock stood still for an answer")
    if holder.kind == "merged":
        return gettext("Another case: this one was to be answered together with it")
    if holder.kind == "decided":
        return gettext("Nobody in the offices: decided, and not appealed yet")
    office = name(book.office(holder.office_id)) if holder.office_id is not None else "–"
    parts = [office, label("desk", holder.desk)]
    if holder.officer_id is None:
        parts.append(gettext("given to nobody yet"))
    elif holder.officer_id in officers:
        parts.append(name(officers[holder.officer_id]))
    return " · ".join(parts)


def in_plain_words(explanation: Explanation, moves: Sequence[Move], is_paused: bool = False) -> tuple[str, ...]:
    """Why this date, in a few sentences for the complainant; nothing an officer has written is among them."""
    first = explanation.start_on
    found = [
        gettext(
            "The time allowed is %(time)s, counted from the day after %(date)s.",
            time=time_allowed(explanation.policy.limit, explanation.policy.unit),
            date=show_date(first),
        )
    ]
    if explanation.extension_days:
        found.append(
            gettext(
                "It was extended by %(time)s, because the complaint is being investigated.",
                time=time_allowed(explanation.extension_days, _day_unit(explanation)),
            )
        )
    if skipped := _skipped(explanation):
        found.append(gettext("Not counted: %(days)s.", days="; ".join(skipped)))
    found += [_moved(move) for move in moves if not move.is_extension]
    found.append(gettext("So the last day is %(date)s.", date=show_date(explanation.due_on)))
    if is_paused:
        found.append(gettext("The clock stands still until you answer; then the date moves by as many days."))
    if explanation.is_provisional:
        found.append(
            gettext(
                "This date is provisional: public holidays are announced only until %(date)s.",
                date=show_date(explanation.covered_until),
            )
        )
    return tuple(found)


def time_allowed(limit: int, unit: str) -> str:
    """A limit in words, in the page's digits."""
    if unit == "calendar_months":
        return digits(ngettext("%(num)s month", "%(num)s months", limit))
    if unit == "calendar_days":
        return digits(ngettext("%(num)s calendar day", "%(num)s calendar days", limit))
    return digits(ngettext("%(num)s working day", "%(num)s working days", limit))


def _day_unit(explanation: Explanation) -> str:
    """The unit in which a clock is extended: months by days."""
    return "working_days" if explanation.policy.unit == "working_days" else "calendar_days"


def _skipped(explanation: Explanation) -> list[str]:
    found = []
    if explanation.policy.unit == "working_days" and explanation.weekends:
        days = ", ".join(show_weekday(_A_WEEK[each]) for each in explanation.weekdays_off)
        found.append(gettext("weekly days off: %(count)s (%(days)s)", count=number(explanation.weekends), days=days))
    if explanation.policy.unit == "working_days" and explanation.holidays:
        names = ", ".join(name(each) for each in explanation.holiday_names)
        found.append(gettext("public holidays: %(count)s (%(names)s)", count=number(explanation.holidays), names=names))
    if explanation.paused_days:
        found.append(gettext("days of waiting for your answer: %(count)s", count=number(explanation.paused_days)))
    return found


def _moved(move: Move) -> str:
    values = {"day": show_date(move.at), "before": show_date(move.before), "after": show_date(move.after)}
    if move.is_merge and move.after > move.before:
        return gettext(
            "On %(day)s the date moved from %(before)s to %(after)s: the other complaint is answered by itself again.",
            **values,
        )
    if move.is_merge:
        return gettext(
            "On %(day)s the date moved from %(before)s to %(after)s: another complaint about the same matter, filed earlier, "
            "is answered together with yours.",
            **values,
        )
    if move.days:
        return gettext(
            "On %(day)s the date moved from %(before)s to %(after)s: %(days)s.", **values, days="; ".join(move.days)
        )
    return gettext(
        "On %(day)s the date moved from %(before)s to %(after)s: the calendar of holidays changed.", **values
    )


def _move(line: EventLine) -> Move:
    data = line.data
    is_extension = line.kind == "extension_approved"
    days = tuple(_day(each) for each in data.get("days", ()))
    why = (line.texts.get("reason") or "") if is_extension else str(data.get("why", ""))
    return Move(
        at=line.at,
        kind=str(data["deadline_kind"]),
        before=date.fromisoformat(data["from_due_on"]),
        after=date.fromisoformat(data["to_due_on"]),
        why=why,
        days=days,
        is_extension=is_extension,
        is_merge=line.kind in ("merged_in", "unmerged_from"),
    )


def _day(day: Mapping[str, object]) -> str:
    """A day that changed: its name, its date, and whether it is a holiday now or is worked."""
    called = str(day["name_bn"] if language() == "bn" else day["name_en"])
    on = show_date(date.fromisoformat(str(day["on"])))
    if day["is_off"]:
        return gettext("%(date)s became a holiday (%(name)s)", date=on, name=called)
    return gettext("%(date)s is worked (%(name)s)", date=on, name=called)
