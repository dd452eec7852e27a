"""A holiday announced late: every clock moves, what nobody was told of is withdrawn, what was told is never un-sent.

All cases here are filed so long ago that by the database's own clock they are due when the test wants it.
"""

import contextvars
import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from grm.cases.history import record_of
from grm.cases.models import Case, CaseEvent
from grm.deadlines import queries
from grm.deadlines import service as deadlines
from grm.deadlines.announcements import announce
from grm.deadlines.calendar import Day, dhaka_date
from grm.deadlines.explain import explain
from grm.deadlines.models import CalendarEdition, Deadline
from grm.escalation import redating
from grm.escalation.models import Escalation, Redating
from grm.escalation.redating import redate_open
from grm.escalation.sweep import sweep
from grm.escalation.tasks import redate_clocks
from grm.kernel import audit, chain, clock
from grm.kernel.actor import SYSTEM
from grm.kernel.db import db
from grm.notifications import digests
from grm.notifications.models import Attempt, DigestItem, Message
from grm.notifications.withdrawal import REASON
from tests.support import build

EID = Day("holiday", "ঈদ", "Eid", "Gazette")
LIMIT = 30


def today(session: Session) -> date:
    return dhaka_date(clock.now(session))


def worked(session: Session, on: date, count: int) -> date:
    return queries.calendar(session).add_working_days(on, count)


def due_on(session: Session, days_from_today: int, **columns: Any) -> Case:
    """A case whose decision is due so many working days from today (negative: was due)."""
    wanted = worked(session, today(session), days_from_today)
    started = worked(session, wanted, -LIMIT)
    filed_at = build.dhaka(started.year, started.month, started.day)
    row = build.case(session, filed_at=filed_at, **columns)
    deadlines.meet(session, row.id, "acknowledge", filed_at)
    assert build.deadline(session, row.id).due_on == wanted
    session.commit()
    return row


def holidays_before_today(session: Session, count: int) -> dict[date, Day | None]:
    """The last working days before today become holidays: dates about now move by as many."""
    return {worked(session, today(session), -n): EID for n in range(1, count + 1)}


def announced(session: Session, days: dict[date, Day | None], is_old: bool = False) -> int:
    change = announce(session, days, "Gazette", SYSTEM, clock.now(session))
    session.commit()
    assert change.version is not None
    if is_old:  # long enough ago that no process can plan by the old calendar any more
        created_at = clock.now(session) - timedelta(minutes=1)
        session.execute(
            update(CalendarEdition).where(CalendarEdition.id == change.version).values(created_at=created_at)
        )
        session.commit()
    return change.version


def as_sent(session: Session, state: str, *levels: int) -> None:
    """As if senders had handed over the messages of some levels (without any: of all), and nothing else."""
    statement = """
        UPDATE message SET state = :state, ended_at = CASE WHEN :state IN ('delivered', 'held', 'failed') THEN now() END
        WHERE cardinality(CAST(:levels AS int[])) = 0 OR (split_part(key, ':', 5) = ANY(CAST(:levels AS text[])))
           OR (key LIKE 'case-late%' AND '1' = ANY(CAST(:levels AS text[])))
           OR id IN (SELECT message_id FROM digest_item AS i JOIN escalation AS e ON e.id = i.escalation_id
                     WHERE e.level = ANY(CAST(:levels AS int[])))
    """
    session.execute(text(statement), {"state": state, "levels": list(levels)})
    others = "DELETE FROM digest_item USING escalation AS e WHERE e.id = escalation_id AND NOT e.level = ANY(:levels)"
    if levels:
        session.execute(text(others), {"levels": list(levels)})
    session.execute(text("UPDATE digest_item SET written_at = now()"))
    session.commit()


def escalations(session: Session, case_id: int) -> list[tuple[int, int, bool]]:
    """(epoch, level, is withdrawn) in the order made."""
    session.rollback()
    rows = session.scalars(select(Escalation).where(Escalation.case_id == case_id).order_by(Escalation.id))
    return [(row.epoch, row.level, row.withdrawn_at is not None) for row in rows]


def states(session: Session) -> set[str]:
    """The states of all messages: those of the case and the digests it stands in."""
    session.rollback()
    return set(session.scalars(select(Message.state)))


def kinds(session: Session, case_id: int) -> list[str]:
    session.rollback()
    return list(session.scalars(select(CaseEvent.kind).where(CaseEvent.case_id == case_id).order_by(CaseEvent.seq)))


