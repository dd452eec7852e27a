"""The sample of closures, for those who review them: the Cabinet Division's cell."""

from datetime import date
from urllib.parse import urlencode

from flask import Blueprint, render_template, request

from grm.cases import samples
from grm.kernel import clock
from grm.kernel.db import db
from grm.kernel.text import latin_digits
from grm.offices.queries import directory
from grm.web.guard import actor, requires

blueprint = Blueprint("samples", __name__, url_prefix="/reports/samples")


@blueprint.get("")
@requires("cell_officer")
def overview() -> str:
    """The cases drawn for a month, and how many closures they stand for."""
    session = db.session()
    months = samples.months(session)
    chosen = next((each for each in months if f"{each.month:%Y-%m}" == request.args.get("month")), None)
    shown = chosen or (months[0] if months else None)
    found = samples.sampled(session, actor(), shown.month, _after()) if shown else ()
    page = found[: samples.PAGE]
    return render_template(
        "reports/samples.html",
        months=months,
        shown=shown,
        rows=page,
        next_url=_link(shown.month, page[-1].ClosureSample.id) if shown and len(found) > samples.PAGE else None,
        first_url=_link(shown.month) if shown and request.args.get("after") else None,
        known=directory(session),
        now=clock.now(session),
    )


def _after() -> int:
    plain = latin_digits(request.args.get("after", "").strip())
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 15 else 0


def _link(month: date, after: int | None = None) -> str:
    values: dict[str, str] = {"month": f"{month:%Y-%m}"} | ({"after": str(after)} if after else {})
    return "/reports/samples?" + urlencode(values)
