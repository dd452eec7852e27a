"""The public identifier of a case, and the secret that opens it.

Twelve random characters (60 bits) of Crockford's base 32 (https://www.crockford.com/base32.html) and one
check character. The alphabet leaves out I, L, O and U, which are misread. The check is a weighted sum over
the field GF(2^5) with thirteen different non-zero weights: it finds every single wrong character and every
exchange of two characters (a wrong character changes the sum by weight x difference, an exchange by
difference x difference; in a field neither product is zero).

No number is guessable from another, and none holds a phone number, a date or a place.
"""

import hmac
import re
import secrets
import unicodedata

from grm.kernel.text import latin_digits

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_CHARACTERS = 12
RANDOM_BITS = 5 * RANDOM_CHARACTERS
LENGTH = RANDOM_CHARACTERS + 1

_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_FOLD = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})
_SEPARATORS = re.compile("[\\s_.\u00ad\u200b-\u200f\u2010-\u2015\u2060\u2212\ufeff-]+")
_LONGEST_INPUT = 64


def _times_x(value: int) -> int:
    """Multiply by x in GF(2^5) modulo x^5 + x^2 + 1; x generates all 31 non-zero elements."""
    value <<= 1
    return value ^ 0b100101 if value & 0b100000 else value


def _multiply(left: int, right: int) -> int:
    product = 0
    while right:
        if right & 1:
            product ^= left
        left = _times_x(left)
        right >>= 1
    return product


def _weights() -> tuple[int, ...]:
    """One weight a position: x^12 … x^1 for the random characters, x^0 = 1 for the check character."""
    powers = [1]
    while len(powers) < LENGTH:
        powers.append(_times_x(powers[-1]))
    return tuple(reversed(powers))


_WEIGHTED = tuple(tuple(_multiply(weight, value) for value in range(32)) for weight in _weights())


def check_character(body: str) -> str:
    """The character that makes the weighted sum of `body` (12 characters of the alphabet) and itself zero."""
    total = 0
    for weighted, character in zip(_WEIGHTED, body, strict=False):
        total ^= weighted[_VALUE[character]]
    return ALPHABET[total]


def new_tracking_number(random_bits: int | None = None) -> str:
    """A tracking number of 13 characters, from the operating system's randomness or from the given 60
    bits."""
    bits = secrets.randbits(RANDOM_BITS) if random_bits is None else random_bits
    if not 0 <= bits < 1 << RANDOM_BITS:
        raise ValueError(f"random_bits must fit in {RANDOM_BITS} bits")
    body = "".join(ALPHABET[bits >> shift & 31] for shift in range(RANDOM_BITS - 5, -1, -5))
    return body + check_character(body)


def parse(text: str) -> str | None:
    """The stored form of a number or secret as somebody typed it, or None if it cannot be one.

    Takes lower case, groups with hyphens, dashes or spaces, O for 0, I and L for 1, U for V, Bangla and
    full-width digits.
    """
    if len(text) > _LONGEST_INPUT:
        return None
    compact = _SEPARATORS.sub("", latin_digits(unicodedata.normalize("NFKC", text))).upper().translate(_FOLD)
    if len(compact) != LENGTH or any(character not in _VALUE for character in compact):
        return None
    return compact if check_character(compact[:-1]) == compact[-1] else None


def display(number: str) -> str:
    """The number in groups of 4-4-5, as it is shown, read aloud and printed."""
    return f"{number[:4]}-{number[4:8]}-{number[8:]}"


def derive_secret(key: bytes, token: bytes) -> str:
    """The secret of the case filed from the draft with this token: 60 bits of HMAC-SHA-256, and a check
    character.

    The same token gives the same secret, so that the same form posted twice shows the same receipt, and no
    secret is kept anywhere. Without `key` it is as good as random.
    """
    mac = hmac.digest(_long_enough(key), b"grm:secret:" + token, "sha256")
    return new_tracking_number(int.from_bytes(mac[:8], "big") >> 4)


def secret_mac(key: bytes, tracking_number: str, secret: str) -> bytes:
    """What the database keeps of a secret: HMAC-SHA-256 over number and secret, 32 bytes. Compare with
    `hmac.compare_digest`.

    Sixty random bits under a key that is not in the database need no slow hash; the filing path must not
    wait for one.
    """
    return hmac.digest(_long_enough(key), f"grm:secret-mac:{tracking_number}:{secret}".encode(), "sha256")


def _long_enough(key: bytes) -> bytes:
    if len(key) < 32:
        raise ValueError("the key must have at least 32 bytes")
    return key
