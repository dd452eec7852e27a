"""The pages of saved filters, of acts on many cases and of shortcuts: nothing needs a script, nothing typed is lost."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import queuepage, saved_filters
from grm.cases.bulk_models import BulkAct, SavedFilter
from grm.cases.models import Case
from grm.offices.queries import directory
from grm.web.shortcuts import COOKIE
from tests.support import build
from tests.support.web import Element, parse

SignIn = Callable[[str], FlaskClient]
TYPED = "আপনার বকেয়া ভাতা ১২ জানুয়ারি তারিখে আপনার মোবাইল হিসাবে পাঠানো হয়েছে।"


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    """A browser in which a demo officer is signed in, showing English."""

    def enter(username: str) -> FlaskClient:
        client = app.test_client()
        token = token_of(client.get("/login?lang=en").text)
        assert client.post("/login", data={"csrf_token": token, "username": username, "password": "demo"}).location
        return client

    return enter


def token_of(page: str) -> str:
    """The token of a page's forms."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def main(page: str) -> Element:
    """The page without its frame."""
    return parse(page).first("main")


def made(session: Session, count: int) -> list[Case]:
    """Cases at the GRO's desk."""
    cases = [build.case(session) for _ in range(count)]
    session.commit()
    return cases


def test_a_view_is_kept_opened_renamed_preferred_and_forgotten(session: Session, sign_in: SignIn) -> None:
    client = sign_in("gro.social-welfare")
    view = "view=overdue&level=2&nonsense=1&district=nowhere"
    page = client.get("/queue/filters", query_string={"from": view})
    token = token_of(page.text)

    def post(**fields: str) -> tuple[int, str]:
        answer = client.post("/queue/filters", data={"csrf_token": token, **fields})
        return answer.status_code, answer.location or main(answer.text).text

    kept = "view=overdue&level=2"
    assert post(do="save", name="  জরুরি   নথি ", **{"from": view}) == (303, f"/queue?{kept}")
    row = session.scalars(select(SavedFilter)).one()
    assert (row.name, row.query, row.is_default) == ("জরুরি নথি", kept, False)
    for name, words in (
        ("", "Give the filter a name"),
        ("জরুরি নথি", "a filter of this name"),
        ("ক" * 61, "at most 60 characters"),
        ("a\x00b", "cannot be stored"),
    ):
        status, shown = post(do="save", name=name, **{"from": view})
        assert status == 422 and words in shown
    again = client.post("/queue/filters", data={"csrf_token": token, "do": "save", "name": "ক" * 61, "from": view})
    assert "ক" * 61 in again.text and 'value="view=overdue&amp;level=2"' in again.text, "nothing typed is lost"
    stale = client.post("/queue/filters", data={"csrf_token": "old", "do": "save", "name": "পরে", "from": view})
    assert stale.status_code == 400 and 'value="পরে"' in stale.text
    page = client.get("/queue")
    assert "Unassigned" in next(
        a.text for a in parse(page.text).all("a") if a["aria-current"] == "page" and "view=" in a["href"]
    )
    assert post(do="prefer", id=str(row.id)) == (303, "/queue/filters")
    page = client.get("/queue")
    assert "Overdue" in next(
        a.text for a in parse(page.text).all("a") if a["aria-current"] == "page" and "view=" in a["href"]
    )
    assert "জরুরি নথি" in page.text
    assert post(do="rename", id=str(row.id), name="দেরি") == (303, "/queue/filters")
    other = sign_in("officer.social-welfare")
    foreign = token_of(other.get("/queue/filters").text)
    assert (
        other.post(
            "/queue/filters", data={"csrf_token": foreign, "do": "rename", "id": str(row.id), "name": "x"}
        ).status_code
        == 404
    )
    other.post("/queue/filters", data={"csrf_token": foreign, "do": "delete", "id": str(row.id)})
    session.rollback()
    assert session.scalars(select(SavedFilter.name)).all() == ["দেরি"], (
        "another officer can neither rename nor delete it"
    )
    for number in range(saved_filters.MOST_FILTERS - 1):
        assert post(do="save", name=f"{number}", **{"from": view})[0] == 303
    status, words = post(do="save", name="one too many", **{"from": view})
    assert status == 422 and "20 filters already" in words
    assert post(do="delete", id=str(row.id)) == (303, "/queue/filters")


