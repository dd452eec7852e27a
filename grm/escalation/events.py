"""What the sweep has done, for the messages that follow from it."""

from dataclasses import dataclass
from datetime import date, datetime

from grm.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Climb:
    """One rung that a case has climbed.

    `officer_id` is who is to be told, None where the chair is empty. `office_id`, `role` and `post_id` are those of the
    rung, not of the case; with `is_vacant` they name the empty chair, and a warning's `officer_id` is who sits above it.
    """

    case_id: int
    tracking_number: str
    is_sensitive: bool
    deadline_id: int
    kind: str
    epoch: int
    level: int
    due_on: date
    due_at: datetime
    role: str
    office_id: int
    post_id: int | None
    officer_id: int | None
    is_alternate: bool
    is_vacant: bool
    is_asked: bool = False
    """Whether the complainant had it brought forward."""


@dataclass(frozen=True, slots=True)
class LadderClimbed(Event):
    """All rungs that one batch of a sweep has climbed, in order."""

    climbs: tuple[Climb, ...]


@dataclass(frozen=True, slots=True)
class RungRef:
    """One rung that was climbed, by what its messages are found by."""

    escalation_id: int
    case_id: int
    deadline_id: int
    epoch: int
    level: int


@dataclass(frozen=True, slots=True)
class DatesMoved(Event):
    """A change of the calendar has moved dates, and these rungs were climbed before their time by the new ones, told or not."""

    rungs: tuple[RungRef, ...]
    calendar_version: int
    why: str
    at: datetime
