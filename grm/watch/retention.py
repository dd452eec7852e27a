"""Forgetting in time: the texts of messages 30 days after their end, the records of sweeps after 90.

Drafts, sessions and throttles end in `grm/intake/tidying.py`. That a message was sent, to whom in the office, when and how it
ended stays: it is part of the case's file. What it said, and to which address, does not.
"""

from datetime import datetime, timedelta

from sqlalchemy import TextClause, text

from grm.kernel.transaction import transaction

TEXTS_KEPT = timedelta(days=30)
SWEEPS_KEPT = timedelta(days=90)
HEARTBEATS_KEPT = timedelta(days=1)
"""Workers and waiting beats have names of their own; one that is gone for a day will not come back under that name."""

BATCH = 1000
MOST_BATCHES = 20

_MESSAGES = text(
    """
    WITH old AS (
        SELECT id FROM message WHERE ended_at < :before AND forgotten_at IS NULL
        ORDER BY ended_at LIMIT :batch FOR UPDATE SKIP LOCKED
    ), attempts AS (
        UPDATE attempt SET detail = NULL FROM old WHERE attempt.message_id = old.id AND attempt.detail IS NOT NULL
    ), receipts AS (
        UPDATE receipt SET detail = '' FROM old WHERE receipt.message_id = old.id AND receipt.detail <> ''
    )
    UPDATE message SET body = NULL, subject = NULL, params = '{}', forgotten_at = :now,
        address_sealed = CASE WHEN address_sealed IS NULL THEN NULL ELSE ''::bytea END
    FROM old WHERE message.id = old.id
    """
)
_RECEIPTS = text(
    """
    DELETE FROM receipt WHERE id IN (
        SELECT id FROM receipt WHERE message_id IS NULL AND received_at < :before
        ORDER BY received_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    """
)
_SWEEPS = text(
    """
    DELETE FROM sweep_run WHERE id IN (
        SELECT id FROM sweep_run WHERE started_at < :before ORDER BY started_at LIMIT :batch FOR UPDATE SKIP LOCKED)
    """
)
_HEARTBEATS = text(
    """
    DELETE FROM heartbeat WHERE name IN (
        SELECT name FROM heartbeat WHERE (name LIKE 'worker:%' OR name = 'beat.standby') AND at < :before
        LIMIT :batch FOR UPDATE SKIP LOCKED)
    """
)

RULES: tuple[tuple[str, TextClause, timedelta], ...] = (
    ("message", _MESSAGES, TEXTS_KEPT),
    ("receipt", _RECEIPTS, TEXTS_KEPT),
    ("sweep_run", _SWEEPS, SWEEPS_KEPT),
    ("heartbeat", _HEARTBEATS, HEARTBEATS_KEPT),
)


def forget(now: datetime | None = None) -> dict[str, int]:
    """Forget in batches, each in its own transaction; returns how many rows of each table.

    Rows that another run holds are skipped. What is left after `MOST_BATCHES` batches of a table, the next run takes.
    """
    done: dict[str, int] = {}
    for name, statement, kept in RULES:
        for _ in range(MOST_BATCHES):
            with transaction(now) as act:
                given = {"before": act.now - kept, "batch": BATCH, **({"now": act.now} if name == "message" else {})}
                count = int(act.session.execute(statement, given).rowcount)  # type: ignore[attr-defined]
            done[name] = done.get(name, 0) + count
            if count < BATCH:
                break
    return done
