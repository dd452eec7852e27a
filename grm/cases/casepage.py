"""Everything the page of one case shows, read in at most six statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, Text, bindparam
from sqlalchemy.orm import Session

from grm.accounts.sessions import opened_at
from grm.cases import (
    actgroups,
    attachment_queries,
    attachment_wording,
    claim_words,
    claims,
    closing_page,
    collective_page,
    informing,
    investigations,
    lifecycle,
    panels,
    permits,
    queries,
    ratings,
    referral,
    referral_page,
    reminders,
    service,
    spine,
    wording,
)
from grm.cases.forms import ActionForm, form_for, nothing_chosen
from grm.cases.hearings import HearingLine, hearings_column, hearings_of
from grm.cases.links import Linked, is_open_follower, links_column, links_from
from grm.cases.models import Case, ContactTask
from grm.cases.permissions import CaseFacts, may_have_files_of_complainant, relation_of
from grm.cases.queries import Clock, EventLine, Person
from grm.cases.referral_page import ReferralPage
from grm.cases.repeats import repeats_column, repeats_in_words
from grm.cases.states import ENDED, Action, Status
from grm.deadlines.calendar import dhaka_date
from grm.kernel import tracking_number as numbers
from grm.kernel.actor import Actor
from grm.kernel.context import keyring
from grm.kernel.db import UtcDateTime
from grm.kernel.errors import GrmError, NotFound
from grm.kernel.prepared import PREPARED
from grm.offices.directory import Directory, Office
from grm.offices.queries import PostHolder, StaffedPost, directory, holders
from grm.web.locale import gettext
from grm.web.presentation import digits, name, show_date

HANDLING = ("office", "assignee", "colleague")
UNMENTIONED = (
    "only-the-cell",
    "nothing-recommended",
    "no-request-open",
    "no-permission-asked",
    "not-investigating",
    "nobody-to-inform",
    "no-hearing",
    "not-answered",
    "answer-stands",
    "not-offered",
    "part-of-a-case",
    "nothing-directed",
    "only-the-cell-directs",
    "already-there",
)
"""Why an action is not even named among those that cannot be done now: it is about something that is not there."""
KNOW_ACCOUNTS = (*HANDLING, "filer")
"""Who is shown the account and what is to be corrected: who works on it, and who wrote it down."""
KNOW_WHO = (*HANDLING, "superior", "filer")
"""Who is told the complainant's name: the head of office supervises without it."""


_DECISIONS = frozenset({Action.RESOLVE, Action.DECLINE, Action.RECOMMEND, Action.COMPLY})
"""What is passed on to the cases merged into one: templates/cases/_together.html stands below their forms."""


@dataclass(frozen=True, slots=True)
class Section:
    """An action that may be done now, with its form."""

    action: Action
    title: str
    form: ActionForm
    is_open: bool

    @property
    def takes_files(self) -> bool:
        """Whether its form brings files."""
        return self.action is Action.ATTACH


