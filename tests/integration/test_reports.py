"""The overview and its lists: each figure equals the length of the list it opens, and counts nothing that may not be seen."""

import html
import re
import statistics
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import service as cases
from grm.cases.models import Case
from grm.deadlines.models import Extension
from grm.escalation.sweep import sweep
from grm.kernel import clock
from grm.kernel.actor import Actor, Seat
from grm.kernel.db import db
from grm.kernel.text import latin_digits
from grm.offices.queries import directory
from grm.reports import lists
from grm.reports.dimensions import Asked, grouped, view_of
from grm.reports.lists import Order
from grm.reports.measures import FILTERS, MEASURES, Selection, figure, span_of
from grm.reports.overview import Overview, asked_from, overview
from grm.tallies.figures import TOTAL
from grm.tallies.reading import read
from grm.tallies.scope import Scope, scopes_of
from tests.support import build
from tests.support.reporting import filed, officer, sign_in

REPLY = "আপনার বকেয়া ভাতা পরিশোধ করা হয়েছে, হিসাব মিলিয়ে দেখুন।"


def scope_of(session: Session, actor: Actor) -> Scope:
    """The widest scope of an actor that opens lists."""
    return next(scope for scope in scopes_of(actor, directory(session)) if scope.has_lists)


def listed(session: Session, actor: Actor, chosen: Selection, now: datetime) -> list[str]:
    """The tracking numbers behind a figure."""
    found = lists.all_rows(session, actor, directory(session), scope_of(session, actor), chosen, now)
    return [row.tracking_number for row in found]


def shown(session: Session, actor: Actor, now: datetime, period: str = "last_12_months", **query: str) -> Overview:
    """The overview of an actor's widest scope."""
    book = directory(session)
    return overview(session, actor, book, asked_from(book, scope_of(session, actor), query), period, now)


@pytest.fixture
def story(session: Session) -> datetime:
    """Cases of four ministries, ages, levels and ends; returns the present instant."""
    now = clock.now(session)
    for days in (10, 70, 100, 200):
        filed(now - timedelta(days=days))
        filed(now - timedelta(days=days), programme="vwb", district="1004", category="exclusion-error", sex="female")
        filed(now - timedelta(days=days), programme=None, district=None, age_group="60_plus", disability="yes")
    filed(now - timedelta(days=90), category="bribe-demand", is_sensitive=True)
    filed(now - timedelta(days=90), about="ministry")
    gro = officer(session, "gro.social-welfare")
    for days, after in ((80, 10), (80, 75), (20, 3)):
        number = filed(now - timedelta(days=days))
        at = now - timedelta(days=days - after)
        cases.resolve_case(
            gro,
            number,
            None,
            outcome="service_given",
            reply=REPLY,
            root_cause="হিসাব নম্বর ভুল ছিল",
            prevention="নম্বর যাচাই করা হবে",
            contact="spoke",
            now=at,
        )
    sweep(now)
    return now


@pytest.mark.parametrize("username", ["cabinet", "gro.social-welfare", "appeal.social-welfare"])
def test_every_figure_of_every_dimension_equals_its_list(session: Session, story: datetime, username: str) -> None:
    actor, book = officer(session, username), directory(session)
    scope, today = scope_of(session, actor), clock.dhaka_date(story)
    for dimension in (None, *FILTERS) if username == "cabinet" else (None, "district", "sex"):
        chosen = Selection()
        view = view_of(book, scope, span_of(chosen, today), {}, dimension)
        assert view is not None
        lines = read(session, replace(view, excluding=actor))
        values = {"": lines[TOTAL]} if dimension is None else grouped(book, dimension, lines)
        assert values or not lines[TOTAL].received, dimension
        for code, line in list(values.items())[:2]:
            for measure in MEASURES:
                narrowed = chosen.with_(measure=measure, **({dimension: code} if dimension else {}))
                number = lists.count(session, actor, book, scope, narrowed, story)
                assert number == figure(line, narrowed, today), (dimension, code, measure)
                if number and measure in ("received", "in_time", "overdue", "escalated"):
                    found = lists.find(session, actor, book, scope, narrowed, story)
                    order, at = lists.natural(narrowed), (None, found.office_ids, found.number)
                    rows = lists.page(session, actor, book, scope, narrowed, story, order, *at, limit=99)
                    rows_of_many = lists.page(
                        session, actor, book, scope, narrowed, story, order, None, found.office_ids, 10**6, limit=99
                    )
                    assert [row.id for row in rows] == [row.id for row in rows_of_many]
                    assert len(rows) == number == found.number, (dimension, code, measure)
    for chosen in (
        Selection(level=1),
        Selection(age="31-90"),
        Selection(measure="overdue", age="91-"),
        Selection(level=3, age="91-"),
    ):
        assert lists.find(session, actor, book, scope, chosen, story).number == len(
            listed(session, actor, chosen, story)
        )


