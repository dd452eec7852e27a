"""Days charged to each post sum to the whole, on any history; and each day lies with whoever had the case at its end."""

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grm.cases.charges import COMPLAINANT, DECIDED, Charged, Holder, charge
from grm.deadlines.calendar import DHAKA
from grm.deadlines.reckoning import Pause


@dataclass(frozen=True)
class Event:
    kind: str
    at: datetime
    data: dict[str, Any] = field(default_factory=dict)


def dhaka(month: int, day: int, hour: int = 10, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=DHAKA)


def works(on: date) -> bool:
    return on.weekday() not in (4, 5)


FILED = Event("filed", dhaka(1, 4), {"office_id": 1, "desk": "gro"})
DESK = Holder("office", 1, "gro", "gro")
CLERK = Holder("office", 1, "gro", "gro", 7)
OTHER = Holder("office", 2, "gro", "gro")
APPEAL = Holder("office", 1, "appeal", "appeal")


def days(found: Charged) -> dict[Holder, int]:
    return {each.holder: each.days for each in found.charges}


def test_a_life_counted_by_hand() -> None:
    """Filed Sunday 4 January; taken on the 6th; asked on the 8th, answered on the 12th; referred on the 20th; decided by the
    other office on the 25th; appealed on the 28th; looked at on 1 February."""
    events = [
        FILED,
        Event("assigned", dhaka(1, 6), {"officer_id": 7, "status_to": "in_progress"}),
        Event("asked", dhaka(1, 8), {"status_to": "waiting"}),
        Event("answered", dhaka(1, 12), {"status_to": "in_progress"}),
        Event("escalated", dhaka(1, 13), {"level": 1, "officer_id": 99}),
        Event("referred", dhaka(1, 20), {"to_office_id": 2, "to_desk": "gro", "status_to": "acknowledged"}),
        Event("resolved", dhaka(1, 25), {"status_to": "resolved"}),
        Event(
            "appealed", dhaka(1, 28), {"to_office_id": 1, "to_desk": "appeal", "tier": "appeal", "status_to": "filed"}
        ),
    ]
    found = charge(events, [Pause(dhaka(1, 8), dhaka(1, 12))], dhaka(2, 1), works)
    assert days(found) == {DESK: 1, CLERK: 2 + 8, COMPLAINANT: 4, OTHER: 6, DECIDED: 2, APPEAL: 5}
    assert found.days == 28 == sum(days(found).values())
    assert found.working_days == 20 and not found.is_ended


@pytest.mark.parametrize(
    ("taken_at", "with_desk", "with_clerk"),
    [(dhaka(1, 8, 0), 3, 3), (dhaka(1, 8, 23, 59), 3, 3), (dhaka(1, 9, 0), 4, 2)],
)
def test_a_day_belongs_to_who_has_the_case_when_it_ends(taken_at: datetime, with_desk: int, with_clerk: int) -> None:
    found = charge([FILED, Event("assigned", taken_at, {"officer_id": 7})], [], dhaka(1, 10), works)
    assert days(found) == {DESK: with_desk, CLERK: with_clerk}


def test_an_ended_case_is_charged_to_its_decision_and_no_further() -> None:
    ended = Event("declined", dhaka(1, 7), {"status_to": "declined"})
    found = charge([FILED, ended], [], dhaka(3, 1), works)
    assert (found.days, found.is_ended, days(found)) == (3, True, {DESK: 3})
    answered = Event("resolved", dhaka(1, 7), {"status_to": "resolved"})
    closed = [FILED, answered, Event("closed", dhaka(2, 7), {"status_to": "closed"})]
    assert charge(closed, [], dhaka(3, 1), works).days == 3


def test_the_day_of_a_decision_stays_the_deciders_when_it_is_appealed_later() -> None:
    ended = Event("resolved", dhaka(1, 7), {"status_to": "resolved"})
    back = Event("contested", dhaka(1, 9), {"to_office_id": 1, "to_desk": "appeal", "status_to": "filed"})
    assert days(charge([FILED, ended, back], [], dhaka(1, 10), works))[DESK] == 3


