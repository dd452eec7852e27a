"""The facts of a payment or a correction: all optional, read as people write them, and nothing personal of the anonymous."""

from collections.abc import Mapping
from datetime import date

import pytest

from grm.intake.facts import Claim, fields_for, parse_taka, screen_claim
from grm.intake.periods import MONTHS_BN, month_code, parse_month, recent_months
from grm.intake.sieve import Sieve
from grm.kernel.errors import InvalidInput

TODAY = date(2026, 11, 22)
PROVIDERS = {"bkash": "wallet", "sonali-bank": "bank"}
NOT_RECEIVED, CORRECTION = "payment-not-received", "data-correction"


def screened(
    category: str, typed: Mapping[str, str], is_anonymous: bool = False
) -> tuple[Claim | None, list[tuple[str, str]]]:
    """The claim, and the faults as (field, code)."""
    sieve = Sieve(typed)
    claim = screen_claim(sieve, category, PROVIDERS, TODAY, is_anonymous)
    return claim, [(problem.field, problem.code) for problem in sieve.problems]


@pytest.mark.parametrize(
    ("typed", "taka"),
    [
        ("1500", 1500),
        ("০", 0),
        ("১,৫০০/-", 1500),
        ("৳ 1,500.00", 1500),
        ("১৫০০ টাকা", 1500),
        ("Tk. 500", 500),
        ("টাকা ৫০০/=", 500),
        ("1,00,000", 100000),
        ("499.50", 500),
        ("499.4", 499),
        ("-5", None),
        ("5 or 6", None),
        ("পাইনি", None),
        ("1.5.5", None),
        ("৳", None),
        ("1" * 61, None),
    ],
)
def test_amounts_as_people_write_them(typed: str, taka: int | None) -> None:
    assert parse_taka(typed) == taka


@pytest.mark.parametrize(
    "typed",
    ["2026-01", "২০২৬-১", "1/2026", "০১/২০২৬", "January 2026", "jan-26", "জানুয়ারি ২০২৬", "জানুয়ারী, ২০২৬", "15/01/2026"],
)
def test_months_as_people_write_them(typed: str) -> None:
    assert parse_month(typed) == date(2026, 1, 1)


def test_every_month_reads_back_by_its_name_and_its_code() -> None:
    for number, bangla in enumerate(MONTHS_BN, 1):
        assert parse_month(f"{bangla} ২০২৬") == date(2026, number, 1)
    months = recent_months(TODAY)
    assert (months[0], months[-1], len(months)) == (date(2026, 11, 1), date(2023, 12, 1), 36)
    assert all(parse_month(month_code(each)) == each for each in months)


@pytest.mark.parametrize(
    "typed", ["2026-13", "13/2026", "0/2026", "ja 2026", "month", "ঈদ ২০২৬", "2026", "1/1899", "\0"]
)
def test_what_is_no_month_is_said_to_be_none(typed: str) -> None:
    with pytest.raises(InvalidInput, match="period-unreadable"):
        parse_month(typed)


def test_a_payment_in_full() -> None:
    typed = {
        "period_from": "2026-01",
        "period_to": "মার্চ ২০২৬",
        "taka_expected": "১,৮০০",
        "taka_received": "1500/-",
        "provider": "bkash",
        "account_note": " 01712345678,  স্বামীর নামে ",
        "correct_to": "of another kind of complaint",
    }
    claim, faults = screened("payment-short-or-late", typed)
    assert faults == []
    assert claim == Claim(
        kind="payment",
        period_from=date(2026, 1, 1),
        period_to=date(2026, 3, 1),
        taka_expected=1800,
        taka_received=1500,
        provider_kind="wallet",  # told by the provider that was named
        provider="bkash",
        account_note="01712345678, স্বামীর নামে",
    )


def test_nobody_is_refused_for_what_they_do_not_know() -> None:
    assert screened(NOT_RECEIVED, {}) == (None, [])
    assert screened(CORRECTION, {"correct_from": " \u200b "}) == (None, [])
    told, faults = screened(NOT_RECEIVED, {"period_to": "2026-02", "provider_kind": "unknown"})
    assert told == Claim("payment", date(2026, 2, 1), date(2026, 2, 1), provider_kind="unknown") and faults == []
    assert screened(NOT_RECEIVED, {"provider_kind": "agent_bank", "provider": "sonali-bank"})[0] == Claim(
        "payment", provider_kind="agent_bank", provider="sonali-bank"
    )


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ({"period_from": "once"}, ("period_from", "period-unreadable")),
        ({"period_from": "2026-12"}, ("period_from", "period-in-future")),
        ({"period_to": "1989-12"}, ("period_to", "period-too-early")),
        ({"period_from": "2026-03", "period_to": "2026-01"}, ("period_to", "period-reversed")),
        ({"taka_expected": "many"}, ("taka_expected", "taka-unreadable")),
        ({"taka_received": "10000000"}, ("taka_received", "taka-too-much")),
        ({"provider_kind": "friend"}, ("provider_kind", "provider_kind-unknown")),
        ({"provider": "cell"}, ("provider", "provider-unknown")),
        ({"account_note": "x" * 201}, ("account_note", "too-long")),
        ({"account_note": "a\0b"}, ("account_note", "control-characters")),
    ],
)
def test_what_cannot_be_read_names_its_field(typed: dict[str, str], fault: tuple[str, str]) -> None:
    assert screened(NOT_RECEIVED, typed)[1] == [fault]
    assert screened("food-entitlement", typed) == (None, [])  # and is not looked at where it is not asked


def test_a_correction() -> None:
    typed = {"correct_what": "name", "correct_from": "রহিমা", "correct_to": "রাহিমা খাতুন", "taka_received": "many"}
    assert screened(CORRECTION, typed) == (
        Claim("correction", correct_what="name", correct_from="রহিমা", correct_to="রাহিমা খাতুন"),
        [],
    )
    assert screened(CORRECTION, {"correct_what": "colour"})[1] == [("correct_what", "correct_what-unknown")]
    assert screened(CORRECTION, {"correct_to": "x" * 301})[1] == [("correct_to", "too-long")]


def test_an_anonymous_filing_keeps_no_account_and_no_personal_value() -> None:
    payment, _ = screened(NOT_RECEIVED, {"taka_received": "0", "account_note": "01712345678"}, is_anonymous=True)
    assert payment == Claim("payment", taka_received=0)
    correction, _ = screened(CORRECTION, {"correct_what": "nid", "correct_from": "1", "correct_to": "2"}, True)
    assert correction == Claim("correction", correct_what="nid")
    assert screened(NOT_RECEIVED, {"account_note": "01712345678"}, True) == (None, [])


def test_which_categories_are_asked_what() -> None:
    assert fields_for(NOT_RECEIVED)[0] == "period_from" and fields_for(CORRECTION)[0] == "correct_what"
    assert fields_for("bribe-demand") == fields_for(None) == ()
