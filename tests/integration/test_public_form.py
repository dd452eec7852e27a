"""The rest of the public form: programmes by name, several complainants, corrections, second thoughts, earlier complaints."""

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cases import search_index
from grm.cases.models import Case, Complainant
from grm.cases.queries import people_of
from grm.intake.models import Draft, Submission
from grm.kernel import context
from grm.notifications.models import Message
from grm.offices.queries import directory
from tests.support.citizen import COMPLAINT, FORM, Citizen, codes_of, errors_of, how_many, the_case
from tests.support.web import Page

FACTS = ("correct_what", "correct_from", "correct_to", "details", "upazila")


@pytest.fixture
def citizen(app: Flask) -> Citizen:
    return Citizen(app)


def officer(app: Flask, username: str) -> Citizen:
    browser = Citizen(app)
    browser.submit(browser.get("/login").form("username").fill(username=username, password="demo"))
    return browser


def check(citizen: Citizen, **changes: str) -> Page:
    """The page on which answers are checked, filled in one go."""
    typed = {name: value for name, value in COMPLAINT.items() if name != "declaration"} | changes
    return citizen.post(FORM, {**citizen.tokens(), **typed, "step": "3"})


def send(citizen: Citizen, page: Page) -> Page:
    return citizen.submit(page.form("declaration").fill(declaration=True), "send")


# --- the programme by its name --------------------------------------------------------------------------------------


def test_a_programme_is_found_by_what_people_call_it(citizen: Citizen, session: Session) -> None:
    page = citizen.get(FORM)
    typed = {"programme_words": "১০ টাকার চাল পাই না", "category": "food-entitlement", "district": "3026"}
    page = citizen.submit(page.form("programme").fill(**typed))
    assert page.status == 200 and "details" in page.form("csrf_token").names, "there is nothing to ask"
    page = citizen.post(FORM, {**citizen.tokens(FORM + "?step=1"), "details": "চাল পাইনি", "step": "3"})
    assert {"খাদ্যবান্ধব কর্মসূচি", "১০ টাকার চাল পাই না"} <= set(page.facts().values())
    send(citizen, page)
    case = the_case(session)
    assert case.programme_id == directory(session).programme("food-friendly-programme").id
    assert case.programme_words is None, "it is known"


def test_who_means_one_of_several_chooses_and_who_means_none_says_so(
    app: Flask, citizen: Citizen, session: Session
) -> None:
    typed = {"programme": "unknown", "programme_words": "চাল ঘর", "category": "food-entitlement", "district": "3026"}
    page = citizen.submit(citizen.get(FORM).form("programme").fill(**typed))
    assert page.status == 422 and set(errors_of(page)) == {"programme"} and how_many(session, Case) == 0
    form = page.form("programme")
    assert {"food-friendly-programme", "ashrayan", "none-of-these"} <= set(form.choices("programme"))
    assert "১০ টাকার চাল" in page.text, "official names tell little"
    assert form.values["programme_words"] == ["চাল ঘর"] and form.values["category"] == ["food-entitlement"]
    page = citizen.submit(form.fill(programme="none-of-these"))
    assert page.status == 200, "asked once is enough"
    first = citizen.get(FORM + "?step=1").form("programme")
    assert first.values["programme"] == ["none-of-these"], "and shown again as answered"
    page = citizen.post(FORM, {**citizen.tokens(FORM + "?step=1"), "details": "চাল পাইনি", "step": "3"})
    number = codes_of(send(citizen, page))[0]
    case = the_case(session)
    assert (case.programme_id, case.programme_words) == (None, "চাল ঘর")
    cabinet = officer(app, "cabinet")
    assert "চাল ঘর" in cabinet.get(f"/cases/{number}").text and "চাল ঘর" in cabinet.get(f"/cases/{number}/file").text
    session.commit()
    search_index.index_due()
    assert number in cabinet.get("/search?q=ঘর").html.replace("-", "")


