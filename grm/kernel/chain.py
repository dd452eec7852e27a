"""The hash chain behind a case's history: each row's hash covers the row and the hash before it.

Who edits, deletes, reorders or inserts a row must recompute all later hashes; a checkpoint kept elsewhere
(`head`) shows that. Free text is not in the rows, only a salted commitment to it: erasing text and salt
leaves the chain whole.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple
from uuid import UUID

GENESIS = bytes(32)
"""What stands before the first row."""

_PLAIN = frozenset({str, int, bool, type(None)})  # what most values are: a sweep hashes thousands of rows
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class ChainRow(NamedTuple):
    """A stored row: what was hashed, the hash it says came before, and its own hash."""

    record: Mapping[str, Any]
    previous: bytes
    stored: bytes


class ChainFault(NamedTuple):
    """The first row (counted from 0) that does not fit, and why: `previous`, `record` or `tail`."""

    position: int
    why: str


def plain(value: Any) -> Any:
    """The value as JSON can hold it without loss, so that what is stored is what was hashed.

    Instants become ISO 8601 in UTC with microseconds; dates ISO; bytes hex; decimals and UUIDs text. Floats
    are refused, since they change on the way through a database; so are naive instants and keys that are
    not text.
    """
    if type(value) in _PLAIN:
        return value
    if isinstance(value, (bool, int, str)) and not isinstance(value, Enum):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise ValueError("a naive instant has no place in the history")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("keys in the history must be text")
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item) for item in value), key=repr)
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no canonical form")


def canonical_json(record: Any) -> bytes:
    """The one way to write a record: keys sorted, no spaces, UTF-8 (in the manner of RFC 8785)."""
    return _ENCODER.encode(plain(record)).encode()


def row_hash(previous: bytes, record: Mapping[str, Any]) -> bytes:
    """SHA-256 over the hash before (`GENESIS` or empty for the first row) and the record: 32 bytes."""
    before = previous or GENESIS
    if len(before) != 32:
        raise ValueError("the hash before must have 32 bytes")
    return hashlib.sha256(before + canonical_json(record)).digest()


def commitment(salt: bytes, text: str) -> str:
    """What the chain holds of a free text: HMAC-SHA-256 under a random salt of at least 16 bytes, in hex.

    It binds to the text and, once the salt is erased, tells nothing of it, however short the text is.
    """
    if len(salt) < 16:
        raise ValueError("the salt must have at least 16 bytes")
    return hmac.digest(salt, text.encode(), "sha256").hex()


def first_bad(rows: Iterable[ChainRow], head: bytes | None = None) -> ChainFault | None:
    """The first row that breaks the chain, or None. With `head`, the last hash known elsewhere, a cut tail
    is found too."""
    before, count = GENESIS, 0
    for index, row in enumerate(rows):
        if (bytes(row.previous) or GENESIS) != before:
            return ChainFault(index, "previous")
        if row_hash(before, row.record) != bytes(row.stored):
            return ChainFault(index, "record")
        before, count = bytes(row.stored), index + 1
    if head is not None and head != before:
        return ChainFault(count, "tail")
    return None
