"""The escalation report: each figure equals its list, each path sums to the age, and from a figure one acts."""

import html
import re
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.cases import escalating, service, taking_up
from grm.cases.bulk_models import BulkAct, BulkItem
from grm.cases.models import Case, Direction
from grm.escalation.sweep import sweep
from grm.kernel import clock
from grm.kernel.actor import complainant
from grm.kernel.clock import dhaka_date
from grm.kernel.text import latin_digits
from grm.offices.queries import directory
from grm.reports import escalation_cases, escalation_figures, lists
from grm.reports.measures import LEVELS, Selection
from grm.tallies.scope import scopes_of
from tests.support import build
from tests.support.web import parse

FIGURE = re.compile(r'<a href="(/reports/cases\?[^"]+)">(?:<b>)?([০-৯,]+)(?:</b>)?</a>')
ORDER = "সাত কর্মদিবসের মধ্যে উপকারভোগীর বাড়ি গিয়ে যাচাই করে জানান।"
TILE = re.compile(r'<li class="tile[^"]*"><a href="(/reports/cases\?[^"]+)">[^<]*</a>\s*<b>([০-৯,]+)</b>')


@pytest.fixture
def story(session: Session) -> datetime:
    """Late cases of three ministries at all levels, one sensitive, one taken up, one that waited, one that was asked for."""
    now = clock.now(session)
    clerk = build.actor(session, "officer.social-welfare")
    ministries = {"social-welfare": "old-age-allowance", "food": None, "women-children": "vwb"}
    book = directory(session)
    offices = [book.ministry(slug).office_id for slug in ministries if any(m.slug == slug for m in book.ministries)]
    for office_id in offices:
        for days in (50, 56, 70, 120):
            build.case(session, office_id, filed_at=now - timedelta(days=days))
    build.case(session, desk="appeal", is_sensitive=True, filed_at=now - timedelta(days=80))
    taken = build.case(session, filed_at=now - timedelta(days=90))
    waited = build.case(session, filed_at=now - timedelta(days=100))
    soon = [build.case(session, offices[0], filed_at=now - timedelta(days=days)) for days in (37, 38, 39)]
    asked = build.case(session, filed_at=now - timedelta(days=47))
    session.commit()
    service.claim_case(clerk, waited.tracking_number, None, now=now - timedelta(days=95))
    service.ask_complainant(clerk, waited.tracking_number, None, "কোন মাস থেকে?", now=now - timedelta(days=94))
    who = complainant(waited.tracking_number)
    service.answer_question(who, waited.tracking_number, "জুন মাস থেকে", now=now - timedelta(days=90))
    sweep(now)
    session.rollback()
    session.refresh(asked)
    if asked.due_at <= now:
        escalating.escalate_case(complainant(asked.tracking_number), asked.tracking_number, now=now)
    above = build.actor(session, "appeal.social-welfare")
    taking_up.take_up_case(above, taken.tracking_number, None, "সময় পেরিয়েছে", now=now - timedelta(days=30))
    session.rollback()
    assert len(soon) == 3
    return now


def number_in(text: str) -> int:
    return int(latin_digits(text).replace(",", ""))


