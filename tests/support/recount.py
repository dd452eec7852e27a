"""A second way to every figure: the histories of the cases are read from their first event on, in plain Python.

It shares no code with `grm.tallies`, `grm.returns` or `grm.reports`, so that a slip there shows as a difference. What became of a
case is taken from `case_event` alone; only what no event tells comes from elsewhere: programme, category, place, channel and
sensitivity of the case, who complains and who is accused, and whether a message that did not arrive still waits for somebody
(`contact_task`, whose rows say themselves when they were opened and closed).

`lives(session)` replays every case; `figures(…)` sorts the cases of a scope into the figures, each a set of case ids.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

SIX_HOURS = timedelta(hours=6)
"""Dhaka is six hours ahead of UTC the year round (no summer time since 2009); reckoned here without the zone's table."""
CHANNEL_GROUPS = {
    "web": "web",
    "call_centre": "333",
    "assisted": "conventional",
    "paper": "conventional",
    "letter": "conventional",
    "email": "conventional",
    "suo_motu": "suo_motu",
}
UPHELD = {"service_given", "instruction_executed", "proved", "partly_proved"}
DECISIONS = {"resolved", "recommended", "answered_together", "declined", "withdrawn"}
ENDED = {"resolved", "closed", "declined", "withdrawn"}
UNKNOWN = "unknown"


def dhaka_day(at: datetime) -> date:
    """The date in Dhaka of an instant."""
    return (at.astimezone(UTC) + SIX_HOURS).date()


@dataclass
class Life:
    """What a case has come to, by its history, and the few things that no event tells."""

    case_id: int
    number: str
    parent_id: int | None
    programme_id: int | None
    category_id: int
    district_id: int | None
    channel: str
    area: str
    sex: str
    age_group: str
    disability: str
    is_sensitive: bool
    accusations: tuple[tuple[int | None, int | None, int | None], ...]
    """(officer, post, office)."""
    is_not_informed: bool

    office_id: int = 0
    desk: str = ""
    tier: str = "gro"
    clock: str = "resolve"
    status: str = "filed"
    level: int = 0
    told: set[int] = field(default_factory=set)
    """The rungs that stand under the present clock."""
    received_on: date = date.min
    due_on: date = date.min
    ended_at: datetime | None = None
    is_paused: bool = False
    extended_clocks: set[str] = field(default_factory=set)
    appealed_on: date | None = None
    appeal_result: str | None = None
    appeal_decided_on: date | None = None
    rated_on: date | None = None
    stars: int | None = None

    @property
    def is_part(self) -> bool:
        """Whether this is a part of another case, and no complaint of its own."""
        return self.parent_id is not None

    @property
    def is_open(self) -> bool:
        """Whether somebody has still to decide."""
        return self.status not in ENDED

    @property
    def ended_on(self) -> date | None:
        """The day on which it ended, if it has."""
        return dhaka_day(self.ended_at) if self.ended_at is not None else None

    @property
    def shade(self) -> int:
        """Who may see it: 0 who sits at the desk, 1 who stands above it, 2 who may read sensitive ones."""
        return 2 if self.is_sensitive else 0 if self.desk == "gro" else 1

    @property
    def state(self) -> str:
        """Open, or how it ended; answered ones by whether that was in time."""
        if self.is_open:
            return "open"
        if self.status in ("declined", "withdrawn"):
            return self.status
        assert self.ended_on is not None
        if self.ended_on > self.due_on:
            return "late"
        return "extended" if self.clock in self.extended_clocks else "in_time"

    @property
    def days_taken(self) -> int:
        """From the receipt to the answer, in whole days."""
        assert self.ended_on is not None
        return (self.ended_on - self.received_on).days

    def accuses(self, officer_id: int | None, posts: Collection[int], offices: Collection[int]) -> bool:
        """Whether it is about this officer, a post held, or an office sat in."""
        return any(
            officer == officer_id if officer is not None else post in posts if post is not None else office in offices
            for officer, post, office in self.accusations
        )


@dataclass(frozen=True)
class Event:
    """One row of the history."""

    seq: int
    kind: str
    at: datetime
    data: Mapping[str, Any]


_CASES = text(
    """
    SELECT c.id, c.tracking_number, c.parent_id, c.programme_id, c.category_id, c.district_id, c.channel, c.is_sensitive,
        u.kind AS upazila_kind, p.sex, p.age_group, p.disability,
        EXISTS (SELECT FROM contact_task AS t WHERE t.case_id = c.id AND t.closed_at IS NULL) AS is_not_informed
    FROM cases AS c
    LEFT JOIN place AS u ON u.id = c.upazila_id
    LEFT JOIN complainant AS p ON p.case_id = c.id AND p.role = 'complainant'
    """
)


