"""The guide: what a programme's page promises is what a filing gets; its pages may be listed and kept, and no others."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.deadlines.models import DeadlinePolicy
from grm.kernel import clock
from grm.offices import edition
from grm.offices.queries import directory
from grm.routing.models import RoutingRule
from grm.web.locale import speaking
from grm.web.presentation import show_date
from tests.abuse.test_access import sign_in
from tests.support import build
from tests.support.citizen import Citizen
from tests.support.web import Page

PAGE = "/programmes/old-age-allowance"
GRO, APPEAL = "অভিযোগ নিষ্পত্তি কর্মকর্তা (যুগ্মসচিব)", "আপিল কর্মকর্তা (অতিরিক্ত সচিব)"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
XHTML = "{http://www.w3.org/1999/xhtml}link"


def look(client: FlaskClient, path: str = PAGE) -> Page:
    answer = client.get(path)
    return Page(f"http://localhost{path}", answer.status_code, answer.headers, answer.data)


def in_bangla(day: date) -> str:
    with speaking("bn"):
        return show_date(day)


# --- what is promised ------------------------------------------------------------------------------------------------


def test_the_page_promises_what_a_filing_gets(app: Flask, session: Session) -> None:
    text = look(app.test_client()).text
    book = directory(session)
    expected = {"payment-not-received": GRO, "data-correction": GRO, "bribe-demand": APPEAL}
    dates = set()
    for number, (category, post) in enumerate(expected.items()):
        Citizen(app, address=f"203.0.113.{number}").file(category=category, phone=f"0171234567{number}")
        case = session.scalars(select(Case).order_by(Case.id.desc())).first()
        assert case is not None and case.category_id == book.category(category).id
        due_on = in_bangla(case.due_on)
        dates.add(due_on)
        office = book.office(case.office_id).name_bn
        start = post + ".{0,9}" + office if number == 0 else re.escape(book.category(category).name_bn) + ".{0,250}?"
        pattern = start + ".{0,120}?" + due_on if number == 0 else start + re.escape(post) + ".{0,40}?" + due_on
        assert re.search(pattern.replace(GRO, re.escape(GRO)), text), (category, text)
    assert len(dates) == 2, "a correction takes less time than the others"


def test_who_answers_and_by_when_follow_the_rules_in_force(app: Flask, session: Session) -> None:
    client = app.test_client()
    today = clock.dhaka_date(clock.now(session))
    before = look(client).text
    session.add(
        DeadlinePolicy(
            code="t-old-age",
            kind="resolve",
            limit=3,
            unit="calendar_days",
            source="a circular",
            programme="old-age-allowance",
            valid_from=date(2020, 1, 1),
        )
    )
    session.execute(
        update(RoutingRule)
        .where(RoutingRule.code == "old-age-allowance.normal")
        .values(office_id=build.office_id(session, "food"))
    )
    edition.bump(session)
    session.commit()
    after = look(client).text
    soon = [in_bangla(today + timedelta(days=days)) for days in range(3, 8)]
    assert [day for day in soon if f"এই তারিখের মধ্যে: {day}" in after] and "সমাজকল্যাণ মন্ত্রণালয় আজ," in before
    assert "খাদ্য মন্ত্রণালয় আজ," in after and "সমাজকল্যাণ মন্ত্রণালয় আজ," not in after
    # Its appeal officer answers the sensitive ones as before, and now that is another ministry.
    assert f"{APPEAL}, সমাজকল্যাণ মন্ত্রণালয়" in after and f"{APPEAL}, সমাজকল্যাণ মন্ত্রণালয়" not in before


def test_facts_name_source_and_date_and_what_is_unknown_is_not_invented(client: FlaskClient) -> None:
    page = look(client)
    assert "মাসে ৬৫০ টাকা। সূত্র: ২০২৫-২৬ অর্থবছরের বাজেট বক্তৃতা" in page.text and "২ জুন ২০২৫" in page.text
    assert "এখনো ঠিক আছে কি না জেনে নিন" in page.text, "the amount is of an earlier budget"
    unknown = look(client, "/programmes/ashrayan").text
    assert "সঠিক পরিমাণ আমাদের জানা নেই" in unknown and "ইউএনও" in unknown and " টাকা" not in unknown
    button = next(a for a in page.document.all("a") if a["class"] == "button" and "programme=" in a["href"])
    form = look(client, button["href"])
    assert [o["value"] for o in form.document.all("option") if "selected" in o.attributes] == ["old-age-allowance"]
    for path in ("/programmes/no-such", "/help/no-such"):
        assert client.get(path).status_code == 404


def test_a_programme_is_found_by_the_names_it_has_and_had(client: FlaskClient) -> None:
    whole = look(client, "/programmes").text
    assert "ভিজিডি কার্ড" in whole and "১০ টাকার চাল" in whole, "a search within the page finds them too"
    for typed, name in (("ভিজিডি", "ভালনারেবল উইমেন"), ("10 taka rice", "খাদ্যবান্ধব"), ("বৃদ্ধ ভাতা", "বয়স্ক ভাতা")):
        found = client.get("/programmes", query_string={"q": typed})
        card = Page("http://localhost/", 200, found.headers, found.data).document
        assert name in next(s for s in card.all("section") if s["class"] == "card").text, typed
        assert found.headers["Cache-Control"] == "no-store" and found.headers["X-Robots-Tag"] == "noindex"
    nothing = client.get("/programmes", query_string={"q": "হাতি <script>\x00"})
    assert nothing.status_code == 200 and "<script>" not in nothing.text
    nothing = client.get("/programmes", query_string={"q": "হাতি <script>"})
    assert "নামে কোনো কর্মসূচি পাওয়া যায়নি" in nothing.text and "<script>" not in nothing.text


# --- search engines and caches ---------------------------------------------------------------------------------------


def test_the_sitemap_lists_every_page_of_the_guide_and_each_may_be_listed(app: Flask, session: Session) -> None:
    client = app.test_client()
    robots = client.get("/robots.txt")
    address = re.findall(r"^Sitemap: (.*)$", robots.text, re.MULTILINE)[0]
    assert robots.mimetype == "text/plain" and address.endswith("/sitemap.xml")
    public_url = address.removesuffix("/sitemap.xml")
    urls = ElementTree.fromstring(client.get("/sitemap.xml").data).findall(f"{SITEMAP}url")
    listed = {url.findtext(f"{SITEMAP}loc", "") for url in urls}
    today = clock.dhaka_date(clock.now(session))
    slugs = {programme.slug for programme in directory(session).programmes_on(today)}
    assert len(slugs) == 58 and {f"{public_url}/programmes/{slug}" for slug in slugs} <= listed
    seen: dict[tuple[str, str], str] = {}
    for number, url in enumerate(urls):
        loc = url.findtext(f"{SITEMAP}loc", "")
        if loc.endswith("lang=en") and number % 9:
            continue  # every page in Bangla, some in English
        answer = app.test_client().get(loc.removeprefix(public_url))
        assert answer.status_code == 200 and "X-Robots-Tag" not in answer.headers, loc
        head = answer.text.partition("</head>")[0]
        assert re.findall('rel="canonical" href="([^"]+)"', head) == [loc]
        alternates = dict(re.findall('hreflang="([^"]+)" href="([^"]+)"', head))
        assert (
            alternates == {link.get("hreflang"): link.get("href") for link in url.findall(XHTML)}
            and len(alternates) == 3
        )
        title, description = (
            re.findall("<title>(.*?)</title>", head)[0],
            re.findall('name="description" content="(.*?)"', head)[0],
        )
        assert len(title) <= 120 and 30 <= len(description) <= 220, (title, description)
        assert (title, description) not in seen, "no two pages look alike in a list of results"
        seen[title, description] = loc
    assert len(seen) > 65


def test_only_the_guide_and_the_front_page_may_be_kept(app: Flask) -> None:
    client = app.test_client()
    first = client.get(PAGE)
    assert first.headers["Cache-Control"] == "public, max-age=600" and "Cookie" in first.vary
    again = client.get(PAGE, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304 and not again.data and again.headers["Cache-Control"] == "public, max-age=600"
    english = client.get(f"{PAGE}?lang=en")  # this answer sets a cookie, which is nobody else's
    assert english.headers["Cache-Control"] == "private, max-age=600"
    assert client.get(PAGE, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200, "now in English"
    for path in ("/complaints/new", "/complaints/sent", "/track", "/login", "/no/such", "/programmes/no-such"):
        answer = client.get(path)
        assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Robots-Tag"] == "noindex", path
        assert 'rel="canonical"' not in answer.text, path
    officer = sign_in(app, "gro").get(PAGE)
    assert officer.status_code == 200 and officer.headers["Cache-Control"] == "no-store"
