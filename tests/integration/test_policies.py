"""Limits from a file: a change is a new row from a coming day on, and no answer about a past day ever changes."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cli import register
from grm.deadlines import queries, seeding, service
from grm.deadlines.models import DeadlinePolicy
from grm.deadlines.policies import BadPolicies, adopt, known
from grm.deadlines.policy import PolicyFacts, decide
from grm.deadlines.policy_csv import parse
from grm.kernel import chain, clock
from grm.kernel.actor import SYSTEM
from grm.kernel.audit import AuditEntry, record_of
from tests.support import build

HEADER = "code,kind,limit,unit,office,programme,category,priority,tier,valid_from,valid_to,source\n"
NOW = build.dhaka(2026, 11, 20)
TOMORROW, LATER = date(2026, 11, 21), date(2027, 1, 1)


def line(
    code: str = "resolve", limit: int = 20, office: str = "", starts: date = LATER, ends: date | None = None
) -> str:
    return f"{code},resolve,{limit},working_days,{office},,,,,{starts},{ends or ''},Circular 7\n"


def adopted(session: Session, *lines: str, now: Any = NOW) -> Any:
    parsed = parse((HEADER + "".join(lines)).encode(), known(session))
    assert parsed.faults == ()
    done = adopt(session, parsed.lines, SYSTEM, now, "proposal.csv")
    session.commit()
    return done


def refused(session: Session, *lines: str) -> list[str]:
    parsed = parse((HEADER + "".join(lines)).encode(), known(session))
    assert parsed.faults == ()
    with pytest.raises(BadPolicies) as caught:
        adopt(session, parsed.lines, SYSTEM, NOW, "proposal.csv")
    session.rollback()
    return [str(fault) for fault in caught.value.faults]


def rows(session: Session, code: str = "resolve") -> list[tuple[int, date, date | None]]:
    statement = select(DeadlinePolicy).where(DeadlinePolicy.code == code).order_by(DeadlinePolicy.valid_from)
    return [(row.limit, row.valid_from, row.valid_to) for row in session.scalars(statement)]


def limit_on(session: Session, on: date, **facts: Any) -> int:
    return decide(queries.policies(session), PolicyFacts("resolve", **facts), on).policy.limit


def invoke(app: Flask, *args: str) -> Result:
    return register(app).test_cli_runner().invoke(args=["deadlines", *args])


@pytest.fixture
def filed(session: Session) -> int:
    row = build.case(session)
    session.commit()
    return row.id


def test_a_changed_limit_is_a_new_row_and_ends_the_former(session: Session, filed: int) -> None:
    done = adopted(session, line())
    assert [(each.code, each.limit) for each in done.added] == [("resolve", 20)]
    assert rows(session) == [(30, date(2015, 1, 1), LATER), (20, LATER, None)]
    assert (limit_on(session, LATER - timedelta(1)), limit_on(session, LATER)) == (30, 20)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.stream == "policies")).one()
    assert (entry.kind, entry.data["source"]) == ("policies-changed", "proposal.csv")
    assert [policy["limit"] for policy in entry.data["added"]] == [20]
    assert [policy["valid_to"] for policy in entry.data["ended"]] == ["2027-01-01"]
    assert chain.row_hash(entry.previous_hash, record_of(entry)) == entry.hash


def test_cases_already_filed_keep_their_limit_and_new_ones_have_the_new(session: Session, filed: int) -> None:
    before = build.deadline(session, filed)
    adopted(session, line())
    after = build.deadline(session, filed)
    assert (after.policy_id, after.due_on) == (before.policy_id, before.due_on)
    planned = service.plan(session, service.CaseFacts(), build.dhaka(2027, 1, 3), ["resolve"])
    assert planned[0].policy_id != before.policy_id


def test_the_same_file_again_changes_nothing(session: Session, filed: int) -> None:
    adopted(session, line(), line("resolve-food", 15, "food"))
    before = rows(session), rows(session, "resolve-food")
    done = adopted(session, line(), line("resolve-food", 15, "food"))
    assert not done.is_change and done.unchanged == 2
    assert (rows(session), rows(session, "resolve-food")) == before
    assert len(session.scalars(select(AuditEntry).where(AuditEntry.stream == "policies")).all()) == 1
    seeding.seed(session, NOW)
    session.commit()
    assert rows(session) == before[0], "seeding undoes nothing"


def test_a_file_of_two_changes_closes_each_row_where_the_next_begins(session: Session, filed: int) -> None:
    adopted(session, line(limit=15, starts=date(2027, 7, 1)), line(limit=20))
    expected = [(30, date(2015, 1, 1), LATER), (20, LATER, date(2027, 7, 1)), (15, date(2027, 7, 1), None)]
    assert rows(session) == expected


def test_a_limit_with_an_end_stands_before_the_general_one_for_that_time_only(session: Session, filed: int) -> None:
    adopted(session, line(limit=40, starts=date(2027, 2, 1), ends=date(2027, 4, 1)))
    assert [limit_on(session, date(2027, *day)) for day in ((1, 31), (2, 1), (3, 31), (4, 1))] == [30, 40, 40, 30]


def test_an_offices_own_limit_leaves_the_general_one_alone(session: Session, filed: int) -> None:
    adopted(session, line("resolve-food", 15, "food"))
    food = build.office_id(session, "food")
    assert (limit_on(session, LATER, office_id=food), limit_on(session, LATER)) == (15, 30)
    assert rows(session) == [(30, date(2015, 1, 1), None)]


@pytest.mark.parametrize("day", [date(2026, 1, 4), NOW.date() - timedelta(1), NOW.date()])
def test_nothing_begins_in_the_past_of_cases_that_were_filed(session: Session, filed: int, day: date) -> None:
    [fault] = refused(session, line(starts=day))
    assert fault == "line 2: valid_from must be 2026-11-21 or later: cases have been filed, and they keep their limits"
    assert rows(session) == [(30, date(2015, 1, 1), None)]


def test_a_new_system_may_say_what_has_held_all_along(session: Session) -> None:
    adopted(session, line(starts=date(2020, 1, 1)))
    assert rows(session) == [(30, date(2015, 1, 1), date(2020, 1, 1)), (20, date(2020, 1, 1), None)]


def test_a_moment_before_midnight_is_too_late_for_tomorrow(session: Session, filed: int) -> None:
    parsed = parse((HEADER + line(starts=TOMORROW)).encode(), known(session))
    with pytest.raises(BadPolicies):
        adopt(session, parsed.lines, SYSTEM, build.dhaka(2026, 11, 20, 23, 59) + timedelta(seconds=30), "f")
    session.rollback()
    adopt(session, parsed.lines, SYSTEM, build.dhaka(2026, 11, 20, 23, 58), "f")


def test_what_has_not_begun_may_be_corrected_and_what_has_may_only_end(session: Session, filed: int) -> None:
    adopted(session, line(limit=20))
    done = adopted(session, line(limit=25))
    assert [policy.limit for policy in done.corrected] == [25]
    assert rows(session) == [(30, date(2015, 1, 1), LATER), (25, LATER, None)]
    [fault] = refused(session, line(limit=29, starts=date(2015, 1, 1)))
    assert "resolve has held since 2015-01-01: a change must begin on a later day, from 2026-11-21 on" in fault


def test_a_code_keeps_its_meaning(session: Session, filed: int) -> None:
    assert refused(session, line("resolve", 20, "food")) == [
        "line 2: the code resolve is taken by a rule for other cases"
    ]


def test_nobody_can_leave_a_kind_without_a_limit(session: Session, filed: int) -> None:
    source = seeding.GUIDELINES
    ending = f'resolve,resolve,30,working_days,,,,,,2015-01-01,2027-01-01,"{source}"\n'
    [fault] = refused(session, ending)
    assert fault == "line 2: from 2027-01-01 on there would be no resolve limit for all cases; nothing could be filed"
    assert adopted(session, ending, line("resolve-20")).is_change


def test_the_answer_about_a_past_day_is_the_same_before_and_after(session: Session, filed: int) -> None:
    food = build.office_id(session, "food")
    days = [date(2015, 1, 1) + timedelta(days=97 * step) for step in range(46)]
    days = [day for day in days if day <= NOW.date()] + [NOW.date()]
    asked = [PolicyFacts(kind, office) for kind in ("resolve", "acknowledge") for office in (None, food)]

    def answers() -> list[int]:
        return [decide(queries.policies(session), facts, day).policy.id for facts in asked for day in days]

    before = answers()
    adopted(session, line(starts=TOMORROW), line("resolve-food", 15, "food", TOMORROW))
    adopted(session, line(limit=10), line("resolve-food", 12, "food"), now=NOW + timedelta(days=1))
    assert answers() == before
    assert limit_on(session, LATER, office_id=food) == 12


# --- commands -------------------------------------------------------------------------------------------------------


def test_import_list_and_explain(app: Flask, session: Session, filed: int, tmp_path: Path) -> None:
    file = tmp_path / "limits.csv"
    starts = clock.dhaka_date(clock.now(session)) + timedelta(days=2)
    session.rollback()
    file.write_text(HEADER + line(starts=starts) + line("resolve-food", 15, "food", starts))
    dry = invoke(app, "policies", "import", str(file), "--dry-run")
    assert (dry.exit_code, dry.output.splitlines()[-1]) == (0, "Dry run: nothing was changed.")
    assert rows(session) == [(30, date(2015, 1, 1), None)]
    session.rollback()

    done = invoke(app, "policies", "import", str(file))
    assert done.exit_code == 0, done.output
    assert f"new        resolve        resolve: 20 working days for all, from {starts}" in done.output
    assert f"ends       resolve        resolve: 30 working days for all, from 2015-01-01 until {starts}" in done.output
    assert "Nothing new" in invoke(app, "policies", "import", str(file)).output
    assert len(rows(session)) == 2

    listed = invoke(app, "policies", "list", "--on", str(starts)).output
    assert "resolve: 20 working days" in listed and "resolve: 30 working days" not in listed

    explain = ("policy", "explain", "--kind", "resolve", "--office", "food", "--category", "data-correction")
    said = invoke(app, *explain, "--on", str(starts)).output.splitlines()
    assert said[0] == f"On {starts} holds resolve-food: 15 working days for office food, from {starts}"
    assert said[2] == "  why     the most specific: it is for this office"
    assert [each.rsplit(": ", 1)[1] for each in said[3:]] == [
        f"ended on {starts}",
        "fits, but another is more specific",
        "fits, but another is more specific",
    ]
    today = invoke(app, *explain, "--on", str(starts - timedelta(1))).output.splitlines()
    assert "resolve-data-correction: 10 working days" in today[0]
    assert any(each.endswith(f"begins on {starts}") for each in today)


def test_explain_refuses_codes_that_nothing_has_and_days_without_a_limit(app: Flask, session: Session) -> None:
    wrong = invoke(app, "policy", "explain", "--kind", "resolve", "--office", "fod")
    assert (wrong.exit_code, "there is no office fod" in wrong.output) == (2, True)
    before = invoke(app, "policy", "explain", "--kind", "resolve", "--on", "2014-12-31")
    assert (before.exit_code, "No resolve limit holds on 2014-12-31" in before.output) == (1, True)


def test_all_faults_of_a_file_are_printed_and_nothing_changes(app: Flask, session: Session, tmp_path: Path) -> None:
    file = tmp_path / "limits.csv"
    file.write_text(HEADER + line(limit=0) + line(office="nowhere"))
    result = invoke(app, "policies", "import", str(file))
    assert result.exit_code == 1
    assert "line 2: limit must be" in result.output and "line 3: there is no office nowhere" in result.output
    assert session.execute(text("SELECT count(*) FROM audit_entry WHERE stream = 'policies'")).scalar_one() == 0
