"""The cases behind a figure: the same condition, so the same number; sorted, a page at a time, and to be acted on."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request

from grm.accounts.sessions import opened_at
from grm.exports.kinds import Asked, exportable
from grm.exports.sheet import Cell, Column, Sheet
from grm.kernel.actor import Actor
from grm.kernel.clock import DHAKA, dhaka_date
from grm.kernel.db import db
from grm.kernel.errors import NotFound
from grm.kernel.text import latin_digits
from grm.offices.directory import Directory
from grm.offices.queries import directory
from grm.reports import acting, lists, wording
from grm.reports.lists import Mark, Order, Sort
from grm.reports.measures import IN_A_PERIOD, Selection, selection_from, span_of
from grm.tallies.periods import days_overdue
from grm.tallies.scope import REPORT_ROLES, Scope, chosen, scopes_of
from grm.web.guard import actor, requires
from grm.web.labels import label
from grm.web.locale import gettext, language
from grm.web.presentation import name

blueprint = Blueprint("report_lists", __name__, url_prefix="/reports")


@blueprint.get("/cases")
@requires(*REPORT_ROLES)
def case_list() -> str:
    """One page of the cases behind a figure."""
    session, who = db.session(), actor()
    now = opened_at()
    today = dhaka_date(now)
    book = directory(session)
    asked = selection_from(request.args)
    scope = _scope(who, book, asked)
    if scope is None:
        abort(404)
    found = lists.find(session, who, book, scope, asked, now)
    order = _order(asked, found.number)
    after = _mark(request.args.get("after", ""), order.sort)
    rows = lists.page(session, who, book, scope, asked, now, order, after, found.office_ids, found.number)
    page, has_more = rows[: lists.PAGE], len(rows) > lists.PAGE
    query = asked.as_query()
    sorting = query | _sorting(asked, order)
    return render_template(
        "reports/cases.html",
        chosen=asked,
        title=wording.measure_titles()[asked.measure],
        words=_words(book, scope, asked, today),
        rows=page,
        total=found.number,
        sorts=_sort_links(asked, order, found.number),
        is_long=found.number > lists.SORT_LIMIT,
        order=order,
        next_url=_link(sorting | {"after": _marked(page[-1], order.sort)}) if has_more else None,
        first_url=_link(sorting) if after else None,
        back_url=_back(asked),
        query=query,
        acting=acting.offer(who, query, page, found.number, chose_none=request.args.get("chosen") == "none"),
        known=book,
        today=today,
        days_overdue=days_overdue,
        now=now,
    )


@exportable("cases", *REPORT_ROLES)
def cases_sheet(asked: Asked) -> Sheet:
    """The cases behind a figure, a line each; nothing that tells who complained."""
    book = directory(asked.session)
    selection = selection_from(asked.query)
    scope = _scope(asked.actor, book, selection)
    if scope is None:
        raise NotFound
    today = dhaka_date(asked.now)
    found = lists.find(asked.session, asked.actor, book, scope, selection, asked.now)
    columns = (
        Column(gettext("Tracking number"), "code"),
        Column(gettext("Status")),
        Column(gettext("Level"), "number"),
        Column(gettext("Office")),
        Column(gettext("Officer")),
        Column(gettext("Programme")),
        Column(gettext("Category")),
        Column(gettext("District")),
        Column(gettext("Received on"), "date"),
        Column(gettext("Due on"), "date"),
        Column(gettext("Ended on"), "date"),
        Column(gettext("Days overdue"), "number"),
    )
    rows = lists.all_rows(asked.session, asked.actor, book, scope, selection, asked.now)
    title = wording.measure_titles()[selection.measure]
    words = _words(book, scope, selection, today)
    return Sheet(title, columns, _cells(rows, book, today), filters=words, count=found.number)


def _cells(rows: Any, book: Directory, today: date) -> Iterator[list[Cell]]:
    for row in rows:
        yield [
            row.tracking_number,
            label("status", row.status),
            row.level,
            name(book.office(row.office_id)),
            str((row.holder_bn if language() == "bn" else row.holder_en) or ""),
            name(book.programme(row.programme_id)) if row.programme_id else "",
            name(book.category(row.category_id)),
            name(book.place(row.district_id)) if row.district_id else "",
            row.received_on,
            row.due_on,
            row.ended_at,
            days_overdue(row.due_on, today) if row.ended_at is None and not row.is_paused else None,
        ]


def _scope(who: Actor, book: Directory, asked: Selection) -> Scope | None:
    """The scope of a list; None where the actor has none, or where its figures open no lists."""
    offered = scopes_of(who, book)
    with_lists = tuple(scope for scope in offered if scope.has_lists)
    if any(scope.code == asked.scope and not scope.has_lists for scope in offered):
        return None
    return chosen(with_lists, asked.scope)


def _words(book: Directory, scope: Scope, asked: Selection, today: date) -> list[str]:
    words = [wording.scope_title(scope), *wording.selection_words(book, asked)]
    if asked.measure in IN_A_PERIOD:
        words.append(wording.period_title(span_of(asked, today)))
    return words


def _order(asked: Selection, number: int) -> Order:
    """The order of an address, as far as it may be asked for."""
    natural = lists.natural(asked)
    sort = next((each for each in lists.sorts(asked, number) if each == request.args.get("sort")), natural.sort)
    direction = request.args.get("order", "")
    if direction not in ("first", "last"):
        return natural if sort == natural.sort else Order(sort, is_latest_first=sort in ("level", "ended"))
    return Order(sort, is_latest_first=direction == "last")


def _sorting(asked: Selection, order: Order) -> dict[str, str]:
    if order == lists.natural(asked):
        return {}
    return {"sort": order.sort, "order": "last" if order.is_latest_first else "first"}


def _sort_links(asked: Selection, order: Order, number: int) -> dict[str, dict[str, str]]:
    """For each order that may be asked for its address, and how the list is sorted by it now (as ARIA has it)."""
    found: dict[str, dict[str, str]] = {}
    for sort in lists.sorts(asked, number):
        is_this = sort == order.sort
        turned = Order(sort, not order.is_latest_first if is_this else sort in ("level", "ended"))
        found[sort] = {
            "href": _link(asked.as_query() | {"sort": sort, "order": "last" if turned.is_latest_first else "first"}),
            "now": ("descending" if order.is_latest_first else "ascending") if is_this else "none",
        }
    return found


def _link(values: dict[str, str]) -> str:
    return "/reports/cases?" + urlencode(values)


def _back(asked: Selection) -> str:
    """The page that the figure most likely stood on."""
    if asked.measure == "escalated":
        kept = {key: value for key, value in asked.as_query().items() if key != "measure"}
        return "/reports/escalations" + ("?" + urlencode(kept) if kept else "")
    kept = {key: value for key, value in (("scope", asked.scope), ("period", asked.period)) if value}
    return "/reports?" + urlencode(kept)


def _marked(row: Any, sort: Sort) -> str:
    """The mark of a page's last case, for the address of the next page."""
    value = {"received": row.received_on, "due": row.due_at, "ended": row.ended_at, "level": row.level}[sort]
    text = f"{value.timestamp():.6f}" if isinstance(value, datetime) else str(value)
    return f"{text}_{row.id}"


def _mark(text: str, sort: Sort) -> Mark | None:
    """Read a mark; one that means nothing shows the first page. Bangla digits work too."""
    value, _, number = latin_digits(text).rpartition("_")
    try:
        case_id = int(number)
        if not 0 < case_id < 2**63:
            return None
        if sort == "received":
            return Mark(date.fromisoformat(value), case_id)
        if sort == "level":
            return Mark(int(value), case_id) if value in ("0", "1", "2", "3") else None
        return Mark(datetime.fromtimestamp(float(value), tz=DHAKA), case_id)
    except (ValueError, OverflowError, OSError):
        return None