def assert_whole(session: Session, row: Case) -> None:
    """The history is a chain, the case row repeats its clock, and the explanation comes to the stored date."""
    session.rollback()
    session.refresh(row)
    events = session.scalars(select(CaseEvent).where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq)).all()
    rows = [
        chain.ChainRow(
            record_of(row.tracking_number, e.seq, e.kind, e.at, e.actor_kind, e.actor_id, e.data),
            e.previous_hash,
            e.hash,
        )
        for e in events
    ]
    assert chain.first_bad(rows, head=row.history_head) is None
    assert row.history_length == len(events)
    found = build.deadline(session, row.id)
    assert (row.due_on, row.due_at) == (found.due_on, found.due_at)
    assert explain(session, found).is_consistent


# --- what nobody was told of ----------------------------------------------------------------------------------------


def test_an_escalation_nobody_was_told_of_is_withdrawn_and_comes_again_at_its_time(session: Session) -> None:
    row = due_on(session, -1)
    sweep()
    assert escalations(session, row.id) == [(1, 0, False), (1, 1, False)]
    assert states(session) == {"pending"}
    before = build.deadline(session, row.id).due_on
    announced(session, holidays_before_today(session, 4))
    result = redate_open()
    after = build.deadline(session, row.id)
    assert after.due_on == worked(session, today(session), 3) > before
    assert (result.later, result.withdrawn_escalations) == (1, 1)
    assert escalations(session, row.id) == [(1, 0, False), (1, 1, True)]
    assert (after.state, after.breached_at, after.epoch, after.next_level) == ("running", None, 2, 1)
    assert after.next_rung_at == after.due_at
    session.refresh(row)
    assert row.level == 0
    assert kinds(session, row.id) == ["filed", "warned", "escalated", "redated", "escalation_withdrawn"]
    assert_whole(session, row)
    assert sweep().is_empty
    sweep(after.due_at)
    assert escalations(session, row.id)[2:] == [(2, 1, False)]
    session.refresh(row)
    assert (row.level, build.deadline(session, row.id).state) == (1, "breached")
    assert_whole(session, row)


def test_its_messages_are_withdrawn_and_those_of_the_next_time_are_new(session: Session) -> None:
    row = due_on(session, -1)
    sweep()
    first = set(session.scalars(select(Message.id)))
    announced(session, holidays_before_today(session, 8))  # the warning was too early too
    result = redate_open()
    assert states(session) == {"withdrawn"}
    assert set(session.scalars(select(Message.error))) == {REASON}
    assert result.withdrawn_messages == len(first)
    assert escalations(session, row.id) == [(1, 0, True), (1, 1, True)]
    assert kinds(session, row.id)[-2:] == ["escalation_withdrawn", "warning_withdrawn"]
    sweep(build.deadline(session, row.id).due_at)
    again = session.scalars(select(Message).where(Message.id.not_in(first))).all()
    assert len(again) == len(first) and {each.state for each in again} == {"pending"}
    assert_whole(session, row)


# --- what was told stands -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["sending", "unknown", "accepted", "delivered", "held"])
def test_what_was_told_or_may_have_been_stands_and_the_date_moves_all_the_same(session: Session, state: str) -> None:
    row = due_on(session, -1)
    sweep()
    as_sent(session, state)
    announced(session, holidays_before_today(session, 4))
    result = redate_open()
    after = build.deadline(session, row.id)
    assert (result.later, result.withdrawn_escalations, result.withdrawn_messages) == (1, 0, 0)
    assert escalations(session, row.id) == [(1, 0, False), (1, 1, False)]
    assert states(session) == {state}
    assert (after.state, after.epoch, after.next_level) == ("running", 1, 2)
    session.refresh(row)
    assert row.level == 1 and row.due_on == after.due_on
    assert_whole(session, row)
    # Missed after all: level 1 is not climbed a second time, but the clock is missed at its instant.
    sweep(after.due_at - timedelta(microseconds=1))
    assert build.deadline(session, row.id).state == "running"
    session.rollback()
    sweep(after.due_at)
    missed = build.deadline(session, row.id)
    assert (missed.state, missed.breached_at, missed.next_level) == ("breached", missed.due_at, 2)
    assert escalations(session, row.id) == [(1, 0, False), (1, 1, False)]


def test_one_message_sent_is_enough_and_the_others_are_taken_back(session: Session) -> None:
    row = due_on(session, -1)
    sweep()
    told = update(Message).where(Message.template == "case-late-complainant")  # the complainant heard that it is late
    session.execute(told.values(state="accepted"))
    session.commit()
    announced(session, holidays_before_today(session, 4))
    redate_open()
    found = dict(session.execute(select(Message.template, Message.state).where(Message.case_id == row.id)).all())
    assert found["case-late-complainant"] == "accepted"
    assert escalations(session, row.id)[1] == (1, 1, False)


