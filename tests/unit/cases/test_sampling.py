"""The draw of closures: of every office enough, always the same from its seed, and by lot."""

from collections import Counter

import pytest

from grm.cases.sampling import draw, size


@pytest.mark.parametrize(
    ("closures", "expected"),
    [(0, 0), (1, 1), (2, 2), (3, 3), (4, 3), (60, 3), (61, 4), (100, 5), (101, 6), (2000, 100)],
)
def test_at_least_three_and_a_twentieth(closures: int, expected: int) -> None:
    assert size(closures) == expected


def test_every_office_is_drawn_from_its_own() -> None:
    closures = {7: list(range(1000)), 3: [5001, 5002], 9: list(range(9000, 9010)), 4: []}
    drawn = draw(closures, "seed")
    assert Counter(office for office, _ in drawn) == {7: 50, 3: 2, 9: 3}
    assert all(case in closures[office] for office, case in drawn)
    assert len(set(drawn)) == len(drawn)


def test_the_seed_alone_decides() -> None:
    closures = {1: list(range(200)), 2: list(range(500, 600))}
    turned = {office: list(reversed(cases)) for office, cases in reversed(closures.items())}
    assert draw(closures, "a") == draw(turned, "a")
    assert draw(closures, "a") != draw(closures, "b")


def test_no_case_is_favoured() -> None:
    """Each of twenty cases is drawn about as often as any other: 3 of 20 in 2,000 draws are 300 each."""
    counts = Counter(case for n in range(2000) for _, case in draw({1: list(range(20))}, f"seed {n}"))
    assert set(counts) == set(range(20))
    assert min(counts.values()) > 230 and max(counts.values()) < 370


def test_every_stratum_has_its_share() -> None:
    """Of 100 closures a fifth is late, and one in ten is about a bribe: so it is, to within one, in what is drawn."""
    strata = {case: (case % 5 == 0, "bribe" if case % 10 == 3 else "payment") for case in range(400)}
    for seed in range(50):
        drawn = [case for _, case in draw({1: list(range(400))}, f"seed {seed}", strata)]
        assert len(set(drawn)) == 20
        assert 3 <= sum(strata[case][0] for case in drawn) <= 5
        assert 1 <= sum(strata[case][1] == "bribe" for case in drawn) <= 3


def test_no_case_is_favoured_within_strata() -> None:
    strata = {case: (case < 5, 0) for case in range(20)}
    counts = Counter(case for n in range(2000) for _, case in draw({1: list(range(20))}, f"seed {n}", strata))
    assert set(counts) == set(range(20))
    assert min(counts.values()) > 230 and max(counts.values()) < 370
