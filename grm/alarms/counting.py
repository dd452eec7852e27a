"""How many cases came in each day, by place and matter and by programme and matter: kept in `alarm_count`, made of the cases.

A morning counts the latest days anew, for papers are entered later than they came; older days stay as they were. So it reads two
weeks of cases at any size of the system, by the index on office and day of receipt; the first morning reads the five months
behind it, a week in each transaction.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.alarms.models import AlarmCount
from grm.alarms.rules import HISTORY_WEEKS, LONGEST_SURGE_WEEKS, WEEK, season
from grm.kernel.transaction import transaction
from grm.offices.queries import directory

AGAIN_DAYS = 14
KEPT_DAYS = WEEK * (HISTORY_WEEKS + LONGEST_SURGE_WEEKS + 2)
"""What the rules look back to: thirteen weeks before the longest surge there can be."""

ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('alarms', 0))")
"""Two that count the same days wait for each other; the second finds what it would have written."""
FORGET = text("DELETE FROM alarm_count WHERE day BETWEEN :first AND :last OR day < :oldest")
COUNT = text(
    """
    INSERT INTO alarm_count (day, dimension, value, category_id, cases)
    SELECT received_on,
           CASE WHEN grouping(district_id) = 0 THEN 'district' WHEN grouping(programme_id) = 0 THEN 'programme' ELSE 'day' END,
           coalesce(district_id, programme_id, 0), coalesce(category_id, 0), count(*)
    FROM cases
    WHERE office_id = ANY (:offices) AND received_on BETWEEN :first AND :last AND parent_id IS NULL
    GROUP BY GROUPING SETS ((received_on, district_id, category_id), (received_on, programme_id, category_id), (received_on))
    HAVING (grouping(district_id) = 1 OR district_id IS NOT NULL) AND (grouping(programme_id) = 1 OR programme_id IS NOT NULL)
    """
)
"""Of each day: by district and category, by programme and category, and in all (as value 0 of no category)."""
MARK = text(
    """
    INSERT INTO alarm_count (day, dimension, value, category_id, cases)
    SELECT CAST(day AS date), 'day', 0, 0, 0
    FROM generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day') AS day
    ON CONFLICT DO NOTHING
    """
)
"""Days without a case were counted, too."""

LAST_YEAR = text(
    """
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:subjects AS text[]), CAST(:districts AS bigint[]), CAST(:programmes AS bigint[]),
                             CAST(:categories AS bigint[])) AS w (subject, district_id, programme_id, category_id)
    ), came AS (
        SELECT w.subject, c.received_on
        FROM wanted AS w JOIN cases AS c ON c.district_id = w.district_id AND c.category_id = w.category_id
        WHERE c.received_on BETWEEN :first AND :last AND c.parent_id IS NULL
        UNION ALL
        SELECT w.subject, c.received_on
        FROM wanted AS w JOIN cases AS c ON c.programme_id = w.programme_id AND c.category_id = w.category_id
        WHERE c.office_id = ANY (:offices) AND c.received_on BETWEEN :first AND :last AND c.parent_id IS NULL
    ), weeks AS (
        SELECT subject, count(*) AS cases FROM came GROUP BY subject, (received_on - CAST(:first AS date)) / 7
    )
    SELECT w.subject, coalesce(max(weeks.cases), 0) AS cases
    FROM wanted AS w LEFT JOIN weeks USING (subject)
    WHERE EXISTS (SELECT FROM cases WHERE office_id = ANY (:offices) AND received_on <= :first)
    GROUP BY w.subject
    """
)
"""Of each subject the fullest of three weeks of last year; nothing where the system does not go back so far. By the indexes on
day of receipt of district and office, and only for what would be a surge by itself."""

Days = Mapping[date, int]


def count(last_day: date, now: datetime | None = None) -> int:
    """Count the days up to `last_day` that are not counted yet, and the latest ones anew; how many transactions it took."""
    oldest = last_day - timedelta(days=KEPT_DAYS - 1)
    with transaction(now) as act:
        counted = select(AlarmCount.day).where(AlarmCount.dimension == "day", AlarmCount.day >= oldest)
        latest = max(act.session.scalars(counted), default=oldest - timedelta(days=1))
    first = max(oldest, min(latest + timedelta(days=1), last_day - timedelta(days=AGAIN_DAYS - 1)))
    steps = 0
    while first <= last_day:
        last = min(first + timedelta(days=WEEK - 1), last_day)
        with transaction(now) as act:
            act.session.execute(text("SET LOCAL statement_timeout = 0"))
            act.session.execute(ALONE)
            act.session.execute(FORGET, {"first": first, "last": last, "oldest": oldest})
            offices = [office.id for office in directory(act.session).offices]
            act.session.execute(COUNT, {"first": first, "last": last, "offices": offices})
            act.session.execute(MARK, {"first": first, "last": last})
        first, steps = last + timedelta(days=1), steps + 1
    return steps


def by_place(session: Session) -> dict[tuple[int, int], Days]:
    """The cases of each day by (district, category)."""
    return _read(session, "district")


def by_programme(session: Session) -> dict[tuple[int, int], Days]:
    """The cases of each day by (programme, category)."""
    return _read(session, "programme")


def last_year(session: Session, subjects: Mapping[str, Mapping[str, int]], last_day: date) -> dict[str, int]:
    """How many cases came last year in the fullest week of the `rules.season` of `last_day`, by subject (with its `district_id`
    or `programme_id`, and `category_id`); none where that is not known."""
    if not subjects:
        return {}
    first, last = season(last_day)
    ids = {
        name: [about.get(column) for about in subjects.values()]
        for name, column in (
            ("districts", "district_id"),
            ("programmes", "programme_id"),
            ("categories", "category_id"),
        )
    }
    offices = [office.id for office in directory(session).offices]
    given = {"subjects": list(subjects), **ids, "first": first, "last": last, "offices": offices}
    return {row.subject: row.cases for row in session.execute(LAST_YEAR, given)}


def in_all(session: Session) -> Days:
    """The cases of each day that was counted."""
    return _read(session, "day").get((0, 0), {})


def _read(session: Session, dimension: str) -> dict[tuple[int, int], Days]:
    found: dict[tuple[int, int], dict[date, int]] = defaultdict(dict)
    columns = (AlarmCount.value, AlarmCount.category_id, AlarmCount.day, AlarmCount.cases)
    for value, category_id, day, cases in session.execute(select(*columns).where(AlarmCount.dimension == dimension)):
        found[value, category_id][day] = cases
    return dict(found)
