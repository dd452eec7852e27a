"""Sealed fields and blind indexes: personal values that the database holds but cannot read.

A sealed value is `version (1) | key id (4) | nonce (12) | AES-256-GCM ciphertext and tag`. Version, key id
and the caller's context (`complainant.phone:<tracking number>`) are authenticated too, so a value moved to
another column or row does not open. Nonces are random: one data key serves up to 2^32 values (NIST SP
800-38D 8.3), then a new one is put first.

A blind index is HMAC-SHA-256 under its own key: equal values have equal indexes, and without the key all 7
x 10^8 mobile numbers of the country cannot be tried. Changing data keys leaves it alone.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from grm.kernel.errors import GrmError

VERSION = 1
SHORTEST_KEY_BYTES = 32

_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEADER_BYTES = 1 + _KEY_ID_BYTES


class CannotOpen(GrmError):
    """A sealed value was changed, moved, cut, or sealed with a key this keyring lacks."""

    default_code = "sealed-value-unreadable"


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """The keys for sealed fields and blind indexes. Make one at start-up with `from_keys` and share it
    between threads."""

    _header: bytes
    _by_header: dict[bytes, AESGCM] = field(compare=False)
    _index_key: bytes = field(compare=False)

    @classmethod
    def from_keys(cls, data_keys: Sequence[bytes], index_key: bytes) -> "Keyring":
        """Derive the working keys by HKDF, one per purpose. The first data key seals, all of them open.

        Raises ValueError (never naming a value) if there is no data key, one is shorter than 32 bytes, or
        two are equal.
        """
        if not data_keys:
            raise ValueError("at least one data key is needed")
        if any(len(key) < SHORTEST_KEY_BYTES for key in (*data_keys, index_key)):
            raise ValueError(f"each key must have at least {SHORTEST_KEY_BYTES} bytes")
        if len({*data_keys, index_key}) != len(data_keys) + 1:
            raise ValueError("the data keys and the index key must all differ")
        headers = [_header_of(key) for key in data_keys]
        if len(set(headers)) != len(headers):
            raise ValueError("two data keys have the same id; make another one")
        ciphers = {
            header: AESGCM(derive_key(key, "sealed-field")) for header, key in zip(headers, data_keys, strict=True)
        }
        return cls(headers[0], ciphers, derive_key(index_key, "blind-index"))

    def seal(self, plain: str, context: str) -> bytes:
        """Encrypt `plain` so that it opens only with the same `context`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        cipher = self._by_header[self._header]
        return self._header + nonce + cipher.encrypt(nonce, plain.encode(), self._header + context.encode())

    def open(self, sealed: bytes, context: str) -> str:
        """The text sealed with this `context`. Raises `CannotOpen` for anything else."""
        header = bytes(sealed[:_HEADER_BYTES])
        cipher = self._by_header.get(header)
        if cipher is None or len(sealed) < _HEADER_BYTES + _NONCE_BYTES + _TAG_BYTES:
            raise CannotOpen
        nonce = bytes(sealed[_HEADER_BYTES : _HEADER_BYTES + _NONCE_BYTES])
        body = bytes(sealed[_HEADER_BYTES + _NONCE_BYTES :])
        try:
            return cipher.decrypt(nonce, body, header + context.encode()).decode()
        except InvalidTag:
            raise CannotOpen from None

    def needs_resealing(self, sealed: bytes) -> bool:
        """Whether the value was sealed with a key that is no longer the first: key rotation rewrites it."""
        return bytes(sealed[:_HEADER_BYTES]) != self._header

    def blind_index(self, kind: str, value: str) -> bytes:
        """32 bytes that are equal for equal values of one kind (`phone`), and unrelated between kinds."""
        return hmac.digest(self._index_key, f"{kind}\x00{value}".encode(), "sha256")

    def __repr__(self) -> str:
        return f"Keyring({len(self._by_header)} data keys)"


def _header_of(key: bytes) -> bytes:
    return bytes([VERSION]) + hashlib.sha256(b"grm:key-id:" + key).digest()[:_KEY_ID_BYTES]


def derive_key(key: bytes, purpose: str, length: int = 32) -> bytes:
    """A sub-key for one purpose by HKDF-SHA-256 (RFC 5869); knowing it tells nothing of `key` or of other
    purposes."""
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"grm:{purpose}".encode()).derive(key)
