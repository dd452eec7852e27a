"""What the Cabinet Division has directed and waits for."""

from flask import Blueprint, render_template

from grm.cases import directions
from grm.kernel import clock
from grm.kernel.db import db
from grm.offices.queries import directory
from grm.web import guard
from grm.web.guard import requires

blueprint = Blueprint("directions", __name__)


@blueprint.get("/directions")
@requires("gro", "appeal_officer", "head", "cell_officer")
def open_ones() -> str:
    """The directions that are not answered yet, of the cases the officer may see."""
    session = db.session()
    lines = directions.open_directions(session, guard.actor())
    return render_template(
        "cases/directions.html",
        lines=lines,
        book=directory(session),
        now=clock.now(session),
        most=directions.MOST_LISTED,
    )
