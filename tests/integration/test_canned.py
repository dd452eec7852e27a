"""Canned texts: written by those who may, in both languages, and inserted without a script or a lost word."""

import re
from html import unescape
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import canned, canned_editing, canned_seeding, service
from grm.cases.canned_editing import Written
from grm.cases.closing import Questioned
from grm.cases.closing_models import CannedReply
from grm.cases.states import Action
from grm.kernel.actor import Actor
from grm.kernel.audit import AuditEntry
from grm.kernel.errors import InvalidInput, NotFound
from grm.kernel.transaction import transaction
from tests.integration.test_closing import ANSWER, GRO, NOW, made, post, sign_in, token_of
from tests.support import build
from tests.support.web import parse

TEXT = Written(
    "টাকা পাঠানো হয়েছে",
    "Money was sent",
    "{office} যাচাই করে {tracking_number} নম্বর অভিযোগে বকেয়া টাকা পাঠিয়েছে।",
    "{office} has checked complaint {tracking_number} and sent the arrears.",
    "resolve",
)


@pytest.fixture
def admin(session: Session) -> Actor:
    return build.actor(session, "admin")


@pytest.fixture
def gro(session: Session) -> Actor:
    return build.actor(session, GRO)


def one(session: Session, canned_id: int) -> CannedReply:
    session.rollback()
    session.expire_all()
    return session.get_one(CannedReply, canned_id)


# --- shipped ----------------------------------------------------------------------------------------------------------


def test_the_shipped_texts_are_there_and_what_was_changed_stays(session: Session, admin: Actor) -> None:
    shipped = session.scalars(select(CannedReply).where(CannedReply.code.is_not(None))).all()
    assert len(shipped) >= 6 and {each.used_for for each in shipped} == {"ask", "write", "resolve", "decline"}
    for each in shipped:
        assert canned.placeholders_of(each.text_bn) == canned.placeholders_of(each.text_en)
        assert (canned.placeholders_of(each.text_bn) or set()) <= set(canned.PLACEHOLDERS)
        assert "[" in each.text_bn or each.code == "ask-account", "a blank to fill in"
    canned_editing.retire(admin, None, shipped[0].id)
    with transaction() as act:
        assert canned_seeding.seed(act.session, act.now) == 0
    assert one(session, shipped[0].id).retired_at is not None


# --- writing ----------------------------------------------------------------------------------------------------------


def test_a_text_is_written_changed_and_retired_by_those_who_may(session: Session, admin: Actor, gro: Actor) -> None:
    office = build.office_id(session)
    general = canned_editing.save(admin, None, TEXT)
    own = canned_editing.save(gro, office, TEXT)
    for actor, place, which in (
        *((gro, None, general), (admin, office, own), (gro, build.office_id(session, "food"), own)),
        *(
            (build.actor(session, "gro.food"), office, own),
            (build.actor(session, "officer.social-welfare"), office, own),
        ),
        *((admin, None, own), (gro, office, general)),  # theirs to write, but not this one
    ):
        with pytest.raises(NotFound):
            canned_editing.save(actor, place, TEXT, which)
        with pytest.raises(NotFound):
            canned_editing.retire(actor, place, which)
    canned_editing.save(gro, office, Written(**{**as_dict(TEXT), "title_en": "Sent"}), own)
    assert (one(session, own).title_en, one(session, own).changed_by_id) == ("Sent", gro.officer_id)
    row = made(session)
    assert {own, general} <= {each.id for each in canned.offered(session, row, Action.RESOLVE)}
    assert own not in {each.id for each in canned.offered(session, row, Action.ASK)}
    there = made(session, office=build.office_id(session, "food"), programme="oms")
    assert own not in {each.id for each in canned.offered(session, there, Action.RESOLVE)}
    canned_editing.retire(gro, office, own)
    session.rollback()
    assert own not in {each.id for each in canned.offered(session, row, Action.RESOLVE)}
    canned_editing.retire(gro, office, own, is_retired=False)
    kinds = session.scalars(
        select(AuditEntry.kind).where(AuditEntry.stream == canned_editing.STREAM).order_by(AuditEntry.seq)
    )
    assert list(kinds) == ["Written", "Written", "Changed", "Retired", "Restored"]


