"""Guessing numbers and secrets: bounded, one answer for everything wrong, and the true holder is not locked out."""

import statistics
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cases import service as cases
from grm.cases import tracking
from grm.cases.models import Case
from grm.kernel import clock, tracking_number
from grm.kernel.text import bangla_digits
from grm.web.models import Throttle
from tests.support import build
from tests.support.citizen import Citizen, codes_of, errors_of, how_many, the_case
from tests.support.web import Page

TRACK = "/track"


@pytest.fixture
def codes(app: Flask) -> tuple[str, str]:
    """The two codes of a filed complaint."""
    number, secret = codes_of(Citizen(app, address="203.0.113.200").file(details="আমার কথা"))
    return number, secret


def knock(citizen: Citizen, number: str, secret: str) -> Page:
    return citizen.post(TRACK, {**citizen.tokens(TRACK), "tracking_number": number, "secret": secret})


def is_open(page: Page) -> bool:
    return page.status == 200 and any(element["name"] == "view" for element in page.document.all("input"))


def other(number: str) -> str:
    """Another well-formed code."""
    return next(code for code in map(tracking_number.new_tracking_number, range(5)) if code != number)


def let_time_pass(session: Session, span: timedelta) -> None:
    """Move every counter into the past."""
    session.execute(
        text("UPDATE throttle SET window_ends_at = window_ends_at - :span, blocked_until = blocked_until - :span"),
        {"span": span},
    )
    session.commit()


# --- the way in -----------------------------------------------------------------------------------------------------


def test_both_codes_open_the_case_however_they_are_typed(app: Flask, codes: tuple[str, str]) -> None:
    number, secret = codes
    look_alike = str.maketrans({"0": "o", "1": "l", "V": "u"})
    for spell in (
        str,
        str.lower,
        tracking_number.display,
        bangla_digits,
        lambda code: f"  {code[:4]} – {code[4:]} ",
        lambda code: code.translate(look_alike),
    ):
        page = knock(Citizen(app), spell(number), spell(secret))
        assert is_open(page), spell(number)
        assert "সমাজকল্যাণ মন্ত্রণালয়" in page.text


def test_nothing_secret_is_ever_in_an_address(app: Flask, codes: tuple[str, str]) -> None:
    citizen = Citizen(app)
    page = knock(citizen, *codes)
    assert page.path == TRACK and "?" not in page.url.rstrip("?")
    links = [anchor["href"] for anchor in page.document.all("a")] + [form.url for form in page.forms()]
    assert not [link for link in links if any(code in link for code in codes)]
    assert "Set-Cookie" not in page.headers
    assert not is_open(citizen.get(f"{TRACK}?tracking_number={codes[0]}&secret={codes[1]}"))


# --- one answer -----------------------------------------------------------------------------------------------------


def normal(page: Page, *typed: str) -> str:
    """A page without what differs in every answer: tokens, and what was typed."""
    html = page.html
    for element in page.document.all("input"):
        if element["name"] in ("csrf_token", "opening", "request"):
            html = html.replace(element["value"], "token")
    for code in typed:
        html = html.replace(code, "typed")
    return html


def test_wrong_number_and_wrong_secret_are_one_answer(app: Flask, codes: tuple[str, str]) -> None:
    number, secret = codes
    unknown = other(number)
    pages = [
        knock(Citizen(app, address=f"203.0.113.{count}"), *typed)
        for count, typed in enumerate([(number, other(secret)), (unknown, secret), (unknown, other(secret))])
    ]
    assert {page.status for page in pages} == {422}
    assert len({normal(page, number, secret, unknown, other(secret)) for page in pages}) == 1
    assert len({len(page.body) for page in pages}) == 1
    malformed = knock(Citizen(app), "০", "?")
    assert (malformed.status, errors_of(malformed)) == (422, errors_of(pages[0]))


