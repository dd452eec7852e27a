"""Files of the public form: each taken or refused for itself, the text safe before any of them, all attached by the filing."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from grm.cases import attachment_care
from grm.cases.attachment_models import Attachment, DraftFile
from grm.cases.models import Case, CaseEvent
from grm.cases.verification import Tally, faults
from grm.files.store import FolderStore, StoreAway
from grm.intake import draft_files, drafts, limits
from grm.intake import waiting as waits
from grm.intake.models import Draft
from grm.intake.tidying import tidy
from grm.kernel.audit import AuditEntry
from grm.kernel.db import db
from tests.support import files
from tests.support.citizen import COMPLAINT, FORM, Citizen, codes_of, errors_of, how_many, the_case
from tests.support.clamd import INFECTED, running_clamd
from tests.support.files import CANARY
from tests.support.web import Page

MakeApp = Callable[..., Flask]
FILES = "/complaints/files"
TEXT = COMPLAINT["details"]
WALK = {**COMPLAINT, "step": "3"}
Given = tuple[str, bytes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "attachments"


@pytest.fixture
def here(make_app: MakeApp, folder: Path) -> Flask:
    return make_app(attachments_dir=folder)


@pytest.fixture
def inside(here: Flask, session: Session) -> Iterator[Session]:
    session.commit()
    with here.app_context():
        yield db.session()


@pytest.fixture
def citizen(here: Flask) -> Citizen:
    """Somebody on the last page, with everything typed, who reads English."""
    citizen = Citizen(here)
    citizen.get(FORM + "?lang=en")
    page = citizen.post(FORM, {**citizen.tokens(), **WALK})
    assert "attachments" in page.form("declaration").names
    return citizen


def uploads(*given: Given) -> list[tuple[BytesIO, str]]:
    return [(BytesIO(data), name) for name, data in given]


def hand_in(citizen: Citizen, *given: Given, **more: str) -> Page:
    """Choose files on the last page and press the button below."""
    tokens = citizen.tokens(FORM + "?step=4")
    return citizen.post(FILES, {**tokens, **more, "attachments": uploads(*given)})


def send(citizen: Citizen, *given: Given) -> Page:
    """File, with files chosen in the same moment or none."""
    tokens = citizen.tokens(FORM + "?step=4")
    return citizen.post(FORM, {**tokens, "step": "send", "declaration": "1", "attachments": uploads(*given)})


def drafted(session: Session) -> list[DraftFile]:
    session.rollback()
    found = list(session.scalars(select(DraftFile).order_by(DraftFile.id)))
    session.expunge_all()
    return found


def attached(session: Session) -> list[Attachment]:
    session.rollback()
    return list(session.scalars(select(Attachment).order_by(Attachment.id)))


def stored(folder: Path) -> list[bytes]:
    return sorted(path.read_bytes() for path in folder.glob("??/??/*"))


def waiting(folder: Path) -> list[Path]:
    return [path for path in folder.glob("incoming/*") if path.name != "clock"]


def nothing_filed(session: Session, is_text_kept: bool = True) -> None:
    assert how_many(session, Case) == how_many(session, Attachment) == 0
    assert how_many(session, Draft) == is_text_kept


def test_files_of_a_form_become_attachments_of_its_case(citizen: Citizen, session: Session, folder: Path) -> None:
    page = hand_in(citizen, ("ছবি ১.JPEG", files.jpeg()), ("../চিঠি.pdf", files.pdf(script=True)))
    assert page.status == 200 and "ছবি ১.jpg Added" in page.text and "চিঠি.pdf Added" in page.text
    again = hand_in(citizen, ("same.JPEG", files.jpeg()))
    assert again.status == 200 and again.text.count("Added") == 2, "the same file again is kept once"
    photo, paper = drafted(session)
    assert "ছবি".encode() not in bytes(photo.name_sealed or b"") and paper.taken_out == ["scripts"]
    assert len(stored(folder)) == 2 and not waiting(folder)
    nothing_filed(session)

    token = _token(citizen)
    receipt = send(citizen, ("c.amr", files.amr()))
    number, _ = codes_of(receipt)
    assert drafted(session) == [] and how_many(session, Draft) == 0
    rows = attached(session)
    assert [row.media_type for row in rows] == ["image/jpeg", "application/pdf", "audio/amr"]
    assert {(row.seq, row.officer_id, row.state, row.is_for_complainant) for row in rows} == {
        (1, None, "stored", False)
    }
    assert sorted(row.sha256 for row in rows) == sorted(hashlib.sha256(each).digest() for each in stored(folder))
    filed = session.scalars(select(CaseEvent).where(CaseEvent.kind == "filed")).one()
    assert [each["sha256"] for each in filed.data["files"]] == [row.sha256.hex() for row in rows]
    assert the_case(session).tracking_number == number and list(faults(session.connection(), Tally())) == []
    assert all(CANARY.encode() not in each for each in stored(folder))
    late = {**citizen.tokens("/track"), "draft": token, "attachments": uploads(("late.png", files.png()))}
    late_page = citizen.post(FILES, late)
    assert codes_of(late_page) and len(attached(session)) == 3, "a form that is filed shows its receipt"


def test_the_files_of_a_form_can_be_taken_out_and_go_with_it(citizen: Citizen, session: Session, folder: Path) -> None:
    hand_in(citizen, ("a.png", files.png()), ("b.amr", files.amr()))
    first, second = drafted(session)
    stranger = Citizen(citizen.client.application)
    stranger.get(FORM)
    theirs = stranger.post(FORM, {**stranger.tokens(), **WALK}).form("declaration").values["draft"][0]
    for draft, which in ((theirs, str(first.id)), (theirs, "x" * 30), ("A" * 22, str(first.id))):
        stranger.post(FILES, {**stranger.tokens(FORM + "?step=4"), "draft": draft, "remove": which})
    assert len(drafted(session)) == 2, "a file is bound to the token of its form"
    page = hand_in(citizen, remove=str(first.id))
    assert page.status == 200 and "b.amr" in page.text and "a.png" not in page.text
    assert [row.id for row in drafted(session)] == [second.id] and len(stored(folder)) == 1 and not waiting(folder)
    citizen.post(FORM, {**citizen.tokens(FORM + "?step=4"), "go": "fresh"})
    assert drafted(session) == [] and stored(folder) == [] and how_many(session, Draft) == 1, "the stranger's"


@pytest.mark.parametrize(
    ("name", "data", "status", "said"),
    [
        ("বড়.jpg", b"\xff\xd8\xff" + bytes(20 << 20), 413, "“বড়.jpg” is too large: a file may have at most 10 MB."),
        ("empty.pdf", b"", 422, "“empty.pdf” is empty."),
        ("photo.jpg", b"<html><script>alert(1)</script></html>", 422, "“photo.jpg” is none of the files that are taken"),
        ("both.pdf", b"%PDF-1.7<!doctype html><script>1</script>" + files.pdf(), 422, "“both.pdf” is two kinds of file in one"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", 422, "none of the files that are taken"),
        (".htaccess", b"AddType application/x-httpd-php .jpg", 422, "“.htaccess” is none of the files that are taken"),
        ("a.docm", b"PK\x03\x04" + bytes(60), 422, "“a.docm” is none of the files that are taken: photos (JPEG, PNG), PDF"),
        ("locked.pdf", files.pdf(password="x"), 422, "“locked.pdf” is locked with a password."),
    ],
    ids=["too large", "empty", "a page called a photo", "a page before a paper", "drawing", "configuration", "office", "locked"],
)  # fmt: skip
def test_a_file_that_is_not_taken_is_named_and_the_text_is_kept(
    citizen: Citizen, session: Session, folder: Path, name: str, data: bytes, status: int, said: str
) -> None:
    page = hand_in(citizen, (name, data))
    assert page.status == status and said in page.text and TEXT in page.text
    assert errors_of(page).keys() == ({"attachments"} if said else set())
    nothing_filed(session)
    assert len(stored(folder)) == len(drafted(session)) == (0 if said else 1) and not waiting(folder)
    page = send(citizen, (name, data)) if said else page
    assert page.status == status and not codes_of(page), "what is sent with the complaint holds it up, once"
    assert len(codes_of(send(citizen))) == 2, "it is filed without that file"


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(citizen: Citizen, session: Session) -> None:
    page = hand_in(citizen, ("bomb.png", files.png_of(8000, 8000)))
    assert page.status == 422 and "“bomb.png” is a picture with too many pixels." in page.text
    nothing_filed(session)


def test_a_body_beyond_all_limits_keeps_the_text_and_names_its_first_file(citizen: Citizen, session: Session) -> None:
    two = (("প্রথম.jpg", bytes(12 << 20)), ("b.jpg", bytes(12 << 20)))
    page = hand_in(citizen, *two)
    said = "“প্রথম.jpg”, with what came with it, is too large: a file may have at most 10 MB"
    assert page.status == 413 and said in page.text and TEXT in page.text
    at_once = Citizen(citizen.client.application, has_cookies=False)
    everything = {**at_once.tokens(), **COMPLAINT, "step": "send", "details": "সব একসঙ্গে"}
    forged = at_once.post(FORM, {**everything, "csrf_token": "x", "attachments": uploads(*two)})
    assert forged.status == 413 and how_many(session, Draft) == 1, "without our token nothing is kept"
    page = at_once.post(FORM + "?lang=en", {**everything, "attachments": uploads(*two)})
    assert page.status == 413 and said in page.text and "সব একসঙ্গে" in page.text
    assert how_many(session, Draft) == 2 and how_many(session, Case) == 0
    kept = page.form("declaration")
    assert len(codes_of(at_once.submit(kept.fill(declaration=True), "send"))) == 2, "the draft goes on from there"


def test_ten_files_and_so_much_a_day_are_taken_and_the_rest_is_named(
    make_app: MakeApp, session: Session, folder: Path
) -> None:
    citizen = Citizen(make_app(attachments_dir=folder, upload_megabytes_per_day=1))
    citizen.get(FORM + "?lang=en")
    citizen.post(FORM, {**citizen.tokens(), **WALK})
    page = hand_in(citizen, *((f"{n}.amr", _sound(n)) for n in range(9)))
    assert page.status == 200
    page = hand_in(citizen, *((f"{n}.amr", _sound(n)) for n in range(8, 12)))
    assert page.status == 422 and len(drafted(session)) == len(stored(folder)) == 10 and not waiting(folder)
    assert "“9.amr” was" not in page.text and "“8.amr” was" not in page.text
    assert "“10.amr” was not taken: a complaint may begin with 10 files." in page.text and "“11.amr” was" in page.text
    citizen.post(FILES, {**citizen.tokens(FORM + "?step=4"), "remove": str(drafted(session)[0].id)})
    page = hand_in(citizen, ("much.wav", files.wav(1 << 20)))
    assert (
        page.status == 422 and "“much.wav” was not taken: very many files came from your connection today." in page.text
    )
    assert len(codes_of(send(citizen))) == 2 and len(attached(session)) == 9


def _sound(number: int) -> bytes:
    return files.amr().removesuffix(CANARY.encode()) + (b"\x3c" + bytes(31)) * number


def test_an_anonymous_form_keeps_no_name_of_a_file_and_a_stale_one_only_its_text(
    here: Flask, session: Session, folder: Path
) -> None:
    citizen = Citizen(here)
    citizen.post(FORM, {**citizen.tokens(), **WALK})
    hand_in(citizen, (f"{CANARY}.jpg", files.jpeg()))
    assert drafted(session)[0].name_sealed is not None
    anonymous = {**citizen.tokens(FORM + "?step=4"), "anonymous": "1", "preferred_channel": "none", "step": "3"}
    page = citizen.post(FORM, anonymous)
    assert drafted(session)[0].name_sealed is None, "not even till the form is sent, if it ever is"
    page = hand_in(citizen, (f"{CANARY}.png", files.png()))
    assert "ফাইল ২" in page.text and drafted(session)[1].name_sealed is None
    stale = hand_in(citizen, ("c.amr", files.amr()), csrf_token="x")
    assert stale.status == 400 and TEXT in stale.text and len(drafted(session)) == len(stored(folder)) == 2
    elsewhere = Citizen(here)
    tokens = {**citizen.tokens(FORM + "?step=4"), "csrf_token": "x"}
    forged = elsewhere.post(FILES, {**tokens, "attachments": uploads(("c.amr", files.amr()))})
    assert forged.status == 400 and len(drafted(session)) == 2
    assert len(codes_of(send(citizen))) == 2
    assert [row.name_sealed for row in attached(session)] == [None, None]


def test_infected_files_are_refused_neutrally_and_a_dead_scanner_refuses_none(
    make_app: MakeApp, session: Session, folder: Path, tmp_path: Path
) -> None:
    with running_clamd(tmp_path / "clamd.sock") as clamd:
        app = make_app(attachments_dir=folder, clamav_url=clamd.url)
        citizen = Citizen(app)
        citizen.get(FORM + "?lang=en")
        citizen.post(FORM, {**citizen.tokens(), **WALK})
        page = hand_in(citizen, ("v.amr", _infected()), ("ok.png", files.png()))
        assert page.status == 422 and "“v.amr” did not pass our safety check and was not kept." in page.text
        assert "ok.png Added" in page.text and "virus" not in page.text
        noted = session.scalars(select(AuditEntry).where(AuditEntry.stream == "files")).one()
        assert (noted.kind, noted.data) == ("infected-file-refused", {"count": 1})
        clamd.scripted = b""
        page = hand_in(citizen, ("late.amr", _infected()))
        assert page.status == 200 and "late.amr Added" in page.text
        assert [row.state for row in drafted(session)] == ["stored", "quarantined"]
        send(citizen)
        assert [row.state for row in attached(session)] == ["stored", "quarantined"]
        clamd.scripted = None
        with app.app_context():
            assert attachment_care.scan_waiting() == 1
    assert [row.state for row in attached(session)] == ["stored", "infected"] and len(stored(folder)) == 1


def _infected() -> bytes:
    return files.amr().removesuffix(CANARY.encode()) + b"\x3c" + INFECTED.ljust(31, b"\0")


def test_a_file_added_while_the_form_is_being_filed_is_filed_with_it(
    citizen: Citizen, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = drafts.look

    def look_before_the_file_comes(*given: Any) -> Any:
        return replace(look(*given), has_files=False)

    hand_in(citizen, ("a.png", files.png()))
    monkeypatch.setattr(drafts, "look", look_before_the_file_comes)
    assert len(codes_of(send(citizen))) == 2
    assert len(attached(session)) == how_many(session, Case) == 1 and drafted(session) == []


def test_pressing_twice_with_files_shows_the_receipt(
    citizen: Citizen, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = draft_files.take
    tokens = {**citizen.tokens(FORM + "?step=4"), "step": "send", "declaration": "1"}
    first: list[Page] = []

    def press() -> Page:
        return citizen.post(FORM, {**tokens, "attachments": uploads(("a.png", files.png()))})

    def take_after_the_other_post(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(draft_files, "take", real)
        first.append(press())  # the other post of the same form comes in between, and is done
        return real(*given, **more)

    monkeypatch.setattr(draft_files, "take", take_after_the_other_post)
    second = press()
    assert codes_of(second) == codes_of(first[0]) and len(codes_of(second)) == 2 and how_many(session, Draft) == 0
    assert len(attached(session)) == how_many(session, Case) == 1 and drafted(session) == []


def test_a_store_that_goes_away_in_the_middle_costs_no_answer(
    citizen: Citizen, session: Session, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_given: Any) -> None:
        raise StoreAway("gone")

    with monkeypatch.context() as patched:
        patched.setattr(FolderStore, "settle", away)  # after the commit
        page = hand_in(citizen, ("a.png", files.png()))
    assert page.status == 200 and "Added" in page.text and len(waiting(folder)) == 1
    put, calls = FolderStore.put, iter((False, True))
    with monkeypatch.context() as patched:
        patched.setattr(FolderStore, "put", lambda *given: away() if next(calls) else put(*given))
        patched.setattr(FolderStore, "remove", away)  # what came before the second file cannot be taken back either
        page = hand_in(citizen, ("b.amr", files.amr()), ("c.pdf", files.pdf()))
    assert page.status == 503 and "c.pdf" in page.text and len(drafted(session)) == 1


def test_who_must_wait_waits_with_the_files(
    citizen: Citizen, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "wait_for_post", lambda *given: 20)
    page = send(citizen, ("ছবি.png", files.png()))
    assert (page.status, page.headers["Retry-After"]) == (429, "20") and len(drafted(session)) == 1
    nothing_filed(session)
    monkeypatch.setattr(waits, "seconds_left", lambda *given: 0)
    assert len(codes_of(citizen.submit(page.form("ticket")))) == 2
    assert len(attached(session)) == how_many(session, Case) == 1 and drafted(session) == []


def test_a_file_of_a_form_that_is_no_draft_is_filed_with_it(here: Flask, session: Session) -> None:
    too_long = "ক" * (drafts.LONGEST // 6 + 1)  # more than is kept as a draft
    fresh = Citizen(here)
    tokens = {**fresh.tokens(), **COMPLAINT, "step": "send", "declaration": "1"}
    refused = fresh.post(FORM, {**tokens, "details": too_long, "attachments": uploads(("a.png", files.png()))})
    assert refused.status == 422 and len(drafted(session)) == 1
    assert len(codes_of(fresh.post(FORM, tokens))) == 2
    assert len(attached(session)) == how_many(session, Case) == 1 and drafted(session) == []


def test_files_do_not_go_before_the_draft_that_counts_them(citizen: Citizen, inside: Session) -> None:
    hand_in(citizen, ("a.png", files.png()))
    (row,) = drafted(inside)
    alive_until = inside.scalars(select(Draft.expires_at)).one()
    inside.execute(update(DraftFile).values(added_at=row.added_at - draft_files.LIFETIME))
    inside.execute(update(Draft).values(expires_at=row.added_at))
    inside.commit()
    assert draft_files.forget() == 0, "the drafts were tidied a moment before it expired"
    inside.execute(update(Draft).values(expires_at=alive_until))  # and it is kept again before they are the next time
    inside.commit()
    assert len(codes_of(send(citizen))) == 2 and len(attached(inside)) == how_many(inside, Case) == 1


def test_files_are_forgotten_with_their_form(citizen: Citizen, inside: Session, folder: Path) -> None:
    hand_in(citizen, ("a.png", files.png()))
    (row,) = drafted(inside)
    assert tidy()["draft_file"] == 0
    inside.execute(update(DraftFile).values(added_at=row.added_at - draft_files.LIFETIME))
    inside.commit()
    assert tidy()["draft_file"] == 0, "its draft is still there"
    inside.execute(update(Draft).values(expires_at=row.added_at))
    inside.commit()
    assert tidy()["draft_file"] == 1 and stored(folder) == [] and not waiting(folder)


def test_reconcile_knows_the_files_of_forms(
    citizen: Citizen, inside: Session, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(citizen, ("a.png", files.png()), ("b.amr", files.amr()))
    for path in folder.glob("??/??/*"):
        os.utime(path, (1, 1))
    lines: list[str] = []
    found = attachment_care.reconcile(lines.append, delete_unknown=True)
    assert (found.rows, found.unknown, found.orphans, found.faults) == (2, 0, 0, []) and len(stored(folder)) == 2
    first, second = drafted(inside)
    (folder / first.stored_name[:2] / first.stored_name[2:4] / first.stored_name).unlink()
    assert attachment_care.reconcile(lines.append).faults == [("missing", "", first.id)]
    assert lines == [f"MISSING  file {first.id} of a form that is not filed"]
    monkeypatch.setattr(draft_files, "_delete", lambda names: None)  # killed between the commit and the deletion
    assert draft_files.remove(_token(citizen)) == 2
    (left,) = waiting(folder)
    assert left.name == second.stored_name and attachment_care.sweep_orphans() == 0
    os.utime(left, (1, 1))
    assert attachment_care.sweep_orphans() == 1 and stored(folder) == [] and not waiting(folder)


def _token(citizen: Citizen) -> str:
    return citizen.tokens(FORM + "?step=4")["draft"]
