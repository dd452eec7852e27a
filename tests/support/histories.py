"""Random histories of many cases at once, made by the real services and told the time: people complain, paper comes late,
offices act in any order they may, the sweep climbs, messages get lost, holidays are announced, and months end."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases import escalating, lifecycle, merging, permits, queries, ratings, service
from grm.cases.models import Case
from grm.cases.states import Action
from grm.deadlines.announcements import announce
from grm.deadlines.calendar import DHAKA, Day, dhaka_date
from grm.escalation.sweep import sweep
from grm.intake.screening import Answers
from grm.intake.service import Filing, file_grievance, new_token
from grm.kernel.actor import SYSTEM, Actor, complainant
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, Misconfigured, NotFound
from grm.kernel.transaction import transaction
from grm.notifications.undelivered import follow_up
from grm.offices.queries import directory, holders
from grm.offices.signed_in import actor_of
from grm.tallies.folding import fold_all
from tests.support import build
from tests.support.case_acts import TEXT, perform

PROGRAMMES = (
    *("old-age-allowance", "old-age-allowance", "widow-allowance", "disability-allowance", "food-friendly-programme"),
    *("open-market-sales", None),
)
CATEGORIES = ("payment-not-received", "payment-not-received", "exclusion-error", "bribe-demand", "rude-behaviour")
PLACES = ("Dhaka", "Rangpur", "Khulna", None)
CHANNELS = ("web", "web", "web", "call_centre", "assisted", "paper", "letter", "email", "suo_motu")
ON_PAPER = {"paper", "letter"}
LIKELY: dict[Action, float] = {
    Action.RESOLVE: 6,
    Action.APPEAL: 5,
    Action.CONTEST: 6,
    Action.RATE: 4,
    Action.REFER: 3,
    Action.RETURN: 4,
    Action.DECIDE_EXTENSION: 8,
    Action.REQUEST_EXTENSION: 5,
    Action.INVESTIGATE: 2,
    Action.PERMIT: 4,
    Action.ASK: 4,
    Action.ANSWER: 4,
    Action.TAKE_UP: 4,
    Action.RECOMMEND: 4,
    Action.COMPLY: 4,
    Action.SEND_BACK: 4,
    Action.CLOSE: 2,
    Action.DECLINE: 1.5,
    Action.WITHDRAW: 1,
    Action.SPLIT: 1.5,
    Action.UNMERGE: 2,
    Action.ESCALATE: 3,
    Action.INFORM: 3,
    Action.CLAIM: 2,
    Action.ACCEPT: 1,
    Action.NOTE: 0.2,
    Action.WRITE: 0.2,
    Action.DIRECT: 0.5,
    Action.ANSWER_DIRECTION: 3,
}
FOLLOWS = {
    Action.INVESTIGATE: (Action.PERMIT, Action.REQUEST_EXTENSION),
    Action.PERMIT: (Action.REQUEST_EXTENSION,),
    Action.REQUEST_EXTENSION: (Action.DECIDE_EXTENSION,),
    Action.DECIDE_EXTENSION: (Action.RESOLVE,),
    Action.RESOLVE: (Action.SEND_BACK, Action.RATE, Action.CONTEST, Action.APPEAL),
    Action.SEND_BACK: (Action.RESOLVE, Action.DECLINE),
    Action.RATE: (Action.CONTEST, Action.APPEAL),
    Action.APPEAL: (Action.RESOLVE,),
    Action.CONTEST: (Action.RESOLVE,),
}
"""What usually comes next, so that whole stories come about."""
LAST = timedelta(microseconds=1)
"""The last moment before an instant."""
REFUSED = (IllegalAction, InvalidInput, NotFound, Conflict, Misconfigured)


class World:
    """One random history, from `begins_at` on; `live` moves it on until another instant."""

    def __init__(self, session: Session, seed: int, begins_at: datetime) -> None:
        self.session = session
        self.rng = random.Random(seed)
        self.now = begins_at
        self.numbers: list[str] = []
        self.done: dict[str, int] = {}
        book = directory(session)
        self._places = [
            None if name is None else next(each for each in book.districts if each.name_en == name) for name in PLACES
        ]
        self._known = {each.slug for each in book.programmes}
        self._categories = {each.slug for each in book.categories}
        self._desk = build.actor(session, "desk.dhaka", dhaka_date(begins_at))
        self._actors: dict[tuple[int, str], Actor | None] = {}

    def live(self, until: datetime, steps: int) -> None:
        """Let about so many things happen until an instant."""
        average = (until - self.now) / steps
        for _ in range(6):
            self.file()
        while (then := self._later(average)) < until:
            self.now = then
            self._something()
            self.session.rollback()

    # --- what happens -------------------------------------------------------------------------------------------------

    def _something(self) -> None:
        kind = self.rng.choices(
            ("file", "act", "sweep", "lose", "announce", "merge", "resume", "fold", "brink"),
            (14, 62, 7, 7, 0.7, 6, 3, 5, 6),
        )[0]
        happenings: dict[str, Callable[[], object]] = {
            "file": self.file,
            "act": self.act,
            "sweep": self.sweep,
            "lose": self.lose,
            "announce": self.announce,
            "merge": self.merge,
            "resume": self.resume,
            "fold": self.fold,
            "brink": self.brink,
        }
        happenings[kind]()

    def _later(self, average: timedelta) -> datetime:
        """Some time later; often the last second of a day or the first of the next, above all where a month ends."""
        then = self.now + average * self.rng.expovariate(1.0) + timedelta(seconds=1)
        midnight = datetime.combine(dhaka_date(then) + timedelta(days=1), time(), DHAKA).astimezone(UTC)
        first = datetime.combine(
            (dhaka_date(self.now).replace(day=28) + timedelta(days=4)).replace(day=1), time(), DHAKA
        )
        first = first.astimezone(UTC)
        if self.now < first - timedelta(seconds=2) and then > first and self.rng.random() < 0.7:
            midnight = first
        elif self.rng.random() > 0.08:
            return then
        return midnight - self.rng.choice((timedelta(microseconds=1), timedelta(seconds=1), timedelta()))

    def file(self, channel: str | None = None, received_on: date | None = None, **changes: Any) -> str:
        """Somebody complains, at a desk perhaps, on paper that may have come weeks ago; returns the tracking number."""
        rng = self.rng
        channel = channel or rng.choice(CHANNELS)
        district = rng.choice(self._places)
        book = directory(self.session)
        below = [each for each in book.places if district is not None and each.parent_id == district.id]
        programme = rng.choice([each for each in PROGRAMMES if each is None or each in self._known])
        category = rng.choice([each for each in CATEGORIES if each in self._categories])
        if channel in ON_PAPER and received_on is None:
            received_on = dhaka_date(self.now) - timedelta(days=rng.choice((0, 1, 2, 9, 33, 70)))
        answers = Answers(
            programme=programme,
            category=category,
            is_sensitive=book.category(category).is_sensitive or rng.random() < 0.1,
            district=district.code if district else None,
            upazila=rng.choice(below).code if below and rng.random() < 0.7 else None,
            place="",
            details="ছয় মাস ধরে ভাতা পাই না, অফিসে গেলে পরে আসতে বলে",
            incident_on=None,
            about=rng.choice(("none", "none", "none", "none", "gro", "appeal-officer", "ministry", "field-office")),
            is_anonymous=False,
            is_on_behalf=rng.random() < 0.1,
            relation=None,
            name="রহিমা",
            representative_name=None,
            phone=f"+88017{rng.randrange(10**8):08}",
            email=None,
            sex=rng.choice(("female", "male", "other", None)),
            age_group=rng.choice(("under_18", "18_35", "36_59", "60_plus", None)),
            disability=rng.choice(("yes", "no", None)),
            language="bn",
            preferred_channel=rng.choice(("sms", "sms", "none")),
            received_on=received_on,
        )
        answers = replace(answers, **changes)
        is_desk = channel != "web"
        filed = file_grievance(
            Filing(
                answers,
                new_token(),
                {},
                channel,
                filed_by_office_id=self._desk.seats[0].office_id if is_desk else None,
            ),
            self._desk if is_desk else None,
            now=self.now,
        )
        self.numbers.append(filed.tracking_number)
        self._note("filed")
        return filed.tracking_number

    def act(self, case: Case | None = None, wanted: Action | None = None) -> None:
        """Somebody who may does something to a case; often what usually follows comes next."""
        case = case or self._case()
        if case is None:
            return
        today = dhaka_date(self.now)
        _, facts = queries.find_case(self.session, SYSTEM, case.tracking_number)
        seats = holders(self.session, [case.office_id], today)
        facts = permits.with_permitter(facts, seats)
        people = [complainant(case.tracking_number)] if case.parent_id is None else []
        for office_id, role in (
            *((case.office_id, role) for role in ("gro", "case_officer", "appeal_officer", "head")),
            (directory(self.session).cell.id, "cell_officer"),
        ):
            if (found := self._actor(office_id, role)) is not None:
                people.append(found)
        choices = [
            (action, who)
            for action in LIKELY
            for who in people
            if wanted in (None, action) and lifecycle.decide(facts, action, who, self.now).is_allowed
        ]
        self.session.rollback()
        if not choices:
            return
        counts = {action: sum(1 for each, _ in choices if each is action) for action, _ in choices}
        action, who = self.rng.choices(choices, [LIKELY[each] / counts[each] for each, _ in choices])[0]
        try:
            self._perform(case, action, who)
        except REFUSED:
            self.session.rollback()
        else:
            self._note(action.value)
            if action in FOLLOWS and self.rng.random() < 0.5:
                self.now += timedelta(hours=self.rng.randrange(1, 30))
                self.session.refresh(case)
                self.act(case, self.rng.choice(FOLLOWS[action]))

    def _perform(self, case: Case, action: Action, who: Actor) -> None:
        number, rng = case.tracking_number, self.rng
        if action is Action.RATE:
            ratings.rate_case(who, number, rng.choice((1, 2, 3, 4, 5)), now=self.now)
        elif action is Action.ESCALATE:
            escalating.escalate_case(who, number, now=self.now)
        elif action is Action.UNMERGE:
            merging.unmerge_case(who, number, case.version, now=self.now)
        else:
            perform(rng, self.session, case, action, who, self.now)

    def merge(self) -> None:
        """One case is merged into another of the same desk."""
        case = self._case()
        if case is None or not case.is_open:
            return
        where = (Case.office_id == case.office_id, Case.desk == case.desk, Case.is_open, Case.id != case.id)
        others = self.session.scalars(select(Case).where(*where, Case.parent_id.is_(None)).order_by(Case.id)).all()
        role = {"gro": "gro", "appeal": "appeal_officer", "cell": "cell_officer"}[case.desk]
        who = self._actor(case.office_id, role)
        if not others or who is None:
            return
        lead = self.rng.choice(others)
        numbers = case.tracking_number, case.version, lead.tracking_number
        self.session.rollback()
        try:
            merging.merge_case(who, *numbers, is_confirmed=True, now=self.now)
        except REFUSED:
            self.session.rollback()
        else:
            self._note("MERGE")

    def sweep(self) -> None:
        """The ladder climbs."""
        sweep(as_of=self.now, now=self.now)
        self._note("sweep")

    def lose(self) -> None:
        """Some messages arrive, some are lost."""
        ends = text(
            "UPDATE message SET state = CASE WHEN id % 2 = :odd THEN 'delivered' ELSE 'failed' END, ended_at = :now "
            "WHERE id IN (SELECT id FROM message WHERE state = 'pending' AND case_id IS NOT NULL AND officer_id IS NULL "
            "ORDER BY id DESC LIMIT 6)"
        )
        with transaction(self.now) as act:
            act.session.execute(ends, {"odd": self.rng.randrange(2), "now": self.now})
        follow_up(now=self.now)
        self._note("lost")

    def announce(self) -> None:
        """A holiday, or a day off that is worked after all, a few days ahead or behind."""
        on = dhaka_date(self.now) + timedelta(days=self.rng.randrange(-3, 20))
        kind = "holiday" if on.weekday() not in (4, 5) else "working"
        with transaction(self.now) as act:
            announce(act.session, {on: Day(kind, "ছুটি", "Day", "Gazette")}, "Gazette", SYSTEM, self.now)
        self._note("announced")

    def brink(self) -> None:
        """An answer in the last moment of a case's time, or in the first in which it is late."""
        soon = (Case.is_open, Case.due_at > self.now + LAST, Case.due_at < self.now + timedelta(days=6))
        case = self.session.scalars(select(Case).where(*soon).order_by(Case.due_at, Case.id).limit(1)).first()
        if case is None:
            return
        self.now = case.due_at - self.rng.choice((LAST, timedelta()))
        role = {"gro": "gro", "appeal": "appeal_officer", "cell": "cell_officer"}[case.desk]
        who = self._actor(case.office_id, role)
        self.session.rollback()
        if who is not None:
            try:
                self._perform(case, Action.RESOLVE, who)
            except REFUSED:
                self.session.rollback()
            else:
                self._note("brink")

    def fold(self) -> None:
        """What has happened so far goes into the tallies."""
        fold_all()
        self._note("fold")

    def resume(self) -> None:
        """Waits that have run out end."""
        late = select(Case.tracking_number).where(Case.waiting_until <= self.now).order_by(Case.id)
        numbers = self.session.scalars(late).all()
        self.session.rollback()
        for number in numbers:
            if service.resume_wait(number, now=self.now):
                self._note("RESUME")

    # --- who and which ------------------------------------------------------------------------------------------------

    def _case(self) -> Case | None:
        """Any case, a part perhaps; mostly one of the latest few or one that is open."""
        wanted = select(Case)
        draw = self.rng.random()
        if draw < 0.7:
            wanted = wanted.where(Case.is_open)
        found = self.session.scalars(wanted.order_by(Case.id)).all()
        if not found:
            return None
        return self.rng.choice(found[-12:] if self.rng.random() < 0.5 else found)

    def _actor(self, office_id: int, role: str) -> Actor | None:
        key = office_id, role
        if key not in self._actors:
            on = dhaka_date(self.now)
            seats = holders(self.session, [office_id], on)
            who = next((seat.regular for seat in seats if seat.role == role and seat.regular is not None), None)
            self._actors[key] = (
                None if who is None else actor_of(self.session, self.session.get_one(Officer, who.officer_id), on)
            )
        return self._actors[key]

    def _note(self, what: str) -> None:
        self.done[what] = self.done.get(what, 0) + 1


def month_starts(first: date, count: int) -> list[date]:
    """The first days of so many months, from that of a day on."""
    number = first.year * 12 + first.month - 1
    return [date((number + n) // 12, (number + n) % 12 + 1, 1) for n in range(count)]


__all__ = ["TEXT", "World", "month_starts"]
