"""Random lives of cases: whoever does whatever in whatever order, what the pure decision says is what happens,
and nothing that must hold is ever broken."""

import random
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.cases import (
    lifecycle,
    permits,
    queries,
    service,
)
from grm.cases.models import Case, CaseEvent
from grm.cases.permissions import may_see
from grm.cases.states import STATUS_CHANGES, TRANSITIONS, Action, Status
from grm.cases.verification import Tally, faults
from grm.deadlines.calendar import dhaka_date
from grm.deadlines.explain import explain_case
from grm.deadlines.models import Deadline
from grm.kernel.actor import SYSTEM, Actor, complainant
from grm.kernel.errors import IllegalAction, NotFound
from grm.offices.queries import holders
from tests.support import build
from tests.support.case_acts import perform

OFFICERS = (
    "gro.social-welfare",
    "officer.social-welfare",
    "appeal.social-welfare",
    "gro.food",
    "cabinet",
    "desk.dhaka",
)


MORE = {
    "permit-after-answer",
    "hearing-to-come",
    "return-needs-superior",
    "clock-missed",
    "nobody-to-comply",
    "sender-is-gone",
}
"""Refusals that only the act itself can tell, with the reason."""
TRIED_ELSEWHERE = {
    *(Action.RESUME, Action.ATTACH, Action.MERGE, Action.UNMERGE, Action.LINK, Action.UNLINK),
    *(Action.ESCALATE, Action.RATE, Action.REMIND),
}
"""The first is done below; files, ratings, reminders and what climbs at the complainant's word have their own tests; groups of
cases have their own random lives (test_links.py)."""
FOLLOWS = ("subcase_answered", "subcase_returned", "hearing_cancelled")
"""Events that follow from an act: on a part of the case, or one that left a planned hearing without its case."""
LIKELY = (
    *(Action.APPEAL, Action.CONTEST, Action.INVESTIGATE, Action.PERMIT, Action.REQUEST_EXTENSION),
    *(Action.DECIDE_EXTENSION, Action.RECOMMEND, Action.COMPLY, Action.RESOLVE),
)


