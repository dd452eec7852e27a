"""Limits against floods: waits instead of lock-outs, nothing typed lost, and nobody's way barred by a stranger."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.intake import limits, waiting
from grm.intake.models import Draft
from grm.intake.warnings import SENTENCES
from grm.kernel import clock
from grm.kernel.db import db
from grm.kernel.tracking_number import display
from grm.kernel.transaction import transaction
from grm.web import throttle
from grm.web.locale import gettext
from tests.support.citizen import COMPLAINT, FORM, Citizen, codes_of, how_many
from tests.support.web import Form, Page

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def now(session: Session) -> datetime:
    return clock.now(session)


# --- turns: for what costs money or bothers somebody ------------------------------------------------------------


def test_turns_are_a_minute_apart_and_five_a_day(session: Session, now: datetime) -> None:
    def ask(after: timedelta) -> int:
        return throttle.take_turn(session, "phone", now + after, MINUTE, 5, DAY)

    assert ask(timedelta()) == 0
    assert ask(timedelta(seconds=20)) == 41
    assert ask(timedelta(seconds=59)) == 2, "asking in vain has pushed nothing away"
    assert [ask(MINUTE * n) for n in (1, 2, 3, 4)] == [0, 0, 0, 0]
    assert ask(MINUTE * 5) == (DAY - MINUTE * 5).total_seconds() + 1
    assert ask(DAY) == 0, "a day after the first"


def test_of_many_at_once_one_gets_the_turn(app: Flask, session: Session, now: datetime) -> None:
    waits: list[int] = []
    barrier = threading.Barrier(8)

    def ask() -> None:
        with app.app_context():
            barrier.wait()
            with transaction(now) as act:
                waits.append(throttle.take_turn(act.session, "phone", now, MINUTE, 5, DAY))
            db.session.remove()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [0, *[61] * 7]


# --- filing: waits, and the helpline at the end of the day ------------------------------------------------------

QUIET = {"phone": "", "preferred_channel": "none"}
Make = Callable[..., Flask]


def when_ready(app: Flask, page: Page, kind: waiting.Kind = "filing") -> Form:
    """The form of a waiting page with the ticket that it has once the time is over."""
    form = page.form("ticket")
    with app.app_context():
        (draft,), now = form.values["draft"], clock.now(db.session())
        form.values["ticket"] = [waiting.ticket_for(kind, draft, now)]
    return form


def test_who_comes_after_many_waits_and_loses_nothing(make_app: Make, session: Session) -> None:
    app = make_app(filings_per_hour=3)
    citizen = Citizen(app, address="203.0.113.66")
    assert [citizen.file(**QUIET).status for _ in range(3)] == [200] * 3
    page = citizen.file(details="চতুর্থ\r\nঅভিযোগ", **QUIET)
    assert (page.status, page.headers["Retry-After"]) == (429, "20")
    assert page.heading == "একটু অপেক্ষা করুন" and "২০" in page.text and "কিছুই হারায়নি" in page.text
    assert (how_many(session, Case), how_many(session, Draft)) == (3, 1)
    assert "চতুর্থ" in citizen.get(f"{FORM}?step=2").form("details").values["details"][0], "the draft is kept, too"
    early = citizen.submit(page.form("ticket"))
    assert early.status == 429 and 15 <= int(early.headers["Retry-After"]) <= 20, "what is left of it, not a new wait"
    form = when_ready(app, early)
    assert form.values["details"][0].split() == ["চতুর্থ", "অভিযোগ"], "the post once more"
    assert len(codes_of(citizen.submit(form))) == 2
    other = Citizen(app, address="203.0.113.67")
    assert other.file().status == 200, "others are not concerned"


def test_a_ticket_is_for_one_form_one_hour_and_what_it_says(app: Flask, session: Session) -> None:
    now = clock.now(session).replace(microsecond=0)
    ticket = waiting.ticket_for("filing", "form", now + MINUTE)
    assert [waiting.seconds_left(ticket, kind, "form", now) for kind in ("filing", "post")] == [60, 60]
    assert waiting.seconds_left(ticket, "filing", "form", now + MINUTE) == 0
    assert waiting.seconds_left(ticket, "filing", "form", now + 61 * MINUTE) == 0
    middle = len(ticket) // 2  # of the last character not every bit counts
    forged = ticket[:middle] + ("B" if ticket[middle] == "A" else "A") + ticket[middle + 1 :]
    for wrong in (
        (ticket, "other", now),
        (ticket, "form", now + 62 * MINUTE),
        (forged, "form", now),
        ("অ", "form", now),
    ):
        assert waiting.seconds_left(wrong[0], "filing", *wrong[1:]) is None
    assert waiting.seconds_left(waiting.ticket_for("post", "form", now), "filing", "form", now) is None


def test_a_day_ends_with_the_helpline_and_the_text_to_copy(
    make_app: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HOURS_A_DAY", 2)
    citizen = Citizen(make_app(filings_per_hour=2), address="203.0.113.68")
    assert [citizen.file(**QUIET).status for _ in range(4)] == [200, 200, 429, 429]
    page = citizen.file(details="পঞ্চম অভিযোগ", **QUIET)
    assert page.status == 429 and "৩৩৩" in page.text and "পঞ্চম অভিযোগ" in page.text and "রাত ১২টা" in page.text
    assert 0 < int(page.headers["Retry-After"]) <= 24 * 3600
    assert how_many(session, Case) == 2


def test_posts_are_counted_too_and_a_foreign_form_gets_no_page_that_sends_itself(
    make_app: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "POSTS_PER_FILING", 1)
    app = make_app(filings_per_hour=1)
    citizen = Citizen(app, address="203.0.113.69")
    first = {"step": "1", "programme": "unknown", "category": "work-wage", "district": "unknown"}
    assert citizen.post(FORM, {**citizen.tokens(), **first}).status == 200
    page = citizen.post(FORM, {**citizen.tokens(), **first, "step": "২"})
    assert page.status == 429 and page.form("ticket").values["step"] == ["২"]
    page = citizen.submit(when_ready(app, page, "post"))
    assert page.status == 422 and page.form("details"), "it goes on where it was"
    foreign = citizen.post(FORM, {**citizen.tokens(), **COMPLAINT}, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status == 429 and "ticket" not in foreign.html
    heavy = Citizen(app, address="203.0.113.70")
    assert heavy.post(FORM, {**heavy.tokens(), **first, "step": "2", "details": "x" * 70_000}).status == 429, (
        "it weighs two"
    )


def test_officers_are_not_counted_by_their_address(make_app: Make, session: Session) -> None:
    app = make_app(filings_per_hour=1)
    office = "203.0.113.71"
    officers = [Citizen(app, address=office) for _ in range(2)]
    for officer, name in zip(officers, ("desk.dhaka", "gro.social-welfare"), strict=True):
        officer.submit(officer.get("/login").form("username").fill(username=name, password="demo"))
    assert [officer.file(**QUIET).status for officer in officers * 2] == [200] * 4
    visitor = Citizen(app, address=office)
    assert [visitor.file(**QUIET).status for _ in range(2)] == [200, 429]


def test_nobody_can_bar_the_way_of_a_phone_s_holder(
    make_app: Make, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PER_PHONE", 2)
    app = make_app(filings_per_hour=1000)
    for number in range(12):
        Citizen(app, address=f"203.0.113.{100 + number}").file(phone="01712999001")
    holder = Citizen(app, address="203.0.113.72")
    page = holder.file(phone="01712999001")
    assert page.status == 429 and int(page.headers["Retry-After"]) == limits.LONGEST_WAIT, "minutes, never a day"
    assert len(codes_of(holder.submit(when_ready(app, page)))) == 2


def test_all_processes_together_keep_count(session: Session) -> None:
    processes = [limits.LooseCount("test", timedelta(hours=1)) for _ in range(2)]
    now = datetime(2026, 3, 1, tzinfo=UTC)
    counts = [processes[number % 2].add(session, "somebody", now) for number in range(200)]
    admitted = sum(count <= 50 for count in counts)
    assert 50 <= admitted <= 50 + 2 * limits.REPORT_EVERY
    assert processes[0].add(session, "somebody", now + timedelta(hours=1)) == 1
    assert processes[0].add(session, "somebody else", now) == 1


# --- what one may not have meant to write -----------------------------------------------------------------------


def test_a_number_and_a_code_in_the_text_are_pointed_out_and_nothing_is_refused(app: Flask, session: Session) -> None:
    citizen = Citizen(app, address="203.0.113.140")
    _number, secret = codes_of(citizen.file())
    text = f"আমার এনআইডি ৫৫১২৩৪৫৬৭৮, আগের অভিযোগের কোড {display(secret)}।"
    page = citizen.post(FORM, {**citizen.tokens(), **COMPLAINT, "details": text, "step": "3"})
    assert page.status == 200 and page.form("declaration")
    with app.test_request_context("/"):
        said = [gettext(sentence) for sentence in SENTENCES.values()]
    assert all(each in page.text for each in said)
    assert len(codes_of(citizen.submit(page.form("declaration").fill(declaration=True), "send"))) == 2
    case = session.scalars(select(Case).order_by(Case.id.desc())).first()
    assert case is not None and case.details == text, "kept as it was typed"
    plain = citizen.post(FORM, {**citizen.tokens(), **COMPLAINT, "step": "3"})
    assert plain.form("declaration") and not any(each in plain.text for each in said)
