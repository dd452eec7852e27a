"""The officers' search."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from grm.cases import queue, search
from grm.cases.queue_lines import lines_of
from grm.cases.readers import SEARCHERS
from grm.cases.search_terms import Group, all_names
from grm.kernel import clock
from grm.kernel.db import db
from grm.offices.directory import Directory
from grm.offices.queries import directory
from grm.web import guard
from grm.web.guard import requires
from grm.web.presentation import name

blueprint = Blueprint("search", __name__)


@blueprint.get("/search")
@requires(*SEARCHERS)
def cases() -> str | Response:
    """What was typed, as it was understood, and the cases that fit; a tracking number opens its case."""
    session, actor = db.session(), guard.actor()
    found = search.search(session, actor, request.args.get("q", ""))
    if found.exact is not None:
        return redirect(url_for("cases.case", tracking_number=found.exact), 303)
    now, book = clock.now(session), directory(session)
    return render_template(
        "cases/search.html",
        found=found,
        understood=[(group.typed, _names_in_words(group, book)) for group in found.query.groups],
        lines=lines_of(book, found.rows, now, queue.soon_until(session, now), shows_office=True),
        most=search.MOST,
    )


def _names_in_words(group: Group, book: Directory) -> list[str]:
    """The names that a word was also taken for, each once, without the one that was typed."""
    found = [name(entry) for entry in group.named]
    found += [other for entry in group.named for other in all_names(book, entry)[:2]]
    return [each for each in dict.fromkeys(found) if each.casefold() != group.typed]
