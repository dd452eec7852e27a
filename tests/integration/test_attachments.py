"""Files of a case through HTTP and the services: taken, refused, scanned, handed out, and never a row without its file."""

import hashlib
import os
import re
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from html import unescape
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from grm.accounts.models import Officer
from grm.cases import attachment_care, attachments, spine
from grm.cases.attachment_models import Attachment
from grm.cases.attachments import FilesRefused, Upload
from grm.cases.models import Case, CaseEvent
from grm.cases.verification import Tally, faults
from grm.cli import register
from grm.kernel import clock
from grm.kernel.audit import AuditEntry
from grm.kernel.db import db
from grm.kernel.errors import Conflict, IllegalAction, NotFound
from grm.web.security import FILE_POLICY
from tests.support import build, files
from tests.support.clamd import INFECTED, Clamd, running_clamd
from tests.support.files import CANARY
from tests.support.web import parse

MakeApp = Callable[..., Flask]
GRO = "gro.social-welfare"
NOTE = "উপজেলা কার্যালয়ের চিঠি, ৪ জানুয়ারি"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files of a test lie."""
    return tmp_path / "attachments"


@pytest.fixture
def here(make_app: MakeApp, folder: Path) -> Flask:
    """The application with a store of its own and no scanner."""
    return make_app(attachments_dir=folder)


@pytest.fixture
def inside(here: Flask, session: Session) -> Iterator[Session]:
    """Services of that application: its settings and its database session."""
    session.commit()
    with here.app_context():
        yield db.session()


@pytest.fixture
def number(session: Session) -> str:
    made = build.case(session, assignee=build.officer_id(session, GRO))
    session.commit()
    return made.tracking_number


def sign_in(app: Flask, username: str = GRO) -> FlaskClient:
    client = app.test_client()
    token = token_of(client.get("/login?lang=en").text)
    answer = client.post("/login", data={"csrf_token": token, "username": username, "password": "demo"})
    assert answer.status_code == 303
    return client


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return unescape(found[1])


def post(client: FlaskClient, number: str, *uploads: tuple[str, bytes], **fields: str) -> TestResponse:
    """Send the form that attaches files."""
    page = client.get(f"/cases/{number}").text
    version = re.findall(r'name="version" value="(\d+)"', page)[0]
    data = {"csrf_token": token_of(page), "action": "ATTACH", "version": version, "note": NOTE, **fields}
    return client.post(
        f"/cases/{number}", data={**data, "files": [(BytesIO(content), name) for name, content in uploads]}
    )


def rows(session: Session) -> list[Attachment]:
    session.rollback()
    return list(session.scalars(select(Attachment).order_by(Attachment.id)))


def stored(folder: Path) -> list[bytes]:
    """The contents of all files that lie in their places."""
    return sorted(path.read_bytes() for path in folder.glob("??/??/*"))


def waiting(folder: Path) -> list[Path]:
    """Second names of files whose row is not known to be committed."""
    return [path for path in folder.glob("incoming/*") if path.name != "clock"]


def main(answer: TestResponse) -> str:
    return parse(answer.text).first("main").text


def test_files_are_attached_shown_and_handed_out(here: Flask, session: Session, folder: Path, number: str) -> None:
    client = sign_in(here)
    answer = post(client, number, ("ছবি ১.JPEG", files.jpeg()), ("../চিঠি.pdf", files.pdf(script=True)))
    assert (answer.status_code, answer.location) == (303, f"/cases/{number}?done=ATTACH")
    photo, paper = rows(session)
    assert stored(folder) == sorted(Path(p).read_bytes() for p in folder.glob("??/??/*")) and not waiting(folder)
    assert [row.state for row in (photo, paper)] == ["stored", "stored"] and photo.scanned_at is None
    assert paper.taken_out == ["scripts"] and not photo.is_for_complainant
    assert "ছবি".encode() not in bytes(photo.name_sealed or b"")
    attached = session.scalars(select(CaseEvent).where(CaseEvent.kind == "attached")).one()
    assert [each["sha256"] for each in attached.data["files"]] == [photo.sha256.hex(), paper.sha256.hex()]
    assert (photo.seq, photo.officer_id) == (attached.seq, build.officer_id(session, GRO))
    assert list(faults(session.connection(), Tally())) == []

    page = client.get(f"/cases/{number}")
    shown = main(page)
    assert "ছবি ১.jpg Not scanned" in shown and "চিঠি.pdf" in shown and "scripts were taken out" in shown
    assert NOTE in shown and "Files attached: 2" in shown
    for row in (photo, paper):
        address = f"/cases/{number}/attachments/{row.id}"
        assert address in page.text and row.stored_name not in page.text
        got = client.get(address)
        assert got.status_code == 200 and hashlib.sha256(got.data).digest() == row.sha256
        assert CANARY.encode() not in got.data
        assert got.content_type == row.media_type and got.headers["Content-Security-Policy"] == FILE_POLICY
        assert got.headers["X-Content-Type-Options"] == "nosniff" and got.headers["Cache-Control"] == "no-store"
        kind, plain, true = got.headers["Content-Disposition"].split("; ")
        assert kind == "attachment" and plain.isascii() and true.startswith("filename*=UTF-8''")
        partly = client.get(address, headers={"Range": "bytes=0-9"})
        assert (partly.status_code, partly.data) == (200, got.data), "no part is ever served by itself"


def test_a_file_is_bound_to_its_case_and_to_who_may_see_that(here: Flask, session: Session, number: str) -> None:
    other = build.case(session, build.office_id(session, "food"), programme="oms").tracking_number
    session.commit()
    client = sign_in(here)
    assert post(client, number, ("a.png", files.png())).status_code == 303
    (row,) = rows(session)
    assert client.get(f"/cases/{number}/attachments/{row.id}").status_code == 200
    for path in (f"/cases/{other}/attachments/{row.id}", f"/cases/{number}/attachments/{row.id + 1}"):
        assert client.get(path).status_code == 404
    # Every role against one's own and others' cases: tests/abuse/test_access.py.
    assert sign_in(here, "gro.food").get(f"/cases/{number}/attachments/{row.id}").status_code == 404
    for path in (
        "/static/attachments/" + row.stored_name,
        f"/attachments/{row.stored_name}",
        f"/cases/{number}/attachments/x",
    ):
        assert client.get(path).status_code == 404
    assert here.test_client().get(f"/cases/{number}/attachments/{row.id}").location.startswith("/login")
    assert sign_in(here, "cabinet").get(f"/cases/{other}/attachments/{row.id}").status_code == 404


def test_who_is_not_told_who_complains_has_none_of_the_complainants_files(
    here: Flask, inside: Session, session: Session, number: str
) -> None:
    """An overseer has what officers attached for themselves; the others who see the case have all of it."""
    named = attachments.receive([Upload("রহিমার পাসবই.png", files.png())])
    case = inside.scalars(select(Case).where(Case.tracking_number == number)).one()
    attachments.add_rows(inside, case, 1, named.kept, now=clock.now(inside), officer_id=None, is_for_complainant=False)
    inside.commit()
    client = sign_in(here)
    assert post(client, number, ("to-her.pdf", files.pdf()), is_for_complainant="1").status_code == 303
    assert post(client, number, ("visit.jpg", files.jpeg())).status_code == 303
    ids = [row.id for row in rows(session)]
    head = build.officer(session, "head.of-office")
    head.password_hash = session.scalars(select(Officer.password_hash).where(Officer.username == GRO)).one()
    build.posting(session, build.post_id(session, build.office_id(session), "head"), head.id)
    session.commit()
    given = {}
    for who in ("coordinator.social-welfare", "head.of-office", "appeal.social-welfare", "cabinet"):
        reader = sign_in(here, who)
        given[who] = [reader.get(f"/cases/{number}/attachments/{each}").status_code for each in ids]
        for page in (reader.get(f"/cases/{number}").text, reader.get(f"/cases/{number}/file").text):
            assert ("রহিমার পাসবই" in page) is ("to-her" in page) is (who[0] != "c" or who == "cabinet"), who
            assert "visit" in page and ("Files of the complainant: 2." in page) is (who[:5] == "coord")
    assert given.pop("coordinator.social-welfare") == [404, 404, 200]
    assert set(map(tuple, given.values())) == {(200, 200, 200)}


def test_a_refused_file_holds_up_neither_the_text_nor_the_others(
    here: Flask, session: Session, folder: Path, number: str
) -> None:
    client = sign_in(here)
    large = b"\xff\xd8\xff" + bytes(20 * 1024 * 1024 - 3)
    answer = post(client, number, ("বড়.jpg", large))
    assert answer.status_code == 413 and "“বড়.jpg” is too large: a file may have at most 10 MB." in main(answer)
    assert NOTE in answer.text and rows(session) == [] and stored(folder) == []

    answer = post(client, number, ("ok.png", files.png()), ("a.exe", b"MZ" + bytes(99)), ("b.pdf", b""))
    assert answer.status_code == 422 and "1 file is attached; the others were not taken." in main(answer)
    assert "“a.exe” is none of the files that are taken" in main(answer) and "“b.pdf” is empty." in main(answer)
    assert NOTE in answer.text and len(rows(session)) == len(stored(folder)) == 1

    again = post(client, number, ("other name.png", files.png()))
    assert again.status_code == 422 and "“other name.png” is attached to this case already." in main(again)
    assert post(client, number).status_code == 422, "no file at all"
    without_note = post(client, number, ("c.pdf", files.pdf()), note=" ")
    assert without_note.status_code == 422 and "What are these files? – Write something here" in main(without_note)
    assert len(rows(session)) == len(stored(folder)) == 1 and not waiting(folder)


def test_a_body_that_is_too_large_keeps_the_text(here: Flask, session: Session, number: str) -> None:
    """Refused before it is read as a form; the text stands before the files and is read all the same."""
    answer = post(sign_in(here), number, ("a.jpg", bytes(12 << 20)), ("b.jpg", bytes(12 << 20)))
    assert answer.status_code == 413 and NOTE in answer.text
    assert "A file may have at most 10 MB, and all files sent at once twice as much." in main(answer)
    plain = here.test_client()
    token = token_of(plain.get("/track").text)
    answer = plain.post("/track", data={"csrf_token": token, "tracking_number": "x" * (3 << 20)})
    assert answer.status_code == 413, "pages that take no files keep the small limit"


def test_a_case_has_room_for_so_many_files_and_a_post_too(
    make_app: MakeApp, folder: Path, session: Session, number: str
) -> None:
    with make_app(attachments_dir=folder, attachments_per_case=2).app_context():
        who = build.actor(db.session(), GRO)
        uploads = [Upload(f"{n}.amr", _sound(n)) for n in range(12)]
        with pytest.raises(FilesRefused) as refused:
            attachments.attach_files(who, number, uploads, NOTE)
        assert refused.value.attached == 2
        codes = [each.code for each in refused.value.refused]
        assert codes.count("too-many-at-once") == 2 and codes.count("too-many") == 8
        assert len(stored(folder)) == 2 and not waiting(folder)


def _sound(number: int) -> bytes:
    return files.amr().removesuffix(CANARY.encode()) + (b"\x3c" + bytes(31)) * number


def test_the_database_itself_takes_no_second_copy_and_no_unknown_state(inside: Session, number: str) -> None:
    attachments.attach_files(build.actor(inside, GRO), number, [Upload("a.png", files.png())], NOTE)
    for change in ("state = 'seen'", "state = 'infected'", "sha256 = 'x'", "size = 0", "seq = 77"):
        with pytest.raises(IntegrityError):
            inside.execute(text(f"UPDATE attachment SET {change}"))
        inside.rollback()


def test_who_may_not_attach_costs_nothing(inside: Session, folder: Path, session: Session, number: str) -> None:
    closed = build.case(session, status="closed", outcome="answered", ended_at=build.dhaka(2026, 1, 20))
    session.commit()
    upload = [Upload("a.png", files.png())]
    for username, case, error in (
        ("gro.food", number, NotFound),
        ("head", number, IllegalAction),
        (GRO, closed.tracking_number, IllegalAction),
        (GRO, "0000000000000", NotFound),
    ):
        who = _head(session) if username == "head" else build.actor(inside, username)
        with pytest.raises(error):
            attachments.attach_files(who, case, upload, NOTE)
    assert not folder.exists()


def _head(session: Session):  # type: ignore[no-untyped-def]
    head = build.officer(session)
    build.posting(session, build.post_id(session, build.office_id(session), "head"), head.id)
    session.commit()
    return build.actor(session, head.username)


def test_an_anonymous_case_keeps_no_name_and_a_sensitive_one_notes_who_looked(here: Flask, session: Session) -> None:
    hidden = build.case(session, desk="appeal", category="bribe-demand", is_anonymous=True, phone=None)
    session.commit()
    client = sign_in(here, "appeal.social-welfare")
    assert post(client, hidden.tracking_number, (f"{CANARY}.jpg", files.jpeg())).status_code == 303
    (row,) = rows(session)
    assert row.name_sealed is None
    page = client.get(f"/cases/{hidden.tracking_number}")
    assert "File 1" in main(page) and CANARY not in page.text
    got = client.get(f"/cases/{hidden.tracking_number}/attachments/{row.id}")
    assert f'filename="{hidden.tracking_number}-{row.id}.jpg"' in got.headers["Content-Disposition"]
    seen = session.scalars(select(AuditEntry).where(AuditEntry.kind == "sensitive-attachment-viewed")).all()
    assert [each.data["attachment_id"] for each in seen] == [row.id]


# --- the scanner ----------------------------------------------------------------------------------------------------


@pytest.fixture
def clamd(tmp_path: Path) -> Iterator[Clamd]:
    with running_clamd(tmp_path / "clamd.sock") as running:
        yield running


def infected_sound() -> bytes:
    return files.amr().removesuffix(CANARY.encode()) + b"\x3c" + INFECTED.ljust(31, b"\0")


def test_what_is_infected_is_refused_and_what_nobody_could_scan_waits(
    make_app: MakeApp, folder: Path, session: Session, number: str, clamd: Clamd
) -> None:
    app = make_app(attachments_dir=folder, clamav_url=clamd.url)
    client = sign_in(app)
    answer = post(client, number, ("v.amr", infected_sound()), ("ok.png", files.png()))
    assert answer.status_code == 422 and "“v.amr” is infected with a virus and was not kept." in main(answer)
    (clean,) = rows(session)
    assert clean.state == "stored" and clean.scanned_at is not None
    assert "Not scanned" not in main(client.get(f"/cases/{number}"))
    assert len(clamd.seen) == 2 and clamd.seen[1] == stored(folder)[0], "scanned is what is served"
    noted = session.scalars(select(AuditEntry).where(AuditEntry.stream == "files")).one()
    assert (noted.kind, noted.data) == ("infected-file-refused", {"tracking_number": number, "count": 1})

    for unwell in (b"", b"INSTREAM size limit exceeded. ERROR\0", b"stream: nonsense\0"):
        clamd.scripted = unwell
        size = 5 + len(unwell)
        assert post(client, number, (f"{size}.amr", _sound(size))).status_code == 303
    clamd.scripted = b""
    assert post(client, number, ("late.amr", infected_sound())).status_code == 303
    quarantined = rows(session)[1:]
    assert {row.state for row in quarantined} == {"quarantined"}
    assert "Waits for the virus scanner" in main(client.get(f"/cases/{number}"))
    for row in quarantined:
        assert client.get(f"/cases/{number}/attachments/{row.id}").status_code == 404
    with app.app_context():
        assert attachment_care.scan_waiting() == 0
        clamd.scripted = None
        assert attachment_care.scan_waiting() == 4 and attachment_care.scan_waiting() == 0
    states = [row.state for row in rows(session)]
    assert states == ["stored"] * 4 + ["infected"] and len(stored(folder)) == 4
    late = rows(session)[-1]
    assert late.finding == "Test.GRM.UNOFFICIAL"
    assert client.get(f"/cases/{number}/attachments/{late.id}").status_code == 404
    assert "An attached file was found infected and deleted" in main(client.get(f"/cases/{number}"))
    assert list(faults(session.connection(), Tally())) == []


def test_a_scanner_that_is_not_there_loses_nothing(
    make_app: MakeApp, folder: Path, session: Session, number: str, tmp_path: Path
) -> None:
    for url in (f"unix://{tmp_path}/nobody.sock", "tcp://127.0.0.1:9"):
        with make_app(attachments_dir=folder, clamav_url=url).app_context():
            upload = [Upload("a.amr", _sound(len(url)))]
            attachments.attach_files(build.actor(db.session(), GRO), number, upload, NOTE)
            assert attachment_care.scan_waiting() == 0
    assert {row.state for row in rows(session)} == {"quarantined"}


# --- rows and files -------------------------------------------------------------------------------------------------


@pytest.fixture(params=["disk", "limit"])
def small_disk(request: pytest.FixtureRequest, folder: Path) -> Iterator[None]:
    """Room for some 100 KB: a small disk of its own, or where none can be mounted here, the kernel's limit on a file."""
    folder.mkdir()
    if request.param == "disk":
        mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
        try:
            done = subprocess.run(mount, capture_output=True, text=True, check=False)
        except OSError as error:
            pytest.skip(f"there is no mount here: {error}")
        if done.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")
        yield
        subprocess.run(["umount", str(folder)], check=True)
        return
    before, was = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, was)