def test_ages_are_days_of_the_calendar_in_dhaka(session: Session, app: Flask) -> None:
    gro = build.actor(session, "gro.social-welfare")
    today = build.dhaka(2026, 2, 10).date()
    for days, hour in ((0, 23), (9, 0), (10, 23), (30, 0), (31, 23), (90, 0), (91, 23)):
        build.case(session, filed_at=build.dhaka(2026, 2, 10, hour) - timedelta(days=days))
    session.commit()
    found = {}
    for age in ("under-10", "10-30", "31-90", "over-90"):
        view = queuepage.read(directory(session), gro, today, {"view": "all", "age": age})
        received = session.scalars(select(Case.received_on).where(*view.filters.conditions())).all()
        found[age] = sorted((today - day).days for day in received)
    assert found == {"under-10": [0, 9], "10-30": [10, 30], "31-90": [31, 90], "over-90": [91]}


def test_an_upazila_is_asked_for_once_a_district_is_chosen(session: Session, sign_in: SignIn) -> None:
    districts = sorted(directory(session).districts, key=lambda each: each.name_en)
    build.case(session, district_id=districts[1].id)
    session.commit()
    client = sign_in("gro.social-welfare")
    assert "upazila" not in [each["name"] for each in parse(client.get("/queue?view=all").text).all("select")]
    district, other = (
        option["value"] for option in list(select_of(client.get("/queue?view=all").text, "district").all("option"))[1:3]
    )
    upazilas = [
        each["value"]
        for each in select_of(client.get(f"/queue?view=all&district={district}").text, "upazila").all("option")
    ]
    assert len(upazilas) > 2
    chosen = client.get(f"/queue?view=all&district={district}&upazila={upazilas[1]}").text
    assert f'<option value="{upazilas[1]}" selected>' in chosen
    left_over = client.get(f"/queue?view=all&district={other}&upazila={upazilas[1]}").text
    kept = next(box["value"] for box in parse(left_over).all("input") if box["name"] == "from")
    assert "district=" in kept and "upazila=" not in kept, "of another district it narrows nothing"


def select_of(page: str, name: str) -> Element:
    """A list of choices by its name."""
    return next(each for each in parse(page).all("select") if each["name"] == name)


def test_ticked_cases_are_assigned_and_the_rest_of_the_page_is_not(session: Session, sign_in: SignIn) -> None:
    made(session, 4)
    client = sign_in("gro.social-welfare")
    page = main(client.get("/queue").text)
    boxes = [box["value"] for box in page.all("input") if box["name"] == "case"]
    hidden = {box["name"]: box["value"] for box in page.all("input") if box["name"] in ("queue", "from", "listed")}
    assert len(boxes) == 4 and hidden["listed"].split() == boxes
    form = client.get("/queue/bulk", query_string={**hidden, "action": "ASSIGN", "case": boxes[:3]})
    assert [box["value"] for box in parse(form.text).all("input") if box["name"] == "case"] == boxes[:3]
    whole = client.get("/queue/bulk", query_string={**hidden, "action": "ASSIGN", "scope": "view"})
    assert [box["value"] for box in parse(whole.text).all("input") if box["name"] == "case"] == boxes
    listed = client.get("/queue/bulk", query_string={**hidden, "action": "ASSIGN", "scope": "page"})
    assert [box["value"] for box in parse(listed.text).all("input") if box["name"] == "case"] == boxes
    none = client.get("/queue/bulk", query_string={**hidden, "action": "ASSIGN"})
    assert none.status_code == 303 and "No case chosen" in client.get(none.location).text
    sent = {"csrf_token": token_of(form.text), "action": "ASSIGN", "queue": hidden["queue"], "case": boxes[:2]}
    wrong = client.post("/queue/bulk", data=sent)
    assert wrong.status_code == 422 and "Choose one" in wrong.text
    clerk = str(build.officer_id(session, "officer.social-welfare"))
    done = client.post("/queue/bulk", data={**sent, "assignee": clerk})
    assert done.status_code == 303 and re.fullmatch(r"/bulk/\d+", done.location)
    shown = client.get(done.location)
    assert "2 of 2 done, 0 not done" in main(shown.text).text and "Refresh" not in shown.headers
    session.rollback()
    assigned = session.scalars(select(Case.tracking_number).where(Case.assignee_id.is_not(None))).all()
    assert sorted(assigned) == sorted(box.partition(".")[0] for box in boxes[:2])


