"""What the Cabinet Division has directed, and what became of it."""

from flask import Blueprint, render_template, request

from grm.cases import directions_followup as followup
from grm.kernel import clock
from grm.kernel.db import db
from grm.offices.queries import directory
from grm.web import guard
from grm.web.guard import requires
from grm.web.presentation import name

blueprint = Blueprint("directions", __name__)


@blueprint.get("/directions")
@requires("gro", "appeal_officer", "head", "cell_officer", "cluster_coordinator")
def open_ones() -> str:
    """Directions on the cases that the officer may see: the open ones, or by state, lateness, office and who gave them."""
    session, actor = db.session(), guard.actor()
    book, now = directory(session), clock.now(session)
    codes = {office.code: office.id for office in book.offices}
    chosen = followup.filters_from(request.args, codes)
    lines, mark = followup.page(session, actor, chosen, now, followup.mark_from(request.args.get("after", "")))
    query = chosen.as_query()
    following = f"{mark[0].isoformat()}_{mark[1]}".replace("+", "%2B") if mark else ""
    return render_template(
        "cases/directions.html",
        lines=lines,
        counts=followup.counts(session, actor, chosen, now),
        states=followup.STATES,
        chosen=chosen,
        offices=sorted(((each.code, name(each)) for each in book.offices), key=lambda pair: pair[1]),
        may_own=actor.has_role("cell_officer"),
        next_url=f"/directions?{query}{'&' if query else ''}after={following}" if mark else None,
        first_url=f"/directions?{query}" if request.args.get("after") else None,
        book=book,
        now=now,
    )
