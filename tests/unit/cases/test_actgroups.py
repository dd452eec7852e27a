"""How the case page arranges the acts: none is forgotten, and what is waited for comes first."""

import pytest

from grm.cases.actgroups import GROUPS, likely
from grm.cases.states import OFFICER_ACTIONS, Action


def test_every_act_of_an_officer_stands_in_exactly_one_group() -> None:
    grouped = [action for _, actions in GROUPS for action in actions]
    assert sorted(grouped) == sorted(OFFICER_ACTIONS)


@pytest.mark.parametrize(
    ("allowed", "is_assigned", "first"),
    [
        ({Action.CLAIM, Action.ACKNOWLEDGE, Action.RESOLVE}, False, Action.CLAIM),
        ({Action.CLAIM, Action.NOTE, Action.RESOLVE}, True, Action.RESOLVE),
        ({Action.CLAIM, Action.ACCEPT, Action.RETURN}, False, Action.ACCEPT),
        ({Action.RESOLVE, Action.ANSWER_DIRECTION}, True, Action.ANSWER_DIRECTION),
        ({Action.DECIDE_EXTENSION, Action.NOTE, Action.ASSIGN}, True, Action.DECIDE_EXTENSION),
        ({Action.NOTE, Action.ATTACH}, True, None),
        (set(), False, None),
    ],
)
def test_the_likely_act_is_the_one_somebody_waits_for(
    allowed: set[Action], is_assigned: bool, first: Action | None
) -> None:
    assert likely(allowed, is_assigned) is first
