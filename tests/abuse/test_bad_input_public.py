"""Bad input on the public form: what was typed comes back, the message says how to mend it, nothing is stored but the draft."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from grm.cases.models import Case, CaseEvent, Complainant
from grm.intake import views
from grm.intake.models import Draft, Submission
from grm.notifications.models import Message
from tests.support.citizen import COMPLAINT, FORM, Citizen, codes_of, errors_of, how_many, the_case

ZERO_WIDTH = ["\u200b", "\u200c\u200d", "\u200e\u200f", "\u2060", "\ufeff", "\u00a0", " \u200b\u00a0\ufeff\n"]
PAGE_OF = {"programme": 1, "category": 1, "district": 1, "details": 2, "phone": 3, "email": 3, "name": 3}


@pytest.fixture
def citizen(app: Flask) -> Citizen:
    return Citizen(app)


def refused(citizen: Citizen, session: Session, status: int = 422, **changes: str) -> Any:
    """Send everything at once with something wrong in it; nothing may be stored but the draft."""
    page = citizen.file(**changes)
    assert page.status == status, (page.status, page.text[:300])
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


def test_a_canary_tag_never_becomes_markup(citizen: Citizen, session: Session) -> None:
    canary = "\"'></textarea></select><script src=//evil.example></script><b onclick=alert(1)>{{7*7}}"
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
        assert "<script" not in page.html and "<b onclick" not in page.html and "&gt;49" not in page.html
        assert list(page.document.all("script", "b")) == list(page.document.first("header").all("b"))


@pytest.mark.parametrize("name", ["details", "name", "place", "phone", "email", "programme", "district", "incident_on"])
def test_nul_bytes_are_refused_not_stumbled_over(citizen: Citizen, session: Session, name: str) -> None:
    page = refused(citizen, session, **{name: "a\x00b"})
    assert name in errors_of(page)


@pytest.mark.parametrize("query", ["step=\x00", "step=99", "step=২", "lang=\x00", "step=%ff%fe", "draft=%00"])
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
    assert len(codes_of(citizen.file(phone=phone))) == 2
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


@pytest.mark.parametrize("day", ["31/02/2026", "tomorrow", "০১/০১/২১৯৯", "1/1/0001", "2026-13-01"])
def test_dates_that_are_none(citizen: Citizen, session: Session, day: str) -> None:
    page = refused(citizen, session, incident_on=day)
    assert "incident_on" in errors_of(page) and page.form("incident_on").values["incident_on"] == [day]


@pytest.mark.parametrize("day", ["০১/০১/২০২৬", "01-01-2026", "1.1.2026", "2026-01-01"])
def test_dates_in_any_digits(citizen: Citizen, session: Session, day: str) -> None:
    citizen.file(incident_on=day)
    found = the_case(session).incident_on
    assert found is not None and found.isoformat() == "2026-01-01"


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
