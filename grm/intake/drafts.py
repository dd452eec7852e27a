"""The half-filled form: kept sealed for 72 hours under the hash of a token that only the browser holds.

One statement (`look`) reads everything a post of the form begins with: the clock, the draft, and whether this very form
was filed already.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grm.intake.models import Draft
from grm.intake.screening import without_identity
from grm.intake.service import Filed, draft_hash, secret_of, submission_key
from grm.kernel import clock, context
from grm.kernel.crypto import CannotOpen

LIFETIME = timedelta(hours=72)
LONGEST = 400_000
"""Characters of a draft; more is shown again but not stored: a form has at most some 25,000."""

_TOKEN = re.compile("[A-Za-z0-9_-]{22}")
_LOOK = text(
    f"SELECT {clock.SQL_NOW} AS now, d.sealed, d.updated_at, d.expires_at, d.file_count, c.tracking_number, c.office_id, "  # noqa: S608 - a constant
    "c.due_on, c.filed_at, c.category_id, c.is_anonymous "
    "FROM (SELECT 1) AS one LEFT JOIN draft AS d ON d.token_hash = :draft "
    "LEFT JOIN submission AS s ON s.key = :key LEFT JOIN cases AS c ON c.submission_id = s.id"
)


@dataclass(frozen=True, slots=True)
class Content:
    """What was typed so far, field by field, and the furthest page reached (1 to 4)."""

    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    reached: int = 1


@dataclass(frozen=True, slots=True)
class Look:
    """The state of one form: `now` by the database's clock, the draft if there is one, the receipt if it was filed."""

    now: datetime
    content: Content | None
    updated_at: datetime | None
    filed: Filed | None
    has_files: bool = False


def is_token(value: str | None) -> bool:
    """Whether this can be the token of a form."""
    return value is not None and _TOKEN.fullmatch(value) is not None


def look(session: Session, token: str) -> Look:
    """Read the clock, the draft and the filing of a token (one statement). An expired or unreadable draft is none."""
    row = session.execute(_LOOK, {"draft": draft_hash(token), "key": submission_key(token)}).one()
    is_alive = row.sealed is not None and row.expires_at > row.now
    content = _open(row.sealed, token) if is_alive else None
    filed = None
    if row.tracking_number is not None:
        filed = Filed(
            tracking_number=row.tracking_number,
            secret=secret_of(token),
            office_id=row.office_id,
            due_on=row.due_on,
            filed_at=row.filed_at,
            category_id=row.category_id,
            is_anonymous=row.is_anonymous,
            is_new=False,
        )
    return Look(row.now, content, row.updated_at if content else None, filed, bool(row.file_count))


def save(session: Session, token: str, content: Content, now: datetime) -> None:
    """Keep the draft for another 72 hours (one upsert); the caller commits. An anonymous one is kept without identity."""
    plain = json.dumps({"fields": without_identity(content.fields), "reached": content.reached})
    if len(plain) > LONGEST:
        return
    digest = draft_hash(token)
    values = {
        "sealed": context.keyring().seal(plain, context_of(digest)),
        "updated_at": now,
        "expires_at": now + LIFETIME,
    }
    statement = insert(Draft).values(token_hash=digest, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["token_hash"], set_=values))


def begin(session: Session, token: str, now: datetime) -> None:
    """Let there be a draft, empty where nothing could be kept: files hang on its row; the caller commits."""
    digest = draft_hash(token)
    sealed = context.keyring().seal(json.dumps({"fields": {}, "reached": 1}), context_of(digest))
    values = {"token_hash": digest, "sealed": sealed, "updated_at": now, "expires_at": now + LIFETIME}
    session.execute(insert(Draft).values(**values).on_conflict_do_nothing(index_elements=["token_hash"]))


def discard(session: Session, token: str) -> None:
    """Forget the draft; the caller commits."""
    session.execute(delete(Draft).where(Draft.token_hash == draft_hash(token)))


def _open(sealed: bytes, token: str) -> Content | None:
    try:
        plain = json.loads(context.keyring().open(sealed, context_of(draft_hash(token))))
    except CannotOpen:
        return None  # its key was retired; within 72 hours that is the operator's own doing
    return Content(plain["fields"], plain["reached"])


def context_of(digest: bytes) -> str:
    """What ties the sealed content to its row."""
    return f"draft:{digest.hex()}"
