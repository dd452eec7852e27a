"""Reconciliation: over random histories, every figure equals an independent recount of the event log.

A history is made by the real services (`tests/support/histories.py`) and recounted by `tests/support/recount.py`, which shares no
code with what makes the figures. A few short ones run in the suite; GRM_RECOUNTS=200 (`make recounts`) runs many long ones.
"""

import os
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.deadlines.calendar import dhaka_date
from grm.kernel import clock
from grm.kernel.actor import Actor
from grm.tallies.figures import NONE, TOTAL, Line, View
from grm.tallies.periods import AGE_BANDS
from grm.tallies.reading import read, series
from grm.tallies.stays import stays_of
from tests.support import build, recount, recount_stays
from tests.support.histories import World, month_starts
from tests.support.recount import Figures, Life

SHORT, SHORT_STEPS = 3, 110
LONG, LONG_STEPS = int(os.environ.get("GRM_RECOUNTS", "0")), 220
DAYS = 200
"""How far back a history begins."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A few short histories always, and as many long ones as are asked for."""
    if "steps" in metafunc.fixturenames:
        short = [(seed, SHORT_STEPS) for seed in range(SHORT)]
        metafunc.parametrize(("seed", "steps"), short + [(1_000 + seed, LONG_STEPS) for seed in range(LONG)])


def test_every_figure_equals_a_recount_of_the_event_log(session: Session, seed: int, steps: int) -> None:
    now = clock.now(session)
    session.rollback()
    world = World(session, seed, now - timedelta(days=DAYS))
    world.live(now, steps)
    found = recount.lives(session)
    assert_the_log_suffices(session, found)
    today = dhaka_date(now)
    assert_read(session, found, today)
    assert_stays(session)


# --- the ledger ---------------------------------------------------------------------------------------------------------


def assert_the_log_suffices(session: Session, found: list[Life]) -> None:
    """What the histories tell is what the rows of the cases say."""
    rows = session.execute(
        text(
            "SELECT id, office_id, desk, tier, main_clock, status, level, due_on, is_paused, received_on, ended_at, "
            "is_not_informed, due_at = (due_on + 1)::timestamp AT TIME ZONE 'Asia/Dhaka' AS is_midnight FROM cases ORDER BY id"
        )
    )
    replayed = {each.case_id: each for each in found}
    for row in rows:
        life = replayed[row.id]
        place = life.office_id, life.desk, life.tier, life.clock, life.status, life.level
        times = life.due_on, life.is_paused, life.received_on, life.ended_at, life.is_not_informed, True
        assert (row.id, *place, *times) == tuple(row)


# --- stays --------------------------------------------------------------------------------------------------------------


def assert_stays(session: Session) -> None:
    """Every stay of every case, in every column."""
    told = recount_stays.stays(session)
    rows = stays_of(session, sorted(told))
    kept = {(row.case_id, row.no): row._mapping for row in rows}
    counted = {
        (case_id, number): recount_stays.as_row(stay, number)
        for case_id, of_case in told.items()
        for number, stay in enumerate(of_case, 1)
    }
    assert set(kept) == set(counted)
    for key, row in counted.items():
        assert {name: kept[key][name] for name in row} == row


# --- the tallies --------------------------------------------------------------------------------------------------------

KEYS: dict[str, Callable[[Life], str]] = {
    "office": lambda life: str(life.office_id),
    "district": lambda life: str(life.district_id or NONE),
    "programme": lambda life: str(life.programme_id or NONE),
    "category": lambda life: str(life.category_id),
    "channel": lambda life: life.channel,
    "sex": lambda life: life.sex,
    "age_group": lambda life: life.age_group,
    "disability": lambda life: life.disability,
    "area": lambda life: life.area,
}


def in_view(view: View, life: Life, actor: Actor | None) -> bool:
    """Whether a case is of a view, said a second time."""
    if life.shade not in view.shades:
        return False
    if view.spine_ids is not None:
        of_spine = life.office_id if view.spine == "office" else life.district_id or 0
        if of_spine not in view.spine_ids:
            return False
    if view.only is not None and KEYS[view.only[0]](life) not in view.only[1]:
        return False
    return actor is None or not accuses(life, actor)