def as_dict(written: Written) -> dict[str, str]:
    return {name: getattr(written, name) for name in Written.__dataclass_fields__}


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"text_en": ""}, "text_en"),
        ({"text_bn": " "}, "text_bn"),
        ({"title_bn": ""}, "title_bn"),
        ({"title_en": "x" * 121}, "title_en"),
        ({"text_bn": "{secret} পাঠানো হয়েছে"}, "text_bn"),
        ({"text_bn": "{office.__class__}"}, "text_bn"),
        ({"text_bn": "{office!r}"}, "text_bn"),
        ({"text_bn": "{office:>99999999}"}, "text_bn"),
        ({"text_bn": "{} ও {0}"}, "text_bn"),
        ({"text_bn": "{office পাঠিয়েছে"}, "text_bn"),
        ({"text_en": "{office} has sent the arrears."}, "text_en"),  # the number is missing
        ({"used_for": "everything"}, "used_for"),
        ({"category": "nothing"}, "category"),
    ],
)
def test_both_languages_are_needed_with_known_placeholders(
    session: Session, admin: Actor, changes: dict[str, str], fault: str
) -> None:
    count = len(canned_editing.texts_of(session, None))
    with pytest.raises(InvalidInput) as caught:
        canned_editing.save(admin, None, Written(**{**as_dict(TEXT), **changes}))
    assert set(caught.value.fields) == {fault}
    session.rollback()
    assert len(canned_editing.texts_of(session, None)) == count


# --- inserting --------------------------------------------------------------------------------------------------------


def test_a_text_is_inserted_in_the_complainants_language_below_what_is_typed(
    app: Flask, session: Session, admin: Actor
) -> None:
    general = canned_editing.save(admin, None, TEXT)
    bangla, english = made(session).tracking_number, made(session, language="en").tracking_number
    client = sign_in(app, GRO)

    def letter(answer: Any, action: str = "resolve", name: str = "reply") -> str:
        section = next(each for each in parse(answer.text).all("details") if each["id"] == action)
        assert "open" in section.attributes
        return str(next(box.text for box in section.all("textarea") if box["name"] == name))

    shown = client.get(f"/cases/{english}?canned={general}&for=RESOLVE")
    display = f"{english[:4]}-{english[4:8]}-{english[8:]}"
    assert letter(shown).endswith(f"has checked complaint {display} and sent the arrears.")
    inserted = post(
        client, bangla, "RESOLVE", reply="আমরা আপনার বাড়ি গিয়েছিলাম।", root_cause="ভুল", insert="1", canned=str(general)
    )
    assert inserted.status_code == 200
    text = letter(inserted)
    assert text.startswith("আমরা আপনার বাড়ি গিয়েছিলাম। ") and text.endswith("বকেয়া টাকা পাঠিয়েছে।")
    assert "আমরা আপনার বাড়ি গিয়েছিলাম।\n\n" in unescape(inserted.text).replace("\r", "")
    assert re.search(r">\s*ভুল</textarea>", inserted.text), "nothing else is lost"
    session.rollback()
    for wrong in ("", "0", "x", "৯৯৯৯৯৯", "9" * 30):
        same = post(client, bangla, "RESOLVE", reply="আমরা গিয়েছিলাম।", insert="1", canned=wrong)
        assert same.status_code == 200 and letter(same) == "আমরা গিয়েছিলাম।"
    for query in (f"?canned={general}&for=NOTE", f"?canned={general}&for=x", "?canned=x&for=RESOLVE", "?for=RESOLVE"):
        assert client.get(f"/cases/{bangla}{query}").status_code == 200
    assert client.get(f"/cases/{bangla}?canned={general}&for=ASK").text.count("বকেয়া টাকা পাঠিয়েছে।") == 0, (
        "not for questions"
    )


