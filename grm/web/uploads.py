"""Bodies with files: how large they may be, and what was typed when they are too large.

A view that takes files says so with `@takes_files`; all others keep the small limit of the application. Files stay in memory
until they are stored: they leave no copy in a temporary folder, and a full one hinders nobody.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, Any, TypeVar

from flask import Flask, Request, current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.multipart import Data, Field, File, MultipartDecoder, NeedData

from grm.kernel.context import settings

View = TypeVar("View")
MEGABYTE = 1024 * 1024
BEGINNING = 512 * 1024
"""How much of a body that is too large is read for the text in it: our forms put their files last."""
_DRAINED = 64 * MEGABYTE
_BEGINNING = "grm.beginning_of_body"


@dataclass(frozen=True)
class Beginning:
    """What stands before the files of a body that is too large to be read as a form, and what the first file is called."""

    fields: dict[str, str] = field(default_factory=dict, repr=False)
    file_name: str = field(default="", repr=False)


class FileRequest(Request):
    """A request whose files are held in memory."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return BytesIO()


def takes_files(view: View) -> View:
    """Mark a view whose form brings files."""
    view._grm_takes_files = True  # type: ignore[attr-defined]
    return view


def answers_too_large(answer: Callable[[Beginning], Any]) -> Callable[[View], View]:
    """Mark a view that has a page of its own for a body that is too large; where `answer` returns None, the general one is
    shown. No token has been checked then."""

    def mark(view: View) -> View:
        view._grm_too_large = answer  # type: ignore[attr-defined]
        return view

    return mark


def answer_too_large() -> Any:
    """What the view of this request says to a body that is too large; None for the general page."""
    answer = getattr(current_app.view_functions.get(request.endpoint or ""), "_grm_too_large", None)
    return answer(beginning()) if answer else None


def largest_body() -> int:
    """The most bytes of a post with files: two of the largest, and what was typed."""
    return (2 * settings().attachment_megabytes + 2) * MEGABYTE


def init_app(app: Flask) -> None:
    """Set the limit of each request before anybody reads its body."""
    app.request_class = FileRequest
    app.before_request(_set_limit)


def _set_limit() -> None:
    if _takes_files() and request.mimetype == "multipart/form-data":
        request.max_content_length = largest_body()


def _takes_files() -> bool:
    return bool(getattr(current_app.view_functions.get(request.endpoint or ""), "_grm_takes_files", False))


def typed_before_files() -> dict[str, str]:
    """The text fields at the beginning of a body that is too large to be read as a form."""
    return beginning().fields


def beginning() -> Beginning:
    """The beginning of a body that is too large to be read as a form; read once, then remembered.

    What follows is read and thrown away, up to a bound: a browser that cannot finish sending shows no answer at all.
    """
    if (found := request.environ.get(_BEGINNING)) is None:
        found = request.environ[_BEGINNING] = _read_beginning()
    return found


def _read_beginning() -> Beginning:
    boundary = request.mimetype_params.get("boundary")
    if not boundary or not _takes_files() or request.mimetype != "multipart/form-data":
        return Beginning()
    stream: Any = request.environ["wsgi.input"]
    found = _fields(stream.read(min(request.content_length or 0, BEGINNING)), boundary.encode("latin-1", "replace"))
    left = min(request.content_length or 0, _DRAINED) - BEGINNING
    while left > 0 and (piece := stream.read(min(left, 64 * 1024))):
        left -= len(piece)
    return found


def _fields(beginning: bytes, boundary: bytes) -> Beginning:
    found: dict[str, bytes] = {}
    decoder, name, file_name = MultipartDecoder(boundary), None, ""
    decoder.receive_data(beginning)
    try:
        while not isinstance(event := decoder.next_event(), NeedData):
            if isinstance(event, Field):
                name = event.name
            elif isinstance(event, File):
                file_name = file_name or event.filename
            elif isinstance(event, Data) and name is not None:
                found[name] = found.get(name, b"") + event.data
                name = name if event.more_data else None
    except (ValueError, HTTPException):
        pass  # what was read so far is what there is
    return Beginning({key: value.decode("utf-8", "replace") for key, value in found.items()}, file_name)
