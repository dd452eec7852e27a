"""The shipped routing rules in a real database: every ministry gets its cases, the check finds every gap."""

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from grm.cli import register
from grm.kernel import clock
from grm.kernel.errors import NotFound
from grm.kernel.transaction import transaction
from grm.offices import edition
from grm.offices.models import Programme
from grm.offices.queries import directory, holders
from grm.routing.models import RoutingRule
from grm.routing.queries import facts_of, rule_book, rules
from grm.routing.rules import Decision, decide
from grm.routing.service import seed

ON = date(2026, 3, 1)
DESK_ROLES = {"gro": "gro", "appeal": "appeal_officer", "cell": "cell_officer"}


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    return register(app).test_cli_runner()


def route(session: Session, programme: str | None, category: str | None, about: str = "none") -> tuple[str, str]:
    known = directory(session)
    decision: Decision = decide(
        rule_book(session),
        facts_of(known, programme=programme, category=category, place="302614", about=about, filed_on=ON),
    )
    return known.office(decision.office_id).code, decision.desk


def test_each_programme_goes_to_its_ministry_by_kind_of_grievance(session: Session) -> None:
    known = directory(session)
    for programme in known.programmes:
        office = known.office_of(programme.ministry_id).code
        for category in known.categories:
            ordinary = "appeal" if category.is_sensitive else "gro"
            assert route(session, programme.slug, category.slug) == (office, ordinary)
            assert route(session, programme.slug, category.slug, "field-office") == (office, ordinary)
            assert route(session, programme.slug, category.slug, "gro") == (office, "appeal")
            for about in ("appeal-officer", "ministry"):
                assert route(session, programme.slug, category.slug, about) == ("cell", "cell")


@pytest.mark.parametrize("about", ["none", "field-office", "gro", "appeal-officer", "ministry"])
def test_what_no_rule_knows_goes_to_triage(session: Session, about: str) -> None:
    assert route(session, None, None, about) == ("cell", "cell")
    assert route(session, "never-heard-of-it", "bribe-demand", about) == ("cell", "cell")


def test_somebody_sits_at_every_desk_also_of_ministries_without_a_programme(session: Session) -> None:
    known = directory(session)
    offices = {known.office_of(ministry.id).id: ministry.slug for ministry in known.ministries}
    for post in holders(session, offices, ON):
        if post.role in ("gro", "appeal_officer"):
            assert post.acting, offices.pop(post.office_id)
    (cell,) = [p for p in holders(session, [known.cell.id], ON) if p.role == "cell_officer"]
    assert cell.acting


def test_facts_come_from_the_innermost_place(session: Session) -> None:
    known = directory(session)
    where = {"programme": "vwb", "category": "bribe-demand", "about": "none", "filed_on": ON}
    upazila = facts_of(known, place="404147", **where)  # type: ignore[arg-type]
    assert (upazila.division, upazila.district, upazila.upazila) == ("40", "4041", "404147")
    assert upazila.sensitivity == "sensitive"
    city = facts_of(known, place="3026-CC1", **where)  # type: ignore[arg-type]
    assert (city.division, city.district, city.upazila) == ("30", "3026", "3026-CC1")
    district = facts_of(known, place="4041", **where)  # type: ignore[arg-type]
    assert (district.district, district.upazila) == ("4041", None)
    division = facts_of(known, place="40", **where)  # type: ignore[arg-type]
    assert (division.division, division.district, division.upazila) == ("40", None, None)
    nowhere = facts_of(known, place=None, programme=None, category=None, about="none", filed_on=ON)
    assert (nowhere.division, nowhere.district, nowhere.sensitivity) == (None, None, None)
    with pytest.raises(NotFound):
        facts_of(known, place="9999", **where)  # type: ignore[arg-type]


# --- the seed -------------------------------------------------------------------------------------------------------


def test_seeding_again_writes_nothing(session: Session) -> None:
    before = edition.current(session)
    with transaction() as act:
        report = seed(act.session, act.now)
    assert (report.created, report.ended, report.left) == (0, (), ())
    assert edition.current(session) == before
    assert len(rules(session)) == 58 * 5 + 3


