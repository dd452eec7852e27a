"""Forgetting what has had its time: drafts after 72 hours, with their files; sessions, throttles, one-time codes and visits after
their end."""

from datetime import datetime

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from grm.accounts.models import StaffSession
from grm.cases.attachment_models import DraftFile
from grm.cases.tracking_models import TrackCode, TrackVisit
from grm.intake import draft_files
from grm.intake.models import Draft
from grm.kernel.transaction import transaction
from grm.web.models import Throttle

BATCH = 1000
MOST_BATCHES = 50

_EXPIRES: tuple[
    tuple[type[Draft | StaffSession | Throttle | TrackCode | TrackVisit], InstrumentedAttribute[datetime]], ...
] = (
    (Draft, Draft.expires_at),
    (StaffSession, StaffSession.expires_at),
    (Throttle, Throttle.window_ends_at),
    (TrackCode, TrackCode.expires_at),
    (TrackVisit, TrackVisit.expires_at),
)


def tidy(now: datetime | None = None) -> dict[str, int]:
    """Remove expired rows in batches, each in its own transaction; returns how many of each table.

    A throttle that still blocks somebody is kept. Rows that another run is removing are skipped. What is left after
    `MOST_BATCHES` batches of a table, the next run takes.
    """
    removed: dict[str, int] = {}
    for model, expires_at in _EXPIRES:
        table = model.__table__
        assert isinstance(table, Table)
        for _ in range(MOST_BATCHES):
            with transaction(now) as act:
                count = _remove(act.session, table, expires_at, act.now)
            removed[table.name] = removed.get(table.name, 0) + count
            if count < BATCH:
                break
    removed[DraftFile.__tablename__] = _forget_files(now)
    return removed


def _forget_files(now: datetime | None) -> int:
    total = 0
    for _ in range(MOST_BATCHES):
        count = draft_files.forget(now)
        total += count
        if count < draft_files.BATCH:
            break
    return total


def _remove(session: Session, table: Table, expires_at: InstrumentedAttribute[datetime], now: datetime) -> int:
    key = next(iter(table.primary_key.columns))
    expired = select(key).where(expires_at <= now).limit(BATCH).with_for_update(skip_locked=True)
    if table.name == Throttle.__tablename__:
        expired = expired.where(Throttle.blocked_until.is_(None) | (Throttle.blocked_until <= now))
    gone = session.execute(delete(table).where(key.in_(expired)).returning(key))
    return len(gone.all())
