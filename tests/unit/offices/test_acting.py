"""Who answers for a post: the regular holder, on leave the alternate, or nobody."""

from dataclasses import replace

import pytest

from grm.escalation.posts import Posts, _candidates
from grm.offices.queries import PostHolder, StaffedPost

REGULAR = PostHolder(1, "R", "র", None, None, "bn", False)
FIRST, SECOND = (PostHolder(number, "A", "অ", None, None, "bn", True) for number in (2, 3))


def away(holder: PostHolder) -> PostHolder:
    return replace(holder, is_on_leave=True)


def post(regular: PostHolder | None, *alternates: PostHolder, role: str = "gro", number: int = 10) -> StaffedPost:
    return StaffedPost(number, 5, role, role, 60, role, role, regular, alternates)


@pytest.mark.parametrize(
    ("seat", "acting", "present"),
    [
        (post(REGULAR, FIRST), 1, [1, 2]),
        (post(away(REGULAR), FIRST, SECOND), 2, [2, 3]),
        (post(away(REGULAR), away(FIRST), SECOND), 3, [3]),
        (post(away(REGULAR), away(FIRST)), None, []),
        (post(None, FIRST), 2, [2]),
        (post(None), None, []),
    ],
)
def test_who_is_on_leave_does_not_answer(seat: StaffedPost, acting: int | None, present: list[int]) -> None:
    assert (seat.acting.officer_id if seat.acting else None) == acting
    assert [each.officer_id for each in seat.present] == present
    assert {each.officer_id for each in seat.holders} >= set(present)


def test_the_ladder_takes_regular_holders_of_all_posts_before_any_alternate() -> None:
    other = post(PostHolder(4, "O", "ও", None, None, "bn", False), number=11)
    found = _candidates([post(away(REGULAR), FIRST), other])
    assert [(each.officer_id, each.is_alternate) for each in found] == [(4, False), (2, True)]


@pytest.mark.parametrize(
    ("seats", "accused", "expected"),
    [
        ((post(REGULAR, FIRST, role="case_officer"),), (), 1),
        ((post(away(REGULAR), FIRST, role="case_officer"),), (), 2),
        ((post(away(REGULAR), role="case_officer"),), (), None),
        (
            (post(away(REGULAR), FIRST, SECOND, role="case_officer"),),
            (3,),
            None,
        ),  # one of them is accused: all are passed over
        ((post(SECOND, role="case_officer"),), (), None),  # gone from the office
    ],
)
def test_a_reminder_goes_to_who_stands_in_for_the_assignee(
    seats: tuple[StaffedPost, ...], accused: tuple[int, ...], expected: int | None
) -> None:
    posts = Posts.__new__(Posts)
    posts._seats = {5: seats}
    assert posts._in_charge(1, 5, set(accused)) == expected
