"""What follows from an event: who is told what on which channel, once, and never what the case is about."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as sa_event
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cases import events
from grm.cases.models import Case
from grm.escalation.events import LadderClimbed
from grm.kernel import clock, context
from grm.kernel.db import db
from grm.kernel.events import Event
from grm.kernel.transaction import transaction
from grm.notifications.models import Message
from grm.notifications.queries import messages_of_case, outbox_health, outbox_lag
from grm.notifications.service import address_context
from tests.support import build
from tests.support.climbs import DUE_ON, climb
from tests.support.outbox import PHONE, later


@pytest.fixture
def now(session: Session) -> datetime:
    return clock.now(session)


def tell(*facts: Event, now: datetime | None = None) -> None:
    """Record events as a service would, in a transaction of their own."""
    with transaction(now) as act:
        for fact in facts:
            act.record(fact)


@dataclass(frozen=True)
class Sent:
    """A message row as tests compare it."""

    template: str
    channel: str
    to: str


def sent(session: Session) -> list[Sent]:
    session.rollback()
    session.expire_all()
    found = []
    for message in session.scalars(select(Message).order_by(Message.id)):
        to = f"officer {message.officer_id}" if message.officer_id else opened(message)
        found.append(Sent(message.template, message.channel, to))
    return found


def opened(message: Message) -> str:
    return context.keyring().open(message.address_sealed or b"", address_context(message.key))


def of(case: Case, kind: type[events.CaseFact], **changes: Any) -> Any:
    """An event about a case."""
    facts = {
        "case_id": case.id,
        "tracking_number": case.tracking_number,
        "is_sensitive": case.is_sensitive,
        "office_id": case.office_id,
        "desk": case.desk,
    }
    return kind(**(facts | changes))


def filed(case: Case, phone: str | None = PHONE, email: str | None = None, preferred: str = "sms") -> events.CaseFiled:
    made: events.CaseFiled = of(
        case, events.CaseFiled, language="bn", preferred_channel=preferred, phone=phone, email=email, due_on=DUE_ON
    )
    return made


def a_case(session: Session, **columns: Any) -> Case:
    case = build.case(session, **columns)
    session.commit()
    return case


# --- complainants -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preferred", "phone", "email", "expected"),
    [
        ("sms", PHONE, "a@example.org", ("sms", PHONE)),
        ("email", PHONE, "a@example.org", ("email", "a@example.org")),
        ("email", PHONE, None, ("sms", PHONE)),
        ("sms", None, "a@example.org", ("email", "a@example.org")),
        ("none", PHONE, "a@example.org", None),
        ("sms", None, None, None),
    ],
)
def test_acknowledgement_goes_where_the_complainant_wants_it(
    session: Session, preferred: str, phone: str | None, email: str | None, expected: tuple[str, str] | None
) -> None:
    case = a_case(session)
    tell(filed(case, phone, email, preferred))
    assert sent(session) == ([Sent("case-filed-complainant", *expected)] if expected else [])


def test_the_same_fact_twice_makes_one_message(session: Session) -> None:
    case = a_case(session)
    tell(filed(case), filed(case))
    tell(filed(case))
    assert len(sent(session)) == 1


def test_the_row_holds_no_address_in_clear_and_no_secret(session: Session) -> None:
    case = a_case(session)
    tell(filed(case))
    row = session.execute(text("SELECT * FROM message")).one()._asdict()
    assert row["params"] == {"tracking_number": case.tracking_number, "due_on": "2026-02-18"}
    assert row["body"] is None and PHONE[4:] not in str({**row, "address_sealed": None})


def test_message_and_act_commit_together_or_not_at_all(session: Session) -> None:
    case = a_case(session)

    def act_that_breaks() -> None:
        with transaction() as act:
            act.record(filed(case))
            act.run_reactions()
            raise RuntimeError("after the message was inserted")

    with pytest.raises(RuntimeError):
        act_that_breaks()
    assert sent(session) == []


@pytest.mark.parametrize(
    ("kind", "more", "template"),
    [
        (events.QuestionAsked, {"answer_by_on": DUE_ON}, "case-question-complainant"),
        (events.CaseResolved, {"outcome": "answered", "confirm_by_on": DUE_ON}, "case-resolved-complainant"),
        (events.CaseDeclined, {"reason_code": "before_court"}, "case-declined-complainant"),
        (events.CaseClosed, {}, "case-closed-complainant"),
    ],
)
def test_complainants_hear_of_what_happens(
    session: Session, kind: type[events.CaseFact], more: dict[str, Any], template: str
) -> None:
    case = a_case(session, email="a@example.org", preferred_channel="email", language="en")
    tell(of(case, kind, **more))
    assert sent(session) == [Sent(template, "email", "a@example.org")]
    assert session.scalars(select(Message.language)).all() == ["en"]


def test_a_second_question_is_a_second_message(session: Session) -> None:
    case = a_case(session)
    tell(of(case, events.QuestionAsked, answer_by_on=DUE_ON))
    session.execute(text("UPDATE cases SET history_length = history_length + 1"))
    session.commit()
    tell(of(case, events.QuestionAsked, answer_by_on=DUE_ON))
    assert [each.template for each in sent(session)] == ["case-question-complainant"] * 2


def test_anonymous_cases_send_nothing_even_if_an_address_had_slipped_in(session: Session) -> None:
    case = a_case(session, is_anonymous=True, phone=PHONE)
    tell(
        of(case, events.QuestionAsked, answer_by_on=DUE_ON),
        of(case, events.CaseResolved, outcome="answered", confirm_by_on=DUE_ON),
        LadderClimbed((climb(case, 1, None),)),
    )
    assert sent(session) == []


def test_a_sensitive_case_says_only_that_there_is_a_message(session: Session) -> None:
    case = a_case(session, is_sensitive=True)
    officer = build.officer_id(session, "appeal.social-welfare")
    tell(
        filed(case),
        of(case, events.QuestionAsked, answer_by_on=DUE_ON),
        of(case, events.CaseAssigned, officer_id=officer, is_claim=False),
        LadderClimbed((climb(case, 3, officer),)),
    )
    rows = session.execute(text("SELECT template, params FROM message ORDER BY id")).all()
    assert len(rows) == 5
    assert {row.template for row in rows} == {"sensitive-notice-complainant", "sensitive-notice-officer"}
    assert all(row.params == {} for row in rows), "not even the number"


# --- officers ---------------------------------------------------------------------------------------------------


def test_an_officer_who_is_given_a_case_hears_of_it_and_who_takes_one_does_not(session: Session) -> None:
    case = a_case(session)
    officer = build.officer_id(session, "officer.social-welfare")
    tell(of(case, events.CaseAssigned, officer_id=officer, is_claim=True))
    assert sent(session) == []
    tell(of(case, events.CaseAssigned, officer_id=officer, is_claim=False))
    assert sent(session) == [Sent("case-assigned-officer", "email", f"officer {officer}")]


def test_an_answer_goes_to_the_officer_or_else_to_the_desk(session: Session) -> None:
    case = a_case(session)
    officer, gro = (build.officer_id(session, name) for name in ("officer.social-welfare", "gro.social-welfare"))
    tell(of(case, events.ComplainantAnswered, officer_id=officer, due_on=DUE_ON))
    session.execute(text("UPDATE cases SET history_length = history_length + 1"))
    session.commit()
    tell(of(case, events.ComplainantAnswered, officer_id=None, due_on=DUE_ON))
    assert [each.to for each in sent(session)] == [f"officer {officer}", f"officer {gro}"]


def test_a_referral_is_told_to_the_new_desk_and_to_the_complainant(session: Session) -> None:
    office = other_office(session)
    case = a_case(session, office=office)
    old = build.office_id(session)
    tell(of(case, events.CaseReferred, from_office_id=old, to_office_id=office))
    told = sent(session)
    assert told[0] == Sent("case-referred-complainant", "sms", PHONE)
    holder = session.execute(
        text(
            "SELECT p.officer_id FROM posting p JOIN post ON post.id = p.post_id"
            " WHERE post.office_id = :office AND post.role = 'gro' AND NOT p.is_alternate AND p.ends_on IS NULL"
        ),
        {"office": office},
    ).scalar_one()
    assert told[1:] == [Sent("case-referred-officer", "email", f"officer {holder}")]


def other_office(session: Session) -> int:
    return int(
        session.execute(
            text("SELECT id FROM office WHERE kind = 'ministry' AND id <> :own ORDER BY id LIMIT 1"),
            {"own": build.office_id(session)},
        ).scalar_one()
    )


def test_who_the_grievance_is_against_hears_nothing(session: Session) -> None:
    gro = build.officer_id(session, "gro.social-welfare")
    case = a_case(session, accused_officers=[gro])
    tell(of(case, events.ComplainantAnswered, officer_id=None, due_on=DUE_ON))
    by_office = a_case(session, accused_office=build.office_id(session))
    tell(of(by_office, events.ComplainantAnswered, officer_id=None, due_on=DUE_ON))
    assert sent(session) == []


def test_nobody_is_told_at_an_empty_chair(session: Session) -> None:
    office, _ = build.office(session, ("case_officer",))
    case = a_case(session, office=office)
    tell(of(case, events.ComplainantAnswered, officer_id=None, due_on=DUE_ON))
    assert sent(session) == []


# --- the ladder -------------------------------------------------------------------------------------------------


def test_the_top_is_told_at_once_and_everybody_else_by_digest(session: Session) -> None:
    case = a_case(session, preferred_channel="none")
    gro = build.officer_id(session, "gro.social-welfare")
    tell(LadderClimbed((climb(case, 0, gro), climb(case, 0, gro, kind="acknowledge"))))
    to = f"officer {gro}"
    assert sent(session) == [Sent("digest-officer", "email", to)]
    tell(LadderClimbed((climb(case, 1, gro), climb(case, 2, gro), climb(case, 3, gro))))
    assert sent(session) == [
        Sent("digest-officer", "email", to),
        Sent("digest-officer", "sms", to),
        Sent("case-escalated-officer", "email", to),
        Sent("case-escalated-officer", "sms", to),
    ]


def test_the_complainant_hears_once_that_the_case_is_late(session: Session) -> None:
    case = a_case(session)
    tell(LadderClimbed((climb(case, 1, None),)))
    tell(LadderClimbed((climb(case, 1, None), climb(case, 2, None))))
    tell(LadderClimbed((climb(case, 1, None, kind="acknowledge"),)))
    assert sent(session) == [Sent("case-late-complainant", "sms", PHONE)]


def test_the_same_climb_twice_makes_one_message_a_channel(session: Session) -> None:
    case = a_case(session, preferred_channel="none")
    gro = build.officer_id(session, "gro.social-welfare")
    for _ in range(3):
        tell(LadderClimbed((climb(case, 1, gro), climb(case, 3, gro), climb(case, 3, gro))))
    assert len(sent(session)) == 4
    assert session.execute(text("SELECT count(*) FROM digest_item")).scalar_one() == 2


def test_a_sweep_that_looks_ahead_sends_now(session: Session, now: datetime) -> None:
    case = a_case(session)
    tell(LadderClimbed((climb(case, 1, build.officer_id(session, "gro.social-welfare")),)), now=later(now, days=60))
    rows = session.execute(text("SELECT next_attempt_at, created_at, expires_at FROM message")).all()
    assert len(rows) == 3
    assert all(row.next_attempt_at <= later(now, minutes=1) and row.expires_at > later(now, days=2) for row in rows)


def test_a_past_that_is_played_back_sends_nothing_late(session: Session, now: datetime) -> None:
    case = a_case(session)
    tell(LadderClimbed((climb(case, 1, None),)), now=later(now, days=-60))
    assert session.execute(text("SELECT count(*) FROM message WHERE expires_at < :now"), {"now": now}).scalar_one() == 1


def test_in_production_an_escalation_wakes_nobody(app: Flask, session: Session) -> None:
    case = a_case(session)
    gro = build.officer_id(session, "gro.social-welfare")
    night = build.dhaka(2026, 2, 19, 0)
    own = context.settings()
    app.extensions[context.SETTINGS] = replace(own, grm_env="production")
    try:
        tell(LadderClimbed((climb(case, 1, gro), climb(case, 3, gro))), now=night)
    finally:
        app.extensions[context.SETTINGS] = own
    rows = session.execute(text("SELECT template, channel, next_attempt_at FROM message ORDER BY id")).all()
    times = {(row.template.rpartition("-")[0], row.channel): row.next_attempt_at for row in rows}
    morning = build.dhaka(2026, 2, 19, 8)
    assert times == {
        ("digest", "email"): morning,
        ("digest", "sms"): morning,
        ("case-escalated", "email"): night,
        ("case-escalated", "sms"): morning,
        ("case-late", "sms"): morning,
    }


@pytest.fixture
def statements(app: Flask, session: Session) -> Iterator[list[str]]:
    """Every statement sent to the database from here on."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sa_event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    sa_event.remove(db.engine, "before_cursor_execute", note)


