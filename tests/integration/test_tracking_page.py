"""The tracking page after a decision, and after the silence that stands for none: what the complainant may still do, in words
of theirs, and that nothing typed is lost."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import appeals, investigations, service, tracking
from grm.cases.models import Case, CaseEvent
from grm.escalation.sweep import sweep
from grm.kernel import clock
from grm.kernel.actor import Actor, complainant
from tests.support import build
from tests.support.web import Element, parse

WORDS = "<b>টাকা</b> এখনো পাইনি {{7*7}}"
ANSWER: dict[str, Any] = {
    "outcome": "answered",
    "reply": "আপনার ভাতা আবার চালু হয়েছে এবং বকেয়া পাঠানো হয়েছে।",
    "root_cause": "হিসাব নম্বর ভুল ছিল",
    "prevention": "নম্বর মিলিয়ে নেওয়া",
    "contact": "spoke",
}


@pytest.fixture
def gro(session: Session) -> Actor:
    return build.actor(session, "gro.social-welfare")


def made(session: Session, days_ago: int = 10, **columns: Any) -> Case:
    row = build.case(session, filed_at=clock.now(session) - timedelta(days=days_ago), **columns)
    session.commit()
    return row


class Follower:
    """The complainant with the page open."""

    def __init__(self, app: Flask, session: Session, row: Case) -> None:
        self.client: FlaskClient = app.test_client()
        self.view = tracking.view_token(row.tracking_number, clock.now(session))
        session.rollback()
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/track?lang=en").text)
        assert found
        self.token = unescape(found[1])

    def send(self, action: str, version: int | str = "", **fields: str) -> Any:
        data = {"csrf_token": self.token, "view": self.view, "version": str(version), "action": action, **fields}
        return self.client.post("/track", data=data)

    def look(self) -> Element:
        """The page as it stands."""
        return parse(self.send("none").text).first("main")


def offered(page: Element) -> set[str]:
    return {field["value"] for field in page.all("input") if field["name"] == "action"}


def kinds(session: Session, row: Case) -> list[str]:
    session.rollback()
    return list(session.scalars(select(CaseEvent.kind).where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq)))


def test_after_an_answer_the_page_says_until_when_one_may_object(app: Flask, session: Session, gro: Actor) -> None:
    row = made(session)
    service.resolve_case(gro, row.tracking_number, None, **ANSWER)
    page = Follower(app, session, row).look()
    assert offered(page) == {"contest", "appeal", "rate"}
    assert "If the answer does not solve your problem, say so by" in page.text
    assert "It goes to: Ministry of Social Welfare – Appeal officer" in page.text


def test_saying_that_it_is_not_solved(app: Flask, session: Session, gro: Actor) -> None:
    row = made(session)
    service.resolve_case(gro, row.tracking_number, None, **ANSWER)
    me = Follower(app, session, row)
    empty = me.send("contest", 2, not_solved="  ")
    assert empty.status_code == 422 and "Please write something" in parse(empty.text).first("main").text
    done = me.send("contest", 2, not_solved=WORDS)
    page = parse(done.text).first("main")
    assert done.status_code == 200 and "A higher officer has your complaint now" in page.text
    assert "A higher officer has your complaint and will look at it anew." in page.text
    assert WORDS in page.text and WORDS not in done.text
    assert "answer by" in page.text and offered(page) == {"add_information", "withdraw"}
    again = me.send("contest", 2, not_solved=WORDS)
    assert again.status_code == 200
    assert kinds(session, row).count("contested") == 1


def test_silence_may_be_appealed_without_a_word_and_a_second_press_does_nothing(app: Flask, session: Session) -> None:
    row = made(session, days_ago=90)
    me = Follower(app, session, row)
    page = me.look()
    assert offered(page) == {"appeal", "escalate", "add_information", "withdraw"}
    assert "The date has passed without a decision, so you may appeal now." in page.text
    assert me.send("appeal", 1, grounds="").status_code == 200
    assert me.send("appeal", 1, grounds="").status_code == 200
    assert kinds(session, row).count("appealed") == 1


def test_who_is_in_time_has_nothing_to_appeal_and_keeps_what_was_typed(app: Flask, session: Session) -> None:
    row = made(session)
    me = Follower(app, session, row)
    assert offered(me.look()) == {"add_information", "withdraw"}
    refused = me.send("appeal", 1, grounds=WORDS)
    assert refused.status_code == 409 and "This is not possible any more" in parse(refused.text).first("main").text
    assert kinds(session, row) == ["filed"]


def test_words_are_kept_when_the_page_has_closed(app: Flask, session: Session, gro: Actor) -> None:
    row = made(session)
    service.resolve_case(gro, row.tracking_number, None, **ANSWER)
    me = Follower(app, session, row)
    me.view = "forged"
    for action, field in (("contest", "not_solved"), ("appeal", "grounds")):
        closed = me.send(action, 2, **{field: WORDS})
        page = parse(closed.text)
        assert closed.status_code == 400 and WORDS in page.first("main").text
        assert [each["value"] for each in page.all("input") if each["name"] == field] == [WORDS]


def test_what_the_cell_recommends_can_be_read_and_followed(app: Flask, session: Session, gro: Actor) -> None:
    row = made(session)
    number, me = row.tracking_number, complainant(row.tracking_number)
    service.resolve_case(gro, number, None, **ANSWER)
    appeals.appeal_case(me, number, WORDS)
    service.resolve_case(build.actor(session, "appeal.social-welfare"), number, None, **ANSWER)
    appeals.appeal_case(me, number, WORDS)
    advice = "বকেয়া ভাতা সাত দিনের মধ্যে পরিশোধ করুন।"
    appeals.recommend_case(build.actor(session, "cabinet"), number, None, **ANSWER, recommendation=advice)
    page = Follower(app, session, row).look()
    assert "The Cabinet Division has decided. The ministry now carries it out." in page.text
    assert advice in page.text and "To be carried out by" in page.text
    assert ANSWER["root_cause"] not in page.text
    appeals.comply_case(build.actor(session, "appeal.social-welfare"), number, None, "সব বকেয়া পরিশোধ করা হয়েছে আজ।")
    page = Follower(app, session, row).look()
    assert "সব বকেয়া পরিশোধ করা হয়েছে আজ।" in page.text and offered(page) == {"contest", "rate"}


def test_the_offices_own_affairs_stay_off_the_page(app: Flask, session: Session, gro: Actor) -> None:
    row = made(session)
    number = row.tracking_number
    service.claim_case(gro, number, None)
    investigations.start_investigation(gro, number, None, [gro.officer_id], "চিঠি ৪৫")
    appeal = build.actor(session, "appeal.social-welfare")
    session.rollback()
    investigations.permit_investigation(appeal, number, None, "approve", "চিঠি ৪৬")
    investigations.request_extension(gro, number, None, "ব্যাংকের চিঠি আসেনি")
    sweep(build.deadline(session, row.id, "investigate").due_at)
    page = Follower(app, session, row).look()
    assert "The matter is being investigated" in page.text
    for hidden in ("চিঠি ৪৫", "চিঠি ৪৬", "Permission", "ব্যাংকের চিঠি আসেনি", "risen to a higher level", "Extension"):
        assert hidden not in page.text
    appeal = build.actor(session, "appeal.social-welfare")
    investigations.decide_extension(appeal, number, None, "approve")
    assert "because the matter is being investigated" in Follower(app, session, row).look().text
