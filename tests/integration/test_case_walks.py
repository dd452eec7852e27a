"""Random lives of cases: whoever does whatever in whatever order, what the pure decision says is what happens,
and nothing that must hold is ever broken."""

import random
from collections.abc import Callable
from datetime import datetime, time, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grm.cases import (
    appeals,
    closing,
    directions,
    hearings,
    informing,
    investigations,
    lifecycle,
    queries,
    referral,
    referrals,
    service,
    subcases,
    taking_up,
)
from grm.cases.models import CONTACT_WAYS, Case, CaseEvent
from grm.cases.permissions import DESK_ROLE
from grm.cases.states import EXTENSION_DECISIONS, OUTCOMES, STATUS_CHANGES, TRANSITIONS, Action, Status
from grm.cases.verification import Tally, faults
from grm.deadlines.calendar import dhaka_date
from grm.deadlines.explain import explain_case
from grm.kernel.actor import SYSTEM, Actor, Seat, complainant
from grm.kernel.errors import IllegalAction, NotFound
from grm.offices.queries import holders
from tests.support import build

TEXT = "এটি পরীক্ষার জন্য লেখা একটি পূর্ণ বাক্য।"
OFFICERS = (
    "gro.social-welfare",
    "officer.social-welfare",
    "appeal.social-welfare",
    "gro.food",
    "cabinet",
    "desk.dhaka",
)


def perform(rng: random.Random, session: Session, case: Case, action: Action, who: Actor, now: datetime) -> int:
    """Do it, with input that is in order."""
    number, version = case.tracking_number, case.version
    facts = queries.find_case(session, SYSTEM, number)[1]
    office, assignee, members = None, None, [0]
    if action in (Action.REFER, Action.SPLIT):
        office = rng.choice(referral.targets(session, facts, dhaka_date(now))[:6])[0].id
    if action is Action.ASSIGN:
        seats = handlers_of(session, case, now)
        assignee = rng.choice(seats) if seats else None
    if action is Action.INVESTIGATE:
        posts = holders(session, [case.office_id], dhaka_date(now))
        eligible = investigations.investigators_among(posts, case.desk, facts.accusations)
        members = [each.officer_id for each in rng.sample(eligible, min(len(eligible), rng.randrange(1, 4)))]
    session.rollback()
    acts: dict[Action, Callable[[], int]] = {
        Action.ACKNOWLEDGE: lambda: service.acknowledge_case(who, number, version, now=now),
        Action.CLAIM: lambda: service.claim_case(who, number, version, now=now),
        Action.ASSIGN: lambda: service.assign_case(who, number, version, assignee, now=now),
        Action.NOTE: lambda: service.add_note(who, number, version, TEXT, now=now),
        Action.ASK: lambda: service.ask_complainant(who, number, version, TEXT, now=now),
        Action.REFER: lambda: service.refer_case(who, number, version, office, TEXT, now=now),
        Action.RESOLVE: lambda: service.resolve_case(
            who,
            number,
            version,
            outcome=rng.choice(OUTCOMES),
            reply=TEXT,
            root_cause=TEXT,
            prevention=TEXT,
            contact="wrote",
            now=now,
        ),
        Action.INVESTIGATE: lambda: investigations.start_investigation(who, number, version, members, TEXT, now=now),
        Action.REPORT: lambda: investigations.report_investigation(who, number, version, TEXT, now=now),
        Action.REQUEST_EXTENSION: lambda: investigations.request_extension(who, number, version, TEXT, now=now),
        Action.DECIDE_EXTENSION: lambda: investigations.decide_extension(
            who, number, version, rng.choice(EXTENSION_DECISIONS), TEXT, now=now
        ),
        Action.RECOMMEND: lambda: appeals.recommend_case(
            who,
            number,
            version,
            outcome=rng.choice(OUTCOMES),
            reply=TEXT,
            recommendation=TEXT,
            root_cause=TEXT,
            prevention=TEXT,
            contact="spoke",
            now=now,
        ),
        Action.COMPLY: lambda: appeals.comply_case(who, number, version, TEXT, now=now),
        Action.INFORM: lambda: informing.inform_case(
            who, number, version, how=rng.choice(CONTACT_WAYS), contacted_on=dhaka_date(now), note=TEXT, now=now
        ),
        Action.CONTEST: lambda: appeals.contest_case(who, number, TEXT, now=now),
        Action.APPEAL: lambda: appeals.appeal_case(who, number, TEXT, now=now),
        Action.DECLINE: lambda: service.decline_case(who, number, version, "before_court", TEXT, now=now),
        Action.CLOSE: lambda: service.close_case(who, number, version, TEXT, now=now),
        Action.ANSWER: lambda: service.answer_question(who, number, TEXT, now=now),
        Action.ADD_INFORMATION: lambda: service.add_information(who, number, TEXT, now=now),
        Action.WITHDRAW: lambda: service.withdraw_case(who, number, TEXT, now=now),
        Action.ACCEPT: lambda: referrals.accept_case(who, number, version, now=now),
        Action.RETURN: lambda: referrals.return_case(who, number, version, TEXT, now=now),
        Action.SPLIT: lambda: split_and_return(session, rng, case, who, version, office, now),
        Action.TAKE_UP: lambda: taking_up.take_up_case(who, number, version, TEXT, now=now),
        Action.WRITE: lambda: closing.write_to_complainant(who, number, version, TEXT, now=now),
        Action.SEND_BACK: lambda: closing.send_back_case(who, number, version, TEXT, now=now),
        Action.SCHEDULE_HEARING: lambda: hearings.schedule_hearing(
            who,
            number,
            version,
            on=dhaka_date(now) + timedelta(days=rng.randrange(1, 9)),
            hour=time(10),
            place="২০৫",
            now=now,
        ),
        Action.RECORD_HEARING: lambda: hearings.record_hearing(
            who, number, version, rng.choice(hearings.RESULTS), TEXT, now=now
        ),
        Action.DIRECT: lambda: directions.direct_case(who, number, version, TEXT, now=now),
        Action.ANSWER_DIRECTION: lambda: directions.answer_direction(who, number, version, TEXT, now=now),
    }
    return acts[action]()


