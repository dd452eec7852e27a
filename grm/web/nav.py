"""The officers' menu: the entries an officer may open, decided by the same rules that guard the pages."""

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from grm.kernel.actor import Actor
from grm.web.guard import may_use, rule_of
from grm.web.locale import gettext


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


ENTRIES = (
    ("/queue", _("Queue"), ("gro", "case_officer", "appeal_officer", "head", "cell_officer")),
    ("/directions", _("Directions"), ("cell_officer", "cluster_coordinator")),
    ("/desk/new", _("File for someone"), ()),
    ("/search", _("Search"), ()),
    ("/registry", _("Registry"), ("desk_officer",)),
    ("/canned", _("Canned texts"), ()),
    ("/reports", _("Reports"), ()),
    ("/admin", _("Administration"), ()),
    ("/people", _("Posts and officers"), ()),
    ("/people/dossier", _("Handover dossier"), ("gro", "case_officer", "appeal_officer", "cell_officer")),
    ("/admin/canned", _("Canned texts"), ()),
    ("/admin/rehearsals", _("Rehearsals"), ()),
)
"""Path, words, and the roles that have something there; without roles, whoever may open the page."""

REPORT_TABS = (
    ("/reports", _("Overview")),
    ("/reports/escalations", _("Escalations")),
    ("/reports/returns", _("Returns")),
    ("/reports/reviews", _("Reviews")),
    ("/reports/alarms", _("Alarms")),
    ("/reports/exports", _("Files")),
)
"""The pages that stand beside one another under "Reports" (`templates/reports/_tabs.html`)."""

_WITHIN = {"/reports/samples": "/reports/reviews"}
"""Pages that belong to a tab without lying below its address."""

_NOT_FOR_PROVIDERS = frozenset({"/registry", "/desk/new"})
"""What a payment provider's desk has no part in."""

EXTENSION = "grm.nav"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu."""

    href: str
    label: str
    current: bool


@dataclass(frozen=True, slots=True)
class Named:
    """Who is signed in."""

    name_bn: str
    name_en: str


def init_app(app: Flask) -> None:
    """Give `nav`, `current_officer` and `report_tabs()` to the templates."""
    app.jinja_env.globals["report_tabs"] = report_tabs
    app.context_processor(_context)


def entries(actor: Actor) -> list[Entry]:
    """What this officer may open; pages that do not exist are left out."""
    path = request.path.rstrip("/") or "/"
    allowed = [(href, words) for href, words, roles in ENTRIES if _may_open(href, roles, actor)]
    inside = [href for href, _ in allowed if path == href or path.startswith(href + "/")]
    current = max(inside, key=len, default="/queue" if path.startswith(("/cases/", "/bulk")) else "")
    return [Entry(href, gettext(words), href == current) for href, words in allowed]


def home(actor: Actor) -> str:
    """Where an officer begins: the first entry of the menu, else the front page."""
    return next((entry.href for entry in entries(actor)), "/")


def report_tabs() -> list[dict[str, Any]]:
    """The report pages that the signed-in officer may open, as items of the macro `tabs`; empty for nobody."""
    user = g.get("_login_user")
    if user is None or not user.is_authenticated:
        return []
    allowed = [(href, words) for href, words in REPORT_TABS if _may_open(href, (), user.actor)]
    path = next((tab for page, tab in _WITHIN.items() if request.path.startswith(page)), request.path)
    inside = [href for href, _ in allowed if (path + "/").startswith(href + "/")]
    current = max(inside, key=len, default="")
    return [{"href": href, "label": gettext(words), "current": href == current} for href, words in allowed]


def _may_open(href: str, roles: tuple[str, ...], actor: Actor) -> bool:
    rule = rule_of(_endpoint(href))
    if href in _NOT_FOR_PROVIDERS and rule is not None:
        return any(seat.office_kind != "provider" for seat in actor.seats_as(*(roles or rule[1:])))
    return rule is not None and may_use(rule, actor) and (not roles or actor.has_role(*roles))


def _endpoint(href: str) -> str | None:
    known: dict[str, str | None] = current_app.extensions.setdefault(EXTENSION, {})
    if href not in known:
        try:
            known[href] = current_app.url_map.bind("localhost").match(href, method="GET")[0]
        except HTTPException:
            known[href] = None
    return known[href]


def _context() -> dict[str, Any]:
    # Only whom the guard has already looked up: public pages need no look-up, error pages may have no database.
    user = g.get("_login_user")
    if user is None or not user.is_authenticated:
        return {}
    try:
        officer = Named(user.officer.name_bn, user.officer.name_en)
    except SQLAlchemyError:  # after a rollback the row is read again, and the database is away
        return {}
    return {"nav": entries(user.actor), "current_officer": officer}
