"""Closing well: the reply that is questioned before it is taken, the visit that some matters need, the letter that ends
nothing, and the answer that a superior sends back."""

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import canned, events, quality
from grm.cases.closing_models import ReplyPrint
from grm.cases.content import SHORTEST_REPLY, Content
from grm.cases.models import Case, CaseEvent
from grm.cases.quality import Earlier, Question
from grm.cases.spine import Step, acting, apply
from grm.cases.states import Action
from grm.kernel.actor import Actor
from grm.kernel.errors import InvalidInput
from grm.offices.queries import directory

LATEST_REPLIES = 60
"""With how many of the office's latest replies a new one is compared; the very same one is found however old it is."""
OF_A_DECLINE = (quality.EMPTY, quality.UNFILLED, quality.LANGUAGE)
"""What is asked where a case is out of scope: the rule is the same for everybody, and so may be the words."""
OF_A_LETTER = OF_A_DECLINE


class Questioned(InvalidInput):
    """A reply raises questions that the officer has not confirmed. `fields` names the first, `questions` has them all."""

    default_code = "questioned"

    def __init__(self, questions: tuple[Question, ...], field: str) -> None:
        super().__init__(fields={field: f"questioned-{questions[0].code}"})
        self.questions = questions
        self.field = field


def judge(
    step: Step,
    reply: str,
    confirmed: Collection[str] | None,
    *,
    field: str = "reply",
    codes: Collection[str] = quality.CODES,
    is_decision: bool = True,
) -> dict[str, Any]:
    """Put the questions that a reply raises, and remember a decision's reply to know it again.

    Raises `Questioned` for those that are not among the `confirmed` codes. None stands for callers with nobody to ask (an
    import, the demo): nothing is raised. Returns what the history notes: the questions that were confirmed, or not asked.
    """
    own, case = quality.remembered(reply), step.case
    earlier = _earlier(step.session, case, own) if quality.REPEATED in codes else ()
    inserts = canned.texts_here(step.session, case) if quality.CANNED in codes else ()
    found = [each for each in quality.questions(reply, case.language, earlier, inserts) if each.code in codes]
    if confirmed is not None and (left := quality.unanswered(found, confirmed)):
        raise Questioned(left, field)
    if is_decision:
        step.session.add(
            ReplyPrint(case_id=case.id, office_id=case.office_id, fingerprint=own.fingerprint, sketch=list(own.sketch))
        )
    return {"questioned": [each.code for each in found]} if found else {}


def _earlier(session: Session, case: Case, own: Earlier) -> tuple[Earlier, ...]:
    """The same reply of the office to somebody else, if there is one, and its latest others: one statement, two indexes."""
    columns = (ReplyPrint.fingerprint, ReplyPrint.sketch)
    of_office = (ReplyPrint.office_id == case.office_id, ReplyPrint.case_id != case.id)
    same = select(*columns).where(*of_office, ReplyPrint.fingerprint == own.fingerprint).limit(1)
    latest = select(*columns).where(*of_office).order_by(ReplyPrint.id.desc()).limit(LATEST_REPLIES)
    rows = session.execute(same.union_all(latest))
    return tuple(Earlier(bytes(row.fingerprint), tuple(row.sketch)) for row in rows)


def needs_visit(session: Session, case: Case) -> bool:
    """Whether somebody has to go and see before the case can be resolved."""
    return directory(session).category(case.category_id).needs_visit


def check_visit(
    step: Step, content: Content, visited_on: date | None, visit: str, no_visit: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """The evidence of a visit where the category needs one, as data and texts of the event: its day and what was found, or
    why nobody went. What is missing goes into `content`."""
    if not needs_visit(step.session, step.case):
        return {}, {}
    found = content.text("visit", visit, is_required=False)
    why = content.text("no_visit", no_visit, is_required=False)
    if why and not found and visited_on is None:
        return {}, {"no_visit": why}
    if not found:
        content.faults.setdefault("visit", "visit-or-why")
    if (found or visited_on) and not (visited_on and step.case.received_on <= visited_on <= step.today):
        content.faults["visited_on"] = "day-not-possible"
    return {"visited_on": visited_on}, {"visit": found, "no_visit": why}


def write_to_complainant(
    actor: Actor,
    tracking_number: str,
    version: int | None,
    letter: str,
    *,
    confirmed: Collection[str] | None = None,
    now: datetime | None = None,
) -> int:
    """Tell the complainant how the matter stands. It ends nothing and moves no clock, but that it counts as a first look."""
    content = Content()
    text = content.text("letter", letter, shortest=SHORTEST_REPLY)
    with acting(actor, tracking_number, version, Action.WRITE, now) as step:
        content.check()
        data = judge(step, text, confirmed, field="letter", codes=OF_A_LETTER, is_decision=False)
        apply(step, "written", data, {"letter": text})
        step.act.record(events.LetterWritten(**step.about()))
        return step.case.version


def send_back_case(
    actor: Actor, tracking_number: str, version: int | None, reason: str, *, now: datetime | None = None
) -> int:
    """The superior is not content with an answer, while the complainant may still object to it: the case is in progress again
    with the officer who has it, who may decide it again, and its main clock begins a new epoch.

    The reason is for the office; the complainant, who was told of an answer, hears that there will be another.
    """
    content = Content()
    text = content.text("reason", reason, shortest=SHORTEST_REPLY)
    with acting(actor, tracking_number, version, Action.SEND_BACK, now) as step:
        content.check()
        case = step.case
        undone = _last_answer(step.session, case.id)
        is_complying = case.main_clock == "comply"
        change = {"ended_at": None, "outcome": case.outcome if is_complying else None}
        apply(step, "sent_back", {"undone": undone, "officer_id": case.assignee_id}, {"reason": text}, change)
        step.act.record(events.CaseSentBack(**step.about(), officer_id=case.assignee_id, due_on=case.due_on))
        return case.version


def _last_answer(session: Session, case_id: int) -> int:
    """The place in the history of the answer that stands."""
    wanted = (CaseEvent.case_id == case_id, CaseEvent.kind.in_(("resolved", "complied")))
    return session.execute(select(CaseEvent.seq).where(*wanted).order_by(CaseEvent.seq.desc()).limit(1)).scalar_one()
