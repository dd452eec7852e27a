"""The overview: what was received, decided, is open and late; against the period before; by any dimension."""

from collections.abc import Callable
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, render_template, request
from markupsafe import Markup, escape

from grm.accounts.sessions import opened_at
from grm.deadlines.coverage import coverage
from grm.kernel import clock
from grm.kernel.db import db
from grm.offices.directory import Directory
from grm.offices.queries import directory
from grm.reports import overview_sheet, wording
from grm.reports.dimensions import BASE, Asked, choices
from grm.reports.measures import AGE_BANDS, DEFAULT_PERIOD, PERIODS, TARGET_PERCENT_IN_TIME, Selection, figure
from grm.reports.overview import IN_ORDER, Overview, Row, asked_from, next_by, only_choices, overview, says_nothing
from grm.reports.overview_charts import compared
from grm.tallies.figures import Line
from grm.tallies.periods import percent
from grm.tallies.scope import REPORT_ROLES, Scope, chosen, scopes_of
from grm.web.guard import actor, requires
from grm.web.labels import label
from grm.web.locale import gettext
from grm.web.presentation import digits, number

__all__ = ["blueprint", "overview_sheet"]  # imported, the sheet is known to the exports

blueprint = Blueprint("overview", __name__, url_prefix="/reports")
COLUMN_SETS = ("main", "details")
FIRST_ROWS = 10
"""How many rows stand open, the worst first; the others are one press away."""
Link = Callable[..., str]


@blueprint.get("")
@requires(*REPORT_ROLES)
def page() -> str:
    """The figures of a scope."""
    session = db.session()
    now = opened_at()
    today = clock.dhaka_date(now)
    book = directory(session)
    scopes = scopes_of(actor(), book)
    scope = chosen(scopes, request.args.get("scope"))
    if scope is None:
        abort(404)
    asked = asked_from(book, scope, request.args)
    code = request.args.get("period", DEFAULT_PERIOD)
    found = overview(session, actor(), book, asked, code, now)
    columns = request.args.get("columns", "main")
    columns = columns if columns in COLUMN_SETS else "main"
    address = _address(scopes, found, columns)
    link = _linker(found) if scope.has_lists else None
    kept_to = only_choices(book, asked)
    return render_template(
        "reports/overview.html",
        found=found,
        scopes=[(each.code, wording.scope_title(each)) for each in scopes],
        scope_title=wording.scope_title(scope),
        periods=[(each, wording.period_titles()[each]) for each in PERIODS],
        by_options=[(each, wording.dimension_title(each)) for each in _by_choices(asked)],
        only_options=wording.only_options(book, kept_to, ":".join(asked.only) if asked.only else "")
        if kept_to
        else None,
        by_title=wording.dimension_title(asked.by),
        is_worst_first=asked.by not in IN_ORDER,
        only_title=wording.value_title(book, *asked.only) if asked.only else None,
        span_title=wording.period_title(found.span),
        tiles=_tiles(found, link, today),
        columns=columns,
        column_links={each: address(columns=each) for each in COLUMN_SETS},
        table=_table(book, found, link, columns, today, address),
        silent=[(wording.value_title(book, asked.by, each.code), each.people) for each in found.silent],
        vacancies=found.vacancies,
        ages=[
            (words, count, link("overdue", age=age) if link and count else None)
            for (age, words), count in zip(
                wording.age_titles().items(), found.total.overdue_by_age(today, AGE_BANDS).values(), strict=True
            )
        ],
        steps=_steps(found.total, link),
        tiles_of_map=_map(book, found, link, today) if asked.by == "district" else None,
        compared=compared(asked.by, found.rows, wording.value_titles(book, asked.by), link),
        target=TARGET_PERCENT_IN_TIME,
        months=[month for month, _ in found.months],
        trend=[line for _, line in found.months],
        turn=_turn(found, today),
        punctual=[percent(line.in_time, line.resolved) for _, line in found.months],
        coverage=coverage(session, today) if actor().has_role("cell_officer") else None,
        known=book,
        today=today,
        as_of=now,
        longer=address(period="last_12_months") if found.span.code != "last_12_months" else None,
        wider=address(only=None) if asked.only else None,
        has_lists=scope.has_lists,
        query=address().partition("?")[2],
    )


