"""The pages on posts and officers, as a head, an administrator, a successor and a stranger find them."""

import re
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from grm.accounts.models import Officer, StaffSession
from grm.accounts.passwords import hash_password
from grm.cases import people, service
from grm.cases.handover_models import Handover
from grm.cases.models import Case
from grm.kernel import audit, clock
from grm.kernel.clock import dhaka_date
from grm.notifications.models import Message
from grm.offices.models import Leave, Posting
from tests.integration.test_handover import Office
from tests.integration.test_sign_in import post_login, token_of
from tests.support import build

PASSWORD_ON_PAGE = re.compile(r"\b(?:[2-9a-z]{4}-){3}[2-9a-z]{4}\b")


@pytest.fixture
def office(session: Session) -> Office:
    made = Office(session)
    for name in made.ids:
        session.get_one(Officer, made.ids[name]).password_hash = hash_password("demo") if name in HAVE_PASSWORD else "x"
    session.commit()
    return made


HAVE_PASSWORD = ("head", "heir")


@pytest.fixture
def today(session: Session) -> date:
    return dhaka_date(clock.now(session))


def enter(app: Flask, session: Session, officer_id: int) -> FlaskClient:
    client = app.test_client()
    username = session.get_one(Officer, officer_id).username
    session.rollback()
    assert post_login(client, username).status_code == 303
    return client


def post(client: FlaskClient, path: str, **fields: Any) -> TestResponse:
    return client.post(path, data={"csrf_token": token_of(client.get("/password").text), **fields})


def day(value: date) -> str:
    return value.strftime("%d/%m/%Y")


def test_a_head_runs_the_own_office_and_no_other(app: Flask, session: Session, office: Office, today: date) -> None:
    case, about_head = office.case(), office.case(accused_officers=[office.ids["head"]])
    client = enter(app, session, office.ids["head"])
    page = client.get("/people?lang=en").text
    for words in ("Leaver", "Heir", "Open cases"):
        assert words in page
    row = page[page.index(">Leaver<") :]
    assert re.search(r'data-label="Open cases"><span>(\d+)<', row)[1] == "1"  # type: ignore[index]
    for path in ("/people?office=food", "/people?office=cell"):
        assert client.get(path).status_code == 404
    other = build.post_id(session, build.office_id(session, "food"), "gro")
    assert client.get(f"/people/posts/{other}/appoint").status_code == 404
    assert client.get(f"/people/officers/{build.officer_id(session, 'gro.food')}").status_code == 404

    # Appointing: an officer with an account, and a new account with its first password.
    free = office.session.scalar(select(Posting.post_id).where(Posting.id == office.postings["leaver"]))
    path = f"/people/posts/{free}/appoint"
    taken = post(client, path, username="gro.food", starts_on=day(today), kind="regular")
    assert taken.status_code == 409 and "Somebody sits in this post then" in taken.text
    wrong = post(client, path, username="nobody", starts_on="31/02/2026", kind="alternate")
    assert wrong.status_code == 422 and "Write the day" in wrong.text
    me = session.get_one(Officer, office.ids["head"]).username
    assert post(client, path, username=me, starts_on=day(today), kind="alternate").status_code == 409
    assert post(client, path, username="admin", starts_on=day(today), kind="alternate").status_code == 409
    assert post(client, path, username="gro.food", starts_on=day(today), kind="alternate").status_code == 303
    assert "Alternate" in client.get("/people?lang=en").text

    fields = {"username": "New.Officer", "name_bn": "নতুন কর্মকর্তা", "name_en": "New Officer", "language": "bn"}
    made = post(
        client, f"/people/posts/{free}/new-account", **fields, email="x@grm.example", phone="০১৭১২৩৪৫৬৭৮",
        starts_on=day(today), kind="alternate",
    )  # fmt: skip
    password = PASSWORD_ON_PAGE.search(made.text)
    assert made.status_code == 200 and password
    assert "no-store" in made.headers["Cache-Control"]
    session.rollback()
    records = str([row.data for row in session.scalars(select(audit.AuditEntry))])
    assert password[0] not in records and "+8801712345678" not in records
    again = post(client, f"/people/posts/{free}/new-account", **fields, starts_on=day(today), kind="alternate")
    assert again.status_code == 409 and "user name already" in again.text
    assert case.tracking_number not in page and about_head.tracking_number not in page
    first_password(app, session, password[0])


