"""Any act on a case with input that is in order, for tests that let random things happen."""

import random
from collections.abc import Callable
from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import (
    appeals,
    closing,
    collective,
    directions,
    hearings,
    informing,
    investigations,
    queries,
    referral,
    referrals,
    service,
    subcases,
    taking_up,
)
from grm.cases.models import CONTACT_WAYS, Case
from grm.cases.permissions import DESK_ROLE
from grm.cases.states import EXTENSION_DECISIONS, OUTCOMES, Action
from grm.deadlines.calendar import dhaka_date
from grm.kernel.actor import SYSTEM, Actor, Seat
from grm.offices.queries import holders
from tests.support import build

TEXT = "এটি পরীক্ষার জন্য লেখা একটি পূর্ণ বাক্য।"


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
