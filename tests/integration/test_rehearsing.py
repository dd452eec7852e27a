"""A rehearsal finds what a real sweep under the proposed rules does, to the instant and the person, and writes nothing."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from grm.cases import service as cases
from grm.cases.models import Case
from grm.deadlines import service
from grm.deadlines.announcements import announce
from grm.deadlines.calendar import Day
from grm.deadlines.models import KINDS, Deadline, DeadlinePolicy
from grm.demo.play import play as play_demo
from grm.escalation import rehearsal_facts
from grm.escalation.models import Escalation
from grm.escalation.rehearsal_tally import Tally
from grm.escalation.rehearsing import (
    Finding,
    Proposal,
    Stage,
    play_batch,
    read_proposal,
    snapshot,
    window_of,
    year_before,
)
from grm.escalation.sweep import sweep
from grm.kernel import clock
from grm.kernel.actor import SYSTEM
from grm.kernel.db import db
from grm.offices import edition
from tests.support import build

AS_OF = build.dhaka(2026, 6, 1)
SINCE, UNTIL = date(2026, 1, 1), date(2026, 5, 31)
TWENTY = b"code,kind,limit,unit,valid_from,source\nresolve,resolve,20,working_days,2027-01-01,Circular 7\n"
DAY = b"day,kind,name_bn,name_en,source\n2026-02-16,holiday,x,Holiday,Order 9\n"


def rehearse(
    policies: bytes | None = TWENTY, calendar: bytes | None = None, size: int = 1000, until: date = UNTIL
) -> tuple[list[Finding], Tally]:
    tally = Tally()
    found: list[Finding] = []
    with snapshot() as session:
        proposal, *faults = read_proposal(session, policies, calendar)
        assert faults == [(), ()]
        window = window_of(session, SINCE, until)
        stage = Stage(session, proposal, window.horizon)
        after = 0
        while True:
            batch = play_batch(session, stage, window, after, tally, size)
            found += batch.findings
            if batch.is_last:
                return found, tally
            after = batch.last_id


def would(findings: list[Finding]) -> dict[tuple[int, str], list[tuple[Any, ...]]]:
    return {
        (each.case_id, each.kind): [
            (rung.level, rung.at, rung.role, rung.office_id, rung.post_id, rung.officer_id, rung.is_vacant)
            for rung in each.rungs
            if rung.at is not None
        ]
        for each in findings
    }


def really(session: Session) -> dict[tuple[int, str], list[tuple[Any, ...]]]:
    """What the sweep has written, in the same shape."""
    found: dict[tuple[int, str], list[tuple[Any, ...]]] = {}
    rows = session.execute(
        select(Escalation, Deadline.kind)
        .join(Deadline, Deadline.id == Escalation.deadline_id)
        .order_by(Escalation.case_id, Deadline.epoch, Escalation.level)
    )
    for row, kind in rows:
        told = (row.role, row.office_id, row.post_id, row.officer_id, row.is_vacant)
        found.setdefault((row.case_id, kind), []).append((row.level, row.due_at, *told))
    return found


def hashes(session: Session) -> dict[str, tuple[int, str]]:
    """Every table's row count and a hash over all its rows."""
    session.rollback()
    tables = session.scalars(
        text("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1")
    ).all()
    return {
        table: session.execute(
            text(
                f"SELECT count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') FROM {table} t"
            )
        ).one()
        for table in tables
    }


def sweep_through(until: datetime) -> None:
    """Sweep as the system does all the time: at each instant at which something is due."""
    while True:
        with db.engine.connect() as connection:
            at = connection.execute(
                text("SELECT min(next_rung_at) FROM deadline WHERE next_rung_at < :until"), {"until": until}
            ).scalar_one()
        if at is None:
            return
        sweep(at, now=at)


def under(session: Session, limit: int) -> None:
    """Bring the stored clocks of decisions to another limit, as if they had always had it."""
    policy_id = session.scalars(select(DeadlinePolicy.id).where(DeadlinePolicy.code == "resolve")).one()
    session.execute(update(DeadlinePolicy).where(DeadlinePolicy.id == policy_id).values(limit=limit))
    edition.bump(session)
    session.commit()


