"""The same text many times: every one is taken, and officers are told, of those that they may see."""

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import repeats
from grm.cases.models import Case
from grm.cases.search_index import index_due
from grm.cases.search_terms import SHORTEST_TEXT, text_mark
from grm.kernel import context
from tests.support.citizen import Citizen, codes_of

TEXT = "ছয় মাস ধরে আমাদের গ্রামের কেউ বয়স্ক ভাতার টাকা পাই না, দ্রুত ব্যবস্থা নিন।"
SPACED = f"  {TEXT.replace(' ', '  ')}\r\n"
SHORT = "ভাতা পাইনি"


def signed_in(app: Flask, username: str) -> Citizen:
    officer = Citizen(app)
    officer.submit(officer.get("/login").form("username").fill(username=username, password="demo"))
    return officer


def said(officer: Citizen, number: str) -> str:
    return officer.get(f"/cases/{number}").html


def test_all_are_taken_and_officers_are_told_of_those_they_may_see(app: Flask, session: Session) -> None:
    def file(details: str, **changes: str) -> str:
        citizen = Citizen(app)
        number, _secret = codes_of(citizen.file(details=details, phone="", preferred_channel="none", **changes))
        return number

    numbers = [file(TEXT) for _ in range(2)]
    shorts = [file(SHORT) for _ in range(4)]
    hidden = file(TEXT, category="bribe-demand")
    index_due()
    gro = signed_in(app, "gro.social-welfare")
    assert "একই লেখা" not in said(gro, numbers[0]), "two of them: it happens, and the sensitive one is nobody's business"
    assert "একই লেখা" not in said(gro, shorts[0]), "many say the same few words"
    numbers.append(file(SPACED, anonymous="1"))
    index_due()
    for number in numbers:
        page = said(gro, number)
        assert "একই লেখা এক মাসের মধ্যে ৩ বার এসেছে" in page and f"/cases/{number}/links#similar" in page
    appeal = signed_in(app, "appeal.social-welfare")
    assert "একই লেখা এক মাসের মধ্যে ৪ বার এসেছে" in said(appeal, hidden), "who may see all four"
    old = session.scalars(select(Case).where(Case.tracking_number == numbers[1])).one()
    old.filed_at -= repeats.NEAR_IN_TIME * 2
    session.commit()
    assert "একই লেখা" not in said(gro, numbers[0])


def test_the_mark_of_a_text(app: Flask, session: Session) -> None:
    keyring = context.keyring()
    assert text_mark(keyring, TEXT) == text_mark(keyring, SPACED) != text_mark(keyring, TEXT + "!")
    assert text_mark(keyring, "১২ " * 20) == text_mark(keyring, "12 " * 20) is not None
    assert text_mark(keyring, "ক" * (SHORTEST_TEXT - 1)) is None
    assert TEXT[:5] not in str(text_mark(keyring, TEXT))


def test_a_flood_is_counted_no_further_than_needed(app: Flask) -> None:
    with app.test_request_context("/"):
        assert repeats.repeats_in_words(repeats.FEWEST - 1) == ""
        assert "৩ বার" in repeats.repeats_in_words(3) and "অন্তত ২০০ বার" in repeats.repeats_in_words(repeats.MOST)
