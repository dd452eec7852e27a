"""The pieces of a file in the store: written one after the other as the file grows, and sent in the same way."""

import hashlib
import io
from collections.abc import Iterator
from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.orm import Session

from grm.cases import attachment_care
from grm.exports.models import ExportPart
from grm.files.store import Store, new_name
from grm.files.stores import open_store
from grm.kernel.context import settings

PIECE = 4 * 1024 * 1024
attachment_care.also_named_in(ExportPart.stored_name)


def store() -> Store:
    """Where files lie."""
    return open_store(settings())


class PartWriter(io.RawIOBase):
    """A file that can only be written on; every few megabytes go into the store. Whoever drops it before `settle` leaves nothing:
    pieces without a row are swept away within the hour (`attachment_care.sweep_orphans`)."""

    def __init__(self, place: Store, piece: int = PIECE) -> None:
        super().__init__()
        self.names: list[str] = []
        self.size = 0
        self._place, self._piece = place, piece
        self._waiting = bytearray()
        self._hash = hashlib.sha256()

    def writable(self) -> bool:
        """It is written on, one piece after the other."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Take bytes; raises `StoreFull` or `OSError` where the store does."""
        self._waiting += data
        self._hash.update(data)
        self.size += len(data)
        while len(self._waiting) >= self._piece:
            self._put(self._piece)
        return len(data)

    def finish(self) -> bytes:
        """Store what is left; returns the SHA-256 of the whole."""
        if self._waiting or not self.names:
            self._put(len(self._waiting))
        return self._hash.digest()

    def settle(self) -> None:
        """The rows of the pieces are committed."""
        for name in self.names:
            self._place.settle(name)

    def drop(self) -> None:
        """Nothing will come of it."""
        for name in self.names:
            with suppress(OSError):
                self._place.remove(name)

    def _put(self, length: int) -> None:
        name = new_name()
        self._place.put(name, bytes(self._waiting[:length]))
        self.names.append(name)
        del self._waiting[:length]


def names_of(session: Session, job_id: int) -> list[str]:
    """The pieces of a file, in their order."""
    found = select(ExportPart.stored_name).where(ExportPart.job_id == job_id).order_by(ExportPart.number)
    return list(session.scalars(found))


def read(place: Store, names: list[str]) -> Iterator[bytes]:
    """The content of a file, piece by piece."""
    for name in names:
        yield place.read(name)