def test_wrong_number_and_wrong_secret_take_the_same_time(session: Session, codes: tuple[str, str]) -> None:
    """Interleaved, so that a busy machine slows both; a difference of a tenth would show which numbers exist."""
    wrong = other(codes[1])
    spent: dict[str, list[float]] = {"known": [], "unknown": []}
    for round_number in range(60):
        unknown = tracking_number.new_tracking_number()
        for name, number in (("known", codes[0]), ("unknown", unknown)):
            session.execute(text("TRUNCATE throttle"))
            session.commit()
            started = time.perf_counter()
            assert tracking.knock(number, wrong, f"198.51.100.{round_number}").tracking_number is None
            spent[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(times) for name, times in spent.items()}
    assert abs(medians["known"] - medians["unknown"]) < 0.15 * max(medians.values()), medians


def test_the_same_statements_run_for_both(app: Flask, session: Session, codes: tuple[str, str]) -> None:
    from tests.support.citizen import counted_statements

    seen = []
    for number in (codes[0], other(codes[0])):
        with counted_statements(app) as statements:
            tracking.knock(number, other(codes[1]), "198.51.100.1")
        seen.append(statements)
    assert seen[0] == seen[1] and len(seen[0]) == 6


# --- bounded --------------------------------------------------------------------------------------------------------