def test_a_message_that_went_out_and_failed_later_counts_as_told(session: Session) -> None:
    due_on(session, -1)
    sweep()
    now = clock.now(session)
    ids = session.scalars(select(Message.id)).all()
    session.add_all(
        Attempt(message_id=each, number=1, started_at=now, finished_at=now, outcome="accepted") for each in ids
    )
    as_sent(session, "failed")
    announced(session, holidays_before_today(session, 4))
    assert redate_open().withdrawn_escalations == 0


def test_a_message_that_never_went_out_does_not_hold_the_escalation(session: Session) -> None:
    due_on(session, -1)
    sweep()
    values = {"state": "failed", "error": "address-missing", "ended_at": clock.now(session)}
    session.execute(update(Message).values(**values))
    session.commit()
    announced(session, holidays_before_today(session, 4))
    assert redate_open().withdrawn_escalations == 1
    assert states(session) == {"failed"}


def test_nothing_is_withdrawn_from_under_a_level_that_stands(session: Session) -> None:
    row = due_on(session, -6)
    sweep()
    assert [level for _, level, _ in escalations(session, row.id)] == [0, 1, 2]
    as_sent(session, "accepted", 2)
    announced(session, holidays_before_today(session, 12))
    redate_open()
    assert not any(is_withdrawn for _, _, is_withdrawn in escalations(session, row.id))
    session.refresh(row)
    assert row.level == 2


def test_a_higher_level_falls_back_to_the_one_that_stands(session: Session) -> None:
    row = due_on(session, -6)
    sweep()
    assert [level for _, level, _ in escalations(session, row.id)] == [0, 1, 2]
    as_sent(session, "accepted", 0, 1)
    announced(session, holidays_before_today(session, 2))
    redate_open()
    after = build.deadline(session, row.id)
    assert after.state == "breached" and after.breached_at == after.due_at, "it is missed all the same, two days later"
    assert escalations(session, row.id) == [(1, 0, False), (1, 1, False), (1, 2, True)]
    session.refresh(row)
    assert (row.level, after.epoch, after.next_level) == (1, 2, 2)
    assert after.next_rung_at is not None and after.next_rung_at > clock.now(session)
    assert_whole(session, row)


# --- missed all the same, and the other way round ---------------------------------------------------------------------


def test_a_clock_missed_all_the_same_moves_too(session: Session) -> None:
    row = due_on(session, -8)
    sweep()
    before = build.deadline(session, row.id)
    due_before, rung_before = before.due_on, before.next_rung_at
    announced(session, {worked(session, due_before, -3): EID})
    redate_open()
    after = build.deadline(session, row.id)
    assert after.due_on == worked(session, due_before, 1)
    assert (after.state, after.breached_at) == ("breached", after.due_at)
    assert rung_before is not None and after.next_rung_at is not None and after.next_rung_at > rung_before
    assert kinds(session, row.id)[-1] == "redated"
    assert_whole(session, row)


def test_nobody_becomes_late_by_an_announcement(session: Session) -> None:
    """An ordered Saturday in the past would bring the date before today: clock and date stay as they were."""
    row = due_on(session, 0)
    before = build.deadline(session, row.id)
    date_before, version_before = before.due_on, before.calendar_version
    saturday = next(
        on for n in range(1, 40) if (on := today(session) - timedelta(days=n)).weekday() == 5
        and not queries.calendar(session).is_working_day(on)
    )  # fmt: skip
    announced(session, {saturday: Day("working", "কর্মদিবস", "Working Saturday", "Order")})
    result = redate_open()
    after = build.deadline(session, row.id)
    assert (result.kept, result.earlier) == (1, 0)
    assert (after.due_on, after.calendar_version, after.state) == (date_before, version_before, "running")
    assert "redated" not in kinds(session, row.id)
    assert_whole(session, row)
    sweep(after.due_at - timedelta(microseconds=1))
    assert all(level == 0 for _, level, _ in escalations(session, row.id))


def test_a_date_ahead_comes_forward_and_a_holiday_taken_back_brings_it_back(session: Session) -> None:
    row = due_on(session, 12)
    before = build.deadline(session, row.id).due_on
    holiday = worked(session, today(session), 5)
    announced(session, {holiday: EID})
    assert redate_open().later == 1
    assert build.deadline(session, row.id).due_on == worked(session, before, 1)
    announced(session, {holiday: None})
    assert redate_open().earlier == 1
    assert build.deadline(session, row.id).due_on == before
    moves = [e.data["days"] for e in session.scalars(select(CaseEvent).where(CaseEvent.kind == "redated")).all()]
    assert [[(day["on"], day["is_off"]) for day in days] for days in moves] == [
        [(holiday.isoformat(), True)],
        [(holiday.isoformat(), False)],
    ]
    assert_whole(session, row)


