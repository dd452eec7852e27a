"""Clocks on a real database: planned, paused, met, explained; and a calendar that changes under them."""

import contextlib
import random
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask, render_template
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, text, update
from sqlalchemy.orm import Session

from grm.cases import spine
from grm.cases.models import Case, CaseEvent
from grm.cli import register
from grm.deadlines import queries, seeding, service
from grm.deadlines.announcements import announce
from grm.deadlines.calendar import Day, end_of_day
from grm.deadlines.explain import Explanation, as_text, explain, explain_case
from grm.deadlines.models import CalendarDay, CalendarEdition, Deadline, DeadlinePause, DeadlinePolicy
from grm.deadlines.reckoning import due
from grm.deadlines.service import CaseFacts
from grm.escalation import redating
from grm.escalation.redating import redate_open
from grm.escalation.sweep import sweep
from grm.kernel import clock
from grm.kernel.actor import SYSTEM
from grm.kernel.db import db
from grm.kernel.errors import InvalidInput, Misconfigured
from grm.offices import edition
from grm.offices.models import Category
from grm.offices.queries import directory
from grm.web.locale import speaking
from tests.support import build

FILED = build.dhaka(2026, 1, 4)
HEADER = "day,kind,name_bn,name_en,source\n"
EID = Day("holiday", "ঈদ", "Eid", "Gazette of 17 February 2026")


@pytest.fixture
def filed(session: Session) -> Case:
    row = build.case(session, filed_at=FILED)
    session.commit()
    return row


def planned(session: Session, filed_at: datetime = FILED, **facts: Any) -> dict[str, service.Planned]:
    return {each.kind: each for each in service.plan(session, CaseFacts(**facts), filed_at)}


def invoke(app: Flask, *args: str) -> Result:
    return register(app).test_cli_runner().invoke(args=list(args))


def announced(session: Session, days: dict[date, Day | None], covers_until: date | None = None) -> int | None:
    change = announce(session, days, "Gazette", SYSTEM, clock.now(session), covers_until, allow_fewer=True)
    session.commit()
    return change.version


# --- planning -------------------------------------------------------------------------------------------------------


def test_both_clocks_are_planned_by_calendar_and_policy(session: Session) -> None:
    """Counted by hand: 30 working days from Sunday 4 January 2026 without Shab-e-Barat (4 February) and the two election
    days (11 and 12 February) end on Wednesday 18 February."""
    clocks = planned(session, category="payment-not-received")
    acknowledge, resolve = clocks["acknowledge"], clocks["resolve"]
    assert (acknowledge.due_on, acknowledge.next_level) == (date(2026, 1, 7), 0)
    assert acknowledge.next_rung_at == acknowledge.due_at == build.dhaka(2026, 1, 8, 0)
    assert (resolve.due_on, resolve.due_at) == (date(2026, 2, 18), build.dhaka(2026, 2, 19, 0))
    assert (resolve.next_level, resolve.next_rung_at) == (0, build.dhaka(2026, 2, 15, 0))
    assert not resolve.is_provisional


def test_a_data_correction_is_due_sooner(session: Session) -> None:
    assert planned(session, category="data-correction")["resolve"].due_on == date(2026, 1, 18)


def test_an_office_may_have_another_limit_from_a_date_on(session: Session) -> None:
    ministry = build.office_id(session)
    values = {"kind": "resolve", "unit": "working_days", "office_id": ministry, "source": "Citizen's charter"}
    session.add(DeadlinePolicy(code="own", limit=15, valid_from=date(2026, 1, 5), **values))
    edition.bump(session)
    session.commit()
    assert planned(session, office_id=ministry)["resolve"].due_on == date(2026, 2, 18)
    later = planned(session, build.dhaka(2026, 1, 5), office_id=ministry)["resolve"]
    assert later.due_on == date(2026, 1, 26)


