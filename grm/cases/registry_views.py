"""`/cases/<number>/registry`: the registry asked about a case, and whom what it says points to."""

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from grm.cases import claim_words, claims, queries
from grm.cases.claims import Told
from grm.cases.sides import Known, Sent
from grm.kernel.db import db
from grm.kernel.errors import Forbidden
from grm.offices.queries import directory
from grm.registry import asking, service, shown
from grm.registry.asking import Asked, LookUpForm
from grm.registry.beneficiary import IDENTITY_REASONS
from grm.registry.service import Answer
from grm.web import guard
from grm.web.guard import keeps_typed_text, requires

blueprint = Blueprint("case_registry", __name__)


@blueprint.route("/cases/<tracking_number>/registry", methods=["GET", "POST"])
@requires(*service.ROLES)
@keeps_typed_text
def look_up(tracking_number: str) -> Response:
    """Ask for a number on behalf of a case that the officer may see."""
    session, actor = db.session(), guard.actor()
    if not service.may_look_up(actor):
        raise Forbidden
    case, _ = queries.find_case(session, actor, tracking_number)
    number = case.tracking_number
    asked = asking.ask(actor, number) if request.method == "POST" else Asked(LookUpForm())
    case, _ = queries.find_case(session, actor, number)  # the look-up has committed its record
    book = directory(session)
    programme = book.programme(case.programme_id).slug if case.programme_id else None
    told = claims.of_case(session, case)
    pointed = None
    if asked.answer and told:
        known = known_of(asked.answer, programme)
        pointed = claim_words.hint_of(told, book.category(case.category_id).slug, known)
    page = render_template(
        "cases/registry.html",
        case=case,
        asked=asked,
        form=asked.form,
        people=shown.lines_of(asked.answer, book) if asked.answer else (),
        told=claim_words.lines(_without_person(told), book) if told else (),
        pointed=(claim_words.side(pointed), claim_words.why(pointed)) if pointed else None,
    )
    return make_response(page, asked.status)


def known_of(answer: Answer, programme: str | None) -> Known:
    """What the answer says of the programme (slug) that a case is about, or of all where it names none."""
    enrolments = [each for person in answer.people for each in person.enrolments if programme in (None, each.programme)]
    payments = [
        Sent(each.period_from, each.period_to, each.taka, each.state, each.reason in IDENTITY_REASONS)
        for enrolment in enrolments
        for each in enrolment.payments
    ]
    return Known(any(each.ended_on is None for each in enrolments) or bool(payments), payments)


def _without_person(told: Told) -> Told:
    """The facts as they stand beside the answer: what to compare it with, not whose account it is."""
    return Told(
        told.kind,
        told.period_from,
        told.period_to,
        told.taka_expected,
        told.taka_received,
        told.provider_kind,
        told.provider_id,
        told.correct_what,
    )
