"""Why this date: for officers in full, for the complainant in plain words; and with whom the days lay."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from grm.cases import public_status, why
from grm.cases import service as cases
from grm.cases.models import Case
from grm.deadlines import queries
from grm.deadlines import service as deadlines
from grm.deadlines.announcements import announce
from grm.deadlines.calendar import Day, dhaka_date
from grm.deadlines.models import CalendarEdition
from grm.escalation.redating import redate_open
from grm.kernel import clock
from grm.kernel.actor import SYSTEM, complainant
from grm.offices import edition
from grm.offices.queries import directory
from grm.web.locale import speaking
from tests.support import build

OfficerPage = Callable[[str, str], str]


@pytest.fixture
def page_of(app: Flask) -> OfficerPage:
    """A page as an officer sees it, signed in through the form."""

    def get(username: str, path: str) -> str:
        client: FlaskClient = app.test_client()
        found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login?lang=en").text)
        assert found
        fields = {"csrf_token": unescape(found[1]), "username": username, "password": "demo"}
        assert client.post("/login", data=fields).status_code == 303
        answer = client.get(path)
        assert answer.status_code == 200, answer.text[:500]
        return answer.text

    return get


def moved_case(session: Session) -> tuple[Case, date, date, date]:
    """A case filed a while ago, asked about, extended and moved by a late holiday: before, the holiday, after."""
    calendar = queries.calendar(session)
    today = dhaka_date(clock.now(session))
    filed_on = calendar.add_working_days(today, -6)
    filed_at = build.dhaka(filed_on.year, filed_on.month, filed_on.day)
    row = build.case(session, filed_at=filed_at)
    session.commit()
    gro = build.actor(session, "gro.social-welfare", today)
    session.rollback()
    number = row.tracking_number
    asked_on = calendar.add_working_days(filed_on, 2)
    asked_at = build.dhaka(asked_on.year, asked_on.month, asked_on.day)
    cases.claim_case(gro, number, None, now=filed_at + timedelta(hours=2))
    cases.ask_complainant(gro, number, None, "কোন মাস থেকে?", now=asked_at)
    cases.answer_question(complainant(number), number, "জুন থেকে", now=asked_at + timedelta(days=2))
    found = build.deadline(session, row.id)
    deadlines.extend(session, found, 10, clock.now(session))
    session.commit()
    session.refresh(row)
    session.execute(update(Case).where(Case.id == row.id).values(due_on=found.due_on, due_at=found.due_at))
    before = found.due_on
    holiday = calendar.add_working_days(today, 3)
    announce(
        session,
        {holiday: Day("holiday", "বিশেষ ছুটি", "Special holiday", "Order 7")},
        "Order 7",
        SYSTEM,
        clock.now(session),
    )
    session.commit()
    redate_open()
    session.rollback()
    after = build.deadline(session, row.id).due_on
    assert after > before
    return row, before, holiday, after


def test_the_officers_page_shows_every_clock_its_moves_and_whose_days_they_were(
    session: Session, page_of: OfficerPage
) -> None:
    row, before, holiday, after = moved_case(session)
    session.rollback()
    page = page_of("gro.social-welfare", f"/cases/{row.tracking_number}/why?lang=en")
    text = re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))
    for kind in ("First look", "Decision"):
        assert f"{kind}: due on" in text
    assert f"{before.day} {before:%B %Y} became {after.day} {after:%B %Y}" in text
    assert f"{holiday.day} {holiday:%B %Y} became a holiday (Special holiday)" in text and "Order 7" in text
    assert "Extended by 10 working days" in text
    assert "With whom the days lay" in text and "The complainant: the clock stood still" in text
    assert "The sum of the days is not" not in text


def test_the_parts_sum_to_the_days_since_the_filing(session: Session) -> None:
    row, *_ = moved_case(session)
    now = clock.now(session)
    found = why.load(session, session.get_one(Case, row.id), now)
    assert sum(each.days for each in found.charged.charges) == found.charged.days
    assert found.charged.days == (dhaka_date(now) - dhaka_date(row.filed_at)).days
    with speaking("en"):
        words = {why.holder_in_words(each.holder, found.officers, directory(session)) for each in found.charged.charges}
    assert any("clock stood still" in word for word in words) and any("Grievance redress" in word for word in words)


@pytest.mark.parametrize("language", ["bn", "en"])
def test_the_complainant_reads_why_in_plain_words(app: Flask, session: Session, language: str) -> None:
    row, before, holiday, after = moved_case(session)
    with app.test_request_context(), speaking(language):
        status = public_status.status_of(session, row.tracking_number, clock.now(session))
        said = " ".join(status.why)
    expected = {
        "en": [
            "The time allowed is 30 working days",
            "It was extended by 10 working days, because the complaint is being investigated.",
            "weekly days off:",
            "(Friday, Saturday)",
            "days of waiting for your answer: 2",
            f"the date moved from {before.day} {before:%B %Y} to {after.day} {after:%B %Y}",
            f"{holiday.day} {holiday:%B %Y} became a holiday (Special holiday)",
            f"So the last day is {after.day} {after:%B %Y}.",
        ],
        "bn": [
            "নির্ধারিত সময় ৩০ কর্মদিবস",
            "১০ কর্মদিবস বাড়ানো হয়েছে",
            "(শুক্রবার, শনিবার)",
            "আপনার উত্তরের অপেক্ষায় ২ দিন",
            "(বিশেষ ছুটি)",
        ],
    }[language]
    for words in expected:
        assert words in said
    assert "Order 7" not in said, "whose order it was is the office's affair"


def test_a_provisional_date_is_said_to_be_so(app: Flask, session: Session, page_of: OfficerPage) -> None:
    covered = queries.calendar(session).covered_until
    row = build.case(session, filed_at=clock.now(session))
    session.commit()
    is_provisional = build.deadline(session, row.id).is_provisional
    if not is_provisional:  # the calendar reaches further than this case: announce less
        session.execute(update(CalendarEdition).values(covered_until=dhaka_date(clock.now(session))))
        edition.bump(session)
        row = build.case(session, filed_at=clock.now(session))
        session.commit()
        covered = dhaka_date(clock.now(session))
    with app.test_request_context(), speaking("en"):
        status = public_status.status_of(session, row.tracking_number, clock.now(session))
    assert status.is_provisional
    assert f"announced only until {covered.day} {covered:%B %Y}." in status.why[-1]
    session.rollback()
    assert "Provisional" in page_of("gro.social-welfare", f"/cases/{row.tracking_number}?lang=en")
