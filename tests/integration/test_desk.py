"""Filing on somebody's behalf: actor, complainant and medium are three facts, and the clocks start on the day of receipt."""

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.accounts.models import StaffSession
from grm.cases.attachment_models import Attachment, DraftFile
from grm.cases.models import Accused, Case, CaseEvent
from grm.cases.queries import people_of, visible_to
from grm.deadlines.models import Deadline
from grm.deadlines.queries import calendar
from grm.intake import desk_drafts, desk_receipts, draft_files, drafts, limits
from grm.intake.models import Draft, Submission
from grm.kernel import context
from grm.kernel.clock import dhaka_date, now
from grm.kernel.text import bangla_digits
from grm.offices.queries import directory
from tests.support import build
from tests.support.citizen import Citizen, codes_of, errors_of, how_many, the_case
from tests.support.files import jpeg
from tests.support.web import Form, Page

DESK = "/desk/new"
PAPER = {
    "medium": "paper",
    "programme": "old-age-allowance",
    "category": "payment-not-received",
    "district": "3026",
    "details": "কাগজে লেখা অভিযোগ",
    "name": "রহিমা খাতুন",
    "phone": "01712345678",
}


def signed_in(app: Flask, username: str) -> Citizen:
    officer = Citizen(app)
    page = officer.submit(officer.get("/login").form("username").fill(username=username, password="demo"))
    assert page.status in (200, 404), page.text
    return officer


@pytest.fixture
def desk(app: Flask) -> Citizen:
    return signed_in(app, "desk.dhaka")


def file(desk: Citizen, **changes: str) -> Page:
    return desk.submit(desk.get(DESK).form("medium").fill(**{**PAPER, **changes}))


def test_three_facts_are_kept(desk: Citizen, session: Session) -> None:
    receipt = file(desk, upazila="302614")
    number, _secret = codes_of(receipt)
    case = the_case(session)
    assert (case.tracking_number, case.channel) == (number, "paper")
    assert case.filed_by_id == build.officer_id(session, "desk.dhaka")
    assert case.filed_by_office_id == directory(session).office("dc-3026").id
    (person,) = people_of(session, case, context.keyring())
    assert (person.role, person.name, person.phone) == ("complainant", "রহিমা খাতুন", "+8801712345678")
    event = session.scalars(select(CaseEvent)).one()
    assert (event.actor_kind, event.actor_id, event.data["channel"]) == ("officer", case.filed_by_id, "paper")


def test_the_form_begins_with_the_desks_own_district(desk: Citizen) -> None:
    assert desk.get(DESK).form("medium").values["district"] == ["3026"]


def test_the_clocks_start_on_the_day_of_receipt(desk: Citizen, session: Session) -> None:
    today = dhaka_date(now(session))
    received = today - timedelta(days=20)
    file(desk, received_on=bangla_digits(f"{received:%d/%m/%Y}"))
    case = the_case(session)
    assert (case.received_on, dhaka_date(case.filed_at)) == (received, today)
    days = calendar(session)
    for clock in session.scalars(select(Deadline)):
        assert dhaka_date(clock.started_at) == received
    assert case.due_on == days.add_working_days(days.next_working_day(received), 30)
    event = session.scalars(select(CaseEvent)).one()
    assert event.data["received_on"] == received.isoformat() and dhaka_date(event.at) == today


@pytest.mark.parametrize(
    ("name", "days"), [("received_on", 1), ("received_on", -367), ("incident_on", 1), ("received_on", None)]
)
def test_impossible_days_come_back(desk: Citizen, session: Session, name: str, days: int | None) -> None:
    today = dhaka_date(now(session))
    typed = "মাঘ মাসে" if days is None else f"{today + timedelta(days=days):%d/%m/%Y}"
    page = file(desk, **{name: typed})
    assert page.status == 422 and set(errors_of(page)) == {name}
    assert page.form("medium").values[name] == [typed] and page.form("medium").values["name"] == ["রহিমা খাতুন"]
    assert how_many(session, Case) == 0


