"""Filing on somebody's behalf: one dense page for district staff, call agents and the cell, made for the keyboard.

Who acts (the signed-in officer), who complains and how it came in (the medium) are three facts. Staff are not limited in
number: a helper may file for two hundred people a day. What was begun and not filed is kept for its officer.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, make_response, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from grm.deadlines.queries import calendar as working_days
from grm.intake import choices, desk_drafts, desk_receipts, draft_file_posts, draft_files, drafts, queries
from grm.intake.choices import Offer
from grm.intake.desk_roles import ROLES, desk_seats, only_from_a_desk
from grm.intake.draft_file_posts import NOTHING, Outcome
from grm.intake.forms import DESK_FIELDS, FormView
from grm.intake.perhaps_the_same import perhaps_the_same
from grm.intake.queries import DeskFiling
from grm.intake.screening import MEDIA, UNKNOWN, Problem, is_ticked, screen
from grm.intake.service import Filing, file_grievance, find_filed, new_token
from grm.kernel import clock, tracking_number
from grm.kernel.actor import Actor
from grm.kernel.clock import dhaka_date
from grm.kernel.context import settings
from grm.kernel.db import db
from grm.kernel.text import parse_date
from grm.kernel.transaction import transaction
from grm.offices.queries import directory
from grm.web import guard
from grm.web.guard import keeps_typed_text, requires
from grm.web.locale import gettext, language
from grm.web.security import FORM_FIELD, form_is_stale, is_own_form
from grm.web.uploads import Beginning, answers_too_large, takes_files

blueprint = Blueprint("desk", __name__)
blueprint.before_request(only_from_a_desk)
BESIDE_THE_FORM = 10
"""Lines of the day's list below the form; the whole day has a page of its own."""


def _too_large(beginning: Beginning) -> tuple[Response, int] | None:
    """A scan that is too large to be read: what was typed is kept. Nobody has asked yet who this is, nor checked the token."""
    if not current_user.is_authenticated or not desk_seats(current_user.actor):
        return None
    token = beginning.fields.get("draft")
    if not drafts.is_token(token) or not is_own_form(beginning.fields.get(FORM_FIELD, "")):
        return None
    filling = {name: beginning.fields[name] for name in DESK_FIELDS if name in beginning.fields}
    outcome = draft_file_posts.too_large(beginning.file_name)
    _keep(current_user.actor, str(token), filling)
    return _page(current_user.actor, str(token), filling, files=outcome), 413


@blueprint.route("/desk/new", methods=["GET", "POST"])
@requires(*ROLES)
@keeps_typed_text
@takes_files
@answers_too_large(_too_large)
def new() -> Response | tuple[Response, int]:
    """Show the form, empty or as it was put aside; file, and lead to the receipt to print and hand over."""
    actor = guard.actor()
    if request.method != "POST":
        return _begun(actor) or _page(actor, new_token(), None)
    token, filling = _posted()
    if form_is_stale():
        return _page(actor, token, filling, is_stale=True), 400
    database = db.session()
    if (filed := find_filed(database, token)) is None:
        files = _files(actor, token, filling)
        filed = find_filed(database, token) if files.status else None
    if filed is None:
        if files.status:
            return _page(actor, token, filling, files=files), files.status
        now = clock.now(database)
        offer = choices.offer(database, dhaka_date(now))
        screened = screen(filling, offer.choices, dhaka_date(now), is_desk=True, language=language())
        if screened.answers is None:
            _keep(actor, token, filling)
            return _page(actor, token, filling, screened.problems), 422
        filing = Filing(
            screened.answers,
            token,
            filling,
            channel=str(screened.answers.medium),
            filed_by_office_id=_office_of(actor),
            has_files=True,
        )
        filed = file_grievance(filing, actor, now)
    desk_receipts.remember(session, filed.tracking_number, token)
    return redirect(url_for("desk.receipt", number=filed.tracking_number), 303)


