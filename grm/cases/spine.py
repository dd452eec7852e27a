"""The one way an act on a case goes: load and lock what the actor may see, compare the version, decide, apply to the
row, write history, move the clocks, record the event. All in one transaction.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases import hearing_rows, history, lifecycle, permits, queries, reminders
from grm.cases.models import Case, Direction
from grm.cases.permissions import CaseFacts
from grm.cases.states import ENDED, Action, Status
from grm.deadlines import policy
from grm.deadlines import queries as deadline_queries
from grm.deadlines import service as deadlines
from grm.deadlines.calendar import dhaka_date, end_of_day
from grm.kernel import tracking_number as numbers
from grm.kernel.actor import Actor
from grm.kernel.errors import Conflict, IllegalAction, NotFound
from grm.kernel.transaction import Act, transaction
from grm.offices.queries import directory, holders


@dataclass(frozen=True, slots=True)
class Step:
    """An act that was allowed, on a case that is locked."""

    act: Act
    actor: Actor
    case: Case
    facts: CaseFacts
    verdict: lifecycle.Verdict

    @property
    def session(self) -> Session:
        """The session of the act."""
        return self.act.session

    @property
    def today(self) -> date:
        """The date in Dhaka."""
        return dhaka_date(self.act.now)

    def about(self) -> dict[str, Any]:
        """What every event says about the case (`grm/cases/events.py`)."""
        return {
            "case_id": self.case.id,
            "tracking_number": self.case.tracking_number,
            "is_sensitive": self.case.is_sensitive,
            "office_id": self.case.office_id,
            "desk": self.case.desk,
        }


@contextmanager
def acting(
    actor: Actor, tracking_number: str, version: int | None, action: Action, now: datetime | None = None
) -> Iterator[Step]:
    """Open an act on a case and commit it at the end.

    `version` is what the actor saw; None skips the comparison, for acts that do not depend on it. Raises `NotFound` for
    what the actor must not know of, `Conflict` for a stale version (with what happened since), `IllegalAction` with the
    reason for what cannot be done.
    """
    with transaction(now) as act:
        if action in ON_FOLLOWERS:
            lock_followers(act.session, tracking_number)
        yield begin(act, actor, tracking_number, version, action)


def begin(act: Act, actor: Actor, tracking_number: str, version: int | None, action: Action) -> Step:
    """The first half of `acting`, for acts on more than one case: they lock the rows before, in the order of the ids."""
    if version is None:
        _lock(act.session, tracking_number)
    case, facts = queries.find_case(act.session, actor, tracking_number, for_update=True)
    check_version(act.session, case, version)
    if action is Action.PERMIT:
        facts = permits.with_permitter(facts, holders(act.session, [case.office_id], dhaka_date(act.now)))
    if action is Action.REMIND:
        facts = reminders.with_reminders(act.session, facts, case.id, dhaka_date(act.now))
    verdict = lifecycle.decide(facts, action, actor, act.now)
    if verdict.is_hidden:
        raise NotFound
    if not verdict.is_allowed:
        raise IllegalAction(verdict.why)
    return Step(act, actor, case, facts, verdict)


def _lock(session: Session, tracking_number: str) -> None:
    """Lock a case before it is read. What a statement that waits for a lock reads beside the locked row is as old as the
    statement: who names no version would not see a direction that was given in that moment."""
    number = numbers.parse(tracking_number)
    session.execute(select(Case.id).where(Case.tracking_number == number).with_for_update(key_share=True))


def check_version(session: Session, case: Case, version: int | None) -> None:
    """Raise `Conflict`, with what happened since, where somebody has acted on what the actor saw."""
    if version is not None and version != case.version:
        raise Conflict("case-changed", changed=_changed(session, case, version))


ON_FOLLOWERS = frozenset(
    {
        *(Action.RESOLVE, Action.DECLINE, Action.RECOMMEND, Action.COMPLY, Action.WITHDRAW),
        *(Action.CONTEST, Action.APPEAL, Action.UNMERGE, Action.UNLINK, Action.RETURN),
    }
)
"""Acts that reach the cases merged into the one acted on, or the lead that it is merged into, or the case it is a part of."""

_LOCK_FOLLOWERS = text(
    """
    SELECT id FROM cases WHERE id IN (
        SELECT unnest(ARRAY[k.case_id, k.lead_id]) FROM case_link AS k
        WHERE k.ended_at IS NULL AND (
            k.case_id = (SELECT id FROM cases WHERE tracking_number = :number)
            OR k.kind = 'merged' AND k.lead_id = (SELECT id FROM cases WHERE tracking_number = :number))
        UNION ALL
        SELECT unnest(ARRAY[part.parent_id, part.id]) FROM cases AS part
        WHERE part.tracking_number = :number AND part.parent_id IS NOT NULL)
    ORDER BY id FOR NO KEY UPDATE
    """
)


def lock_followers(session: Session, tracking_number: str) -> None:
    """Lock a case together with those merged into it, or with the lead it follows, in the order of the ids, so that acts on one
    group wait for each other and never for ever. Nothing happens to a case without such links."""
    session.execute(_LOCK_FOLLOWERS, {"number": numbers.parse(tracking_number)})


def apply(
    step: Step,
    kind: str,
    data: Mapping[str, Any],
    texts: Mapping[str, str] | None = None,
    change: Mapping[str, Any] | None = None,
) -> None:
    """Write what was decided: status, version, clocks and history. `change` has further columns of the case row, which
    become what they are to be together with the status."""
    case, now, after = step.case, step.act.now, step.verdict.status
    assert after is not None
    before, facts = case.status, dict(data)
    case.status = after.value
    case.version += 1
    for name, value in (change or {}).items():
        setattr(case, name, value)
    gone_id, due_on_before = None, case.due_on
    if Status(before) in ENDED and after not in ENDED and case.assignee_id is not None and not _still_serves(step):
        # Who had it has left since; as it was ended then, it was not handed over.
        gone_id, case.assignee_id = case.assignee_id, None
    for effect in step.verdict.effects:
        if effect == "renew" and case.due_on != due_on_before:
            facts["was_due_on"] = case.due_on
        _EFFECTS[effect](step)
    # A pause that ends moves the date, too: the history alone must tell when the case was due.
    if "renew" in step.verdict.effects or case.due_on != due_on_before:
        facts["due_on"] = case.due_on
    if case.status != before:
        facts |= {"status_from": before, "status_to": case.status}
    if "accept" in step.verdict.effects and kind != "accepted":
        facts["accepts"] = True
    history.append(step.session, case, kind, step.actor, now, {**facts, "version": case.version}, texts)
    if step.facts.has_subcases and _is_elsewhere(step):
        _take_subcases_along(step)
    if gone_id is not None:
        data = {"officer_id": gone_id, "from_officer_id": gone_id, "version": case.version}
        history.append(step.session, case, "unassigned", step.actor, now, data)
    if step.facts.hearing_at is not None and _is_gone(step):
        hearing_rows.call_off(step.act, case, step.facts, step.actor.officer_id)


def _is_gone(step: Step) -> bool:
    """Whether the case has ended, or lies elsewhere than before."""
    return Status(step.case.status) in ENDED or _is_elsewhere(step)


def _is_elsewhere(step: Step) -> bool:
    case, facts = step.case, step.facts
    return (case.office_id, case.desk) != (facts.office_id, facts.desk)


def _take_subcases_along(step: Step) -> None:
    """The parts of a case stay where they are; they are seen by, and come back to, the desk that has the whole now."""
    case = step.case
    values = {"referred_from_office_id": case.office_id, "referred_from_desk": case.desk}
    step.session.execute(update(Case).where(Case.parent_id == case.id).values(values))


def overtake_direction(session: Session, case_id: int, now: datetime) -> None:
    """An open direction of the Cabinet Division need not be answered any more: what it was about has ended or moved up."""
    is_open = (Direction.case_id == case_id, Direction.ended_at.is_(None))
    session.execute(update(Direction).where(*is_open).values(ended_at=now, how="overtaken"))


def hold_officer(session: Session, officer_id: int | None) -> None:
    """Keep an officer from being moved before the act is done; one who is being moved is waited for. Ask for the seats after."""
    session.execute(select(Officer.id).where(Officer.id == officer_id).with_for_update(read=True, key_share=True))


def _still_serves(step: Step) -> bool:
    hold_officer(step.session, step.case.assignee_id)
    seats = holders(step.session, [step.case.office_id], step.today)
    return any(each.officer_id == step.case.assignee_id for seat in seats for each in seat.holders)


def window_ends_on(step: Step, kind: str) -> date:
    """The last day of a dated limit that begins today: `answer` or `confirm` (grm/data/deadline_policies.csv)."""
    return ends_on(step.session, step.case, kind, step.today)


def ends_on(session: Session, case: Case, kind: str, today: date) -> date:
    """The last day of a limit of a case that begins on a Dhaka date. Raises `Misconfigured` where no policy fits."""
    facts = clock_facts(session, case).of_kind(kind)
    limit = policy.decide(deadline_queries.policies(session), facts, today).policy.limit
    return deadline_queries.calendar(session).add_working_days(today, limit)


def clock_facts(session: Session, case: Case) -> policy.CaseFacts:
    """What chooses the policies of a case's clocks."""
    entries = directory(session)
    return policy.CaseFacts(
        office_id=case.office_id,
        programme=entries.programme(case.programme_id).slug if case.programme_id is not None else None,
        category=entries.category(case.category_id).slug,
        priority=case.priority,
        tier=case.tier,
    )