@pytest.mark.parametrize("username", ["cabinet", "gro.social-welfare"])
def test_every_figure_is_as_long_as_its_list_and_every_path_as_its_age(
    session: Session, story: datetime, username: str
) -> None:
    actor, book = build.actor(session, username), directory(session)
    scope = scopes_of(actor, book)[0]

    def listed(**chosen: object) -> int:
        return lists.count(session, actor, book, scope, Selection(**chosen), story)  # type: ignore[arg-type]

    def count(found: escalation_figures.Row, **chosen: object) -> None:
        assert found.number == listed(**chosen), chosen
        for level in LEVELS:
            if chosen.get("level") in (None, level):
                assert found.levels[level - 1] == listed(**{**chosen, "level": level}), (chosen, level)

    for chosen in ({}, {"level": 3}, {"age": "31-90"}, {"ministry": "social-welfare"}, {"district": "none"}):
        found = escalation_figures.figures(session, actor, book, scope, Selection(**chosen), story)
        assert found.total is not None
        count(found.total, **chosen)
        for dimension, rows in (
            ("ministry", found.ministries),
            ("programme", found.programmes),
            ("district", found.districts),
        ):
            if rows is not None:
                assert sum(row.number for row in rows) == found.total.number, (chosen, dimension)
                for row in rows:
                    count(row, **{**chosen, dimension: row.code})
        holders = escalation_figures.holders(session, actor, book, scope, Selection(**chosen), story)
        assert sum(each.number for each in holders) == found.total.number
        for each in holders:
            kept = {"ministry": book.office(each.office_id).code, "holder": str(each.officer_id or "none")}
            if "ministry" not in chosen:
                assert each.number == listed(**{**chosen, **kept})
    # All three at once are told by the list only.
    three = Selection(ministry="social-welfare", programme="old-age-allowance", district="3026")
    assert escalation_figures.figures(session, actor, book, scope, three, story).total is None
    seen: list[escalation_cases.Late] = []
    after = None
    while True:
        offices = escalation_figures.figures(session, actor, book, scope, Selection(), story).office_ids
        page = escalation_cases.page(session, actor, book, scope, Selection(), story, after, 4, offices)
        seen += page.cases
        if not page.after:
            break
        after = escalation_cases.mark_from(page.after)
    assert len({each.row.id for each in seen}) == len(seen) == listed()
    for late in seen:
        age = (dhaka_date(story) - dhaka_date(session.get_one(Case, late.row.id).filed_at)).days
        assert sum(step.days for step in late.path.steps) == late.path.days == age
        assert max((rise.level for rise in late.path.rises), default=0) == late.row.level
        assert bool(late.row.asked_higher_at) == any(rise.is_asked for rise in late.path.rises)
    assert any(step.holder.kind == "complainant" for each in seen for step in each.path.steps)


def signed_in(app: Flask, username: str) -> FlaskClient:
    """A browser in which a demo officer is signed in."""
    client = app.test_client()
    token = token_of(client.get("/login").text)
    assert client.post("/login", data={"csrf_token": token, "username": username, "password": "demo"}).location
    return client