def test_a_programme_that_moves_is_routed_by_the_old_rule_until_that_day(session: Session) -> None:
    known = directory(session)
    today = clock.dhaka_date(clock.now(session))
    with transaction() as act:
        act.session.execute(
            update(Programme).where(Programme.slug == "vwb").values(ministry_id=known.ministry("food").id)
        )
        edition.bump(act.session)
        report = seed(act.session, act.now)
    assert report.created == len(report.ended) == 5
    facts = {"programme": "vwb", "category": "data-correction", "place": "3026", "about": "none"}
    offices = [
        known.office(decide(rule_book(session), facts_of(known, filed_on=day, **facts)).office_id).code  # type: ignore[arg-type]
        for day in (today - timedelta(days=1), today)
    ]
    assert offices == ["women-children-affairs", "food"]
    with transaction() as act:  # and back on the same day
        act.session.execute(
            update(Programme)
            .where(Programme.slug == "vwb")
            .values(ministry_id=known.ministry("women-children-affairs").id)
        )
        edition.bump(act.session)
        assert seed(act.session, act.now).created == 5
        assert seed(act.session, act.now).created == 0
    assert (
        known.office(
            decide(rule_book(session), facts_of(known, filed_on=today, **facts)).office_id  # type: ignore[arg-type]
        ).code
        == "women-children-affairs"
    )


def test_a_rule_ended_by_hand_stays_ended(session: Session) -> None:
    with transaction() as act:
        act.session.execute(update(RoutingRule).where(RoutingRule.code == "vwb.normal").values(valid_to=ON))
        edition.bump(act.session)
        report = seed(act.session, act.now)
    assert (report.created, report.left) == (0, ("vwb.normal",))


# --- routing check --------------------------------------------------------------------------------------------------


def test_the_check_proves_all_combinations(runner: FlaskCliRunner) -> None:
    done = runner.invoke(args=["routing", "check"])
    assert done.exit_code == 0, done.output
    assert "278400 combinations" in done.output  # 58 × 15 × 64, for each of five kinds of accused
    assert "58 programmes × 15 categories × 64 districts × 5 kinds of accused" in done.output
    assert "(0 gaps, 0 overlaps, " in done.output


def test_the_check_finds_a_removed_rule(runner: FlaskCliRunner, session: Session) -> None:
    session.execute(text("DELETE FROM routing_rule WHERE code = 'old-age-allowance.normal'"))
    edition.bump(session)
    session.commit()
    done = runner.invoke(args=["routing", "check"])
    assert done.exit_code == 1
    # 10 ordinary categories in 64 districts; complaints about a field office have a rule of their own.
    assert "old-age-allowance: only triage takes it (640 combinations; 64 districts; " in done.output
    assert "(1 gaps, 0 overlaps, " in done.output


def test_the_check_finds_an_overlapping_rule(runner: FlaskCliRunner, session: Session) -> None:
    columns = [column.name for column in RoutingRule.__table__.columns if column.name not in ("id", "code")]
    twin = session.execute(
        select(*(RoutingRule.__table__.c[name] for name in columns)).where(RoutingRule.code == "oms.normal")
    ).one()
    session.execute(insert(RoutingRule).values(**twin._mapping, code="oms.twin"))
    edition.bump(session)
    session.commit()
    done = runner.invoke(args=["routing", "check"])
    assert done.exit_code == 1
    assert "OVERLAP  oms.normal and oms.twin" in done.output
    assert "(0 gaps, 1 overlaps, " in done.output


def test_the_check_finds_a_queue_that_does_not_exist(runner: FlaskCliRunner, session: Session) -> None:
    session.execute(
        text(
            "UPDATE post SET valid_to = '2026-01-01' WHERE role = 'gro' AND office_id = "
            "(SELECT id FROM office WHERE code = 'food')"
        )
    )
    session.commit()
    done = runner.invoke(args=["routing", "check", "--on", "2026-03-01"])
    assert done.exit_code == 1
    assert "oms: office food has no desk gro" in done.output


