"""Which desk is the next above the one that holds a case: for a complainant who is not content, and for what the cell
recommends. The accused are passed over, as everywhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, cast, select
from sqlalchemy.orm import Session

from grm.cases import referral
from grm.cases.models import Case, CaseEvent
from grm.cases.permissions import CaseFacts
from grm.offices.queries import directory


@dataclass(frozen=True, slots=True)
class Instance:
    """A desk that decides, and the tier on which it does."""

    tier: str
    office_id: int
    desk: str


def above(session: Session, case: Case, facts: CaseFacts, on: date) -> Instance:
    """Who hears the appeal of a case: the ministry's appeal desk for what its officer decided or left lying, the Cabinet
    Division cell for what an appeal desk did. A second appeal is the last one."""
    if case.tier == "gro" and case.desk == "gro" and (office_id := _appeal_office(session, case, facts, on)):
        return Instance("appeal", office_id, "appeal")
    return Instance("cell", directory(session).cell.id, "cell")


def superior_desk(session: Session, case: Case, facts: CaseFacts, on: date) -> Instance:
    """Who looks at a case whose answer does not hold: the desk above, on the tier on which the case is."""
    higher = above(session, case, facts, on)
    if case.main_clock == "comply":  # the cell looks at what the ministry says it has done
        return Instance("cell", higher.office_id, "cell")
    return Instance(case.tier, higher.office_id, higher.desk)


def ministry_desk(session: Session, case: Case, facts: CaseFacts, on: date) -> Instance | None:
    """Who does what the cell recommends: the appeal desk of the office that had the case last, else of the programme's
    ministry; None if there is none that the case does not accuse."""
    accused = referral.accused_roles_at(session, facts, on)
    former = session.scalars(
        select(cast(CaseEvent.data["from_office_id"].astext, BigInteger))
        .where(CaseEvent.case_id == case.id, CaseEvent.kind.in_(("referred", "contested", "appealed")))
        .order_by(CaseEvent.seq.desc())
    )
    for office_id in (*former, *_ministry_of(session, case)):
        if _has_clean_desk(session, facts, office_id, on, accused.get(office_id, set())):
            return Instance("cell", office_id, "appeal")
    return None


def _appeal_office(session: Session, case: Case, facts: CaseFacts, on: date) -> int | None:
    """The nearest office above, or the case's own, with an appeal desk; the cell is none."""
    accused = referral.accused_roles_at(session, facts, on)
    for office_id in (*_line(session, case.office_id), *_ministry_of(session, case)):
        if _has_clean_desk(session, facts, office_id, on, accused.get(office_id, set())):
            return office_id
    return None


def _line(session: Session, office_id: int | None) -> Iterator[int]:
    book = directory(session)
    while office_id is not None:
        yield office_id
        office_id = book.office(office_id).parent_id


def _ministry_of(session: Session, case: Case) -> tuple[int, ...]:
    if case.programme_id is None:
        return ()
    book = directory(session)
    return (book.ministry(book.programme(case.programme_id).ministry_id).office_id,)


def _has_clean_desk(session: Session, facts: CaseFacts, office_id: int, on: date, accused_roles: set[str]) -> bool:
    if any(a.officer_id is None and a.post_id is None and a.office_id == office_id for a in facts.accusations):
        return False
    there = referral.desks(session).get(office_id, ())
    has_desk = any(desk == "appeal" and start <= on and (end is None or on < end) for desk, start, end in there)
    return has_desk and not accused_roles & {"appeal_officer", "head"}
