"""What every answer carries, whatever the route and however it ends; methods nobody offers; and GET that changes nothing."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.abuse.test_access import (
    ask,
    canned_texts,
    one_alarm,
    one_bulk_act,
    one_draft,
    one_drawn,
    one_export,
    one_handover,
    one_register,
    one_rehearsal,
    rows,
    sign_in,
    token_on,
)
from tests.support import build

REQUIRED = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
OF_A_FILE = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""Instead of the policy above: what somebody handed in can do nothing, not even if a browser shows it."""
KEPT = re.compile(r"/|/programmes(/[a-z-]+)?|/help(/questions)?|/open-data")
"""What a stranger's browser may keep for a while and search engines may list: pages about nobody. All else is kept from both."""
FOR_CRAWLERS = ("/robots.txt", "/sitemap.xml")
NOT_OFFERED = ("TRACE", "PUT", "DELETE", "PATCH", "CONNECT", "PROPFIND", "BREW")

# What a GET may write, and why. Everything else in the database stays as it is.
WRITTEN_BY_GET = {
    "staff_session": "when it was last seen",
    "audit_entry": "that a sensitive case was seen, or a list exported",
    "audit_head": "the end of that record's chain",
}


def missing(answer: TestResponse, is_stranger: bool = True) -> dict[str, str | None]:
    """Headers that an answer lacks or has otherwise."""
    required = dict(REQUIRED)
    if "Content-Disposition" in answer.headers and "/attachments/" in answer.request.path:
        required["Content-Security-Policy"] = OF_A_FILE
    wrong = {name: answer.headers.get(name) for name, value in required.items() if answer.headers.get(name) != value}
    caching = answer.headers.get("Cache-Control", "")
    is_static = answer.request.path.startswith("/static/") and answer.status_code in (200, 304)
    if is_static:
        return wrong if "immutable" in caching else {**wrong, "Cache-Control": caching}
    robots = answer.headers.get("X-Robots-Tag")
    path = answer.request.path
    if answer.status_code == 200 and (path in FOR_CRAWLERS or (is_stranger and KEPT.fullmatch(path))):
        expected = ("public, max-age=600", None)
    else:
        expected = ("no-store", "noindex")
    return wrong if (caching, robots) == expected else {**wrong, "Cache-Control": caching, "X-Robots-Tag": robots}


@pytest.fixture
def cases(session: Session) -> dict[str, str]:
    """One case for every placeholder of the access table; here it does not matter whose."""
    names = ("own", "other", "sensitive", "about_gro", "about_appeal", "filed")
    made = {
        name: build.case(session, category="bribe-demand" if name == "sensitive" else "payment-not-received")
        for name in names
    }
    rehearsal = one_rehearsal(session, made["own"])
    file = str(build.attachment(session, made["own"]).id)
    texts = canned_texts(session) | one_handover(session, made["own"].office_id)
    texts["bulk"] = one_bulk_act(session, made["own"])
    texts["draft"] = one_draft(session)
    texts["register"] = one_register(session)
    texts["export"] = one_export(session)
    texts["alarm"] = one_alarm(session)
    one_drawn(session, made["own"])
    session.commit()
    return {name: case.tracking_number for name, case in made.items()} | texts | {"rehearsal": rehearsal, "file": file}


@pytest.mark.parametrize("role", ["anonymous", "appeal"])
def test_every_route_sends_the_security_headers(app: Flask, cases: dict[str, str], role: str) -> None:
    client = sign_in(app, role)
    wrong = {str(row): found for row in rows() if (found := missing(ask(client, row, cases), role == "anonymous"))}
    assert wrong == {}


def too_big(client: FlaskClient) -> TestResponse:
    return client.post("/complaints/new", data={"details": "ক" * 1_000_000})


def foreign(client: FlaskClient) -> TestResponse:
    return client.post("/complaints/sent", data={}, headers={"Sec-Fetch-Site": "cross-site"})


ERRORS: dict[int, Callable[[FlaskClient], TestResponse]] = {
    303: lambda client: client.get("/queue"),
    304: lambda client: client.get(
        "/static/grm.css", headers={"If-None-Match": client.get("/static/grm.css").headers["ETag"]}
    ),
    400: lambda client: client.get("/", headers={"Host": "evil.example"}),
    401: lambda client: client.post("/cases/0000000000000", data={"csrf_token": token_on(client.get("/track"))}),
    404: lambda client: client.get("/no/such/page"),
    405: lambda client: client.put("/login"),
    413: too_big,
    422: lambda client: client.post("/track", data={"csrf_token": token_on(client.get("/track"))}),
}


@pytest.mark.parametrize("status", ERRORS)
def test_answers_that_are_no_pages_send_them_too(client: FlaskClient, status: int) -> None:
    answer = ERRORS[status](client)
    assert answer.status_code == status
    assert missing(answer) == {}


