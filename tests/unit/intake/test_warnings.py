"""What is warned of before a text is sent, and what is not: a warning that is always there is read by nobody."""

import time

import pytest

from grm.intake.warnings import IDENTITY_NUMBER, RECEIPT_CODE, SENTENCES, warnings_of
from grm.kernel import tracking_number
from grm.kernel.text import bangla_digits

CODE = tracking_number.new_tracking_number(0x7A3_4567_89AB_CDEF & ((1 << 60) - 1))
SHOWN = tracking_number.display(CODE)


@pytest.mark.parametrize(
    "text",
    [
        "আমার এনআইডি ৫৫১২৩৪৫৬৭৮ ভুল লেখা",
        "NID 5512345678.",
        "NID: 551 234 5678",
        "551-234-5678",
        "1985551234567",
        "(19855512345671234)",
        "৫৫১২৩\u200d৪৫৬৭৮",
        "５５１２３４５６７８",
    ],
)
def test_identity_numbers_are_seen_in_any_digits(text: str) -> None:
    assert warnings_of(text) == (IDENTITY_NUMBER,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "আমার ফোন ০১৭১২-৩৪৫৬৭৮",
        "01712345678, +8801712345678, 8801712345678, 008801712345678, 1712345678",
        "৫০০ ১০০০ ৫০০ টাকা, ১২,৩৪,৫৬,৭৮,৯০০ টাকা",
        "০১/০১/২০২৬ থেকে ৩১/১২/২০২৬; 2026-01-01 2026-12-31",
        "123456789 and 123456789012",
    ],
)
def test_phones_sums_and_dates_are_not(text: str) -> None:
    assert warnings_of(text) == ()


@pytest.mark.parametrize(
    "written",
    [
        SHOWN,
        CODE,
        SHOWN.lower(),
        bangla_digits(SHOWN),
        SHOWN.replace("-", " "),
        SHOWN.replace("-", "\u2013"),
        f"«{SHOWN}»",
    ],
)
def test_a_code_of_a_receipt_is_seen_as_people_write_it(written: str) -> None:
    assert warnings_of(f"আমার আগের অভিযোগ {written} দেখুন।") == (RECEIPT_CODE,)


@pytest.mark.parametrize(
    "text", [SHOWN[:-1] + ("0" if SHOWN[-1] != "0" else "1"), "CONGRATULATED", SHOWN[:-1], "four five sixes"]
)
def test_what_only_looks_like_one_is_not(text: str) -> None:
    assert warnings_of(text) == ()


def test_each_is_said_once_and_has_a_sentence() -> None:
    assert warnings_of(f"{SHOWN} 5512345678 {SHOWN} 5512345679") == (IDENTITY_NUMBER, RECEIPT_CODE) == tuple(SENTENCES)


@pytest.mark.parametrize("text", ["1 " * 50_000, "1" * 100_000, "A-" * 50_000, "অ" * 100_000, "1234-" * 20_000])
def test_no_text_takes_long(text: str) -> None:
    began = time.perf_counter()
    warnings_of(text)
    assert time.perf_counter() - began < 0.05
