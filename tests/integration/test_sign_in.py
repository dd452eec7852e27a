"""Signing in: one answer for every wrong, growing waits, fresh session tokens, and no typed word lost."""

import html
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from grm.accounts.models import Officer, StaffSession
from grm.accounts.sessions import IDLE, token_hash

WRONG = "ব্যবহারকারী নাম বা পাসওয়ার্ড সঠিক নয়"


def token_of(page: str) -> str:
    """The token of the form on a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return html.unescape(found[1])


def post_login(client: FlaskClient, username: str = "cabinet", password: str = "demo", **more: str):  # type: ignore[no-untyped-def]
    """Fill the sign-in page and press the button."""
    data = {"csrf_token": token_of(client.get("/login").text), "username": username, "password": password, **more}
    return client.post("/login", data=data)


def test_an_officer_enters_and_leaves(client: FlaskClient, session: Session) -> None:
    answer = post_login(client, " Cabinet ")
    assert (answer.status_code, answer.location) == (303, "/queue")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    page = client.get("/queue")
    assert page.status_code == 200
    assert client.post("/logout", data={"csrf_token": token_of(page.text)}).status_code == 303
    assert client.get("/queue").status_code == 303
    assert session.scalars(select(StaffSession)).all() == []


def test_unknown_wrong_and_deactivated_look_alike(client: FlaskClient, session: Session) -> None:
    session.execute(update(Officer).where(Officer.username == "gro.food").values(is_active=False))
    session.commit()
    answers = [
        post_login(client, name, word) for name, word in (("nobody", "x"), ("cabinet", "x"), ("gro.food", "demo"))
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert all(WRONG in answer.text for answer in answers)
    bodies = {re.sub(r'value="[^"]*"|[0-9a-f]{12}', "", answer.text) for answer in answers}
    assert len(bodies) == 1


@pytest.mark.parametrize(
    ("username", "password"),
    [("", "x"), ("cabinet", ""), ("ca\0binet", "demo"), ("cabinet", "de\0mo"), ("cabinet", "x" * 300)],
)
def test_bad_input_is_no_error(client: FlaskClient, username: str, password: str) -> None:
    answer = post_login(client, username, password)
    assert answer.status_code == 422
    assert 'class="error' in answer.text


def test_waits_grow_and_end_and_hit_only_the_source(app: Flask, client: FlaskClient) -> None:
    for _ in range(5):
        assert post_login(client, password="wrong").status_code == 422
    refused = post_login(client)
    assert refused.status_code == 429 and "মিনিট" in refused.text
    other = app.test_client()
    other.environ_base["REMOTE_ADDR"] = "192.0.2.7"
    assert post_login(other).status_code == 303, "an outsider must not lock the holder out"


def test_the_session_token_changes_at_sign_in(client: FlaskClient, session: Session) -> None:
    post_login(client)
    first = client.get_cookie("grm_session")
    assert first
    client.set_cookie("grm_session", first.value)
    client.get("/queue")
    rows = session.scalars(select(StaffSession)).all()
    assert [row.token_hash for row in rows] == [token_hash(first.value)], "the table holds the hash, once"
    client.post("/logout", data={"csrf_token": token_of(client.get("/queue").text)})
    client.set_cookie("grm_session", first.value)
    post_login(client)
    second = client.get_cookie("grm_session")
    assert second and second.value != first.value


def test_an_idle_session_ends_and_what_was_typed_survives(client: FlaskClient, session: Session) -> None:
    post_login(client, "desk.dhaka")
    client.get("/desk/new")
    session.execute(update(StaffSession).values(last_seen_at=StaffSession.last_seen_at - 2 * IDLE))
    session.commit()
    note = 'প্রথম লাইন\nদ্বিতীয় লাইন <b>&amp; "quoted" ' + "ক" * 300
    answer = client.post("/desk/new", data={"details": note, "csrf_token": "old", "name": "আমেনা"})
    assert answer.status_code == 401
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    assert html.unescape(kept["details"]) == note
    form = {key: html.unescape(value) for key, value in kept.items()}
    resumed = client.post("/login", data={**form, "username": "desk.dhaka", "password": "demo"})
    assert resumed.status_code == 200 and 'action="/desk/new"' in resumed.text
    area = re.search(r'<textarea[^>]*name="details"[^>]*>(.*?)</textarea>', resumed.text, re.S)
    assert area and html.unescape(area[1]) == note, "byte for byte"


def test_a_deactivated_officer_is_out_at_the_next_request(client: FlaskClient, session: Session) -> None:
    post_login(client, "gro.food")
    assert client.get("/queue").status_code == 200
    session.execute(update(Officer).where(Officer.username == "gro.food").values(is_active=False))
    session.commit()
    assert client.get("/queue").status_code == 303


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example/x", "/\\evil.example", "javascript:alert(1)", "evil"]
)
def test_no_other_site_can_be_the_target(client: FlaskClient, target: str) -> None:
    assert post_login(client, next=target).location == "/queue"


@pytest.mark.parametrize(
    ("username", "page"), [("desk.dhaka", "/desk/new"), ("admin", "/admin"), ("officer.food", "/queue")]
)
def test_everybody_begins_where_the_work_is(client: FlaskClient, username: str, page: str) -> None:
    assert post_login(client, username).location == page
    assert client.get(page).status_code == 200


def test_a_path_of_ours_can(client: FlaskClient) -> None:
    assert client.get("/reports?period=last_month").location == "/login?next=/reports?period%3Dlast_month"
    assert post_login(client, next="/reports?period=last_month").location == "/reports?period=last_month"


def test_demo_accounts_do_not_enter_in_production(make_app, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    production = make_app(grm_env="production").test_client()
    assert post_login(production).status_code == 422


def test_a_stale_token_shows_the_form_again(client: FlaskClient) -> None:
    answer = client.post("/login", data={"csrf_token": "stale", "username": "cabinet", "password": "demo"})
    assert answer.status_code == 400
    assert 'value="cabinet"' in answer.text and "demo" not in re.findall(r'name="password"[^>]*', answer.text)[0]


def test_another_site_cannot_sign_somebody_in(client: FlaskClient) -> None:
    token = token_of(client.get("/login").text)
    data = {"csrf_token": token, "username": "cabinet", "password": "demo"}
    assert client.post("/login", data=data, headers={"Origin": "https://evil.example"}).status_code == 400
    assert client.post("/login", data=data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 400
