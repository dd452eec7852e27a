"""The front page and the public form: four short pages, no script, no account, no session (ADR 0003).

Any post may carry any of the form's fields; all known ones are kept, so a client may also send everything at once with
`step=send`. Every post that does not file saves the draft. With cookies the answer to a good post is a redirect; without
them it is the next page itself.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from grm.deadlines.queries import calendar as working_days
from grm.intake import choices, draft_file_posts, draft_files, drafts, limits, waiting, warnings
from grm.intake.draft_file_posts import NOTHING, Outcome
from grm.intake.drafts import Content, Look
from grm.intake.facts import CORRECTION_CATEGORIES, PAYMENT_CATEGORIES
from grm.intake.forms import FILE_FIELDS, LAST_PAGE, PAGES, PUBLIC_FIELDS, FormView, answer_rows, asked, category_hints
from grm.intake.screening import CHECKBOXES, Problem, Screened, is_ticked, problems_among, screen
from grm.intake.service import Filed, Filing, file_grievance, new_token
from grm.kernel import tracking_number
from grm.kernel.clock import dhaka_date
from grm.kernel.db import db
from grm.kernel.errors import TooMany
from grm.kernel.text import latin_digits
from grm.kernel.transaction import transaction
from grm.offices.queries import directory
from grm.web.guard import keeps_typed_text, public
from grm.web.indexing import indexable
from grm.web.locale import gettext, language
from grm.web.security import FORM_FIELD, csrf_token, form_is_stale, is_own_form
from grm.web.sources import limited_source
from grm.web.uploads import Beginning, answers_too_large, takes_files

blueprint = Blueprint("intake", __name__)
COOKIE = "grm_draft"
COOKIE_PATH = "/complaints"
_CSRF = re.compile('(name="csrf_token" value=")([^"]+)(")')
SHOWS_SECRET = timedelta(minutes=30)
"""How long after filing the receipt shows the secret again: long enough for a lost connection, too short for the next
person at a shared computer."""


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
    return _receipt(look.filed, look.now - look.filed.filed_at <= SHOWS_SECRET)


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
                    programme=_preselected().get("programme"),
                )
            )
        if look.filed is not None and look.now - look.filed.filed_at <= SHOWS_SECRET:
            return show_page(new_token(), 1, Content(_preselected()), filed_before=look.filed)
    if page and page > 1:
        return redirect(url_for("intake.new"), 303)
    return _blank(new_token())


def _preselected() -> dict[str, str]:
    """What an address may fill in: `?programme=` of a page about a programme."""
    programme = request.args.get("programme", "")
    return {"programme": programme} if programme in choices.offer(db.session()).choices.programmes else {}


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
    if wait:
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
        save_draft(session, token, content, look)  # before the files, so that none of them can lose the text
        is_anonymous = is_ticked(content.fields.get("anonymous"))
        outcome = draft_file_posts.take_posted(token, is_anonymous=is_anonymous, source=limited_source())
        if outcome.status:
            return show_page(token, LAST_PAGE, content, files=outcome), outcome.status
        look = replace(look, has_files=True)
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
    return _with_cookie(waiting.page(kind, token, seconds, look.now), token)


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


def _moved(session: Session, token: str, target: int, content: Content, look: Look) -> Response:
    """Save and go to another page: by redirect where the browser keeps cookies."""
    content = Content(content.fields, max(content.reached, target))
    save_draft(session, token, content, look)
    if request.cookies.get(COOKIE) == token:
        return _with_cookie(redirect(address_of(target), 303), token)
    return show_page(token, target, content)


def _afresh(token: str) -> Response:
    draft_files.remove(token)
    with transaction() as act:
        drafts.discard(act.session, token)
    response = redirect(url_for("intake.new", programme=_preselected().get("programme")), 303)
    response.delete_cookie(COOKIE, path=COOKIE_PATH)
    return response


def to_receipt(filed: Filed, shows_secret: bool) -> Response:
    """Redirect to the receipt where the browser kept the form's cookie; show it at once where it did not."""
    if request.cookies.get(COOKIE) == request.form.get("draft"):
        return redirect(url_for("intake.sent"), 303)
    return _receipt(filed, shows_secret)


_receipts: dict[tuple[object, ...], str] = {}
_NUMBER_MARK, _SECRET_MARK = "A" * tracking_number.LENGTH, "B" * tracking_number.LENGTH


