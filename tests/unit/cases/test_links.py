"""Which case may follow which, seen from the lead; and with whom the days of a merged case lay. Pure."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from grm.cases.charges import charge
from grm.cases.links import why_not_under
from grm.cases.permissions import Accusation, CaseFacts
from grm.cases.queries import EventLine
from grm.cases.states import Action
from grm.kernel.actor import Actor, Seat

GRO = Actor(10, "Officer", "officer", (Seat(1, "ministry", 1, None, 100, "gro"),))
APPEAL = Actor(11, "Officer", "officer", (Seat(1, "ministry", 1, None, 101, "appeal_officer"),))
ONE = CaseFacts("0000000000000", "in_progress", 1, "gro", False)
TWO = CaseFacts("1111111111111", "filed", 1, "gro", False)
AGAINST = (Accusation(99, 1, 100),)


@pytest.mark.parametrize(
    ("lead", "follower", "why"),
    [
        ({}, {}, ""),
        ({"tracking_number": TWO.tracking_number}, {}, "same-case"),
        ({"status": "resolved"}, {}, "lead-ended"),
        ({"office_id": 2}, {}, "lead-not-yours"),
        ({"desk": "appeal"}, {}, "lead-not-yours"),
        ({"accusations": (Accusation(10, 1, 100),)}, {}, "lead-not-yours"),
        ({"is_subcase": True}, {}, "part-of-a-case"),
        ({"follows": "linked"}, {}, "lead-follows"),
        ({"tier": "appeal"}, {}, "other-tier"),
        ({"main_clock": "comply"}, {}, "other-tier"),
        ({}, {"is_sensitive": True}, "sensitivity-differs"),
        ({}, {"accusations": AGAINST}, "accuses-others"),
        ({"accusations": AGAINST}, {"accusations": AGAINST}, ""),
        ({"accusations": AGAINST}, {}, "accuses-others"),
        ({"status": "waiting", "merged_count": 3, "linked_count": 2}, {}, ""),
    ],
)
def test_what_may_be_merged_into_what(lead: dict[str, Any], follower: dict[str, Any], why: str) -> None:
    assert why_not_under(replace(TWO, **follower), replace(ONE, **lead), GRO, Action.MERGE) == why


def test_linking_leaves_the_tier_alone_and_the_words_of_an_answer_with_whom_they_are_for() -> None:
    assert why_not_under(TWO, replace(ONE, tier="appeal"), GRO, Action.LINK) == ""
    assert why_not_under(replace(TWO, is_sensitive=True), ONE, GRO, Action.LINK) == "sensitivity-differs"
    assert why_not_under(replace(TWO, accusations=AGAINST), ONE, GRO, Action.LINK) == "accuses-others"
    assert why_not_under(TWO, ONE, APPEAL, Action.LINK) == ""
    assert why_not_under(replace(TWO, desk="appeal"), ONE, APPEAL, Action.LINK) == "other-desk"


def test_the_days_of_a_merged_case_lie_with_the_other_one_until_it_is_set_apart() -> None:
    began = datetime(2026, 3, 1, 4, tzinfo=UTC)

    def line(days: int, kind: str, **data: Any) -> EventLine:
        return EventLine(days + 1, kind, began + timedelta(days=days), "officer", None, None, data, {})

    filed = line(0, "filed", office_id=1, desk="gro")
    given = line(1, "assigned", officer_id=7, status_to="in_progress")
    merged = line(3, "merged", status_to="closed")
    answered = line(5, "answered_together")
    apart = line(6, "unmerged", officer_id=None, status_to="acknowledged")

    def shares(events: list[EventLine], until_days: int) -> list[tuple[str, int | None, int]]:
        charged = charge(events, [], began + timedelta(days=until_days), lambda on: True)
        assert sum(each.days for each in charged.charges) == charged.days
        return [(each.holder.kind, each.holder.officer_id, each.days) for each in charged.charges]

    assert shares([filed, given, merged], 20) == [("office", 7, 3)], "charged up to the merge"
    assert shares([filed, given, merged, answered], 20) == [("office", 7, 3), ("merged", None, 2)]
    assert shares([filed, given, merged, apart], 8) == [("office", 7, 3), ("merged", None, 2), ("office", None, 3)]
    assert charge([filed, given, merged], [], began, lambda on: True).until_on == date(2026, 3, 4)
