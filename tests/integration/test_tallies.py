"""The tallies are what the cases are: not folded yet, folded, rebuilt, while others act, and after a fold was killed."""

import itertools
import os
import random
import signal
import threading
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event, select, text, update
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases import history
from grm.cases.models import Case
from grm.cases.tracking_models import Rating
from grm.cli import register
from grm.deadlines.models import Extension
from grm.kernel import clock
from grm.kernel.actor import SYSTEM
from grm.kernel.db import db
from grm.kernel.transaction import transaction
from grm.offices.queries import directory
from grm.offices.signed_in import actor_of
from grm.returns import counting
from grm.tallies import reading, rebuilding, standing
from grm.tallies.figures import DIMENSIONS, SHADES, TOTAL, View, can_read, total
from grm.tallies.folding import LOCK, count_again, fold, fold_all
from grm.tallies.reading import read, series
from tests.support import build
from tests.support.reporting import sign_in
from tests.support.straight import straight

SINCE, UNTIL = date(2025, 12, 1), date(2026, 5, 1)
OFFICES = ("social-welfare", "food", "cell")


def tables(session: Session) -> list[Any]:
    """The tallies to the last number, without rows that have come to nothing."""
    found = []
    for table in ("tally", "tally_now", "case_count"):
        for row in session.execute(text(f"SELECT * FROM {table}")).mappings():
            histograms = {name: value for name, value in row.items() if isinstance(value, list)}
            if (
                table == "case_count"
                or any(histograms.values())
                or any(
                    value
                    for name, value in row.items()
                    if name not in ("spine", "dimension", "shade", "month", "spine_id", "value")
                )
            ):
                found.append((table, *row.values()))
    session.rollback()
    return sorted(found, key=repr)


def some_cases(session: Session, count: int, rng: random.Random) -> list[int]:
    """Cases of several offices, months, people and programmes, in every state."""
    return [_case(session, rng, number) for number in range(count)]


def _case(session: Session, rng: random.Random, number: int) -> int:
    book = directory(session)
    cities = [place.id for place in book.places if place.kind in ("city_corporation", "upazila")]
    filed_at = build.dhaka(2025, 12, 1) + timedelta(days=rng.randrange(140), hours=rng.randrange(20))
    columns: dict[str, Any] = {
        "desk": rng.choice(("gro", "gro", "appeal")),
        "programme": rng.choice(("old-age-allowance", "vwb", None)),
        "district_id": rng.choice((book.districts[0].id, book.districts[1].id, None)),
        "upazila_id": rng.choice((None, cities[0], cities[-1])),
        "channel": rng.choice(("web", "call_centre", "paper")),
        "accused_officers": (build.officer_id(session, "cabinet"),) if number % 7 == 0 else (),
        "is_sensitive": rng.random() < 0.2,
        "level": rng.randrange(4),
    }
    made = build.case(session, build.office_id(session, rng.choice(OFFICES)), filed_at=filed_at, **columns)
    return int(made.id)


CHANGES = (
    "level = (level + 1) % 4",
    "is_not_informed = NOT is_not_informed",
    "is_sensitive = NOT is_sensitive",
    "office_id = {office}, desk = CASE desk WHEN 'gro' THEN 'appeal' ELSE 'gro' END",
    "due_on = due_on + 3, due_at = due_at + interval '3 days'",
    "received_on = received_on - 9",
    "status = 'resolved', outcome = 'answered', ended_at = filed_at + interval '{days} days'",
    "status = 'withdrawn', ended_at = filed_at + interval '{days} days'",
)


def change(session: Session, rng: random.Random, ids: list[int]) -> None:
    """Change some cases as acts do, several by one statement; what has ended is not ended again."""
    what = rng.choice(CHANGES).format(office=build.office_id(session, rng.choice(OFFICES)), days=rng.randrange(80))
    only_open = "AND is_open" if what.startswith("status") else ""
    chosen = rng.sample(ids, rng.randrange(1, 6))
    session.execute(text(f"UPDATE cases SET {what} WHERE id = ANY(:ids) {only_open}"), {"ids": chosen})