SHORT, LONG = 6, 400


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Six lives always; four hundred in the long form that `make faults` asks for."""
    is_long = metafunc.config.getoption("--long-faults")
    more = [pytest.param(seed, marks=[pytest.mark.slow, pytest.mark.faults]) for seed in range(SHORT, LONG)]
    metafunc.parametrize("seed", [*range(SHORT), *(more if is_long else [])])


def test_a_life_of_a_case(session: Session, seed: int) -> None:
    rng = random.Random(seed)
    sensitive = seed % 3 == 0
    case = build.case(
        session,
        desk="appeal" if sensitive else "gro",
        filed_at=build.dhaka(2026, 1, 4),
        category="bribe-demand" if sensitive else "payment-not-received",
    )
    session.commit()
    everybody = [build.actor(session, name) for name in OFFICERS]
    everybody += [complainant(case.tracking_number), complainant("0000000000000")]
    now, done, refused = build.dhaka(2026, 1, 4, 11), 0, 0
    for _ in range(90):
        now += timedelta(hours=rng.randrange(1, 60))
        action = rng.choice([*(each for each in Action if each not in TRIED_ELSEWHERE), *LIKELY])
        who = rng.choice([*everybody, complainant(case.tracking_number)])
        if action in (Action.DECLINE, Action.WITHDRAW) and (done < 4 or rng.random() < 0.95):
            continue  # most lives should be long
        if action is Action.REFER and done < 2:
            continue  # to an office where nobody here sits
        _, facts = queries.find_case(session, SYSTEM, case.tracking_number)
        session.refresh(case)
        before, version = Status(case.status), case.version
        facts = permits.with_permitter(facts, holders(session, [case.office_id], dhaka_date(now)))
        verdict = lifecycle.decide(facts, action, who, now)
        try:
            assert perform(rng, session, case, action, who, now) == version + 1
        except NotFound:
            assert verdict.is_hidden
        except IllegalAction as error:
            assert error.code == verdict.why or (verdict.is_allowed and error.code in MORE)
        else:
            assert verdict.is_allowed
            session.refresh(case)
            assert case.status == verdict.status == TRANSITIONS[before, action]
            assert_step(session, case, version + 1, everybody)
            done += 1
            if done % 12 == 0:
                assert_whole(session, case)
            continue
        session.rollback()
        session.refresh(case)
        assert (case.status, case.version) == (before, version)
        refused += 1
        if case.waiting_until is not None and case.waiting_until <= now:
            assert service.resume_wait(case.tracking_number, now=now)
    assert done >= 2 and refused >= 4
    assert_whole(session, case)


def assert_step(session: Session, case: Case, version: int, everybody: list[Actor]) -> None:
    """What the last act must have left, whatever it was: one more of each, clocks that fit, and one rule of sight."""
    session.rollback()
    session.refresh(case)
    assert case.version == version
    rows = session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq)).all()
    assert [row.seq for row in rows] == list(range(1, case.history_length + 1))
    assert bytes(case.history_head) == rows[-1].hash and rows[-1].previous_hash == rows[-2].hash
    clocks = session.scalars(select(Deadline).where(Deadline.case_id == case.id)).all()
    main = max((clock for clock in clocks if clock.kind == case.main_clock), key=lambda clock: clock.epoch)
    assert (main.due_on, main.due_at) == (case.due_on, case.due_at)
    assert (main.met_at is None and main.state in ("running", "paused", "breached")) == case.is_open
    assert (main.state == "paused") == case.is_paused
    for clock in clocks:
        if (clock is not main and clock.kind == main.kind) or not case.is_open:
            assert clock.next_rung_at is None, f"a rung is left on {clock.kind} {clock.epoch}"
    columns = [queries.visible_to(who).label(f"sees_{number}") for number, who in enumerate(everybody)]
    sights = session.execute(select(*columns).where(Case.id == case.id)).one()
    _, facts = queries.find_case(session, SYSTEM, case.tracking_number)
    assert [bool(sees) for sees in sights] == [may_see(who, facts) for who in everybody]


def assert_whole(session: Session, case: Case) -> None:
    """What must hold of every case at any time."""
    session.rollback()
    session.refresh(case)
    assert list(faults(session.connection(), Tally())) == []
    events = session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq)).all()
    assert len(events) == case.history_length
    # Nobody's act: a decline in a case without a way to tell the complainant informs nobody.
    acts = [event for event in events[1:] if event.kind != "informed" or event.actor_kind != "system"]
    acts = [event for event in acts if event.kind not in FOLLOWS]
    assert all("version" in event.data for event in acts), {event.kind for event in acts if "version" not in event.data}
    assert [event.data["version"] for event in acts] == list(range(2, case.version + 1))
    changes = [(e.data["status_from"], e.data["status_to"]) for e in events if "status_to" in e.data]
    assert set(changes) <= {(a.value, b.value) for a, b in STATUS_CHANGES}
    assert [a for a, _ in changes[1:]] == [b for _, b in changes[:-1]]
    assert changes == [] or changes[-1][1] == case.status
    assert [event.at for event in events] == sorted(event.at for event in events)
    clock = build.deadline(session, case.id, case.main_clock)
    assert (clock.due_on, clock.due_at) == (case.due_on, case.due_at)
    assert (clock.state == "paused") == case.is_paused
    assert all(each.is_consistent for each in explain_case(session, case.id))
    if not case.is_open:
        assert clock.state in ("met", "breached") and clock.next_rung_at is None
    moves = (CaseEvent.case_id == case.id, CaseEvent.kind.in_(("referred", "returned")))
    assert case.referral_count == session.scalar(select(func.count()).where(*moves))
    assert (case.referral_state is None) == (case.referred_from_office_id is None)
    open_parts = session.scalar(select(func.count()).where(Case.parent_id == case.id, Case.is_open))
    assert case.is_open or not open_parts, "nothing ends over an open part"
