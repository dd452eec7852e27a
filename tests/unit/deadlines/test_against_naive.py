"""More than ten thousand clocks, reckoned by the product and by a walk along the clock that shares nothing with it.

Each of the 127 weeks with a day off or none (all but seven days off) gets four calendars with holidays, clusters of Eid and
ordered Saturdays; each calendar gets twenty clocks around year ends, leap days, clusters, and the changes of the zone in
2009, with pauses that overlap, touch, begin and end at midnight, in all units, with and without extensions.

All of them are compared with a walk that looks at every minute from 2008 to 2030, once for all clocks together; and some 400 of
them, those around the changes of the zone among them, with a walk along every minute for each clock alone.
"""

import random
from datetime import UTC, date, timedelta
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grm.deadlines.calendar import Calendar, Day
from grm.deadlines.policy import Unit
from grm.deadlines.reckoning import Due, Pause, due, reckon
from tests.unit.deadlines import naive
from tests.unit.deadlines.naive import EPOCH, Task, Week, as_datetime

SEED = 20_260_101
WORLDS_PER_WEEK, CLOCKS_PER_WORLD, EACH_MINUTE_OF = 4, 20, 150
WEEKS = [frozenset(n for n in range(7) if mask >> n & 1) for mask in range(127)]
UNITS: tuple[Unit, ...] = ("working_days", "working_days", "calendar_days", "calendar_months")
LIMITS = {
    "working_days": (1, 2, 3, 7, 10, 20, 30, 60),
    "calendar_days": (1, 7, 15, 60),
    "calendar_months": (1, 1, 2, 12),
}
TURNS = (date(2009, 6, 19), date(2009, 12, 31), date(2010, 1, 1))
LEAPS = (
    date(2024, 2, 29),
    date(2020, 2, 28),
    date(2028, 2, 29),
    date(2023, 1, 31),
    date(2024, 1, 31),
    date(2023, 3, 31),
)


def ordinals(*days: date) -> set[int]:
    return {on.toordinal() for on in days}


def world(chance: random.Random, off: frozenset[int]) -> tuple[Week, Calendar, int]:
    """A calendar both ways, and the year it is about."""
    year = chance.choice((2009, 2019, 2023, 2024, 2025, 2026, 2027))
    first = date(year, 1, 1).toordinal()
    shut = {first + chance.randrange(-60, 430) for _ in range(chance.randrange(0, 25))}
    ordered: set[int] = set()
    for _ in range(chance.randrange(0, 3)):  # a cluster of Eid, and Saturdays to make up for it
        begin, length = first + chance.randrange(0, 365), chance.randrange(3, 11)
        shut |= set(range(begin, begin + length))
        ordered |= {begin + n for n in range(-21, 30) if (begin + n + 6) % 7 == 5 and chance.random() < 0.3}
    if chance.random() < 0.3:
        shut |= ordinals(date(year, 12, 31), date(year + 1, 1, 1))
    shut -= ordered
    days = {date.fromordinal(n): Day("holiday", "ছুটি", "off", "gazette") for n in shut}
    days |= {date.fromordinal(n): Day("working", "খোলা", "open", "order") for n in ordered}
    calendar = Calendar(1, ((date(1997, 1, 1), off),), days, date(year + 1, 6, 30))
    return Week(off, frozenset(shut), frozenset(ordered)), calendar, year


def clock(chance: random.Random, week: Week, year: int) -> Task:
    """A clock that starts where something is the matter."""
    around = [date(year, 12, 28).toordinal(), date(year, 1, 1).toordinal() + chance.randrange(365)]
    around += sorted(week.shut)[:1] + sorted(week.ordered)[:1]
    around += [on.toordinal() for on in (*LEAPS, *TURNS) if on.year == year]
    day = chance.choice(around) - chance.randrange(0, 12) - EPOCH
    # By the clock in Dhaka: any minute, the last and the first of a day, and the hour the zone turned.
    start = day * 1440 + chance.choice((chance.randrange(1440), 1439, 0, 17 * 60, 18 * 60, 18 * 60 - 1))
    unit = chance.choice(UNITS)
    limit = chance.choice(LIMITS[unit])
    extension = chance.choice((0, 0, 0, 1, 10, 20))
    pauses = []
    for _ in range(chance.choice((0, 0, 1, 1, 2, 3, 4))):
        begin = start + chance.choice((chance.randrange(0, 40 * 1440), chance.randrange(0, 30) * 1440))
        if chance.random() < 0.4:
            begin -= (begin - 18 * 60) % 1440  # midnight in Dhaka
        end = begin + chance.choice((0, 1, 1440, 7 * 1440, chance.randrange(20 * 1440)))
        if chance.random() < 0.4:
            end += -(end - 18 * 60) % 1440
        pauses.append((begin, end))
    if pauses and chance.random() < 0.3:
        pauses.append((pauses[0][1], pauses[0][1] + chance.randrange(5 * 1440)))  # one begins where another ends
    chance.shuffle(pauses)
    return Task(start, limit, unit, extension, tuple(pauses))


