"""Closing well: replies are questioned before they are taken, visits are recorded, letters end nothing, answers are sent back."""

import re
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from grm.cases import appeals, closing, quality, service
from grm.cases.closing import Questioned
from grm.cases.closing_models import ReplyPrint
from grm.cases.models import Case, CaseEvent, CaseText
from grm.cases.public_status import status_of
from grm.deadlines.models import Deadline
from grm.kernel.actor import Actor, complainant
from grm.kernel.db import db
from grm.kernel.errors import IllegalAction, InvalidInput
from grm.notifications.models import Message
from tests.support import build
from tests.support.web import parse

FILED = build.dhaka(2026, 1, 4)
NOW = build.dhaka(2026, 1, 6, 11)
LATER = build.dhaka(2026, 1, 12, 11)
REPLY = "আপনার ভাতা আবার চালু হয়েছে এবং জানুয়ারি থেকে বকেয়া পাঠানো হয়েছে।"
NOTHING = "আপনার অভিযোগটি গৃহীত হয়েছে। প্রয়োজনীয় ব্যবস্থা নেওয়া হচ্ছে। ধন্যবাদ।"
ANSWER: dict[str, Any] = {
    "outcome": "service_given",
    "reply": REPLY,
    "root_cause": "হিসাব নম্বর ভুল ছিল",
    "prevention": "নম্বর মিলিয়ে নেওয়া",
    "contact": "spoke",
}
GRO = "gro.social-welfare"
APPEAL = "appeal.social-welfare"


@pytest.fixture
def gro(session: Session) -> Actor:
    return build.actor(session, GRO)


@pytest.fixture
def appeal(session: Session) -> Actor:
    return build.actor(session, APPEAL)


def made(session: Session, **columns: Any) -> Case:
    row = build.case(session, **{"filed_at": FILED, **columns})
    session.commit()
    return row


def fresh(session: Session, row: Case) -> Case:
    session.rollback()
    session.refresh(row)
    return row


def last_event(session: Session, row: Case, kind: str) -> CaseEvent:
    session.rollback()
    found = select(CaseEvent).where(CaseEvent.case_id == row.id, CaseEvent.kind == kind)
    return session.scalars(found.order_by(CaseEvent.seq.desc()).limit(1)).one()


def sent(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(Message.template).order_by(Message.id)))


# --- questions --------------------------------------------------------------------------------------------------------


def test_an_empty_reply_is_questioned_and_taken_when_confirmed(session: Session, gro: Actor) -> None:
    row = made(session)
    for confirmed in ((), ("language",)):
        with pytest.raises(Questioned) as caught:
            service.resolve_case(
                gro, row.tracking_number, 1, **{**ANSWER, "reply": NOTHING}, confirmed=confirmed, now=NOW
            )
        assert [each.code for each in caught.value.questions] == ["empty"] and set(caught.value.fields) == {"reply"}
    assert fresh(session, row).status == "filed" and session.scalars(select(ReplyPrint)).all() == []
    service.resolve_case(gro, row.tracking_number, 1, **{**ANSWER, "reply": NOTHING}, confirmed=("empty",), now=NOW)
    assert fresh(session, row).status == "resolved"
    assert last_event(session, row, "resolved").data["questioned"] == ["empty"]


def test_a_good_reply_raises_no_question_and_is_remembered(session: Session, gro: Actor) -> None:
    row = made(session)
    service.resolve_case(gro, row.tracking_number, 1, **ANSWER, confirmed=(), now=NOW)
    assert "questioned" not in last_event(session, row, "resolved").data
    kept = session.scalars(select(ReplyPrint)).one()
    assert (kept.case_id, kept.office_id, bytes(kept.fingerprint)) == (
        row.id,
        row.office_id,
        quality.remembered(REPLY).fingerprint,
    )


