"""The search: by number, telephone, name and words, in any spelling; only what the actor may see; and what is alike."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, text, update
from sqlalchemy.orm import Session

from grm.cases import alike, search, search_index
from grm.cases.links_models import CaseLink
from grm.cases.models import Case, Complainant
from grm.cases.queries import visible_to
from grm.cases.search_models import CaseSearch, SearchDue
from grm.kernel import context
from grm.kernel.actor import SYSTEM, Actor
from grm.kernel.tracking_number import display
from grm.offices.queries import directory
from tests.abuse.test_access import sign_in
from tests.integration.test_visibility import cases_of_every_kind
from tests.support import build

OFFICERS = (
    *("gro.social-welfare", "officer.social-welfare", "appeal.social-welfare", "gro.food", "appeal.food"),
    *("cabinet", "desk.dhaka", "admin"),
)


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    """Every statement sent within."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM reference_edition" not in statement:  # asked every two seconds, however long a test takes
            seen.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def name(session: Session, case: Case, words: str) -> None:
    """Give the complainant of a case a name."""
    sealed = context.keyring().seal(words, f"complainant.name:{case.tracking_number}")
    session.execute(update(Complainant).where(Complainant.case_id == case.id).values(name_sealed=sealed))


def indexed(session: Session) -> None:
    """Commit, and do what the tick does."""
    session.commit()
    while search_index.index_due():
        pass
    assert session.scalar(select(func.count()).select_from(SearchDue)) == 0


def found(session: Session, actor: Actor, typed: str) -> list[int]:
    return [row.id for row in search.search(session, actor, typed).rows]


def test_whatever_is_known_of_a_case_leads_to_it_in_any_spelling(session: Session) -> None:
    book = directory(session)
    district = book.find_places("Barisal", "district")[0]
    apart = unicodedata.normalize("NFD", "বাড়ি গাঢ় মেয়ে")
    case = build.case(
        session,
        details=f"আমার {apart}র ভাতার ৫০% টাকা মেম্বার আত্মসাৎ করেছে, ফোন ০১৮১২-৩৪৫৬৭৮ / 01912345678",
        place="চর কচুয়া",
        district_id=district.id,
        upazila_id=book.children(district.id)[0].id,
        phone="+8801712345678",
    )
    other = build.case(session, details="The rice card was refused at the office.", phone=None)
    name(session, case, "মোছাঃ রহিমা বেগম")
    name(session, other, "Abdul Karim")
    gro = build.actor(session, "gro.social-welfare")
    session.commit()
    at_once = ("01712345678", "০১৭১২৩৪৫৬৭৮", "+880 1712-345678", "８８０１７１２３４５６７８")
    assert [found(session, gro, typed) for typed in at_once] == [[case.id]] * len(at_once), "before any tick"
    assert search.search(session, gro, display(case.tracking_number).lower()).exact == case.tracking_number
    assert found(session, gro, "মেম্বার") == []
    indexed(session)
    for typed in (
        *at_once,
        *("মেম্বার", "মেম্বারকে টাকাটা", "ভাতা ৫০", "50%", "কচুয়ায়", "০১৯১২৩৪৫৬৭৮", "01912345678"),
        *("বাড়ি", unicodedata.normalize("NFC", "বাড়ির"), unicodedata.normalize("NFD", "বাড়িতে"), "মে\u09dfের", "গা\u09dd"),
        *("রহিমা", "রহীমা বেগম", "মোছাঃ রহিমা", "রহিমার ভাতা", "01712345678 ভাতা"),
        *("Barisal", "Barishal", "বরিশাল", "বরিশালে মেম্বার", "barishal বেগম"),
        *("Old Age Allowance Barisal", "বয়স্ক ভাতা রহিমা", "আত্মসাৎ ভাতা"),
    ):
        assert found(session, gro, typed) == [case.id], typed
    for typed, similar in (("আত্মসাত", case), ("মেম্ব", case), ("refusd", other), ("offi", other)):
        answer = search.search(session, gro, typed)
        assert ([row.id for row in answer.rows], answer.is_similar) == ([similar.id], True), typed
    assert found(session, gro, "karim CARDS") == [other.id]
    assert found(session, gro, "payment not received") == [other.id, case.id]


def test_what_is_typed_is_taken_as_it_is(session: Session) -> None:
    build.case(session, details="টাকা নেই")
    indexed(session)
    gro = build.actor(session, "gro.social-welfare")
    for typed in (
        "%",
        "_",
        "%%",
        "টা%",
        "টা_া",
        "ট*",
        "!চাল",
        "'",
        "\\",
        "' OR 1=1 --",
        "#o1",
        "(((",
        "a" * 10_240,
        "\x00",
        "\ud800",
    ):
        answer = search.search(session, gro, typed)
        assert not answer.rows or answer.is_similar, typed
        assert not answer.is_cut_off
    long = search.search(session, gro, "টাকা " * 2_048)
    assert len(long.rows) == 1 and long.query.is_cut


