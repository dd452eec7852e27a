"""Stays: the time of a case at an office on one side, from its history; and a plain reckoning of the same."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cases import appeals, closing, merging, ratings, referrals, service
from grm.cases.models import Case, CaseEvent
from grm.kernel.actor import Actor, complainant
from grm.tallies import stays
from grm.tallies.stays_models import Stay
from tests.support import build
from tests.support.recount import dhaka_day, histories

TEXT = "এটি পরীক্ষার জন্য লেখা একটি পূর্ণ বাক্য, যাতে যথেষ্ট শব্দ আছে।"


@dataclass(frozen=True)
class Plain:
    """A stay, reckoned event by event."""

    office_id: int
    side: str
    began_on: date
    began_how: str
    from_office_id: int | None = None
    ended_on: date | None = None
    ended_how: str | None = None
    to_office_id: int | None = None


HOW = {"own_motion": "raised", "contested": "reopened", "sent_back": "reopened", "unmerged": "reopened"}
END = {"complied": "resolved", "closed": "resolved", "own_motion": "raised", "appealed": "raised"}
MOVES = ("filed", "referred", "returned", "own_motion", "sent_back", "contested", "appealed", "recommended", "unmerged")
ENDS = ("resolved", "complied", "declined", "closed", "withdrawn", "merged")


def plain(events: Sequence[Any]) -> list[Plain]:
    """The stays of one case by a walk through its history."""
    found: list[Plain] = []
    office, side, is_open = 0, "complaint", False
    for event in events:
        day, data = dhaka_day(event.at), event.data
        if event.kind in ENDS:
            if is_open:
                found[-1] = replace(found[-1], ended_on=day, ended_how=END.get(event.kind, event.kind))
            is_open = False
        elif event.kind in MOVES and not data.get("with_lead"):
            to = data.get("office_id") if event.kind == "filed" else data.get("to_office_id", office)
            to_side = "appeal" if event.kind in ("own_motion", "appealed", "recommended") else side
            came_from = None
            if is_open and (to, to_side) != (office, side):
                goes_to = to if to_side == side else None
                came_from = office if to_side == side else None
                how = END.get(event.kind, event.kind)
                found[-1] = replace(found[-1], ended_on=day, ended_how=how, to_office_id=goes_to)
            if not is_open or (to, to_side) != (office, side):
                began_on = day
                if event.kind == "filed":
                    began_on = date.fromisoformat(data["received_on"]) if data.get("received_on") else day
                found.append(Plain(to, to_side, began_on, HOW.get(event.kind, event.kind), came_from))
            office, side, is_open = to, to_side, True
    return found


def kept(session: Session, case_id: int) -> list[Stay]:
    session.rollback()
    return list(session.scalars(select(Stay).where(Stay.case_id == case_id).order_by(Stay.no)))


def as_plain(stay: Any) -> Plain:
    return Plain(**{name: getattr(stay, name) for name in Plain.__dataclass_fields__})


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
    assert [as_plain(each) for each in (first, sent, back, again, appeal)] == plain(histories(session)[story.case.id])
