"""Bad input on the public form: what was typed comes back, the message says how to mend it, nothing is stored but the draft."""

import re
import time
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from grm.cases import search_index
from grm.cases.models import Case, CaseEvent, Complainant
from grm.cases.queries import people_of
from grm.intake import views
from grm.intake.facts import CORRECTION_FIELDS
from grm.intake.forms import PUBLIC_FIELDS
from grm.intake.models import Draft, Submission
from grm.kernel import context, tracking_number
from grm.kernel.text import bangla_digits
from grm.notifications import rendering
from grm.notifications.catalogue import CATALOGUE
from grm.notifications.models import Message
from tests.support.citizen import COMPLAINT, FORM, Citizen, codes_of, errors_of, how_many, the_case
from tests.support.web import Page

ZERO_WIDTH = ["\u200b", "\u200c\u200d", "\u200e\u200f", "\u2060", "\ufeff", "\u00a0", " \u200b\u00a0\ufeff\n"]
PAGE_OF = {"programme": 1, "category": 1, "district": 1, "details": 2, "phone": 3, "email": 3, "name": 3}


@pytest.fixture
def citizen(app: Flask) -> Citizen:
    return Citizen(app)


def refused(citizen: Citizen, session: Session, **changes: str) -> Any:
    """Send everything at once with something wrong in it; nothing may be stored but the draft."""
    page = citizen.file(**changes)
    assert page.status == 422, (page.status, page.text[:300])
    assert codes_of(page) == []
    for model in (Case, Submission, CaseEvent, Complainant, Message):
        assert how_many(session, model) == 0, model
    assert how_many(session, Draft) == 1
    assert "Traceback" not in page.html and "psycopg" not in page.html
    return page


# --- text -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", ["", "   ", "\r\n\t ", *ZERO_WIDTH])
def test_text_with_nothing_to_read(citizen: Citizen, session: Session, blank: str) -> None:
    page = refused(citizen, session, details=blank)
    assert errors_of(page) == {"details": "সমস্যাটি লিখুন"}
    summary = next(box for box in page.document.all("div") if "error-summary" in box["class"])
    assert "autofocus" in summary.attributes and summary["tabindex"] == "-1"


def test_text_of_20001_characters_comes_back_whole(citizen: Citizen, session: Session) -> None:
    long = "অভিযোগ " * 2857 + "শেষ"
    assert len(long) == 20_002
    page = refused(citizen, session, details=long)
    assert "২০,০০২" in errors_of(page)["details"] and "২০,০০০" in errors_of(page)["details"]
    assert page.form("details").values["details"] == [long]
    page = citizen.submit(page.form("details").fill(details=long[:-2]))
    assert "declaration" in page.form("csrf_token").names, "everything else was kept"


def test_english_readers_get_english(citizen: Citizen) -> None:
    citizen.get(FORM + "?lang=en")
    assert errors_of(citizen.file(details=" ")) == {"details": "Please describe the problem"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("details", "ক্ষ্ম\u200dক\u200c 👩‍👩‍👧 🇧🇩"),
        ("details", "\n\n  দুই লাইন আগে ফাঁকা"),
        ("details", "অতি" * 3000),
        ("place", "' OR '1'='1'; DROP TABLE cases; --"),
        ("name", "%s %(x)s {{7*7}} ${7*7} {% raw %}"),
        ("details", "ক" + "\u09be" * 5000),
    ],
)
def test_odd_text_is_kept(citizen: Citizen, session: Session, name: str, text: str) -> None:
    page = citizen.file(**{name: text})
    assert len(codes_of(page)) == 2, page.text
    if name == "details":
        assert the_case(session).details[:9] == text.strip()[:9]


CANARY = "\"'></textarea></select><script src=//evil.example></script><b onclick=alert(1)>{{7*7}}"


def is_harmless(page: Page) -> bool:
    """Whether nothing on a page came from what was typed: scripts are our own files, and no element got an attribute."""
    scripts = [script["src"] for script in page.document.all("script")]
    return (
        all(source.startswith("/static/") for source in scripts)
        and not any("onclick" in element.attributes for element in page.document.all())
        and page.html.count("<script") == len(scripts)
        and "&gt;49" not in page.html
    )


