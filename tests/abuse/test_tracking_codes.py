"""A code by SMS instead of the secret: once, ten minutes, from the form that asked for it; and nothing is learnt by asking."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from grm.cases import codes as one_time
from grm.cases import tracking
from grm.cases.models import Case
from grm.cases.tracking_models import TrackCode, TrackVisit
from grm.intake.tidying import tidy
from grm.kernel import clock, context
from grm.kernel.text import bangla_digits
from grm.notifications import delivery
from grm.notifications.models import Message
from grm.web.models import Throttle
from tests.support import build
from tests.support.citizen import Citizen, codes_of, counted_statements, errors_of
from tests.support.gateway import Gateway, running_gateway
from tests.support.web import Page

TRACK = "/track"
PHONE = "01712-345678"
WRONG = "This code does not open it. Check the SMS, or ask for a new code below."


@pytest.fixture
def number(session: Session) -> str:
    """A complaint of 01712345678."""
    row = build.case(session)
    session.commit()
    return row.tracking_number


@pytest.fixture
def widow(app: Flask) -> Citizen:
    """Somebody who reads English, so that the test can, too."""
    citizen = Citizen(app, address="203.0.113.60")
    citizen.get("/?lang=en")
    return citizen


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with running_gateway() as running:
        yield running


def ask(citizen: Citizen, number: str, phone: str = PHONE) -> Page:
    return citizen.submit(citizen.get(TRACK).form("lost_number").fill(lost_number=number, phone=phone))


def enter(citizen: Citizen, page: Page, code: str) -> Page:
    return citizen.submit(page.form("otp").fill(otp=code))


def sent(session: Session) -> str | None:
    """The code that lies sealed for the sender; None where none does."""
    session.rollback()
    row = session.scalars(
        select(TrackCode)
        .where(TrackCode.code_sealed.is_not(None), TrackCode.case_id.is_not(None))
        .order_by(TrackCode.made_at.desc())
    ).first()
    return context.keyring().open(row.code_sealed or b"", one_time.context_of(row.id)) if row else None


def messages(session: Session) -> int:
    session.rollback()
    of_codes = select(func.count()).select_from(Message).where(Message.template == "track-code-complainant")
    return session.execute(of_codes).scalar_one()


def wrong_for(code: str | None) -> str:
    return f"{(int(code or 0) + 1) % 10**6:06d}"


def is_open(page: Page) -> bool:
    return page.status == 200 and any(element["name"] == "view" for element in page.document.all("input"))


def let_time_pass(session: Session, span: timedelta) -> None:
    """As if all of it had been asked for that much earlier."""
    given = {"span": span}
    session.execute(
        text("UPDATE throttle SET window_ends_at = window_ends_at - :span, blocked_until = blocked_until - :span"),
        given,
    )
    session.execute(text("UPDATE track_code SET made_at = made_at - :span, expires_at = expires_at - :span"), given)
    session.execute(text("UPDATE track_visit SET opened_at = opened_at - :span"), given)
    session.commit()


def test_a_code_comes_to_the_phone_on_file_and_opens_once(
    app: Flask, session: Session, number: str, widow: Citizen, gateway: Gateway
) -> None:
    page = ask(widow, number.lower(), "+৮৮০ ১৭১২ ৩৪৫৬৭৮")
    assert page.status == 200 and "a code of six figures is on its way" in page.text
    assert PHONE not in page.html and "1712345678" not in page.html and number not in page.html, "a shared phone"
    post = delivery.post_for("sms", replace(context.settings(), sms_gateway_url=gateway.url))
    assert post is not None and sent(session) is not None
    assert delivery.deliver_due(post)["accepted"] >= 1
    (sms,) = [each for each in gateway.accepted if "GRM" in each["text"]]
    found = re.search(r"[0-9]{6}", sms["text"])
    assert found and sms["to"] == "+8801712345678"
    code = found[0]
    session.rollback()
    row = session.scalars(select(Message).where(Message.template == "track-code-complainant")).one()
    assert (row.state, row.body, row.priority, row.segments) == ("accepted", None, 1, 1)
    assert code not in str(row.params) and sent(session) is None, "wiped, once it has gone"
    opened = enter(widow, page, f" {bangla_digits(code[:3])} {code[3:]}")
    assert is_open(opened) and number[:4] in opened.text
    again = enter(widow, page, code)
    assert (again.status, errors_of(again)) == (422, {"otp": WRONG}), "used up"


def test_five_wrong_tries_use_a_code_up_and_a_new_one_gives_none_back(
    app: Flask, session: Session, number: str, widow: Citizen
) -> None:
    page = ask(widow, number)
    code = sent(session)
    for _ in range(5):
        page = enter(widow, page, wrong_for(code))
        assert (page.status, errors_of(page)) == (422, {"otp": WRONG})
        assert page.form("otp").values["otp"] == [wrong_for(code)], "what was typed comes back"
    assert enter(widow, page, code or "").status == 429, "the right one, too late"
    let_time_pass(session, timedelta(seconds=31))
    sixth = enter(widow, page, code or "")
    assert (sixth.status, errors_of(sixth)) == (422, {"otp": WRONG}), "and it stays so when the wait has ended"
    session.execute(text("UPDATE track_code SET made_at = made_at - interval '61 s'"))
    session.execute(delete(Throttle).where(Throttle.key.endswith(":m")))
    session.commit()
    new = widow.submit(sixth.form("again"), "again")
    fresh = sent(session)
    assert new.status == 200 and fresh not in (None, code) and messages(session) == 2
    held = enter(widow, new, fresh or "")
    assert held.status == 429 and 31 < int(held.headers["Retry-After"]) <= 61, "the number's failures stand"
    let_time_pass(session, timedelta(seconds=61))
    assert is_open(enter(widow, new, fresh or "")), "the wait ends by itself, and cost no try"


def test_a_code_is_of_no_use_too_late_elsewhere_or_for_another_complaint(
    app: Flask, session: Session, number: str, widow: Citizen
) -> None:
    page = ask(widow, number)
    code = sent(session) or ""
    stranger = Citizen(app, address="203.0.113.61")
    stranger.get("/?lang=en")
    elsewhere = enter(stranger, ask(stranger, number), code)  # within a minute: no second SMS, the same page
    assert (elsewhere.status, errors_of(elsewhere)) == (422, {"otp": WRONG})
    row = build.case(session, phone="+8801812345678")
    session.commit()
    other = enter(stranger, ask(stranger, row.tracking_number, "01812345678"), code)
    assert (other.status, errors_of(other)) == (422, {"otp": WRONG})
    for asked in ("", "x", "\x00", "অ", "AAAA"):
        form = page.form("otp").fill(otp=code)
        form.values["asked"] = [asked]
        forged = widow.submit(form)
        assert (forged.status, errors_of(forged)) == (422, {"otp": WRONG})
    let_time_pass(session, timedelta(minutes=10, seconds=1))
    late = enter(widow, page, code)
    assert (late.status, errors_of(late)) == (422, {"otp": WRONG})
    assert tidy()["track_code"] == 3 and session.execute(select(func.count()).select_from(TrackCode)).scalar_one() == 0


def normal(page: Page) -> str:
    html = page.html
    for element in page.document.all("input"):
        if element["name"] in ("csrf_token", "opening", "asked"):
            html = html.replace(element["value"], "-" * 3)
    return html


def test_asking_tells_nothing(app: Flask, session: Session, number: str) -> None:
    """Wrong phone, unknown number, somebody who joined in, anonymous, sensitive, no messages wanted: one page, the same
    statements, and no SMS."""
    made = {
        "sensitive": build.case(session, desk="appeal", category="bribe-demand").tracking_number,
        "no messages": build.case(session, preferred_channel="none").tracking_number,
        "anonymous": build.case(session, is_anonymous=True, preferred_channel="none").tracking_number,
        "a member": build.case(session).tracking_number,
    }
    session.execute(
        text(
            "UPDATE complainant SET role = 'member' WHERE case_id = (SELECT id FROM cases WHERE tracking_number = :n)"
        ),
        {"n": made["a member"]},
    )
    session.commit()
    tries = [
        *((each, PHONE) for each in made.values()),
        (number, "01712345679"),
        (number, "x"),
        ("0000000000000", PHONE),
        ("a\x00b", "\x00"),
    ]
    pages, statements = [], []
    for count, (typed, phone) in enumerate([*tries, (number, PHONE)]):
        citizen = Citizen(app, address=f"203.0.113.{100 + count}")
        form = citizen.get(TRACK).form("lost_number").fill(lost_number=typed, phone=phone)
        assert messages(session) == 0, tries[count - 1]
        with counted_statements(app) as seen:
            pages.append(citizen.submit(form))
        statements.append([re.sub(r"%\(\w+\)s(::\w+)?", "?", each) for each in seen])
    assert len({normal(page) for page in pages}) == 1 and {page.status for page in pages} == {200}
    assert len(pages[-1].html) == len(pages[4].html), "the right phone, and a wrong one"
    assert all(each == statements[0] for each in statements)
    assert messages(session) == 1, "the last one was right"


def test_one_a_minute_five_a_day_and_a_double_click_asks_once(
    app: Flask, session: Session, number: str, widow: Citizen
) -> None:
    form = widow.get(TRACK).form("lost_number").fill(lost_number=number, phone=PHONE)
    pages = [widow.submit(form) for _ in range(2)]
    assert messages(session) == 1
    code = sent(session) or ""
    assert is_open(enter(widow, pages[1], code)), "either of the two pages takes the code"
    for count in range(6):
        let_time_pass(session, timedelta(seconds=61))
        shown = ask(Citizen(app, address=f"203.0.113.{70 + count}"), number)
        assert shown.status == 200 and normal(shown) == normal(ask(Citizen(app), "1", "2"))
    assert messages(session) == 5
    # Whoever does not know both cannot use up what the holder may ask for.
    assert session.scalars(select(func.max(Throttle.count))).one() <= 15


def test_no_wait_tells_a_right_phone_from_a_wrong_one_when_codes_are_used_up(
    app: Flask, session: Session, number: str
) -> None:
    """A right phone gets no sixth code in a day, and nothing of that shows."""
    row = build.case(session, phone="+8801812345678")
    session.commit()
    seen = []
    for at, (typed, phone) in enumerate([(number, PHONE), (row.tracking_number, "01912345678")]):
        stranger = Citizen(app, address=f"203.0.113.{90 + at}")
        page = ask(stranger, typed, phone)
        for _ in range(4):
            let_time_pass(session, timedelta(seconds=61))
            page = stranger.submit(page.form("again"), "again")
        for _ in range(5):
            page = enter(stranger, page, "0000000")
        let_time_pass(session, timedelta(seconds=61))
        page = stranger.submit(page.form("again"), "again")
        seen.append([enter(stranger, page, "0000000").status for _ in range(4)])
    assert seen[0] == seen[1] == [422, 429, 429, 429]
    assert messages(session) == 5


def test_asking_without_end_from_one_source_waits_and_keeps_what_was_typed(app: Flask, widow: Citizen) -> None:
    for _ in range(one_time.SOURCE_ASKS):
        assert ask(widow, "0000000000000").status == 200
    held = ask(widow, "0000000000000", "০১৭")
    assert held.status == 429 and 0 < int(held.headers["Retry-After"]) <= 601
    assert held.form("lost_number").values["phone"] == ["০১৭"]


def test_guessing_everywhere_at_once_leaves_each_source_three_tries(
    app: Flask, session: Session, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracking, "ALL_TRIES", 8)
    for count in range(12):
        tracking.knock(f"{count:013d}", "0" * 13, f"10.9.0.{count}")
    waits = [tracking.knock(f"{count:013d}", "0" * 13, "10.9.9.9").wait_seconds for count in range(5)]
    assert [wait > 0 for wait in waits] == [False] * 3 + [True] * 2
    let_time_pass(session, tracking.SOURCE_WINDOW)
    assert tracking.knock("0" * 13, "0" * 13, "10.9.9.9").wait_seconds == 0


# --- a shared phone ---------------------------------------------------------------------------------------------------


def test_who_leaves_the_page_leaves_nothing_behind(app: Flask, session: Session) -> None:
    number, secret = codes_of(Citizen(app).file(details="আমার কথা"))
    phone = Citizen(app)
    form = phone.get(TRACK).form("tracking_number").fill(tracking_number=number, secret=secret)
    page = phone.submit(form)
    assert is_open(page) and is_open(phone.submit(form)), "a reload, while she reads"
    assert number[:4] not in page.document.first("title").text and page.headers["Cache-Control"] == "no-store"
    assert "track.js" in page.html
    act = page.form(action="add_information").fill(information="লুকানো লেখা")
    left = phone.client.post(TRACK, data=dict(page.form("leave").press("")))
    assert (left.status_code, left.location, left.headers["Clear-Site-Data"]) == (303, "/", '"cache"')
    for sent_again in (form, act, page.form(action="add_information")):
        back = phone.submit(sent_again)
        assert back.status == 400 and not is_open(back)
        assert "লুকানো" not in back.html and "আমার কথা" not in back.html and secret not in back.html
    assert is_open(phone.submit(phone.get(TRACK).form("tracking_number").fill(tracking_number=number, secret=secret)))


def test_the_form_that_opened_the_page_opens_nothing_after_half_an_hour(app: Flask, session: Session) -> None:
    number, secret = codes_of(Citizen(app).file(details="আমার কথা"))
    phone = Citizen(app)
    form = phone.get(TRACK).form("tracking_number").fill(tracking_number=number, secret=secret)
    assert is_open(phone.submit(form))
    let_time_pass(session, tracking.VIEW_LIFETIME + timedelta(seconds=1))
    late = phone.submit(form)
    assert late.status == 400 and not is_open(late)
    kept = [str(row) for row in session.execute(select(TrackVisit.key)).scalars()]
    assert kept and all(len(key) == 32 for key in kept)
    assert tidy(clock.now(session) + timedelta(hours=26))["track_visit"] == len(kept)
    assert session.scalars(select(Case.version)).one() == 1
