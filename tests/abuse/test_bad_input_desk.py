"""Bad input at the desk: the officer gets the page back as typed, with each fault beside its field; nothing is stored but the
draft. One screening serves both forms; this asks that the desk’s page does its part."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from grm.cases.models import Case, CaseEvent, Complainant
from grm.cases.queries import people_of
from grm.intake.facts import CORRECTION_FIELDS
from grm.intake.forms import DESK_FIELDS
from grm.intake.models import Draft, Submission
from grm.kernel import context
from grm.notifications.models import Message
from tests.support.citizen import Citizen, codes_of, errors_of, how_many, the_case
from tests.support.web import Page

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
CANARY = "\"'></textarea></select><script src=//evil.example></script><b onclick=alert(1)>{{7*7}}"


@pytest.fixture
def desk(app: Flask) -> Citizen:
    officer = Citizen(app)
    officer.submit(officer.get("/login").form("username").fill(username="desk.dhaka", password="demo"))
    return officer


def tokens(desk: Citizen) -> dict[str, str]:
    """The hidden fields of a new form."""
    values = desk.get(DESK).form("medium").values
    return {name: values[name][0] for name in ("csrf_token", "draft")}


def post(desk: Citizen, **changes: str) -> Page:
    """Send the page as any client may."""
    return desk.post(DESK, {**tokens(desk), **PAPER, **changes})


def refused(desk: Citizen, session: Session, **changes: str) -> Page:
    """What is wrong comes back with all that was typed, and nothing is stored but the draft."""
    page = post(desk, **changes)
    assert page.status == 422 and codes_of(page) == [], (page.status, page.text[:300])
    form, typed = page.form("medium"), {**PAPER, **changes}
    for name, value in typed.items():
        if not form.choices(name):  # a choice that is not offered cannot be shown
            assert form.values[name] == [value.replace("\r\n", "\n").replace("\n", "\r\n")], name
    summary = next(box for box in page.document.all("div") if "error-summary" in box["class"])
    assert "autofocus" in summary.attributes
    for model in (Case, Submission, CaseEvent, Complainant, Message):
        assert how_many(session, model) == 0, model
    assert how_many(session, Draft) == 1
    assert "Traceback" not in page.html and "psycopg" not in page.html
    return page


@pytest.mark.parametrize("blank", ["", " \t ", "\u200b\u200e\u2060\ufeff", "\u00a0\n\u200c"])
def test_text_with_nothing_to_read(desk: Citizen, session: Session, blank: str) -> None:
    assert errors_of(refused(desk, session, details=blank)) == {"details": "সমস্যাটি লিখুন"}


def test_text_of_20001_characters_comes_back_whole(desk: Citizen, session: Session) -> None:
    page = refused(desk, session, details="অভিযোগ " * 2857 + "শেষ")
    assert "২০,০০২" in errors_of(page)["details"]


@pytest.mark.parametrize("phone", ["01212345678", "029512345", "৩৩৩", "+15005550006", "00447700900123", "9" * 5000])
def test_numbers_that_get_no_sms(desk: Citizen, session: Session, phone: str) -> None:
    page = refused(desk, session, phone=phone, others=f"সালমা {phone}, 12345")
    assert set(errors_of(page)) == {"phone", "others"} and "০১৩ থেকে ০১৯" in errors_of(page)["phone"]


def test_every_way_of_writing_numbers_and_days_is_read(desk: Citizen, session: Session) -> None:
    several = "সালমা +৮৮০১৭১২৩৪৫৬৭৮\nজমিলা ০১৭১২-৩৪৫৬৭৮"
    page = post(desk, phone="０１７１２３４５６７８", others=several, incident_on="০১.০১.২০২৬", taka_received="১,৫০০/-")
    assert len(codes_of(page)) == 2, page.text
    case = the_case(session)
    assert {each.phone for each in people_of(session, case, context.keyring())} == {"+8801712345678"}
    assert case.incident_on is not None and case.incident_on.isoformat() == "2026-01-01"
    assert how_many(session, Message) == 1


PARSED = frozenset({"email", "phone", "name", "others", "programme_words", "incident_on", "taka_received", "details"})
"""What is read by more than a look into a list, each in another way."""


def test_no_field_stumbles_over_a_nul_byte_or_a_hundred_kilobytes(desk: Citizen, session: Session) -> None:
    hidden = tokens(desk)
    for name in {*DESK_FIELDS} - {"anonymous", "on_behalf"}:
        more: dict[str, Any] = {"programme": "unknown"} if name == "programme_words" else {"on_behalf": "1"}
        more["category"] = "data-correction" if name in CORRECTION_FIELDS else "payment-not-received"
        for typed in ("a\x00b", *(["a@" * 50_000] if name in PARSED else ())):
            page = desk.post(DESK, {**hidden, **PAPER, **more, name: typed})
            assert (page.status, set(errors_of(page))) == (422, {name}), (name, page.status, errors_of(page))
    assert how_many(session, Case) == 0


@pytest.mark.parametrize("email", ["a@b", "a b@example.org", "x" * 300 + "@example.org", "a@[127.0.0.1]"])
def test_addresses_that_get_no_mail(desk: Citizen, session: Session, email: str) -> None:
    assert set(errors_of(refused(desk, session, email=email))) == {"email"}


def test_invalid_utf8_is_kept_as_typed_or_refused(desk: Citizen, session: Session) -> None:
    fields = {**tokens(desk), **PAPER}
    body = "&".join(f"{name}={value}" for name, value in fields.items() if value.isascii()).encode() + b"&details="
    kind = "application/x-www-form-urlencoded"
    assert desk.post(DESK, body + b"\xff\xfe", content_type=kind).status == 400
    assert desk.get(DESK + "?draft=%ff%fe&kept=%00").status == 200
    assert len(codes_of(desk.post(DESK, body + b"%FF%E0%A6", content_type=kind))) == 2
    assert the_case(session).details == "%FF%E0%A6"


def test_odd_text_is_kept_and_a_tag_is_text(desk: Citizen, session: Session) -> None:
    odd = f"{CANARY} ক্ষ্ম\u200dক\u200c 👩‍👩‍👧 %s %(x)s ${{7*7}} '; DROP TABLE cases; -- " + "ক" + "\u09be" * 5000
    texts = dict.fromkeys(("place", "name", "representative_name", "account_note", "others"), CANARY)
    page = post(desk, **texts, details=odd, phone="bad", programme="", programme_words=CANARY)
    assert page.status == 422 and page.form("medium").values["details"] == [odd]
    filed = post(desk, **texts, details=odd, phone="", programme="", programme_words=CANARY)
    assert len(codes_of(filed)) == 2
    assert the_case(session).details[:60] == odd[:60] and the_case(session).programme_words == CANARY
    for shown in (page, filed, desk.get(DESK), desk.get(f"/cases/{codes_of(filed)[0]}")):
        scripts = [script["src"] for script in shown.document.all("script")]
        assert all(source.startswith("/static/") for source in scripts) and shown.html.count("<script") == len(scripts)
        assert not any("onclick" in element.attributes for element in shown.document.all())


def test_a_name_that_several_programmes_go_by_is_asked_about(desk: Citizen, session: Session) -> None:
    page = refused(desk, session, programme="unknown", programme_words="চাল")
    form = page.form("medium")
    assert set(errors_of(page)) == {"programme"} and "food-friendly-programme" in form.choices("programme")
    assert len(codes_of(desk.submit(form.fill(programme="food-friendly-programme")))) == 2
    assert how_many(session, Draft) == 0


@pytest.mark.parametrize("token", ["", "x", "a" * 5000, "\x00", "WyJhIl0.aaaa.bbbb"])
def test_a_wrong_token_shows_the_filled_form_with_a_fresh_one(desk: Citizen, session: Session, token: str) -> None:
    page = post(desk, csrf_token=token)
    assert page.status == 400 and how_many(session, Case) == 0
    form = page.form("medium")
    assert form.values["details"] == [PAPER["details"]] and form.values["csrf_token"] != [token]
    assert len(codes_of(desk.submit(form))) == 2


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_form_on_somebody_elses_page_files_nothing(desk: Citizen, session: Session, headers: dict[str, str]) -> None:
    page = desk.post(DESK, {**tokens(desk), **PAPER}, headers=headers)
    assert page.status == 400 and how_many(session, Case) == 0


def test_pressed_again_reloaded_or_changed_it_is_one_case(desk: Citizen, session: Session) -> None:
    form = {**tokens(desk), **PAPER}
    first = codes_of(desk.post(DESK, form))
    for again in ({}, {"details": "অন্য কথা"}, {"details": " "}):
        assert codes_of(desk.post(DESK, {**form, **again})) == first and len(first) == 2
    assert how_many(session, Case) == 1 and the_case(session).details == PAPER["details"]
