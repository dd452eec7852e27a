"""What an officer leaves behind: the inventory that a handover goes by (B20).

Each kind of duty is one entry of `KINDS`: how it is found, who may take it, and what changes when it changes hands. A new table
with a column that names a duty gets an entry here; `tests/integration/test_handover.py` fails for a column nobody has judged.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, and_, exists, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, aliased

from grm.cases.bulk_models import BulkAct
from grm.cases.closing_models import Hearing
from grm.cases.investigations import INVESTIGATOR_ROLES
from grm.cases.models import Case, CaseEvent, Direction
from grm.cases.permissions import HANDLER_ROLES
from grm.deadlines.models import Deadline, Extension
from grm.offices.models import Post, Posting

DECIDER_ROLES = {"gro": ("gro", "appeal_officer"), "appeal": ("appeal_officer",), "cell": ("cell_officer",)}
"""Who decides on requests at a desk, besides the cell, which may decide on all (`permissions.MAY_DO`)."""


@dataclass(frozen=True, slots=True)
class Duty:
    """One thing that somebody must have after the officer has gone."""

    kind: str
    office_id: int
    desk: str = ""
    case_id: int | None = None
    ref_id: int | None = None
    role: str = ""
    """Of an alternate's seat."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """Which seats an officer gives up. `office_ids` is None where all of them are (a closed account); `kept` are the roles that
    the officer goes on having at an office, whose duties stay."""

    officer_id: int
    office_ids: frozenset[int] | None
    ending: Mapping[int, frozenset[str]] = field(default_factory=dict)
    kept: Mapping[int, frozenset[str]] = field(default_factory=dict)
    alternate_posting_ids: tuple[int, ...] = ()

    def keeps(self, office_id: int, roles: Collection[str]) -> bool:
        """Whether the officer goes on sitting at an office in one of the roles."""
        return bool(self.kept.get(office_id, frozenset()) & set(roles))

    def gives_up(self, office_id: int, roles: Collection[str]) -> bool:
        """Whether a seat with one of the roles ends at an office, and no other remains."""
        return bool(self.ending.get(office_id, frozenset()) & set(roles)) and not self.keeps(office_id, roles)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of duty. `columns` are those that name the officer; `follows` tells that it goes wherever its case goes."""

    code: str
    columns: tuple[str, ...]
    find: Callable[[Session, Leaving], Iterable[Duty]]
    follows: bool = False


def inventory(session: Session, leaving: Leaving) -> tuple[Duty, ...]:
    """Everything that is to be handed over, in the order of `KINDS` (one statement for each kind)."""
    return tuple(duty for kind in KINDS for duty in kind.find(session, leaving))


def _at(column: Any, leaving: Leaving) -> Any:
    return literal(True) if leaving.office_ids is None else column.in_(leaving.office_ids)


def _assigned(leaving: Leaving) -> Select[*tuple[Any, ...]]:
    """The open cases the officer holds at these offices, with id, office and desk."""
    columns = (Case.id, Case.office_id, Case.desk)
    where = (Case.assignee_id == leaving.officer_id, Case.is_open, _at(Case.office_id, leaving))
    return select(*columns).where(*where).order_by(Case.due_at, Case.id)


def _cases(session: Session, leaving: Leaving) -> Iterable[Duty]:
    for case_id, office_id, desk in session.execute(_assigned(leaving)):
        if not leaving.keeps(office_id, HANDLER_ROLES[desk]):
            yield Duty("case", office_id, desk, case_id)


def _with_case(kind: str, ref: Any, *conditions: Any) -> Callable[[Session, Leaving], Iterable[Duty]]:
    """Rows of another table that hang on a case the officer holds."""

    def find(session: Session, leaving: Leaving) -> Iterable[Duty]:
        joined = _assigned(leaving).add_columns(ref).join(ref.class_, ref.class_.case_id == Case.id).where(*conditions)
        for case_id, office_id, desk, ref_id in session.execute(joined):
            if not leaving.keeps(office_id, HANDLER_ROLES[desk]):
                yield Duty(kind, office_id, desk, case_id, ref_id)

    return find


def investigators_of(case: Any = Case) -> Any:
    """Who investigates a case, as the newest event about it says: a JSON array of officer ids, as a scalar subquery."""
    event = aliased(CaseEvent)
    return (
        select(event.data["investigator_ids"].cast(JSONB))
        .where(event.case_id == case.id, event.kind.in_(("investigation_started", "investigators_changed")))
        .order_by(event.seq.desc())
        .limit(1)
        .scalar_subquery()
    )


def is_investigated() -> Any:
    """Whether a report on the case is still due, as a condition on `Case`."""
    return exists().where(Deadline.case_id == Case.id, Deadline.kind == "investigate", Deadline.met_at.is_(None))