def _receipt(filed: Filed, shows_secret: bool) -> Response:
    """The receipt. All filings of a day for an office share one text but for the two codes and the form token, so it is
    rendered once for them and these are put in."""
    book = directory(db.session())
    shows_helplines = book.category(filed.category_id).slug in choices.HELPLINE_CATEGORIES

    def render(number: str, secret: str) -> str:
        return render_template(
            "intake/receipt.html",
            filed=replace(filed, tracking_number=number),
            secret=secret if shows_secret else None,
            office=book.office(filed.office_id),
            shows_helplines=shows_helplines,
            is_provisional=working_days(db.session()).is_provisional(filed.due_on),
        )

    is_plain = request.query_string.removeprefix(b"step=4").removeprefix(b"&") in _PLAIN_QUERIES
    if not is_plain or current_user.is_authenticated:
        return make_response(render(filed.tracking_number, filed.secret))
    days = (filed.due_on, dhaka_date(filed.filed_at))
    page = (language(), request.path, request.query_string, shows_secret, shows_helplines)
    key = (book.edition, filed.office_id, filed.is_anonymous, *days, *page)
    if key not in _receipts:
        if len(_receipts) > 500:
            _receipts.clear()
        _receipts[key] = _CSRF.sub(r"\1{csrf}\3", render(_NUMBER_MARK, _SECRET_MARK))
    text = _receipts[key].replace("{csrf}", csrf_token())
    for mark, code in ((_NUMBER_MARK, filed.tracking_number), (_SECRET_MARK, filed.secret)):
        text = text.replace(tracking_number.display(mark), tracking_number.display(code))
    return make_response(text)


def show_page(
    token: str,
    page: int,
    content: Content,
    problems: tuple[Problem, ...] = (),
    is_stale: bool = False,
    filed_before: Filed | None = None,
    files: Outcome = NOTHING,
) -> Response:
    """A page of the form; on the last one what became of the files just handed in."""
    offer = choices.offer(db.session())
    form = FormView(asked(page, content.fields) + FILE_FIELDS * (page == LAST_PAGE), content.fields, problems, offer)
    if is_stale:
        form.form_errors.append(
            gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        )
    values: dict[str, Any] = {"category_hints": category_hints(offer)} if page == 1 else {}
    if page == LAST_PAGE:
        values |= draft_file_posts.shown(token, files)
        form.attachments.errors += files.sentences
        values["rows"] = answer_rows(content.fields, offer)
        values["is_anonymous"] = is_ticked(content.fields.get("anonymous"))
        codes = warnings.warnings_of(content.fields.get("details", ""))
        values["warnings"] = [gettext(warnings.SENTENCES[code]) for code in codes]
    category = content.fields.get("category")
    body = render_template(
        "intake/new.html",
        form=form,
        page=page,
        last_page=LAST_PAGE,
        draft=token,
        action=address_of(page),
        shows_helplines=category in choices.HELPLINE_CATEGORIES,
        is_payment=category in PAYMENT_CATEGORIES,
        is_correction=category in CORRECTION_CATEGORIES,
        filed_before=filed_before,
        **values,
    )
    return _with_cookie(make_response(body), token)


_PLAIN_QUERIES = (b"", b"lang=bn", b"lang=en")
_shells: dict[tuple[int, date, str, bytes], str] = {}


def _blank(token: str) -> Response:
    """A form nobody has typed in. For every visitor it is the same but for its two tokens, so it is rendered once for an
    edition, day and language and the tokens are put in."""
    if request.query_string not in _PLAIN_QUERIES or current_user.is_authenticated:
        return show_page(token, 1, Content(_preselected()))
    offer = choices.offer(db.session())
    key = (offer.book.edition, offer.day, language(), request.query_string)
    if key not in _shells:
        rendered = show_page("{draft}", 1, Content()).get_data(as_text=True)
        if len(_shells) > 32:
            _shells.clear()
        _shells[key] = _CSRF.sub(r"\1{csrf}\3", rendered)
    shell = _shells[key].replace("{draft}", token, 1).replace("{csrf}", csrf_token(), 1)
    return _with_cookie(make_response(shell), token)


def address_of(page: int) -> str:
    """The address of a page; the language stays in it for browsers that keep no cookie."""
    return url_for("intake.new", step=page, lang=request.args.get("lang") or None)


def _with_cookie(response: Response, token: str) -> Response:
    response.set_cookie(
        COOKIE,
        token,
        max_age=drafts.LIFETIME,
        path=COOKIE_PATH,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
    return response
