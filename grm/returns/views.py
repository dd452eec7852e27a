"""The pages of monthly returns: which there are, one of them, the cases behind a number, and the button that submits it."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response

from grm.kernel import clock
from grm.kernel.db import db
from grm.kernel.errors import IllegalAction, NotFound
from grm.kernel.text import latin_digits
from grm.offices.directory import Office
from grm.offices.queries import directory
from grm.returns import counting, exporting, queries, service, units, wording
from grm.returns.months import month_in
from grm.returns.sheets import COLUMNS, RECEIVED, SIDES, is_silent
from grm.returns.units import Sight, Unit
from grm.tallies.periods import TARGET_PERCENT_IN_TIME, Period, month_of
from grm.tallies.scope import REPORT_ROLES, scopes_of
from grm.web.guard import actor, requires

blueprint = Blueprint("returns", __name__, url_prefix="/reports/returns")
EXPORTS = (exporting.return_sheet, exporting.cases_sheet)


@blueprint.get("")
@requires(*REPORT_ROLES)
def overview() -> str:
    """The returns of a month: which are submitted, which are late, and by how much."""
    session = db.session()
    now = clock.now(session)
    who, book = actor(), directory(session)
    scopes = scopes_of(who, book)
    if not scopes:
        raise NotFound
    office_ids = None if any(scope.spine == "all" for scope in scopes) else _office_ids(scopes)
    months = queries.months(session)
    running = month_of(clock.dhaka_date(now)).starts_on
    chosen = month_in(request.args.get("month", "")) or (month_of(months[0]) if months else month_of(running))
    lines = queries.of_month(session, chosen.starts_on, office_ids)
    return render_template(
        "returns/overview.html",
        months=sorted({*months, running, chosen.starts_on}, reverse=True),
        chosen=chosen,
        running=running,
        rows=lines,
        late=queries.late(session, now, office_ids),
        own=_own_units(book, who, office_ids),
        others=units.visible_units(who, book),
        closed_at=queries.closed_at(session, chosen.starts_on),
        closes_on=queries.closes_on(session, chosen, clock.dhaka_date(now)),
        known=book,
        now=now,
        states=wording.words(wording.STATE_WORDS),
        kinds=wording.words(wording.KIND_WORDS),
    )


@blueprint.get("/<month>/<kind>/<code>")
@requires(*REPORT_ROLES)
def one(month: str, kind: str, code: str) -> str:
    """One return, to be read, printed and, by its office, submitted."""
    return _show(_month(month), _unit(kind, code))


@blueprint.post("/<month>/office/<code>/submit")
@requires(*REPORT_ROLES)
def submit(month: str, code: str) -> str | Response | tuple[str, int]:
    """Freeze an office's return as it is counted now; there is nothing to fill in."""
    unit, span = _unit("office", code), _month(month)
    _sight(unit)
    try:
        service.submit(actor(), span, code)
    except IllegalAction as error:
        return _show(span, unit, wording.refusal(error.code)), 409
    return redirect(_href(span, unit), 303)


@blueprint.get("/<month>/<kind>/<code>/cases")
@requires(*REPORT_ROLES)
def cases(month: str, kind: str, code: str) -> str:
    """The cases behind a number: the same entries, so the same count."""
    unit, span = _unit(kind, code), _month(month)
    seen = _sight(unit)
    side, column = request.args.get("side", SIDES[0]), request.args.get("column", "total")
    if not seen.has_lists or side not in SIDES or column not in COLUMNS:
        raise NotFound
    session, who = db.session(), actor()
    now = clock.now(session)
    relation = queries.relation_of(session, unit, seen, span, clock.dhaka_date(now))
    excluded = counting.accusing(session, who)
    found = counting.entries(session, relation, seen.shades, excluded, side, column, _after())
    rows = found[: counting.PAGE]
    next_url = None
    if len(found) > counting.PAGE:
        next_url = _list_href(span, unit, side, column, f"{rows[-1].case_id}-{rows[-1].no}")
    return render_template(
        "returns/cases.html",
        unit=unit,
        month=span,
        side=side,
        column=column,
        rows=rows,
        total=counting.sheets(session, relation, seen.shades, excluded)[side][column],
        open_to_reader=queries.open_to(session, who, [row.case_id for row in rows]),
        known=directory(session),
        asked={"month": span.code, "kind": unit.kind, "code": unit.code, "side": side, "column": column},
        back_url=_href(span, unit),
        next_url=next_url,
        first_url=_list_href(span, unit, side, column) if request.args.get("after") else None,
        words=wording.column(column),
        sides=wording.words(wording.SIDE_WORDS),
        began=wording.words(wording.BEGAN_WORDS),
        ended=wording.words(wording.ENDED_WORDS),
    )


