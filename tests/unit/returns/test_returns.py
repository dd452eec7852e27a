"""When returns are due, who sees what of them, and when a sheet balances."""

from datetime import date, datetime

import pytest

from grm.deadlines.calendar import Calendar, end_of_day
from grm.kernel.errors import Misconfigured
from grm.returns import rules
from grm.returns.months import month_in
from grm.returns.rules import Rule
from grm.returns.sheets import COLUMNS, Sheet, from_json

CALENDAR = Calendar(1, ((date(2005, 9, 9), frozenset({4, 5})),), {}, date(2030, 12, 31))
KNOWN = (
    Rule(date(2000, 1, 1), "due", "", 5),
    Rule(date(2026, 7, 1), "due", "", 3),
    Rule(date(2000, 1, 1), "0", "gro", 0),
    Rule(date(2000, 1, 1), "1", "head", 3),
)


@pytest.mark.parametrize(
    ("ends_on", "due_on"),
    [
        (date(2026, 2, 1), date(2026, 2, 5)),  # from a Sunday to a Thursday
        (date(2026, 5, 1), date(2026, 5, 7)),  # begins with a weekend
        (date(2026, 7, 1), date(2026, 7, 5)),  # a rule that came into force that day
    ],
)
def test_the_nth_working_day_of_the_next_month(ends_on: date, due_on: date) -> None:
    assert rules.due_on(KNOWN, ends_on, CALENDAR) == due_on


def test_rungs_count_from_the_day_it_was_due() -> None:
    at = [rules.rung_at(KNOWN, level, date(2026, 2, 5), CALENDAR) for level in (0, 1, 2)]
    assert at[:2] == [datetime.fromisoformat("2026-02-05T18:00Z"), datetime.fromisoformat("2026-02-10T18:00Z")]
    assert at[2] is None and rules.role_at(KNOWN, 1, date(2026, 2, 5)) == "head"
    with pytest.raises(Misconfigured):
        rules.role_at(KNOWN, 2, date(2026, 2, 5))


def test_a_month_is_closed_when_all_reminders_are_out() -> None:
    closes = rules.closes_on(rules.rules(), date(2026, 2, 5), CALENDAR)
    assert closes == date(2026, 2, 12), "the tenth working day"
    assert rules.rung_at(rules.rules(), 2, date(2026, 2, 5), CALENDAR) == end_of_day(closes)


def test_the_shipped_rules_say_all_rungs() -> None:
    shipped = rules.rules()
    assert rules.due_on(shipped, date(2026, 2, 1), CALENDAR) == date(2026, 2, 5)
    assert [rules.role_at(shipped, level, date(2026, 2, 5)) for level in (0, 1, 2)] == ["gro", "head", "cell_officer"]
    assert rules.rung_at(shipped, 3, date(2026, 2, 5), CALENDAR) is None


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-0", "1999-12", "2026-1", "২০২৬-", "2026-01-01", "²026-01"]
)
def test_what_is_no_month(text: str) -> None:
    assert month_in(text) is None


def test_months_read_in_both_digits() -> None:
    assert month_in("২০২৬-১১") == month_in("2026-11")


def sheet(**counts: int) -> Sheet:
    return Sheet(dict.fromkeys(COLUMNS, 0) | counts, 1.5, None)


BALANCED = {
    "carried": 1, "web": 2, "received": 2, "total": 3, "disposed": 1, "in_time": 1, "sent": 1, "overdue": 1,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BALANCED))
def test_a_sheet_with_one_number_wrong_does_not_balance(name: str) -> None:
    assert sheet(**BALANCED).balances
    assert not sheet(**BALANCED | {name: BALANCED[name] + 1}).balances


def test_a_frozen_sheet_comes_back() -> None:
    before = sheet(**BALANCED)
    assert from_json(before.as_json()) == before
    assert (before.rate, before.in_time_percent, before.satisfied_percent) == (33.3, 100.0, None)


def test_a_month_of_an_address_is_one_that_has_an_end() -> None:
    found = month_in("২০২৬-০১")
    assert found is not None and found == month_in("2026-01")
    assert [month_in(text) for text in ("9999-12", "2014-12", "2026-13", "2026-1", "x")] == [None] * 5
