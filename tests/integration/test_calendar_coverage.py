"""The list of holidays runs out: banners say so and what to do, and the administrators are reminded once a day."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.deadlines import queries
from grm.deadlines.announcements import announce
from grm.deadlines.calendar import Calendar
from grm.deadlines.coverage import coverage, coverage_of
from grm.kernel import clock
from grm.kernel.actor import SYSTEM
from grm.notifications import rendering
from grm.notifications.calendar_alarm import tell_administrators
from grm.notifications.catalogue import CALENDAR_SHORT, entry_of
from grm.notifications.models import Message
from grm.notifications.tasks import remind_of_calendar
from tests.support import build

LAST = date(2026, 12, 31)
SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    """Sign officers in, each with a browser of their own."""

    def enter(username: str) -> FlaskClient:
        client = app.test_client()
        found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login?lang=en").text)
        assert found
        token = unescape(found[1])
        answer = client.post("/login", data={"csrf_token": token, "username": username, "password": "demo"})
        assert answer.status_code == 303, answer.text
        return client

    return enter


def cover(session: Session, until: date) -> None:
    announce(session, {}, "Gazette", SYSTEM, clock.now(session), covers_until=until, allow_fewer=True)
    session.commit()


def test_sixty_working_days_are_enough_and_fifty_nine_are_not() -> None:
    calendar = Calendar(1, ((date(2005, 1, 1), frozenset({4, 5})),), {}, LAST)
    sixty_before = calendar.add_working_days(LAST + timedelta(days=1), -60) - timedelta(days=1)
    assert not coverage_of(calendar, sixty_before).is_short
    following = calendar.next_working_day(sixty_before + timedelta(days=1))
    assert (coverage_of(calendar, following).missing, coverage_of(calendar, following).is_short) == (1, True)
    assert coverage_of(calendar, LAST).missing == 60


def test_the_administrators_are_reminded_once_a_day_until_the_list_is_there(app: Flask, session: Session) -> None:
    administrators = session.scalars(select(Officer.id).where(Officer.is_admin, Officer.email.is_not(None))).all()
    assert administrators
    session.rollback()
    morning = build.dhaka(2026, 12, 1, 8)
    assert tell_administrators(morning) == len(administrators)
    assert tell_administrators(morning + timedelta(hours=15)) == 0
    assert tell_administrators(morning + timedelta(hours=16)) == len(administrators), "it is the next day in Dhaka"
    told = session.scalars(select(Message).order_by(Message.id)).all()
    assert {message.officer_id for message in told} == set(administrators)
    for language, words in (("bn", "৩১ ডিসেম্বর ২০২৬"), ("en", "31 December 2026")):
        text = rendering.render(entry_of(CALENDAR_SHORT), "email", language, told[0].params, "https://grm.example")
        assert words in text.body and "https://grm.example/admin" in text.body
    session.rollback()
    cover(session, date(2027, 12, 31))
    assert tell_administrators(morning + timedelta(days=5)) == 0


def test_the_tick_asks_the_databases_clock(app: Flask, session: Session) -> None:
    is_short = coverage(session, clock.dhaka_date(clock.now(session))).is_short
    session.rollback()
    remind_of_calendar()
    assert bool(session.scalars(select(Message.id)).all()) == is_short


@pytest.mark.parametrize(
    ("who", "path", "is_told", "words"),
    [
        ("cabinet", "/reports", True, "ask the system administrator"),
        ("admin", "/admin", True, "calendar import FILE.csv"),
        ("gro.social-welfare", "/reports", False, ""),
    ],
)
def test_banners_say_what_to_do(
    session: Session, sign_in: SignIn, who: str, path: str, is_told: bool, words: str
) -> None:
    today = clock.dhaka_date(clock.now(session))
    session.rollback()
    if not coverage(session, today).is_short:
        pytest.skip("the seeded calendar reaches far enough today")
    page = sign_in(who).get(f"{path}?lang=en")
    assert page.status_code == 200
    assert ("The calendar is not complete" in page.text) == is_told
    assert words in page.text
    cover(session, today + timedelta(days=365))
    session.rollback()
    assert queries.calendar(session).coverage_gap(today) == 0
    assert "The calendar is not complete" not in sign_in(who).get(f"{path}?lang=en").text
