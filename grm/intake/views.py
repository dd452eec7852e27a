"""The front page and the public form: four short pages, no script, no account, no session (ADR 0003).

Any post may carry any of the form's fields; all known ones are kept, so a client may also send everything at once with
`step=send`. Every post that does not file saves the draft. With cookies the answer to a good post is a redirect; without
them it is the next page itself.
"""

from collections.abc import Mapping
from dataclasses import replace

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from grm.intake import choices, draft_file_posts, draft_files, drafts, limits, waiting
from grm.intake.draft_file_rows import forget_names
from grm.intake.drafts import Content, Look
from grm.intake.forms import LAST_PAGE, PAGES, PUBLIC_FIELDS
from grm.intake.pages import (
    COOKIE as COOKIE,
)
from grm.intake.pages import (
    COOKIE_PATH as COOKIE_PATH,
)
from grm.intake.pages import (
    SHOWS_SECRET as SHOWS_SECRET,
)
from grm.intake.pages import (
    address_of as address_of,
)
from grm.intake.pages import (
    blank,
    preselected,
    show_receipt,
    with_cookie,
)
from grm.intake.pages import (
    show_page as show_page,
)
from grm.intake.pages import (
    to_receipt as to_receipt,
)
from grm.intake.screening import CHECKBOXES, Screened, is_ticked, problems_among, screen
from grm.intake.service import Filing, draft_hash, file_grievance, new_token
from grm.kernel.clock import dhaka_date
from grm.kernel.db import db
from grm.kernel.errors import TooMany
from grm.kernel.text import latin_digits
from grm.kernel.transaction import transaction
from grm.web.guard import keeps_typed_text, public
from grm.web.indexing import indexable
from grm.web.locale import language
from grm.web.security import FORM_FIELD, form_is_stale, is_own_form
from grm.web.sources import limited_source
from grm.web.uploads import Beginning, answers_too_large, takes_files

blueprint = Blueprint("intake", __name__)


@blueprint.get("/")
@public("the front door")
@indexable
def home() -> str:
    """Say what this is, and lead to filing and tracking."""
    return render_template("public/home.html")


@blueprint.route("/complaints/new", methods=["GET", "POST"])
@public("citizens file without an account")
@keeps_typed_text
@takes_files
@answers_too_large(lambda beginning: _too_large(beginning))
def new() -> Response | tuple[Response, int]:
    """Show and take the pages of the form."""
    return _taken() if request.method == "POST" else _shown()


@blueprint.get("/complaints/sent")
@public("the receipt of the form just sent; without its cookie it shows nothing")
def sent() -> Response:
    """Show the receipt of the form that this browser has sent; its secret for half an hour only."""
    token = request.cookies.get(COOKIE)
    look = drafts.look(db.session(), str(token)) if drafts.is_token(token) else None
    if look is None or look.filed is None:
        return make_response(render_template("intake/receipt.html", filed=None, secret=None))
    return show_receipt(look.filed, look.now - look.filed.filed_at <= SHOWS_SECRET)


@blueprint.post("/complaints/sent")
@public("whoever shares a computer ends the display of the codes")
def done() -> Response:
    """Forget the receipt on this computer."""
    response = redirect(url_for("intake.home"), 303)
    response.delete_cookie(COOKIE, path=COOKIE_PATH)
    return response


def _shown() -> Response:
    """GET: a new form, a page of the draft this browser began, or the question whether to go on with it."""
    token = request.cookies.get(COOKIE)
    page = _page_number(request.args.get("step"))
    if drafts.is_token(token):
        assert token is not None
        look = drafts.look(db.session(), token)
        if look.content is not None:
            if page:
                return show_page(token, min(page, look.content.reached), look.content)
            return make_response(
                render_template(
                    "intake/resume.html",
                    draft=token,
                    updated_at=look.updated_at,
                    reached=look.content.reached,
                    programme=preselected().get("programme"),
                )
            )
        if look.filed is not None and look.now - look.filed.filed_at <= SHOWS_SECRET:
            return show_page(new_token(), 1, Content(preselected()), filed_before=look.filed)
    if page and page > 1:
        return redirect(url_for("intake.new"), 303)
    return blank(new_token())


def _too_large(beginning: Beginning) -> tuple[Response, int] | None:
    """A body that brought everything at once, and too much: its text is kept, and its files are to come one by one."""
    token = beginning.fields.get("draft")
    if not drafts.is_token(token) or not is_own_form(beginning.fields.get(FORM_FIELD, "")):
        return None
    look = drafts.look(db.session(), str(token))
    if look.filed is not None:
        return None
    content = merged(look.content or Content(), LAST_PAGE, beginning.fields)
    save_draft(db.session(), str(token), content, look)
    return show_page(str(token), LAST_PAGE, content, files=draft_file_posts.too_large(beginning.file_name)), 413


