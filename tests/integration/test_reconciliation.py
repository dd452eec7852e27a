"""Reconciliation: over random histories, every figure equals an independent recount of the event log.

A history is made by the real services (`tests/support/histories.py`) and recounted by `tests/support/recount.py`, which shares no
code with what makes the figures. A few short ones run in the suite; GRM_RECOUNTS=200 (`make recounts`) runs many long ones.
"""

import inspect
import os
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.cases import service
from grm.cases.models import Accused
from grm.deadlines.calendar import dhaka_date
from grm.kernel import clock
from grm.kernel.actor import Actor
from grm.offices import edition
from grm.offices.models import Post
from grm.offices.queries import directory
from grm.reports import lists
from grm.returns import counting
from grm.returns.service import prepare_month, submit
from grm.tallies.figures import NONE, TOTAL, Line, View
from grm.tallies.folding import fold_all
from grm.tallies.periods import AGE_BANDS, month_of
from grm.tallies.reading import read, series
from grm.tallies.rebuilding import rebuild, verify
from grm.tallies.stays import stays_of
from tests.support import build, recount, recount_stays
from tests.support.histories import TEXT, World, month_starts
from tests.support.recount import Figures, Life
from tests.support.recount_lists import Sight, behind
from tests.support.recount_stays import Stay
from tests.support.report_pages import Reader, asked

SHORT = (
    (4, 100, 12),
    (7, 130, 0),
)
"""Seed, steps, and of how many links one is followed (0: no pages)."""
FEW = 10
"""Where so few links are followed, fewer pages are read."""
LONG, LONG_STEPS = int(os.environ.get("GRM_RECOUNTS", "0")), 220
DAYS = 200
"""How far back a history begins."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A few short histories always, and as many long ones as are asked for."""
    if "steps" in metafunc.fixturenames:
        many = [(1_000 + seed, LONG_STEPS, 3 if seed % 5 == 0 else 0) for seed in range(LONG)]
        metafunc.parametrize(("seed", "steps", "every"), [*SHORT, *many])


@pytest.mark.usefixtures("short_lists")
def test_every_figure_equals_a_recount_of_the_event_log(
    app: Flask, session: Session, seed: int, steps: int, every: int
) -> None:
    today = dhaka_date(clock.now(session))
    session.rollback()
    world = World(session, seed, instant(today - timedelta(days=DAYS)))
    world.live(instant(today), steps)  # a seed tells the same story all day long
    found = recount.lives(session)
    assert_the_log_suffices(session, found)
    assert_read(session, found, today)
    assert_stays(session)
    session.rollback()
    fold_all()
    assert session.scalar(text("SELECT count(*) FROM tally_due")) == 0
    assert_read(session, found, today)
    assert_stays(session, is_folded=True)
    assert list(verify()) == []
    if every:
        rebuild()
        assert list(verify()) == []
        people_of_reports(session, found)
        assert_pages(app, session, recount.lives(session), today, every)


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


def assert_stays(session: Session, *, is_folded: bool = False) -> None:
    """Every stay of every case, in every column: as it is made of the history, or as it is kept."""
    told = recount_stays.stays(session)
    rows = session.execute(text("SELECT * FROM stay")).all() if is_folded else stays_of(session, sorted(told))
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


# --- pages --------------------------------------------------------------------------------------------------------------

DIMENSIONS = (
    *("ministry", "cluster", "programme", "category", "district", "division", "channel", "stage", "sex", "age_group"),
    *("disability", "area"),
)
COORDINATOR, HEAD = "coordinator.social-welfare", "second.head"


