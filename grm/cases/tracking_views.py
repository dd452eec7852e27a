"""Following a complaint with its two codes, or with a code by SMS. Nothing secret is ever in an address, and there is no
session: each form on the status page carries a signed token that opens this one case for half an hour, or until its reader
leaves the page (`grm/cases/visits.py`)."""

from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from grm.cases import appeals, codes, escalating, informing, ratings, service, track_file_posts, tracking, visits
from grm.cases import tracking_words as words
from grm.cases.content import LONGEST_TEXT
from grm.cases.public_status import PublicStatus, status_of, was_said
from grm.cases.tracking_forms import FIELD_OF, ActsForm, CodeForm, CodesForm, LostForm
from grm.kernel import clock
from grm.kernel.actor import complainant
from grm.kernel.db import db
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput
from grm.web.forms import BaseForm
from grm.web.guard import keeps_typed_text, public
from grm.web.locale import gettext
from grm.web.security import FORM_FIELD, form_is_stale, is_own_form
from grm.web.sources import request_source
from grm.web.uploads import Beginning, answers_too_large, takes_files

blueprint = Blueprint("tracking", __name__)

Answer = Response | tuple[Response, int]
CLEARED = '"cache"'
"""What the browser forgets when somebody leaves the page; its cookies are the language and the draft, which stay."""


@blueprint.route("/track", methods=["GET", "POST"])
@public("complainants have no account; the two codes open their case")
@keeps_typed_text
@takes_files
@answers_too_large(lambda beginning: _too_large(beginning))
def track() -> Answer:
    """Ask for the codes, show the case they open, and take the complainant's acts on it."""
    if request.method != "POST":
        return _ask(CodesForm())
    for field, answer in (("leave", _leave), ("view", _act), ("asked", _code), ("lost_number", _lost)):
        if field in request.form:
            return answer()
    return _open()


# --- the ways in ------------------------------------------------------------------------------------------------------


def _open() -> Answer:
    form = CodesForm(request.form)
    if form_is_stale():
        form.form_errors.append(words.stale())
        return _ask(form), 400
    knock = tracking.knock(form.tracking_number.data or "", form.secret.data or "", _source())
    if knock.wait_seconds:
        form.form_errors.append(words.wait_text(knock.wait_seconds))
        return _wait(_ask(form), knock.wait_seconds)
    if knock.tracking_number is None:
        form.form_errors.append(
            gettext("These two codes do not belong together. Check each letter and figure on your receipt.")
        )
        return _ask(form), 422
    return _enter(knock)


def _lost() -> Answer:
    """A code is asked for. The same page follows whether one is sent or not."""
    form = LostForm(request.form)
    if form_is_stale():
        form.form_errors.append(words.stale())
        return _ask(CodesForm(), form), 400
    asked = codes.ask(form.lost_number.data or "", form.phone.data or "", request.form.get("request", ""), _source())
    if asked.wait_seconds:
        form.form_errors.append(words.wait_text(asked.wait_seconds))
        return _wait(_ask(CodesForm(), form), asked.wait_seconds)
    return _ask_code(CodeForm(), asked.request)


def _code() -> Answer:
    """The code is here, or another one is asked for."""
    form, asked = CodeForm(request.form), request.form["asked"]
    if form_is_stale():
        form.form_errors.append(words.stale())
        return _ask_code(form, asked), 400
    if "again" in request.form:
        anew = codes.again(asked, _source())
        if anew.wait_seconds:
            form.form_errors.append(words.wait_text(anew.wait_seconds))
            return _wait(_ask_code(form, asked), anew.wait_seconds)
        return _ask_code(CodeForm(), anew.request)
    knock = codes.enter(asked, form.otp.data or "", _source())
    if knock.wait_seconds:
        form.form_errors.append(words.wait_text(knock.wait_seconds))
        return _wait(_ask_code(form, asked), knock.wait_seconds)
    if knock.tracking_number is None:
        form.otp.errors = [gettext("This code does not open it. Check the SMS, or ask for a new code below.")]
        return _ask_code(form, asked), 422
    return _enter(knock)


def _enter(knock: tracking.Knock) -> Answer:
    assert knock.tracking_number is not None
    visit = visits.begin(request.form.get("opening", ""), knock.now, tracking.VIEW_LIFETIME)
    if visit is None:
        return _left()
    informing.note_reading(knock.tracking_number)  # whoever sees the page knows of the decision, or of the question
    return _show(status_of(db.session(), knock.tracking_number, knock.now), ActsForm(request.form), visit)


def _left() -> Answer:
    """Somebody has left the page before: nothing of it is shown, not even what was written there."""
    form = CodesForm()
    form.form_errors.append(gettext("This page was left. To see the complaint again, type the codes again."))
    return _ask(form, is_kept=False), 400


def _leave() -> Answer:
    """Somebody has read enough: nothing opens this page again, and the browser forgets what it has of it."""
    view = tracking.read_view(request.form.get("view", ""), clock.now(db.session()))
    if view is not None:
        visits.end(view.visit)
    response = redirect("/", 303)
    response.headers["Clear-Site-Data"] = CLEARED
    return response


# --- acts ----------------------------------------------------------------------------------------------------------------