def first_password(app: Flask, session: Session, password: str) -> None:
    """A password that was given out opens only the page where another one is chosen, and not for ever."""
    client = app.test_client()
    assert post_login(client, "new.officer", password).status_code == 303
    assert client.get("/queue").location == client.get("/people").location == "/password"
    assert client.post("/desk/new", data={"csrf_token": "x"}).location == "/password"
    own = "তিনটি ভিন্ন শব্দ মিলে"
    for present, new, again in (("wrong", own, own), (password, "short", "short"), (password, own, "other"),
                                (password, password, password)):  # fmt: skip
        assert post(client, "/password", present=present, new=new, again=again).status_code == 422
    answer = post(client, "/password", present=password, new=own, again=own)
    assert answer.status_code == 303 and client.get("/queue").status_code == 200
    session.rollback()
    officer = session.scalars(select(Officer).where(Officer.username == "new.officer")).one()
    assert (officer.must_set_password, officer.password_until_at) == (False, None)
    assert post_login(app.test_client(), "new.officer", password).status_code == 422
    officer.must_set_password, officer.password_until_at = True, clock.now(session) - timedelta(minutes=1)
    session.commit()
    assert post_login(app.test_client(), "new.officer", own).status_code == 422


def test_an_account_is_changed_only_by_who_runs_all_its_offices(
    app: Flask, session: Session, office: Office, today: date
) -> None:
    client, leaver = enter(app, session, office.ids["head"]), office.ids["leaver"]
    path = f"/people/officers/{leaver}"
    kept = {"action": "particulars", "name_bn": "রহিমা বেগম", "name_en": "Rahima Begum", "language": "en"}
    before = client.get(f"{path}?lang=en").text
    assert session.get_one(Officer, leaver).username in before and "Account closed" not in before
    assert post(client, path, **kept, email="r@grm.example", phone="01712345678").status_code == 303
    bad = post(client, path, **kept, email="nothing", phone="123")
    assert bad.status_code == 422 and "This is not an e-mail address" in bad.text
    session.rollback()
    officer = session.get_one(Officer, leaver, populate_existing=True)
    assert (officer.name_en, officer.email, officer.phone, officer.language) == (
        "Rahima Begum", "r@grm.example", "+8801712345678", "en",
    )  # fmt: skip
    assert PASSWORD_ON_PAGE.search(post(client, path, action="password").text)
    # With a seat elsewhere the password would open that office too.
    build.posting(session, build.post_id(session, build.office_id(session, "food"), "gro"), leaver, is_alternate=True)
    session.commit()
    refused = post(client, path, action="password")
    assert refused.status_code == 409 and not PASSWORD_ON_PAGE.search(refused.text)
    assert post(client, path, **kept).status_code == 409
    assert client.get(f"{path}/close").status_code == 409
    assert post(client, f"/people/officers/{office.ids['head']}", action="password").status_code == 409
    assert post(client, f"/people/postings/{office.postings['head']}/end", action="end").status_code == 409

    # Leave: messages go to whoever stands in, and nobody gives the officer a case.
    heir_seat = build.posting(
        session, session.get_one(Posting, office.postings["gro"]).post_id, office.ids["heir"], is_alternate=True
    )
    case = office.case(None)
    assert heir_seat.id
    gro = f"/people/officers/{office.ids['gro']}"
    assert post(client, gro, action="leave", starts_on=day(today), last_on="1/1/2020").status_code == 422
    assert post(client, gro, action="leave", starts_on=day(today), last_on=day(today)).status_code == 303
    assert post(client, gro, action="leave", starts_on=day(today), last_on=day(today)).status_code == 409
    assert "On leave until" in client.get("/people?lang=en").text
    session.rollback()
    heads = office.actor("appeal")
    with pytest.raises(Exception, match="invalid-input"):
        service.assign_case(heads, case.tracking_number, None, office.ids["gro"])
    service.refer_case(build.actor(session, "gro.food"), food_case(session), 1, office.id, "এটি আপনাদের দপ্তরের বিষয়।")
    held = office.case("gro")
    shown = client.get(f"/cases/{held.tracking_number}?lang=en").text
    assert re.search(r"Gro\s*<span class=\"tag amber\">On leave", shown)
    told = select(Message.officer_id).where(Message.template == "case-referred-officer")
    assert session.scalars(told).all() == [office.ids["heir"]]
    leave = session.scalars(select(Leave)).one()
    assert post(client, gro, action="back", leave=str(leave.id)).status_code == 303
    assert post(client, gro, action="back", leave=str(leave.id)).status_code == 409
    assert "On leave until" not in client.get("/people?lang=en").text


def food_case(session: Session) -> str:
    row = build.case(session, build.office_id(session, "food"), programme=None)
    session.commit()
    return row.tracking_number


