"""The only place that turns errors into answers: plain words, an incident number, never a trace."""

from typing import Any

import structlog
from flask import Flask, g, render_template, request
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge, SecurityError
from werkzeug.wrappers import Response

from grm.kernel.context import settings
from grm.kernel.db import db
from grm.kernel.errors import (
    Conflict,
    Forbidden,
    GrmError,
    IllegalAction,
    InvalidInput,
    NotFound,
    TooMany,
    Unavailable,
)
from grm.web import uploads

log = structlog.get_logger("grm.web")
HIDDEN_FIELDS = {"csrf_token", "password", "present", "new", "again", "otp", "secret", "draft"}
STATUS: tuple[tuple[type[GrmError], int], ...] = (
    (NotFound, 404),
    (Forbidden, 404),
    (Conflict, 409),
    (IllegalAction, 409),
    (InvalidInput, 422),
    (TooMany, 429),
    (Unavailable, 503),
)


def init_app(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(GrmError, _grm_error)
    app.register_error_handler(DBAPIError, _database_error)
    app.register_error_handler(PoolTimeout, _database_error)
    app.register_error_handler(Exception, _unknown_error)


def typed_text() -> dict[str, str]:
    """Return what was typed into the form of this request, for showing it again when it could not be handled."""
    if request.method != "POST":
        return {}
    try:
        return {key: value for key, value in request.form.items() if key not in HIDDEN_FIELDS and value.strip()}
    except RequestEntityTooLarge:
        fields = uploads.typed_before_files()
        return {key: value for key, value in fields.items() if key not in HIDDEN_FIELDS and value.strip()}
    except HTTPException:
        return {}  # the body itself is what could not be taken


def page(status: int, **values: Any) -> tuple[str, int, dict[str, str]]:
    """Render the page of a status; it must work with the database away."""
    template = f"errors/{status}.html" if status in (400, 404, 405, 409, 413, 422, 429, 500, 503) else "errors/400.html"
    headers = {"Retry-After": str(values.get("retry_after_seconds", 10))} if status in (429, 503) else {}
    body = render_template(template, request_id=g.get("request_id", ""), status=status, **values)
    return body, status, headers


def _http_error(error: HTTPException) -> Any:
    if error.code is None or error.code < 400:
        return error
    if isinstance(error, SecurityError):
        # The Host header names none of ours: no address can be built, so no page either.
        return Response(
            "This server does not answer to that name.\n", error.code, content_type="text/plain; charset=utf-8"
        )
    if error.code == 413 and (shown := uploads.answer_too_large()) is not None:
        return shown
    typed = typed_text() if error.code in (400, 413) else {}
    limits = {"file_megabytes": settings().attachment_megabytes} if error.code == 413 else {}
    body, status, headers = page(error.code, typed=typed, **limits)
    if error.code == 405 and getattr(error, "valid_methods", None):
        headers["Allow"] = ", ".join(error.valid_methods)  # type: ignore[attr-defined]
    return body, status, headers


def _grm_error(error: GrmError) -> Any:
    for kind, status in STATUS:
        if isinstance(error, kind):
            return page(status, error=error, typed=typed_text() if status != 404 else {}, **error.params)
    return _unknown_error(error)


def _database_error(error: Exception) -> Any:
    if isinstance(error, DataError):
        # A value the database cannot hold (a NUL byte, a number out of range) and that no form has caught.
        db.session.rollback()
        log.warning("value refused by the database", error=type(error.orig).__name__)
        return page(400, typed=typed_text())
    if isinstance(error, DBAPIError) and not _is_away(error):
        return _unknown_error(error)
    db.session.rollback()
    log.error("database unavailable", error=type(error).__name__)
    return page(503, typed=typed_text())


def _is_away(error: DBAPIError) -> bool:
    """The database is away, restarting, full, or too slow: worth another try later."""
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))
    return state[:2] in ("08", "53", "57", "58") or state in ("55P03", "40001", "40P01", "25006")


def _unknown_error(error: Exception) -> Any:
    try:
        db.session.rollback()
    except Exception:
        log.warning("rollback failed")
    log.error("unhandled error", exc_info=error)
    return page(500, typed=typed_text())
