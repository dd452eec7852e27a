"""A clock played again under other rules does what the system would have done at each of its acts.

Under the bare calendar a clock of 20 working days begun on Sunday 4 January 2026 is due on Sunday 1 February, one of 30 on
Sunday 15 February; the ladder is the one that is seeded for decisions.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from grm.deadlines.calendar import DHAKA, Day
from grm.deadlines.policy import Policy, PolicyFacts
from grm.deadlines.reckoning import Pause, due
from grm.deadlines.rungs import Rung
from grm.escalation.rehearsal import (
    ClockFacts,
    Outcome,
    Place,
    Step,
    Terms,
    change_of,
    choose,
    place_at,
    play,
    with_days,
)
from grm.escalation.rehearsal_tally import Tally, Told
from tests.unit.deadlines.samples import BARE

RUNGS = (
    Rung("resolve", 0, -3, "holder"),
    Rung("resolve", 1, 0, "gro"),
    Rung("resolve", 2, 5, "appeal_officer"),
    Rung("resolve", 3, 10, "cell_officer"),
)


def at(month: int, day: int, hour: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, tzinfo=DHAKA).astimezone(UTC)


FILED = at(1, 4, 10)
HORIZON = at(12, 1)
CLOCK = ClockFacts("resolve", FILED)
TWENTY, THIRTY = Terms(20, "working_days", BARE), Terms(30, "working_days", BARE)
WARNED, LEVEL_1, LEVEL_2, LEVEL_3 = at(1, 27), at(2, 2), at(2, 9), at(2, 16)


def steps(outcome: Outcome) -> list[tuple[int, datetime]]:
    return [(step.level, step.at) for step in outcome.steps]


def test_a_case_nobody_answers_climbs_the_whole_ladder() -> None:
    outcome = play(CLOCK, TWENTY, RUNGS, HORIZON)
    assert (outcome.due_on, outcome.due_at, outcome.is_late) == (date(2026, 2, 1), LEVEL_1, True)
    assert steps(outcome) == [(0, WARNED), (1, LEVEL_1), (2, LEVEL_2), (3, LEVEL_3)]
    assert play(CLOCK, THIRTY, RUNGS, HORIZON).due_on == date(2026, 2, 15)


def test_what_lies_after_the_horizon_is_not_known() -> None:
    outcome = play(CLOCK, TWENTY, RUNGS, LEVEL_2)
    assert steps(outcome) == [(0, WARNED), (1, LEVEL_1)] and outcome.is_late
    assert not play(CLOCK, TWENTY, RUNGS, LEVEL_1 - timedelta(microseconds=1)).is_late


def test_a_step_done_at_the_very_instant_is_late_but_climbs_nothing() -> None:
    outcome = play(replace(CLOCK, ended_at=LEVEL_1), TWENTY, RUNGS, HORIZON)
    assert (steps(outcome), outcome.is_late) == ([(0, WARNED)], True)
    in_time = play(replace(CLOCK, ended_at=LEVEL_1 - timedelta(microseconds=1)), TWENTY, RUNGS, HORIZON)
    assert not in_time.is_late


def test_a_pause_moves_the_date_and_nothing_climbs_in_it() -> None:
    """Five working days, Sunday 11 to Thursday 15 January, are not counted."""
    paused = replace(CLOCK, pauses=(Pause(at(1, 11), at(1, 18)),))
    outcome = play(paused, TWENTY, RUNGS, HORIZON)
    assert outcome.due_on == date(2026, 2, 8)
    assert steps(outcome)[0] == (0, at(2, 3))


def test_a_warning_before_a_pause_is_not_given_twice() -> None:
    paused = replace(CLOCK, pauses=(Pause(at(1, 28), at(2, 4)),))
    outcome = play(paused, TWENTY, RUNGS, HORIZON)
    assert (outcome.due_on, steps(outcome)[:2]) == (date(2026, 2, 8), [(0, WARNED), (1, at(2, 9))])


def test_a_rung_whose_time_came_in_the_pause_is_climbed_when_the_clock_goes_on() -> None:
    """The pause ends on the day it began, so it moves no date; the warning was due in it."""
    paused = replace(CLOCK, pauses=(Pause(WARNED - timedelta(hours=1), WARNED + timedelta(hours=9)),))
    outcome = play(paused, replace(TWENTY), RUNGS, HORIZON)
    [warning, *_] = steps(outcome)
    assert warning[1] >= WARNED + timedelta(hours=9)


def test_a_question_after_the_rehearsed_date_stops_nothing() -> None:
    asked = replace(CLOCK, pauses=(Pause(at(2, 4), at(2, 11)),))
    outcome = play(asked, TWENTY, RUNGS, HORIZON)
    assert (outcome.due_on, outcome.is_late) == (date(2026, 2, 1), True)
    assert steps(outcome)[1:3] == [(1, LEVEL_1), (2, LEVEL_2)]
    assert play(asked, THIRTY, RUNGS, HORIZON).due_on == date(2026, 2, 22), "under its own limit it came in time"


def test_a_clock_that_still_stands_still_is_not_missed() -> None:
    asked = replace(CLOCK, pauses=(Pause(at(1, 20), None),))
    outcome = play(asked, TWENTY, RUNGS, HORIZON)
    assert (outcome.due_on, outcome.is_late, outcome.steps) == (date(2026, 2, 1), False, ())


def test_an_extension_counts_from_when_it_was_granted() -> None:
    extended = replace(CLOCK, extension_days=10, extended_at=at(1, 29))
    outcome = play(extended, TWENTY, RUNGS, HORIZON)
    assert (outcome.due_on, steps(outcome)[:2]) == (date(2026, 2, 15), [(0, WARNED), (1, at(2, 16))])
    too_late = play(replace(extended, extended_at=at(2, 3)), TWENTY, RUNGS, HORIZON)
    assert (too_late.due_on, too_late.is_late) == (date(2026, 2, 1), True)
    assert play(replace(extended, extended_at=None), TWENTY, RUNGS, HORIZON).due_on == date(2026, 2, 15)


def test_an_empty_chair_is_passed_at_once_if_it_was_empty_that_day() -> None:
    def nobody_in_february(rung: Rung, when: datetime) -> bool:
        return rung.role == "gro" and when >= at(2, 1)

    outcome = play(CLOCK, TWENTY, RUNGS, HORIZON, nobody_in_february)
    assert steps(outcome) == [(0, WARNED), (1, LEVEL_1), (2, LEVEL_1), (3, LEVEL_3)]
    filled = play(CLOCK, TWENTY, RUNGS, HORIZON, lambda rung, when: rung.role == "gro" and when < at(2, 1))
    assert steps(filled)[2] == (2, LEVEL_2)


def test_a_proposed_holiday_moves_the_date() -> None:
    days = {date(2026, 1, 5): Day("holiday", "ক", "A", "gazette")}
    proposed = replace(TWENTY, calendar=with_days(BARE, days))
    assert play(CLOCK, proposed, RUNGS, HORIZON).due_on == date(2026, 2, 2)
    taken_back = replace(TWENTY, calendar=with_days(proposed.calendar, {date(2026, 1, 5): None}))
    assert play(CLOCK, taken_back, RUNGS, HORIZON).due_on == date(2026, 2, 1)


PAUSES = st.lists(
    st.tuples(st.integers(0, 24 * 60), st.integers(0, 24 * 14)).map(
        lambda hours: Pause(FILED + timedelta(hours=hours[0]), FILED + timedelta(hours=sum(hours)))
    ),
    max_size=1,
).map(tuple)


@given(PAUSES, st.integers(1, 45), st.integers(0, 24 * 90))
def test_the_date_is_that_of_the_reckoning_whatever_happens(
    pauses: tuple[Pause, ...], limit: int, ended_after: int
) -> None:
    """One pause that began in time: the play must come to the very date that the clock's own reckoning gives."""
    ended_at = FILED + timedelta(hours=ended_after)
    clock = ClockFacts("resolve", FILED, ended_at, pauses)
    outcome = play(clock, Terms(limit, "working_days", BARE), RUNGS, HORIZON)
    begun = [pause for pause in pauses if pause.from_at < ended_at]
    assert outcome.due_on == due(FILED, limit, "working_days", begun, BARE).due_on
    assert outcome.is_late == (outcome.due_at <= ended_at)
    assert [step.level for step in outcome.steps] == list(range(len(outcome.steps)))
    assert all(step.at < ended_at for step in outcome.steps)
    assert (len(outcome.steps) > 1) == (outcome.due_at < ended_at)


