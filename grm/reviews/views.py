"""Reviews of closed cases: the form, and what was found, by office and over months."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect, render_template, request

from grm.cases import lifecycle, ratings
from grm.cases import service as cases
from grm.cases.closing_models import ClosureSample, SampleMonth
from grm.cases.queries import EventLine, can_find, events_of, find_case
from grm.cases.states import Action
from grm.kernel import clock
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, NotFound
from grm.kernel.text import latin_digits
from grm.offices.overseeing import ROLE as COORDINATOR
from grm.offices.queries import directory
from grm.reviews import exporting, queries, service
from grm.reviews.findings import ANSWERS, FAULTS, FAULTY
from grm.reviews.forms import ReviewForm
from grm.tallies.periods import percent
from grm.web.guard import actor, keeps_typed_text, requires
from grm.web.locale import gettext
from grm.web.security import form_is_stale

__all__ = ["blueprint", "exporting"]
blueprint = Blueprint("reviews", __name__, url_prefix="/reports/reviews")
READERS = ("cell_officer", "appeal_officer", "head", COORDINATOR)
"""The cell reviews, and coordinators what the cell has closed; who sits above a desk reads what was found there, to mend it."""


@blueprint.get("")
@requires(*READERS)
def overview() -> str:
    """What reviewers found: for the cell by office and by month, for an office's superiors each closure found wanting."""
    session, who = db.session(), actor()
    months = queries.months(session)
    if not who.has_role("cell_officer"):
        given = queries.Choice(is_given=True, office_id=service.cell_id(), since=queries.first_shown(months))
        mine = queries.page(session, who, given)[: queries.PAGE] if who.has_role(COORDINATOR) else ()
        own = who.office_ids("appeal_officer", "head")
        chosen = queries.Choice(state="faulty", since=queries.first_shown(months), office_ids=own)
        found = queries.page(session, who, chosen, _number(request.args.get("after", "")))
        rows = found[: queries.PAGE]
        last = rows[-1].ClosureSample.id if len(found) > queries.PAGE else None
        next_url = f"/reports/reviews?after={last}" if last else None
        first_url = "/reports/reviews" if request.args.get("after") else None
        shown = {"rows": rows, "next_url": next_url, "first_url": first_url, "given": mine, "has_office": bool(own)}
        return render_template("reports/findings_of_office.html", known=directory(session), faults=_faults, **shown)
    asked = queries.choice_from(request.args)
    month = next((each for each in months if each.month == asked.month), None)
    chosen = queries.Choice(month=month.month if month else None, since=queries.first_shown(months))
    known = directory(session)
    office = next((each for each in known.offices if each.id == asked.office_id), None)
    by_office = queries.findings(session, who, chosen, "office")
    of_months = chosen.with_(month=None, office_id=office.id if office else None)
    by_month = queries.findings(session, who, of_months, "month")
    return render_template(
        "reports/reviews.html",
        months=months,
        month=month,
        chosen=chosen,
        of_months=of_months,
        office=office,
        total=next((line for line in by_office if line.key is None), None),
        by_office=sorted((line for line in by_office if line.key is not None), key=_worst_first),
        by_month=sorted((line for line in by_month if line.key is not None), key=lambda line: line.key, reverse=True),
        reported={each.month for each in months if each.reported_at},
        faults=FAULTS,
        percent=percent,
        known=known,
    )


@blueprint.route("/<tracking_number>", methods=["GET", "POST"])
@requires(*READERS)
@keeps_typed_text
def review(tracking_number: str) -> Any:
    """One drawn closure: what was complained of and answered, the form, and what was written before."""
    who = actor()
    if request.method == "POST":
        return _write(who, tracking_number)
    return _show(who, tracking_number)


