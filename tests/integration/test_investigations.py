"""Investigations and the one extension they allow."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import investigations, service
from grm.cases.models import Case, CaseEvent, CaseText
from grm.deadlines.explain import explain_case
from grm.deadlines.models import DeadlinePolicy, Extension
from grm.deadlines.queries import calendar
from grm.escalation.sweep import sweep
from grm.kernel.actor import Actor, complainant
from grm.kernel.errors import IllegalAction, InvalidInput, NotFound
from grm.notifications.models import Message
from grm.offices import edition
from tests.support import build

FILED = build.dhaka(2026, 1, 4)
NOW = build.dhaka(2026, 1, 6, 11)
TEXT = "হিসাব নম্বর মিলিয়ে দেখতে ব্যাংকের চিঠির অপেক্ষা।"


@pytest.fixture
def gro(session: Session) -> Actor:
    return build.actor(session, "gro.social-welfare")


@pytest.fixture
def clerk(session: Session) -> Actor:
    return build.actor(session, "officer.social-welfare")


@pytest.fixture
def appeal(session: Session) -> Actor:
    return build.actor(session, "appeal.social-welfare")


@pytest.fixture
def filed(session: Session) -> Case:
    row = build.case(session, filed_at=FILED)
    session.commit()
    return row


def begin(session: Session, gro: Actor, number: str, officer_ids: list[int | None]) -> None:
    """The GRO asks, and the appeal officer permits: the ministries here have no head."""
    investigations.start_investigation(gro, number, None, officer_ids, TEXT, now=NOW)
    appeal = build.actor(session, "appeal.social-welfare")
    session.rollback()
    investigations.permit_investigation(appeal, number, None, "approve", now=NOW)


@pytest.fixture
def investigated(session: Session, filed: Case, gro: Actor, clerk: Actor) -> str:
    """A case that a case officer handles and investigates."""
    service.assign_case(gro, filed.tracking_number, None, clerk.officer_id, now=NOW)
    begin(session, gro, filed.tracking_number, [clerk.officer_id])
    return filed.tracking_number


def last(session: Session, row: Case) -> CaseEvent:
    session.rollback()
    found = select(CaseEvent).where(CaseEvent.case_id == row.id).order_by(CaseEvent.seq.desc()).limit(1)
    return session.scalars(found).one()


def texts(session: Session, row: Case) -> dict[str, str | None]:
    rows = session.execute(select(CaseText.field, CaseText.body).where(CaseText.case_id == row.id))
    return {row.field: row.body for row in rows}


def told(session: Session, template: str) -> set[int | None]:
    session.rollback()
    return set(session.scalars(select(Message.officer_id).where(Message.template == template)))


def why_not(act: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(IllegalAction) as caught:
        act(*args, **more)
    return caught.value.code


def test_an_investigation_has_a_clock_that_its_report_meets(
    session: Session, filed: Case, gro: Actor, clerk: Actor
) -> None:
    number = filed.tracking_number
    begin(session, gro, number, [clerk.officer_id, None, gro.officer_id])
    session.refresh(filed)
    assert (filed.status, filed.acknowledged_at, filed.due_on) == ("in_progress", NOW, date(2026, 2, 18))
    clock = build.deadline(session, filed.id, "investigate")
    assert clock.due_on == calendar(session).add_working_days(date(2026, 1, 6), 20)
    event = last(session, filed)
    assert event.kind == "investigation_started"
    assert event.data["investigator_ids"] == [clerk.officer_id, gro.officer_id]
    assert texts(session, filed) == {"reason": TEXT}
    assert told(session, "case-investigation-officer") == {clerk.officer_id, gro.officer_id}
    assert (
        why_not(investigations.start_investigation, gro, number, 3, [gro.officer_id], TEXT) == "already-investigating"
    )
    investigations.report_investigation(clerk, number, None, "নম্বর ভুল ছিল", now=NOW + timedelta(days=3))
    assert build.deadline(session, filed.id, "investigate").state == "met"
    assert why_not(investigations.report_investigation, gro, number, None, TEXT) == "not-investigating"
    assert build.deadline(session, filed.id).state == "running"


def test_who_investigates_reports_also_without_holding_the_case(
    session: Session, filed: Case, gro: Actor, clerk: Actor
) -> None:
    number = filed.tracking_number
    service.claim_case(gro, number, None, now=NOW)
    begin(session, gro, number, [gro.officer_id])
    assert why_not(investigations.report_investigation, clerk, number, None, TEXT, now=NOW) == "claim-first"
    investigations.report_investigation(gro, number, None, TEXT, now=NOW)
    begin(session, gro, number, [clerk.officer_id])
    investigations.report_investigation(clerk, number, None, TEXT, now=NOW)
    assert told(session, "case-reported-officer") == {gro.officer_id}


@pytest.mark.parametrize("chosen", [[], [None, None, None], ["stranger"], ["gro", "stranger"]])
def test_only_officers_of_the_office_investigate(
    session: Session, filed: Case, gro: Actor, chosen: list[str | None]
) -> None:
    known = {"gro": gro.officer_id, "stranger": build.actor(session, "gro.food").officer_id, None: None}
    with pytest.raises(InvalidInput) as caught:
        investigations.start_investigation(gro, filed.tracking_number, 1, [known[each] for each in chosen], "", now=NOW)
    assert set(caught.value.fields) == {"member_1", "reason"}


def test_nobody_investigates_himself_or_a_superior(session: Session, appeal: Actor, gro: Actor, clerk: Actor) -> None:
    assert gro.officer_id is not None
    row = build.case(session, filed_at=FILED, desk="appeal", accused_officers=[gro.officer_id])
    session.commit()
    for officer in (gro, clerk):
        with pytest.raises(InvalidInput):
            investigations.start_investigation(appeal, row.tracking_number, 1, [officer.officer_id], TEXT, now=NOW)
    investigations.start_investigation(appeal, row.tracking_number, 1, [appeal.officer_id], TEXT, now=NOW)


# --- the permission ---------------------------------------------------------------------------------------------------


@pytest.fixture
def head(session: Session) -> Actor:
    officer = build.officer(session)
    build.posting(session, build.post_id(session, build.office_id(session), "head"), officer.id)
    session.commit()
    return build.actor(session, officer.username)


def test_the_head_of_office_permits_or_refuses_what_was_asked(
    session: Session, filed: Case, gro: Actor, clerk: Actor, appeal: Actor, head: Actor
) -> None:
    ask, permit = investigations.start_investigation, investigations.permit_investigation
    number = filed.tracking_number
    assert why_not(permit, head, number, None, "approve", now=NOW) == "no-permission-asked"
    ask(gro, number, 1, [clerk.officer_id], TEXT, now=NOW)
    event = last(session, filed)
    assert (event.kind, event.data["asked_of"]) == ("investigation_asked", "head")
    session.refresh(filed)
    assert (filed.status, filed.acknowledged_at) == ("in_progress", NOW)
    assert told(session, "case-permission-asked-officer") == {head.officer_id}
    assert told(session, "case-investigation-officer") == set()
    assert why_not(investigations.report_investigation, gro, number, None, TEXT, now=NOW) == "not-investigating"
    assert why_not(ask, gro, number, None, [gro.officer_id], TEXT, now=NOW) == "permission-asked"
    for other, why in ((gro, "own-request"), (clerk, "another-permits"), (appeal, "another-permits")):
        assert why_not(permit, other, number, None, "approve", now=NOW) == why
    with pytest.raises(InvalidInput) as caught:
        permit(head, number, None, "refuse", " ", now=NOW)
    assert set(caught.value.fields) == {"reason"}
    permit(head, number, 2, "refuse", "আগে কাগজপত্র দেখুন।", now=NOW)
    event = last(session, filed)
    assert (event.kind, event.data["asked_by"], event.actor_id) == (
        "investigation_refused",
        gro.officer_id,
        head.officer_id,
    )
    assert told(session, "case-permission-decided-officer") == {gro.officer_id}
    ask(gro, number, 3, [gro.officer_id, clerk.officer_id], TEXT, now=NOW)
    later = NOW + timedelta(days=2)
    permit(head, number, 4, "approve", now=later)
    event = last(session, filed)
    assert (event.kind, event.actor_id) == ("investigation_started", head.officer_id)
    assert (event.data["permitted_as"], event.data["asked_by"]) == ("head", gro.officer_id)
    assert event.data["investigator_ids"] == [gro.officer_id, clerk.officer_id]
    clock = build.deadline(session, filed.id, "investigate")
    assert clock.due_on == calendar(session).add_working_days(later.date(), 20)
    assert told(session, "case-investigation-officer") == {clerk.officer_id, gro.officer_id}
    assert why_not(permit, head, number, None, "approve", now=later) == "no-permission-asked"


def test_who_permits_is_asked_of_the_day_and_at_last_the_cell(
    session: Session, filed: Case, gro: Actor, clerk: Actor, appeal: Actor, head: Actor
) -> None:
    office, cell = build.office_id(session), build.actor(session, "cabinet")
    assert head.officer_id is not None
    investigations.start_investigation(gro, filed.tracking_number, 1, [clerk.officer_id], TEXT, now=NOW)
    permit = investigations.permit_investigation
    assert why_not(permit, cell, filed.tracking_number, None, "approve", now=NOW) == "another-permits"
    build.vacate(session, office, "head")
    session.commit()
    assert why_not(permit, cell, filed.tracking_number, None, "approve", now=NOW) == "another-permits"
    permit(appeal, filed.tracking_number, None, "approve", now=NOW)
    assert last(session, filed).data["permitted_as"] == "appeal_officer"
    build.vacate(session, office, "appeal_officer")
    second = build.case(session, filed_at=FILED)
    session.commit()
    investigations.start_investigation(gro, second.tracking_number, 1, [clerk.officer_id], TEXT, now=NOW)
    assert cell.officer_id in told(session, "case-permission-asked-officer")
    permit(cell, second.tracking_number, None, "approve", now=NOW)
    assert last(session, second).data["permitted_as"] == "cell_officer"


def test_who_may_permit_it_appoints_at_once(session: Session, appeal: Actor, head: Actor) -> None:
    against_head = build.case(session, filed_at=FILED, desk="appeal", accused_officers=[head.officer_id])  # type: ignore[list-item]
    other = build.case(session, filed_at=FILED, desk="appeal")
    session.commit()
    # Nobody of this office stands above its head.
    with pytest.raises(InvalidInput):
        investigations.start_investigation(appeal, against_head.tracking_number, 1, [appeal.officer_id], TEXT, now=NOW)
    investigations.start_investigation(appeal, other.tracking_number, 1, [appeal.officer_id], TEXT, now=NOW)
    assert last(session, other).kind == "investigation_asked"
    build.vacate(session, build.office_id(session), "head")
    third = build.case(session, filed_at=FILED, desk="appeal")
    session.commit()
    investigations.start_investigation(appeal, third.tracking_number, 1, [appeal.officer_id], TEXT, now=NOW)
    event = last(session, third)
    assert (event.kind, event.data["permitted_as"]) == ("investigation_started", "appeal_officer")
    assert build.deadline(session, third.id, "investigate").state == "running"


def test_a_request_is_judged_by_the_day_of_the_decision_and_lapses_elsewhere(
    session: Session, filed: Case, gro: Actor, clerk: Actor, appeal: Actor
) -> None:
    number, permit = filed.tracking_number, investigations.permit_investigation
    investigations.start_investigation(gro, number, 1, [clerk.officer_id], TEXT, now=NOW)
    service.ask_complainant(gro, number, None, TEXT, now=NOW)
    assert why_not(permit, appeal, number, None, "approve", now=NOW) == "permit-after-answer"
    service.answer_question(complainant(number), number, TEXT, now=NOW)
    build.vacate(session, build.office_id(session), "case_officer")
    session.commit()
    with pytest.raises(InvalidInput) as caught:
        permit(appeal, number, None, "approve", now=NOW)
    assert dict(caught.value.fields) == {"decision": "may-not-investigate"}
    permit(appeal, number, None, "refuse", TEXT, now=NOW)
    investigations.start_investigation(gro, number, None, [gro.officer_id], TEXT, now=NOW)
    service.refer_case(gro, number, None, build.office_id(session, "food"), TEXT, now=NOW)
    food = build.actor(session, "gro.food")
    service.claim_case(food, number, None, now=NOW)
    above = build.actor(session, "appeal.food")
    assert why_not(permit, above, number, None, "approve", now=NOW) == "no-permission-asked"
    investigations.start_investigation(food, number, None, [food.officer_id], TEXT, now=NOW)
    permit(above, number, None, "approve", now=NOW)
    assert last(session, filed).data["investigator_ids"] == [food.officer_id]


# --- the clock --------------------------------------------------------------------------------------------------------


def test_a_late_report_reminds_and_escalates_but_leaves_the_level(
    session: Session, filed: Case, investigated: str
) -> None:
    due_at = build.deadline(session, filed.id, "investigate").due_at
    result = sweep(due_at)
    assert result.warned >= 1 and result.escalated[1] == 1
    session.rollback()
    session.refresh(filed)
    assert filed.level == 0
    assert build.deadline(session, filed.id, "investigate").state == "breached"


def test_a_question_stops_both_clocks(session: Session, filed: Case, clerk: Actor, investigated: str) -> None:
    service.ask_complainant(clerk, investigated, None, TEXT, now=NOW)
    assert {build.deadline(session, filed.id, kind).state for kind in ("resolve", "investigate")} == {"paused"}
    before = build.deadline(session, filed.id, "investigate").due_on
    service.answer_question(complainant(investigated), investigated, TEXT, now=NOW + timedelta(days=7))
    after = build.deadline(session, filed.id, "investigate")
    assert (after.state, after.due_on > before) == ("running", True)
    assert build.deadline(session, filed.id).state == "running"
    assert all(each.is_consistent for each in explain_case(session, filed.id))


# --- more time --------------------------------------------------------------------------------------------------------


def test_more_time_is_given_once_by_somebody_else(
    session: Session, filed: Case, gro: Actor, clerk: Actor, investigated: str
) -> None:
    investigations.request_extension(clerk, investigated, None, TEXT, now=NOW)
    assert build.deadline(session, filed.id).due_on == date(2026, 2, 18)
    assert told(session, "case-extension-asked-officer") == {gro.officer_id}
    investigations.decide_extension(gro, investigated, None, "approve", now=NOW)
    clock = build.deadline(session, filed.id)
    expected = calendar(session).add_working_days(date(2026, 2, 18), 10)
    assert (clock.due_on, clock.extension_days, clock.state) == (expected, 10, "running")
    session.refresh(filed)
    assert (filed.due_on, filed.due_at) == (clock.due_on, clock.due_at)
    event = last(session, filed)
    assert event.kind == "extension_approved"
    assert (event.data["from_due_on"], event.data["to_due_on"]) == ("2026-02-18", expected.isoformat())
    row = session.scalars(select(Extension)).one()
    assert (row.state, row.requested_by_id, row.decided_by_id) == ("approved", clerk.officer_id, gro.officer_id)
    assert told(session, "case-extension-decided-officer") == {clerk.officer_id}
    assert told(session, "case-extended-complainant") == {None}
    assert why_not(investigations.request_extension, gro, investigated, None, TEXT, now=NOW) == "extension-asked-before"
    assert sweep(build.dhaka(2026, 2, 18, 23)).warned == 1  # of the investigation, not of the decision


def test_nobody_grants_his_own_request(
    session: Session, filed: Case, gro: Actor, appeal: Actor, clerk: Actor, investigated: str
) -> None:
    investigations.request_extension(gro, investigated, None, TEXT, now=NOW)
    assert told(session, "case-extension-asked-officer") == {appeal.officer_id}
    assert why_not(investigations.decide_extension, gro, investigated, None, "approve", now=NOW) == "own-request"
    assert why_not(investigations.decide_extension, clerk, investigated, None, "approve", now=NOW) == "not-your-part"
    with pytest.raises(InvalidInput) as caught:
        investigations.decide_extension(appeal, investigated, None, "refuse", now=NOW)
    assert set(caught.value.fields) == {"reason"}
    investigations.decide_extension(appeal, investigated, None, "refuse", TEXT, now=NOW)
    assert build.deadline(session, filed.id).due_on == date(2026, 2, 18)
    assert last(session, filed).kind == "extension_refused"
    assert (
        why_not(investigations.request_extension, clerk, investigated, None, TEXT, now=NOW) == "extension-asked-before"
    )
    assert told(session, "case-extended-complainant") == set()


def test_more_time_needs_an_investigation_and_a_clock_not_missed(
    session: Session, filed: Case, gro: Actor, clerk: Actor
) -> None:
    number, due_at = filed.tracking_number, filed.due_at
    service.claim_case(gro, number, None, now=NOW)
    assert why_not(investigations.request_extension, gro, number, None, TEXT, now=NOW) == "not-investigated"
    begin(session, gro, number, [clerk.officer_id])
    assert why_not(investigations.request_extension, gro, number, None, TEXT, now=due_at) == "clock-missed"
    investigations.request_extension(gro, number, None, TEXT, now=due_at - timedelta(seconds=1))
    appeal = build.actor(session, "appeal.social-welfare")
    assert why_not(investigations.decide_extension, appeal, number, None, "approve", now=due_at) == "clock-missed"
    investigations.decide_extension(appeal, number, None, "refuse", TEXT, now=due_at)


def test_time_given_while_the_clock_stands_still_counts_when_it_goes_on(
    session: Session, filed: Case, gro: Actor, clerk: Actor, investigated: str
) -> None:
    investigations.request_extension(clerk, investigated, None, TEXT, now=NOW)
    service.ask_complainant(clerk, investigated, None, TEXT, now=NOW)
    investigations.decide_extension(gro, investigated, None, "approve", now=NOW + timedelta(days=1))
    assert build.deadline(session, filed.id).state == "paused"
    service.answer_question(complainant(investigated), investigated, TEXT, now=NOW + timedelta(days=7))
    clock = build.deadline(session, filed.id)
    session.refresh(filed)
    # Ten days more, and the five working days of the pause.
    expected = calendar(session).add_working_days(date(2026, 2, 18), 15)
    assert (clock.state, clock.due_on, filed.due_on) == ("running", expected, expected)
    assert all(each.is_consistent for each in explain_case(session, filed.id))


def test_the_length_is_dated_policy(session: Session, filed: Case, gro: Actor, clerk: Actor, investigated: str) -> None:
    for code, valid_from, days in (("short", date(2026, 1, 1), 5), ("long", date(2026, 1, 5), 20)):
        session.add(
            DeadlinePolicy(
                code=code, kind="extension", limit=days, unit="working_days", source="order", valid_from=valid_from
            )
        )
    edition.bump(session)
    session.commit()
    edition.forget()
    investigations.request_extension(clerk, investigated, None, TEXT, now=NOW)
    # By the rules of the day on which the case was filed, the 4th of January.
    assert session.scalars(select(Extension.working_days)).one() == 5


def test_who_cannot_see_the_case_finds_nothing(session: Session, filed: Case) -> None:
    stranger = build.actor(session, "gro.food")
    with pytest.raises(NotFound):
        investigations.request_extension(stranger, filed.tracking_number, None, TEXT, now=NOW)
