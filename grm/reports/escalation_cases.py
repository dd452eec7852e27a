"""The late cases themselves, each with its path: one page of them, those late longest first."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.models import Case
from grm.kernel import clock
from grm.kernel.actor import Actor
from grm.kernel.db import among
from grm.kernel.text import latin_digits
from grm.offices.directory import Directory
from grm.reports import escalation_paths, lists
from grm.reports.escalation_paths import Path
from grm.reports.measures import Selection
from grm.tallies.scope import Scope

PAGE = 20
ON_REPORT = 5
"""So many stand on the report itself."""


@dataclass(frozen=True, slots=True)
class Late:
    """A late case with what its line shows, its path, and the names on it."""

    row: Any
    path: Path


@dataclass(frozen=True, slots=True)
class LatePage:
    """One page: the cases, the officers their paths name, and where the next page begins (empty: there is none)."""

    cases: Sequence[Late]
    officers: Any
    after: str


def page(
    session: Session,
    actor: Actor,
    book: Directory,
    scope: Scope,
    chosen: Selection,
    now: datetime,
    after: lists.Mark | None = None,
    limit: int = PAGE,
    office_ids: Collection[int] | None = None,
) -> LatePage:
    """Read a page of a choice of escalated cases (five statements, however many cases there are). `office_ids` are the offices
    where they lie (`escalation_figures`), so that an index is asked for the first of each."""
    order = lists.natural(chosen)
    found = lists.page(session, actor, book, scope, chosen, now, order, after, office_ids=office_ids, limit=limit)
    ids = [row.id for row in found[:limit]]
    columns = (
        Case.id,
        Case.tracking_number,
        Case.version,
        Case.status,
        Case.level,
        Case.tier,
        Case.office_id,
        Case.desk,
    )
    rows = {
        row.id: row
        for row in session.execute(
            select(
                *columns,
                Case.due_on,
                Case.due_at,
                Case.is_paused,
                Case.is_sensitive,
                Case.category_id,
                Case.district_id,
            )
            .add_columns(Case.asked_higher_at, Case.reminded_at, Officer.name_bn, Officer.name_en)
            .outerjoin(Officer, Officer.id == Case.assignee_id)
            .where(Case.id == among(ids))
        )
    }
    paths = escalation_paths.load(session, ids, now)
    cases = [Late(rows[case_id], paths.of[case_id]) for case_id in ids if case_id in rows and case_id in paths.of]
    mark = ""
    if len(found) > limit:
        last = found[limit - 1]
        mark = f"{last.due_at.timestamp():.6f}-{last.id}"
    return LatePage(cases, paths.officers, mark)


def mark_from(text: str) -> lists.Mark | None:
    """Read where a page begins; what means nothing shows the first page. Bangla digits work too."""
    instant, _, number = latin_digits(text[:60]).rpartition("-")
    try:
        case_id = int(number)
        return (
            lists.Mark(datetime.fromtimestamp(float(instant), tz=clock.DHAKA), case_id) if 0 < case_id < 2**63 else None
        )
    except (ValueError, OverflowError, OSError):
        return None
