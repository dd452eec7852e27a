"""The officers' pages through HTTP: what is shown and to whom, and that nothing typed is lost."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from grm.cases import panels, service
from grm.cases.history import KINDS
from grm.cases.models import Case, CaseEvent
from grm.cases.wording import DONE
from grm.deadlines import service as deadlines
from grm.kernel import clock, tracking_number
from grm.kernel.audit import AuditEntry
from grm.kernel.db import db
from tests.support import build
from tests.support.web import Element, parse

REPLY = "আপনার ভাতা আবার চালু হয়েছে এবং বকেয়া পাঠানো হয়েছে।"
CANARY = "<script>alert('x')</script> {{7*7}} ${x} %s"
SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    """A browser in which a demo officer is signed in, showing English."""

    def enter(username: str) -> FlaskClient:
        client = app.test_client()
        token = token_of(client.get("/login?lang=en").text)
        answer = client.post("/login", data={"csrf_token": token, "username": username, "password": "demo"})
        assert answer.status_code == 303
        return client

    return enter


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return unescape(found[1])


def made(session: Session, **columns: object) -> str:
    row = build.case(session, **{"filed_at": build.dhaka(2026, 1, 4), **columns})  # type: ignore[arg-type]
    session.commit()
    return row.tracking_number


def post(client: FlaskClient, number: str, action: str, version: object = None, **fields: str):  # type: ignore[no-untyped-def]
    """Send a form of the case page, with the version the page shows unless told otherwise."""
    page = client.get(f"/cases/{number}").text
    if version is None:
        version = re.findall(r'name="version" value="(\d+)"', page)[0]
    data = {"csrf_token": token_of(page), "action": action, "version": str(version), **fields}
    return client.post(f"/cases/{number}", data=data)


def main(page: str) -> Element:
    return parse(page).first("main")


def form_of(page: str, action: str) -> Element:
    """The section of an action."""
    for details in parse(page).all("details"):
        if details["id"] == action.lower():
            return details
    raise AssertionError(f"no section for {action}")


def test_the_page_shows_the_case_and_what_may_be_done(session: Session, sign_in: SignIn) -> None:
    number = made(session, details=CANARY, phone="+8801712345678")
    page = sign_in("gro.social-welfare").get(f"/cases/{number}")
    assert page.status_code == 200
    assert CANARY not in page.text and CANARY in main(page.text).text
    assert f"{number[:4]}-{number[4:8]}-{number[8:]}" in main(page.text).text
    offered = {field["value"] for field in parse(page.text).all("input") if field["name"] == "action"}
    assert offered == {
        "ACKNOWLEDGE",
        "CLAIM",
        "ASSIGN",
        "NOTE",
        "ASK",
        "REFER",
        "RESOLVE",
        "DECLINE",
        "INVESTIGATE",
        "ATTACH",
        "SPLIT",
        "WRITE",
        "SCHEDULE_HEARING",
        "ADD_COMPLAINANT",
    }
    assert "Close the file : The case is not resolved yet." in main(page.text).text
    assert "+8801712345678" in page.text
    assert f"/cases/{number}/why" in page.text


def test_each_act_leads_back_to_the_case(session: Session, sign_in: SignIn) -> None:
    number = made(session)
    client = sign_in("gro.social-welfare")
    clerk = str(build.officer_id(session, "officer.social-welfare"))
    for action, fields in (
        ("ACKNOWLEDGE", {}),
        ("NOTE", {"note": CANARY}),
        ("claim", {}),
        ("ASSIGN", {"assignee": clerk}),
        ("ASK", {"question": "কোন মাস থেকে?"}),
        (
            "RESOLVE",
            {"outcome": "answered", "reply": REPLY, "root_cause": "ক", "prevention": "খ", "contact": "wrote"},
        ),
        ("CLOSE", {"reason": "ফোনে জানিয়েছেন"}),
    ):
        answer = post(client, number, action, **fields)
        assert (answer.status_code, answer.location) == (303, f"/cases/{number}?done={action.upper()}"), action
        after = client.get(answer.location)
        assert DONE[action.upper()] in main(after.text).text
    shown = main(client.get(f"/cases/{number}").text).text
    assert CANARY in shown and REPLY in shown and "কোন মাস থেকে?" in shown
    kinds = set(session.scalars(select(CaseEvent.kind)))
    assert kinds == {"filed", "acknowledged", "noted", "assigned", "asked", "resolved", "closed"}


def test_a_referred_case_stays_in_sight_of_its_sender(session: Session, sign_in: SignIn) -> None:
    number = made(session)
    client = sign_in("gro.social-welfare")
    office = next(
        option["value"]
        for option in form_of(client.get(f"/cases/{number}").text, "REFER").all("option")
        if "food" in option["value"]
    )
    answer = post(client, number, "REFER", office=office, reason="খাদ্য মন্ত্রণালয়ের কর্মসূচি")
    assert (answer.status_code, answer.location) == (303, f"/cases/{number}?done=REFER")
    page = main(client.get(answer.location).text)
    assert DONE["REFER"] in page.text and "Not accepted yet" in page.text
    assert {each["value"] for each in page.all("input") if each["name"] == "action"} == {"NOTE"}
    assert number in sign_in("gro.food").get("/queue").text


def test_wrong_input_comes_back_as_typed(session: Session, sign_in: SignIn) -> None:
    number = made(session)
    client = sign_in("gro.social-welfare")
    typed = {
        "outcome": "answered",
        "reply": "ঠিক <b>আছে</b>",
        "root_cause": CANARY,
        "prevention": " ",
        "contact": "could_not_reach",
    }
    answer = post(client, number, "RESOLVE", **typed)
    assert answer.status_code == 422
    section = form_of(answer.text, "RESOLVE")
    assert "open" in section.attributes
    boxes = {box["name"]: box.text for box in section.all("textarea")}
    assert (boxes["reply"], boxes["root_cause"]) == (typed["reply"], CANARY)
    chosen = {box["name"]: box["value"] for box in section.all("input") if "checked" in box.attributes}
    assert chosen == {"outcome": "answered", "contact": "could_not_reach"}
    bad = {box["name"] for box in section.all("textarea") if box["aria-invalid"] == "true"}
    assert bad == {"reply", "prevention", "reason"}
    summary = next(box for box in parse(answer.text).all("div") if box["class"] == "error-summary")
    links = {link["href"].removeprefix("#") for link in summary.all("a")}
    ids = [element["id"] for element in parse(answer.text).all() if element["id"]]
    assert links == {"resolve-reply", "resolve-prevention", "resolve-reason"} and links <= set(ids)
    assert len(ids) == len(set(ids)), "an id is used twice"
    assert session.scalars(select(Case.version)).one() == 1


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("NOTE", {"note": "\u200b \u00a0"}),
        ("NOTE", {"note": "a\0b"}),
        ("NOTE", {"note": "x" * 10_001}),
        ("ASK", {}),
        ("ASSIGN", {"assignee": "1; DROP TABLE cases"}),
        ("ASSIGN", {"assignee": "৯৯৯৯৯৯৯"}),
        ("REFER", {"office": "nowhere", "reason": "কারণ"}),
        ("REFER", {"office": "", "reason": ""}),
        ("DECLINE", {"reason": "not_pertaining", "reply": REPLY}),
        ("RESOLVE", {}),
        ("DANCE", {}),
        ("ANSWER", {"answer": "আমি অভিযোগকারী নই"}),
        ("RESUME", {}),
        ("", {}),
    ],
)
def test_bad_input_is_422_and_changes_nothing(
    session: Session, sign_in: SignIn, action: str, fields: dict[str, str]
) -> None:
    number = made(session)
    answer = post(sign_in("gro.social-welfare"), number, action, **fields)
    assert answer.status_code == 422
    assert number in answer.text
    session.rollback()
    assert session.scalars(select(CaseEvent.kind)).all() == ["filed"]


@pytest.mark.parametrize("version", ["", "x", "-1", "9" * 40, "1.5"])
def test_a_missing_version_is_no_licence(session: Session, sign_in: SignIn, version: str) -> None:
    number = made(session)
    answer = post(sign_in("gro.social-welfare"), number, "NOTE", version, note="মন্তব্য")
    assert answer.status_code == 422 and "মন্তব্য" in answer.text


def test_the_slower_officer_keeps_the_text_and_sees_what_changed(session: Session, sign_in: SignIn) -> None:
    number = made(session)
    first, second = sign_in("gro.social-welfare"), sign_in("officer.social-welfare")
    typed = "দীর্ঘ মন্তব্য " * 50
    assert post(first, number, "CLAIM", version=1).status_code == 303
    answer = post(second, number, "NOTE", version=1, note=typed)
    assert answer.status_code == 409
    assert "Taken by" in main(answer.text).text
    section = form_of(answer.text, "NOTE")
    assert "open" in section.attributes and section.first("textarea").text == typed.strip()
    # The form is ready to be sent again, with the version it now shows.
    data = {field["name"]: field["value"] for field in section.all("input")}
    assert data["version"] == "2"
    again = second.post(f"/cases/{number}", data={**data, "note": typed})
    assert again.status_code == 303
    lost = post(second, number, "CLAIM", version=3)
    assert lost.status_code == 409 and "Another officer has the case" in main(lost.text).text


def test_text_whose_form_is_gone_is_shown_to_copy(session: Session, sign_in: SignIn) -> None:
    number = made(session)
    gro = build.actor(session, "gro.social-welfare")
    client = sign_in("gro.social-welfare")
    service.decline_case(gro, number, 1, "before_court", REPLY)
    for version in (1, 2):
        answer = post(client, number, "ASK", version=version, question="আমার যত্নে লেখা প্রশ্ন")
        assert answer.status_code == 409
        assert "আমার যত্নে লেখা প্রশ্ন" in main(answer.text).text


def test_a_stale_token_loses_nothing(session: Session, sign_in: SignIn) -> None:
    number = made(session)
    client = sign_in("gro.social-welfare")
    for token in ("", "foreign"):
        answer = client.post(
            f"/cases/{number}", data={"csrf_token": token, "action": "NOTE", "version": "1", "note": "রাখা হোক"}
        )
        assert answer.status_code == 400
        section = form_of(answer.text, "NOTE")
        assert section.first("textarea").text == "রাখা হোক" and "open" in section.attributes
    session.rollback()
    assert session.scalars(select(CaseEvent.kind)).all() == ["filed"]


def test_a_session_that_ended_loses_nothing(app: Flask, session: Session, sign_in: SignIn) -> None:
    number = made(session)
    client = sign_in("gro.social-welfare")
    session.execute(text("DELETE FROM staff_session"))
    session.commit()
    answer = client.post(f"/cases/{number}", data={"action": "NOTE", "version": "1", "note": "রাখা হোক"})
    assert answer.status_code in (400, 401) and "রাখা হোক" in answer.text


def test_forbidden_looks_like_missing(session: Session, sign_in: SignIn) -> None:
    gro = build.officer_id(session, "gro.social-welfare")
    hidden = made(session, desk="appeal", accused_officers=[gro])
    sensitive = made(session, desk="appeal", category="bribe-demand")
    elsewhere = made(session, office=build.office_id(session, "food"))
    client = sign_in("gro.social-welfare")

    def body(answer) -> str:  # type: ignore[no-untyped-def]
        return re.sub(r"[0-9a-f]{12}", "", re.sub(r'value="[^"]*"', "", answer.text.replace(number, "")))

    expected = None
    for number in ("0000000000000", "no-number-at-all", hidden, sensitive, elsewhere):
        for answer in (client.get(f"/cases/{number}"), client.get(f"/cases/{number}/why")):
            assert answer.status_code == 404
            seen = body(answer).replace("/why", "")
            expected = expected or seen
            assert seen == expected
    token = token_of(client.get("/queue").text)
    data = {"csrf_token": token, "action": "NOTE", "version": "1", "note": "আমার লেখা"}
    answers = [client.post(f"/cases/{number}", data=data) for number in ("0000000000000", hidden, sensitive, elsewhere)]
    assert {answer.status_code for answer in answers} == {404}
    assert all("আমার লেখা" in answer.text for answer in answers), "the sender's own text is not lost"
    for number in (hidden, sensitive, elsewhere):
        assert number not in client.get("/queue?view=all").text
        assert client.get(f"/queue?number={number}").status_code == 200


def test_who_gets_in_by_role(session: Session, sign_in: SignIn) -> None:
    desk = build.actor(session, "desk.dhaka").seats[0].office_id
    number = made(session, filed_by_office_id=desk)
    for username, status, queue in (
        ("officer.social-welfare", 200, 200),
        ("appeal.social-welfare", 200, 200),
        ("cabinet", 200, 200),
        ("desk.dhaka", 200, 303),
        ("admin", 404, 303),
    ):
        client = sign_in(username)
        assert client.get(f"/cases/{number}").status_code == status, username
        assert client.get("/queue").status_code == queue, username
    page = sign_in("desk.dhaka").get(f"/cases/{number}").text
    assert 'name="action"' not in page and "You may read this case" not in page
    assert "017•••••678" in page and "1712345678" not in page


def test_a_view_of_a_sensitive_case_is_on_record(session: Session, sign_in: SignIn) -> None:
    number, plain = made(session, desk="appeal", category="bribe-demand"), made(session)
    client = sign_in("appeal.social-welfare")
    client.get(f"/cases/{plain}")
    assert client.get(f"/cases/{number}").status_code == 200
    sign_in("gro.social-welfare").get(f"/cases/{number}")
    session.rollback()
    views = session.scalars(select(AuditEntry).where(AuditEntry.stream == "views")).all()
    appeal = build.officer_id(session, "appeal.social-welfare")
    assert [(view.kind, view.actor_id, view.data) for view in views] == [
        ("sensitive-case-viewed", appeal, {"tracking_number": number})
    ]


def test_an_anonymous_case_shows_days_not_hours(session: Session, sign_in: SignIn) -> None:
    number = made(session, is_anonymous=True, phone=None)
    gro = build.actor(session, "gro.social-welfare")
    service.add_note(gro, number, 1, "মন্তব্য", now=build.dhaka(2026, 1, 5, 13, 37))
    page = sign_in("gro.social-welfare").get(f"/cases/{number}").text
    assert "13:37" not in page and "10:00" not in page and "4 January 2026" in page


def test_why_shows_every_day(session: Session, sign_in: SignIn) -> None:
    number = made(session)
    page = sign_in("gro.social-welfare").get(f"/cases/{number}/why")
    assert page.status_code == 200
    assert len(list(parse(page.text).first("table").all("tr"))) > 3


def test_the_page_costs_six_statements(app: Flask, session: Session, sign_in: SignIn) -> None:
    number = made(session)
    gro = build.actor(session, "gro.social-welfare")
    for version in range(1, 20):
        service.add_note(gro, number, version, "মন্তব্য")
    client = sign_in("gro.social-welfare")
    client.get(f"/cases/{number}")
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert client.get(f"/cases/{number}").text.count("<li") > 20
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    about = [each for each in seen if re.search(r"FROM (cases|case_event|complainant|message|post)\b", each)]
    clocks = [each for each in seen if "clock_timestamp" in each]
    assert len(about) <= 5, "\n\n".join(about)
    assert len(clocks) <= 3, "two to know who asks, one for the page"
    assert not [each for each in about if "password_hash" in each and "case_event" in each]
    assert len([each for each in seen if "reference_edition" not in each]) <= 11, "\n\n".join(seen)


def test_every_kind_of_event_has_words(session: Session, app: Flask, sign_in: SignIn) -> None:
    from grm.cases import history

    number = made(session)
    row = session.scalars(select(Case).where(Case.tracking_number == number)).one()
    office = build.office_id(session)
    gro = build.actor(session, "gro.social-welfare")
    data = {
        "officer_id": gro.officer_id,
        "from_office_id": office,
        "to_office_id": office,
        "outcome": "answered",
        "reason_code": "before_court",
        "deadline_kind": "resolve",
        "level": 2,
        "due_on": "2026-02-18",
        "to_due_on": "2026-02-19",
        "answer_by_on": "2026-01-20",
        "stage": "complaint",
        "decision_seq": 2,
        "stars": 4,
    }
    for kind in KINDS[1:]:
        history.append(session, row, kind, gro, build.dhaka(2026, 1, 5), data)
    history.append(session, row, "escalated", gro, build.dhaka(2026, 1, 5), {**data, "is_gap": True})
    session.commit()
    client = sign_in("gro.social-welfare")
    for language in ("en", "bn"):
        page = client.get(f"/cases/{number}?lang={language}")
        assert page.status_code == 200
        history_of_it = next(each for each in main(page.text).all("ol") if "timeline" in each["class"])
        titles = [heading.text for heading in history_of_it.all("h3")]
        assert len(titles) == len(KINDS) + 1 and all(titles)
        assert not any("%(" in title for title in titles)


def test_messages_come_from_whoever_registered(
    app: Flask, session: Session, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def provider(_session: Session, case_id: int) -> list[panels.MessageLine]:
        at = build.dhaka(2026, 1, 4)
        return [panels.MessageLine(at, "sms", "অভিযোগকারী", "প্রাপ্তিস্বীকার", "delivered", at + timedelta(minutes=1))]

    monkeypatch.setitem(app.extensions, panels._MESSAGES, provider)
    number = made(session)
    shown = main(sign_in("gro.social-welfare").get(f"/cases/{number}").text).text
    assert "প্রাপ্তিস্বীকার" in shown and "Delivered" in shown


# --- the queue ------------------------------------------------------------------------------------------------------


def test_the_queue_page(session: Session, sign_in: SignIn) -> None:
    numbers = [made(session) for _ in range(27)]
    client = sign_in("gro.social-welfare")
    page = client.get("/queue")
    assert page.status_code == 200
    tabs = next(nav for nav in parse(page.text).all("nav") if nav["class"] == "tabs")
    assert [tab.text for tab in tabs.all("a")] == [
        *(
            "Unassigned 27",
            "Mine 0",
            "Due soon 0",
            "Overdue 27",
            "Waiting 0",
            "Referred in 0",
            "Referred out 0",
            "All 27",
        )
    ]
    listed = [link["href"] for link in parse(page.text).first("table").all("a")]
    assert len(listed) == 25
    following = next(a["href"] for a in parse(page.text).all("a") if a["rel"] == "next")
    second = client.get(following)
    rest = [link["href"] for link in parse(second.text).first("table").all("a")]
    assert sorted(listed + rest) == sorted(f"/cases/{number}" for number in numbers)
    back = next(a["href"] for a in parse(second.text).all("a") if a["rel"] == "prev")
    assert [link["href"] for link in parse(client.get(back).text).first("table").all("a")] == listed


def test_the_search_takes_any_spelling(session: Session, sign_in: SignIn) -> None:
    number = made(session)
    client = sign_in("gro.social-welfare")
    spelt = f" {number[:4].lower()}-{number[4:8]} {number[8:]}".translate(str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯"))
    answer = client.get("/queue", query_string={"number": spelt})
    assert (answer.status_code, answer.location) == (303, f"/cases/{number}")
    unknown = client.get("/queue", query_string={"number": tracking_number.new_tracking_number()})
    assert unknown.status_code == 200 and "no case with this number" in unknown.text
    words = client.get("/queue", query_string={"number": "ভাতা পাই না"})
    assert words.status_code == 303 and words.location.startswith("/search?q=")


@pytest.mark.parametrize(
    "query",
    [
        "view=dance&queue=99-gro&at=after_x_y",
        "at=after__1",
        "at=before_99999999999999999999999_1",
        "at=after_1_99999999999999999999",
        "at=%00&programme=%00&district=%00&level=%00&status=%00&category=%00&number=%00",
        "programme=nothing&category=1%27&district=%F0%9F&level=9&status=gone",
        "level=২&view=all",
        "number=" + "x" * 5000,
    ],
)
def test_a_link_never_fails(session: Session, sign_in: SignIn, query: str) -> None:
    made(session)
    assert sign_in("gro.social-welfare").get("/queue?" + query, follow_redirects=True).status_code == 200


def test_filters_narrow_and_stay(session: Session, sign_in: SignIn) -> None:
    made(session)
    other = made(session, category="exclusion-error", level=1)
    client = sign_in("gro.social-welfare")
    page = client.get("/queue?view=all&level=1").text
    assert [link["href"] for link in parse(page).first("table").all("a")] == [f"/cases/{other}"]
    chosen = [
        o["value"]
        for s in parse(page).all("select")
        if s["name"] == "level"
        for o in s.all("option")
        if "selected" in o.attributes
    ]
    assert chosen == ["1"]
    tabs = next(nav for nav in parse(page).all("nav") if nav["class"] == "tabs")
    assert all("level=1" in tab["href"] for tab in tabs.all("a"))


def test_the_menu_holds_what_one_may_open(session: Session, sign_in: SignIn) -> None:
    made(session)
    for username in ("gro.social-welfare", "cabinet", "desk.dhaka", "admin", "appeal.social-welfare"):
        client = sign_in(username)
        page = client.get("/queue", follow_redirects=True)
        menu = next((nav for nav in parse(page.text).all("nav") if nav["class"] == "menu"), None)
        assert page.status_code == 200 and menu is not None
        for link in menu.all("a"):
            assert client.get(link["href"], follow_redirects=True).status_code == 200, (username, link["href"])


# --- investigation, more time, recommendation ---------------------------------------------------------------------------


def test_an_investigation_and_more_time_through_the_page(session: Session, sign_in: SignIn) -> None:
    number = made(session, filed_at=clock.now(session) - timedelta(days=3))
    gro, clerk = sign_in("gro.social-welfare"), sign_in("officer.social-welfare")
    chosen = str(build.officer_id(session, "officer.social-welfare"))
    started = post(gro, number, "INVESTIGATE", member_1="", member_2=chosen, reason=CANARY)
    assert started.status_code == 303  # one is enough, in whichever place
    page = main(gro.get(f"/cases/{number}").text).text
    assert "Permission asked for an investigation led by" in page and CANARY in page and "Investigators:" not in page
    assert "investigate : You asked yourself; somebody else decides." in page
    appeal = sign_in("appeal.social-welfare")  # the ministry has no head
    task = form_of(appeal.get(f"/cases/{number}").text, "PERMIT")
    assert "To investigate, the leader first: Mohammad" in task.text
    assert post(appeal, number, "PERMIT", decision="refuse", reason="").status_code == 422
    assert post(appeal, number, "PERMIT", decision="approve").status_code == 303
    page = main(gro.get(f"/cases/{number}").text).text
    assert "Investigation permitted (Appeal officer) and begun, led by" in page and "Investigators: Mohammad" in page
    assert post(gro, number, "ASSIGN", assignee=chosen).status_code == 303
    blank = post(clerk, number, "REQUEST_EXTENSION", reason=" ")
    assert blank.status_code == 422 and "Write something here" in form_of(blank.text, "REQUEST_EXTENSION").text
    assert post(clerk, number, "REQUEST_EXTENSION", reason="ব্যাংকের চিঠি আসেনি").status_code == 303
    assert "Extension: Asked for" in main(clerk.get(f"/cases/{number}").text).text
    refused = post(gro, number, "DECIDE_EXTENSION", decision="refuse", reason="")
    assert refused.status_code == 422
    kept = [each for each in form_of(refused.text, "DECIDE_EXTENSION").all("input") if each["value"] == "refuse"]
    assert "checked" in kept[0].attributes
    assert post(gro, number, "DECIDE_EXTENSION", decision="approve").status_code == 303
    assert "More time given: 10 working days, new due date" in main(gro.get(f"/cases/{number}").text).text


def test_nothing_chosen_keeps_what_was_typed(session: Session, sign_in: SignIn) -> None:
    number = made(session)
    faulty = post(sign_in("gro.social-welfare"), number, "INVESTIGATE", member_1="", reason=CANARY)
    section = form_of(faulty.text, "INVESTIGATE")
    assert faulty.status_code == 422 and "Choose one" in section.text and CANARY in section.text


def test_a_recommendation_and_its_report_through_the_page(session: Session, sign_in: SignIn) -> None:
    central = build.office_id(session, "cell")
    row = build.case(session, office=central, desk="cell", filed_at=build.dhaka(2026, 1, 4))
    row.tier, row.main_clock = "cell", "cell"
    deadlines.start(session, row.id, "cell", deadlines.CaseFacts(tier="cell"), build.dhaka(2026, 1, 4))
    session.commit()
    number, cell = row.tracking_number, sign_in("cabinet")
    answer = {"outcome": "proved", "reply": REPLY, "root_cause": "ক", "prevention": "খ", "contact": "wrote"}
    short = post(cell, number, "RECOMMEND", **answer, recommendation="দিন")
    assert short.status_code == 422 and REPLY in form_of(short.text, "RECOMMEND").text
    advice = "বকেয়া ভাতা সাত দিনের মধ্যে পরিশোধ করুন।"
    assert post(cell, number, "RECOMMEND", **answer, recommendation=advice).status_code == 303
    ministry = sign_in("appeal.social-welfare")
    page = ministry.get(f"/cases/{number}").text
    assert advice in main(page).text and "Cabinet Division cell" in main(page).text
    offered = {field["value"] for field in parse(page).all("input") if field["name"] == "action"}
    assert "COMPLY" in offered and not offered & {"RESOLVE", "DECLINE", "REFER", "RECOMMEND"}
    assert post(ministry, number, "COMPLY", reply=REPLY).status_code == 303
    assert "The recommendation was carried out" in main(ministry.get(f"/cases/{number}").text).text
