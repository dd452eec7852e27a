"""Why a file was not taken, and the words for the states of one that was."""

from grm.cases.attachment_queries import FileLine
from grm.cases.attachments import FilesRefused, Refusal
from grm.kernel.context import settings
from grm.web.locale import gettext, ngettext
from grm.web.presentation import digits, number


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


REFUSALS: dict[str, str] = {
    "empty": _("“%(name)s” is empty."),
    "too-big": _("“%(name)s” is too large: a file may have at most %(limit)s MB."),
    "unknown-kind": _(
        "“%(name)s” is none of the files that are taken: photos (JPEG, PNG), PDF, and sound recordings (MP3, M4A, AAC, OGG, "
        "AMR, WAV)."
    ),
    "mixed": _("“%(name)s” is two kinds of file in one; such a file is not taken. Save it anew as a photo or PDF."),
    "damaged": _("“%(name)s” cannot be read; it may be damaged. Try to open it yourself and save it anew."),
    "too-many-pixels": _("“%(name)s” is a picture with too many pixels. Take the photo again at a lower resolution."),
    "too-much": _("“%(name)s” takes too long to check; it is too large inside. Save it anew as a smaller file."),
    "locked": _("“%(name)s” is locked with a password. Save it without one."),
    "video": _("“%(name)s” is a video; only sound recordings are taken."),
    "infected": _("“%(name)s” is infected with a virus and was not kept."),
    "duplicate": _("“%(name)s” is attached to this case already."),
    "too-many": _("“%(name)s”: this case has %(most)s files already, more are not taken."),
    "too-many-at-once": _("“%(name)s”: send at most ten files at once."),
}


def refusal(refused: Refusal) -> str:
    """Why a file was not taken, in a sentence that names it."""
    told = settings()
    return gettext(
        REFUSALS[refused.code],
        name=refused.name or gettext("The file"),
        limit=digits(told.attachment_megabytes),
        most=digits(told.attachments_per_case),
    )


def outcome(error: FilesRefused) -> str:
    """How many files were attached all the same; empty for none."""
    if not error.attached:
        return ""
    return ngettext(
        "%(count)s file is attached; the others were not taken.",
        "%(count)s files are attached; the others were not taken.",
        error.attached,
        count=digits(error.attached),
    )


def too_large_together(file_name: str) -> str:
    """A body was too large to be read at all; its first file has this name."""
    return gettext(
        "“%(name)s”, with what came with it, is too large: a file may have at most %(limit)s MB, all files sent at once "
        "%(all)s MB.",
        name=file_name or gettext("The file"),
        limit=digits(settings().attachment_megabytes),
        all=digits(2 * settings().attachment_megabytes),
    )


def bad_text() -> str:
    """The words that came with files cannot be taken."""
    return gettext("It is too long, or there are characters in it that cannot be read: type it again")


def no_room(file_name: str) -> str:
    """The store is full or away."""
    return gettext(
        "“%(name)s” cannot be stored at the moment. What you wrote is kept below: send it without the file, or try the file "
        "again later.",
        name=file_name,
    )


def name_of(file: FileLine) -> str:
    """What a file is called: by its sender, or by its number among the files of the case."""
    return file.name or gettext("File %(number)s", number=digits(file.number))


def size(count: int) -> str:
    """A number of bytes for people."""
    if count < 1024 * 1024:
        return gettext("%(count)s KB", count=number(max(1, round(count / 1024))))
    return gettext("%(count)s MB", count=number(count / (1024 * 1024), 1))
