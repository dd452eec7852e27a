"""When somebody may remind again."""

from datetime import UTC, date, datetime

import pytest

from grm.cases.reminders import recent_senders

THURSDAY = datetime(2026, 1, 8, 19, tzinfo=UTC)  # 01:00 of Friday in Dhaka would be 19:00 UTC
WORKING = (date(2026, 1, 7), date(2026, 1, 8), date(2026, 1, 11), date(2026, 1, 12))


def between(after: date, until: date) -> int:
    return sum(after < day <= until for day in WORKING)


@pytest.mark.parametrize(
    ("at", "today", "is_recent"),
    [
        (datetime(2026, 1, 8, 5, tzinfo=UTC), date(2026, 1, 8), True),
        (datetime(2026, 1, 8, 5, tzinfo=UTC), date(2026, 1, 10), True),  # Friday and Saturday are days off
        (datetime(2026, 1, 8, 5, tzinfo=UTC), date(2026, 1, 11), False),
        (datetime(2026, 1, 7, 17, 59, tzinfo=UTC), date(2026, 1, 8), False),
        (datetime(2026, 1, 7, 18, 0, tzinfo=UTC), date(2026, 1, 8), True),  # midnight in Dhaka
        (THURSDAY, date(2026, 1, 11), False),
    ],
)
def test_once_in_a_working_day_of_dhaka(at: datetime, today: date, is_recent: bool) -> None:
    assert recent_senders([(7, at)], today, between) == (frozenset({7}) if is_recent else frozenset())


def test_each_sender_for_himself_and_nobody_for_the_system() -> None:
    today = date(2026, 1, 8)
    sent = [(7, datetime(2026, 1, 8, 4, tzinfo=UTC)), (8, datetime(2026, 1, 7, 4, tzinfo=UTC)), (None, THURSDAY)]
    assert recent_senders(sent, today, between) == {7}
