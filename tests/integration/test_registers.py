"""A register handed in as a file: read, checked, filed row by row, and taken back with what became of each row."""

import contextlib
import random
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from grm.cases.models import Case, Complainant
from grm.cases.queries import people_of
from grm.files import sheets
from grm.intake import batch_care, batch_intake, batch_page, batch_results, batch_run, choices
from grm.intake import batch_store as store
from grm.intake.batch_models import RegisterBatch, RegisterRow
from grm.intake.batch_names import Names
from grm.kernel import context
from grm.kernel.audit import AuditEntry
from grm.kernel.clock import dhaka_date, now
from grm.kernel.errors import InvalidInput, NotFound
from grm.kernel.tracking_number import parse, secret_mac
from grm.notifications.models import Message
from grm.offices.queries import directory
from tests.support import build, registers
from tests.support.citizen import Citizen
from tests.support.registers import row
from tests.support.web import Page

DESK = "desk.dhaka"
LIST = "/desk/batches"


@pytest.fixture
def today(session: Session) -> Any:
    return dhaka_date(now(session))


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read here; in a process of their own they are read in tests/unit/files/test_sheets.py."""
    monkeypatch.setattr(sheets, "read", registers.read_here)


def signed_in(app: Flask, username: str = DESK) -> Citizen:
    officer = Citizen(app)
    page = officer.submit(officer.get("/login").form("username").fill(username=username, password="demo"))
    assert page.status in (200, 404), page.text
    officer.get("/?lang=en")
    return officer


def hand_in(officer: Citizen, data: bytes, name: str = "রেজিস্টার.xlsx", **fields: str) -> Page:
    token = officer.get(LIST).form("csrf_token").values["csrf_token"][0]
    return officer.post(LIST, {"csrf_token": token, "file": (BytesIO(data), name), **fields})


def take_in(session: Session, data: bytes, username: str = DESK) -> int:
    batch_id = batch_intake.take_in(build.actor(session, username), "r.xlsx", data)
    return batch_id


def filed(session: Session, batch_id: int) -> Counter[str]:
    """Confirm and file all of it; rows by state."""
    batch_intake.confirm(build.actor(session, DESK), batch_id)
    while batch_run.run_batch(batch_id, 1000):
        pass
    return states(session, batch_id)


def states(session: Session, batch_id: int) -> Counter[str]:
    session.rollback()
    asked = select(RegisterRow.state, func.count()).where(RegisterRow.batch_id == batch_id).group_by(RegisterRow.state)
    return Counter(dict(iter(session.execute(asked))))  # type: ignore[arg-type]


def cases(session: Session) -> int:
    session.rollback()
    return session.scalars(select(func.count()).select_from(Case)).one()


def results(page: Page, officer: Citizen, kind: str = "xlsx", query: str = "") -> bytes:
    answer = officer.client.get(f"{page.path}/results.{kind}{query}")
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    return answer.data


def lines(data: bytes) -> list[tuple[Any, ...]]:
    return list(load_workbook(BytesIO(data), read_only=True).worksheets[0].iter_rows(values_only=True))


def test_a_messy_register_goes_through_and_comes_back_with_every_row_explained(
    app: Flask, session: Session, today: Any
) -> None:
    messy = registers.Messy(90, today, seed=16)
    assert messy.expected["cell-value"] and messy.expected["cell-formula"] and messy.expected["upazila-elsewhere"]
    officer = signed_in(app)
    page = hand_in(officer, messy.data(), "নিবন্ধন ২০২৬.xlsx")
    assert page.status == 200 and page.heading.startswith("নিবন্ধন ২০২৬.xlsx")
    assert "পুরোনো" in page.text and cases(session) == 0
    good, twice = messy.expected["good"], messy.expected["twice"]
    bad = messy.expected.total() - good - twice
    assert [tile.first("b").text for tile in page.document.all("li") if "tile" in tile["class"]][:3] == [
        *(str(good), str(bad), str(twice)),
    ]
    page = officer.submit(page.form("medium"), "file")
    assert page.path.startswith(LIST + "/") and page.headers["Refresh"] == "4"
    assert f"{batch_run.AT_ONCE} of 90 rows done" in page.text
    batch_run.run_all(60)
    page = officer.get(page.path)
    assert "Refresh" not in page.headers and "90 of 90 rows done" in page.text
    assert cases(session) == good
    told = lines(results(page, officer))
    assert len(told) == 91
    by_outcome = Counter(line[1] for line in told[1:])
    assert by_outcome == {"দাখিল হয়েছে": good, "আগেই দাখিল হয়েছে": twice, "দাখিল হয়নি": bad}
    for _, outcome, number, secret, office, due, why, reason, *cells in told[1:]:
        assert any(cells)
        if outcome == "দাখিল হয়েছে":
            assert number and secret and office and due and not why
        elif outcome == "আগেই দাখিল হয়েছে":
            assert number and not secret and "সারির মতোই" in why and "same as row" in reason
        else:
            assert not number and not secret and ": " in why and ": " in reason
    # Of each filed row the number and the secret open its very case, and the clock runs from the day in the register.
    _, _, number, secret, *_, serial, _, name, _, _, _, _, _, _, details = told[1]
    found = session.scalars(select(Case).where(Case.tracking_number == parse(number))).one()
    assert found.secret_mac == secret_mac(context.settings().tracking_key, found.tracking_number, parse(secret) or "")
    assert found.received_on == today - timedelta(days=1 + int(serial) % 300) and details in found.details
    assert found.channel == "paper" and found.filed_by_office_id == directory(session).office("dc-3026").id
    assert [person.name for person in people_of(session, found, context.keyring())] == [name]
    # Only what was not filed; and CSV in which nothing is a formula.
    assert len(lines(results(page, officer, query="?only=bad"))) == bad + 1
    text_ = results(page, officer, "csv").decode()
    assert text_.startswith("\ufeff") and not any(f'"{sign}' in text_ for sign in "=+-@")
    taken = session.scalars(select(AuditEntry.data).where(AuditEntry.kind == "register-results-taken")).all()
    assert [each["has_secrets"] for each in taken] == [True, False, True]
    # The same file, and the results file itself, make nothing twice.
    for again in (messy.data(), text_.encode()):
        page = hand_in(officer, again, "আবার.csv")
        assert page.status == 200, page.text
        assert "file" not in {button["value"] for button in page.document.all("button")}  # there is nothing to file
        batch_id = int(page.path.rsplit("/", 1)[1])
        assert filed(session, batch_id) == {"bad": bad, "known": good + twice}
        assert cases(session) == good


def test_every_row_is_filed_once_whenever_the_worker_is_killed(
    app: Flask, session: Session, today: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = take_in(
        session, registers.xlsx([*(row(n, today) for n in range(1, 9)), row(3, today), row(9, today, c8="?")])
    )
    batch_intake.confirm(build.actor(session, DESK), batch_id)
    real, calls = batch_run.file_grievance, Counter[str]()

    class Killed(BaseException):
        pass

    def killed_before(*given: Any) -> Any:
        calls["before"] += 1
        raise Killed

    def killed_after(*given: Any) -> Any:
        calls["after"] += 1
        real(*given)
        raise Killed

    for kill in (killed_before, killed_after) * 3:
        monkeypatch.setattr(batch_run, "file_grievance", kill)
        with pytest.raises(Killed):
            batch_run.run_batch(batch_id, 100)
        session.rollback()
    assert calls == {"before": 3, "after": 3} and cases(session) == 3
    assert states(session, batch_id) == {"filed": 3, "waiting": 7}
    monkeypatch.setattr(batch_run, "file_grievance", real)
    batch_run.run_all(60)
    assert states(session, batch_id) == {"filed": 8, "known": 1, "bad": 1} and cases(session) == 8
    assert session.get_one(RegisterBatch, batch_id).state == "done"


def test_two_workers_share_a_register(app: Flask, session: Session, today: Any) -> None:
    batch_id = take_in(session, registers.xlsx(row(n % 30, today) for n in range(1, 41)))
    batch_intake.confirm(build.actor(session, DESK), batch_id)
    handled: list[int] = []

    def work() -> None:
        with app.app_context():
            handled.append(batch_run.run_batch(batch_id, 1000))

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(handled) == 40 and states(session, batch_id) == {"filed": 30, "known": 10} and cases(session) == 30
    assert session.get_one(RegisterBatch, batch_id).state == "done"


def test_a_row_that_breaks_the_system_stops_no_other(
    session: Session, today: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = take_in(session, registers.xlsx(row(n, today) for n in range(1, 4)))
    real = batch_run.file_grievance

    def broken(filing: Any, actor: Any) -> Any:
        if "বই নম্বর 2" in filing.answers.details:
            raise ValueError("whatever")
        return real(filing, actor)

    monkeypatch.setattr(batch_run, "file_grievance", broken)
    assert filed(session, batch_id) == {"filed": 2, "bad": 1}
    (why,) = session.scalars(select(RegisterRow.problems).where(RegisterRow.state == "bad")).all()
    assert why == [{"field": "details", "code": "could-not-be-filed", "params": {}}]


def test_a_row_that_another_worker_has_filed_meanwhile_stays_filed(
    app: Flask, session: Session, today: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch_id = take_in(session, registers.xlsx([row(1, today)]))
    batch_intake.confirm(build.actor(session, DESK), batch_id)
    mark = batch_run._mark

    def broken(*given: Any) -> Any:
        raise ValueError("whatever")

    def mark_after_another_worker(*given: Any, **values: Any) -> None:
        monkeypatch.undo()
        monkeypatch.setattr(sheets, "read", registers.read_here)
        batch_run.run_batch(batch_id, 1)
        mark(*given, **values)

    monkeypatch.setattr(batch_run, "file_grievance", broken)
    monkeypatch.setattr(batch_run, "_mark", mark_after_another_worker)
    batch_run.run_batch(batch_id, 10)
    assert states(session, batch_id) == {"filed": 1} and cases(session) == 1


def test_a_run_ends_in_time(session: Session, today: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    batch_id = take_in(session, registers.xlsx(row(n, today) for n in range(1, 40)))
    batch_intake.confirm(build.actor(session, DESK), batch_id)
    seconds = iter(range(1000))
    monkeypatch.setattr(batch_run, "time", SimpleNamespace(monotonic=lambda: float(next(seconds))))
    assert 0 < batch_run.run_all(12) <= 12
    assert batch_run.run_all(0) == 0, "what is left, the next run takes"


BAD_FILES = [
    (b"", "The file is empty"),
    (b"\x89PNG\r\n\x1a\n" + bytes(100), "This is not a spreadsheet"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "password"),
    ("কিছু,একটা\nআরও,কিছু\n".encode(), "No header was found"),
    (b"a,b\n" * 3_000_000, "The file is too large: at most 10 MB"),
]


@pytest.mark.parametrize(("data", "words"), BAD_FILES, ids=[words for _, words in BAD_FILES])
def test_a_file_that_cannot_be_taken_is_refused_in_words(app: Flask, session: Session, data: bytes, words: str) -> None:
    page = hand_in(signed_in(app), data)
    assert page.status == 422 and words in page.text
    assert session.scalars(select(RegisterBatch.id)).all() == []


def test_a_hundred_megabytes_and_no_file_at_all(app: Flask, session: Session) -> None:
    officer = signed_in(app)
    token = officer.get(LIST).form("csrf_token").values["csrf_token"][0]
    page = officer.post(LIST, {"csrf_token": token})
    assert page.status == 422 and "Choose the file of the register" in page.text
    answer = officer.client.post(
        LIST,
        data={"csrf_token": token, "file": (BytesIO(bytes(100)), "r.xlsx")},
        environ_overrides={"CONTENT_LENGTH": str(100 * 1024 * 1024)},
    )
    assert answer.status_code == 413 and "10 MB" in answer.text
    assert session.scalars(select(RegisterBatch.id)).all() == []


def test_what_the_clerk_chooses_counts_and_is_checked_before_anything_is_filed(
    app: Flask, session: Session, today: Any
) -> None:
    header = ["নাম", "অজানা", "ভাতা", "কথা"]
    rows = [["রহিমা", "01712345678", "চাঁদের আলো ৭", f"ভাতা পাইনি {n}"] for n in range(3)]
    officer = signed_in(app)
    page = hand_in(officer, registers.csv_bytes(rows, header), "পুরোনো.csv")
    form = page.form("medium")
    assert form.values["column-0"] == ["name"] and form.values["district"] == ["3026"]
    (meaning,) = [name for name in form.names if name.startswith("meaning") and not name.endswith("words")]
    form.fill(**{"column-1": "phone", "column-3": "details", "category": "payment-not-received"})
    # Two columns for one field, a day that is none, a name that is in no list: all at once, everything typed still there.
    wrong = officer.submit(
        form.fill(**{"column-2": "phone", "received_on": "৩২/১৩/২০২৬", f"{meaning}-words": "নেই এমন"}), "check"
    )
    assert wrong.status == 422 and wrong.form("medium").values["received_on"] == ["৩২/১৩/২০২৬"]
    assert {"#column-2", "#received_on", f"#{meaning}"} <= {link["href"] for link in wrong.document.all("a")}
    form = wrong.form("medium").fill(**{"column-2": "programme", "received_on": "", f"{meaning}-words": "বৃদ্ধ ভাতা"})
    page = officer.submit(form, "check")
    page = officer.submit(page.form("medium").fill(tells=False), "file")
    assert "The choices have changed" in page.text and cases(session) == 0
    page = officer.submit(page.form("medium").fill(tells=True), "check")
    page = officer.submit(page.form("medium"), "file")
    assert "3 of 3 rows done" in page.text and cases(session) == 3
    book = directory(session)
    assert {case.programme_id for case in session.scalars(select(Case))} == {book.programme("old-age-allowance").id}
    assert session.scalars(select(func.count()).select_from(Message)).one() == 3
    again = officer.post(
        page.path, {"csrf_token": officer.get(LIST).form("csrf_token").values["csrf_token"][0], "step": "file"}
    )
    assert again.status == 409 and cases(session) == 3


def test_the_preview_shows_the_rows_as_they_would_be_filed(app: Flask, session: Session, today: Any) -> None:
    officer = signed_in(app)
    page = hand_in(officer, registers.xlsx([row(1, today, c9="<b>ভাতা</b> {{7*7}}"), row(2, today, c8="টাকা")]))
    assert "<b>ভাতা</b> {{7*7}}" in page.text and "Old Age Allowance" in page.text
    assert "What it is about: this name is in no list" in page.text
    assert page.form("medium").names >= {"column-1", "tells", "category", "received_on"}
    stale = page.form("medium")
    stale.values["csrf_token"] = ["stale"]
    answer = officer.submit(stale.fill(category="bribe-demand"), "check")
    assert answer.status == 400 and answer.form("medium").values["category"] == ["bribe-demand"]
    officer.submit(page.form("csrf_token", "medium"), "check")
    thrown = next(
        form for form in page.forms() if "medium" not in form.names and "step" in {c["name"] for c in form.controls}
    )
    assert officer.submit(thrown, "discard").path == LIST
    assert session.scalars(select(RegisterRow.id)).all() == []
    assert session.scalars(select(RegisterBatch.facts_sealed)).all() == [None]


def test_a_register_is_its_officers_own(app: Flask, session: Session, today: Any) -> None:
    page = hand_in(signed_in(app), registers.xlsx([row(1, today)]))
    other = signed_in(app, "gro.social-welfare")
    assert other.get(page.path).status == 404 and "রেজিস্টার.xlsx" not in other.get(LIST).text
    assert other.get(f"{page.path}/results.xlsx").status == 404
    assert signed_in(app, "officer.social-welfare").get(LIST).status == 404
    # Not even a colleague at the same desk, and not the officer once the seat is gone.
    actor, batch_id = build.actor(session, DESK), int(page.path.rsplit("/", 1)[1])
    assert store.find(session, actor, batch_id).id == batch_id
    for other in (replace(actor, officer_id=build.officer_id(session, "cabinet")), replace(actor, seats=())):
        with pytest.raises(NotFound):
            store.find(session, other, batch_id)
        assert batch_page.listed(session, other) == [], "nor its name"


def test_the_same_file_read_with_other_columns_makes_nothing_twice(session: Session, today: Any) -> None:
    data = registers.xlsx(row(n, today) for n in range(3))
    assert filed(session, take_in(session, data)) == {"filed": 3}
    again = take_in(session, data)
    plan, _ = store.open_plan(session.get_one(RegisterBatch, again))
    columns = tuple("" if column == "phone" else column for column in plan.columns)
    checked = batch_intake.change_plan(build.actor(session, DESK), again, replace(plan, columns=columns))
    assert (checked.good, checked.known) == (0, 3)
    assert filed(session, again) == {"known": 3} and cases(session) == 3


def test_an_anonymous_row_leaves_nothing_of_who_it_was(session: Session, today: Any) -> None:
    cells = row(1, today, c2="নাম প্রকাশে অনিচ্ছুক", c3="গোপন পিতা", c4="01799999999")
    batch_id = take_in(session, registers.xlsx([cells]))
    assert filed(session, batch_id) == {"filed": 1}
    case = session.scalars(select(Case)).one()
    assert case.is_anonymous and session.scalars(select(Complainant.phone_sealed)).all() == [None]
    (kept,) = store.rows(session, batch_id, RegisterRow.row_key)
    assert kept.row_key is None
    assert not {"গোপন পিতা", "01799999999"} & set(map(str, store.open_cells(batch_id, kept).cells))
    assert session.scalars(select(func.count()).select_from(Message)).one() == 0
    again = take_in(session, registers.xlsx([cells]))
    assert filed(session, again) == {"known": 1} and cases(session) == 1


def test_what_registers_hold_of_people_is_forgotten_in_time(session: Session, today: Any) -> None:
    unconfirmed = take_in(session, registers.xlsx([row(1, today)]))
    batch_id = take_in(session, registers.xlsx([row(2, today), row(3, today, c8="?")]))
    filed(session, batch_id)

    def kept() -> dict[str, int]:
        session.rollback()
        asked = "SELECT count(*) AS rows, count(sealed) AS sealed, count(token_sealed) AS tokens FROM register_row"
        return dict(session.execute(text(asked)).mappings().one())

    at = now(session)
    batch_care.forget(at + timedelta(hours=23))
    assert kept() == {"rows": 3, "sealed": 3, "tokens": 1}
    batch_care.forget(at + timedelta(hours=25))
    assert kept() == {"rows": 3, "sealed": 3, "tokens": 0}
    batch_care.forget(at + timedelta(hours=73))
    assert kept() == {"rows": 2, "sealed": 2, "tokens": 0}
    batch_care.forget(at + timedelta(days=31))
    assert kept() == {"rows": 2, "sealed": 0, "tokens": 0}
    assert {batch.id: batch.state for batch in session.scalars(select(RegisterBatch))} == {
        unconfirmed: "discarded",
        batch_id: "done",
    }
    assert session.scalars(select(RegisterBatch.plan_sealed)).all() == [None, None]
    again = take_in(session, registers.xlsx([row(2, today)]))  # and is still known
    assert filed(session, again) == {"known": 1}
    assert batch_care.forget(at) == 0


def test_nobody_leaves_registers_lying_about(session: Session, today: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_intake, "MOST_OPEN", 1)
    take_in(session, registers.xlsx([row(1, today)]))
    with pytest.raises(InvalidInput, match="too-many-open"):
        take_in(session, registers.xlsx([row(1, today)]))


def test_a_file_that_is_refused_half_way_leaves_nothing(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(data: bytes) -> Any:
        for number, each in enumerate(registers.read_here(data)):
            if number == 3:
                raise sheets.Refused("too-much")
            yield each

    monkeypatch.setattr(sheets, "read", cut)
    with pytest.raises(sheets.Refused):
        take_in(session, registers.csv_bytes([["ক", "খ"]] * 5, ["নাম", "বিবরণ"]))
    assert session.scalars(select(RegisterBatch.id)).all() == []


NAMES = [
    *(
        ("programme", typed, "old-age-allowance")
        for typed in ("বয়স্ক ভাতা", "বয়ষ্ক ভাতা", "oaa", "বৃদ্ধ ভাতা", "OLD-AGE-ALLOWANCE")
    ),
    *(("programme", typed, "vwb") for typed in ("VGD", "ভিজিডি", "ভিজিডি কার্ড", "Vulnerable Women Benefit")),
    ("programme", "EGPP", "egpp"),
    *(("district", typed, "3026") for typed in ("ঢাকা", "ঢাকা জেলা", "Dhaka District", "৩০২৬", "Dacca")),
    *(("district", typed, "1006") for typed in ("Barisal", "বরিশাল", "Barishal")),
    ("district", "বগুড়া", "5010"),
    *(("upazila", typed, "302672") for typed in ("সাভার", "সাভার উপজেলা", "Savar")),
    *(("category", typed, "payment-not-received") for typed in ("ভাতার টাকা পাইনি", "payment not received")),
]


def test_names_are_found_as_registers_write_them(session: Session, today: Any) -> None:
    names = Names(directory(session), choices.offer(session, today).choices)
    missed = {(field, typed): names.find(field, typed, "3026") for field, typed, code in NAMES
              if names.find(field, typed, "3026").code != code}  # fmt: skip
    assert missed == {}
    near = names.find("district", "ঢাকাা")
    assert near.code in (None, "3026") and (near.code or "3026" in near.near)
    assert names.find("upazila", "আমতলী", "3026").elsewhere == "1004"
    assert names.find("upazila", "সদর", "1004").code == "100428"
    assert names.find("programme", "চাঁদের আলো") == names.find("programme", "চাঁদের আলো")
    assert names.find("programme", "চাঁদের আলো").code is None


def check_of(session: Session, batch_id: int) -> store.Checked:
    return store.open_plan(session.get_one(RegisterBatch, batch_id))[1]


def found_and_expected(checked: store.Checked, messy: registers.Messy) -> None:
    """Every row is counted once, and every bad one under the fault that was put into it."""
    good, twice = messy.expected["good"], messy.expected["twice"]
    assert (checked.good, checked.twice, checked.known) == (good, twice, 0)
    assert checked.bad == messy.expected.total() - good - twice
    by_code = Counter[str]()
    for finding in checked.findings:
        by_code["phone" if finding.code.startswith("phone-") else finding.code] += finding.count
    assert by_code == {kind: count for kind, count in messy.expected.items() if kind not in ("good", "twice")}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Some rows always; ten thousand in the long form that `make faults` asks for."""
    if "size" in metafunc.fixturenames:
        is_long = metafunc.config.getoption("--long-faults")
        all_of_them = pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.faults])
        metafunc.parametrize("size", [400, *([all_of_them] if is_long else [])])


