"""The filters an officer keeps, and the keyboard shortcuts."""

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for

from grm.cases import queuepage, saved_filters
from grm.kernel.actor import Actor
from grm.kernel.clock import dhaka_date, now
from grm.kernel.db import db
from grm.kernel.errors import InvalidInput
from grm.kernel.text import latin_digits
from grm.offices.queries import directory
from grm.web import guard, shortcuts
from grm.web.guard import keeps_typed_text, requires, signed_in
from grm.web.locale import gettext
from grm.web.presentation import digits
from grm.web.security import form_is_stale

blueprint = Blueprint("filters", __name__)

OFFICERS = ("gro", "case_officer", "appeal_officer", "head", "cell_officer")


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


FAULTS = {
    "missing": _("Give the filter a name"),
    "name-too-long": _("The name is too long: at most %(count)s characters"),
    "name-taken": _("You have a filter of this name already"),
    "too-many-filters": _("You have %(most)s filters already: delete one first"),
    "control-characters": _("This has characters that cannot be stored; type it anew"),
}


@blueprint.get("/queue/filters")
@requires(*OFFICERS)
def filters() -> Any:
    """The officer's filters; with `from`, the form that keeps a view of the queue."""
    return _show(guard.actor(), request.args.get("from", ""))


@blueprint.post("/queue/filters")
@requires(*OFFICERS)
@keeps_typed_text
def change() -> Any:
    """Keep, rename or delete a filter, or let the queue open with one."""
    actor, typed = guard.actor(), request.form
    do, query = typed.get("do", ""), typed.get("from", "")
    plain = latin_digits(typed.get("id", ""))
    filter_id = int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 16 else 0
    if form_is_stale():
        problem = gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        return _show(actor, query, 400, problem=problem, at=filter_id, name=typed.get("name", ""))
    try:
        if do == "save":
            kept = normal_query(actor, query)
            saved_filters.save_filter(actor, typed.get("name", ""), kept, is_default="is_default" in typed)
            return redirect(f"/queue?{kept}", 303)
        if do == "rename":
            saved_filters.rename_filter(actor, filter_id, typed.get("name", ""))
        elif do == "delete":
            saved_filters.delete_filter(actor, filter_id)
        elif do in ("prefer", "prefer_none"):
            saved_filters.prefer_filter(actor, filter_id if do == "prefer" else None)
        else:
            raise InvalidInput
    except InvalidInput as error:
        if not error.fields:
            raise
        counts = {"count": digits(saved_filters.LONGEST_NAME), "most": digits(saved_filters.MOST_FILTERS)}
        words = FAULTS[error.fields["name"]]
        fault = gettext(words) % counts
        return _show(actor, query, 422, fault=fault, at=filter_id, name=typed.get("name", ""))
    return redirect(url_for("filters.filters"), 303)


@blueprint.get("/help/keys")
@signed_in
def keys() -> Any:
    """The keyboard shortcuts, and the switch that turns them off."""
    return render_template("cases/keys.html", shortcuts=shortcuts.in_words(), is_on=shortcuts.are_on())


@blueprint.post("/help/keys")
@signed_in
def switch_keys() -> Response:
    """Turn the shortcuts on or off in this browser (WCAG 2.1.4)."""
    response = redirect(url_for("filters.keys"), 303)
    assert isinstance(response, Response)
    shortcuts.switch(response, is_on=request.form.get("keys") == "on")
    return response


def normal_query(actor: Actor, query: str) -> str:
    """The view that an address asks for, in the fixed order of `queuepage`; what it gets wrong is left out."""
    session = db.session()
    asked = queuepage.asked(query)
    return queuepage.read(directory(session), actor, dhaka_date(now(session)), asked).query


def _show(
    actor: Actor, query: str, status: int = 200, *, problem: str = "", fault: str = "", at: int = 0, name: str = ""
) -> Any:
    session = db.session()
    body = render_template(
        "cases/filters.html",
        filters=saved_filters.filters_of(session, actor),
        query=normal_query(actor, query) if query else "",
        problem=problem,
        fault=fault,
        at=at,
        name=name,
        most=saved_filters.MOST_FILTERS,
    )
    return body, status
