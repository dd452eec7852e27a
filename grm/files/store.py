"""Where files lie: a folder outside everything that is served, under random names that say nothing.

    ab/cd/abcd….   the file, for as long as a row of the database names it
    incoming/      a second name (hard link) of every file whose row is not known to be committed

A file is written and flushed to disk under `incoming`, then linked to its place, and only then the row commits; `settle`
removes the second name afterwards. So there is never a row without its file, and after a kill between file and commit the
second name says where to look: no sweep ever walks the whole store.
"""

import errno
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NAME = re.compile(r"[0-9a-f]{32}")


class StoreFull(Exception):
    """The disk is full."""


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
            return [each.name for each in found if _NAME.fullmatch(each.name) and each.stat().st_mtime < before]

    def names(self) -> Iterator[str]:
        """The names of all files in their places."""
        for path in self.folder.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
            if _NAME.fullmatch(path.name):
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
        if not _NAME.fullmatch(name):
            raise ValueError("no name of a stored file")
        return self.folder / name[:2] / name[2:4] / name


def _flush(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
