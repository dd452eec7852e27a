"""Default deny: every route says who may use it, or it does not exist.

A view is `@public("why")`, `@signed_in`, or `@requires(role, …)`; a view without any of these answers 404, and a test
fails the build. Forbidden looks like missing (404), so that nobody can learn what exists.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask, abort, current_app, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from grm.kernel.actor import Actor

View = TypeVar("View", bound=Callable[..., Any])
RULE = "_grm_access"
OWN_PASSWORD = "/password"
"""Where who has been given a password chooses another; until then every other page for officers leads there."""


def public(reason: str) -> Callable[[View], View]:
    """Open a view to everybody; the reason is kept for the reader and the access test."""
    return _mark(("public", reason))


def signed_in(view: View) -> View:
    """Open a view to every officer who is signed in."""
    return _mark(("signed_in",))(view)


def requires(*roles: str) -> Callable[[View], View]:
    """Open a view to officers posted in one of the roles today; the role `admin` means administrators."""
    return _mark(("roles", *roles))


def keeps_typed_text(view: View) -> View:
    """Mark a form view that shows the filled form again when its token is stale, instead of an error page.

    Such a view must ask its form's ``is_submitted_safely`` (see `grm/web/forms.py`) before doing anything.
    """
    view._grm_keeps_text = True  # type: ignore[attr-defined]
    return view


def rule_of(endpoint: str | None) -> tuple[str, ...] | None:
    """Return the access rule of an endpoint, None where it has none."""
    view = current_app.view_functions.get(endpoint or "")
    return cast(tuple[str, ...] | None, getattr(view, RULE, None))


def actor() -> Actor:
    """Return the signed-in officer as an actor; 404 where nobody is signed in."""
    if not current_user.is_authenticated:
        abort(404)
    return cast(Actor, current_user.actor)


def may_use(rule: tuple[str, ...], who: Actor) -> bool:
    """Tell whether an officer satisfies an access rule."""
    if rule[0] == "roles":
        return (who.is_admin and "admin" in rule[1:]) or who.has_role(*rule[1:])
    return True


def init_app(app: Flask) -> None:
    """Check every request against the rule of its view."""
    app.before_request(_check)


def _mark(rule: tuple[str, ...]) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, RULE, rule)
        return view

    return mark


def _check() -> Response | None:
    if request.endpoint is None or request.endpoint == "static":
        return None
    rule = rule_of(request.endpoint)
    if rule is None:
        abort(404)
    if rule[0] == "public":
        return None
    if not current_user.is_authenticated:
        if request.method not in ("GET", "HEAD") and not getattr(
            current_app.view_functions[request.endpoint], "_grm_keeps_text", False
        ):
            return redirect(url_for("accounts.login"), 303)
        if request.method == "POST":
            return cast(Response, current_app.extensions["grm.sign_in_and_resume"]())
        return redirect(url_for("accounts.login", next=request.full_path.rstrip("?")), 303)
    if getattr(current_user, "must_set_password", False) and request.path != OWN_PASSWORD:
        return redirect(OWN_PASSWORD, 303)
    if not may_use(rule, current_user.actor):
        abort(404)
    return None
