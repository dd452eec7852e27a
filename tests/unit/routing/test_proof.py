"""The proof of routing notices every kind of fault in a small world: two programmes, two categories, two districts."""

import random
from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from grm.kernel.errors import Misconfigured
from grm.offices.directory import Category, Directory, Ministry, Office, Place, Programme
from grm.routing.proof import Proof, prove
from grm.routing.rules import ABOUT, Facts, Rule, RuleBook, decide

SINCE, ON = date(1971, 3, 26), date(2026, 3, 1)
CELL, FOOD, WELFARE, FIELD = 10, 11, 12, 13
KNOWN = Directory(
    edition=1,
    ministries=(
        Ministry(1, "food", "Food", "খাদ্য", FOOD, ("a",), SINCE, None),
        Ministry(2, "welfare", "Welfare", "কল্যাণ", WELFARE, ("a",), SINCE, None),
    ),
    clusters=(),
    places=(
        Place(1, "30", "division", "Dhaka", "ঢাকা", None, None, SINCE, None),
        Place(2, "3026", "district", "Dhaka", "ঢাকা", 1, None, SINCE, None),
        Place(3, "3033", "district", "Gazipur", "গাজীপুর", 1, None, SINCE, None),
    ),
    offices=(
        Office(CELL, "cell", "cell", "Cell", "সেল", None, None, None, SINCE, None),
        Office(FOOD, "food", "ministry", "Food", "খাদ্য", 1, None, CELL, SINCE, None),
        Office(WELFARE, "welfare", "ministry", "Welfare", "কল্যাণ", 2, None, CELL, SINCE, None),
        Office(FIELD, "dc-3026", "district", "DC", "ডিসি", None, 2, CELL, SINCE, None),
    ),
    programmes=(
        Programme(1, "oms", "OMS", "ওএমএস", 1, "all-ages", "food", SINCE, None),
        Programme(2, "vwb", "VWB", "ভিডব্লিউবি", 2, "working-age", "food", SINCE, None),
    ),
    categories=(
        Category(1, "late", "Late", "দেরি", "x", "y", "normal", SINCE, None),
        Category(2, "bribe", "Bribe", "ঘুষ", "x", "y", "sensitive", SINCE, None),
    ),
    aliases={},
)
QUEUES = {(CELL, "cell"), *((office, desk) for office in (FOOD, WELFARE, FIELD) for desk in ("gro", "appeal"))}
TRIAGE = Rule(1, "triage", None, None, None, None, None, None, CELL, "cell", 0, SINCE, None, "test")


def rules() -> list[Rule]:
    """A sound set, as the seed writes it."""
    made = [
        TRIAGE,
        replace(TRIAGE, id=2, code="about-appeal-officer", about="appeal-officer"),
        replace(TRIAGE, id=3, code="about-ministry", about="ministry"),
    ]
    for n, (programme, office) in enumerate((("oms", FOOD), ("vwb", WELFARE))):
        own = replace(TRIAGE, programme=programme, office_id=office)
        made += [
            replace(own, id=10 * n + 10, code=f"{programme}.normal", sensitivity="normal", desk="gro"),
            replace(own, id=10 * n + 11, code=f"{programme}.sensitive", sensitivity="sensitive", desk="appeal"),
            replace(own, id=10 * n + 12, code=f"{programme}.about-gro", about="gro", desk="appeal"),
        ]
    return made


def check(changed: list[Rule]) -> Proof:
    return prove(RuleBook(changed), KNOWN, QUEUES, ON)


def without(code: str) -> list[Rule]:
    return [rule for rule in rules() if rule.code != code]


def test_a_sound_set_is_complete() -> None:
    proof = check(rules())
    assert proof.is_complete and proof.gaps == () and proof.overlapping == ()
    assert proof.combinations == 2 * 2 * 2 * len(ABOUT)
    assert sum(proof.by_desk.values()) == proof.combinations
    assert proof.offices == 3


def test_a_removed_rule_is_a_gap_though_triage_would_take_it() -> None:
    proof = check(without("oms.normal"))
    assert not proof.is_complete
    assert {(gap.programme, gap.about, gap.categories, gap.districts, gap.reason) for gap in proof.gaps} == {
        ("oms", about, ("late",), 2, "only triage takes it") for about in ("none", "field-office")
    }
    assert str(proof.gaps[0]) == "oms: only triage takes it (2 combinations; 2 districts; late)"