def test_everything_wrong_is_named_at_once(desk: Citizen, session: Session) -> None:
    form = desk.get(DESK).form("medium").fill(details=" \u200b", phone="029512345", email="a@b", district="")
    page = desk.submit(form)
    assert page.status == 422
    assert set(errors_of(page)) == {"programme", "category", "district", "details", "phone", "email"}
    assert how_many(session, Case) == 0


def test_the_same_form_twice_is_one_case_with_one_receipt(desk: Citizen, session: Session) -> None:
    form = desk.get(DESK).form("medium").fill(**PAPER)
    first = codes_of(desk.submit(form))
    assert len(first) == 2 and codes_of(desk.submit(form)) == first
    assert how_many(session, Case) == 1


def test_a_stale_token_shows_the_filled_form(desk: Citizen, session: Session) -> None:
    form = desk.get(DESK).form("medium").fill(**PAPER)
    form.values["csrf_token"] = ["stale"]
    page = desk.submit(form)
    assert page.status == 400 and page.form("medium").values["details"] == [PAPER["details"]]
    assert len(codes_of(desk.submit(page.form("medium")))) == 2


def test_a_session_that_ended_loses_no_word(app: Flask, desk: Citizen, session: Session) -> None:
    form = desk.get(DESK).form("medium").fill(**PAPER)
    desk.client.delete_cookie("grm_session")
    page = desk.submit(form)
    assert page.status == 401 and how_many(session, Case) == 0
    page = desk.submit(page.form("username").fill(username="desk.dhaka", password="demo"))
    page = desk.submit(page.form("medium"))
    assert len(codes_of(page)) == 2
    assert the_case(session).details == PAPER["details"]


def test_a_desk_names_an_office_that_never_learns_of_it(desk: Citizen, session: Session) -> None:
    file(desk, accused_office="social-welfare")
    case, book = the_case(session), directory(session)
    assert (book.office(case.office_id).code, case.desk, case.about) == ("cell", "cell", "ministry")
    assert session.scalars(select(Accused.office_id)).all() == [book.office("social-welfare").id]
    for username in ("gro.social-welfare", "appeal.social-welfare", "officer.social-welfare"):
        assert session.scalars(select(Case.id).where(visible_to(build.actor(session, username)))).all() == []


def test_another_accused_office_changes_no_queue(desk: Citizen, session: Session) -> None:
    file(desk, accused_office="dc-1004")
    case = the_case(session)
    assert (directory(session).office(case.office_id).code, case.has_accused) == ("social-welfare", True)


def test_the_list_of_today_shows_own_filings_but_no_sensitive_ones(app: Flask, desk: Citizen) -> None:
    shown = codes_of(file(desk))[0]
    hidden = codes_of(file(desk, category="bribe-demand"))[0]
    page = desk.get(DESK)
    assert page.links(shown) and not page.links(hidden)
    other = signed_in(app, "gro.social-welfare").get(DESK)
    assert other.status == 200 and not other.links("/cases/")