# --- which policy ---------------------------------------------------------------------------------------------------

OWN = Policy(1, "resolve", "resolve", 30, "working_days", None, None, None, None, date(2015, 1, 1), None, "g")
FACTS = PolicyFacts("resolve", 5, "oms", "data-correction", "normal", "gro")


def proposed(number: int, **changes: object) -> Policy:
    return replace(OWN, id=-number, valid_from=date(2027, 1, number), **changes)  # type: ignore[arg-type]


def test_a_proposal_counts_as_if_always_in_force_and_the_last_of_several_does() -> None:
    first, second = proposed(1, limit=20), proposed(2, limit=15)
    assert choose(OWN, [second, first], FACTS) is second
    assert choose(OWN, [], FACTS) is OWN
    assert choose(OWN, [proposed(1, kind="appeal"), proposed(2, office_id=6)], FACTS) is OWN


def test_a_more_specific_rule_keeps_its_place_against_a_general_proposal() -> None:
    special = replace(OWN, id=2, category="data-correction", limit=10)
    assert choose(special, [proposed(1, limit=20)], FACTS) is special
    office = proposed(1, office_id=5, limit=25)
    assert choose(special, [office], FACTS) is office


def test_when_its_own_rule_ends_a_case_falls_back_to_the_next_best() -> None:
    special = replace(OWN, id=2, category="data-correction", limit=10)
    assert choose(special, [], FACTS, frozenset({2}), [OWN, special], date(2026, 1, 4)) is OWN
    general = proposed(1, limit=20)
    assert choose(special, [general], FACTS, frozenset({2}), [OWN, special], date(2026, 1, 4)) is general


