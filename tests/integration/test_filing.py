"""Filing by the public form: all or nothing, one press one case, the right queue, and nothing kept of the anonymous."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, inspect, select, text, update
from sqlalchemy.orm import Session

from grm.cases.events import CaseFiled
from grm.cases.models import Accused, Case, CaseEvent, Complainant
from grm.cases.queries import people_of, visible_to
from grm.deadlines.models import Deadline
from grm.intake import drafts, limits, service, views
from grm.intake.drafts import Content
from grm.intake.models import Draft, Submission
from grm.intake.tidying import tidy
from grm.kernel import chain, context, tracking_number, transaction
from grm.kernel.clock import dhaka_date
from grm.notifications.models import Message
from grm.offices.queries import directory
from grm.web.models import Throttle
from tests.support import build
from tests.support.citizen import COMPLAINT, FORM, Citizen, codes_of, counted_statements, how_many, the_case
from tests.support.web import Page


@pytest.fixture
def citizen(app: Flask) -> Citizen:
    return Citizen(app)


def walk(citizen: Citizen, **changes: Any) -> Page:
    """Fill the four pages one by one; the last one is not sent yet."""
    typed = {**COMPLAINT, **changes}
    page = citizen.get(FORM)
    for fields in (("programme", "category", "district"), ("details", "place", "incident_on", "upazila")):
        page = citizen.submit(page.form("csrf_token").fill(**{name: typed[name] for name in fields}))
        assert page.status == 200, page.text
    person = {name: typed[name] for name in ("name", "phone", "preferred_channel", "language")}
    page = citizen.submit(page.form("phone").fill(**person, anonymous=typed.get("anonymous", False)))
    assert page.status == 200, page.text
    return page


def send(citizen: Citizen, page: Page) -> Page:
    return citizen.submit(page.form("declaration").fill(declaration=True), "send")


# --- the way through the form ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("has_cookies", [True, False])
def test_four_pages_make_a_case_with_everything_it_needs(app: Flask, session: Session, has_cookies: bool) -> None:
    citizen = Citizen(app, has_cookies=has_cookies)
    check = walk(citizen)
    assert "তিন মাস ধরে ভাতার টাকা পাইনি।" in check.text and "রহিমা খাতুন" in check.text
    receipt = send(citizen, check)
    number, secret = codes_of(receipt)
    case = the_case(session)
    assert case.tracking_number == number
    assert (case.status, case.desk, case.channel, case.language) == ("filed", "gro", "web", "bn")
    assert case.office_id == directory(session).office_of("social-welfare").id
    key = context.settings().tracking_key
    assert bytes(case.secret_mac) == tracking_number.secret_mac(key, number, secret)
    (person,) = people_of(session, case, context.keyring())
    assert (person.name, person.phone) == ("রহিমা খাতুন", "+8801712345678")
    clocks = {clock.kind: clock for clock in session.scalars(select(Deadline).where(Deadline.case_id == case.id))}
    assert set(clocks) == {"acknowledge", "resolve"}
    assert case.due_on == clocks["resolve"].due_on and clocks["resolve"].next_rung_at is not None
    event = session.scalars(select(CaseEvent)).one()
    assert (event.kind, event.actor_kind, bytes(event.hash)) == ("filed", "complainant", bytes(case.history_head))
    message = session.scalars(select(Message)).one()
    assert (message.channel, message.case_id) == ("sms", case.id)
    assert how_many(session, Draft) == 0


def test_the_form_as_received_is_sealed_and_tied_to_the_history(citizen: Citizen, session: Session) -> None:
    citizen.file(details="  ভাতা\r\nপাইনি  ")
    kept = session.scalars(select(Submission)).one()
    form = json.loads(context.keyring().open(kept.sealed, f"submission:{bytes(kept.key).hex()}"))
    assert form["details"] == "  ভাতা\r\nপাইনি  " and form["phone"] == "০১৭১২-৩৪৫৬৭৮"
    assert the_case(session).details == "ভাতা\nপাইনি"
    event = session.scalars(select(CaseEvent)).one()
    assert event.data["submission"] == hashlib.sha256(kept.sealed).hexdigest()
    assert "রহিমা".encode() not in kept.sealed


def test_an_answer_can_be_changed_and_leads_back_to_the_check(citizen: Citizen, session: Session) -> None:
    check = walk(citizen)
    second = citizen.submit(check.forms()[-1], "2")
    assert second.form("details").values["details"] == [COMPLAINT["details"]]
    assert second.form("details").values["upazila"] == ["302614"]
    check = citizen.submit(second.form("details").fill(details="অন্য কথা"))
    assert "অন্য কথা" in check.text and "declaration" in check.form("declaration").names
    first = citizen.submit(check.forms()[-1], "1")
    assert first.form("district").values["district"] == ["3026"]
    check = citizen.submit(first.form("district").fill(district="1004"))
    send(citizen, check)
    case = the_case(session)
    assert (case.details, case.upazila_id) == ("অন্য কথা", None), "the upazila went with its district"


def test_back_keeps_what_was_typed_without_judging_it(citizen: Citizen) -> None:
    page = citizen.get(FORM)
    form = page.form("programme").fill(programme="unknown", category="work-wage", district="1004")
    page = citizen.submit(form)
    page = citizen.submit(page.form("details").fill(details="অর্ধেক"), "go")
    assert page.form("programme").values["district"] == ["1004"]
    page = citizen.submit(page.form("programme"))
    assert page.form("details").values["details"] == ["অর্ধেক"]


def test_a_closed_browser_finds_its_draft_and_may_delete_it(citizen: Citizen, session: Session) -> None:
    walk(citizen)
    found = citizen.get(FORM)
    assert COMPLAINT["details"] not in found.text, "the question shows nothing: the device may be shared"
    again = citizen.get(found.link("step=4"))
    assert COMPLAINT["details"] in again.text
    fresh = citizen.submit(found.form("draft"), "fresh")
    assert fresh.form("programme").values["programme"] == [""]
    assert how_many(session, Draft) == 0


def test_a_draft_is_sealed_expires_and_is_tidied_away(app: Flask, session: Session) -> None:
    token, now = service.new_token(), datetime(2026, 3, 1, tzinfo=UTC)
    drafts.save(session, token, Content({"details": "গোপন কথা"}, 2), now)
    session.commit()
    sealed = session.scalars(select(Draft.sealed)).one()
    assert "গোপন".encode() not in sealed and b"details" not in sealed
    assert drafts.look(session, service.new_token()).content is None
    session.execute(update(Draft).values(expires_at=func.clock_timestamp() + timedelta(minutes=1)))
    assert drafts.look(session, token).content == Content({"details": "গোপন কথা"}, 2)
    session.execute(update(Draft).values(expires_at=func.clock_timestamp()))
    assert drafts.look(session, token).content is None
    session.commit()
    assert tidy()["draft"] == 1 and how_many(session, Draft) == 0


def test_tidying_keeps_what_still_counts(session: Session) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    session.add(Throttle(key="over", count=3, window_ends_at=now, blocked_until=None))
    session.add(Throttle(key="blocks", count=9, window_ends_at=now, blocked_until=now + timedelta(seconds=1)))
    session.add(Throttle(key="runs", count=1, window_ends_at=now + timedelta(seconds=1), blocked_until=None))
    drafts.save(session, service.new_token(), Content(), now)
    session.commit()
    assert {table: count for table, count in tidy(now).items() if count} == {"throttle": 1}
    assert set(session.scalars(select(Throttle.key))) == {"blocks", "runs"}


# --- the receipt ----------------------------------------------------------------------------------------------------


def test_the_receipt_shows_the_secret_for_half_an_hour_only(citizen: Citizen, session: Session) -> None:
    first = codes_of(citizen.file())
    assert codes_of(citizen.get("/complaints/sent")) == first
    assert timedelta(minutes=30) == views.SHOWS_SECRET
    session.execute(text("UPDATE cases SET filed_at = filed_at - interval '29 minutes'"))
    session.commit()
    assert codes_of(citizen.get("/complaints/sent")) == first
    session.execute(text("UPDATE cases SET filed_at = filed_at - interval '2 minutes'"))
    session.commit()
    later = citizen.get("/complaints/sent")
    assert codes_of(later) == [] and later.link("/track")


def test_the_receipt_can_be_put_away_and_shows_nothing_to_others(app: Flask, citizen: Citizen) -> None:
    receipt = citizen.file()
    assert codes_of(Citizen(app).get("/complaints/sent")) == []
    citizen.submit(receipt.form("csrf_token"))
    assert codes_of(citizen.get("/complaints/sent")) == []


def test_the_next_complaint_in_the_same_browser_is_a_new_one(citizen: Citizen, session: Session) -> None:
    first = codes_of(citizen.file())
    second = codes_of(citizen.file(details="আরেকটি"))
    assert len({*first, *second}) == 4 and how_many(session, Case) == 2


def test_abuse_shows_the_helplines_at_once(citizen: Citizen) -> None:
    page = citizen.submit(
        citizen.get(FORM).form("programme").fill(programme="unknown", category="abuse-safeguarding", district="3026")
    )
    numbers = [anchor["href"] for anchor in page.document.all("a") if anchor["href"].startswith("tel:")]
    assert {"tel:999", "tel:109", "tel:1098"} <= set(numbers)
    assert "tel:1098" in citizen.file(category="abuse-safeguarding").html


# --- one press, one case; all or nothing ----------------------------------------------------------------------------


def test_twenty_presses_at_once_are_one_case(app: Flask, citizen: Citizen, session: Session) -> None:
    form = {**citizen.tokens(), **COMPLAINT, "step": "send"}
    barrier = Barrier(20)

    def press(_: int) -> tuple[str, ...]:
        other = Citizen(app, has_cookies=False)
        barrier.wait()
        return tuple(codes_of(other.post(FORM, form)))

    with ThreadPoolExecutor(20) as pool:
        receipts = set(pool.map(press, range(20)))
    assert len(receipts) == 1 and len(receipts.pop()) == 2
    for model in (Case, Submission, CaseEvent, Complainant, Message):
        assert how_many(session, model) == 1, model
    assert how_many(session, Deadline) == 2


def test_a_second_press_after_the_draft_is_gone_shows_the_same_receipt(citizen: Citizen, session: Session) -> None:
    check = walk(citizen)
    first = codes_of(send(citizen, check))
    assert codes_of(send(citizen, check)) == first and len(first) == 2
    assert how_many(session, Case) == 1


def test_when_anything_fails_nothing_is_filed_and_the_draft_stays(
    app: Flask, citizen: Citizen, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(act: Any, event: CaseFiled) -> None:
        raise RuntimeError("in the middle of the filing")

    check = walk(citizen)
    before = app.extensions[transaction.EXTENSION]
    monkeypatch.setitem(app.extensions, transaction.EXTENSION, {**before, CaseFiled: [*before[CaseFiled], fail]})
    page = send(citizen, check)
    assert page.status == 500 and codes_of(page) == []
    for model in (Case, Submission, CaseEvent, Complainant, Deadline, Accused, Message):
        assert how_many(session, model) == 0, model
    assert how_many(session, Draft) == 1
    monkeypatch.setitem(app.extensions, transaction.EXTENSION, before)
    assert len(codes_of(send(citizen, check))) == 2
    assert how_many(session, Draft) == 0


def test_a_number_that_is_taken_is_drawn_again(
    citizen: Citizen, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, free = tracking_number.new_tracking_number(7), tracking_number.new_tracking_number(8)
    drawn = iter([taken, taken, free])
    module = SimpleNamespace(**{**vars(tracking_number), "new_tracking_number": lambda: next(drawn)})
    monkeypatch.setattr(service, "tracking_number", module)
    citizen.file()
    citizen.file()
    assert set(session.scalars(select(Case.tracking_number))) == {taken, free}


@pytest.mark.parametrize(
    "changes",
    [
        *({}, {"anonymous": "1"}, {"about": "gro"}, {"on_behalf": "1", "relation": "family"}),
        {"programme": "", "programme_words": "VGD", "others": "জমিলা, 01812345678\nসালমা"},
    ],
)
def test_a_filing_takes_three_round_trips_and_a_commit(app: Flask, citizen: Citizen, changes: dict[str, str]) -> None:
    citizen.file()  # fills the caches of reference data
    somebody = Citizen(app, address=f"203.0.113.{100 + len(str(changes))}")  # not the fifth filing of one source
    form = {**somebody.tokens(), **COMPLAINT, "step": "send", "phone": f"017{len(str(changes)):08d}", **changes}
    with counted_statements(app) as seen:
        response = somebody.client.post(FORM, data=form, environ_base=somebody._from())
    assert response.status_code == 303, response.text
    seen = [statement for statement in seen if "reference_edition" not in statement]  # asked every other second
    assert len(seen) <= 3, seen


def test_the_form_itself_asks_the_database_nothing(app: Flask, citizen: Citizen) -> None:
    citizen.get(FORM)
    with counted_statements(app) as seen:
        Citizen(app).get(FORM)
    assert [statement for statement in seen if "reference_edition" not in statement] == []


# --- where it goes --------------------------------------------------------------------------------------------------


def test_nothing_is_refused_for_lack_of_an_office(citizen: Citizen, session: Session) -> None:
    citizen.file(programme="unknown", district="unknown", upazila="")
    case = the_case(session)
    assert (case.office_id, case.desk) == (directory(session).cell.id, "cell")
    assert (case.programme_id, case.district_id) == (None, None)


@pytest.mark.parametrize(
    ("about", "office", "desk", "accused"),
    [
        ("none", "social-welfare", "gro", None),
        ("field-office", "social-welfare", "gro", "dc-3026"),
        ("gro", "social-welfare", "appeal", "gro.social-welfare"),
        ("appeal-officer", "cell", "cell", "appeal.social-welfare"),
        ("ministry", "cell", "cell", "social-welfare"),
    ],
)
def test_who_is_accused_is_passed_over_and_sees_nothing(
    citizen: Citizen, session: Session, about: str, office: str, desk: str, accused: str | None
) -> None:
    citizen.file(about=about)
    case, book = the_case(session), directory(session)
    assert (book.office(case.office_id).code, case.desk, case.about) == (office, desk, about)
    named = session.scalars(select(Accused)).all()
    assert case.has_accused == bool(named) == (accused is not None)
    if accused is None:
        return
    (row,) = named
    if "." in accused:
        assert row.officer_id == build.officer_id(session, accused)
    else:
        assert row.office_id == book.office(accused).id
    for username in ("gro.social-welfare", "officer.social-welfare", "appeal.social-welfare", "desk.dhaka", "cabinet"):
        actor = build.actor(session, username)
        sees = session.scalars(select(Case.id).where(visible_to(actor))).all()
        if accused in (username, "social-welfare") and "social-welfare" in username:
            assert sees == []
    assert session.scalars(select(Case.id).where(visible_to(build.actor(session, "cabinet")))).all() == [case.id]


def test_an_empty_chair_is_accused_all_the_same(citizen: Citizen, session: Session) -> None:
    office = build.office_id(session)
    post = build.vacate(session, office, "gro")
    session.commit()
    citizen.file(about="gro")
    (row,) = session.scalars(select(Accused)).all()
    assert (row.officer_id, row.post_id, row.office_id) == (None, post, office)


def test_a_sensitive_complaint_goes_upward(citizen: Citizen, session: Session) -> None:
    citizen.file(category="bribe-demand")
    case = the_case(session)
    assert (case.is_sensitive, case.desk) == (True, "appeal")


def test_a_representative_is_told_instead_of_the_complainant(citizen: Citizen, session: Session) -> None:
    citizen.file(on_behalf="1", relation="family", representative_name="করিম")
    people = people_of(session, the_case(session), context.keyring())
    assert [(each.role, each.name, each.phone, each.relation) for each in people] == [
        ("complainant", "রহিমা খাতুন", None, None),
        ("representative", "করিম", "+8801712345678", "family"),
    ]


# --- anonymous ------------------------------------------------------------------------------------------------------


def everything_stored(session: Session) -> str:
    """Every row of every table as text, sealed values opened where that can be done."""
    session.rollback()
    found = []
    for table in inspect(session.get_bind()).get_table_names():
        found += session.execute(text(f'SELECT CAST(t AS text) FROM "{table}" AS t')).scalars().all()
    for row in session.scalars(select(Submission)):
        found.append(context.keyring().open(row.sealed, f"submission:{bytes(row.key).hex()}"))
    return "\n".join(str(row) for row in found)


CANARIES = ("Kanary Person", "01798765432", "1798765432", "canary@kanary.example", "198.51.100.77", "KanaryAgent")


def test_nothing_is_kept_of_who_files_anonymously(app: Flask, session: Session) -> None:
    citizen = Citizen(app, address="198.51.100.77")
    for _ in range(limits.REPORT_EVERY + 1):  # enough for the counters to be reported
        form = {**citizen.tokens(), **COMPLAINT, "step": "send", "anonymous": "1"}
        form |= {"name": "Kanary Person", "phone": "01798765432", "email": "canary@kanary.example"}
        page = citizen.post(FORM, form, headers={"User-Agent": "KanaryAgent/1"})
        assert len(codes_of(page)) == 2
    stored = everything_stored(session)
    assert COMPLAINT["details"] in stored, "the search would find it"
    assert [canary for canary in CANARIES if canary in stored] == []
    assert how_many(session, Message) == 0
    assert session.scalars(select(Complainant.phone_index).where(Complainant.phone_index.is_not(None))).all() == []


def test_a_known_canary_would_be_found(citizen: Citizen, session: Session) -> None:
    citizen.file(name="Kanary Person", phone="01798765432", preferred_channel="none")
    assert "Kanary Person" in everything_stored(session) and "01798765432" in everything_stored(session)


def test_the_history_of_a_filing_holds(citizen: Citizen, session: Session) -> None:
    citizen.file()
    event = session.scalars(select(CaseEvent)).one()
    case = the_case(session)
    record = {
        "tracking_number": case.tracking_number,
        "seq": 1,
        "kind": "filed",
        "at": event.at,
        "actor_kind": "complainant",
        "actor_id": None,
        "data": event.data,
    }
    assert chain.first_bad([chain.ChainRow(record, event.previous_hash, event.hash)], case.history_head) is None
    assert case.received_on == dhaka_date(case.filed_at)


def test_every_visitor_gets_tokens_of_his_own(app: Flask) -> None:
    forms = [Citizen(app).get(FORM).form("csrf_token", "draft") for _ in range(3)]
    for name in ("csrf_token", "draft"):
        values = [form.values[name][0] for form in forms]
        assert len(set(values)) == 3 and not [value for value in values if "{" in value]
    assert Citizen(app).get(FORM + "?lang=en").document.first("html")["lang"] == "en"
    assert Citizen(app).get(FORM).document.first("html")["lang"] == "bn"