def _address(scopes: tuple[Scope, ...], found: Overview, columns: str) -> Link:
    """Make the address of this page with some of its choices changed."""
    asked = found.asked
    values: dict[str, str | None] = {
        "scope": asked.scope.code if asked.scope != scopes[0] else None,
        "period": found.span.code if found.span.code != DEFAULT_PERIOD else None,
        "by": asked.by,
        "only": ":".join(asked.only) if asked.only else None,
        "columns": columns if columns != "main" else None,
    }

    def address(**changes: str | None) -> str:
        return "/reports?" + urlencode({key: value for key, value in (values | changes).items() if value})

    return address


def _linker(found: Overview) -> Link:
    """Make the addresses of lists; the codes of the directory need no quoting, and to quote a thousand takes time."""
    asked = found.asked
    tail = f"&scope={asked.scope.code}"
    if asked.only:
        tail += "&" + urlencode([asked.only])
    dated = f"&period={found.span.code}"

    def link(measure: str, value: str | None = None, **more: object) -> str:
        narrowed = f"&{asked.by}={value}" if value else ""
        # A row stands for its own value where the page is kept to a value of the same dimension.
        rest = f"&scope={asked.scope.code}" if value and asked.only and asked.only[0] == asked.by else tail
        extra = "".join(f"&{key}={each}" for key, each in more.items())
        return f"/reports/cases?measure={measure}{rest}{narrowed}{extra}{dated}"

    return link


def _by_choices(asked: Asked) -> tuple[str, ...]:
    """The dimensions to choose from; a scope of one office is not divided by offices."""
    found = choices(asked.scope, asked.only[0] if asked.only else None)
    if asked.scope.spine == "office" and asked.scope.ids is not None and len(asked.scope.ids) == 1:
        found = tuple(each for each in found if BASE[each] != "office" or each == asked.by)
    return found


def _tiles(found: Overview, link: Link | None, today: Any) -> list[dict[str, Any]]:
    """The figures over all, each with what it was in the period before, or with what it is measured against."""
    line, was = found.total, found.previous

    def tile(title: str, value: Any, hint: str | None, measure: str | None = None, kind: str = "") -> dict[str, Any]:
        href = link(measure) if link and measure and value not in (0, "–") else None
        return {"label": title, "value": value, "hint": hint, "href": href, "kind": kind}

    def hint(*parts: str, was: object = "–") -> str | None:
        """What stands below a figure; of a time before that knew nothing, nothing is said."""
        return " ".join((*parts, *([gettext("Before: %(value)s", value=was)] if was != "–" else []))) or None

    share, share_was = percent(line.in_time, line.resolved), percent(was.in_time, was.resolved)
    judged, judged_was = line.appeals_upheld + line.appeals_rejected, was.appeals_upheld + was.appeals_rejected
    is_short = share is not None and share < TARGET_PERCENT_IN_TIME
    overdue = line.overdue(today)
    found_tiles = [
        tile(
            gettext("Overdue now"),
            overdue,
            gettext("%(share)s of what is open", share=_share(percent(overdue, line.open))),
            "overdue",
            "red" if overdue else "",
        ),
        tile(
            gettext("Resolved in time"),
            _share(share),
            hint(gettext("Target %(target)s %%.", target=number(TARGET_PERCENT_IN_TIME)), was=_share(share_was)),
            "in_time",
            "red" if is_short else "",
        ),
        tile(
            gettext("Open now"),
            line.open,
            gettext("Clock stands still: %(count)s", count=number(line.paused_count)),
            "open",
        ),
        tile(
            gettext("Complainant not informed"),
            line.not_informed,
            None,
            "not_informed",
            "amber" if line.not_informed else "",
        ),
        tile(gettext("Received"), line.received, hint(was=number(was.received)), "received"),
        tile(gettext("Resolved"), line.resolved, hint(was=number(was.resolved)), "resolved"),
        tile(gettext("Median days to a decision"), number(line.median_days, 1), hint(was=number(was.median_days, 1))),
        tile(
            gettext("Nine in ten within (days)"),
            number(line.ninetieth_days, 1),
            hint(was=number(was.ninetieth_days, 1)),
        ),
        tile(
            gettext("Satisfied complainants"),
            _share(percent(line.satisfied, line.rated)),
            hint(
                gettext("Of %(count)s who gave stars.", count=number(line.rated)),
                was=_share(percent(was.satisfied, was.rated)),
            ),
            "rated" if line.rated else None,
        ),
        tile(gettext("Appeals and objections"), line.appealed, hint(was=number(was.appealed)), "appealed"),
        tile(
            gettext("Appeals upheld"),
            _share(percent(line.appeals_upheld, judged)),
            hint(
                gettext("Of %(count)s decided.", count=number(judged)),
                was=_share(percent(was.appeals_upheld, judged_was)),
            ),
            "upheld" if line.appeals_upheld else None,
        ),
    ]
    if found.people is not None:
        found_tiles.append(
            tile(
                gettext("Per 1,000 beneficiaries"),
                number(_rate(line.received, found.people), 2),
                hint(
                    gettext(
                        "%(people)s people, %(year)s.",
                        people=number(found.people),
                        year=digits(found.people_year or ""),
                    ),
                    was=number(_rate(was.received, found.people), 2),
                ),
            )
        )
    if found.asked.scope.spine != "district":
        vacant = len(found.vacancies)
        found_tiles.append(
            tile(gettext("Vacant posts"), vacant, None, None, "amber" if vacant else "")
            | {"href": "#vacant" if vacant else None}
        )
    return found_tiles