def test_priority_and_tier_choose_a_limit_too(session: Session) -> None:
    """A category is made urgent by its file; what is filed from then on carries it, and its appeal is decided sooner."""
    values = {"unit": "working_days", "source": "Circular", "valid_from": date(2026, 1, 1)}
    session.add(DeadlinePolicy(code="urgent", kind="resolve", limit=12, priority="urgent", **values))
    session.add(
        DeadlinePolicy(code="urgent-appeal", kind="appeal", limit=5, priority="urgent", tier="appeal", **values)
    )
    session.add(DeadlinePolicy(code="never", kind="resolve", limit=1, priority="urgent", tier="appeal", **values))
    session.execute(update(Category).where(Category.slug == "payment-not-received").values(priority="urgent"))
    edition.bump(session)
    session.commit()
    edition.forget()
    assert directory(session).category("payment-not-received").priority == "urgent"
    row = build.case(session, filed_at=FILED, priority="urgent")
    assert spine.clock_facts(session, row).priority == "urgent"
    row.tier, row.main_clock = "appeal", "appeal"
    facts = spine.clock_facts(session, row)
    appeal = service.start(session, row.id, "appeal", facts, FILED)
    assert appeal.due_on == queries.calendar(session).add_working_days(date(2026, 1, 4), 5)
    first = CaseFacts(facts.office_id, facts.programme, facts.category, "urgent", "gro")
    [resolve] = service.plan(session, first, FILED, ["resolve"])
    assert resolve.due_on == queries.calendar(session).add_working_days(date(2026, 1, 4), 12)


def test_a_case_no_policy_fits_is_an_operators_fault(session: Session) -> None:
    with pytest.raises(Misconfigured, match="no-deadline-policy"):
        planned(session, build.dhaka(2014, 1, 5))


def test_dates_after_the_announced_calendar_are_provisional(session: Session) -> None:
    known_until = queries.calendar(session).covered_until
    eve = build.dhaka(known_until.year, known_until.month, known_until.day)
    assert planned(session, eve)["acknowledge"].is_provisional
    assert not planned(session, eve - timedelta(days=60))["acknowledge"].is_provisional


def test_planning_asks_the_database_nothing_once_the_caches_are_warm(session: Session) -> None:
    planned(session)
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        planned(session)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert len(seen) <= 1, seen  # at most the look at the edition, once in two seconds


# --- met, paused, begun anew ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("late, state", [(False, "met"), (True, "breached")])
def test_a_step_done_in_time_is_met_and_a_late_one_stays_breached(
    session: Session, filed: Case, late: bool, state: str
) -> None:
    due_at = build.deadline(session, filed.id).due_at
    done_at = due_at if late else due_at - timedelta(microseconds=1)
    service.meet(session, filed.id, "resolve", done_at)
    service.meet(session, filed.id, "resolve", done_at + timedelta(days=9))
    session.commit()
    found = build.deadline(session, filed.id)
    assert (found.state, found.met_at, found.next_level, found.next_rung_at) == (state, done_at, None, None)
    assert found.breached_at == (due_at if late else None)
    assert build.deadline(session, filed.id, "acknowledge").state == "running"


def test_the_end_of_a_case_ends_all_its_clocks(session: Session, filed: Case) -> None:
    service.stop_all(session, filed.id, build.dhaka(2026, 1, 20))
    session.commit()
    states = [(each.kind, each.state, each.next_rung_at) for each in queries.deadlines_of(session, filed.id)]
    assert states == [("acknowledge", "breached", None), ("resolve", "met", None)]
    assert sweep(build.dhaka(2026, 12, 1)).is_empty


def test_a_pause_stops_the_clock_and_moves_the_date(session: Session, filed: Case) -> None:
    assert service.pause(session, filed.id, build.dhaka(2026, 1, 11), build.dhaka(2026, 1, 25), "asked")
    session.commit()
    standing = build.deadline(session, filed.id)
    assert (standing.state, standing.next_rung_at, standing.next_level) == ("paused", None, 0)
    assert sweep(build.dhaka(2026, 12, 1)).escalated == {1: 0, 2: 0, 3: 0}
    # Four working days, Sunday 11 to Wednesday 14 January, are not counted.
    assert service.resume(session, filed.id, build.dhaka(2026, 1, 15)) == date(2026, 2, 24)
    session.commit()
    going = build.deadline(session, filed.id)
    assert (going.state, going.due_at) == ("running", end_of_day(date(2026, 2, 24)))
    assert (going.next_level, going.next_rung_at) == (0, build.dhaka(2026, 2, 19, 0))
    assert service.resume(session, filed.id, build.dhaka(2026, 1, 16)) is None


