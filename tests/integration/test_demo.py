"""The demo: right cases, the same for a seed, once, and nothing sent."""

from collections import Counter
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from grm import cli
from grm.cases.models import Case, CaseEvent
from grm.cases.states import Status
from grm.deadlines.calendar import dhaka_midnight
from grm.deadlines.models import Deadline
from grm.demo import wording
from grm.demo.play import Played, play
from grm.escalation.models import Escalation
from grm.escalation.sweep import sweep
from grm.kernel import clock
from grm.kernel.text import bangla_digits
from grm.notifications.models import Attempt, Message
from grm.offices.queries import directory

CASES = 200


def fingerprint(session: Session) -> list[tuple[Any, ...]]:
    columns = (Case.tracking_number, Case.status, Case.level, Case.filed_at, Case.details, Case.history_length)
    return [tuple(row) for row in session.execute(select(*columns).order_by(Case.tracking_number))]


def test_a_demo_of_200(app: Flask, session: Session) -> None:
    today = clock.dhaka_date(clock.now(session))
    played = play(CASES, 7, today)
    check_every_case_is_right(app, session, played)
    check_everything_occurs(session)
    check_no_message_waits_or_was_sent(session, played)
    check_a_second_run_adds_nothing(app, session)


def check_every_case_is_right(app: Flask, session: Session, played: Played) -> None:
    assert played.cases == CASES == session.scalar(select(func.count()).select_from(Case))
    result = cli.register(app).test_cli_runner().invoke(args=["audit", "verify"])
    assert result.exit_code == 0 and f"{CASES} cases" in result.output, result.output

    midnight = dhaka_midnight(clock.dhaka_date(clock.now(session)))
    assert session.scalar(select(func.max(CaseEvent.at))) <= midnight
    assert session.scalar(select(func.min(Case.filed_at))) > midnight - timedelta(days=366)
    assert sweep(as_of=midnight).is_empty, "the sweeps of the demo have climbed everything"
    late_events = session.execute(
        text(
            "SELECT count(*) FROM case_event e JOIN case_event n ON n.case_id = e.case_id AND n.seq = e.seq + 1 WHERE n.at < e.at"
        )
    ).scalar_one()
    assert late_events == 0, "history goes on in time"
    for escalated_at, due_at, filed_at in session.execute(
        select(Escalation.escalated_at, Escalation.due_at, Case.filed_at).join(Case, Case.id == Escalation.case_id)
    ):
        # A paper entered days after it was received may be late for its first look on the day it is entered.
        first_midnight = dhaka_midnight(clock.dhaka_date(filed_at) + timedelta(days=1))
        assert escalated_at == max(due_at, first_midnight), "each rung is climbed at its own midnight"


def check_everything_occurs(session: Session) -> None:
    cases = session.scalars(select(Case)).all()
    book = directory(session)
    assert {case.status for case in cases} == {status.value for status in Status}
    assert {case.district_id for case in cases} == {district.id for district in book.districts}
    assert {case.category_id for case in cases} == {category.id for category in book.categories}
    assert {case.programme_id for case in cases} - {None} == {programme.id for programme in book.programmes}
    been_at = {case.office_id for case in cases}
    for event in session.scalars(select(CaseEvent).where(CaseEvent.kind.in_(("filed", "referred")))):
        been_at |= {event.data.get("office_id"), event.data.get("to_office_id"), event.data.get("from_office_id")}
    assert {book.office_of(ministry.id).id for ministry in book.ministries} <= been_at
    assert {case.channel for case in cases} == {
        "web",
        "assisted",
        "paper",
        "call_centre",
        "letter",
        "email",
        "suo_motu",
    }
    assert {case.level for case in cases if case.is_open} == {0, 1, 2, 3}
    assert {case.language for case in cases} == {"bn", "en"}
    assert any(case.is_anonymous for case in cases) and any(case.has_accused for case in cases)
    assert any(case.is_sensitive for case in cases) and any(case.desk == "cell" for case in cases)
    assert set(session.scalars(select(Deadline.state))) == {"running", "paused", "met", "breached"}
    resolved = [case for case in cases if case.status in ("resolved", "closed")]
    assert {case.ended_at < case.due_at for case in resolved if case.ended_at} == {True, False}
    assert (
        session.scalar(
            select(func.count()).where(
                Escalation.level == 0, Escalation.deadline_id == Deadline.id, Deadline.kind == "resolve"
            )
        )
        > 0
    )


def check_no_message_waits_or_was_sent(session: Session, played: Played) -> None:
    states = Counter(session.scalars(select(Message.state)))
    assert set(states) <= {"delivered", "expired", "failed"} and states["delivered"] > CASES
    assert played.messages == states.total() == session.scalar(select(func.count()).select_from(Attempt))
    assert session.scalar(select(func.count()).where(Message.body.is_(None))) == 0
    assert session.scalar(select(func.max(Message.ended_at))) <= clock.now(session)


def check_a_second_run_adds_nothing(app: Flask, session: Session) -> None:
    before = fingerprint(session)
    session.rollback()
    result = cli.register(app).test_cli_runner().invoke(args=["demo", "--cases", str(CASES), "--seed", "7", "--force"])
    assert result.exit_code == 0 and "nothing was added" in result.output, result.output
    assert fingerprint(session) == before


def test_a_seed_is_the_same_in_another_database_and_another_seed_is_not(session: Session) -> None:
    today = clock.dhaka_date(clock.now(session))
    session.rollback()
    play(25, 7, today)
    first = fingerprint(session)
    session.rollback()
    session.execute(text("SET session_replication_role = replica"))
    session.execute(text("TRUNCATE cases, submission, case_event, case_text, message, attempt, deadline CASCADE"))
    session.execute(text("SET session_replication_role = origin"))
    session.commit()
    play(25, 7, today)
    assert fingerprint(session) == first
    session.rollback()
    assert play(30, 7, today).cases == 5, "more of the same seed adds the rest"
    assert play(10, 8, today).cases == 10, "another seed adds its own"


def test_only_in_development_unless_forced(app: Flask, session: Session) -> None:
    result = (
        cli.register(app).test_cli_runner().invoke(args=["demo", "--cases", "1"])
    )  # the suite's environment is "test"
    assert result.exit_code == 1 and "--force" in result.output
    assert session.scalar(select(func.count()).select_from(Case)) == 0


def test_the_words_cover_every_programme_and_category(session: Session) -> None:
    book = directory(session)
    assert set(wording.weights()) == {programme.slug for programme in book.programmes}
    for language in ("bn", "en"):
        problems = wording._read(f"complaints_{language}")["problem"]
        assert set(problems) == {category.slug for category in book.categories}


def test_numbers_are_written_as_people_write_them() -> None:
    assert wording._number(1234567, is_bangla=False) == "12,34,567"
    assert wording._number(950, is_bangla=True) == bangla_digits("950")
