"""The beneficiary registry: loaded from a file or asked over HTTP, for officers and desks only, each look-up on record."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cli import register
from grm.kernel import context
from grm.kernel.actor import SYSTEM
from grm.kernel.audit import AuditEntry
from grm.kernel.db import db
from grm.kernel.errors import Forbidden, Unavailable
from grm.registry import asking, service
from grm.registry.models import BeneficiaryRow
from grm.registry.remote import LONGEST_ANSWER_BYTES, RemoteRegistry
from tests.support import build
from tests.support.citizen import Citizen, codes_of
from tests.support.registry import PERSON, FakeRegistry, running_registry
from tests.support.web import parse

NID, NAME = "1990123456789", "রহিমা খাতুন"
FILE = f"""beneficiary_id,nid,name,programme,enrolled_on,provider,period_from,period_to,taka,state,sent_on,reason
OA-17,{NID},{NAME},বয়স্ক ভাতা,2019-07-01,bkash,2026-01,2026-03,1800,sent,2026-04-02,
OA-17,{NID},{NAME},বয়স্ক ভাতা,2019-07-01,bkash,2025-10,2025-12,1800,returned,,name-mismatch
WA-44,{NID},{NAME},widow-allowance,2024-01-01,,,,,,,
OA-18,,করিম,old-age-allowance,,,,,,,,
"""
SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    """A browser in which a demo officer is signed in, showing English."""

    def enter(username: str) -> FlaskClient:
        client = app.test_client()
        answer = client.post(
            "/login", data={"csrf_token": token_of(client, "/login?lang=en"), "username": username, "password": "demo"}
        )
        assert answer.status_code == 303
        return client

    return enter


@pytest.fixture
def remote(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeRegistry]:
    """Another system's registry, to which the application is connected."""
    with running_registry() as fake:
        settings = replace(context.settings(), registry_url=fake.url, registry_token="key-of-the-registry")
        monkeypatch.setattr(context, "settings", lambda: settings)
        yield fake


def token_of(client: FlaskClient, url: str) -> str:
    page = parse(client.get(url).text)
    return next(each["value"] for each in page.all("input") if each["name"] == "csrf_token")


def asked(client: FlaskClient, key: str, url: str = "/registry", **headers: str) -> Any:
    return client.post(url, data={"csrf_token": token_of(client, url), "key": key}, headers=headers)


def load(app: Flask, home: Path, content: str = FILE, *options: str) -> Any:
    path = home / "registry.csv"
    path.write_text(content, encoding="utf-8")
    return (
        register(app)
        .test_cli_runner()
        .invoke(args=["registry", "import", str(path), "--as-of", "2026-11-01", *options])
    )


def test_a_file_is_loaded_once_whole_or_not_at_all(app: Flask, session: Session, tmp_path: Path) -> None:
    done = load(app, tmp_path)
    assert (done.exit_code, done.output) == (0, "3 beneficiaries read, 0 removed; 3 in the registry.\n")
    stored = session.scalars(
        text("SELECT encode(sealed, 'escape') || id_index::text || nid_index::text FROM beneficiary")
    )
    assert not any(NID in (row or "") or NAME in (row or "") for row in stored)
    bad = load(app, tmp_path, FILE.replace("OA-18", "OA-19").replace("old-age-allowance,,,,,,,,", "old-age,,,,,x,,,"))
    assert (
        bad.exit_code == 1
        and "line 5: programme cannot be read\n" in bad.output
        and "nothing was written" in bad.output
    )
    assert load(app, tmp_path).output == "3 beneficiaries read, 0 removed; 3 in the registry.\n"
    shorter = "\n".join(FILE.splitlines()[:3])
    assert load(app, tmp_path, shorter, "--replace").output == "1 beneficiaries read, 2 removed; 1 in the registry.\n"
    kinds = session.scalars(select(AuditEntry.kind).where(AuditEntry.stream == "registry")).all()
    assert kinds == ["loaded"] * 3