def test_a_pause_ends_at_its_automatic_end_however_late_the_tick_comes(session: Session, filed: Case) -> None:
    ends_by_at = build.dhaka(2026, 1, 15)
    service.pause(session, filed.id, build.dhaka(2026, 1, 11), ends_by_at, "asked")
    session.commit()
    assert queries.pauses_run_out(session, ends_by_at - timedelta(microseconds=1), 10) == []
    [run_out] = queries.pauses_run_out(session, build.dhaka(2026, 2, 1), 10)
    assert (run_out.case_id, run_out.ends_by_at) == (filed.id, ends_by_at)
    assert service.resume(session, filed.id, build.dhaka(2026, 2, 1)) == date(2026, 2, 24)
    assert session.scalars(select(DeadlinePause.until_at)).one() == ends_by_at
    assert queries.pauses_run_out(session, build.dhaka(2026, 2, 1), 10) == []


def test_a_missed_clock_cannot_be_paused(session: Session, filed: Case) -> None:
    """Also where the sweep has not come by yet: a question must not be a way out of the ladder."""
    due_at = build.deadline(session, filed.id).due_at
    assert not service.pause(session, filed.id, due_at, due_at + timedelta(days=5), "asked")
    sweep(due_at)
    session.rollback()
    assert not service.pause(session, filed.id, due_at, due_at + timedelta(days=5), "asked")
    assert session.scalars(select(DeadlinePause)).all() == []


def test_who_was_warned_before_a_pause_is_not_warned_again(session: Session, filed: Case) -> None:
    sweep(build.dhaka(2026, 2, 15, 0))
    session.rollback()
    service.pause(session, filed.id, build.dhaka(2026, 2, 15), build.dhaka(2026, 3, 1), "asked")
    service.resume(session, filed.id, build.dhaka(2026, 2, 22))
    session.commit()
    going = build.deadline(session, filed.id)
    assert (going.next_level, going.next_rung_at) == (1, going.due_at)


def test_ending_a_case_that_waits_ends_the_pause_too(session: Session, filed: Case) -> None:
    service.pause(session, filed.id, build.dhaka(2026, 1, 11), build.dhaka(2026, 1, 25), "asked")
    service.stop_all(session, filed.id, build.dhaka(2026, 1, 15))
    session.commit()
    found = build.deadline(session, filed.id)
    assert (found.state, found.due_on) == ("met", date(2026, 2, 24))
    assert explain(session, found).is_consistent


def test_a_new_epoch_has_its_own_clock_and_ladder(session: Session, filed: Case) -> None:
    sweep(build.dhaka(2026, 3, 10))
    session.rollback()
    again = service.start(session, filed.id, "resolve", CaseFacts(), build.dhaka(2026, 4, 1))
    session.commit()
    assert (again.epoch, build.deadline(session, filed.id).due_on) == (2, again.due_on)
    first = queries.deadlines_of(session, filed.id)[1]
    assert (first.epoch, first.state, first.met_at) == (1, "breached", build.dhaka(2026, 4, 1))
    result = sweep(build.dhaka(2026, 12, 1))
    assert (result.warned, result.escalated) == (1, {1: 1, 2: 1, 3: 1})


# --- why this date --------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    filed_at=st.datetimes(datetime(2024, 12, 1), datetime(2026, 6, 1), timezones=st.just(UTC)),
    category=st.sampled_from(["payment-not-received", "data-correction"]),
    waits=st.lists(st.tuples(st.integers(0, 15 * 1440), st.integers(0, 20 * 1440)), max_size=4),
)
def test_the_sum_of_the_days_is_the_stored_date(
    session: Session, filed_at: datetime, category: str, waits: list[tuple[int, int]]
) -> None:
    row = build.case(session, filed_at=filed_at, category=category)
    now = filed_at
    for after, length in waits:
        now += timedelta(minutes=after)
        if service.pause(session, row.id, now, now + timedelta(days=14), "asked"):
            now += timedelta(minutes=length)
            service.resume(session, row.id, now)
        session.flush()
    for explanation in explain_case(session, row.id):
        assert explanation.is_consistent
        assert explanation.counted == explanation.policy.limit
        assert explanation.lines[-1].on == explanation.due_on
        counted = [line.number for line in explanation.lines if line.verdict == "counted"]
        assert counted == list(range(1, explanation.policy.limit + 1))
        parts = 1 + explanation.counted + explanation.weekends + explanation.holidays + explanation.paused_days
        starts = sum(line.verdict == "start" for line in explanation.lines)
        assert parts - 1 + starts == len(explanation.lines)
    session.rollback()


