"""The form that attaches files, and what becomes of its post."""

from typing import Any

from flask import request
from wtforms import BooleanField, MultipleFileField, TextAreaField

from grm.cases import attachment_wording, attachments
from grm.cases.action_form import ActionForm
from grm.cases.states import Action
from grm.files.kinds import ACCEPT
from grm.kernel.actor import Actor
from grm.kernel.context import settings
from grm.web.locale import gettext, lazy
from grm.web.presentation import digits


class AttachForm(ActionForm):
    """Files, and what they are. The files come last: what is typed is then read even where they are too large."""

    note = TextAreaField(lazy("What are these files?"), description=lazy("From whom, of which day, what they show."))
    is_for_complainant = BooleanField(
        lazy("The complainant may have these files"),
        description=lazy(
            "They can then be saved from the tracking page by whoever has the two codes. Left empty, they are for officers who "
            "may see the case."
        ),
    )
    files = MultipleFileField(lazy("Files"), render_kw={"accept": ACCEPT})

    def __init__(self, action: Action, formdata: Any = None) -> None:
        super().__init__(action, formdata)
        text = gettext(
            "Photos (JPEG, PNG), PDF or sound recordings, at most %(limit)s MB each. What cameras and programs write into a "
            "file beside its content, such as the place, is taken out.",
            limit=digits(settings().attachment_megabytes),
        )
        self.describe("files", text)


def attach(actor: Actor, number: str, version: int, typed: dict[str, str]) -> int:
    """Do what the form says; the files are those of the request under way."""
    files = [each for each in request.files.getlist("files") if each.filename]
    uploads = [attachments.Upload(each.filename or "", each.stream.read()) for each in files]
    is_for_complainant = bool(typed.get("is_for_complainant"))
    return attachments.attach_files(actor, number, uploads, typed["note"], is_for_complainant=is_for_complainant)


def show_refused(form: ActionForm, error: attachments.FilesRefused) -> int:
    """Put beside the file field why which file was not taken; the HTTP status that says so."""
    for field in form:
        if field.name == "files":
            field.errors = [attachment_wording.refusal(each) for each in error.refused]
    codes = {each.code for each in error.refused}
    return 413 if codes == {"too-big"} and not error.attached else 422