def appeals_and_ratings(session: Session, rng: random.Random, ids: list[int]) -> None:
    """Histories with objections and the answers to them; ratings; a case with a part; an extension."""
    for case_id in rng.sample(ids, 12):
        case = session.get_one(Case, case_id)
        at = case.filed_at + timedelta(days=rng.randrange(5, 40))
        kinds = rng.choice(
            (("appealed",), ("contested", "resolved"), ("appealed", "declined", "appealed", "recommended"))
        )
        for step, kind in enumerate(kinds):
            outcome = {"outcome": rng.choice(("proved", "unfounded", "service_given"))}
            history.append(session, case, kind, SYSTEM, at + timedelta(days=9 * step), outcome)
        session.add(
            Rating(
                case_id=case_id,
                stage=rng.choice(("complaint", "complaint", "appeal")),
                decision_seq=2,
                stars=rng.randrange(1, 6),
                rated_at=at,
                office_id=case.office_id,
                desk=case.desk,
            )
        )
    whole, extended = session.get_one(Case, ids[0]), build.deadline(session, ids[1])
    session.add(
        Extension(
            deadline_id=extended.id,
            working_days=10,
            state="approved",
            requested_by_id=build.officer_id(session, "cabinet"),
            requested_at=whole.filed_at,
            decided_by_id=build.officer_id(session, "gro.food"),
            decided_at=whole.filed_at,
        )
    )
    part = {"parent_id": whole.id, "submission_id": None, "secret_mac": None, "level": 2}
    session.execute(text("SELECT 1"))
    made = build.case(session, whole.office_id)
    session.execute(update(Case).where(Case.id == made.id).values(**part))
    in_time = "status = 'resolved', outcome = 'answered', ended_at = filed_at + interval '10 days'"
    session.execute(text(f"UPDATE cases SET {in_time} WHERE id = :id"), {"id": ids[1]})
    session.execute(text("UPDATE cases SET version = version + 1 WHERE id = ANY(:ids)"), {"ids": ids})


def views(session: Session) -> list[View]:
    """Every pair of dimensions that is counted, for all shades; and some kept to values, for fewer."""
    plain = {"since": SINCE, "until": UNTIL}
    book = directory(session)
    pairs = [(by, only) for by in (None, *DIMENSIONS) for only in (None, "office", "district") if can_read(by, only)]
    ids = {"office": build.office_id(session), "district": book.districts[0].id}
    found = [View(**plain, by=by, only=only and (only, (str(ids[only]), "none")), by_day=True) for by, only in pairs]
    cabinet = session.scalars(select(Officer).where(Officer.username == "cabinet")).one()
    actor = actor_of(session, cabinet, date(2026, 11, 22))
    offices = frozenset({build.office_id(session), build.office_id(session, "food")})
    return [
        *found,
        View(**plain, by="programme", shades=SHADES[:1], spine="office", spine_ids=offices),
        View(**plain, by="office", shades=frozenset({0, 1}), spine="district", spine_ids={ids["district"]}),
        View(**plain, by="sex", only=("sex", ("female", "unknown")), excluding=actor),
        View(date(2026, 1, 1), date(2026, 2, 1), by="district", excluding=actor),
    ]


def as_they_are(session: Session) -> None:
    """Every view answers what the cases are, counted one by one."""
    accusing = set(session.scalars(text("SELECT case_id FROM accused")))
    for view in views(session):
        expected = straight(session, view, accusing if view.excluding else ())
        assert read(session, view) == expected, view
        if view.by is not None:
            assert total(line for key, line in expected.items() if key != TOTAL) == expected[TOTAL]
    session.rollback()


def test_figures_are_what_the_cases_are_at_every_moment(session: Session, app: Flask) -> None:
    rng = random.Random(24)
    ids = some_cases(session, 60, rng)
    appeals_and_ratings(session, rng, ids)
    session.commit()
    as_they_are(session)  # nothing folded
    assert fold() == 61
    as_they_are(session)
    for _ in range(4):
        for _ in range(12):
            change(session, rng, ids)
            session.commit()
        as_they_are(session)  # some of it folded
        fold(batches=1)
    assert session.scalar(text("SELECT count(*) FROM tally_due")) == 0
    as_they_are(session)
    result = register(app).test_cli_runner().invoke(args=["tallies", "verify"])
    assert result.exit_code == 0, result.output
    line = read(session, View(SINCE, UNTIL))[TOTAL]
    assert all(
        (line.received, line.in_time, line.late, line.withdrawn, line.appealed, line.not_informed, line.satisfied)
    )
    assert all((line.appeals_upheld, line.appeals_rejected, line.parts, line.extended))


