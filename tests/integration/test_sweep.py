"""The sweep: every missed deadline climbs the ladder, rung by rung, exactly once, and to whoever sits there that day.

The case of `build.case` is filed on 4 January 2026 and due on 18 February (the calendar knows Shab-e-Barat and the two
election days). Warned from 15 February, level 1 on 19 February, level 2 on 26 February, level 3 on 5 March, each at 00:00.
"""

import contextvars
import json
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from grm.cases import service as cases
from grm.cases.history import record_of
from grm.cases.models import Case, CaseEvent
from grm.cli import register
from grm.deadlines import service as deadlines
from grm.escalation.models import Escalation, SweepRun
from grm.escalation.queries import oldest_due, sweep_health
from grm.escalation.sweep import SweepResult, sweep
from grm.escalation.tasks import sweep_deadlines
from grm.kernel import chain, clock
from grm.kernel.actor import complainant
from grm.kernel.db import db
from grm.web.models import Heartbeat
from tests.support import build

FILED = build.dhaka(2026, 1, 4)
UNACKNOWLEDGED = build.dhaka(2026, 1, 8, 0)
WARNING = build.dhaka(2026, 2, 15, 0)
LEVEL_1 = build.dhaka(2026, 2, 19, 0)
LEVEL_2 = build.dhaka(2026, 2, 26, 0)
LEVEL_3 = build.dhaka(2026, 3, 5, 0)
RUNGS = (WARNING, LEVEL_1, LEVEL_2, LEVEL_3)
MOMENT = timedelta(microseconds=1)


def rungs_of(session: Session, case_id: int, kind: str = "resolve") -> list[Escalation]:
    clock_id = build.deadline(session, case_id, kind).id
    statement = select(Escalation).where(Escalation.deadline_id == clock_id).order_by(Escalation.id)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def levels(session: Session, case_id: int, kind: str = "resolve") -> list[int]:
    return [rung.level for rung in rungs_of(session, case_id, kind)]


def fresh(session: Session, row: Case) -> Case:
    session.rollback()
    session.refresh(row)
    return row


def committed(session: Session, **values: Any) -> Case:
    row = build.case(session, **values)
    session.commit()
    return row


def acknowledged(session: Session, **values: Any) -> Case:
    """A case whose first clock is out of the way."""
    row = build.case(session, **values)
    deadlines.meet(session, row.id, "acknowledge", row.filed_at)
    session.commit()
    return row


def table_sizes(session: Session) -> list[Any]:
    tables = ("escalation", "case_event", "message", "case_text", "sweep_run")
    return [session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables]


def counts(result: SweepResult) -> tuple[int, dict[int, int], int]:
    return result.warned, result.escalated, result.vacant


def test_a_case_climbs_rung_by_rung_and_never_early(session: Session) -> None:
    row = acknowledged(session)
    for level, at in enumerate(RUNGS):
        sweep(at - MOMENT)
        assert levels(session, row.id) == list(range(level))
        sweep(at)
        assert levels(session, row.id) == list(range(level + 1))
        assert fresh(session, row).level == level
        assert rungs_of(session, row.id)[-1].due_at == at
    assert build.deadline(session, row.id).next_level is None


def test_a_rung_goes_to_its_post(session: Session) -> None:
    row = acknowledged(session)
    sweep(LEVEL_3)
    told = [(rung.role, rung.officer_id, rung.office_id, rung.is_vacant) for rung in rungs_of(session, row.id)]
    ministry, cell = build.office_id(session), build.office_id(session, "cell")
    officers = [build.officer_id(session, f"{name}.social-welfare") for name in ("gro", "appeal")]
    assert told == [
        ("gro", officers[0], ministry, False),  # nobody has claimed it: the reminder goes to the desk
        ("gro", officers[0], ministry, False),
        ("appeal_officer", officers[1], ministry, False),
        ("cell_officer", build.officer_id(session, "cabinet"), cell, False),
    ]


def test_a_second_sweep_over_the_same_instant_does_nothing(session: Session) -> None:
    row = committed(session)
    first = sweep(LEVEL_2)
    assert counts(first) == (2, {1: 1, 2: 1, 3: 0}, 0)
    before = table_sizes(session)
    second = sweep(LEVEL_2)
    assert counts(second) == (0, {1: 0, 2: 0, 3: 0}, 0)
    assert table_sizes(session) == before
    assert levels(session, row.id) == [0, 1, 2]