class Story:
    """Cases of all kinds, told again and again: once under the limit of 30 days, once under that of 20."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.here, self.there = build.office_id(session), build.office_id(session, "food")
        self.gro = build.officer_id(session, "gro.social-welfare")

    def tell(self) -> dict[str, int]:
        """Ten cases and what became of them until AS_OF; their ids by name."""
        session = self.session
        made = {
            "silent": build.case(session, self.here),
            "claimed": build.case(session, self.here, assignee=self.gro, status="in_progress"),
            "elsewhere": build.case(session, self.there, programme="oms", filed_at=build.dhaka(2026, 1, 8, 23)),
            "answered": build.case(session, self.here),
            "answered_early": build.case(session, self.here),
            "asked": build.case(session, self.here),
            "sensitive": build.case(session, self.here, "appeal", category="bribe-demand"),
            "accuses": build.case(session, self.here, "appeal", accused_officers=[self.gro]),
            "special": build.case(session, self.here, category="data-correction"),
            "referred": build.case(session, self.there, programme="oms"),
        }
        session.commit()
        for row in made.values():
            self.play(row.id, row.filed_at + timedelta(days=1), "meet", "acknowledge")
        steps: list[tuple[str, datetime, str, str]] = [
            ("answered", build.dhaka(2026, 2, 5), "stop", ""),  # after 20 working days, before 30
            ("answered_early", build.dhaka(2026, 1, 20), "stop", ""),
            ("asked", build.dhaka(2026, 1, 11), "ask", ""),
            ("asked", build.dhaka(2026, 1, 18), "resume", ""),
            ("referred", build.dhaka(2026, 2, 5), "refer", ""),
        ]
        for name, when, act, kind in sorted(steps, key=lambda step: step[1]):
            sweep_through(when)
            self.play(made[name].id, when, act, kind)
        sweep_through(AS_OF)
        session.rollback()
        return {name: row.id for name, row in made.items()}

    def play(self, case_id: int, when: datetime, act: str, kind: str) -> None:
        """One act on the clocks of a case."""
        session = self.session
        session.rollback()
        if act == "meet":
            service.meet(session, case_id, kind, when)
        elif act == "stop":
            service.stop_all(session, case_id, when)
        elif act == "refer":
            row = session.get_one(Case, case_id)
            session.refresh(row)
            actor = build.actor(session, "gro.food", when.date())
            cases.refer_case(actor, row.tracking_number, row.version, self.here, "Not ours", now=when)
        elif act == "ask":
            assert service.pause(session, case_id, when, when + timedelta(days=14), "asked")
        else:
            assert service.resume(session, case_id, when)
        session.commit()


@pytest.fixture
def story(session: Session) -> Iterator[Story]:
    yield Story(session)


def test_it_finds_exactly_what_a_real_sweep_under_the_proposed_limit_does(session: Session, story: Story) -> None:
    # The ministry's GRO leaves at the end of January and is followed two weeks later.
    post = build.vacate(session, story.here, "gro", date(2026, 2, 1))
    build.posting(session, post, build.officer(session).id, starts_on=date(2026, 2, 15))
    session.commit()
    ids = story.tell()
    findings, tally = rehearse()
    rehearsed = would(findings)
    names = {case_id: name for name, case_id in ids.items()}
    changes = {names[each.case_id]: each.change for each in findings}
    assert changes == {
        "silent": "moved",
        "claimed": "moved",
        "elsewhere": "moved",
        "answered": "newly_late",
        "answered_early": "moved",
        "asked": "moved",
        "sensitive": "moved",
        "accuses": "moved",
        "referred": "moved",
    }, "a shorter limit of its own is not touched"
    assert tally.total.changes == {"moved": 8, "newly_late": 1}

    # Now really: the same story under a limit of 20, swept at every instant.
    under(session, 20)
    again = Story(session).tell()
    new_id = {ids[name]: again[name] for name in ids}
    expected = {
        key: rungs for key, rungs in really(session).items() if key[0] in again.values() and key[1] == "resolve"
    }
    found = {(new_id[case_id], kind): rungs for (case_id, kind), rungs in rehearsed.items() if rungs}
    special = again["special"]
    assert found == {key: rungs for key, rungs in expected.items() if key[0] != special}
    by_name = {name: [rung[:2] for rung in found.get((again[name], "resolve"), [])] for name in ids}
    # By hand: 20 working days from 4 January 2026 end on Sunday 1 February; 4, 11 and 12 February are holidays. In an
    # office with all its posts filled the rungs come one by one; where the GRO's chair is empty, level 2 comes with level 1.
    assert by_name["elsewhere"] == [
        (0, build.dhaka(2026, 2, 2, 0)),
        (1, build.dhaka(2026, 2, 9, 0)),
        (2, build.dhaka(2026, 2, 18, 0)),
        (3, build.dhaka(2026, 2, 25, 0)),
    ]
    assert by_name["silent"] == [
        (0, build.dhaka(2026, 1, 27, 0)),
        (1, build.dhaka(2026, 2, 2, 0)),
        (2, build.dhaka(2026, 2, 2, 0)),
        (3, build.dhaka(2026, 2, 19, 0)),
    ]
    assert by_name["answered"] == by_name["silent"][:3]
    offices = [rung[3] for rung in found[again["referred"], "resolve"]]
    assert offices == [story.there, story.there, story.here, build.office_id(session, "cell")], "where it then lay"
    assert by_name["answered_early"] == []


def test_played_under_its_own_rules_a_clock_does_what_it_really_did(session: Session, story: Story) -> None:
    story.tell()
    assert rehearse()[1].unlike == 0
    session.execute(text("UPDATE escalation SET due_at = due_at + interval '1 day' WHERE level = 1"))
    session.commit()
    assert rehearse()[1].unlike > 0


def test_the_play_knows_a_whole_years_cases_again(session: Session) -> None:
    """Referrals, questions, investigations, appeals: the demo plays the real services through a year."""
    today = clock.dhaka_date(clock.now(session))
    session.rollback()
    play_demo(120, 11, today)
    every_kind = b"code,kind,limit,unit,valid_from,source\n" + b"".join(
        b"any-%d,%s,2,working_days,2027-01-01,C\n" % (number, kind.encode())
        for number, kind in enumerate(KINDS)
        if kind != "appeal_window"  # nobody is told of it
    )
    findings, tally = rehearse(every_kind, until=today)
    assert tally.touched == len(findings) > 200
    assert [each for each in findings if not each.is_like] == []


def test_rehearsing_what_is_in_force_touches_nothing(session: Session, story: Story) -> None:
    story.tell()
    findings, tally = rehearse(TWENTY.replace(b"resolve,20", b"resolve,30"))
    assert (findings, tally.touched, tally.cases, tally.clocks) == (
        [],
        0,
        10,
        21,
    )  # a referral begins a second first look


def test_a_proposed_holiday_moves_what_a_real_one_would_have_moved(session: Session, story: Story) -> None:
    row = build.case(session)
    early = build.case(session, filed_at=build.dhaka(2025, 12, 1))
    later = build.case(session, filed_at=build.dhaka(2026, 3, 1))
    session.commit()
    [finding] = [each for each in rehearse(None, DAY)[0] if each.case_id == row.id]
    assert {each.case_id for each in rehearse(None, DAY)[0]} == {row.id}, early.id
    assert (finding.kind, finding.old_due_on, finding.new_due_on) == ("resolve", date(2026, 2, 18), date(2026, 2, 19))
    announce(session, {date(2026, 2, 16): Day("holiday", "x", "H", "O")}, "Order 9", SYSTEM, clock.now(session))
    session.commit()
    [planned] = service.plan(session, service.CaseFacts(), row.filed_at, ["resolve"])
    assert finding.new_due_on == planned.due_on
    assert finding.rungs[0].at == planned.next_rung_at
    assert later.id > 0


def test_what_really_happened_stands_beside_it(session: Session, story: Story) -> None:
    ids = story.tell()
    by_case = {each.case_id: each for each in rehearse()[0]}
    silent, answered = by_case[ids["silent"]], by_case[ids["answered"]]
    assert (silent.old_due_on, silent.new_due_on) == (date(2026, 2, 18), date(2026, 2, 1))
    stored = {
        row.level: row.due_at for row in session.scalars(select(Escalation).where(Escalation.case_id == ids["silent"]))
    }
    assert {rung.level: rung.really_at for rung in silent.rungs} == stored
    assert {rung.really_at for rung in answered.rungs} == {None}
    longer = {each.case_id: each for each in rehearse(TWENTY.replace(b"20", b"60", 1))[0]}
    fallen = longer[ids["silent"]]
    assert fallen.change == "moved" and fallen.new_due_on > fallen.old_due_on
    shorter_ladder = [rung.level for rung in fallen.rungs if rung.at is None]
    assert shorter_ladder == [], "late all the same by June"
    [gone] = [each for each in rehearse(TWENTY.replace(b"20", b"120", 1))[0] if each.case_id == ids["silent"]]
    assert (gone.change, [rung.at for rung in gone.rungs]) == ("no_longer_late", [None] * 4)


def test_nothing_at_all_is_written(session: Session, story: Story) -> None:
    story.tell()
    before = hashes(session)
    assert before["escalation"][0] > 10 and before["message"][0] > 0
    findings, _ = rehearse(TWENTY, DAY)
    assert findings
    assert hashes(session) == before


def test_the_database_itself_refuses_a_write(session: Session) -> None:
    with pytest.raises(DBAPIError, match="read-only transaction"), snapshot() as own:
        own.execute(text("UPDATE deadline SET due_on = due_on"))


def test_a_rehearsal_sees_one_instant(session: Session) -> None:
    build.case(session)
    session.commit()
    with snapshot() as own:
        window = window_of(own, SINCE, UNTIL)
        build.case(session)
        session.commit()
        stage, tally = Stage(own, Proposal(), window.horizon), Tally()
        assert play_batch(own, stage, window, 0, tally).is_last
        assert tally.cases == 1


def test_the_span_takes_what_was_filed_or_open_in_it(session: Session) -> None:
    open_before = build.case(session, filed_at=build.dhaka(2025, 6, 1))
    ended = build.case(session, filed_at=build.dhaka(2025, 6, 1))
    service.stop_all(session, ended.id, build.dhaka(2025, 7, 1))
    ended.status, ended.ended_at, ended.outcome = "resolved", build.dhaka(2025, 7, 1), "answered"
    first = build.case(session, filed_at=build.dhaka(2026, 1, 1, 0))
    build.case(session, filed_at=build.dhaka(2026, 6, 1, 0))
    session.commit()
    with snapshot() as own:
        window = window_of(own, SINCE, UNTIL)
        assert window.horizon == build.dhaka(2026, 6, 1, 0)
        assert [each.id for each in rehearsal_facts.batch(own, window, 0)] == [open_before.id, first.id]
        assert window_of(own, None, UNTIL).since_at == build.dhaka(2025, 5, 31, 0)
    assert year_before(date(2028, 2, 29)) == date(2027, 2, 28)


def test_every_batch_costs_the_same_few_statements_whatever_its_size(session: Session, story: Story) -> None:
    story.tell()
    whole = rehearse()
    assert rehearse(size=3) == whole, "in whatever batches"
    counts = {}
    with snapshot() as own:
        proposal, *_ = read_proposal(own, TWENTY, DAY)
        window = window_of(own, SINCE, UNTIL)
        stage, tally = Stage(own, proposal, window.horizon), Tally()
        play_batch(own, stage, window, 0, tally)  # reads the calendars, once
        for size in (1, 5, 100):
            seen = statements(lambda size=size: play_batch(own, stage, window, 0, Tally(), size))
            counts[size] = len(seen)
    assert set(counts.values()) == {7}, counts


def test_at_size_a_batch_reads_its_own_rows_only(session: Session) -> None:
    offices = [build.office_id(session, slug) for slug in ("social-welfare", "food")]
    build.many_cases(session, 30_000, 500, AS_OF, offices)
    session.commit()
    with snapshot() as own:
        window = window_of(own, SINCE, UNTIL)
        middle = own.execute(text("SELECT min(id) + 15000 FROM cases")).scalar_one()
        found = rehearsal_facts.batch(own, window, middle)
        assert len(found) == rehearsal_facts.BATCH_SIZE
        own.execute(text("SET LOCAL random_page_cost = 1.1"))
        bounds = {"since_at": window.since_at, "until_at": window.until_at, "through": window.through_id}
        of_cases = {"case_ids": [each.id for each in found], "horizon": window.horizon}
        for statement, values in (
            (rehearsal_facts.CASES, {**bounds, "after": middle, "limit": rehearsal_facts.BATCH_SIZE}),
            (rehearsal_facts.CLOCKS, of_cases),
            (rehearsal_facts.CLIMBED, of_cases),
        ):
            [plan] = own.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}"), values).scalar_one()
            for node in nodes(plan["Plan"]):
                big = node.get("Relation Name") in ("cases", "deadline", "escalation")
                assert not (big and node["Node Type"] == "Seq Scan" and node["Actual Rows"] > 0), plan
                assert not big or node["Actual Rows"] * node["Actual Loops"] <= rehearsal_facts.BATCH_SIZE, plan


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(each for part in plan.get("Plans", ()) for each in nodes(part))]


def statements(run: Callable[[], object]) -> list[str]:
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        run()
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return seen
