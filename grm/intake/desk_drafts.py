"""What officers at a desk have put aside: drafts found by their officer, sealed like all others, forgotten after 72 hours.

They lie in the table of the public form's drafts, so that the filing itself removes them. The form's token is sealed with
what was typed: whoever goes on with a draft files it under the same token, and so never twice.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grm.intake import drafts
from grm.intake.draft_file_rows import forget_names
from grm.intake.models import Draft
from grm.intake.screening import is_ticked, without_identity
from grm.intake.service import draft_hash, find_filed
from grm.kernel import context
from grm.kernel.crypto import CannotOpen

LISTED = 10
GIVEN = frozenset({"medium", "district", "received_on", "language", "about"})
"""What the page fills in by itself: a form that holds nothing else has not been begun."""


@dataclass(frozen=True, slots=True)
class PutAside:
    """A form begun and not filed."""

    id: int
    updated_at: datetime
    token: str = field(repr=False)
    fields: Mapping[str, str] = field(repr=False)


def keep(
    session: Session, officer_id: int, token: str, filling: Mapping[str, str], now: datetime, has_files: bool = False
) -> bool:
    """Keep what an officer has typed under a form's token for another 72 hours; the caller commits.

    False where there is nothing to keep: nothing typed and no files coming, too much of it, the form filed already, or begun
    by another.
    """
    fields = without_identity(filling)
    if not has_files and not any(value.strip() for name, value in fields.items() if name not in GIVEN):
        return False
    plain = json.dumps({"fields": fields, "reached": 1, "token": token})
    if len(plain) > drafts.LONGEST:
        return False
    digest = draft_hash(token)
    values = {
        "sealed": context.keyring().seal(plain, drafts.context_of(digest)),
        "updated_at": now,
        "expires_at": now + drafts.LIFETIME,
    }
    kept = session.execute(
        insert(Draft)
        .values(token_hash=digest, officer_id=officer_id, **values)
        .on_conflict_do_update(index_elements=["token_hash"], set_=values, where=Draft.officer_id == officer_id)
        .returning(Draft.id)
    ).scalar_one_or_none()
    if kept is None:
        return False
    if find_filed(session, token) is not None:  # asked last: the officer may file it while the page keeps it by itself
        session.execute(delete(Draft).where(Draft.id == kept))
        return False
    if is_ticked(filling.get("anonymous")):
        forget_names(session, digest)
    return True


def put_aside(session: Session, officer_id: int, now: datetime) -> tuple[int, list[PutAside]]:
    """How many forms an officer has begun and not filed, and the latest `LISTED` of them."""
    rows = session.execute(
        _of(officer_id, now, func.count().over().label("how_many")).order_by(Draft.updated_at.desc()).limit(LISTED)
    ).all()
    opened = [_opened(row) for row in rows]
    return rows[0].how_many if rows else 0, [each for each in opened if each is not None]


def find(session: Session, officer_id: int, draft_id: int, now: datetime) -> PutAside | None:
    """One of them by its number; None where it is gone, or another's."""
    row = session.execute(_of(officer_id, now).where(Draft.id == draft_id)).one_or_none()
    return _opened(row) if row is not None else None


def discard(session: Session, officer_id: int, draft_id: int) -> bool:
    """Throw one away; the caller commits. False where it is gone, or another's."""
    gone = session.execute(
        delete(Draft).where(Draft.id == draft_id, Draft.officer_id == officer_id).returning(Draft.id)
    )
    return gone.scalar_one_or_none() is not None


def _of(officer_id: int, now: datetime, *more: Any) -> Any:
    columns = (Draft.id, Draft.token_hash, Draft.sealed, Draft.updated_at, *more)
    return select(*columns).where(Draft.officer_id == officer_id, Draft.expires_at > now)


def _opened(row: Any) -> PutAside | None:
    try:
        plain = json.loads(context.keyring().open(row.sealed, drafts.context_of(bytes(row.token_hash))))
    except CannotOpen:
        return None  # its key was retired; within 72 hours that is the operator's own doing
    return PutAside(row.id, row.updated_at, plain["token"], plain["fields"])
