"""The rungs that a path shows."""

from datetime import UTC, datetime
from typing import Any

from grm.reports import escalation_cases
from grm.reports.escalation_paths import Path, Rise, _Line, rises_in


def line(kind: str, day: int, **data: Any) -> _Line:
    return _Line(kind, datetime(2026, 1, day, 5, tzinfo=UTC), data)


def test_rungs_count_under_the_present_clock_only() -> None:
    climbed = [
        line("filed", 1, office_id=1, desk="gro"),
        line("warned", 2, deadline_kind="resolve"),
        line("escalated", 3, deadline_kind="resolve", level=1),
        line("escalated", 3, deadline_kind="resolve", level=2, is_gap=True),
        line("escalated", 4, deadline_kind="direct", level=1),
        line("escalated", 9, deadline_kind="resolve", level=3, is_asked=True),
    ]
    on = datetime(2026, 1, 3).date()
    assert rises_in(climbed)[:2] == (Rise(1, on, False, False), Rise(2, on, False, True))
    assert [(rise.level, rise.is_asked) for rise in rises_in(climbed)] == [(1, False), (2, False), (3, True)]
    moved = [*climbed, line("escalation_withdrawn", 10, deadline_kind="resolve", level=2)]
    assert [rise.level for rise in rises_in(moved)] == [1], "a holiday announced late has taken two back"
    risen = [*climbed, line("appealed", 11, level_was=3, to_office_id=1, to_desk="appeal")]
    assert rises_in(risen) == ()
    again = [*risen, line("escalated", 28, deadline_kind="appeal", level=1)]
    assert [rise.level for rise in rises_in(again)] == [1]


def test_a_case_of_today_has_no_steps_yet() -> None:
    class Charged:
        spans = ()
        days = 0

    assert Path(Charged(), ()).days_at_holder == 0  # type: ignore[arg-type]


def test_a_mark_that_no_case_can_have_shows_the_first_page() -> None:
    mark = escalation_cases.mark_from("1767500000.000000-৭")
    assert mark is not None and mark.case_id == 7
    assert [escalation_cases.mark_from(text) for text in ("1-" + "9" * 30, "1-0", "x-1", "")] == [None] * 4