def _table(
    book: Directory, found: Overview, link: Link | None, columns: str, today: Any, address: Link
) -> dict[str, Any]:
    """The lines of the dimension, ready to be put into `data_table`."""
    asked = found.asked
    opened_by = next_by(asked)
    titles = wording.value_titles(book, asked.by)
    show = _DETAILS if columns == "details" else _MAIN
    parts = [part for part in show if part[0] != "people" or found.people_year is not None]
    parts = [part for part in parts if part[0] != "vacant" or BASE[asked.by] == "office"]
    rows = []
    for row in found.rows:
        words = titles.get(row.code) or wording.value_title(book, asked.by, row.code)
        opening = address(by=opened_by, only=f"{asked.by}:{row.code}") if opened_by and not asked.only else None
        cells = {"key": Markup('<a href="{}">{}</a>').format(opening, words) if opening else words}
        for key, _, measure, value in parts:
            cells[key] = _cell(value(row, today), link(measure, row.code) if link and measure else None)
        rows.append((row, cells))
    lines = [(row, cells) for row, cells in rows if not says_nothing(row.line)]
    head = [("key", wording.dimension_title(asked.by), "main")]
    kinds = [(key, gettext(title), "n" if key in _ON_A_PHONE else "n wide") for key, title, *_ in parts]
    late = [cells["key"] for row, cells in lines if row.line.overdue(today)]
    silent = {each.code for each in found.silent}
    is_sorted = asked.by not in IN_ORDER
    return {
        "columns": [*head, *kinds],
        "rows": [cells for _, cells in lines],
        "first": FIRST_ROWS if is_sorted else len(lines),
        "nothing": [cells["key"] for row, cells in rows if says_nothing(row.line) and row.code not in silent],
        # On a phone a row keeps few figures where it opens all of them.
        "is_tight": columns == "main" and opened_by is not None and not asked.only,
        "worst": late[:3] if is_sorted and len(lines) > 3 else [],
    }


def _turn(found: Overview, today: date) -> list[tuple[Any, str]]:
    """The share in time of the last two whole months, the later first; empty where one of them says nothing."""
    whole = [(month, line) for month, line in found.months if month < today.replace(day=1)][-2:]
    shares = [(month, percent(line.in_time, line.resolved)) for month, line in reversed(whole)]
    return [(month, _share(share)) for month, share in shares if share is not None] if len(shares) == 2 else []


def _(text: str) -> str:
    """Mark a text for the catalogue; it is translated when shown."""
    return text


def _cell(value: object, href: str | None) -> Markup:
    """A figure; it opens its list where it is not zero. What is nothing is pale, and left out on a phone."""
    words = value if isinstance(value, str) else number(value if isinstance(value, int) else None)
    if not value or value == number(None):
        return Markup(f'<span class="muted">{words}</span>')
    return Markup(f'<a href="{escape(href)}">{words}</a>' if href else words)


