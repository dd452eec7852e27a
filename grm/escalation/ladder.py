"""The ladder: which post hears of a late case, and when. Pure: the sweep brings the facts and the
instant.

Three roles stand above one another: GRO, appeal officer, Cabinet Division cell. A rung goes to whoever
sits in its post on that day. It rises by one post where the rung's post is the one that holds the case
(nobody is told of his own delay as if he were his superior) or is tainted (the complaint is about its
holder). A post without anybody is a gap: None, recorded by the caller, and passed at once.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from grm.deadlines.calendar import Calendar
from grm.deadlines.rungs import Rung, rung_instant, rungs_of

WARNING = 0
"""The level of a reminder: nothing is missed yet, so an empty chair there brings nothing forward."""

SUPERIORS = ("gro", "appeal_officer", "cell_officer")
"""The posts of the ladder, from the lowest up."""

HOLDER = "holder"
"""The role of a rung that goes to the officer who holds the case; unclaimed, to the desk where it lies."""


@dataclass(frozen=True, slots=True)
class Step:
    """A rung whose time has come, and since when."""

    rung: Rung
    due_at: datetime
    is_asked: bool = False
    """Whether its time was brought forward by the complainant."""


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


def climb(
    rungs: Iterable[Rung],
    deadline_kind: str,
    next_level: int | None,
    due_on: date,
    calendar: Calendar,
    as_of: datetime,
    is_vacant: Callable[[Rung], bool] = lambda rung: False,
    asked_level: int | None = None,
) -> Climb:
    """Every rung from `next_level` up that is due at `as_of`, one by one, also after an outage; a second
    look finds nothing.

    A rung is never taken before the one below it: where offsets are out of order it waits. A vacant rung is
    passed at once: the one above it is due at the same instant. Only a warning nobody hears brings nothing
    forward, because nothing is missed yet. The rungs up to `asked_level` are due now, whatever their time: the
    complainant of a late case asks for them.
    """
    steps: list[Step] = []
    if next_level is None:
        return Climb((), None, None)
    passed_at: datetime | None = None
    for rung in rungs_of(rungs, deadline_kind):
        if rung.level < next_level:
            continue
        due_at = rung_instant(rung, due_on, calendar)
        if passed_at is not None:
            due_at = min(due_at, passed_at)
        is_asked = asked_level is not None and rung.level <= asked_level and due_at > as_of
        if is_asked:
            due_at = as_of
        if due_at > as_of:
            return Climb(tuple(steps), rung.level, due_at)
        steps.append(Step(rung, due_at, is_asked))
        passed_at = due_at if rung.level > WARNING and is_vacant(rung) else None
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
    return _find(role, posts, holder_officer_id, excluded_officer_ids, floor)[0]


def vacant_role(
    role: str,
    posts: Mapping[str, Sequence[Candidate]],
    holder_officer_id: int | None,
    excluded_officer_ids: Collection[int] = (),
    floor: str = SUPERIORS[0],
) -> str:
    """The role of the post where the search of `resolve_holder` ended: the empty one if it found nobody."""
    return _find(role, posts, holder_officer_id, excluded_officer_ids, floor)[1]


def next_filled(
    above: str,
    posts: Mapping[str, Sequence[Candidate]],
    holder_officer_id: int | None,
    excluded_officer_ids: Collection[int] = (),
) -> Holder | None:
    """Who sits in the first filled post above a vacant one: hears of a warning that would reach nobody."""
    for role in SUPERIORS[_height(above) + 1 :]:
        found = resolve_holder(role, posts, holder_officer_id, excluded_officer_ids)
        if found is not None:
            return found
    return None


def _find(
    role: str,
    posts: Mapping[str, Sequence[Candidate]],
    holder_officer_id: int | None,
    excluded: Collection[int],
    floor: str,
) -> tuple[Holder | None, str]:
    if role == HOLDER:
        if holder_officer_id is not None and holder_officer_id not in excluded:
            return _as_holder(holder_officer_id, posts), HOLDER
        return _from_post(floor, posts, None, excluded)
    lowest = max(_height(role), _height(floor))
    return _from_post(SUPERIORS[lowest], posts, holder_officer_id, excluded)


def _from_post(
    role: str,
    posts: Mapping[str, Sequence[Candidate]],
    holder_officer_id: int | None,
    excluded: Collection[int],
) -> tuple[Holder | None, str]:
    for current in SUPERIORS[_height(role) :]:
        filled = posts.get(current, ())
        if not filled:
            return None, current
        tainted = {candidate.post_id for candidate in filled if candidate.officer_id in excluded}
        untainted = [candidate for candidate in filled if candidate.post_id not in tainted]
        if not untainted:
            continue
        chosen = untainted[0]
        if current == SUPERIORS[-1]:  # nobody is above: a colleague, if there is one
            chosen = next((one for one in untainted if one.officer_id != holder_officer_id), chosen)
        elif chosen.officer_id == holder_officer_id:
            continue
        return Holder(chosen.officer_id, chosen.post_id, chosen.office_id, chosen.is_alternate, current), current
    return None, SUPERIORS[-1]


def _as_holder(officer_id: int, posts: Mapping[str, Sequence[Candidate]]) -> Holder:
    for role in SUPERIORS:
        for candidate in posts.get(role, ()):
            if candidate.officer_id == officer_id:
                return Holder(officer_id, candidate.post_id, candidate.office_id, candidate.is_alternate, role)
    return Holder(officer_id, None, None, False, HOLDER)


def _height(role: str) -> int:
    return SUPERIORS.index(role)