def explanation_of(session: Session, row: Case) -> Explanation:
    return explain(session, build.deadline(session, row.id))


def test_every_skipped_day_has_its_source(session: Session, filed: Case) -> None:
    found = explanation_of(session, filed)
    skipped = {line.on: (line.name_en, line.source) for line in found.lines if line.verdict == "skipped-holiday"}
    assert set(skipped) == {date(2026, 2, 4), date(2026, 2, 11), date(2026, 2, 12)}
    assert skipped[date(2026, 2, 4)][0] == "Mid-Sha'ban"
    assert "Prothom Alo" in skipped[date(2026, 2, 11)][1]


@pytest.mark.parametrize(
    "tampering",
    [
        "due_on = due_on + 1",
        "due_at = due_at + interval '1 hour'",
        "policy_id = (SELECT id FROM deadline_policy WHERE code = 'acknowledge')",
        "started_at = started_at - interval '5 days'",
        "is_provisional = NOT is_provisional",
    ],
)
def test_an_edited_date_is_said_loudly(app: Flask, session: Session, filed: Case, tampering: str) -> None:
    session.execute(text(f"UPDATE deadline SET {tampering} WHERE kind = 'resolve'"))
    session.commit()
    found = explanation_of(session, filed)
    assert not found.is_consistent
    assert "THE SUM IS NOT THE STORED DATE" in as_text(found)
    assert invoke(app, "deadlines", "explain", filed.tracking_number).exit_code == 1


def test_an_old_deadline_is_explained_by_the_calendar_of_then(session: Session, filed: Case) -> None:
    before = explanation_of(session, filed)
    announced(session, {date(2026, 1, 20): EID})
    after = explanation_of(session, filed)
    assert after == before and after.is_consistent
    assert queries.calendar(session).reason(date(2026, 1, 20)).name_en == "Eid"


def test_a_clock_that_stands_still_is_explained_as_it_stood(session: Session, filed: Case) -> None:
    service.pause(session, filed.id, build.dhaka(2026, 1, 11), build.dhaka(2026, 1, 25), "asked")
    session.commit()
    found = explanation_of(session, filed)
    assert found.is_consistent
    assert found.paused_since == build.dhaka(2026, 1, 11)
    assert "the date moves" in as_text(found)


def test_the_command_shows_both_clocks(app: Flask, session: Session, filed: Case) -> None:
    result = invoke(app, "deadlines", "explain", filed.tracking_number.lower())
    assert result.exit_code == 0
    assert "acknowledge (epoch 1, running): due on 2026-01-07" in result.output
    assert "2026-02-04 Wed      skipped: holiday; Mid-Sha'ban; Python package holidays" in result.output
    assert "2026-02-18 Wed  30  counted" in result.output
    assert "30 counted, 12 weekly days off, 3 holidays, 0 paused = 2026-02-18" in result.output
    assert result.output.count("The sum is the stored date.") == 2
    unknown = invoke(app, "deadlines", "explain", "0000-0000-00000")
    assert unknown.exit_code == 1 and "no case" in unknown.output


@pytest.mark.parametrize(
    "language, words",
    [("bn", ["১৮ ফেব্রুয়ারি ২০২৬", "৩০ কর্মদিবস", "শবে বরাত"]), ("en", ["18 February 2026", "30 working days", "Mid-Sha"])],
)
def test_the_page_part_shows_every_day_in_both_languages(
    app: Flask, session: Session, filed: Case, language: str, words: list[str]
) -> None:
    explanations = explain_case(session, filed.id)
    with app.test_request_context(), speaking(language):
        page = render_template("deadlines/_why.html", explanations=explanations)
    for word in words:
        assert word in page
    assert page.count('<tr role="row">') >= 46 + 4
    assert ("Counted" in page) == (language == "en")


# --- the calendar ---------------------------------------------------------------------------------------------------


