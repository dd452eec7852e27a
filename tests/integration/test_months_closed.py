"""Closing a month: the returns that nobody submits are frozen once, over a month's end in Dhaka, and told of once."""

import os
import signal
import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases import service
from grm.cases.models import Accused, Case
from grm.cli import register
from grm.kernel.db import db
from grm.notifications.models import Message
from grm.offices.queries import directory
from grm.returns import closing, counting, queries, units
from grm.returns import service as returns
from grm.returns.models import ClosedReturn, ClosedStay, MonthlyReturn, ReturnClosing, ReturnSubmission
from grm.returns.sheets import COLUMNS, SIDES, from_json
from grm.returns.units import ALL_SHADES, DESK_ONLY, VIEWS, Sight
from tests.integration.test_closing import sign_in
from tests.integration.test_returns import JANUARY, LAST_SECOND, MIDNIGHT, MONTH_ENDS, keep
from tests.support import build, recount_stays
from tests.support.histories import TEXT, World
from tests.support.recount_stays import Stay

CLOSES = build.dhaka(2026, 2, 18, 0)
"""The end of the tenth working day."""
WHOLE = Sight(ALL_SHADES, None, has_lists=True)
SIMPLE: dict[str, Any] = {
    "programme": "old-age-allowance",
    "category": "payment-not-received",
    "about": "none",
    "is_sensitive": False,
}
FROZEN = (ReturnClosing, ClosedStay, ClosedReturn)


@pytest.fixture
def world(session: Session) -> World:
    """Two months of many people's acts, a few at the month's last second and the next one's first; returns are prepared."""
    made = World(session, 11, build.dhaka(2025, 12, 5))
    made.live(LAST_SECOND - timedelta(days=1), 70)
    made.now = LAST_SECOND - timedelta(hours=1)
    referred = made.file(channel="web", **SIMPLE)
    for at in (LAST_SECOND, MIDNIGHT):
        made.now = at
        made.file(channel="web", **SIMPLE)
    gro, food = build.actor(session, "gro.social-welfare"), build.office_id(session, "food")
    session.rollback()
    service.refer_case(gro, referred, None, food, TEXT, now=LAST_SECOND)
    returns.prepare_month(JANUARY, MONTH_ENDS)
    return made


def recounted(session: Session) -> dict[tuple[str, int], dict[tuple[str, str], int]]:
    """Every number of every unit, told a second time from the histories."""
    book = directory(session)
    stays = [each for of_case in recount_stays.stays(session).values() for each in of_case]
    found = {}
    for unit in units.closed_units(book):
        own: Callable[[Stay], bool] = {
            "programme": lambda stay, of=unit.id: stay.life.programme_id == of,
            "district": lambda stay, of=unit.id: stay.life.district_id == of,
        }.get(unit.kind, lambda stay: True)
        ids = unit.office_ids if unit.kind == "ministry" else None
        lines = recount_stays.monthly_return(
            filter(own, stays),
            lambda one, ids=ids: one is not None and (ids is None or one in ids),
            *(JANUARY.starts_on, JANUARY.ends_on, JANUARY.ends_on),
            is_group=True,
        )
        found[unit.kind, unit.id] = {key: len(behind) for key, behind in lines.items()}
    return found


def kept(row: ClosedReturn, view: str = "whole") -> dict[tuple[str, str], int]:
    """The numbers of a frozen return that are not zero."""
    sheets = {side: from_json(row.figures[view][side]) for side in SIDES}
    assert all(sheet.balances for sheet in sheets.values())
    return {(side, name): sheets[side][name] for side in SIDES for name in COLUMNS if sheets[side][name]}


def letters(session: Session) -> dict[str, dict[str, Any]]:
    session.rollback()
    rows = select(Officer.username, Message.params).join(Officer, Officer.id == Message.officer_id)
    found = session.execute(rows.where(Message.template == "returns-closed-officer")).all()
    assert len(found) == len({username for username, _ in found}), "one each"
    return {username: params for username, params in found}  # noqa: C416 - rows are no pairs


def pages_of(session: Session, actor: Any, unit: Any, seen: Sight, today: date) -> queries.Page:
    page = queries.page(session, actor, unit, seen, JANUARY, today)
    relation = queries.relation_of(session, unit, seen, JANUARY, today)
    excluded = counting.accusing(session, actor)
    for side in SIDES:
        for column in COLUMNS:
            rows = counting.entries(session, relation, seen.shades, excluded, side, column, limit=None)
            assert len(rows) == page.sheets[side][column], (unit.code, side, column)
    return page


