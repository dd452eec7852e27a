"""Playing one clock again under other rules: when would it have been due, and which rungs would it have climbed? Pure.

What people did is taken as it was: when the clock began and ended, when the complainant was asked, when more time was
granted. The play goes through these acts in their order, as the system does. So a question asked after the rehearsed due
date stops nothing, an extension granted after it comes too late, and nothing climbs while the clock stands still. Between
the acts a perfect sweep passes at every instant at which a rung is due.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from grm.deadlines.calendar import Calendar, Day
from grm.deadlines.policy import SPECIFICITY, Policy, PolicyFacts, Unit, decide
from grm.deadlines.reckoning import Due, Pause, due
from grm.deadlines.rungs import Rung, rung_instant, rungs_of
from grm.escalation import ladder
from grm.kernel.errors import Misconfigured

Change = Literal["newly_late", "no_longer_late", "moved", "retimed"]
CHANGES: tuple[Change, ...] = ("newly_late", "no_longer_late", "moved", "retimed")
"""What a proposal does to a clock: late only now; late no longer; due on another day; or only its rungs come at other times."""

TIER_OF_MAIN_CLOCK = {"resolve": "gro", "appeal": "appeal", "cell": "cell", "comply": "cell"}


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """What happened to a clock, whatever its rules: begun, ended (None: still to be done), stood still, extended."""

    kind: str
    started_at: datetime
    ended_at: datetime | None = None
    pauses: tuple[Pause, ...] = ()
    extension_days: int = 0
    extended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules a clock is played under: so many units, by a calendar."""

    limit: int
    unit: Unit
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Step:
    """A rung that is climbed, and when."""

    level: int
    role: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of a clock under some rules: its date, whether it is missed, and the rungs climbed, in order."""

    due_on: date
    due_at: datetime
    is_late: bool
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case lies, and with whom."""

    office_id: int
    desk: str
    assignee_id: int | None = None


IsVacant = Callable[[Rung, datetime], bool]


def play(
    clock: ClockFacts,
    terms: Terms,
    rungs: Sequence[Rung],
    horizon: datetime,
    is_vacant: IsVacant = lambda rung, at: False,
) -> Outcome:
    """The outcome of a clock under these terms, as far as it is known at `horizon`.

    A step done at the very instant at which a rung is due is not escalated. Where the clock still stands still, its date
    is the one before the pause and nothing is missed.
    """
    ends_at = min(clock.ended_at or horizon, horizon)
    run = _Run(clock, terms, rungs, is_vacant)
    for act in _acts(clock):
        at = act.from_at if isinstance(act, Pause) else act
        if at >= ends_at:
            break
        run.climb_until(at)
        if run.due.due_at <= at:
            break  # missed: neither a question nor a late extension helps
        if isinstance(act, datetime):
            run.extend(clock.extension_days)
        elif act.until_at is None:
            return run.outcome(is_late=False)
        else:
            run.stand_still(act)
    run.climb_until(ends_at)
    return run.outcome(is_late=run.due.due_at <= ends_at)


