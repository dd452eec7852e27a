"""`/registry`: whether somebody is on a list, and what was sent. For officers and desks; the public form never asks it."""

from typing import Any

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response

from grm.kernel.db import db
from grm.kernel.errors import Forbidden
from grm.offices.queries import directory
from grm.registry import asking, service, shown
from grm.registry.asking import Asked, LookUpForm
from grm.web import guard
from grm.web.guard import keeps_typed_text, requires

blueprint = Blueprint("registry", __name__)


@blueprint.app_context_processor
def _offer() -> dict[str, Any]:
    """Whether a page may offer the look-up to who reads it; asked by templates of officers' pages only."""
    return {"may_look_up": lambda: service.may_look_up(guard.actor())}


@blueprint.route("/registry", methods=["GET", "POST"])
@requires(*service.ROLES)
@keeps_typed_text
def look_up() -> Response:
    """Ask for a number; show whoever goes by it."""
    if not service.may_look_up(guard.actor()):
        raise Forbidden
    asked = asking.ask(guard.actor()) if request.method == "POST" else Asked(LookUpForm())
    people = shown.lines_of(asked.answer, directory(db.session())) if asked.answer else ()
    template = "registry/_found.html" if asking.wants_fragment(request) else "registry/look_up.html"
    return make_response(render_template(template, asked=asked, form=asked.form, people=people), asked.status)