def test_for_every_officer_the_search_finds_exactly_what_the_lists_show(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By words, by name and by telephone; and a referrer, and who is accused."""
    rows = [case for case, _ in cases_of_every_kind(session)]
    here, there = build.office_id(session), build.office_id(session, "food")
    rows.append(build.case(session, there, referred_from_office_id=here, referred_from_desk="gro", referral_count=1))
    for case in rows:
        name(session, case, "রহিমা খাতুন")
    indexed(session)
    lengths = set()
    for actor in [*(build.actor(session, each) for each in OFFICERS), SYSTEM]:
        visible = set(session.scalars(select(Case.id).where(visible_to(actor))))
        monkeypatch.setattr(search, "MOST", max(1, len(visible)))  # a hidden one would take a visible one's place
        for typed in ("ভাতা", "খাতুন", "01712345678", "ভাতা Old age allowance"):
            answer = search.search(session, actor, typed)
            assert {row.id for row in answer.rows} == visible, (actor, typed)
            assert not answer.has_more
        for case in rows:
            exact = search.search(session, actor, case.tracking_number).exact
            assert (exact is not None) == (case.id in visible)
            suggested = {each.case_id for each in alike.suggestions(session, actor, case)}
            assert suggested <= visible - {case.id}
        lengths.add(len(visible))
    assert 0 in lengths and len(lengths) > 4, lengths


def test_a_change_of_what_leads_to_a_case_is_found_after_the_next_tick(session: Session) -> None:
    case = build.case(session, details="পুরনো কথা")
    indexed(session)
    gro, other = build.actor(session, "gro.social-welfare"), build.actor(session, "gro.food")
    case.office_id, case.details = other.seats[0].office_id, "নতুন ঘটনা"
    session.add(Complainant(case_id=case.id, role="complainant"))
    session.flush()
    member = session.scalars(select(Complainant).order_by(Complainant.id.desc())).first()
    assert member is not None
    member.name_sealed = context.keyring().seal("সখিনা", f"complainant.name:{case.tracking_number}")
    indexed(session)
    assert [found(session, other, typed) for typed in ("ঘটনা", "সখিনা", "পুরনো")] == [[case.id], [case.id], []]
    assert found(session, gro, "ঘটনা") == []
    case.level, case.status, case.version = 1, "in_progress", 7
    session.commit()
    assert session.scalar(select(func.count()).select_from(SearchDue)) == 0, "work on a case costs no index"
    changes = {"details": "x", "place": "y", "programme_id": None, "category_id": 1, "upazila_id": case.district_id}
    for done, (column, value) in enumerate(
        {**changes, "district_id": None, "office_id": gro.seats[0].office_id}.items(), 1
    ):
        session.execute(update(Case).where(Case.id == case.id).values({column: value}))
        assert session.scalar(select(func.count()).select_from(SearchDue)) == done, column


def test_the_tick_takes_many_in_batches_and_passes_what_cannot_be_opened(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "BATCH", 4)
    cases = [build.case(session, details=f"কথা {number}") for number in range(7)]
    session.execute(update(Complainant).where(Complainant.case_id == cases[2].id).values(name_sealed=b"broken"))
    session.commit()
    session.execute(text("DELETE FROM search_due"))
    assert search_index.put_all_down() == 7
    assert (search_index.index_due(1), search_index.index_due(4), search_index.index_due()) == (4, 3, 0)
    assert session.scalar(select(func.count()).select_from(CaseSearch)) == 7
    with statements(session) as seen:
        search_index.put_all_down()
        assert search_index.index_due() == 7
    assert len(seen) < 20, "a constant number for each batch"


def test_the_newest_come_first_from_all_parts_of_the_index_and_no_more_than_a_page(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [5, 6, 140_000, 280_000, 280_001, 396_000, 400_000, 400_001]  # oldest, the last 262,144, the last 32,768
    for case_id in ids:
        build.case(session, id=case_id, details="বিরল কথা", is_sensitive=case_id == 400_000)
    indexed(session)
    gro, cell = build.actor(session, "gro.social-welfare"), build.actor(session, "cabinet")
    assert found(session, cell, "বিরল") == sorted(ids, reverse=True)
    assert found(session, gro, "বিরল") == sorted(set(ids) - {400_000}, reverse=True)
    monkeypatch.setattr(search, "MOST", 4)
    answer = search.search(session, gro, "বিরল")
    assert [row.id for row in answer.rows] == [400_001, 396_000, 280_001, 280_000] and answer.has_more


def test_a_search_that_takes_too_long_says_so(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    build.case(session)
    indexed(session)
    monkeypatch.setattr(search, "TIMEOUT_MILLISECONDS", 100)
    gro = build.actor(session, "gro.social-welfare")
    session.rollback()
    with session.get_bind().connect() as other:
        other.execute(text("LOCK TABLE case_search IN ACCESS EXCLUSIVE MODE"))
        answer = search.search(session, gro, "ভাতা")
    assert answer.is_cut_off and not answer.rows
    assert len(found(session, gro, "ভাতা")) == 1


def test_the_number_of_statements_is_the_same_whatever_is_typed(session: Session) -> None:
    for _ in range(30):
        build.case(session, details="ভাতা")
    indexed(session)
    gro = build.actor(session, "gro.social-welfare")
    found(session, gro, "ভাতা")  # the directory is cached for an edition
    for typed, most in (("ভাতা", 4), ("রহিমা ভাতা Barisal old age allowance", 5), ("01712345678", 5), ("ভাতাআআ", 6), ("%", 0)):
        with statements(session) as seen:
            search.search(session, gro, typed)
        assert len(seen) <= most, (typed, seen)


def test_the_page_says_what_was_understood_in_both_languages(app: Flask, session: Session) -> None:
    case = build.case(session, details="চাল দেয় না")
    indexed(session)
    client = sign_in(app, "gro")
    answer = client.get("/search", query_string={"q": display(case.tracking_number)})
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/cases/{case.tracking_number}")
    for typed, said in (
        ("চালের", ["<b>চালের</b>", display(case.tracking_number)]),
        ("০১৭১২-৩৪৫৬৭৮", ["01712345678", display(case.tracking_number)]),
        ("Barisal <b>", ["<b>barisal</b>", "Barishal", "Nothing found", "&lt;b&gt;"]),
        ("%", ["no word or number"]),
        ("0000000000000", ["no case with this number"]),
        ("কথা " * 3000, ["only its beginning"]),
    ):
        page = client.get("/search", query_string={"q": typed, "lang": "en"})
        assert page.status_code == 200
        assert [each for each in said if each not in page.text] == [], typed
    assert "কিছু পাওয়া যায়নি" in client.get("/search?q=নেই&lang=bn").text


def test_likely_duplicates_have_their_reasons(session: Session) -> None:
    book = directory(session)
    district = book.find_places("Barisal", "district")[0]
    at = {"district_id": district.id, "upazila_id": book.children(district.id)[0].id}
    told = "আমার বয়স্ক ভাতার টাকা ছয় মাস ধরে পাই না, ইউনিয়ন অফিসে গেলে মেম্বার পরে আসতে বলে"
    one = build.case(session, details=told, phone="+8801711111111", **at)
    phone = build.case(session, programme=None, details="চাল কম দেয়", phone="+8801711111111")
    named = build.case(session, details="কার্ড হারিয়ে গেছে", phone=None, **at)
    words = build.case(session, details=told.replace("আমার", "মায়ের") + " বারবার", phone=None, **at)
    elsewhere = build.case(session, details=told, phone=None)
    build.case(session, details="অন্য বিষয়", phone=None, **at)
    old = build.case(
        session,
        filed_at=one.filed_at - timedelta(days=400),
        details=told,
        phone="+8801711111111",
        status="closed",
        outcome="answered",
        ended_at=one.filed_at - timedelta(days=300),
        **at,
    )
    hidden = build.case(session, details=told, phone="+8801711111111", is_sensitive=True, desk="appeal", **at)
    for case in (one, named):
        name(session, case, "রহিমা বেগম")
    name(session, elsewhere, "রহিমা বেগম")
    indexed(session)
    gro, cell = build.actor(session, "gro.social-welfare"), build.actor(session, "cabinet")
    session.refresh(one)
    with statements(session) as seen:
        reasons = {each.case_id: each.reasons for each in alike.suggestions(session, gro, one)}
    assert len(seen) == 1
    assert reasons == {phone.id: ("phone",), named.id: ("name",), words.id: ("words",)}
    first = alike.suggestions(session, cell, one)[0]
    assert (first.case_id, first.reasons) == (hidden.id, ("phone", "words"))
    assert old.id not in reasons
    link = {"linked_at": one.filed_at, "linked_by_id": gro.officer_id, "clock_state": None}
    session.add(CaseLink(case_id=words.id, lead_id=one.id, kind="linked", **link))
    session.flush()
    assert words.id not in {each.case_id for each in alike.suggestions(session, gro, one)}
    many = [build.case(session, details=told, **at) for _ in range(9)]
    indexed(session)
    assert len(alike.suggestions(session, gro, many[0])) == alike.MOST
