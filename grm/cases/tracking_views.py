"""Following a complaint with its two codes. Nothing secret is ever in an address, and there is no session: each form on
the status page carries a signed token that opens this one case for half an hour."""

from typing import Any

from flask import Blueprint, make_response, render_template, request
from werkzeug.wrappers import Response
from wtforms import BooleanField, StringField, TextAreaField

from grm.cases import appeals, informing, service, tracking
from grm.cases.content import LONGEST_TEXT
from grm.cases.public_status import PublicStatus, status_of, was_said
from grm.kernel import clock
from grm.kernel.actor import complainant
from grm.kernel.db import db
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput
from grm.web.forms import BaseForm
from grm.web.guard import keeps_typed_text, public
from grm.web.locale import gettext, lazy, ngettext
from grm.web.presentation import number as grouped
from grm.web.security import form_is_stale

blueprint = Blueprint("tracking", __name__)


class CodesForm(BaseForm):
    """The two codes of the receipt."""

    tracking_number = StringField(lazy("Tracking number"))
    secret = StringField(lazy("Secret code"))


class ActsForm(BaseForm):
    """What the complainant may say on the status page; which field counts is told by the button."""

    answer = TextAreaField(lazy("Your answer"))
    information = TextAreaField(
        lazy("What do you want to add?"), description=lazy("Something new, a correction, or that it is solved.")
    )
    not_solved = TextAreaField(
        lazy("What is not solved?"), description=lazy("In your own words. A few words are enough.")
    )
    grounds = TextAreaField(lazy("Why do you appeal?"), description=lazy("In your own words. A few words are enough."))
    reason = TextAreaField(lazy("Why do you withdraw it?"), description=lazy("You need not say why."))
    confirm = BooleanField(lazy("Yes, I want to withdraw this complaint. It then ends."))


FIELD_OF = {
    "answer": "answer",
    "add_information": "information",
    "withdraw": "reason",
    "contest": "not_solved",
    "appeal": "grounds",
}
"""What the complainant may do, with the field that counts."""


@blueprint.route("/track", methods=["GET", "POST"])
@public("complainants have no account; the two codes open their case")
@keeps_typed_text
def track() -> Response | tuple[Response, int]:
    """Ask for the codes, show the case they open, and take the complainant's acts on it."""
    if request.method != "POST":
        return _ask(CodesForm())
    if "view" in request.form:
        return _act()
    return _open()


def _open() -> Response | tuple[Response, int]:
    form = CodesForm(request.form)
    if form_is_stale():
        form.form_errors.append(
            gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        )
        return _ask(form), 400
    knock = tracking.knock(form.tracking_number.data or "", form.secret.data or "", request.remote_addr or "")
    if knock.wait_seconds:
        form.form_errors.append(_wait_text(knock.wait_seconds))
        response = _ask(form)
        response.headers["Retry-After"] = str(knock.wait_seconds)
        return response, 429
    if knock.tracking_number is None:
        form.form_errors.append(
            gettext("These two codes do not belong together. Check each letter and figure on your receipt.")
        )
        return _ask(form), 422
    informing.note_reading(knock.tracking_number)  # whoever sees the page knows of the decision, or of the question
    return _show(status_of(db.session(), knock.tracking_number, knock.now), ActsForm(request.form))


def _act() -> Response | tuple[Response, int]:
    now = clock.now(db.session())
    number = tracking.read_view_token(request.form["view"], now)
    form = ActsForm(request.form)
    if number is None:
        codes = CodesForm()
        codes.form_errors.append(
            gettext(
                "For your safety this page closes after half an hour. Type your codes again; what you wrote is kept."
            )
        )
        return _ask(codes), 400
    if form_is_stale():
        form.form_errors.append(
            gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        )
        return _show(status_of(db.session(), number, now), form), 400
    action = request.form.get("action", "")
    if action not in FIELD_OF:
        return _show(status_of(db.session(), number, now), form), 422
    if action == "withdraw" and not form.confirm.data:
        form.confirm.errors = [gettext("Tick the box to confirm that you withdraw the complaint")]
        return _show(status_of(db.session(), number, now), form), 422
    text = str(getattr(form, FIELD_OF[action]).data or "")
    try:
        _do(action, number, text)
    except InvalidInput as error:
        getattr(form, FIELD_OF[action]).errors = [_fault(code, len(text)) for code in error.fields.values()]
        return _show(status_of(db.session(), number, now), form), 422
    except IllegalAction:
        form.form_errors.append(
            gettext("This is not possible any more: the complaint has gone on. See below how it stands.")
        )
        return _show(status_of(db.session(), number, now), form), 409
    return _show(status_of(db.session(), number, now), ActsForm(), done=action)


def _do(action: str, number: str, text: str) -> None:
    """Act on the version that was on the screen, so that a second press of the button changes nothing. Where somebody
    else acted in between, the complainant's words are taken all the same."""
    shown = request.form.get("version", "")
    version = int(shown) if shown.isascii() and shown.isdigit() and len(shown) < 9 else None
    try:
        _perform(action, number, text, version)
    except (Conflict, IllegalAction):
        if was_said(db.session(), number, text) or (action == "withdraw" and _is_withdrawn(number)):
            return
        _perform(action, number, text, None)


def _perform(action: str, number: str, text: str, version: int | None) -> None:
    who = complainant(number)
    if action == "answer":
        service.answer_question(who, number, text, version=version)
    elif action == "add_information":
        service.add_information(who, number, text, version=version)
    elif action == "contest":
        appeals.contest_case(who, number, text, version=version)
    elif action == "appeal":
        appeals.appeal_case(who, number, text, version=version)
    else:
        service.withdraw_case(who, number, text, version=version)


def _is_withdrawn(number: str) -> bool:
    session = db.session()
    return status_of(session, number, clock.now(session)).status == "withdrawn"


def _fault(code: str, length: int) -> str:
    if code == "too-long":
        return gettext(
            "These are %(count)s characters; at most %(limit)s fit. Please shorten by %(over)s.",
            count=grouped(length),
            limit=grouped(LONGEST_TEXT),
            over=grouped(max(1, length - LONGEST_TEXT)),
        )
    if code == "control-characters":
        return gettext("There are characters in it that cannot be read: type it again")
    return gettext("Please write something")


def _wait_text(seconds: int) -> str:
    if seconds <= 90:
        return ngettext(
            "Too many tries. Wait %(count)s second, then try again.",
            "Too many tries. Wait %(count)s seconds, then try again.",
            seconds,
            count=grouped(seconds),
        )
    minutes = -(-seconds // 60)
    return ngettext(
        "Too many tries. Wait %(count)s minute, then try again.",
        "Too many tries. Wait %(count)s minutes, then try again.",
        minutes,
        count=grouped(minutes),
    )


def _ask(form: CodesForm) -> Response:
    """The page that asks for the codes. Words written on a status page that has closed are carried along."""
    kept = {name: request.form[name] for name in FIELD_OF.values() if request.form.get(name)}
    return make_response(render_template("cases/track.html", form=form, kept=kept))


def _show(status: PublicStatus, form: ActsForm, done: str = "") -> Response:
    values: dict[str, Any] = {"status": status, "form": form, "done": done, "longest": LONGEST_TEXT}
    view = tracking.view_token(status.tracking_number, clock.now(db.session()))
    return make_response(render_template("cases/track_status.html", view=view, **values))
