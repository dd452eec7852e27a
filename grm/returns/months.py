"""A month as it stands in addresses: 2026-11. Pure."""

from datetime import date

from grm.kernel.text import latin_digits
from grm.tallies.periods import Period, month_of

FIRST_YEAR, LAST_YEAR = 2015, 2100
"""No return is older than the Guidelines; and the month after one must be a date."""


def month_in(text: str) -> Period | None:
    """Read 2026-11, in Latin or Bangla digits; None for anything else."""
    year, dash, number = latin_digits(text).partition("-")
    if not dash or not (year.isascii() and year.isdigit() and number.isascii() and number.isdigit()):
        return None
    if len(year) != 4 or len(number) != 2 or not FIRST_YEAR <= int(year) <= LAST_YEAR or not 1 <= int(number) <= 12:
        return None
    return month_of(date(int(year), int(number), 1))
