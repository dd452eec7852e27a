"""What the complainant sees of a case: plain words, public events only, nobody's name in the office."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from grm.cases import claim_words, claims, history, instances, lifecycle, public_words, queries, ratings
from grm.cases.escalating import offered_level
from grm.cases.hearings import HearingLine, planned_of
from grm.cases.models import Case
from grm.cases.permissions import CaseFacts
from grm.cases.queries import EventLine
from grm.cases.states import COMPLAINANT_ACTIONS, MERGED, Action, Status
from grm.cases.why import in_plain_words, moves_of
from grm.deadlines.explain import Explanation, explain_case
from grm.deadlines.models import MAIN_KINDS
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
    letter: str | None
    """What the office wrote last, while there is no answer."""
    hearing: HearingLine | None
    """The hearing that is to come."""
    recommendation: str | None
    """What the Cabinet Division has asked the ministry to do."""
    is_complying: bool
    """Whether the ministry is about it."""
    is_anew: bool
    """Whether a higher officer has the complaint and has not looked at it yet."""
    may: frozenset[str]
    contest_by_on: date | None
    """The last day to say that the answer does not solve it."""
    appeal_by_on: date | None
    """The last day to appeal; None while that time has not begun, or where an appeal is against the silence."""
    appeal_to: str
    """Who would hear the appeal; empty where there is none."""
    events: tuple[PublicEvent, ...]
    told: tuple[tuple[str, str], ...]
    """The facts of a payment or a correction, as they were told."""
    explanations: tuple[Explanation, ...]
    why: tuple[str, ...]
    """Why this date, in a few plain sentences."""
    in_short: tuple[str, ...] = ()
    """Who has it and until when, and what then, in a few plain sentences."""
    rung: int = 0
    """The rung that may be asked for (`Action.ESCALATE`)."""
    rating: ratings.Rated | None = None
    """How the last answer was rated."""
    is_appeal_rated: bool = False
    """Whether a rating now is of the answer to an appeal."""
    is_merged: bool = False
    is_with_another: bool = False
    """Whether the answer comes together with another one's; no more is told of that one."""

    @property
    def awaits_answer(self) -> bool:
        """Whether there is still to be an answer."""
        return self.is_open or self.is_with_another

    @property
    def is_provisional(self) -> bool:
        """Whether the date may move, because the holidays are not announced that far."""
        return any(each.is_provisional for each in self.explanations)


def status_of(session: Session, tracking_number: str, now: datetime) -> PublicStatus:
    """The page of one case, for whoever opened it with its secret. Raises `NotFound`."""
    who = actor.complainant(tracking_number)
    case, facts = queries.find_case(session, who, tracking_number)
    lines = queries.events_of(session, case.id)
    book = directory(session)
    is_waiting = case.status == Status.WAITING
    is_complying = case.is_open and case.main_clock == "comply"
    asked = _last(lines, "asked")
    has_answer = is_complying or case.status in (Status.RESOLVED, Status.CLOSED, Status.DECLINED)
    ended = _last(lines, "resolved", "declined", "recommended", "complied") if has_answer else None
    if case.outcome == MERGED:
        ended = _last(lines, "answered_together") if facts.is_answered_with_lead else None
    is_with_another = lifecycle.is_awaiting_lead(facts)
    promised_at = facts.lead_due_at if is_with_another and facts.lead_due_at else case.due_at
    written = _last(lines, "written")
    hearing = planned_of(session, case.id) if facts.hearing_at else None
    recommended = _last(lines, "recommended") if case.main_clock == "comply" else None
    may = frozenset(each for each in COMPLAINANT_ACTIONS if lifecycle.decide(facts, each, who, now).is_allowed)
    clocks = [each for each in explain_case(session, case.id) if each.kind == case.main_clock]
    moves = moves_of(clocks, lines)
    is_late = (case.is_open or is_with_another) and promised_at <= now and not case.is_paused
    due_on = dhaka_date(promised_at - timedelta(microseconds=1))
    desk = _desk(book, {"to_office_id": case.office_id, "to_desk": case.desk})
    return PublicStatus(
        tracking_number=case.tracking_number,
        version=case.version,
        status=case.status,
        office=book.office(case.office_id),
        filed_at=case.filed_at,
        due_on=due_on,
        is_open=case.is_open,
        is_overdue=is_late,
        is_anonymous=case.is_anonymous,
        level=case.level,
        question=asked.texts.get("question") if is_waiting and asked else None,
        answer_by_on=dhaka_date(case.waiting_until) if is_waiting and case.waiting_until else None,
        outcome=_outcome(case, ended),
        reply=(ended.texts.get("reply") or ended.texts.get("reason")) if ended else None,
        letter=written.texts.get("letter") if written and not ended else None,
        hearing=hearing if hearing and hearing.at > now else None,
        recommendation=recommended.texts.get("recommendation") if recommended else None,
        is_complying=is_complying,
        is_anew=case.status == Status.FILED and _last(lines, "contested", "appealed") is not None,
        may=frozenset(each.value for each in may),
        contest_by_on=_last_day(facts.confirm_until_at),
        appeal_by_on=_last_day(facts.appeal_until_at) if not case.is_open else None,
        appeal_to=_appeal_to(session, case, facts, now) if Action.APPEAL in may else "",
        events=tuple(_public(line, case, book) for line in lines if _is_public(line)),
        told=_told(session, case, book),
        explanations=tuple(clocks[-1:]),
        why=in_plain_words(clocks[-1], moves[clocks[-1].deadline_id], case.is_paused) if clocks else (),
        in_short=public_words.in_short(
            desk,
            due_on,
            is_awaited=case.is_open or is_with_another,
            is_late=is_late,
            is_paused=case.is_paused,
            is_complying=is_complying,
            level=case.level,
            has_rungs=facts.next_level is not None,
        ),
        rung=offered_level(facts.next_level) if facts.next_level is not None else 0,
        rating=ratings.last_rating(lines),
        is_appeal_rated=ratings.stage_of(case.tier) == "appeal",
        is_merged=case.outcome == MERGED,
        is_with_another=is_with_another,
    )


