"""The monthly return over a month's end in Dhaka: counted from the histories, submitted once, and never changed."""

import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from grm.cases import appeals, closing, service
from grm.cases.models import Case
from grm.kernel.actor import complainant
from grm.kernel.clock import dhaka_date
from grm.kernel.errors import IllegalAction, NotFound
from grm.notifications.models import Message
from grm.offices.queries import directory
from grm.returns import counting, queries, units
from grm.returns import service as returns
from grm.returns.models import MonthlyReturn, ReturnReminder, ReturnSubmission
from grm.returns.sheets import COLUMNS, SIDES, Sheets
from grm.returns.units import ALL_SHADES, Unit
from grm.tallies import stays
from grm.tallies.periods import Period, month_of
from tests.integration.test_closing import sign_in, token_of
from tests.support import build

TEXT = "এটি পরীক্ষার জন্য লেখা একটি পূর্ণ বাক্য, যাতে যথেষ্ট শব্দ আছে।"
JANUARY, FEBRUARY = month_of(date(2026, 1, 1)), month_of(date(2026, 2, 1))
MIDNIGHT = build.dhaka(2026, 2, 1, 0)
LAST_SECOND = MIDNIGHT - timedelta(seconds=1)
MONTH_ENDS = build.dhaka(2026, 2, 1, 0, 5)
WELFARE, FOOD = "social-welfare", "food"


def keep(session: Session) -> None:
    """Bring what is kept up to date, as the tick does."""
    stays.rewrite(session, list(session.scalars(select(Case.id))))
    session.execute(text("DELETE FROM tally_due"))
    session.commit()


def unit(session: Session, ministry: str) -> Unit:
    return units.office_unit(directory(session).office(build.office_id(session, ministry)))


def counted(session: Session, of: Unit, month: Period = JANUARY, today: date = date(2026, 2, 1)) -> Sheets:
    found = counting.sheets(session, counting.live(session, of, month, today), ALL_SHADES)
    for side in SIDES:
        assert found[side].balances, found[side]
    return found


def numbers(sheets: Sheets, side: str = "complaint") -> dict[str, int]:
    return {name: count for name, count in sheets[side].counts.items() if count}


@pytest.fixture
def january(session: Session) -> Iterator[dict[str, Case]]:
    """What a month's end can bring, at one office."""
    made = {
        "last": build.case(session, filed_at=LAST_SECOND),
        "first": build.case(session, filed_at=MIDNIGHT),
        "carried": build.case(session, filed_at=build.dhaka(2025, 12, 10), channel="call_centre"),
        "referred": build.case(session, filed_at=build.dhaka(2026, 1, 5), channel="paper"),
        "silence": build.case(session, filed_at=build.dhaka(2025, 11, 3)),
        "answered": build.case(session, filed_at=build.dhaka(2026, 1, 4), channel="suo_motu"),
    }
    build.case(
        session, filed_at=build.dhaka(2026, 1, 6), parent_id=made["last"].id, submission_id=None, secret_mac=None
    )
    session.commit()
    gro, food = build.actor(session, f"gro.{WELFARE}"), build.office_id(session, FOOD)
    number = {name: case.tracking_number for name, case in made.items()}
    reply = {"outcome": "answered", "reply": TEXT, "root_cause": TEXT, "prevention": TEXT, "contact": "wrote"}
    session.rollback()
    service.resolve_case(gro, number["answered"], None, **reply, now=build.dhaka(2026, 1, 25))
    service.resolve_case(gro, number["carried"], None, **reply, now=LAST_SECOND)
    service.refer_case(gro, number["referred"], None, food, TEXT, now=LAST_SECOND)
    appeals.appeal_case(complainant(number["silence"]), number["silence"], TEXT, now=LAST_SECOND)
    closing.send_back_case(
        build.actor(session, f"appeal.{WELFARE}"), number["answered"], None, TEXT, now=build.dhaka(2026, 2, 2)
    )
    keep(session)
    yield made


