"""The most specific dated policy holds, whatever order the rows come in, and every other says why it
does not."""

from dataclasses import replace
from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.deadlines.policy import Choice, Policy, PolicyFacts, decide
from grm.kernel.errors import Misconfigured

BASE = Policy(1, "resolve", "resolve", 30, "working_days", None, None, None, None, date(2018, 1, 1), None, "guidelines")
FACTS = PolicyFacts("resolve", 5, "old-age-allowance", "data-correction", "normal", "gro")
ON = date(2026, 3, 1)

POLICIES = st.lists(
    st.builds(
        Policy,
        id=st.integers(2, 10_000),
        code=st.just("x"),
        kind=st.sampled_from(["resolve", "acknowledge"]),
        limit=st.integers(1, 60),
        unit=st.just("working_days"),
        office_id=st.sampled_from([None, 5, 6]),
        programme=st.sampled_from([None, "old-age-allowance", "other"]),
        category=st.sampled_from([None, "data-correction", "other"]),
        priority=st.sampled_from([None, "normal", "urgent"]),
        valid_from=st.sampled_from([date(2020, 1, 1), date(2026, 3, 1), date(2026, 3, 2)]),
        valid_to=st.sampled_from([None, date(2026, 3, 1), date(2026, 3, 2)]),
        source=st.just("s"),
        tier=st.sampled_from([None, "gro", "cell"]),
    ),
    max_size=12,
    unique_by=lambda policy: policy.id,
)


def reasons(choice: Choice) -> dict[int, str]:
    return {policy.id: reason for policy, reason in choice.rejected}


def test_the_general_rule_holds_where_nothing_else_does() -> None:
    choice = decide([BASE], FACTS, ON)
    assert (choice.policy, choice.why, choice.rejected) == (BASE, (), ())


def test_every_rejected_policy_has_its_reason() -> None:
    others = [
        replace(BASE, id=2, office_id=6),
        replace(BASE, id=3, programme="other"),
        replace(BASE, id=4, category="other"),
        replace(BASE, id=5, priority="urgent"),
        replace(BASE, id=6, valid_from=date(2026, 3, 2)),
        replace(BASE, id=7, valid_to=date(2026, 3, 1)),
        replace(BASE, id=8, category="data-correction", limit=10, valid_from=date(2019, 1, 1)),
        replace(BASE, id=9, category="data-correction", limit=9),
        replace(BASE, id=10, tier="appeal"),
        replace(BASE, id=11, kind="acknowledge"),
    ]
    choice = decide([BASE, *others], FACTS, ON)
    assert choice.policy.id == 8
    assert choice.why == ("category",)
    assert reasons(choice) == {
        1: "less-specific",
        2: "other-office",
        3: "other-programme",
        4: "other-category",
        5: "other-priority",
        10: "other-tier",
        6: "not-yet-valid",
        7: "expired",
        9: "replaced-by-later",
    }


def test_the_order_of_weight_is_office_programme_category_priority_tier() -> None:
    """All thirty-two shapes of a policy together: the winner sinks one place each time it is taken away."""
    shapes = list(product([False, True], repeat=5))
    policies = [
        replace(
            BASE,
            id=n,
            office_id=5 if shape[0] else None,
            programme="old-age-allowance" if shape[1] else None,
            category="data-correction" if shape[2] else None,
            priority="normal" if shape[3] else None,
            tier="gro" if shape[4] else None,
        )
        for n, shape in enumerate(shapes)
    ]
    for n in reversed(range(32)):
        assert decide(policies[: n + 1], FACTS, ON).policy.id == n


def test_a_case_filed_under_an_old_rule_keeps_it() -> None:
    old = replace(BASE, valid_to=date(2026, 3, 1))
    new = replace(BASE, id=2, limit=21, valid_from=date(2026, 3, 1))
    assert decide([old, new], FACTS, date(2026, 2, 28)).policy is old
    assert decide([old, new], FACTS, date(2026, 3, 1)).policy is new


def test_having_no_policy_is_a_fault_of_configuration() -> None:
    for policies in ([], [replace(BASE, kind="acknowledge")], [replace(BASE, valid_from=date(2027, 1, 1))]):
        with pytest.raises(Misconfigured) as caught:
            decide(policies, FACTS, ON)
        assert caught.value.code == "no-deadline-policy"


@given(POLICIES, st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_the_order_of_rows(policies: list[Policy], random: object) -> None:
    rows = [BASE, *policies]
    expected = decide(rows, FACTS, ON)
    random.shuffle(rows)  # type: ignore[attr-defined]
    assert decide(rows, FACTS, ON) == expected
    assert {expected.policy.id, *reasons(expected)} == {row.id for row in rows if row.kind == "resolve"}


@given(POLICIES)
def test_the_choice_fits_and_nothing_more_specific_does(policies: list[Policy]) -> None:
    def fits(policy: Policy) -> bool:
        wanted = (policy.office_id, policy.programme, policy.category, policy.priority, policy.tier)
        actual = (FACTS.office_id, FACTS.programme, FACTS.category, FACTS.priority, FACTS.tier)
        in_force = policy.valid_from <= ON and (policy.valid_to is None or policy.valid_to > ON)
        return (
            policy.kind == "resolve" and in_force and all(w in (None, a) for w, a in zip(wanted, actual, strict=True))
        )

    def weight(policy: Policy) -> int:
        wanted = (policy.office_id, policy.programme, policy.category, policy.priority, policy.tier)
        return sum(value for value, condition in zip((16, 8, 4, 2, 1), wanted, strict=True) if condition is not None)

    chosen = decide([BASE, *policies], FACTS, ON).policy
    assert fits(chosen)
    assert weight(chosen) == max(weight(policy) for policy in [BASE, *policies] if fits(policy))
