"""The handover dossier: what a successor has to know of the work of an office or an officer.

Read anew at every visit, never kept: each list goes through `visible_to(reader)`, so that the same dossier shows each reader
what they may see then. What went to whom is the record (`grm/cases/handover_models.py`). Every list is bounded.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, and_, func, select
from sqlalchemy.orm import Session

from grm.cases.closing_models import Hearing
from grm.cases.duties import is_investigated
from grm.cases.models import Case, CaseEvent, CaseText, Direction
from grm.cases.queries import visible_to
from grm.deadlines.models import Deadline
from grm.kernel.actor import Actor
from grm.offices.queries import StaffedPost, holders

MOST_CASES = 200
MOST_PROMISES = 100
MOST_PATTERNS = 8
LEAST_ALIKE = 2
LOOK_BACK = timedelta(days=365)
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Work:
    """Whose work a dossier is about: the open cases of an officer at some offices, or those of one handover (`case_ids`)."""

    office_ids: tuple[int, ...]
    officer_id: int | None = None
    case_ids: tuple[int, ...] | None = None

    def condition(self) -> ColumnElement[bool]:
        """The cases, as a condition on `Case`."""
        if self.case_ids is not None:
            return Case.id.in_(self.case_ids)
        return and_(Case.assignee_id == self.officer_id, Case.office_id.in_(self.office_ids))


@dataclass(frozen=True, slots=True)
class Pattern:
    """Alike cases of the last twelve months: what they were about, where, how they were solved."""

    programme_id: int | None
    category_id: int
    district_id: int | None
    count: int
    open_count: int
    outcomes: tuple[tuple[str, int], ...]
    causes: tuple[str, ...]
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Promise:
    """Something the office has said it would do or wait for, and until when."""

    kind: str
    tracking_number: str
    on: date | None
    at: datetime | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Dossier:
    """All of it. `total` counts the open cases that the reader may see, of which the most urgent are listed."""

    cases: Sequence[Any]
    total: int
    promises: tuple[Promise, ...]
    investigations: Sequence[Any]
    patterns: tuple[Pattern, ...]
    contacts: tuple[StaffedPost, ...]


def load(session: Session, actor: Actor, work: Work, today: date) -> Dossier:
    """Read a dossier as a reader may see it (a constant number of statements)."""
    mine = and_(work.condition(), visible_to(actor))
    return Dossier(
        cases=_cases(session, mine),
        total=session.scalar(select(func.count()).select_from(Case).where(mine, Case.is_open)) or 0,
        promises=_promises(session, mine, today),
        investigations=_investigations(session, mine),
        patterns=patterns(session, actor, work.office_ids, today),
        contacts=holders(session, work.office_ids, today),
    )


_CASE = (
    *(
        Case.tracking_number,
        Case.status,
        Case.tier,
        Case.main_clock,
        Case.level,
        Case.due_on,
        Case.due_at,
        Case.is_paused,
    ),
    *(Case.waiting_until, Case.programme_id, Case.category_id, Case.district_id, Case.is_sensitive, Case.received_on),
    *(Case.assignee_id, Case.is_open, Case.acknowledged_at),
)


def _cases(session: Session, mine: ColumnElement[bool]) -> Sequence[Any]:
    """The open cases, the most urgent first: those that stand still come after those that run."""
    listed = select(*_CASE).where(mine, Case.is_open).order_by(Case.is_paused, Case.due_at, Case.id)
    return session.execute(listed.limit(MOST_CASES)).all()


def _promises(session: Session, mine: ColumnElement[bool], today: date) -> tuple[Promise, ...]:
    found: list[Promise] = []
    for number, at, place in session.execute(
        select(Case.tracking_number, Hearing.at, Hearing.place)
        .join(Hearing, Hearing.case_id == Case.id)
        .where(mine, Hearing.state == "planned")
        .order_by(Hearing.at)
        .limit(MOST_PROMISES)
    ):
        found.append(Promise("hearing", number, None, at, place))
    dated: tuple[tuple[str, Any], ...] = (
        ("question", _asked_until(mine)),
        ("direction", _directions(mine)),
        ("answer", _answers(mine, today)),
        ("extension", _extensions(mine)),
    )
    for kind, statement in dated:
        found += [Promise(kind, number, on) for number, on in session.execute(statement.limit(MOST_PROMISES))]
    return tuple(found)


def _asked_until(mine: ColumnElement[bool]) -> Any:
    until = func.timezone("Asia/Dhaka", Case.waiting_until).cast(Date) - 1
    return select(Case.tracking_number, until).where(mine, Case.waiting_until.is_not(None)).order_by(Case.waiting_until)


def _directions(mine: ColumnElement[bool]) -> Any:
    clock = and_(Deadline.case_id == Case.id, Deadline.kind == "direct", Deadline.epoch == Direction.epoch)
    due = (
        select(Case.tracking_number, Deadline.due_on)
        .join(Direction, Direction.case_id == Case.id)
        .join(Deadline, clock)
    )
    return due.where(mine, Direction.ended_at.is_(None)).order_by(Deadline.due_on)


def _answers(mine: ColumnElement[bool], today: date) -> Any:
    """Answers that the complainant may still object to, and until when."""
    until = CaseEvent.data["confirm_by_on"].astext.cast(Date)
    answered = select(Case.tracking_number, func.max(until).label("until_on"))
    answered = answered.join(CaseEvent, CaseEvent.case_id == Case.id)
    kinds = CaseEvent.kind.in_(("resolved", "complied"))
    grouped = answered.where(mine, Case.status == "resolved", kinds).group_by(Case.tracking_number)
    return grouped.having(func.max(until) >= today).order_by(func.max(until))


def _extensions(mine: ColumnElement[bool]) -> Any:
    """More time that was granted: it is not granted twice."""
    extended = select(Case.tracking_number, Deadline.due_on).join(Deadline, Deadline.case_id == Case.id)
    live = and_(Deadline.extension_days > 0, Deadline.met_at.is_(None), Deadline.kind == Case.main_clock)
    return extended.where(mine, Case.is_open, live).order_by(Deadline.due_on)


def _investigations(session: Session, mine: ColumnElement[bool]) -> Sequence[Any]:
    due = (
        select(func.max(Deadline.due_on))
        .where(Deadline.case_id == Case.id, Deadline.kind == "investigate", Deadline.met_at.is_(None))
        .scalar_subquery()
    )
    running = select(Case.tracking_number, due.label("due_on")).where(mine, Case.is_open, is_investigated())
    return session.execute(running.order_by("due_on").limit(MOST_PROMISES)).all()


def patterns(session: Session, actor: Actor, office_ids: Sequence[int], today: date) -> tuple[Pattern, ...]:
    """What came up at these offices again and again in the last twelve months, and how it was solved (one statement, and three
    for each line)."""
    since = today - LOOK_BACK
    seen = and_(Case.office_id.in_(office_ids), Case.received_on > since, visible_to(actor))
    key = (Case.programme_id, Case.category_id, Case.district_id)
    opened = func.count().filter(Case.is_open)
    top = session.execute(
        select(*key, func.count(), opened)
        .where(seen)
        .group_by(*key)
        .having(func.count() >= LEAST_ALIKE)
        .order_by(func.count().desc(), *key)
        .limit(MOST_PATTERNS)
    ).all()
    if not top:
        return ()
    return tuple(
        Pattern(
            *row[:3],
            count=row[3],
            open_count=row[4],
            outcomes=_outcomes(session, and_(seen, _same(row))),
            causes=_causes(session, and_(seen, _same(row))),
            examples=_examples(session, and_(seen, _same(row))),
        )
        for row in top
    )


def _same(row: Any) -> ColumnElement[bool]:
    return and_(
        Case.programme_id.is_not_distinct_from(row[0]),
        Case.category_id == row[1],
        Case.district_id.is_not_distinct_from(row[2]),
    )


def _outcomes(session: Session, alike: ColumnElement[bool]) -> tuple[tuple[str, int], ...]:
    counted = select(Case.outcome, func.count()).where(alike, Case.outcome.is_not(None), ~Case.is_open)
    rows = session.execute(counted.group_by(Case.outcome).order_by(func.count().desc(), Case.outcome).limit(3))
    return tuple((str(row[0]), row[1]) for row in rows)


def _causes(session: Session, alike: ColumnElement[bool]) -> tuple[str, ...]:
    """The latest root causes that were written down, each once."""
    written = (
        select(CaseText.body)
        .join(Case, Case.id == CaseText.case_id)
        .where(alike, ~Case.is_open, CaseText.field == "root_cause", CaseText.body.is_not(None))
        .order_by(Case.ended_at.desc())
        .limit(12)
    )
    return tuple(dict.fromkeys(str(body) for body in session.scalars(written)))[:EXAMPLES]


def _examples(session: Session, alike: ColumnElement[bool]) -> tuple[str, ...]:
    """Cases to look at: solved ones, the latest first."""
    solved = select(Case.tracking_number).where(alike, ~Case.is_open, Case.outcome.is_not(None))
    return tuple(session.scalars(solved.order_by(Case.ended_at.desc(), Case.id).limit(EXAMPLES)))