def _write(who: Actor, tracking_number: str) -> Any:
    form = ReviewForm(request.form)
    if service.reviewer_of(who) is None:
        raise NotFound
    if form_is_stale():
        form.form_errors.append(
            gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        )
        return _show(who, tracking_number, form, 400)
    try:
        service.write_review(who, tracking_number, form.written(), _number(request.form.get("number", "")))
    except InvalidInput as error:
        form.show_faults(error.fields)
        status = 422
    except IllegalAction as error:
        form.form_errors.append(_why_not(error.code))
        status = 409
    except Conflict:
        form.form_errors.append(
            gettext("Somebody else has written this review meanwhile: read it below, then press the button again.")
        )
        status = 409
    else:
        return redirect(f"/reports/reviews/{tracking_number}?done=1", 303)
    db.session().rollback()
    return _show(who, tracking_number, form, status)


def _show(who: Actor, tracking_number: str, form: ReviewForm | None = None, status: int = 200) -> Any:
    session = db.session()
    row = service.drawn(session, who, tracking_number)
    sample, case = row.ClosureSample, row.Case
    written = queries.reviews_of(session, sample.id)
    is_cell = who.has_role("cell_officer")
    closure = service.closures_of(session, [(sample, case)])[sample.id]
    is_reviewer = is_cell or not service.why_not_reviewing(who, sample, closure)
    if not is_reviewer and not _may_read(who, sample, written):
        raise NotFound
    if case.is_sensitive:
        cases.record_view(who, case.tracking_number)
    now = clock.now(session)
    # A coordinator sees the closure that he was given, and not the case: neither who complains, nor files.
    facts = find_case(session, who, tracking_number)[1] if can_find(session, who, tracking_number) else None
    lines = events_of(session, case.id)
    month = session.get_one(SampleMonth, sample.month)
    why_not = "month-reported" if month.reported_at else service.why_not_reviewing(who, sample, closure)
    last = written[0].ClosureReview if written else None
    book = directory(session)
    needs_visit = book.category(case.category_id).needs_visit
    form = (form or (ReviewForm(obj=last) if last is not None else ReviewForm())).offer(needs_evidence=needs_visit)
    body = render_template(
        "reports/review.html",
        case=case,
        sample=sample,
        month=month,
        form=form,
        number=last.number if last else 0,
        last=last,
        written=written if is_reviewer else written[:1],
        is_cell=is_cell,
        is_reviewer=is_reviewer,
        may_open=facts is not None,
        why_not=_why_not(why_not) if why_not and is_reviewer else "",
        decision=_decision(lines),
        rated=ratings.last_rating(lines),
        needs_visit=needs_visit,
        may_send_back=facts is not None and lifecycle.decide(facts, Action.SEND_BACK, who, now).is_allowed,
        appeal_until_at=facts.appeal_until_at
        if facts and facts.appeal_until_at and facts.appeal_until_at > now
        else None,
        questions=tuple(ANSWERS),
        faulty=FAULTY,
        book=book,
        done=request.method == "GET" and request.args.get("done"),
    )
    return body, status


def _may_read(who: Actor, sample: ClosureSample, written: Any) -> bool:
    """Whether an office's superior may read the review: something was found, at his office."""
    at_office = sample.office_id in who.office_ids("appeal_officer", "head")
    return at_office and bool(written) and not written[0].ClosureReview.is_sound


def _decision(lines: tuple[EventLine, ...]) -> EventLine | None:
    """The answer that closed the case."""
    return next((line for line in reversed(lines) if line.kind in service.DECISIONS), None)


def _faults(review: Any) -> tuple[str, ...]:
    return service.as_written(review).faults


def _why_not(code: str) -> str:
    known: Mapping[str, str] = {
        "own-office": gettext("Your own office closed this case: somebody outside it has to review it."),
        "own-hand": gettext("You have had a hand in this case yourself: somebody else has to review it."),
        "own-decision": gettext("You have decided this case: somebody else has to review it."),
        "month-reported": gettext("The findings of this month are reported: they stand."),
    }
    return known.get(code, gettext("This review is not yours to write."))


def _worst_first(line: queries.Findings) -> tuple[float, int]:
    share = percent(line.sound, line.reviewed)
    return (share if share is not None else 101.0, -line.drawn)


def _number(text: str) -> int:
    plain = latin_digits(text.strip()[:15])
    return int(plain) if plain.isascii() and plain.isdigit() else 0
