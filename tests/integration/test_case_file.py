"""The printed file of a case: all of it, in order, in the reader's language, and no more than the reader may see."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from grm.cases import service
from grm.cases.models import CaseText
from grm.kernel.audit import AuditEntry
from grm.kernel.db import db
from tests.abuse.test_access import sign_in
from tests.support import build
from tests.support.web import Element, parse

REPLY = "আপনার বকেয়া ভাতা গত ১২ জানুয়ারি মোবাইল হিসাবে পাঠানো হয়েছে, ব্যাংক রসিদ যাচাই করা হয়েছে।"
NOTE = "সমাজসেবা কার্যালয়ে ফোন করা হয়েছে।"
CANARY = "<script>alert('x')</script> {{7*7}}"


@pytest.fixture
def number(session: Session) -> str:
    """A case with a note, an answer and a file."""
    gro = build.actor(session, "gro.social-welfare")
    made = build.case(session, assignee=gro.officer_id, details=CANARY)
    build.attachment(session, made, b"%PDF-1.7")
    session.commit()
    at = build.dhaka(2026, 1, 6)
    service.add_note(gro, made.tracking_number, None, NOTE, now=at)
    service.resolve_case(
        gro,
        made.tracking_number,
        None,
        outcome="service_given",
        reply=REPLY,
        root_cause="হিসাব নম্বর ভুল ছিল",
        prevention="নম্বর দুইবার যাচাই হবে",
        contact="spoke",
        now=at + timedelta(days=6),
    )
    session.rollback()
    return made.tracking_number


def file_of(app: Flask, role: str, number: str, language: str = "bn") -> Element:
    client = sign_in(app, role)
    client.get(f"/?lang={language}")
    answer = client.get(f"/cases/{number}/file")
    assert answer.status_code == 200
    return parse(answer.text).first("main")


def test_the_file_holds_everything_in_the_order_of_a_file(app: Flask, session: Session, number: str) -> None:
    shown = file_of(app, "gro", number)
    headings = [each.text for each in shown.all("h2")]
    assert headings == [
        *("অভিযোগের বিবরণ", "অভিযোগকারী", "সিদ্ধান্ত", "তারিখ ও সময়সীমা", "কার্যক্রমের ইতিহাস", "ফাইল", "বার্তা"),
    ]
    assert shown.first("h1").text == "অভিযোগ নথি"
    text = shown.text
    assert f"{number[:4]}-{number[4:8]}-{number[8:]}" in text and CANARY in text and "+৮৮০১৭১২৩৪৫৬৭৮" in text
    for word in (NOTE, REPLY, "হিসাব নম্বর ভুল ছিল", "১২ জানুয়ারি ২০২৬"):
        assert word in text, word
    entries = [int(each["value"]) for each in shown.all("li") if each["value"]]
    assert entries == list(range(1, len(entries) + 1)) and len(entries) >= 4
    assert any(len(cell.text) == 64 and set(cell.text) <= set("0123456789abcdef") for cell in shown.all("td"))
    assert not list(shown.all("form", "input", "textarea")), "a file is read, nothing is done with it"
    english = file_of(app, "gro", number, "en").text
    assert "Complaint file" in english and "12 January 2026" in english and REPLY in english
    assert "Resolved: Service or benefit given" in english


def test_it_shows_each_reader_what_the_page_of_the_case_would(app: Flask, session: Session, number: str) -> None:
    head = build.officer(session, "head.of-office", password_hash=build_hash())
    build.posting(session, build.post_id(session, build.office_id(session), "head"), head.id)
    session.commit()
    for role, sees_phone in (("gro", True), ("officer", True), ("cell", False), ("head", False)):
        text = file_of(app, role, number, "en").text
        assert ("+8801712345678" in text) is sees_phone, role
        assert NOTE in text
    hidden = build.case(session, desk="appeal", category="bribe-demand", is_anonymous=True, phone=None)
    session.commit()
    for role in ("gro", "other", "admin"):
        assert sign_in(app, role).get(f"/cases/{hidden.tracking_number}/file").status_code == 404
    text = file_of(app, "appeal", hidden.tracking_number, "en").text
    assert "Confidential" in text and "Anonymous" in text and ":00" not in text.split("Printed by")[0]
    seen = session.scalars(select(AuditEntry).where(AuditEntry.kind == "sensitive-case-viewed")).all()
    assert [each.data["tracking_number"] for each in seen] == [hidden.tracking_number]


def build_hash() -> str:
    from grm.accounts.passwords import hash_password

    return hash_password("demo")


def test_an_erased_text_is_said_to_be_erased_and_the_statements_are_few(
    app: Flask, session: Session, number: str
) -> None:
    session.execute(db.text("SET LOCAL session_replication_role = replica"))
    for row in session.scalars(select(CaseText).where(CaseText.field == "note")):
        row.body = None
    session.commit()
    client = sign_in(app, "gro")
    client.get(f"/cases/{number}/file")
    statements: list[str] = []
    event.listen(db.engine, "before_cursor_execute", lambda *found: statements.append(found[2]))
    answer = client.get(f"/cases/{number}/file?lang=en")
    assert "This text was erased." in answer.text and NOTE not in answer.text
    own = [each for each in statements if "staff_session" not in each and "officer.username" not in each]
    assert len(own) <= 8, own


def test_forms_from_memory_belong_to_their_page(app: Flask, session: Session, number: str) -> None:
    """The forms of a case page are written once for many pages: token, number and version are each page's own."""
    gro = build.actor(session, "gro.social-welfare")
    other = build.case(session, version=7, assignee=gro.officer_id)
    session.commit()
    tokens = set()
    for case, version in ((other.tracking_number, "7"), (number, "3"), (other.tracking_number, "7")):
        page = sign_in(app, "gro").get(f"/cases/{case}?lang=en")
        forms = list(parse(page.text).first("main").all("form"))
        assert len(forms) >= 3 and {each["action"] for each in forms} == {f"/cases/{case}"}
        values = {name: {f["value"] for f in parse(page.text).first("main").all("input") if f["name"] == name}
                  for name in ("version", "csrf_token")}  # fmt: skip
        assert values["version"] == {version} and len(values["csrf_token"]) == 1
        tokens |= values["csrf_token"]
        assert "\ue000" not in page.text
    assert len(tokens) == 3, "three sessions"
    client = sign_in(app, "gro")
    english = client.get(f"/cases/{other.tracking_number}?lang=en").text
    bangla = client.get(f"/cases/{other.tracking_number}?lang=bn").text
    assert "Attach files" in english and "ফাইল সংযুক্ত করুন" in bangla and "Attach files" not in bangla