def test_an_extension_is_part_of_the_sum(session: Session) -> None:
    row = due_on(session, 2)
    found = build.deadline(session, row.id)
    before = found.due_on
    deadlines.extend(session, found, 10, clock.now(session))
    session.commit()
    announced(session, {worked(session, today(session), 1): EID})
    redate_open()
    assert build.deadline(session, row.id).due_on == worked(session, before, 11)


# --- the act --------------------------------------------------------------------------------------------------------


def test_an_announcement_is_one_recorded_act(session: Session) -> None:
    rows = [due_on(session, n) for n in (-1, 3)]
    sweep()
    version = announced(session, holidays_before_today(session, 4), is_old=True)
    result = redate_open()
    session.rollback()
    act = session.scalars(select(Redating)).one()
    assert (act.calendar_version, act.why, act.examined, act.later) == (version, "Gazette", 2, 2)
    assert act.withdrawn_escalations == result.withdrawn_escalations > 0
    assert act.finished_at is not None and not redating.is_pending(session)
    kept = session.scalars(select(audit.AuditEntry.kind).where(audit.AuditEntry.stream == "calendar")).all()
    assert kept[-2:] == ["redating-begun", "redating-finished"]
    lengths = [len(kinds(session, row.id)) for row in rows]
    again = redate_open()
    assert (again.examined, again.later) == (0, 0)
    assert [len(kinds(session, row.id)) for row in rows] == lengths


def test_a_fresh_announcement_is_gone_over_a_second_time(session: Session) -> None:
    """Another process may have planned by the old calendar while the first pass went over the table."""
    due_on(session, 3)
    version = announced(session, holidays_before_today(session, 1))
    assert redate_open().later == 1
    assert redating.is_pending(session)
    late = due_on(session, 2)
    session.execute(
        update(Deadline).where(Deadline.case_id == late.id).values(calendar_version=version - 1, is_provisional=True)
    )
    aged = CalendarEdition.created_at - timedelta(minutes=1)
    session.execute(update(CalendarEdition).where(CalendarEdition.id == version).values(created_at=aged))
    session.commit()
    assert redate_open().examined == 1
    assert not redating.is_pending(session)


def test_the_sweep_climbs_by_the_calendar_in_force_even_where_nobody_dated_anew(session: Session) -> None:
    """The command was killed after the announcement: the sweep dates a clock anew before it climbs."""
    row = due_on(session, -1)
    announced(session, holidays_before_today(session, 4))
    sweep()
    assert [level for _, level, _ in escalations(session, row.id)] == [0]
    after = build.deadline(session, row.id)
    assert (after.state, after.due_on) == ("running", worked(session, today(session), 3))
    assert "redated" in kinds(session, row.id)
    assert_whole(session, row)