def token_of(page: str) -> str:
    """The token of a page's forms."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def test_each_number_of_the_page_opens_its_list(app: Flask, session: Session, story: datetime) -> None:
    client = signed_in(app, "cabinet")
    page = client.get("/reports/escalations").text
    links = {html.unescape(link): number_in(text) for link, text in (*FIGURE.findall(page), *TILE.findall(page))}
    assert len(links) > 20 and any("due_7" in link for link in links) and any("holder" in link for link in links)
    for link, expected in sorted(links.items())[::2]:
        title = re.search(r"<h1>[^<]*: ([০-৯,]+)</h1>", client.get(link).text)
        assert title and number_in(title[1]) == expected, link
    text = parse(page).first("main").text
    assert "সেলের সভাপতি" in text
    assert "অভিযোগকারীর অনুরোধে" in parse(client.get("/reports/escalations/paths").text).first("main").text
    english = parse(client.get("/reports/escalations/paths?lang=en").text).first("main").text
    assert "The complainant: the clock stood still for an answer" in english
    assert "days since it was filed" in english
    for odd in ("paths?after=nonsense&level=x&age=y", "paths?after=1e99-1", "?district=1004&level=3", "?ministry=%00"):
        assert client.get(f"/reports/escalations/{odd}".replace("/?", "?")).status_code == 200, odd
    assert signed_in(app, "officer.social-welfare").get("/reports/escalations").status_code == 404


def test_from_a_figure_one_reminds_directs_and_takes_up(app: Flask, session: Session, story: datetime) -> None:
    client = signed_in(app, "cabinet")
    client.get("/?lang=en")
    figure = "measure=escalated&level=3"
    offered = client.get(f"/reports/cases?{figure}").text
    total = len(set(re.findall(r'name="case" value="(\w+)\.', offered)))
    assert total > 3 and 'value="REMIND"' in offered and 'value="DIRECT"' in offered
    none = client.get(f"/reports/act?action=REMIND&from={quote(figure)}")
    assert none.status_code == 303 and "chosen=none" in none.location
    assert "Choose at least one case" in client.get(none.location).text
    form = client.get(f"/reports/act?action=DIRECT&pick=figure&from={quote(figure)}")
    picks = re.findall(r'name="case" value="(\w+\.\d+)"', form.text)
    assert len(picks) == total, "all of the figure"
    data = {"csrf_token": token_of(form.text), "action": "DIRECT", "from": figure, "case": picks, "direction": "দেখুন"}
    again = client.post("/reports/act", data=data)
    assert again.status_code == 422 and len(re.findall(r'name="case" value="\w+\.\d+" checked', again.text)) == total
    done = client.post("/reports/act", data={**data, "direction": ORDER})
    assert done.status_code == 303
    shown = parse(client.get(done.location).text).first("main").text
    assert ORDER in shown and f"{total} of {total} done" in shown
    session.rollback()
    act = session.scalars(select(BulkAct)).one()
    states = session.scalars(select(BulkItem.state).where(BulkItem.bulk_act_id == act.id)).all()
    assert (act.action, act.office_id, len(states), set(states)) == ("DIRECT", None, total, {"done"})
    assert session.scalar(select(func.count()).select_from(Direction)) == total
    assert len(re.findall(r'href="/cases/\w+#directions"', client.get("/directions").text)) == total
    # The appeal officer has no direction to give, and only the own office's cases to remind of.
    session.rollback()
    above = signed_in(app, "appeal.social-welfare")
    assert above.get(f"/reports/act?action=DIRECT&pick=figure&from={quote(figure)}").status_code == 404
    form = above.get(f"/reports/act?action=REMIND&pick=figure&from={quote(figure)}")
    own = re.findall(r'name="case" value="(\w+\.\d+)"', form.text)
    assert 0 < len(own) < total
    data = {"csrf_token": token_of(form.text), "action": "REMIND", "from": figure, "case": own, "reminder": ""}
    assert above.post("/reports/act", data=data).status_code == 303
    session.rollback()
    # One of them lies at the own desk: nobody reminds himself, and the act says so.
    last = select(BulkItem.code).join(BulkAct).where(BulkAct.action == "REMIND")
    codes = session.scalars(last).all()
    assert sorted(codes, key=str) == [None] * (len(own) - 1) + ["not-your-part"]
    assert session.scalar(select(func.count()).where(Case.reminded_at.is_not(None))) == len(own) - 1
    page = parse(above.get("/reports/escalations/paths?level=3").text).first("main").text
    assert page.count("তাগিদ দেওয়া হয়েছে") == len(own) - 1
    assert signed_in(app, "gro.social-welfare").get("/reports/act?action=REMIND").status_code == 404


def test_a_coordinator_sees_the_cluster_and_reminds(app: Flask, session: Session, story: datetime) -> None:
    actor, book = build.actor(session, "coordinator.social-welfare"), directory(session)
    (scope,) = scopes_of(actor, book)
    assert scope.ids == actor.overseen_office_ids, "what is counted is what may be opened"
    found = escalation_figures.figures(session, actor, book, scope, Selection(), story)
    seen = lists.page(session, actor, book, scope, Selection(), story, lists.natural(Selection()))
    assert found.total is not None and 0 < found.total.number == len(seen)
    assert not any(row.is_sensitive for row in seen) and {row.office_id for row in seen} <= actor.overseen_office_ids
    client = signed_in(app, "coordinator.social-welfare")
    assert client.get("/queue").location == "/directions"
    number = seen[0].tracking_number
    case = client.get(f"/cases/{number}").text
    assert 'value="REMIND"' in case and 'value="NOTE"' not in case and "+8801712345678" not in case
    assert client.get("/search?q=017").status_code == 404
    offered = client.get("/reports/cases?measure=escalated").text
    assert 'value="REMIND"' in offered and 'value="DIRECT"' not in offered and 'value="TAKE_UP"' not in offered
    form = client.get("/reports/act?action=REMIND&pick=figure&from=measure%3Descalated").text
    picks = re.findall(r'name="case" value="(\w+\.\d+)"', form)
    assert len(picks) == len(seen)
    data = {"csrf_token": token_of(form), "action": "REMIND", "from": "", "case": picks, "reminder": "আজই দেখুন"}
    done = client.post("/reports/act", data=data)
    assert done.status_code == 303 and client.get(done.location).status_code == 200
    session.rollback()
    assert session.scalar(select(func.count()).where(Case.reminded_at.is_not(None))) == len(seen)
