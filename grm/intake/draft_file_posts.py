"""Files in a post of the public form or of the desk: taken in, and what became of each in words."""

from dataclasses import dataclass, field
from typing import Any

from flask import request
from werkzeug.datastructures import FileStorage

from grm.cases import attachment_wording
from grm.cases.attachments import Refusal, Upload
from grm.files.kinds import ACCEPT
from grm.intake import draft_files
from grm.intake.draft_file_rows import lines_of
from grm.intake.draft_files import Taken
from grm.intake.service import draft_hash
from grm.kernel.context import settings
from grm.kernel.db import db
from grm.kernel.errors import Unavailable
from grm.web.locale import gettext
from grm.web.presentation import digits

FIELD = "attachments"
"""The name of the file field, and of the fault beside it."""


@dataclass(frozen=True)
class Outcome:
    """What became of the files of one post. `status` is 0 where all were taken, else the HTTP status that says why not."""

    status: int = 0
    taken: int = 0
    sentences: list[str] = field(default_factory=list)
    """Why which file was not taken, one sentence each."""


NOTHING = Outcome()


def has_files() -> bool:
    """Whether the post under way brings files."""
    return bool(_posted())


def posted_bytes() -> int:
    """How long the files of the post under way are, all together."""
    return sum(len(each.stream.read()) for each in _rewound(_posted()))


def take_posted(token: str, *, is_anonymous: bool, source: str | None) -> Outcome:
    """Take in the files of the post under way for the form with this token, whose draft is saved.

    `source` is the address they come from, None for staff. Where the form was filed meanwhile, they are not taken.
    """
    files = _rewound(_posted())
    uploads = [Upload(each.filename or "", each.stream.read()) for each in files]
    if not uploads:
        return Outcome(422, 0, [gettext("Choose at least one file")])
    try:
        return _in_words(draft_files.take(token, uploads, is_anonymous=is_anonymous, source=source))
    except draft_files.AlreadyFiled:
        told = gettext("The complaint was filed already. Add the files under “Track a complaint”.")
        return Outcome(409, 0, [told])
    except Unavailable as error:
        return Outcome(503, 0, [_no_room(str(error.params.get("file_name", "")))])


def too_large(file_name: str) -> Outcome:
    """What is said to a body that is too large to be read; its first file has this name."""
    return Outcome(413, 0, [attachment_wording.too_large_together(file_name)])


def shown(token: str, outcome: Outcome = NOTHING) -> dict[str, Any]:
    """What `templates/intake/_draft_files.html` and `_desk_files.html` need."""
    return {
        "draft_files": lines_of(db.session(), draft_hash(token)),
        "file_outcome": outcome,
        "file_accept": ACCEPT,
        "file_hint": hint(),
        "file_most": draft_files.MOST,
        "file_size": attachment_wording.size,
    }


def hint() -> str:
    """What may be handed in."""
    return gettext(
        "A photo of the paper is enough. Photos (JPEG, PNG), PDF or sound recordings, at most %(limit)s MB each. What a camera "
        "writes into a photo beside the picture, such as the place, is taken out.",
        limit=digits(settings().attachment_megabytes),
    )


def _posted() -> list[FileStorage]:
    return [each for each in request.files.getlist(FIELD) if each.filename]


def _rewound(files: list[FileStorage]) -> list[FileStorage]:
    for each in files:
        each.stream.seek(0)
    return files


def _in_words(result: Taken) -> Outcome:
    if not result.refused:
        return Outcome(0, result.taken)
    is_only_size = {each.code for each in result.refused} == {"too-big"}
    return Outcome(413 if is_only_size else 422, result.taken, [_refusal(each) for each in result.refused])


def _refusal(refused: Refusal) -> str:
    name = refused.name or gettext("The file")
    if refused.code in _OWN:
        return gettext(_OWN[refused.code], name=name, most=digits(draft_files.MOST))
    return attachment_wording.refusal(refused)


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


_OWN = {
    "infected": _("“%(name)s” did not pass our safety check and was not kept. Your complaint can go without it."),
    "too-many-in-form": _(
        "“%(name)s” was not taken: a complaint may begin with %(most)s files. Once it is filed you can add more under “Track a "
        "complaint”."
    ),
    "too-much-today": _(
        "“%(name)s” was not taken: very many files came from your connection today. File the complaint without it, and add the "
        "file tomorrow under “Track a complaint”."
    ),
}


def _no_room(name: str) -> str:
    return gettext(
        "“%(name)s” cannot be stored at the moment. Your complaint is kept: file it without the file, and add the file later "
        "under “Track a complaint”.",
        name=name or gettext("The file"),
    )
