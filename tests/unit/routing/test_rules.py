"""Routing: exactly one queue for each grievance, the most specific rule, and a reason for every other."""

import time
from dataclasses import replace
from datetime import date
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.kernel.errors import Misconfigured
from grm.routing.rules import ABOUT, SPECIFICITY, Facts, Rule, RuleBook, decide, mismatch, overlaps

TRIAGE = Rule(1, "triage", None, None, None, None, None, None, 900, "cell", 0, date(1971, 3, 26), None, "architecture")
ON = date(2026, 3, 1)
FACTS = Facts("old-age-allowance", "payment-not-received", "normal", "30", "3026", "302608", "none", ON)
VALUES = {
    "about": "gro",
    "sensitivity": "sensitive",
    "programme": "p",
    "category": "c",
    "district": "3026",
    "division": "30",
}
FULL = Facts("p", "c", "sensitive", "30", "3026", None, "gro", ON)


def rule(number: int, **conditions: object) -> Rule:
    return replace(TRIAGE, id=number, code=f"r{number}", office_id=number, desk="gro", **conditions)  # type: ignore[arg-type]


def ministry_rules(count: int) -> list[Rule]:
    """The three rules each programme has: its ministry's GRO, the appeal desk if sensitive or against
    the GRO; the cell above."""
    rules = [TRIAGE, replace(TRIAGE, id=2, about="appeal-officer"), replace(TRIAGE, id=3, about="ministry")]
    for n in range(count):
        own = {"programme": f"p{n}", "office_id": n % 39 + 1}
        rules.append(replace(TRIAGE, id=100 + n, desk="gro", **own))
        rules.append(replace(TRIAGE, id=200 + n, desk="appeal", sensitivity="sensitive", **own))
        rules.append(replace(TRIAGE, id=300 + n, desk="appeal", about="gro", **own))
    return rules


def test_the_catch_all_takes_what_no_rule_knows() -> None:
    decision = decide([TRIAGE, rule(2, programme="other")], FACTS)
    assert (decision.rule, decision.office_id, decision.desk) == (TRIAGE, 900, "cell")
    assert decision.why == ((TRIAGE, "won"),)


def test_every_rule_that_fits_says_why_it_lost() -> None:
    rules = [
        TRIAGE,
        rule(2, programme="old-age-allowance"),
        rule(3, programme="old-age-allowance", district="3026"),
        rule(4, programme="old-age-allowance", district="3026", rank=5),
        rule(5, programme="old-age-allowance", category="payment-not-received", valid_to=ON),
        rule(6, programme="old-age-allowance", category="payment-not-received", valid_from=date(2026, 3, 2)),
        rule(7, programme="widow-allowance"),
    ]
    decision = decide(rules, FACTS)
    assert [(one.id, reason) for one, reason in decision.why] == [
        (3, "won"),
        (5, "expired"),
        (6, "not-yet-valid"),
        (4, "later-in-order"),
        (2, "less-specific"),
        (1, "less-specific"),
    ]
    assert mismatch(rules[6], FACTS) == "other-programme"
    assert mismatch(rules[5], FACTS) == ""


def test_the_order_of_weight_is_about_sensitivity_programme_category_district_division() -> None:
    """All 64 shapes of a rule together: the winner sinks one place each time it is taken away."""
    assert SPECIFICITY == ("about", "sensitivity", "programme", "category", "district", "division")
    shapes = list(product([False, True], repeat=6))
    rules = [
        rule(n, **{name: VALUES[name] for name, is_set in zip(SPECIFICITY, shape, strict=True) if is_set})
        for n, shape in enumerate(shapes)
    ]
    for n in reversed(range(64)):
        assert decide(reversed(rules[: n + 1]), FULL).rule.id == n


@pytest.mark.parametrize("sensitivity, about", list(product(["normal", "sensitive"], ABOUT)))
def test_no_complaint_reaches_the_desk_it_complains_of(sensitivity: str, about: str) -> None:
    decision = decide(ministry_rules(58), replace(FACTS, programme="p7", sensitivity=sensitivity, about=about))
    if about in ("appeal-officer", "ministry"):
        assert (decision.office_id, decision.desk) == (900, "cell")
    else:
        expected = "appeal" if about == "gro" or sensitivity == "sensitive" else "gro"
        assert (decision.office_id, decision.desk) == (8, expected)


def test_a_grievance_filed_under_an_old_rule_is_decided_by_it() -> None:
    old = rule(2, programme="old-age-allowance", valid_to=ON)
    new = rule(3, programme="old-age-allowance", valid_from=ON)
    assert decide([TRIAGE, old, new], FACTS).rule is new
    assert decide([TRIAGE, old, new], replace(FACTS, filed_on=date(2026, 2, 28))).rule is old
    assert overlaps([TRIAGE, old, new]) == []


def test_a_lower_rank_then_a_lower_id_wins_and_the_pair_is_a_fault() -> None:
    one, other = rule(2, category="payment-not-received", rank=9), rule(3, category="payment-not-received", rank=1)
    assert decide([TRIAGE, one, other], FACTS).rule is other
    assert decide([TRIAGE, one, replace(other, rank=9)], FACTS).rule is one
    assert overlaps([one, TRIAGE, other]) == [(other, one)]


