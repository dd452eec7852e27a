"""Cases that are likely the same grievance as one: a suggestion for the officer, never more (feature M23).

Three reasons, each of which tells why: somebody of the same telephone number, somebody of the same name in the same district, or
a complaint about the same programme (else category) and place in much the same words. Open cases, and those filed within half
a year of this one; only what the actor may see. One statement, whatever the size of the case or of the database: it looks at
the newest cases of the same kind among those filed at about the same time (`search_terms.far_mark`).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Float, and_, column, or_, select, text
from sqlalchemy import case as sql_case
from sqlalchemy.orm import Session
from sqlalchemy.types import Boolean

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
    due_on: Any
    reasons: tuple[str, ...]


# A lexeme is quoted for to_tsquery by doubling quotes and backslashes; terms hold neither.
_CANDIDATES = text(
    """
    SELECT other.case_id AS case_id, bool_or(other.is_phone) AS same_phone, bool_or(other.is_name) AS same_name,
           max(other.likeness) AS likeness
    FROM (
        SELECT them.case_id, true AS is_phone, false AS is_name, 0.0::float8 AS likeness
        FROM (SELECT DISTINCT phone_index FROM complainant
              WHERE case_id = :case_id AND phone_index IS NOT NULL LIMIT 20) AS mine
        CROSS JOIN LATERAL (
            SELECT case_id FROM complainant WHERE complainant.phone_index = mine.phone_index AND case_id <> :case_id
            ORDER BY case_id DESC LIMIT 100) AS them
        UNION ALL
        SELECT named.case_id, false, true, 0.0
        FROM (SELECT string_agg('\'' || term || '\'', ' & ') AS wanted
              FROM case_search AS s, unnest(tsvector_to_array(s.terms)) AS term
              WHERE s.case_id = :case_id AND term LIKE '#n%' HAVING count(*) BETWEEN 2 AND 8) AS mine
        CROSS JOIN LATERAL (
            SELECT s.case_id FROM case_search AS s
            WHERE s.terms @@ (mine.wanted || :of_place)::tsquery AND s.case_id <> :case_id AND :of_place <> ''
            ORDER BY s.case_id DESC LIMIT 100) AS named
        UNION ALL
        SELECT kin.case_id, false, false, 2.0 * kin.shared / (kin.own + mine.own)
        FROM (SELECT array_agg(term) AS terms, count(*) AS own
              FROM case_search AS s, unnest(tsvector_to_array(s.terms)) AS term
              WHERE s.case_id = :case_id AND term NOT LIKE '#%') AS mine
        CROSS JOIN LATERAL (
            SELECT near.case_id, count(*) AS own, count(*) FILTER (WHERE term = ANY (mine.terms)) AS shared
            FROM (SELECT s.case_id, s.terms FROM case_search AS s
                  WHERE s.terms @@ CAST(:kin AS tsquery) AND s.case_id <> :case_id
                  ORDER BY s.case_id DESC LIMIT 300) AS near,
                 unnest(tsvector_to_array(near.terms)) AS term
            WHERE term NOT LIKE '#%' GROUP BY near.case_id) AS kin
        WHERE kin.shared >= 4 AND 2.0 * kin.shared / (kin.own + mine.own) >= :least
    ) AS other
    GROUP BY other.case_id
    """
).columns(
    column("case_id", BigInteger),
    column("same_phone", Boolean),
    column("same_name", Boolean),
    column("likeness", Float),
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
        select(Case, found.c.same_phone, found.c.same_name, found.c.likeness)
        .join(found, found.c.case_id == Case.id)
        .where(
            visible_to(actor),
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
    return {
        "case_id": case.id,
        "of_place": f" & '{place_mark(case.district_id)}'" if case.district_id else "",
        "kin": f"'{of_kind}' & '{place_mark(place_id)}' & ({spans})" if place_id else "'#'",
        "least": LEAST_ALIKE,
    }


def _suggestion(row: Any) -> Suggestion:
    case: Case = row.Case
    reasons = (("phone", row.same_phone), ("name", row.same_name), ("words", row.likeness >= LEAST_ALIKE))
    return Suggestion(
        case_id=case.id,
        tracking_number=case.tracking_number,
        status=case.status,
        is_open=case.is_open,
        office_id=case.office_id,
        programme_id=case.programme_id,
        category_id=case.category_id,
        district_id=case.district_id,
        filed_at=case.filed_at,
        due_on=case.due_on,
        reasons=tuple(reason for reason, holds in reasons if holds),
    )
