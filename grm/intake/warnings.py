"""What somebody may not have meant to write into the text of a complaint: the number of an identity card, or a receipt's code.

Officers read the text, and it stays in the case. Who writes there what opens other doors (the secret of a complaint, an identity
number) is told before it is sent, and may send it all the same: an identity number can be what the complaint is about. Pure.
"""

import re
import unicodedata

from grm.kernel import tracking_number
from grm.kernel.text import latin_digits

IDENTITY_NUMBER = "identity-number"
RECEIPT_CODE = "receipt-code"


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


SENTENCES: dict[str, str] = {
    IDENTITY_NUMBER: _(
        "Your text holds a long number, like that of an identity card or an account. Take it out if the office can do without it."
    ),
    RECEIPT_CODE: _(
        "Your text holds a code as on a receipt. A tracking number may stand there; a secret code may not: take it out."
    ),
}
"""What is said of each code beside the text; the form translates it."""

IDENTITY_LENGTHS = frozenset({10, 13, 17})
"""Digits of an identity number: on the smart card, on the paper card, and on that one with the year of birth (as many as a birth
registration has). A mobile number has eleven, thirteen with the country's code. Bank accounts are as long: they count, too."""

_LONGEST = 25_000
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff]")
_DASH = "\u00ad\u2010-\u2015\u2212-"
_LONG_NUMBER = re.compile(f"(?<![0-9+])(?:[0-9]{{10,17}}|[0-9]{{3}}[ {_DASH}][0-9]{{3}}[ {_DASH}][0-9]{{4}})(?![0-9])")
_MOBILE = re.compile("(?:880?)?1[3-9][0-9]{8}")
_GROUP = f"[ {_DASH}]{{1,2}}"
_CODE = re.compile(
    f"(?<![0-9A-Za-z])(?:[0-9A-Za-z]{{4}}{_GROUP}[0-9A-Za-z]{{4}}{_GROUP}[0-9A-Za-z]{{5}}|[0-9A-Za-z]{{13}})(?![0-9A-Za-z])"
)


def warnings_of(text: str) -> tuple[str, ...]:
    """The codes of what looks out of place in a text, each once: `identity-number`, `receipt-code`; none for nearly every text.

    Digits of any script. A receipt's code is told by its check character; letters alone count only where they are grouped as on a
    receipt, or one word in thirty of thirteen letters would be one.
    """
    plain = _INVISIBLE.sub("", latin_digits(unicodedata.normalize("NFKC", text[:_LONGEST])))
    found = []
    if any(_is_identity_number(match.group()) for match in _LONG_NUMBER.finditer(plain)):
        found.append(IDENTITY_NUMBER)
    if any(_is_code(match.group()) for match in _CODE.finditer(plain)):
        found.append(RECEIPT_CODE)
    return tuple(found)


def _is_identity_number(written: str) -> bool:
    digits = re.sub("[^0-9]", "", written)
    return len(digits) in IDENTITY_LENGTHS and _MOBILE.fullmatch(digits) is None


def _is_code(written: str) -> bool:
    return not (written.isdigit() or written.isalpha()) and tracking_number.parse(written) is not None
