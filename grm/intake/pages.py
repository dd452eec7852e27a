"""What the public form shows: its pages, the empty first one made once for everybody, and the receipt."""

import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from grm.deadlines.queries import calendar as working_days
from grm.intake import choices, draft_file_posts, drafts, warnings
from grm.intake.draft_file_posts import NOTHING, Outcome
from grm.intake.drafts import Content
from grm.intake.facts import CORRECTION_CATEGORIES, PAYMENT_CATEGORIES
from grm.intake.forms import FILE_FIELDS, LAST_PAGE, FormView, answer_rows, asked, category_hints
from grm.intake.screening import Problem, is_ticked
from grm.intake.service import Filed
from grm.kernel import tracking_number
from grm.kernel.clock import dhaka_date
from grm.kernel.db import db
from grm.offices.queries import directory
from grm.web.locale import gettext, language
from grm.web.security import csrf_token

COOKIE = "grm_draft"
COOKIE_PATH = "/complaints"
_CSRF = re.compile('(name="csrf_token" value=")([^"]+)(")')
SHOWS_SECRET = timedelta(minutes=30)
"""How long after filing the receipt shows the secret again: long enough for a lost connection, too short for the next
person at a shared computer."""


def preselected() -> dict[str, str]:
    """What an address may fill in: `?programme=` of a page about a programme."""
    programme = request.args.get("programme", "")
    return {"programme": programme} if programme in choices.offer(db.session()).choices.programmes else {}


def to_receipt(filed: Filed, shows_secret: bool) -> Response:
    """Redirect to the receipt where the browser kept the form's cookie; show it at once where it did not."""
    if request.cookies.get(COOKIE) == request.form.get("draft"):
        return redirect(url_for("intake.sent"), 303)
    return show_receipt(filed, shows_secret)


_receipts: dict[tuple[object, ...], str] = {}
_NUMBER_MARK, _SECRET_MARK = "A" * tracking_number.LENGTH, "B" * tracking_number.LENGTH


def show_receipt(filed: Filed, shows_secret: bool) -> Response:
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
    return with_cookie(make_response(body), token)


_PLAIN_QUERIES = (b"", b"lang=bn", b"lang=en")
_shells: dict[tuple[int, date, str, bytes], str] = {}


def blank(token: str) -> Response:
    """A form nobody has typed in. For every visitor it is the same but for its two tokens, so it is rendered once for an
    edition, day and language and the tokens are put in."""
    if request.query_string not in _PLAIN_QUERIES or current_user.is_authenticated:
        return show_page(token, 1, Content(preselected()))
    offer = choices.offer(db.session())
    key = (offer.book.edition, offer.day, language(), request.query_string)
    if key not in _shells:
        rendered = show_page("{draft}", 1, Content()).get_data(as_text=True)
        if len(_shells) > 32:
            _shells.clear()
        _shells[key] = _CSRF.sub(r"\1{csrf}\3", rendered)
    shell = _shells[key].replace("{draft}", token, 1).replace("{csrf}", csrf_token(), 1)
    return with_cookie(make_response(shell), token)


def address_of(page: int) -> str:
    """The address of a page; the language stays in it for browsers that keep no cookie."""
    return url_for("intake.new", step=page, lang=request.args.get("lang") or None)


def with_cookie(response: Response, token: str) -> Response:
    """The answer with the cookie that leads this browser back to its draft."""
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
