"""Months as people write them, and the months a form offers. Pure."""

import re
from datetime import date

from grm.kernel.errors import InvalidInput
from grm.kernel.text import latin_digits, nfc, parse_date

MONTHS_BN = (
    *("জানুয়ারি", "ফেব্রুয়ারি", "মার্চ", "এপ্রিল", "মে", "জুন"),
    *("জুলাই", "আগস্ট", "সেপ্টেম্বর", "অক্টোবর", "নভেম্বর", "ডিসেম্বর"),
)
MONTHS_EN = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
OFFERED_MONTHS = 36
"""A list of three years: who has waited longer says so in words."""

_YEAR_FIRST = re.compile(r"(\d{4})\s*[-/.]\s*(\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{4})")
_NAMED = re.compile(r"([^\d\s.,'’/-]+)[\s.,'’/-]*(\d{4}|\d{2})")
_SHORTEST_NAME = 3
"""Letters of an English month's name that tell it apart."""


def parse_month(typed: str) -> date:
    """The first day of a month typed as 2026-01, 01/2026, January 2026, Jan-26, জানুয়ারি ২০২৬ or as any day in it.

    Raises `InvalidInput` `period-unreadable`.
    """
    plain = nfc(latin_digits(typed[:60])).strip()
    if day := parse_date(plain):
        return first_of_month(day)
    if found := _YEAR_FIRST.fullmatch(plain):
        return _month(int(found[1]), int(found[2]))
    if found := _YEAR_LAST.fullmatch(plain):
        return _month(int(found[2]), int(found[1]))
    if found := _NAMED.fullmatch(plain):
        year = int(found[2])
        return _month(year if year > 99 else 2000 + year, _number_of(found[1]))
    raise InvalidInput("period-unreadable")


def first_of_month(day: date) -> date:
    """The first day of a day's month."""
    return day.replace(day=1)


def recent_months(today: date, count: int = OFFERED_MONTHS) -> tuple[date, ...]:
    """The months up to the present one, the newest first."""
    last = today.year * 12 + today.month - 1
    return tuple(date(month // 12, month % 12 + 1, 1) for month in range(last, last - count, -1))


def month_code(month: date) -> str:
    """How a form sends a month: 2026-01."""
    return f"{month.year:04}-{month.month:02}"


def _month(year: int, month: int) -> date:
    if not (1900 <= year <= 2199 and 1 <= month <= 12):
        raise InvalidInput("period-unreadable")
    return date(year, month, 1)


def _number_of(name: str) -> int:
    lowered = name.casefold()
    for number, (bangla, english) in enumerate(zip(map(nfc, MONTHS_BN), MONTHS_EN, strict=True), 1):
        if name == bangla or (len(lowered) >= _SHORTEST_NAME and english.casefold().startswith(lowered)):
            return number
    for number, spellings in _OTHER_SPELLINGS.items():
        if name in map(nfc, spellings) or lowered in spellings:
            return number
    raise InvalidInput("period-unreadable")


_OTHER_SPELLINGS = {
    1: ("জানুয়ারী", "জানু"),
    2: ("ফেব্রুয়ারী", "ফেব্রু"),
    4: ("এপ্রিল",),
    8: ("আগষ্ট", "অগাস্ট"),
    9: ("সেপ্টেম্বার", "সেপ্ট", "sept"),
    12: ("ডিসে",),
}
"""What papers write beside the Academy's spelling."""