def assert_pages(app: Flask, session: Session, found: list[Life], today: date, every: int) -> None:
    """Every number on overview, escalation report and return that opens a list: it is the recount, and so is the list. For the
    cell, a GRO, an appeal officer, a head and a coordinator, each of whom some case accuses. `every`-th link is followed."""
    book = directory(session)
    stays = [stay for of_case in recount_stays.stays(session).values() for stay in of_case]
    own = frozenset({build.office_id(session)})
    cluster = next(each for each in book.clusters if each.coordinator_ministry_id == book.ministry("social-welfare").id)
    overseen = frozenset(book.ministry(each).office_id for each in cluster.ministry_ids)
    readers: dict[str, tuple[frozenset[int] | None, frozenset[int]]] = {
        "cabinet": (None, frozenset({0, 1, 2})),
        "gro.social-welfare": (own, frozenset({0})),
        "appeal.social-welfare": (own, frozenset({0, 1, 2})),
        HEAD: (own, frozenset({0, 1, 2})),
        COORDINATOR: (overseen, frozenset({0, 1})),
    }
    followed = 0
    for username, (office_ids, shades) in readers.items():
        actor = build.actor(session, username, today)
        sight = Sight(office_ids, shades, actor)
        assert len(sight.of(found)) < len([life for life in found if life.shade in shades]), "somebody is accused"
        reader = Reader(app.test_client(), username)
        pages = ["/reports?columns=details&period=last_12_months", "/reports/escalations"]
        if username == "cabinet":
            dimensions = DIMENSIONS if every < FEW else DIMENSIONS[::3]
            pages += [f"/reports?by={by}&period=last_12_months" for by in dimensions]
            pages += ["/reports?period=last_month&columns=details", "/reports?only=ministry:social-welfare&by=sex"]
        links = {url: number for page in pages for number, url in reader.numbers(page)}
        assert links or all(life.parent_id for life in sight.of(found)), username  # parts are no cases of their own
        for place, (url, number) in enumerate(sorted(links.items())):
            if "holder=" in url:
                continue
            expected = behind(found, sight, asked(url), book, today)
            assert number == len(expected), (username, url)
            if place % every == 0:
                on_top, listed = reader.cases(url)
                assert on_top == number and sorted(listed) == sorted(expected), (username, url)
                followed += 1
        assert_return(reader, sight, build.office_id(session), stays, today, every)
    assert followed


def assert_return(reader: Reader, sight: Sight, office: int, stays: list[Stay], today: date, every: int) -> None:
    """The returns of two months, of an office and of the country, against the recount of the stays, and the lists behind them."""
    for month in month_starts(today.replace(day=1) - timedelta(days=32), 2):
        until = month_starts(month, 2)[1]
        as_of = min(until, today)
        units: dict[str, tuple[Callable[[int | None], bool], bool]] = {}
        if sight.office_ids is None:
            units["country/all"] = (lambda one: one is not None, True)
        if sight.office_ids is None or office in sight.office_ids:
            units["office/social-welfare"] = (lambda one: one == office, False)
        for unit, (is_here, is_group) in units.items():
            wanted = recount_stays.monthly_return(stays, is_here, month, until, as_of, is_group)
            address = f"/reports/returns/{month:%Y-%m}/{unit}"
            shown = {
                (asked(url)["side"], asked(url)["column"]): (number, url) for number, url in reader.numbers(address)
            }
            counted = {key: seen for key, of_key in wanted.items() if (seen := seen_of(of_key, key, sight))}
            assert {key: number for key, (number, _) in shown.items()} == {
                key: len(numbers) for key, numbers in counted.items()
            }, (reader.username, address)
            for key, (number, url) in sorted(shown.items())[::every]:
                on_top, listed = reader.cases(url)
                assert (on_top, len(listed)) == (number, number), (reader.username, url)
                assert not Counter(one for one in listed if one) - Counter(counted[key]), (reader.username, url)


def seen_of(stays: list[Stay], key: tuple[str, str], sight: Sight) -> list[str]:
    """The cases of an entry of a return that its reader counts: the appeals against a desk's decisions are the desk's to read."""
    found = []
    for stay in stays:
        is_of_appeal = key[0] == "complaint" and key[1] in ("decided", "upheld")
        shade = 0 if is_of_appeal and stay.shade == 1 else stay.shade
        if shade in sight.shades and Sight(None, frozenset({0, 1, 2}), sight.reader).of([stay.life]):
            found.append(stay.life.number)
    return found


def people_of_reports(session: Session, found: list[Life]) -> None:
    """A head; and every reader is accused in some case, which is then not theirs to count."""
    office = build.office_id(session)
    demo = session.scalar(text("SELECT password_hash FROM officer WHERE username = 'cabinet'"))
    post = Post(office_id=office, code="second-head", role="head", name_en="head", name_bn="head", rank=50)
    session.add(post)
    session.flush()
    build.posting(session, post.id, build.officer(session, HEAD, password_hash=demo).id)
    edition.bump(session)
    session.commit()
    session.expire_all()
    names = ("cabinet", "gro.social-welfare", "appeal.social-welfare", HEAD, COORDINATOR)
    here = [life for life in found if life.office_id == office and life.shade < 2] or found
    for number, name in enumerate(names):
        for life in (here[number % len(here)], found[number]):
            session.add(Accused(case_id=life.case_id, officer_id=build.officer_id(session, name)))
            session.execute(text("UPDATE cases SET has_accused = true WHERE id = :id"), {"id": life.case_id})
    session.commit()