def _show(span: Period, unit: Unit, problem: str | None = None) -> str:
    seen = _sight(unit)
    session, who = db.session(), actor()
    now = clock.now(session)
    today = clock.dhaka_date(now)
    if span.starts_on > today:
        raise NotFound
    found = queries.page(session, who, unit, seen, span, today)
    return render_template(
        "returns/return.html",
        page=found,
        unit=unit,
        month=span,
        seen=seen,
        problem=problem,
        sides=wording.words(wording.SIDE_WORDS),
        columns=wording.words(wording.COLUMN_WORDS),
        received=RECEIVED,
        kind_words=wording.words(wording.KIND_WORDS),
        target=TARGET_PERCENT_IN_TIME,
        is_running=span.ends_on > today,
        may_submit=units.may_submit(who, unit),
        known=directory(session),
        most_changes=queries.MOST_CHANGES,
        open_to_reader=queries.open_to(session, who, [row.case_id for row in found.changes]),
        closed_at=queries.closed_at(session, span.starts_on),
        closes_on=queries.closes_on(session, span, today),
        owing_offices=_owing(found.closed.not_submitted) if found.closed is not None else (),
        is_silent=found.closed is not None and unit.kind == "district" and is_silent(found.sheets["complaint"]),
        silent=queries.silent_districts(session, who, seen, span, directory(session).districts)
        if found.closed is not None and unit.kind == "country"
        else (),
        link=lambda side, column: _list_href(span, unit, side, column),
        now=now,
    )


def _owing(office_ids: Iterable[int]) -> list[tuple[Office, bool]]:
    """Offices that had not submitted, each with whether the reader may open its return."""
    book, who = directory(db.session()), actor()
    offices = map(book.office, office_ids)
    return [(each, units.sight(who, units.office_unit(each), book) is not None) for each in offices]


def _sight(unit: Unit) -> Sight:
    seen = units.sight(actor(), unit, directory(db.session()))
    if seen is None:
        raise NotFound
    return seen


def _unit(kind: str, code: str) -> Unit:
    return units.unit_of(directory(db.session()), kind, code)


def _own_units(book: Any, who: Any, office_ids: Any) -> list[Unit]:
    offices = (office for office in book.offices if office_ids is None or office.id in office_ids)
    found = (units.office_unit(office) for office in offices if office.kind in ("cell", "ministry") or office_ids)
    return [unit for unit in found if units.sight(who, unit, book) is not None]


def _office_ids(scopes: Any) -> frozenset[int]:
    return frozenset(each for scope in scopes if scope.spine == "office" for each in scope.ids or ())


def _month(text: str) -> Period:
    found = month_in(text)
    if found is None:
        raise NotFound
    return found


def _after() -> tuple[int, int]:
    """Read the keyset mark of a page; one that means nothing shows the first page."""
    case_id, _, no = latin_digits(request.args.get("after", "")).partition("-")
    if case_id.isascii() and case_id.isdigit() and no.isascii() and no.isdigit() and len(case_id) < 15 and len(no) < 5:
        return int(case_id), int(no)
    return 0, 0


def _href(span: Period, unit: Unit) -> str:
    return f"/reports/returns/{span.code}/{unit.kind}/{unit.code}"


def _list_href(span: Period, unit: Unit, side: str, column: str, after: str | None = None) -> str:
    values = {"side": side, "column": column} | ({"after": after} if after else {})
    return f"{_href(span, unit)}/cases?{urlencode(values)}"
