"""Who permits an investigation today."""

import pytest

from grm.cases.permissions import Accusation
from grm.cases.permits import permitter_among
from grm.offices.queries import PostHolder, StaffedPost

HEAD, DEPUTY, APPEAL, GRO = 1, 2, 3, 4
OFFICE = 10


def sitting(officer_id: int, is_on_leave: bool = False) -> PostHolder:
    return PostHolder(officer_id, "", "", None, None, "bn", is_alternate=False, is_on_leave=is_on_leave)


def seat(role: str, rank: int, regular: PostHolder | None, *alternates: PostHolder) -> StaffedPost:
    return StaffedPost(100 + rank, OFFICE, role, role, rank, role, role, regular, alternates)


BELOW = (seat("appeal_officer", 70, sitting(APPEAL)), seat("gro", 60, sitting(GRO)))
HEADED = (seat("head", 80, sitting(HEAD)), *BELOW)
AWAY = sitting(HEAD, is_on_leave=True)


@pytest.mark.parametrize(
    ("seats", "accusations", "asker_id", "role", "officer_id"),
    [
        (HEADED, (), GRO, "head", HEAD),
        (HEADED, (), HEAD, "appeal_officer", APPEAL),
        (BELOW, (), GRO, "appeal_officer", APPEAL),
        (BELOW, (), APPEAL, "cell_officer", None),
        ((), (), GRO, "cell_officer", None),
        ((seat("head", 80, None), *BELOW), (), GRO, "appeal_officer", APPEAL),
        ((seat("head", 80, AWAY), *BELOW), (), GRO, "appeal_officer", APPEAL),
        ((seat("head", 80, AWAY, sitting(DEPUTY)), *BELOW), (), GRO, "head", DEPUTY),
        ((seat("head", 80, AWAY, sitting(DEPUTY)), *BELOW), (), DEPUTY, "appeal_officer", APPEAL),
        # An accused head's alternate is his subordinate.
        (
            (seat("head", 80, sitting(HEAD), sitting(DEPUTY)), *BELOW),
            (Accusation(HEAD, OFFICE, None),),
            GRO,
            "appeal_officer",
            APPEAL,
        ),
        (HEADED, (Accusation(None, OFFICE, 180),), GRO, "appeal_officer", APPEAL),
        (HEADED, (Accusation(None, OFFICE, None),), GRO, "cell_officer", None),
    ],
)
def test_the_head_permits_else_who_comes_next(
    seats: tuple[StaffedPost, ...],
    accusations: tuple[Accusation, ...],
    asker_id: int,
    role: str,
    officer_id: int | None,
) -> None:
    found, holder = permitter_among(seats, accusations, asker_id)
    assert (found, holder.officer_id if holder else None) == (role, officer_id)