def _act() -> Answer:
    session = db.session()
    now = clock.now(session)
    view = tracking.read_view(request.form["view"], now)
    if view is not None and visits.is_over(session, view.visit):
        return _left()
    form = ActsForm(request.form)
    if view is None or not view.is_fresh:
        codes_form = CodesForm()
        codes_form.form_errors.append(
            gettext(
                "For your safety this page closes after half an hour. Type your codes again; what you wrote is kept."
            )
        )
        return _ask(codes_form), 400
    number = view.tracking_number

    def show(form: ActsForm, done: str = "") -> Response:
        return _show(status_of(db.session(), number, now), form, view.visit, done)

    if form_is_stale():
        form.form_errors.append(words.stale())
        return show(form), 400
    action = request.form.get("action", "")
    if action not in FIELD_OF:
        return show(form), 422
    if track_file_posts.are_in(action):
        return track_file_posts.take(action, number, _small("version"), form, show)
    if action == "withdraw" and not form.confirm.data:
        form.confirm.errors = [gettext("Tick the box to confirm that you withdraw the complaint")]
        return show(form), 422
    text = str(getattr(form, FIELD_OF[action]).data or "") if FIELD_OF[action] else ""
    try:
        _do(action, number, text)
    except InvalidInput as error:
        for name, code in error.fields.items():
            field = form.stars if name == "stars" else getattr(form, FIELD_OF[action])
            field.errors = [words.fault(code, len(text), ratings.LONGEST_COMMENT if action == "rate" else LONGEST_TEXT)]
        return show(form), 422
    except IllegalAction:
        form.form_errors.append(
            gettext("This is not possible any more: the complaint has gone on. See below how it stands.")
        )
        return show(form), 409
    return show(ActsForm(), action)


def _too_large(beginning: Beginning) -> Answer | None:
    """More than can be read came with the words; the words are kept, and nothing was done."""
    session, typed = db.session(), beginning.fields
    now = clock.now(session)
    view = tracking.read_view(typed.get("view", ""), now)
    if view is None or not view.is_fresh or visits.is_over(session, view.visit):
        return None
    if not is_own_form(typed.get(FORM_FIELD, "")):
        return None
    form = ActsForm(MultiDict(typed))
    track_file_posts.say_too_large(form, typed.get("action", ""), beginning.file_name)
    return _show(status_of(session, view.tracking_number, now), form, view.visit), 413


def _do(action: str, number: str, text: str) -> None:
    """Act on the version that was on the screen, so that a second press of the button changes nothing. Where somebody
    else acted in between, the complainant's words are taken all the same."""
    version = _small("version")
    try:
        _perform(action, number, text, version)
    except (Conflict, IllegalAction):
        if action not in ("escalate", "rate") and was_said(db.session(), number, text):
            return
        if action == "withdraw" and _is_withdrawn(number):
            return
        try:
            _perform(action, number, text, None)
        except IllegalAction as error:
            if action != "escalate" or error.code != "asked-before":
                raise


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
    elif action == "escalate":
        escalating.escalate_case(who, number, _small("level"), version=version)
    elif action == "rate":
        ratings.rate_case(who, number, _small("stars"), text, version=version)
    else:
        service.withdraw_case(who, number, text, version=version)


def _small(field: str) -> int | None:
    """A number that the page wrote itself; None for anything else."""
    typed = request.form.get(field, "")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else None


def _is_withdrawn(number: str) -> bool:
    session = db.session()
    return status_of(session, number, clock.now(session)).status == "withdrawn"


# --- words and pages --------------------------------------------------------------------------------------------------


def _source() -> str:
    return request_source()


def _wait(response: Response, seconds: int) -> Answer:
    response.headers["Retry-After"] = str(seconds)
    return response, 429


def _marks() -> dict[str, str]:
    """What the forms that ask for codes carry: a mark of the visit, kept over a wrong try, and one of a request for a code."""
    return {"opening": visits.new_mark(), "code_request": codes.new_request()}


def _ask(form: CodesForm, lost: BaseForm | None = None, *, is_kept: bool = True) -> Response:
    """The page that asks for the codes. Words written on a status page that has closed are carried along."""
    names = [name for name in FIELD_OF.values() if name and is_kept]
    kept = {name: request.form[name] for name in names if request.form.get(name)}
    values = {"codes": form, "lost": lost or LostForm(), "form": lost or form, "kept": kept, **_marks()}
    return make_response(render_template("cases/track.html", **values))


def _ask_code(form: CodeForm, asked: str) -> Response:
    return make_response(render_template("cases/track_code.html", form=form, asked=asked, **_marks()))


def _show(status: PublicStatus, form: ActsForm, visit: str, done: str = "") -> Response:
    values: dict[str, Any] = {"status": status, "form": form, "done": done, "longest": LONGEST_TEXT}
    if status.rating is not None and form.stars.data is None:
        form.stars.data, form.comment.data = str(status.rating.stars), status.rating.comment
    view = tracking.view_token(status.tracking_number, clock.now(db.session()), visit)
    values |= track_file_posts.shown(status.tracking_number)
    longest_comment = ratings.LONGEST_COMMENT
    return make_response(
        render_template("cases/track_status.html", view=view, longest_comment=longest_comment, **values)
    )