def test_the_same_words_again_are_noticed_in_the_office_and_only_there(session: Session, gro: Actor) -> None:
    first, second, own = made(session), made(session), made(session)
    there = made(session, office=build.office_id(session, "food"), programme="oms")
    service.resolve_case(gro, first.tracking_number, 1, **ANSWER, confirmed=(), now=NOW)
    nearly = {**ANSWER, "reply": REPLY.replace("।", "!!").replace("জানুয়ারি", "জানুয়ারি,")}
    with pytest.raises(Questioned) as caught:
        service.resolve_case(gro, second.tracking_number, 1, **nearly, confirmed=(), now=NOW)
    assert [each.code for each in caught.value.questions] == ["repeated"]
    # Nobody is there to be asked: it is taken, and the history says what would have been asked.
    service.resolve_case(gro, second.tracking_number, 1, **nearly, now=NOW)
    assert last_event(session, second, "resolved").data["questioned"] == ["repeated"]
    food = build.actor(session, "gro.food")
    service.resolve_case(food, there.tracking_number, 1, **ANSWER, confirmed=(), now=NOW)
    other = {**ANSWER, "reply": "উপজেলা সমাজসেবা অফিস ৩ ফেব্রুয়ারি মোবাইল নম্বরটি সংশোধন করেছে; পরের কিস্তি নতুন নম্বরে যাবে।"}
    service.resolve_case(gro, own.tracking_number, 1, **other, confirmed=(), now=NOW)
    appeals.appeal_case(complainant(own.tracking_number), own.tracking_number, "টাকা আসেনি", now=LATER)
    boss = build.actor(session, APPEAL)
    service.resolve_case(
        boss, own.tracking_number, None, **other, confirmed=(), now=LATER
    )  # the same case, not another


def test_declines_recommendations_and_reports_are_questioned_too(session: Session, gro: Actor, appeal: Actor) -> None:
    row = made(session)
    number, cell = row.tracking_number, build.actor(session, "cabinet")
    with pytest.raises(Questioned):
        service.decline_case(gro, number, 1, "before_court", NOTHING, confirmed=(), now=NOW)
    court = "বিষয়টি জেলা জজ আদালতে বিচারাধীন, রায়ের পর আবার আসতে পারেন।"
    service.decline_case(gro, number, 1, "before_court", court, confirmed=(), now=NOW)
    again = made(session)
    service.decline_case(gro, again.tracking_number, 1, "before_court", court, confirmed=(), now=NOW)  # the rule is one
    appeals.appeal_case(complainant(number), number, "মামলা নেই", now=LATER)
    service.resolve_case(appeal, number, None, **ANSWER, confirmed=(), now=LATER)
    appeals.appeal_case(complainant(number), number, "টাকা আসেনি", now=LATER)
    advice = "জুলাই থেকে বকেয়া পরিশোধ করে জানাতে হবে।"
    with pytest.raises(Questioned):
        appeals.recommend_case(
            cell, number, None, **{**ANSWER, "reply": NOTHING}, recommendation=advice, confirmed=(), now=LATER
        )
    appeals.recommend_case(cell, number, None, **ANSWER, recommendation=advice, confirmed=("repeated",), now=LATER)
    with pytest.raises(Questioned):
        appeals.comply_case(appeal, number, None, NOTHING, confirmed=(), now=LATER)
    done = "জুলাই থেকে ডিসেম্বরের ৩,৬০০ টাকা ১০ তারিখে পাঠানো হয়েছে।"
    appeals.comply_case(appeal, number, None, done, confirmed=(), now=LATER)


