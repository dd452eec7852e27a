"""Reviews of drawn closures: who may, what is kept of each writing, who is told, and that each figure is its list's length."""

import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases import samples, service
from grm.cases.closing_models import ClosureSample, SampleMonth
from grm.cases.models import Accused, Case
from grm.cases.tracking_models import Rating
from grm.kernel.actor import Actor
from grm.kernel.audit import AuditEntry
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, NotFound
from grm.notifications.models import Message
from grm.reviews import assigning, queries
from grm.reviews.findings import FAULTS, Written
from grm.reviews.models import ClosureReview
from grm.reviews.service import report_month, write_review
from tests.integration.test_closing import ANSWER, sign_in, token_of
from tests.support import build

JANUARY = date(2026, 1, 1)
CLOSED_AT = build.dhaka(2026, 1, 20)
DRAWN_AT = build.dhaka(2026, 2, 1)
NOW = build.dhaka(2026, 2, 3)
SOUND = Written("yes", "yes", "no", "not_needed", "no")
BAD = Written("no", "no", "no", "not_needed", "yes", "অভিযোগকারীর সঙ্গে কেউ কথা বলেনি")


def closed(session: Session, office: int | None = None, at: datetime = CLOSED_AT, **columns: Any) -> Case:
    ended = {"status": "resolved", "outcome": "answered", "ended_at": at, "acknowledged_at": at}
    return build.case(session, office, filed_at=build.dhaka(2025, 12, 1), **{**ended, **columns})


def draw(session: Session) -> None:
    session.commit()
    samples.draw_month(JANUARY, DRAWN_AT)
    session.rollback()


def cell(session: Session, username: str = "cabinet") -> Actor:
    return build.actor(session, username, NOW.date())


def colleague(session: Session) -> str:
    """A second officer of the cell."""
    officer = build.officer(session, "cabinet-2")
    officer.password_hash = session.scalars(select(Officer.password_hash).where(Officer.username == "cabinet")).one()
    build.posting(session, build.post_id(session, build.office_id(session, "cell"), "cell_officer"), officer.id, True)
    session.commit()
    return officer.username


def test_a_review_is_written_once_and_corrected_with_its_history(session: Session) -> None:
    row = closed(session)
    draw(session)
    who, number = cell(session), row.tracking_number
    session.rollback()
    assert write_review(who, number, SOUND, 0, now=NOW) == 1
    assert write_review(who, number, SOUND, 0, now=NOW) == 1, "the same again"
    with pytest.raises(Conflict):
        write_review(who, number, BAD, 0, now=NOW)
    assert write_review(who, number, BAD, 1, now=NOW + timedelta(hours=1)) == 2
    with pytest.raises(InvalidInput):
        write_review(who, number, Written(), 2, now=NOW)
    session.rollback()
    kept = session.scalars(select(ClosureReview).order_by(ClosureReview.number)).all()
    assert [(each.number, each.is_sound, each.replaced_at is None) for each in kept] == [
        (1, True, False),
        (2, False, True),
    ]
    session.rollback()
    with pytest.raises(InvalidInput):
        report_month(who, JANUARY, now=NOW)
    for days in (0, 1):
        report_month(who, JANUARY, is_confirmed=True, now=NOW + timedelta(days=days))
    with pytest.raises(IllegalAction, match="month-reported"):
        write_review(who, number, SOUND, 2, now=NOW)
    session.rollback()
    assert session.get_one(SampleMonth, JANUARY).reported_at == NOW
    noted = session.scalars(select(AuditEntry).where(AuditEntry.stream == "reviews").order_by(AuditEntry.seq)).all()
    assert [each.kind for each in noted] == ["ClosureReviewed", "ClosureReviewed", "ReviewsReported"]
    assert noted[1].data["findings"] == ["contacted", "to_the_point", "reopen"]


