"""`/cases/<number>/file`: the whole case as the paper file of an office, made to be printed."""

from flask import Blueprint, render_template

from grm.cases import casepage, closing_words, service, wording
from grm.cases.readers import READERS
from grm.kernel.db import db
from grm.web import guard
from grm.web.guard import requires

blueprint = Blueprint("case_file", __name__)

DECISIONS = frozenset({"resolved", "declined", "recommended", "complied", "answered_together"})
"""Events that decide a case, named again in a part of their own; their words stand in the history."""


@blueprint.get("/cases/<tracking_number>/file")
@requires(*READERS)
def case_file(tracking_number: str) -> str:
    """Everything about one case, in the order in which a file is kept, as far as the reader may see it."""
    session, actor = db.session(), guard.actor()
    page = casepage.load(session, actor, tracking_number, with_actions=False)
    if page.case.is_sensitive:
        # A printed file is a view like any other, and on record before it is out; the commit makes what was read stale.
        service.record_view(actor, page.case.tracking_number)
        page = casepage.load(session, actor, tracking_number, with_actions=False)
    return render_template(
        "cases/case_file.html",
        page=page,
        case=page.case,
        book=page.book,
        wording=wording,
        closing_words=closing_words,
        decisions=[line for line in page.events if line.kind in DECISIONS],
    )