@dataclass(frozen=True, slots=True)
class Group:
    """Actions that belong together."""

    title: str
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class CasePage:
    """What the template shows."""

    case: Case
    facts: CaseFacts
    now: datetime
    book: Directory
    assignee: PostHolder | None
    investigators: tuple[PostHolder, ...]
    """Who has to report on an investigation that is going on."""
    events: tuple[EventLine, ...]
    people: tuple[Person, ...]
    shows_addresses: bool
    """Whether phone and e-mail are shown whole: to the office that handles the case. Others see them masked."""
    clocks: tuple[Clock, ...]
    messages: Sequence[panels.MessageLine]
    referral: ReferralPage
    """Where it came from, what part of it is elsewhere, what the Cabinet Division directs."""
    files: tuple[attachment_queries.FileLine, ...]
    files_not_shown: int
    """How many there are besides, which are not the reader's to open."""
    links: tuple[Linked, ...]
    """What is answered together with it, as far as the reader may see it."""
    same_text: int
    """How many cases with this very text the reader may see (`grm/cases/repeats.py`)."""
    claim: claims.Told | None
    """The facts of a payment or a correction."""
    hearings: tuple[HearingLine, ...]
    """Of the planned one whether it has passed tells `now`."""
    contact_tasks: Sequence[ContactTask]
    sections: tuple[Section, ...]
    refused: tuple[tuple[str, str], ...]

    @property
    def office(self) -> Office:
        """The office that holds the case."""
        return self.book.office(self.case.office_id)

    @property
    def is_ended(self) -> bool:
        """Whether the case is no longer open."""
        return Status(self.case.status) in ENDED

    @property
    def is_overdue(self) -> bool:
        """Whether its time is over."""
        return not self.is_ended and not self.case.is_paused and self.case.due_at <= self.now

    @property
    def repeats(self) -> str:
        """What is said of a text that came many times; empty where it did not."""
        return repeats_in_words(self.same_text)

    @property
    def has_hidden_lead(self) -> bool:
        """Whether it follows a case that the reader must not know of."""
        return self.facts.follows is not None and not any(each.leads for each in self.links)

    @property
    def open_followers(self) -> int:
        """How many cases are linked under it and still to be answered."""
        return sum(is_open_follower(each) for each in self.links)

    @property
    def ratings(self) -> tuple[ratings.Rated, ...]:
        """How the complainant rated the answers."""
        return ratings.ratings_of(self.events)

    @property
    def asked_higher(self) -> tuple[EventLine, ...]:
        """When the complainant asked to have the late case sent higher."""
        return tuple(line for line in self.events if line.kind == "escalation_asked")

    @property
    def reminders(self) -> tuple[EventLine, ...]:
        """When a superior or overseer has reminded who has it, the latest first."""
        return tuple(line for line in reversed(self.events) if line.kind == reminders.KIND)

    @property
    def waiting_until_on(self) -> date | None:
        """The last day of the wait for the complainant."""
        until = self.case.waiting_until
        return dhaka_date(until - timedelta(microseconds=1)) if until else None

    @property
    def next_section(self) -> Section | None:
        """What is most likely to be done next; it stands before the groups."""
        likely = actgroups.likely({each.action for each in self.sections}, self.case.assignee_id is not None)
        return next((each for each in self.sections if each.action is likely), None)

    def can_be_kept(self, section: Section) -> bool:
        """Whether its form is written alike for all cases: a decision that reaches other cases too says so."""
        return section.action not in _DECISIONS or not (self.facts.merged_count or self.open_followers)

    @property
    def groups(self) -> tuple[Group, ...]:
        """What else may be done, arranged; empty groups are left out."""
        first, by_action = self.next_section, {each.action: each for each in self.sections}
        found = (
            Group(
                gettext(title),
                tuple(by_action[each] for each in actions if each in by_action and by_action[each] is not first),
            )
            for title, actions in actgroups.GROUPS
        )
        return tuple(each for each in found if each.sections)

    @property
    def contents(self) -> tuple[tuple[str, str], ...]:
        """The parts of the page that are there, with their anchors."""
        parts = (
            ("alleged", gettext("What is alleged"), True),
            ("claim", self.claim_heading, self.claim is not None),
            ("now", gettext("What can be done now"), True),
            ("files", gettext("Files"), bool(self.files or self.files_not_shown)),
            ("history", gettext("History"), True),
            ("holder", gettext("Who holds it"), True),
            ("parts", gettext("Parts at other offices"), bool(self.referral.parts)),
            ("directions", gettext("Directions of the Cabinet Division"), bool(self.referral.directions)),
            ("hearings", gettext("Hearings"), bool(self.hearings)),
            ("links", gettext("Answered together"), bool(self.links)),
            ("messages", gettext("Messages"), bool(self.messages)),
        )
        return tuple((anchor, title) for anchor, title, is_there in parts if is_there)

    def name_of(self, file: attachment_queries.FileLine) -> str:
        """What a file is called: by its sender, or by its number among the files of the case."""
        return attachment_wording.name_of(file)

    def size_of(self, file: attachment_queries.FileLine) -> str:
        """How large a file is, in words."""
        return attachment_wording.size(file.size)

    def whom(self, task: ContactTask) -> str:
        """Who has joined in and was not reached, by name as far as the reader may know it; empty for who filed."""
        if task.complainant_id is None:
            return ""
        names = [each.name for each in self.people if each.id == task.complainant_id and each.name]
        return names[0] if names else gettext("Somebody who has joined in")

    def why_not(self, task: ContactTask) -> str:
        """Why a message did not reach the complainant."""
        return panels.fault(task.reason)

    @property
    def claim_heading(self) -> str:
        """What the part of the page with these facts is called."""
        return claim_words.heading(self.claim)

    @property
    def claim_lines(self) -> tuple[tuple[str, str], ...]:
        """The facts of a payment or a correction, in words."""
        return claim_words.lines(self.claim, self.book) if self.claim else ()

    @property
    def claim_hint(self) -> tuple[str, str] | None:
        """Whom these facts point to, and why."""
        if self.claim is None or self.is_ended:
            return None
        found = claim_words.hint_of(self.claim, self.book.category(self.case.category_id).slug)
        return (claim_words.side(found), claim_words.why(found)) if found else None

    @property
    def is_provisional(self) -> bool:
        """Whether the due date may move, because the holidays are not announced that far."""
        main = [each for each in self.clocks if each.kind == self.case.main_clock]
        return bool(main) and main[-1].is_provisional

    def by_day_only(self, at: datetime) -> Any:
        """An instant as this page may show it: officers see the times of an anonymous case by the day only."""
        return dhaka_date(at) if self.case.is_anonymous else at