def test_what_a_proposal_does_to_a_clock() -> None:
    late, later = play(CLOCK, TWENTY, RUNGS, HORIZON), play(CLOCK, THIRTY, RUNGS, HORIZON)
    answered = replace(CLOCK, ended_at=at(2, 5))
    missed, kept = (play(answered, terms, RUNGS, HORIZON) for terms in (TWENTY, THIRTY))
    assert change_of(kept, missed, was_late=False) == "newly_late"
    assert change_of(missed, kept, was_late=True) == "no_longer_late"
    assert change_of(later, late, was_late=True) == "moved"
    assert change_of(late, replace(late, steps=(Step(0, "holder", WARNED),)), was_late=True) == "retimed"
    assert change_of(late, late, was_late=True) is None


def test_where_a_case_lay_at_an_instant() -> None:
    here, there = Place(1, "gro", 7), Place(2, "appeal")
    moves = [(FILED, here), (LEVEL_1, there)]
    assert [place_at(moves, when) for when in (FILED - timedelta(1), FILED, LEVEL_1, HORIZON)] == [
        here,
        here,
        there,
        there,
    ]


def test_figures_can_be_put_away_and_taken_up_again() -> None:
    tally = Tally(cases=3, clocks=4)
    tally.count_change("food", "resolve", "newly_late")
    tally.count_would("food", "resolve", 1, Told(5, "gro", None), is_gap=True)
    tally.count_would("cell", "resolve", 3, Told(1, "cell_officer", 9), is_gap=False)
    tally.count_did("food", "resolve", 0)
    again = Tally.from_dict(tally.as_dict())
    assert again == tally
    assert (again.total.would, again.total.did, again.total.gaps) == ([0, 1, 0, 1], [1, 0, 0, 0], 1)
    assert again.total.changes == {"newly_late": 1}
    assert Tally.from_dict(None) == Tally()
