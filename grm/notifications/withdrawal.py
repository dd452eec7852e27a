"""Taking back what waits in the outbox when a late holiday has overtaken it; what has left is never un-sent.

A message is taken back only while it surely has not been handed to anybody: it is `pending`. A row that a sender holds this
very moment is waited for; if it is under way then (`sending`), or its answer was lost (`unknown`), it counts as sent. A
digest that is not written yet loses its item, and is taken back when it has none left.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import text

from grm.kernel.transaction import Act
from grm.notifications.events import RungsUntold


class Rung(Protocol):
    """A rung of the ladder, by what its messages are found by (`grm.escalation.events.RungRef`)."""

    @property
    def escalation_id(self) -> int: ...
    @property
    def case_id(self) -> int: ...
    @property
    def deadline_id(self) -> int: ...
    @property
    def epoch(self) -> int: ...
    @property
    def level(self) -> int: ...


class Moved(Protocol):
    """Rungs climbed too early by a new calendar (`grm.escalation.events.DatesMoved`)."""

    @property
    def rungs(self) -> Sequence[Rung]: ...


REASON = "date-moved"

# The messages of a rung, by the parts of their keys: `<template>:<case>:<deadline>:<epoch>:<level>:<channel>` to an officer,
# `case-late-complainant:<case>:<deadline>:<epoch>:<channel>` to the complainant, who is told at level 1.
_OF_RUNGS = """
    rungs AS (
        SELECT * FROM unnest(CAST(:escalation_ids AS bigint[]), CAST(:case_ids AS bigint[]), CAST(:deadline_ids AS bigint[]),
                             CAST(:epochs AS int[]), CAST(:levels AS int[]))
            AS r (escalation_id, case_id, deadline_id, epoch, level)),
    own AS (
        SELECT r.escalation_id, m.id FROM rungs AS r JOIN message AS m ON m.case_id = r.case_id
        WHERE split_part(m.key, ':', 2) = CAST(r.case_id AS text)
          AND split_part(m.key, ':', 3) = CAST(r.deadline_id AS text)
          AND split_part(m.key, ':', 4) = CAST(r.epoch AS text)
          AND CASE WHEN m.key LIKE 'case-late-complainant:%' THEN '1' ELSE split_part(m.key, ':', 5) END
              = CAST(r.level AS text))
"""
_WITHDRAW = text(
    f"""
    WITH {_OF_RUNGS}
    UPDATE message SET state = 'withdrawn', ended_at = :now, error = :reason, claim = NULL, lease_until = NULL
    WHERE id IN (
        SELECT m.id FROM message AS m WHERE m.id IN (SELECT id FROM own) AND m.state = 'pending'
        ORDER BY m.id FOR UPDATE OF m)
    """  # noqa: S608 - constants
)
_UNGATHER = text(
    """
    WITH free AS (
        SELECT m.id FROM message AS m
        WHERE m.id IN (SELECT message_id FROM digest_item WHERE escalation_id = ANY(CAST(:escalation_ids AS bigint[])))
          AND m.state = 'pending' AND m.body IS NULL
        ORDER BY m.id FOR UPDATE OF m)
    DELETE FROM digest_item AS i USING free
    WHERE i.message_id = free.id AND i.escalation_id = ANY(CAST(:escalation_ids AS bigint[])) AND i.written_at IS NULL
    RETURNING i.message_id
    """
)
_WITHDRAW_EMPTY = text(
    """
    UPDATE message SET state = 'withdrawn', ended_at = :now, error = :reason
    WHERE id = ANY(CAST(:ids AS bigint[])) AND state = 'pending'
      AND NOT EXISTS (SELECT FROM digest_item AS i WHERE i.message_id = message.id)
    """
)
_TOLD = text(
    f"""
    WITH {_OF_RUNGS}
    SELECT DISTINCT escalation_id FROM (
        SELECT escalation_id, id FROM own
        UNION ALL
        SELECT i.escalation_id, i.message_id FROM digest_item AS i
        WHERE i.escalation_id = ANY(CAST(:escalation_ids AS bigint[]))
    ) AS every JOIN message AS m ON m.id = every.id
    WHERE m.state IN ('pending', 'sending', 'unknown', 'accepted', 'delivered', 'held')
       OR EXISTS (SELECT FROM attempt AS a WHERE a.message_id = m.id
                  AND (a.outcome IS NULL OR a.outcome IN ('accepted', 'delivered', 'unknown')))
    """  # noqa: S608 - constants
)


def on_dates_moved(act: Act, event: Moved) -> None:
    """Take back what waits of these rungs, and say of which nothing has left. Four statements however many they are."""
    session, rungs = act.session, event.rungs
    given: dict[str, Any] = {
        "now": act.now,
        "reason": REASON,
        "escalation_ids": [rung.escalation_id for rung in rungs],
        "case_ids": [rung.case_id for rung in rungs],
        "deadline_ids": [rung.deadline_id for rung in rungs],
        "epochs": [rung.epoch for rung in rungs],
        "levels": [rung.level for rung in rungs],
    }
    taken = session.execute(_WITHDRAW, given).rowcount  # type: ignore[attr-defined]
    emptied = sorted(set(session.scalars(_UNGATHER, given)))
    if emptied:
        taken += session.execute(_WITHDRAW_EMPTY, {**given, "ids": emptied}).rowcount  # type: ignore[attr-defined]
    told = set(session.scalars(_TOLD, given))
    untold = tuple(rung for rung in rungs if rung.escalation_id not in told)
    act.record(RungsUntold(event, untold, taken))
