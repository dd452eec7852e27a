"""Does the complainant know? The inform clock runs from a decision until they were told of it; only then the time for an appeal
begins to run (GRS Guidelines 2015: from the day of being informed).

Told is who spoke or wrote with the officer in deciding, whom a message reached, who has opened the case on the tracking page,
and whom an officer has called, written to or met (`Action.INFORM`). Where nobody can be told, because the complaint is
anonymous or has no address, the clock is met at once: the tracking page is the only way there ever was.

Of a complaint that several make, who filed it counts: their time begins with their knowing. Who has joined in and was not
reached leaves a task all the same, which their own message ends, or an officer.

A message that did not arrive leaves a task (`ContactTask`) and the mark `is_not_informed` until one of these happens. The
caller of what has no actor of its own holds the case row locked and commits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import Session

from grm.cases import events, history, spine
from grm.cases.closing_models import Hearing
from grm.cases.content import Content
from grm.cases.models import CONTACT_WAYS, Case, CaseEvent, Complainant, ContactTask
from grm.cases.spine import acting
from grm.cases.states import ENDED, Action, Status
from grm.deadlines import service as deadlines
from grm.deadlines.models import Deadline
from grm.kernel.actor import SYSTEM, Actor, complainant
from grm.kernel.transaction import Act, transaction

INFORM, APPEAL_WINDOW = "inform", "appeal_window"
TIERS_WITH_APPEAL = ("gro", "appeal")
"""The instances above which there is another: the cell's decision is the last."""
About = Literal["filed", "question", "hearing", "decision"]
"""What the complainant had to learn."""
_IN_TOUCH = ("spoke", "wrote")


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A message that the complainant had to get and that did not arrive: what it was (the catalogue's key), and why."""

    message_id: int
    about: About
    subject: str
    channel: str
    reason: str
    complainant_id: int | None = None
    """Whom it was for, where it is one who has joined in; none: who filed."""


# --- a decision -----------------------------------------------------------------------------------------------------


def on_decided(
    act: Act,
    event: events.CaseResolved
    | events.CaseDeclined
    | events.CaseRecommended
    | events.CaseComplied
    | events.CaseAnsweredTogether,
) -> None:
    """Start the inform clock; who was in touch with the officer, and where nobody can be told, is informed with it."""
    session = act.session
    case = session.get_one(Case, event.case_id)
    deadlines.start(session, case.id, INFORM, spine.clock_facts(session, case), act.now)
    if isinstance(event, events.CaseResolved | events.CaseRecommended) and event.contact in _IN_TOUCH:
        _informed(session, case, act.now)
    elif not _can_be_told(session, case):
        _informed(session, case, act.now)
        history.append(session, case, "informed", SYSTEM, act.now, {"how": "nobody"})


def _can_be_told(session: Session, case: Case) -> bool:
    return _filer_can_be_told(session, case) or _has_address(session, case, Complainant.role == "member")


def _filer_can_be_told(session: Session, case: Case) -> bool:
    if case.is_anonymous or case.preferred_channel == "none":
        return False
    return _has_address(session, case, Complainant.role != "member")


def _has_address(session: Session, case: Case, who: ColumnElement[bool]) -> bool:
    has_one = or_(Complainant.phone_sealed.is_not(None), Complainant.email_sealed.is_not(None))
    return bool(session.execute(select(exists().where(Complainant.case_id == case.id, who, has_one))).scalar_one())


# --- told, or not -----------------------------------------------------------------------------------------------------


def delivered(act: Act, case: Case, message_id: int, about: About, complainant_id: int | None = None) -> None:
    """A message has arrived: its task is done; if it tells of the decision that the inform clock waits for, so is that. One for
    somebody who has joined in (`complainant_id`) counts only where who filed cannot be told."""
    _close(act.session, case, act.now, "delivered", message_id)
    if complainant_id is not None and _filer_can_be_told(act.session, case):
        return
    if about == "decision" and is_awaited(act.session, case.id):
        _informed(act.session, case, act.now)
        data = {"how": "delivered", "message_id": message_id}
        history.append(act.session, case, "informed", SYSTEM, act.now, data)


def not_delivered(act: Act, case: Case, message: Undelivered) -> None:
    """Open the task for a message that did not arrive, unless nothing hangs on it any more; a second time changes nothing.

    Mail that comes back may have counted as delivered, and the complainant as told by it: then the inform clock begins
    anew, and the time for an appeal has not begun.
    """
    session = act.session
    if not _still_matters(act, case, message):
        return
    if session.execute(select(exists().where(ContactTask.message_id == message.message_id))).scalar_one():
        return
    session.add(
        ContactTask(
            case_id=case.id,
            message_id=message.message_id,
            subject=message.subject,
            channel=message.channel,
            reason=message.reason,
            opened_at=act.now,
            complainant_id=message.complainant_id,
        )
    )
    case.is_not_informed = True
    data = {"subject": message.subject, "channel": message.channel, "reason": message.reason}
    history.append(session, case, "not_informed", SYSTEM, act.now, data)


def _still_matters(act: Act, case: Case, message: Undelivered) -> bool:
    if message.about == "filed":
        return Status(case.status) not in ENDED
    if message.about == "question":
        return Status(case.status) is Status.WAITING
    if message.about == "hearing":
        of_case = (Hearing.case_id == case.id, Hearing.at > act.now, Hearing.state.in_(("planned", "cancelled")))
        return bool(act.session.execute(select(exists().where(*of_case))).scalar_one())
    if is_awaited(act.session, case.id):
        return True
    if message.complainant_id is not None:
        return Status(case.status) in ENDED
    if _last_informed(act.session, case.id).get("message_id") != message.message_id:
        return False
    deadlines.meet(act.session, case.id, APPEAL_WINDOW, act.now)
    deadlines.start(act.session, case.id, INFORM, spine.clock_facts(act.session, case), act.now)
    return True


def _last_informed(session: Session, case_id: int) -> Mapping[str, Any]:
    """What the history says of how the complainant was told, the last time."""
    statement = select(CaseEvent.data).where(CaseEvent.case_id == case_id, CaseEvent.kind == "informed")
    return session.scalars(statement.order_by(CaseEvent.seq.desc()).limit(1)).first() or {}


def inform_case(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    *,
    how: str,
    contacted_on: date | None,
    note: str = "",
    whom: int | None = None,
    now: datetime | None = None,
) -> int:
    """An officer has told the complainant by phone, letter or in person, on a day; `note` says more where need be. Of several
    complainants `whom` is the one told: 0 who filed, else the id of one who has joined in; None: all of them."""
    content = Content()
    content.choice("how", how, CONTACT_WAYS)
    text = content.text("note", note, is_required=False)
    with acting(actor, tracking_number, version, Action.INFORM, now) as step:
        if contacted_on is None or not step.case.received_on <= contacted_on <= step.today:
            content.faults["contacted_on"] = "day-not-possible"
        content.check()
        case, session = step.case, step.session
        one = {} if whom is None else {"complainant_id": whom}
        spine.apply(step, "informed", {"how": how, "contacted_on": contacted_on, **one}, {"note": text})
        _close(session, case, step.act.now, how, contacted_on=contacted_on, officer_id=actor.officer_id, whom=whom)
        if (whom or 0) > 0 and _filer_can_be_told(session, case):
            return case.version
        if is_awaited(session, case.id):
            _informed(session, case, step.act.now)
        return case.version


def note_reading(tracking_number: str, *, now: datetime | None = None) -> bool:
    """The complainant has opened the case on the tracking page: they know now what they had to know. False: nothing to note."""
    with transaction(now) as act:
        session = act.session
        wanted = select(Case.id).where(Case.tracking_number == tracking_number, or_(Case.is_not_informed, AWAITED))
        if session.execute(wanted).scalar() is None:
            return False
        case = session.scalars(
            select(Case)
            .where(Case.tracking_number == tracking_number)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        ).one()
        if not case.is_not_informed and not is_awaited(session, case.id):
            return False
        _close(session, case, act.now, "read", whom=0)
        if is_awaited(session, case.id):
            _informed(session, case, act.now)
        history.append(session, case, "informed", complainant(tracking_number), act.now, {"how": "read"})
    return True


_LIVE_INFORM = and_(Deadline.kind == INFORM, Deadline.met_at.is_(None))
AWAITED = exists().where(Deadline.case_id == Case.id, _LIVE_INFORM)
"""Cases with a decision that the complainant has not been told of, as a condition on `Case`."""


def is_awaited(session: Session, case_id: int) -> bool:
    """Whether there is a decision that the complainant has not been told of."""
    return bool(session.execute(select(exists().where(Deadline.case_id == case_id, _LIVE_INFORM))).scalar_one())


def _informed(session: Session, case: Case, now: datetime) -> None:
    """Meet the inform clock and let the time for an appeal begin, where there is an instance above."""
    deadlines.meet(session, case.id, INFORM, now)
    if case.tier in TIERS_WITH_APPEAL and Status(case.status) in ENDED:
        deadlines.start(session, case.id, APPEAL_WINDOW, spine.clock_facts(session, case), now)


def _close(
    session: Session,
    case: Case,
    now: datetime,
    how: str,
    message_id: int | None = None,
    *,
    contacted_on: date | None = None,
    officer_id: int | None = None,
    whom: int | None = None,
) -> None:
    """End the open tasks of a case, those of one complainant (0: who filed), or the one of a message; the mark goes with the
    last."""
    if not case.is_not_informed:
        return
    session.flush()
    which = ContactTask.message_id == message_id if message_id is not None else ContactTask.case_id == case.id
    if whom is not None:
        which = and_(which, ContactTask.complainant_id == whom if whom else ContactTask.complainant_id.is_(None))
    session.execute(
        update(ContactTask)
        .where(which, ContactTask.closed_at.is_(None))
        .values(closed_at=now, how=how, contacted_on=contacted_on, officer_id=officer_id)
    )
    is_left = exists().where(ContactTask.case_id == case.id, ContactTask.closed_at.is_(None))
    case.is_not_informed = bool(session.execute(select(is_left)).scalar_one())


# --- reading ------------------------------------------------------------------------------------------------------------


def open_tasks(session: Session, case: Case) -> tuple[ContactTask, ...]:
    """Whom to reach and why, for the case page; no statement for a case without the mark."""
    if not case.is_not_informed:
        return ()
    statement = select(ContactTask).where(ContactTask.case_id == case.id, ContactTask.closed_at.is_(None))
    return tuple(session.scalars(statement.order_by(ContactTask.id)))


def appeal_open_until(session: Session, case: Case) -> date | None:
    """The last day (Dhaka) for an appeal against the last decision; None while its time has not begun: no end is known."""
    if case.ended_at is None:
        return None
    statement = select(Deadline.due_on).where(
        Deadline.case_id == case.id,
        Deadline.kind == APPEAL_WINDOW,
        Deadline.started_at >= case.ended_at,
        Deadline.met_at.is_(None),
    )
    return session.scalars(statement.order_by(Deadline.epoch.desc()).limit(1)).first()
