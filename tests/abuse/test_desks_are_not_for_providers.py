"""A payment provider's officer has no desk to file at: a complaint about a payment must not begin in the hands of who paid."""

import io

from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.intake.models import Draft
from grm.kernel.clock import dhaka_date, now
from grm.offices.models import Posting
from grm.offices.queries import directory
from grm.web.security import SESSION_KEY
from tests.support import build
from tests.support.citizen import Citizen, how_many


def signed_in(app: Flask, username: str) -> Citizen:
    officer = Citizen(app)
    officer.submit(officer.get("/login").form("username").fill(username=username, password="demo"))
    return officer


def test_no_page_of_a_desk_opens_for_a_provider(app: Flask, session: Session) -> None:
    provider = signed_in(app, "gro.bkash")
    with provider.client.session_transaction() as kept:
        token = kept.setdefault(SESSION_KEY, "t" * 32)
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.split(".")[0] in ("desk", "batches")]
    assert len(rules) >= 9
    for rule in rules:
        url = rule.rule.replace("<number>", "1").replace("<batch_id>", "1").replace("<kind>", "csv")
        for method in (rule.methods or set()) & {"GET", "POST"}:
            answer = provider.client.open(url, method=method, data={"csrf_token": token, "step": "file"})
            assert answer.status_code == 404, (method, url)
    scan = (
        io.BytesIO(b"x" * 25_000_000),
        "scan.jpg",
    )  # so large that it is answered before anybody has asked who this is
    fields = {"csrf_token": token, "draft": "A" * 22, "details": "x", "attachments": scan}
    assert provider.client.post("/desk/new", data=fields).status_code == 413
    assert how_many(session, Draft) == 0
    page = provider.get("/queue")
    assert page.status == 200 and "/desk/" not in page.html


def test_who_also_sits_at_a_desk_files_from_there(app: Flask, session: Session) -> None:
    officer = session.query(Officer).filter_by(username="gro.bkash").one()
    actor = build.actor(session, "desk.dhaka")
    today = dhaka_date(now(session))
    session.query(Posting).filter_by(post_id=actor.seats[0].post_id).delete()
    session.add(Posting(post_id=actor.seats[0].post_id, officer_id=officer.id, starts_on=today))
    session.commit()
    both = signed_in(app, "gro.bkash")
    assert both.get("/desk/new").form("medium").values["district"] == ["3026"]
    both.submit(
        both.get("/desk/new")
        .form("medium")
        .fill(
            medium="paper",
            programme="old-age-allowance",
            category="payment-not-received",
            district="3026",
            details="কাগজে",
            name="রহিমা",
            phone="01712345678",
        )
    )
    (office_id,) = session.execute(text("SELECT filed_by_office_id FROM cases")).one()
    assert office_id == directory(session).office("dc-3026").id
