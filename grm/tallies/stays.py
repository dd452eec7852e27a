"""The stays of cases, made from their histories: one statement says what they are, whoever asks.

A stay is one continuous time of a case at an office on one side. `rewrite` brings the rows of some cases up to date and is
called for every case that has changed; called again, late, or by two at once it ends the same. `SELECTED` is the statement
itself, for what is counted before that has happened.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.cases.models import Case
from grm.kernel.transaction import transaction
from grm.tallies.stays_models import Stay

CHUNK = 5_000
"""So many cases are made anew in one transaction of a rebuild."""
SAID = 500_000
"""After so many it says how far it is."""
COLUMNS = tuple(column.name for column in Stay.__table__.columns)
_KEY = ("case_id", "no")

SELECTED = """
    WITH wanted AS MATERIALIZED (
        SELECT id, received_on, programme_id, district_id, is_sensitive, is_paused,
            CASE channel WHEN 'web' THEN 'web' WHEN 'call_centre' THEN '333' WHEN 'suo_motu' THEN 'suo_motu'
                         ELSE 'conventional' END AS channel
        FROM cases WHERE id = ANY(:ids) AND parent_id IS NULL
    ), event AS (
        -- What moves a case or ends the work on it. An answer that came with the lead's and is sent back with it moves nothing.
        SELECT e.case_id, e.seq, e.kind, e.at, (e.at AT TIME ZONE 'Asia/Dhaka')::date AS day, e.data->>'outcome' AS outcome,
            (e.data->>'received_on')::date AS received_on,
            (CASE e.kind WHEN 'filed' THEN e.data->>'office_id' ELSE e.data->>'to_office_id' END)::bigint AS office,
            CASE e.kind WHEN 'filed' THEN e.data->>'desk' ELSE e.data->>'to_desk' END AS desk,
            e.kind IN ('filed', 'referred', 'returned', 'own_motion', 'sent_back', 'contested', 'appealed', 'recommended',
                       'unmerged') AS is_open
        FROM wanted AS w JOIN case_event AS e ON e.case_id = w.id
        WHERE e.kind IN ('filed', 'referred', 'returned', 'own_motion', 'sent_back', 'contested', 'appealed', 'recommended',
                         'unmerged', 'resolved', 'complied', 'declined', 'closed', 'withdrawn', 'merged')
            AND (e.kind <> 'sent_back' OR e.data->>'with_lead' IS NULL)
    ), moved AS (
        SELECT *, count(office) OVER so_far AS move,
            bool_or(kind IN ('appealed', 'own_motion', 'recommended')) OVER so_far AS is_appeal,
            max(day) FILTER (WHERE kind IN ('appealed', 'own_motion')) OVER so_far AS appealed_on
        FROM event WINDOW so_far AS (PARTITION BY case_id ORDER BY seq)
    ), placed AS (
        SELECT *, first_value(office) OVER at_place AS place, first_value(desk) OVER at_place AS at_desk
        FROM moved WINDOW at_place AS (PARTITION BY case_id, move ORDER BY seq)
    ), step AS (
        SELECT *, lag(is_open, 1, false) OVER before AS was_open, lag(place) OVER before AS was_place,
            lag(is_appeal) OVER before AS was_appeal
        FROM placed WINDOW before AS (PARTITION BY case_id ORDER BY seq)
    ), turn AS (
        SELECT *, was_open AND is_open AND was_appeal = is_appeal AS is_passed_on,
            is_open AND (NOT was_open OR place <> was_place OR is_appeal <> was_appeal) AS begins
        FROM step
        WHERE is_open <> was_open OR is_open AND (place <> was_place OR is_appeal <> was_appeal)
    ), span AS (
        SELECT *, lead(kind) OVER after AS end_kind, lead(day) OVER after AS end_day, lead(at) OVER after AS end_at,
            lead(seq) OVER after AS end_seq, lead(outcome) OVER after AS end_outcome, lead(place) OVER after AS next_place,
            lead(is_passed_on) OVER after AS goes_on
        FROM turn WINDOW after AS (PARTITION BY case_id ORDER BY seq)
    ), stays AS (
        SELECT *, row_number() OVER in_order AS no, lead(seq) OVER in_order AS next_seq
        FROM span WHERE begins WINDOW in_order AS (PARTITION BY case_id ORDER BY seq)
    )
    SELECT s.case_id, s.no::smallint AS no, s.place AS office_id,
        CASE WHEN s.is_passed_on THEN s.was_place END AS from_office_id,
        CASE WHEN s.goes_on THEN s.next_place END AS to_office_id,
        CASE WHEN s.is_appeal THEN (
            SELECT (e.data->>'from_office_id')::bigint FROM case_event AS e
            WHERE e.case_id = s.case_id AND e.kind = 'appealed' AND e.seq <= s.seq ORDER BY e.seq DESC LIMIT 1
        ) END AS against_office_id,
        w.programme_id, w.district_id, CASE WHEN s.is_appeal THEN 'appeal' ELSE 'complaint' END AS side, w.channel,
        (CASE WHEN w.is_sensitive THEN 2 WHEN s.at_desk = 'gro' THEN 0 ELSE 1 END)::smallint AS shade,
        CASE s.kind WHEN 'filed' THEN coalesce(s.received_on, w.received_on) ELSE s.day END AS began_on,
        CASE s.kind WHEN 'own_motion' THEN 'raised' WHEN 'contested' THEN 'reopened' WHEN 'sent_back' THEN 'reopened'
                    WHEN 'unmerged' THEN 'reopened' ELSE s.kind END AS began_how,
        s.end_day AS ended_on,
        CASE s.end_kind WHEN 'complied' THEN 'resolved' WHEN 'closed' THEN 'resolved' WHEN 'own_motion' THEN 'raised'
                        WHEN 'appealed' THEN 'raised' ELSE s.end_kind END AS ended_how,
        d.due_on,
        CASE WHEN d.taken_over_on IS NULL OR d.due_on >= d.taken_over_on THEN d.due_on + 1
             WHEN d.earlier_due_on < d.taken_over_on THEN d.earlier_due_on + 1
             ELSE d.taken_over_on END AS overdue_on,
        CASE WHEN d.extension_days > 0 THEN coalesce(
            (SELECT max((e.at AT TIME ZONE 'Asia/Dhaka')::date) FROM case_event AS e
             WHERE e.case_id = s.case_id AND e.kind = 'extension_approved' AND e.data->>'deadline_kind' = d.kind
                 AND (s.end_seq IS NULL OR e.seq < s.end_seq)),
            d.taken_over_on, s.day) END AS extended_on,
        r.day AS rated_on, r.stars,
        CASE WHEN s.end_kind IN ('resolved', 'complied', 'closed') THEN
            s.end_day - CASE WHEN s.is_appeal THEN s.appealed_on ELSE w.received_on END END AS days,
        s.end_kind IS NULL AND w.is_paused AS is_paused,
        s.end_kind IN ('resolved', 'complied', 'declined', 'closed', 'withdrawn', 'merged') AND s.end_at >= d.due_at
            IS TRUE AS is_late,
        CASE WHEN s.is_appeal AND s.end_kind IN ('resolved', 'recommended')
             THEN s.end_outcome IN ('service_given', 'instruction_executed', 'proved', 'partly_proved')
             WHEN s.is_appeal AND s.end_kind IN ('declined', 'withdrawn') THEN false END AS is_upheld
    FROM stays AS s
    JOIN wanted AS w ON w.id = s.case_id
    LEFT JOIN LATERAL (
        -- The clock it stood under at last: the latest that had begun. One that took over another's start says since when.
        SELECT k.kind, k.due_on, k.due_at, k.extension_days, (k.begun_at AT TIME ZONE 'Asia/Dhaka')::date AS taken_over_on,
            lag(k.due_on) OVER (PARTITION BY k.kind ORDER BY coalesce(k.begun_at, k.started_at), k.id) AS earlier_due_on
        FROM deadline AS k
        WHERE k.case_id = s.case_id AND k.kind IN ('resolve', 'appeal', 'cell', 'comply')
            AND (s.end_at IS NULL OR coalesce(k.begun_at, k.started_at) <= s.at
                OR coalesce(k.begun_at, k.started_at) < s.end_at)
        ORDER BY coalesce(k.begun_at, k.started_at) DESC, k.id DESC LIMIT 1
    ) AS d ON true
    LEFT JOIN LATERAL (
        SELECT (e.data->>'stars')::smallint AS stars, (e.at AT TIME ZONE 'Asia/Dhaka')::date AS day
        FROM case_event AS e
        WHERE e.case_id = s.case_id AND e.seq > s.end_seq AND e.kind = 'rated'
            AND (e.data->>'decision_seq')::int >= s.end_seq
            AND (s.next_seq IS NULL OR (e.data->>'decision_seq')::int < s.next_seq)
        ORDER BY e.seq DESC LIMIT 1
    ) AS r ON s.end_kind IN ('resolved', 'complied', 'declined', 'closed', 'merged')
