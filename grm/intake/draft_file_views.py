"""`/complaints/files`: files of a form that is not filed yet, handed in or taken out again on its last page."""

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response

from grm.intake import draft_file_posts, draft_files, drafts, limits, views
from grm.intake.draft_file_posts import NOTHING, Outcome
from grm.intake.drafts import Content, Look
from grm.intake.forms import LAST_PAGE
from grm.intake.screening import is_ticked
from grm.intake.service import new_token
from grm.kernel.db import db
from grm.kernel.errors import TooMany
from grm.kernel.text import latin_digits
from grm.web.guard import keeps_typed_text, public
from grm.web.security import FORM_FIELD, form_is_stale, is_own_form
from grm.web.sources import limited_source
from grm.web.uploads import Beginning, answers_too_large, takes_files

blueprint = Blueprint("draft_files", __name__)


def _too_large(beginning: Beginning) -> tuple[Response, int] | None:
    """The text is a draft already; only the files come again."""
    token = beginning.fields.get("draft")
    if not drafts.is_token(token) or not is_own_form(beginning.fields.get(FORM_FIELD, "")):
        return None
    look = drafts.look(db.session(), str(token))
    if look.content is None or look.filed is not None:
        return None
    return _page(str(token), look.content, draft_file_posts.too_large(beginning.file_name))


@blueprint.post("/complaints/files")
@public("citizens hand in files with the form they are filling in")
@keeps_typed_text
@takes_files
@answers_too_large(_too_large)
def files() -> Response | tuple[Response, int]:
    """Take files in, or one out again, and show the last page of the form."""
    token = request.form.get("draft")
    if not drafts.is_token(token):
        return redirect(url_for("intake.new"), 303)
    token = str(token)
    look = drafts.look(db.session(), token)
    if look.filed is not None:
        return views.to_receipt(look.filed, look.now - look.filed.filed_at <= views.SHOWS_SECRET)
    if look.content is None:
        return redirect(url_for("intake.new"), 303)
    if form_is_stale():
        return _stale(token, look.content, look)
    if wait := limits.wait_for_post(db.session(), limited_source(), look.now):
        raise TooMany("too-many", retry_after_seconds=wait)
    content = views.merged(look.content, LAST_PAGE, request.form) if "remove" not in request.form else look.content
    views.save_draft(db.session(), token, content, look)
    is_anonymous = is_ticked(content.fields.get("anonymous"))
    if which := latin_digits(request.form.get("remove", "")):
        draft_files.remove(token, int(which) if which.isascii() and which.isdigit() and len(which) < 18 else -1)
        outcome = NOTHING
    else:
        outcome = draft_file_posts.take_posted(token, is_anonymous=is_anonymous, source=limited_source())
    if not outcome.status and request.cookies.get(views.COOKIE) == token:
        return redirect(views.address_of(LAST_PAGE) + "#attachments", 303)
    return _page(token, content, outcome)


def _stale(token: str, content: Content, look: Look) -> tuple[Response, int]:
    """As with any page of the form: a token that somebody else may know is not gone on with, the text is."""
    if token != request.cookies.get(views.COOKIE):
        token = new_token()
        views.save_draft(db.session(), token, content, look)
    return views.show_page(token, LAST_PAGE, content, is_stale=True), 400


def _page(token: str, content: Content, outcome: Outcome) -> tuple[Response, int]:
    reached = Content(content.fields, max(content.reached, LAST_PAGE))
    return views.show_page(token, LAST_PAGE, reached, files=outcome), outcome.status or 200
