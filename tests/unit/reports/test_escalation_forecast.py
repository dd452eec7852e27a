"""What is about to be late: the forecast against one that tries every order of work."""

from datetime import date, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.reports.escalation_forecast import Pace, late_within, outlook, pace_of, within
from grm.tallies.figures import Line

TODAY = date(2026, 1, 8)  # a Thursday; Friday and Saturday are days off


def is_working(on: date) -> bool:
    return on.weekday() not in (4, 5)


def on(days: int) -> date:
    return TODAY + timedelta(days=days)


@pytest.mark.parametrize(
    ("due", "pace", "late_7", "late_14"),
    [
        ({}, Pace(0, 60), 0, 0),
        ({0: 3}, Pace(120, 60), 1, 1),  # two a day, three due today
        ({0: 2, 3: 3}, Pace(120, 60), 1, 1),  # nothing is done on Friday and Saturday
        ({-5: 40, 3: 4}, Pace(120, 60), 0, 0),  # what is late already takes no turn of what is not
        ({3: 1, 12: 1}, Pace(20, 60), 1, 0 + 1),  # a third of a case a day: two working days make none
        ({4: 1}, Pace(20, 60), 0, 0),
        ({7: 2, 8: 9}, Pace(0, 60), 2, 11),
        ({7: 1}, Pace(0, 0), 1, 1),  # an office without a past promises nothing
    ],
)
def test_what_cannot_be_done_in_time(due: dict[int, int], pace: Pace, late_7: int, late_14: int) -> None:
    dates = {on(days): number for days, number in due.items()}
    found = outlook(dates, pace, TODAY, is_working)
    assert (found.late[7], found.late[14]) == (late_7, late_14)
    assert found.due[7] == sum(number for days, number in due.items() if 0 <= days <= 7)


def test_the_pace_is_of_what_was_done_in_time() -> None:
    pace = pace_of(Line(in_time=50, extended=4, late=30, declined=6, withdrawn=9), 60)
    assert (pace.cases, pace.a_day) == (60, 1.0)
    assert Pace(5, 0).a_day == 0.0


days_due = st.dictionaries(st.integers(0, 9), st.integers(0, 4), max_size=6)


@given(days_due, st.integers(0, 9), st.integers(1, 4), st.integers(0, 9))
def test_no_order_of_work_does_better(due: dict[int, int], cases: int, working_days: int, horizon: int) -> None:
    dates = {on(days): number for days, number in due.items()}
    pace = Pace(cases, working_days)
    late = late_within(dates, pace, TODAY, horizon, is_working)
    # Of cases done in time, any choice fits in that needs no more by each day than there is by then (Hall's condition).
    known = [(days, number) for days, number in sorted(due.items()) if days <= horizon]
    best = 0
    for choice in product(*(range(number + 1) for _, number in known)):
        taken = list(zip((days for days, _ in known), choice, strict=True))
        fits = all(
            sum(number for earlier, number in taken if earlier <= day) * working_days
            <= cases * sum(is_working(on(ahead)) for ahead in range(day + 1))
            for day, _ in taken
        )
        best = max(best, sum(choice)) if fits else best
    assert late == within(dates, TODAY, horizon) - best


@given(days_due, st.integers(0, 30), st.integers(1, 60))
def test_more_pace_is_never_worse_and_a_longer_look_never_less(due: dict[int, int], cases: int, days: int) -> None:
    dates = {on(ahead): number for ahead, number in due.items()}
    slow, fast = (outlook(dates, Pace(each, days), TODAY, is_working) for each in (cases, cases + 1))
    assert fast.late[7] <= slow.late[7] <= slow.due[7] and slow.late[7] <= slow.late[14]