def test_the_month_balances_and_each_number_opens_its_list(session: Session, january: dict[str, Case]) -> None:
    welfare, food = unit(session, WELFARE), unit(session, FOOD)
    here = counted(session, welfare)
    assert numbers(here) == {
        "carried": 2, "web": 1, "conventional": 1, "suo_motu": 1, "received": 3, "total": 5,
        "disposed": 2, "in_time": 1, "late": 1, "sent": 2, "pending": 1,
    }  # fmt: skip
    assert numbers(here, "appeal") == {"web": 1, "received": 1, "total": 1, "pending": 1}
    assert (here["complaint"].median_days, here["complaint"].rate) == ((21 + 52) / 2, 40.0)
    assert numbers(counted(session, food)) == {"from_offices": 1, "received": 1, "total": 1, "pending": 1}
    later = counted(session, welfare, FEBRUARY, date(2026, 3, 1))
    assert numbers(later) == {
        "carried": 1, "web": 1, "reopened": 1, "received": 2, "total": 3, "pending": 3,
    }, "sent back in February, after it had been disposed of in January"  # fmt: skip
    programme = Unit("programme", "old-age-allowance", directory(session).programme("old-age-allowance"))
    assert numbers(counted(session, programme)) == {
        "carried": 2, "web": 1, "conventional": 1, "suo_motu": 1, "received": 3, "total": 5,
        "disposed": 2, "in_time": 1, "late": 1, "sent": 1, "pending": 2,
    }, "what went from one office to another neither came nor went; what became an appeal did go"  # fmt: skip
    both = Unit("ministry", "two", welfare.entry, welfare.office_ids | food.office_ids)
    assert numbers(counted(session, both))["sent"] == 1
    for of in (welfare, food, programme, units.COUNTRY):
        relation = counting.live(session, of, JANUARY, date(2026, 2, 1))
        for side, sheet in counting.sheets(session, relation, ALL_SHADES).items():
            for column in COLUMNS:
                rows = counting.entries(session, relation, ALL_SHADES, (), side, column, limit=None)
                assert len(rows) == sheet[column], (of.code, side, column)


def test_what_is_not_kept_yet_is_counted_all_the_same(session: Session, january: dict[str, Case]) -> None:
    before = numbers(counted(session, unit(session, WELFARE)))
    late = build.case(session, filed_at=build.dhaka(2026, 1, 20))
    session.execute(text("INSERT INTO tally_due VALUES (:id), (:id)"), {"id": late.id})
    session.commit()
    assert numbers(counted(session, unit(session, WELFARE)))["web"] == before["web"] + 1