def test_a_messy_register_is_checked_in_little_memory(session: Session, today: Any, size: int) -> None:
    """Reading, keeping, opening and screening every row; ten thousand take no more memory than a thousand."""
    messy = registers.Messy(size, today)
    data = messy.data()
    before = resident_megabytes()
    found_and_expected(check_of(session, take_in(session, data)), messy)
    assert resident_megabytes() - before < 40


def test_a_messy_register_is_filed_by_a_worker_that_is_killed_again_and_again(
    app: Flask, session: Session, today: Any, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = size if size == 10_000 else 60
    messy = registers.Messy(size, today)
    rng = random.Random(7)
    batch_id = take_in(session, messy.data())
    batch_intake.confirm(build.actor(session, DESK), batch_id)
    real = batch_run.file_grievance
    before = resident_megabytes()
    while states(session, batch_id)["waiting"]:
        left, is_before = [rng.randrange(size // 8, size // 4)], rng.random() < 0.5

        def dying(*given: Any, left: list[int] = left, is_before: bool = is_before) -> Any:
            left[0] -= 1
            if left[0] == 0 and is_before:
                raise SystemExit
            answer = real(*given)
            if left[0] == 0:
                raise SystemExit
            return answer

        monkeypatch.setattr(batch_run, "file_grievance", dying)
        with contextlib.suppress(SystemExit):
            batch_run.run_batch(batch_id, 20_000)
        session.rollback()
    monkeypatch.setattr(batch_run, "file_grievance", real)
    batch_run.run_all(1)
    good, twice = messy.expected["good"], messy.expected["twice"]
    assert states(session, batch_id) == {"filed": good, "known": twice, "bad": size - good - twice}
    assert cases(session) == good and resident_megabytes() - before < 60
    told = batch_results.xlsx_file(session, session.get_one(RegisterBatch, batch_id))
    assert sum(1 for line in lines(told) if line[2]) == 1 + good + twice
    again = take_in(session, messy.data())
    assert check_of(session, again).known == good + twice and check_of(session, again).good == 0


def resident_megabytes() -> int:
    with open("/proc/self/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) // 1024
