"""A real backup, a real loss, a real restore: nothing that was sent is sent again, and what is new goes out.

The oracle is what the gateway and the mail server received, before the loss and after it.
"""

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from flask import Flask
from psycopg import sql
from sqlalchemy import text

from config import Settings
from grm.cli import register
from grm.engines import _postgres_binaries
from grm.escalation.sweep import sweep
from grm.kernel import clock, ledger
from grm.kernel.db import db
from grm.kernel.places import embedded_places
from grm.kernel.transaction import Act
from grm.notifications import stops
from grm.notifications.delivery import deliver_due, post_for
from grm.offices import edition
from grm.watch.restoring import finish
from tests.conftest import TEMPLATE
from tests.support import build
from tests.support.gateway import Gateway, running_gateway
from tests.support.mail import MailServer
from tests.support.outbox import add_message
from tests.support.provider import CUT, TAKEN, TAKEN_THEN_CUT, described, running_provider

MakeApp = Callable[..., Flask]
NAME = "restored"


class Copyable:
    """One system on a database of its own that can be backed up, lost and restored."""

    def __init__(self, home: Path, settings: Settings, make_app: MakeApp, top: Path, **changes: Any) -> None:
        self.gateway = Gateway()
        self.mail = MailServer()
        self.mail.start()
        self._host = str(embedded_places(home).postgres)
        self._dump = top / "backup"
        self._server = psycopg.connect(host=self._host, user="grm", dbname="postgres", autocommit=True)
        self._create(TEMPLATE)
        self._make = lambda: make_app(
            database_url=embedded_places(home).database_url.replace("@/grm?", f"@/{NAME}?"),
            sms_gateway_url=self.gateway.url,
            smtp_url=f"smtp://127.0.0.1:{self.mail.port}",
            **changes,
        )
        self.app = self._make()

    def back_up(self) -> datetime:
        """Take a backup with pg_dump; when it was begun."""
        with self.app.app_context():
            begun = clock.now(db.session())
            db.session.remove()
        self._run("pg_dump", "--format=custom", f"--file={self._dump}", NAME)
        return begun

    def lose_and_restore(self) -> None:
        """The database is gone, and the backup is played into a fresh one."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
        self._drop()
        self._create("template0")
        self._run("pg_restore", f"--dbname={NAME}", "--exit-on-error", str(self._dump))
        edition.forget()
        self.app = self._make()

    def work(self, *, sweeps: bool = True) -> None:
        """One round of sweep and delivery."""
        with self.app.app_context():
            if sweeps:
                sweep()
            for channel in ("sms", "email"):
                post = post_for(channel, self.app.extensions["grm.settings"])
                assert post is not None
                deliver_due(post)
            db.session.remove()

    def command(self, *arguments: str, status: int = 0) -> str:
        """Run a flask command."""
        done = register(self.app).test_cli_runner().invoke(args=list(arguments))
        assert done.exit_code == status, done.output
        return done.output

    def ask(self, query: str, **values: Any) -> list[Any]:
        """Rows of one query."""
        with self.app.app_context():
            try:
                return list(db.session.execute(text(query), values).all())
            finally:
                db.session.remove()

    def sent(self) -> Counter[tuple[str, ...]]:
        """Everything that was received so far, by recipient and words."""
        sms = [(each["to"], each["text"]) for each in self.gateway.accepted]
        return Counter([*sms, *((*each.recipients, each.subject, each.text) for each in self.mail.received)])

    def release_waits(self) -> None:
        """As if the time had passed that a message waits before its next attempt, and a breaker before the next call."""
        with self.app.app_context():
            db.session.execute(text("UPDATE message SET next_attempt_at = created_at WHERE ended_at IS NULL"))
            db.session.execute(text("DELETE FROM heartbeat WHERE name LIKE 'delivery.%'"))
            db.session.commit()
            db.session.remove()

    def stop(self) -> None:
        """Leave nothing behind."""
        with self.app.app_context():
            db.session.remove()
            db.engine.dispose()
        self._drop()
        self._server.close()
        self.mail.stop()
        self.gateway.stop()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(_postgres_binaries() / program), "-h", self._host, "-U", "grm", *arguments]
        subprocess.run(command, check=True, capture_output=True, text=True)

    def _create(self, template: str) -> None:
        command = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(NAME), sql.Identifier(template))
        self._server.execute(command)

    def _drop(self) -> None:
        self._server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(NAME)))


@pytest.fixture
def system(home: Path, settings: Settings, make_app: MakeApp, tmp_path: Path) -> Iterator[Copyable]:
    found = Copyable(home, settings, make_app, tmp_path)
    yield found
    found.stop()


def overdue_cases(system: Copyable, number: int) -> None:
    """Cases whose clocks ran out long ago; no sweep has seen them yet."""
    with system.app.app_context():
        for _ in range(number):
            build.case(db.session())
        db.session.commit()
        db.session.remove()


def acknowledgements(system: Copyable, first: int, number: int) -> None:
    with system.app.app_context():
        session = db.session()
        now = clock.now(session)
        for n in range(first, first + number):
            params = {"tracking_number": f"7K3MPQ9XR2T{n:02}", "due_on": "2026-12-31"}
            add_message(session, now, f"ack:{n}", address=f"+88017123456{n:02}", params=params)
        db.session.remove()


@pytest.mark.slow
@pytest.mark.parametrize("first", ["sweep", "delivery"])
def test_what_was_sent_after_the_backup_is_not_sent_again(system: Copyable, first: str) -> None:
    """Whether the restored copy first climbs or first notices that it is one."""
    overdue_cases(system, 3)
    acknowledgements(system, 10, 2)
    system.work()
    told_before = sum(system.sent().values())
    assert told_before >= 2 + 1, "acknowledgements and a digest or more"

    acknowledgements(system, 20, 3)  # in the backup, sent after it
    overdue_cases(system, 4)  # climb after it
    taken_at = system.back_up()
    acknowledgements(system, 30, 2)  # lost altogether
    system.work()
    before = system.sent()
    assert sum(before.values()) > told_before + 3 + 2 and set(before.values()) == {1}

    system.lose_and_restore()
    for sweeps in (first == "sweep", True):
        system.work(sweeps=sweeps)
    assert system.sent() == before, "a restored copy sends nothing by itself"
    status = system.app.test_client().get("/healthz")
    answer = status.get_json()
    assert status.status_code == 503 and not answer["parts"]["outbox"]["ok"]
    assert any("restore-finish" in each for each in answer["warnings"])
    assert "restore-finish" in system.command("messages", "go", "sms", status=1)
    escalations = system.ask("SELECT count(*) AS n, count(DISTINCT case_id) AS cases FROM escalation")[0]
    assert escalations.cases == 7, "the sweep goes on all the same"

    acknowledgements(system, 40, 1)  # new: nobody has sent it
    new_id = system.ask("SELECT max(id) AS id FROM message")[0].id
    assert new_id > stops.SKIPPED_NUMBERS, "no number of a lost message is given out again"
    shown = json.loads(
        system.command("restore-finish", "--backup-taken-at", taken_at.isoformat(), "--dry-run").splitlines()[0]
    )
    assert system.ask("SELECT count(*) AS n FROM sending_stop")[0].n == 2, "a dry run changes nothing"
    done = json.loads(system.command("restore-finish", "--backup-taken-at", taken_at.isoformat()))
    assert {**shown, "waiting_for_reports": 0} == {**done, "waiting_for_reports": 0}
    assert (done["left_out"] > 0) == (first == "delivery"), "digests of today hold climbs that may have been told"
    assert done["held"] >= 3 and done["asked"] == 0 and done["noticed"] >= 1
    for _ in range(2):
        system.work()

    after = system.sent()
    new = after - before
    assert set(after.values()) == {1}, "nothing was received twice"
    by_sms = [key for key in new if len(key) == 2]
    assert len(by_sms) == 1 and by_sms[0][0].endswith("40"), "the new acknowledgement, and no SMS else"
    notices = [key for key in new if len(key) == 3]
    assert len(notices) == done["noticed"] and len({key[0] for key in notices}) == len(notices), "one notice an officer"
    subjects = {key[1] for key in notices}
    assert subjects <= {"The system was restored from a backup", "ব্যাকআপ থেকে সিস্টেম পুনরুদ্ধার করা হয়েছে"}
    assert "still-sending" not in system.command("messages", "list", "--state", "held", "--error", "restored")
    assert system.app.test_client().get("/healthz").get_json()["parts"]["outbox"]["ok"]
    assert system.ask("SELECT kind FROM audit_entry WHERE kind = 'restore-finished'")


@pytest.mark.slow
def test_a_gateway_that_can_be_asked_tells_what_went_out_so_that_nothing_is_lost_either(
    home: Path, settings: Settings, make_app: MakeApp, tmp_path: Path
) -> None:
    with running_provider() as provider:
        system = Copyable(home, settings, make_app, tmp_path, sms_gateways_file=described(provider.describe()))
        try:
            acknowledgements(system, 10, 2)
            system.work()
            acknowledgements(system, 20, 4)
            taken_at = system.back_up()
            provider.says(TAKEN, TAKEN_THEN_CUT, CUT)
            system.work()
            assert len(provider.references()) == 5, "of four three were taken after the backup, one of them unheard"
            system.lose_and_restore()
            system.work()
            done = json.loads(system.command("restore-finish", "--backup-taken-at", taken_at.isoformat()))
            assert (done["asked"], done["held"]) == (4, 0)
            system.release_waits()
            for _ in range(3):
                system.work()
            assert set(provider.references().values()) == {1} and len(provider.references()) == 6, "all once"
            assert not system.ask("SELECT id FROM message WHERE state = 'held'")
        finally:
            system.stop()


def test_it_is_refused_while_anything_may_be_sending(system: Copyable) -> None:
    now = system.ask("SELECT '2026-01-01T00:00Z' AS at")[0].at
    assert "must be stopped" in system.command("restore-finish", "--backup-taken-at", now, status=1)
    system.command("messages", "stop", "sms")
    assert "must be stopped" in system.command("restore-finish", "--backup-taken-at", now, status=1)
    system.command("messages", "stop", "email")
    assert "older" in system.command("restore-finish", "--backup-taken-at", "2099-01-01", status=1)
    system.command("restore-finish", "--backup-taken-at", "yesterday", status=2)
    system.command("restore-finish", "--backup-taken-at", now)
    assert system.ask("SELECT count(*) AS n FROM sending_stop")[0].n == 2, "what was stopped by hand stays stopped"


def test_the_same_database_goes_on_after_a_restart_and_another_does_not(app: Flask) -> None:
    with app.app_context():
        session = db.session()
        now = clock.now(session)
        assert ledger.is_the_same(session, now) and ledger.is_the_same(session, now)
        assert not stops.is_stopped(session, "sms", now)
        for column, value in (("system_identifier", "1"), ("database_oid", "1"), ("timeline", "'00000009'")):
            session.execute(text(f"UPDATE ledger_mark SET {column} = {value}"))
            assert not ledger.is_the_same(session, now), column
            ledger.note_identity(session, now)
            assert ledger.is_the_same(session, now)
        session.rollback()
        db.session.remove()


def test_the_role_of_the_running_system_may_do_all_of_it(app: Flask) -> None:
    """As docs/operations.md grants it: who the database is, skipping numbers, deciding, and letting go."""
    with app.app_context():
        session = db.session()
        now = clock.now(session)
        for statement in (
            "CREATE ROLE grm_restorer",
            "GRANT USAGE ON SCHEMA public TO grm_restorer",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO grm_restorer",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO grm_restorer",
            "SET LOCAL ROLE grm_restorer",
        ):
            session.execute(text(statement))
        assert ledger.is_the_same(session, now)
        stops.stop_after_restore(session, now)
        act = Act(session, now)
        assert finish(act, now, None, None).held == 0
        assert not stops.is_stopped(session, "sms", now)
        session.rollback()
        db.session.remove()


def test_a_released_message_goes_out_although_its_answers_were_lost_twice(make_app: MakeApp, app: Flask) -> None:
    from grm.kernel.transaction import transaction
    from grm.notifications import held
    from grm.notifications.models import Attempt

    with running_gateway() as gateway:
        other = make_app(sms_gateway_url=gateway.url)
        with other.app_context():
            session = db.session()
            now = clock.now(session)
            number = add_message(session, now, state="held", ended_at=now, error="answer-unknown", attempts=2)
            for n in (1, 2):
                session.add(Attempt(message_id=number, number=n, started_at=now, outcome="unknown" if n == 1 else None))
            session.commit()
            with transaction() as act:
                held.release(act, number)
            post = post_for("sms", other.extensions["grm.settings"])
            assert post is not None
            deliver_due(post)
            assert len(gateway.accepted) == 1
            db.session.remove()
