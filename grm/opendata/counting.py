"""The internal figures that open data are made of: read from the tallies, as every report reads them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from sqlalchemy.orm import Session

from grm.offices.directory import Directory
from grm.offices.queries import directory
from grm.opendata.edition import Entry, Figures, Table
from grm.opendata.suppression import Row, sums
from grm.opendata.wording import Names, code_names, names
from grm.tallies.figures import CODES, NONE, TOTAL, Line, View
from grm.tallies.periods import month_of
from grm.tallies.reading import read

OTHER = "other-offices"
"""The row of cases that lie at no ministry: at the Cabinet Division's cell, or at a district's office."""
SENSITIVE = "sensitive"
"""The one row of all sensitive categories: one by one they would be small, and say too much."""
EMPTY: Row = (0, 0, 0, 0, 0)


def figures(session: Session, month: date, today: date) -> Figures:
    """Return the figures of a month that is over, as they are known now, by every dimension of the open data.

    What was open at its end is what is open now, without what came since and with what ended since.
    """
    span = month_of(month)
    after = read(session, View(since=span.ends_on, until=max(span.ends_on, month_of(today).ends_on)), exactly=True)[TOTAL]
    whole = read(session, View(since=span.starts_on, until=span.ends_on), exactly=True)[TOTAL]
    ended_since = after.resolved + after.declined + after.withdrawn
    known = directory(session)
    return Figures(
        span.starts_on,
        _counts(whole),
        whole.open - after.received + ended_since,
        tuple(_tables(known, span.starts_on, lambda by: _lines(session, span.starts_on, span.ends_on, by))),
    )


def whole_country(session: Session, month: date) -> Row:
    """Return the country's counts of a month, as they are known now."""
    span = month_of(month)
    return _counts(read(session, View(since=span.starts_on, until=span.ends_on))[TOTAL])


def _lines(session: Session, since: date, until: date, by: str) -> Mapping[str, Row]:
    lines = read(session, View(since=since, until=until, by=by), exactly=True)
    return {key: _counts(line) for key, line in lines.items() if key != TOTAL}


def _counts(line: Line) -> Row:
    return (line.received, line.in_time, line.extended + line.late, line.declined, line.withdrawn)


def _tables(known: Directory, month: date, lines: Callable[[str], Mapping[str, Row]]) -> Iterable[Table]:
    """Every table: what existed in the month and what has cases, in the directory's order."""
    ministry_of = {str(office.id): office.ministry_id for office in known.offices if office.kind == "ministry"}
    slugs = {each.id: each.slug for each in known.ministries}
    rows = _regrouped(lines("office"), lambda key: slugs.get(ministry_of.get(key) or 0, OTHER))
    ministries = [(each.slug, names(each)) for each in known.ministries]
    current = {each.slug for each in known.ministries_on(month)}
    yield Table("ministry", _entries([*ministries, (OTHER, code_names("ministry", OTHER))], rows, {*current, OTHER}))

    programme_slugs = {str(each.id): each.slug for each in known.programmes}
    rows = _regrouped(lines("programme"), lambda key: programme_slugs.get(key, NONE))
    programmes = [(each.slug, names(each)) for each in known.programmes]
    current = {each.slug for each in known.programmes_on(month)}
    yield Table(
        "programme",
        _entries([*programmes, (NONE, code_names("programme", NONE))], rows, {*current, NONE}),
        groups={each.slug: slugs[each.ministry_id] for each in known.programmes},
        coarser="ministry",
    )

    categories = {str(each.id): SENSITIVE if each.is_sensitive else each.slug for each in known.categories}
    rows = _regrouped(lines("category"), lambda key: categories[key])
    plain = [(each.slug, names(each)) for each in known.categories if not each.is_sensitive]
    current = {each.slug for each in known.categories_on(month)}
    sensitive = (SENSITIVE, code_names("category", SENSITIVE))
    yield Table("category", _entries([*plain, sensitive], rows, {*current, SENSITIVE}))

    districts = {str(each.id): each.code for each in known.districts}
    rows = _regrouped(lines("district"), lambda key: districts.get(key, NONE))
    places = [(each.code, names(each)) for each in known.districts]
    everywhere = {*districts.values(), NONE}
    yield Table("district", _entries([*places, (NONE, code_names("district", NONE))], rows, everywhere))

    for dimension, codes in CODES.items():
        coded = [(code, code_names(dimension, code)) for code in codes]
        kept = set(codes) - {"unknown"} if dimension == "channel" else set(codes)  # every case came by some channel
        yield Table(dimension, _entries(coded, lines(dimension), kept))


def _regrouped(lines: Mapping[str, Row], code_of: Callable[[str], str]) -> Mapping[str, Row]:
    found: dict[str, list[Row]] = {}
    for key, row in lines.items():
        found.setdefault(code_of(key), []).append(row)
    return {code: sums(rows) for code, rows in found.items()}


def _entries(
    named: Iterable[tuple[str, Names]], rows: Mapping[str, Row], current: Iterable[str]
) -> Mapping[str, Entry]:
    kept = {*current, *(code for code, row in rows.items() if any(row))}
    return {code: Entry(*both, rows.get(code, EMPTY)) for code, both in named if code in kept}
