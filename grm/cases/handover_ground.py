"""Who may take what of an officer who leaves: what the choice of successors rests on, read once for an act or a form."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases import queries
from grm.cases.bulk_models import BulkAct
from grm.cases.duties import DECIDER_ROLES, Duty, asker_of, investigators_of
from grm.cases.investigations import investigators_among
from grm.cases.models import Accused, Case
from grm.cases.permissions import DESK_ROLE, Accusation, CaseFacts, may_see
from grm.cases.service import handlers_among
from grm.deadlines.models import Extension
from grm.kernel.actor import Actor, Seat
from grm.offices.directory import Directory
from grm.offices.models import Posting
from grm.offices.queries import PostHolder, StaffedPost, directory, holders

DESK = 0
"""Instead of an officer: the duty goes back to the desk, unassigned."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Who is to take over: one officer (or `DESK`) for each office, and exceptions by case or by an alternate's seat."""

    by_office: Mapping[int, int]
    by_case: Mapping[int, int]
    by_seat: Mapping[int, int]

    def of(self, duty: Duty) -> int | None:
        """What was chosen for a duty; None: nothing. A seat as alternate ends unless somebody is named for it."""
        if duty.kind == "alternate":
            return self.by_seat.get(duty.ref_id or 0, DESK)
        return self.by_case.get(duty.case_id or 0, self.by_office.get(duty.office_id))


@dataclass
class Ground:
    """The seats of the offices on the day without the officer who leaves, and the facts of the cases."""

    officer_id: int
    seats: Mapping[int, tuple[StaffedPost, ...]]
    cell_id: int
    facts: Mapping[int, CaseFacts]
    members: Mapping[int, tuple[int, ...]]
    """Who investigates a case, the leader first."""
    askers: Mapping[tuple[str, int], int]
    posts: Mapping[int, int]
    """The post of each posting as alternate that is handed over."""
    book: Directory

    def allows(self, duty: Duty, target: int) -> bool:
        """Whether an officer, or the desk, may take a duty: never somebody whom the case accuses, who may not read it, or who
        is on leave."""
        return _CHECKS.get(duty.kind, _may_hold)(self, duty, target)

    def takers(self, duty: Duty) -> tuple[PostHolder, ...]:
        """Who may take it, each once, in the order of the office."""
        found: dict[int, PostHolder] = {}
        for seat in self.seats[duty.office_id]:
            for holder in seat.present:
                if holder.officer_id not in found and self.allows(duty, holder.officer_id):
                    found[holder.officer_id] = holder
        return tuple(found.values())

    def actor(self, officer_id: int) -> Actor:
        """An officer with the seats that the office and the cell give."""
        seats = tuple(
            Seat(office.id, office.kind, office.ministry_id, None, seat.post_id, seat.role, holder.is_alternate)
            for office_id, staff in self.seats.items()
            for office in (self.book.office(office_id),)
            for seat in staff
            for holder in seat.holders
            if holder.officer_id == officer_id
        )
        return Actor(officer_id=officer_id, name="", kind="officer", seats=seats)

    def sees(self, officer_id: int, case_id: int) -> bool:
        """Whether an officer of these offices may know of the case."""
        return may_see(self.actor(officer_id), self.facts[case_id])

    def is_desk_answered(self, office_id: int, desk: str) -> bool:
        """Whether somebody else answers for the desk, so that what goes back to it is seen."""
        return any(seat.role == DESK_ROLE[desk] and seat.present for seat in self.seats[office_id])

    def deciders(self, duty: Duty, asker_id: int | None) -> set[int]:
        """Who may decide on a request: at the desk, above it, or in the cell; not who asks."""
        roles = {(duty.office_id, role) for role in DECIDER_ROLES[duty.desk]} | {(self.cell_id, "cell_officer")}
        found = {
            each.officer_id
            for staff in self.seats.values()
            for seat in staff
            if (seat.office_id, seat.role) in roles
            for each in seat.present
        }
        if duty.case_id is not None:
            found = {each for each in found if self.sees(each, duty.case_id)}
        return found - {asker_id}


def read(session: Session, officer_id: int, duties: Collection[Duty], office_ids: Iterable[int], on: date) -> Ground:
    """Read what the choice rests on: a handful of statements, however many duties there are."""
    book = directory(session)
    offices = {*office_ids, *(duty.office_id for duty in duties), book.cell.id}
    seats: dict[int, list[StaffedPost]] = {office_id: [] for office_id in offices}
    for seat in holders(session, offices, on):
        seats[seat.office_id].append(_without(seat, officer_id))
    case_ids = sorted({duty.case_id for duty in duties if duty.case_id is not None})
    return Ground(
        officer_id=officer_id,
        seats={office_id: tuple(staff) for office_id, staff in seats.items()},
        cell_id=book.cell.id,
        facts=_facts(session, case_ids),
        members=_members(session, [d.case_id for d in duties if d.kind == "investigation" and d.case_id is not None]),
        askers=_askers(session, duties),
        posts=dict(
            session.execute(select(Posting.id, Posting.post_id).where(Posting.id.in_(_refs(duties, "alternate")))).all()
        ),
        book=book,
    )


