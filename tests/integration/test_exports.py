"""Lists as files: small ones at once, large ones prepared; whose they are, how long, how many at a time, what a kill leaves."""

import csv
import io
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from config import Settings
from grm.cases import attachment_care
from grm.cases.models import Accused, Case
from grm.cases.queries import visible_to
from grm.exports import care, fonts, jobs, kinds, making, parts, views
from grm.exports.jobs import Claimed
from grm.exports.kinds import Asked, exportable
from grm.exports.models import ExportJob
from grm.exports.sheet import Column, Sheet
from grm.files.store import StoreAway
from grm.kernel import clock, context
from grm.kernel.db import db
from grm.kernel.errors import Conflict, InvalidInput, NotFound
from grm.notifications.models import Message
from grm.offices.models import Posting
from grm.web.locale import gettext
from tests.support import build

ROLES = ("cell_officer", "gro", "head")


@pytest.fixture(autouse=True)
def own_store(app: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of its own: other tests, in other processes, have files in theirs."""
    monkeypatch.setitem(app.extensions, context.SETTINGS, replace(settings, attachments_dir=tmp_path / "files"))


@pytest.fixture(autouse=True)
def lists() -> Iterator[None]:
    """Two lists: the cases that the officer sees, and as many numbers as are asked for."""

    @exportable("test-cases", *ROLES)
    def _cases(asked: Asked) -> Sheet:
        found = select(Case.tracking_number, Case.received_on).where(visible_to(asked.actor)).order_by(Case.id)
        rows = asked.session.execute(found.execution_options(yield_per=100))
        return Sheet(gettext("Cases"), (Column(gettext("Case"), "code"), Column("Day", "date")), map(tuple, rows))

    @exportable("test-numbers", *ROLES)
    def _numbers(asked: Asked) -> Sheet:
        count, pause = int(asked.query["count"]), float(asked.query.get("pause", 0))

        def rows() -> Iterator[tuple[int]]:
            for number in range(1, count + 1):
                time.sleep(pause)
                yield (number,)

        return Sheet("Numbers", (Column("Number", "number"),), rows(), count=count)

    yield
    for name in ("test-cases", "test-numbers"):
        kinds._KNOWN.pop(name)


@pytest.fixture
def enter(app: Flask) -> Callable[[str], FlaskClient]:
    """A browser in which a demo officer is signed in, showing English."""

    def sign_in(username: str) -> FlaskClient:
        client = app.test_client()
        token = token_of(client.get("/login?lang=en").text)
        assert client.post("/login", data={"csrf_token": token, "username": username, "password": "demo"}).location
        return client

    return sign_in


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def audited(session: Session) -> list[tuple[str, dict[str, object]]]:
    rows = session.execute(text("SELECT kind, data FROM audit_entry WHERE stream = 'exports' ORDER BY seq"))
    return [(kind, data) for kind, data in rows]


def actor(session: Session, username: str = "cabinet") -> object:
    return build.actor(session, username, clock.dhaka_date(clock.now(session)))


def ask(session: Session, username: str = "cabinet", kind: str = "test-cases", form: str = "csv", **query: str) -> int:
    found = jobs.ask(actor(session, username), kind, form, "en", query)  # type: ignore[arg-type]
    session.rollback()
    return found


def job(session: Session, job_id: int) -> ExportJob:
    session.rollback()
    return session.get_one(ExportJob, job_id, populate_existing=True)


def stored() -> list[str]:
    return sorted(parts.store().names())


def test_a_small_list_is_given_at_once(session: Session, enter: Callable[[str], FlaskClient]) -> None:
    numbers = [build.case(session).tracking_number for _ in range(3)]
    session.commit()
    client = enter("cabinet")
    answer = client.get("/reports/exports/test-cases.csv?some=choice&lang=en")
    assert answer.status_code == 200 and re.search(
        r"grm-test-cases-\d{4}-\d\d-\d\d\.csv", answer.headers["Content-Disposition"]
    )
    assert [row[0] for row in csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))] == ["Case", *numbers]
    book = load_workbook(io.BytesIO(client.get("/reports/exports/test-cases.xlsx").data))
    assert [cell.value for cell in book.worksheets[0]["A"]] == ["Case", *numbers]
    if fonts.has_fonts():
        assert client.get("/reports/exports/test-cases.pdf").data.startswith(b"%PDF")
    assert audited(session)[0] == (
        "Exported",
        {"report": "test-cases", "format": "csv", "filter": {"some": "choice"}, "rows": 3},
    )
    for address in ("test-cases.doc", "no-such.csv"):
        assert client.get(f"/reports/exports/{address}").status_code == 404
    assert enter("desk.dhaka").get("/reports/exports/test-cases.csv").status_code == 404
    # Another ministry's GRO gets the file, and nothing in it.
    other = enter("gro.food").get("/reports/exports/test-cases.csv").data.decode("utf-8-sig")
    assert other.count("\r\n") == 1


def test_without_fonts_only_pdf_is_missing(
    session: Session, enter: Callable[[str], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fonts, "_folders", lambda: iter(()))
    fonts.fonts.cache_clear()
    try:
        client = enter("cabinet")
        answer = client.get("/reports/exports/test-cases.pdf")
        assert answer.status_code == 503 and "no Bangla font" in answer.text
        assert client.get("/reports/exports/test-cases.xlsx").status_code == 200
        health = client.get("/healthz").get_json()
        assert any(fonts.PACKAGE in warning for warning in health["warnings"])
    finally:
        fonts.fonts.cache_clear()


def test_a_large_list_is_prepared_and_fetched(
    session: Session, enter: Callable[[str], FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts.PartWriter.__init__, "__defaults__", (20_000,))
    client = enter("cabinet")
    offer = client.get("/reports/exports/test-numbers.csv?count=6000")
    assert "6,000" in offer.text and not audited(session)
    fields = dict(re.findall(r'name="(kind|format|query|csrf_token)" value="([^"]*)"', offer.text))
    for _ in range(2):  # pressed twice: one file
        assert client.post("/reports/exports", data=fields).status_code == 303
    page = client.get("/reports/exports")
    assert page.text.count("/cancel") == 1 and page.headers["Refresh"] == str(views.REFRESH_SECONDS)
    (waiting,) = session.scalars(select(ExportJob.id)).all()
    assert client.get(f"/reports/exports/{waiting}/file").status_code == 404, "it is not there yet"
    held = jobs.claim_next()
    assert held is not None and jobs.claim_next() is None
    assert making.make(held)
    assert len(stored()) > 1 and not parts.store().unsettled(-60)
    page = client.get("/reports/exports")
    assert "Ready" in page.text and "Refresh" not in page.headers
    answer = client.get(f"/reports/exports/{waiting}/file")
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert [row[0] for row in rows] == ["Number", *(str(number) for number in range(1, 6001))]
    assert not session.scalars(select(Message.id)).all(), "it did not take long"
    assert int(answer.headers["Content-Length"]) == len(answer.data) == job(session, waiting).size
    told = {"id": waiting, "report": "test-numbers", "format": "csv", "filter": {"count": "6000"}}
    kinds_of, (asked, made, fetched) = zip(*audited(session), strict=True)
    assert kinds_of == ("export-asked", "export-made", "export-fetched")
    assert (
        asked == told and made == told | {"rows": 6000, "sha256": made["sha256"]} and fetched == told | {"rows": 6000}
    )
    # Nobody else's, not even another officer's of the cell.
    for other in ("gro.social-welfare", "admin"):
        assert enter(other).get(f"/reports/exports/{waiting}/file").status_code == 404
        assert str(waiting) not in re.findall(r"/reports/exports/(\d+)", enter(other).get("/reports/exports").text)
        assert client.post(f"/reports/exports/{waiting}/cancel").status_code == 400, "without the form's token"
    with pytest.raises(NotFound):
        jobs.cancel(actor(session, "gro.social-welfare"), waiting)  # type: ignore[arg-type]


def test_who_asked_for_a_file_that_took_long_is_told_once(session: Session) -> None:
    """By a mail that says where, and nothing of what is in it; cut off and made again it is one mail still."""
    made = ask(session, kind="test-numbers", count="3")
    session.execute(text("UPDATE export_job SET asked_at = asked_at - interval '1 minute'"))
    session.commit()
    for _ in range(2):
        held = jobs.claim_next()
        assert held is not None and making.make(held)
        session.execute(update(ExportJob).where(ExportJob.id == made).values(state="queued", finished_at=None))
        session.execute(text("DELETE FROM export_part"))
        session.commit()
    told = session.execute(select(Message.template, Message.channel, Message.officer_id, Message.params)).all()
    assert told == [("file-ready-officer", "email", build.officer_id(session, "cabinet"), {})]


def test_a_file_is_for_the_posts_it_was_made_for(session: Session, enter: Callable[[str], FlaskClient]) -> None:
    case = build.case(session)
    session.commit()
    client = enter("gro.social-welfare")
    made = ask(session, "gro.social-welfare")
    held = jobs.claim_next()
    assert held and making.make(held) and job(session, made).rows_done == 1
    address = f"/reports/exports/{made}/file"
    assert client.get(address).status_code == 200
    # A complaint that came later and names the officer changes nothing; one about a case that may be in the file does.
    gro = build.officer_id(session, "gro.social-welfare")
    later = build.case(session, filed_at=clock.now(session) + timedelta(minutes=5))
    session.add(Accused(case_id=later.id, officer_id=gro))
    session.commit()
    assert client.get(address).status_code == 200
    named = Accused(case_id=case.id, officer_id=gro)
    session.add(named)
    session.commit()
    assert client.get(address).status_code == 404
    session.delete(named)
    session.commit()
    assert client.get(address).status_code == 200
    session.execute(update(Posting).where(Posting.officer_id == gro).values(ends_on=date(2021, 1, 1)))
    session.commit()
    assert client.get(address).status_code == 404
    assert "no longer hold the post" in client.get("/reports/exports").text
    # What is asked for in a post and made after its end does not come.
    session.execute(update(Posting).where(Posting.officer_id == gro).values(ends_on=None))
    session.commit()
    made = ask(session, "gro.social-welfare")
    session.execute(update(Posting).where(Posting.officer_id == gro).values(ends_on=date(2021, 1, 1)))
    session.commit()
    held = jobs.claim_next()
    assert held and not making.make(held)
    assert (job(session, made).state, job(session, made).error) == ("failed", "not-found")


def test_nobody_crowds_out_the_others(session: Session) -> None:
    mine = [ask(session, kind="test-numbers", count=str(count)) for count in range(1, 6)]
    with pytest.raises(Conflict):
        ask(session, kind="test-numbers", count="6")
    with pytest.raises(InvalidInput):
        ask(session, kind="test-numbers", form="pdf", count="20001")
    theirs = ask(session, "gro.social-welfare")
    first, second, third = jobs.claim_next(), jobs.claim_next(), jobs.claim_next()
    assert first is not None and second is not None and third is None, "as many at once as there are processors"
    assert [first.id, second.id] == [mine[0], theirs], "who has nothing under way comes first"
    jobs.cancel(actor(session), mine[0])  # type: ignore[arg-type]
    assert not making.make(first) and job(session, mine[0]).state == "cancelled" and not stored()
    assert (held := jobs.claim_next()) is not None and held.id == mine[1]


def test_a_file_that_is_cancelled_while_it_is_made_leaves_nothing(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts.PartWriter.__init__, "__defaults__", (1000,))
    monkeypatch.setattr(making, "SAY_SECONDS", 0.0)
    made = ask(session, kind="test-numbers", count="6000")
    held = jobs.claim_next()
    assert held is not None
    say = jobs.say_progress

    def say_then_cancel(held: Claimed, rows_done: int) -> bool:
        if rows_done == 2000:
            jobs.cancel(actor(db.session()), made)  # type: ignore[arg-type]
        return say(held, rows_done)

    monkeypatch.setattr(jobs, "say_progress", say_then_cancel)
    assert not making.make(held)
    assert job(session, made).state == "cancelled" and job(session, made).rows_done == 1500
    assert not stored() and not parts.store().unsettled(-60)


def test_a_process_killed_half_way_is_replaced(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGKILL while pieces are stored already: its claim runs out, another makes the one file, and the pieces are swept away."""
    monkeypatch.setattr(parts.PartWriter.__init__, "__defaults__", (2000,))
    monkeypatch.setattr(making, "SAY_SECONDS", 0.0)
    made = ask(session, kind="test-numbers", count="2000", pause="0.0003")
    held = jobs.claim_next()
    assert held is not None
    child = os.fork()
    if not child:
        try:
            with app.app_context():
                db.engine.dispose(close=False)  # the parent's connections are not ours
                db.session.remove()
                making.make(held)
        finally:
            os._exit(0)
    ends = time.monotonic() + 10
    while job(session, made).rows_done < 500 and time.monotonic() < ends:
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1]), "it was over before it could be killed"
    left = stored()
    assert left and job(session, made).state == "running" and jobs.claim_next() is None
    session.execute(update(ExportJob).values(lease_until=clock.now(session) - timedelta(seconds=1)))
    session.commit()
    again = jobs.claim_next()
    assert again is not None and again.id == made and again.claim != held.claim
    assert not jobs.say_progress(held, 9), "the claim of the first is worth nothing"
    assert making.make(again) and job(session, made).state == "done" and job(session, made).attempts == 2
    for name in parts.names_of(session, made):
        parts.store().unsettle(name)  # as if it had been killed between its commit and settling
    assert attachment_care.sweep_orphans(-60) == len(left)
    assert stored() == sorted(parts.names_of(session, made))
    # A process that has ended lets go of its claim at the next tick, and the job's turn comes at once.
    vain = ask(session, kind="test-numbers", count="1")
    begun = jobs.claim_next()
    assert begun is not None
    ended = subprocess.Popen(["true"])
    ended.wait()
    monkeypatch.setattr(making, "_children", [(begun, ended)])
    monkeypatch.setattr(making.subprocess, "Popen", lambda *_args, **_more: ended)
    assert making.start() == 1 and job(session, vain).attempts == 2
    session.execute(update(ExportJob).where(ExportJob.id == vain).values(lease_until=clock.now(session)))
    session.commit()
    # A third and last attempt in vain, and no more.
    assert jobs.claim_next() is not None
    session.execute(update(ExportJob).where(ExportJob.id == vain).values(lease_until=clock.now(session)))
    session.commit()
    assert jobs.claim_next() is None and job(session, vain).error == "interrupted"


