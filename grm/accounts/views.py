"""Sign-in and sign-out, and signing in again in the middle of a long note without losing a word of it."""

from urllib.parse import urlsplit

from flask import Blueprint, current_app, redirect, render_template, request, session
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from grm.accounts import service
from grm.accounts.forms import LoginForm, OwnPasswordForm
from grm.accounts.sessions import ServerSession
from grm.kernel.context import settings
from grm.kernel.errors import InvalidInput, TooMany
from grm.web.guard import OWN_PASSWORD, keeps_typed_text, public, signed_in
from grm.web.locale import gettext, ngettext
from grm.web.nav import home
from grm.web.security import FORM_FIELD, form_is_stale
from grm.web.sources import request_source

blueprint = Blueprint("accounts", __name__)
RESUME_PATH = "resume_path"
NOT_RESUMED = {FORM_FIELD, "username", "password", "otp", "present", "new", "again", "next", RESUME_PATH}
DEMO_ACCOUNTS = (
    "cabinet",
    "gro.social-welfare",
    "officer.social-welfare",
    "appeal.social-welfare",
    "desk.dhaka",
    "admin",
)


@blueprint.route("/login", methods=["GET", "POST"])
@public("officers sign in here")
@keeps_typed_text
def login() -> tuple[str, int] | Response:
    """Sign in; a post that was interrupted by an ended session is then shown again, ready to send."""
    if request.method != "POST" and current_user.is_authenticated:
        return redirect(_safe_target(request.args.get("next"), home(current_user.actor)), 303)
    form = LoginForm(request.form)
    if request.method == "POST" and not form_is_stale() and form.is_filled():
        try:
            officer = service.sign_in(str(form.username.data), str(form.password.data), request_source())
        except InvalidInput:
            form.password.errors = [gettext("The user name or the password is not right")]
        except TooMany as error:
            minutes = max(1, -(-error.retry_after_seconds // 60))
            form.password.errors = [
                ngettext(
                    "Too many attempts. Wait %(num)s minute, then try again.",
                    "Too many attempts. Wait %(num)s minutes, then try again.",
                    minutes,
                )
            ]
            return _page(form), 429
        else:
            return _enter(str(officer.id))
    elif request.method == "POST" and form_is_stale():
        form.form_errors.append(
            gettext("This page was open for too long. Nothing is lost: check it and press the button again.")
        )
    return _page(form), form.status_code


@blueprint.post("/logout")
@public("ending a session must work whatever its state")
@keeps_typed_text
def logout() -> Response:
    """Sign out: the session row is removed and the browser told to forget what it kept."""
    if not form_is_stale():
        logout_user()
        session.clear()
    response = redirect("/", 303)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@blueprint.route(OWN_PASSWORD, methods=["GET", "POST"])
@signed_in
@keeps_typed_text
def own_password() -> tuple[str, int] | Response:
    """Choose another password; whoever was given one comes here first."""
    form = OwnPasswordForm(request.form)
    officer = current_user.officer
    if request.method == "POST" and not form_is_stale() and form.is_filled():
        officer_id = int(officer.id)
        try:
            service.set_own_password(officer_id, str(form.present.data), str(form.new.data))
        except InvalidInput as error:
            form.show_faults(error.fields)
        except TooMany as error:
            return _own_password_page(form, error.retry_after_seconds), 429
        else:
            return _enter(str(officer_id))
    elif request.method == "POST" and form_is_stale():
        form.form_errors.append(gettext("This page was open for too long. Check it and press the button again."))
    return _own_password_page(form), form.status_code


def _own_password_page(form: OwnPasswordForm, wait_seconds: int = 0) -> str:
    if wait_seconds:
        form.form_errors.append(gettext("Too many wrong passwords. Wait a while, then try again."))
    return render_template("accounts/password.html", form=form, is_given=current_user.officer.must_set_password)


def sign_in_and_resume() -> Response:
    """Show the sign-in page for a post that came without a session, with everything typed kept in hidden fields."""
    body = _page(LoginForm(), resume_path=request.path)
    return current_app.make_response((body, 401))


def _enter(officer_id: str) -> tuple[str, int] | Response:
    assert isinstance(session, ServerSession) or hasattr(session, "renew")
    typed = [(key, value) for key, value in request.form.items(multi=True) if key not in NOT_RESUMED]
    resume_path = request.form.get(RESUME_PATH, "")
    user = current_app.login_manager._user_callback(officer_id)  # type: ignore[attr-defined]
    session.clear()
    session.renew()
    login_user(user)
    if resume_path and typed:
        return render_template("accounts/resume.html", path=_safe_target(resume_path), typed=typed), 200
    return redirect(_safe_target(request.form.get("next") or request.args.get("next"), home(user.actor)), 303)


def _page(form: LoginForm, resume_path: str = "") -> str:
    hidden = []
    if request.method == "POST":
        resume_path = resume_path or request.form.get(RESUME_PATH, "")
        hidden = [(key, value) for key, value in request.form.items(multi=True) if key not in NOT_RESUMED]
    return render_template(
        "accounts/login.html",
        form=form,
        demo_accounts=() if settings().is_production else DEMO_ACCOUNTS,
        resume_path=_safe_target(resume_path) if resume_path else "",
        hidden=hidden if resume_path else [],
    )


def _safe_target(target: str | None, otherwise: str = "/") -> str:
    """Only a path of this site; anything else (another host, a scheme, a back-slash trick) leads home."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target:
        return otherwise
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else otherwise
