"""Through HTTP: what officers see of somebody who is not informed, and how they record that they told them."""

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.escalation.events import LadderClimbed
from grm.kernel import clock
from grm.kernel import tracking_number as numbers
from grm.kernel.clock import dhaka_date
from grm.kernel.context import settings
from grm.kernel.text import bangla_digits
from grm.kernel.transaction import transaction
from grm.notifications.undelivered import follow_up
from tests.integration.test_informing import not_informed
from tests.support import build
from tests.support.climbs import climb
from tests.support.web import parse

GRO = "gro.social-welfare"


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return unescape(found[1])


@pytest.fixture
def gro(app: Flask) -> FlaskClient:
    return signed_in(app, GRO)


def signed_in(app: Flask, username: str) -> FlaskClient:
    client = app.test_client()
    token = token_of(client.get("/login?lang=en").text)
    data = {"csrf_token": token, "username": username, "password": "demo"}
    assert client.post("/login", data=data).status_code == 303
    return client


def send(client: FlaskClient, case: Case, **fields: str) -> object:
    page = client.get(f"/cases/{case.tracking_number}").text
    version = re.findall(r'name="version" value="(\d+)"', page)[0]
    data = {"csrf_token": token_of(page), "action": "INFORM", "version": version, **fields}
    return client.post(f"/cases/{case.tracking_number}", data=data)


def test_the_case_page_says_whom_to_call_and_why(session: Session, gro: FlaskClient) -> None:
    case = not_informed(session)
    page = gro.get(f"/cases/{case.tracking_number}").text
    assert "The complainant is not informed" in page and "The phone could not be reached" in page
    assert "Until then the time for an appeal does not begin." in page
    assert "Record how the complainant was told" in page
    today = dhaka_date(clock.now(session))
    assert f'value="{today:%d/%m/%Y}"' in page


def test_an_officer_records_a_call_with_a_date_in_bangla_figures(session: Session, gro: FlaskClient) -> None:
    case = not_informed(session)
    day = bangla_digits("14/01/2026")
    answer = send(gro, case, how="phone", contacted_on=day, note="ছেলের সঙ্গে কথা হয়েছে")
    assert answer.status_code == 303  # type: ignore[attr-defined]
    page = gro.get(f"/cases/{case.tracking_number}?done=INFORM").text
    assert "It is recorded how the complainant was told." in page
    assert "Told by phone on 14 January 2026" in page and "ছেলের সঙ্গে কথা হয়েছে" in page
    assert "The complainant is not informed" not in page and "Record how the complainant was told" not in page


@pytest.mark.parametrize("day", ["", "31/02/2026", "01/01/2020", "01/01/2199"])
def test_an_impossible_day_is_said_and_nothing_typed_is_lost(session: Session, gro: FlaskClient, day: str) -> None:
    case = not_informed(session)
    answer = send(gro, case, how="letter", contacted_on=day, note="স্মারক নং ১২৩")
    assert answer.status_code == 422  # type: ignore[attr-defined]
    page = answer.text  # type: ignore[attr-defined]
    assert "Choose a day from the day of receipt to today" in page and "স্মারক নং ১২৩" in page
    session.refresh(case)
    assert case.is_not_informed


def test_a_colleague_without_the_case_and_a_superior_record_nothing(app: Flask, session: Session) -> None:
    case = not_informed(session)
    for username in ("officer.social-welfare", "appeal.social-welfare"):
        answer = send(signed_in(app, username), case, how="phone", contacted_on="14/01/2026", note="")
        assert answer.status_code == 409  # type: ignore[attr-defined]
    stranger = signed_in(app, "gro.food").get(f"/cases/{case.tracking_number}")
    assert stranger.status_code == 404


def test_the_queue_shows_and_finds_them(session: Session, gro: FlaskClient) -> None:
    case, other = not_informed(session), build.case(session)
    session.commit()
    found = parse(gro.get("/queue?view=all&informed=no").text).first("main").text
    shown = numbers.display(case.tracking_number)
    assert shown in found and numbers.display(other.tracking_number) not in found and "Not informed" in found
    everything = parse(gro.get("/queue?view=all").text).first("main").text
    assert shown in everything and numbers.display(other.tracking_number) in everything


def test_the_cell_sees_how_many_and_which(app: Flask, session: Session, gro: FlaskClient) -> None:
    case = not_informed(session)
    cell = signed_in(app, "cabinet")
    page = cell.get("/reports").text
    link = re.search(r'href="(/reports/cases\?measure=not_informed[^"]*)"', page)
    assert link and "Complainant not informed" in page
    assert numbers.display(case.tracking_number) in cell.get(unescape(link[1])).text
    own = re.search(r'href="(/reports/cases\?measure=not_informed[^"]*)"', gro.get("/reports").text)
    assert own and "scope=" in own[1], "a GRO counts those of the own desk"


def test_opening_the_case_on_the_tracking_page_is_being_told(app: Flask, session: Session) -> None:
    case = not_informed(session)
    secret = numbers.new_tracking_number()
    mac = numbers.secret_mac(settings().tracking_key, case.tracking_number, secret)
    session.execute(text("UPDATE cases SET secret_mac = :mac WHERE id = :id"), {"mac": mac, "id": case.id})
    session.commit()
    client = app.test_client()
    token = token_of(client.get("/track?lang=en").text)
    codes = {"csrf_token": token, "tracking_number": case.tracking_number, "secret": secret}
    page = client.post("/track", data=codes)
    assert page.status_code == 200
    assert "you may appeal until" in page.text, "the time has begun with this very view"
    session.rollback()
    session.refresh(case)
    assert not case.is_not_informed


def test_wrong_codes_tell_nobody_anything(app: Flask, session: Session) -> None:
    case = not_informed(session)
    client = app.test_client()
    token = token_of(client.get("/track").text)
    codes = {"csrf_token": token, "tracking_number": case.tracking_number, "secret": "0000000000000"}
    assert client.post("/track", data=codes).status_code == 422
    session.rollback()
    session.refresh(case)
    assert case.is_not_informed


def test_who_was_not_reached_is_in_the_escalation_report_and_on_the_administrators_page(
    app: Flask, session: Session
) -> None:
    case = build.case(session, preferred_channel="none")
    session.commit()
    officer = build.officer_id(session, GRO)
    with transaction() as act:
        act.record(LadderClimbed((climb(case, 1, officer),)))
    session.execute(
        text(
            "UPDATE message SET state = 'failed', error = 'SMTP 550 5.1.1 no', ended_at = now() WHERE channel = 'email'"
        )
    )
    session.commit()
    follow_up()
    name = session.execute(text("SELECT name_en FROM officer WHERE id = :id"), {"id": officer}).scalar_one()
    report = parse(signed_in(app, "cabinet").get("/reports/escalations").text).first("main").text
    assert "Notices that did not arrive" in report and name in report
    page = parse(signed_in(app, "admin").get("/admin").text).first("main").text
    assert "Addresses from which mail comes back" in page and name in page
    address = session.execute(text("SELECT email FROM officer WHERE id = :id"), {"id": officer}).scalar_one()
    assert address not in page, "masked"
