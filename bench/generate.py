"""Cases by the million: seeded, skewed as in life, consistent, and in a few minutes.

Everything is computed by PostgreSQL from the number of the case and the seed; only what must really be sealed (the
telephone numbers of open cases, which the sweep opens) comes from Python by COPY. Routing, policies, calendar and ladder are
GRM's own, read through its services; the hash chains are real, so `audit verify` passes. Indexes and unique constraints are
dropped for the load and made again after it; foreign keys are not checked while loading but hold.

Four kinds of cases, oldest first:

    ended     answered, declined, withdrawn, closed; two years
    late      open, at level 3, the ladder climbed to its top
    cohorts   `COHORTS` groups; each is due at one midnight of the coming days, warned already: what a sweep climbs
    fresh     open, looked at, due long after the cohorts
"""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import psycopg
from flask import Flask

from bench import floor_app
from grm.cases import search_terms
from grm.deadlines import queries as deadline_queries
from grm.deadlines import service as deadlines
from grm.deadlines.calendar import Calendar, dhaka_midnight
from grm.deadlines.policy import CaseFacts
from grm.deadlines.rungs import rung_instant
from grm.demo import wording
from grm.demo.people import person
from grm.demo.wording import Matter
from grm.kernel import clock, context, tracking_number, words
from grm.kernel.actor import SYSTEM
from grm.kernel.db import db
from grm.offices.queries import directory, holders
from grm.tallies import rebuilding

Say = Callable[[str], None]
COHORTS = 5
CHUNK = 50_000
DAYS = 730
TEXTS = 512
NAMES = 512
PHONES = 100_000
LOADED = ("submission", "cases", "complainant", "case_event", "deadline", "escalation", "message")
INDEXED = (*LOADED, "case_search")


@dataclass(frozen=True, slots=True)
class Shape:
    """How many cases of each kind."""

    size: int
    cohort: int
    late: int
    fresh: int

    @property
    def open(self) -> int:
        """All open cases."""
        return self.late + COHORTS * self.cohort + self.fresh

    @property
    def ended(self) -> int:
        """All ended cases."""
        return self.size - self.open