def accuses(life: Life, actor: Actor) -> bool:
    """Whether a case is about an actor."""
    posts = {seat.post_id for seat in actor.seats}
    return life.accuses(actor.officer_id, posts, {seat.office_id for seat in actor.seats})


def assert_read(session: Session, found: list[Life], today: date) -> None:
    """All views of the tallies: every dimension alone, crossed with offices and districts, in three scopes and four periods."""
    months = month_starts(today.replace(day=1) - timedelta(days=DAYS), 8)
    until = month_starts(today, 2)[1]
    periods = [(until - timedelta(days=400)).replace(day=1), until], [months[2], months[3]], [months[3], months[6]]
    offices = sorted({life.office_id for life in found})
    accused = [build.actor(session, name, today) for name in ("gro.social-welfare", "gro.food", "cabinet")]
    programmes = sorted({KEYS["programme"](life) for life in found})[:2]
    views = [View(periods[0][0], until, by=by) for by in (None, *KEYS)]
    for since, end in periods[1:]:
        views += [View(since, end, by=by) for by in ("office", "sex")]
    views += [
        *[View(*periods[0], spine="office", spine_ids=tuple(offices[:2]), by=by, shades=(0, 1)) for by in KEYS],
        *[View(*periods[0], spine="district", spine_ids=(districts(found)[0],), by=by) for by in (None, "programme")],
        View(*periods[0], only=("programme", tuple(programmes)), by="office", shades=(0,)),
        View(*periods[0], only=("sex", ("female", "unknown")), by="district"),
        *[View(*periods[0], by="office", excluding=actor) for actor in accused],
        *[View(*periods[0], excluding=actor, shades=(0,)) for actor in accused],
    ]
    for view in views:
        cases = [life for life in found if in_view(view, life, view.excluding)]
        lines = read(session, view)
        groups: dict[str, list[Life]] = {TOTAL: cases}
        if view.by is not None:
            groups |= recount.grouped(cases, lambda life, by=view.by: [KEYS[by](life)])  # type: ignore[misc]
        assert set(lines) <= set(groups), view
        for key, group in groups.items():
            counted = recount.figures(group, view.since, view.until, today)
            assert_line(lines.get(key, Line()), counted, today, (view, key))
    assert_series(session, found, View(*periods[0], by="office"), today)


def districts(found: Iterable[Life]) -> list[int]:
    """The districts of cases."""
    return sorted({life.district_id for life in found if life.district_id is not None})


def assert_line(line: Line, counted: Figures, today: date, where: Any) -> None:
    """One line of the tallies against the recount of its cases."""
    names = ("received", "in_time", "extended", "late", "resolved", "declined", "withdrawn", "open", "not_informed")
    names += ("appealed", "appeals_upheld", "appeals_rejected", "escalated", "rated")
    assert {name: getattr(line, name) for name in names} == {name: counted.count(name) for name in names}, where
    assert line.overdue(today) == counted.count("overdue"), where
    ages = {band.code: counted.count(f"overdue-{band.code}") for band in AGE_BANDS}
    assert line.overdue_by_age(today, AGE_BANDS) == ages, where
    assert line.escalated_by_level == tuple(counted.count(f"level-{level}") for level in (1, 2, 3)), where
    assert line.paused_count == counted.count("paused"), where
    assert list(line.stars) == counted.stars, where
    assert line.due == counted.due, where
    if line.received_by_day:
        assert dict(line.received_by_day) == counted.received_by_day, where
    for share, figure in ((0.5, line.median_days), (0.9, line.ninetieth_days)):
        assert figure == pytest.approx(counted.percentile(share)), where


def assert_series(session: Session, found: list[Life], view: View, today: date) -> None:
    """The months of a trend, each against the recount of its month."""
    trend = series(session, view)
    for key, group in {TOTAL: found, **recount.grouped(found, lambda life: [KEYS["office"](life)])}.items():
        for month in month_starts(view.since, 14):
            counted = recount.figures(group, month, month_starts(month, 2)[1], today)
            line = trend.get(key, {}).get(month, Line())
            names = ("received", "resolved", "in_time", "late", "declined", "appealed", "appeals_upheld", "rated")
            assert [getattr(line, name) for name in names] == [counted.count(name) for name in names], (key, month)


def instant(day: date, hour: int = 0) -> datetime:
    """An instant by the clock in Dhaka."""
    return build.dhaka(day.year, day.month, day.day, hour)
