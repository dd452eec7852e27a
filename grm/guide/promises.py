"""Who answers a complaint about a programme, and by when: reckoned from the routing rules, the policies and the calendar in
force, exactly as a filing would be at this moment; never written down anywhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from grm.deadlines import queries as clocks
from grm.deadlines import service as deadlines
from grm.deadlines.policy import CaseFacts, Policy
from grm.deadlines.policy import decide as decide_policy
from grm.deadlines.rungs import rung_instant, rungs_of
from grm.kernel.clock import dhaka_date
from grm.kernel.errors import Misconfigured
from grm.offices.directory import Category, Directory, Office, Programme
from grm.offices.queries import StaffedPost, directory, holders
from grm.routing.queries import facts_of, rule_book
from grm.routing.rules import About, RuleBook, decide

ANSWERS = {"gro": "gro", "appeal": "appeal_officer", "cell": "cell_officer"}
"""The role that answers at each desk."""
ACCUSED: tuple[About, ...] = ("field-office", "gro", "appeal-officer", "ministry")


@dataclass(frozen=True, slots=True)
class Promise:
    """One queue and one date, and what comes there: categories, or complaints about somebody (`about`)."""

    office: Office
    desk: str
    post: StaffedPost | None
    """None where the office has no such post in the directory: then the office answers."""
    due_on: date | None
    """The last day for the answer to a complaint filed today; None where no policy or no calendar is in force."""
    is_provisional: bool
    categories: tuple[Category, ...] = ()
    about: About = "none"


@dataclass(frozen=True, slots=True)
class Step:
    """From this day on, a higher role is told that the answer is late."""

    on: date
    role: str


@dataclass(frozen=True, slots=True)
class Promises:
    """All that a citizen may count on. `ordinary` is where most complaints go; `others` differ in who answers or by when."""

    today: date
    ordinary: Promise
    others: tuple[Promise, ...]
    accused: tuple[Promise, ...]
    """Complaints about an officer or the ministry itself, where they go elsewhere than ordinary ones."""
    seen_by: date | None
    steps: tuple[Step, ...]
    appeal_within: Policy | None
    depends_on_place: bool
    """Whether some district or division has a rule of its own."""


@dataclass(frozen=True, slots=True)
class _Queue:
    office_id: int
    desk: str
    due_on: date | None
    is_provisional: bool


def promises(session: Session, programme: Programme, now: datetime) -> Promises:
    """What holds for a complaint about a programme filed now. Reads caches, and one statement for the posts.

    Raises `Misconfigured` `no-route` where no rule fits at all, which `routing check` forbids.
    """
    today = dhaka_date(now)
    book, rules = directory(session), rule_book(session)
    by_queue: dict[_Queue, list[Category]] = {}
    for category in book.categories_on(today):
        by_queue.setdefault(_queue(session, book, rules, programme, category, "none", now), []).append(category)
    # Where most of the ordinary complaints go; what is sensitive must not come first only because much is.
    first, *rest = sorted(by_queue, key=lambda queue: -sum(not each.is_sensitive for each in by_queue[queue]))
    usual = by_queue[first][0]
    accused = [(about, _queue(session, book, rules, programme, usual, about, now)) for about in ACCUSED]
    posts = holders(session, {queue.office_id for queue in (first, *rest, *(each for _, each in accused))}, today)

    def promise(queue: _Queue, categories: Iterable[Category] = (), about: About = "none") -> Promise:
        office = book.office(queue.office_id)
        wanted = (queue.office_id, ANSWERS[queue.desk])
        post = next((each for each in posts if (each.office_id, each.role) == wanted), None)
        return Promise(office, queue.desk, post, queue.due_on, queue.is_provisional, tuple(categories), about)

    facts = _case(programme, usual, first.office_id)
    return Promises(
        today=today,
        ordinary=promise(first, by_queue[first]),
        others=tuple(promise(queue, by_queue[queue]) for queue in rest),
        accused=tuple(
            promise(queue, about=about)
            for about, queue in accused
            if (queue.office_id, queue.desk) != (first.office_id, first.desk)
        ),
        seen_by=_due(session, facts, "acknowledge", now)[0],
        steps=_steps(session, first.due_on),
        appeal_within=_policy(session, facts, "appeal_window", today),
        depends_on_place=any(
            (rule.district or rule.division)
            and rule.programme in (None, programme.slug)
            and rule.valid_from <= today
            and (rule.valid_to is None or today < rule.valid_to)
            for rule in rules.rules
        ),
    )


def _queue(
    session: Session,
    book: Directory,
    rules: RuleBook,
    programme: Programme,
    category: Category,
    about: About,
    now: datetime,
) -> _Queue:
    facts = facts_of(
        book, programme=programme.slug, category=category.slug, place=None, about=about, filed_on=dhaka_date(now)
    )
    decision = decide(rules, facts)
    due = _due(session, _case(programme, category, decision.office_id), "resolve", now)
    return _Queue(decision.office_id, decision.desk, *due)


def _case(programme: Programme, category: Category, office_id: int) -> CaseFacts:
    """As a filing would put it (`grm/intake/service.py`): whatever the desk, a case begins at the first tier."""
    return CaseFacts(office_id, programme.slug, category.slug, category.priority, "gro")


def _due(session: Session, facts: CaseFacts, kind: str, now: datetime) -> tuple[date | None, bool]:
    try:
        planned = deadlines.plan(session, facts, now, (kind,))[0]
    except Misconfigured:
        return None, False
    return planned.due_on, planned.is_provisional


def _policy(session: Session, facts: CaseFacts, kind: str, today: date) -> Policy | None:
    try:
        return decide_policy(clocks.policies(session), facts.of_kind(kind), today).policy
    except Misconfigured:
        return None


def _steps(session: Session, due_on: date | None) -> tuple[Step, ...]:
    if due_on is None:
        return ()
    calendar = clocks.calendar(session)
    return tuple(
        Step(dhaka_date(rung_instant(rung, due_on, calendar)), rung.role)
        for rung in rungs_of(clocks.rungs(session), "resolve")
        if rung.level > 0
    )
