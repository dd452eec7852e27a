"""A proposal played over past cases: who would have been warned and escalated, when and to whom, beside what really happened.

Everything is read in one read-only snapshot; the database itself refuses a write. Each clock is played twice, under its own
rules and under the proposed ones, each with the calendar it was reckoned with: so only what the proposal changes shows.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.deadlines import calendar_csv, policy_csv, queries
from grm.deadlines.calendar import Calendar, Day, dhaka_date, dhaka_midnight
from grm.deadlines.policies import known
from grm.deadlines.policy import Policy, PolicyFacts
from grm.deadlines.rungs import Rung
from grm.escalation import rehearsal_facts
from grm.escalation.dated_posts import DatedPosts
from grm.escalation.posts import Found
from grm.escalation.rehearsal import Change, Outcome, Terms, change_of, choose, play, with_days
from grm.escalation.rehearsal_facts import BATCH_SIZE, CaseHistory, Clock, Window
from grm.escalation.rehearsal_tally import CELL, Tally, Told
from grm.kernel import clock as clock_of_database
from grm.kernel.db import db
from grm.offices.queries import directory

ONE_DAY = timedelta(days=1)


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed: policies, taken as if always in force; rules that end; days added, changed or taken back (None)."""

    policies: tuple[Policy, ...] = ()
    ended_ids: frozenset[int] = frozenset()
    days: Mapping[date, Day | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RungFound:
    """A rung of one case: when it would have been climbed (None: not), when it really was, and who would have heard."""

    level: int
    at: datetime | None
    really_at: datetime | None
    role: str | None
    office_id: int
    post_id: int | None
    officer_id: int | None
    is_alternate: bool
    is_vacant: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """A clock that the proposal touches, with all rungs that would have been climbed or really were.

    `is_like`: played under its own rules, the clock does what it really did. Where not, the play missed something.
    """

    case_id: int
    tracking_number: str
    is_sensitive: bool
    office_id: int
    kind: str
    change: Change
    old_due_on: date
    new_due_on: date
    is_like: bool
    rungs: tuple[RungFound, ...]


def read_proposal(
    session: Session, policies: bytes | None, calendar: bytes | None
) -> tuple[Proposal, tuple[policy_csv.Fault, ...], tuple[calendar_csv.Fault, ...]]:
    """A proposal from the files that `deadlines policies import` and `calendar import` take; or the faults of each."""
    limits = policy_csv.parse(policies, known(session)) if policies is not None else None
    days = calendar_csv.parse(calendar) if calendar is not None else None
    stored = {(policy.code, policy.valid_from): policy for policy in queries.policies(session)}
    ladders = {rung.deadline_kind for rung in queries.rungs(session)}
    proposed: list[Policy] = []
    ended: set[int] = set()
    faults = list(limits.faults) if limits else []
    for line in limits.lines if limits else ():
        if line.policy.kind not in ladders:
            text = _("nobody is told when %(kind)s runs out, so there is nothing to rehearse")
            faults.append(policy_csv.Fault(line.number, text, {"kind": line.policy.kind}))
            continue
        own = stored.get((line.policy.code, line.policy.valid_from))
        if own is not None and line.policy.valid_to is not None and own.limit == line.policy.limit:
            ended.add(own.id)  # the line says nothing but that a rule ends
        else:
            proposed.append(line.policy)
    found = Proposal(tuple(proposed), frozenset(ended), days.days if days else {})
    return found, tuple(faults), days.faults if days else ()


@contextmanager
def snapshot() -> Iterator[Session]:
    """A session that sees one instant of the database and can write nothing."""
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with db.engine.connect().execution_options(**options) as connection, Session(bind=connection) as session:
        session.execute(text("SET LOCAL statement_timeout = '30s'"))
        yield session
        session.rollback()


def window_of(session: Session, since_on: date | None, until_on: date | None, as_of: datetime | None = None) -> Window:
    """The cases filed or open from one Dhaka date through another; the last year where not given."""
    now = as_of or clock_of_database.now(session)
    last = until_on or dhaka_date(now)
    until_at = dhaka_midnight(last + ONE_DAY)
    since_at = dhaka_midnight(since_on or year_before(last))
    through = session.execute(text("SELECT coalesce(max(id), 0) FROM cases")).scalar_one()
    return Window(since_at, until_at, min(now, until_at), through)


def year_before(on: date) -> date:
    """The same day of the year before."""
    return on.replace(year=on.year - 1) if (on.month, on.day) != (2, 29) else date(on.year - 1, 2, 28)


class Stage:
    """Everything a rehearsal needs besides the cases, read once: rules, calendars, posts of all days."""

    def __init__(self, session: Session, proposal: Proposal, horizon: datetime) -> None:
        self._session, self._proposal, self._horizon = session, proposal, horizon
        self._policies = {policy.id: policy for policy in queries.policies(session)}
        self._rungs = queries.rungs(session)
        self._ladders: set[str] = {rung.deadline_kind for rung in self._rungs}
        self._posts = DatedPosts.read(session)
        self._last_day = max(proposal.days, default=date.min)
        self._calendars: dict[int, tuple[Calendar, Calendar]] = {}
        self._found: dict[object, Found] = {}
        self._book = directory(session)

    def findings(self, case: CaseHistory, tally: Tally) -> Iterator[Finding]:
        """The clocks of a case that the proposal touches; all are counted."""
        tally.cases += 1
        for clock in case.clocks:
            if clock.facts.kind not in self._ladders:
                continue  # a window of the complainant's: nobody is told
            tally.clocks += 1
            finding = self._finding(case, clock)
            if finding is not None:
                self._count(case, finding, tally)
                yield finding

    def ministry_of(self, office_id: int) -> str:
        """The ministry an office belongs to, by its slug; else the office's own code (`cell`)."""
        office = self._book.office(office_id)
        if office.ministry_id is not None:
            return self._book.ministry(office.ministry_id).slug
        return CELL if office.kind == CELL else office.code

    def _finding(self, case: CaseHistory, clock: Clock) -> Finding | None:
        before, after = self._terms(case, clock)
        if before == after or ((before.limit, before.unit) == (after.limit, after.unit) and self._is_past(clock)):
            return None
        is_vacant = partial(self._is_vacant, case)
        old, new = (play(clock.facts, terms, self._rungs, self._horizon, is_vacant) for terms in (before, after))
        change = change_of(old, new, clock.was_late(self._horizon))
        if change is None:
            return None
        return Finding(
            case.id,
            case.tracking_number,
            case.is_sensitive,
            case.now_at.office_id,
            clock.facts.kind,
            change,
            clock.due_on,
            new.due_on,
            {step.level: step.at for step in old.steps} == clock.climbed,
            tuple(self._rungs_of(case, clock, new)),
        )

    def _terms(self, case: CaseHistory, clock: Clock) -> tuple[Terms, Terms]:
        """The clock's own rules and the proposed ones."""
        own = self._policies[clock.policy_id]
        started_on = dhaka_date(clock.facts.started_at)
        office_id = case.place_at(clock.facts.started_at).office_id
        facts = PolicyFacts(clock.facts.kind, office_id, case.programme, case.category, case.priority, clock.tier)
        proposal = self._proposal
        policy = choose(own, proposal.policies, facts, proposal.ended_ids, tuple(self._policies.values()), started_on)
        mine, theirs = self._calendars_of(clock.calendar_version)
        return Terms(own.limit, own.unit, mine), Terms(policy.limit, policy.unit, theirs)

    def _calendars_of(self, version: int) -> tuple[Calendar, Calendar]:
        known_pair = self._calendars.get(version)
        if known_pair is None:
            stored = queries.calendar_at(self._session, version)
            known_pair = self._calendars[version] = (stored, with_days(stored, self._proposal.days))
        return known_pair

    def _is_past(self, clock: Clock) -> bool:
        """Whether every proposed day lies before the clock begins."""
        return self._last_day < dhaka_date(clock.facts.started_at)

    def _rungs_of(self, case: CaseHistory, clock: Clock, new: Outcome) -> Iterator[RungFound]:
        would = {step.level: step for step in new.steps}
        for level in sorted(would.keys() | clock.climbed.keys()):
            really_at = clock.climbed.get(level)
            step = would.get(level)
            if step is None:
                assert really_at is not None
                office_id = case.place_at(really_at).office_id
                yield RungFound(level, None, really_at, None, office_id, None, None, False, False)
                continue
            found = self._find(case, step.role, level, step.at)
            yield RungFound(
                level,
                step.at,
                really_at,
                found.role,
                found.office_id,
                found.post_id,
                found.officer_id,
                found.is_alternate,
                found.is_vacant,
            )

    def _is_vacant(self, case: CaseHistory, rung: Rung, at: datetime) -> bool:
        return self._find(case, rung.role, rung.level, at).is_vacant

    def _find(self, case: CaseHistory, role: str, level: int, at: datetime) -> Found:
        """Who hears of a rung on a day, where the case then lay."""
        place, day = case.place_at(at), dhaka_date(at)
        key = (role, level, day, place, case.accused)
        found = self._found.get(key)
        if found is None:
            posts = self._posts.of(self._session, day, place.office_id)
            found = posts.find(role, level, place.office_id, place.desk, place.assignee_id, case.accused)
            self._found[key] = found
        return found

    def _count(self, case: CaseHistory, finding: Finding, tally: Tally) -> None:
        tally.unlike += not finding.is_like
        tally.count_change(self.ministry_of(finding.office_id), finding.kind, finding.change)
        for rung in finding.rungs:
            if rung.at is not None:
                ministry = self.ministry_of(case.place_at(rung.at).office_id)
                told = Told(rung.office_id, rung.role or "", rung.officer_id)
                tally.count_would(ministry, finding.kind, rung.level, told, rung.is_vacant)
            if rung.really_at is not None:
                ministry = self.ministry_of(case.place_at(rung.really_at).office_id)
                tally.count_did(ministry, finding.kind, rung.level)


@dataclass(frozen=True, slots=True)
class Batch:
    """What a batch has found, and the last case it looked at; `is_last`: there are no more."""

    findings: tuple[Finding, ...]
    last_id: int
    is_last: bool


def play_batch(
    session: Session, stage: Stage, window: Window, after_id: int, tally: Tally, size: int = BATCH_SIZE
) -> Batch:
    """Play the next cases and count them into the tally."""
    cases = rehearsal_facts.batch(session, window, after_id, size)
    findings = tuple(finding for case in cases for finding in stage.findings(case, tally))
    return Batch(findings, cases[-1].id if cases else after_id, len(cases) < size)
