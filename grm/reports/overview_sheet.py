"""The overview as a file: one line for each value of the dimension, and the figures over all below."""

from collections.abc import Callable
from datetime import date

from grm.exports.kinds import Asked, exportable
from grm.exports.sheet import Cell, Column, Sheet
from grm.kernel.clock import dhaka_date
from grm.kernel.errors import NotFound
from grm.offices.queries import directory
from grm.reports import wording
from grm.reports.measures import DEFAULT_PERIOD
from grm.reports.overview import asked_from, overview
from grm.tallies import standing
from grm.tallies.figures import Line
from grm.tallies.periods import percent
from grm.tallies.scope import REPORT_ROLES, chosen, scopes_of
from grm.web.locale import gettext
from grm.web.presentation import number, show_datetime


@exportable("overview", *REPORT_ROLES)
def overview_sheet(asked: Asked) -> Sheet:
    """The lines of an overview. Raises `NotFound` for an officer without a scope."""
    book = directory(asked.session)
    scope = chosen(scopes_of(asked.actor, book), asked.query.get("scope"))
    if scope is None:
        raise NotFound
    page = asked_from(book, scope, asked.query)
    period_code = asked.query.get("period", DEFAULT_PERIOD)
    found = overview(asked.session, asked.actor, book, page, period_code, asked.now)
    today = dhaka_date(asked.now)
    columns = _columns()
    filters = [wording.scope_title(scope), wording.period_title(found.span)]
    if page.only:
        filters.append(wording.value_title(book, *page.only))
    rows = [
        [wording.value_title(book, page.by, row.code), row.people, *(tell(row.line, today) for _, tell in columns)]
        for row in found.rows
    ]
    return Sheet(
        gettext("Overview"),
        (
            Column(wording.dimension_title(page.by)),
            Column(gettext("Beneficiaries"), "number"),
            *(column for column, _ in columns),
        ),
        rows,
        filters=filters,
        count=len(rows),
        total=[gettext("Total"), found.people, *(tell(found.total, today) for _, tell in columns)],
        notes=[gettext("Open and overdue are as of the moment when this file was made."), *_behind(asked)],
    )


def _behind(asked: Asked) -> list[str]:
    """What is not in the figures, where too much waited to be counted."""
    behind = standing.behind(asked.session)
    if behind is None or behind.at is None:
        return []
    when, count = show_datetime(behind.at), number(behind.count)
    words = gettext(
        "As of %(when)s; changes of cases since then that are not counted yet: %(count)s.", when=when, count=count
    )
    return [words]


def _columns() -> list[tuple[Column, Callable[[Line, date], Cell]]]:
    """The columns of figures, each with what fills it."""
    return [
        (Column(gettext("Received"), "number"), lambda line, today: line.received),
        (Column(gettext("Resolved"), "number"), lambda line, today: line.resolved),
        (Column(gettext("In time"), "number"), lambda line, today: line.in_time),
        (Column(gettext("In extended time"), "number"), lambda line, today: line.extended),
        (Column(gettext("Late"), "number"), lambda line, today: line.late),
        (
            Column(gettext("In time, %"), "percent", decimals=1),
            lambda line, today: percent(line.in_time, line.resolved),
        ),
        (Column(gettext("Declined"), "number"), lambda line, today: line.declined),
        (Column(gettext("Withdrawn"), "number"), lambda line, today: line.withdrawn),
        (Column(gettext("Median days"), "number", decimals=1), lambda line, today: line.median_days),
        (Column(gettext("90th percentile, days"), "number", decimals=1), lambda line, today: line.ninetieth_days),
        (Column(gettext("Rated"), "number"), lambda line, today: line.rated),
        (
            Column(gettext("Satisfied, %"), "percent", decimals=1),
            lambda line, today: percent(line.satisfied, line.rated),
        ),
        (Column(gettext("Appeals"), "number"), lambda line, today: line.appealed),
        (Column(gettext("Appeals upheld"), "number"), lambda line, today: line.appeals_upheld),
        (Column(gettext("Appeals rejected"), "number"), lambda line, today: line.appeals_rejected),
        (Column(gettext("Open"), "number"), lambda line, today: line.open),
        (Column(gettext("Overdue"), "number"), lambda line, today: line.overdue(today)),
        (Column(gettext("Not informed"), "number"), lambda line, today: line.not_informed),
    ]