@blueprint.post("/desk/drafts")
@requires(*ROLES)
@keeps_typed_text
@takes_files
@answers_too_large(_too_large)
def put_aside() -> Response | tuple[Response, int]:
    """Keep the form unfinished: at the officer's wish, or by the page's script now and then."""
    actor = guard.actor()
    token, filling = _posted()
    if form_is_stale():
        return _page(actor, token, filling, is_stale=True), 400
    if (files := _files(actor, token, filling)).status:
        return _page(actor, token, filling, files=files), files.status
    is_kept = _keep(actor, token, filling)
    if request.form.get("auto"):
        return Response(status=204 if is_kept else 409)
    return redirect(url_for("desk.new", kept=1 if is_kept else None), 303)


@blueprint.post("/desk/drafts/<number>/discard")
@requires(*ROLES)
def discard(number: str) -> Response:
    """Throw a form away that was put aside."""
    draft_id, officer_id, database = _row_number(number), _officer(guard.actor()), db.session()
    if draft_id is None:
        abort(404)
    if (found := desk_drafts.find(database, officer_id, draft_id, clock.now(database))) is not None:
        draft_files.remove(found.token)
    with transaction() as act:
        if not desk_drafts.discard(act.session, officer_id, draft_id):
            abort(404)
    return redirect(url_for("desk.new"), 303)


@blueprint.get("/desk/receipts/<number>")
@requires(*ROLES)
def receipt(number: str) -> Response:
    """The receipt of a filing of one's own: for half an hour, in the session that filed it, with the secret."""
    actor, database = guard.actor(), db.session()
    wanted = tracking_number.parse(number) or ""
    filed = queries.own_filing(database, actor, wanted, desk_receipts.was_filed_here(session, wanted))
    if filed is None:
        abort(404)
    book = directory(database)
    return make_response(
        render_template(
            "intake/desk_receipt.html",
            filed=filed,
            secret=desk_receipts.secret(session, wanted, filed.filed_at, clock.now(database)),
            office=book.office(filed.office_id),
            shows_helplines=book.category(filed.category_id).slug in choices.HELPLINE_CATEGORIES,
            is_provisional=working_days(database).is_provisional(filed.due_on),
            address=settings().public_url.split("://")[-1],
            alike=perhaps_the_same(database, actor, wanted),
            book=book,
        )
    )


@blueprint.get("/desk/filed")
@requires(*ROLES)
def filed() -> Response:
    """All that the officer has filed in a day, for looking up, printing again, and a list on paper."""
    actor, database = guard.actor(), db.session()
    today = choices.today(database)
    day = min(parse_date(request.args.get("on", "")) or today, today)
    before_id = _row_number(request.args.get("before", ""))
    count, filings = queries.filings_of_day(database, actor, day, before_id=before_id)
    return make_response(
        render_template(
            "intake/desk_filed.html",
            day=day,
            count=count,
            rows=_rows(choices.offer(database), filings),
            before_day=day - timedelta(days=1),
            after_day=day + timedelta(days=1) if day < today else None,
            next_before=filings[-1].id if len(filings) == queries.LISTED else None,
            is_first=before_id is None,
        )
    )


def _posted() -> tuple[str, dict[str, str]]:
    """The form's token and what was typed; a form without a token gets one."""
    posted = request.form.get("draft")
    token = posted if posted and drafts.is_token(posted) else new_token()
    return token, {name: request.form[name] for name in DESK_FIELDS if name in request.form}


def _keep(actor: Actor, token: str, filling: Mapping[str, str], has_files: bool = False) -> bool:
    with transaction() as act:
        return desk_drafts.keep(act.session, _officer(actor), token, filling, act.now, has_files)