def test_the_cabinet_division_sees_what_a_ministry_may_not(session: Session, story: datetime) -> None:
    cell, ministry = officer(session, "cabinet"), officer(session, "gro.social-welfare")
    everything = set(listed(session, cell, Selection(), story))
    own = set(listed(session, ministry, Selection(), story))
    assert own < everything
    sensitive = session.scalars(
        select(Case.tracking_number).where(Case.is_sensitive | (Case.about == "ministry"))
    ).all()
    assert len(sensitive) == 2 and set(sensitive) <= everything and not set(sensitive) & own


def test_figures_equal_an_independent_recount(session: Session, story: datetime) -> None:
    found = shown(session, officer(session, "cabinet"), story, by="ministry")
    everything = session.scalars(select(Case)).all()
    today = clock.dhaka_date(story)
    line = found.total
    assert line.received == len(everything) == sum(row.line.received for row in found.rows)
    assert line.open == sum(case.is_open for case in everything)
    assert line.overdue(today) == sum(
        case.is_open and not case.is_paused and case.due_at <= story for case in everything
    )
    ended = [case for case in everything if case.status == "resolved" and case.ended_at]
    assert (line.resolved, len(ended), line.in_time, line.late) == (3, 3, 2, 1)
    days = sorted((clock.dhaka_date(case.ended_at) - case.received_on).days for case in ended if case.ended_at)
    assert line.median_days == statistics.median(days)
    assert line.ninetieth_days == pytest.approx(days[1] + 0.8 * (days[2] - days[1]))
    assert sum(each.received for _, each in found.months) == line.received
    assert found.previous.received == 0


def test_what_was_in_time_by_an_extension_only_is_counted_apart(session: Session, story: datetime) -> None:
    cell = officer(session, "cabinet")
    resolved = select(Case).where(Case.status == "resolved").order_by(Case.ended_at >= Case.due_at)
    two = session.scalars(resolved).all()[:2]
    for row, state in zip(two, ("approved", "refused"), strict=True):
        due = build.deadline(session, row.id)
        asked = {"requested_by_id": build.officer_id(session, "gro.food"), "requested_at": due.started_at}
        decided = {"decided_by_id": cell.officer_id, "decided_at": due.started_at}
        session.add(Extension(deadline_id=due.id, working_days=10, state=state, **asked, **decided))
        row.version += 1  # an act always touches its case, and is counted by that
    session.commit()
    total = shown(session, cell, story).total
    assert (total.resolved, total.in_time, total.extended, total.late) == (3, 1, 1, 1)
    assert listed(session, cell, Selection(measure="extended"), story) == [two[0].tracking_number]


def test_what_providers_and_district_offices_have_are_lines_of_their_own(session: Session, story: datetime) -> None:
    cell = officer(session, "cabinet")
    book = directory(session)
    before = {row.code: row.line.received for row in shown(session, cell, story, by="ministry").rows}
    late = next(iter(listed(session, officer(session, "gro.social-welfare"), Selection(measure="overdue"), story)))
    session.rollback()
    gro = officer(session, "gro.social-welfare")
    cases.refer_case(gro, late, None, book.office("bkash").id, "টাকা কোন ওয়ালেটে গেছে দেখুন।", now=story)
    after = {row.code: row.line.received for row in shown(session, cell, story, by="ministry").rows}
    assert after == {**before, "social-welfare": before["social-welfare"] - 1, "providers": 1}
    inside = shown(session, cell, story, by="ministry", only="ministry:providers")
    assert [row.code for row in inside.rows] == ["bkash"]
    assert listed(session, cell, Selection(measure="received", ministry="bkash"), story) == [late]


LINK = re.compile(r'href="(/reports/cases\?[^"]+)"[^>]*>([^<]*)</a>\s*(?:<b>([^<]+)</b>)?')


