"""Counters against guessing and flooding, in PostgreSQL: a restart or a flushed Redis forgets nothing.

Keys are made with `grm.web.security.keyed_hash`, so the table never holds an address, a name or a number. Every change is
one atomic upsert: fifty parallel guesses count as fifty. Rows past their window are removed by `intake.tidy`.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import and_, case, delete, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grm.web.models import Throttle

FREE_FAILURES = 5
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)
FORGET_AFTER = timedelta(hours=24)


def count(session: Session, key: str, now: datetime, window: timedelta, by: int = 1) -> int:
    """Count one more happening, or ``by`` at once; return how many there were in the running window, these included."""
    statement = insert(Throttle).values(key=key, count=by, window_ends_at=now + window, blocked_until=None)
    is_over = Throttle.window_ends_at <= now
    return session.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": case((is_over, by), else_=Throttle.count + by),
                "window_ends_at": case((is_over, now + window), else_=Throttle.window_ends_at),
            },
        ).returning(Throttle.count)
    ).scalar_one()


_COUNT_MANY = text(
    """
    INSERT INTO throttle AS t (key, count, window_ends_at)
    SELECT key, count, :ends_at FROM unnest(CAST(:keys AS text[]), CAST(:counts AS int[])) AS given (key, count)
    ORDER BY key
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN t.window_ends_at <= :now THEN excluded.count ELSE t.count + excluded.count END,
        window_ends_at = CASE WHEN t.window_ends_at <= :now THEN excluded.window_ends_at ELSE t.window_ends_at END
    RETURNING key, count
    """
)


def count_many(session: Session, by: Mapping[str, int], now: datetime, window: timedelta) -> Counter[str]:
    """Count happenings of many keys in one statement, in the keys' order, so that two at once wait for each other and no more;
    returns how many there were of each in its running window, these included."""
    given = {"keys": list(by), "counts": list(by.values()), "now": now, "ends_at": now + window}
    return Counter({str(row[0]): int(row[1]) for row in session.execute(_COUNT_MANY, given)})


def record_failure(session: Session, key: str, now: datetime) -> int:
    """Count a failed attempt; from the fifth on each one doubles the wait, from 30 seconds to an hour (NIST SP 800-63B).

    Returns the failures so far. Asking for a new code or page does not reset them, only success (``forget``) or a day.
    """
    failures = count(session, key, now, FORGET_AFTER)
    if failures >= FREE_FAILURES:
        doublings = min(failures - FREE_FAILURES, 10)
        wait = min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)
        session.execute(
            insert(Throttle)
            .values(key=key, count=failures, window_ends_at=now + FORGET_AFTER, blocked_until=now + wait)
            .on_conflict_do_update(
                index_elements=["key"],
                set_={"blocked_until": func.greatest(Throttle.blocked_until, now + wait)},
            )
        )
    return failures


def take_turn(session: Session, key: str, now: datetime, gap: timedelta, most: int, window: timedelta) -> int:
    """Take one of `most` turns in a window, at least `gap` apart; returns 0 if it is taken, else for how many seconds to wait.

    One atomic statement, and a turn that is not taken changes nothing: whoever asks too often neither pushes their own next turn
    away nor anybody else's. For what costs money or bothers somebody: a one-time code to a phone.
    """
    is_over = Throttle.window_ends_at <= now
    statement = insert(Throttle).values(key=key, count=1, window_ends_at=now + window, blocked_until=now + gap)
    taken = session.execute(
        statement.on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": case((is_over, 1), else_=Throttle.count + 1),
                "window_ends_at": case((is_over, now + window), else_=Throttle.window_ends_at),
                "blocked_until": now + gap,
            },
            where=and_(
                or_(is_over, Throttle.count < most),
                or_(Throttle.blocked_until.is_(None), Throttle.blocked_until <= now),
            ),
        ).returning(Throttle.count)
    ).scalar_one_or_none()
    if taken is not None:
        return 0
    columns = (Throttle.count, Throttle.window_ends_at, Throttle.blocked_until)
    turns, ends_at, blocked_until = session.execute(select(*columns).where(Throttle.key == key)).one()
    until = max(blocked_until or now, ends_at if turns >= most else now)
    return max(1, int((until - now).total_seconds()) + 1)


def wait_seconds(session: Session, keys: list[str], now: datetime) -> int:
    """Return for how many seconds attempts under any of these keys must wait; 0 when they may go on."""
    until = session.execute(select(func.max(Throttle.blocked_until)).where(Throttle.key.in_(keys))).scalar_one()
    return max(0, int((until - now).total_seconds()) + 1) if until is not None and until > now else 0


def forget(session: Session, keys: list[str]) -> None:
    """Forget the failures under these keys, after a success."""
    session.execute(delete(Throttle).where(Throttle.key.in_(keys)))