def test_a_page_about_a_programme_leads_to_the_form_filled_with_it(citizen: Citizen, session: Session) -> None:
    assert citizen.get(FORM + "?programme=vgf").form("programme").values["programme"] == ["vgf"]
    for nothing in ("no-such", "%00", "%ff", "unknown"):
        page = citizen.get(f"{FORM}?programme={nothing}")
        assert page.status == 200 and page.form("programme").values["programme"] == [""]
    citizen.post(FORM, {**citizen.tokens(), "details": "আধা লেখা", "step": "2"})
    found = citizen.get(FORM + "?programme=vgf")
    assert "আধা লেখা" not in found.text and found.link("step="), "what was begun goes first"
    fresh = citizen.submit(found.form("draft"), "fresh")
    assert fresh.form("programme").values["programme"] == ["vgf"] and how_many(session, Draft) == 0


# --- several complainants -------------------------------------------------------------------------------------------

OTHERS = "১. সালমা বেগম, ০১৮১২-৩৪৫৬৭৮\r\n২. জমিলা"


def test_who_complains_along_is_kept_with_the_case_and_costs_no_message(citizen: Citizen, session: Session) -> None:
    page = check(citizen, others=OTHERS, on_behalf="1", relation="family", representative_name="করিম")
    assert OTHERS.replace("\r\n", " ") in page.text and "করিম" in page.text
    send(citizen, page)
    case = the_case(session)
    people = people_of(session, case, context.keyring())
    assert [(each.role, each.name, each.phone) for each in people] == [
        ("complainant", "রহিমা খাতুন", None),
        ("representative", "করিম", "+8801712345678"),
        ("member", "সালমা বেগম", "+8801812345678"),
        ("member", "জমিলা", None),
    ]
    assert how_many(session, Message) == 1, "fifty numbers of one form are no list to send to"
    sealed = session.execute(text("SELECT string_agg(CAST(c AS text), '') FROM complainant AS c")).scalar_one()
    assert "সালমা" not in sealed and "1812345678" not in sealed


@pytest.mark.parametrize("has_cookies", [True, False])
def test_nobody_is_named_in_an_anonymous_one(app: Flask, session: Session, has_cookies: bool) -> None:
    citizen = Citizen(app, has_cookies=has_cookies)
    page = check(citizen, others=OTHERS, anonymous="1", account_note="০১৭৯৯৯৯৯৯৯৯ সালমা")
    assert "সালমা" not in page.text and "রহিমা" not in page.text, "what is not kept is not among what is sent"
    send(citizen, page)
    assert session.scalars(select(Complainant.role)).all() == ["complainant"]
    kept = session.scalars(select(Submission)).one()
    form = context.keyring().open(kept.sealed, f"submission:{bytes(kept.key).hex()}")
    assert "others" not in form and "account_note" not in form


def test_a_relation_counts_only_for_somebody_else(citizen: Citizen) -> None:
    page = check(citizen, relation="family", representative_name="করিম")
    assert "করিম" not in page.text


# --- corrections ----------------------------------------------------------------------------------------------------


def test_a_correction_takes_the_short_path(app: Flask, citizen: Citizen, session: Session) -> None:
    begun = {"programme": "old-age-allowance", "category": "data-correction", "district": "3026"}
    page = citizen.submit(citizen.get(FORM).form("programme").fill(**begun))
    assert page.form("details").names == set(FACTS)
    page = citizen.submit(page.form("details").fill(correct_what="name", correct_from="রহীমা", correct_to="রহিমা খাতুন"))
    assert page.status == 200, page.text
    page = citizen.submit(page.form("phone").fill(name="রহিমা খাতুন", phone="01712345678"))
    assert "রহীমা" in page.text
    number = codes_of(send(citizen, page))[0]
    case = the_case(session)
    assert case.details == ""
    kept = session.execute(text("SELECT kind, correct_what, CAST(claim AS text) AS all FROM claim")).one()
    assert (kept.kind, kept.correct_what) == ("correction", "name") and "রহীমা" not in kept.all
    assert "রহীমা" in officer(app, "gro.social-welfare").get(f"/cases/{number}").text


