"""Where files lie: outside everything that is served, under random names that say nothing.

    ab/cd/abcd….   the file, for as long as a row of the database names it
    incoming/      a second name of every file whose row is not known to be committed, or is about to be deleted

A file is stored durably, and its second name with it, and only then the row commits; `settle` removes the second name
afterwards. Before a row is deleted `unsettle` gives its file the second name again. So there is never a row without its file,
and after a kill at any step the second name says where to look: no sweep ever walks the whole store.

`FolderStore` keeps files in a local folder; `grm/files/store_s3.py` in an S3-compatible store.
"""

import errno
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
NAME = re.compile(r"[0-9a-f]{32}")


class StoreFull(Exception):
    """The disk is full."""


class StoreAway(OSError):
    """The store does not answer, or not as it should: nothing can be said about any of its files."""


class Store(Protocol):
    """What both kinds of store do. Whatever fails raises OSError: FileNotFoundError says that a file is not there, `StoreAway`
    that nobody can say."""

    def put(self, name: str, data: bytes) -> None:
        """Store a file durably, its second name with it. Raises `StoreFull`, and leaves nothing behind then."""

    def settle(self, name: str) -> None:
        """The row of this file is committed: take away its second name."""

    def unsettle(self, name: str) -> None:
        """The row of this file is about to be deleted: give it its second name again."""

    def read(self, name: str) -> bytes:
        """The content of a file."""

    def remove(self, name: str) -> None:
        """Delete a file and its second name, if they are there."""

    def unsettled(self, age_seconds: float) -> list[str]:
        """Names of files with a second name that is older, by the clock of the store."""

    def names(self) -> Iterator[str]:
        """The names of all files in their places."""

    def age_seconds(self, name: str) -> float:
        """How long ago a file was stored; 0 where it is gone meanwhile."""


def new_name() -> str:
    """A name that nobody can guess (128 random bits) and that says nothing of the file."""
    return secrets.token_hex(16)


class FolderStore:
    """Files in a local folder, which is made when the first one comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incoming = folder / "incoming"

    def put(self, name: str, data: bytes) -> None:
        """Store a file durably. Raises `StoreFull`, and leaves nothing behind then."""
        waiting, place = self.incoming / name, self._place(name)
        try:
            for directory in (self.incoming, place.parent):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.link(waiting, place)
            for directory in (self.incoming, place.parent, place.parent.parent):
                _flush(directory)
        except OSError as error:
            self.remove(name)
            if error.errno in NO_ROOM:
                raise StoreFull from error
            raise

    def settle(self, name: str) -> None:
        """The row of this file is committed."""
        (self.incoming / name).unlink(missing_ok=True)

    def unsettle(self, name: str) -> None:
        """The row of this file is about to be deleted; nothing happens where the file is gone already."""
        waiting = self.incoming / name
        self.incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            os.link(self._place(name), waiting)
            os.utime(waiting)  # young again: the sweep is to leave it alone until the row is gone
        except (FileExistsError, FileNotFoundError):
            return
        _flush(self.incoming)

    def read(self, name: str) -> bytes:
        """The content of a file; raises OSError where there is none."""
        return self._place(name).read_bytes()

    def remove(self, name: str) -> None:
        """Delete a file, if it is there."""
        self._place(name).unlink(missing_ok=True)
        self.settle(name)

    def unsettled(self, age_seconds: float) -> list[str]:
        """Names of files that came longer ago than that and whose row is not known to be committed."""
        if not self.incoming.is_dir():
            return []
        before = self.now() - age_seconds
        with os.scandir(self.incoming) as found:
            return [each.name for each in found if NAME.fullmatch(each.name) and each.stat().st_mtime < before]

    def names(self) -> Iterator[str]:
        """The names of all files in their places."""
        for path in self.folder.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
            if NAME.fullmatch(path.name):
                yield path.name

    def age_seconds(self, name: str) -> float:
        """How long ago a file was stored; 0 where it is gone meanwhile."""
        try:
            return self.now() - self._place(name).stat().st_mtime
        except OSError:
            return 0.0

    def now(self) -> float:
        """The instant by the clock that dates the files, which is the disk's: another clock may differ by days."""
        probe = self.incoming / "clock"
        self.incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe.touch()
        return probe.stat().st_mtime

    def _place(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise ValueError("no name of a stored file")
        return self.folder / name[:2] / name[2:4] / name


def _flush(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