def test_one_statement_asks_for_earlier_replies_whatever_their_number(session: Session, gro: Actor) -> None:
    row, other = made(session), made(session)
    session.execute(
        text(
            "INSERT INTO reply_print (case_id, office_id, fingerprint, sketch)"
            " SELECT :c, :o, sha256(n::text::bytea), ARRAY[n] FROM generate_series(1, 3000) AS n"
        ),
        {"c": other.id, "o": row.office_id},
    )
    session.commit()
    seen: list[tuple[str, int]] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "FROM reply_print" in statement:
            seen.append((statement, cursor.rowcount))

    event.listen(db.engine, "after_cursor_execute", note)
    try:
        service.resolve_case(gro, row.tracking_number, 1, **ANSWER, confirmed=(), now=NOW)
    finally:
        event.remove(db.engine, "after_cursor_execute", note)
    assert len(seen) == 1 and seen[0][1] <= closing.LATEST_REPLIES + 1


# --- visits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("evidence", "faults"),
    [
        ({}, {"visit"}),
        ({"visited_on": date(2026, 1, 5)}, {"visit"}),
        ({"visit": "৩০ কেজির বদলে ২৫ কেজি মাপা হয়েছে"}, {"visited_on"}),
        ({"visited_on": date(2026, 1, 7), "visit": "ওজন কম ছিল"}, {"visited_on"}),  # tomorrow
        ({"visited_on": date(2026, 1, 3), "visit": "ওজন কম ছিল"}, {"visited_on"}),  # before the complaint was there
    ],
)
def test_some_matters_need_a_visit(session: Session, gro: Actor, evidence: dict[str, Any], faults: set[str]) -> None:
    row = made(session, category="food-entitlement")
    with pytest.raises(InvalidInput) as caught:
        service.resolve_case(gro, row.tracking_number, 1, **ANSWER, **evidence, now=NOW)
    assert set(caught.value.fields) == faults
    assert fresh(session, row).status == "filed"


def test_the_visit_or_why_there_was_none_is_on_record(session: Session, gro: Actor) -> None:
    went, stayed, plain = made(session, category="food-entitlement"), made(session, category="work-wage"), made(session)
    found = {"visited_on": date(2026, 1, 5), "visit": "ডিলারের দোকানে দাঁড়িপাল্লা কম দেখায়"}
    service.resolve_case(gro, went.tracking_number, 1, **ANSWER, **found, now=NOW)
    assert last_event(session, went, "resolved").data["visited_on"] == "2026-01-05"
    service.resolve_case(gro, stayed.tracking_number, 1, **ANSWER, no_visit="রাস্তা পানিতে ডুবে আছে", now=NOW)
    service.resolve_case(gro, plain.tracking_number, 1, **ANSWER, **found, now=NOW)  # not asked for, not kept
    session.rollback()
    texts = {
        (row.case_id, row.field): row.body
        for row in session.scalars(select(CaseText).where(CaseText.field.in_(("visit", "no_visit"))))
        if row.body
    }
    assert texts == {(went.id, "visit"): found["visit"], (stayed.id, "no_visit"): "রাস্তা পানিতে ডুবে আছে"}


# --- letters ----------------------------------------------------------------------------------------------------------


def test_a_letter_ends_nothing_and_is_announced(session: Session, gro: Actor) -> None:
    row = made(session)
    due_on = row.due_on
    letter = "উপজেলা অফিস থেকে কাগজ চাওয়া হয়েছে; ২০ জানুয়ারির মধ্যে আসবে।"
    with pytest.raises(Questioned) as caught:
        closing.write_to_complainant(gro, row.tracking_number, 1, NOTHING, confirmed=(), now=NOW)
    assert caught.value.field == "letter"
    closing.write_to_complainant(gro, row.tracking_number, 1, letter, confirmed=(), now=NOW)
    fresh(session, row)
    assert (row.status, row.due_on, row.ended_at, row.acknowledged_at) == ("acknowledged", due_on, None, NOW)
    assert sent(session) == ["case-written-complainant"]
    shown = status_of(session, row.tracking_number, NOW)
    assert shown.letter == letter and [each.texts for each in shown.events if each.kind == "written"] == [(letter,)]
    service.resolve_case(gro, row.tracking_number, None, **ANSWER, now=NOW)
    session.rollback()
    assert status_of(session, row.tracking_number, NOW).letter is None, "the answer stands for itself"
    with pytest.raises(IllegalAction):
        closing.write_to_complainant(gro, row.tracking_number, None, letter, now=NOW)


