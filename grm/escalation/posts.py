"""Who sits in the posts of the ladder on a day, for the offices where late cases lie."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.orm import Session

from grm.escalation import ladder
from grm.escalation.ladder import HOLDER, SUPERIORS, Candidate, Holder
from grm.offices.directory import Directory
from grm.offices.queries import StaffedPost, directory, holders

FLOORS = {"gro": "gro", "appeal": "appeal_officer", "cell": "cell_officer"}
"""The lowest post that may know of a case, by the desk where it lies."""


@dataclass(frozen=True, slots=True)
class Accused:
    """Whom a case is against: an officer; whoever holds a post; or everybody in an office."""

    officer_id: int | None
    office_id: int | None
    post_id: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """Who hears of a rung, or which chair is empty: then `officer_id` is None, save for who is warned instead."""

    officer_id: int | None
    post_id: int | None
    office_id: int
    is_alternate: bool
    role: str
    is_vacant: bool


@dataclass
class Posts:
    """The posts of one pass of the sweep, read once for each office."""

    on: date
    _seats: dict[int, tuple[StaffedPost, ...]] = field(default_factory=dict)
    _ladders: dict[int, Mapping[str, tuple[StaffedPost, ...]]] = field(default_factory=dict)

    def read(self, session: Session, office_ids: Iterable[int]) -> None:
        """Read the seats of these offices and of those above them, where not known yet (one statement at most)."""
        known = directory(session)
        wanted = {office_id: _chain(known, office_id) for office_id in set(office_ids) - self._ladders.keys()}
        unread = {each for chain in wanted.values() for each in chain} - self._seats.keys()
        found: dict[int, list[StaffedPost]] = {office_id: [] for office_id in unread}
        for seat in self._staffed(session, unread):
            found[seat.office_id].append(seat)
        self._seats |= {office_id: tuple(seats) for office_id, seats in found.items()}
        for office_id, chain in wanted.items():
            self._ladders[office_id] = {role: self._first_with(role, chain) for role in SUPERIORS}

    def find(
        self, role: str, level: int, office_id: int, desk: str, assignee_id: int | None, accused: Sequence[Accused]
    ) -> Found:
        """Who hears of a rung with this role, for a case at a desk of an office that has been read."""
        seats = self._ladders[office_id]
        candidates = {name: _candidates(seats[name]) for name in SUPERIORS}
        excluded = self._excluded(accused, seats)
        if role == HOLDER and assignee_id is not None:
            assignee_id = self._in_charge(assignee_id, office_id, excluded)
        floor = FLOORS[desk]
        holder = ladder.resolve_holder(role, candidates, assignee_id, excluded, floor)
        if holder is not None:
            post_id, at_office = self._place_of(holder, office_id)
            return Found(holder.officer_id, post_id, at_office, holder.is_alternate, holder.role, False)
        empty = ladder.vacant_role(role, candidates, assignee_id, excluded, floor)
        chair = next(iter(seats[empty]), None)
        stand_in = ladder.next_filled(empty, candidates, None, excluded) if level == ladder.WARNING else None
        return Found(
            officer_id=stand_in.officer_id if stand_in else None,
            post_id=chair.post_id if chair else None,
            office_id=chair.office_id if chair else office_id,
            is_alternate=stand_in.is_alternate if stand_in else False,
            role=empty,
            is_vacant=True,
        )

    def _staffed(self, session: Session, office_ids: Iterable[int]) -> Iterable[StaffedPost]:
        """The posts of these offices on the day, with their holders."""
        return holders(session, office_ids, self.on)

    def _first_with(self, role: str, chain: Sequence[int]) -> tuple[StaffedPost, ...]:
        for office_id in chain:
            seats = tuple(seat for seat in self._seats[office_id] if seat.role == role)
            if seats:
                return seats
        return ()

    def _in_charge(self, assignee_id: int, office_id: int, excluded: Collection[int]) -> int | None:
        """Who is reminded of an officer's case: the officer; on leave, who stands in for him; None for the desk, where he is
        gone from the office, or nobody does."""
        seats = [seat for seat in self._seats[office_id] if any(h.officer_id == assignee_id for h in seat.holders)]
        if any(each.officer_id == assignee_id for seat in seats for each in seat.present):
            return assignee_id
        stand_ins = (
            each.officer_id
            for seat in seats
            if not any(each.officer_id in excluded for each in seat.holders)
            for each in seat.present
        )
        return next(stand_ins, None)

    def _excluded(self, accused: Sequence[Accused], seats: Mapping[str, tuple[StaffedPost, ...]]) -> set[int]:
        found = {each.officer_id for each in accused if each.officer_id is not None}
        for each in accused:
            if each.officer_id is None:
                found |= {
                    candidate.officer_id
                    for role in SUPERIORS
                    for candidate in _candidates(seats[role])
                    if each.post_id == candidate.post_id
                    or (each.post_id is None and each.office_id == candidate.office_id)
                }
        return found

    def _place_of(self, holder: Holder, office_id: int) -> tuple[int | None, int]:
        if holder.post_id is not None:
            return holder.post_id, holder.office_id or office_id
        for seat in self._seats[office_id]:
            if any(each.officer_id == holder.officer_id for each in (seat.regular, *seat.alternates) if each):
                return seat.post_id, office_id
        return None, office_id


def _chain(known: Directory, office_id: int) -> tuple[int, ...]:
    """The office, those above it, and the Cabinet Division cell last."""
    chain: list[int] = []
    current: int | None = office_id
    while current is not None and current not in chain:
        chain.append(current)
        current = known.office(current).parent_id
    cells = [office.id for office in known.offices if office.kind == "cell" and office.valid_to is None]
    return (*chain, *(cell for cell in cells if cell not in chain))


def _candidates(seats: Iterable[StaffedPost]) -> tuple[Candidate, ...]:
    """Regular holders first, by rank, then the alternates; who is on leave is left out."""
    found = [Candidate(each.officer_id, s.post_id, s.office_id, each.is_alternate) for s in seats for each in s.present]
    return tuple(sorted(found, key=lambda candidate: candidate.is_alternate))
