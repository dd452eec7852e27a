"""Every fault that the screening finds has words of its own, in both languages."""

import re
from datetime import date

import pytest

from grm.intake import wording
from grm.intake.programme_names import Found
from grm.intake.screening import Choices, Problem, screen
from grm.web.locale import speaking

CHOICES = Choices(
    *(
        frozenset({"p"}),
        {"c": False, "payment-account": False, "data-correction": False},
        frozenset({"1", "2"}),
        {"11": "1"},
        frozenset({"o"}),
    ),
    find_programmes=lambda typed: Found(("p", "q")[: len(typed)]),
)
TODAY = date(2026, 3, 1)
BAD: list[dict[str, str]] = [
    {},
    {"programme": "x", "category": "x", "district": "x", "upazila": "x", "about": "x", "details": "অ" * 20_001},
    {"district": "2", "upazila": "11", "details": "\x00", "incident_on": "x", "name": "x" * 301, "phone": "x"},
    {"phone": "01212345678", "email": "x", "incident_on": "01/01/1950", "preferred_channel": "x", "language": "x"},
    {"phone": "+15005550006", "email": "x" * 400 + "@example.org", "incident_on": "01/01/2027", "sex": "x"},
    {"phone": "1", "age_group": "x", "disability": "x", "on_behalf": "1", "relation": "x"},
    {"preferred_channel": "sms"},
    {"preferred_channel": "email"},
    {"programme_words": "x", "others": "ক, 12345\n" + "খ" * 301},
    {"programme_words": "xy", "others": "\n".join(f"ক{number}" for number in range(51))},
    {"category": "payment-account", "period_from": "x", "period_to": "2026-04", "taka_expected": "x", "provider": "x"},
    {"category": "payment-account", "period_from": "1971-03", "taka_received": "10000000", "provider_kind": "x"},
    {"category": "payment-account", "period_from": "2026-02", "period_to": "2026-01"},
    {"category": "data-correction", "correct_what": "x"},
    {"medium": "x", "received_on": "01/01/2020", "accused_office": "x"},
]
PROBLEMS = {
    (problem.field, problem.code): problem
    for filling in BAD
    for is_desk in (False, True)
    for problem in screen(filling, CHOICES, TODAY, is_desk=is_desk).problems
}


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=lambda problem: f"{problem.field}-{problem.code}")
def test_a_fault_says_how_to_mend_it(problem: Problem) -> None:
    with speaking("bn"):
        bangla = wording.sentence(problem)
    with speaking("en"):
        english = wording.sentence(problem)
    assert re.search("[ঀ-৿]", bangla) and not re.search("[0-9]", bangla.replace("name@example.org", ""))
    assert re.fullmatch(r"[ -~–“”’]+", english) and problem.code not in english
    assert "%(" not in bangla + english


def test_the_list_above_finds_most_codes() -> None:
    assert len(PROBLEMS) > 30
    assert {code for _, code in PROBLEMS} >= set(wording.SENTENCES) - {"email-too-long"}


def test_every_field_has_its_name() -> None:
    with speaking("bn"):
        assert all(re.search("[ঀ-৿]", wording.label(name)) for name in wording.LABELS)
