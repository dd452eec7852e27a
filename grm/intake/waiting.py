"""The calm page between pressing a button and being served, when very much comes from one place at once.

What was typed is kept, as a draft and in the page itself. The page holds the very post once more, with a ticket: signed, for this
form alone, good from the end of the wait for an hour. Whoever comes back with it goes on without being counted again. A script
counts the seconds down and presses the button; without scripts the person does, and too early sees what is left.
"""

import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Literal

from flask import make_response, render_template, request
from itsdangerous import BadData, URLSafeSerializer
from werkzeug.wrappers import Response

from grm.intake.service import draft_hash
from grm.kernel import context

Kind = Literal["post", "filing"]
"""What a ticket lets pass: a post of the form's pages, or the filing itself and the post that asks for it."""

FIELD = "ticket"
GOOD_FOR = timedelta(hours=1)
_NOT_SENT_AGAIN = frozenset({FIELD, "csrf_token", "draft"})


def ticket_for(kind: Kind, token: str, ready_at: datetime) -> str:
    """A ticket for the form with this token, good from an instant on."""
    return str(_serializer().dumps([kind, draft_hash(token).hex(), int(ready_at.timestamp())]))


def seconds_left(ticket: str, kind: Kind, token: str, now: datetime) -> int | None:
    """For how long the bearer of a ticket has to wait still, 0 when they may go on; None for one that is forged, for another
    form, too old, or for a post only where a complaint is to be filed. `now` is the database's clock."""
    try:
        given, form, ready = _serializer().loads(ticket)
        ready_at = datetime.fromtimestamp(int(ready), UTC)
    except (BadData, ValueError, TypeError, OverflowError, OSError):
        return None
    is_for_this = given in (kind, "filing") and hmac.compare_digest(str(form), draft_hash(token).hex())
    if not is_for_this or now > ready_at + GOOD_FOR:
        return None
    return max(0, int((ready_at - now).total_seconds() + 0.999))


def seconds_for(kind: Kind, token: str, now: datetime, count: Callable[[], int]) -> int:
    """For how many seconds the post under way must wait: what its ticket leaves, or else what counting it says."""
    ticket = request.form.get(FIELD, "")
    left = seconds_left(ticket, kind, token, now) if ticket else None
    return count() if left is None else left


def page(kind: Kind, token: str, seconds: int, now: datetime) -> Response:
    """The page that asks to wait: 429 with Retry-After, and the post under way in its form."""
    again = [(name, value) for name, value in request.form.items(multi=True) if name not in _NOT_SENT_AGAIN]
    body = render_template(
        "intake/waiting.html",
        draft=token,
        seconds=seconds,
        ticket=ticket_for(kind, token, now + timedelta(seconds=seconds)),
        again=again,
        action=request.full_path.rstrip("?"),
    )
    response = make_response(body, 429)
    response.headers["Retry-After"] = str(seconds)
    return response


def _serializer() -> URLSafeSerializer:
    settings = context.settings()
    return URLSafeSerializer([*settings.secret_key_fallbacks, settings.secret_key], salt="waiting-ticket")