@cache
def cases() -> list[tuple[Week, Calendar, Task]]:
    chance = random.Random(SEED)
    found = []
    for off in WEEKS:
        for _ in range(WORLDS_PER_WEEK):
            week, calendar, year = world(chance, off)
            found += [(week, calendar, clock(chance, week, year)) for _ in range(CLOCKS_PER_WORLD)]
    return found


def pauses_of(task: Task) -> list[Pause]:
    return [Pause(as_datetime(begin, UTC), as_datetime(end, UTC), "asked") for begin, end in task.pauses]


def product(task: Task, calendar: Calendar) -> Due:
    unit: Unit = task.unit  # type: ignore[assignment]
    start = as_datetime(task.start, UTC)
    return due(start, task.limit, unit, pauses_of(task), calendar, extension_days=task.extension)


def said(task: Task, calendar: Calendar) -> tuple[int, int, int]:
    found = product(task, calendar)
    late_from = int(found.due_at.timestamp())
    assert late_from % 60 == 0
    return found.start_on.toordinal(), found.due_on.toordinal(), late_from // 60


def test_ten_thousand_clocks_end_when_a_walk_along_the_clock_says() -> None:
    assert len(cases()) >= 10_000
    wrong = [(task, said(task, calendar), naive.along(task, week)) for week, calendar, task in cases()
             if said(task, calendar) != naive.along(task, week)]  # fmt: skip
    assert not wrong, f"{len(wrong)} of {len(cases())}, the first: {wrong[0]}"


def test_the_walk_that_clocks_share_sees_what_each_sees_alone() -> None:
    sample = random.Random(SEED + 1).sample(cases(), EACH_MINUTE_OF)
    sample = [
        each for each in sample if len(each[0].off) < 5 or each[2].limit < 30
    ]  # a year of minutes is enough for each
    turns = [each for each in cases() if abs(each[2].start - naive.FORWARD) < 30 * 1440 or
             abs(each[2].start - naive.BACK) < 30 * 1440]  # fmt: skip
    for week, calendar, task in sample + random.Random(SEED + 2).sample(turns, 20):
        assert naive.along(task, week) == naive.walk(task, week) == said(task, calendar), task


def test_the_cases_are_what_they_claim_to_be() -> None:
    tasks = [task for _, _, task in cases()]
    starts = [date.fromordinal(naive.dhaka_day(task.start)) for task in tasks]
    assert sum(on.month == 12 and on.day >= 20 for on in starts) > 1_000
    assert sum((on.month, on.day) in ((2, 28), (2, 29), (1, 31)) for on in starts) > 50
    assert sum(naive.FORWARD <= task.start < naive.BACK for task in tasks) > 300
    assert sum(bool(task.extension) for task in tasks) > 3_000
    assert sum(len(task.pauses) > 1 for task in tasks) > 3_000
    assert sum(any((begin - 18 * 60) % 1440 == 0 for begin, _ in task.pauses) for task in tasks) > 1_000
    assert {task.unit for task in tasks} == set(UNITS)
    assert {week.off for week, _, _ in cases()} == set(WEEKS)
    assert sum(bool(week.ordered) for week, _, _ in cases()) > 2_000