def test_who_decided_who_is_accused_and_the_own_office_never_review(session: Session) -> None:
    other = colleague(session)
    first, second = cell(session), cell(session, other)
    assert first.officer_id and second.officer_id
    cell_id = build.office_id(session, "cell")
    own = closed(session, cell_id, desk="cell", assignee=first.officer_id)
    about = closed(session, accused_officers=[first.officer_id])
    decided = build.case(session, cell_id, desk="cell", filed_at=build.dhaka(2026, 1, 4), status="in_progress")
    free = closed(session)
    session.commit()
    service.assign_case(first, decided.tracking_number, None, first.officer_id, now=build.dhaka(2026, 1, 19))
    service.resolve_case(first, decided.tracking_number, None, **ANSWER, now=CLOSED_AT)
    session.rollback()
    session.execute(
        text("UPDATE cases SET office_id = :there WHERE id = :id"),
        {"there": build.office_id(session), "id": decided.id},
    )
    draw(session)
    assigning.assign_open(NOW)
    assert assigning.assign_open(NOW) == 0, "again is nothing more"
    session.rollback()
    given = dict(session.execute(select(ClosureSample.case_id, ClosureSample.reviewer_id)).all())  # type: ignore[arg-type]
    assert given == {
        own.id: build.officer_id(session, "coordinator.social-welfare"),
        about.id: second.officer_id,
        decided.id: second.officer_id,
        free.id: first.officer_id,
    }
    numbers = {name: row.tracking_number for name, row in {"own": own, "about": about, "decided": decided}.items()}
    session.rollback()
    with pytest.raises(IllegalAction, match="own-hand"):
        write_review(first, numbers["own"], SOUND, 0, now=NOW)
    with pytest.raises(IllegalAction, match="own-decision"):
        write_review(first, numbers["decided"], SOUND, 0, now=NOW)
    with pytest.raises(NotFound):
        write_review(first, numbers["about"], SOUND, 0, now=NOW)
    with pytest.raises(IllegalAction, match="not-your-part"):
        write_review(build.actor(session, "appeal.social-welfare"), numbers["decided"], SOUND, 0, now=NOW)
    assert write_review(second, numbers["decided"], SOUND, 0, now=NOW) == 1
    session.rollback()
    session.execute(text("UPDATE posting SET ends_on = '2026-02-02' WHERE officer_id = :id"), {"id": second.officer_id})
    session.commit()
    assert assigning.assign_open(NOW) == 1, "whom it accuses is the only one left: nobody has it now"
    assert assigning.assign_open(NOW) == 0


def test_who_comes_to_be_involved_loses_the_review_and_no_number_tells(app: Flask, session: Session) -> None:
    other = colleague(session)
    first, second = cell(session), cell(session, other)
    food = build.office_id(session, "food")
    for office in [None] * 3 + [food]:
        closed(session, office, programme="oms" if office else "old-age-allowance")
    draw(session)
    assigning.assign_open(NOW)
    session.rollback()
    samples = session.scalars(select(ClosureSample).where(ClosureSample.reviewer_id == first.officer_id)).all()
    about, kept = (session.get_one(Case, each.case_id) for each in samples[:2])
    assert {about.office_id, kept.office_id} == {build.office_id(session)} and len(samples) >= 2
    session.add(Accused(case_id=about.id, officer_id=first.officer_id))
    about.has_accused = True
    session.commit()
    client, month = sign_in(app, "cabinet"), queries.Choice(month=JANUARY)
    pages = {}
    for step in ("accused", "drawn anew"):
        listed = client.get("/reports/samples?month=2026-01&state=mine").text
        pages[step] = client.get("/reports/samples?month=2026-01").text
        assert about.tracking_number not in pages[step] + listed and kept.tracking_number in listed
        mine = queries.count(session, first, month.with_(state="mine"))
        assert listed.count('translate="no">') == mine == len(samples) - 1
        assert "Closures: 3. Drawn: 3." in pages[step] and f"for you to review: {mine}." in pages[step]
        session.rollback()
        if step == "accused":
            assert assigning.assign_open(NOW) == 1 and assigning.assign_open(NOW) == 0
    assert "Closures: 4. Drawn: 4." in sign_in(app, other).get("/reports/samples?month=2026-01").text
    # Who comes to sit at the office that closed it, or is asked to decide it again, reviews it no more either.
    build.posting(
        session, build.post_id(session, build.office_id(session), "case_officer"), first.officer_id or 0, True
    )
    session.commit()
    assigning.assign_open(NOW)
    session.rollback()
    of_office = select(ClosureSample.reviewer_id).where(ClosureSample.office_id == build.office_id(session))
    assert set(session.scalars(of_office)) == {second.officer_id}
    told = session.scalars(
        select(AuditEntry).where(AuditEntry.kind == "ReviewerChanged").order_by(AuditEntry.seq)
    ).all()
    assert [(each.data["from_officer_id"], each.data["to_officer_id"]) for each in told] == [
        (first.officer_id, second.officer_id)
    ] * len([each for each in samples if each.office_id != food])
    assert told[0].data["tracking_number"] == about.tracking_number
    # To report the month asks everybody for the same tick, whatever reviews somebody must not know of are open.
    token = token_of(client.get("/reports/samples").text)
    assert client.post("/reports/samples", data={"csrf_token": token, "month": "2026-01"}).status_code == 422


