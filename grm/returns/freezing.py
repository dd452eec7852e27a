"""Freezing a month: its stays are kept as they are, once, and added up for every unit whose return nobody submits.

A constant number of statements, however many stays and units there are.
"""
# ruff: noqa: S608 - put together from constants; all values are parameters

from collections.abc import Collection
from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.returns import counting
from grm.returns.models import CLOSED_KINDS, ClosedStay
from grm.returns.sheets import COLUMNS, SIDES, Sheet, Sheets
from grm.returns.units import VIEWS
from grm.tallies.periods import Period

NAMES = tuple(column.name for column in ClosedStay.__table__.columns if column.name != "month")
Figures = dict[tuple[str, int], dict[str, Sheets]]
"""Kind and id of a unit → view → both sides."""

_KEPT = "(SELECT * FROM closed_stay WHERE month = :since)"
_OF_MINISTRIES = """(
    SELECT s.*, o.ministry_id, f.ministry_id AS from_ministry_id, t.ministry_id AS to_ministry_id,
        a.ministry_id AS against_ministry_id
    FROM closed_stay AS s JOIN office AS o ON o.id = s.office_id LEFT JOIN office AS f ON f.id = s.from_office_id
    LEFT JOIN office AS t ON t.id = s.to_office_id LEFT JOIN office AS a ON a.id = s.against_office_id
    WHERE s.month = :since)"""
_INSIDE = "{way}_office_id IS NOT NULL"


def _of_all(unit: str) -> str:
    own = f"{unit} IS NOT NULL"
    against = f"{own} AND against_office_id IS NOT NULL"
    return counting.selected(_KEPT, own, against, _INSIDE, f"{unit} AS unit,", f"{unit} AS unit,")


_ENTRIES = {
    "country": counting.selected(_KEPT, "true", "against_office_id IS NOT NULL", _INSIDE, "0 AS unit,", "0 AS unit,"),
    "ministry": counting.selected(
        _OF_MINISTRIES,
        "ministry_id IS NOT NULL",
        "against_ministry_id IS NOT NULL",
        "{way}_ministry_id = ministry_id",
        "ministry_id AS unit,",
        "against_ministry_id AS unit,",
    ),
    "district": _of_all("district_id"),
    "programme": _of_all("programme_id"),
}
"""The same entries as `counting.closed` selects for one unit, for all units of a kind, each with the id of its unit."""
assert tuple(_ENTRIES) == CLOSED_KINDS


def freeze(session: Session, month: Period) -> bytes:
    """Keep the stays that count in a month as the histories say now; returns their SHA-256. The caller commits."""
    parameters = counting.spanned(month, month.ends_on)
    source = counting.source(session, parameters, None)
    names = ", ".join(NAMES)
    began, ended = "began_on < :until", "ended_on >= :since"
    own = f"SELECT {names} FROM {source} AS s WHERE {counting.ANYWHERE} AND"
    spans = (
        f"{own} {began} AND {ended}",
        f"{own} {began} AND ended_on IS NULL",
        f"{own} rated_on >= :since AND rated_on < :until AND NOT ({began} AND {ended})",
    )
    statement = f"""
        INSERT INTO closed_stay (month, {names})
        SELECT :since, {names} FROM ({" UNION ALL ".join(spans)}) AS s ORDER BY case_id, no
    """
    session.execute(text(statement), parameters)
    return hash_of(session, month.starts_on)


def hash_of(session: Session, month: date) -> bytes:
    """The SHA-256 of a closed month's stays: one a line, in order, their values between colons."""
    values = ", ':', ".join(f"coalesce({name}::text, '')" for name in NAMES)
    lines = f"SELECT case_id, no, concat({values}) AS line FROM closed_stay WHERE month = :month"
    whole = "coalesce(string_agg(line, E'\\n' ORDER BY case_id, no), '')"
    found = session.execute(text(f"SELECT sha256(convert_to({whole}, 'UTF8')) FROM ({lines}) AS l"), {"month": month})
    return bytes(found.scalar_one())


def figures(session: Session, month: Period) -> Figures:
    """Add a closed month up for every unit that has a stay in it, in every view."""
    counts = ", ".join(f'count(*) FILTER (WHERE {condition}) AS "{name}"' for name, condition in COLUMNS.items())
    sums = ", ".join(f'sum(c."{name}")::bigint AS "{name}"' for name in COLUMNS)
    views = ", ".join(
        f"('{name}', ARRAY[{', '.join(map(str, sorted(shades)))}]::smallint[])" for name, shades in VIEWS.items()
    )
    made: Figures = {}
    for kind, entries in _ENTRIES.items():
        statement = f"""
            WITH e AS MATERIALIZED ({entries}), v (view, shades) AS (VALUES {views}),
            c AS (SELECT unit, side, shade, {counts} FROM e GROUP BY unit, side, shade),
            d AS (
                SELECT unit, view, side, percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY days) AS days
                FROM e JOIN v ON e.shade = ANY(v.shades) WHERE days IS NOT NULL GROUP BY unit, view, side)
            SELECT c.unit, v.view, c.side, {sums}, d.days
            FROM c JOIN v ON c.shade = ANY(v.shades)
                LEFT JOIN d ON d.unit = c.unit AND d.view = v.view AND d.side = c.side
            GROUP BY c.unit, v.view, c.side, d.days
        """
        for row in session.execute(text(statement), counting.spanned(month, month.ends_on)).mappings():
            unit = made.setdefault((kind, row["unit"]), nothing())
            counted = {name: row[name] for name in COLUMNS}
            unit[row["view"]] = {**unit[row["view"]], row["side"]: Sheet(counted, *(row["days"] or (None, None)))}
    return made


def nothing() -> dict[str, Sheets]:
    """The figures of a unit without a stay."""
    return {view: {side: Sheet() for side in SIDES} for view in VIEWS}


def places_of(session: Session, month: date, office_ids: Collection[int]) -> set[tuple[str, int, int]]:
    """In which programmes and districts some offices had a stay in a closed month: kind, id, office's id."""
    statement = """
        SELECT DISTINCT programme_id, district_id, office_id FROM closed_stay
        WHERE month = :month AND office_id = ANY(:offices)
    """
    found = set()
    for programme_id, district_id, office_id in session.execute(
        text(statement), {"month": month, "offices": sorted(office_ids)}
    ):
        found |= {("programme", programme_id, office_id), ("district", district_id, office_id)}
    return found