def _told(session: Session, case: Case, book: Directory) -> tuple[tuple[str, str], ...]:
    told = claims.of_case(session, case)
    return claim_words.lines(told, book) if told else ()


def _is_public(line: EventLine) -> bool:
    """Dates and levels of side clocks are the office's own affair: to the complainant they would look like the answer's."""
    if line.kind in ("merged_in", "unmerged_from") and not line.data.get("to_due_on"):
        return False  # another complaint is nobody's affair here, unless it moves the date
    return line.kind in history.PUBLIC_KINDS and line.data.get("deadline_kind", "resolve") in MAIN_KINDS


def _last_day(until_at: datetime | None) -> date | None:
    return dhaka_date(until_at - timedelta(microseconds=1)) if until_at else None


def _appeal_to(session: Session, case: Case, facts: CaseFacts, now: datetime) -> str:
    to = instances.above(session, case, facts, dhaka_date(now))
    return _desk(directory(session), {"to_office_id": to.office_id, "to_desk": to.desk})


def was_said(session: Session, tracking_number: str, text: str) -> bool:
    """Whether the complainant's last words on the case were these already: a second press of the button, not a second
    message. An appeal against silence may be without words."""
    who = actor.complainant(tracking_number)
    case, _ = queries.find_case(session, who, tracking_number)
    own = [line for line in queries.events_of(session, case.id) if line.actor_kind == "complainant"]
    return bool(own) and clean_text(text) in (*own[-1].texts.values(), *(("",) if own[-1].kind == "appealed" else ()))


def _last(lines: tuple[EventLine, ...], *kinds: str) -> EventLine | None:
    found = [line for line in lines if line.kind in kinds]
    return found[-1] if found else None


def _outcome(case: Case, ended: EventLine | None) -> str | None:
    if case.outcome == MERGED:
        code, outcome = (ended.data.get("reason_code"), ended.data.get("outcome")) if ended else (None, None)
        return label("decline_reason", code) if code else label("outcome", outcome) if outcome else None
    if case.status == Status.DECLINED and ended is not None:
        return label("decline_reason", ended.data.get("reason_code", ""))
    return label("outcome", case.outcome) if case.outcome else None


def _public(line: EventLine, case: Case, book: Directory) -> PublicEvent:
    texts = [body for field, body in line.texts.items() if body and history.is_public_text(line.kind, field)]
    when = show_date(line.at) if case.is_anonymous else show_datetime(line.at)
    title = _title(line, book)
    if files := len(line.data.get("files", ())):
        title = gettext("%(what)s – files: %(count)s", what=title, count=number(files))
    return PublicEvent(when, line.at, line.kind, title, tuple(texts))


