"""Passwords: Argon2id (RFC 9106, second recommended option), with a cap on hashes computed at the same time.

A cap, because each takes 64 MiB and a tenth of a second: a flood of sign-ins would otherwise starve the citizens' pages.
"""

import secrets
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from grm.kernel.errors import InvalidInput, TooMany
from grm.kernel.text import nfc

SHORTEST = 12
LONGEST = 256
PARALLEL_HASHES = 2
WAIT_SECONDS = 5
# The commonest long passwords and words of this project, folded to lower case; short ones are refused by length already.
BLOCKED_PARTS = ("password", "123456789", "qwertyuiop", "bangladesh", "iloveyou", "grievance", "abcdefgh", "11111111")
_hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_turn = BoundedSemaphore(PARALLEL_HASHES)


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password, in NFC so that it can be typed on any keyboard."""
    return _hasher.hash(nfc(password))


def one_time_password() -> str:
    """A password to hand out: 80 random bits in letters that nobody mistakes, to be read out or copied from paper."""
    letters = [secrets.choice(_LETTERS) for _ in range(16)]
    return "-".join("".join(letters[start : start + 4]) for start in range(0, 16, 4))


def check_new(password: str) -> None:
    """Refuse a password that is too short, too long, or built on a common one (OWASP ASVS 5.0, 6.2).

    Raises InvalidInput 'password-too-short', 'password-too-long' or 'password-too-common'.
    """
    if len(password) < SHORTEST:
        raise InvalidInput("password-too-short", shortest=SHORTEST)
    if len(password) > LONGEST:
        raise InvalidInput("password-too-long", longest=LONGEST)
    folded = password.casefold()
    if any(part in folded for part in BLOCKED_PARTS) or len(set(folded)) < 5:
        raise InvalidInput("password-too-common")


def verify(known_hash: str | None, password: str) -> bool:
    """Tell whether this is the password. Without a hash (unknown user) the same work is done and the answer is no.

    Raises TooMany when too many passwords are being checked at the moment.
    """
    if not _turn.acquire(timeout=WAIT_SECONDS):
        raise TooMany("sign-in-busy", retry_after_seconds=WAIT_SECONDS)
    try:
        is_right = _hasher.verify(known_hash or _nobodys_hash(), nfc(password))
    except (VerificationError, InvalidHashError):
        return False
    finally:
        _turn.release()
    return is_right and known_hash is not None


@cache
def _nobodys_hash() -> str:
    return hash_password("nobody has this password")