def test_a_check_for_a_day_in_the_future(runner: FlaskCliRunner, session: Session) -> None:
    session.execute(text("UPDATE routing_rule SET valid_to = '2030-01-01' WHERE code = 'triage'"))
    session.execute(text("UPDATE routing_rule SET valid_to = '2030-01-01' WHERE code = 'oms.sensitive'"))
    edition.bump(session)
    session.commit()
    assert runner.invoke(args=["routing", "check", "--on", "2029-12-31"]).exit_code == 0
    later = runner.invoke(args=["routing", "check", "--on", "2030-01-01"])
    assert later.exit_code == 1 and "oms: no rule fits" in later.output
    assert "is no date" in runner.invoke(args=["routing", "check", "--on", "soon"]).output


# --- routing explain ------------------------------------------------------------------------------------------------

EXPLAIN = ["routing", "explain", "--programme", "widow allowance", "--category", "ঘুষ", "--district", "Jessore"]


def test_explain_names_office_rule_and_why_not_the_others(runner: FlaskCliRunner) -> None:
    done = runner.invoke(args=[*EXPLAIN, "--upazila", "Jashore Sadar", "--on", "2026-03-01"])
    assert done.exit_code == 0, done.output
    for line in (
        "Programme  widow-allowance (Allowance for Widow and Husband-deserted Women)",
        "Category   bribe-demand (Bribe or fee demanded; sensitive)",
        "Place      Jashore Sadar (404147), Jashore (4041), Khulna (40)",
        "Queue      social-welfare, desk appeal: Ministry of Social Welfare / সমাজকল্যাণ মন্ত্রণালয়",
        "Decided by widow-allowance.sensitive: sensitivity = sensitive, programme = widow-allowance",
        "  triage: fits, but is less specific: takes what no other rule takes",
        "  widow-allowance.normal: does not fit, another sensitivity",
        "  57 more: do not fit, another programme",
    ):
        assert line + "\n" in done.output
    assert "Held by    " in done.output and "Appeal Officer" in done.output


def test_explain_knows_whom_the_complaint_is_about(runner: FlaskCliRunner) -> None:
    about = runner.invoke(args=[*EXPLAIN, "--about", "appeal-officer"]).output
    assert "Queue      cell, desk cell: Central Grievance Cell, Cabinet Division" in about
    unknown = runner.invoke(args=["routing", "explain", "--programme", "unknown", *EXPLAIN[4:]]).output
    assert "Decided by triage: takes what no other rule takes" in unknown


@pytest.mark.parametrize(
    ("option", "typed", "message"),
    [
        ("--programme", "widow alowance", "There is no programme 'widow alowance'. Did you mean widow-allowance"),
        ("--category", "brib", "There is no category 'brib'. Did you mean bribe-demand"),
        ("--district", "Jasore", "There is no district 'Jasore'. Did you mean 4041 (Jashore)"),
        ("--district", "Dhamrai", "There is no district 'Dhamrai'."),
        ("--upazila", "Savar", "There is no upazila 'Savar'."),
        ("--upazila", "sadar", "There is no upazila 'sadar'. Did you mean 404147 (Jashore Sadar)?"),
        ("--on", "2026-02-30", "'2026-02-30' is no date"),
    ],
)
def test_explain_helps_with_names_it_does_not_know(
    runner: FlaskCliRunner, option: str, typed: str, message: str
) -> None:
    done = runner.invoke(args=[*EXPLAIN, option, typed])
    assert done.exit_code == 1
    assert message in done.output


def test_a_name_that_several_have_asks_for_the_code(runner: FlaskCliRunner, session: Session) -> None:
    session.execute(text("UPDATE category SET name_en = 'Same' WHERE slug IN ('bribe-demand', 'work-wage')"))
    edition.bump(session)
    session.commit()
    done = runner.invoke(args=[*EXPLAIN, "--category", "same"])
    assert "'same' may mean several: work-wage, bribe-demand. Give the code." in done.output


def test_rules_are_counted_once_by_code(session: Session) -> None:
    assert session.scalar(select(func.count(func.distinct(RoutingRule.code)))) == len(rules(session))