def test_any_number_of_climbs_takes_the_same_statements(session: Session, statements: list[str]) -> None:
    gro = build.officer_id(session, "gro.social-welfare")
    cases = [build.case(session) for _ in range(40)]
    session.commit()
    counts = []
    for batch in (cases[:1], cases[1:]):
        climbs = tuple(climb(case, 1, gro) for case in batch)
        statements.clear()
        tell(LadderClimbed(climbs))
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 7, statements
    assert len(sent(session)) == 40 + 2, "one digest a channel, and each complainant is told"
    assert session.execute(text("SELECT count(*) FROM digest_item")).scalar_one() == 2 * 40


def test_filing_takes_one_statement_for_its_message(session: Session, statements: list[str], now: datetime) -> None:
    fact = filed(a_case(session))
    statements.clear()
    tell(fact, now=now)
    assert len(statements) == 1


# --- reading ----------------------------------------------------------------------------------------------------


def test_the_case_page_shows_who_was_told_what_and_how_it_went(session: Session) -> None:
    case = a_case(session)
    gro = build.officer_id(session, "gro.social-welfare")
    tell(filed(case))
    tell(LadderClimbed((climb(case, 1, gro), climb(case, 3, gro))))
    session.execute(
        text("UPDATE message SET state = 'failed', ended_at = created_at, error = 'not-delivered err:5' WHERE id = 1")
    )
    session.commit()
    lines = messages_of_case(session, case.id)
    assert [line.channel for line in lines] == ["sms", "email", "sms", "email", "sms", "sms"]
    assert {line.subject for line in lines if "পর্যায় ১" in line.subject} == {"দৈনিক সারসংক্ষেপে: পর্যায় ১-এ উন্নীত"}
    assert lines[0].recipient == "অভিযোগকারী" and lines[0].error == "ফোনে পৌঁছানো যায়নি (err:5)"
    assert lines[1].recipient != lines[0].recipient and lines[1].error == ""
    assert PHONE not in str(lines)


def test_outbox_lag_grows_with_the_oldest_due_message(session: Session, now: datetime) -> None:
    assert outbox_lag(session, now).total_seconds() == 0
    case = a_case(session)
    tell(filed(case), now=now)
    assert outbox_lag(session, later(now, seconds=90)).total_seconds() == 90
    assert outbox_health(session, later(now, minutes=4)).is_well
    unwell = outbox_health(session, later(now, minutes=6))
    assert not unwell.is_well and unwell.detail["lag_seconds"] == 360
    session.execute(text("UPDATE message SET state = 'accepted'"))
    assert outbox_health(session, later(now, minutes=6)).is_well