def test_a_month_is_closed_once_and_corrected_beside_it(app: Flask, session: Session, world: World) -> None:
    welfare, office = directory(session).ministry("social-welfare"), build.office_id(session)
    accusing = session.scalars(
        select(Case)
        .where(Case.desk == "gro", Case.office_id == office, ~Case.is_sensitive, Case.filed_at < MIDNIGHT)
        .order_by(Case.id.desc())
    ).first()
    assert accusing is not None
    coordinator = build.officer_id(session, "coordinator.social-welfare")
    session.add(Accused(case_id=accusing.id, officer_id=coordinator))
    session.commit()
    returns.submit(build.actor(session, "gro.social-welfare"), JANUARY, welfare.slug, now=MONTH_ENDS)
    assert closing.close_due(CLOSES - timedelta(seconds=1)) == 0
    results: list[int] = []

    def run() -> None:
        with app.app_context():
            results.append(closing.close_due(CLOSES))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [0, 0, 1] and closing.close_due(CLOSES) == 0

    session.rollback()
    rows = {(row.kind, row.unit_id): row for row in session.scalars(select(ClosedReturn))}
    assert {key: kept(row) for key, row in rows.items()} == recounted(session), "at midnight in Dhaka, to the second"
    food, programme = directory(session).ministry("food"), directory(session).programme("old-age-allowance")
    assert rows["ministry", welfare.id].not_submitted == [] and rows["ministry", food.id].not_submitted == [
        food.office_id
    ]
    assert office not in rows["country", 0].not_submitted and food.office_id in rows["country", 0].not_submitted
    missing = rows["programme", programme.id].not_submitted
    assert food.office_id in missing and office not in missing and len(missing) < 5, "where it had one of its cases"
    for table in FROZEN:
        for statement in ("UPDATE {} SET month = month", "DELETE FROM {}", "TRUNCATE {} CASCADE"):
            with pytest.raises(IntegrityError, match="append-only"):
                session.execute(text(statement.format(table.__tablename__)))
            session.rollback()

    world.now = CLOSES + timedelta(days=2)
    late = world.file(channel="paper", received_on=date(2026, 1, 31), **SIMPLE)
    case = session.scalars(select(Case).where(Case.tracking_number == late)).one()
    book, cell = directory(session), build.actor(session, "cabinet")
    gro, watching = build.actor(session, "gro.social-welfare"), build.actor(session, "coordinator.social-welfare")
    ministry = units.ministry_unit(welfare, book)
    today = date(2026, 2, 21)
    for unit, key in (
        (units.COUNTRY, ("country", 0)),
        (ministry, ("ministry", welfare.id)),
        (units.unit_of(book, "programme", programme.slug), ("programme", programme.id)),
    ):
        page = pages_of(session, cell, unit, WHOLE, today)
        assert page.closed is not None and page.is_frozen
        assert {side: page.sheets[side] for side in SIDES} == {
            s: from_json(rows[key].figures["whole"][s]) for s in SIDES
        }
        assert page.corrections["complaint"] == {"conventional": 1, "received": 1, "total": 1, "pending": 1}
        assert [(each.case_id, each.is_new, each.entered_at) for each in page.changes] == [(case.id, True, world.now)]
    whole = kept(rows["ministry", welfare.id])["complaint", "total"]
    assert pages_of(session, gro, ministry, Sight(DESK_ONLY, None, has_lists=True), today).sheets == {
        side: from_json(rows["ministry", welfare.id].figures["desk"][side]) for side in SIDES
    }
    open_total = kept(rows["ministry", welfare.id], "open")["complaint", "total"]
    seen = units.sight(watching, ministry, book)
    assert seen is not None and seen.shades == VIEWS["open"]
    assert pages_of(session, watching, ministry, seen, today).sheets["complaint"]["total"] == open_total - 1 < whole
    narrow = Sight(DESK_ONLY, frozenset({office}), has_lists=True)
    pages_of(session, gro, units.unit_of(book, "programme", programme.slug), narrow, today)

    told = letters(session)
    blocks = {name: {each["unit"]: each for each in params["closed_returns"]} for name, params in told.items()}
    assert list(blocks["cabinet"]) == ["country/all"] and blocks["cabinet"]["country/all"]["more"] > 20
    assert (
        blocks["cabinet"]["country/all"]["sides"]["complaint"]["total"]
        == kept(rows["country", 0])["complaint", "total"]
    )
    assert set(blocks["gro.social-welfare"]) == {"ministry/social-welfare"} and len(told) > 39
    mine = blocks["coordinator.social-welfare"]
    assert len(mine) > 1 and mine["ministry/social-welfare"]["sides"]["complaint"]["total"] == open_total - 1
    assert told["gro.social-welfare"]["return_unit"] == "ministry/social-welfare"

    verify = ["returns", "verify"]
    session.rollback()
    assert register(app).test_cli_runner().invoke(args=verify).exit_code == 0
    for change in (
        "UPDATE closed_stay SET days = 1 WHERE ctid = (SELECT max(ctid) FROM closed_stay)",
        "UPDATE closed_return SET not_submitted = '{1}' WHERE kind = 'district' AND unit_id = (SELECT min(id) FROM place)"
        " OR kind = 'country'",
    ):
        session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(change))
        session.commit()
    result = register(app).test_cli_runner().invoke(args=verify)
    assert result.exit_code == 1 and "its stays were changed" in result.output and "of country 0" in result.output