class _Run:
    """A clock under way."""

    def __init__(self, clock: ClockFacts, terms: Terms, rungs: Sequence[Rung], is_vacant: IsVacant) -> None:
        self._clock, self._terms, self._is_vacant = clock, terms, is_vacant
        self._rungs = {rung.level: rung for rung in rungs_of(rungs, clock.kind)}
        self._level = min(self._rungs, default=None)
        self._runs_from = clock.started_at
        self._pauses: list[Pause] = []
        self._extension_days = clock.extension_days if clock.extended_at is None else 0
        self._steps: list[Step] = []
        self.due = self._reckon()

    def climb_until(self, until: datetime) -> None:
        """Take every rung that is due before an instant."""
        while self._level is not None:
            at = max(rung_instant(self._rungs[self._level], self.due.due_on, self._terms.calendar), self._runs_from)
            if at >= until:
                return
            self._climb_at(at)

    def extend(self, days: int) -> None:
        """Grant more days."""
        self._extension_days += days
        self.due = self._reckon()

    def stand_still(self, pause: Pause) -> None:
        """Go through a pause that has ended."""
        assert pause.until_at is not None
        self._pauses.append(pause)
        self._runs_from = max(self._runs_from, pause.until_at)
        self.due = self._reckon()

    def outcome(self, is_late: bool) -> Outcome:
        """What has come of it."""
        return Outcome(self.due.due_on, self.due.due_at, is_late, tuple(self._steps))

    def _climb_at(self, at: datetime) -> None:
        found = ladder.climb(
            self._rungs.values(),
            self._clock.kind,
            self._level,
            self.due.due_on,
            self._terms.calendar,
            at,
            lambda rung: self._is_vacant(rung, at),
        )
        self._steps += [Step(step.rung.level, step.rung.role, at) for step in found.steps]
        self._level = found.next_level

    def _reckon(self) -> Due:
        terms = self._terms
        return due(
            self._clock.started_at,
            terms.limit,
            terms.unit,
            self._pauses,
            terms.calendar,
            extension_days=self._extension_days,
        )


def _acts(clock: ClockFacts) -> list[Pause | datetime]:
    """The pauses and the grant of more time, in order."""
    acts: list[Pause | datetime] = list(clock.pauses)
    if clock.extension_days and clock.extended_at is not None:
        acts.append(clock.extended_at)
    return sorted(acts, key=lambda act: act.from_at if isinstance(act, Pause) else act)


def choose(
    stored: Policy,
    proposed: Iterable[Policy],
    facts: PolicyFacts,
    ended_ids: frozenset[int] = frozenset(),
    others: Sequence[Policy] = (),
    started_on: date = date.max,
) -> Policy:
    """Which policy a clock would have had: a proposed one that fits and is no less specific than its own, else its own.

    Proposed policies count as if they had always been in force; of several for the same cases the last one does. If the
    clock's own is to end, the best of the `others` that held on the day of its start takes its place.
    """
    own: Policy | None = stored
    if stored.id in ended_ids:
        own = _best_left(others, facts, ended_ids, started_on)
    best = max(
        (policy for policy in proposed if policy.kind == facts.kind and _fits(policy, facts)),
        key=lambda policy: (_shape(policy), policy.valid_from, -policy.id),
        default=None,
    )
    if best is not None and (own is None or _shape(best) >= _shape(own)):
        return best
    return own or stored


def change_of(before: Outcome, after: Outcome, was_late: bool) -> Change | None:
    """What the proposal does to a clock, None if nothing: `before` and `after` are played, `was_late` really happened."""
    if (before.due_on, before.is_late, before.steps) == (after.due_on, after.is_late, after.steps):
        return None
    if after.is_late != was_late:
        return "newly_late" if after.is_late else "no_longer_late"
    return "moved" if after.due_on != before.due_on else "retimed"


def place_at(moves: Sequence[tuple[datetime, Place]], at: datetime) -> Place:
    """Where a case lay at an instant; `moves` are in order, and before the first of them it lay there too."""
    return moves[max(0, bisect_right(moves, at, key=lambda move: move[0]) - 1)][1]


def with_days(calendar: Calendar, days: Mapping[date, Day | None]) -> Calendar:
    """A calendar with announced days added, changed and (None) taken back."""
    if not days:
        return calendar
    merged = {on: day for on, day in {**calendar.days, **days}.items() if day is not None}
    return replace(calendar, days=merged)


def _best_left(
    others: Sequence[Policy], facts: PolicyFacts, ended_ids: frozenset[int], started_on: date
) -> Policy | None:
    try:
        return decide([policy for policy in others if policy.id not in ended_ids], facts, started_on).policy
    except Misconfigured:
        return None


def _fits(policy: Policy, facts: PolicyFacts) -> bool:
    return all(getattr(policy, name) in (None, getattr(facts, name)) for name in SPECIFICITY)


def _shape(policy: Policy) -> tuple[bool, ...]:
    return tuple(getattr(policy, name) is not None for name in SPECIFICITY)
