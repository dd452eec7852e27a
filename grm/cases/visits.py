"""When a reading of the status page is over. Phones are shared: who presses Back after somebody has left must find nothing.

The form that asks for the codes carries a random mark (`opening`). The page it opens, and every page that follows, belongs to
that visit. A browser that sends the same form again, by Back or by reloading, opens it again only while the visit lasts:
half an hour, and not after "Leave this page". The database knows a keyed hash of the mark and two instants, for a day.
"""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grm.cases.tracking_models import TrackVisit
from grm.kernel.transaction import transaction
from grm.web.security import keyed_hash

KEPT = timedelta(hours=25)
"""Longer than the token of a public form lives: an older form is refused for its age."""
LONGEST_MARK = 64


def new_mark() -> str:
    """A mark for a form that asks for codes."""
    return secrets.token_urlsafe(12)


def begin(mark: str, now: datetime, lifetime: timedelta) -> str | None:
    """Begin the visit of a mark, or go on with it: its key. None: it is over. A form without a mark has a visit of no name."""
    if not mark:
        return ""
    key = keyed_hash("track-visit", mark[:LONGEST_MARK])
    statement = insert(TrackVisit).values(key=key, opened_at=now, ended_at=None, expires_at=now + KEPT)
    with transaction(now) as act:
        row = act.session.execute(
            statement.on_conflict_do_update(index_elements=["key"], set_={"key": key}).returning(
                TrackVisit.opened_at, TrackVisit.ended_at
            )
        ).one()
    return key if row.ended_at is None and now - row.opened_at <= lifetime else None


def is_over(session: Session, key: str) -> bool:
    """Whether somebody has left the page of this visit."""
    if not key:
        return False
    return session.execute(select(TrackVisit.ended_at).where(TrackVisit.key == key)).scalar_one_or_none() is not None


def end(key: str) -> None:
    """Somebody leaves the page; a second time changes nothing."""
    if key:
        with transaction() as act:
            left = update(TrackVisit).where(TrackVisit.key == key, TrackVisit.ended_at.is_(None))
            act.session.execute(left.values(ended_at=act.now))
