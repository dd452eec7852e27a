"""Flask's `session` kept as rows in PostgreSQL: the cookie holds a random token, the table its hash.

Only officers have sessions: a page that writes nothing into the session sets no cookie and makes no row.
Idle limit 20 minutes, absolute limit 10 hours (OWASP ASVS 5.0, 7.3).
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from flask import Flask, Request, Response, g
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import delete, text, update
from werkzeug.datastructures import CallbackDict

from grm.accounts.models import StaffSession
from grm.kernel import clock
from grm.kernel.db import db
from grm.kernel.prepared import PREPARED

IDLE = timedelta(minutes=20)
ABSOLUTE = timedelta(hours=10)
TOUCH_AFTER = timedelta(minutes=1)


_OPEN = text(
    f"SELECT id, data, expires_at, last_seen_at, {clock.SQL_NOW} AS now FROM staff_session WHERE token_hash = :token_hash"  # noqa: S608
).execution_options(**PREPARED)


class ServerSession(CallbackDict[str, Any], SessionMixin):
    """A session's content with the token it came by; ``renew`` asks for a new token at the end of the request."""

    def __init__(self, initial: dict[str, Any] | None = None, token: str | None = None) -> None:
        def changed(mapping: CallbackDict[str, Any]) -> None:
            self.modified = True
            self.accessed = True

        super().__init__(initial or {}, changed)
        self.token = token
        self.modified = False
        self.must_renew = False

    def renew(self) -> None:
        """Take a new token (at sign-in and step-up), so that one set before is worth nothing (session fixation)."""
        self.must_renew = True
        self.modified = True


def token_hash(token: str) -> bytes:
    """Return what the table keeps of a session token; the token has 256 random bits, so a plain hash suffices."""
    return hashlib.sha256(token.encode()).digest()


class DatabaseSessions(SessionInterface):
    """Opens and saves sessions in the table ``staff_session``."""

    def cookie_name(self, app: Flask) -> str:
        """`__Host-` ties the cookie to this host and to TLS; without TLS (development) browsers would refuse it."""
        return "__Host-grm" if app.config["SESSION_COOKIE_SECURE"] else "grm_session"

    def open_session(self, app: Flask, request: Request) -> ServerSession:
        """Read the session of the request's cookie; an unknown, idle or expired one gives an empty session.

        One statement, which reads the clock on its way; `opened_at` says when that was.
        """
        token = request.cookies.get(self.cookie_name(app))
        if not token or request.path.startswith("/static/"):
            return ServerSession()
        row = db.session.execute(_OPEN, {"token_hash": token_hash(token)}).one_or_none()
        if row is None or row.now >= row.expires_at or row.now - row.last_seen_at > IDLE:
            return ServerSession()
        if row.now - row.last_seen_at > TOUCH_AFTER:
            db.session.execute(update(StaffSession).where(StaffSession.id == row.id).values(last_seen_at=row.now))
            db.session.commit()
        g.opened_at = row.now
        return ServerSession(dict(row.data), token)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write a changed session, remove an emptied one."""
        assert isinstance(session, ServerSession)
        name = self.cookie_name(app)
        if not session.modified:
            return
        if not session:
            end_session(session.token)
            response.delete_cookie(name, secure=app.config["SESSION_COOKIE_SECURE"], httponly=True, samesite="Strict")
            return
        now = clock.now(db.session())
        expires_at = _write(session, now)
        if session.token:
            response.set_cookie(
                name,
                session.token,
                expires=expires_at,
                httponly=True,
                secure=app.config["SESSION_COOKIE_SECURE"],
                samesite="Strict",
                path="/",
            )


def opened_at() -> datetime:
    """The database's present when this request's session was read, so that nobody need ask for it again."""
    at = g.get("opened_at")
    return at if isinstance(at, datetime) else clock.now(db.session())


def _write(session: ServerSession, now: datetime) -> datetime:
    if session.token and session.must_renew:
        end_session(session.token)
        session.token = None
    officer = session.get("_user_id")
    values = {"data": dict(session), "officer_id": int(officer) if officer else None, "last_seen_at": now}
    expires_at = now + ABSOLUTE
    if session.token:
        db.session.execute(
            update(StaffSession).where(StaffSession.token_hash == token_hash(session.token)).values(**values)
        )
    else:
        session.token = secrets.token_urlsafe(32)
        db.session.add(
            StaffSession(token_hash=token_hash(session.token), created_at=now, expires_at=expires_at, **values)
        )
    db.session.commit()
    return expires_at


def end_session(token: str | None) -> None:
    """Remove one session."""
    if token:
        db.session.execute(delete(StaffSession).where(StaffSession.token_hash == token_hash(token)))
        db.session.commit()


def end_sessions_of(officer_id: int) -> None:
    """Remove all sessions of an officer, within the caller's transaction: at deactivation and change of password."""
    db.session.execute(delete(StaffSession).where(StaffSession.officer_id == officer_id))