def test_reckoning_again_changes_nothing_and_the_lines_add_up() -> None:
    for _, calendar, task in cases()[::12]:
        unit: Unit = task.unit  # type: ignore[assignment]
        first = product(task, calendar)
        start, pauses = as_datetime(task.start, UTC), pauses_of(task)
        full = reckon(start, task.limit, unit, pauses, calendar, extension_days=task.extension)
        assert first == product(task, calendar) == Due(full.start_on, full.due_on, full.due_at)
        counted = [line for line in full.days if line.verdict == "counted"]
        assert len(counted) == full.counted == full.needed == naive.days_to_count(task)
        assert [line.number for line in counted] == list(range(1, full.needed + 1))
        assert full.days[-1].on == full.due_on
        assert all(b.on - a.on == timedelta(days=1) for a, b in zip(full.days, full.days[1:], strict=False))
        # In whatever order the pauses are told, and told twice.
        again = due(start, task.limit, unit, [*reversed(pauses), *pauses], calendar, extension_days=task.extension)
        assert again == first


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(WEEKS))
def test_whatever_hypothesis_thinks_of(chance: random.Random, off: frozenset[int]) -> None:
    week, calendar, year = world(chance, off)
    task = clock(chance, week, year)
    assert said(task, calendar) == naive.along(task, week)


def test_a_longer_clock_never_ends_sooner() -> None:
    for _, calendar, task in cases()[::40]:
        longer = Task(task.start, task.limit, task.unit, task.extension + 1, task.pauses)
        before, after = product(task, calendar).due_at, product(longer, calendar).due_at
        # A day more may be a closed one, after which the clock of calendar days ended anyway.
        assert before < after if task.unit == "working_days" else before <= after


# --- as of any version ------------------------------------------------------------------------------------------------


def test_as_of_any_version_of_the_calendar_the_answer_is_the_same() -> None:
    """Days come and go in editions; what an edition said stays said."""
    chance = random.Random(SEED + 3)
    history: list[tuple[int, Calendar, dict[Task, Due]]] = []
    days: dict[date, Day] = {}
    off = frozenset({4, 5})
    tasks = [clock(chance, Week(off, frozenset(), frozenset()), 2026) for _ in range(60)]
    for version in range(1, 13):
        on = date(2026, 1, 1) + timedelta(chance.randrange(365))
        days = {each: day for each, day in days.items() if chance.random() < 0.9} | {on: Day("holiday", "ক", "A", "B")}
        calendar = Calendar(version, ((date(2005, 1, 1), off),), dict(days), date(2026, 12, 31))
        history.append((version, calendar, {task: product(task, calendar) for task in tasks}))
    for _, calendar, answers in reversed(history):
        assert {task: product(task, calendar) for task in tasks} == answers
    assert len({tuple(answers.values()) for _, _, answers in history}) > 6, "the editions do differ"


# --- a table ----------------------------------------------------------------------------------------------------------

TABLE = Path(__file__).with_name("ten_working_days.csv")


def table() -> list[tuple[date, date]]:
    rows = (line.split(",") for line in TABLE.read_text().splitlines() if not line.startswith(("#", "filed_on")))
    return [(date.fromisoformat(filed), date.fromisoformat(ends)) for filed, ends in rows]


def test_two_hundred_filing_dates_and_their_tenth_working_day() -> None:
    """The days of 2025 as `samples.py` has them: two Eids, two ordered Saturdays."""
    from tests.unit.deadlines.samples import CALENDAR, days_of_2025

    days = days_of_2025()
    week = Week(
        frozenset({4, 5}),
        frozenset(on.toordinal() for on, day in days.items() if day.kind == "holiday"),
        frozenset(on.toordinal() for on, day in days.items() if day.kind == "working"),
    )
    assert len(table()) == 200 and len({filed for filed, _ in table()}) == 200
    for filed, ends in table():
        task = Task((filed.toordinal() - EPOCH) * 1440 + 240, 10, "working_days", 0, ())
        assert product(task, CALENDAR).due_on == ends, filed
        assert naive.walk(task, week)[1] == ends.toordinal(), filed


@pytest.mark.parametrize(
    "filed, ends",
    [
        (date(2025, 3, 20), date(2025, 4, 13)),  # Independence Day and Eid-ul-Fitr in between
        (date(2025, 5, 8), date(2025, 5, 22)),  # Buddha Purnima off; the ordered Saturday of the 17th counts
        (date(2025, 5, 13), date(2025, 5, 25)),  # both ordered Saturdays count
        (date(2025, 6, 4), date(2025, 6, 26)),  # the whole break of Eid-ul-Azha
    ],
)
def test_lines_of_the_table_counted_by_hand(filed: date, ends: date) -> None:
    assert (filed, ends) in table()
