"""Lines add up, and their percentiles are those of the cases one by one."""

import random
from datetime import date, timedelta

import pytest

from grm.intake.screening import AGE_GROUPS, DISABILITIES, SEXES
from grm.tallies.figures import CODES, DIMENSIONS, NONE, Line, View, can_read, key_of, number_of, percentile, total
from grm.tallies.periods import AGE_BANDS

TODAY = date(2026, 3, 10)


def interpolated(days: list[int], share: float) -> float | None:
    """`percentile_cont` over the single cases, by its definition."""
    if not days:
        return None
    ordered = sorted(days)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = ordered[min(below + 1, len(ordered) - 1)]
    return ordered[below] + (above - ordered[below]) * (place - below)


@pytest.mark.parametrize("seed", range(40))
def test_percentiles_of_counts_are_those_of_the_single_cases(seed: int) -> None:
    rng = random.Random(seed)
    days = [rng.randrange(12) ** 2 for _ in range(rng.randrange(0, 30))]
    counts = {day: days.count(day) for day in rng.sample(sorted(set(days)), len(set(days)))}
    for share in (0.5, 0.9, 0.0, 1.0):
        assert percentile(counts, share) == pytest.approx(interpolated(days, share))


def test_a_line_says_how_old_what_is_overdue_is_and_at_which_level() -> None:
    def due(days_ago: int) -> date:
        return TODAY - timedelta(days=days_ago)

    line = Line(
        running={(0, due(0)): 5, (0, due(1)): 2, (3, due(7)): 1, (2, due(8)): 4, (1, due(400)): 8},
        paused={(1, due(20)): 16},
        parts={(2, due(2)): 32},
    )
    assert (line.open, line.overdue(TODAY), line.paused_count) == (36, 15, 16)
    assert line.overdue_by_age(TODAY, AGE_BANDS) == {"1-7": 3, "8-14": 4, "15-30": 0, "31-90": 0, "91-": 8}
    assert line.by_level == (7, 24, 4, 1)
    assert line.escalated_by_level == (24, 36, 1) and line.escalated == 61
    assert line.escalated_by_age(TODAY, AGE_BANDS) == {
        (3, "1-7"): 1,
        (2, "1-7"): 32,
        (2, "8-14"): 4,
        (1, "15-30"): 16,
        (1, "91-"): 8,
    }
    assert line.due[due(1)] == 2 and due(20) not in line.due, "a clock that stands still is not about to be late"


def test_lines_add_up_to_the_line_of_all() -> None:
    one = Line(received=2, in_time=1, stars=(1, 0, 0, 0, 2), days={3: 1}, running={(0, TODAY): 1})
    other = Line(late=2, appealed=1, stars=(0, 0, 0, 1, 0), days={3: 1, 50: 1}, running={(0, TODAY): 2, (1, TODAY): 1})
    both = total((one, other))
    assert (both.received, both.resolved, both.satisfied, both.rated, both.open) == (2, 3, 3, 4, 4)
    assert (both.median_days, both.days) == (3.0, {3: 2, 50: 1})
    assert total(()) == Line()


def test_keys_go_there_and_back_and_codes_are_those_of_the_form() -> None:
    for dimension, codes in CODES.items():
        for number, code in enumerate(codes):
            assert key_of(dimension, number) == code and number_of(dimension, code) == number
    assert (key_of("office", 0), number_of("programme", NONE), number_of("office", "12")) == (NONE, 0, 12)
    assert {number_of("sex", "neither"), number_of("office", "x"), number_of("office", "9" * 30)} == {-1}
    for name, values in (("sex", SEXES), ("age_group", AGE_GROUPS), ("disability", DISABILITIES)):
        assert CODES[name] == ("unknown", *values)


def test_two_dimensions_meet_where_one_is_an_office_or_a_district() -> None:
    assert all(can_read(one, place) for one in DIMENSIONS for place in ("office", "district", None, "all"))
    assert not can_read("programme", "category") and not can_read("office", "district", "sex")
    view = View(
        TODAY.replace(day=1), TODAY.replace(day=1), spine="office", spine_ids={3, 4}, only=("office", ("4", "9"))
    )
    assert view.conditions == {"office": (4,)}, "what is asked for is kept to what may be seen"