"""
"""The stays of the cases `:ids`, in the columns of `stay`."""

_NAMES = ", ".join(COLUMNS)
_VALUES = [name for name in COLUMNS if name not in _KEY]
_REWRITE = text(
    f"""
    WITH made AS MATERIALIZED ({SELECTED}), gone AS (
        DELETE FROM stay WHERE case_id = ANY(:ids)
            AND NOT EXISTS (SELECT FROM made WHERE made.case_id = stay.case_id AND made.no = stay.no)
    )
    INSERT INTO stay AS old ({_NAMES}) SELECT {_NAMES} FROM made
    ON CONFLICT (case_id, no) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _VALUES)}
    WHERE ({", ".join(f"old.{name}" for name in _VALUES)})
        IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _VALUES)})
    """  # noqa: S608 - names of columns
)
_WITHOUT_LIMITS = (text("SET LOCAL statement_timeout = 0"), text("SET LOCAL lock_timeout = 0"))
"""However long a chunk, or a fold that is waited for, takes on a busy machine."""
_FORGET = text(
    "DELETE FROM stay AS s WHERE s.case_id > :after AND (s.case_id <= :last OR CAST(:last AS bigint) IS NULL) "
    "AND NOT EXISTS (SELECT FROM cases AS c WHERE c.id = s.case_id)"
)
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('grm.stays'))")


def rewrite(session: Session, ids: Sequence[int]) -> None:
    """Make the stays of cases what their histories say; only rows that differ are written. The caller commits.

    One at a time: who comes second looks after the first has committed, so that nothing older overwrites what is newer.
    """
    if ids:
        session.execute(_ONE_AT_A_TIME)
        session.execute(_REWRITE, {"ids": list(ids)})


def rebuild(after: int = 0, say: Callable[[str], None] = lambda line: None) -> int:
    """Make the stays of all cases with a higher id anew, in chunks with a transaction each; returns how many cases it saw. Those
    of cases that have vanished go. Nothing has to stop for it. Killed, it is begun again."""
    count, started = 0, time.monotonic()
    while True:
        with transaction() as act:
            for limit in _WITHOUT_LIMITS:
                act.session.execute(limit)
            rows = act.session.query(Case.id).where(Case.id > after).order_by(Case.id).limit(CHUNK)
            ids = [case_id for (case_id,) in rows]
            rewrite(act.session, ids)
            act.session.execute(_FORGET, {"after": after, "last": ids[-1] if ids else None})
        if not ids:
            return count
        count, after = count + len(ids), ids[-1]
        if count // SAID > (count - len(ids)) // SAID:
            say(f"the stays of {count} cases, {time.monotonic() - started:.0f} s")


def stays_of(session: Session, ids: Sequence[int]) -> Sequence[Any]:
    """The stays of cases as their histories say now, whatever is kept."""
    return session.execute(text(SELECTED + " ORDER BY s.case_id, s.no"), {"ids": list(ids)}).all()
