"""What a fault writes down: the web's log, the worker's and the database's own errors name the fault, not the complaint."""

import io
import json
import logging
from typing import Any

import pytest
import structlog
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from grm.cases.attachment_models import DraftFile
from grm.cases.models import Case
from grm.intake.models import Draft
from grm.kernel import context
from grm.kernel.db import db
from grm.web import errors
from grm.web.server_log import ServerLog
from tests.support.citizen import COMPLAINT, FORM, Citizen, errors_of, how_many
from tests.support.files import jpeg

WORDS = "Canary-কথা-qzxv"
AGENT = "CanaryAgent/9"
ADDRESS = "198.51.100.77"
WRITTEN = {"details": WORDS, "place": WORDS, "name": WORDS, "phone": "01798765432", "others": f"{WORDS}, 01798765432"}


def nothing_of_it(logged: str) -> None:
    """Fail where a log holds anything of the form or of who sent it."""
    for secret in (WORDS, WORDS.encode("unicode_escape").decode(), "1798765432", AGENT, ADDRESS):
        assert secret not in logged, logged


@pytest.mark.parametrize("statement", ["CHECK (place <> '%s')", "CHECK (length(details) < 2)"])
def test_a_fault_of_the_database_leaves_no_word_in_the_log(
    app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    """The row that does not fit is quoted by PostgreSQL, the parameters by SQLAlchemy, the value by Python."""
    log = io.StringIO()
    processors = structlog.get_config()["processors"]
    monkeypatch.setattr(errors, "log", structlog.wrap_logger(structlog.PrintLogger(log), processors))
    session.execute(text(f"ALTER TABLE cases ADD CONSTRAINT planted {statement.replace('%s', WORDS)} NOT VALID"))
    session.commit()
    try:
        citizen = Citizen(app, address=ADDRESS)
        fields = {**citizen.tokens(), **COMPLAINT, **WRITTEN, "anonymous": "1", "step": "send"}
        page = citizen.post(FORM, fields, headers={"User-Agent": AGENT})
    finally:
        session.execute(text("ALTER TABLE cases DROP CONSTRAINT planted"))
        session.commit()
    assert page.status == 500 and WORDS in page.text, "what was typed comes back, to who typed it"
    logged = log.getvalue()
    fault = next(json.loads(line) for line in logged.splitlines() if "unhandled error" in line)
    assert "CheckViolation: 23514 cases planted" in fault["exception"] and "statement.py" in fault["exception"]
    nothing_of_it(logged)
    assert how_many(session, Case) == 0


def test_an_error_of_the_database_quotes_no_value_wherever_it_is_caught(session: Session) -> None:
    for statement in ("SELECT CAST(:value AS integer)", "SELECT CAST(:value AS jsonb)"):
        with pytest.raises(DBAPIError) as caught:
            session.execute(text(statement), {"value": WORDS})
        session.rollback()
        nothing_of_it(f"{caught.value} {caught.value.orig} {caught.value!r} {caught.value.orig!r}")


def test_the_web_server_describes_no_request(capfd: pytest.CaptureFixture[str]) -> None:
    from gunicorn.config import Config

    log = ServerLog(Config())
    try:
        log.warning(f"Invalid request from ip={ADDRESS}: {AGENT}")
        log.warning("Worker %s", "late")
        try:
            int(WORDS)
        except ValueError:
            log.exception("Error handling request %s %s", "GET", f"/search?q={WORDS}")
        logged = capfd.readouterr().err
    finally:
        for handler in list(logging.getLogger("gunicorn.error").handlers):
            logging.getLogger("gunicorn.error").removeHandler(handler)
    assert "refused that is not HTTP" in logged and "Worker late" in logged and "ValueError" in logged
    nothing_of_it(logged)


def test_a_draft_of_who_stays_anonymous_holds_no_identity(app: Flask, session: Session) -> None:
    """Not even sealed, and not where the form came back with a fault."""
    citizen = Citizen(app)
    fields = {**citizen.tokens(), **COMPLAINT, **WRITTEN, "email": "c@example.org", "anonymous": "1", "step": "send"}
    page = citizen.post(FORM, {**fields, "details": " "})
    assert page.status == 422 and "details" in errors_of(page)
    opened = [_opened(row) for row in session.query(Draft)]
    assert opened and all(fields["anonymous"] == "1" for fields in opened)
    for kept in opened:
        assert not {"name", "phone", "email", "others"} & set(kept)
        nothing_of_it(json.dumps({**kept, "place": ""}, ensure_ascii=False))


def test_a_scan_at_a_desk_loses_its_name_as_soon_as_the_box_is_ticked(app: Flask, session: Session) -> None:
    desk = Citizen(app)
    desk.submit(desk.get("/login").form("username").fill(username="desk.dhaka", password="demo"))
    form = desk.get("/desk/new").form("medium").fill(name="আমেনা")
    fields = {name: values[0] for name, values in form.values.items() if values}
    scan = (io.BytesIO(jpeg()), "আমেনার চিঠি.jpg")
    assert desk.post("/desk/drafts", {**fields, "attachments": scan}).status == 200
    assert session.scalars(select(DraftFile.name_sealed)).one() is not None
    session.rollback()
    assert desk.post("/desk/drafts", {**fields, "details": "…", "anonymous": "1"}).status == 200
    assert session.scalars(select(DraftFile.name_sealed)).one() is None


def _opened(row: Draft) -> dict[str, Any]:
    sealed = context.keyring().open(row.sealed, f"draft:{row.token_hash.hex()}")
    fields: dict[str, Any] = json.loads(sealed)["fields"]
    return fields


def test_the_engine_of_every_process_hides_what_it_was_given(app: Flask) -> None:
    with app.app_context():
        assert db.engine.hide_parameters
