"""A million cases for looking at plans: narrow rows, right statistics, loaded by PostgreSQL itself in some twenty seconds.

Three in ten are open, at four offices; a few wait, a few were referred. Words of the search are made up: `common` is in every
case, `often` in every tenth, `seldom0` to `seldom999` in a thousand each, `rare<n>` in one. Histories and people have only a
hundred thousand: their tables are read by the key of a case, and a plan for that does not change any more.

The rows are good for looking at plans, not for working on: references to submissions do not hold, chains have no beginning.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg

TABLES = ("cases", "case_search", "deadline", "complainant", "case_event", "message")
BIG = frozenset(TABLES)
"""What no page may read from end to end."""

_LOAD = (
    r"""
    INSERT INTO cases (id, tracking_number, secret_mac, submission_id, status, tier, level, version, office_id, desk,
        assignee_id, category_id, programme_id, district_id, upazila_id, place, details, is_sensitive, is_anonymous, has_accused,
        about, channel, language, preferred_channel, filed_at, received_on, due_on, due_at, ended_at, outcome, waiting_until,
        referred_from_office_id, referred_from_desk, referral_state, referral_count, history_length, history_head)
    SELECT n, 'M' || n, '\x00', n,
        CASE WHEN n % 10 > 2 THEN 'closed' WHEN n % 500 = 0 THEN 'waiting' ELSE 'filed' END, 'gro', 0, 1,
        g.offices[1 + n % 4], 'gro', CASE WHEN n % 20 = 0 THEN g.officer_id END, g.category_id, g.programme_ids[1 + n % 40],
        g.district_ids[1 + n / 40 % 60], g.upazila_ids[1 + n / 40 % 60], '', 'x', false, false, false, 'none', 'web', 'bn',
        'none', g.at,
        '2026-01-01', '2026-01-01', g.at + (n * 7919 % 401 - 100) * interval '3 hours',
        CASE WHEN n % 10 > 2 THEN g.at END, CASE WHEN n % 10 > 2 THEN 'answered' END,
        CASE WHEN n % 500 = 0 THEN g.at END,
        CASE WHEN n % 1000 IN (0, 11) THEN g.offices[1 + (n + 1) % 4] END, CASE WHEN n % 1000 IN (0, 11) THEN 'gro' END,
        CASE WHEN n % 1000 IN (0, 11) THEN 'offered' END, 0, 1, '\x00'
    FROM given AS g CROSS JOIN generate_series(1, g.count) AS n
    """,
    """
    INSERT INTO case_search (case_id, terms)
    SELECT n, array_to_tsvector(ARRAY['#o' || g.offices[1 + n % 4], '#s' || (n >> 14), '#m' || (n >> 17),
        '#p' || g.programme_ids[1 + n % 40], '#l' || g.district_ids[1 + n / 40 % 60],
        '#l' || g.upazila_ids[1 + n / 40 % 60], 'common', 'seldom' || n % 1000, 'rare' || n,
        CASE n % 10 WHEN 0 THEN 'often' ELSE 'other' || n % 10 END])
    FROM given AS g CROSS JOIN generate_series(1, g.count) AS n
    """,
    """
    INSERT INTO deadline (case_id, kind, epoch, policy_id, calendar_version, started_at, due_on, due_at, state, next_level,
        next_rung_at)
    SELECT id, 'resolve', 1, 1, 1, filed_at, due_on, due_at, 'running', 1, due_at FROM cases WHERE is_open
    """,
    r"""
    INSERT INTO complainant (case_id, role, phone_index)
    SELECT n, 'complainant', decode(md5((n % 50000)::text), 'hex') FROM generate_series(1, 100000) AS n
    """,
    r"""
    INSERT INTO case_event (case_id, seq, kind, at, actor_kind, data, previous_hash, hash)
    SELECT n, 1, 'filed', g.at, 'system', '{}', '\x00', '\x00' FROM generate_series(1, 100000) AS n CROSS JOIN given AS g
    """,
    """
    INSERT INTO message (key, template, channel, language, priority, case_id, address_sealed, params, state, attempts,
        next_attempt_at, created_at, expires_at, ended_at)
    SELECT 'size:' || n, 'case-filed-complainant', 'sms', 'bn', 50, n, 'x', '{}', 'delivered', 1, g.at, g.at, g.at, g.at
    FROM generate_series(1, 100000) AS n CROSS JOIN given AS g
    """,
)


def load(
    connection: psycopg.Connection[Any], count: int, at: datetime, office_ids: Sequence[int], officer_id: int
) -> None:
    """Fill a freshly migrated database of its own; nothing is rolled back. `officer_id` has a twentieth of the open cases."""
    connection.execute("SET session_replication_role = replica")
    connection.execute("SET maintenance_work_mem = '256MB'")
    connection.execute(
        """
        CREATE TEMP TABLE given AS
        SELECT %s::bigint AS count, %s::bigint[] AS offices, %s::bigint AS officer_id, %s::timestamptz AS at,
            (SELECT min(id) FROM category WHERE sensitivity = 'normal') AS category_id,
            (SELECT array_agg(id ORDER BY id) FROM programme) AS programme_ids,
            (SELECT array_agg(id ORDER BY id) FROM place WHERE kind = 'district') AS district_ids,
            (SELECT array_agg(id ORDER BY id) FROM place WHERE kind = 'upazila') AS upazila_ids
        """,
        (count, list(office_ids), officer_id, at),
    )
    again = _without_indexes(connection)
    for statement in _LOAD:
        connection.execute(statement)  # type: ignore[arg-type]
    for definition in again:
        connection.execute(definition)  # type: ignore[arg-type]
    for table in TABLES:
        if table != "case_search":
            connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")  # type: ignore[arg-type]
    connection.execute("SELECT setval(pg_get_serial_sequence('submission', 'id'), %s)", (count,))
    connection.execute(f"VACUUM (ANALYZE) {', '.join(TABLES)}")  # type: ignore[arg-type]


def _without_indexes(connection: psycopg.Connection[Any]) -> list[str]:
    """Drop the indexes and unique constraints of the tables but for their keys; returns what makes them again."""
    names = [list(TABLES)]
    again = []
    leaning = connection.execute(
        "SELECT f.conrelid::regclass::text, f.conname, pg_get_constraintdef(f.oid) FROM pg_constraint AS f "
        "JOIN pg_constraint AS u ON u.conindid = f.conindid AND u.contype = 'u' "
        "WHERE f.contype = 'f' AND f.confrelid::regclass::text = ANY(%s)",
        names,
    ).fetchall()
    unique = connection.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype = 'u' AND conrelid::regclass::text = ANY(%s)",
        names,
    ).fetchall()
    for table, name, _ in (*leaning, *unique):
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")  # type: ignore[arg-type]
    for name, definition in connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index "
        "WHERE indrelid::regclass::text = ANY(%s) AND NOT indisprimary",
        names,
    ).fetchall():
        connection.execute(f"DROP INDEX {name}")  # type: ignore[arg-type]
        again.append(definition)
    again += [f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for table, name, definition in unique]
    return again + [f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for table, name, definition in leaning]