def test_what_the_cell_has_closed_is_reviewed_by_a_coordinator_who_sees_no_more(app: Flask, session: Session) -> None:
    cell_id = build.office_id(session, "cell")
    own = closed(session, cell_id, desk="cell", details="সেল নিজে নিষ্পত্তি করেছে")
    about = closed(session, cell_id, desk="cell", accused_office=build.office_id(session))
    usual = closed(session)
    draw(session)
    assigning.assign_open(NOW)
    session.rollback()
    given = dict(session.execute(select(ClosureSample.case_id, ClosureSample.reviewer_id)).all())  # type: ignore[arg-type]
    coordinator, cabinet = (build.officer_id(session, who) for who in ("coordinator.social-welfare", "cabinet"))
    assert given == {own.id: coordinator, about.id: cabinet, usual.id: cabinet}, "one accuses the coordinator's office"
    session.rollback()
    client, url = sign_in(app, "coordinator.social-welfare"), f"/reports/reviews/{own.tracking_number}"
    listed = client.get("/reports/reviews").text
    assert own.tracking_number in listed and about.tracking_number not in listed
    page = client.get(url).text
    assert "সেল নিজে নিষ্পত্তি করেছে" in page and f"/cases/{own.tracking_number}" not in page
    for path in (f"/cases/{own.tracking_number}", f"/cases/{own.tracking_number}/file", "/reports/samples"):
        assert client.get(path).status_code == 404
    for case in (about, usual):
        assert client.get(f"/reports/reviews/{case.tracking_number}").status_code == 404
    typed = {"contacted": "yes", "to_the_point": "yes", "passed_on": "no", "evidence": "not_needed", "reopen": "no"}
    form = {"csrf_token": token_of(page), "number": "0", **typed, "remark": ""}
    assert client.post(url, data=form).status_code == 303 and "Closed properly" in client.get("/reports/reviews").text
    other = f"/reports/reviews/{usual.tracking_number}"
    assert client.post(other, data=form).status_code == 404
    session.execute(text("UPDATE closure_sample SET reviewer_id = NULL"))
    session.commit()
    assert client.get(url).status_code == 404, "only what is given to him"


def test_a_finding_is_told_to_the_superior_once_and_without_words(session: Session) -> None:
    plain, secret = closed(session), closed(session, desk="appeal", category="bribe-demand")
    draw(session)
    who, numbers = cell(session), (plain.tracking_number, secret.tracking_number)
    session.rollback()
    for number in numbers:
        write_review(who, number, BAD, 0, now=NOW)
    write_review(who, numbers[0], Written("no", "yes", "no", "no", "no", "সরেজমিনে কেউ যায়নি"), 1, now=NOW)
    session.rollback()
    told = session.execute(select(Message.template, Message.officer_id, Message.params).order_by(Message.id)).all()
    appeal = build.officer_id(session, "appeal.social-welfare")
    assert told == [("review-finding-officer", appeal, {"tracking_number": numbers[0], "is_review": True})], (
        "above the appeal desk sits the cell, whose only officer has written it"
    )


