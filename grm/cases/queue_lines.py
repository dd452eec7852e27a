"""A line of the queue in the reader's words; bulk acts show their cases by the same lines."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from flask import current_app
from markupsafe import Markup

from grm.cases.queue import Queue
from grm.kernel import tracking_number
from grm.offices.directory import Directory
from grm.web.labels import label
from grm.web.locale import gettext, language
from grm.web.presentation import name, show_date


@dataclass(frozen=True, slots=True)
class Line:
    """One case of the list, in the reader's words."""

    href: str
    number: str
    pick: str
    """How a form names the case as it was seen: tracking number and version."""
    category: str
    programme: str
    place: str
    office: str
    """Where the case lies, in the views where that is not this desk."""
    marks: Markup
    due: str
    due_mark: Markup
    officer: str
    is_picked: bool = False


def desk_title(book: Directory, queue: Queue) -> str:
    """Office and desk in the reader's language."""
    return f"{name(book.office(queue.office_id))} – {label('desk', queue.desk)}"


def lines_of(
    book: Directory, rows: Iterable[Any], now: datetime, soon_until: datetime, shows_office: bool = False
) -> list[Line]:
    """Rows of `queue.COLUMNS` in the reader's words."""
    found = []
    for row in rows:
        is_late = row.is_open and row.due_at <= now and not row.is_paused
        is_soon = row.is_open and row.due_at <= soon_until
        mark = "overdue" if is_late else "paused" if row.is_open and row.is_paused else "due_soon" if is_soon else ""
        found.append(
            Line(
                href=f"/cases/{row.tracking_number}",
                number=tracking_number.display(row.tracking_number),
                pick=f"{row.tracking_number}.{row.version}",
                category=name(book.category(row.category_id)),
                programme=name(book.programme(row.programme_id)) if row.programme_id else "",
                place=_place(book, row),
                office=desk_title(book, Queue(row.office_id, row.desk)) if shows_office else "",
                marks=_marks(
                    language(), row.status, row.tier, row.level, row.is_sensitive, row.is_not_informed,
                    row.referral_state or "", row.asked_higher_at is not None, row.reminded_at is not None,
                ),
                due=show_date(row.due_on),
                due_mark=_mark(language(), mark),
                officer=name(row) if row.name_en else "",
            )
        )  # fmt: skip
    return found


def _place(book: Directory, row: Any) -> str:
    district = name(book.place(row.district_id)) if row.district_id else "–"
    return f"{name(book.place(row.upazila_id))}, {district}" if row.upazila_id else district


@lru_cache(2048)
def _marks(language: str, status: str, tier: str, level: int, is_sensitive: bool, is_not_informed: bool,
           referral: str, is_asked: bool = False, is_reminded: bool = False) -> Markup:  # fmt: skip
    """The tags of a case. Kept for a language: to write one through the macro takes longer than to read the case."""
    ui = _macros()
    found = [ui.tag(status)]
    if tier != "gro":
        found.append(ui.tag("", label("tier", tier), "amber"))
    if level:
        found.append(ui.level_badge(level))
    if is_sensitive:
        found.append(ui.tag("sensitive"))
    if is_not_informed:
        found.append(ui.tag("not_informed"))
    if referral == "offered":
        found.append(ui.tag("", gettext("Referred, not accepted yet"), "amber"))
    if is_asked:
        found.append(ui.tag("", gettext("Sent higher at the complainant's word"), "red"))
    if is_reminded:
        found.append(ui.tag("", gettext("Reminded"), "amber"))
    return Markup(" ").join(found)


@lru_cache(64)
def _mark(language: str, mark: str) -> Markup:
    return Markup(" ") + _macros().tag(mark) if mark else Markup("")


def _macros() -> Any:
    return current_app.jinja_env.get_template("macros/ui.html").module