def test_after_an_outage_everything_climbs_in_order_and_with_its_own_instant(session: Session) -> None:
    row = committed(session)
    sweep(build.dhaka(2026, 9, 1))
    assert [(rung.level, rung.due_at) for rung in rungs_of(session, row.id)] == list(enumerate(RUNGS))
    events = session.scalars(select(CaseEvent).where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq)).all()
    assert [each.kind for each in events] == ["filed", "warned", "warned", *["escalated"] * 3]
    assert [each.data["level"] for each in events[3:]] == [1, 2, 3]


def test_the_history_stays_a_chain(session: Session) -> None:
    row = committed(session)
    sweep(LEVEL_1)
    sweep(LEVEL_3)
    events = session.scalars(select(CaseEvent).where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq)).all()
    rows = [
        chain.ChainRow(
            record_of(row.tracking_number, e.seq, e.kind, e.at, e.actor_kind, e.actor_id, e.data),
            e.previous_hash,
            e.hash,
        )
        for e in events
    ]
    fresh(session, row)
    assert chain.first_bad(rows, head=row.history_head) is None
    assert row.history_length == len(events) == 6


def test_a_missed_clock_is_marked_so_at_its_own_instant(session: Session) -> None:
    row = committed(session)
    sweep(WARNING)
    assert build.deadline(session, row.id).state == "running"
    missed = build.deadline(session, row.id, "acknowledge")
    assert (missed.state, missed.breached_at, missed.next_level) == ("breached", UNACKNOWLEDGED, None)
    assert fresh(session, row).level == 0  # an unread case is a reminder, not a level
    sweep(LEVEL_2)
    missed = build.deadline(session, row.id)
    assert (missed.state, missed.breached_at) == ("breached", LEVEL_1)


def test_an_unclaimed_case_escalates_like_a_claimed_one(session: Session) -> None:
    clerk = build.officer_id(session, "officer.social-welfare")
    unclaimed, claimed = acknowledged(session), acknowledged(session, assignee=clerk)
    sweep(LEVEL_3)
    gro = build.officer_id(session, "gro.social-welfare")
    assert levels(session, unclaimed.id) == levels(session, claimed.id) == [0, 1, 2, 3]
    reminders = [rungs_of(session, row.id)[0].officer_id for row in (unclaimed, claimed)]
    assert reminders == [gro, clerk]


def test_a_reminder_to_an_officer_who_has_left_goes_to_the_desk(session: Session) -> None:
    gone = build.officer(session)
    row = acknowledged(session, assignee=gone.id)
    sweep(WARNING)
    assert rungs_of(session, row.id)[0].officer_id == build.officer_id(session, "gro.social-welfare")


def test_nobody_is_told_of_his_own_delay_as_his_superior(session: Session) -> None:
    gro = build.officer_id(session, "gro.social-welfare")
    row = acknowledged(session, assignee=gro)
    sweep(LEVEL_1)
    reminder, first = rungs_of(session, row.id)
    assert (reminder.officer_id, reminder.role) == (gro, "gro")
    assert (first.officer_id, first.role) == (build.officer_id(session, "appeal.social-welfare"), "appeal_officer")


def test_a_vacant_rung_is_passed_at_once_and_stays_visible_as_a_gap(session: Session) -> None:
    row = build.case(session)
    post = build.vacate(session, build.office_id(session), "gro", date(2026, 2, 1))
    session.commit()
    result = sweep(LEVEL_1)
    reminder, first, second = rungs_of(session, row.id)
    appeal = build.officer_id(session, "appeal.social-welfare")
    assert (first.is_vacant, first.officer_id, first.post_id, first.role) == (True, None, post, "gro")
    assert (second.level, second.due_at, second.officer_id) == (2, LEVEL_1, appeal)
    assert fresh(session, row).level == 2
    # The reminder before found the chair empty as well: who sits above was told, and nothing came early for it.
    assert (reminder.is_vacant, reminder.post_id, reminder.officer_id) == (True, post, appeal)
    assert result.vacant == 3  # the reminder of the other clock is the third
    waiting = build.deadline(session, row.id)
    assert (waiting.next_level, waiting.next_rung_at) == (3, LEVEL_3)


def test_an_empty_chair_brings_nothing_forward_before_the_deadline(session: Session) -> None:
    row = build.case(session)
    build.vacate(session, build.office_id(session), "gro")
    session.commit()
    sweep(LEVEL_1 - MOMENT)
    assert levels(session, row.id) == [0]
    assert build.deadline(session, row.id).state == "running"


