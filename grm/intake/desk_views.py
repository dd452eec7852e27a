"""Filing on somebody's behalf: one dense page for district staff, call agents and the cell.

Who acts (the signed-in officer), who complains and how it came in (the medium) are three facts. Staff are not limited in
number: a helper may file for two hundred people a day.
"""

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from grm.deadlines.queries import calendar as working_days
from grm.intake import choices, drafts, queries
from grm.intake.forms import DESK_FIELDS, FormView
from grm.intake.screening import MEDIA, Problem, screen
from grm.intake.service import Filing, file_grievance, find_filed, new_token
from grm.kernel import clock
from grm.kernel.actor import Actor
from grm.kernel.clock import dhaka_date
from grm.kernel.db import db
from grm.offices.queries import directory
from grm.web import guard
from grm.web.guard import keeps_typed_text, requires
from grm.web.locale import gettext, language
from grm.web.security import form_is_stale

blueprint = Blueprint("desk", __name__)
ROLES = ("desk_officer", "cell_officer", "gro")


@blueprint.route("/desk/new", methods=["GET", "POST"])
@requires(*ROLES)
@keeps_typed_text
def new() -> Response | tuple[Response, int]:
    """Show the form with today's list; file, and show the receipt to print and hand over."""
    actor = guard.actor()
    if request.method != "POST":
        return _page(actor, new_token(), _beginning(actor))
    filling = {name: request.form[name] for name in DESK_FIELDS if name in request.form}
    posted = request.form.get("draft")
    token = posted if posted and drafts.is_token(posted) else new_token()
    if form_is_stale():
        return _page(actor, token, filling, is_stale=True), 400
    session = db.session()
    if (filed := find_filed(session, token)) is None:
        now = clock.now(session)
        offer = choices.offer(session, dhaka_date(now))
        screened = screen(filling, offer.choices, dhaka_date(now), is_desk=True, language=language())
        if screened.answers is None:
            return _page(actor, token, filling, screened.problems), 422
        medium = str(screened.answers.medium)
        filing = Filing(screened.answers, token, filling, channel=medium, filed_by_office_id=_office_of(actor))
        filed = file_grievance(filing, actor, now)
    book = directory(db.session())
    return make_response(
        render_template(
            "intake/desk_receipt.html",
            filed=filed,
            secret=filed.secret,
            office=book.office(filed.office_id),
            shows_helplines=book.category(filed.category_id).slug in choices.HELPLINE_CATEGORIES,
            is_provisional=working_days(db.session()).is_provisional(filed.due_on),
        )
    )


def _office_of(actor: Actor) -> int:
    """The office for which the officer sits at the desk; its own posts before those of an alternate."""
    return next(seat.office_id for role in ROLES for seat in actor.seats_as(role))


def _beginning(actor: Actor) -> dict[str, str]:
    """What a new form starts with: the medium most used, and the desk's own district."""
    district = next((seat.district_code for seat in actor.seats_as(*ROLES) if seat.district_code), None)
    return {"medium": MEDIA[0], **({"district": district} if district else {})}


def _page(
    actor: Actor,
    token: str,
    filling: dict[str, str],
    problems: tuple[Problem, ...] = (),
    is_stale: bool = False,
) -> Response:
    session = db.session()
    offer = choices.offer(session)
    form = FormView(DESK_FIELDS, filling, problems, offer, is_desk=True)
    if is_stale:
        form.form_errors.append(
            gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        )
    count, filings = queries.filings_of_day(session, actor, choices.today(session))
    rows = [
        {"filing": each, "category": offer.book.category(each.category_id), "office": offer.book.office(each.office_id)}
        for each in filings
    ]
    return make_response(
        render_template("intake/desk.html", form=form, draft=token, count=count, rows=rows, listed=queries.LISTED)
    )