def test_an_officer_sees_enrolments_and_payments_and_whom_they_point_to(
    app: Flask, session: Session, sign_in: SignIn, tmp_path: Path
) -> None:
    assert load(app, tmp_path).exit_code == 0
    money = {
        "category": "payment-not-received",
        "period_from": "2026-01",
        "period_to": "2026-03",
        "taka_expected": "1800",
    }
    number, _ = codes_of(Citizen(app).file(**money))
    gro = sign_in("gro.social-welfare")
    assert f"/cases/{number}/registry" in gro.get(f"/cases/{number}").text
    page = asked(gro, "১৯৯০ ১২৩৪-৫৬৭৮৯", f"/cases/{number}/registry")
    main = parse(page.text).first("main").text
    assert page.status_code == 200
    for words in (NAME, "OA-17", "WA-44", "•••• 6789", "Old Age Allowance", "bKash", "January 2026 – March 2026", "1,800 taka",
                  "Came back", "The name of the account differs", "Points to the payment provider", "No payments."):  # fmt: skip
        assert words in main, words
    assert NID not in main
    nobody = parse(asked(gro, "OA18X", f"/cases/{number}/registry").text).first("main").text
    assert "Nobody goes by this number." in nobody and "Points to the ministry" in nobody

    entries = session.scalars(select(AuditEntry).where(AuditEntry.kind == "looked-up").order_by(AuditEntry.seq)).all()
    assert [each.data["for"] for each in entries] == [number, number]
    assert entries[0].actor_id == build.officer_id(session, "gro.social-welfare")
    assert NID not in json.dumps([each.data for each in entries])
    assert sign_in("gro.food").get(f"/cases/{number}/registry").status_code == 404


def test_a_desk_looks_up_beside_its_form(app: Flask, session: Session, sign_in: SignIn, tmp_path: Path) -> None:
    assert load(app, tmp_path).exit_code == 0
    desk = sign_in("desk.dhaka")
    form = parse(desk.get("/desk/new").text)
    key = next(each for each in form.all("input") if each["name"] == "key")
    assert key["form"] == "registry" and next(each for each in form.all("form") if each["id"] == "registry")
    fragment = asked(desk, "oa18", **{"X-Fragment": "registry"})
    assert fragment.status_code == 200 and "<html" not in fragment.text and "করিম" in fragment.text
    wrong = asked(desk, "করিম")
    assert wrong.status_code == 422 and 'value="করিম"' in wrong.text and "Letters and figures only" in wrong.text
    stale = desk.post("/registry", data={"csrf_token": "x", "key": "OA-18"})
    assert stale.status_code == 400 and 'value="OA-18"' in stale.text and "করিম" not in stale.text