def test_an_unknown_error_sends_them_too_and_tells_nothing(make_app: Callable[..., Flask]) -> None:
    other = make_app()

    def fail() -> str:
        raise RuntimeError("a secret of the server")

    other.view_functions["intake.home"] = _as_public(fail)
    answer = other.test_client().get("/")
    assert answer.status_code == 500
    assert missing(answer) == {}
    assert "secret of the server" not in answer.text and "Traceback" not in answer.text


def _as_public(view: Any) -> Any:
    from grm.web.guard import public

    return public("a test")(view)


def test_a_foreign_page_cannot_post(client: FlaskClient) -> None:
    answer = foreign(client)
    assert answer.status_code in (400, 303)
    assert missing(answer) == {}


def test_a_foreign_host_name_is_refused(client: FlaskClient) -> None:
    """Links in mails and pages could lead elsewhere otherwise (reliability C50)."""
    for headers in ({"Host": "evil.example"}, {"Host": "localhost.evil.example"}):
        assert client.get("/login", headers=headers).status_code == 400
    answer = client.get("/login", headers={"X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("method", NOT_OFFERED)
def test_methods_nobody_offers_are_refused_everywhere(app: Flask, cases: dict[str, str], method: str) -> None:
    client = sign_in(app, "appeal")
    token = token_on(client.get("/track"))
    for row in rows():
        answer = client.open(row.path.format(**cases), method=method, data={"csrf_token": token})
        assert answer.status_code in (405, 404), row
        assert answer.status_code == 405 or row.path == "/no-such-page", row
        assert missing(answer, is_stranger=False) == {}, row


@pytest.mark.parametrize("name", ["_method", "X-HTTP-Method-Override", "X-Method-Override"])
def test_the_method_cannot_be_overridden(app: Flask, cases: dict[str, str], session: Session, name: str) -> None:
    client = sign_in(app, "appeal")
    path = f"/cases/{cases['own']}"
    before = contents(session)
    client.get(
        path, query_string={"_method": "POST", "action": "NOTE", "note": "x", "version": "1"}, headers={name: "POST"}
    )
    assert client.get("/logout", headers={name: "POST"}).status_code == 405
    assert contents(session) == before


def contents(session: Session) -> dict[str, tuple[Any, ...]]:
    """Of each table how many rows it has and who wrote the last one: any change shows."""
    session.rollback()
    tables = sorted(set(inspect(session.connection()).get_table_names()) - set(WRITTEN_BY_GET))
    query = " UNION ALL ".join(f"SELECT '{t}', count(*), max(xmin::text::bigint) FROM {t}" for t in tables)
    return {name: tuple(rest) for name, *rest in session.execute(text(query))}


@pytest.mark.parametrize("role", ["anonymous", "cell"])
def test_nothing_changes_by_looking(app: Flask, cases: dict[str, str], session: Session, role: str) -> None:
    """The gateway's call-back is the one exception: Kannel reports by GET, and proves itself with a MAC."""
    client = sign_in(app, role)
    before = contents(session)
    for row in rows():
        if row.method == "GET":
            path = row.path.format(**cases)
            for query in (
                "",
                "?lang=en",
                "?action=RESOLVE&version=1&reply=x&go=fresh&step=send&view=x",
                "?next=/logout",
            ):
                client.get(path + query)
            client.head(path)
    assert contents(session) == before


def test_the_comparison_would_notice_a_change(app: Flask, cases: dict[str, str], session: Session) -> None:
    client = sign_in(app, "appeal")
    before = contents(session)
    form = {"action": "NOTE", "version": "1", "note": "খোঁজ নেওয়া হয়েছে।", "csrf_token": token_on(client.get("/track"))}
    assert client.post(f"/cases/{cases['own']}", data=form).status_code == 303
    after = contents(session)
    assert {name for name in after if after[name] != before[name]} >= {"cases", "case_event", "case_text"}


def test_cookies_are_kept_from_scripts_and_other_sites(app: Flask) -> None:
    client = app.test_client()
    answers = [client.get("/?lang=en"), client.get("/login"), client.get("/complaints/new")]
    form = {"username": "cabinet", "password": "demo", "csrf_token": token_on(answers[1])}
    answers.append(client.post("/login", data=form))
    page = client.get("/complaints/new")
    fields = dict(re.findall(r'name="(csrf_token|draft)" value="([^"]+)"', page.text))
    answers.append(client.post("/complaints/new", data={**fields, "step": "1", "programme": "unknown"}))
    cookies = [cookie for answer in answers for cookie in answer.headers.getlist("Set-Cookie")]
    assert len(cookies) >= 3
    for cookie in cookies:
        assert "HttpOnly" in cookie and re.search("SameSite=(Lax|Strict)", cookie), cookie
