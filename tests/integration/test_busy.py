"""When more come at once than can be served: who looks is asked to wait, what is sent in is taken."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from grm.accounts.sessions import DatabaseSessions
from grm.intake import views
from grm.web import busy
from tests.abuse.test_headers import REQUIRED
from tests.support.citizen import COMPLAINT, FORM, Citizen, codes_of, counted_statements

ROOT = Path(__file__).parents[2]


@pytest.fixture
def crowded(make_app: Callable[..., Flask], session: Session, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application while eleven requests wait and ten may."""
    app = make_app(web_busy_at=10)
    monkeypatch.setattr(busy, "waiting", lambda: 11)
    return app


def test_who_looks_gets_a_calm_page_in_both_languages_that_costs_nothing(crowded: Flask) -> None:
    citizen = Citizen(crowded)
    citizen.get("/")
    with counted_statements(crowded) as statements:
        page = citizen.get(FORM)
    assert statements == []
    assert page.status == 503 and int(page.headers["Retry-After"]) in busy.WAITS
    assert page.heading == "এই মুহূর্তে অনেকে একসঙ্গে এসেছেন" and "Many people are here" in page.text
    for number in ("৩৩৩", "৯৯৯", "১০৯", "১০৯৮", "helpline 333"):
        assert number in page.text
    assert {name: page.headers.get(name) for name in REQUIRED} == REQUIRED
    assert (page.headers["Cache-Control"], page.headers["X-Robots-Tag"]) == ("no-store", "noindex")
    assert "Set-Cookie" not in page.headers and len(page.html.encode()) < 10_000
    seconds = {citizen.get("/track").headers["Retry-After"] for _ in range(8)}
    assert len(seconds) == len(busy.WAITS), "not all come back at once"


def test_it_is_made_under_our_own_name(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> None:
    """A production system answers to no other, not even to itself."""
    url = "https://grm.example.gov.bd"
    app = make_app(web_busy_at=10, public_url=url, trusted_hosts=("grm.example.gov.bd",))
    monkeypatch.setattr(busy, "waiting", lambda: 11)
    answer = app.test_client().get("/", base_url=url)
    assert answer.status_code == 503 and "Many people are here" in answer.text and "/static/grm.css" in answer.text


def test_what_is_sent_in_and_who_is_in_the_middle_is_served(crowded: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as calm:
        calm.setattr(busy, "waiting", lambda: 0)
        citizen, officer = Citizen(crowded), Citizen(crowded)
        tokens = citizen.tokens()
        stranger = Citizen(crowded, has_cookies=False)
        others = stranger.tokens()
    receipt = citizen.post(FORM, {**tokens, **COMPLAINT, "step": "send"})
    assert receipt.status == 200 and len(codes_of(receipt)) == 2, "redirected to the receipt, and shown it"
    assert len(codes_of(stranger.post(FORM, {**others, **COMPLAINT, "step": "send"}))) == 2
    page = officer.submit(officer.get("/login").form("username").fill(username="gro.social-welfare", password="demo"))
    assert page.status == 200 and officer.get("/queue").status == 200 and officer.get("/").status == 200
    assert stranger.get("/healthz").status in (200, 503) and "Many people" not in stranger.get("/healthz").html
    assert stranger.get("/").status == 503


@pytest.mark.parametrize(
    ("method", "path", "cookie", "looks"),
    [
        ("GET", "/", "", True),
        ("HEAD", "/track", "", True),
        ("GET", "/help/keys", "", True),
        ("GET", "/programmes", "lang=bn", True),
        ("GET", "/helpful", "", False),
        ("GET", "/login", "", False),
        ("GET", "/static/grm.css", "", False),
        ("POST", "/complaints/new", "", False),
        ("GET", "/complaints/new", f"a=b; {views.COOKIE}=x", False),
        ("GET", "/", "grm_session=x", False),
    ],
)
def test_who_only_looks(method: str, path: str, cookie: str, looks: bool) -> None:
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "HTTP_COOKIE": cookie}
    assert busy.is_looking(environ) is looks


@pytest.mark.parametrize("secure", [True, False])
def test_officers_cookies_are_known(app: Flask, monkeypatch: pytest.MonkeyPatch, secure: bool) -> None:
    monkeypatch.setitem(app.config, "SESSION_COOKIE_SECURE", secure)
    assert f"{DatabaseSessions().cookie_name(app)}=" in busy.IN_THE_MIDDLE


@pytest.fixture
def server() -> Iterator[str]:
    """gunicorn with one thread, configured as the product's, before a gate that lets three wait."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--worker-class", "gthread", "--threads", "1", "--no-control-socket"]
    command += ["--bind", f"127.0.0.1:{port}", "tests.support.busy_app:app"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + 20
        while time.monotonic() < ends and ask(f"http://127.0.0.1:{port}/healthz") != 200:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def ask(url: str, data: bytes | None = None) -> int:
    try:
        with urllib.request.urlopen(url, data, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def test_a_real_web_server_tells_how_many_wait(server: str) -> None:
    assert ask(f"{server}/") == 200
    with ThreadPoolExecutor(20) as people:
        sent = [people.submit(ask, f"{server}/", b"text") for _ in range(10)]
        time.sleep(0.2)
        looked = [people.submit(ask, f"{server}/") for _ in range(10)]
        answers = Counter(each.result() for each in sent), Counter(each.result() for each in looked)
    assert answers[0] == {200: 10}, "whatever was sent in is taken"
    assert answers[1][503] >= 3, answers
    assert ask(f"{server}/") == 200, "as soon as it is calm again"


def raw(server: str, request: bytes) -> str:
    """The first line of the answer to bytes that no browser sends; empty where the line is cut."""
    host, _, port = server.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(request)
        return line.recv(200).split(b"\r\n")[0].decode()


def test_requests_that_no_browser_sends_are_refused_and_others_served(server: str) -> None:
    start, post = b"GET / HTTP/1.1\r\nHost: x\r\n", b"POST / HTTP/1.1\r\nHost: x\r\n"
    refused = {
        "a header of 64 KB": start + b"X: " + b"x" * 65_536 + b"\r\n\r\n",
        "a thousand headers": start + b"".join(b"X-%d: 1\r\n" % n for n in range(1000)) + b"\r\n",
        "two lengths": post + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "a length and chunks": post + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "a hidden header": start + b"X : 1\r\n\r\n",
        "a folded header": start + b"X: 1\r\n 2\r\n\r\n",
        "no version": b"GET /\r\n\r\n",
        "no request": b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n",
    }
    answers = {what: raw(server, request) for what, request in refused.items()}
    assert all(" 4" in answer[:13] for answer in answers.values()), answers
    assert ask(f"{server}/") == 200
