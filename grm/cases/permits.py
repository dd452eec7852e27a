"""Who permits an investigation: the head of the office where the case lies, else its appeal officer, else the cell. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from grm.cases.permissions import Accusation, CaseFacts
from grm.offices.queries import PostHolder, StaffedPost

_IN_TURN = ("head", "appeal_officer")
BEHIND_ALL = "cell_officer"
"""Who permits where the office has nobody who may."""


def permitter_among(
    seats: Sequence[StaffedPost], accusations: Sequence[Accusation], asker_id: int | None = None
) -> tuple[str, PostHolder | None]:
    """The role in which an investigation is permitted, and who answers in it today, by the seats of the office.

    A seat is passed over while all in it are away, where one who sits in it is accused, or where only the asker is left. The
    cell stands behind all; who answers there the office's seats do not say.
    """
    for role in _IN_TURN:
        for seat in seats:
            if seat.role == role and not _is_tainted(seat, accusations):
                for holder in seat.present:
                    if holder.officer_id != asker_id:
                        return role, holder
    return BEHIND_ALL, None


def with_permitter(case: CaseFacts, seats: Sequence[StaffedPost]) -> CaseFacts:
    """The facts of a case with the role that decides on its open request; as they are where nobody asks."""
    if case.permission_asker_id is None:
        return case
    role, _ = permitter_among(seats, case.accusations, case.permission_asker_id)
    return replace(case, permitting_role=role)


def _is_tainted(seat: StaffedPost, accusations: Sequence[Accusation]) -> bool:
    sitting = {each.officer_id for each in (seat.regular, *seat.alternates) if each is not None}
    return any(
        each.officer_id in sitting
        if each.officer_id is not None
        else each.post_id == seat.post_id
        if each.post_id is not None
        else each.office_id == seat.office_id
        for each in accusations
    )