@pytest.fixture
def short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few cases fill a page of a list, so that lists have several."""
    for module, function in ((lists, lists.page), (counting, counting.entries)):
        monkeypatch.setattr(module, "PAGE", 4)
        kept = inspect.signature(function).parameters
        defaults = tuple(
            4 if each.name == "limit" else each.default for each in kept.values() if each.default is not each.empty
        )
        monkeypatch.setattr(function, "__defaults__", defaults)


# --- the end of a month -------------------------------------------------------------------------------------------------


def test_a_month_ends_at_midnight_in_dhaka(app: Flask, session: Session) -> None:
    """The last second and the first; paper that comes in days later; a case referred on the last day; a return that is frozen
    and corrected: tallies, stays, return and recount agree on each."""
    today = dhaka_date(clock.now(session))
    month, first = month_starts(today.replace(day=1) - timedelta(days=40), 2)
    midnight = instant(first)
    last_second = midnight - timedelta(seconds=1)
    world = World(session, 5, midnight - timedelta(days=20))
    gro, food = build.actor(session, "gro.social-welfare"), build.office_id(session, "food")
    welfare = build.office_id(session)

    def filed(at: datetime, **changes: Any) -> str:
        world.now = at
        return world.file(
            programme="old-age-allowance", category="payment-not-received", about="none", is_sensitive=False, **changes
        )

    texts = {"reply": TEXT, "root_cause": TEXT, "prevention": TEXT, "contact": "wrote"}
    early = [filed(midnight - timedelta(days=10), channel="web") for _ in range(3)]
    service.resolve_case(gro, early[0], None, outcome="answered", **texts, now=last_second)
    service.resolve_case(gro, early[1], None, outcome="answered", **texts, now=midnight)
    service.refer_case(gro, early[2], None, food, TEXT, now=last_second)
    filed(last_second, channel="web")
    filed(midnight, channel="web")
    assert months_of(session, month, welfare) == (3, 1)  # received, resolved: one of the month's four has gone to food
    assert months_of(session, first, welfare) == (1, 1)
    prepare_month(month_of(month), midnight + timedelta(minutes=5))
    submit(gro, month_of(month), "social-welfare", now=midnight + timedelta(hours=9))

    filed(midnight + timedelta(days=3), channel="paper", received_on=first - timedelta(days=1))
    filed(midnight + timedelta(days=3), channel="paper", received_on=first)
    assert months_of(session, month, welfare) == (4, 1)
    assert months_of(session, first, welfare) == (2, 1)
    found = recount.lives(session)
    assert_the_log_suffices(session, found)
    assert_read(session, found, today)
    assert_stays(session)
    reader = Reader(app.test_client(), "gro.social-welfare")
    frozen = f"/reports/returns/{month:%Y-%m}/office/social-welfare"
    shown = {asked(url)["column"]: number for number, url in reader.numbers(frozen)}
    was = {"web": 4, "received": 4, "total": 4, "disposed": 1, "in_time": 1, "sent": 1, "pending": 2}
    assert shown == was, "what was submitted stays"
    text_of_page = reader.page(frozen).text
    for correction in ("4 → 5 (+1)", "0 → 1 (+1)", "2 → 3 (+1)"):
        assert correction in text_of_page, "carried beside it, and never into it"
    following = f"/reports/returns/{first:%Y-%m}/office/social-welfare"
    shown = {asked(url)["column"]: number for number, url in reader.numbers(following)}
    assert (shown["carried"], shown["received"], shown["conventional"]) == (3, 2, 1)
    assert shown["total"] == shown["disposed"] + shown["pending"] + shown.get("overdue", 0)


def months_of(session: Session, month: date, office_id: int) -> tuple[int, int]:
    """What the tallies say an office received and resolved in a month."""
    lines = read(session, View(month, month_starts(month, 2)[1], by="office"))
    return lines[str(office_id)].received, lines[str(office_id)].resolved


def instant(day: date, hour: int = 0) -> datetime:
    """An instant by the clock in Dhaka."""
    return build.dhaka(day.year, day.month, day.day, hour)
