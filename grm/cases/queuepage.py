"""What the queue page shows, out of its address: which desk, which view, which filters, which page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from grm.cases import queue as queues
from grm.cases.queue import COUNT_CAP, TABS, Cursor, Filters, Queue
from grm.cases.states import Status
from grm.deadlines.calendar import dhaka_date
from grm.kernel import clock
from grm.kernel.actor import Actor
from grm.kernel.errors import NotFound
from grm.kernel.text import latin_digits
from grm.offices.directory import Directory, in_force
from grm.offices.queries import directory
from grm.web.labels import choices, label
from grm.web.locale import gettext
from grm.web.presentation import name, number


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


TAB_WORDS = {
    "unassigned": _("Unassigned"),
    "mine": _("Mine"),
    "due_soon": _("Due soon"),
    "overdue": _("Overdue"),
    "all": _("All"),
}


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class QueuePage:
    """What the template shows."""

    now: datetime
    soon_until: datetime
    book: Directory
    tabs: list[dict[str, Any]]
    tab: str
    desks: list[dict[str, Any]]
    filters: Filters
    options: dict[str, list[tuple[str, str]]]
    chosen: dict[str, str]
    page: queues.Page
    previous: str | None
    next: str | None
    typed_number: str
    title: str


def has_queue(actor: Actor) -> bool:
    """Whether the actor works at a desk that holds cases."""
    return bool(queues.queues_of(actor))


def load(session: Session, actor: Actor, args: Mapping[str, str]) -> QueuePage:
    """Read the page that an address asks for. What an address gets wrong is ignored: a link never fails."""
    now = clock.now(session)
    book = directory(session)
    own = queues.queues_of(actor)
    queue = next((each for each in own if each.key == args.get("queue")), own[0])
    tab = args["view"] if args.get("view") in TABS else "unassigned"
    filters, chosen = _filters(book, args)
    counts = queues.counts(session, actor, queue, filters, now)
    page = queues.page(session, actor, queue, tab, filters, now, _cursor(args.get("at", "")))
    kept = {"queue": queue.key} if len(own) > 1 else {}

    def href(**changes: str) -> str:
        return "/queue?" + urlencode({**kept, "view": tab, **chosen, **changes})

    return QueuePage(
        now=now,
        soon_until=queues.soon_until(session, now),
        book=book,
        tabs=[
            {
                "href": href(view=each),
                "label": gettext(TAB_WORDS[each]),
                "count": counts[each],
                "count_text": number(min(counts[each], COUNT_CAP)) + ("+" if counts[each] > COUNT_CAP else ""),
                "current": each == tab,
                "alert": each == "overdue",
            }
            for each in TABS
        ],
        tab=tab,
        desks=[
            {
                "href": "/queue?" + urlencode({"queue": each.key, "view": tab}),
                "label": _desk_title(book, each),
                "current": each == queue,
            }
            for each in own
        ]
        if len(own) > 1
        else [],
        filters=filters,
        options=_options(book, dhaka_date(now)),
        chosen={**kept, "view": tab, **chosen},
        page=page,
        previous=href(at=_address(page.previous)) if page.previous else None,
        next=href(at=_address(page.next)) if page.next else None,
        typed_number=args.get("number", "")[:40],
        title=_desk_title(book, queue),
    )


def _desk_title(book: Directory, queue: Queue) -> str:
    return f"{name(book.office(queue.office_id))} – {label('desk', queue.desk)}"


def _filters(book: Directory, args: Mapping[str, str]) -> tuple[Filters, dict[str, str]]:
    """The filters, and the part of the address that keeps them."""
    chosen: dict[str, str] = {}
    ids: dict[str, int | None] = {}
    for key, find in (("programme", book.programme), ("category", book.category), ("district", book.place)):
        ids[key] = None
        if typed := args.get(key, ""):
            try:
                ids[key] = find(typed).id
                chosen[key] = typed
            except NotFound:
                pass
    level = latin_digits(args.get("level", ""))
    if level in ("0", "1", "2", "3"):
        chosen["level"] = level
    status = args.get("status", "")
    if status in set(Status):
        chosen["status"] = status
    if args.get("informed") == "no":
        chosen["informed"] = "no"
    return (
        Filters(
            programme_id=ids["programme"],
            category_id=ids["category"],
            district_id=ids["district"],
            level=int(chosen["level"]) if "level" in chosen else None,
            status=chosen.get("status"),
            is_not_informed="informed" in chosen,
        ),
        chosen,
    )


def _options(book: Directory, today: date) -> dict[str, list[tuple[str, str]]]:
    return {
        "programme": [(each.slug, name(each)) for each in in_force(book.programmes, today)],
        "category": [(each.slug, name(each)) for each in in_force(book.categories, today)],
        "district": sorted(((each.code, name(each)) for each in book.districts), key=lambda each: each[1]),
        "level": choices("level"),
        "status": choices("status"),
        "informed": [("no", gettext("Not informed"))],
    }


def _address(cursor: Cursor) -> str:
    at = (cursor.due_at - _EPOCH) // _MICROSECOND
    return f"{'before' if cursor.is_backward else 'after'}_{at}_{cursor.id}"


def _cursor(typed: str) -> Cursor | None:
    """The place an address names; None, which is the first page, for anything malformed."""
    way, _, rest = typed[:60].partition("_")
    at, _, row_id = rest.partition("_")
    try:
        if way not in ("after", "before") or int(row_id).bit_length() > 63:
            return None
        return Cursor(_EPOCH + int(at) * _MICROSECOND, int(row_id), way == "before")
    except (ValueError, OverflowError):
        return None
