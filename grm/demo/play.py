"""Plays the stories through the real services, day by day, each act at its own instant.

Everything happens inside one transaction of the database: the services' commits wait for it, so a running system sees
either no demo case or all of them, finished, and never a half-told one that its sweep would take for a year late. The
messages are put into a final state before that: nothing is sent. The first error undoes everything.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases import appeals, ratings
from grm.cases import service as cases
from grm.cases.models import Case
from grm.cases.permissions import DESK_ROLE
from grm.cases.states import OPEN, Status
from grm.deadlines import queries as deadline_queries
from grm.deadlines.calendar import dhaka_midnight
from grm.demo import joining, past_messages, wording
from grm.demo.scenario import DAYS, Act, Story, Teller
from grm.escalation.queries import oldest_due
from grm.escalation.sweep import sweep
from grm.intake import choices
from grm.intake.models import Submission
from grm.intake.screening import screen
from grm.intake.service import Filing, file_grievance, submission_key
from grm.kernel.actor import Actor, complainant
from grm.kernel.clock import dhaka_date
from grm.kernel.db import db
from grm.kernel.errors import Misconfigured
from grm.offices.directory import Directory
from grm.offices.queries import StaffedPost, directory, holders
from grm.offices.signed_in import actor_of

Say = Callable[[str], None]
_STATE = select(Case.tracking_number, Case.status, Case.office_id, Case.desk, Case.tier, Case.assignee_id)


@dataclass(frozen=True, slots=True)
class Played:
    """What a demo added: cases filed, acts done, rungs climbed, messages written. All zero where it was there already."""

    cases: int
    acts: int
    climbs: int
    messages: int


def play(count: int, seed: int, today: date, say: Say = lambda line: None) -> Played:
    """Add the cases numbered 0 to `count` - 1 of a seed, as they stand at the beginning of a Dhaka date.

    Idempotent: a case that was filed before, by its submission's key, is left alone with all its acts. Raises
    `Misconfigured` `demo-needs-officers` where a post has nobody to act.
    """
    with _one_transaction() as session:
        book = directory(session)
        teller = Teller(book, deadline_queries.calendar(session), today, seed)
        stories = [teller.tell(number) for number in range(count)]
        new = _not_there_yet(session, stories)
        if not new:
            return Played(0, 0, 0, 0)
        stage = _Stage(session, book, today, new, say)
        played = stage.run()
        played["acts"] += joining.join(
            session, [story.tracking_number for story in new], stage.gro_of, dhaka_midnight(today)
        )
        messages = past_messages.settle(session, [story.tracking_number for story in new], dhaka_midnight(today))
        return Played(len(new), played["acts"], played["climbs"], messages)


@contextmanager
def _one_transaction() -> Iterator[Session]:
    """A session in this context whose commits take effect together at the end, and whose first rollback undoes all."""
    db.session.remove()
    with db.engine.connect() as connection, connection.begin():
        session = Session(bind=connection, join_transaction_mode="rollback_only")
        db.session.registry.set(session)  # type: ignore[arg-type]
        try:
            yield session
            session.commit()
        finally:
            db.session.remove()


def _not_there_yet(session: Session, stories: list[Story]) -> list[Story]:
    keys = {submission_key(story.token): story for story in stories}
    there = set(session.scalars(select(Submission.key).where(Submission.key.in_(list(keys)))))
    return [story for key, story in keys.items() if key not in there]


class _Stage:
    """The days from the first filing to the reference day."""

    def __init__(self, session: Session, book: Directory, today: date, stories: list[Story], say: Say) -> None:
        self._session = session
        self._book = book
        self._today = today
        self._stories = {story.number: story for story in stories}
        self._say = say
        self._offer = choices.offer(session, today)
        self._actors: dict[int, Actor] = {}
        self._seats: dict[int, tuple[StaffedPost, ...]] = {}
        self._done: Counter[str] = Counter()
        self._waiting: set[str] = set()
        self._states: dict[str, Any] = {}
        # (instant, story, position): the filing is position 0, then the acts.
        self._agenda = [(story.filed_at, story.number, 0) for story in stories]
        heapq.heapify(self._agenda)

    def run(self) -> Counter[str]:
        """Play everything up to the beginning of the reference day."""
        day = min(dhaka_date(self._agenda[0][0]), self._today - timedelta(days=DAYS))
        total = (self._today - day).days
        while day < self._today:
            day += timedelta(days=1)
            midnight = dhaka_midnight(day)
            self._read_states(midnight)
            while self._agenda and self._agenda[0][0] < midnight:
                self._next()
            self._resume(midnight)
            self._sweep(midnight)
            passed = total - (self._today - day).days
            if passed % 20 == 0 or day == self._today:
                self._say(
                    f"  until {day - timedelta(days=1)}: {self._done['cases']} cases, {self._done['acts']} acts, "
                    f"{self._done['climbs']} rungs climbed"
                )
        return self._done

    def gro_of(self, office_id: int) -> Actor:
        """Who answers for the gro desk of an office."""
        return self._holder_of(office_id, "gro")

    def _read_states(self, until: datetime) -> None:
        """Where the cases stand that are acted on before an instant: one statement for a day; a second act reads again."""
        numbers = {self._stories[number].tracking_number for at, number, _ in self._agenda if at < until}
        rows = self._session.execute(_STATE.where(Case.tracking_number.in_(numbers))) if numbers else ()
        self._states = {row.tracking_number: row for row in rows}

    def _next(self) -> None:
        at, number, position = heapq.heappop(self._agenda)
        story = self._stories[number]
        if position == 0:
            self._file(story)
        else:
            self._act(story, story.acts[position - 1])
            self._done["acts"] += 1
        if position < len(story.acts):
            following = max(story.acts[position].at, at + timedelta(seconds=1))
            heapq.heappush(self._agenda, (following, number, position + 1))

    def _file(self, story: Story) -> None:
        is_desk = story.channel != "web"
        filed_on = dhaka_date(story.filed_at)
        screened = screen(story.filling, self._offer.choices, filed_on, is_desk=is_desk, language=story.language)
        if screened.answers is None:
            raise ValueError(f"story {story.number}: {screened.problems}")
        actor, office_id = self._filer(story) if is_desk else (None, None)
        filing = Filing(screened.answers, story.token, story.filling, story.channel, office_id)
        file_grievance(filing, actor, now=story.filed_at, number=story.tracking_number)
        self._done["cases"] += 1

    def _filer(self, story: Story) -> tuple[Actor, int]:
        """Who enters a case that did not come by the web: the cell what it read in the press, else the district's desk."""
        if story.channel == "suo_motu":
            return self._holder_of(self._book.cell.id, "cell_officer"), self._book.cell.id
        office = self._book.district_office(story.filling["district"])
        return self._holder_of(office.id, "desk_officer"), office.id

    def _act(self, story: Story, act: Act) -> None:
        number, values, at = story.tracking_number, act.values, act.at
        case = (
            self._states.pop(number, None) or self._session.execute(_STATE.where(Case.tracking_number == number)).one()
        )
        if act.what in ("answer", "information", "withdraw", "rate"):
            self._act_of_complainant(number, act, case.status)
            return
        if act.what.startswith("appeal"):
            self._appeal(story, act, case)
            return
        actor = self._handler(case)
        match act.what:
            case "acknowledge":
                cases.acknowledge_case(actor, number, None, now=at)
            case "assign":
                self._assign(actor, number, case, at)
            case "note":
                cases.add_note(actor, number, None, values["text"], now=at)
            case "ask":
                cases.ask_complainant(actor, number, None, values["text"], now=at)
                self._waiting.add(number)
            case "refer":
                self._refer(actor, number, case.office_id, values, at)
            case "resolve":
                cases.resolve_case(actor, number, None, **values, **self._evidence(story, at), now=at)
            case "decline":
                cases.decline_case(actor, number, None, values["code"], values["text"], now=at)
            case "close":
                cases.close_case(actor, number, None, values["text"], now=at)
            case _:
                raise ValueError(act.what)

    def _evidence(self, story: Story, at: datetime) -> dict[str, Any]:
        """What was found on a visit two days before, where the matter needs one; now and then why nobody could go."""
        if not self._book.category(story.filling["category"]).needs_visit:
            return {}
        if story.number % 7 == 0:
            return {"no_visit": wording.officer_lines(story.language, "visit", "none")[0]}
        texts = wording.officer_lines(story.language, "visit", "any")
        on = max(dhaka_date(story.filed_at), dhaka_date(at) - timedelta(days=2))
        return {"visited_on": on, "visit": texts[story.number % len(texts)]}

    def _act_of_complainant(self, number: str, act: Act, status: str) -> None:
        actor, words = complainant(number), act.values.get("text", "")
        if act.what == "rate":
            ratings.rate_case(actor, number, act.values["stars"], now=act.at)
        elif act.what == "withdraw":
            cases.withdraw_case(actor, number, words, now=act.at)
        elif act.what == "answer" and status == Status.WAITING:
            cases.answer_question(actor, number, words, now=act.at)
            self._waiting.discard(number)
        elif status in OPEN:  # the wait had run out before the answer came: it still counts as information
            cases.add_information(actor, number, words, now=act.at)

    def _appeal(self, story: Story, act: Act, case: Any) -> None:
        """The complainant appeals from a GRO's answer, and the appeal officer decides; from above nobody appeals here."""
        number, at = story.tracking_number, act.at
        if act.what == "appeal":
            if case.desk == "gro":
                appeals.appeal_case(complainant(number), number, act.values["text"], now=at)
        elif case.tier == "appeal":
            actor = self._handler(case)
            if act.what == "appeal-assign":
                self._assign(actor, number, case, at)
            else:
                cases.resolve_case(actor, number, None, **act.values, **self._evidence(story, at), now=at)

    def _assign(self, actor: Actor, number: str, case: Any, at: datetime) -> None:
        """The GRO gives the case to the office's case officer; at the other desks who answers takes it."""
        assignee_id = actor.officer_id
        if case.desk == "gro":
            found = self._post(case.office_id, "case_officer")
            if found is not None and found.acting is not None:
                assignee_id = found.acting.officer_id
        cases.assign_case(actor, number, None, assignee_id, now=at)

    def _refer(self, actor: Actor, number: str, from_office_id: int, values: Any, at: datetime) -> None:
        office_id = self._book.office_of(values["to_ministry"]).id
        if office_id == from_office_id:
            office_id = self._book.cell.id
        cases.refer_case(actor, number, None, office_id, values["text"], now=at)

    def _handler(self, case: Any) -> Actor:
        """Who acts on a case: whom it was given to, else who answers for its desk."""
        if case.assignee_id is not None and case.status not in (Status.FILED, Status.ACKNOWLEDGED):
            return self._actor(case.assignee_id)
        return self._holder_of(case.office_id, DESK_ROLE[case.desk])

    def _holder_of(self, office_id: int, role: str) -> Actor:
        post = self._post(office_id, role)
        if post is None or post.acting is None:
            raise Misconfigured("demo-needs-officers", office=self._book.office(office_id).code, role=role)
        return self._actor(post.acting.officer_id)

    def _post(self, office_id: int, role: str) -> StaffedPost | None:
        if office_id not in self._seats:
            self._seats[office_id] = holders(self._session, [office_id], self._today)
        return next((post for post in self._seats[office_id] if post.role == role), None)

    def _actor(self, officer_id: int) -> Actor:
        if officer_id not in self._actors:
            officer = self._session.get_one(Officer, officer_id)
            self._actors[officer_id] = actor_of(self._session, officer, self._today)
        return self._actors[officer_id]

    def _resume(self, now: datetime) -> None:
        """End the waits that have run out, as the tick does: only those of the demo, whatever else is in the database."""
        run_out = select(Case.tracking_number).where(
            Case.tracking_number.in_(sorted(self._waiting)), Case.waiting_until <= now
        )
        for number in self._session.scalars(run_out).all() if self._waiting else ():
            cases.resume_wait(number, now=now)
            self._waiting.discard(number)

    def _sweep(self, now: datetime) -> None:
        if (oldest := oldest_due(self._session)) is None or oldest > now:
            return
        done = sweep(as_of=now, now=now)
        if done.failed:
            raise RuntimeError(f"{done.failed} deadlines could not climb at {now}")
        self._done["climbs"] += done.warned + sum(done.escalated.values())