def _taken() -> Response | tuple[Response, int]:
    """POST: keep what was typed, then show what is wrong, go to another page, or file."""
    session = db.session()
    is_stale = form_is_stale()
    posted = request.form.get("draft")
    token = posted if posted and drafts.is_token(posted) else new_token()
    look = drafts.look(session, token)
    if look.filed is not None:
        return to_receipt(look.filed, look.now - look.filed.filed_at <= SHOWS_SECRET)
    step, page = _step()
    content = merged(look.content or Content(), page, request.form)
    length = max(0, (request.content_length or 0) - draft_file_posts.posted_bytes())
    wait = waiting.seconds_for(
        "post", token, look.now, lambda: limits.wait_for_post(session, limited_source(), look.now, length)
    )
    if wait and is_stale:
        raise TooMany("too-many", retry_after_seconds=wait)
    if wait and not draft_file_posts.has_files():
        return _please_wait("post", session, token, content, look, wait)
    if is_stale and token != request.cookies.get(COOKIE):
        # Somebody else's page may have sent this form, with a token that its maker knows.
        token = new_token()
    if request.form.get("go") == "fresh" and not is_stale:
        return _afresh(token)
    if is_stale:
        save_draft(session, token, content, look)
        return show_page(token, page, content, is_stale=True), 400
    if draft_file_posts.has_files():
        with transaction(look.now) as act:  # before the files, so that none of them can lose the text
            drafts.save(act.session, token, content, act.now)
            drafts.begin(act.session, token, act.now)
        is_anonymous = is_ticked(content.fields.get("anonymous"))
        outcome = draft_file_posts.take_posted(token, is_anonymous=is_anonymous, source=limited_source())
        if outcome.status and (filed := drafts.look(session, token).filed) is not None:
            # The button was pressed twice: the other post was faster, and the draft saved above belongs to nothing.
            with transaction(look.now) as act:
                drafts.discard(act.session, token)
            return to_receipt(filed, True)
        if outcome.status:
            return show_page(token, LAST_PAGE, content, files=outcome), outcome.status
        look = replace(look, has_files=True)
        if wait:  # only now: the page that goes on by itself sends no file again
            return _please_wait("post", session, token, content, look, wait)
    if target := _page_number(request.form.get("go")):
        return _moved(session, token, target, content, look)
    screened = _screened(content, look)
    if step == "send":
        return _sent(session, token, content, screened, look)
    faults = problems_among(screened.problems, PAGES[page])
    if faults:
        save_draft(session, token, content, look)
        return show_page(token, page, content, faults), 422
    return _moved(session, token, _next_page(page, content, screened), content, look)


def _sent(
    session: Session, token: str, content: Content, screened: Screened, look: Look
) -> Response | tuple[Response, int]:
    if screened.answers is None:
        page = _first_bad_page(screened)
        save_draft(session, token, Content(content.fields, LAST_PAGE), look)
        return show_page(
            token, page, Content(content.fields, LAST_PAGE), problems_among(screened.problems, PAGES[page])
        ), 422
    phone = screened.answers.phone
    wait = waiting.seconds_for(
        "filing", token, look.now, lambda: limits.wait_for_filing(session, limited_source(), phone, look.now)
    )
    if wait:
        return _please_wait("filing", session, token, Content(content.fields, LAST_PAGE), look, wait)
    filed = file_grievance(Filing(screened.answers, token, content.fields, has_files=look.has_files), now=look.now)
    return to_receipt(filed, True)


def _please_wait(
    kind: waiting.Kind, session: Session, token: str, content: Content, look: Look, seconds: int
) -> Response:
    save_draft(session, token, content, look)
    return with_cookie(waiting.page(kind, token, seconds, look.now), token)


def _screened(content: Content, look: Look) -> Screened:
    today = dhaka_date(look.now)
    offer = choices.offer(db.session(), today)
    return screen(content.fields, offer.choices, today, language=language())


def _step() -> tuple[str, int]:
    """What the post asks for, and the page it comes from."""
    step = request.form.get("step", "1")
    if step == "send":
        return step, LAST_PAGE
    return step, _page_number(step) or 1


def _page_number(text: str | None) -> int | None:
    digits = latin_digits(text or "")
    return int(digits) if digits in ("1", "2", "3", "4") else None


def merged(content: Content, page: int, posted: Mapping[str, str]) -> Content:
    """The draft with what was posted. A box left unticked is not sent at all, so those of the posted page count as empty."""
    fields = {
        name: value for name, value in content.fields.items() if name not in CHECKBOXES or name not in PAGES[page]
    }
    before = fields.get("district", "")
    fields |= {name: posted[name] for name in PUBLIC_FIELDS if name in posted}
    if fields.get("district", "") != before and "upazila" not in posted:
        fields.pop("upazila", None)
    return Content(fields, max(content.reached, page))


def _next_page(page: int, content: Content, screened: Screened) -> int:
    """The page after this one; who came back to change an answer returns to the check, past faults still open."""
    if content.reached < LAST_PAGE:
        return page + 1
    open_faults = [number for number in (1, 2, 3) if problems_among(screened.problems, PAGES[number])]
    return min(open_faults, default=LAST_PAGE)


def _first_bad_page(screened: Screened) -> int:
    fields = {problem.field for problem in screened.problems}
    return next(number for number, names in PAGES.items() if fields & set(names))


def save_draft(session: Session, token: str, content: Content, look: Look) -> None:
    """Keep what was typed; commits."""
    with transaction(look.now) as act:
        drafts.save(act.session, token, content, act.now)
        if look.has_files and is_ticked(content.fields.get("anonymous")):
            forget_names(act.session, draft_hash(token))


def _moved(session: Session, token: str, target: int, content: Content, look: Look) -> Response:
    """Save and go to another page: by redirect where the browser keeps cookies."""
    content = Content(content.fields, max(content.reached, target))
    save_draft(session, token, content, look)
    if request.cookies.get(COOKIE) == token:
        return with_cookie(redirect(address_of(target), 303), token)
    return show_page(token, target, content)


def _afresh(token: str) -> Response:
    draft_files.remove(token)
    with transaction() as act:
        drafts.discard(act.session, token)
    response = redirect(url_for("intake.new", programme=preselected().get("programme")), 303)
    response.delete_cookie(COOKIE, path=COOKIE_PATH)
    return response
