"""How long one waits who comes after many, and what counts as one source. Pure."""

import pytest

from grm.intake.limits import LONGEST_WAIT, wait_seconds
from grm.web.sources import source_of


@pytest.mark.parametrize(
    ("count", "seconds"),
    [(1, 0), (300, 0), (301, 20), (600, 20), (601, 60), (1200, 60), (1201, LONGEST_WAIT), (10**9, LONGEST_WAIT)],
)
def test_waits_grow_and_end(count: int, seconds: int) -> None:
    assert wait_seconds(count, 300) == seconds


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9%eth0", "2001:db8:1:2::/64"),
        ("", ""),
        ("unix:", "unix:"),
        ("x" * 999, "x" * 64),
    ],
)
def test_one_subscriber_is_one_source(address: str, source: str) -> None:
    assert source_of(address) == source