_Column = tuple[str, str, str | None, Callable[[Row, Any], object]]
_MAIN: tuple[_Column, ...] = (
    ("overdue", _("Overdue"), "overdue", lambda row, today: row.line.overdue(today)),
    ("open", _("Open"), "open", lambda row, today: row.line.open),
    ("share", _("In time, %"), None, lambda row, today: number(percent(row.line.in_time, row.line.resolved), 1)),
    ("received", _("Received"), "received", lambda row, today: row.line.received),
    ("resolved", _("Resolved"), "resolved", lambda row, today: row.line.resolved),
    ("median", _("Median days"), None, lambda row, today: number(row.line.median_days, 1)),
    ("ninetieth", _("90th percentile, days"), None, lambda row, today: number(row.line.ninetieth_days, 1)),
    ("satisfied", _("Satisfied, %"), None, lambda row, today: number(percent(row.line.satisfied, row.line.rated), 1)),
    ("appealed", _("Appeals"), "appealed", lambda row, today: row.line.appealed),
    ("upheld", _("Upheld, %"), None, lambda row, today: number(_upheld(row.line), 1)),
    ("not_informed", _("Not informed"), "not_informed", lambda row, today: row.line.not_informed),
    ("people", _("Per 1,000 beneficiaries"), None, lambda row, today: number(_rate(row.line.received, row.people), 2)),
    ("vacant", _("Vacant posts"), None, lambda row, today: row.vacant),
)
_ON_A_PHONE = frozenset({"overdue", "open", "share"})
"""What a narrow screen shows of a row; the rest stands on the page that the row opens."""

_DETAILS: tuple[_Column, ...] = (
    ("in_time", _("In time"), "in_time", lambda row, today: row.line.in_time),
    ("extended", _("In extended time"), "extended", lambda row, today: row.line.extended),
    ("late", _("Late"), "late", lambda row, today: row.line.late),
    ("declined", _("Declined"), "declined", lambda row, today: row.line.declined),
    ("withdrawn", _("Withdrawn"), "withdrawn", lambda row, today: row.line.withdrawn),
    ("rated", _("Rated"), "rated", lambda row, today: row.line.rated),
    ("satisfied", _("4 or 5 stars"), "satisfied", lambda row, today: row.line.satisfied),
    ("upheld", _("Appeals upheld"), "upheld", lambda row, today: row.line.appeals_upheld),
    ("rejected", _("Appeals rejected"), "rejected", lambda row, today: row.line.appeals_rejected),
    ("paused", _("Clock stands still"), "paused", lambda row, today: row.line.paused_count),
    ("escalated", _("Escalated"), "escalated", lambda row, today: row.line.escalated),
    ("due_7", _("Due within 7 days"), "due_7", lambda row, today: _due(row.line, "due_7", today)),
    ("due_14", _("Due within 14 days"), "due_14", lambda row, today: _due(row.line, "due_14", today)),
)


def _due(line: Line, measure: str, today: Any) -> int | None:
    return figure(line, Selection(measure=measure), today)


def _steps(line: Line, link: Link | None) -> list[dict[str, Any]]:
    """How far open cases have climbed: at least at each level."""
    levels = line.escalated_by_level
    return [
        {
            "label": label("level", level),
            "value": count,
            "href": link("escalated", level=level) if link and count else None,
        }
        for level, count in zip((1, 2, 3), levels, strict=True)
    ]


def _map(book: Directory, found: Overview, link: Link | None, today: Any) -> list[dict[str, Any]]:
    """The districts as tiles, by what is overdue."""
    lines = {row.code: row.line for row in found.rows}
    kept = found.asked.scope.ids if found.asked.scope.spine == "district" else None
    tiles = []
    for place in book.districts:
        if kept is not None and place.id not in kept:
            continue
        value = lines.get(place.code, Line()).overdue(today)
        tiles.append({"place": place, "value": value, "href": link("overdue", place.code) if link and value else None})
    return tiles


def _share(value: float | None) -> str:
    return "–" if value is None else f"{number(value, 1)}\u00a0%"


def _upheld(line: Line) -> float | None:
    return percent(line.appeals_upheld, line.appeals_upheld + line.appeals_rejected)


def _rate(received: int, people: int | None) -> float | None:
    return 1000 * received / people if people else None
