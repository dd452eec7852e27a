"""The administrator's page tells what is in force and what is missing."""

from flask import Flask
from sqlalchemy.orm import Session

from grm.deadlines import queries
from grm.deadlines.policies import adopt, known
from grm.deadlines.policy_csv import parse
from grm.kernel import clock
from grm.kernel.actor import SYSTEM
from tests.integration.test_sign_in import post_login


def test_it_shows_what_cases_rest_on_in_both_languages(app: Flask, session: Session) -> None:
    client = app.test_client()
    post_login(client, "admin")
    bangla, english = client.get("/admin?lang=bn").text, client.get("/admin?lang=en").text
    assert "৩৯" in bangla and ">39<" in english
    for word in ("Grievance redress officer", "Whoever holds the case", "Decision"):
        assert word in english
    holiday = next(
        row for on, row in sorted(queries.days_in_force(session).items()) if on >= clock.dhaka_date(clock.now(session))
    )
    assert holiday.name_bn in bangla and holiday.name_en in english


def test_it_warns_when_the_calendar_runs_out(app: Flask, session: Session) -> None:
    client = app.test_client()
    post_login(client, "admin")
    gap = queries.calendar(session).coverage_gap(clock.dhaka_date(clock.now(session)))
    page = client.get("/admin?lang=en").text
    assert ("The calendar is not complete" in page) == bool(gap)


def test_it_shows_limits_with_their_units_conditions_and_dates(app: Flask, session: Session) -> None:
    header = "code,kind,limit,unit,office,tier,valid_from,valid_to,source\n"
    line = "resolve-food,resolve,15,calendar_days,food,gro,2090-01-01,2091-01-01,Charter\n"
    parsed = parse((header + line).encode(), known(session))
    adopt(session, parsed.lines, SYSTEM, clock.now(session), "file")
    session.commit()
    client = app.test_client()
    post_login(client, "admin")
    page = " ".join(client.get("/admin?lang=en").text.split())
    for words in ("30 working days", "1 month", "15 calendar days", "Ministry of Food", "from 1 January 2090"):
        assert words in page, words
    assert "until 1 January 2091" in page