def test_a_helper_may_file_for_as_many_as_come(
    app: Flask, desk: Citizen, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REPORT_EVERY", 1)
    monkeypatch.setattr(limits, "PER_PHONE", 1)
    numbers = {codes_of(file(desk))[0] for _ in range(5)}
    assert len(numbers) == how_many(session, Case) == 5, "each its own"
    actors = session.execute(select(CaseEvent.actor_kind, CaseEvent.actor_id).distinct()).all()
    assert actors == [("officer", build.officer_id(session, "desk.dhaka"))], "the record names who filed"


def test_an_anonymous_visitor_leaves_no_name(desk: Citizen, session: Session) -> None:
    form = desk.get(DESK).form("medium").fill(**PAPER).fill(anonymous=True)
    receipt = desk.submit(form)
    case = the_case(session)
    (person,) = people_of(session, case, context.keyring())
    assert case.is_anonymous and (person.name, person.phone) == (None, None)
    assert "একমাত্র উপায়" in receipt.text


@pytest.mark.parametrize("username", ["officer.social-welfare", "appeal.social-welfare", "admin"])
def test_who_has_no_desk_finds_no_page(app: Flask, session: Session, username: str) -> None:
    officer = signed_in(app, username)
    assert officer.get(DESK).status == 404
    assert officer.post(DESK, PAPER).status in (400, 404)
    assert how_many(session, Case) == 0


@pytest.mark.parametrize("username", ["cabinet", "gro.social-welfare"])
def test_the_cell_and_ministries_take_letters(app: Flask, session: Session, username: str) -> None:
    assert len(codes_of(file(signed_in(app, username), medium="letter"))) == 2
    assert the_case(session).filed_by_office_id in build.actor(session, username).office_ids()


# --- the keyboard's page: what is remembered, put aside, and printed again ---------------------------------------


def put_aside(desk: Citizen, form: Form, **more: str) -> Page:
    """Press the button that keeps the form unfinished."""
    (button,) = (each for each in form.element.all("button") if each["formaction"])
    return desk.post(button["formaction"], {name: values[0] for name, values in form.values.items() if values} | more)


def drafts_of(session: Session, username: str) -> list[desk_drafts.PutAside]:
    session.rollback()
    return desk_drafts.put_aside(session, build.officer_id(session, username), now(session))[1]


def test_the_next_form_begins_as_the_last_one_ended(desk: Citizen, session: Session) -> None:
    received = dhaka_date(now(session)) - timedelta(days=3)
    receipt = file(desk, medium="letter", district="1004", received_on=f"{received:%d/%m/%Y}")
    (following,) = (each for each in receipt.document.all("a") if "autofocus" in each.attributes)
    form = desk.get(following["href"]).form("medium")
    given = {name: form.values[name] for name in ("medium", "district", "received_on")}
    assert given == {"medium": ["letter"], "district": ["1004"], "received_on": [f"{received:%d/%m/%Y}"]}
    assert form.values["name"] == [""] and form.values["programme"] == [""]
    file(desk, district="unknown", received_on="")
    form = desk.get(DESK).form("medium")
    assert [form.values[name] for name in ("district", "received_on")] == [["unknown"], [""]], "today is not written"


def test_what_is_put_aside_waits_for_its_officer_alone(app: Flask, desk: Citizen, session: Session) -> None:
    form = desk.get(DESK).form("medium").fill(**{**PAPER, "programme": "", "phone": "0171"})
    page = put_aside(desk, form)
    assert page.status == 200 and "খসড়া রাখা হয়েছে" in page.text
    assert how_many(session, Case) == 0 and page.form("medium").values["name"] == [""], "a fresh form"
    (link,) = page.links("draft=")
    assert link in desk.get(DESK).links("draft=") and "রহিমা খাতুন" in page.text

    other = signed_in(app, "gro.social-welfare")
    assert other.get(link).form("medium").values["name"] == [""] and not other.get(DESK).links("draft=")
    (draft,) = drafts_of(session, "desk.dhaka")
    token = other.get(DESK).form("medium").values["csrf_token"][0]
    assert other.post(f"/desk/drafts/{draft.id}/discard", {"csrf_token": token}).status == 404

    form = desk.get(link).form("medium")
    assert form.values["phone"] == ["0171"] and form.values["details"] == [PAPER["details"]]
    assert len(codes_of(desk.submit(form.fill(programme=PAPER["programme"], phone=PAPER["phone"])))) == 2
    assert drafts_of(session, "desk.dhaka") == [], "the filing took it along"
    assert put_aside(desk, form, auto="1").status == 409 and drafts_of(session, "desk.dhaka") == [], "and it stays away"


def test_what_is_filed_while_the_page_keeps_it_is_not_unfinished(
    desk: Citizen, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = desk.get(DESK).form("medium").fill(**PAPER)
    real = drafts.context_of

    def file_meanwhile(digest: bytes) -> str:
        monkeypatch.setattr(drafts, "context_of", real)
        assert len(codes_of(desk.submit(form))) == 2
        return real(digest)

    monkeypatch.setattr(drafts, "context_of", file_meanwhile)
    assert put_aside(desk, form, auto="1").status == 409
    assert drafts_of(session, "desk.dhaka") == [] and how_many(session, Draft) == 0


def test_what_is_thrown_away_is_gone(desk: Citizen, session: Session) -> None:
    page = put_aside(desk, desk.get(DESK).form("medium").fill(name="আমেনা"))
    (draft,) = drafts_of(session, "desk.dhaka")
    (form,) = (each for each in page.forms() if each.url.endswith(f"/desk/drafts/{draft.id}/discard"))
    assert not desk.submit(form).links("draft=") and how_many(session, Draft) == 0
    put_aside(desk, desk.get(DESK).form("medium"))
    assert how_many(session, Draft) == 0, "a form nobody has begun is none"


def test_the_scans_of_what_is_thrown_away_go_with_it(desk: Citizen, session: Session) -> None:
    form = desk.get(DESK).form("medium").fill(name="আমেনা")
    (button,) = (each for each in form.element.all("button") if each["formaction"])
    fields = {name: values[0] for name, values in form.values.items() if values}
    page = desk.post(button["formaction"], {**fields, "attachments": (io.BytesIO(jpeg()), "চিঠি.jpg")})
    assert how_many(session, DraftFile) == 1
    (form,) = (each for each in page.forms() if each.url.endswith("/discard"))
    assert not desk.submit(form).links("draft=") and how_many(session, DraftFile) == how_many(session, Draft) == 0


def test_a_form_with_faults_is_kept_and_nothing_else(desk: Citizen, session: Session) -> None:
    page = file(desk, phone="0171", programme="")
    assert page.status == 422 and how_many(session, Case) == 0 and how_many(session, Submission) == 0
    (draft,) = drafts_of(session, "desk.dhaka")
    assert draft.fields["phone"] == "0171" and draft.fields["details"] == PAPER["details"]
    assert not page.links("draft="), "the form being shown is not listed below itself"


def test_what_the_page_kept_outlives_the_session(app: Flask, desk: Citizen, session: Session) -> None:
    note = 'প্রথম লাইন\r\nদ্বিতীয় <b>&amp; "লাইন" ' + "ক" * 300
    form = desk.get(DESK).form("medium").fill(details=note, name="আমেনা")
    assert put_aside(desk, form, auto="1").status == 204
    desk.client.delete_cookie("grm_session")
    again = signed_in(app, "desk.dhaka")
    (link,) = again.get(DESK).links("draft=")
    assert again.get(link).form("medium").values["details"] == [note], "byte for byte"


def test_an_anonymous_draft_holds_no_name(desk: Citizen, session: Session) -> None:
    form = desk.get(DESK).form("medium").fill(**PAPER).fill(anonymous=True)
    put_aside(desk, form)
    (draft,) = drafts_of(session, "desk.dhaka")
    assert draft.fields["details"] == PAPER["details"] and not {"name", "phone"} & set(draft.fields)


def test_a_receipt_is_printed_again_whole_for_half_an_hour_and_in_its_session_only(
    app: Flask, desk: Citizen, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, secret = codes_of(file(desk))
    (link,) = desk.get(DESK).links("/desk/receipts/")
    assert codes_of(desk.get(link)) == [number, secret]
    elsewhere = signed_in(app, "desk.dhaka").get(link)
    assert codes_of(elsewhere) == [number] and "দ্বিতীয় মুদ্রণ" in elsewhere.text
    assert signed_in(app, "gro.social-welfare").get(link).status == 404
    monkeypatch.setattr(desk_receipts, "SHOWS_SECRET", timedelta(0))
    assert codes_of(desk.get(link)) == [number]
    stored = session.scalars(select(StaffSession.data)).all()
    assert secret not in str(stored), "the session holds no secret"


def test_the_receipt_of_a_sensitive_case_shows_once_to_who_took_it_down(app: Flask, desk: Citizen) -> None:
    receipt = file(desk, category="bribe-demand")
    assert len(codes_of(receipt)) == 2 and receipt.status == 200
    assert codes_of(desk.get(receipt.url)) == codes_of(receipt), "the page may be loaded again"
    assert signed_in(app, "desk.dhaka").get(receipt.url).status == 404


def test_two_hundred_a_day_are_listed_in_pages(desk: Citizen, session: Session) -> None:
    mine = {"filed_by_id": build.officer_id(session, "desk.dhaka"), "channel": "paper"}
    mine["filed_by_office_id"] = directory(session).office("dc-3026").id
    today = dhaka_date(now(session))
    noon = build.dhaka(today.year, today.month, today.day, 12)
    for number in range(110):
        build.case(session, filed_at=noon, is_anonymous=number == 109, **mine)
    build.case(session, filed_at=noon - timedelta(days=1), **mine)
    session.commit()
    shown = {f"/cases/{number}" for number in session.scalars(select(Case.tracking_number))}
    assert bangla_digits("110") in desk.get(DESK).text and len(desk.get(DESK).links("/cases/")) == 10
    pages = [desk.get("/desk/filed")]
    while len(pages) < 3:
        pages.append(desk.get(pages[-1].link("এই দিনের আগেরগুলো")))
    seen = [link.removeprefix("http://localhost") for page in pages for link in page.links("/cases/")]
    assert "এই দিনের আগেরগুলো" not in pages[-1].text
    assert len(seen) == 110 and set(seen) < shown
    first = next(desk.get("/desk/filed").document.first("tbody").all("tr")).text
    assert not re.search("[০-৯]:[০-৯]", first), "an anonymous one shows no hour"
    assert len(desk.get(f"/desk/filed?on={today - timedelta(days=1)}").links("/cases/")) == 1
    for odd in ("x", "2999-01-01", "", "৩২/১৩/২০২৬"):
        assert desk.get(f"/desk/filed?on={odd}&before={odd}").status == 200


def test_the_scan_of_a_paper_goes_with_it_and_a_bad_one_costs_no_word(
    desk: Citizen, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scan(data: bytes, name: str) -> tuple[io.BytesIO, str]:
        return io.BytesIO(data), name

    form = desk.get(DESK).form("medium").fill(**PAPER)
    fields = {name: values[0] for name, values in form.values.items() if values}
    page = desk.post(DESK, {**fields, "attachments": scan(b"<svg onload=alert(1)>", "চিঠি.jpg")})
    assert page.status == 422 and "চিঠি.jpg" in page.text and how_many(session, Case) == 0
    assert page.form("medium").values["details"] == [PAPER["details"]]
    too_large = desk.post(DESK, {**fields, "attachments": scan(bytes(23 * 1024 * 1024), "বড়.pdf")})
    assert too_large.status == 413 and too_large.form("medium").values["name"] == [PAPER["name"]]
    real, first = draft_files.take, list[Page]()

    def take_after_the_other_post(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(draft_files, "take", real)
        first.append(desk.post(DESK, {**fields, "attachments": scan(jpeg(), "চিঠি.jpg")}))
        return real(*given, **more)

    monkeypatch.setattr(draft_files, "take", take_after_the_other_post)  # the button was pressed twice
    receipt = desk.post(DESK, {**fields, "attachments": scan(jpeg(), "চিঠি.jpg")})
    assert len(codes_of(receipt)) == 2 and codes_of(receipt) == codes_of(first[0])
    assert session.scalars(select(Attachment.case_id)).all() == [the_case(session).id]
