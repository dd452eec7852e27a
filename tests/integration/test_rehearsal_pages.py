"""The pages of rehearsals: begin one, let the tick do it, read figures and, at the cell, single cases."""

import csv
import io
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from grm.cli import register
from grm.deadlines import service
from grm.escalation import rehearsals, tasks
from grm.escalation.rehearsal_models import Rehearsal, RehearsalLine
from grm.kernel import clock
from grm.kernel.audit import AuditEntry
from grm.kernel.errors import NotFound
from grm.kernel.tracking_number import display
from tests.integration.test_rehearsing import hashes, sweep_through
from tests.integration.test_sign_in import post_login
from tests.support import build

PAGE = "/admin/rehearsals"
HEADER = "code,kind,limit,unit,valid_from,source\n"
TWENTY = HEADER + "resolve,resolve,20,working_days,2027-01-01,Circular 7\n"
DAYS = "day,kind,name_bn,name_en,source\n2026-02-16,holiday,ছুটি,Holiday,Order 9\n"
SPAN = {"since": "1/1/2026", "until": "31/05/2026"}


def signed_in(app: Flask, username: str) -> FlaskClient:
    client = app.test_client()
    post_login(client, username)
    return client


def post(client: FlaskClient, **fields: Any) -> TestResponse:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(PAGE).text)
    assert found
    return client.post(PAGE, data={"csrf_token": found[1], **SPAN, **fields})


def upload(content: str | bytes, name: str = "limits.csv") -> tuple[io.BytesIO, str]:
    return io.BytesIO(content.encode() if isinstance(content, str) else content), name


def work_through() -> int:
    steps = 0
    while rehearsals.work(max_seconds=0):
        steps += 1
        assert steps < 50
    return steps


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    return signed_in(app, "admin")


@pytest.fixture
def cell(app: Flask) -> FlaskClient:
    return signed_in(app, "cabinet")


@pytest.fixture
def filed(session: Session) -> dict[str, str]:
    """Three cases that nobody answered and one that was answered after five weeks; swept as the system does."""
    here = build.office_id(session)
    made = {
        "silent": build.case(session, here),
        "sensitive": build.case(session, here, "appeal", category="bribe-demand"),
        "accuses_cell": build.case(
            session,
            build.office_id(session, "cell"),
            "cell",
            accused_officers=[build.officer_id(session, "cabinet")],
        ),
        "answered": build.case(session, here),
    }
    session.commit()
    for row in made.values():
        service.meet(session, row.id, "acknowledge", row.filed_at + timedelta(days=1))
    service.stop_all(session, made["answered"].id, build.dhaka(2026, 2, 5))
    session.commit()
    numbers = {name: row.tracking_number for name, row in made.items()}
    sweep_through(build.dhaka(2026, 6, 1))
    session.rollback()
    return numbers


def test_the_empty_page_says_what_to_do_and_gives_an_example(admin: FlaskClient) -> None:
    for language, words in (("en", "Nothing has been rehearsed yet"), ("bn", "এখনো কোনো মহড়া")):
        page = admin.get(f"{PAGE}?lang={language}").text
        assert words in page and f"{PAGE}/examples/policies.csv" in page
    for which in ("policies", "calendar"):
        file = admin.get(f"{PAGE}/examples/{which}.csv")
        assert (file.status_code, file.mimetype, file.data[:3]) == (200, "text/csv", b"\xef\xbb\xbf")
    assert admin.get(f"{PAGE}/examples/other.csv").status_code == 404


def test_the_example_files_can_be_rehearsed_as_they_are(admin: FlaskClient) -> None:
    files = {which: admin.get(f"{PAGE}/examples/{which}.csv").data for which in ("policies", "calendar")}
    answer = post(admin, policies_file=upload(files["policies"]), calendar_file=upload(files["calendar"]))
    assert answer.status_code == 303