def test_every_link_of_the_page_opens_a_list_of_that_length(app: Flask, story: datetime) -> None:
    client = sign_in(app.test_client(), "cabinet")
    seen: dict[str, int] = {}
    for page in ("/reports", "/reports?columns=details", "/reports?by=district&only=ministry:social-welfare"):
        for link, text, tile in LINK.findall(client.get(page).text):
            figure_shown = latin_digits(tile or text).replace(",", "")
            if figure_shown.isdigit():  # a share opens what it is a share of, and says how many in its list
                seen[html.unescape(link)] = int(figure_shown)
    assert len(seen) > 30
    for link, expected in sorted(seen.items())[::3]:
        listing = client.get(link).text
        title = re.search(r"<h1>[^<]*: ([০-৯,]+)</h1>", listing)
        assert title and int(latin_digits(title[1]).replace(",", "")) == expected, link
        assert len(re.findall(r'href="/cases/\w+"', listing)) == expected, link


def test_paging_shows_every_case_once_in_every_order(session: Session, story: datetime) -> None:
    book = directory(session)
    for username, measure in (("cabinet", "received"), ("cabinet", "open"), ("appeal.social-welfare", "resolved")):
        actor = officer(session, username)
        scope, chosen = scope_of(session, actor), Selection(measure=measure)
        found = lists.find(session, actor, book, scope, chosen, story)
        keys = {"received": "received_on", "due": "due_at", "ended": "ended_at", "level": "level"}
        for sort in lists.sorts(chosen, found.number):
            for is_last in (False, True):
                order, after, seen = Order(sort, is_last), None, []
                while True:
                    rows = lists.page(
                        session,
                        actor,
                        book,
                        scope,
                        chosen,
                        story,
                        order,
                        after,
                        found.office_ids,
                        found.number,
                        limit=2,
                    )
                    seen += rows[:2]
                    if len(rows) < 3:
                        break
                    after = lists.Mark(getattr(rows[1], keys[sort]), rows[1].id)
                assert Counter(row.id for row in seen) == Counter({row.id: 1 for row in seen}), (sort, is_last)
                assert len(seen) == found.number > 2
                inner = [(getattr(row, keys[sort]), row.id) for row in seen]
                assert inner == sorted(inner, reverse=is_last), (username, sort, is_last)


def test_pages_of_a_list_and_its_orders(app: Flask, session: Session) -> None:
    now = clock.now(session)
    for day in range(lists.PAGE + 7):
        filed(now - timedelta(days=day % 5))
    client = sign_in(app.test_client(), "cabinet")
    for sort in ("", "&sort=received&order=last"):
        seen: Counter[str] = Counter()
        address: str | None = f"/reports/cases?measure=open{sort}"
        while address:
            text = client.get(address).text
            seen.update(re.findall(r'href="/cases/(\w+)"', text))
            following = re.search(r'href="([^"]+)" rel="next"', text)
            address = html.unescape(following[1]) if following else None
        assert len(seen) == lists.PAGE + 7 and set(seen.values()) == {1}
    assert 'name="case"' in text and "/reports/exports/cases.csv" in text


def test_figures_without_lists_open_none(app: Flask, session: Session, story: datetime) -> None:
    book = directory(session)
    dhaka = next(office for office in book.offices if office.kind == "district" and office.district_id)
    code = book.place(dhaka.district_id or 0).code
    head = Actor(1, "DC", "officer", (Seat(dhaka.id, "district", None, code, 1, "head"),))
    scope = next(each for each in scopes_of(head, book) if each.code == "district")
    found = overview(session, head, book, Asked(scope, "programme", None), "last_12_months", story)
    district = session.scalars(select(Case).where(Case.district_id == dhaka.district_id, ~Case.is_sensitive)).all()
    assert found.total.received == len(district)
    viewer = Actor(1, "IMED", "officer", (Seat(book.cell.id, "cell", None, None, 1, "viewer"),))
    assert not lists.count(session, viewer, book, scopes_of(viewer, book)[0], Selection(measure="received"), story)