def test_a_canary_tag_never_becomes_markup(citizen: Citizen, session: Session) -> None:
    canary = CANARY
    shown = [citizen.file(**{name: canary}) for name in COMPLAINT if name not in ("details", "name", "place")]
    walk = citizen.post(FORM, {**citizen.tokens(), **COMPLAINT, "step": "3", "details": canary, "name": canary})
    shown += [walk, citizen.file(details=canary, name=canary, place=canary)]
    assert the_case(session).details == canary
    number, secret = codes_of(shown[-1])
    codes = {"tracking_number": number, "secret": secret}
    status = citizen.post("/track", {**citizen.tokens("/track"), **codes})
    act = {**citizen.tokens("/track"), "view": status.form("view").values["view"][0], "action": "add_information"}
    shown += [status, citizen.post("/track", {**act, "information": canary})]
    shown.append(citizen.post("/track", {**citizen.tokens("/track"), "tracking_number": canary, "secret": canary}))
    assert sum("evil.example" in page.html for page in shown) >= 5, "it is shown as text"
    for page in shown:
        assert is_harmless(page), page.url


def test_a_canary_tag_is_text_to_officers_and_in_no_message(app: Flask, citizen: Citizen, session: Session) -> None:
    """Each field of a payment and of a correction, as the office reads it; a link in a name is never one."""
    link = "http://evil.example/?a=1 <a href=http://evil.example>"
    money = {
        "account_note": CANARY,
        "others": f"{CANARY}\n{link}, 01812345678",
        "programme": "",
        "programme_words": CANARY,
    }
    wrong = {"category": "data-correction", "correct_from": CANARY, "correct_to": link, "name": link}
    fields = {"details": CANARY, "name": CANARY, "place": CANARY, "on_behalf": "1", "representative_name": link}
    check = citizen.post(FORM, {**citizen.tokens(), **COMPLAINT, **fields, **money, "step": "3"})
    assert "evil.example" in check.text and is_harmless(check)
    numbers = [codes_of(citizen.file(**fields, **money))[0], codes_of(citizen.file(**wrong))[0]]
    session.commit()
    search_index.index_due()
    for username, number in (("cabinet", numbers[0]), ("gro.social-welfare", numbers[1])):
        officer = Citizen(app)
        officer.submit(officer.get("/login").form("username").fill(username=username, password="demo"))
        for path in (f"/cases/{number}", f"/cases/{number}/file", "/queue?view=all", f"/search?q={quote(CANARY)}"):
            page = officer.get(path)
            assert page.status == 200 and is_harmless(page), path
            assert "evil.example" in page.html or path == "/queue?view=all", path
            assert all(link.startswith("http://localhost/") for link in page.links("evil.example")), "none is a link"
    for message in session.scalars(select(Message)):
        entry = CATALOGUE[message.template]
        body = rendering.render(entry, "sms", message.language, message.params, "http://localhost")
        assert "evil" not in str(body) and "evil" not in str(message.params)
    assert how_many(session, Message) == 2


@pytest.mark.parametrize("name", ["details", "name", "place", "phone", "email", "programme", "district", "incident_on"])
def test_nul_bytes_are_refused_not_stumbled_over(citizen: Citizen, session: Session, name: str) -> None:
    page = refused(citizen, session, **{name: "a\x00b"})
    assert name in errors_of(page)


def test_no_field_stumbles_over_a_nul_byte(app: Flask, citizen: Citizen, session: Session) -> None:
    """Boxes that hold one are not ticked; a fact of another kind of complaint is not looked at; all else is refused."""
    for name in {*PUBLIC_FIELDS} - {"anonymous", "on_behalf", "relation", "representative_name"}:
        category = "data-correction" if name in CORRECTION_FIELDS else "payment-not-received"
        chosen = {"programme": "unknown"} if name == "programme_words" else {}
        page = Citizen(app).file(**{"category": category, **chosen, name: "a\x00b"})
        assert (page.status, set(errors_of(page))) == (422, {name}), (name, page.status, errors_of(page))
    page = citizen.file(on_behalf="1", relation="a\x00b", representative_name="\x00")
    assert page.status == 422 and set(errors_of(page)) == {"relation", "representative_name"}
    assert how_many(session, Case) == 0


@pytest.mark.parametrize(
    "query",
    [
        *("step=\x00", "step=99", "step=২", "lang=\x00", "step=%ff%fe", "draft=%00"),
        *("programme=%00", "programme=%ff%fe", "programme=" + "a" * 5000, "%ff=%ff"),
    ],
)
def test_odd_query_strings_show_the_form(citizen: Citizen, query: str) -> None:
    assert citizen.get(f"{FORM}?{query}").status == 200


