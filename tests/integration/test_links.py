"""Duplicates merged and set apart, alike cases linked, and complaints of many: what becomes of clocks, histories, people and messages."""

import threading
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cases import appeals, charges, informing, links, merging, queries, service
from grm.cases import why as why_page
from grm.cases.links_models import CaseLink
from grm.cases.models import Case, CaseEvent, ContactTask
from grm.cases.verification import Tally, faults
from grm.deadlines.explain import explain_case
from grm.deadlines.models import Deadline
from grm.escalation.sweep import sweep
from grm.kernel.actor import Actor, complainant
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, NotFound
from grm.notifications.models import Message
from grm.notifications.undelivered import follow_up
from tests.support import build

REPLY = "তালিকায় নাম যোগ করা হয়েছে; আগামী কিস্তি থেকে ভাতা পাওয়া যাবে।"
EARLY, LATE = build.dhaka(2026, 1, 4), build.dhaka(2026, 1, 18)
MERGED = build.dhaka(2026, 1, 20)


def two(session: Session, lead_at: datetime = LATE, other_at: datetime = EARLY, **columns: Any) -> tuple[Case, Case]:
    """A lead case and its duplicate, of one phone unless told otherwise."""
    lead = build.case(session, filed_at=lead_at)
    other = build.case(session, filed_at=other_at, **columns)
    session.commit()
    return lead, other


def gro(session: Session) -> Actor:
    return build.actor(session, "gro.social-welfare")


def merge(session: Session, case: Case, lead: Case, now: datetime = MERGED, **more: Any) -> None:
    merging.merge_case(gro(session), case.tracking_number, case.version, lead.tracking_number, now=now, **more)
    refresh(session, case, lead)


def refresh(session: Session, *cases: Case) -> None:
    session.rollback()
    for case in cases:
        session.refresh(case)


def resolve(session: Session, case: Case, now: datetime, who: Actor | None = None) -> None:
    service.resolve_case(
        who or gro(session),
        case.tracking_number,
        case.version,
        outcome="service_given",
        reply=REPLY,
        root_cause="তালিকায় ভুল ছিল",
        prevention="তালিকা যাচাই করা হবে",
        contact="spoke",
        now=now,
    )
    refresh(session, case)


def kinds(session: Session, case: Case) -> list[str]:
    statement = select(CaseEvent.kind).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq)
    return list(session.scalars(statement))


def messages(session: Session, case: Case, template: str) -> list[str]:
    statement = select(Message.key).where(Message.case_id == case.id, Message.key.like(f"{template}%"))
    return sorted(session.scalars(statement))


def assert_whole(session: Session, *cases: Case, now: datetime = MERGED) -> None:
    """Chains hold, every clock explains its date, the row says what the main clock says, and the charged days are all days."""
    refresh(session, *cases)
    assert list(faults(session.connection(), Tally())) == []
    for case in cases:
        explained = explain_case(session, case.id)
        assert all(each.is_consistent for each in explained)
        clock = build.deadline(session, case.id, case.main_clock)
        assert (clock.due_on, clock.due_at) == (case.due_on, case.due_at)
        if not case.is_open:
            assert clock.met_at is not None and clock.next_rung_at is None
        reasons = why_page.load(session, case, now)
        assert sum(each.days for each in reasons.charged.charges) == reasons.charged.days
        versions = [e.data["version"] for e in queries.events_of(session, case.id) if "version" in e.data]
        assert versions == list(range(2, case.version + 1))


# --- clocks -----------------------------------------------------------------------------------------------------------


def test_the_lead_is_due_when_the_earlier_of_the_two_is_and_the_duplicate_climbs_no_more(session: Session) -> None:
    lead, other = two(session)
    earlier, own = other.due_on, lead.due_on
    assert earlier < own
    merge(session, other, lead)
    assert (other.status, other.outcome, other.ended_at) == ("closed", "merged", MERGED)
    assert lead.due_on == earlier
    assert_whole(session, lead, other)
    reasons = why_page.load(session, lead, MERGED)
    [moves] = [moves for moves in reasons.moves.values() if moves]
    assert (moves[0].before, moves[0].after, moves[0].is_merge) == (own, earlier, True)
    sweep(build.dhaka(2026, 4, 1))
    rows = session.execute(text("SELECT DISTINCT case_id FROM escalation WHERE level > 0")).scalars()
    assert list(rows) == [lead.id]
    assert kinds(session, lead).count("escalated") == 3, "each rung once, by the earlier date"
    assert kinds(session, other) == ["filed", "merged"]


def test_a_later_duplicate_moves_nothing(session: Session) -> None:
    lead, other = two(session, EARLY, LATE)
    own = lead.due_on
    merge(session, other, lead)
    assert lead.due_on == own and len(list(session.scalars(select(Deadline).where(Deadline.case_id == lead.id)))) == 2
    assert_whole(session, lead, other)