def killed_while_closing(app: Flask, before: str) -> None:
    """A process of its own begins to close the month and is killed before a statement."""
    child = os.fork()
    if not child:  # pragma: no cover - ends without coverage's report
        with app.app_context():
            db.engine.dispose(close=False)
            event.listen(
                db.engine,
                "before_cursor_execute",
                lambda _c, _cursor, statement, *_: before in statement and os.kill(os.getpid(), signal.SIGKILL),
            )
            closing.close_due(CLOSES)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "it was not killed"


def test_killed_closings_leave_nothing_and_the_last_submission_closes(session: Session, app: Flask) -> None:
    build.case(session, filed_at=build.dhaka(2026, 1, 7))
    session.commit()
    returns.prepare_month(JANUARY, MONTH_ENDS)
    session.close()
    for statement in ("sha256", "INSERT INTO closed_return", "INSERT INTO message"):
        killed_while_closing(app, statement)
        counts = [session.scalar(select(func.count()).select_from(table)) for table in FROZEN]
        assert (counts, letters(session)) == ([0, 0, 0], {})
    session.rollback()
    everybody = text(
        "INSERT INTO return_submission SELECT id, :at, :by, '{}', '', '' FROM monthly_return WHERE id > :after"
    )
    first = session.scalar(select(func.min(MonthlyReturn.id)))
    parameters = {"at": MONTH_ENDS, "by": build.officer_id(session, "cabinet"), "after": first}
    session.execute(everybody, parameters)
    session.commit()
    assert closing.close_due(MONTH_ENDS) == 0, "one is owed still"
    session.add(
        ReturnSubmission(
            return_id=first,
            submitted_at=MONTH_ENDS,
            submitted_by_id=parameters["by"],
            figures={},
            counted="",
            hash=b"",
        )
    )
    session.execute(text("INSERT INTO tally_rebuild VALUES (1, 'test')"))
    session.commit()
    assert closing.close_due(MONTH_ENDS) == 0, "the figures are not made yet"
    session.execute(text("DELETE FROM tally_rebuild"))
    session.commit()
    keep(session)
    elsewhere = next(each.id for each in directory(session).offices if each.kind == "district")
    moved = text("UPDATE stay SET office_id = :office")
    session.execute(moved, {"office": elsewhere})
    session.commit()
    assert closing.close_due(MONTH_ENDS) == 0, "an office had a case and was not asked for its return yet"
    session.execute(moved, {"office": build.office_id(session)})
    session.commit()
    assert closing.close_due(MONTH_ENDS) == 1 and len(letters(session)) > 39
    assert not any(session.scalars(select(ClosedReturn.not_submitted)))


def test_the_pages_of_a_closed_month(app: Flask, session: Session) -> None:
    rangpur = next(each for each in directory(session).districts if each.name_en == "Rangpur")
    build.case(session, filed_at=build.dhaka(2026, 1, 7), district_id=rangpur.id)
    session.commit()
    returns.prepare_month(JANUARY, MONTH_ENDS)
    cell, home = sign_in(app, "cabinet"), "/reports/returns/2026-01"
    before = cell.get(f"{home}/country/all?lang=en").text
    assert "Month closed" not in before
    assert closing.close_month(JANUARY, CLOSES)
    country = cell.get(f"{home}/country/all?lang=en").text
    assert "Month closed" in country and "Not submitted by then" in country
    silent = country.partition("Districts from which no complaint came")[2]
    assert f"{home}/district/{rangpur.code}" not in silent and silent.count(f"{home}/district/") == 63
    said = "No complaint came from this district"
    assert said not in cell.get(f"{home}/district/{rangpur.code}?lang=en").text
    other = next(each for each in directory(session).districts if each != rangpur)
    assert said in cell.get(f"{home}/district/{other.code}?lang=en").text
    dhaka = next(each for each in directory(session).districts if each.name_en == "Dhaka")
    post = build.post_id(session, directory(session).district_office(dhaka.id).id, "head")
    build.posting(session, post, build.officer_id(session, "desk.dhaka"))
    session.commit()
    seen = sign_in(app, "desk.dhaka").get(f"{home}/district/{dhaka.code}?lang=en").text
    assert said in seen and "Sensitive cases are not counted here" in seen and f"{home}/office/" not in seen
    assert "without this return" in cell.get(f"{home}/office/food?lang=en").text
    assert "Month closed" in cell.get("/reports/returns?month=2026-01&lang=en").text
