"""The reports: every figure equals the length of the list it opens, and nothing is counted that may not be seen."""

import csv
import html
import io
import re
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases import service as cases
from grm.cases.models import Case
from grm.deadlines.models import Extension
from grm.escalation.sweep import sweep
from grm.intake.screening import Answers
from grm.intake.service import Filing, file_grievance, new_token
from grm.kernel import clock
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.text import latin_digits
from grm.offices.queries import directory
from grm.offices.signed_in import actor_of
from grm.reports import queries
from grm.reports.measures import MEASURES, Selection
from tests.support import build

REPLY = "আপনার বকেয়া ভাতা পরিশোধ করা হয়েছে, হিসাব মিলিয়ে দেখুন।"
PLAIN = Answers(
    programme="old-age-allowance",
    category="payment-not-received",
    is_sensitive=False,
    district="3026",
    upazila=None,
    place="",
    details="তিন মাস ধরে ভাতা পাচ্ছি না",
    incident_on=None,
    about="none",
    is_anonymous=False,
    is_on_behalf=False,
    relation=None,
    name="আমেনা বেগম",
    representative_name=None,
    phone=None,
    email=None,
    sex=None,
    age_group=None,
    disability=None,
    language="bn",
    preferred_channel="none",
)


def filed(now: datetime, **changes: object) -> str:
    """File a case at an instant and return its tracking number."""
    answers = replace(PLAIN, **changes)  # type: ignore[arg-type]
    return file_grievance(Filing(answers, new_token(), {"details": answers.details}), now=now).tracking_number


def officer(session: Session, username: str) -> Actor:
    """A demo officer as an actor with today's seats."""
    found = session.scalars(select(Officer).where(Officer.username == username)).one()
    return actor_of(session, found, clock.dhaka_date(clock.now(session)))


@pytest.fixture
def story(session: Session) -> datetime:
    """Cases of four ministries, ages, levels and ends; returns the present instant."""
    now = clock.now(session)
    for days in (10, 70, 85, 100, 130, 200):
        filed(now - timedelta(days=days))
        filed(now - timedelta(days=days), programme="vwb", district="1004", category="exclusion-error")
        filed(now - timedelta(days=days), programme=None, district=None)
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