def test_what_is_committed_keeps_its_pieces(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store is away just after the commit; or the connection was lost in it, and nobody knows what became of it."""

    def away(*_: object) -> None:
        raise StoreAway

    whole = making._finish

    def lost(*arguments: object) -> bool:
        whole(*arguments)  # type: ignore[arg-type]
        raise OperationalError("COMMIT", None, Exception())

    for owner, name, fault in ((parts.PartWriter, "settle", away), (making, "_finish", lost)):
        made = ask(session)
        held = jobs.claim_next()
        assert held is not None
        with monkeypatch.context() as patched:
            patched.setattr(owner, name, fault)
            making.make(held)
        assert job(session, made).state == "done"
        attachment_care.sweep_orphans(-60)
        _, names = jobs.fetch(actor(session), made)  # type: ignore[arg-type]
        assert names and set(names) <= set(stored()), name


def test_files_go_after_a_week(session: Session) -> None:
    made = ask(session)
    held = jobs.claim_next()
    assert held and making.make(held) and stored()
    now = clock.now(session)
    session.rollback()
    assert care.forget(now + timedelta(days=6, hours=23)) == 0 and stored()
    assert care.forget(now + timedelta(days=7, minutes=1)) == 1
    assert job(session, made).state == "expired" and not stored()
    with pytest.raises(NotFound):
        jobs.fetch(actor(session), made)  # type: ignore[arg-type]
    session.rollback()
    care.forget(now + timedelta(days=91))
    assert not session.scalars(select(ExportJob.id)).all()


def test_the_worker_starts_a_process_for_it(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """`flask exports make` does it, with the claim it was given and with no other."""
    made = ask(session)
    held = jobs.claim_next()
    assert held is not None
    from grm.cli import register

    register(app)
    monkeypatch.setattr(making, "lower_priority", lambda: None)
    runner = app.test_cli_runner()
    assert runner.invoke(args=["exports", "make", str(made), "no-such-claim"]).exit_code == 0
    assert job(session, made).state == "running"
    assert runner.invoke(args=["exports", "make", str(made), held.claim]).exit_code == 0
    assert job(session, made).state == "done"
