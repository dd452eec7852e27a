"""Cases that are likely the same grievance as one: a suggestion for the officer, never more (feature M23).

Three reasons, each of which tells why: somebody of the same telephone number; somebody of the same name in the same upazila
(where only the district is known, about the same programme); a complaint about the same programme (else category) and place in
much the same words. Open cases, and those filed within half a year of this one, that are not answered together with it already;
only what the actor may see. One statement, whatever the size of the case or of the database: of the cases of the same kind it
compares the 200 that were filed nearest to this one (`search_terms.far_mark` bounds where they are looked for).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Float, and_, column, exists, or_, select, text
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session
from sqlalchemy.types import Boolean

from grm.cases.links_models import CaseLink
from grm.cases.models import Case
from grm.cases.queries import visible_to
from grm.cases.search_terms import FAR_BITS, category_mark, place_mark, programme_mark
from grm.kernel.actor import Actor

MOST = 5
LEAST_ALIKE = 0.5
"""Twice the words in common by the words of both (Dice): from here on two complaints say much the same."""
NEAR_IN_TIME = timedelta(days=180)
NEIGHBOURS = 2
"""Spans of 131,072 cases on either side that are looked at."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A case that may be the same grievance, and why: `reasons` of phone, name, words, the strongest first."""

    case_id: int
    tracking_number: str
    status: str
    is_open: bool
    office_id: int
    programme_id: int | None
    category_id: int
    district_id: int | None
    filed_at: datetime
    due_on: date
    reasons: tuple[str, ...]


_CANDIDATES = text(
    """
    WITH own AS MATERIALIZED (
        SELECT tsvector_to_array(terms) AS terms FROM case_search WHERE case_id = :case_id
    ), mine AS MATERIALIZED (
        SELECT (SELECT array_agg(term) FROM unnest(terms) AS term WHERE term NOT LIKE '#%') AS words,
               (SELECT CASE WHEN count(*) BETWEEN 2 AND 8 THEN string_agg(quote_literal(term), ' & ') END
                FROM unnest(terms) AS term WHERE term LIKE '#n%') || CAST(:near_home AS text) AS name
        FROM own
    ), by_phone AS MATERIALIZED (
        SELECT DISTINCT them.case_id FROM complainant AS me JOIN complainant AS them USING (phone_index)
        WHERE me.case_id = :case_id AND them.case_id <> :case_id LIMIT 200
    ), by_name AS MATERIALIZED (
        SELECT case_id FROM case_search WHERE terms @@ (SELECT CAST(name AS tsquery) FROM mine)
    ), of_kind AS MATERIALIZED (
        SELECT case_id FROM case_search WHERE terms @@ CAST(:kin AS tsquery)
    ), near AS (
        SELECT case_id FROM of_kind WHERE case_id <> :case_id ORDER BY abs(case_id - :case_id) LIMIT 200
    ), likeness AS (
        SELECT near.case_id, 2.0 * shared / (cardinality(mine.words) + length) AS value
        FROM near CROSS JOIN mine JOIN case_search AS s USING (case_id) CROSS JOIN LATERAL (
            SELECT count(*) AS length, count(*) FILTER (WHERE term = ANY (mine.words)) AS shared
            FROM unnest(tsvector_to_array(s.terms)) AS term WHERE term NOT LIKE '#%') AS counted
        WHERE shared >= 4
    )
    SELECT case_id, bool_or(is_phone) AS same_phone, bool_or(is_name) AS same_name, max(likeness) AS likeness
    FROM (
        SELECT case_id, true AS is_phone, false AS is_name, 0.0::float8 AS likeness FROM by_phone
        UNION ALL
        (SELECT case_id, false, true, 0.0 FROM by_name WHERE case_id <> :case_id ORDER BY abs(case_id - :case_id) LIMIT 100)
        UNION ALL
        SELECT case_id, false, false, value FROM likeness WHERE value >= :least
    ) AS found
    GROUP BY case_id
    """
).columns(
    column("case_id", BigInteger),
    column("same_phone", Boolean),
    column("same_name", Boolean),
    column("likeness", Float),
)


_COLUMNS = (
    *(Case.id, Case.tracking_number, Case.status, Case.is_open, Case.office_id, Case.programme_id, Case.category_id),
    *(Case.district_id, Case.filed_at, Case.due_on),
)


def suggestions(session: Session, actor: Actor, case: Case) -> tuple[Suggestion, ...]:
    """At most `MOST` cases that the actor may see and that are likely about the same, the likeliest first (one statement)."""
    found = _CANDIDATES.subquery("alike")
    weight = (
        sql_case((found.c.same_phone, 4.0), else_=0.0)
        + sql_case((found.c.same_name, 2.0), else_=0.0)
        + found.c.likeness
    )
    statement = (
        select(*_COLUMNS, found.c.same_phone, found.c.same_name, found.c.likeness)
        .join(found, found.c.case_id == Case.id)
        .where(
            visible_to(actor),
            Case.outcome.is_distinct_from("merged"),
            Case.parent_id.is_distinct_from(case.id),
            ~exists().where(
                CaseLink.ended_at.is_(None),
                or_(
                    and_(CaseLink.case_id == Case.id, CaseLink.lead_id == case.id),
                    and_(CaseLink.case_id == case.id, CaseLink.lead_id == Case.id),
                ),
            ),
            or_(
                Case.is_open,
                and_(Case.filed_at >= case.filed_at - NEAR_IN_TIME, Case.filed_at <= case.filed_at + NEAR_IN_TIME),
            ),
        )
        .order_by(weight.desc(), Case.id.desc())
        .limit(MOST)
    )
    return tuple(_suggestion(row) for row in session.execute(statement, _asked(case)))


def _asked(case: Case) -> dict[str, Any]:
    """The parameters: which cases are of a kind with this one."""
    place_id = case.upazila_id or case.district_id
    of_kind = programme_mark(case.programme_id) if case.programme_id else category_mark(case.category_id)
    span = case.id >> FAR_BITS
    spans = " | ".join(f"'#m{near}'" for near in range(max(0, span - NEIGHBOURS), span + NEIGHBOURS + 1))
    home = f" & '{place_mark(place_id)}'" if place_id else None
    if home and not case.upazila_id:
        home += f" & '{of_kind}'"
    return {
        "case_id": case.id,
        "near_home": home,
        "kin": f"'{of_kind}' & '{place_mark(place_id)}' & ({spans})" if place_id else "'#'",
        "least": LEAST_ALIKE,
    }


def _suggestion(row: Any) -> Suggestion:
    reasons = (("phone", row.same_phone), ("name", row.same_name), ("words", row.likeness >= LEAST_ALIKE))
    values: tuple[Any, ...] = (*row[: len(_COLUMNS)], tuple(reason for reason, holds in reasons if holds))
    return Suggestion(*values)
