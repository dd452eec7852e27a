"""The ladder: when each rung is due, who hears of it, and what happens to empty chairs."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.deadlines.calendar import DHAKA
from grm.deadlines.rungs import Rung, first_rung, rung_after, rung_instant
from grm.escalation.ladder import Candidate, Climb, Holder, climb, next_filled, resolve_holder, vacant_role
from tests.unit.deadlines.samples import CALENDAR

RESOLVE = [
    Rung("resolve", 0, -3, "holder"),
    Rung("resolve", 1, 0, "gro"),
    Rung("resolve", 2, 5, "appeal_officer"),
    Rung("resolve", 3, 10, "cell_officer"),
]
LADDER = [Rung("acknowledge", 0, 0, "holder"), *reversed(RESOLVE)]
DUE_ON = date(2026, 2, 19)

GRO, GRO_ALTERNATE = Candidate(1, 10, 100), Candidate(2, 10, 100, is_alternate=True)
APPEAL, APPEAL_ALTERNATE = Candidate(3, 11, 100), Candidate(4, 11, 100, is_alternate=True)
CELL, CELL_SECOND = Candidate(5, 12, 200), Candidate(6, 13, 200)
POSTS = {"gro": [GRO, GRO_ALTERNATE], "appeal_officer": [APPEAL, APPEAL_ALTERNATE], "cell_officer": [CELL, CELL_SECOND]}
CASE_OFFICER = 50


def midnight(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=DHAKA).astimezone(UTC)


def levels(found: Climb) -> list[int]:
    return [step.rung.level for step in found.steps]


def officer(
    role: str, holder: int | None, posts: dict[str, list[Candidate]] | None = None, **more: object
) -> int | None:
    found = resolve_holder(role, POSTS if posts is None else posts, holder, **more)  # type: ignore[arg-type]
    return found.officer_id if found else None


@pytest.mark.parametrize(
    "level, expected",
    [(0, midnight(2026, 2, 16)), (1, midnight(2026, 2, 20)), (2, midnight(2026, 2, 27)), (3, midnight(2026, 3, 6))],
)
def test_a_warning_comes_at_the_start_of_its_day_and_a_rung_at_the_end(level: int, expected: datetime) -> None:
    """Due on Thursday 19 February 2026: warning Monday 00:00, then the nights after Thursday 19, 26 and
    5 March."""
    assert rung_instant(RESOLVE[level], DUE_ON, CALENDAR) == expected


def test_rungs_skip_the_eid_holidays() -> None:
    assert rung_instant(RESOLVE[2], date(2025, 6, 3), CALENDAR) == midnight(2025, 6, 19)
    assert rung_instant(RESOLVE[0], date(2025, 6, 16), CALENDAR) == midnight(2025, 6, 3)


def test_rungs_are_found_by_kind_and_level() -> None:
    assert first_rung(LADDER, "resolve") == RESOLVE[0]
    assert first_rung(LADDER, "acknowledge") == LADDER[0]
    assert first_rung(LADDER, "appeal") is None
    assert [rung_after(LADDER, "resolve", level) for level in (-1, 0, 1, 2)] == RESOLVE
    assert rung_after(LADDER, "resolve", 3) is rung_after(LADDER, "acknowledge", 0) is None


@pytest.mark.parametrize(
    "as_of, expected, next_level",
    [
        (midnight(2026, 2, 16) - timedelta(microseconds=1), [], 0),
        (midnight(2026, 2, 16), [0], 1),
        (midnight(2026, 2, 20) - timedelta(microseconds=1), [0], 1),
        (midnight(2026, 2, 20), [0, 1], 2),
        (midnight(2026, 3, 1), [0, 1, 2], 3),
        (midnight(2027, 1, 1), [0, 1, 2, 3], None),
    ],
)
def test_a_climb_takes_each_due_rung_in_order_and_never_early(
    as_of: datetime, expected: list[int], next_level: int | None
) -> None:
    found = climb(LADDER, "resolve", 0, DUE_ON, CALENDAR, as_of)
    assert (levels(found), found.next_level) == (expected, next_level)
    assert (found.next_rung_at is None) == (next_level is None)
    assert found.next_rung_at is None or found.next_rung_at > as_of
    assert all(step.due_at <= as_of for step in found.steps)


@given(
    st.dates(date(2025, 1, 1), date(2025, 12, 1)),
    st.lists(st.integers(-30 * 24, 60 * 24), min_size=1, max_size=6).map(sorted),
    st.sampled_from(["resolve", "acknowledge"]),
)
def test_many_looks_climb_what_one_look_climbs_and_a_second_look_nothing(
    due_on: date, hours: list[int], kind: str
) -> None:
    instants = [midnight(due_on.year, due_on.month, due_on.day) + timedelta(hours=hour) for hour in hours]
    once = climb(LADDER, kind, 0, due_on, CALENDAR, instants[-1])
    level: int | None = 0
    taken: list[int] = []
    for as_of in instants:
        found = climb(LADDER, kind, level, due_on, CALENDAR, as_of)
        taken += levels(found)
        level = found.next_level
        assert climb(LADDER, kind, level, due_on, CALENDAR, as_of).steps == ()
    assert (taken, level) == (levels(once), once.next_level)


def test_a_finished_ladder_stays_finished() -> None:
    assert climb(LADDER, "resolve", None, DUE_ON, CALENDAR, midnight(2030, 1, 1)) == Climb((), None, None)
    assert climb(LADDER, "appeal", 0, DUE_ON, CALENDAR, midnight(2030, 1, 1)) == Climb((), None, None)


def test_a_rung_waits_for_the_one_below() -> None:
    crossed = [Rung("resolve", 1, 10, "gro"), Rung("resolve", 2, 1, "appeal_officer")]
    found = climb(crossed, "resolve", 1, DUE_ON, CALENDAR, midnight(2026, 2, 27))
    assert (found.steps, found.next_level, found.next_rung_at) == ((), 1, midnight(2026, 3, 6))


@pytest.mark.parametrize(
    "role, holder, expected",
    [
        ("gro", CASE_OFFICER, GRO),
        ("gro", None, GRO),
        ("gro", 1, APPEAL),  # the GRO holds the case himself: the post above
        ("gro", 2, GRO),  # his alternate holds it: the GRO himself hears of it
        ("appeal_officer", 1, APPEAL),
        ("appeal_officer", 3, CELL),
        ("cell_officer", 1, CELL),
    ],
)
def test_a_rung_goes_to_its_post_or_above_the_holder(role: str, holder: int | None, expected: Candidate) -> None:
    assert officer(role, holder) == expected.officer_id


def test_above_the_top_there_is_nobody() -> None:
    assert officer("cell_officer", 5, {"cell_officer": [CELL]}) == 5


def test_the_answer_names_post_office_and_role() -> None:
    assert resolve_holder("gro", POSTS, 1) == Holder(3, 11, 100, False, "appeal_officer")
    assert resolve_holder("holder", POSTS, 2) == Holder(2, 10, 100, True, "gro")


def test_the_warning_goes_to_the_holder_or_to_the_desk() -> None:
    assert officer("holder", CASE_OFFICER) == CASE_OFFICER
    assert officer("holder", None) == GRO.officer_id
    assert officer("holder", None, floor="appeal_officer") == APPEAL.officer_id
    assert officer("holder", None, {"cell_officer": [CELL]}) is None


def test_the_alternate_acts_where_the_regular_is_away() -> None:
    away = POSTS | {"gro": [GRO_ALTERNATE]}
    assert resolve_holder("gro", away, CASE_OFFICER) == Holder(2, 10, 100, True, "gro")
    assert officer("gro", 2, away) == APPEAL.officer_id


@pytest.mark.parametrize("role", ["gro", "appeal_officer", "cell_officer"])
def test_a_vacant_post_is_a_gap_and_not_silently_skipped(role: str) -> None:
    assert officer(role, CASE_OFFICER, {**POSTS, role: []}) is None
    assert officer(role, CASE_OFFICER, {name: filled for name, filled in POSTS.items() if name != role}) is None


def test_a_vacant_post_above_the_holder_is_a_gap_too() -> None:
    assert officer("gro", 1, {"gro": [GRO], "cell_officer": [CELL]}) is None


def test_neither_the_accused_nor_his_alternate_hears_of_it() -> None:
    assert officer("gro", CASE_OFFICER, excluded_officer_ids={1}) == APPEAL.officer_id
    assert officer("gro", CASE_OFFICER, excluded_officer_ids={1, 3}) == CELL.officer_id
    assert officer("cell_officer", CASE_OFFICER, excluded_officer_ids={5}) == CELL_SECOND.officer_id
    assert officer("cell_officer", CASE_OFFICER, excluded_officer_ids={5, 6}) is None
    assert officer("holder", 1, excluded_officer_ids={1}) == APPEAL.officer_id


@pytest.mark.parametrize("role", ["holder", "gro", "appeal_officer"])
def test_a_case_at_the_appeal_desk_never_goes_below_it(role: str) -> None:
    assert officer(role, None, floor="appeal_officer") == APPEAL.officer_id
    assert officer(role, None, floor="cell_officer") == CELL.officer_id
    assert officer("gro", 3, floor="appeal_officer") == CELL.officer_id


def test_a_vacant_rung_is_passed_at_once() -> None:
    """Level 1 falls due, its chair is empty: level 2 is due at the same instant, level 3 at its own."""
    found = climb(LADDER, "resolve", 1, DUE_ON, CALENDAR, midnight(2026, 2, 20), lambda rung: rung.role == "gro")
    assert [(step.rung.level, step.due_at) for step in found.steps] == [
        (1, midnight(2026, 2, 20)),
        (2, midnight(2026, 2, 20)),
    ]
    assert (found.next_level, found.next_rung_at) == (3, midnight(2026, 3, 6))


def test_a_warning_that_nobody_hears_escalates_nothing_early() -> None:
    found = climb(LADDER, "resolve", 0, DUE_ON, CALENDAR, midnight(2026, 2, 16), lambda rung: True)
    assert (levels(found), found.next_level, found.next_rung_at) == ([0], 1, midnight(2026, 2, 20))


def test_the_top_rung_vacant_ends_the_ladder() -> None:
    found = climb(LADDER, "resolve", 1, DUE_ON, CALENDAR, midnight(2026, 2, 20), lambda rung: True)
    assert (levels(found), found.next_level) == ([1, 2, 3], None)
    assert {step.due_at for step in found.steps} == {midnight(2026, 2, 20)}


def test_the_gap_has_a_name_and_the_next_filled_post_is_known() -> None:
    without_gro = {"gro": [], "appeal_officer": [APPEAL], "cell_officer": [CELL]}
    assert vacant_role("holder", without_gro, None) == vacant_role("gro", without_gro, None) == "gro"
    assert vacant_role("gro", {"gro": [GRO], "cell_officer": [CELL]}, 1) == "appeal_officer"
    assert next_filled("gro", without_gro, None) == Holder(3, 11, 100, False, "appeal_officer")
    assert next_filled("gro", {"cell_officer": [CELL]}, None) == Holder(5, 12, 200, False, "cell_officer")
    assert next_filled("gro", {}, None) is None


def test_at_the_top_a_colleague_of_the_holder_hears_of_it() -> None:
    assert officer("cell_officer", 5, floor="cell_officer") == CELL_SECOND.officer_id


CANDIDATES = st.builds(Candidate, st.integers(1, 6), st.integers(1, 4), st.just(100), st.booleans())
ANY_POSTS = st.fixed_dictionaries(
    {}, optional={role: st.lists(CANDIDATES, max_size=3) for role in ("gro", "appeal_officer", "cell_officer")}
)


@given(
    st.sampled_from(["holder", "gro", "appeal_officer", "cell_officer"]),
    ANY_POSTS,
    st.none() | st.integers(1, 7),
    st.sets(st.integers(1, 7), max_size=4),
    st.sampled_from(["gro", "appeal_officer", "cell_officer"]),
)
def test_never_the_accused_never_below_the_floor_never_an_unposted_officer(
    role: str, posts: dict[str, list[Candidate]], holder: int | None, excluded: set[int], floor: str
) -> None:
    found = resolve_holder(role, posts, holder, excluded, floor)
    if found is None:
        return
    assert found.officer_id not in excluded
    heights = ["gro", "appeal_officer", "cell_officer"]
    if role == "holder" and found.officer_id == holder:
        return
    assert heights.index(found.role) >= heights.index(floor)
    assert found.officer_id in {candidate.officer_id for candidate in posts[found.role]}
