"""The monthly sample of closures: drawn once, whoever asks; and shown to the cell."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import samples
from grm.cases.closing_models import ClosureSample, SampleMonth
from grm.cases.models import Case
from grm.cases.sampling import draw
from grm.cli import register
from grm.kernel.errors import IllegalAction
from tests.integration.test_closing import sign_in
from tests.support import build

JANUARY = date(2026, 1, 1)
AFTER = build.dhaka(2026, 2, 2)


def closed(session: Session, at: datetime, office: int | None = None, **columns: Any) -> Case:
    values = {"status": "resolved", "outcome": "answered", "ended_at": at, "acknowledged_at": at, **columns}
    return build.case(session, office, filed_at=build.dhaka(2025, 12, 1), **values)


def drawn(session: Session) -> set[int]:
    session.rollback()
    return set(session.scalars(select(ClosureSample.case_id)))


def test_a_month_is_drawn_once_and_only_what_it_closed(app: Flask, session: Session) -> None:
    food = build.office_id(session, "food")
    inside = [closed(session, build.dhaka(2026, 1, 1, 0) + timedelta(hours=n)) for n in range(8)]
    there = [closed(session, build.dhaka(2026, 1, 31, 23, 59), food, programme="oms") for _ in range(2)]
    closed(session, build.dhaka(2026, 2, 1, 0))
    closed(session, build.dhaka(2025, 12, 31, 23, 59))
    closed(session, build.dhaka(2026, 1, 9), status="withdrawn", outcome="withdrawn")
    closed(session, build.dhaka(2026, 1, 9), status="closed", outcome="merged")
    build.case(session, filed_at=build.dhaka(2026, 1, 5))
    session.commit()
    here = inside[0].office_id
    ids = {here: [each.id for each in inside], food: [each.id for each in there]}
    results: list[samples.Drawn] = []

    def run() -> None:
        with app.app_context():
            results.append(samples.draw_month(now=AFTER))

    threads = [threading.Thread(target=run) for _ in range(7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.is_new for each in results) == [False] * 6 + [True]
    assert {(each.month, each.closures, each.drawn) for each in results} == {(JANUARY, 10, 5)}
    session.rollback()
    month = session.get_one(SampleMonth, JANUARY)
    assert drawn(session) == {case_id for _, case_id in draw(ids, month.seed)} >= set(ids[food])
    assert {each.office_id for each in session.scalars(select(ClosureSample))} == {here, food}


def test_a_case_is_drawn_once_in_its_life(session: Session) -> None:
    row = closed(session, build.dhaka(2026, 1, 9))
    session.commit()
    assert samples.draw_month(JANUARY, AFTER).drawn == 1
    session.refresh(row)
    row.ended_at = build.dhaka(2026, 2, 9)  # appealed, and closed again
    session.commit()
    assert samples.draw_month(date(2026, 2, 1), build.dhaka(2026, 3, 1)).drawn == 0
    assert drawn(session) == {row.id}


def test_a_month_that_is_not_over_is_not_drawn(app: Flask, session: Session) -> None:
    with pytest.raises(IllegalAction, match="month-not-over"):
        samples.draw_month(JANUARY, build.dhaka(2026, 1, 31, 23, 59))
    assert samples.draw_month(None, datetime(2026, 1, 31, 18, tzinfo=UTC)).month == JANUARY, "midnight in Dhaka"
    run = register(app).test_cli_runner().invoke
    assert run(args=["samples", "draw", "--month", "2999-01"]).exit_code == 1
    assert run(args=["samples", "draw", "--month", "January"]).exit_code == 2
    first, second = (run(args=["samples", "draw", "--month", "2025-11"]).output for _ in range(2))
    assert first == "2025-11: 0 of 0 closures\n" and second == "2025-11: 0 of 0 closures (drawn before)\n"


def test_the_cell_reads_the_sample_and_nobody_else(app: Flask, session: Session) -> None:
    cell = sign_in(app, "cabinet")
    assert "Nothing has been drawn yet" in cell.get("/reports/samples").text
    cabinet = build.officer_id(session, "cabinet")
    rows = [closed(session, build.dhaka(2026, 1, 9)) for _ in range(2)]
    hidden = closed(session, build.dhaka(2026, 1, 9), accused_officers=[cabinet])
    session.commit()
    assert samples.draw_month(JANUARY, AFTER).drawn == 3
    samples.draw_month(date(2025, 12, 1), AFTER)
    page = cell.get("/reports/samples?month=2026-01&after=abc").text
    assert all(row.tracking_number in page for row in rows) and hidden.tracking_number not in page
    assert "January 2026" in page and "/reports/samples?month=2025-12" in page
    last = max(session.scalars(select(ClosureSample.id)))
    assert rows[0].tracking_number not in cell.get(f"/reports/samples?month=2026-01&after={last}").text
    assert "জানুয়ারি ২০২৬" in cell.get("/reports/samples?month=2026-01&lang=bn").text
    for other in ("gro.social-welfare", "admin"):
        assert sign_in(app, other).get("/reports/samples").status_code == 404
