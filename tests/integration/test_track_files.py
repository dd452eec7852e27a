"""Files on the tracking page: handed in with words or without, listed, and handed out to nobody but the holder of the codes."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from grm.cases import attachments, service, tracking, visits
from grm.cases.attachment_models import Attachment
from grm.cases.attachments import Upload
from grm.cases.models import Case, CaseEvent
from grm.cases.verification import Tally, faults
from grm.kernel import clock
from grm.kernel.db import db
from grm.notifications.models import Message
from grm.web.security import FILE_POLICY
from tests.support import build, files
from tests.support.files import CANARY
from tests.support.web import parse

MakeApp = Callable[..., Flask]
GRO = "gro.social-welfare"
WORDS = "এই যে আমার পাসবইয়ের ছবি"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "attachments"


@pytest.fixture
def here(make_app: MakeApp, folder: Path) -> Flask:
    return make_app(attachments_dir=folder)


@pytest.fixture
def case(session: Session) -> Case:
    row = build.case(session, filed_at=clock.now(session) - timedelta(days=5), assignee=build.officer_id(session, GRO))
    session.commit()
    return row


class Holder:
    """The complainant with the page open, in English."""

    def __init__(self, app: Flask, session: Session, number: str, visit: str = "") -> None:
        self.client: FlaskClient = app.test_client()
        self.number = number
        self.view = tracking.view_token(number, clock.now(session), visit)
        session.rollback()
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/track?lang=en").text)
        assert found
        self.token = unescape(found[1])

    def send(self, action: str, *given: tuple[str, bytes], **fields: Any) -> TestResponse:
        data: dict[str, Any] = {"csrf_token": self.token, "view": self.view, "action": action, **fields}
        return self.client.post("/track", data={**data, "attachments": [(BytesIO(body), name) for name, body in given]})

    def save(self, file_id: object, **fields: Any) -> TestResponse:
        return self.client.post(
            "/track/file", data={"csrf_token": self.token, "view": self.view, "file": file_id, **fields}
        )


def main(answer: TestResponse) -> str:
    return parse(answer.text).first("main").text


def rows(session: Session) -> list[Attachment]:
    session.rollback()
    return list(session.scalars(select(Attachment).order_by(Attachment.id)))


def kinds(session: Session, row: Case) -> list[str]:
    session.rollback()
    return list(session.scalars(select(CaseEvent.kind).where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq)))


def test_files_come_with_an_answer_or_without_words_and_are_there_to_save(
    here: Flask, session: Session, case: Case, folder: Path
) -> None:
    with here.app_context():
        service.ask_complainant(build.actor(db.session(), GRO), case.tracking_number, None, "পাসবইয়ের ছবি দিন")
    holder = Holder(here, session, case.tracking_number)
    page = holder.send("answer", ("ছবি.jpg", files.jpeg()))
    assert page.status_code == 200 and "Your answer is with the office" in main(page)
    assert "You answered – files: 1" in main(page), "a photo alone is an answer"
    two = (("ছবি ২.png", files.png()), ("b.pdf", files.pdf()))
    page = holder.send("add_information", *two, information=WORDS)
    assert page.status_code == 200 and WORDS in main(page) and "You added something – files: 2" in main(page)
    again = holder.send("add_information", *two, information=WORDS, version="1")
    assert again.status_code == 200 and kinds(session, case)[-2:] == ["answered", "information_added"]
    found = rows(session)
    assert {(row.officer_id, row.is_for_complainant, row.state) for row in found} == {(None, False, "stored")}
    added = session.scalars(select(CaseEvent).where(CaseEvent.kind == "information_added")).one()
    assert [each["sha256"] for each in added.data["files"]] == [row.sha256.hex() for row in found[1:]]
    assert list(faults(session.connection(), Tally())) == [] and len(list(folder.glob("??/??/*"))) == 3
    told = session.scalars(select(Message).where(Message.template == "case-information-officer")).all()
    assert told and all(WORDS not in str(each.params) for each in told)

    for row in found:
        assert f'name="file" value="{row.id}"' in page.text and row.stored_name not in page.text
        got = holder.save(row.id)
        assert got.status_code == 200 and got.content_type == row.media_type and CANARY.encode() not in got.data
        assert got.headers["Content-Security-Policy"] == FILE_POLICY and got.headers["Cache-Control"] == "no-store"
        assert got.headers["Content-Disposition"].startswith("attachment; ")


def test_the_complainant_has_only_their_own_files_and_those_marked_for_them(
    here: Flask, session: Session, case: Case
) -> None:
    other = build.case(session, filed_at=clock.now(session) - timedelta(days=5))
    session.commit()
    with here.app_context():
        for number, marked in (
            (case.tracking_number, True),
            (case.tracking_number, False),
            (other.tracking_number, True),
        ):
            upload = [Upload(f"{marked}.png", files.png())] if marked else [Upload("inner.pdf", files.pdf())]
            attachments.attach_files(build.actor(db.session(), GRO), number, upload, "চিঠি", is_for_complainant=marked)
    marked, inner, foreign = (row.id for row in rows(session))
    holder = Holder(here, session, case.tracking_number)
    page = main(holder.send("none"))
    assert "True.png From the office" in page and "inner.pdf" not in page
    assert holder.save(marked).status_code == 200
    for wrong in (inner, foreign, marked + 99, "1e3", "../1", "9" * 30, ""):
        assert holder.save(wrong).status_code == 404, wrong
    session.execute(update(Attachment).where(Attachment.id == marked).values(state="quarantined"))
    session.commit()
    assert "It is being checked." in main(holder.send("none")) and holder.save(marked).status_code == 404

    now = clock.now(session)
    for view in ("", "x", tracking.view_token(case.tracking_number, now - timedelta(minutes=31))):
        assert holder.save(marked, view=view).location == "/track"
    key = visits.begin(visits.new_mark(), now, timedelta(minutes=30))
    left = Holder(here, session, case.tracking_number, str(key))
    assert left.save(inner).status_code == 404
    with here.app_context():
        visits.end(str(key))
    assert left.save(inner).location == "/track", "who has left the page has no file of it either"
    assert holder.save(marked, csrf_token="x").status_code == 400
    assert holder.client.get("/track/file").status_code == 405


@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        (("বড়.jpg", b"\xff\xd8\xff" + bytes(20 << 20)), 413, "“বড়.jpg” is too large: a file may have at most 10 MB."),
        (("বিশাল.jpg", bytes(24 << 20)), 413, "“বিশাল.jpg”, with what came with it, is too large"),
        (("a.exe", b"MZ" + bytes(99)), 422, "“a.exe” is none of the files that are taken"),
    ],
    ids=["too large", "beyond all limits", "program"],
)
def test_what_was_written_comes_back_where_a_file_is_not_taken(
    here: Flask, session: Session, case: Case, folder: Path, given: tuple[str, bytes], status: int, said: str
) -> None:
    page = Holder(here, session, case.tracking_number).send("add_information", given, information=WORDS)
    assert page.status_code == status and said in main(page)
    assert (parse(page.text).first("form") and f">\r\n{WORDS}" in page.text) or WORDS in page.text
    assert rows(session) == [] and "information_added" not in kinds(session, case)
    assert list(folder.glob("??/??/*")) == [] and 'id="information-files-error"' in page.text


def test_what_can_be_taken_of_several_is_and_the_rest_is_named(here: Flask, session: Session, case: Case) -> None:
    holder = Holder(here, session, case.tracking_number)
    page = holder.send("add_information", ("ok.png", files.png()), ("b.pdf", b""), information=WORDS)
    assert page.status_code == 422 and "What you added is with the office" in main(page)
    assert "“b.pdf” is empty." in main(page) and len(rows(session)) == 1
    assert kinds(session, case)[-1] == "information_added"
    bad = holder.send("add_information", ("c.pdf", files.pdf()), information="a\x00b")
    assert bad.status_code == 422 and "type it again" in main(bad) and len(rows(session)) == 1
    session.execute(update(Case).where(Case.id == case.id).values(status="withdrawn", ended_at=clock.now(session)))
    session.commit()
    gone = holder.send("add_information", ("c.pdf", files.pdf()), information=WORDS, version="1")
    assert gone.status_code == 409 and "This is not possible any more" in main(gone) and len(rows(session)) == 1
