"""Queue, search, case page and sweep at a million cases: every statement by an index, few blocks, a number that does not grow.

Times are for `bench/`; here it counts what PostgreSQL reads. One database for the whole module, loaded once.
"""

import dataclasses
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from config import Settings
from grm.cases import alike, casepage, search, search_index, service
from grm.cases import queue as queues
from grm.cases.models import Case
from grm.cases.queue import COUNT_CAP, PAGE_SIZE, TABS, Cursor, Filters
from grm.escalation.sweep import BATCH_SIZE, DUE, sweep
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.offices.queries import directory
from grm.reports import lists
from grm.reports.measures import Selection
from grm.tallies import reading
from grm.tallies.figures import View
from grm.tallies.scope import Scope, scopes_of
from grm.tallies.vectors import vectors
from tests.conftest import OwnDatabase, _application, _connect, _copy_template
from tests.support import at_size, build

pytestmark = pytest.mark.slow

CASES = int(os.environ.get("PLAN_CASES", "1000000"))
NOW = build.dhaka(2026, 2, 10)
FEW = ("waiting", "referred_in", "referred_out")
OFFICES = ("social-welfare", "food", "land", "agriculture")


@pytest.fixture(scope="module")
def app(own_database: OwnDatabase, settings: Settings) -> Iterator[Flask]:
    """The application on a database of its own with a million cases."""
    name = f"{own_database.name}_million"
    _copy_template(own_database.home, name)
    made = _application(
        dataclasses.replace(settings, database_url=settings.database_url.replace(f"/{own_database.name}?", f"/{name}?"))
    )
    with made.app_context():
        offices = [build.office_id(db.session(), each) for each in OFFICES]
        officer_id = build.officer_id(db.session(), "gro.social-welfare")
        db.session.remove()
    with _connect(own_database.home, name) as connection:
        at_size.load(connection, CASES, NOW, offices, officer_id)
    yield made
    with made.app_context():
        db.session.remove()
        db.engine.dispose()
    with _connect(own_database.home, "postgres") as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A session on the million; what it does is rolled back."""
    with app.app_context(), closing(db.session()) as session:
        session.execute(text("SET random_page_cost = 1.1"))  # as docs/operations.md has it for a disk without heads
        yield session
        session.rollback()
        db.session.remove()


@pytest.fixture
def gro(session: Session) -> Actor:
    return build.actor(session, "gro.social-welfare")


@dataclass(frozen=True)
class Read:
    """One statement: what its plan is made of, and how many blocks of eight kilobytes it looked at."""

    statement: str
    plan: str
    blocks: int


def reads(session: Session, run: Callable[[], object]) -> list[Read]:
    """Every statement that `run` sends, explained while it is carried out once more; scans of a big table are a fault."""
    sent: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM reference_edition" not in statement:  # asked every two seconds, however long a test takes
            sent.append((statement, parameters))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    run()
    event.remove(engine, "before_cursor_execute", note)
    driver = session.connection().connection.driver_connection
    assert driver is not None
    found = []
    for statement, parameters in sent:
        (report,) = driver.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", parameters).fetchone()
        plan = report[0]["Plan"]
        lines = _lines(plan)
        assert not [each for each in lines if each[0] == "Seq Scan" and each[1] in at_size.BIG and each[3]], lines
        found.append(
            Read(statement, "\n".join(map(str, lines)), plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])
        )
    return found


def _lines(plan: dict[str, Any]) -> list[tuple[str, str, str, int]]:
    own = (plan["Node Type"], plan.get("Relation Name", "-"), plan.get("Index Name", "-"), plan["Actual Loops"])
    return [own, *(line for part in plan.get("Plans", ()) for line in _lines(part))]


def test_every_view_of_the_queue_at_any_depth(session: Session, gro: Actor) -> None:
    queue = queues.queues_of(gro)[0]
    queues.soon_until(session, NOW)  # the calendar is cached for an edition
    deep = {"overdue": NOW - timedelta(days=3), "due_soon": NOW + timedelta(days=1)}
    for tab in TABS:
        for cursor in (None, Cursor(deep.get(tab, NOW + timedelta(days=15)), 1)):
            for is_latest_first in (False, True):

                def look(tab: str = tab, cursor: Cursor | None = cursor, is_last: bool = is_latest_first) -> None:
                    page = queues.page(session, gro, queue, tab, Filters(), NOW, cursor, is_latest_first=is_last)
                    assert len(page.rows) == PAGE_SIZE or tab in FEW, tab
                    assert page.rows or cursor is not None, tab

                [read] = reads(session, look)
                # A desk has few of these, so that sorting them may be cheaper than the index in their order.
                assert read.blocks < (2_500 if tab in FEW else 250), (tab, cursor, read)
                assert "ix__cases__" in read.plan, (tab, cursor, read)


def test_counts_of_the_queue_read_no_further_than_their_cap(session: Session, gro: Actor) -> None:
    queue = queues.queues_of(gro)[0]
    queues.soon_until(session, NOW)
    counts: dict[str, int] = {}
    [read] = reads(session, lambda: counts.update(queues.counts(session, gro, queue, Filters(), NOW)))
    assert counts["unassigned"] == counts["overdue"] == counts["all"] == COUNT_CAP + 1
    assert all(counts.values()), counts
    assert read.blocks < 2 * len(TABS) * COUNT_CAP, read


QUERIES = {
    "common": 1_500,
    "common often": 1_500,
    "common seldom7": 3_000,
    "seldom7": 3_000,
    "rare777777": 300,
    "often seldom0 common": 4_000,
    "often other1": 4_000,  # each in a hundred thousand, nowhere together
    "common often other1 other2": 6_000,
    "seldom1 seldom2": 2_000,
    "nowhere": 400,
    "01712345678": 400,
}
"""What is typed, and how many blocks that may cost: the whole index has some ten thousand, the table fifty thousand."""


@pytest.mark.parametrize("username", ["gro.social-welfare", "gro.food", "appeal.land", "cabinet", "desk.dhaka"])
def test_the_search_for_any_word_by_any_officer(session: Session, username: str) -> None:
    actor = build.actor(session, username)
    search.search(session, actor, "warm")
    sizes = set()
    for typed, blocks in QUERIES.items():
        size: list[int] = []

        def look(typed: str = typed, size: list[int] = size) -> None:
            found = search.search(session, actor, typed)
            assert not found.is_cut_off
            size.append(len(found.rows))

        found = reads(session, look)
        assert len(found) <= 6, typed
        asked = [read for read in found if "case_search" in read.statement and "hits_0" in read.statement]
        assert asked and all("ix__case_search__terms" in read.plan for read in asked), typed
        assert sum(read.blocks for read in found) < blocks, (typed, [(read.blocks, read.plan) for read in found])
        sizes.add(size[0])
    assert sizes == {0} if username == "desk.dhaka" else {0, search.MOST} <= sizes, sizes


def test_new_cases_are_indexed_and_duplicates_suggested_by_keys(session: Session, gro: Actor) -> None:
    case = session.get_one(Case, 90_000)
    found = reads(session, lambda: search_index.index_cases(session, [90_000, 5]))
    assert sum(read.blocks for read in found) < 200, found
    [read] = reads(session, lambda: alike.suggestions(session, gro, case))
    assert read.blocks < 3_000, read


def test_the_page_of_a_case_with_a_long_history(session: Session, gro: Actor) -> None:
    case = build.case(session, build.office_id(session), details="নতুন", status="acknowledged", acknowledged_at=NOW)
    number = case.tracking_number
    session.commit()
    for step in range(20):
        service.add_note(gro, number, None, f"তাগিদ {step + 1}")
    casepage.load(session, gro, number)  # what is cached for an edition

    def look() -> None:
        assert len(casepage.load(session, gro, number).events) >= 21

    found = reads(session, look)
    assert len(found) <= 6, [read.statement[:80] for read in found]
    assert sum(read.blocks for read in found) < 600, [(read.blocks, read.plan) for read in found]


def test_figures_are_read_from_the_tallies_and_from_what_is_due_only(session: Session, gro: Actor) -> None:
    """Four years of twenty offices and forty districts; four cases are due, one of them new."""
    session.execute(text("SET LOCAL statement_timeout = 0"))
    months = "generate_series(DATE '2023-01-01', '2026-12-01', '1 month') AS month"
    session.execute(
        text(
            f"""
            INSERT INTO tally SELECT 1, d, shade, month::date, o, v, 9, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                ARRAY[1, 2], ARRAY[4, 5], ARRAY[7, 30], ARRAY[1, 1]
            FROM generate_series(0, 2, 2) AS d, generate_series(0, 2, 2) AS shade, {months}, generate_series(1, 20) AS o,
                generate_series(0, CASE d WHEN 2 THEN 40 ELSE 0 END) AS v
            """
        )
    )
    session.execute(
        text(
            "INSERT INTO tally_now SELECT 1, 0, shade, o, 0, what, ARRAY[20000, 20500], ARRAY[3, 4] "
            "FROM generate_series(0, 2) AS shade, generate_series(1, 40) AS o, generate_series(0, 3) AS what"
        )
    )
    session.execute(text(f"INSERT INTO case_count {vectors('c.id <= 30000')}"))
    session.execute(text("INSERT INTO tally_due VALUES (5), (90000), (90000), (12)"))
    session.execute(text("ANALYZE tally, tally_now, tally_due, case_count"))
    build.case(session, build.office_id(session), filed_at=NOW)
    for mode in ("force_custom_plan", "force_generic_plan"):
        session.execute(text(f"SET LOCAL plan_cache_mode = {mode}"))
        for view in (
            View(date(2025, 3, 1), date(2026, 3, 1), by="office", excluding=gro),
            View(date(2025, 3, 1), date(2026, 3, 1), by="district", only=("office", ("7",)), shades={0}),
        ):
            [found] = reads(session, lambda view=view: reading.read(session, view))  # type: ignore[misc]
            assert "pk__tally" in found.plan and "'Seq Scan', 'tally'" not in found.plan, found
            assert "pk__cases" in found.plan and "'Seq Scan', 'case_count'" not in found.plan, found
            assert found.blocks < 1_000, (view, found)
    session.rollback()


def test_the_sweep_reads_what_is_due_only(session: Session) -> None:
    earliest, some = (
        session.scalar(text(f"SELECT next_rung_at FROM deadline ORDER BY next_rung_at OFFSET {n} LIMIT 1"))
        for n in (0, 1500)
    )
    assert earliest is not None
    for mode in ("force_custom_plan", "force_generic_plan"):
        session.execute(text(f"SET LOCAL plan_cache_mode = {mode}"))
        for as_of, blocks in ((earliest - timedelta(seconds=1), 20), (some, 60 * BATCH_SIZE)):

            def look(as_of: Any = as_of) -> None:
                session.execute(DUE, {"as_of": as_of, "limit": BATCH_SIZE, "failed": []}).all()

            [read] = reads(session, look)
            assert "ix__deadline__next_rung_at" in read.plan and read.blocks < blocks, (as_of, read)
    session.rollback()
    assert sweep(earliest - timedelta(seconds=1)).is_empty


@pytest.mark.parametrize("measure", ["open", "overdue", "escalated", "received", "resolved"])
def test_the_lists_behind_figures_read_a_page_and_no_more(session: Session, measure: str) -> None:
    book, chosen = directory(session), Selection(measure=measure)
    offices = [book.office_of(each).id for each in OFFICES]
    for username in ("cabinet", "appeal.social-welfare"):
        actor = build.actor(session, username)
        (scope,) = scopes_of(actor, book)
        ids = sorted(scope.ids & set(offices)) if scope.ids is not None else offices

        def look(actor: Actor = actor, scope: Scope = scope, ids: list[int] = ids) -> None:
            order = lists.natural(chosen)
            rows = lists.page(session, actor, book, scope, chosen, NOW, order, None, ids, CASES)
            assert len(rows) == lists.PAGE + 1 or measure == "escalated"

        look()
        [read] = reads(session, look)
        assert read.blocks < 700 * len(ids) and "ix__cases__" in read.plan, (measure, username, read)
