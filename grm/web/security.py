"""Headers on every answer, and the token that every form carries (OWASP ASVS 5.0, 3.4 and 3.5).

A staff form's token is bound to the session; a public form has no session, so its token is signed, lives 24 hours and is
joined by a check of where the post comes from (Origin, Sec-Fetch-Site).
"""

import hashlib
import hmac
import secrets
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, g, request, session
from flask_login import current_user
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

from grm.web import indexing

FORM_FIELD = "csrf_token"
PUBLIC_TOKEN_SECONDS = 24 * 3600
SESSION_KEY = "csrf"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""On every answer, also on one that is made outside the application (`grm/web/busy.py`)."""

FILE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""For a file that somebody handed in: whatever it is, it can do nothing here, not even if it is shown."""


def init_app(app: Flask) -> None:
    """Check the token of every changing request and set the headers of every answer."""
    app.before_request(_check_token)
    app.after_request(_set_headers)
    app.jinja_env.globals["csrf_token"] = csrf_token


def csrf_token() -> str:
    """Return the token for a form on this page."""
    if current_user.is_authenticated:
        if SESSION_KEY not in session:
            session[SESSION_KEY] = secrets.token_urlsafe(24)
        return str(session[SESSION_KEY])
    return str(_serializer().dumps(secrets.token_urlsafe(9)))


def form_is_stale() -> bool:
    """Tell whether the post under way carries no valid token (too old, foreign, or none)."""
    return bool(g.get("form_is_stale", False))


def keyed_hash(purpose: str, value: str) -> str:
    """Return a keyed hash of a value for throttles and logs; without the key it cannot be turned back by trying all values."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()[:32]


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.config["SECRET_KEY"]), salt="public-form")


def is_own_form(token: str) -> bool:
    """Whether a form that carries this token is one of ours, sent from one of our pages; for a body that could not be read."""
    return _is_same_origin() and _token_is_valid(token)


def _token_is_valid(token: str) -> bool:
    if current_user.is_authenticated:
        expected = str(session.get(SESSION_KEY, ""))
        return bool(expected) and hmac.compare_digest(expected.encode(), token.encode())
    try:
        _serializer().loads(token, max_age=PUBLIC_TOKEN_SECONDS)
    except BadData:
        return False
    return True


def _is_same_origin() -> bool:
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("Origin")
    # Browsers send "null" from pages with Referrer-Policy: no-referrer, as ours; Sec-Fetch-Site and the token decide then.
    return origin is None or origin == "null" or urlsplit(origin).netloc == request.host


def _check_token() -> None:
    if request.method in ("GET", "HEAD", "OPTIONS") or request.endpoint is None:
        return
    view = current_app.view_functions.get(request.endpoint)
    if getattr(view, "_grm_machine_endpoint", False):
        return  # a gateway's call-back authenticates itself
    if _is_same_origin() and _token_is_valid(request.form.get(FORM_FIELD, "")):
        return
    g.form_is_stale = True
    if not getattr(view, "_grm_keeps_text", False):
        abort(400)


def machine_endpoint(view: Any) -> Any:
    """Mark a view that other machines call and that authenticates the caller itself."""
    view._grm_machine_endpoint = True
    return view


def _set_headers(response: Response) -> Response:
    headers = response.headers
    for name, value in HEADERS.items():
        if name != "Content-Security-Policy" or name not in headers:
            headers[name] = value
    if request.endpoint == "static":
        headers["Cache-Control"] = "public, max-age=31536000, immutable"
    else:
        indexing.set_headers(response)
    if request.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response