def _title(line: EventLine, book: Directory) -> str:
    data = line.data
    if line.kind == "filed":
        return gettext("Your complaint was filed and went to: %(office)s", office=_office(book, data.get("office_id")))
    if line.kind == "referred":
        return gettext("Passed on to: %(office)s", office=_office(book, data.get("to_office_id")))
    if line.kind == "returned":
        return gettext("Sent back to: %(office)s", office=_office(book, data.get("to_office_id")))
    if line.kind == "own_motion":
        return gettext(
            "A higher officer has taken up your complaint, because no answer came in time. It went to: %(office)s",
            office=_desk(book, data),
        )
    if line.kind == "rated":
        return gettext("You rated the answer: %(stars)s of 5", stars=number(data.get("stars", 0)))
    if line.kind == "escalated":
        return gettext(
            "The date was missed. The complaint has risen to a higher level: %(level)s",
            level=number(data.get("level", 0)),
        )
    if line.kind == "contested":
        return gettext("You said that it is not solved. It went to: %(office)s", office=_desk(book, data))
    if line.kind == "appealed":
        return gettext("You appealed. It went to: %(office)s", office=_desk(book, data))
    if line.kind == "recommended":
        return gettext(
            "The Cabinet Division has decided. %(office)s is to carry it out by %(date)s",
            office=_office(book, data.get("to_office_id")),
            date=_day(data.get("due_on")),
        )
    if line.kind == "extension_approved":
        return gettext(
            "The date of the answer moved from %(before)s to %(after)s because the matter is being investigated",
            before=_day(data.get("from_due_on")),
            after=_day(data.get("to_due_on")),
        )
    if line.kind == "merged":
        return gettext(
            "Your complaint is answered together with another about the same matter, by %(date)s",
            date=_day(data.get("due_on")),
        )
    if line.kind == "unmerged":
        return gettext("Your complaint is answered by itself again, by %(date)s", date=_day(data.get("due_on")))
    if line.kind in ("merged_in", "unmerged_from"):
        return gettext(
            "The date of the answer moved from %(before)s to %(after)s because of another complaint about the same matter",
            before=_day(data.get("from_due_on")),
            after=_day(data.get("to_due_on")),
        )
    if line.kind == "redated":
        return gettext(
            "The date of the answer moved from %(before)s to %(after)s because of a holiday",
            before=_day(data.get("from_due_on")),
            after=_day(data.get("to_due_on")),
        )
    if line.kind in _OF_HEARINGS:
        return gettext(_OF_HEARINGS[line.kind], at=show_datetime(datetime.fromisoformat(data["hearing_at"])))
    if line.kind == "sent_back":
        return gettext(
            "A higher officer was not content with the answer. You will have another by %(date)s",
            date=_day(data.get("due_on")),
        )
    return _plain(line.kind)


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


_OF_HEARINGS = {
    "hearing_set": _("You are invited to a hearing on %(at)s"),
    "hearing_moved": _("The hearing was moved to %(at)s"),
    "hearing_held": _("The hearing of %(at)s was held"),
    "hearing_missed": _("The hearing of %(at)s did not take place: one side did not come"),
    "hearing_cancelled": _("The hearing of %(at)s does not take place"),
}


def _plain(kind: str) -> str:
    words = {
        "acknowledged": gettext("The office has looked at your complaint"),
        "asked": gettext("The office asked you a question"),
        "written": gettext("The office has written to you"),
        "answered": gettext("You answered"),
        "information_added": gettext("You added something"),
        "escalation_asked": gettext("You asked to have it sent higher at once"),
        "resumed": gettext("The time for your answer is over; the office goes on without it"),
        "investigation_started": gettext("The matter is being investigated"),
        "investigation_reported": gettext("The investigation is finished"),
        "complied": gettext("The ministry has reported what it did"),
        "resolved": gettext("The office has answered"),
        "answered_together": gettext("The office has answered, together with another complaint about the same matter"),
        "declined": gettext("The office cannot take up this complaint, for the reason below"),
        "escalation_withdrawn": gettext("With the new date nothing is late: the rise to a higher level was taken back"),
        "closed": gettext("The file is closed"),
        "withdrawn": gettext("You withdrew the complaint"),
    }
    return words.get(kind, kind)


def _office(book: Directory, office_id: int | None) -> str:
    return name(book.office(office_id)) if office_id is not None else "–"


def _desk(book: Directory, data: Mapping[str, Any]) -> str:
    """The desk a case went to: an office alone would not say that somebody else looks at it now."""
    return f"{_office(book, data['to_office_id'])} – {label('desk', data['to_desk'])}"


def _day(text: str | None) -> str:
    return show_date(date.fromisoformat(text)) if text else "–"