def _files(actor: Actor, token: str, filling: Mapping[str, str]) -> Outcome:
    """Take in the scans of this post, and out again those that are ticked; the text is a draft before they are."""
    for ticked in request.form.getlist("remove_file"):
        if (file_id := _row_number(ticked)) is not None:
            draft_files.remove(token, file_id)
    if not draft_file_posts.has_files():
        return NOTHING
    _keep(actor, token, filling, has_files=True)
    return draft_file_posts.take_posted(token, is_anonymous=is_ticked(filling.get("anonymous")), source=None)


def _row_number(text: str) -> int | None:
    """The number of a row in an address; None for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _officer(actor: Actor) -> int:
    assert actor.officer_id is not None, "who passed the guard is an officer"
    return actor.officer_id


def _office_of(actor: Actor) -> int:
    """The office for which the officer sits at the desk; its own posts before those of an alternate."""
    return next(seat.office_id for role in ROLES for seat in desk_seats(actor) if seat.role == role)


def _begun(actor: Actor) -> Response | None:
    """The form as it was put aside, where the address names one of the officer's."""
    if (wanted := _row_number(request.args.get("draft", ""))) is None:
        return None
    database = db.session()
    found = desk_drafts.find(database, _officer(actor), wanted, clock.now(database))
    return _page(actor, found.token, dict(found.fields)) if found else None


def _beginning(actor: Actor, offer: Offer, filings: Sequence[DeskFiling]) -> dict[str, str]:
    """What a new form starts with: medium, district and day of receipt of the last one today, as with a pile of papers;
    before the first, the medium most used and the desk's own district."""
    for last in filings[:1]:
        if last.channel in MEDIA:
            district = offer.book.place(last.district_id).code if last.district_id else UNKNOWN
            received_on = "" if last.received_on == offer.day else f"{last.received_on:%d/%m/%Y}"
            return {"medium": last.channel, "district": district, "received_on": received_on}
    own = next((seat.district_code for seat in desk_seats(actor) if seat.district_code), None)
    return {"medium": MEDIA[0], **({"district": own} if own else {})}


def _page(
    actor: Actor,
    token: str,
    filling: Mapping[str, str] | None,
    problems: tuple[Problem, ...] = (),
    is_stale: bool = False,
    files: Outcome = NOTHING,
) -> Response:
    """The form with what was typed (None: a new one), what lies unfinished, and the last filings of the day."""
    database = db.session()
    offer = choices.offer(database)
    count, filings = queries.filings_of_day(database, actor, offer.day, BESIDE_THE_FORM)
    unfinished_count, unfinished = desk_drafts.put_aside(database, _officer(actor), clock.now(database))
    form = FormView(
        DESK_FIELDS, _beginning(actor, offer, filings) if filling is None else filling, problems, offer, is_desk=True
    )
    if is_stale:
        form.form_errors.append(
            gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        )
    form.form_errors += files.sentences
    return make_response(
        render_template(
            "intake/desk.html",
            **draft_file_posts.shown(token, files),
            form=form,
            draft=token,
            is_new=filling is None,
            was_kept=filling is None and "kept" in request.args,
            unfinished=[_line(offer, each) for each in unfinished if each.token != token],
            unfinished_count=unfinished_count - sum(each.token == token for each in unfinished),
            count=count,
            rows=_rows(offer, filings),
        )
    )


def _rows(offer: Offer, filings: Sequence[DeskFiling]) -> list[dict[str, Any]]:
    book = offer.book
    return [
        {"filing": each, "category": book.category(each.category_id), "office": book.office(each.office_id)}
        for each in filings
    ]


def _line(offer: Offer, draft: desk_drafts.PutAside) -> dict[str, Any]:
    """An unfinished form in one line: by name, kind of complaint, and the first words."""
    fields = draft.fields
    slug = fields.get("category", "")
    words = " ".join(fields.get("details", "").split())
    return {
        "id": draft.id,
        "updated_at": draft.updated_at,
        "name": fields.get("name", "").strip(),
        "category": offer.book.category(slug) if slug in offer.choices.categories else None,
        "words": words[:60] + ("…" if len(words) > 60 else ""),
    }
