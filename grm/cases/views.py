"""The officers' pages: the queue, one case, and why it is due when it is."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from grm.cases import (
    attachment_wording,
    canned,
    casepage,
    closing_words,
    queries,
    queuepage,
    remembered,
    service,
    together,
    wording,
)
from grm.cases import why as why_page
from grm.cases.acts import ACTS
from grm.cases.attachment_form import show_refused
from grm.cases.attachments import FilesRefused
from grm.cases.closing import Questioned
from grm.cases.forms import ActionForm, form_for
from grm.cases.readers import READERS
from grm.cases.reply_form import ReplyForm
from grm.cases.states import Action
from grm.kernel import clock
from grm.kernel import tracking_number as numbers
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, NotFound, Unavailable
from grm.kernel.text import latin_digits
from grm.offices.queries import directory
from grm.web import errors, guard, nav
from grm.web.guard import keeps_typed_text, requires, signed_in
from grm.web.locale import gettext
from grm.web.security import form_is_stale
from grm.web.uploads import takes_files

blueprint = Blueprint("cases", __name__)


@blueprint.get("/queue")
@signed_in
def queue() -> str | Response:
    """The officer's queue; whoever has none is led to the first page that is theirs."""
    session, actor = db.session(), guard.actor()
    if not queuepage.has_queue(actor):
        return redirect(nav.home(actor), 303)
    if typed := request.args.get("number", "").strip():
        number = numbers.parse(typed)
        if number is not None and queries.can_find(session, actor, number):
            return redirect(url_for("cases.case", tracking_number=number), 303)
        if number is None:  # a name, a phone number or words
            return redirect(url_for("search.cases", q=typed), 303)
    page = queuepage.load(session, actor, request.args)
    return render_template("cases/queue.html", page=page, done=wording.done(request.args.get("done", "")))


@blueprint.route("/cases/<tracking_number>", methods=["GET", "POST"])
@requires(*READERS)
@keeps_typed_text
@takes_files
def case(tracking_number: str) -> Any:
    """Everything about one case; a post acts on it."""
    actor = guard.actor()
    if request.method == "POST":
        return _act(actor, tracking_number)
    return _show(actor, tracking_number, _begun())


@blueprint.get("/cases/<tracking_number>/why")
@requires(*READERS)
def why(tracking_number: str) -> str:
    """Every day between filing and due date, what moved the dates, and with whom the days lay."""
    session, actor = db.session(), guard.actor()
    found, _ = queries.find_case(session, actor, tracking_number)
    reasons = why_page.load(session, found, clock.now(session))
    book = directory(session)
    charges = [
        (why_page.holder_in_words(each.holder, reasons.officers, book), each) for each in reasons.charged.charges
    ]
    return render_template("cases/why.html", case=found, why=reasons, charges=charges)


def _act(actor: Actor, tracking_number: str) -> Any:
    typed = request.form
    name = typed.get("action", "").upper()
    if name not in Action.__members__ or Action[name] not in wording.ACTIONS:
        return _show(actor, tracking_number, status=422, problem=gettext("Choose what is to be done with the case."))
    action = Action[name]
    form = form_for(action, MultiDict(typed))
    if form_is_stale():
        problem = gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        return _show(actor, tracking_number, form, status=400, problem=problem)
    if "insert" in typed and isinstance(form, ReplyForm):
        form.choose(typed.get("canned", ""))
        return _show(actor, tracking_number, form)
    version = _version(typed.get("version", ""))
    if version is None:
        problem = gettext("The page did not say which version of the case it showed. Check the case and send it again.")
        return _show(actor, tracking_number, form, status=422, problem=problem)
    try:
        ACTS[action](actor, tracking_number, version, form.typed())
    except NotFound:
        # As for a case that does not exist; the text is the sender's own and tells nothing.
        return errors.page(404, typed=errors.typed_text())
    except FilesRefused as error:
        status = show_refused(form, error)
        return _show(actor, tracking_number, form, status=status, problem=attachment_wording.outcome(error))
    except Unavailable as error:
        if "file_name" not in error.params:
            raise
        problem = attachment_wording.no_room(error.params["file_name"])
        return _show(actor, tracking_number, form, status=503, problem=problem)
    except Questioned as error:
        assert isinstance(form, ReplyForm)
        form.ask(error)
        return _show(actor, tracking_number, form, status=422)
    except InvalidInput as error:
        form.show_faults(error.fields)
        return _show(actor, tracking_number, form, status=422)
    except IllegalAction as error:
        problem = gettext(wording.WHY.get(error.code, wording.WHY["not-in-this-state"]))
        return _show(actor, tracking_number, form, status=409, problem=problem)
    except Conflict as error:
        return _show(actor, tracking_number, form, status=409, since=int(error.changed["seen"]))
    if action is Action.RESOLVE and typed.get("together"):
        together.answer_followers(actor, tracking_number)
        return redirect(url_for("links.case_links", tracking_number=tracking_number, done="TOGETHER"), 303)
    if queries.can_find(db.session(), actor, tracking_number):
        return redirect(url_for("cases.case", tracking_number=tracking_number, done=name), 303)
    return redirect(url_for("cases.queue", done=name), 303)


def _begun() -> ActionForm | None:
    """The form to be shown with a canned text in it, where the address asks for one (`?canned=3&for=RESOLVE`)."""
    name = request.args.get("for", "")
    if "canned" not in request.args or name not in Action.__members__ or Action[name] not in canned.FITS:
        return None
    form = form_for(Action[name])
    assert isinstance(form, ReplyForm)
    form.choose(request.args["canned"])
    return form


def _show(
    actor: Actor,
    tracking_number: str,
    form: ActionForm | None = None,
    *,
    status: int = 200,
    problem: str = "",
    since: int | None = None,
) -> Any:
    """The page of a case; `since` is the last event the officer had seen when somebody else was faster."""
    session = db.session()
    try:
        page = casepage.load(session, actor, tracking_number, form)
        if page.case.is_sensitive:
            # The view is on record before the page is out; the record's commit makes what was read stale.
            service.record_view(actor, page.case.tracking_number)
            page = casepage.load(session, actor, tracking_number, form)
    except NotFound:
        return errors.page(404, typed=errors.typed_text())
    body = render_template(
        "cases/case.html",
        page=page,
        case=page.case,
        book=page.book,
        wording=wording,
        form=form,
        problem=problem,
        is_conflict=since is not None,
        changes=[line for line in page.events if since is not None and line.seq > since],
        closing_words=closing_words,
        remembered=remembered.act,
        kept={} if form is None or any(each.form is form for each in page.sections) else form.kept(),
        done=wording.done(request.args.get("done", ""), is_part=page.facts.is_subcase)
        if request.method == "GET"
        else "",
    )
    return body, status


def _version(typed: str) -> int | None:
    plain = latin_digits(typed.strip())
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None