def test_what_is_submitted_is_counted_whatever_waits(
    session: Session, january: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is frozen stays: it is neither counted behind a fold that does not follow nor before the stays are there."""
    returns.prepare_month(JANUARY, MONTH_ENDS)
    gro, code = build.actor(session, f"gro.{WELFARE}"), unit(session, WELFARE).code
    build.case(session, filed_at=build.dhaka(2026, 1, 20))
    session.execute(text("INSERT INTO tally_rebuild VALUES (1, 'test')"))
    session.commit()
    with pytest.raises(IllegalAction, match="figures-not-made"):
        returns.submit(gro, JANUARY, code, now=MONTH_ENDS)
    session.execute(text("DELETE FROM tally_rebuild"))
    session.commit()
    monkeypatch.setattr(counting.live, "__defaults__", (None, 0))
    assert counted(session, unit(session, WELFARE))["complaint"]["total"] == 5, "a page does without"
    session.rollback()
    returns.submit(gro, JANUARY, code, now=MONTH_ENDS)
    kept = session.scalars(select(ReturnSubmission)).one()
    assert kept.figures["whole"]["complaint"]["counts"]["total"] == 6


def test_submitted_once_and_corrected_beside_it(app: Flask, session: Session, january: dict[str, Case]) -> None:
    gro = build.actor(session, f"gro.{WELFARE}")
    welfare = unit(session, WELFARE)
    with pytest.raises(IllegalAction, match="not-prepared"):
        returns.submit(gro, JANUARY, welfare.code, now=MONTH_ENDS)
    returns.prepare_month(JANUARY, MONTH_ENDS)
    with pytest.raises(NotFound):
        returns.submit(build.actor(session, f"gro.{FOOD}"), JANUARY, welfare.code, now=MONTH_ENDS)
    results: list[returns.Submitted] = []

    def run() -> None:
        with app.app_context():
            results.append(returns.submit(gro, JANUARY, welfare.code, now=MONTH_ENDS))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.is_new for each in results) == [False, False, False, True]
    session.rollback()
    kept = session.scalars(select(ReturnSubmission)).one()
    assert (
        kept.hash == returns.digest(kept.figures, kept.counted)
        and kept.figures["whole"]["complaint"]["counts"]["total"] == 5
    )
    for statement in (
        "UPDATE return_submission SET counted = ''",
        "DELETE FROM return_submission",
        "TRUNCATE return_submission",
    ):
        with pytest.raises(IntegrityError, match="append-only"):
            session.execute(text(statement))
        session.rollback()

    paper = build.case(
        session, filed_at=build.dhaka(2026, 2, 10), received_on=date(2026, 1, 20), channel="paper"
    )  # a letter that lay somewhere
    session.commit()
    keep(session)
    seen = units.Sight(ALL_SHADES, None, has_lists=True)
    page = queries.page(session, gro, welfare, seen, JANUARY, date(2026, 2, 11))
    assert page.sheets["complaint"]["total"] == 5 and page.is_frozen
    assert page.corrections["complaint"] == {"conventional": 1, "received": 1, "total": 1, "pending": 1}
    assert [(row.case_id, row.is_new, row.came, row.went) for row in page.changes] == [
        (paper.id, True, "conventional", "pending")
    ]
    frozen = counting.frozen(kept.return_id)
    for side in SIDES:
        for column in COLUMNS:
            rows = counting.entries(session, frozen, ALL_SHADES, (), side, column, limit=None)
            assert len(rows) == page.sheets[side][column], (side, column)


def test_an_office_s_month_is_read_from_indexes_alone(session: Session, january: dict[str, Case]) -> None:
    session.execute(text("SET LOCAL enable_seqscan = off"))
    session.execute(text("SET LOCAL enable_bitmapscan = off"))
    found = counting.plan(session, counting.live(session, unit(session, WELFARE), JANUARY, date(2026, 2, 1)))
    scans = [line.strip(" ->") for line in found.splitlines() if " on stay " in line]
    assert len(scans) == 4 and all(line.startswith("Index Only Scan using ix__stay__") for line in scans), found


def told(session: Session, template: str) -> list[tuple[str, int | None]]:
    session.rollback()
    rows = select(Message.key, Message.officer_id).where(Message.template == template).order_by(Message.id)
    return [(key, officer_id) for key, officer_id in session.execute(rows)]


def test_prepared_once_and_called_for_step_by_step(
    session: Session, january: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert returns.prepare_due(LAST_SECOND) > 0, "December's"
    december = session.scalar(select(func.count()).select_from(MonthlyReturn))
    whole, calls = returns._prepare, iter(range(100))

    def dies(*arguments: object) -> bool:
        if next(calls) == 3:  # December's are there and are not asked for again
            raise MemoryError
        return whole(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(returns, "_prepare", dies)
    with pytest.raises(MemoryError):
        returns.prepare_due(MIDNIGHT)
    monkeypatch.undo()
    assert returns.prepare_due(MIDNIGHT) == (december or 0) - 3, "it goes on where it was killed"
    assert returns.prepare_due(MONTH_ENDS) == 0
    letters = told(session, "return-prepared-officer")
    assert len(letters) == len(set(letters)) == 2 * (december or 0)

    session.execute(text("DELETE FROM monthly_return WHERE month < '2026-01-01'"))
    session.commit()
    welfare = unit(session, WELFARE)
    due = session.scalars(select(MonthlyReturn).where(MonthlyReturn.office_id == welfare.id)).one()
    assert due.due_on == date(2026, 2, 8), "the fifth working day of February"
    assert returns.call_for_late(due.due_at - timedelta(seconds=1)) == 0
    food = build.office_id(session, FOOD)
    for office in directory(session).offices:  # all but two hand it in
        if office.id not in (welfare.id, food) and office.kind in ("ministry", "cell"):
            session.execute(
                text("UPDATE monthly_return SET next_level = NULL, next_rung_at = NULL WHERE office_id = :id"),
                {"id": office.id},
            )
    session.commit()
    days: list[datetime] = [due.due_at]
    while days[-1] is not None:
        assert returns.call_for_late(days[-1] - timedelta(seconds=1)) == 0
        assert (returns.call_for_late(days[-1]), returns.call_for_late(days[-1])) == (2, 0)
        session.rollback()
        days.append(session.scalar(select(MonthlyReturn.next_rung_at).where(MonthlyReturn.id == due.id)))
    assert [dhaka_date(day) for day in days[:-1]] == [date(2026, 2, 9), date(2026, 2, 16), date(2026, 2, 18)]
    late_on = days[-2]
    assert [
        (each.level, each.role, each.officer_id)
        for each in session.scalars(
            select(ReturnReminder).where(ReturnReminder.return_id == due.id).order_by(ReturnReminder.level)
        )
    ] == [
        (0, "gro", build.officer_id(session, f"gro.{WELFARE}")),
        (1, "head", None),
        (2, "cell_officer", build.officer_id(session, "cabinet")),
    ], "nobody is head: a gap, and it goes on"
    assert sorted(officer or 0 for _, officer in told(session, "return-late-officer")) == sorted(
        build.officer_id(session, name) for name in (f"gro.{WELFARE}", f"gro.{FOOD}", "cabinet")
    ), "the cell hears once of a month"
    assert [line.office_id for line in queries.late(session, late_on, None)].count(welfare.id) == 1


def test_a_list_of_any_length_becomes_a_file(
    session: Session, january: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = build.actor(session, "cabinet")
    assert queries.open_to(session, cell, range(1, 70_001)) >= {each.id for each in january.values()}
    monkeypatch.setattr(counting, "BATCH", 2)
    of = (session, counting.live(session, unit(session, WELFARE), JANUARY, date(2026, 2, 1)), ALL_SHADES, ())
    batches = [[row.case_id for row in rows] for rows in counting.in_batches(*of, "complaint", "total")]
    whole = [row.case_id for row in counting.entries(*of, "complaint", "total")]
    assert len(batches) > 1 and [each for rows in batches for each in rows] == whole


def test_what_is_asked_for_late_is_not_late_at_once(session: Session) -> None:
    late = build.dhaka(2026, 4, 7, 10)
    assert returns.prepare_month(JANUARY, late) > 0
    dates = set(session.scalars(select(MonthlyReturn.due_on)))
    session.rollback()
    assert dates == {date(2026, 4, 15)}, "the fifth working day from when it could be handed in; the 14th is a holiday"
    assert returns.call_for_late(late + timedelta(minutes=5)) == 0


def test_the_pages(app: Flask, session: Session, january: dict[str, Case]) -> None:
    hidden = build.case(session, filed_at=build.dhaka(2026, 1, 7), desk="appeal")
    build.case(session, filed_at=build.dhaka(2026, 1, 8), accused_officers=[build.officer_id(session, "cabinet")])
    session.commit()
    keep(session)
    returns.prepare_month(JANUARY, MONTH_ENDS)
    code = unit(session, WELFARE).code
    home = f"/reports/returns/2026-01/office/{code}"
    gro, cell, other = (sign_in(app, name) for name in (f"gro.{WELFARE}", "cabinet", f"gro.{FOOD}"))
    own = other.get("/reports/returns?lang=en").text
    assert code not in own.replace(f"{code}@", "") or home not in own
    page = gro.get(home + "?lang=en").text
    token = {"csrf_token": token_of(other.get("/reports/returns/2026-01/office/food").text)}
    assert other.get(home).status_code == other.post(home + "/submit", data=token).status_code == 404
    assert "<form" in page and 'type="number"' not in page and "<textarea" not in page
    sees = {
        name: client.get(f"{home}/cases?side=complaint&column=received").text
        for name, client in (("gro", gro), ("cell", cell))
    }
    assert hidden.tracking_number not in sees["gro"].replace("-", "") and "Received in all" in sees["gro"]
    listing = gro.get("/reports/returns?month=2026-01&lang=en").text
    assert home in listing and "Late" in listing
    posted = gro.post(home + "/submit", data={"csrf_token": token_of(page)})
    assert posted.status_code == 303
    again = gro.get(home).text
    assert "These figures do not change any more" in again and f'action="{home}/submit"' not in again
    assert gro.post(home + "/submit", data={"csrf_token": token_of(page)}).status_code == 303, "the same once more"
    for path in ("country/all", "ministry/social-welfare", "programme/old-age-allowance", "district/26"):
        assert cell.get(f"/reports/returns/2026-01/{path}").status_code in (200, 404)
    assert gro.get("/reports/returns/2026-01/country/all").status_code == 404
    assert cell.get(f"{home}/cases?side=complaint&column=nonsense").status_code == 404
    query = f"month=2026-01&kind=office&code={code}"
    file = gro.get(f"/reports/exports/return.csv?{query}&lang=en")
    assert file.status_code == 200 and '"Sent to other offices","2","0"' in file.text
    sent = gro.get(f"/reports/exports/return-cases.csv?{query}&side=complaint&column=sent&lang=en").text
    assert sent.count("Lies elsewhere now") == 1 and january["referred"].tracking_number in sent
    assert other.get(f"/reports/exports/return.csv?{query}").status_code == 404
    # What became a sensitive matter after it was counted is still counted, and its matter is nobody's to read.
    became = january["last"]
    category = next(each for each in directory(session).categories if each.is_sensitive)
    columns = {"is_sensitive": True, "desk": "appeal", "category_id": category.id, "id": became.id}
    session.execute(
        text("UPDATE cases SET is_sensitive = :is_sensitive, desk = :desk, category_id = :category_id WHERE id = :id"),
        columns,
    )
    session.commit()
    for path in (f"{home}/cases?side=complaint&column=total&lang=en", f"/reports/exports/return-cases.csv?{query}"
                 "&side=complaint&column=total&lang=en"):  # fmt: skip
        seen = gro.get(path).text
        assert category.name_en not in seen and became.tracking_number not in seen.replace("-", ""), path
        assert category.name_en in cell.get(path).text, path