def histories(session: Session) -> dict[int, list[Event]]:
    """The events of every case, in order."""
    found: dict[int, list[Event]] = {}
    for row in session.execute(text("SELECT case_id, seq, kind, at, data FROM case_event ORDER BY case_id, seq")):
        found.setdefault(row.case_id, []).append(Event(row.seq, row.kind, row.at, row.data))
    return found


def lives(session: Session, *, is_replayed: bool = True) -> list[Life]:
    """Replay every case of the database; without `is_replayed` as they are before their first event."""
    accused: dict[int, list[tuple[int | None, int | None, int | None]]] = {}
    for row in session.execute(text("SELECT case_id, officer_id, post_id, office_id FROM accused")):
        accused.setdefault(row.case_id, []).append((row.officer_id, row.post_id, row.office_id))
    events = histories(session) if is_replayed else {}
    found = []
    for row in session.execute(_CASES):
        life = Life(
            case_id=row.id,
            number=row.tracking_number,
            parent_id=row.parent_id,
            programme_id=row.programme_id,
            category_id=row.category_id,
            district_id=row.district_id,
            channel=CHANNEL_GROUPS[row.channel],
            area={"city_corporation": "urban", "upazila": "rural", None: UNKNOWN}[row.upazila_kind],
            sex=row.sex or UNKNOWN,
            age_group=row.age_group or UNKNOWN,
            disability=row.disability or UNKNOWN,
            is_sensitive=row.is_sensitive,
            accusations=tuple(accused.get(row.id, ())),
            is_not_informed=row.is_not_informed,
        )
        for event in events.get(row.id, ()):
            happen(life, event)
        found.append(life)
    return found


def happen(life: Life, event: Event) -> None:
    """Let one event of its history happen to a case."""
    data, kind = event.data, event.kind
    if kind == "filed":
        life.office_id, life.desk = data["office_id"], data["desk"]
        life.received_on = _day(data.get("received_on")) or dhaka_day(event.at)
        life.due_on = date.fromisoformat(data["due_on"])
        return
    _move(life, event)
    _date(life, event)
    _climb(life, event)
    _end(life, event)
    if kind == "rated" and data["stage"] == "complaint":
        life.rated_on, life.stars = dhaka_day(event.at), data["stars"]
    elif kind in ("appealed", "contested"):
        life.appealed_on, life.appeal_result, life.appeal_decided_on = dhaka_day(event.at), "open", None
    elif life.appeal_result == "open" and kind in DECISIONS:  # the first that follows it
        life.appeal_result = "upheld" if data.get("outcome") in UPHELD else "rejected"
        life.appeal_decided_on = dhaka_day(event.at)


def _move(life: Life, event: Event) -> None:
    """Office, desk, tier and the clock it stands under."""
    data, kind = event.data, event.kind
    if kind == "returned" and life.is_part:
        return  # it ends where it is; the whole goes on at the other office
    if "to_office_id" in data:
        life.office_id, life.desk = data["to_office_id"], data["to_desk"]
    if kind in ("appealed", "own_motion"):
        life.tier = life.clock = data["tier"]
    elif kind == "recommended":
        life.clock = "comply"
    elif kind == "contested" and life.clock == "comply":
        life.clock = "cell"


BEGIN_ANEW = {"appealed", "contested", "own_motion", "recommended", "sent_back"}
"""The main clock begins at zero, and so does the level. (`sent_back` of a merged case speaks of its lead's clock.)"""


def _date(life: Life, event: Event) -> None:
    """The day until which it is to be decided, and whether the clock stands still."""
    data, kind = event.data, event.kind
    is_moved = False
    if kind == "sent_back" and data.get("with_lead"):
        return
    if kind in BEGIN_ANEW:
        life.due_on, life.level = date.fromisoformat(data["due_on"]), 0
        life.told.clear()
        life.is_paused = False
    elif kind == "merged":
        life.due_on = _day(data.get("own_due_on")) or life.due_on
    elif kind == "unmerged":
        life.due_on = date.fromisoformat(data["due_on"])
        life.told.clear()
    elif kind in ("redated", "extension_approved", "merged_in", "unmerged_from"):
        if data.get("deadline_kind") == life.clock and data.get("to_due_on"):
            life.due_on, is_moved = date.fromisoformat(data["to_due_on"]), True
        if kind == "extension_approved":
            life.extended_clocks.add(data["deadline_kind"])
        elif kind in ("merged_in", "unmerged_from") and is_moved:
            life.told.clear()  # another clock; the level reached stays
            if life.status == "waiting":
                life.is_paused = dhaka_day(event.at) <= life.due_on
    elif kind == "asked":
        life.is_paused = dhaka_day(event.at) <= life.due_on
    elif "status_from" in data and data["status_from"] == "waiting":
        life.due_on = _day(data.get("due_on")) or life.due_on
    if data.get("status_from") == "waiting" and data["status_to"] != "waiting":
        life.is_paused = False