def test_who_may_look_up(app: Flask, session: Session, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = sign_in("gro.bkash")
    assert provider.get("/registry").status_code == 404 and "/registry" not in provider.get("/queue").text
    for actor in (SYSTEM, build.actor(session, "gro.bkash"), build.actor(session, "admin")):
        with pytest.raises(Forbidden):
            service.look_up(actor, NID)
    monkeypatch.setattr(asking, "MOST_IN_AN_HOUR", 1)
    gro = sign_in("gro.food")
    first = asked(gro, NID)
    assert first.status_code == 200 and "No registry is connected" in first.text
    assert asked(gro, NID).status_code == 429
    assert len(session.scalars(select(AuditEntry).where(AuditEntry.stream == "registry")).all()) == 1


def test_another_system_is_asked_with_nothing_open_and_nothing_in_the_address(
    app: Flask, session: Session, remote: FakeRegistry
) -> None:
    held: list[tuple[Any, ...]] = []

    def look_around() -> None:
        with app.app_context():
            look()

    def look() -> None:
        session = db.session()
        rows = session.execute(text("SELECT state, query FROM pg_stat_activity WHERE datname = current_database() "
                                    "AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"))  # fmt: skip
        held.extend(tuple(row) for row in rows)
        held.append(tuple(session.execute(text("SELECT count(*) FROM audit_entry WHERE kind = 'looked-up'")).one()))

    remote.during = look_around
    answer = service.look_up(build.actor(session, "gro.social-welfare"), "১৯৯০-১২৩৪৫৬৭৮৯")
    assert answer.key == NID and answer.people[0].enrolments[0].payments[0].taka == 1800
    assert held == [(1,)]  # on record before it was asked, and no transaction left open
    path, headers, body = remote.requests[0]
    assert (path, json.loads(body)) == ("/registry/look-up", {"key": NID})
    assert headers["Authorization"] == "Bearer key-of-the-registry"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": 500}, "Unreadable"),
        ({"status": 302, "headers": {"Location": "{url}look-up"}}, "Unreadable"),
        ({"status": 307, "headers": {"Location": "http://127.0.0.1:9/elsewhere"}}, "Unreadable"),
        ({"body": b"<html>busy</html>"}, "JSONDecodeError"),
        ({"body": b"[" * 200_000}, "RecursionError"),
        ({"body": b'{"beneficiaries": null}'}, "Unreadable"),
        (
            {"body": json.dumps({"beneficiaries": [{**PERSON, "nid": "1", "beneficiary_id": "WA-9"}]}).encode()},
            "Unreadable",
        ),
        ({"body": b" " * (LONGEST_ANSWER_BYTES + 1)}, "Unreadable"),
        ({"headers": {"Content-Length": "9999"}}, None),
        ({"drip_seconds": 0.05}, None),
    ],
)
def test_what_is_no_answer_is_said_within_time(change: dict[str, Any], why: str | None) -> None:
    with running_registry() as fake:
        for name, value in change.items():
            setattr(fake, name, value)
        fake.headers = {name: value.replace("{url}", fake.url) for name, value in fake.headers.items()}
        registry = RemoteRegistry(fake.url, "", timeout_seconds=0.3)
        began = time.monotonic()
        with pytest.raises(Unavailable, match="registry-away") as error:
            registry.find("OA17")
        assert time.monotonic() - began < 1.0 and why in (None, error.value.params["why"])
        assert len(fake.requests) == 1  # no redirect was followed
        with pytest.raises(Unavailable):
            registry.find("OA17")
        assert len(fake.requests) == 1  # and it is left alone for a moment


def test_nobody_and_nobody_there() -> None:
    with running_registry() as fake:
        registry = RemoteRegistry(fake.url, "", peace_seconds=0.0)
        fake.says()
        assert registry.find("OA17") == ()
        fake.status = 404
        assert registry.find("OA17") == ()
        fake.status = 200
        fake.says(PERSON)
        assert registry.find("OA17")[0].beneficiary_id == "OA-17"
        away = registry.url
    with pytest.raises(Unavailable):
        RemoteRegistry(away, "").find("OA17")


def test_a_registry_that_is_away_leaves_the_officer_at_work(
    app: Flask, session: Session, sign_in: SignIn, remote: FakeRegistry
) -> None:
    remote.status = 500
    answer = asked(sign_in("gro.social-welfare"), NID)
    assert answer.status_code == 503 and "Go on without it" in answer.text and f'value="{NID}"' in answer.text


def test_the_public_form_tells_nothing_of_the_registry(app: Flask, session: Session, tmp_path: Path) -> None:
    assert load(app, tmp_path).exit_code == 0
    pages = [Citizen(app).file(details=f"আমার ভাতাভোগী নম্বর {key}", name=NAME) for key in ("OA-17", "OA-99")]
    shapes = {(page.status, len(page.text)) for page in pages}
    assert len(shapes) == 1
    assert Citizen(app).get("/registry").url.startswith("http://localhost/login")
    assert not session.scalars(select(AuditEntry).where(AuditEntry.kind == "looked-up")).all()
    assert len(session.scalars(select(BeneficiaryRow)).all()) == 3