def test_a_case_decided_on_the_day_it_was_filed_took_no_day() -> None:
    ended = Event("resolved", dhaka(1, 4, 17), {"status_to": "resolved"})
    found = charge([FILED, ended], [], dhaka(3, 1), works)
    assert (found.days, found.charges) == (0, ())


KINDS = ("assigned", "referred", "appealed", "contested", "resolved", "asked", "noted", "escalated", "closed")


def history(chance: random.Random) -> tuple[list[Event], list[Pause], datetime]:
    at = datetime(2025, 12, 20, tzinfo=UTC) + timedelta(minutes=chance.randrange(20 * 1440))
    events = [Event("filed", at, {"office_id": 1, "desk": "gro"})]
    pauses = []
    for _ in range(chance.randrange(14)):
        at += timedelta(minutes=chance.choice((0, 1, chance.randrange(1440), chance.randrange(9 * 1440))))
        kind = chance.choice(KINDS)
        data: dict[str, Any] = {}
        if kind == "assigned":
            data = {"officer_id": chance.randrange(1, 5), "status_to": "in_progress"}
        elif kind in ("referred", "appealed", "contested"):
            data = {
                "to_office_id": chance.randrange(1, 4),
                "to_desk": chance.choice(("gro", "appeal")),
                "status_to": "filed",
            }
        elif kind == "resolved":
            data = {"status_to": "resolved"}
        elif kind == "asked":
            until = at + timedelta(minutes=chance.randrange(8 * 1440))
            pauses.append(Pause(at, until if chance.random() < 0.9 else None))
        events.append(Event(kind, at, data))
    return events, pauses, at + timedelta(minutes=chance.randrange(9 * 1440))


def at_the_end_of(on: date, events: list[Event], pauses: list[Pause], now: datetime) -> tuple[Any, ...]:
    """The oracle: replay the whole history up to the last minute of one day, and say who has it."""
    midnight = datetime(on.year, on.month, on.day, tzinfo=DHAKA) + timedelta(days=1)
    office, desk, officer, decided_on, before = 0, "", None, None, None
    for event in events:
        if event.at >= midnight:
            break
        was = (office, desk, officer, decided_on is not None)
        if event.kind == "filed":
            office, desk = event.data["office_id"], event.data["desk"]
        if "to_office_id" in event.data:
            office, desk, officer = event.data["to_office_id"], event.data["to_desk"], None
        if event.kind == "assigned":
            officer = event.data["officer_id"]
        if event.data.get("status_to") == "resolved" and decided_on is None:
            decided_on, before = event.at.astimezone(DHAKA).date(), was
        elif "status_to" in event.data and event.data["status_to"] != "resolved":
            decided_on = None
    if decided_on is not None and (decided_on != on or before is None):
        return ("decided",)
    stood = any(
        each.from_at.astimezone(DHAKA).date() <= on < (each.until_at or now).astimezone(DHAKA).date() for each in pauses
    )
    return ("complainant",) if stood else ("office", office, desk, officer)


@settings(max_examples=500, deadline=None)
@given(st.randoms(use_true_random=False))
def test_parts_sum_to_the_whole_and_each_day_lies_where_a_replay_finds_it(chance: random.Random) -> None:
    events, pauses, now = history(chance)
    found = charge(events, pauses, now, works)
    assert sum(each.days for each in found.charges) == found.days == sum(span.days for span in found.spans)
    assert sum(each.working_days for each in found.charges) == found.working_days
    assert found.working_days == sum(works(found.filed_on + timedelta(n)) for n in range(1, found.days + 1))
    assert all(span.days > 0 for span in found.spans)
    on = found.filed_on
    for span in found.spans:
        assert span.after_on == on
        while on < span.until_on:
            on += timedelta(days=1)
            held = span.holder
            said = (held.kind, held.office_id, held.desk, held.officer_id) if held.kind == "office" else (held.kind,)
            assert said == at_the_end_of(on, events, pauses, now), on
    assert on == found.until_on