def test_a_full_disk_refuses_by_name_and_leaves_nothing(
    here: Flask, session: Session, folder: Path, number: str, small_disk: None
) -> None:
    client, small = sign_in(here), files.wav()
    answer = post(client, number, ("ছোট.wav", small), ("বড়.wav", files.wav(200_000)))
    assert answer.status_code == 503 and "“বড়.wav” cannot be stored at the moment." in main(answer)
    assert NOTE in answer.text and rows(session) == [] and stored(folder) == [] and not waiting(folder)
    assert post(client, number, ("ছোট.wav", small)).status_code == 303
    assert len(rows(session)) == len(stored(folder)) == 1


@pytest.mark.parametrize("error", [Conflict, RuntimeError])
def test_an_act_that_fails_after_the_files_leaves_none(
    inside: Session, folder: Path, number: str, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        assert len(stored(folder)) == len(waiting(folder)) == 1
        raise error

    monkeypatch.setattr(attachments, "apply", fail)
    with pytest.raises(error):
        attachments.attach_files(build.actor(inside, GRO), number, [Upload("a.png", files.png())], NOTE)
    assert stored(folder) == [] and not waiting(folder) and rows(inside) == []


FAILPOINTS = ("written", "linked", "before the commit", "after the commit")


@pytest.mark.parametrize("point", FAILPOINTS)
def test_killed_at_any_step_there_is_never_a_row_without_its_file(
    here: Flask, inside: Session, folder: Path, number: str, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    who = build.actor(inside, GRO)
    inside.rollback()
    db.engine.dispose()
    child = os.fork()
    if child == 0:
        try:
            _die_at(point, monkeypatch)
            with here.app_context():
                db.engine.dispose(close=False)
                attachments.attach_files(who, number, [Upload("a.png", files.png())], NOTE)
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    found = rows(inside)
    assert len(found) == (1 if point == "after the commit" else 0)
    assert len(waiting(folder)) == 1
    assert attachment_care.sweep_orphans() == 0, "what is young may still become a row"
    for path in waiting(folder):
        os.utime(path, (1, 1))
    assert attachment_care.sweep_orphans() == (0 if found else 1)
    assert not waiting(folder) and len(stored(folder)) == len(found)
    assert attachment_care.reconcile().faults == []


def _die_at(point: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if point == "written":
        monkeypatch.setattr(os, "link", die)
    elif point == "linked":
        monkeypatch.setattr(attachments, "_attach", die)
    elif point == "before the commit":
        monkeypatch.setattr(spine.history, "append", die)
    else:
        monkeypatch.setattr(attachments, "settle", die)


def test_reconcile_names_what_is_gone_or_changed_and_serves_it_no_more(
    here: Flask, inside: Session, folder: Path, number: str
) -> None:
    who = build.actor(inside, GRO)
    uploads = [Upload("a.png", files.png()), Upload("b.pdf", files.pdf()), Upload("c.amr", files.amr())]
    attachments.attach_files(who, number, uploads, NOTE)
    gone, changed, whole = rows(inside)
    places = {row.id: folder / row.stored_name[:2] / row.stored_name[2:4] / row.stored_name for row in rows(inside)}
    kept = {each: path.read_bytes() for each, path in places.items()}
    places[gone.id].unlink()
    places[changed.id].write_bytes(kept[changed.id] + b"!")
    stranger = folder / "ab" / "cd" / ("abcd" + "0" * 28)
    stranger.parent.mkdir(parents=True)
    stranger.write_bytes(b"of a newer database")
    os.utime(stranger, (1, 1))
    client = sign_in(here)
    for row in (gone, changed):
        answer = client.get(f"/cases/{number}/attachments/{row.id}")
        assert answer.status_code == 503, "nothing is served that is not what was attached"

    done = register(here).test_cli_runner().invoke(args=["attachments", "reconcile"])
    assert done.exit_code == 1
    assert f"MISSING  {number} attachment {gone.id}" in done.output
    assert f"CHANGED  {number} attachment {changed.id}" in done.output
    assert "BAD  3 files" in done.output and "1 whose row is gone" in done.output
    assert [row.state for row in rows(inside)] == ["missing", "missing", "stored"] and stranger.exists()
    assert client.get(f"/cases/{number}/attachments/{gone.id}").status_code == 404
    assert "Missing or changed" in main(client.get(f"/cases/{number}"))

    for each, path in places.items():
        path.write_bytes(kept[each])
    done = register(here).test_cli_runner().invoke(args=["attachments", "reconcile", "--delete-unknown"])
    assert (done.exit_code, stranger.exists()) == (0, False) and "2 found again" in done.output
    assert client.get(f"/cases/{number}/attachments/{gone.id}").status_code == 200
    assert client.get(f"/cases/{number}/attachments/{whole.id}").status_code == 200