def test_what_was_typed_before_the_category_changed_stays_in_sight(citizen: Citizen) -> None:
    tokens = citizen.tokens()
    citizen.post(FORM, {**tokens, "category": "work-wage", "incident_on": "গতকাল", "step": "2", "go": "1"})
    changed = {"category": "data-correction", "programme": "unknown", "district": "3026", "correct_what": "nid"}
    page = citizen.post(FORM, {**tokens, **changed, "step": "2"})
    assert page.status == 422 and set(errors_of(page)) == {"incident_on"}
    assert page.form("incident_on").values["incident_on"] == ["গতকাল"], "no fault without its field"


def test_a_correction_without_a_name_is_warned_of(citizen: Citizen) -> None:
    page = check(citizen, category="data-correction", correct_to="রহিমা", details="", anonymous="1")
    assert "কার তথ্য" in page.text and "declaration" in page.form("declaration").names


# --- second thoughts ------------------------------------------------------------------------------------------------


def test_numbers_that_open_other_doors_are_asked_about_and_may_stay(citizen: Citizen, session: Session) -> None:
    assert "আরেকবার" not in check(citizen).text
    page = check(citizen, details="আমার এনআইডি ১২৩৪৫৬৭৮৯০১২৩, টাকা পাইনি।")
    assert "আরেকবার" in page.text
    assert len(codes_of(send(citizen, page))) == 2 and "১২৩৪৫৬৭৮৯০১২৩" in the_case(session).details


def test_who_has_just_filed_is_asked_whether_it_is_the_same(app: Flask, citizen: Citizen, session: Session) -> None:
    said = "এইমাত্র এই যন্ত্র থেকে"
    assert said not in citizen.get(FORM).text
    citizen.file()
    assert said not in Citizen(app).get(FORM).text, "nobody else learns of it"
    page = citizen.get(FORM)
    assert said in page.text and page.link("/track")
    assert said not in citizen.get(FORM).text, "the next form has no past"
    citizen.file()
    session.execute(text("UPDATE cases SET filed_at = filed_at - interval '31 minutes'"))
    session.commit()
    assert said not in citizen.get(FORM).text
    page = check(citizen)
    assert "আবার করার দরকার নেই" in page.text, "in general words, whoever files"


def test_an_officer_at_the_desk_hears_what_may_be_the_same(app: Flask, citizen: Citizen, session: Session) -> None:
    desk = officer(app, "desk.dhaka")
    paper = {"medium": "paper", "programme": "old-age-allowance", "category": "payment-not-received"}
    paper |= {"district": "3026", "details": "একই কথা", "phone": "01712345678"}

    def file(**changes: str) -> Page:
        return desk.submit(desk.get("/desk/new").form("medium").fill(**paper, **changes))

    first = codes_of(file())
    assert len(first) == 2, "nothing was there before"
    second = file()
    (hint,) = [part for part in second.document.all("section") if part["aria-labelledby"] == "alike"]
    assert first[0] in hint.text.replace("-", "") and hint["class"] == "no-print"
    assert set(codes_of(second)) & set(first) == {first[0]}
    session.execute(text("UPDATE cases SET is_sensitive = true WHERE tracking_number = :number"), {"number": first[0]})
    session.commit()
    assert first[0] not in codes_of(file()), "only what the officer may see"
    paper["category"] = "bribe-demand"
    assert len(codes_of(file())) == 2, "nor anything beside what they may not see again"
    assert first[0] not in codes_of(citizen.file()), "and nobody else"


def test_the_helplines_are_on_the_first_page_for_browsers_that_show_them_at_once(citizen: Citizen) -> None:
    page = citizen.get(FORM)
    (box,) = [box for box in page.document.all("div") if box["class"] == "at-once"]
    assert {anchor["href"] for anchor in box.all("a")} == {"tel:999", "tel:109", "tel:1098"}