def test_seeding_again_changes_nothing_and_undoes_nothing(session: Session) -> None:
    removed = date(2026, 12, 16)
    announced(session, {removed: None})
    version = queries.calendar(session).version
    seeding.seed(session, clock.now(session))
    session.commit()
    assert queries.calendar(session).version == version
    assert queries.calendar(session).is_working_day(removed)


def test_the_seeded_calendar_knows_both_kinds_of_days(session: Session) -> None:
    known = queries.calendar(session)
    assert known.reason(date(2025, 5, 17)).kind == "ordered-working"
    assert known.reason(date(2026, 10, 20)).kind == "holiday"
    assert known.reason(date(2027, 3, 10)).is_estimated
    assert known.covered_until == date(2026, 12, 31)


def test_each_announcement_is_an_edition_and_repeating_it_is_none(session: Session) -> None:
    days = {date(2026, 3, 1): EID, date(2026, 3, 7): Day("working", "কর্মদিবস", "Working Saturday", "Order")}
    first = announced(session, days)
    assert first is not None
    assert announced(session, days) is None
    changed = {date(2026, 3, 1): Day("holiday", "ঈদ", "Eid", "Corrected gazette")}
    second = announced(session, changed)
    assert second is not None and second > first
    third = announced(session, {date(2026, 3, 1): None})
    names = [queries.calendar_at(session, version).reason(date(2026, 3, 1)).source for version in (first, second)]
    assert names == ["Gazette of 17 February 2026", "Corrected gazette"]
    assert third is not None and queries.calendar(session).is_working_day(date(2026, 3, 1))
    assert queries.calendar(session).is_working_day(date(2026, 3, 7))


def test_a_complete_list_replaces_the_estimates_up_to_its_end(session: Session) -> None:
    announced(session, {date(2027, 3, 9): EID}, covers_until=date(2027, 12, 31))
    known = queries.calendar(session)
    assert known.reason(date(2027, 3, 9)).name_en == "Eid"
    assert known.is_working_day(date(2027, 3, 10)), "an estimate the list does not name"
    assert known.reason(date(2027, 12, 16)).kind == "holiday", "a fixed day stays"
    assert known.reason(date(2028, 2, 27)).is_estimated, "a later year is still estimated"
    assert known.covered_until == date(2027, 12, 31)
    with pytest.raises(InvalidInput, match="coverage-shrinks"):
        announced(session, {}, covers_until=date(2026, 12, 31))


def test_the_import_command(app: Flask, session: Session, tmp_path: Path) -> None:
    file = tmp_path / "gazette.csv"
    file.write_text(HEADER + "2026-03-01,holiday,ঈদ,Eid,Gazette\n")
    first = invoke(app, "calendar", "import", str(file))
    assert first.exit_code == 0 and "1 added, 0 changed, 0 removed" in first.output
    again = invoke(app, "calendar", "import", str(file))
    assert again.exit_code == 0 and "Nothing new" in again.output
    assert session.scalar(select(func.count()).where(CalendarDay.day == date(2026, 3, 1))) == 1


@pytest.mark.parametrize(
    "content, said",
    [("", "the file is empty"), (HEADER, "never means that there are no holidays"), ("day\n", "column kind")],
)
def test_a_bad_file_changes_nothing(app: Flask, session: Session, tmp_path: Path, content: str, said: str) -> None:
    editions = session.scalar(select(func.count(CalendarEdition.id)))
    file = tmp_path / "bad.csv"
    file.write_text(content)
    result = invoke(app, "calendar", "import", str(file))
    assert result.exit_code == 1 and said in result.output
    session.rollback()
    assert session.scalar(select(func.count(CalendarEdition.id))) == editions


def test_the_check_says_how_far_the_calendar_reaches(app: Flask, session: Session) -> None:
    well = invoke(app, "calendar", "check", "--on", "2026-08-01")
    assert well.exit_code == 0 and "next 60 working days are announced" in well.output
    short = invoke(app, "calendar", "check", "--on", "2026-11-22")
    assert short.exit_code == 1 and "of the next 60 working days are not announced" in short.output
    announced(session, {date(2027, 3, 9): EID}, covers_until=date(2027, 12, 31))
    assert invoke(app, "calendar", "check", "--on", "2026-11-22").exit_code == 0