def test_a_refused_case_says_why_and_is_ticked_for_a_second_try(session: Session, sign_in: SignIn) -> None:
    (case, other) = made(session, 2)
    client = sign_in("gro.social-welfare")
    form = client.get(
        "/queue/bulk",
        query_string={"action": "REFER", "queue": queue_key(session), "case": f"{case.tracking_number}.1"},
    )
    office = next(option["value"] for option in parse(form.text).all("option") if option["value"])
    sent = {
        "csrf_token": token_of(form.text),
        "action": "REFER",
        "queue": queue_key(session),
        "office": office,
        "reason": "অন্য দপ্তরের কাজ।",
    }
    answer = client.post(
        "/queue/bulk", data={**sent, "case": [f"{case.tracking_number}.7", f"{other.tracking_number}.1"]}
    )
    shown = client.get(answer.location).text
    assert "1 of 2 done, 1 not done" in main(shown).text and "Somebody has acted on this case" in shown
    retry = next(each for each in parse(shown).all("form") if each["action"] == "/queue/bulk")
    fields = {box["name"]: box["value"] for box in retry.all("input")}
    assert fields["case"] == f"{case.tracking_number}.1", "as it is now"
    again = client.get("/queue/bulk", query_string=fields)
    assert "অন্য দপ্তরের কাজ।" in again.text and f'<option selected value="{office}">' in again.text, (
        "what was written is kept"
    )


def queue_key(session: Session) -> str:
    """How the ministry's GRO desk is addressed."""
    return f"{build.office_id(session)}-gro"


def test_an_answer_to_many_is_approved_on_a_page(session: Session, sign_in: SignIn) -> None:
    cases = made(session, 30)
    asker, approver, stranger = (sign_in(name) for name in ("gro.social-welfare", "appeal.social-welfare", "gro.food"))
    token = token_of(
        asker.get(
            "/queue/bulk",
            query_string={"action": "RESOLVE", "queue": queue_key(session), "case": f"{cases[0].tracking_number}.1"},
        ).text
    )
    sent = {
        "csrf_token": token, "action": "RESOLVE", "queue": queue_key(session), "outcome": "service_given", "reply": TYPED,
        "contact": "spoke", "root_cause": "তালিকায় ভুল ছিল।", "prevention": "তালিকা প্রতি মাসে মেলানো হবে।",
        "case": [f"{case.tracking_number}.1" for case in cases],
    }  # fmt: skip
    hollow = asker.post("/queue/bulk", data={**sent, "reply": "বিষয়টি দেখা হয়েছে, ধন্যবাদ আপনাকে।"})
    assert hollow.status_code == 422 and 'name="confirmed"' in hollow.text
    stale = asker.post("/queue/bulk", data={**sent, "csrf_token": "old"})
    assert stale.status_code == 400 and TYPED in stale.text and stale.text.count('name="case"') == 30
    address = asker.post("/queue/bulk", data=sent).location
    assert stranger.get(address).status_code == 404
    assert "Your decision" not in asker.get(address).text and "Withdraw the request" in asker.get(address).text
    assert "To approve" in approver.get("/queue").text and "To approve" not in stranger.get("/queue").text
    assert address in approver.get("/bulk").text and address not in stranger.get("/bulk").text
    page = approver.get(address)
    assert TYPED in page.text and cases[0].tracking_number in page.text
    decision = {"csrf_token": token_of(page.text), "decision": "approve"}
    unsaid = approver.post(address, data={**decision, "reason": ""})
    assert unsaid.status_code == 422 and "Write something here" in unsaid.text
    assert (
        stranger.post(address, data={**decision, "csrf_token": token_of(stranger.get("/bulk").text)}).status_code == 404
    )
    assert approver.post(address, data={**decision, "reason": "সবাই টাকা পেয়েছেন।"}).status_code == 303
    running = asker.get(address)
    assert "25 of 30 done" in main(running.text).text and running.headers["Refresh"], "the rest follows by a tick"
    again = approver.post(address, data={**decision, "reason": "আবার"})
    assert again.status_code == 409 and "decided on this already" in again.text
    assert session.scalars(select(BulkAct.state)).one() == "running"


def test_shortcuts_can_be_turned_off(session: Session, sign_in: SignIn) -> None:
    client = sign_in("gro.social-welfare")
    page = client.get("/help/keys")
    assert "keys.js" in page.text and {each.text for each in main(page.text).all("kbd")} >= {
        "j",
        "k",
        "o",
        "x",
        "/",
        "g",
        "q",
        "?",
    }
    switched = client.post("/help/keys", data={"csrf_token": token_of(page.text), "keys": "off"})
    assert f"{COOKIE}=off" in switched.headers["Set-Cookie"]
    assert "keys.js" not in client.get("/queue").text and "<script" not in client.get("/help/keys").text
    client.post("/help/keys", data={"csrf_token": token_of(page.text), "keys": "on"})
    assert "keys.js" in client.get("/queue").text
