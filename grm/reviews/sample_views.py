"""The drawn closures, for those who review them: the Cabinet Division's cell."""

from typing import Any

from flask import Blueprint, redirect, render_template, request
from sqlalchemy.orm import Session

from grm.cases import samples
from grm.kernel.db import db
from grm.kernel.errors import IllegalAction, InvalidInput
from grm.kernel.text import latin_digits
from grm.offices.queries import directory
from grm.reviews import queries, service
from grm.web.guard import actor, keeps_typed_text, requires
from grm.web.labels import label
from grm.web.locale import gettext
from grm.web.presentation import digits
from grm.web.security import form_is_stale

blueprint = Blueprint("samples", __name__, url_prefix="/reports/samples")


@blueprint.get("")
@requires("cell_officer")
def overview() -> str:
    """The cases drawn for a month, how many closures they stand for, whose they are to review, and how far that has come."""
    return _page(queries.choice_from(request.args))


@blueprint.post("")
@keeps_typed_text
@requires("cell_officer")
def report() -> Any:
    """Report the findings of a month: they stand from now on."""
    month = queries.month_from(request.form.get("month", ""))
    chosen = queries.Choice(month=month)
    if month is None:
        return _page(chosen, gettext("This month was not drawn.")), 422
    if form_is_stale():
        return _page(chosen, gettext("This page was open for too long. Press the button again.")), 400
    try:
        service.report_month(actor(), month, is_confirmed=bool(request.form.get("confirmed")))
    except InvalidInput:
        problem = gettext("Tick that the findings of this month are to be reported.")
    except IllegalAction:
        problem = gettext("Nothing of this month was reviewed yet: there is nothing to report.")
    else:
        return redirect(chosen.address(), 303)
    db.session().rollback()
    return _page(chosen, problem), 422


def _page(chosen: queries.Choice, problem: str = "") -> str:
    session = db.session()
    months = queries.months(session)
    is_span = chosen.month is None and chosen.since is not None
    shown = None if is_span else next((each for each in months if each.month == chosen.month), None)
    if shown is None and not is_span and months:
        shown = months[0]
    chosen = chosen.with_(month=shown.month if shown else None)
    found = queries.page(session, actor(), chosen, _after()) if months else ()
    rows = found[: queries.PAGE]
    known = directory(session)
    return render_template(
        "reports/samples.html",
        months=months,
        shown=shown,
        chosen=chosen,
        rows=rows,
        total=queries.count(session, actor(), chosen) if months else 0,
        progress=_progress(session, shown.month) if shown else None,
        tabs=_tabs(session, chosen),
        problem=problem,
        next_url=chosen.address(rows[-1].ClosureSample.id) if len(found) > queries.PAGE else None,
        first_url=chosen.address() if _after() else None,
        office=next((each for each in known.offices if each.id == chosen.office_id), None),
        known=known,
        number=digits,
    )


def _progress(session: Session, month: Any) -> dict[str, int]:
    of_month = queries.Choice(month=month)
    states: tuple[str | None, ...] = (None, "reviewed", "open", "mine", "faulty")
    found = {state or "drawn": queries.count(session, actor(), of_month.with_(state=state)) for state in states}
    own = queries.count(session, actor(), of_month.with_(state="nobody"))
    return found | {"nobody": own, "accusing": samples.accusing(session, actor(), month)}


def _tabs(session: Session, chosen: queries.Choice) -> list[dict[str, Any]]:
    """The list as a whole, and by what is to be done or was found; the finding that is asked for among them."""
    shown: list[str | None] = [None, "mine", "open", "reviewed", "faulty"]
    if chosen.state not in shown:
        shown.append(chosen.state)
    return [
        {
            "href": chosen.with_(state=state).address(),
            "label": label("review_list", state) if state else gettext("All"),
            "count": queries.count(session, actor(), chosen.with_(state=state)),
            "current": state == chosen.state,
        }
        for state in shown
    ]


def _after() -> int:
    plain = latin_digits(request.args.get("after", "").strip())
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 15 else 0