def _without(seat: StaffedPost, officer_id: int) -> StaffedPost:
    regular = None if seat.regular and seat.regular.officer_id == officer_id else seat.regular
    return replace(
        seat, regular=regular, alternates=tuple(each for each in seat.alternates if each.officer_id != officer_id)
    )


def _facts(session: Session, case_ids: Sequence[int]) -> dict[int, CaseFacts]:
    if not case_ids:
        return {}
    accused: dict[int, list[tuple[int | None, int | None, int | None]]] = {}
    columns = (Accused.case_id, Accused.officer_id, Accused.office_id, Accused.post_id)
    for case_id, *whom in session.execute(select(*columns).where(Accused.case_id.in_(case_ids))):
        accused.setdefault(case_id, []).append((whom[0], whom[1], whom[2]))
    rows = session.scalars(select(Case).where(Case.id.in_(case_ids)).execution_options(populate_existing=True))
    return {case.id: queries.facts_of(case, accused.get(case.id, ()), ()) for case in rows}


def _members(session: Session, case_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    if not case_ids:
        return {}
    rows = session.execute(select(Case.id, investigators_of()).where(Case.id.in_(case_ids)))
    return {case_id: tuple(officers or ()) for case_id, officers in rows}


def _askers(session: Session, duties: Collection[Duty]) -> dict[tuple[str, int], int]:
    found: dict[tuple[str, int], int] = {}
    if refs := _refs(duties, "extension_decision"):
        for ref_id, asker in session.execute(select(Extension.id, asker_of()).where(Extension.id.in_(refs))):
            found["extension_decision", ref_id] = asker
    if refs := _refs(duties, "bulk_decision"):
        for ref_id, asker in session.execute(select(BulkAct.id, BulkAct.officer_id).where(BulkAct.id.in_(refs))):
            found["bulk_decision", ref_id] = asker
    return found


def _refs(duties: Collection[Duty], kind: str) -> list[int]:
    return [duty.ref_id for duty in duties if duty.kind == kind and duty.ref_id is not None]


def _accusations(ground: Ground, duty: Duty) -> tuple[Accusation, ...]:
    return ground.facts[duty.case_id or 0].accusations


def _may_hold(ground: Ground, duty: Duty, target: int) -> bool:
    if target == DESK:
        return ground.is_desk_answered(duty.office_id, duty.desk)
    fitting = handlers_among(ground.seats[duty.office_id], duty.desk, _accusations(ground, duty))
    return any(each.officer_id == target for each in fitting) and ground.sees(target, duty.case_id or 0)


def _may_investigate(ground: Ground, duty: Duty, target: int) -> bool:
    others = [each for each in ground.members[duty.case_id or 0] if each != ground.officer_id]
    if target == DESK:
        return bool(others)
    fitting = investigators_among(ground.seats[duty.office_id], duty.desk, _accusations(ground, duty))
    return target in others or any(each.officer_id == target for each in fitting)


def _may_decide(ground: Ground, duty: Duty, target: int) -> bool:
    able = ground.deciders(duty, ground.askers[duty.kind, duty.ref_id or 0])
    return bool(able) if target == DESK else target in able


def _may_stand_in(ground: Ground, duty: Duty, target: int) -> bool:
    if target == DESK:
        return True
    post_id = ground.posts[duty.ref_id or 0]
    sitting = {
        each.officer_id for seat in ground.seats[duty.office_id] if seat.post_id == post_id for each in seat.holders
    }
    known = {each.officer_id for staff in ground.seats.values() for seat in staff for each in seat.present}
    return target in known - sitting


def _anybody(ground: Ground, duty: Duty, target: int) -> bool:
    return True


_CHECKS: dict[str, Callable[[Ground, Duty, int], bool]] = {
    "investigation": _may_investigate,
    "extension_decision": _may_decide,
    "bulk_asked": _anybody,  # it is withdrawn: nobody acts in the name of who has left
    "bulk_decision": _may_decide,
    "alternate": _may_stand_in,
}


def officers_named(session: Session, officer_ids: Collection[int]) -> dict[int, queries.Named]:
    """Officers by name only, by id (one statement)."""
    columns = (Officer.id, Officer.name_bn, Officer.name_en)
    rows = session.execute(select(*columns).where(Officer.id.in_(set(officer_ids)))) if officer_ids else ()
    return {row[0]: queries.Named(*row) for row in rows}