def test_a_head_hands_over_and_the_successor_reads_the_dossier(
    app: Flask, session: Session, office: Office, today: date
) -> None:
    plain, accusing = office.case(), office.case(accused_officers=[office.ids["heir"]])
    hidden = office.case(accused_officers=[office.ids["head"]])
    solved = office.case(None, status="closed", outcome="service_given", ended_at=build.dhaka(2026, 1, 5),
                         received_on=today)  # fmt: skip
    session.commit()
    head = enter(app, session, office.ids["head"])
    path = f"/people/postings/{office.postings['leaver']}/end"
    page = head.get(f"{path}?lang=en").text
    assert plain.tracking_number in page and accusing.tracking_number in page
    assert hidden.tracking_number not in page and ">2<" in page
    chooser = page[page.index(f'name="case_{accusing.tracking_number}"') :].partition("</select>")[0]
    assert "Heir" not in chooser and "Gro" in chooser
    later = day(today + timedelta(days=30))
    assert post(head, path, action="announce", leaving_on="tomorrow").status_code == 422
    assert post(head, path, action="announce", leaving_on=later).status_code == 303
    assert "Leaving on" in head.get("/people?lang=en").text

    heir = str(office.ids["heir"])
    to = f"to_{office.id}"
    refused = post(head, path, action="end", **{to: heir})
    assert refused.status_code == 409 and "1 thing is not handed over" in refused.text
    assert f'value="{heir}" selected' in refused.text and hidden.tracking_number not in refused.text
    single = {f"case_{accusing.tracking_number}": str(office.ids["gro"])}
    done = post(head, path, action="end", **{to: heir}, **single)
    assert done.status_code == 303
    session.rollback()
    assert {session.get_one(Case, each.id, populate_existing=True).assignee_id for each in (plain, hidden)} == {
        office.ids["heir"]
    }
    number = session.scalars(select(Handover.id)).one()
    assert done.location == f"/people/handovers/{number}"

    successor = enter(app, session, office.ids["heir"])
    mine = successor.get(f"/people/handovers/{number}?lang=en").text
    assert plain.tracking_number in mine.replace("-", "") and hidden.tracking_number in mine.replace("-", "")
    assert accusing.tracking_number not in mine.replace("-", "") and "Open cases, the most urgent first" in mine
    assert "Handover of Leaver" in mine
    led = head.get(f"/people/handovers/{number}?lang=en").text.replace("-", "")
    assert accusing.tracking_number in led and hidden.tracking_number not in led
    known = {name: people.record(session, office.actor(name), number).counts for name in ("head", "heir", "gro")}
    assert known == {"head": (("case", 2),), "heir": (("case", 2),), "gro": (("case", 1),)}
    session.rollback()
    admin = app.test_client()
    post_login(admin, "admin")
    counts = admin.get(f"/people/handovers/{number}?lang=en").text.replace("-", "")
    assert "What you do not see" in counts
    for case in (plain, accusing, hidden, solved):
        assert case.tracking_number not in counts
    stranger = app.test_client()
    post_login(stranger, "gro.food")
    for client, wanted in ((stranger, f"/people/handovers/{number}"), (stranger, "/people"), (successor, "/people"),
                           (stranger, f"/people/officers/{office.ids['heir']}/dossier"),
                           (admin, f"/people/officers/{office.ids['heir']}/dossier")):  # fmt: skip
        assert client.get(wanted).status_code == 404, wanted
    assert successor.get(f"/people/officers/{office.ids['heir']}/dossier").status_code == 200


def test_an_administrator_finds_offices_and_officers_and_closes_accounts(
    app: Flask, session: Session, office: Office
) -> None:
    case = office.case("gro")
    session.add(Leave(officer_id=office.ids["head"], starts_on=date(2020, 1, 1), ends_on=date(2099, 1, 1),
                      entered_at=build.dhaka(2026, 1, 1)))  # fmt: skip
    session.commit()
    admin = app.test_client()
    post_login(admin, "admin")
    assert "Ministry of Food" in admin.get("/people?q=food&lang=en").text
    assert "gro.food" in admin.get("/people?q=gro.food&lang=en").text
    assert admin.get("/people?q=%25").status_code == 200
    code = f"office={build_code(session, office)}"
    listed = admin.get(f"/people?{code}&lang=en").text
    assert "Administrators see no cases" in listed and case.tracking_number not in listed
    path = f"/people/officers/{office.ids['gro']}/close"
    page = admin.get(f"{path}?lang=en").text
    assert case.tracking_number not in page and "What you do not see" in page
    assert post(admin, path, action="end").status_code == 409
    client = enter_with(app, session, office.ids["gro"])
    assert client.get("/queue").status_code == 200
    done = post(admin, path, action="end", **{f"to_{office.id}": str(office.ids["heir"])})
    assert done.status_code == 303
    assert (
        client.get("/queue").status_code == 303 and session.scalar(select(func.count()).select_from(StaffSession)) == 1
    )
    assert "Account closed" in admin.get(f"/people/officers/{office.ids['gro']}?lang=en").text
    assert admin.get(path).status_code == 409
    reopened = post(admin, f"/people/officers/{office.ids['gro']}", action="reopen")
    assert PASSWORD_ON_PAGE.search(reopened.text)
    session.rollback()
    assert session.get_one(Officer, office.ids["gro"], populate_existing=True).is_active


def enter_with(app: Flask, session: Session, officer_id: int) -> FlaskClient:
    session.get_one(Officer, officer_id).password_hash = hash_password("demo")
    session.commit()
    return enter(app, session, officer_id)


def build_code(session: Session, office: Office) -> str:
    from grm.offices.queries import directory

    return directory(session).office(office.id).code