def test_silence_is_a_finding_and_the_empty_page_says_what_to_do(app: Flask, session: Session) -> None:
    client = sign_in(app.test_client(), "cabinet")
    text = client.get("/reports").text
    assert '<div class="empty">' in text and 'class="button second" href="/"' in text and 'class="tiles"' not in text
    filed(clock.now(session))
    found = shown(session, officer(session, "cabinet"), clock.now(session), by="district")
    assert len(found.silent) == 63 and "3026" not in {each.code for each in found.silent}
    assert "৬৩" in client.get("/reports?by=district").text


def test_only_pairs_that_are_counted_are_offered(app: Flask, session: Session, story: datetime) -> None:
    cell = sign_in(app.test_client(), "cabinet")
    text = cell.get("/reports?by=programme&only=category:bribe-demand").text
    by = re.search(r'<select id="f-by".*?</select>', text, re.S)
    assert by and set(re.findall(r'value="(\w+)"', by[0])) == {
        "ministry",
        "cluster",
        "district",
        "division",
        "category",
    }
    gro = sign_in(app.test_client(), "gro.social-welfare")
    text = gro.get("/reports").text
    by = re.search(r'<select id="f-by".*?</select>', text, re.S)
    assert by and "ministry" not in re.findall(r'value="(\w+)"', by[0]) and "district" in by[0]
    assert 'value="ministry:' not in text and 'value="stage:old-age"' in text


@pytest.mark.parametrize("username", ["desk.dhaka", "admin", "officer.social-welfare"])
def test_reports_do_not_exist_for_others(app: Flask, username: str) -> None:
    client = sign_in(app.test_client(), username)
    for page in ("/reports", "/reports/escalations", "/reports/cases"):
        assert client.get(page).status_code == 404, page


def test_odd_addresses_show_a_page(app: Flask, story: datetime) -> None:
    client = sign_in(app.test_client(), "cabinet")
    for query in (
        "level=9",
        "age=x",
        "ministry=%00",
        "district=' OR 1=1",
        "after=nonsense",
        "after=99999999999999999999_1",
        "after=2026-01-01_1&sort=received",
        "period=১",
        "period=2026-99&measure=received",
        "period=2026-11&measure=received",
        "since=2026-01-01&until=2026-02-01&measure=received",
        "only=ministry:nothing&by=nothing&columns=none&scope=nobody",
        "only=sex:female&by=sex",
        "measure=rated&stars=5",
    ):
        for page in ("/reports", "/reports/cases"):
            assert client.get(f"{page}?{query}").status_code in (200, 400), (page, query)


def test_pages_take_a_constant_number_of_statements(app: Flask, session: Session, story: datetime) -> None:
    client = sign_in(app.test_client(), "cabinet")

    def statements(page: str) -> int:
        counted: list[str] = []

        def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            counted.append(statement)

        sqlalchemy_event.listen(db.engine, "before_cursor_execute", count)
        try:
            client.get(page)
        finally:
            sqlalchemy_event.remove(db.engine, "before_cursor_execute", count)
        return len(counted)

    pages = ("/reports?by=district", "/reports/cases?measure=received")
    with app.app_context():
        for page in pages:
            client.get(page)
        first = [statements(page) for page in pages]
        now = clock.now(session)
        for day in range(100, 120):
            filed(now - timedelta(days=day), programme="vgf", district="1006")
        again = [statements(page) for page in pages]
    # The cache of the directory may or may not look at its edition in either round.
    assert all(abs(a - b) <= 2 for a, b in zip(first, again, strict=True)) and max(first) <= 9, (first, again)


def test_a_month_begins_and_ends_at_midnight_in_dhaka(session: Session) -> None:
    cell = officer(session, "cabinet")
    today = clock.dhaka_date(clock.now(session))
    first = today.replace(day=1)
    last = first - timedelta(days=1)
    late, early = (
        filed(datetime(day.year, day.month, day.day, *time, tzinfo=clock.DHAKA))
        for day, time in ((last, (23, 59)), (first, (0, 0)))
    )
    now = max(clock.now(session), datetime(today.year, today.month, today.day, tzinfo=clock.DHAKA))
    assert listed(session, cell, Selection(measure="received", period="last_month"), now) == [late]
    assert listed(session, cell, Selection(measure="received", period="this_month"), now) == [early]
    assert listed(session, cell, Selection(measure="received", period=f"{last:%Y-%m}"), now) == [late]
    assert shown(session, cell, now, "this_month").total.received == 1
    assert shown(session, cell, now, "this_month").previous.received == 1