def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The guesses that are really compared with the secret."""
    compared: list[str | None] = []
    real = tracking._matches

    def note(session: Session, number: str | None, secret: str | None) -> bool:
        compared.append(secret)
        return real(session, number, secret)

    monkeypatch.setattr(tracking, "_matches", note)
    return compared


def test_fifty_guesses_at_once_count_as_fifty(
    app: Flask, session: Session, codes: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = looked_at(monkeypatch)
    barrier = Barrier(10)

    def guess(number: int) -> int:
        with app.app_context():
            if number < 10:
                barrier.wait()
            secret = tracking_number.new_tracking_number(number)
            return tracking.knock(codes[0], secret, "198.51.100.9").wait_seconds

    with ThreadPoolExecutor(10) as pool:
        waits = list(pool.map(guess, range(50)))
    assert len(compared) == 5
    assert sum(wait > 0 for wait in waits) == 45
    counts = session.scalars(select(Throttle.count).order_by(Throttle.count.desc())).all()
    assert counts[0] == 50, "every one was counted at its source"


def test_a_wait_doubles_from_thirty_seconds_to_an_hour(session: Session, codes: tuple[str, str]) -> None:
    waits = []
    for number in range(16):
        source = f"198.51.100.{number}"
        tracking.knock(codes[0], other(codes[1]), source)
        blocked = session.execute(
            select(Throttle.blocked_until).where(Throttle.blocked_until.is_not(None))
        ).scalar_one_or_none()
        if blocked is not None:
            now = clock.now(session)
            waits.append(round((blocked - now).total_seconds()))
            session.rollback()
            let_time_pass(session, blocked - now)
    assert waits[:8] == [30, 60, 120, 240, 480, 960, 1920, 3600] and set(waits[7:]) == {3600}


def test_unknown_numbers_wait_like_known_ones(session: Session, codes: tuple[str, str]) -> None:
    told = []
    for number in (codes[0], other(codes[0])):
        told.append([tracking.knock(number, other(codes[1]), f"198.51.100.{len(told)}").wait_seconds for _ in range(8)])
    assert told[0] == told[1] == [0] * 5 + [30] * 3


def test_a_guesser_cannot_lock_the_holder_out(app: Flask, session: Session, codes: tuple[str, str]) -> None:
    for number in range(30):
        tracking.knock(codes[0], other(codes[1]), f"198.51.100.{number % 7}")
    assert is_open(knock(Citizen(app, address="203.0.113.50"), *codes)), "a source that has not guessed is let in"
    assert tracking.knock(codes[0], codes[1], "198.51.100.1").tracking_number == codes[0], "success clears the wait"


def test_many_sources_have_a_common_bound(
    session: Session, codes: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = looked_at(monkeypatch)
    for number in range(130):
        tracking.knock(codes[0], other(codes[1]), f"10.0.0.{number}")
    assert len(compared) == tracking.MOST_FAILURES
    let_time_pass(session, timedelta(hours=1))
    assert tracking.knock(codes[0], codes[1], "203.0.113.50").tracking_number == codes[0], "within the hour"


def test_one_source_has_twenty_tries_over_all_numbers(app: Flask, session: Session, codes: tuple[str, str]) -> None:
    guesser = Citizen(app, address="198.51.100.44")
    statuses = Counter(
        knock(guesser, tracking_number.new_tracking_number(), codes[1]).status for _ in range(tracking.SOURCE_TRIES + 5)
    )
    assert statuses == {422: tracking.SOURCE_TRIES, 429: 5}
    page = knock(guesser, *codes)
    assert page.status == 429 and 0 < int(page.headers["Retry-After"]) <= 601
    assert "মিনিট" in errors_of(page)[""]
    assert page.form("tracking_number").values["tracking_number"] == [codes[0]], "what was typed comes back"
    let_time_pass(session, tracking.SOURCE_WINDOW)
    assert is_open(knock(guesser, *codes))


def test_right_codes_use_no_tries_up(app: Flask, codes: tuple[str, str]) -> None:
    family = Citizen(app, address="198.51.100.45")
    assert all(is_open(knock(family, *codes)) for _ in range(tracking.SOURCE_TRIES + 1))


def test_nothing_is_kept_in_clear(session: Session, codes: tuple[str, str]) -> None:
    tracking.knock(codes[0], other(codes[1]), "198.51.100.77")
    session.rollback()
    rows = session.execute(text("SELECT CAST(t AS text) FROM throttle AS t")).scalars().all()
    assert rows and not [row for row in rows if "198.51" in row or codes[0] in row]


# --- the page behind ------------------------------------------------------------------------------------------------


def act(citizen: Citizen, page: Page, action: str, **values: Any) -> Page:
    form = page.form(action=action)
    return citizen.submit(form.fill(**values))


def test_a_question_is_answered_on_the_page(app: Flask, session: Session, codes: tuple[str, str]) -> None:
    cases.ask_complainant(build.actor(session, "gro.social-welfare"), codes[0], None, "হিসাব নম্বর কত?")
    citizen = Citizen(app)
    page = knock(citizen, *codes)
    assert "হিসাব নম্বর কত?" in page.text
    page = act(citizen, page, "answer", answer="১২৩৪৫")
    assert page.status == 200 and "১২৩৪৫" in page.text
    assert the_case(session).status == "in_progress"


def test_a_second_press_says_it_once(app: Flask, session: Session, codes: tuple[str, str]) -> None:
    citizen = Citizen(app)
    page = knock(citizen, *codes)
    for _ in range(3):
        after = act(citizen, page, "add_information", information="নতুন কথা ড়")
        assert after.status == 200 and after.text.count("নতুন কথা") == 1
    cases.acknowledge_case(build.actor(session, "gro.social-welfare"), codes[0], None)
    after = act(citizen, page, "add_information", information="আরও কথা")
    assert after.status == 200 and "আরও কথা" in after.text, "an officer's act in between loses nothing"


def test_withdrawing_wants_a_tick(app: Flask, session: Session, codes: tuple[str, str]) -> None:
    citizen = Citizen(app)
    page = knock(citizen, *codes)
    refused = act(citizen, page, "withdraw", reason="মিটে গেছে")
    assert refused.status == 422 and refused.form("reason").values["reason"] == ["মিটে গেছে"]
    done = act(citizen, refused, "withdraw", confirm=True)
    assert done.status == 200 and the_case(session).status == "withdrawn"
    assert act(citizen, refused, "withdraw", confirm=True).status == 200, "pressed again"
    late = act(citizen, page, "add_information", information="দেরিতে")
    assert late.status in (200, 409)


@pytest.mark.parametrize("typed", ["", " \u200b ", "x" * 10_001, "a\x00b"])
def test_bad_words_come_back(app: Flask, session: Session, codes: tuple[str, str], typed: str) -> None:
    citizen = Citizen(app)
    page = act(citizen, knock(citizen, *codes), "add_information", information=typed)
    assert page.status == 422 and set(errors_of(page)) == {"information"}
    assert page.form("information").values["information"] == [typed]
    assert the_case(session).history_length == 1


def test_the_page_closes_by_itself_and_keeps_the_words(
    app: Flask, session: Session, codes: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = Citizen(app)
    page = knock(citizen, *codes)
    monkeypatch.setattr(tracking, "VIEW_LIFETIME", timedelta(seconds=-1))
    closed = act(citizen, page, "add_information", information="অনেক লেখা")
    assert closed.status == 400 and "অনেক লেখা" in closed.text and not is_open(closed)
    monkeypatch.undo()
    again = citizen.submit(closed.form("tracking_number").fill(tracking_number=codes[0], secret=codes[1]))
    assert again.form("information").values["information"] == ["অনেক লেখা"]
    assert the_case(session).history_length == 1


@pytest.mark.parametrize("view", ["", "x", "WyJYIiwxNzk1MjkwMDk2XQ.TENqcL9hu3lGwZH3KiAXMd6GNdQ", "\x00", "অ"])
def test_a_forged_view_opens_nothing(app: Flask, session: Session, codes: tuple[str, str], view: str) -> None:
    citizen = Citizen(app)
    form = {**citizen.tokens(TRACK), "view": view, "action": "add_information", "information": "x", "version": "1"}
    page = citizen.post(TRACK, form)
    assert page.status == 400 and not is_open(page) and the_case(session).history_length == 1


def test_a_view_opens_its_own_case_only(app: Flask, session: Session, codes: tuple[str, str]) -> None:
    number, secret = codes_of(Citizen(app).file(details="আরেকজনের কথা"))
    citizen = Citizen(app)
    page = knock(citizen, number, secret)
    form = page.form("information").fill(information="নতুন")
    form.values["tracking_number"] = [codes[0]]
    after = citizen.submit(form)
    assert tracking_number.display(number) in after.text
    assert session.scalars(select(Case.history_length).where(Case.tracking_number == codes[0])).one() == 1


def test_a_stale_token_keeps_the_words(app: Flask, session: Session, codes: tuple[str, str]) -> None:
    citizen = Citizen(app)
    form = knock(citizen, *codes).form("information").fill(information="রাখুন")
    form.values["csrf_token"] = ["stale"]
    page = citizen.submit(form)
    assert page.status == 400 and page.form("information").values["information"] == ["রাখুন"]
    assert citizen.submit(page.form("information")).status == 200
    page = citizen.post(TRACK, {"tracking_number": codes[0], "secret": codes[1]})
    assert page.status == 400 and page.form("secret").values["secret"] == [codes[1]]
    assert how_many(session, Throttle) <= 4


def test_internal_words_stay_inside(app: Flask, session: Session, codes: tuple[str, str]) -> None:
    gro = build.actor(session, "gro.social-welfare")
    cases.claim_case(gro, codes[0], None)
    cases.add_note(gro, codes[0], None, "অভ্যন্তরীণ মন্তব্য")
    page = knock(Citizen(app), *codes)
    assert "অভ্যন্তরীণ মন্তব্য" not in page.html and gro.name not in page.html
    assert len(list(page.document.first("ol").all("li"))) == 1, "that there was a note is internal too"


def test_an_anonymous_case_shows_days_only(app: Flask) -> None:
    number, secret = codes_of(Citizen(app).file(anonymous="1"))
    page = knock(Citizen(app), number, secret)
    (line,) = [item.text for item in page.document.first("ol").all("p")]
    assert ":" not in line and "২০" in line
