"""Files in an S3-compatible store, under the same names as in a folder, and by the same rules.

The second name under `incoming/` is an empty object here; it is written before the file, so that a kill at any step leaves it.
Both are objects of one bucket, whose own clock dates them. A store of this kind is never full: it refuses, which is `StoreAway`.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import S3Store as Bucket

from grm.files.store import NAME, StoreAway

Result = TypeVar("Result")
CONNECT = timedelta(seconds=3)
ANSWER = timedelta(seconds=15)
"""A whole request; a web server's thread waits no longer for it."""
RETRY = timedelta(seconds=10)


@dataclass(frozen=True)
class S3Store:
    """Files in a bucket; `url` is `s3://bucket/prefix`, `endpoint` the address of the service."""

    url: str
    endpoint: str
    region: str
    key: str = field(repr=False)
    secret: str = field(repr=False)

    def put(self, name: str, data: bytes) -> None:
        """Store a file and its second name; the store checks what it was sent. Raises `StoreAway`, and leaves nothing behind
        then as far as it answers."""
        try:
            self._ask(obstore.put, self._waiting(name), b"")
            self._ask(obstore.put, self._place(name), data)
        except OSError as error:  # a bucket that is not there is no missing file
            with contextlib.suppress(OSError):  # the second name, if it came to that, is found by the sweep
                self.remove(name)
            raise StoreAway(type(error).__name__) from error

    def settle(self, name: str) -> None:
        """The row of this file is committed."""
        self._delete(self._waiting(name))

    def unsettle(self, name: str) -> None:
        """The row of this file is about to be deleted."""
        self._ask(obstore.put, self._waiting(name), b"")

    def read(self, name: str) -> bytes:
        """The content of a file; raises FileNotFoundError or `StoreAway`."""

        def fetch(bucket: Any, path: str) -> bytes:
            return bytes(obstore.get(bucket, path).bytes())

        return self._ask(fetch, self._place(name))

    def remove(self, name: str) -> None:
        """Delete a file, if it is there, and then its second name."""
        self._delete(self._place(name))
        self.settle(name)

    def unsettled(self, age_seconds: float) -> list[str]:
        """Names of files that came longer ago and whose row is not known to be committed."""
        waiting = {each: at for each, at in self._listed("incoming/") if NAME.fullmatch(each)}
        if not waiting:
            return []
        before = self._now() - age_seconds
        return [name for name, at in waiting.items() if at < before]

    def names(self) -> Iterator[str]:
        """The names of all files in their places."""
        for name, _ in self._listed(""):
            if NAME.fullmatch(name):
                yield name

    def age_seconds(self, name: str) -> float:
        """How long ago a file was stored; 0 where it is gone meanwhile."""
        try:
            found = self._ask(obstore.head, self._place(name))
        except FileNotFoundError:
            return 0.0
        return self._now() - found["last_modified"].timestamp()

    def _now(self) -> float:
        """The instant by the clock that dates the objects."""
        path = f"{self._prefix}incoming/clock"
        self._ask(obstore.put, path, b"")
        return self._ask(obstore.head, path)["last_modified"].timestamp()

    def _listed(self, below: str) -> Iterator[tuple[str, float]]:
        """Last part of the key and time of each object below a key; those under `incoming/` only where they are asked for."""
        prefix = f"{self._prefix}{below}"
        try:
            for page in obstore.list(self._bucket, prefix.rstrip("/") or None):
                for each in page:
                    folder, _, name = each["path"].rpartition("/")
                    if (folder == f"{self._prefix}incoming") is bool(below):
                        yield name, each["last_modified"].timestamp()
        except BaseError as error:
            raise StoreAway(type(error).__name__) from error

    def _delete(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):  # most stores do not even say so
            self._ask(obstore.delete, path)

    def _ask(self, do: Callable[..., Result], path: str, *more: Any) -> Result:
        try:
            return do(self._bucket, path, *more)
        except (NotFoundError, FileNotFoundError) as error:
            raise FileNotFoundError(path) from error
        except BaseError as error:
            raise StoreAway(type(error).__name__) from error  # its text may hold the address with what was signed

    def _place(self, name: str) -> str:
        return f"{self._prefix}{_checked(name)[:2]}/{name[2:4]}/{name}"

    def _waiting(self, name: str) -> str:
        return f"{self._prefix}incoming/{_checked(name)}"

    @cached_property
    def _prefix(self) -> str:
        path = urlsplit(self.url).path.strip("/")
        return f"{path}/" if path else ""

    @cached_property
    def _bucket(self) -> Bucket:
        return Bucket(
            urlsplit(self.url).hostname or "",
            endpoint=self.endpoint,
            region=self.region,
            access_key_id=self.key,
            secret_access_key=self.secret,
            checksum_algorithm="SHA256",
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": self.endpoint.startswith("http:"),
                "connect_timeout": CONNECT,
                "timeout": ANSWER,
            },
            retry_config={"max_retries": 2, "retry_timeout": RETRY},
        )


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("no name of a stored file")
    return name
