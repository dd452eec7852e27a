"""The ladder: which post hears of a late case, and when. Pure: the sweep brings the facts and the
instant.

Three roles stand above one another: GRO, appeal officer, Cabinet Division cell. A rung goes to whoever
sits in its post on that day. It rises by one post where the rung's post is the one that holds the case
(nobody is told of his own delay as if he were his superior) or is tainted (the complaint is about its
holder). A post without anybody is a gap: None, recorded by the caller, and passed at once.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from grm.deadlines.calendar import Calendar, dhaka_midnight, end_of_day

SUPERIORS = ("gro", "appeal_officer", "cell_officer")
"""The posts of the ladder, from the lowest up."""

HOLDER = "holder"
"""The role of a rung that goes to the officer who holds the case; unclaimed, to the desk where it lies."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder. A negative offset warns before the due date; 0 is the moment it is missed."""

    deadline_kind: str
    level: int
    offset_working_days: int
    role: str


@dataclass(frozen=True, slots=True)
class Step:
    """A rung whose time has come, and since when."""

    rung: Rung
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Climb:
    """What one look at a deadline finds: the steps to take now, in order, and the rung to wait for
    (None: the top is reached)."""

    steps: tuple[Step, ...]
    next_level: int | None
    next_rung_at: datetime | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An officer posted to a post of the ladder on the day."""

    officer_id: int
    post_id: int
    office_id: int
    is_alternate: bool = False


@dataclass(frozen=True, slots=True)
class Holder:
    """Who hears of a rung. `role` is the post's, which lies above the rung's where the rung had to rise."""

    officer_id: int
    post_id: int | None
    office_id: int | None
    is_alternate: bool
    role: str


def rung_instant(rung: Rung, due_on: date, calendar: Calendar) -> datetime:
    """From when the rung is due (UTC): a warning at 00:00 Dhaka of its day, any other at the end of its
    day."""
    on = calendar.add_working_days(due_on, rung.offset_working_days)
    return dhaka_midnight(on) if rung.offset_working_days < 0 else end_of_day(on)


def rungs_of(rungs: Iterable[Rung], deadline_kind: str) -> list[Rung]:
    """The rungs of one kind of deadline from the lowest level up."""
    return sorted(
        (rung for rung in rungs if rung.deadline_kind == deadline_kind), key=lambda rung: rung.level
    )


def first_rung(rungs: Iterable[Rung], deadline_kind: str) -> Rung | None:
    """The lowest rung, or None if this kind of deadline has no ladder."""
    return next(iter(rungs_of(rungs, deadline_kind)), None)


def rung_after(rungs: Iterable[Rung], deadline_kind: str, level: int) -> Rung | None:
    """The rung above `level`, or None at the top."""
    return next((rung for rung in rungs_of(rungs, deadline_kind) if rung.level > level), None)


def climb(
    rungs: Iterable[Rung],
    deadline_kind: str,
    next_level: int | None,
    due_on: date,
    calendar: Calendar,
    as_of: datetime,
) -> Climb:
    """Every rung from `next_level` up that is due at `as_of`, one by one, also after an outage; a second
    look finds nothing.

    A rung is never taken before the one below it: where offsets are out of order it waits.
    """
    steps: list[Step] = []
    if next_level is None:
        return Climb((), None, None)
    for rung in rungs_of(rungs, deadline_kind):
        if rung.level < next_level:
            continue
        due_at = rung_instant(rung, due_on, calendar)
        if due_at > as_of:
            return Climb(tuple(steps), rung.level, due_at)
        steps.append(Step(rung, due_at))
    return Climb(tuple(steps), None, None)


def resolve_holder(
    role: str,
    posts: Mapping[str, Sequence[Candidate]],
    holder_officer_id: int | None,
    excluded_officer_ids: Collection[int] = (),
    floor: str = SUPERIORS[0],
) -> Holder | None:
    """Who hears of a rung with this role, or None if the post is vacant.

    `posts` lists for each role who is posted there today in the case's office and above: the regular
    holder first, then the alternates; who is absent is left out. `floor` is the lowest role that may
    know of the case: `appeal_officer` for a case at the appeal desk, `cell_officer` at the cell.
    Officers the complaint is about are never chosen, nor the alternates of their post, who are their
    subordinates.
    """
    if role == HOLDER:
        if holder_officer_id is not None and holder_officer_id not in excluded_officer_ids:
            return _as_holder(holder_officer_id, posts)
        return _from_post(floor, posts, None, excluded_officer_ids)
    lowest = max(_height(role), _height(floor))
    return _from_post(SUPERIORS[lowest], posts, holder_officer_id, excluded_officer_ids)


def _from_post(
    role: str,
    posts: Mapping[str, Sequence[Candidate]],
    holder_officer_id: int | None,
    excluded: Collection[int],
) -> Holder | None:
    for current in SUPERIORS[_height(role) :]:
        filled = posts.get(current, ())
        if not filled:
            return None
        tainted = {candidate.post_id for candidate in filled if candidate.officer_id in excluded}
        untainted = [candidate for candidate in filled if candidate.post_id not in tainted]
        if not untainted:
            continue
        chosen = untainted[0]
        is_top = current == SUPERIORS[-1]
        if chosen.officer_id != holder_officer_id or is_top:
            return Holder(chosen.officer_id, chosen.post_id, chosen.office_id, chosen.is_alternate, current)
    return None


def _as_holder(officer_id: int, posts: Mapping[str, Sequence[Candidate]]) -> Holder:
    for role in SUPERIORS:
        for candidate in posts.get(role, ()):
            if candidate.officer_id == officer_id:
                return Holder(
                    officer_id, candidate.post_id, candidate.office_id, candidate.is_alternate, role
                )
    return Holder(officer_id, None, None, False, HOLDER)


def _height(role: str) -> int:
    return SUPERIORS.index(role)