def end_wait(step: Step) -> None:
    """Nobody waits for the complainant any more: what stands still goes on, whatever becomes of the case."""
    _resume(step)


def _acknowledge(step: Step) -> None:
    if step.case.acknowledged_at is None:
        step.case.acknowledged_at = step.act.now
        deadlines.meet(step.session, step.case.id, "acknowledge", step.act.now)


def _pause(step: Step) -> None:
    until = end_of_day(window_ends_on(step, "answer"))
    step.case.waiting_until = until
    main_clock = step.case.main_clock
    step.case.is_paused = deadlines.pause(step.session, step.case.id, step.act.now, until, "asked", main_clock)


def _resume(step: Step) -> None:
    step.case.waiting_until, step.case.is_paused = None, False
    # The clock under which it stood still; an act that moves it to another desk has named the next one already.
    due_on = deadlines.resume(step.session, step.case.id, step.act.now, step.facts.main_clock)
    if due_on is not None:
        step.case.due_on, step.case.due_at = due_on, end_of_day(due_on)


def _accept(step: Step) -> None:
    step.case.referral_state = "accepted"
    deadlines.meet(step.session, step.case.id, "acknowledge", step.act.now)


def _stop(step: Step) -> None:
    step.case.ended_at = step.act.now
    _resume(step)
    deadlines.stop_all(step.session, step.case.id, step.act.now)
    if step.facts.is_directed:
        overtake_direction(step.session, step.case.id, step.act.now)


def _renew(step: Step) -> None:
    case, session, now = step.case, step.session, step.act.now
    deadlines.stop_all(session, case.id, now)
    if step.facts.is_directed:
        overtake_direction(session, case.id, now)
    for kind in deadlines.OUTLIVING_KINDS:  # who contests a decision knows of it
        deadlines.meet(session, case.id, kind, now)
    planned = deadlines.start(session, case.id, case.main_clock, clock_facts(session, case), now)
    case.due_on, case.due_at, case.level = planned.due_on, planned.due_at, 0
    case.asked_higher_at = case.reminded_at = None


# The row is made whole first, the clocks follow: their statements flush it, and the database checks what is flushed.
_EFFECTS = {
    "acknowledge": _acknowledge,
    "accept": _accept,
    "pause": _pause,
    "resume": _resume,
    "renew": _renew,
    "stop": _stop,
}


def _changed(session: Session, case: Case, version: int) -> dict[str, Any]:
    lines = queries.events_of(session, case.id)
    since = queries.events_since(lines, version)
    return {
        "version": case.version,
        "seen": since[0].seq - 1 if since else case.history_length,
        "events": [{"kind": line.kind, "at": line.at, "seq": line.seq} for line in since],
    }