# --- sent back --------------------------------------------------------------------------------------------------------


def test_the_superior_sends_an_answer_back(session: Session, gro: Actor, appeal: Actor) -> None:
    row = made(session)
    number = row.tracking_number
    service.claim_case(gro, number, 1, now=NOW)
    service.resolve_case(gro, number, None, **ANSWER, now=NOW)
    first_due = fresh(session, row).due_on
    with pytest.raises(IllegalAction, match="not-your-part"):
        closing.send_back_case(gro, number, None, "আমি নিজেই ফেরত দিতে পারি না।", now=LATER)
    with pytest.raises(InvalidInput):
        closing.send_back_case(appeal, number, None, "না", now=LATER)
    closing.send_back_case(appeal, number, None, "কত টাকা কবে পাঠানো হয়েছে তা লেখা নেই।", now=LATER)
    fresh(session, row)
    assert (row.status, row.outcome, row.ended_at, row.assignee_id, row.tier, row.desk) == (
        *("in_progress", None, None),
        *(gro.officer_id, "gro", "gro"),
    )
    assert row.due_on > first_due
    clocks = session.scalars(
        select(Deadline).where(Deadline.case_id == row.id, Deadline.kind == "resolve").order_by(Deadline.epoch)
    ).all()
    assert [(each.epoch, each.state) for each in clocks] == [(1, "met"), (2, "running")]
    assert {"case-sent-back-officer", "case-sent-back-complainant"} <= set(sent(session))
    shown = status_of(session, number, LATER)
    line = next(each for each in shown.events if each.kind == "sent_back")
    assert line.texts == (), "the reason is for the office"
    assert shown.reply is None and shown.due_on == row.due_on
    # The same officer may decide it again; after an objection nobody who has decided may.
    service.resolve_case(gro, number, None, **{**ANSWER, "reply": REPLY + " মোট ৩,৬০০ টাকা।"}, now=LATER)
    appeals.contest_case(complainant(number), number, "এখনো পাইনি", now=LATER + timedelta(hours=1))
    both = build.actor(session, GRO)
    post = build.post_id(session, row.office_id, "appeal_officer")
    build.posting(session, post, both.officer_id or 0, is_alternate=True)
    session.commit()
    with pytest.raises(IllegalAction, match="decided-before"):
        service.resolve_case(build.actor(session, GRO), number, None, **ANSWER, now=LATER + timedelta(hours=2))


def test_an_answer_that_stands_is_not_sent_back(session: Session, gro: Actor, appeal: Actor) -> None:
    row = made(session)
    service.resolve_case(gro, row.tracking_number, 1, **ANSWER, now=NOW)
    until = date.fromisoformat(last_event(session, row, "resolved").data["confirm_by_on"])
    after = build.dhaka(until.year, until.month, until.day) + timedelta(days=1)
    with pytest.raises(IllegalAction, match="answer-stands"):
        closing.send_back_case(appeal, row.tracking_number, None, "কত টাকা পাঠানো হয়েছে তা লেখা নেই।", now=after)


def test_a_report_on_a_recommendation_is_sent_back_to_the_ministry(session: Session, appeal: Actor) -> None:
    row = made(session, desk="appeal", status="in_progress", tier="cell", main_clock="comply", outcome="proved")
    cell = build.actor(session, "cabinet")
    appeals.comply_case(appeal, row.tracking_number, None, REPLY, now=NOW)
    closing.send_back_case(cell, row.tracking_number, None, "টাকা পাঠানোর প্রমাণ দেওয়া হয়নি এখনো।", now=LATER)
    fresh(session, row)
    assert (row.status, row.main_clock, row.outcome) == ("in_progress", "comply", "proved")
    appeals.comply_case(appeal, row.tracking_number, None, REPLY, now=LATER)


