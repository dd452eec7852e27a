"""When a message is tried again, and when an SMS may ring."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from grm.kernel.clock import DHAKA
from grm.notifications.backoff import FIRST_WAIT, JITTER, LONGEST_WAIT, MOST_TRIES, breaker_wait, retry_wait
from grm.notifications.quiet_hours import earliest_sending


@given(st.integers(1, MOST_TRIES - 1), st.floats(0, 1, exclude_max=True))
def test_waits_grow_within_their_bounds(tries: int, chance: float) -> None:
    wait = retry_wait(tries, chance)
    assert wait is not None
    middle = min(FIRST_WAIT * 2 ** (tries - 1), LONGEST_WAIT)
    assert middle * (1 - JITTER) <= wait <= middle * (1 + JITTER)


def test_the_last_try_is_the_last() -> None:
    assert retry_wait(MOST_TRIES, 0.5) is None
    assert retry_wait(MOST_TRIES - 1, 0.5) == LONGEST_WAIT
    assert sum((retry_wait(n, 0.5) or timedelta() for n in range(1, MOST_TRIES)), timedelta()) < timedelta(hours=72)


def test_a_providers_wish_is_obeyed_where_it_is_longer() -> None:
    assert retry_wait(1, 0.5, timedelta(minutes=5)) == timedelta(minutes=5)
    assert retry_wait(8, 0.5, timedelta(seconds=1)) == retry_wait(8, 0.5)


def test_the_breaker_waits_longer_and_longer_but_a_minute_at_most() -> None:
    waits = [breaker_wait(failures).total_seconds() for failures in range(1, 8)]
    assert waits == [5, 10, 20, 40, 60, 60, 60]
    assert breaker_wait(0) == breaker_wait(1) and breaker_wait(10**6).total_seconds() == 60


def dhaka(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 2, day, hour, minute, tzinfo=DHAKA).astimezone(UTC)


def test_no_sms_rings_at_night() -> None:
    assert earliest_sending(dhaka(19, 0)) == dhaka(19, 8)
    assert earliest_sending(dhaka(19, 7, 59)) == dhaka(19, 8)
    assert earliest_sending(dhaka(19, 8)) == dhaka(19, 8)
    assert earliest_sending(dhaka(19, 20, 59)) == dhaka(19, 20, 59)
    assert earliest_sending(dhaka(19, 21)) == dhaka(20, 8)
    assert earliest_sending(dhaka(28, 23, 59)) == datetime(2026, 3, 1, 8, tzinfo=DHAKA)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))
def test_the_first_waking_minute_is_found(at: datetime) -> None:
    found = earliest_sending(at)
    assert at <= found <= at + timedelta(hours=11) and found.tzinfo is at.tzinfo
    assert time(8) <= found.astimezone(DHAKA).time() < time(21)
    assert earliest_sending(found) == found
    assert isinstance(found.date(), date)