# --- a holiday announced late ---------------------------------------------------------------------------------------


def running_case(session: Session) -> tuple[Case, Deadline]:
    """A case that is really running: filed now, by the database's clock."""
    row = build.case(session, filed_at=clock.now(session))
    session.commit()
    return row, build.deadline(session, row.id)


def working_day_before(session: Session, on: date) -> date:
    return queries.calendar(session).add_working_days(on, -1)


def test_a_late_holiday_moves_the_date_and_says_why(session: Session) -> None:
    row, clock_ = running_case(session)
    before, holiday = clock_.due_on, working_day_before(session, clock_.due_on)
    session.commit()
    announced(session, {holiday: EID})
    result = redate_open()
    session.rollback()
    after = build.deadline(session, row.id)
    assert (result.later, result.earlier) == (1, 0)
    assert after.due_on == queries.calendar(session).add_working_days(before, 1)
    assert after.calendar_version == queries.calendar(session).version
    session.refresh(row)
    assert (row.due_on, row.due_at) == (after.due_on, after.due_at)
    last = session.scalars(select(CaseEvent).where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq.desc())).first()
    assert last is not None and last.kind == "redated"
    assert last.data == {
        "deadline_kind": "resolve",
        "from_due_on": before.isoformat(),
        "to_due_on": after.due_on.isoformat(),
        "calendar_version": after.calendar_version,
        "why": "Gazette",
        "days": [{"on": holiday.isoformat(), "name_bn": "ঈদ", "name_en": "Eid", "is_off": True}],
    }
    assert explain(session, after).is_consistent
    assert row.history_length == 2
    repeated = redate_open()
    assert (repeated.later, repeated.earlier) == (0, 0)


def test_an_ordered_saturday_brings_the_date_forward(session: Session) -> None:
    row, clock_ = running_case(session)
    before = clock_.due_on
    saturday = before - timedelta(days=(before.weekday() - 5) % 7 or 7)
    announced(session, {saturday: Day("working", "কর্মদিবস", "Working Saturday", "Order")})
    result = redate_open()
    session.rollback()
    assert (result.later, result.earlier) == (0, 1)
    assert saturday <= build.deadline(session, row.id).due_on < before


def test_a_paused_clock_takes_the_new_calendar_when_it_goes_on(session: Session) -> None:
    row, clock_ = running_case(session)
    now = clock.now(session)
    due_on = clock_.due_on
    service.pause(session, row.id, now, now + timedelta(days=14), "asked")
    session.commit()
    announced(session, {working_day_before(session, due_on): EID})
    redate_open()
    session.rollback()
    assert build.deadline(session, row.id).due_on == due_on
    assert service.resume(session, row.id, now) == queries.calendar(session).add_working_days(due_on, 1)


