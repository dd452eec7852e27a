"""The queue: counts equal lists, pages join without gap or overlap, and depth costs nothing."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from grm.cases import queue as queues
from grm.cases.models import Case
from grm.cases.queue import PAGE_SIZE, TABS, Cursor, Filters, Queue
from grm.kernel.actor import Actor
from grm.offices.queries import directory
from tests.support import build

NOW = build.dhaka(2026, 2, 10)


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    """Every statement sent within."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def mixed(session: Session) -> dict[str, Actor]:
    """A few hundred cases of every kind at two offices, seeded."""
    rng = random.Random(7)
    offices = [build.office_id(session), build.office_id(session, "food")]
    clerk, gro = (build.officer_id(session, name) for name in ("officer.social-welfare", "gro.social-welfare"))
    districts = directory(session).districts[:3]
    for _ in range(240):
        ended = rng.random() < 0.2
        status = rng.choice(["resolved", "withdrawn"] if ended else ["filed", "in_progress", "waiting"])
        filed_at = build.dhaka(2026, 1, 4) - timedelta(days=rng.randrange(40), minutes=rng.randrange(4) * 60)
        extra: dict[str, Any] = {}
        if ended:
            extra = {"ended_at": NOW, "outcome": "answered"}
        elif status == "waiting":
            extra = {"is_paused": rng.random() < 0.5, "waiting_until": NOW + timedelta(days=5)}
        here, elsewhere = rng.sample(offices, 2)
        if rng.random() < 0.5:
            extra |= {"referred_from_office_id": elsewhere, "referred_from_desk": rng.choice(["gro", "gro", "appeal"])}
            extra["referral_state"] = rng.choice(["offered", "offered", "accepted"])
        build.case(
            session,
            here,
            rng.choice(["gro", "gro", "appeal"]),
            filed_at,
            assignee=rng.choice([None, clerk, gro]) if status != "filed" else None,
            programme=rng.choice(["old-age-allowance", None]),
            category=rng.choice(["payment-not-received", "bribe-demand"]),
            status=status,
            level=rng.choice([0, 0, 1, 2]),
            district_id=rng.choice(districts).id,
            accused_officers=[gro] if rng.random() < 0.1 else [],
            **extra,
        )
    session.commit()
    names = ("gro.social-welfare", "officer.social-welfare", "appeal.social-welfare", "gro.food")
    return {name: build.actor(session, name) for name in names}


def walk(session: Session, actor: Actor, queue: Queue, tab: str, filters: Filters) -> list[int]:
    """All ids of a view, page by page."""
    found: list[int] = []
    cursor: Cursor | None = None
    while True:
        page = queues.page(session, actor, queue, tab, filters, NOW, cursor)
        assert len(page.rows) <= PAGE_SIZE
        found += [row.id for row in page.rows]
        if page.next is None:
            return found
        assert len(page.rows) == PAGE_SIZE
        cursor = page.next


def test_counts_are_the_lengths_of_the_lists(session: Session, mixed: dict[str, Actor]) -> None:
    book = directory(session)
    narrowings = [
        Filters(),
        Filters(level=1),
        Filters(status="in_progress"),
        Filters(programme_id=book.programme("old-age-allowance").id),
        Filters(category_id=book.category("payment-not-received").id, district_id=book.districts[0].id),
        Filters(filed_from=build.dhaka(2025, 12, 10), filed_before=build.dhaka(2025, 12, 25)),
    ]
    longest = 0
    for actor in mixed.values():
        for queue in queues.queues_of(actor):
            for filters in narrowings:
                counts = queues.counts(session, actor, queue, filters, NOW)
                for tab in TABS:
                    ids = walk(session, actor, queue, tab, filters)
                    assert len(ids) == len(set(ids)) == counts[tab], (actor.name, queue, tab, filters)
                    longest = max(longest, len(ids))
    assert longest > 2 * PAGE_SIZE


def test_each_view_holds_what_it_says(session: Session, mixed: dict[str, Actor]) -> None:
    gro = mixed["gro.social-welfare"]
    queue = queues.queues_of(gro)[0]
    soon = queues.soon_until(session, NOW)
    views = {tab: [session.get_one(Case, i) for i in walk(session, gro, queue, tab, Filters())] for tab in TABS}
    assert min(map(len, views.values())) > 1, {tab: len(rows) for tab, rows in views.items()}
    for tab, rows in views.items():
        for case in rows:
            lies_at = (case.office_id, case.desk)
            sent_by = (case.referred_from_office_id, case.referred_from_desk)
            assert (sent_by if tab == "referred_out" else lies_at) == (queue.office_id, "gro")
            assert not case.is_sensitive and (case.is_open or tab == "all")
    assert all(case.assignee_id is None for case in views["unassigned"])
    assert all(case.assignee_id == gro.officer_id for case in views["mine"])
    assert all(NOW < case.due_at <= soon and not case.is_paused for case in views["due_soon"])
    assert all(case.due_at <= NOW and not case.is_paused for case in views["overdue"])
    assert all(case.status == "waiting" for case in views["waiting"])
    assert all(case.referral_state == "offered" for case in views["referred_in"])
    assert {case.office_id for case in views["referred_out"]} == {build.office_id(session, "food")}
    assert any(not case.is_open for case in views["all"])
    for tab in TABS[:-1]:
        assert views[tab] == sorted(views[tab], key=lambda case: (case.due_at, case.id))
    assert views["all"] == sorted(views["all"], key=lambda case: (case.due_at, case.id), reverse=True)


def test_pages_join_forwards_and_backwards(
    session: Session, mixed: dict[str, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "PAGE_SIZE", 4)
    gro = mixed["gro.social-welfare"]
    queue = queues.queues_of(gro)[0]
    for tab in ("unassigned", "waiting", "all"):
        pages = [queues.page(session, gro, queue, tab, Filters(), NOW)]
        assert pages[0].previous is None
        while (cursor := pages[-1].next) is not None:
            pages.append(queues.page(session, gro, queue, tab, Filters(), NOW, cursor))
        assert len(pages) > 2
        back = pages[-1]
        for expected in reversed(pages[:-1]):
            assert back.previous is not None
            back = queues.page(session, gro, queue, tab, Filters(), NOW, back.previous)
            assert [row.id for row in back.rows] == [row.id for row in expected.rows]
            assert back.next is not None
        assert back.previous is None


def test_a_case_that_accuses_is_in_no_count(session: Session) -> None:
    gro = build.actor(session, "gro.social-welfare")
    queue = queues.queues_of(gro)[0]
    build.case(session, filed_at=NOW - timedelta(days=90), accused_officers=[gro.officer_id or 0])
    build.case(session, filed_at=NOW - timedelta(days=90), is_sensitive=True)
    assert set(queues.counts(session, gro, queue, Filters(), NOW).values()) == {0}
    assert not queues.page(session, gro, queue, "all", Filters(), NOW).rows


def test_the_number_of_statements_does_not_grow(session: Session, mixed: dict[str, Actor]) -> None:
    gro = mixed["gro.social-welfare"]
    queue = queues.queues_of(gro)[0]
    queues.soon_until(session, NOW)  # the calendar is cached for an edition
    with statements(session) as seen:
        queues.counts(session, gro, queue, Filters(), NOW)
        for row in queues.page(session, gro, queue, "all", Filters(), NOW).rows:
            assert row.tracking_number and (row.assignee_id is None or row.name_bn)
    assert len(seen) == 2, seen