def test_from_the_form_to_the_figures(
    app: Flask, session: Session, admin: FlaskClient, cell: FlaskClient, filed: dict[str, str]
) -> None:
    before = hashes(session)
    answer = post(admin, policies_file=upload(TWENTY))
    assert answer.status_code == 303
    address = answer.headers["Location"]
    waiting = admin.get(f"{address}?lang=en").text
    assert '<meta http-equiv="refresh" content="5">' in waiting and "The rehearsal is under way" in waiting

    tasks.rehearse()
    done = admin.get(f"{address}?lang=en").text
    assert "refresh" not in done
    # The cell sees what the administrator does, and the single cases it may see.
    listed = cell.get(f"{address}?lang=en").text
    for page in (done, listed):
        assert re.search(r"<b>1</b>|>1<", page) and "Newly late" in page
        assert "Ministry of Social Welfare" in page
    assert "The single cases are shown to the Cabinet Division cell only." in done
    assert not any(display(number) in done or number in done for number in filed.values())
    shown = {name for name, number in filed.items() if number in listed}
    assert shown == {"silent", "sensitive", "answered"}, "not the one that accuses the reader"
    bangla = cell.get(f"{address}?lang=bn").text
    assert "নতুন করে বিলম্বিত" in bangla and "১ ফেব্রুয়ারি ২০২৬" in bangla

    after = hashes(session)
    own = {"rehearsal", "rehearsal_line", "audit_entry", "audit_head", "staff_session", "throttle", "heartbeat"}
    assert {table for table in before if before[table] != after[table]} <= own
    for table in ("cases", "deadline", "escalation", "message", "case_event", "deadline_pause"):
        assert after[table] == before[table], table
    row = session.scalars(select(Rehearsal)).one()
    assert row.state == "done" and row.result is not None and row.result["cases"] == 4
    assert row.result["ministries"]["social-welfare"]["changes"] == {"moved": 2, "newly_late": 1}


def test_the_file_of_single_cases(
    app: Flask, session: Session, admin: FlaskClient, cell: FlaskClient, filed: dict[str, str]
) -> None:
    address = post(admin, policies=TWENTY).headers["Location"]
    work_through()
    answer = cell.get(f"{address}.csv?lang=en")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    header, *rows = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert header[0] == "Tracking number" and header[7] == "When"
    numbers = {row[0].replace("-", "") for row in rows}
    assert numbers == {filed[name] for name in ("silent", "sensitive", "answered")}
    silent = [row for row in rows if row[0].replace("-", "") == filed["silent"]]
    assert [(row[4], row[5], row[6], row[7], row[11]) for row in silent] == [
        ("2026-02-18", "2026-02-01", "0", "2026-01-27 00:00", "2026-02-15 00:00"),
        ("2026-02-18", "2026-02-01", "1", "2026-02-02 00:00", "2026-02-19 00:00"),
        ("2026-02-18", "2026-02-01", "2", "2026-02-10 00:00", "2026-02-26 00:00"),
        ("2026-02-18", "2026-02-01", "3", "2026-02-19 00:00", "2026-03-05 00:00"),
    ]
    assert session.scalar(select(func.count()).select_from(RehearsalLine)) == len(rows) + 4, "one case is hidden"
    assert admin.get(f"{address}.csv").status_code == 404
    exported = session.scalars(select(AuditEntry).where(AuditEntry.stream == "exports")).one()
    assert exported.data["report"] == "rehearsal"