def test_invalid_utf8_is_kept_as_typed_or_refused(citizen: Citizen, session: Session) -> None:
    """What a browser percent-encodes is kept as it came; raw bytes, which no browser sends, are no form."""
    fields = "&".join(f"{key}={value}" for key, value in citizen.tokens().items())
    body = f"{fields}&step=send&programme=unknown&category=work-wage&district=unknown&declaration=1&details=".encode()
    urlencoded = "application/x-www-form-urlencoded"
    assert citizen.post(FORM, body + b"\xff\xfe", content_type=urlencoded).status == 400
    assert how_many(session, Case) == 0
    assert len(codes_of(citizen.post(FORM, body + b"%FF%E0%A6", content_type=urlencoded))) == 2
    assert the_case(session).details == "%FF%E0%A6"


def test_other_kinds_of_body_are_no_form(citizen: Citizen, session: Session) -> None:
    for content_type in ("application/json", "text/plain", "multipart/form-data; boundary=x"):
        page = citizen.post(FORM, b'{"step": "send"}\x00\xff', content_type=content_type)
        assert page.status == 400
    assert how_many(session, Case) == 0


def test_a_body_over_the_limit_is_refused(citizen: Citizen, session: Session) -> None:
    page = citizen.post(FORM, {**citizen.tokens(), "details": "ক" * 2_000_000})
    assert page.status == 413
    assert how_many(session, Case) == 0


# --- phones, addresses, dates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "phone",
    [
        "০১৭১২৩৪৫৬৭৮",
        "+৮৮০১৭১২৩৪৫৬৭৮",
        "8801712345678",
        "01712-345678",
        "０１７１２３４５６７８",
        "٠١٧١٢٣٤٥٦٧٨",
        "00880 1712 345678",
    ],
)
def test_every_way_of_writing_a_number_is_one_number(citizen: Citizen, session: Session, phone: str) -> None:
    assert len(codes_of(citizen.file(phone=phone, others=f"সালমা {phone}"))) == 2
    people = people_of(session, the_case(session), context.keyring())
    assert [each.phone for each in people] == ["+8801712345678"] * 2
    assert how_many(session, Message) == 1


@pytest.mark.parametrize(
    "phone",
    [
        *("01212345678", "029512345", "0171234567", "16263", "৩৩৩", "zero one seven", "01712345678x", "017123456789"),
        *("+15005550006", "+919812345678", "+8809612345678", "00447700900123", "9" * 5000, "0" * 11),
    ],
)
def test_numbers_that_get_no_sms(citizen: Citizen, session: Session, phone: str) -> None:
    page = refused(citizen, session, phone=phone)
    assert "০১৩ থেকে ০১৯" in errors_of(page)["phone"]
    assert page.form("phone").values["phone"] == [phone]


@pytest.mark.parametrize(
    "email", ["a@b", "a b@example.org", "@example.org", "x" * 300 + "@example.org", "a@[127.0.0.1]"]
)
def test_addresses_that_get_no_mail(citizen: Citizen, session: Session, email: str) -> None:
    page = refused(citizen, session, email=email, preferred_channel="email")
    assert "email" in errors_of(page) and page.form("email").values["email"] == [email]


@pytest.mark.parametrize(
    "email", ['"রহিমা"@example.org', '"rahima khatun"@example.org', "rahima@বাংলা.example", "x" * 64 + "@example.org"]
)
def test_addresses_as_the_standards_allow_them(citizen: Citizen, email: str) -> None:
    """A quoted local part, a domain in any script; a local part in Bangla no server is sure to take."""
    page = citizen.file(email=email, preferred_channel="email")
    assert (len(codes_of(page)) == 2) == ("রহিমা" not in email), page.text


def test_a_hundred_kilobytes_in_a_short_field_take_no_time(app: Flask, session: Session) -> None:
    started = time.process_time()
    for name in ("email", "phone", "incident_on", "taka_received", "period_from", "others", "programme_words"):
        typed = "a@" * 50_000
        page = Citizen(app).file(**{name: typed})
        assert page.status == 422 and set(errors_of(page)) == {name}
        assert typed in page.html, "it comes back whole"
    assert time.process_time() - started < 3
    assert how_many(session, Case) == 0


def test_bangla_digits_work_wherever_a_number_is_typed(citizen: Citizen, session: Session) -> None:
    facts = {"taka_received": "১,৫০০/-", "taka_expected": "১৮০০ টাকা", "period_from": "২০২৬-০১", "period_to": "০৩/২০২৬"}
    number, secret = codes_of(citizen.file(**facts))
    kept = session.execute(text("SELECT taka_received, taka_expected, period_from, period_to FROM claim")).one()
    assert [str(value) for value in kept] == ["1500", "1800", "2026-01-01", "2026-03-01"]
    codes = {"tracking_number": bangla_digits(number.lower()), "secret": f" {bangla_digits(secret)} "}
    assert tracking_number.display(number) in citizen.post("/track", {**citizen.tokens("/track"), **codes}).text