def test_a_rebuild_makes_the_same_while_acts_go_on(session: Session, app: Flask) -> None:
    rng = random.Random(7)
    ids = some_cases(session, 29, rng)
    vanished = session.scalar(text("SELECT nextval(pg_get_serial_sequence('cases', 'id'))"))
    appeals_and_ratings(session, rng, [*ids, *some_cases(session, 1, rng)])
    session.commit()
    fold_all()
    before, stays = tables(session), session.execute(text("SELECT * FROM stay ORDER BY case_id, no")).all()
    for case_id in (vanished, vanished + 7000):  # there were such cases once
        like = (
            "INSERT INTO stay SELECT (jsonb_populate_record(s, :other)).* FROM stay AS s WHERE case_id = :id AND no = 1"
        )
        session.execute(text(like), {"id": ids[0], "other": f'{{"case_id": {case_id}}}'})
    for broken in (
        "UPDATE tally SET received = 7",
        "DELETE FROM case_count WHERE case_id % 3 = 0",
        "UPDATE tally_now SET due_at = ARRAY[1], due_n = ARRAY[9]",
    ):
        session.execute(text(broken))
    session.commit()
    assert register(app).test_cli_runner().invoke(args=["tallies", "verify"]).exit_code == 1
    result = register(app).test_cli_runner().invoke(args=["tallies", "rebuild"])
    assert result.exit_code == 0, result.output
    assert tables(session) == before
    assert session.execute(text("SELECT * FROM stay ORDER BY case_id, no")).all() == stays
    for table in ("case_count", "tally", "tally_now"):
        session.execute(text(f"DELETE FROM {table}"))
    session.commit()
    rebuilding.rebuild()  # the first time there is nothing to compare with
    assert tables(session) == before
    assert register(app).test_cli_runner().invoke(args=["tallies", "verify"]).exit_code == 0
    for more, exit_code in (
        (0, 0),
        (1, 1),
    ):  # a fold may keep a place of a histogram in pieces, but not one piece too much
        pieces = "days_at = days_at || days_at, days_n = days_n || array_fill(CAST(:more AS integer), ARRAY[cardinality(days_n)])"
        session.execute(text(f"UPDATE tally SET {pieces} WHERE days_n <> '{{}}'"), {"more": more})
        session.commit()
        assert register(app).test_cli_runner().invoke(args=["tallies", "verify"]).exit_code == exit_code


def killed_while_folding(app: Flask, at_statement: int) -> None:
    """A process of its own begins to fold and is killed before the given statement of its transaction."""
    child = os.fork()
    if not child:  # pragma: no cover - ends without coverage's report
        with app.app_context():
            db.engine.dispose(close=False)
            seen = itertools.count(1)
            event.listen(
                db.engine,
                "before_cursor_execute",
                lambda *_: next(seen) == at_statement and os.kill(os.getpid(), signal.SIGKILL),
            )
            fold()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "it was not killed"


def test_killed_folds_and_folds_at_once_count_nothing_twice(session: Session, app: Flask) -> None:
    rng = random.Random(3)
    ids = some_cases(session, 25, rng)
    session.commit()
    session.close()
    for statement in (2, 3, 4, 5):  # the lock, the list, the counts, the stays
        killed_while_folding(app, statement)
    as_they_are(session)
    stop = threading.Event()

    def keep_folding() -> None:
        with app.app_context():
            while not stop.is_set():
                fold()

    folding = [threading.Thread(target=keep_folding) for _ in range(2)]
    for thread in folding:
        thread.start()
    try:
        for number in range(36):
            change(session, rng, ids)
            session.commit()
            if number % 12 == 0:
                view = View(SINCE, UNTIL, by=rng.choice(DIMENSIONS))
                connection = session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
                assert connection is not None
                assert read(session, view) == straight(session, view)  # both of one instant, whatever is being folded
                session.rollback()
    finally:
        stop.set()
        for thread in folding:
            thread.join()
    fold_all()
    as_they_are(session)
    assert list(rebuilding.verify()) == []


def test_a_second_fold_leaves_alone_what_the_first_has_not_committed(session: Session, app: Flask) -> None:
    ids = some_cases(session, 5, random.Random(8))
    session.commit()

    def fold_too() -> None:
        with app.app_context():
            fold()

    second = threading.Thread(target=fold_too)
    with transaction() as act:
        assert act.session.scalar(text(f"SELECT pg_try_advisory_xact_lock({LOCK})"))
        count_again(act.session, ids)
        second.start()
        second.join(1)  # it would stand here until the first has committed, and then count the same once more
    second.join()
    fold_all()
    as_they_are(session)


def test_a_transaction_that_takes_long_is_counted_when_it_is_over(session: Session, app: Flask) -> None:
    rng = random.Random(5)
    ids = some_cases(session, 6, rng)
    session.commit()
    address = db.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    with psycopg.connect(address) as slow:
        slow.execute("UPDATE cases SET level = (level + 1) % 4, received_on = received_on - 40")
        fold_all()
        as_they_are(session)
        slow.commit()
    as_they_are(session)
    assert fold_all() == len(ids)
    as_they_are(session)


