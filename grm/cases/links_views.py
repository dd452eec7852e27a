"""The page of a case's links: duplicates, alike cases, and what is answered together."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from grm.cases import links, links_page, merging, service, together, wording
from grm.cases.readers import READERS
from grm.cases.states import Action
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, NotFound
from grm.kernel.text import latin_digits
from grm.web import errors, guard
from grm.web.guard import keeps_typed_text, requires
from grm.web.locale import gettext
from grm.web.security import form_is_stale

blueprint = Blueprint("links", __name__)


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


DONE = {
    "MERGE": _("The cases are merged; the complainant is told that the answer comes together with another one's."),
    "LINK": _("The cases are linked."),
    "UNMERGE": _("The case is set apart again; the complainant is told."),
    "UNLINK": _("The case is no longer linked."),
    "TOGETHER": _("The answer was given to the linked cases, each by an act of its own. What is left stands below."),
}


@blueprint.route("/cases/<tracking_number>/links", methods=["GET", "POST"])
@requires(*READERS)
@keeps_typed_text
def case_links(tracking_number: str) -> Any:
    """What is answered together with a case, and what likely should be; a post merges, links, or undoes it."""
    actor = guard.actor()
    if request.method == "POST":
        return _act(actor, tracking_number)
    number = request.args.get("number", "").strip()[:60]
    problem = ""
    page = links_page.load(db.session(), actor, tracking_number, number)
    if (
        page.other is not None and page.other.case.is_sensitive
    ):  # looking at both is a view of both, and on record first
        for each in (page.case, page.other.case):
            service.record_view(actor, each.tracking_number)
        page = links_page.load(db.session(), actor, tracking_number, number)
    if number and page.other is None:
        problem = wording.fault("no-such-case", 0, 0)
    return _show(page, number=number, problem=problem, status=422 if problem else 200)


def _act(actor: Actor, tracking_number: str) -> Any:
    typed = request.form
    number, what = typed.get("number", "").strip()[:60], typed.get("what", "")
    if form_is_stale():
        problem = gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        return _again(actor, tracking_number, number, problem, 400)
    try:
        done = _perform(actor, tracking_number, number, what)
    except NotFound:
        return errors.page(404, typed=errors.typed_text())
    except InvalidInput as error:
        return _again(actor, tracking_number, number, "", 422, error.fields)
    except IllegalAction as error:
        problem = gettext(wording.WHY.get(error.code, wording.WHY["not-in-this-state"]))
        return _again(actor, tracking_number, number, problem, 409)
    except Conflict:
        problem = gettext("One of the two was changed meanwhile. Look at both again, then repeat it or leave it.")
        return _again(actor, tracking_number, number, problem, 409)
    return redirect(url_for("links.case_links", tracking_number=tracking_number, done=done), 303)


def _perform(actor: Actor, tracking_number: str, number: str, what: str) -> str:
    """Do what was asked for; returns the name of what was done. The version shown of each case guards it."""
    own, other = _version("version"), _version("other_version")
    if what == "together":
        together.answer_followers(actor, tracking_number)
        return "TOGETHER"
    if what in ("unmerge", "unlink"):
        undo = merging.unmerge_case if what == "unmerge" else links.unlink_case
        undo(actor, number or tracking_number, other if number else own)
        return what.upper()
    if what not in links_page.CHOICES:
        raise InvalidInput(fields={"what": "choose-one"})
    action, other_follows = links_page.CHOICES[what]
    follower, lead = (
        ((number, other), (tracking_number, own)) if other_follows else ((tracking_number, own), (number, other))
    )
    try:
        if action is Action.MERGE:
            is_confirmed = bool(request.form.get("confirmed"))
            merging.merge_case(actor, *follower, lead[0], lead_version=lead[1], is_confirmed=is_confirmed)
        else:
            links.link_case(actor, *follower, lead[0], lead_version=lead[1])
    except NotFound:
        if other_follows and links_page.load(db.session(), actor, tracking_number):
            raise InvalidInput(fields={"number": "no-such-case"}) from None
        raise
    return action.value


def _again(actor: Actor, tracking_number: str, number: str, problem: str, status: int, faults: Any = None) -> Any:
    """The page once more, with what was typed and what is wrong with it."""
    db.session().rollback()
    try:
        page = links_page.load(db.session(), actor, tracking_number, number)
    except NotFound:
        return errors.page(404, typed=errors.typed_text())
    form = links_page.join_form(page, request.form)
    for field in form:
        if faults and field.name in faults:
            field.errors = [wording.fault(faults[field.name], 0, 0)]
    if faults and "number" in faults:
        problem = wording.fault(faults["number"], 0, 0)
    return _show(page, form, number=number, problem=problem, status=status)


def _show(
    page: links_page.LinksPage,
    form: links_page.JoinForm | None = None,
    *,
    number: str = "",
    problem: str = "",
    status: int = 200,
) -> Any:
    form = form or links_page.join_form(page)
    find = links_page.FindForm()
    find.number.data = number
    body = render_template(
        "cases/links.html",
        page=page,
        case=page.case,
        book=page.book,
        form=form,
        find=find,
        problem=problem,
        done=DONE.get(request.args.get("done", ""), "") if request.method == "GET" else "",
    )
    return body, status


def _version(name: str) -> int | None:
    plain = latin_digits(request.form.get(name, "").strip())
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None