@pytest.mark.parametrize("day", ["31/02/2026", "tomorrow", "০১/০১/২১৯৯", "1/1/0001", "2026-13-01"])
def test_dates_that_are_none(citizen: Citizen, session: Session, day: str) -> None:
    page = refused(citizen, session, incident_on=day)
    assert "incident_on" in errors_of(page) and page.form("incident_on").values["incident_on"] == [day]


@pytest.mark.parametrize("day", ["০১/০১/২০২৬", "01-01-2026", "1.1.2026", "2026-01-01"])
def test_dates_in_any_digits(citizen: Citizen, session: Session, day: str) -> None:
    citizen.file(incident_on=day)
    found = the_case(session).incident_on
    assert found is not None and found.isoformat() == "2026-01-01"


# --- new fields -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", ZERO_WIDTH)
def test_a_name_with_nothing_to_read_is_none(citizen: Citizen, session: Session, blank: str) -> None:
    page = refused(citizen, session, programme="", programme_words=blank)
    assert set(errors_of(page)) == {"programme"}
    assert len(codes_of(citizen.file(others=f"{blank}\n{blank}", account_note=blank, correct_to=blank))) == 2
    assert how_many(session, Complainant) == 1


def test_a_list_of_people_comes_back_with_its_faults(citizen: Citizen, session: Session) -> None:
    typed = "\r\n".join(["সালমা, 01812345678", "জমিলা ০১২১২৩৪৫৬৭৮", "রফিক +15005550006"])
    page = refused(citizen, session, others=typed)
    assert "২, ৩" in errors_of(page)["others"] and "০১৩ থেকে ০১৯" in errors_of(page)["others"]
    assert page.form("others").values["others"] == [typed]
    page = refused(citizen, session, others="\n".join(f"কেউ {number}" for number in range(51)))
    assert "৫১" in errors_of(page)["others"] and "৫০" in errors_of(page)["others"]


# --- choices --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("programme", value) for value in ("", "no-such", "old-age-allowance ", "OLD-AGE-ALLOWANCE", "1")),
        *(("category", value) for value in ("", "unknown", "x" * 10_000)),
        *(("district", value) for value in ("", "9999", "302614", "3026-CC1", "30", "-1")),
    ],
)
def test_choices_that_are_not_offered(citizen: Citizen, session: Session, name: str, value: str) -> None:
    if value.strip() != value:
        assert len(codes_of(citizen.file(**{name: value}))) == 2, "spaces around a code do not matter"
        return
    page = refused(citizen, session, **{name: value})
    assert name in errors_of(page)


def test_an_upazila_of_another_district(citizen: Citizen, session: Session) -> None:
    assert set(errors_of(refused(citizen, session, upazila="100409"))) == {"upazila"}
    assert len(codes_of(citizen.file(district="৩০২৬", upazila="৩০২৬১৪"))) == 2


def test_without_the_declaration_nothing_is_filed(citizen: Citizen, session: Session) -> None:
    assert set(errors_of(refused(citizen, session, declaration=""))) == {"declaration"}


def test_every_page_judges_its_own_fields_only(citizen: Citizen) -> None:
    page = citizen.get(FORM)
    page = citizen.submit(page.form("programme"))
    assert page.status == 422 and set(errors_of(page)) == {"programme", "category", "district"}
    page = citizen.submit(page.form("programme").fill(programme="unknown", category="work-wage", district="unknown"))
    page = citizen.submit(page.form("details"))
    assert page.status == 422 and set(errors_of(page)) == {"details"}


def test_several_faults_are_mended_one_page_after_the_other(citizen: Citizen, session: Session) -> None:
    page = citizen.file(category="", details=" ", phone="12", declaration="")
    for number, mend in ((1, {"category": "work-wage"}), (2, {"details": "কাজ পাইনি"}), (3, {"phone": ""})):
        assert {PAGE_OF[name] for name in errors_of(page)} <= {number}
        fields = dict(mend) | ({"preferred_channel": "none"} if number == 3 else {})
        page = citizen.submit(page.form(*fields).fill(**fields))
    page = citizen.submit(page.form("declaration").fill(declaration=True), "send")
    assert len(codes_of(page)) == 2
    assert the_case(session).place == COMPLAINT["place"], "what was right the first time is still there"


# --- tokens, cookies, origins ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["", "x", "a" * 5000, "\x00", "WyJhIl0.aaaa.bbbb"])
def test_a_wrong_token_shows_the_filled_form_with_a_fresh_one(citizen: Citizen, session: Session, token: str) -> None:
    page = citizen.post(FORM, {**citizen.tokens(), **COMPLAINT, "step": "2", "csrf_token": token})
    assert page.status == 400 and how_many(session, Case) == 0
    form = page.form("details")
    assert form.values["details"] == [COMPLAINT["details"]] and form.values["csrf_token"] != [token]
    page = citizen.submit(form)
    assert page.status == 200 and "declaration" not in errors_of(page), "pressed again, it goes on"


