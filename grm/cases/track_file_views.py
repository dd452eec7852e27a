"""`/track/file`: one file for the complainant, to be saved. Asked for by a form, so that nothing secret is in an address."""

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from grm.cases import attachment_serving, tracking, visits
from grm.cases.attachment_views import to_save
from grm.kernel import clock
from grm.kernel.actor import complainant
from grm.kernel.db import db
from grm.kernel.errors import NotFound
from grm.web.guard import public

blueprint = Blueprint("track_files", __name__)


@blueprint.post("/track/file")
@public("complainants have no account; the proof that they opened the case comes with the form")
def file() -> Response | AnyResponse:
    """One file of the case that the form's token opens, if the complainant may have it."""
    session = db.session()
    view = tracking.read_view(request.form.get("view", ""), clock.now(session))
    if view is None or not view.is_fresh or visits.is_over(session, view.visit):
        return redirect(url_for("tracking.track"), 303)
    which = request.form.get("file", "")
    if not which.isascii() or not which.isdigit() or len(which) > 18:
        raise NotFound
    number = view.tracking_number
    _, found = attachment_serving.file_of(session, complainant(number), number, int(which))
    return to_save(found)