def split_and_return(
    session: Session, rng: random.Random, case: Case, who: Actor, version: int, office: int | None, now: datetime
) -> int:
    """Send a part to another office; three in four come back at once, so that the whole is not kept open for good."""
    made = subcases.split_case(who, case.tracking_number, version, office, TEXT, now=now)
    session.rollback()
    if rng.random() < 0.75:
        part = session.scalars(select(Case).where(Case.parent_id == case.id).order_by(Case.id.desc()).limit(1)).one()
        number = part.tracking_number
        seat = Seat(part.office_id, "ministry", None, None, 0, DESK_ROLE[part.desk])
        taker = Actor(build.officer_id(session, "gro.agriculture"), "Taker", "officer", (seat,))
        session.rollback()
        if rng.random() < 0.5:
            referrals.return_case(taker, number, 1, TEXT, now=now)
        else:
            texts = dict.fromkeys(("root_cause", "prevention", "contact"), "")
            service.resolve_case(taker, number, 1, outcome="answered", reply=TEXT, **texts, now=now)  # type: ignore[arg-type]
    return made


def handlers_of(session: Session, case: Case, now: datetime) -> list[int]:
    """Who may be given the case."""
    seats = holders(session, [case.office_id], dhaka_date(now))
    return [each.officer_id for each in service.handlers_among(seats, case.desk, ())]


MORE = {"hearing-to-come", "return-needs-superior", "clock-missed", "nobody-to-comply", "sender-is-gone"}
"""Refusals that only the act itself can tell, with the reason."""
TRIED_ELSEWHERE = {
    *(Action.RESUME, Action.WRITE, Action.SCHEDULE_HEARING, Action.RECORD_HEARING, Action.ATTACH, Action.SEND_BACK),
    *(Action.MERGE, Action.UNMERGE, Action.LINK, Action.UNLINK, Action.ADD_COMPLAINANT),
}
LIKELY = (
    *(Action.APPEAL, Action.CONTEST, Action.INVESTIGATE, Action.REQUEST_EXTENSION),
    *(Action.DECIDE_EXTENSION, Action.RECOMMEND, Action.COMPLY, Action.RESOLVE),
)


@pytest.mark.parametrize("seed", range(16))
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
        if rng.random() < 0.95 and action in (Action.DECLINE, Action.WITHDRAW):
            continue  # most lives should be long
        _, facts = queries.find_case(session, SYSTEM, case.tracking_number)
        session.refresh(case)
        before, version = Status(case.status), case.version
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
            done += 1
            continue
        session.rollback()
        session.refresh(case)
        assert (case.status, case.version) == (before, version)
        refused += 1
        if case.waiting_until is not None and case.waiting_until <= now:
            assert service.resume_wait(case.tracking_number, now=now)
    assert done >= 2 and refused >= 4
    assert_whole(session, case)


def assert_whole(session: Session, case: Case) -> None:
    """What must hold of every case at any time."""
    session.rollback()
    session.refresh(case)
    assert list(faults(session.connection(), Tally())) == []
    events = session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.seq)).all()
    assert len(events) == case.history_length
    # Nobody's act: a decline in a case without a way to tell the complainant informs nobody.
    acts = [event for event in events[1:] if event.kind != "informed" or event.actor_kind != "system"]
    acts = [event for event in acts if event.kind not in ("subcase_answered", "subcase_returned")]  # done to the part
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
