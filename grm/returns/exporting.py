"""A monthly return, and the cases behind one of its numbers, as files."""

from collections.abc import Iterator, Mapping
from datetime import date

from grm.exports.kinds import Asked, exportable
from grm.exports.sheet import Cell, Column, Row, Sheet
from grm.kernel.clock import dhaka_date
from grm.kernel.errors import NotFound
from grm.offices.queries import directory
from grm.returns import counting, queries, units, wording
from grm.returns.months import month_in
from grm.returns.sheets import COLUMNS, SIDES, Sheets
from grm.returns.units import Sight, Unit
from grm.tallies.periods import Period
from grm.tallies.scope import REPORT_ROLES
from grm.web.locale import gettext
from grm.web.presentation import name, show_month


@exportable("return", *REPORT_ROLES)
def return_sheet(asked: Asked) -> Sheet:
    """One return: both sides in all columns, as its page shows them."""
    month, unit, seen, today = _chosen(asked)
    page = queries.page(asked.session, asked.actor, unit, seen, month, today)
    lines = list(_lines(page.sheets))
    balances = all(page.sheets[side].balances for side in SIDES)
    state = (
        gettext("Not submitted: counted as of now")
        if unit.kind == "office"
        else gettext("Not closed: counted as of now")
    )
    if page.is_frozen:
        state = gettext("Submitted") if unit.kind == "office" else gettext("Month closed")
    return Sheet(
        _title(unit, month),
        (
            Column("", width=44),
            *(Column(words, "number", decimals=1) for words in wording.words(wording.SIDE_WORDS).values()),
        ),
        lines,
        filters=(state,),
        count=len(lines),
        notes=(gettext("Balances") if balances else gettext("Does not balance"),),
        is_portrait=True,
    )


@exportable("return-cases", *REPORT_ROLES)
def cases_sheet(asked: Asked) -> Sheet:
    """The cases behind one number of a return."""
    month, unit, seen, today = _chosen(asked)
    side, column = asked.query.get("side", ""), asked.query.get("column", "")
    if not seen.has_lists or side not in SIDES or column not in COLUMNS:
        raise NotFound
    excluded = counting.accusing(asked.session, asked.actor)
    relation = queries.relation_of(asked.session, unit, seen, month, today)
    began, ended = wording.words(wording.BEGAN_WORDS), wording.words(wording.ENDED_WORDS)
    book = directory(asked.session)

    def rows() -> Iterator[Row]:
        for found in counting.in_batches(asked.session, relation, seen.shades, excluded, side, column):
            opens = queries.open_to(asked.session, asked.actor, [row.case_id for row in found])
            for row in found:
                office = name(book.office(row.office_id)) if row.office_id else ""
                came: tuple[Cell, Cell] = (row.began_on, began.get(row.began_how or "", ""))
                went: tuple[Cell, Cell] = (row.ended_on, ended.get(row.ended_how or "", ""))
                # What a case is about now is its file's: it may have become a sensitive one since it was counted.
                is_open = row.case_id in opens
                number = row.tracking_number if is_open else gettext("Lies elsewhere now")
                about = name(book.category(row.category_id)) if is_open else ""
                yield (number, about, office, *came, *went, row.due_on)

    return Sheet(
        f"{_title(unit, month)}: {wording.column(column)}",
        (
            Column(gettext("Tracking number"), "code"),
            Column(gettext("Category")),
            Column(gettext("Office")),
            Column(gettext("Came on"), "date"),
            Column(gettext("How it came")),
            Column(gettext("Left on"), "date"),
            Column(gettext("How it left")),
            Column(gettext("Due on"), "date"),
        ),
        rows(),
        count=counting.sheets(asked.session, relation, seen.shades, excluded)[side][column],
        filters=(wording.words(wording.SIDE_WORDS)[side],),
    )


def _chosen(asked: Asked) -> tuple[Period, Unit, Sight, date]:
    book, today = directory(asked.session), dhaka_date(asked.now)
    month = month_in(asked.query.get("month", ""))
    unit = units.unit_of(book, asked.query.get("kind", ""), asked.query.get("code", ""))
    seen = units.sight(asked.actor, unit, book)
    if month is None or seen is None or month.starts_on > today:
        raise NotFound
    return month, unit, seen, today


def _title(unit: Unit, month: Period) -> str:
    of = name(unit.entry) if unit.entry is not None else gettext("Whole country")
    return f"{gettext('Monthly return')}: {of}, {show_month(month.starts_on)}"


def _lines(sheets: Sheets) -> Iterator[Row]:
    def line(words: str, values: Mapping[str, Cell]) -> Row:
        return (words, *(values[side] for side in SIDES))

    for column in COLUMNS:
        yield line(wording.column(column), {side: sheets[side][column] for side in SIDES})
    yield line(gettext("Rate: disposed of, per cent of the total"), {side: sheets[side].rate for side in SIDES})
    yield line(gettext("In time, per cent of disposed of"), {side: sheets[side].in_time_percent for side in SIDES})
    yield line(gettext("Median days to an answer"), {side: sheets[side].median_days for side in SIDES})
    yield line(gettext("Nine in ten within (days)"), {side: sheets[side].ninetieth_days for side in SIDES})