def test_without_triage_a_gap_is_a_gap_still() -> None:
    proof = check([rule for rule in without("oms.normal") if rule.code != "triage"])
    assert {gap.reason for gap in proof.gaps} == {"no rule fits"}


def test_a_rule_that_has_ended_leaves_a_gap() -> None:
    ended = [replace(rule, valid_to=ON) if rule.code == "vwb.sensitive" else rule for rule in rules()]
    assert {gap.programme for gap in check(ended).gaps} == {"vwb"}
    assert prove(RuleBook(ended), KNOWN, QUEUES, date(2026, 2, 28)).is_complete


def test_two_rules_that_ask_the_same_overlap() -> None:
    proof = check([*rules(), replace(TRIAGE, id=99, code="twin", programme="oms", sensitivity="normal")])
    assert [(one.code, other.code) for one, other in proof.overlapping] == [("oms.normal", "twin")]
    assert not proof.is_complete


def test_rules_that_followed_one_another_do_not_overlap() -> None:
    old = replace(TRIAGE, id=99, code="before", programme="oms", sensitivity="normal", valid_to=date(2020, 1, 1))
    assert check([*rules(), old]).overlapping == ()


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ({"programme": "oms", "district": "3026", "sensitivity": "sensitive", "desk": "gro"}, "ordinary desk of food"),
        ({"programme": "oms", "about": "gro", "district": "3026", "desk": "gro"}, "would reach whom it accuses: food"),
        ({"programme": "oms", "about": "ministry", "desk": "appeal"}, "would reach whom it accuses: food"),
        ({"programme": "oms", "about": "appeal-officer", "desk": "appeal"}, "would reach whom it accuses: food"),
        (
            {"programme": "oms", "about": "field-office", "desk": "appeal", "office_id": FIELD},
            "would reach whom it accuses: dc-3026",
        ),
        ({"programme": "oms", "category": "late", "sensitivity": "normal", "desk": "cell"}, "food has no desk cell"),
    ],
)
def test_a_rule_that_leads_to_the_wrong_desk_is_named(rule: dict[str, object], reason: str) -> None:
    wrong = replace(TRIAGE, **{"id": 99, "code": "wrong", "office_id": FOOD, **rule})  # type: ignore[arg-type]
    proof = check([*rules(), wrong])
    assert any(reason in str(gap) for gap in proof.gaps)


def test_another_ministrys_desk_may_have_a_complaint_about_this_one() -> None:
    other = replace(TRIAGE, id=99, code="x", programme="oms", about="ministry", office_id=WELFARE, desk="appeal")
    assert check([*rules(), other]).is_complete


def test_nothing_checked_is_nothing_proved() -> None:
    assert not prove(RuleBook(rules()), replace(KNOWN, programmes=()), QUEUES, ON).is_complete


def test_it_counts_what_a_decision_for_each_district_by_itself_counts() -> None:
    """Districts that no rule tells apart are judged together: whatever rules there are, nothing may be hidden by that."""
    chance = random.Random(20)
    for _ in range(60):
        drawn = [
            replace(
                TRIAGE,
                id=100 + number,
                code=f"drawn-{number}",
                programme=chance.choice([None, "oms"]),
                category=chance.choice([None, "late"]),
                division=chance.choice([None, None, "30"]),
                district=chance.choice([None, "3026", "3033"]),
                office_id=chance.choice([FOOD, WELFARE]),
                desk=chance.choice(["gro", "appeal"]),
            )
            for number in range(4)
        ]
        book = RuleBook(chance.sample([*rules(), *drawn], 9))
        desks: dict[str, int] = {}
        undecided = 0
        for programme, about, category, place in product(KNOWN.programmes, ABOUT, KNOWN.categories, KNOWN.districts):
            facts = Facts(programme.slug, category.slug, category.sensitivity, "30", place.code, None, about, ON)
            try:
                desk = decide(book, facts).desk
            except Misconfigured:
                undecided += 1
            else:
                desks[desk] = desks.get(desk, 0) + 1
        proof = prove(book, KNOWN, QUEUES, ON)
        assert proof.by_desk == desks
        assert sum(gap.count for gap in proof.gaps if gap.reason == "no rule fits") == undecided
