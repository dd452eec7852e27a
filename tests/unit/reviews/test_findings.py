"""Reviews: which answers are findings, what must be filled in, and who may never review."""

from dataclasses import replace

import pytest

from grm.reviews.findings import (
    ANSWERS,
    FAULTY,
    LONGEST_REMARK,
    Closure,
    Reviewer,
    Written,
    assign,
    what_is_wrong,
    why_not,
)

SOUND = Written("yes", "yes", "no", "yes", "no")


def test_each_question_has_one_answer_that_is_a_finding() -> None:
    assert SOUND.faults == () and set(FAULTY) == set(ANSWERS)
    for question, answer in FAULTY.items():
        assert replace(SOUND, **{question: answer}).faults == (question,)
    assert replace(SOUND, contacted="unclear", evidence="not_needed").faults == ()


@pytest.mark.parametrize(
    ("changes", "needs_evidence", "wrong"),
    [
        ({}, True, {}),
        ({"contacted": ""}, False, {"contacted": "choose-one"}),
        ({"to_the_point": "unclear", "reopen": "x"}, False, {"to_the_point": "choose-one", "reopen": "choose-one"}),
        ({"evidence": "not_needed"}, False, {}),
        ({"evidence": "not_needed"}, True, {"evidence": "evidence-is-needed"}),
        ({"passed_on": "yes"}, False, {"remark": "say-what-was-found"}),
        ({"passed_on": "yes", "remark": "  ছোট   "}, False, {"remark": "say-what-was-found"}),
        ({"passed_on": "yes", "remark": "অধস্তন দপ্তরে পাঠিয়ে নথিজাত করা হয়েছে"}, False, {}),
        ({"remark": "x" * (LONGEST_REMARK + 1)}, False, {"remark": "too-long"}),
    ],
)
def test_what_must_be_filled_in(changes: dict[str, str], needs_evidence: bool, wrong: dict[str, str]) -> None:
    assert what_is_wrong(replace(SOUND, **changes), needs_evidence) == wrong


def test_who_reviews_is_outside_the_office_and_did_not_decide() -> None:
    assert why_not(Reviewer(1, {10}), Closure(20, {2})) == ""
    assert why_not(Reviewer(1, {10, 20}), Closure(20, {2})) == "own-office"
    assert why_not(Reviewer(2, {10}), Closure(20, {2})) == "own-decision"


def test_nobody_reviews_himself_and_what_the_cell_closed_is_not_left_out() -> None:
    """Coordinators first, then colleagues without a hand in it; for what is sensitive the other way round."""
    cell, busy = Reviewer(1, {10}), Reviewer(2, {10})
    outside = Reviewer(3, {20}, is_of_cell=False)
    own, secret = Closure(10, {1}, is_of_cell=True), Closure(10, {1}, is_of_cell=True, is_sensitive=True)
    assert [why_not(each, own) for each in (cell, busy, outside)] == ["own-hand", "", ""]
    assert why_not(outside, Closure(20, ())) == why_not(outside, Closure(30, ())) == "not-your-part"
    everybody = [cell, busy, outside]
    assert assign({1: own, 2: secret}, everybody, (), {3: 9}) == {1: 3, 2: 2}
    assert assign({1: own, 2: secret}, everybody, {(1, 3), (2, 2)}, {}) == {1: 2, 2: 3}
    assert assign({1: own, 2: secret}, [cell], (), {}) == {}, "who had a hand in it is nobody"


def test_the_work_is_spread_among_those_who_may() -> None:
    reviewers = [Reviewer(1, {10}), Reviewer(2, {10}), Reviewer(3, {10, 20})]
    closures = {number: Closure(20 if number % 2 else 30, {1} if number == 4 else ()) for number in range(9)}
    hidden = {(0, 1), (0, 2)}
    given = assign(closures, reviewers, hidden, {2: 3})
    assert given.keys() == closures.keys()
    assert given[0] == 3 and given[4] != 1
    assert all(given[number] != 3 for number in closures if number % 2)
    load = {each.officer_id: list(given.values()).count(each.officer_id) for each in reviewers}
    assert load[2] < load[1], "who has three already gets fewer"
    assert assign({5: Closure(10, ())}, reviewers, (), {}) == {}, "nobody reviews the own office"