def test_a_run_that_was_cut_off_is_taken_up_by_the_next(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [running_case(session) for _ in range(3)]
    holiday = working_day_before(session, rows[0][1].due_on)
    announced(session, {holiday: EID})
    monkeypatch.setattr("grm.escalation.redating.BATCH_SIZE", 2)
    calls = []
    real = redating.reckoned

    def dies(*args: Any) -> Any:
        calls.append(1)
        if len(calls) > 2:
            raise KeyboardInterrupt
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr("grm.escalation.redating.reckoned", dies)
        with contextlib.suppress(KeyboardInterrupt):
            redate_open()
    session.rollback()
    due = {build.deadline(session, row.id).due_on for row, _ in rows}
    assert len(due) == 2, "the first batch was written, the second was not"
    redate_open()
    session.rollback()
    assert len({build.deadline(session, row.id).due_on for row, _ in rows}) == 1
    lengths = session.scalars(select(Case.history_length)).all()
    assert set(lengths) == {2}, "each date moved once and was recorded once"


# --- the calendar's commands ------------------------------------------------------------------------------------------


def written(tmp_path: Path, *lines: str) -> str:
    file = tmp_path / "days.csv"
    file.write_text(HEADER + "\n".join(lines) + "\n")
    return str(file)


def test_a_dry_run_says_what_would_move_and_moves_nothing(app: Flask, session: Session, tmp_path: Path) -> None:
    row, clock_ = running_case(session)
    before, version = clock_.due_on, queries.calendar(session).version
    holiday = working_day_before(session, before)
    session.commit()
    file = written(tmp_path, f"{holiday},holiday,ঈদ,Eid,Gazette")
    said = invoke(app, "calendar", "import", file, "--dry-run")
    assert said.exit_code == 0, said.output
    assert "1 deadlines would end later, 0 earlier" in said.output and "Would move: 1 resolve." in said.output
    session.rollback()
    edition.forget()
    assert build.deadline(session, row.id).due_on == before
    assert queries.calendar(session).version == version
    really = invoke(app, "calendar", "import", file)
    assert "1 now end later" in really.output and "Moved: 1 resolve." in really.output
    session.rollback()
    assert build.deadline(session, row.id).due_on > before
    assert "Nothing new" in invoke(app, "calendar", "import", file, "--dry-run").output


def test_a_list_that_takes_most_holidays_away_is_refused(app: Flask, session: Session, tmp_path: Path) -> None:
    """As a feed would do that lost its rows: `none` for everything, or a complete list of three days."""
    editions = session.scalar(select(func.count(CalendarEdition.id)))
    holidays = [on for on, row in queries.days_in_force(session).items() if on.year == 2027 and row.kind == "holiday"]
    assert len(holidays) > 10
    session.rollback()
    gone = written(tmp_path, *(f"{on},none,,,Feed" for on in holidays))
    refused = invoke(app, "calendar", "import", gone)
    assert refused.exit_code == 1 and f"2027: 0 of {len(holidays)} left" in refused.output
    session.rollback()
    assert session.scalar(select(func.count(CalendarEdition.id))) == editions
    one = written(tmp_path, f"{holidays[0]},none,,,Gazette")
    assert invoke(app, "calendar", "import", one).exit_code == 0
    forced = invoke(app, "calendar", "import", gone, "--allow-fewer")
    assert forced.exit_code == 0, forced.output
    session.rollback()


def test_the_command_charges_each_day_to_somebody(app: Flask, session: Session, filed: Case) -> None:
    said = invoke(app, "deadlines", "explain", filed.tracking_number).output
    assert "days from the filing on 2026-01-04 to today" in said
    assert re.search(
        r"^ +(\d+) \((\d+) working\)  .*given to nobody yet\n +\1 \(\2 working\)  together$", said, re.MULTILINE
    )


def test_an_extension_and_months_are_explained(session: Session, filed: Case) -> None:
    found = build.deadline(session, filed.id)
    service.extend(session, found, 10, build.dhaka(2026, 1, 20))
    window = service.start(session, filed.id, "appeal_window", CaseFacts(), build.dhaka(2026, 1, 31))
    session.commit()
    longer = explanation_of(session, filed)
    assert longer.is_consistent and (longer.counted, longer.needed, longer.extension_days) == (40, 40, 10)
    assert "30 working days + 10 granted on top" in as_text(longer)
    month = explain(session, build.deadline(session, filed.id, "appeal_window"))
    assert month.is_consistent and month.due_on == window.due_on == date(2026, 3, 1)  # 28 February is a Saturday
    assert "1 calendar months" in as_text(month)


def test_as_of_any_past_version_of_the_calendar_the_answer_is_the_same(session: Session) -> None:
    """Days are announced, replaced and taken back; each edition still says what it said on its day."""
    chance = random.Random(5)
    starts = [build.dhaka(2026, 1, 1) + timedelta(minutes=chance.randrange(300 * 1440)) for _ in range(25)]

    def answers(version: int) -> list[date]:
        known = queries.calendar_at(session, version)
        return [due(start, 30, "working_days", (), known).due_on for start in starts]

    said: dict[int, list[date]] = {}
    announced_days: list[date] = []
    for _ in range(8):
        on = date(2026, 2, 1) + timedelta(chance.randrange(280))
        change: dict[date, Day | None] = {on: EID}
        if announced_days and chance.random() < 0.5:
            change[announced_days.pop()] = None
        announced_days.append(on)
        if announced(session, change) is not None:
            version = queries.calendar(session).version
            said[version] = answers(version)
    assert {version: answers(version) for version in said} == said
    assert len({tuple(each) for each in said.values()}) > 3, "the editions do differ"