def sign_in(client: FlaskClient, username: str) -> FlaskClient:
    """Sign in as a demo officer through the page."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert token
    answer = client.post("/login", data={"csrf_token": token[1], "username": username, "password": "demo"})
    assert answer.status_code == 303
    return client


@pytest.mark.parametrize("username", ["cabinet", "gro.social-welfare", "appeal.social-welfare", "gro.food"])
def test_every_figure_equals_its_list(session: Session, story: datetime, username: str) -> None:
    actor = officer(session, username)
    for measure in MEASURES:
        chosen = Selection(measure=measure)
        listed = list(queries.all_cases(session, actor, chosen, story))
        assert queries.count(session, actor, chosen, story) == len(listed)
    chosen = Selection()
    by = queries.escalations_by(session, actor, chosen, story)
    total = by["total"][0][1] if by["total"] else 0
    assert total == queries.count(session, actor, chosen, story)
    for dimension in ("ministry", "level", "programme", "district", "age"):
        numbers = [(key, number) for key, number in by[dimension] if key is not None]
        assert sum(number for _, number in numbers) == total, dimension
        for key, number in numbers:
            value = int(key) if dimension == "level" else key
            assert queries.count(session, actor, chosen.with_(**{dimension: value}), story) == number, (dimension, key)


def test_the_cabinet_division_sees_what_a_ministry_may_not(session: Session, story: datetime) -> None:
    cell, ministry = officer(session, "cabinet"), officer(session, "gro.social-welfare")
    everything = {row.tracking_number for row in queries.all_cases(session, cell, Selection(), story)}
    own = {row.tracking_number for row in queries.all_cases(session, ministry, Selection(), story)}
    assert own < everything
    book = directory(session)
    offices = {row.office_id for row in queries.all_cases(session, ministry, Selection(), story)}
    assert offices == {book.office_of("social-welfare").id}
    sensitive = session.scalars(
        select(Case.tracking_number).where(Case.is_sensitive | (Case.about == "ministry"))
    ).all()
    assert len(sensitive) == 2 and set(sensitive) <= everything and not set(sensitive) & own


def test_what_a_payment_provider_has_is_not_counted_as_the_cells(app: Flask, session: Session, story: datetime) -> None:
    cell = officer(session, "cabinet")

    def counted() -> dict[str | None, int]:
        session.rollback()
        by = dict(queries.escalations_by(session, cell, Selection(), story)["ministry"])
        levels = Counter[str]()
        for (holder, _), number in queries.ministry_by_level(session, cell, Selection(), story).items():
            levels[holder] += number
        lines = queries.figures(session, cell, Selection(measure="received"), story)
        assert {line.key: line.overdue for line in lines if line.key and line.overdue} == by == levels
        return {key: queries.count(session, cell, Selection(ministry=key), story) for key in by if key}

    before = counted()
    late = next(
        row.tracking_number
        for row in queries.all_cases(session, cell, Selection(ministry="social-welfare"), story)
        if not row.is_sensitive
    )
    session.rollback()
    bkash = directory(session).office("bkash").id
    cases.refer_case(officer(session, "gro.social-welfare"), late, None, bkash, "টাকা কোন ওয়ালেটে গেছে দেখুন।", now=story)
    after = counted()
    assert after.pop("providers") == 1 and "providers" not in before
    assert after == {**before, "social-welfare": before["social-welfare"] - 1}
    page = sign_in(app.test_client(), "cabinet").get("/reports").text
    assert "অর্থ পরিশোধকারী প্রতিষ্ঠান" in page


def test_figures_equal_an_independent_recount(session: Session, story: datetime) -> None:
    cell = officer(session, "cabinet")
    lines = {line.key: line for line in queries.figures(session, cell, Selection(measure="received"), story)}
    everything = session.scalars(select(Case)).all()
    assert lines[None].received == len(everything)
    assert lines[None].open == sum(case.is_open for case in everything)
    assert lines[None].overdue == sum(
        case.is_open and not case.is_paused and case.due_at <= story for case in everything
    )
    ended = [case for case in everything if case.status == "resolved" and case.ended_at]
    assert (lines[None].resolved, len(ended)) == (3, 3)
    assert lines[None].in_time == sum(case.ended_at < case.due_at for case in ended if case.ended_at) == 2
    assert lines[None].late == 1
    days = sorted((case.ended_at - case.filed_at).total_seconds() / 86400 for case in ended if case.ended_at)
    assert lines[None].median_days == pytest.approx(days[1])
    assert lines[None].ninetieth_days == pytest.approx(days[1] + 0.8 * (days[2] - days[1]))
    for key, line in lines.items():
        if key is not None:
            assert line.open == queries.count(session, cell, Selection(measure="open", ministry=key), story)


def test_what_was_in_time_by_an_extension_only_is_counted_apart(session: Session, story: datetime) -> None:
    cell = officer(session, "cabinet")
    two = session.scalars(select(Case).where(Case.status == "resolved").order_by(Case.ended_at >= Case.due_at)).all()[
        :2
    ]
    for row, state in zip(two, ("approved", "refused"), strict=True):
        clock = build.deadline(session, row.id)
        asked = {"requested_by_id": build.officer_id(session, "gro.food"), "requested_at": clock.started_at}
        decided = {"decided_by_id": cell.officer_id, "decided_at": clock.started_at}
        session.add(Extension(deadline_id=clock.id, working_days=10, state=state, **asked, **decided))
    session.commit()
    lines = {line.key: line for line in queries.figures(session, cell, Selection(measure="received"), story)}
    total = lines[None]
    assert (total.resolved, total.in_time, total.extended, total.late) == (3, 1, 1, 1)
    listed = queries.cases(session, cell, Selection(measure="extended"), story)
    assert [row.id for row in listed] == [two[0].id]


def test_pages_show_the_figures_and_every_link_opens_a_list_of_that_length(app: Flask, story: datetime) -> None:
    client = sign_in(app.test_client(), "cabinet")
    for page in ("/reports/escalations", "/reports"):
        text = client.get(page).text
        links = re.findall(r'<a href="(/reports/cases\?[^"]+)">([০-৯,]+)</a>', text)
        assert len(links) > 5
        for link, figure in links:
            listing = client.get(html.unescape(link)).text
            title = re.search(r"<h1>[^<]*: ([০-৯,]+)</h1>", listing)
            assert title and title[1] == figure, link
            assert listing.count('href="/cases/') == int(latin_digits(figure).replace(",", ""))


def test_paging_shows_every_case_once(app: Flask, session: Session) -> None:
    now = clock.now(session)
    for day in range(queries.PAGE + 7):
        filed(now - timedelta(days=day % 5))
    client = sign_in(app.test_client(), "cabinet")
    seen: Counter[str] = Counter()
    address: str | None = "/reports/cases?measure=open"
    while address:
        text = client.get(address).text
        seen.update(re.findall(r'href="/cases/(\w+)"', text))
        following = re.search(r'href="([^"]+)" rel="next"', text)
        address = html.unescape(following[1]) if following else None
    assert len(seen) == queries.PAGE + 7 and set(seen.values()) == {1}


def test_csv_opens_right_and_is_recorded(app: Flask, session: Session, story: datetime) -> None:
    client = sign_in(app.test_client(), "cabinet")
    answer = client.get("/reports/escalations.csv?level=3")
    text = answer.data.decode("utf-8")
    assert text.startswith("\ufeff") and answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(text[1:])))
    cell = officer(session, "cabinet")
    assert len(rows) - 1 == queries.count(session, cell, Selection(level=3), story) > 0
    assert {row[2] for row in rows[1:]} == {"3"}
    recorded = session.execute(db.text("SELECT data FROM audit_entry WHERE stream = 'exports'")).scalars().all()
    assert recorded == [{"report": "escalations", "filter": {"measure": "escalated", "level": "3"}}]


@pytest.mark.parametrize("username", ["desk.dhaka", "admin", "officer.social-welfare"])
def test_reports_do_not_exist_for_others(app: Flask, username: str) -> None:
    client = sign_in(app.test_client(), username)
    for page in (
        "/reports",
        "/reports/escalations",
        "/reports/cases",
        "/reports/escalations.csv",
        "/reports/cases.csv",
    ):
        assert client.get(page).status_code == 404, page


@pytest.mark.parametrize(
    "query",
    [
        "level=9",
        "age=x",
        "ministry=%00",
        "district=' OR 1=1",
        "after=nonsense",
        "after=99999999999999999999-1",
        "period=১",
    ],
)
def test_odd_addresses_show_a_page(app: Flask, story: datetime, query: str) -> None:
    client = sign_in(app.test_client(), "cabinet")
    for page in ("/reports", "/reports/escalations", "/reports/cases"):
        assert client.get(f"{page}?{query}").status_code in (200, 400), page


def test_the_report_takes_a_constant_number_of_statements(app: Flask, session: Session, story: datetime) -> None:
    client = sign_in(app.test_client(), "cabinet")
    client.get("/reports/escalations")

    def statements() -> int:
        counted: list[str] = []

        def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            counted.append(statement)

        sqlalchemy_event.listen(db.engine, "before_cursor_execute", count)
        try:
            client.get("/reports/escalations")
        finally:
            sqlalchemy_event.remove(db.engine, "before_cursor_execute", count)
        return len(counted)

    with app.app_context():
        first = statements()
        now = clock.now(session)
        for day in range(100, 130):
            filed(now - timedelta(days=day), programme="vgf", district="1006")
        sweep(now)
        again = statements()
    # The cache of the directory may or may not look at its edition in either round.
    assert abs(again - first) <= 2 and first <= 14
