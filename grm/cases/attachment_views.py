"""`/cases/<number>/attachments/<id>`: a file of a case, to be saved, never to be shown by the browser."""

import re

from flask import Blueprint, Response

from grm.cases import attachment_serving
from grm.cases.attachment_names import disposition
from grm.cases.readers import READERS
from grm.kernel.db import db
from grm.kernel.errors import NotFound
from grm.web import guard
from grm.web.guard import requires
from grm.web.security import FILE_POLICY

blueprint = Blueprint("attachments", __name__)
_NUMBER = re.compile(r"[0-9]{1,18}")


@blueprint.get("/cases/<tracking_number>/attachments/<attachment_id>")
@requires(*READERS)
def attachment(tracking_number: str, attachment_id: str) -> Response:
    """One file, whole, for whoever may see the case it belongs to; the view of a sensitive case's file is on record."""
    actor = guard.actor()
    if not _NUMBER.fullmatch(attachment_id):
        raise NotFound
    case, file = attachment_serving.file_of(db.session(), actor, tracking_number, int(attachment_id))
    if case.is_sensitive:
        attachment_serving.record_view(actor, case.tracking_number, int(attachment_id))
    return to_save(file)


def to_save(file: attachment_serving.Served) -> Response:
    """The answer that hands a file out: a browser saves it, whole, and can do nothing else with it."""
    answer = Response(file.data, content_type=file.media_type)
    answer.headers["Content-Disposition"] = disposition(file.name, file.fallback)
    answer.headers["Content-Security-Policy"] = FILE_POLICY
    answer.headers["Accept-Ranges"] = "none"
    return answer