# --- the page ---------------------------------------------------------------------------------------------------------


def sign_in(app: Flask, username: str) -> FlaskClient:
    client = app.test_client()
    token = token_of(client.get("/login?lang=en").text)
    assert (
        client.post("/login", data={"csrf_token": token, "username": username, "password": "demo"}).status_code == 303
    )
    return client


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return unescape(found[1])


def post(client: FlaskClient, number: str, action: str, **fields: Any) -> Any:
    page = client.get(f"/cases/{number}").text
    version = re.findall(r'name="version" value="(\d+)"', page)[0]
    data = {"csrf_token": token_of(page), "action": action, "version": version, **fields}
    return client.post(f"/cases/{number}", data=data)


def test_the_page_asks_keeps_every_word_and_takes_it_when_ticked(app: Flask, session: Session) -> None:
    number = made(session).tracking_number
    client = sign_in(app, GRO)
    typed = {**ANSWER, "reply": "Noted. Necessary action has been taken. Thank you."}
    answer = post(client, number, "RESOLVE", **typed)
    assert answer.status_code == 422
    page = parse(answer.text)
    boxes = {box["value"]: "checked" in box.attributes for box in page.all("input") if box["name"] == "confirmed"}
    assert boxes == {"empty": False, "language": False}
    section = next(each for each in page.all("details") if each["id"] == "resolve")
    areas = {box["name"]: box.text for box in section.all("textarea")}
    assert areas["reply"] == typed["reply"] and areas["root_cause"] == typed["root_cause"]
    assert "hardly in Bangla" in page.first("main").text
    assert 'aria-invalid="true"' in answer.text and 'href="#resolve-reply"' in answer.text
    half = post(client, number, "RESOLVE", **typed, confirmed=["empty"])
    assert half.status_code == 422 and 'value="language"' in half.text
    assert post(client, number, "RESOLVE", **typed, confirmed=["empty", "language"]).status_code == 303
    data = session.scalars(select(CaseEvent.data).where(CaseEvent.kind == "resolved")).one()
    assert data["questioned"] == ["empty", "language"]


def test_the_page_asks_for_a_visit_only_where_one_is_needed(app: Flask, session: Session) -> None:
    plain, needs = made(session).tracking_number, made(session, category="food-entitlement").tracking_number
    client = sign_in(app, GRO)
    assert 'name="visited_on"' not in client.get(f"/cases/{plain}").text
    assert 'name="visited_on"' in client.get(f"/cases/{needs}").text
    answer = post(client, needs, "RESOLVE", **ANSWER, visited_on="", visit="", no_visit="")
    assert answer.status_code == 422 and 'href="#resolve-visit"' in answer.text
    done = post(client, needs, "RESOLVE", **ANSWER, visited_on="০৫/০১/২০২৬", visit="ওজনে ৫ কেজি কম", no_visit="")
    assert done.status_code == 303
    assert "ওজনে ৫ কেজি কম" in client.get(f"/cases/{needs}").text


def test_the_superior_finds_the_button_and_others_do_not(app: Flask, session: Session) -> None:
    number = made(session).tracking_number
    gro, boss = sign_in(app, GRO), sign_in(app, APPEAL)
    assert post(gro, number, "RESOLVE", **ANSWER).status_code == 303
    assert 'id="send_back"' not in gro.get(f"/cases/{number}").text
    assert 'id="send_back"' in boss.get(f"/cases/{number}").text
    assert post(gro, number, "SEND_BACK", reason="আমি নিজেই ফেরত দিতে পারি না।").status_code == 409
    assert post(boss, number, "SEND_BACK", reason="কত টাকা পাঠানো হয়েছে তা লেখা নেই।").status_code == 303
    assert "কত টাকা পাঠানো হয়েছে তা লেখা নেই।" in gro.get(f"/cases/{number}").text
