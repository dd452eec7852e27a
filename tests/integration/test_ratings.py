"""What complainants think of answers: 1 to 5, for the complaint and for the appeal, only by a post, changed while it may be."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from grm.cases import appeals, ratings, service
from grm.cases.models import Case
from grm.cases.ratings import satisfaction
from grm.cases.tracking_models import Rating
from grm.kernel import clock
from grm.kernel.actor import Actor, complainant
from grm.kernel.clock import dhaka_date
from grm.kernel.errors import IllegalAction, InvalidInput, NotFound
from tests.abuse.test_access import sign_in
from tests.integration.test_tracking_page import ANSWER, Follower, made, offered
from tests.support import build
from tests.support.web import parse


@pytest.fixture
def gro(session: Session) -> Actor:
    return build.actor(session, "gro.social-welfare")


def stars(session: Session, row: Case) -> list[tuple[str, int]]:
    session.rollback()
    statement = select(Rating.stage, Rating.stars).where(Rating.case_id == row.id).order_by(Rating.id)
    return [(stage, count) for stage, count in session.execute(statement)]


def rate(row: Case, count: int | None, comment: str = "", **more: Any) -> int:
    return ratings.rate_case(complainant(row.tracking_number), row.tracking_number, count, comment, **more)


def test_complaint_and_appeal_are_rated_apart_and_each_rating_can_be_changed(session: Session, gro: Actor) -> None:
    row = made(session)
    number = row.tracking_number
    with pytest.raises(IllegalAction, match="not-in-this-state"):
        rate(row, 5)
    service.resolve_case(gro, number, None, **ANSWER)
    assert (rate(row, 2, "কেউ ফোন করেনি"), rate(row, 2, "কেউ ফোন করেনি")) == (3, 3), "the same again is nothing new"
    rate(row, 1)
    assert stars(session, row) == [("complaint", 1)]
    appeals.appeal_case(complainant(number), number, "মানি না")
    with pytest.raises(IllegalAction):
        rate(row, 5)
    service.decline_case(build.actor(session, "appeal.social-welfare"), number, None, "before_court", ANSWER["reply"])
    rate(row, 4)
    assert stars(session, row) == [("complaint", 1), ("appeal", 4)]
    later = clock.now(session) + timedelta(days=60)
    session.rollback()
    rate(row, 5, now=later)  # nobody has told her yet: the time for an appeal has not begun
    day = dhaka_date(clock.now(session))
    decider = build.actor(session, "appeal.social-welfare")
    found = satisfaction(session, decider, day, day + timedelta(days=90))
    assert found["complaint"].counts == (1, 0, 0, 0, 0) and found["appeal"].mean == 5.0
    assert (found["appeal"].count, found["appeal"].satisfied) == (1, 1)
    elsewhere = satisfaction(session, build.actor(session, "gro.food"), day, day + timedelta(days=90))
    assert elsewhere["complaint"].count == 0 and elsewhere["complaint"].mean is None, "only what one may see"


def test_an_answer_is_rated_while_it_can_be_objected_to(session: Session, gro: Actor) -> None:
    row = made(session)
    service.resolve_case(gro, row.tracking_number, None, **ANSWER)  # spoken with: the month for an appeal runs
    until = build.deadline(session, row.id, "appeal_window").due_at
    session.rollback()
    rate(row, 3, now=until - timedelta(seconds=1))
    with pytest.raises(IllegalAction, match="window-over"):
        rate(row, 4, now=until)
    assert stars(session, row) == [("complaint", 3)]


@pytest.mark.parametrize(
    ("count", "comment", "field"),
    [(None, "", "stars"), (0, "", "stars"), (6, "", "stars"), (3, "x" * 1001, "comment"), (3, "a\x00b", "comment")],
)
def test_bad_ratings_are_refused(session: Session, gro: Actor, count: int | None, comment: str, field: str) -> None:
    row = made(session)
    service.resolve_case(gro, row.tracking_number, None, **ANSWER)
    with pytest.raises(InvalidInput) as caught:
        rate(row, count, comment)
    assert set(caught.value.fields) == {field} and stars(session, row) == []
    with pytest.raises(NotFound):
        ratings.rate_case(complainant("0000000000000"), row.tracking_number, 3)
    with pytest.raises(IllegalAction, match="not-your-part"):
        ratings.rate_case(gro, row.tracking_number, 3)


def test_the_database_knows_five_stars(session: Session) -> None:
    row = made(session)
    values = {"case_id": row.id, "stage": "complaint", "decision_seq": 2, "rated_at": row.filed_at, "desk": "gro"}
    session.add(Rating(**values, office_id=row.office_id, stars=6))
    with pytest.raises(IntegrityError, match="stars_in_range"):
        session.flush()


def test_the_page_asks_shows_and_changes_and_officers_read(app: Flask, session: Session, gro: Actor) -> None:
    row = made(session)
    service.resolve_case(gro, row.tracking_number, None, **ANSWER)
    me = Follower(app, session, row)
    me.client.get(f"/track?action=rate&stars=5&view={me.view}")
    assert stars(session, row) == [], "a link rates nothing"
    page = me.look()
    assert "rate" in offered(page) and "How good was the answer to your complaint?" in page.text
    empty = me.send("rate", 2, comment="<b>ভালো {{7*7}}")
    assert empty.status_code == 422 and "Choose one of the five" in parse(empty.text).first("main").text
    assert "<b>ভালো {{7*7}}" in parse(empty.text).first("main").text and stars(session, row) == []
    for _ in range(2):
        done = me.send("rate", 2, stars="4", comment="<b>ভালো {{7*7}}")
        assert done.status_code == 200
    page = parse(done.text).first("main")
    assert "Thank you." in page.text and "You rated the answer: 4 of 5" in page.text
    chosen = [each["value"] for each in page.all("input") if each["name"] == "stars" and "checked" in each.attributes]
    assert chosen == ["4"] and stars(session, row) == [("complaint", 4)]
    assert session.execute(select(func.count()).select_from(Rating)).scalar_one() == 1
    officer = sign_in(app, "gro").get(f"/cases/{row.tracking_number}?lang=en").text
    assert "4 of 5" in officer and "&lt;b&gt;ভালো {{7*7}}" in officer