def shape_of(size: int) -> Shape:
    """The usual mixture: up to a million open, 10,000 a cohort."""
    is_open = min(size * 3 // 10, 1_000_000)
    cohort = max(1, min(10_000, is_open // 20))
    late = is_open // 10
    return Shape(size, cohort, late, is_open - late - COHORTS * cohort)


@dataclass(frozen=True, slots=True)
class Generated:
    """What was made: the shape, the day it was made for, and the midnights at which the cohorts fall due."""

    shape: Shape
    today: date
    cohort_due_at: tuple[datetime, ...]


def generate(app: Flask, size: int, seed: int = 1, say: Say = lambda line: None, threads: int = 2) -> Generated:
    """Fill an empty migrated database with `size` cases, and the floor's tables with as many."""
    shape = shape_of(size)
    with app.app_context():
        session = db.session()
        today = clock.dhaka_date(clock.now(session))
        url = db.engine.url.render_as_string(hide_password=False).replace("postgresql+psycopg", "postgresql")
        calendar = deadline_queries.calendar(session)
        started = time.monotonic()
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(
                "DROP SCHEMA IF EXISTS bench CASCADE; DROP SCHEMA IF EXISTS floor CASCADE; CREATE SCHEMA bench"
            )
            connection.execute(floor_app.SCHEMA)
            _lookups(connection, session, calendar, today, shape, seed)
            session.rollback()  # the load takes longer than a transaction may lie idle
            rebuild = _drop_indexes(connection) if size >= 100_000 else []
            _in_chunks(url, shape, seed, threads, say, started)
            if size:
                _people(connection, context.keyring(), _names(seed))
            for number, statement in enumerate(rebuild):
                connection.execute(statement)
                if number % 10 == 9:
                    say(f"  {number + 1} of {len(rebuild)} indexes, {time.monotonic() - started:.0f} s")
            _floor(connection)
            for table in LOADED:
                connection.execute(_SET_SEQUENCE.format(table=table))
            connection.execute("VACUUM (ANALYZE) cases, complainant, case_event, deadline")
            made = rebuilding.rebuild()  # no trigger has seen these cases
            say(f"  tallies, {made.counting_seconds:.0f} s + {made.adding_seconds:.0f} s")
            connection.execute(_VOCABULARY)
            connection.execute("DROP SCHEMA bench CASCADE")
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")
        due = tuple(_cohort_days(calendar, today, number)[1] for number in range(COHORTS))
    say(f"  {size:,} cases in {time.monotonic() - started:.0f} s")
    return Generated(shape, today, due)


def cohort_due_at(app: Flask, today: date) -> tuple[datetime, ...]:
    """The midnights at which the cohorts of a database generated on a day fall due."""
    with app.app_context():
        calendar = deadline_queries.calendar(db.session())
        found = tuple(_cohort_days(calendar, today, number)[1] for number in range(COHORTS))
        db.session.rollback()
    return found


# Look-up tables ---------------------------------------------------------------------------------------------------------


def _cohort_days(calendar: Calendar, today: date, number: int) -> tuple[date, datetime]:
    """The due date of a cohort, and the midnight after it."""
    due_on = calendar.add_working_days(today, number + 1)
    return due_on, dhaka_midnight(due_on + timedelta(days=1))


def _lookups(
    connection: psycopg.Connection[Any], session: Any, calendar: Calendar, today: date, shape: Shape, seed: int
) -> None:
    """Tables in the schema `bench`: who answers for what, dates by day of filing, texts; each with slots to draw from."""
    rng = random.Random(seed)
    book = directory(session)
    weights = wording.weights()
    seats = {}
    for post in holders(session, [office.id for office in book.offices], today):
        if post.acting is not None:
            seats[post.office_id, post.role] = (post.acting.officer_id, post.post_id)
    cell = seats[book.cell.id, "cell_officer"]
    programmes = []
    for programme in book.programmes_on(today):
        office = book.office_of(programme.ministry_id).id
        posts = [seats.get((office, role), cell) for role in ("gro", "appeal_officer", "case_officer")]
        programmes.append((programme.id, office, *(value for post in posts for value in post), *cell))
    _create(
        connection,
        "programme (slot int PRIMARY KEY, id bigint, office_id bigint, gro_id bigint, gro_post bigint, appeal_id bigint, "
        "appeal_post bigint, officer_id bigint, officer_post bigint, cell_id bigint, cell_post bigint)",
        _slots(rng, programmes, [weights.get(p.slug, 5) for p in book.programmes_on(today)], 1024),
    )
    _create(
        connection,
        "category (slot int PRIMARY KEY, id bigint, is_sensitive boolean, is_short boolean)",
        _slots(
            rng,
            [(c.id, c.is_sensitive, c.slug == "data-correction") for c in book.categories],
            [2 if c.is_sensitive else 12 for c in book.categories],
            256,
        ),
    )
    _create(
        connection,
        "district (slot int PRIMARY KEY, id bigint, upazila_id bigint, division_id bigint)",
        _slots(
            rng,
            [(d.id, book.children(d.id)[0].id, d.parent_id) for d in book.districts],
            [len(book.children(d.id)) ** 2 for d in book.districts],
            512,
        ),
    )
    _create(
        connection,
        "words (slot int PRIMARY KEY, body text, terms text[])",
        [(slot, body, sorted(words.keys(body))) for slot, body in enumerate(_texts(rng, book, shape.size > 2_000_000))],
    )
    keyring = context.keyring()
    _create(
        connection,
        "name (slot int PRIMARY KEY, marks text[])",
        [
            (slot, [search_terms.name_mark(keyring, key) for key in words.name_keys(name)])
            for slot, name in enumerate(_names(seed))
        ],
    )
    _create(
        connection,
        "phone (slot int PRIMARY KEY, mark text)",
        [(slot, search_terms.phone_mark(keyring, _phone(slot))) for slot in range(min(PHONES, shape.size + 1))],
    )
    _create(
        connection,
        "day (day date, is_short boolean, filed_on date, ack_policy bigint, ack_due_on date, ack_due_at timestamptz, "
        "policy bigint, due_on date, due_at timestamptz, warn_at timestamptz, level_2_at timestamptz, level_3_at timestamptz, "
        "calendar_version bigint, is_provisional boolean, PRIMARY KEY (day, is_short))",
        list(_days(session, calendar, today)),
    )
    cohorts = []
    for number in range(COHORTS):
        due_on, _ = _cohort_days(calendar, today, number)
        filed_on = max(
            row[0]
            for row in connection.execute("SELECT day FROM bench.day WHERE due_on = %s AND NOT is_short", (due_on,))
        )
        cohorts.append((number, filed_on))
    _create(connection, "cohort (number int PRIMARY KEY, day date)", cohorts)
    first_fresh = calendar.add_working_days(today, -10)
    fresh_days = (today - first_fresh).days
    masks = [sum(1 << bit for bit in range(60) if _check_of(1 << bit) >> out & 1) for out in range(5)]
    rule_ids = dict(connection.execute("SELECT office_id, min(id) FROM routing_rule GROUP BY office_id").fetchall())
    connection.execute(
        _FUNCTIONS.format(masks=masks, alphabet=tracking_number.ALPHABET, system=SYSTEM.kind, empty="00" * 32)
    )
    _create(connection, "rule (office_id bigint PRIMARY KEY, id bigint)", list(rule_ids.items()))
    connection.execute(
        "CREATE TABLE bench.given AS SELECT %s::date AS today, %s::date AS first_fresh, %s::int AS fresh_days, "
        "%s::bigint AS ended, %s::bigint AS late, %s::bigint AS cohort, %s::bigint AS seed",
        (today, first_fresh, fresh_days, shape.ended, shape.late, shape.cohort, seed),
    )
    connection.execute("ANALYZE")


def _check_of(bits: int) -> int:
    number = tracking_number.new_tracking_number(bits)
    return tracking_number.ALPHABET.index(number[-1])


def _slots(rng: random.Random, rows: list[tuple[Any, ...]], weights: list[int], count: int) -> list[tuple[Any, ...]]:
    """`count` numbered slots, each row at least once and then as often as its weight says."""
    drawn = rows + rng.choices(rows, weights, k=count - len(rows))
    return [(slot, *row) for slot, row in enumerate(drawn)]


def _create(connection: psycopg.Connection[Any], table: str, rows: list[tuple[Any, ...]]) -> None:
    connection.execute(f"CREATE TABLE bench.{table}")
    name = table.split()[0]
    with connection.cursor() as cursor, cursor.copy(f"COPY bench.{name} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _texts(rng: random.Random, book: Any, is_short: bool) -> Iterator[str]:
    for _ in range(TEXTS):
        programme, category = rng.choice(book.programmes), rng.choice(book.categories)
        matter = Matter(
            language="bn",
            programme=programme.slug,
            group=wording.group_of(programme.slug),
            kind=programme.kind,
            stage=programme.lifecycle_stage,
            category=category.slug,
            ministry="",
            district="কুড়িগ্রাম",
            upazila="উলিপুর",
            is_city=False,
            is_sensitive=category.is_sensitive,
        )
        text = wording.complaint(rng, matter, "web", is_anonymous=False, is_on_behalf=False)
        yield text[:140] if is_short else text


def _days(session: Any, calendar: Calendar, today: date) -> Iterator[tuple[Any, ...]]:
    """For each day of filing, by the policies and the ladder in force: when each step is due and each rung comes."""
    rungs = {(rung.deadline_kind, rung.level): rung for rung in deadline_queries.rungs(session)}
    for back in range(DAYS + 1):
        day = today - timedelta(days=back)
        noon = dhaka_midnight(day) + timedelta(hours=12)
        for is_short in (False, True):
            facts = CaseFacts(None, None, "data-correction" if is_short else None)
            ack, resolve = sorted(deadlines.plan(session, facts, noon), key=lambda planned: planned.kind)
            climbs = [rung_instant(rungs["resolve", level], resolve.due_on, calendar) for level in (0, 2, 3)]
            yield (
                *(day, is_short, day, ack.policy_id, ack.due_on, ack.due_at),
                *(resolve.policy_id, resolve.due_on, resolve.due_at, *climbs),
                *(resolve.calendar_version, resolve.is_provisional),
            )


# Loading ----------------------------------------------------------------------------------------------------------------

_FUNCTIONS = """
    CREATE FUNCTION bench.bit(x bigint, mask bigint) RETURNS int IMMUTABLE LANGUAGE sql
        RETURN (bit_count((x & mask)::bit(64)) % 2)::int;
    CREATE FUNCTION bench.letter(x bigint, shift int) RETURNS text IMMUTABLE LANGUAGE sql
        RETURN substr('{alphabet}', ((x >> shift) & 31)::int + 1, 1);
    CREATE FUNCTION bench.number(x bigint) RETURNS text IMMUTABLE LANGUAGE sql
        RETURN bench.letter(x, 55) || bench.letter(x, 50) || bench.letter(x, 45) || bench.letter(x, 40)
            || bench.letter(x, 35) || bench.letter(x, 30) || bench.letter(x, 25) || bench.letter(x, 20)
            || bench.letter(x, 15) || bench.letter(x, 10) || bench.letter(x, 5) || bench.letter(x, 0)
            || substr('{alphabet}', 1 + bench.bit(x, {masks[0]}) + 2 * bench.bit(x, {masks[1]}) + 4 * bench.bit(x, {masks[2]})
                                      + 8 * bench.bit(x, {masks[3]}) + 16 * bench.bit(x, {masks[4]}), 1);
    CREATE FUNCTION bench.link(previous bytea, number text, seq int, kind text, at timestamptz, actor_kind text,
                               actor_id bigint, data text) RETURNS bytea IMMUTABLE LANGUAGE sql
        RETURN sha256(previous || convert_to(
            '{{"actor_id":' || coalesce(actor_id::text, 'null') || ',"actor_kind":"' || actor_kind || '","at":"'
            || to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '","data":' || data || ',"kind":"' || kind
            || '","seq":' || seq || ',"tracking_number":"' || number || '"}}', 'UTF8'));
"""

# One row a case, with everything that the inserts need. h: bits to draw from.
_CHUNK = """
    CREATE TEMP TABLE chunk AS
    WITH numbered AS (
        SELECT i, hashint8extended(i, g.seed) AS h, hashint8extended(i, g.seed + 1) AS h2,
               hashint8extended(i, g.seed + 2) >> 4 & ((1::bigint << 60) - 1) AS x,
               CASE WHEN i <= g.ended THEN 'ended' WHEN i <= g.ended + g.late THEN 'late'
                    WHEN i <= g.ended + g.late + {cohorts} * g.cohort THEN 'cohort' ELSE 'fresh' END AS class
        FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS i CROSS JOIN bench.given AS g
    ), placed AS (
        SELECT n.*, bench.number(n.x) AS number,
               CASE class WHEN 'ended' THEN g.today - {days} + (i * ({days} - 60) / greatest(g.ended, 1))::int
                          WHEN 'late' THEN g.today - 220 + ((i - g.ended) * 130 / greatest(g.late, 1))::int
                          WHEN 'cohort' THEN (SELECT day FROM bench.cohort
                                              WHERE cohort.number = (i - g.ended - g.late - 1) %% {cohorts})
                          ELSE g.first_fresh + (h2 >> 20 & 1023)::int %% g.fresh_days END AS day
        FROM numbered AS n CROSS JOIN bench.given AS g
    )
    SELECT p.i AS id, p.class, p.number, p.h, p.h2,
           g.id AS programme_id, g.office_id, c.id AS category_id, c.is_sensitive, d.id AS district_id, d.upazila_id,
           d.division_id, w.body, w.slot AS text,
           CASE WHEN c.is_sensitive THEN 'appeal' ELSE 'gro' END AS desk,
           CASE WHEN c.is_sensitive THEN g.appeal_id ELSE g.officer_id END AS handler_id,
           g.gro_id, g.gro_post, g.appeal_id, g.appeal_post, g.cell_id, g.cell_post,
           CASE WHEN c.is_sensitive THEN g.appeal_post ELSE g.gro_post END AS desk_post,
           CASE WHEN c.is_sensitive THEN g.appeal_id ELSE g.gro_id END AS desk_id,
           CASE WHEN c.is_sensitive THEN 'appeal_officer' ELSE 'gro' END AS desk_role,
           (ARRAY['web','web','web','web','web','web','web','web','call_centre','call_centre','paper','paper','paper','letter',
                  'email','suo_motu'])[1 + (p.h2 >> 46 & 15)::int] AS channel,
           t.*, r.id AS rule_id, dhaka.filed_at,
           dhaka.filed_at + make_interval(hours => CASE p.class WHEN 'fresh' THEN 1 ELSE 20 + (p.h2 >> 8 & 31)::int END)
               AS looked_at,
           CASE p.class WHEN 'ended'
               THEN dhaka.filed_at + make_interval(days => 2 + (p.h2 >> 13 & 63)::int * 3 / 4) END AS ended_at,
           CASE WHEN p.class = 'ended' THEN
                    (ARRAY['closed','closed','closed','closed','closed','resolved','declined','withdrawn'])
                    [1 + (p.h2 >> 40 & 7)::int]
                WHEN p.class = 'fresh' THEN (ARRAY['acknowledged','in_progress'])[1 + (p.h2 >> 40 & 1)::int]
                ELSE (ARRAY['filed','filed','acknowledged','in_progress'])[1 + (p.h2 >> 40 & 3)::int] END AS status
    FROM placed AS p
    JOIN bench.programme AS g ON g.slot = p.h & 1023
    JOIN bench.category AS c ON c.slot = p.h >> 10 & 255
    JOIN bench.district AS d ON d.slot = p.h >> 18 & 511
    JOIN bench.words AS w ON w.slot = p.h >> 27 & 511
    JOIN bench.day AS t ON t.day = p.day AND t.is_short = (c.is_short AND p.class IN ('ended', 'late'))
    JOIN bench.rule AS r ON r.office_id = g.office_id
    CROSS JOIN LATERAL (
        SELECT (p.day + make_interval(hours => 8, secs => (p.h2 & 32767)::int)) AT TIME ZONE 'Asia/Dhaka' AS filed_at) AS dhaka
"""
_LINKS = """
    CREATE TEMP TABLE links AS
    WITH first AS (
        SELECT id, number, 'filed' AS kind, filed_at AS at, 'complainant' AS actor_kind, NULL::bigint AS actor_id,
               '{"channel":"' || channel || '","desk":"' || desk || '","due_on":"' || due_on || '","office_id":' || office_id
               || ',"received_on":"' || filed_on || '","rule_id":' || rule_id || '}' AS data
        FROM chunk
    ), one AS (
        SELECT *, 1 AS seq, decode(repeat('00', 32), 'hex') AS previous FROM first
    ), hashed AS (
        SELECT *, bench.link(previous, number, seq, kind, at, actor_kind, actor_id, data) AS hash FROM one
    ), more AS (
        SELECT c.id, c.number, CASE c.class WHEN 'cohort' THEN 'warned' ELSE c.status END AS kind,
               CASE c.class WHEN 'cohort' THEN c.warn_at ELSE c.ended_at END AS at,
               CASE WHEN c.class = 'cohort' THEN 'system' WHEN c.status = 'withdrawn' THEN 'complainant' ELSE 'officer' END
                   AS actor_kind,
               CASE WHEN c.class = 'ended' AND c.status <> 'withdrawn' THEN c.handler_id END AS actor_id,
               CASE c.class WHEN 'cohort' THEN
                   '{"deadline_kind":"resolve","due_on":"' || c.due_on || '","is_gap":false,"officer_id":' || c.desk_id
                   || ',"post_id":' || c.desk_post || '}'
               ELSE '{"status_from":"in_progress","status_to":"' || c.status || '","version":2}' END AS data,
               2 AS seq, h.hash AS previous
        FROM chunk AS c JOIN hashed AS h ON h.id = c.id WHERE c.class IN ('ended', 'cohort')
    ), climbed AS (
        SELECT c.id, c.number, 'warned' AS kind, c.warn_at AS at, 'system' AS actor_kind, NULL::bigint AS actor_id,
               '{"deadline_kind":"resolve","due_on":"' || c.due_on || '","is_gap":false,"officer_id":' || c.desk_id
               || ',"post_id":' || c.desk_post || '}' AS data, 2 AS seq, h.hash AS previous, c.due_on, c.due_at, c.level_2_at,
               c.level_3_at, c.desk_id, c.desk_post, c.appeal_id, c.appeal_post, c.cell_id, c.cell_post
        FROM chunk AS c JOIN hashed AS h ON h.id = c.id WHERE c.class = 'late'
    ), two AS (
        SELECT *, bench.link(previous, number, seq, kind, at, actor_kind, actor_id, data) AS hash FROM climbed
    ), three AS (
        SELECT t.*, bench.escalated(t.due_on, 1, t.desk_id, t.desk_post) AS data3,
               bench.link(t.hash, t.number, 3, 'escalated', t.due_at, 'system', NULL,
                          bench.escalated(t.due_on, 1, t.desk_id, t.desk_post)) AS hash3 FROM two AS t
    ), four AS (
        SELECT t.*, bench.escalated(t.due_on, 2, t.appeal_id, t.appeal_post) AS data4,
               bench.link(t.hash3, t.number, 4, 'escalated', t.level_2_at, 'system', NULL,
                          bench.escalated(t.due_on, 2, t.appeal_id, t.appeal_post)) AS hash4 FROM three AS t
    ), five AS (
        SELECT t.*, bench.escalated(t.due_on, 3, t.cell_id, t.cell_post) AS data5,
               bench.link(t.hash4, t.number, 5, 'escalated', t.level_3_at, 'system', NULL,
                          bench.escalated(t.due_on, 3, t.cell_id, t.cell_post)) AS hash5 FROM four AS t
    )
    SELECT id, seq, kind, at, actor_kind, actor_id, data, previous, hash FROM hashed
    UNION ALL SELECT id, seq, kind, at, actor_kind, actor_id, data, previous,
                     bench.link(previous, number, seq, kind, at, actor_kind, actor_id, data) FROM more
    UNION ALL SELECT id, 2, kind, at, actor_kind, actor_id, data, previous, hash FROM five
    UNION ALL SELECT id, 3, 'escalated', due_at, 'system', NULL, data3, hash, hash3 FROM five
    UNION ALL SELECT id, 4, 'escalated', level_2_at, 'system', NULL, data4, hash3, hash4 FROM five
    UNION ALL SELECT id, 5, 'escalated', level_3_at, 'system', NULL, data5, hash4, hash5 FROM five
"""
_ESCALATED = """
    CREATE FUNCTION bench.escalated(due_on date, level int, officer_id bigint, post_id bigint) RETURNS text IMMUTABLE LANGUAGE sql
        RETURN '{"deadline_kind":"resolve","due_on":"' || due_on || '","is_gap":false,"level":' || level || ',"officer_id":'
            || officer_id || ',"post_id":' || post_id || '}';
"""
_INSERTS = (
    """
    INSERT INTO submission (id, key, sealed, channel, received_at)
    SELECT id, sha256(convert_to('bench' || id || ' ' || h, 'UTF8')),
           decode(repeat(md5(id::text), 10), 'hex'), channel, filed_at FROM chunk
    """,
    """
    INSERT INTO cases (id, tracking_number, secret_mac, submission_id, status, tier, outcome, level, version, office_id, desk,
        assignee_id, routing_rule_id, programme_id, category_id, district_id, upazila_id, place, details, is_sensitive,
        is_anonymous, has_accused, about, channel, language, preferred_channel, filed_at, received_on, acknowledged_at, ended_at,
        due_on, due_at, history_length, history_head)
    SELECT c.id, number, sha256(convert_to(number, 'UTF8')), c.id, status, 'gro',
           CASE status WHEN 'declined' THEN 'not_admissible' WHEN 'withdrawn' THEN 'withdrawn'
                       WHEN 'closed' THEN 'service_given' WHEN 'resolved' THEN 'answered' END,
           CASE class WHEN 'late' THEN 3 ELSE 0 END, CASE WHEN class = 'ended' THEN 2 ELSE 1 END, office_id, desk,
           CASE WHEN status IN ('in_progress', 'resolved', 'closed') THEN handler_id END, rule_id, programme_id, category_id,
           district_id, upazila_id, '', body, is_sensitive, false, false, 'none', channel, 'bn', 'sms', filed_at, filed_on,
           CASE WHEN status <> 'filed' THEN looked_at END, ended_at, due_on, due_at, l.length, l.head
    FROM chunk AS c JOIN (
        SELECT DISTINCT ON (id) id, seq AS length, hash AS head FROM links ORDER BY id, seq DESC) AS l USING (id)
    """,
    """
    INSERT INTO case_event (case_id, seq, kind, at, actor_kind, actor_id, data, previous_hash, hash)
    SELECT id, seq, kind, at, actor_kind, actor_id, data::jsonb, previous, hash FROM links ORDER BY id, seq
    """,
    """
    INSERT INTO deadline (id, case_id, kind, epoch, policy_id, calendar_version, started_at, due_on, due_at, state, met_at,
                          breached_at, next_level, next_rung_at, is_provisional)
    SELECT 2 * id - 1, id, 'acknowledge', 1, ack_policy, calendar_version, filed_at, ack_due_on, ack_due_at,
           CASE WHEN status = 'filed' OR looked_at >= ack_due_at THEN 'breached' ELSE 'met' END,
           CASE WHEN status <> 'filed' THEN looked_at END,
           CASE WHEN status = 'filed' OR looked_at >= ack_due_at THEN ack_due_at END, NULL, NULL, false
    FROM chunk
    UNION ALL
    SELECT 2 * id, id, 'resolve', 1, policy, calendar_version, filed_at, due_on, due_at,
           CASE class WHEN 'ended' THEN CASE WHEN ended_at < due_at THEN 'met' ELSE 'breached' END
                      WHEN 'late' THEN 'breached' ELSE 'running' END,
           ended_at, CASE WHEN class = 'late' OR ended_at >= due_at THEN due_at END,
           CASE class WHEN 'cohort' THEN 1 WHEN 'fresh' THEN 0 END,
           CASE class WHEN 'cohort' THEN due_at WHEN 'fresh' THEN warn_at END, is_provisional
    FROM chunk
    """,
    """
    INSERT INTO escalation (case_id, deadline_id, epoch, level, due_at, escalated_at, role, office_id, post_id, officer_id)
    SELECT id, 2 * id, 1, 0, warn_at, warn_at, desk_role, office_id, desk_post, desk_id
    FROM chunk WHERE class IN ('late', 'cohort')
    UNION ALL SELECT id, 2 * id, 1, 1, due_at, due_at, desk_role, office_id, desk_post, desk_id FROM chunk WHERE class = 'late'
    UNION ALL SELECT id, 2 * id, 1, 2, level_2_at, level_2_at, 'appeal_officer', office_id, appeal_post, appeal_id
              FROM chunk WHERE class = 'late'
    UNION ALL SELECT id, 2 * id, 1, 3, level_3_at, level_3_at, 'cell_officer', office_id, cell_post, cell_id
              FROM chunk WHERE class = 'late'
    """,
    """
    INSERT INTO message (key, template, channel, language, priority, case_id, address_sealed, params, body, state, attempts,
                         next_attempt_at, created_at, expires_at, ended_at)
    SELECT 'case-filed-complainant:' || id || ':sms', 'case-filed-complainant', 'sms', 'bn', 50, id,
           decode(repeat(md5(number), 3), 'hex'),
           jsonb_build_object('tracking_number', number, 'due_on', due_on::text),
           'অভিযোগ পেয়েছি। নম্বর ' || number, 'delivered', 1, filed_at, filed_at, filed_at + interval '1 day',
           filed_at + interval '9 seconds'
    FROM chunk
    """,
    """
    INSERT INTO complainant (case_id, role, name_sealed, sex, age_group, disability)
    SELECT id, 'complainant', decode(repeat(md5(number), 3), 'hex'), CASE WHEN h2 & 1 = 0 THEN 'female' ELSE 'male' END,
           (ARRAY['under_18', '18_35', '36_59', '60_plus'])[1 + (h2 >> 1 & 3)::int],
           CASE WHEN h2 >> 3 & 15 = 0 THEN 'yes' ELSE 'no' END
    FROM chunk WHERE class = 'ended'
    """,
    f"""
    INSERT INTO case_search (case_id, terms)
    SELECT c.id, array_to_tsvector(w.terms || n.marks || ARRAY['#o' || office_id, '#l' || district_id, '#l' || upazila_id,
               '#l' || division_id, '#c' || category_id, '#p' || programme_id, '#s' || (c.id >> {search_terms.NEAR_BITS}),
               '#m' || (c.id >> {search_terms.FAR_BITS})] || CASE WHEN class = 'ended' THEN '{{}}' ELSE ARRAY[p.mark] END
               || CASE WHEN is_sensitive THEN ARRAY['{search_terms.SENSITIVE}'] ELSE '{{}}' END)
    FROM chunk AS c JOIN bench.words AS w ON w.slot = c.text JOIN bench.name AS n ON n.slot = c.id % {NAMES}
    JOIN bench.phone AS p ON p.slot = c.id % {PHONES}
    """,
)
_VOCABULARY = """
    INSERT INTO search_word (word) SELECT DISTINCT term FROM bench.words CROSS JOIN unnest(terms) AS term
    WHERE length(term) BETWEEN 3 AND 24 ON CONFLICT DO NOTHING
"""
_FLOOR = """
    INSERT INTO floor.cases (id, number, ministry_id, district_id, category_id, status, level, details, filed_at, due_at, next_at)
    SELECT c.id, c.tracking_number, c.office_id, c.district_id, c.category_id, c.status, c.level, c.details, c.filed_at,
           c.due_at, d.next_rung_at
    FROM cases AS c JOIN deadline AS d ON d.case_id = c.id AND d.kind = 'resolve' ORDER BY c.id
"""
_SET_SEQUENCE = "SELECT setval(pg_get_serial_sequence('{table}', 'id'), coalesce((SELECT max(id) FROM {table}), 1))"


def _in_chunks(url: str, shape: Shape, seed: int, threads: int, say: Say, started: float) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_ESCALATED)
    starts = range(1, shape.size + 1, CHUNK)

    def load(first: int) -> int:
        with psycopg.connect(url, autocommit=True, options="-c synchronous_commit=off -c jit=off") as connection:
            connection.execute("SET session_replication_role = replica")
            _load(connection, first, min(shape.size, first + CHUNK - 1))
        return first

    done = 0
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(load, starts):
            done += 1
            if done % 5 == 0 or done == len(starts):
                say(f"  {min(done * CHUNK, shape.size):,} of {shape.size:,} cases, {time.monotonic() - started:.0f} s")


def _load(connection: psycopg.Connection[Any], first: int, last: int) -> None:
    connection.execute("DROP TABLE IF EXISTS chunk, links")
    chunk = _CHUNK.format(cohorts=COHORTS, days=DAYS)
    connection.execute(chunk, {"first": first, "last": last})
    connection.execute("ANALYZE chunk")
    connection.execute(_LINKS)
    connection.execute("ANALYZE links")
    with connection.transaction():
        for statement in _INSERTS:
            connection.execute(statement)


def _names(seed: int) -> list[str]:
    """The names of complainants, drawn by the number of the case."""
    rng = random.Random(seed + 1)
    return [person(rng, "bn").name for _ in range(NAMES)]


def _phone(case_id: int) -> str:
    return f"+88013001{case_id % PHONES:05d}"


def _people(connection: psycopg.Connection[Any], keyring: Any, names: list[str]) -> None:
    """The complainants of open cases, with telephones really sealed to their rows."""
    numbers = connection.execute("SELECT id, tracking_number FROM cases WHERE is_open ORDER BY id").fetchall()
    columns = "case_id, role, name_sealed, phone_sealed, phone_index, sex, age_group, disability"
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY complainant ({columns}) FROM STDIN WITH (FORMAT binary)") as copy,
    ):
        copy.set_types(["int8", "text", "bytea", "bytea", "bytea", "text", "text", "text"])
        for case_id, number in numbers:
            phone = _phone(case_id)
            copy.write_row(
                (
                    case_id,
                    "complainant",
                    keyring.seal(names[case_id % NAMES], f"complainant.name:{number}"),
                    keyring.seal(phone, f"complainant.phone:{number}"),
                    keyring.blind_index("phone", phone),
                    "female",
                    "36_59",
                    "no",
                )
            )


def _floor(connection: psycopg.Connection[Any]) -> None:
    connection.execute(_FLOOR)
    connection.execute(
        "SELECT setval(pg_get_serial_sequence('floor.cases', 'id'), coalesce((SELECT max(id) FROM cases), 1))"
    )
    connection.execute(floor_app.INDEXES)


def _drop_indexes(connection: psycopg.Connection[Any]) -> list[str]:
    """Drop what a bulk load need not keep current, and return the statements that make it again."""
    tables = list(INDEXED)
    made = connection.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype = 'u' AND conrelid::regclass::text = ANY(%s)",
        (tables,),
    ).fetchall()
    leaning = connection.execute(
        "SELECT f.conrelid::regclass::text, f.conname, pg_get_constraintdef(f.oid) FROM pg_constraint AS f "
        "JOIN pg_constraint AS u ON u.conindid = f.conindid AND u.contype = 'u' "
        "WHERE f.contype = 'f' AND f.confrelid::regclass::text = ANY(%s)",
        (tables,),
    ).fetchall()
    for table, name, _ in leaning:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    again = []
    for table, name, definition in made:
        connection.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        again.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
    rows = connection.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index AS i "
        "WHERE i.indrelid::regclass::text = ANY(%s) AND NOT i.indisprimary",
        (tables,),
    ).fetchall()
    for name, definition in rows:
        connection.execute(f"DROP INDEX {name}")
        again.append(definition)
    again += [f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}" for table, name, definition in leaning]
    return again


@contextmanager
def rolled_back(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Run statements whose effects are not to stay."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
