"""The dead-man's watch: right with everything else dead, one e-mail for each change, and never fooled by what it watches."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from config import Settings
from grm.cli import register
from grm.escalation.sweep import sweep
from grm.kernel import clock
from grm.kernel.places import derive_keys
from grm.notifications import stops
from grm.offices import edition
from grm.watch.deadman import watch
from grm.web.health import record_heartbeat
from tests.support import build
from tests.support.mail import MailServer
from tests.support.outbox import add_message, later

ROOT = Path(__file__).parents[2]
OPERATOR = "night@example.org"


@pytest.fixture
def mail() -> Iterator[MailServer]:
    server = MailServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def told(settings: Settings, mail: MailServer, tmp_path: Path) -> Settings:
    """Settings of a watch with a mail server and a home of its own."""
    return dataclasses.replace(settings, smtp_url=f"smtp://127.0.0.1:{mail.port}", grm_home=tmp_path)


def make_well(session: Session) -> None:
    """As if sweep, worker and beat had just been at work."""
    sweep()
    now = clock.now(session)
    for name in ("worker", "beat"):
        record_heartbeat(session, name, now)
    session.execute(text("UPDATE calendar_edition SET covered_until = :on"), {"on": now.date() + timedelta(days=60)})
    edition.bump(session)
    session.commit()


def test_all_is_well_and_nobody_is_told(session: Session, told: Settings, mail: MailServer) -> None:
    make_well(session)
    report = watch(told, [OPERATOR])
    assert report.wrong == () and not mail.received
    assert set(report.parts) == {"database", "sweep", "outbox", "worker", "beat", "calendar"}
    assert "working days ahead" in report.warnings[0], "short coverage is a warning"


def test_each_change_is_one_e_mail_also_with_two_watches(session: Session, told: Settings, mail: MailServer) -> None:
    sweep()
    assert watch(told, [OPERATOR]).wrong == ("worker", "beat")
    assert watch(dataclasses.replace(told, grm_home=told.grm_home / "other"), [OPERATOR]).mail == "nothing to tell"
    record_heartbeat(session, "beat", clock.now(session))
    session.commit()
    assert watch(told, [OPERATOR]).wrong == ("worker",)
    make_well(session)
    for _ in range(2):
        assert watch(told, [OPERATOR]).wrong == ()
    assert [each.subject for each in mail.received] == [
        "GRM: worker, beat not working",
        "GRM: worker not working",
        "GRM: all is well again",
    ]
    assert {each.recipients for each in mail.received} == {(OPERATOR,)}
    assert len({each.message_id for each in mail.received}) == 3


@pytest.mark.parametrize("fault", ["late", "not climbed", "overlooked", "outbox", "restored", "calendar"])
def test_what_is_wrong_is_named(session: Session, told: Settings, fault: str) -> None:
    make_well(session)
    now = clock.now(session)
    part = fault if fault in ("outbox", "calendar") else "outbox" if fault == "restored" else "sweep"
    if fault == "late":
        record_heartbeat(session, "sweep", now - timedelta(seconds=60))
    elif fault == "not climbed":
        build.case(session)
    elif fault == "overlooked":
        case = build.case(session)
        session.execute(
            text("UPDATE deadline SET next_level = NULL, next_rung_at = NULL WHERE case_id = :id"), {"id": case.id}
        )
    elif fault == "outbox":
        add_message(session, later(now, minutes=-6))
    elif fault == "restored":
        stops.stop(session, "sms", stops.RESTORED, now)
    else:
        session.execute(text("UPDATE calendar_edition SET covered_until = :on"), {"on": now.date()})
        edition.bump(session)
    session.commit()
    report = watch(dataclasses.replace(told, grm_env="production"), [])
    assert report.wrong == (part,), report.as_json()
    if fault == "overlooked":
        assert report.parts["sweep"]["overlooked"] == 2 and report.parts["sweep"]["oldest_due_seconds"] == 0


def test_what_an_operator_stopped_does_not_wake_anybody(session: Session, told: Settings) -> None:
    make_well(session)
    now = clock.now(session)
    add_message(session, later(now, minutes=-30))
    stops.stop(session, "sms", stops.OPERATOR, now)
    session.commit()
    report = watch(told, [])
    assert report.wrong == () and report.parts["outbox"]["stopped"] == {"sms": "operator"}


def test_a_mail_server_that_is_away_is_asked_again(session: Session, told: Settings, mail: MailServer) -> None:
    sweep()
    away = dataclasses.replace(told, smtp_url="smtp://127.0.0.1:9")
    for _ in range(2):
        assert watch(away, [OPERATOR]).mail.startswith("unreachable")
    assert watch(dataclasses.replace(told, smtp_url=""), [OPERATOR]).mail == "no mail server is configured"
    assert watch(told, [OPERATOR]).mail.startswith("delivered") and len(mail.received) == 1


def test_it_says_itself_that_the_database_is_away_and_that_it_is_back(
    session: Session, told: Settings, mail: MailServer
) -> None:
    make_well(session)
    away = dataclasses.replace(told, database_url="postgresql+psycopg://grm@/grm?host=/nonexistent")
    for _ in range(2):
        report = watch(away, [OPERATOR])
        assert report.wrong == ("database",)
    make_well(session)
    for _ in range(2):
        assert watch(told, [OPERATOR]).wrong == ()
    assert [each.subject for each in mail.received] == ["GRM: database not working", "GRM: all is well again"]


def test_the_command(app: Flask, session: Session) -> None:
    make_well(session)
    runner = register(app).test_cli_runner()
    done = runner.invoke(args=["watch"])
    assert done.exit_code == 0 and json.loads(done.output)["status"] == "ok", done.output
    session.execute(text("DELETE FROM heartbeat WHERE name = 'beat'"))
    session.commit()
    done = runner.invoke(args=["watch"])
    found: Any = json.loads(done.output)
    assert done.exit_code == 1 and found["status"] == "unwell" and not found["parts"]["beat"]["ok"]


@pytest.mark.parametrize("command", [["-m", "grm.watch.deadman"], ["-m", "flask", "--app", "wsgi", "watch"]])
def test_it_needs_neither_celery_nor_a_broker_nor_the_web_server(
    session: Session, settings: Settings, mail: MailServer, tmp_path: Path, command: list[str]
) -> None:
    """A process of its own, in which the broker's address leads nowhere and nothing but PostgreSQL runs."""
    session.commit()
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL") if name in os.environ}
    env = {
        **kept,
        "GRM_ENV": "test",
        "GRM_HOME": str(tmp_path),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": "unix:///nonexistent/valkey.sock?db=0",
        "SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
        "WATCH_MAIL_TO": OPERATOR,
        **derive_keys(b"tests"),
    }
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 1, done.stderr
        found = json.loads(done.stdout.splitlines()[-1])
        assert [name for name, part in found["parts"].items() if not part["ok"]] == ["sweep", "worker", "beat"]
    assert [each.subject for each in mail.received] == ["GRM: sweep, worker, beat not working"]
