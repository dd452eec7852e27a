"""What the forms of the case page say of closing well and of hearings, that depends on the case."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from grm.cases import canned, closing
from grm.cases.action_form import ActionForm
from grm.cases.hearings import HearingLine
from grm.cases.models import Case
from grm.cases.reply_form import ReplyForm
from grm.cases.states import Action
from grm.kernel.clock import DHAKA
from grm.web.presentation import digits

OF_VISITS = ("visited_on", "visit", "no_visit")


def fill(session: Session, forms: Iterable[ActionForm], case: Case, hearings: tuple[HearingLine, ...]) -> None:
    """Offer canned texts and insert the one chosen, ask of a visit only where one is needed, and begin with the hearing
    that is planned."""
    for form in forms:
        if isinstance(form, ReplyForm):
            form.offered = canned.offered(session, case, form.action)
            if form.canned_id is not None:
                form.insert(canned.chosen(session, case, form.action, form.canned_id))
        if form.action is Action.RESOLVE and not closing.needs_visit(session, case):
            form.drop(*OF_VISITS)
        if form.action is Action.SCHEDULE_HEARING and hearings and hearings[0].state == "planned":
            _begin_with(form, hearings[0])


def _begin_with(form: ActionForm, line: HearingLine) -> None:
    at = line.at.astimezone(DHAKA)
    form.preset("hearing_on", digits(at.strftime("%d/%m/%Y")))
    form.preset("hour", digits(at.strftime("%H:%M")))
    form.preset("place", line.place)
    form.preset("bring", line.note)
