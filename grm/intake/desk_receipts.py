"""Printing a desk's receipt again: for half an hour with the secret, afterwards without it.

The database knows no secret; it follows from the form's token (ADR 0004). The officer's own session keeps that token, sealed,
for as long as a receipt may be printed whole, so that a printer without paper costs nobody the way to the complaint.
"""

import base64
from collections.abc import MutableMapping
from datetime import datetime, timedelta
from typing import Any

from grm.intake.service import secret_of
from grm.kernel import context
from grm.kernel.crypto import CannotOpen

KEY = "desk_receipts"
SHOWS_SECRET = timedelta(minutes=30)
"""As long as the public receipt does: long enough for a printer, too short for the next person at the desk."""
MOST = 40
"""More than anybody files in half an hour."""


def remember(session: MutableMapping[str, Any], number: str, token: str) -> None:
    """Keep the token of a form just filed in the officer's session; the oldest ones go."""
    kept = dict(session.get(KEY, {}))
    kept.pop(number, None)
    sealed = context.keyring().seal(token, _context(number))
    kept[number] = base64.b64encode(sealed).decode()
    session[KEY] = dict(list(kept.items())[-MOST:])


def was_filed_here(session: MutableMapping[str, Any], number: str) -> bool:
    """Whether this session has filed the case: then its receipt opens, also where the case itself is sensitive."""
    return number in session.get(KEY, {})


def secret(session: MutableMapping[str, Any], number: str, filed_at: datetime, now: datetime) -> str | None:
    """The secret of a case that this session has filed within half an hour; None otherwise."""
    if now - filed_at > SHOWS_SECRET or number not in session.get(KEY, {}):
        return None
    try:
        return secret_of(context.keyring().open(base64.b64decode(session[KEY][number]), _context(number)))
    except CannotOpen:
        return None


def _context(number: str) -> str:
    return f"desk-receipt:{number}"
