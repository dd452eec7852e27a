"""Acts on many cases: the form below the queue, the acts under way, what became of each case, and who approves."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from grm.cases import bulk, bulk_queries, bulk_rules, bulk_run, bulk_wording, bulkpage, closing_words
from grm.cases.bulk_rules import AT_ONCE
from grm.cases.closing import Questioned
from grm.cases.forms import form_for
from grm.cases.queue import Queue
from grm.cases.reply_form import ReplyForm
from grm.cases.states import Action
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.errors import IllegalAction, InvalidInput, NotFound
from grm.web import guard
from grm.web.guard import keeps_typed_text, requires
from grm.web.locale import gettext
from grm.web.security import form_is_stale

blueprint = Blueprint("bulk", __name__)

ACTORS = ("gro", "case_officer", "appeal_officer", "cell_officer")
READERS = (*ACTORS, "head", "cluster_coordinator")
REFRESH_SECONDS = 4


@blueprint.get("/queue/bulk")
@requires(*ACTORS)
def form() -> Any:
    """The form of an act for the cases chosen in the queue: those ticked, those of the page, or those of the whole view."""
    session, actor = db.session(), guard.actor()
    action, queue = _asked(actor, request.args.get("action", ""), request.args.get("queue", ""))
    scope, query = request.args.get("scope", ""), request.args.get("from", "")
    if scope == "view":
        picks = bulkpage.picks_of_view(session, actor, query)
    elif scope == "page":
        picks = bulkpage.picks_in(request.args.get("listed", "").split()[: bulk_rules.MOST_CASES])
    else:
        picks = bulkpage.picks_in(request.args.getlist("case")[: bulk_rules.MOST_CASES])
    page = bulkpage.form_page(session, actor, queue, action, picks, fields_before(actor, action))
    if not page.lines:
        return redirect("/queue?" + (f"{query}&" if query else "") + "chosen=none", 303)
    return _form(page)


@blueprint.post("/queue/bulk")
@requires(*ACTORS)
@keeps_typed_text
def ask() -> Any:
    """Put an act away; its first cases are done at once, unless it must be approved."""
    session, actor = db.session(), guard.actor()
    action, queue = _asked(actor, request.form.get("action", ""), request.form.get("queue", ""))
    picks = bulkpage.picks_in(request.form.getlist("case"))
    if form_is_stale():
        page = bulkpage.form_page(session, actor, queue, action, picks, request.form)
        problem = gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        return _form(page, 400, problem)
    fields = form_for(action, request.form).typed()
    try:
        asked = bulk.ask_bulk(actor, queue, action, fields, picks)
    except Questioned as error:
        page = bulkpage.form_page(session, actor, queue, action, picks, request.form)
        assert isinstance(page.form, ReplyForm)
        page.form.ask(error)
        return _form(page, 422)
    except InvalidInput as error:
        page = bulkpage.form_page(session, actor, queue, action, picks, request.form)
        page.form.show_faults({name: code for name, code in error.fields.items() if name != "case"})
        fault = error.fields.get("case", "")
        problem = gettext(bulk_wording.FAULTS[fault]) if fault else ""
        return _form(page, 422, problem)
    if action not in bulk_rules.NEEDS_APPROVAL:
        bulk_run.run_bulk(asked.id, AT_ONCE)
    return redirect(url_for("bulk.act", bulk_id=asked.id, missing=asked.missing or None), 303)


@blueprint.get("/bulk")
@requires(*READERS)
def acts() -> str:
    """What waits for the officer's decision, what the officer asked for, and what was decided."""
    session, actor = db.session(), guard.actor()
    lists = (
        (gettext("Waiting for your decision"), bulk_queries.to_decide(session, actor)),
        (gettext("Asked for by you"), bulk_queries.own(session, actor)),
        (gettext("Decided by you"), bulk_queries.decided_by(session, actor)),
    )
    return render_template("cases/bulk_list.html", lists=lists, show=bulkpage)


@blueprint.get("/bulk/<bulk_id>")
@requires(*READERS)
def act(bulk_id: str) -> Any:
    """One act with its cases; the page comes anew by itself while it is under way."""
    return _show(guard.actor(), _id(bulk_id))


@blueprint.post("/bulk/<bulk_id>")
@requires(*READERS)
@keeps_typed_text
def decide(bulk_id: str) -> Any:
    """Approve, refuse, or withdraw what waits for approval."""
    return _decide(guard.actor(), _id(bulk_id))


def _decide(actor: Actor, bulk_id: int) -> Any:
    decision, reason = request.form.get("decision", ""), request.form.get("reason", "")
    if form_is_stale():
        problem = gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        return _show(actor, bulk_id, 400, problem=problem, reason=reason, decision=decision)
    try:
        if decision == "withdraw":
            bulk.withdraw_bulk(actor, bulk_id)
        elif bulk.decide_bulk(actor, bulk_id, decision, reason):
            bulk_run.run_bulk(bulk_id, AT_ONCE)
    except IllegalAction as error:
        problem = gettext(bulk_wording.PROBLEMS[error.code])
        return _show(actor, bulk_id, 409, problem=problem, reason=reason)
    except InvalidInput as error:
        return _show(actor, bulk_id, 422, faults=error.fields, reason=reason, decision=decision)
    return redirect(url_for("bulk.act", bulk_id=bulk_id), 303)


def _form(page: bulkpage.FormPage, status: int = 200, problem: str = "") -> Any:
    form = page.form if status == 422 else None
    body = render_template("cases/bulk_form.html", page=page, form=form, problem=problem, closing_words=closing_words)
    return body, status


def _show(
    actor: Actor,
    bulk_id: int,
    status: int = 200,
    *,
    problem: str = "",
    faults: dict[str, str] | None = None,
    reason: str = "",
    decision: str = "",
) -> Any:
    session = db.session()
    page = bulkpage.act_page(session, actor, bulk_id)
    decision_form = bulkpage.decision_form(decision, reason, faults or {}) if page.may_decide else None
    body = render_template(
        "cases/bulk_act.html",
        page=page,
        form=decision_form,
        problem=problem,
        show=bulkpage,
        missing=request.args.get("missing", type=int) or 0,
    )
    # The header, and not an element of the page: assistive technology can tell the reader, and the page stays valid.
    headers = {"Refresh": str(REFRESH_SECONDS)} if status == 200 and page.row.BulkAct.state == "running" else {}
    return body, status, headers


def _id(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and len(typed) < 16):
        raise NotFound
    return int(typed)


def _asked(actor: Actor, name: str, key: str) -> tuple[Action, Queue]:
    """The act and the desk that a form names. Raises `InvalidInput` for none, `NotFound` for one that is not the actor's."""
    if name not in bulk_rules.ACTIONS:
        raise InvalidInput
    queue = bulkpage.queue_in(actor, key)
    if queue is None or Action[name] not in bulk_rules.actions_at(actor, queue.office_id, queue.desk):
        raise NotFound
    return Action[name], queue


def fields_before(actor: Actor, action: Action) -> dict[str, str] | None:
    """For a second try, the fields of the officer's own earlier act."""
    again = request.args.get("again", type=int)
    if again is None:
        return None
    try:
        before = bulk_queries.find_bulk(db.session(), actor, again).BulkAct
    except NotFound:
        return None
    is_own = before.officer_id == actor.officer_id and before.action == action
    return {key: str(value) for key, value in before.fields.items()} if is_own else None