def test_every_figure_is_its_list_and_ratings_stand_beside(app: Flask, session: Session) -> None:
    food = build.office_id(session, "food")
    rows = [closed(session) for _ in range(2)] + [closed(session, food, programme="oms") for _ in range(2)]
    hidden = closed(session, food, programme="oms", accused_officers=[build.officer_id(session, "cabinet")])
    sensitive = closed(session, desk="appeal", category="bribe-demand", details="ঘুষ চাওয়া হয়েছে")
    draw(session)
    who = cell(session)
    with_stars = {rows[0]: 1, rows[1]: 5, rows[3]: 2, hidden: 5}
    for row, stars in with_stars.items():
        columns = {"case_id": row.id, "stage": "complaint", "decision_seq": 2, "rated_at": NOW}
        session.add(Rating(**columns, stars=stars, office_id=row.office_id, desk="gro"))
    session.commit()
    write_review(who, rows[0].tracking_number, SOUND, 0, now=NOW)
    write_review(who, rows[2].tracking_number, BAD, 0, now=NOW)
    session.rollback()
    for by in ("office", "month"):
        for line in queries.findings(session, who, queries.Choice(since=JANUARY), by):
            at = queries.Choice(since=JANUARY)
            if line.key is not None:
                at = at.with_(**{"office_id" if by == "office" else "month": line.key})
            figures = {None: line.drawn, "reviewed": line.reviewed, "sound": line.sound}
            figures |= {"rated": line.rated, "contradicted": line.contradicted}
            for state, figure in {**figures, **{fault: line.faults[fault] for fault in FAULTS}}.items():
                assert queries.count(session, who, at.with_(state=state)) == figure, (by, line.key, state)
    total = next(line for line in queries.findings(session, who, queries.Choice(), "office") if line.key is None)
    assert (total.drawn, total.reviewed, total.sound, total.rated, round(total.stars or 0, 1)) == (5, 2, 1, 3, 2.7)
    assert total.contradicted == 1 and total.faults["contacted"] == 1 and total.faults["passed_on"] == 0
    session.rollback()

    client = sign_in(app, "cabinet")
    for path in (f"/reports/reviews?office={food}", "/reports/reviews?month=2026-01", "/reports/samples?state=faulty"):
        page = client.get(path)
        assert page.status_code == 200 and hidden.tracking_number not in page.text
    for href in set(
        re.findall(r'href="(/reports/samples\?[^"]+)">(?:[0-9]+)</a>', client.get("/reports/reviews").text)
    ):
        assert client.get(href.replace("&amp;", "&")).status_code == 200
    file = client.get("/reports/exports/reviews.csv?lang=en").get_data(as_text=True)
    assert "All offices" in file and "Ministry of Food" in file
    before = session.scalars(select(AuditEntry.id).where(AuditEntry.stream == "views")).all()
    session.rollback()
    page = client.get(f"/reports/reviews/{sensitive.tracking_number}")
    assert page.status_code == 200 and "ঘুষ চাওয়া হয়েছে" in page.text
    assert len(session.scalars(select(AuditEntry.id).where(AuditEntry.stream == "views")).all()) == len(before) + 1
    session.rollback()

    number = rows[1].tracking_number
    url = f"/reports/reviews/{number}"
    token = token_of(client.get(url).text)
    typed = {"contacted": "no", "to_the_point": "yes", "passed_on": "no", "evidence": "not_needed", "reopen": "no"}
    half = client.post(url, data={"csrf_token": token, "number": "0", **typed, "remark": ""})
    assert half.status_code == 422 and "Say in a sentence" in half.text
    done = client.post(url, data={"csrf_token": token, "number": "0", **typed, "remark": "কেউ ফোন করেনি, তবু নিষ্পত্তি"})
    assert done.status_code == 303 and "Complainant not spoken to" in client.get(done.location).text
    late = client.post(url, data={"csrf_token": token, "number": "0", **typed, "remark": "অন্য একটি মন্তব্য লেখা হলো"})
    assert late.status_code == 409 and "অন্য একটি মন্তব্য লেখা হলো" in late.text, "what was typed is kept"

    superior = sign_in(app, "appeal.social-welfare")
    assert number in superior.get("/reports/reviews").text
    page = superior.get(url)
    assert (
        page.status_code == 200
        and "কেউ ফোন করেনি" in page.text
        and '<form method="post" action="/reports/reviews' not in page.text
    )
    for case in (rows[0], rows[2], rows[3], sensitive, hidden):
        assert superior.get(f"/reports/reviews/{case.tracking_number}").status_code == 404
    assert superior.post(url, data={"csrf_token": token_of(page.text), "number": "1", **typed}).status_code == 404
    assert sign_in(app, "gro.social-welfare").get(url).status_code == 404

    token = token_of(client.get("/reports/samples").text)
    asked = client.post("/reports/samples", data={"csrf_token": token, "month": "2026-01"})
    assert asked.status_code == 422 and "Tick that" in asked.text
    form = {"csrf_token": token, "month": "2026-01", "confirmed": "1"}
    assert client.post("/reports/samples", data=form).status_code == 303
    page = client.get(url).text
    assert "they stand" in page and '<form method="post" action="/reports/reviews' not in page
