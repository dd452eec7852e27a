"""Stays: the time of a case at an office on one side, from its history. Random histories are in test_reconciliation.py."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import appeals, closing, merging, ratings, referrals, service
from grm.cases.models import Case
from grm.kernel.actor import Actor, complainant
from grm.tallies import stays
from grm.tallies.stays_models import Stay
from tests.support import build

TEXT = "এটি পরীক্ষার জন্য লেখা একটি পূর্ণ বাক্য, যাতে যথেষ্ট শব্দ আছে।"


def kept(session: Session, case_id: int) -> list[Stay]:
    session.rollback()
    return list(session.scalars(select(Stay).where(Stay.case_id == case_id).order_by(Stay.no)))


def rewrite(session: Session, *cases: Case) -> list[list[Stay]]:
    ids = [each.id for each in cases]
    session.rollback()
    stays.rewrite(session, ids)
    session.commit()
    return [kept(session, case_id) for case_id in ids]


@dataclass
class Story:
    """A case on its way, day by day."""

    session: Session
    case: Case

    @property
    def number(self) -> str:
        return self.case.tracking_number

    def officer(self, role: str, ministry: str = "social-welfare") -> Actor:
        return build.actor(self.session, f"{role}.{ministry}")

    def answer(self, who: Actor, now: datetime) -> None:
        self.session.rollback()
        service.resolve_case(
            who, self.number, None, outcome="service_given", reply=TEXT, root_cause=TEXT, prevention=TEXT,
            contact="wrote", now=now,
        )  # fmt: skip


@pytest.fixture
def story(session: Session) -> Story:
    made = build.case(session, filed_at=build.dhaka(2026, 1, 31, 23, 59))
    session.commit()
    return Story(session, made)


def test_a_way_through_offices_and_up(session: Session, story: Story) -> None:
    number, who = story.number, complainant(story.number)
    gro, food = story.officer("gro"), build.office_id(session, "food")
    home = story.case.office_id
    service.refer_case(gro, number, None, food, TEXT, now=build.dhaka(2026, 2, 28, 23, 59))
    referrals.return_case(story.officer("gro", "food"), number, None, TEXT, now=build.dhaka(2026, 3, 1, 0))
    story.answer(gro, build.dhaka(2026, 3, 2))
    ratings.rate_case(who, number, 2, now=build.dhaka(2026, 3, 3))
    closing.send_back_case(story.officer("appeal"), number, None, TEXT, now=build.dhaka(2026, 3, 4))
    story.answer(gro, build.dhaka(2026, 3, 5))
    ratings.rate_case(who, number, 4, now=build.dhaka(2026, 4, 1))
    appeals.appeal_case(who, number, TEXT, now=build.dhaka(2026, 4, 2))
    first, sent, back, again, appeal = rewrite(session, story.case)[0]
    assert (first.began_on, first.ended_on, first.ended_how, first.to_office_id) == (
        date(2026, 1, 31), date(2026, 2, 28), "referred", food,
    )  # fmt: skip
    assert (sent.office_id, sent.from_office_id, sent.ended_on, sent.ended_how) == (
        food, home, date(2026, 3, 1), "returned",
    )  # fmt: skip
    assert (back.began_how, back.ended_how, back.days, back.stars, back.rated_on) == (
        "returned", "resolved", 30, 2, date(2026, 3, 3),
    )  # fmt: skip
    assert (again.began_how, again.stars, again.rated_on) == ("reopened", 4, date(2026, 4, 1))
    assert (appeal.side, appeal.began_how, appeal.ended_on, appeal.against_office_id, appeal.shade) == (
        "appeal", "appealed", None, home, 1,
    )  # fmt: skip
    session.refresh(story.case)
    assert appeal.due_on == story.case.due_on and appeal.overdue_on == story.case.due_on + timedelta(days=1)
    assert first.due_on == back.due_on < again.due_on, "a clock of its own since it was sent back"


def test_merged_apart_and_up_to_the_cell(session: Session, story: Story) -> None:
    lead = build.case(session, filed_at=build.dhaka(2026, 1, 4))
    part = build.case(session, filed_at=build.dhaka(2026, 1, 5), parent_id=lead.id, submission_id=None, secret_mac=None)
    session.commit()
    number, who, gro = story.number, complainant(story.number), story.officer("gro")
    merging.merge_case(gro, number, None, lead.tracking_number, is_confirmed=True, now=build.dhaka(2026, 2, 3))
    appeals.appeal_case(who, number, TEXT, now=build.dhaka(2026, 6, 1))
    session.rollback()
    service.decline_case(story.officer("appeal"), number, None, "before_court", TEXT, now=build.dhaka(2026, 6, 2))
    appeals.appeal_case(who, number, TEXT, now=build.dhaka(2026, 6, 3))
    cell = build.actor(session, "cabinet")
    appeals.recommend_case(
        cell, number, None, outcome="proved", reply=TEXT, recommendation=TEXT, root_cause=TEXT, prevention=TEXT,
        contact="wrote", now=build.dhaka(2026, 6, 4),
    )  # fmt: skip
    appeals.comply_case(story.officer("appeal"), number, None, TEXT, now=build.dhaka(2026, 6, 5))
    merged, appeal, second, complying = rewrite(session, story.case, part)[0]
    assert (merged.ended_how, appeal.began_how, appeal.ended_how, appeal.is_upheld) == (
        "merged", "appealed", "declined", False,
    )  # fmt: skip
    cells = build.office_id(session, "cell")
    assert (second.office_id, second.ended_how, second.is_upheld, second.to_office_id) == (
        cells, "recommended", True, story.case.office_id,
    )  # fmt: skip
    assert (complying.began_how, complying.from_office_id, complying.ended_how, complying.is_upheld, complying.days) == (
        "recommended", cells, "resolved", None, 2,
    )  # fmt: skip
    assert kept(session, part.id) == [], "a part of a case is no complaint of its own"
