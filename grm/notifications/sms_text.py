"""How many SMS a text costs.

Sources: 3GPP TS 23.038 (the GSM 7-bit default alphabet, its extension table, UCS-2) and TS 23.040,
9.2.3.24.1 (the six-byte header of a joined message). 140 bytes hold 160 septets or 70 UCS-2 units; with
the header 153 or 67. A character of the extension table takes two septets, one beyond U+FFFF two UCS-2
units, and neither is cut by a joint. One letter outside the alphabet, so any Bangla letter, makes the
whole message UCS-2; Bangla conjuncts and vowel signs count one unit each.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Encoding = Literal["gsm7", "ucs2"]

GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")

LIMITS: dict[Encoding, tuple[int, int]] = {"gsm7": (160, 153), "ucs2": (70, 67)}
"""Units of a message alone, and of each part of a joined one."""


class SmsSize(NamedTuple):
    """The size of a text: how it is coded, how many units it takes (septets or UCS-2 units) and in how
    many parts it goes."""

    encoding: Encoding
    units: int
    parts: int


def measure(text: str) -> SmsSize:
    """Measure a text exactly as given. An empty text has no part: there is nothing to send."""
    is_gsm7 = all(character in GSM7_BASIC or character in GSM7_EXTENSION for character in text)
    encoding: Encoding = "gsm7" if is_gsm7 else "ucs2"
    if is_gsm7:
        widths = [2 if character in GSM7_EXTENSION else 1 for character in text]
    else:
        widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
    units = sum(widths)
    alone, joined = LIMITS[encoding]
    if units <= alone:
        return SmsSize(encoding, units, 1 if units else 0)
    return SmsSize(encoding, units, _parts(widths, joined))


def _parts(widths: Iterable[int], capacity: int) -> int:
    parts, room = 1, capacity
    for width in widths:
        if width > room:
            parts, room = parts + 1, capacity
        room -= width
    return parts