def test_a_whole_ministry_without_officers_reaches_the_cell_at_once(session: Session) -> None:
    row = acknowledged(session)
    for role in ("gro", "appeal_officer"):
        build.vacate(session, build.office_id(session), role)
    session.commit()
    sweep(LEVEL_1)
    _, first, second, third = rungs_of(session, row.id)
    assert [rung.is_vacant for rung in (first, second, third)] == [True, True, False]
    assert {rung.due_at for rung in (first, second, third)} == {LEVEL_1}
    assert (third.role, third.officer_id) == ("cell_officer", build.officer_id(session, "cabinet"))


def test_the_alternate_acts_in_absence(session: Session) -> None:
    row = acknowledged(session)
    post = build.vacate(session, build.office_id(session), "gro", date(2026, 2, 10))
    deputy = build.officer(session)
    build.posting(session, post, deputy.id, is_alternate=True)
    session.commit()
    sweep(LEVEL_1)
    first = rungs_of(session, row.id)[1]
    assert (first.officer_id, first.is_alternate, first.is_vacant) == (deputy.id, True, False)


def test_who_is_posted_on_the_day_counts_not_who_was_when_it_was_filed(session: Session) -> None:
    row = acknowledged(session)
    post = build.vacate(session, build.office_id(session), "gro", date(2026, 2, 17))
    successor = build.officer(session)
    build.posting(session, post, successor.id, starts_on=date(2026, 2, 17))
    session.commit()
    sweep(WARNING)
    sweep(LEVEL_1)
    former = build.officer_id(session, "gro.social-welfare")
    assert [rung.officer_id for rung in rungs_of(session, row.id)] == [former, successor.id]


def test_a_deactivated_officer_holds_nothing(session: Session) -> None:
    row = acknowledged(session)
    session.execute(text("UPDATE officer SET is_active = false WHERE username = 'gro.social-welfare'"))
    session.commit()
    sweep(LEVEL_1)
    assert [rung.is_vacant for rung in rungs_of(session, row.id)] == [True, True, False]


@pytest.mark.parametrize("accused", ["gro.social-welfare", "appeal.social-welfare"])
def test_the_accused_is_never_told(session: Session, accused: str) -> None:
    officer = build.officer_id(session, accused)
    desk = "appeal" if accused.startswith("gro") else "cell"
    office = build.office_id(session) if desk == "appeal" else build.office_id(session, "cell")
    row = acknowledged(session, office=office, desk=desk, accused_officers=[officer], assignee=officer)
    sweep(LEVEL_3)
    told = [rung.officer_id for rung in rungs_of(session, row.id)]
    assert officer not in told and None not in told
    assert told[-1] == build.officer_id(session, "cabinet")


def test_nobody_of_an_accused_office_is_told(session: Session) -> None:
    ministry = build.office_id(session)
    row = acknowledged(session, accused_office=ministry)  # still at its desk: even then nobody there is told
    sweep(LEVEL_1)
    assert {rung.officer_id for rung in rungs_of(session, row.id)} == {build.officer_id(session, "cabinet")}


def test_a_case_at_the_appeal_desk_never_goes_below_it(session: Session) -> None:
    row = acknowledged(session, desk="appeal", category="staff-conduct")
    sweep(LEVEL_3)
    appeal, cell = build.officer_id(session, "appeal.social-welfare"), build.officer_id(session, "cabinet")
    assert [rung.officer_id for rung in rungs_of(session, row.id)] == [appeal, appeal, appeal, cell]


def test_a_case_at_the_cell_reminds_the_cell_at_every_rung(session: Session) -> None:
    row = acknowledged(session, office=build.office_id(session, "cell"), desk="cell")
    sweep(LEVEL_3)
    told = rungs_of(session, row.id)
    assert [rung.level for rung in told] == [0, 1, 2, 3]
    assert {(rung.officer_id, rung.role) for rung in told} == {(build.officer_id(session, "cabinet"), "cell_officer")}


def test_ended_and_paused_clocks_do_not_climb(session: Session) -> None:
    gro = build.actor(session, "gro.social-welfare")
    paused, withdrawn = committed(session), committed(session)
    early = build.dhaka(2026, 1, 5)
    cases.ask_complainant(gro, paused.tracking_number, 1, "কোন মাস থেকে?", now=early)
    cases.withdraw_case(complainant(withdrawn.tracking_number), withdrawn.tracking_number, "ফেরত নিলাম", now=early)
    result = sweep(LEVEL_3)
    assert counts(result) == (0, {1: 0, 2: 0, 3: 0}, 0)


