"""Filing on somebody's behalf: actor, complainant and medium are three facts, and the clocks start on the day of receipt."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases.models import Accused, Case, CaseEvent
from grm.cases.queries import people_of, visible_to
from grm.deadlines.models import Deadline
from grm.deadlines.queries import calendar
from grm.intake import limits
from grm.kernel import context
from grm.kernel.clock import dhaka_date, now
from grm.kernel.text import bangla_digits
from grm.offices.queries import directory
from tests.support import build
from tests.support.citizen import Citizen, codes_of, errors_of, how_many, the_case
from tests.support.web import Page

DESK = "/desk/new"
PAPER = {
    "medium": "paper",
    "programme": "old-age-allowance",
    "category": "payment-not-received",
    "district": "3026",
    "details": "কাগজে লেখা অভিযোগ",
    "name": "রহিমা খাতুন",
    "phone": "01712345678",
}


def signed_in(app: Flask, username: str) -> Citizen:
    officer = Citizen(app)
    page = officer.submit(officer.get("/login").form("username").fill(username=username, password="demo"))
    assert page.status in (200, 404), page.text
    return officer


@pytest.fixture
def desk(app: Flask) -> Citizen:
    return signed_in(app, "desk.dhaka")


def file(desk: Citizen, **changes: str) -> Page:
    return desk.submit(desk.get(DESK).form("medium").fill(**{**PAPER, **changes}))


def test_three_facts_are_kept(desk: Citizen, session: Session) -> None:
    receipt = file(desk, upazila="302614")
    number, _secret = codes_of(receipt)
    case = the_case(session)
    assert (case.tracking_number, case.channel) == (number, "paper")
    assert case.filed_by_id == build.officer_id(session, "desk.dhaka")
    assert case.filed_by_office_id == directory(session).office("dc-3026").id
    (person,) = people_of(session, case, context.keyring())
    assert (person.role, person.name, person.phone) == ("complainant", "রহিমা খাতুন", "+8801712345678")
    event = session.scalars(select(CaseEvent)).one()
    assert (event.actor_kind, event.actor_id, event.data["channel"]) == ("officer", case.filed_by_id, "paper")


def test_the_form_begins_with_the_desks_own_district(desk: Citizen) -> None:
    assert desk.get(DESK).form("medium").values["district"] == ["3026"]


def test_the_clocks_start_on_the_day_of_receipt(desk: Citizen, session: Session) -> None:
    today = dhaka_date(now(session))
    received = today - timedelta(days=20)
    file(desk, received_on=bangla_digits(f"{received:%d/%m/%Y}"))
    case = the_case(session)
    assert (case.received_on, dhaka_date(case.filed_at)) == (received, today)
    days = calendar(session)
    for clock in session.scalars(select(Deadline)):
        assert dhaka_date(clock.started_at) == received
    assert case.due_on == days.add_working_days(days.next_working_day(received), 30)
    event = session.scalars(select(CaseEvent)).one()
    assert event.data["received_on"] == received.isoformat() and dhaka_date(event.at) == today


@pytest.mark.parametrize(
    ("name", "days"), [("received_on", 1), ("received_on", -367), ("incident_on", 1), ("received_on", None)]
)
def test_impossible_days_come_back(desk: Citizen, session: Session, name: str, days: int | None) -> None:
    today = dhaka_date(now(session))
    typed = "মাঘ মাসে" if days is None else f"{today + timedelta(days=days):%d/%m/%Y}"
    page = file(desk, **{name: typed})
    assert page.status == 422 and set(errors_of(page)) == {name}
    assert page.form("medium").values[name] == [typed] and page.form("medium").values["name"] == ["রহিমা খাতুন"]
    assert how_many(session, Case) == 0


def test_everything_wrong_is_named_at_once(desk: Citizen, session: Session) -> None:
    form = desk.get(DESK).form("medium").fill(details=" \u200b", phone="029512345", email="a@b", district="")
    page = desk.submit(form)
    assert page.status == 422
    assert set(errors_of(page)) == {"programme", "category", "district", "details", "phone", "email"}
    assert how_many(session, Case) == 0


def test_the_same_form_twice_is_one_case_with_one_receipt(desk: Citizen, session: Session) -> None:
    form = desk.get(DESK).form("medium").fill(**PAPER)
    first = codes_of(desk.submit(form))
    assert len(first) == 2 and codes_of(desk.submit(form)) == first
    assert how_many(session, Case) == 1


def test_a_stale_token_shows_the_filled_form(desk: Citizen, session: Session) -> None:
    form = desk.get(DESK).form("medium").fill(**PAPER)
    form.values["csrf_token"] = ["stale"]
    page = desk.submit(form)
    assert page.status == 400 and page.form("medium").values["details"] == [PAPER["details"]]
    assert len(codes_of(desk.submit(page.form("medium")))) == 2


def test_a_session_that_ended_loses_no_word(app: Flask, desk: Citizen, session: Session) -> None:
    form = desk.get(DESK).form("medium").fill(**PAPER)
    desk.client.delete_cookie("grm_session")
    page = desk.submit(form)
    assert page.status == 401 and how_many(session, Case) == 0
    page = desk.submit(page.form("username").fill(username="desk.dhaka", password="demo"))
    page = desk.submit(page.form("medium"))
    assert len(codes_of(page)) == 2
    assert the_case(session).details == PAPER["details"]


def test_a_desk_names_an_office_that_never_learns_of_it(desk: Citizen, session: Session) -> None:
    file(desk, accused_office="social-welfare")
    case, book = the_case(session), directory(session)
    assert (book.office(case.office_id).code, case.desk, case.about) == ("cell", "cell", "ministry")
    assert session.scalars(select(Accused.office_id)).all() == [book.office("social-welfare").id]
    for username in ("gro.social-welfare", "appeal.social-welfare", "officer.social-welfare"):
        assert session.scalars(select(Case.id).where(visible_to(build.actor(session, username)))).all() == []


def test_another_accused_office_changes_no_queue(desk: Citizen, session: Session) -> None:
    file(desk, accused_office="dc-1004")
    case = the_case(session)
    assert (directory(session).office(case.office_id).code, case.has_accused) == ("social-welfare", True)


def test_the_list_of_today_shows_own_filings_but_no_sensitive_ones(app: Flask, desk: Citizen) -> None:
    shown = codes_of(file(desk))[0]
    hidden = codes_of(file(desk, category="bribe-demand"))[0]
    page = desk.get(DESK)
    assert page.links(shown) and not page.links(hidden)
    other = signed_in(app, "gro.social-welfare").get(DESK)
    assert other.status == 200 and not other.links("/cases/")


def test_a_helper_may_file_for_as_many_as_come(
    app: Flask, desk: Citizen, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REPORT_EVERY", 1)
    monkeypatch.setattr(limits, "PER_PHONE", 1)
    for _ in range(5):
        assert len(codes_of(file(desk))) == 2
    assert how_many(session, Case) == 5


def test_an_anonymous_visitor_leaves_no_name(desk: Citizen, session: Session) -> None:
    form = desk.get(DESK).form("medium").fill(**PAPER).fill(anonymous=True)
    receipt = desk.submit(form)
    case = the_case(session)
    (person,) = people_of(session, case, context.keyring())
    assert case.is_anonymous and (person.name, person.phone) == (None, None)
    assert "একমাত্র উপায়" in receipt.text


@pytest.mark.parametrize("username", ["officer.social-welfare", "appeal.social-welfare", "admin"])
def test_who_has_no_desk_finds_no_page(app: Flask, session: Session, username: str) -> None:
    officer = signed_in(app, username)
    assert officer.get(DESK).status == 404
    assert officer.post(DESK, PAPER).status in (400, 404)
    assert how_many(session, Case) == 0


@pytest.mark.parametrize("username", ["cabinet", "gro.social-welfare"])
def test_the_cell_and_ministries_take_letters(app: Flask, session: Session, username: str) -> None:
    assert len(codes_of(file(signed_in(app, username), medium="letter"))) == 2
    assert the_case(session).filed_by_office_id in build.actor(session, username).office_ids()
