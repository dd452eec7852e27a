"""Mobile numbers and e-mail addresses: one stored form each, and a masked one for lists.

Parsers raise `InvalidInput` with a code only; the form puts it beside its field. They take time linear in a
bounded input.
"""

import re
from collections.abc import Sequence

from grm.kernel.errors import InvalidInput
from grm.kernel.text import is_blank, latin_digits, nfc

MOBILE_PREFIXES: tuple[str, ...] = ("013", "014", "015", "016", "017", "018", "019")
"""The number ranges of Bangladesh's mobile operators in the national numbering plan (BTRC). Any other
number is a landline, a short code, a premium number or abroad: an SMS to it is refused or costs the
treasury money. A new range is added here."""

COUNTRY_CODE = "880"
LONGEST_EMAIL = 254  # RFC 5321 4.5.3.1.3, less the angle brackets
LONGEST_LOCAL_PART = 64

_LONGEST_PHONE_INPUT = 64
_PHONE_NOISE = re.compile(
    "[\\s().\\-\u00ad\u200b-\u2015\u202a-\u202e\u2060\u2066-\u2069\u2212\ufeff\uff08\uff09\uff0d]+"
)
_DIGITS = re.compile("[0-9]+")
_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_QUOTED = re.compile(r'"(?:[ !#-\[\]-~]|\\[ -~])+"')
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")


def parse_mobile(text: str, prefixes: Sequence[str] = MOBILE_PREFIXES) -> str:
    """The number in E.164 form, `+8801` and nine digits, from any of the ways people write it.

    Takes ০১৭…, +৮৮০১৭…, 8801712…, 00880…, 01712-345678, full-width and Arabic digits. Codes of the
    `InvalidInput`: `phone-missing`, `phone-characters`, `phone-foreign`, `phone-length`,
    `phone-not-mobile`.
    """
    if is_blank(text):
        raise InvalidInput("phone-missing")
    if len(text) > _LONGEST_PHONE_INPUT:
        raise InvalidInput("phone-length")
    compact = _PHONE_NOISE.sub("", latin_digits(text)).replace("\uff0b", "+")
    is_international = compact.startswith(("+", "00"))
    digits = compact.removeprefix("+")
    if not _DIGITS.fullmatch(digits):
        raise InvalidInput("phone-characters")
    if is_international:
        digits = digits.removeprefix("00")
        if not digits.startswith(COUNTRY_CODE):
            raise InvalidInput("phone-foreign")
    if digits.startswith(COUNTRY_CODE):
        digits = "0" + digits.removeprefix(COUNTRY_CODE).removeprefix("0")
    if len(digits) != 11:
        raise InvalidInput("phone-length")
    if not digits.startswith(tuple(prefixes)):
        raise InvalidInput("phone-not-mobile")
    return "+" + COUNTRY_CODE + digits[1:]


def is_sendable_mobile(number: str, prefixes: Sequence[str] = MOBILE_PREFIXES) -> bool:
    """Whether a stored number may get an SMS: the sender asks again, whatever is in the table."""
    try:
        return parse_mobile(number, prefixes) == number
    except InvalidInput:
        return False


def mask_phone(number: str) -> str:
    """A number as lists show it: operator and last three digits, `017•••••678`."""
    digits = "0" + number.removeprefix("+" + COUNTRY_CODE) if number.startswith("+" + COUNTRY_CODE) else number
    if len(digits) <= 6:
        return "•" * len(digits)
    return digits[:3] + "•" * (len(digits) - 6) + digits[-3:]


def parse_email(text: str) -> str:
    """The address with its domain in lower-case ASCII (IDNA), so that any mail server takes it.

    The local part keeps its case (RFC 5321 2.4) and may be quoted. A domain has at least two labels and no
    numeric last one. Codes: `email-missing`, `email-too-long`, `email-invalid`.
    """
    if is_blank(text):
        raise InvalidInput("email-missing")
    if len(text) > 2 * LONGEST_EMAIL:
        raise InvalidInput("email-too-long")
    local, at, domain = nfc(text).strip().strip("\u200b\u200e\u200f\u2060\ufeff").rpartition("@")
    if not at or not (_ATOM.fullmatch(local) or _QUOTED.fullmatch(local)):
        raise InvalidInput("email-invalid")
    if len(local) > LONGEST_LOCAL_PART:
        raise InvalidInput("email-too-long")
    address = f"{local}@{_ascii_domain(domain)}"
    if len(address) > LONGEST_EMAIL:
        raise InvalidInput("email-too-long")
    return address


def mask_email(address: str) -> str:
    """An address as lists show it: first letter and domain, `r•••@example.org`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def _ascii_domain(domain: str) -> str:
    try:
        ascii_domain = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise InvalidInput("email-invalid") from None
    labels = ascii_domain.split(".")
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidInput("email-invalid")
    if labels[-1].isdigit() or len(labels[-1]) < 2:
        raise InvalidInput("email-invalid")
    return ascii_domain