def _climb(life: Life, event: Event) -> None:
    data = event.data
    if data.get("deadline_kind") != life.clock:
        return
    if event.kind == "escalated":
        life.told.add(data["level"])
        life.level = max(life.level, data["level"])
    elif event.kind == "escalation_withdrawn":
        life.told.discard(data["level"])
        life.level = min(life.level, max(life.told, default=0))


def _end(life: Life, event: Event) -> None:
    if "status_to" not in event.data:
        return
    was_open, life.status = life.is_open, event.data["status_to"]
    if life.is_open:
        life.ended_at = None
    elif was_open:
        life.ended_at = event.at


def _day(value: Any) -> date | None:
    return date.fromisoformat(value) if value else None


# --- figures ------------------------------------------------------------------------------------------------------------


@dataclass
class Figures:
    """The cases behind each figure of a line, by their ids; and the numbers that are no counts."""

    cases: dict[str, set[int]] = field(default_factory=dict)
    received_by_day: dict[date, int] = field(default_factory=dict)
    stars: list[int] = field(default_factory=lambda: [0] * 5)
    days: list[int] = field(default_factory=list)
    due: dict[date, int] = field(default_factory=dict)

    def add(self, figure: str, life: Life) -> None:
        """Count a case once."""
        of = self.cases.setdefault(figure, set())
        assert life.case_id not in of, f"{life.case_id} twice in {figure}"
        of.add(life.case_id)

    def ids(self, figure: str) -> set[int]:
        """The cases that a figure counts."""
        return self.cases.get(figure, set())

    def count(self, figure: str) -> int:
        """How many they are."""
        return len(self.ids(figure))

    def percentile(self, share: float) -> float | None:
        """A percentile of the days taken, between two neighbours in proportion."""
        if not self.days:
            return None
        ordered = sorted(self.days)
        place = share * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (place - below) * (ordered[above] - ordered[below])


AGES = ((1, 7, "1-7"), (8, 14, "8-14"), (15, 30, "15-30"), (31, 90, "31-90"), (91, 10**6, "91-"))


def figures(found: Iterable[Life], since: date, until: date, today: date) -> Figures:
    """All figures of a period, from one day up to before another, over the given cases."""
    line = Figures()

    def within(day: date | None) -> bool:
        return day is not None and since <= day < until

    for life in found:
        if life.is_open and life.level:
            line.add("escalated", life)
            line.add(f"level-{life.level}", life)
        if life.is_part:
            continue
        if within(life.received_on):
            line.add("received", life)
            line.received_by_day[life.received_on] = line.received_by_day.get(life.received_on, 0) + 1
        if not life.is_open and within(life.ended_on):
            line.add(life.state, life)
            if life.status in ("resolved", "closed"):
                line.add("resolved", life)
                line.days.append(life.days_taken)
        if life.is_not_informed:
            line.add("not_informed", life)
        if within(life.appealed_on):
            line.add("appealed", life)
        if within(life.appeal_decided_on):
            line.add(f"appeals_{life.appeal_result}", life)
        if within(life.rated_on):
            assert life.stars is not None
            line.add("rated", life)
            line.stars[life.stars - 1] += 1
        if life.is_open:
            _open(line, life, today)
    return line


def _open(line: Figures, life: Life, today: date) -> None:
    line.add("open", life)
    if life.is_paused:
        line.add("paused", life)
        return
    line.due[life.due_on] = line.due.get(life.due_on, 0) + 1
    if life.due_on < today:
        line.add("overdue", life)
        age = (today - life.due_on).days
        line.add(f"overdue-{next(code for low, high, code in AGES if low <= age <= high)}", life)


def grouped(found: Iterable[Life], key: Callable[[Life], Iterable[Any]]) -> dict[Any, list[Life]]:
    """The cases by a dimension; a case may stand under several values (a ministry in two clusters)."""
    groups: dict[Any, list[Life]] = {}
    for life in found:
        for value in key(life):
            groups.setdefault(value, []).append(life)
    return groups
