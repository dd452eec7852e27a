"""What the queue page shows, out of its address: which desk, which view, which filters, which page.

A page is read hundreds of times a day by every officer, so what is the same on each (lists of programmes, marks of a
status) is made once and kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from grm.accounts.sessions import opened_at
from grm.cases import bulk_rules, bulk_wording, queue_choices, saved_filters
from grm.cases import queue as queues
from grm.cases.bulk_models import SavedFilter
from grm.cases.queue import COUNT_CAP, LATEST_FIRST, TABS, Cursor, Filters, Queue
from grm.cases.queue_lines import Line, desk_title, lines_of
from grm.deadlines.calendar import dhaka_date
from grm.kernel.actor import Actor
from grm.offices.directory import Directory
from grm.offices.queries import directory
from grm.web.locale import gettext, language
from grm.web.presentation import number


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


TAB_WORDS = {
    "unassigned": _("Unassigned"),
    "mine": _("Mine"),
    "due_soon": _("Due soon"),
    "overdue": _("Overdue"),
    "waiting": _("Waiting"),
    "referred_in": _("Referred in"),
    "referred_out": _("Referred out"),
    "all": _("All"),
}
ASKED_FOR = frozenset({"view", "queue", "sort", "number", "at", *queue_choices.WORDS})
"""What makes an address ask for a view of its own; one without opens the officer's saved filter, if there is a preferred one."""
SORTS = {"urgent": _("Most urgent first"), "latest": _("Due last first")}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Choice:
    """One filter: a select with its options in HTML."""

    key: str
    label: str
    options: Markup


@dataclass(frozen=True, slots=True)
class QueuePage:
    """What the template shows."""

    queue: Queue
    tabs: list[dict[str, Any]]
    tab: str
    desks: list[dict[str, Any]]
    filters: Filters
    choices: list[Choice]
    chosen: dict[str, str]
    query: str
    lines: list[Line]
    previous: str | None
    next: str | None
    typed_number: str
    title: str
    sort_href: str
    sort_label: str
    bulk: list[tuple[str, str]]
    """The acts on several cases that the actor may ask for here: code and words."""
    chose_none: bool
    saved: Sequence[SavedFilter]
    to_decide: int
    """How many bulk acts wait for the actor's decision."""


def has_queue(actor: Actor) -> bool:
    """Whether the actor works at a desk that holds cases."""
    return bool(queues.queues_of(actor))


def asked(query: str) -> dict[str, str]:
    """The arguments of a query as an address has them; of an argument given twice the first."""
    found: dict[str, str] = {}
    for key, value in parse_qsl(query[:2000]):
        found.setdefault(key, value)
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for. `chosen` is its part that a link to the same view repeats."""

    queue: Queue
    tab: str
    filters: Filters
    is_latest_first: bool
    chosen: dict[str, str]
    district: str | None

    @property
    def query(self) -> str:
        """The address of the view in one fixed order, without a place in the list: what a saved filter keeps."""
        return urlencode(self.chosen)


def read(book: Directory, actor: Actor, today: date, args: Mapping[str, str]) -> Asked:
    """Read an address. What it gets wrong is ignored: a link never fails."""
    own = queues.queues_of(actor)
    queue = next((each for each in own if each.key == args.get("queue")), own[0])
    tab = args["view"] if args.get("view") in TABS else "unassigned"
    filters, narrowed = queue_choices.read(book, today, args)
    is_latest_first = args["sort"] == "latest" if args.get("sort") in SORTS else tab in LATEST_FIRST
    sort = {"sort": "latest" if is_latest_first else "urgent"} if is_latest_first != (tab in LATEST_FIRST) else {}
    chosen = {**({"queue": queue.key} if len(own) > 1 else {}), "view": tab, **narrowed, **sort}
    return Asked(queue, tab, filters, is_latest_first, chosen, narrowed.get("district"))


def load(session: Session, actor: Actor, args: Mapping[str, str]) -> QueuePage:
    """Read the page that an address asks for."""
    now = opened_at()  # as read with the officer's session: it need not be asked for again
    book, today = directory(session), dhaka_date(now)
    head = saved_filters.head(session, actor)
    if head.default is not None and not ASKED_FOR & set(args):
        args = asked(head.default.query)
    view = read(book, actor, today, args)
    own = queues.queues_of(actor)
    counts = queues.counts(session, actor, view.queue, view.filters, now)
    page = queues.page(
        session,
        actor,
        view.queue,
        view.tab,
        view.filters,
        now,
        _cursor(args.get("at", "")),
        is_latest_first=view.is_latest_first,
    )
    chosen, tab = view.chosen, view.tab

    def href(**changes: str) -> str:
        return "/queue?" + urlencode({**chosen, **changes})

    other_sort = "urgent" if view.is_latest_first else "latest"
    return QueuePage(
        queue=view.queue,
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
                "label": desk_title(book, each),
                "current": each == view.queue,
            }
            for each in own
        ]
        if len(own) > 1
        else [],
        filters=view.filters,
        choices=_choices(book, today, view),
        chosen=chosen,
        query=view.query,
        saved=head.filters,
        to_decide=head.to_decide,
        lines=lines_of(book, page.rows, now, queues.soon_until(session, now), tab == "referred_out"),
        previous=href(at=_address(page.previous)) if page.previous else None,
        next=href(at=_address(page.next)) if page.next else None,
        typed_number=args.get("number", "")[:40],
        title=desk_title(book, view.queue),
        sort_href=href(sort=other_sort),
        sort_label=gettext(SORTS[other_sort]),
        bulk=_bulk_acts(actor, view),
        chose_none=args.get("chosen") == "none",
    )


def _bulk_acts(actor: Actor, view: Asked) -> list[tuple[str, str]]:
    if view.tab == "referred_out":  # these lie at other desks
        return []
    found = bulk_rules.actions_at(actor, view.queue.office_id, view.queue.desk)
    return [(action.value, gettext(bulk_wording.BUTTONS[action])) for action in found]


def _choices(book: Directory, today: date, view: Asked) -> list[Choice]:
    options = _option_lists(book.edition, language(), today, view.district, book=_Held(book))
    return [
        Choice(key, gettext(words), _select(options[key], view.chosen.get(key)))
        for key, words in queue_choices.WORDS.items()
        if key in options
    ]


class _Held:
    """The directory beside a key that it must not be part of: the edition stands for it."""

    def __init__(self, book: Directory) -> None:
        self.book = book

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held)

    def __hash__(self) -> int:
        return 0


@lru_cache(512)
def _option_lists(edition: int, language: str, today: date, district: str | None, book: _Held) -> dict[str, Markup]:
    everything = queue_choices.options(book.book, today, district)
    return {key: _as_html(values) for key, values in everything.items()}


def _as_html(values: Sequence[tuple[str, str]]) -> Markup:
    return Markup("").join(Markup('<option value="{}">{}</option>').format(code, words) for code, words in values)


def _select(options: Markup, chosen: str | None) -> Markup:
    """The same options, one of them chosen."""
    if chosen is None:
        return options
    value = f'<option value="{escape(chosen)}"'
    return Markup(str(options).replace(f"{value}>", f"{value} selected>", 1))


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
