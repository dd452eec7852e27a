"""What the complainant sees of a case: plain words, public events only, nobody's name in the office."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from grm.cases import history, queries
from grm.cases.models import Case
from grm.cases.queries import EventLine
from grm.cases.states import TRANSITIONS as _TRANSITIONS
from grm.cases.states import Action, Status
from grm.deadlines.explain import Explanation, explain_case
from grm.kernel import actor
from grm.kernel.clock import dhaka_date
from grm.kernel.text import clean_text
from grm.offices.directory import Directory, Office
from grm.offices.queries import directory
from grm.web.labels import label
from grm.web.locale import gettext
from grm.web.presentation import name, number, show_date, show_datetime


@dataclass(frozen=True, slots=True)
class PublicEvent:
    """One line of the history: when (a day only, where the case is anonymous), what, and the words that were exchanged."""

    when: str
    at: datetime
    kind: str
    title: str
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PublicStatus:
    """Everything the status page shows."""

    tracking_number: str
    version: int
    status: str
    office: Office
    filed_at: datetime
    due_on: date
    is_open: bool
    is_overdue: bool
    is_anonymous: bool
    level: int
    question: str | None
    answer_by_on: date | None
    outcome: str | None
    reply: str | None
    may: frozenset[str]
    events: tuple[PublicEvent, ...]
    explanations: tuple[Explanation, ...]


def status_of(session: Session, tracking_number: str, now: datetime) -> PublicStatus:
    """The page of one case, for whoever opened it with its secret. Raises `NotFound`."""
    who = actor.complainant(tracking_number)
    case, _ = queries.find_case(session, who, tracking_number)
    lines = queries.events_of(session, case.id)
    book = directory(session)
    is_waiting = case.status == Status.WAITING
    asked = _last(lines, "asked")
    ended = _last(lines, "resolved", "declined")
    clocks = [each for each in explain_case(session, case.id) if each.kind == "resolve"]
    return PublicStatus(
        tracking_number=case.tracking_number,
        version=case.version,
        status=case.status,
        office=book.office(case.office_id),
        filed_at=case.filed_at,
        due_on=case.due_on,
        is_open=case.is_open,
        is_overdue=case.is_open and case.due_at <= now and not case.is_paused,
        is_anonymous=case.is_anonymous,
        level=case.level,
        question=asked.texts.get("question") if is_waiting and asked else None,
        answer_by_on=dhaka_date(case.waiting_until) if is_waiting and case.waiting_until else None,
        outcome=_outcome(case, ended),
        reply=(ended.texts.get("reply") or ended.texts.get("reason")) if ended else None,
        may=frozenset(action.value for action in _OWN_ACTS if (Status(case.status), action) in _TRANSITIONS),
        events=tuple(_public(line, case, book) for line in lines if line.kind in history.PUBLIC_KINDS),
        explanations=tuple(clocks[-1:]),
    )


_OWN_ACTS = (Action.ANSWER, Action.ADD_INFORMATION, Action.WITHDRAW)


def was_said(session: Session, tracking_number: str, text: str) -> bool:
    """Whether the complainant's last words on the case were these already: a second press of the button, not a second
    message."""
    who = actor.complainant(tracking_number)
    case, _ = queries.find_case(session, who, tracking_number)
    own = [line for line in queries.events_of(session, case.id) if line.actor_kind == "complainant"]
    return bool(own) and clean_text(text) in own[-1].texts.values()


def _last(lines: tuple[EventLine, ...], *kinds: str) -> EventLine | None:
    found = [line for line in lines if line.kind in kinds]
    return found[-1] if found else None


def _outcome(case: Case, ended: EventLine | None) -> str | None:
    if case.status == Status.DECLINED and ended is not None:
        return label("decline_reason", ended.data.get("reason_code", ""))
    return label("outcome", case.outcome) if case.outcome else None


def _public(line: EventLine, case: Case, book: Directory) -> PublicEvent:
    texts = [body for field, body in line.texts.items() if body and history.is_public_text(line.kind, field)]
    when = show_date(line.at) if case.is_anonymous else show_datetime(line.at)
    return PublicEvent(when, line.at, line.kind, _title(line, book), tuple(texts))


def _title(line: EventLine, book: Directory) -> str:
    data = line.data
    if line.kind == "filed":
        return gettext("Your complaint was filed and went to: %(office)s", office=_office(book, data.get("office_id")))
    if line.kind == "referred":
        return gettext("Passed on to: %(office)s", office=_office(book, data.get("to_office_id")))
    if line.kind == "escalated":
        return gettext(
            "The date was missed. The complaint has risen to a higher level: %(level)s",
            level=number(data.get("level", 0)),
        )
    if line.kind == "redated":
        return gettext(
            "The date of the answer moved from %(before)s to %(after)s because of a holiday",
            before=_day(data.get("from_due_on")),
            after=_day(data.get("to_due_on")),
        )
    return _plain(line.kind)


def _plain(kind: str) -> str:
    words = {
        "acknowledged": gettext("The office has looked at your complaint"),
        "asked": gettext("The office asked you a question"),
        "answered": gettext("You answered"),
        "information_added": gettext("You added something"),
        "resumed": gettext("The time for your answer is over; the office goes on without it"),
        "resolved": gettext("The office has answered"),
        "declined": gettext("The office cannot take up this complaint, for the reason below"),
        "escalation_withdrawn": gettext("With the new date nothing is late: the rise to a higher level was taken back"),
        "closed": gettext("The file is closed"),
        "withdrawn": gettext("You withdrew the complaint"),
    }
    return words.get(kind, kind)


def _office(book: Directory, office_id: int | None) -> str:
    return name(book.office(office_id)) if office_id is not None else "–"


def _day(text: str | None) -> str:
    return show_date(date.fromisoformat(text)) if text else "–"