def load(
    session: Session,
    actor: Actor,
    tracking_number: str,
    posted: ActionForm | None = None,
    *,
    with_actions: bool = True,
) -> CasePage:
    """Read the page of a case for an officer; `posted` is the form just sent, to be shown again with its text. Without
    actions: what there is to read only.

    Raises `NotFound` for a case that does not exist and for one the actor must not know of.
    """
    now = opened_at()  # as read with the officer's session: it need not be asked for again
    row = _row(session, actor, tracking_number, now)
    case: Case = row.Case
    facts = queries.facts_of(case, row.accusations, row.former_office_ids, row.standing)
    events = queries.events_of(session, case.id)
    seats = holders(session, [case.office_id], dhaka_date(now))
    facts = permits.with_permitter(facts, seats)
    facts = reminders.with_senders(session, facts, reminders.sent(events), dhaka_date(now))
    staff = service.handlers_among(seats, case.desk, facts.accusations, with_absent=True)
    sections, refused = _actions(session, actor, case, facts, events, seats, now, posted) if with_actions else ((), ())
    heard = hearings_of(row.hearings)
    closing_page.fill(session, (each.form for each in sections), case, heard)
    referral_page.fill(
        (each.form for each in sections),
        case,
        lambda: _offices(session, actor, facts, dhaka_date(now), True),
        has_claim=row.claim is not None,
    )
    relation = relation_of(actor, facts)
    people = queries.people_of(session, case, keyring()) if relation in KNOW_WHO and not case.is_anonymous else ()
    files = attachment_queries.files_of(row.attachments)
    has_theirs = may_have_files_of_complainant(actor, facts)
    shown = files if has_theirs else tuple(each for each in files if not each.is_theirs)
    tasks = informing.open_tasks(session, case)
    collective_page.fill((each.form for each in sections), tasks, people)
    return CasePage(
        case=case,
        facts=facts,
        now=now,
        book=directory(session),
        investigators=tuple(
            each
            for each in investigations.investigators_among(seats, case.desk, facts.accusations, with_absent=True)
            if each.officer_id in facts.investigator_ids
        ),
        assignee=next((each for each in staff if each.officer_id == case.assignee_id), None),
        events=events,
        people=people,
        shows_addresses=relation in HANDLING,
        clocks=queries.clocks_of(row.deadlines),
        messages=panels.messages_of(session, case.id),
        files=shown,
        files_not_shown=len(files) - len(shown),
        claim=claims.told_of(row.claim, case.tracking_number, opens=relation in KNOW_ACCOUNTS),
        hearings=heard,
        links=links_from(row.links),
        same_text=row.same_text,
        referral=referral_page.load(row),
        contact_tasks=tasks,
        sections=sections,
        refused=refused,
    )


@lru_cache(512)
def _statement(actor: Actor) -> Select[*tuple[Any, ...]]:
    """The statement for what an officer may see of a case, by `number` and `now`: to build it takes longer than to run it."""
    number, now = bindparam("number", type_=Text), bindparam("now", type_=UtcDateTime)
    statement = queries.case_numbered(actor, number).add_columns(
        queries.deadlines_column(),
        attachment_queries.attachments_column(),
        claims.claim_column(),
        hearings_column(),
        links_column(actor, number),
        repeats_column(actor, number),
        *referral_page.columns(actor, now),
    )
    return statement.execution_options(**PREPARED)