@pytest.mark.parametrize(
    "first, second, is_fault",
    [
        ((date(2020, 1, 1), None), (date(2021, 1, 1), None), True),
        ((date(2020, 1, 1), date(2021, 1, 1)), (date(2021, 1, 1), None), False),
        ((date(2020, 1, 1), date(2021, 1, 2)), (date(2021, 1, 1), date(2022, 1, 1)), True),
        ((date(2023, 1, 1), None), (date(2021, 1, 1), date(2022, 1, 1)), False),
    ],
)
def test_only_rules_in_force_on_a_common_day_overlap(
    first: tuple[date, date | None], second: tuple[date, date | None], is_fault: bool
) -> None:
    pair = [rule(2, valid_from=first[0], valid_to=first[1]), rule(3, valid_from=second[0], valid_to=second[1])]
    assert bool(overlaps(pair)) == is_fault
    different = [pair[0], replace(pair[1], district="3026")]
    assert overlaps(different) == []


@pytest.mark.parametrize("rules", [[], [rule(2, programme="other")], [replace(TRIAGE, valid_from=date(2027, 1, 1))]])
def test_without_a_catch_all_routing_says_so(rules: list[Rule]) -> None:
    with pytest.raises(Misconfigured) as caught:
        decide(rules, FACTS)
    assert caught.value.code == "no-routing-rule"


def test_what_is_not_told_matches_only_rules_that_do_not_ask() -> None:
    silent = Facts(None, None, None, None, None, None, "none", ON)
    rules = [TRIAGE, rule(2, programme="old-age-allowance"), rule(3, district="3026"), rule(4, about="none")]
    assert decide(rules, silent).rule.id == 4
    assert [one.id for one, _ in decide(rules, silent).why] == [4, 1]


def test_every_programme_category_and_district_has_one_queue_in_no_time() -> None:
    book = RuleBook(ministry_rules(58))
    started = time.process_time()
    for programme, category, district in product(range(58), range(15), range(64)):
        facts = replace(FACTS, programme=f"p{programme}", category=f"c{category}", district=str(district))
        assert decide(book, facts).office_id == programme % 39 + 1
    assert time.process_time() - started < 5


CONDITIONS = {
    "about": st.sampled_from([None, "none", "gro"]),
    "sensitivity": st.sampled_from([None, "normal", "sensitive"]),
    "programme": st.sampled_from([None, "p", "q"]),
    "category": st.sampled_from([None, "c", "d"]),
    "district": st.sampled_from([None, "3026", "2015"]),
    "division": st.sampled_from([None, "30", "20"]),
}
RULES = st.lists(
    st.builds(
        Rule,
        id=st.integers(2, 10_000),
        code=st.just("x"),
        office_id=st.integers(1, 39),
        desk=st.sampled_from(["gro", "appeal", "cell"]),
        rank=st.integers(0, 2),
        valid_from=st.sampled_from([date(2020, 1, 1), ON, date(2026, 3, 2)]),
        valid_to=st.sampled_from([None, ON, date(2026, 3, 2)]),
        source=st.just("s"),
        **CONDITIONS,
    ),
    max_size=15,
    unique_by=lambda one: one.id,
)
ANY_FACTS = st.builds(
    Facts,
    upazila=st.none(),
    filed_on=st.just(ON),
    **{k: v for k, v in CONDITIONS.items() if k != "about"},
    about=st.sampled_from(["none", "gro"]),
)


@given(RULES, ANY_FACTS)
def test_the_decision_agrees_with_a_plain_search_through_all_rules(rules: list[Rule], facts: Facts) -> None:
    rules = [*rules, TRIAGE]
    fitting = [one for one in rules if not mismatch(one, facts)]
    live = [one for one in fitting if one.valid_from <= ON and (one.valid_to is None or one.valid_to > ON)]
    weight = {name: 2 ** (6 - place) for place, name in enumerate(SPECIFICITY)}
    best = min(live, key=lambda one: (-sum(weight[n] for n in SPECIFICITY if getattr(one, n)), one.rank, one.id))
    decision = decide(rules, facts)
    assert decision.rule is best
    assert decision.why[0] == (best, "won")
    assert {one.id for one, _ in decision.why} == {one.id for one in fitting}
    assert decide(list(reversed(rules)), facts) == decision


@given(RULES)
def test_overlaps_are_the_pairs_that_only_order_decides(rules: list[Rule]) -> None:
    def same(one: Rule, other: Rule) -> bool:
        asks_same = all(getattr(one, name) == getattr(other, name) for name in SPECIFICITY)
        begins, ends = max(one.valid_from, other.valid_from), min(one.valid_to or date.max, other.valid_to or date.max)
        return asks_same and begins < ends and one.valid_from < (one.valid_to or date.max)

    sane = [one for one in rules if one.valid_from < (one.valid_to or date.max)]
    expected = {frozenset((a.id, b.id)) for a, b in product(sane, sane) if a.id < b.id and same(a, b)}
    assert {frozenset((a.id, b.id)) for a, b in overlaps(sane)} == expected
