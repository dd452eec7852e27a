"""The administrator's page tells what is in force and what is missing."""

from flask import Flask
from sqlalchemy.orm import Session

from grm.deadlines import queries
from grm.kernel import clock
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