def _row(session: Session, actor: Actor, tracking_number: str, now: datetime) -> Any:
    found = {"number": numbers.parse(tracking_number), "now": now}
    row = session.execute(_statement(actor), found, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise NotFound
    return row


def _actions(
    session: Session,
    actor: Actor,
    case: Case,
    facts: CaseFacts,
    events: tuple[EventLine, ...],
    seats: tuple[StaffedPost, ...],
    now: datetime,
    posted: ActionForm | None,
) -> tuple[tuple[Section, ...], tuple[tuple[str, str], ...]]:
    sections, refused = [], []
    for action, title in wording.ACTIONS.items():
        verdict = lifecycle.decide(facts, action, actor, now)
        if verdict.why in UNMENTIONED:
            continue
        if not verdict.is_allowed:
            refused.append((gettext(title), gettext(wording.WHY[verdict.why])))
            continue
        is_posted = posted is not None and posted.action is action
        form = posted if is_posted and posted is not None else form_for(action)
        _fill(session, form, actor, case, facts, events, seats, dhaka_date(now))
        sections.append(Section(action, gettext(title), form, is_posted))
    return tuple(sections), tuple(refused)


def _fill(
    session: Session,
    form: ActionForm,
    actor: Actor,
    case: Case,
    facts: CaseFacts,
    events: tuple[EventLine, ...],
    seats: tuple[StaffedPost, ...],
    today: date,
) -> None:
    """Put in what depends on the case: the officers and offices to choose from, the dates to name."""
    if form.action is Action.ASSIGN:
        staff = service.handlers_among(seats, case.desk, facts.accusations)
        others = [(str(each.officer_id), name(each)) for each in staff if each.officer_id != case.assignee_id]
        form.offer(assignee=[nothing_chosen(), *others])
    elif form.action is Action.INVESTIGATE:
        found = investigations.investigators_among(seats, case.desk, facts.accusations)
        eligible = [(str(each.officer_id), name(each)) for each in found]
        form.offer(
            member_1=[nothing_chosen(), *eligible],
            member_2=[("", gettext("Nobody")), *eligible],
            member_3=[("", gettext("Nobody")), *eligible],
        )
    elif form.action is Action.PERMIT:
        known = {each.officer_id: name(each) for seat in seats for each in seat.holders}
        named = ", ".join(known[each] for each in facts.proposed_ids if each in known)
        form.describe("decision", gettext("To investigate, the leader first: %(officers)s", officers=named))
    elif form.action is Action.INFORM:
        form.preset("contacted_on", digits(today.strftime("%d/%m/%Y")))
    elif form.action is Action.REFER:
        form.offer(office=[nothing_chosen(), *_offices(session, actor, facts, today)])
    elif form.action is Action.ASK:
        form.describe("question", gettext("The clock stands still until the answer comes, at most until %(date)s.",
                                          date=show_date(_ends_on(session, case, "answer", today))))  # fmt: skip
    elif form.action is Action.CLOSE:
        until = queries.confirm_by_on(events)
        if lifecycle.needs_reason_to_close(until, today):
            form.describe(
                "reason", gettext("Needed until %(date)s: so long the complainant may object.", date=show_date(until))
            )


def _offices(
    session: Session, actor: Actor, facts: CaseFacts, today: date, is_part: bool = False
) -> list[tuple[str, str]]:
    """The offices the actor may refer to, or send a part to: the cell, the ministries, the payment
    providers, the district offices, each by name."""
    order = {"cell": 0, "ministry": 1, "provider": 2}
    found = [
        (order.get(office.kind, 3), name(office), office.code)
        for office, _ in referral.targets(session, facts, today)
        if is_part or not lifecycle.why_not_to(facts, office.id, actor)
    ]
    return [(code, title) for _, title, code in sorted(found)]


def _ends_on(session: Session, case: Case, kind: str, today: date) -> date | None:
    try:
        return spine.ends_on(session, case, kind, today)
    except GrmError:  # the page must open even where a policy is missing; the act itself will say so
        return None