def test_what_takes_long_does_not_stop_folds(session: Session) -> None:
    """A page's five seconds would stop a fold on a busy machine at the same batch for ever."""
    some_cases(session, 3, random.Random(9))
    session.commit()
    limits: dict[str, set[str]] = {"INTO case_count": set(), "INTO stay": set()}

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        for what, seen in limits.items():
            if what in statement:
                seen.add(connection.exec_driver_sql("SHOW statement_timeout").scalar())

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        fold()
        assert limits == {"INTO case_count": {"20s"}, "INTO stay": {"20s"}}
        rebuilding.rebuild()
        assert limits == {"INTO case_count": {"20s", "0"}, "INTO stay": {"20s", "0"}}
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def test_a_rebuild_killed_before_the_stays_is_wanted_still(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    some_cases(session, 2, random.Random(11))
    session.execute(text("INSERT INTO tally_rebuild VALUES (1, 'test')"))
    session.commit()

    def dies(*_: object) -> None:
        raise MemoryError

    fold_all()
    monkeypatch.setattr(rebuilding.stays, "rewrite", dies)
    with pytest.raises(MemoryError):
        rebuilding.rebuild()
    assert rebuilding.is_wanted(session), "returns would be read from half of the stays"
    session.rollback()
    monkeypatch.undo()
    rebuilding.rebuild()
    assert not rebuilding.is_wanted(session)


def test_months_come_one_by_one(session: Session) -> None:
    some_cases(session, 20, random.Random(9))
    session.commit()
    fold_all()
    whole = read(session, View(SINCE, UNTIL, by="office"))
    by_month = series(session, View(SINCE, UNTIL, by="office"))
    assert by_month.keys() == whole.keys()
    for key, months in by_month.items():
        assert sum(line.received for line in months.values()) == whole[key].received
        for month, line in months.items():
            alone = read(session, View(month, (month + timedelta(days=31)).replace(day=1), by="office"))[key]
            assert line == replace(alone, running={}, paused={}, parts={}, not_informed=0)


@pytest.mark.parametrize(
    "asked",
    [
        {"since": date(2026, 1, 2)},
        {"shades": {1, 2}},
        {"by": "programme", "only": ("category", ("1",))},
        {"by": "programme", "only": ("office", ("1",)), "spine": "district", "spine_ids": {1}},
        {"by": "cluster"},
    ],
)
def test_what_no_table_can_answer_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"months|shades|together|dimension"):
        View(**({"since": SINCE, "until": UNTIL} | asked))


def test_a_fold_that_does_not_follow_is_told(session: Session) -> None:
    now = clock.now(session)
    session.rollback()
    fold()
    assert standing.tallies_health(session, now + timedelta(hours=1)).warnings == ()
    session.execute(text("INSERT INTO tally_due VALUES (1)"))
    assert standing.tallies_health(session, now + timedelta(minutes=4)).warnings == ()
    assert "slow to read" in standing.tallies_health(session, now + timedelta(minutes=6)).warnings[0]
    lag, waiting = standing.gauges(session, now + timedelta(minutes=6))
    assert lag.value > 359 and waiting.value == 1
    session.execute(text("INSERT INTO tally_rebuild VALUES (1, 'test')"))
    assert "rebuild" in standing.tallies_health(session, now).warnings[0]
    session.rollback()


def test_figures_that_are_too_far_behind_say_so(session: Session, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that was dead for hours leaves more than a page can count: it shows the last fold, and from when that is."""
    ids = some_cases(session, 4, random.Random(13))
    session.commit()
    fold_all()
    view, cabinet = View(SINCE, UNTIL), sign_in(app.test_client(), "cabinet")
    told = read(session, view)
    session.execute(text("UPDATE cases SET received_on = received_on + 1 WHERE id = ANY(:ids)"), {"ids": ids[:3]})
    session.execute(text("UPDATE cases SET status = 'withdrawn', ended_at = filed_at WHERE id = :id"), {"id": ids[3]})
    session.commit()
    monkeypatch.setattr(reading, "MOST_DUE", 4)
    as_they_are(session)
    assert standing.behind(session) is None
    assert "এখনও গণনা হয়নি" not in cabinet.get("/reports").text
    monkeypatch.setattr(reading, "MOST_DUE", 3)
    monkeypatch.setattr(counting.live, "__defaults__", (None, 3))
    assert read(session, view) == told != read(session, view, exactly=True) == straight(session, view)
    session.rollback()
    folded_at = session.scalar(text("SELECT at FROM heartbeat WHERE name = 'tallies'"))
    assert standing.behind(session) == standing.Behind(folded_at, 4)
    month = date.today().strftime("%Y-%m")
    for page in (
        "/reports",
        "/reports/escalations",
        "/reports/cases?measure=open",
        f"/reports/returns/{month}/office/food",
    ):
        answer = cabinet.get(page)
        assert answer.status_code == 200 and "অভিযোগের ৪টি পরিবর্তন এখনও গণনা হয়নি" in answer.text, page
    assert "4 changes" in standing.tallies_health(session, clock.now(session)).warnings[0]
    session.rollback()
    fold_all()
    as_they_are(session)
    assert "এখনও গণনা হয়নি" not in cabinet.get("/reports").text