def test_a_sensitive_case_gets_it_once(app: Flask, session: Session, admin: Actor) -> None:
    """Its page is read twice, for the record of the view."""
    general = canned_editing.save(admin, None, TEXT)
    number = made(session, desk="appeal", category="bribe-demand").tracking_number
    page = sign_in(app, "appeal.social-welfare").get(f"/cases/{number}?canned={general}&for=RESOLVE").text
    assert unescape(page).count("বকেয়া টাকা পাঠিয়েছে।") == 1


def test_a_canned_text_as_it_came_is_questioned(session: Session, admin: Actor, gro: Actor) -> None:
    general = canned_editing.save(admin, None, TEXT)
    row = made(session)
    reply = canned.chosen(session, row, Action.RESOLVE, general)
    session.rollback()
    with pytest.raises(Questioned) as caught:
        service.resolve_case(gro, row.tracking_number, 1, **{**ANSWER, "reply": reply}, confirmed=(), now=NOW)
    assert [each.code for each in caught.value.questions] == ["canned"]
    more = f"{reply} ১২ এপ্রিল মোট ৩,৬০০ টাকা মোবাইল হিসাবে গেছে।"
    service.resolve_case(gro, row.tracking_number, 1, **{**ANSWER, "reply": more}, confirmed=(), now=NOW)


def test_the_page_of_a_case_asks_the_database_for_none(app: Flask, session: Session) -> None:
    from sqlalchemy import event

    from grm.kernel.db import db

    number = made(session).tracking_number
    client = sign_in(app, GRO)
    client.get(f"/cases/{number}")
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "after_cursor_execute", note)
    try:
        client.get(f"/cases/{number}")
    finally:
        event.remove(db.engine, "after_cursor_execute", note)
    assert not [each for each in seen if "canned_reply" in each]
    assert not [each for each in seen if each.lstrip().startswith("SELECT hearing")]


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("username", "path"), [("admin", "/admin/canned"), (GRO, "/canned")])
def test_the_pages_write_change_and_retire(app: Flask, session: Session, username: str, path: str) -> None:
    client = sign_in(app, username)
    typed = {**as_dict(TEXT), "text_en": "", "csrf_token": token_of(client.get(path).text)}
    wrong = client.post(path, data=typed)
    assert wrong.status_code == 422 and TEXT.title_bn in wrong.text and 'href="#text_en"' in wrong.text
    done = client.post(path, data={**typed, "text_en": TEXT.text_en})
    assert done.status_code == 303 and done.location.startswith(path)
    row = session.scalars(select(CannedReply).where(CannedReply.title_en == TEXT.title_en)).one()
    assert (row.office_id is None) == (username == "admin")
    page = client.get(f"{path}/{row.id}")
    assert TEXT.text_bn in unescape(page.text)
    data = {**as_dict(TEXT), "title_en": "Sent off", "csrf_token": token_of(page.text)}
    assert client.post(f"{path}/{row.id}", data={**data, "text_bn": "{nothing}"}).status_code == 422
    assert client.post(f"{path}/{row.id}", data={**data, "act": "save"}).status_code == 303
    assert one(session, row.id).title_en == "Sent off"
    assert client.post(f"{path}/{row.id}", data={**data, "act": "retire"}).status_code == 303
    assert one(session, row.id).retired_at is not None and "Retired" in client.get(path).text
    for other in ("0", "x", "9" * 30):
        assert client.get(f"{path}/{other}").status_code == 404
    stale = client.post(f"{path}/{row.id}", data={**data, "csrf_token": "old"})
    assert stale.status_code == 400 and "Sent off" in stale.text


def test_nobody_opens_the_texts_of_others(app: Flask, session: Session, admin: Actor, gro: Actor) -> None:
    general, own = canned_editing.save(admin, None, TEXT), canned_editing.save(gro, build.office_id(session), TEXT)
    assert sign_in(app, "gro.food").get(f"/canned/{own}").status_code == 404
    assert sign_in(app, GRO).get(f"/canned/{general}").status_code == 404
    assert sign_in(app, "admin").get(f"/admin/canned/{own}").status_code == 404
    food = build.office_id(session, "food")
    page = sign_in(app, GRO).get(f"/canned?office={food}").text
    assert f'name="office" value="{build.office_id(session)}"' in page
    assert re.search(r"<h2>For all offices</h2>", page)
