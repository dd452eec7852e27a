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
    collective,
    directions,
    hearings,
    informing,
    investigations,
    lifecycle,
    permits,
    queries,
    referral,
    referrals,
    service,
    subcases,
    taking_up,
)
from grm.cases.models import CONTACT_WAYS, Case, CaseEvent
from grm.cases.permissions import DESK_ROLE, may_see
from grm.cases.states import EXTENSION_DECISIONS, OUTCOMES, STATUS_CHANGES, TRANSITIONS, Action, Status
from grm.cases.verification import Tally, faults
from grm.deadlines.calendar import dhaka_date
from grm.deadlines.explain import explain_case
from grm.deadlines.models import Deadline
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
        Action.PERMIT: lambda: investigations.permit_investigation(
            who, number, version, rng.choice(EXTENSION_DECISIONS), TEXT, now=now
        ),
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
        Action.ADD_COMPLAINANT: lambda: collective.add_complainant(
            who, number, version, name="করিম", phone=f"017{rng.randrange(10**8):08}", now=now
        ),
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
    *(Action.ESCALATE, Action.RATE),
}
"""The first is done below; files, ratings and what climbs at the complainant's word have their own tests; groups of cases have
their own random lives (test_links.py)."""
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