def test_a_token_of_yesterday_is_stale(app: Flask, citizen: Citizen, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = citizen.tokens()
    monkeypatch.setattr("grm.web.security.PUBLIC_TOKEN_SECONDS", -1)
    page = citizen.post(FORM, {**tokens, **COMPLAINT, "step": "send"})
    assert page.status == 400 and codes_of(page) == []


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}],
)
def test_a_form_on_somebody_elses_page_files_nothing(
    app: Flask, citizen: Citizen, session: Session, headers: dict[str, str]
) -> None:
    attacker = Citizen(app)
    planted = attacker.tokens()
    page = citizen.post(FORM, {**planted, **COMPLAINT, "step": "send"}, headers=headers)
    assert page.status == 400 and how_many(session, Case) == 0
    cookie = citizen.client.get_cookie(views.COOKIE, path=views.COOKIE_PATH)
    assert cookie is not None and cookie.value != planted["draft"], "the victim goes on under a token nobody else knows"
    assert page.form("csrf_token").values["draft"] == [cookie.value]


@pytest.mark.parametrize(
    "draft", ["", "short", "x" * 22 + "!", "../../etc/passwd", "\x00" * 22, "অ" * 22, "A" * 10_000]
)
def test_a_forged_draft_token_is_replaced(citizen: Citizen, session: Session, draft: str) -> None:
    page = citizen.file(draft=draft)
    assert len(codes_of(page)) == 2 and how_many(session, Case) == 1


def test_a_draft_is_read_by_its_token_only(app: Flask, citizen: Citizen) -> None:
    citizen.post(FORM, {**citizen.tokens(), "step": "2", "details": "গোপন কথা"})
    stranger = Citizen(app)
    for token in ("A" * 22, "B" * 22):
        stranger.client.set_cookie(views.COOKIE, token, path=views.COOKIE_PATH)
        assert "গোপন কথা" not in stranger.get(FORM + "?step=2").html


def test_the_cookie_is_closed_to_scripts_and_other_sites(citizen: Citizen) -> None:
    header = citizen.get(FORM).headers["Set-Cookie"]
    assert re.match(r"grm_draft=[\w-]{22};", header)
    for part in ("HttpOnly", "SameSite=Lax", "Path=/complaints", "Max-Age=259200"):
        assert part in header


@pytest.mark.parametrize("method", ["put", "delete", "patch", "trace"])
def test_other_methods_are_refused(client: FlaskClient, method: str) -> None:
    for path in (FORM, "/complaints/sent", "/track"):
        assert client.open(path, method=method.upper()).status_code == 405


def test_back_and_sent_again_with_other_words_is_the_first_case(citizen: Citizen, session: Session) -> None:
    """The form's token names the complaint: whoever goes back and presses again gets the receipt of what was filed."""
    form = {**citizen.tokens(), **COMPLAINT, "step": "send"}
    first = codes_of(citizen.post(FORM, form))
    for again in ({}, {"details": "অন্য কথা"}, {"details": " ", "step": "2"}, {"go": "1"}, {"csrf_token": "stale"}):
        assert codes_of(citizen.post(FORM, {**form, **again})) == first and len(first) == 2
    assert how_many(session, Case) == 1 and the_case(session).details == COMPLAINT["details"]
    assert how_many(session, Draft) == 0


# --- the database is away -------------------------------------------------------------------------------------------


def test_without_the_database_the_text_is_shown_to_be_kept(
    citizen: Citizen, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = citizen.tokens()

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("SELECT", {}, Exception("connection refused"), connection_invalidated=True)

    for module, name in ((views, "file_grievance"), (views.drafts, "look")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, away)
            page = citizen.post(FORM, {**tokens, **COMPLAINT, "step": "send"})
        assert page.status == 503 and page.headers["Retry-After"]
        assert COMPLAINT["details"] in page.text
        assert "connection refused" not in page.html
    assert how_many(session, Case) == 0
    assert len(codes_of(citizen.post(FORM, {**tokens, **COMPLAINT, "step": "send"}))) == 2


def test_a_page_number_in_bangla_digits_opens_that_page(citizen: Citizen) -> None:
    citizen.post(FORM, {**citizen.tokens(), "step": "২", "details": "আমার কথা"})
    assert "আমার কথা" in citizen.get(FORM + "?step=২").html
