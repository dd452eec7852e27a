"""Acting from a figure: the form for the cases chosen in a report. What becomes of each is shown by the page of the act."""

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request, url_for

from grm.cases import bulk, bulk_rules, bulk_run, bulk_wording, bulkpage
from grm.cases.bulk_rules import AT_ONCE
from grm.cases.bulk_views import fields_before
from grm.cases.forms import form_for
from grm.cases.states import Action
from grm.kernel import clock
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.errors import InvalidInput, NotFound
from grm.reports import acting
from grm.web import guard
from grm.web.guard import keeps_typed_text, requires
from grm.web.locale import gettext
from grm.web.security import form_is_stale

blueprint = Blueprint("acting", __name__, url_prefix="/reports")


@blueprint.get("/act")
@requires(*acting.ROLES)
def form() -> Any:
    """The form of an act for the cases chosen: those ticked, those of the page, or all of the figure."""
    session, actor = db.session(), guard.actor()
    action = _asked(actor, request.args.get("action", ""))
    chosen = acting.selection_in(request.args.get("from", ""))
    match request.args.get("pick", ""):
        case "figure":
            picks = acting.picks_of_figure(session, actor, chosen, clock.now(session))
        case "page":
            picks = bulkpage.picks_in(request.args.get("listed", "").split()[: bulk_rules.MOST_CASES])
        case _:
            picks = bulkpage.picks_in(request.args.getlist("case")[: bulk_rules.MOST_CASES])
    page = bulkpage.form_page(session, actor, None, action, picks, fields_before(actor, action))
    if not page.lines:
        return redirect(_list(chosen.as_query() | {"chosen": "none"}), 303)
    return _form(page, chosen.as_query())


@blueprint.post("/act")
@requires(*acting.ROLES)
@keeps_typed_text
def ask() -> Any:
    """Put the act away; its first cases are done at once."""
    session, actor = db.session(), guard.actor()
    action = _asked(actor, request.form.get("action", ""))
    query = acting.selection_in(request.form.get("from", "")).as_query()
    picks = bulkpage.picks_in(request.form.getlist("case"))
    if form_is_stale():
        page = bulkpage.form_page(session, actor, None, action, picks, request.form)
        problem = gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        return _form(page, query, 400, problem)
    try:
        asked = bulk.ask_bulk(actor, None, action, form_for(action, request.form).typed(), picks)
    except InvalidInput as error:
        page = bulkpage.form_page(session, actor, None, action, picks, request.form)
        page.form.show_faults({name: code for name, code in error.fields.items() if name != "case"})
        fault = error.fields.get("case", "")
        return _form(page, query, 422, gettext(bulk_wording.FAULTS[fault]) if fault else "")
    bulk_run.run_bulk(asked.id, AT_ONCE)
    return redirect(url_for("bulk.act", bulk_id=asked.id, missing=asked.missing or None), 303)


def _asked(actor: Actor, name: str) -> Action:
    """The act that a form names. Raises `InvalidInput` for none, `NotFound` for one that is not the actor's."""
    if name not in bulk_rules.OF_REPORTS:
        raise InvalidInput
    if Action[name] not in bulk.may_ask(actor, None):
        raise NotFound
    return Action[name]


def _form(page: bulkpage.FormPage, query: dict[str, str], status: int = 200, problem: str = "") -> Any:
    body = render_template(
        "cases/bulk_form.html",
        page=page,
        form=page.form if status == 422 else None,
        problem=problem,
        target="/reports/act",
        from_query=urlencode(query),
        back_href=_list(query),
    )
    return body, status


def _list(query: dict[str, str]) -> str:
    return "/reports/cases?" + urlencode(query)