def test_ten_sweeps_at_once_climb_each_case_once(app: Flask, session: Session) -> None:
    for _ in range(60):
        build.case(session)
    session.commit()
    results: list[SweepResult] = []
    barrier = threading.Barrier(10)

    def one_sweep() -> None:
        with app.app_context():
            db.session()
            barrier.wait(30)
            results.append(sweep(LEVEL_3, batch_size=7))

    threads = [threading.Thread(target=one_sweep) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert len(results) == 10
    # Each passes over what another holds; what the last two left to one another is the next pass's.
    results.append(sweep(LEVEL_3, batch_size=7))
    assert sum(result.warned for result in results) == 120
    assert [sum(result.escalated[level] for result in results) for level in (1, 2, 3)] == [60, 60, 60]
    assert sum(result.warned > 0 for result in results) > 1, "only one of them found anything to do"
    assert session.execute(text("SELECT count(*) FROM escalation")).scalar_one() == 300
    twice = "SELECT count(*) FROM (SELECT 1 FROM escalation GROUP BY deadline_id, level HAVING count(*) > 1) AS twice"
    assert session.execute(text(twice)).scalar_one() == 0
    assert session.execute(text("SELECT count(*) FROM case_event WHERE kind = 'escalated'")).scalar_one() == 180
    # By digest 2 reminders by e-mail, 2 levels by e-mail and SMS; the top of the ladder and the complainant at once.
    # Two officers have a digest on each channel.
    assert session.execute(text("SELECT count(*) FROM digest_item")).scalar_one() == 60 * (2 + 4)
    assert session.execute(text("SELECT count(*) FROM message")).scalar_one() == 60 * (2 + 1) + 2 * 2


def test_a_batch_takes_a_constant_number_of_statements(app: Flask, session: Session) -> None:
    seen: list[str] = []

    def count_statement(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    def statements_for(cases_: int) -> int:
        for number in range(cases_):
            build.case(session, office=build.office_id(session, ("social-welfare", "food", "land")[number % 3]))
        session.commit()
        sweep(UNACKNOWLEDGED - timedelta(days=300))  # warms the caches
        seen.clear()
        event.listen(db.engine, "before_cursor_execute", count_statement)
        result = sweep(LEVEL_3)
        event.remove(db.engine, "before_cursor_execute", count_statement)
        assert (result.escalated[3], result.batches) == (cases_, 1)
        return len(seen)

    few, many = statements_for(3), statements_for(120)
    assert few == many <= 20


def test_a_row_that_cannot_climb_blocks_nobody(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    rows = [acknowledged(session) for _ in range(5)]
    poison = rows[2]
    session.execute(
        text(
            "CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF NEW.case_id = {poison.id} THEN RAISE EXCEPTION 'poison'; END IF; RETURN NEW; END $$"
        )
    )
    session.execute(
        text("CREATE TRIGGER refuse_one BEFORE INSERT ON escalation FOR EACH ROW EXECUTE FUNCTION refuse_one()")
    )
    session.commit()
    try:
        result = sweep(LEVEL_1, batch_size=2)
        assert (result.failed, result.warned, result.escalated[1]) == (1, 4, 4)
        assert [levels(session, row.id) for row in rows] == [[0, 1], [0, 1], [], [0, 1], [0, 1]]
        assert build.deadline(session, poison.id).next_level == 0, "half a climb was written"
    finally:
        session.rollback()
        session.execute(text("DROP TRIGGER refuse_one ON escalation"))
        session.execute(text("DROP FUNCTION refuse_one()"))
        session.commit()
    assert sweep(LEVEL_1).escalated[1] == 1
    assert levels(session, poison.id) == [0, 1]


def test_a_rung_written_by_another_hand_is_not_told_again(session: Session) -> None:
    row = acknowledged(session)
    clock_id = build.deadline(session, row.id).id
    session.add(
        Escalation(
            case_id=row.id,
            deadline_id=clock_id,
            epoch=1,
            level=1,
            due_at=LEVEL_1,
            escalated_at=LEVEL_1,
            role="gro",
            office_id=row.office_id,
            officer_id=build.officer_id(session, "gro.social-welfare"),
        )
    )
    session.commit()
    result = sweep(LEVEL_1)
    assert counts(result) == (1, {1: 0, 2: 0, 3: 0}, 0)
    kinds = session.scalars(select(CaseEvent.kind).where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq)).all()
    assert kinds == ["filed", "warned"]
    assert build.deadline(session, row.id).next_level == 2


def test_a_locked_case_is_left_to_the_next_sweep(app: Flask, session: Session) -> None:
    row, other = acknowledged(session), acknowledged(session)
    with app.app_context():
        holding = db.engine.connect()
        holding.execute(text("SELECT 1 FROM cases WHERE id = :id FOR UPDATE"), {"id": row.id})
        try:
            sweep(LEVEL_1)
            assert (levels(session, row.id), levels(session, other.id)) == ([], [0, 1])
        finally:
            holding.rollback()
            holding.close()
    session.rollback()
    sweep(LEVEL_1)
    assert levels(session, row.id) == [0, 1]


def test_looking_ahead_sends_messages_now_and_counts_as_no_sign_of_life(session: Session) -> None:
    now = clock.now(session)
    committed(session, filed_at=now)
    sweep(now + timedelta(days=365))
    waiting = session.execute(text("SELECT count(*), max(next_attempt_at) FROM message")).one()
    assert waiting[0] > 0 and waiting[1] <= clock.now(session)
    assert session.get(Heartbeat, "sweep") is None


def test_the_present_is_the_databases_and_leaves_a_sign_of_life(session: Session) -> None:
    late, early = committed(session), committed(session, filed_at=clock.now(session))
    sweep_deadlines()
    assert levels(session, late.id) == [0, 1, 2, 3]
    assert levels(session, early.id) == []
    session.rollback()
    beat = session.get_one(Heartbeat, "sweep")
    assert beat.detail["escalated"] == {"1": 1, "2": 1, "3": 1}
    run = session.scalars(select(SweepRun)).one()
    assert (run.counts["warned"], run.finished_at is not None) == (2, True)
    sweep_deadlines()
    session.rollback()
    assert len(session.scalars(select(SweepRun)).all()) == 1, "a pass without work needs no row"


def test_health_is_red_while_the_sweep_is_late_or_leaves_something_behind(session: Session) -> None:
    check = sweep_health(5)
    now = clock.now(session)
    assert not check(session, now).is_well, "it has never run"
    sweep()
    session.rollback()
    now = clock.now(session)
    assert check(session, now).is_well
    assert not check(session, now + timedelta(seconds=60)).is_well, "its last run is a minute old"
    committed(session)
    assert oldest_due(session) == UNACKNOWLEDGED
    found = check(session, now)
    assert not found.is_well and found.detail["oldest_due_seconds"] > 86_400, "a rung is due and nobody climbs"


def test_the_complainant_hears_once_that_it_is_late(session: Session) -> None:
    row = acknowledged(session)
    sweep(LEVEL_3)
    keys = session.scalars(text("SELECT key FROM message WHERE template = 'case-late-complainant'")).all()
    assert len(keys) == 1 and f":{row.id}:" in keys[0]


def test_the_command_prints_what_was_done(app: Flask, session: Session, make_app: Callable[..., Flask]) -> None:
    committed(session)
    runner = register(app).test_cli_runner()
    result = runner.invoke(args=["deadlines", "sweep", "--as-of", "২০২৬-০২-১৯"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found.pop("duration_seconds") >= 0
    assert found == {
        "as_of": LEVEL_1.isoformat(),
        "warned": 2,
        "escalated": {"1": 1, "2": 0, "3": 0},
        "vacant": 0,
        "failed": 0,
    }
    later = runner.invoke(args=["deadlines", "sweep", "--as-of", "2026-02-26T00:00"])
    assert json.loads(later.output)["escalated"]["2"] == 1
    assert "a date like" in runner.invoke(args=["deadlines", "sweep", "--as-of", "tomorrow"]).output
    production = register(make_app(grm_env="production")).test_cli_runner()
    # Outside the context of the test's own application, as in another shell.
    refused = contextvars.Context().run(production.invoke, args=["deadlines", "sweep", "--as-of", "2027-01-01"])
    assert refused.exit_code == 1 and "for development" in refused.output
    assert session.execute(text("SELECT count(*) FROM escalation WHERE level = 3")).scalar_one() == 0


def test_instants_are_dhakas(session: Session) -> None:
    assert datetime(2026, 2, 18, 18, tzinfo=UTC) == LEVEL_1