def test_the_list_can_be_read_page_by_page_and_by_what_changes(
    session: Session, admin: FlaskClient, cell: FlaskClient, filed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grm.reports.rehearsal_views.PAGE", 3)
    address = post(admin, policies=TWENTY).headers["Location"]
    work_through()
    url, seen = f"{address}?lang=en", []
    while url:
        page = cell.get(url).text
        seen += re.findall(r'href="/cases/(\w+)"', page)
        found = re.search(r'href="(\?after=\d+)#cases" rel="next"', page)
        url = address + found[1] if found else ""
    rows = list(csv.reader(io.StringIO(cell.get(f"{address}.csv").data.decode("utf-8-sig"))))[1:]
    assert seen == [row[0].replace("-", "") for row in rows] and len(seen) > 6
    late = cell.get(f"{address}?change=newly_late").text
    assert set(re.findall(r'href="/cases/(\w+)"', late)) == {filed["answered"]}
    assert filed["silent"] in cell.get(f"{address}?change=nonsense&after=x").text


def test_a_name_that_is_a_formula_is_disarmed_in_the_file(
    session: Session, admin: FlaskClient, cell: FlaskClient, filed: dict[str, str]
) -> None:
    session.execute(text("UPDATE officer SET name_en = '=HYPERLINK(\"x\")' WHERE username = 'gro.social-welfare'"))
    session.commit()
    address = post(admin, policies=TWENTY).headers["Location"]
    work_through()
    body = cell.get(f"{address}.csv?lang=en").data.decode("utf-8-sig")
    cells = {each for row in csv.reader(io.StringIO(body)) for each in row}
    assert '\'=HYPERLINK("x")' in cells
    assert not any(each.startswith(("=", "+", "-", "@")) for each in cells)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, "Propose limits, days, or both."),
        ({"policies": HEADER}, "the file is empty; it must hold at least one policy"),
        ({"policies": TWENTY.replace("20,", "0,", 1)}, "Line 2: limit must be a whole number from 1 to 1000"),
        ({"policies": "code,kind\n"}, "Line 1: column limit, unit, valid_from, source is missing"),
        (
            {"policies": TWENTY + TWENTY.splitlines()[1]},
            "Line 3: line 2 says the same cases from the same day already",
        ),
        (
            {"policies": "office," + HEADER + "nowhere,r,resolve,20,working_days,2027-01-01,C\n"},
            "Line 2: there is no office nowhere",
        ),
        (
            {"policies": TWENTY.replace("2027-01-01", "2027-02-30")},
            "Line 2: valid_from must be a date like 2027-03-10, from 2000 to 2100",
        ),
        (
            {"policies": HEADER + "confirm,confirm,5,working_days,2027-01-01,C\n"},
            "Line 2: nobody is told when confirm runs out, so there is nothing to rehearse.",
        ),
        ({"calendar": DAYS.replace("holiday,", "feast,")}, "Line 2: kind must be holiday, working or none"),
        ({"policies": TWENTY, "since": "31/02/2026"}, "Enter day, month and year"),
        ({"policies": TWENTY, "since": "1/6/2026"}, "This day must not lie after the other one"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_wrong_stands_beside_what_was_typed(
    session: Session, admin: FlaskClient, fields: dict[str, str], fault: str
) -> None:
    admin.get(f"{PAGE}?lang=en")
    answer = post(admin, **fields)
    assert answer.status_code == 422, answer.text[:200]
    assert fault in answer.text.replace("&#39;", "'")
    for typed in fields.values():
        for line in typed.splitlines():
            assert line in answer.text
    assert session.scalar(select(func.count()).select_from(Rehearsal)) == 0


@pytest.mark.parametrize(
    ("content", "status", "fault"),
    [
        (b"", 422, "the file is empty"),
        (TWENTY.encode("utf-16"), 422, "the text is not UTF-8"),
        (TWENTY.encode() + b"\0", 422, "the file holds a NUL character"),
        (b"x" * 1_100_000, 422, "the file has more than 1000000 bytes"),
        (b"x" * 10_000_000, 413, ""),
    ],
    ids=["empty", "utf-16", "nul", "too long", "10 MB"],
)
def test_a_file_that_is_none_is_refused(
    session: Session, admin: FlaskClient, content: bytes, status: int, fault: str
) -> None:
    admin.get(f"{PAGE}?lang=en")
    answer = post(admin, policies_file=upload(content), calendar=DAYS)
    assert answer.status_code == status
    assert fault in answer.text
    assert status == 413 or DAYS.splitlines()[1] in answer.text
    assert session.scalar(select(func.count()).select_from(Rehearsal)) == 0


def test_an_uploaded_file_with_a_fault_is_in_the_box_to_be_mended(admin: FlaskClient) -> None:
    admin.get(f"{PAGE}?lang=en")
    answer = post(admin, policies_file=upload(TWENTY.replace("working_days", "days")))
    assert answer.status_code == 422
    box = re.search(r'<textarea[^>]*name="policies"[^>]*>(.*?)</textarea>', answer.text, re.S)
    assert box and "resolve,resolve,20,days" in box[1]


def test_a_stale_page_loses_nothing(admin: FlaskClient) -> None:
    answer = admin.post(PAGE, data={"csrf_token": "old", "policies": TWENTY})
    assert answer.status_code == 400 and "resolve,resolve,20,working_days" in answer.text


def test_not_more_than_a_few_wait_at_once(session: Session, admin: FlaskClient) -> None:
    admin.get(f"{PAGE}?lang=en")
    for _ in range(5):
        assert post(admin, policies=TWENTY).status_code == 303
    answer = post(admin, policies=TWENTY)
    assert answer.status_code == 422 and "Other rehearsals are still under way" in answer.text


# --- the tick -------------------------------------------------------------------------------------------------------


def proposed(session: Session, policies: str | None = TWENTY) -> int:
    actor = build.actor(session, "admin")
    session.rollback()
    dates = build.dhaka(2026, 1, 1).date(), build.dhaka(2026, 5, 31).date()
    return rehearsals.propose(actor, policies, None, *dates)


def test_it_goes_on_where_it_was_cut_off(
    session: Session, filed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = proposed(session)
    rehearsals.work()
    monkeypatch.setattr("grm.escalation.rehearsals.play_batch", _in_small_batches)
    parts = proposed(session)
    assert rehearsals.work(max_seconds=0)
    half = rehearsals.find(session, parts)
    assert (half.state, 0 < rehearsals.percent_done(half) < 100) == ("running", True)
    session.rollback()
    work_through()
    first, second = (rehearsals.find(session, each) for each in (whole, parts))
    assert (second.state, second.result) == ("done", first.result)
    counted = select(RehearsalLine.rehearsal_id, func.count()).group_by(RehearsalLine.rehearsal_id)
    by_rehearsal = dict(session.execute(counted).all())  # type: ignore[arg-type]
    assert by_rehearsal[whole] == by_rehearsal[parts] > 0


def _in_small_batches(*args: Any) -> Any:
    from grm.escalation.rehearsing import play_batch

    return play_batch(*args, size=1)


def test_a_step_that_another_one_overtook_writes_nothing(
    session: Session, filed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rehearsal_id = proposed(session)

    def meanwhile_done(*args: Any) -> Any:
        from grm.escalation.rehearsing import play_batch

        batch = play_batch(*args)
        session.execute(text("UPDATE rehearsal SET last_case_id = 7"))
        session.commit()
        return batch

    monkeypatch.setattr("grm.escalation.rehearsals.play_batch", meanwhile_done)
    assert rehearsals.work()
    row = rehearsals.find(session, rehearsal_id)
    assert (row.state, row.last_case_id, row.result) == ("waiting", 7, None)
    assert session.scalar(select(func.count()).select_from(RehearsalLine)) == 0


def test_one_that_cannot_go_on_ends_and_lets_the_next_begin(
    session: Session, admin: FlaskClient, filed: dict[str, str]
) -> None:
    broken = proposed(session)
    session.execute(
        text("UPDATE rehearsal SET policies_csv = replace(policies_csv, 'resolve,resolve', 'resolve,no-such-kind')")
    )
    session.commit()
    sound = proposed(session)
    work_through()
    assert rehearsals.find(session, broken).error == "proposal-outdated"
    assert rehearsals.find(session, sound).state == "done"
    assert "What was proposed can no longer be read" in admin.get(f"{PAGE}/{broken}?lang=en").text


def test_old_rehearsals_are_forgotten(session: Session, filed: dict[str, str]) -> None:
    old, young = proposed(session), proposed(session)
    work_through()
    now = clock.now(session)
    session.rollback()
    assert rehearsals.forget(now + timedelta(days=89)) == 0
    session.execute(
        text("UPDATE rehearsal SET finished_at = finished_at - interval '10 days' WHERE id = :id"), {"id": old}
    )
    session.commit()
    assert rehearsals.forget(now + timedelta(days=81)) > 0
    with pytest.raises(NotFound):
        rehearsals.find(session, old)
    assert rehearsals.find(session, young).state == "done"


# --- the command ----------------------------------------------------------------------------------------------------


def invoke(app: Flask, *args: str) -> Result:
    return register(app).test_cli_runner().invoke(args=["deadlines", "rehearse", *args])


def test_the_command_prints_figures_writes_the_file_and_nothing_else(
    app: Flask, session: Session, filed: dict[str, str], tmp_path: Path
) -> None:
    limits, output = tmp_path / "limits.csv", tmp_path / "cases.csv"
    limits.write_text(TWENTY)
    before = hashes(session)
    span = ("--since", "2026-01-01", "--until", "2026-05-31")
    result = invoke(app, "--policies", str(limits), *span, "--output", str(output))
    assert result.exit_code == 0, result.output
    assert "4 cases with 8 clocks played; 4 clocks would change." in result.output
    [total] = [line.split() for line in result.output.splitlines() if line.startswith("total")]
    assert total[1:5] == ["1", "0", "3", "0"]
    rows = list(csv.DictReader(io.StringIO(output.read_text(encoding="utf-8-sig"))))
    numbers = {row["Tracking number"].replace("-", "") for row in rows}
    assert numbers == {filed["silent"], filed["answered"], filed["accuses_cell"]}, "the sensitive one is only counted"
    assert hashes(session) == before


def test_the_command_tells_faults_and_refuses_what_makes_no_sense(app: Flask, session: Session, tmp_path: Path) -> None:
    limits, days = tmp_path / "limits.csv", tmp_path / "days.csv"
    limits.write_text(TWENTY.replace("20", "x", 1))
    days.write_text("")
    result = invoke(app, "--policies", str(limits), "--calendar", str(days))
    assert result.exit_code == 1
    assert "limits.csv: line 2: limit must be" in result.output and "days.csv: the file is empty" in result.output
    assert invoke(app).exit_code == 2
    limits.write_text(TWENTY)
    wrong = invoke(app, "--policies", str(limits), "--since", "2026-06-01", "--until", "2026-05-01")
    assert (wrong.exit_code, "--since must not lie after --until" in wrong.output) == (2, True)