def _investigations(session: Session, leaving: Leaving) -> Iterable[Duty]:
    # The cases of the offices with a report due are few; without offices, wherever the officer has ever sat.
    ever = select(Post.office_id).join(Posting).where(Posting.officer_id == leaving.officer_id)
    places = Case.office_id.in_(ever) if leaving.office_ids is None else _at(Case.office_id, leaving)
    found = select(Case.id, Case.office_id, Case.desk).where(places, Case.is_open, is_investigated())
    # Not in a WHERE: the planner would look at the history of every case of the office first.
    rows = session.execute(found.add_columns(investigators_of()).order_by(Case.due_at, Case.id))
    for case_id, office_id, desk, officers in rows:
        if leaving.officer_id in (officers or ()) and not leaving.keeps(office_id, INVESTIGATOR_ROLES[desk]):
            yield Duty("investigation", office_id, desk, case_id)


def _extensions(session: Session, *conditions: Any) -> Iterable[tuple[int, int, str, int, bool]]:
    asked = (
        select(Case.id, Case.office_id, Case.desk, Extension.id, Case.is_sensitive)
        .join(Deadline, Deadline.case_id == Case.id)
        .join(Extension, Extension.deadline_id == Deadline.id)
        .where(Extension.state == "requested", Deadline.met_at.is_(None), Case.is_open, *conditions)
        .order_by(Case.due_at, Case.id)
    )
    for row in session.execute(asked):
        yield row[0], row[1], row[2], row[3], row[4]


def asker_of() -> Any:
    """Who stands behind a request for more time now."""
    return func.coalesce(Extension.handed_to_id, Extension.requested_by_id)


def _asked(session: Session, leaving: Leaving) -> Iterable[Duty]:
    mine = asker_of() == leaving.officer_id
    for case_id, office_id, desk, ref_id, _ in _extensions(session, mine, _at(Case.office_id, leaving)):
        if not leaving.keeps(office_id, HANDLER_ROLES[desk]):
            yield Duty("extension_asked", office_id, desk, case_id, ref_id)


def _to_decide(session: Session, leaving: Leaving) -> Iterable[Duty]:
    places = [each for each, roles in leaving.ending.items() if roles & {"gro", "appeal_officer", "cell_officer"}]
    if not places:
        return
    others = asker_of() != leaving.officer_id
    for case_id, office_id, desk, ref_id, hidden in _extensions(session, others, Case.office_id.in_(places)):
        roles = [role for role in DECIDER_ROLES[desk] if role != "gro" or not hidden]
        if leaving.gives_up(office_id, roles):
            yield Duty("extension_decision", office_id, desk, case_id, ref_id)


def _bulk_asked(session: Session, leaving: Leaving) -> Iterable[Duty]:
    waiting = and_(BulkAct.state == "waiting_for_approval", BulkAct.officer_id == leaving.officer_id)
    rows = session.execute(
        select(BulkAct.id, BulkAct.office_id, BulkAct.desk).where(waiting, _at(BulkAct.office_id, leaving))
    )
    for ref_id, office_id, desk in rows:
        if office_id is None or desk is None:
            continue  # from a report: such an act waits for nobody
        if not leaving.keeps(office_id, HANDLER_ROLES[desk]):
            yield Duty("bulk_asked", office_id, desk, ref_id=ref_id)


def _bulk_to_decide(session: Session, leaving: Leaving) -> Iterable[Duty]:
    places = list(leaving.ending)
    if not places:
        return
    waiting = and_(BulkAct.state == "waiting_for_approval", BulkAct.officer_id != leaving.officer_id)
    rows = session.execute(
        select(BulkAct.id, BulkAct.office_id, BulkAct.desk).where(waiting, BulkAct.office_id.in_(places))
    )
    for ref_id, office_id, desk in rows:
        if office_id is None or desk is None:
            continue
        if leaving.gives_up(office_id, DECIDER_ROLES[desk]):
            yield Duty("bulk_decision", office_id, desk, ref_id=ref_id)


def _alternates(session: Session, leaving: Leaving) -> Iterable[Duty]:
    if not leaving.alternate_posting_ids:
        return
    rows = session.execute(
        select(Posting.id, Post.office_id, Post.role)
        .join(Post, Post.id == Posting.post_id)
        .where(Posting.id.in_(leaving.alternate_posting_ids))
        .order_by(Posting.id)
    )
    for ref_id, office_id, role in rows:
        yield Duty("alternate", office_id, ref_id=ref_id, role=role)


KINDS: tuple[Kind, ...] = (
    Kind("case", ("cases.assignee_id",), _cases),
    # Without a column: the history says who investigates, and requests are decided by whoever sits at the desk.
    Kind("investigation", (), _investigations),
    Kind("extension_asked", ("extension.requested_by_id", "extension.handed_to_id"), _asked),
    Kind("extension_decision", (), _to_decide),
    Kind("bulk_asked", ("bulk_act.officer_id",), _bulk_asked),
    Kind("bulk_decision", (), _bulk_to_decide),
    # Both are for whoever holds the case to keep; that somebody set or issued them is a fact.
    Kind("hearing", (), _with_case("hearing", Hearing.id, Hearing.state == "planned"), follows=True),
    Kind("direction", (), _with_case("direction", Direction.id, Direction.ended_at.is_(None)), follows=True),
    Kind("alternate", ("posting.officer_id",), _alternates),
)
FOLLOWS = frozenset(kind.code for kind in KINDS if kind.follows)
