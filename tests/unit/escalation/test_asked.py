"""What a complainant may bring forward, and what a plain page says of it: pure decisions."""

from datetime import date, timedelta

import pytest

from grm.cases.escalating import offered_level
from grm.cases.public_words import in_short
from grm.escalation.ladder import Step, climb
from grm.web.locale import speaking
from tests.unit.deadlines.samples import CALENDAR
from tests.unit.escalation.test_ladder import DUE_ON, LADDER, RESOLVE, levels, midnight

NIGHT = midnight(2026, 2, 20)
LATER = NIGHT + timedelta(hours=7)


def test_what_is_asked_for_is_due_at_once_and_the_rest_when_it_would_have_been() -> None:
    found = climb(LADDER, "resolve", 2, DUE_ON, CALENDAR, LATER, asked_level=2)
    assert found.steps == (Step(RESOLVE[2], LATER, is_asked=True),)
    assert (found.next_level, found.next_rung_at) == (3, midnight(2026, 3, 6))
    assert climb(LADDER, "resolve", 2, DUE_ON, CALENDAR, LATER).steps == ()


def test_rungs_whose_time_had_come_are_not_said_to_be_brought_forward() -> None:
    found = climb(LADDER, "resolve", 0, DUE_ON, CALENDAR, LATER, asked_level=2)
    assert [(step.rung.level, step.is_asked) for step in found.steps] == [(0, False), (1, False), (2, True)]
    assert found.steps[1] == Step(RESOLVE[1], NIGHT)


def test_an_empty_chair_that_is_asked_for_is_passed_at_once() -> None:
    found = climb(LADDER, "resolve", 2, DUE_ON, CALENDAR, LATER, lambda rung: rung.level == 2, asked_level=2)
    assert levels(found) == [2, 3] and [step.due_at for step in found.steps] == [LATER, LATER]
    assert found.next_level is None


@pytest.mark.parametrize(("next_level", "offered"), [(0, 1), (1, 1), (2, 2), (3, 3)])
def test_nobody_asks_for_a_reminder(next_level: int, offered: int) -> None:
    assert offered_level(next_level) == offered


@pytest.mark.parametrize(
    ("facts", "said", "unsaid"),
    [
        ({}, ("It is with: X.", "They must answer you by Thursday, 19 February 2026."), "passed"),
        ({"is_late": True, "level": 2}, ("That day has passed.", "level 2."), "must answer"),
        ({"is_late": True, "level": 0}, ("That day has passed.",), "level"),
        ({"is_paused": True}, ("They wait for your answer.",), "February"),
        ({"is_complying": True}, ("They are to carry out the decision by Thursday",), "must answer"),
        ({"is_awaited": False}, ("It was last with: X.",), "February"),
        ({"has_rungs": False}, ("They must answer you by",), "higher officers"),
    ],
)
def test_who_has_it_and_until_when_in_plain_words(facts: dict[str, object], said: tuple[str, ...], unsaid: str) -> None:
    values: dict[str, object] = {
        "is_awaited": True, "is_late": False, "is_paused": False, "is_complying": False, "level": 0, "has_rungs": True,
    }  # fmt: skip
    with speaking("en"):
        text = " ".join(in_short("X", date(2026, 2, 19), **{**values, **facts}))  # type: ignore[arg-type]
    assert all(each in text for each in said) and unsaid not in text