def test_a_clock_that_cannot_be_dated_stops_nobody_and_is_tried_again(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [due_on(session, n) for n in (1, 2, 3)]
    broken = build.deadline(session, rows[1].id).id
    session.rollback()
    real = redating.reckoned

    def fails(clock_: Any, *rest: Any) -> Any:
        if clock_.id == broken:
            raise ZeroDivisionError
        return real(clock_, *rest)

    announced(session, holidays_before_today(session, 1), is_old=True)
    with monkeypatch.context() as patch:
        patch.setattr(redating, "reckoned", fails)
        result = redate_open()
    assert (result.later, result.failed) == (2, 1)
    assert redating.is_pending(session)
    session.rollback()
    again = redate_open()
    assert (again.later, again.failed) == (1, 0)
    assert not redating.is_pending(session)


# --- at once ----------------------------------------------------------------------------------------------------------


def in_threads(app: Flask, *works: Callable[[], Any]) -> list[BaseException]:
    """Run at the same time, each with a session of its own; what they raised."""
    failed: list[BaseException] = []
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> None:
        with app.app_context():
            try:
                barrier.wait(10)
                work()
            except BaseException as error:
                failed.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=contextvars.Context().run, args=(run, work)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return failed


def test_runs_and_sweeps_at_once_move_each_clock_once(app: Flask, session: Session) -> None:
    rows = [due_on(session, n % 7 - 3) for n in range(40)]
    sweep()
    announced(session, holidays_before_today(session, 4))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(redating, "BATCH_SIZE", 7)
        assert in_threads(app, redate_open, redate_open, sweep, sweep) == []
        redate_open()
    sweep()
    for row in rows:
        assert kinds(session, row.id).count("redated") == 1
        assert_whole(session, row)
    now = clock.now(session)
    standing = session.execute(
        select(func.count())
        .select_from(Escalation)
        .join(Deadline, Deadline.id == Escalation.deadline_id)
        .where(Escalation.withdrawn_at.is_(None), Escalation.level >= 1, Deadline.due_at > now)
    ).scalar_one()
    assert standing == 0, "nothing was sent, so no escalation of a date ahead stands"
    missed = select(func.count()).select_from(Deadline).where(Deadline.state == "breached", Deadline.kind == "resolve")
    assert session.execute(missed.where(Deadline.due_at > now)).scalar_one() == 0


@pytest.mark.parametrize("is_claimed", [True, False])
def test_a_row_that_a_sender_holds_is_waited_for(app: Flask, session: Session, is_claimed: bool) -> None:
    """It counts as sent if the claim is committed, and is taken back if the claim came to nothing."""
    row = due_on(session, -1)
    sweep()
    announced(session, holidays_before_today(session, 8))
    taken = threading.Event()

    def claims() -> None:
        held = db.session()
        held.execute(text("UPDATE message SET state = 'sending'"))
        taken.set()
        held.execute(text("SELECT pg_sleep(1)"))
        held.commit() if is_claimed else held.rollback()

    def moves() -> None:
        assert taken.wait(20)
        redate_open()

    assert in_threads(app, claims, moves) == []
    assert states(session) == ({"sending"} if is_claimed else {"withdrawn"})
    assert escalations(session, row.id) == [(1, 0, not is_claimed), (1, 1, not is_claimed)]
    assert build.deadline(session, row.id).state == "running"


def test_a_clock_told_up_to_the_top_and_not_missed_after_all_is_still_watched(session: Session) -> None:
    row = due_on(session, -12)
    sweep()
    assert build.deadline(session, row.id).next_level is None
    as_sent(session, "accepted")
    announced(session, holidays_before_today(session, 20))
    redate_open()
    after = build.deadline(session, row.id)
    assert (after.state, after.next_rung_at) == ("running", after.due_at)
    before = escalations(session, row.id)
    sweep(after.due_at + timedelta(days=60))
    assert build.deadline(session, row.id).state == "breached"
    assert escalations(session, row.id) == before, "nobody is told twice"


def test_the_tick_goes_on_where_a_killed_command_left_off(session: Session) -> None:
    row = due_on(session, 3)
    before = build.deadline(session, row.id).due_on
    announced(session, holidays_before_today(session, 1), is_old=True)
    redate_clocks()
    assert build.deadline(session, row.id).due_on > before
    assert not redating.is_pending(session)


def test_a_digest_tells_only_of_what_still_stands(session: Session) -> None:
    """One officer's digest holds a rung that is too early now and one that is not: it goes, without the first."""
    early, late = due_on(session, -1), due_on(session, -20)
    sweep()
    announced(session, holidays_before_today(session, 4))
    redate_open()
    open_digests = session.scalars(select(Message.id).where(Message.key.like("digest:%"), Message.state == "pending"))
    written = digests.write(session, open_digests.all(), clock.now(session))
    session.commit()
    told = {(line[0], line[2]) for content in written.values() if content for line in content["digest"]["cases"]}
    assert (late.tracking_number, 1) in told
    assert (early.tracking_number, 1) not in told
    assert (early.tracking_number, 0) in told, "the reminder was not too early"
    items = session.execute(
        select(Escalation.level, DigestItem.message_id)
        .join(DigestItem, DigestItem.escalation_id == Escalation.id)
        .where(Escalation.case_id == early.id)
    ).all()
    assert {level for level, _ in items} == {0}


def test_a_side_clock_moves_by_itself_and_leaves_the_case_row_alone(session: Session) -> None:
    row = due_on(session, 15)
    now = clock.now(session)
    side = deadlines.start(session, row.id, "investigate", deadlines.CaseFacts(), now - timedelta(days=2))
    session.commit()
    main_before = build.deadline(session, row.id).due_on
    holiday = worked(session, main_before, 2)
    assert main_before < holiday < side.due_on
    announced(session, {holiday: EID})
    assert dict(redate_open().by_kind) == {"investigate": 1}
    session.rollback()
    session.refresh(row)
    assert row.due_on == main_before == build.deadline(session, row.id).due_on
    assert build.deadline(session, row.id, "investigate").due_on > side.due_on
    assert_whole(session, row)
