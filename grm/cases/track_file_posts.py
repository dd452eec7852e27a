"""Files in a post of the tracking page, and what is said of those that are not taken."""

from collections.abc import Callable
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from grm.cases import attachment_wording, track_files
from grm.cases.attachments import FilesRefused, Refusal, Upload
from grm.cases.public_status import was_said
from grm.cases.states import Action
from grm.cases.tracking_forms import FIELD_OF, ActsForm
from grm.kernel.actor import complainant
from grm.kernel.context import settings
from grm.kernel.db import db
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, Unavailable
from grm.web.locale import gettext
from grm.web.presentation import digits

FIELD = "attachments"
FILES_OF = {"answer": "answer_files", "add_information": "information_files"}
_ACTION_OF = {"answer": Action.ANSWER, "add_information": Action.ADD_INFORMATION}
Show = Callable[[ActsForm, str], Response]


def are_in(action: str) -> bool:
    """Whether the post under way brings files for an act that takes some."""
    return action in FILES_OF and any(each.filename for each in request.files.getlist(FIELD))


def take(action: str, number: str, version: int | None, form: ActsForm, show: Show) -> Response | tuple[Response, int]:
    """Do the act with its files, and show the page again: with what was done, or with all that was typed and what is wrong."""
    field: Any = getattr(form, FILES_OF[action])
    text: Any = getattr(form, FIELD_OF[action])
    try:
        _hand_in(action, number, str(text.data or ""), version)
    except FilesRefused as error:
        refused = [each for each in error.refused if each.code != "duplicate"]
        if not refused:
            return show(ActsForm(), action)
        if error.version is not None:
            form = ActsForm()
            field = getattr(form, FILES_OF[action])
        field.errors = [_refusal(each) for each in refused]
        is_only_size = {each.code for each in refused} == {"too-big"} and error.version is None
        return show(form, action if error.version is not None else ""), 413 if is_only_size else 422
    except InvalidInput:
        text.errors = [attachment_wording.bad_text()]
        return show(form, ""), 422
    except IllegalAction:
        form.form_errors.append(
            gettext("This is not possible any more: the complaint has gone on. See below how it stands.")
        )
        return show(form, ""), 409
    except Unavailable as error:
        field.errors = [attachment_wording.no_room(str(error.params.get("file_name", "")))]
        return show(form, ""), 503
    return show(ActsForm(), action)


def say_too_large(form: ActsForm, action: str, file_name: str) -> None:
    """Put beside the file field that the body was too large to be read; its first file has this name."""
    field: Any = getattr(form, FILES_OF.get(action, "information_files"))
    field.errors = [attachment_wording.too_large_together(file_name)]


def shown(number: str) -> dict[str, Any]:
    """What the page needs to show files, and to ask for some."""
    hint = gettext(
        "A photo of the paper is enough. Photos (JPEG, PNG), PDF or sound recordings, at most %(limit)s MB each.",
        limit=digits(settings().attachment_megabytes),
    )
    return {
        "files": track_files.theirs(db.session(), number),
        "file_hint": hint,
        "name_of": attachment_wording.name_of,
        "size_of": attachment_wording.size,
    }


def _hand_in(action: str, number: str, text: str, version: int | None) -> None:
    """As without files: a second press of the button changes nothing, and where somebody else acted in between, the words and
    files are taken all the same."""
    given = [each for each in request.files.getlist(FIELD) if each.filename]
    uploads = [Upload(each.filename or "", each.stream.read()) for each in given]
    who = complainant(number)
    try:
        track_files.hand_in(who, number, _ACTION_OF[action], text, uploads, version=version)
    except (Conflict, IllegalAction):
        words = "" if was_said(db.session(), number, text) else text
        track_files.hand_in(who, number, _ACTION_OF[action], words, uploads)


def _refusal(refused: Refusal) -> str:
    if refused.code == "infected":
        return gettext(
            "“%(name)s” did not pass our safety check and was not kept. Your complaint can go without it.",
            name=refused.name or gettext("The file"),
        )
    return attachment_wording.refusal(refused)
