"""The entries of a return: one for each stay that it counts, each rating and each decision of an appeal; and what they add up to.

A figure counts the entries that meet a condition (`sheets.COLUMNS`), its list shows the same entries, and what is frozen is the
entries themselves: so a figure equals its list, before and after the submission. A case that goes from one office of the unit to
another on the same side neither comes nor goes for the unit as a whole.
"""
# ruff: noqa: S608 - put together from constants; all values are parameters

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from grm.kernel.actor import Actor
from grm.returns.sheets import COLUMNS, SIDES, Sheet, Sheets
from grm.returns.units import ALL_SHADES, Unit
from grm.tallies import reading, stays
from grm.tallies.periods import Period
from grm.tallies.stays_models import DISPOSALS, FROM_OFFICES

PAGE = 50
BATCH = 1_000
MOST_DUE = 2_000
"""So many changed cases are counted by their histories for a page; where more wait, it shows what is kept and says so."""
ENTRY = ("case_id", "no", "side", "shade", "came", "went", "is_late", "is_extended", "days", "stars", "is_upheld")


@dataclass(frozen=True, slots=True)
class Relation:
    """A set of entries as SQL, with its parameters."""

    sql: str
    parameters: dict[str, Any]


def live(
    session: Session,
    unit: Unit,
    month: Period,
    today: date,
    within: frozenset[int] | None = None,
    most_due: int | None = MOST_DUE,
) -> Relation:
    """The entries of a unit's month as the histories say now. `within`: at these offices only. `most_due`: None for what is kept
    for good, which counts every changed case by its history, however many wait."""
    parameters = spanned(month, min(month.ends_on, today)) | _whose(unit, within)
    return Relation(selected(source(session, parameters, most_due), *_conditions(unit, within)), parameters)


def closed(unit: Unit, month: Period, within: frozenset[int] | None = None) -> Relation:
    """The entries of a unit's month as the histories said when it was closed."""
    parameters = spanned(month, month.ends_on) | _whose(unit, within)
    return Relation(
        selected("(SELECT * FROM closed_stay WHERE month = :since)", *_conditions(unit, within)), parameters
    )


def frozen(return_id: int) -> Relation:
    """The entries that were submitted with a return."""
    return Relation(
        _read("(SELECT counted FROM return_submission WHERE return_id = :return_id)"), {"return_id": return_id}
    )


def told(counted: str) -> Relation:
    """The entries of `lines`: what is submitted is added up from them, so that no act in between can come between the two."""
    return Relation(_read("CAST(:counted AS text)"), {"counted": counted})


def _read(counted: str) -> str:
    types = (
        "bigint",
        "smallint",
        "text",
        "smallint",
        "text",
        "text",
        "boolean",
        "boolean",
        "int",
        "smallint",
        "boolean",
    )
    columns = ", ".join(
        f"f[{place}]::{kind} AS {name}" for place, (name, kind) in enumerate(zip(ENTRY, types, strict=True), 1)
    )
    lines = f"SELECT string_to_array(line, ':', '') AS f FROM unnest(string_to_array({counted}, E'\\n')) AS line"
    return f"SELECT {columns} FROM ({lines}) AS lines"


def sheets(session: Session, relation: Relation, shades: frozenset[int], excluded: Sequence[int] = ()) -> Sheets:
    """Add the entries up: both sides, in all columns."""
    rows = session.execute(text(_sums(relation)), {**relation.parameters, **_seen(shades, excluded)}).mappings()
    found = {row["side"]: row for row in rows}
    made = {}
    for side in SIDES:
        row = found.get(side)
        percentiles = (row["days"] if row else None) or (None, None)
        made[side] = Sheet({name: row[name] for name in COLUMNS}, *percentiles) if row else Sheet()
    return made


def _sums(relation: Relation) -> str:
    counts = ", ".join(f'count(*) FILTER (WHERE {condition}) AS "{name}"' for name, condition in COLUMNS.items())
    days = "percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY days) AS days"
    return f"SELECT side, {counts}, {days} FROM ({relation.sql}) AS e WHERE {SEEN} GROUP BY side"


def plan(session: Session, relation: Relation) -> str:
    """How the database adds a return up, for the test that holds it to its indexes."""
    explained = text(f"EXPLAIN {_sums(relation)}")
    rows = session.scalars(explained, {**relation.parameters, **_seen(ALL_SHADES, ())})
    return "\n".join(rows)


def entries(
    session: Session,
    relation: Relation,
    shades: frozenset[int],
    excluded: Sequence[int],
    side: str,
    column: str,
    after: tuple[int, int] = (0, 0),
    limit: int | None = PAGE,
) -> Sequence[Any]:
    """The entries behind a number, with their stays and cases; one more than `limit` tells that there are more."""
    return session.execute(*_listed(relation, shades, excluded, side, column, after, limit)).all()


def in_batches(
    session: Session, relation: Relation, shades: frozenset[int], excluded: Sequence[int], side: str, column: str
) -> Iterator[Sequence[Any]]:
    """All the entries behind a number, a thousand at a time: of the whole country they may be a million."""
    statement, parameters = _listed(relation, shades, excluded, side, column, (0, 0), None)
    return session.execute(statement, parameters, execution_options={"yield_per": BATCH}).partitions(BATCH)


def _listed(
    relation: Relation,
    shades: frozenset[int],
    excluded: Sequence[int],
    side: str,
    column: str,
    after: tuple[int, int],
    limit: int | None,
) -> tuple[TextClause, dict[str, Any]]:
    statement = f"""
        SELECT e.*, s.office_id, s.began_on, s.began_how, s.ended_on, s.ended_how, s.from_office_id, s.to_office_id, s.due_on,
            c.tracking_number, c.category_id, c.is_sensitive
        FROM (
            SELECT * FROM ({relation.sql}) AS e
            WHERE {SEEN} AND e.side = :side AND ({COLUMNS[column]}) AND (e.case_id, e.no) > (:after_case, :after_no)
            ORDER BY e.case_id, e.no {"" if limit is None else "LIMIT :limit"}
        ) AS e
        JOIN cases AS c ON c.id = e.case_id LEFT JOIN stay AS s ON s.case_id = e.case_id AND s.no = e.no
        ORDER BY e.case_id, e.no
    """
    place = {"side": side, "after_case": after[0], "after_no": after[1], "limit": (limit or 0) + 1}
    return text(statement), {**relation.parameters, **_seen(shades, excluded), **place}


_LARGE = text("SELECT set_config('statement_timeout', '20s', true), set_config('work_mem', '128MB', true)")
"""The country's entries of a month are half a million in a ledger of ten million cases, and are compared with as many."""


def corrections(
    session: Session,
    was: Relation,
    now: Relation,
    shades: frozenset[int],
    excluded: Sequence[int],
    frozen_at: datetime,
    limit: int = PAGE,
) -> tuple[dict[str, dict[str, int]], Sequence[Any]]:
    """What has changed since `frozen_at`: by how much each number, by side; and the first of the entries that are counted now and
    were not, or were and are not any more, with their cases' numbers and when something was last entered in their histories."""
    names = ", ".join(ENTRY)
    sums = ", ".join(f'coalesce(sum(times) FILTER (WHERE {each}), 0) AS "{name}"' for name, each in COLUMNS.items())
    old, new = (f"{names} FROM ({each.sql}) AS e WHERE {SEEN}" for each in (was, now))
    statement = f"""
        WITH d AS MATERIALIZED (
            SELECT sum(sign) AS times, {names} FROM (SELECT -1 AS sign, {old} UNION ALL SELECT 1, {new}) AS both_sides
            GROUP BY {names} HAVING sum(sign) <> 0
        ), by_side AS (SELECT side, {sums} FROM d GROUP BY side),
        first AS (SELECT d.times > 0 AS is_new, d.* FROM d ORDER BY side DESC, case_id, no, times LIMIT :limit)
        SELECT f.*, c.tracking_number,
            (SELECT max(e.at) FROM case_event AS e WHERE e.case_id = f.case_id AND e.at >= :frozen_at) AS entered_at,
            (SELECT jsonb_object_agg(side, to_jsonb(by_side)) FROM by_side) AS sums
        FROM first AS f JOIN cases AS c ON c.id = f.case_id ORDER BY f.side DESC, f.case_id, f.no, f.is_new
    """
    parameters = {**was.parameters, **now.parameters, **_seen(shades, excluded)}
    session.execute(_LARGE)
    rows = session.execute(text(statement), {**parameters, "frozen_at": frozen_at, "limit": limit + 1}).all()
    found = rows[0].sums if rows else {}
    by = {
        side: {name: found[side][name] for name in COLUMNS if found[side][name]} if side in found else {}
        for side in SIDES
    }
    return by, rows


def lines(session: Session, relation: Relation) -> str:
    """The entries as they are frozen: one a line, its values between colons, in one order."""
    values = ", ':', ".join(f"coalesce({name}::text, '')" for name in ENTRY)
    each = f"SELECT concat({values}) AS line FROM ({relation.sql}) AS e"
    statement = f"SELECT coalesce(string_agg(line, E'\\n' ORDER BY line), '') FROM ({each}) AS l"
    return str(session.execute(text(statement), relation.parameters).scalar_one())


def accusing(session: Session, actor: Actor) -> list[int]:
    """The cases that accuse an officer, a post held or an office sat in: they are in no number that the officer sees."""
    statement = """
        SELECT DISTINCT case_id FROM accused WHERE officer_id = :officer OR officer_id IS NULL
            AND (post_id = ANY(:posts) OR post_id IS NULL AND office_id = ANY(:offices)) ORDER BY 1
    """
    parameters = {
        "officer": actor.officer_id,
        "posts": [seat.post_id for seat in actor.seats],
        "offices": sorted(actor.office_ids()),
    }
    return list(session.scalars(text(statement), parameters))


SEEN = "e.shade = ANY(:shades) AND e.case_id <> ALL(CAST(:excluded AS bigint[]))"


def _seen(shades: frozenset[int], excluded: Sequence[int]) -> dict[str, Any]:
    return {"shades": sorted(shades), "excluded": list(excluded)}


def source(session: Session, parameters: dict[str, Any], most_due: int | None) -> str:
    """The stays: those that are kept, save for cases that have changed since; these are made of their histories here and now."""
    at_most = None if most_due is None else most_due + 1
    due = list(session.scalars(text("SELECT DISTINCT case_id FROM tally_due LIMIT :at_most"), {"at_most": at_most}))
    if most_due is not None and len(due) > most_due:
        session.info[reading.BEHIND] = True  # the page says so
        return "stay"
    if not due:
        return "stay"
    parameters["ids"] = due
    names = ", ".join(stays.COLUMNS)
    return f"(SELECT {names} FROM stay WHERE case_id <> ALL(:ids) UNION ALL SELECT {names} FROM ({stays.SELECTED}) AS made)"


ANYWHERE = "office_id = ANY(ARRAY(SELECT id FROM office))"
"""Every office has its index of stays; all stays together have none by their dates."""


def _whose(unit: Unit, within: frozenset[int] | None) -> dict[str, Any]:
    return {"unit": unit.id, "offices": sorted(within if within is not None else unit.office_ids)}


def _conditions(unit: Unit, within: frozenset[int] | None) -> tuple[str, str, str | None]:
    """Which stays are a unit's; which appeals are against it; and when the office before or after is one of its own."""
    if unit.kind == "office":
        return "office_id = :unit", "against_office_id = :unit", None
    if unit.kind == "ministry":
        return "office_id = ANY(:offices)", "against_office_id = ANY(:offices)", "{way}_office_id = ANY(:offices)"
    own = {"programme": "programme_id = :unit", "district": "district_id = :unit", "country": ANYWHERE}[unit.kind]
    if within is None:
        return own, f"{own} AND against_office_id IS NOT NULL", "{way}_office_id IS NOT NULL"
    return (
        f"{own} AND office_id = ANY(:offices)",
        f"{own} AND against_office_id = ANY(:offices)",
        "{way}_office_id = ANY(:offices)",
    )


def spanned(month: Period, as_of: date) -> dict[str, Any]:
    """The parameters that say which month, and as of which day what is pending is late."""
    return {"since": month.starts_on, "until": month.ends_on, "as_of": as_of}


def selected(source: str, here: str, against: str, inside: str | None, unit: str = "", unit_against: str = "") -> str:
    """The entries that some stays make, as SQL; with columns in front that say whose each is, where these are given."""
    spans = (
        f"SELECT * FROM {source} AS s WHERE {here} AND ended_on >= :since AND began_on < :until",
        f"SELECT * FROM {source} AS s WHERE {here} AND ended_on IS NULL AND began_on < :until",
    )
    counted = " UNION ALL ".join(_counted(span, inside, unit) for span in spans)
    nothing = "NULL::text AS came, NULL::text AS went, false AS is_late, false AS is_extended, NULL::int AS days"
    rated = (
        f"SELECT {unit} case_id, no, side, shade, {nothing}, stars, NULL::boolean AS is_upheld FROM {source} AS s "
        f"WHERE {here} AND rated_on >= :since AND rated_on < :until"
    )
    in_month = "is_upheld IS NOT NULL AND ended_on >= :since AND ended_on < :until"
    # Beside the complaints stands what became of appeals against how they were decided. Who may count the desk's may count these.
    decided_above = (
        f"SELECT {unit_against} case_id, no, 'complaint' AS side, "
        f"CASE shade WHEN 1 THEN 0::smallint ELSE shade END AS shade, {nothing}, "
        f"NULL::smallint AS stars, is_upheld FROM {source} AS s WHERE {against} AND {in_month}"
    )
    return " UNION ALL ".join((counted, rated, decided_above))


def _counted(span: str, inside: str | None, unit: str) -> str:
    came_inside = f"WHEN {inside.format(way='from')} THEN NULL" if inside else ""
    went_inside = f"WHEN {inside.format(way='to')} THEN NULL" if inside else ""
    passed_on, disposals = (", ".join(f"'{each}'" for each in codes) for codes in (FROM_OFFICES, DISPOSALS))
    return f"""
        SELECT {unit} case_id, no, side, shade,
            CASE WHEN began_on < :since THEN 'carried' {came_inside} WHEN began_how IN ({passed_on}) THEN 'from_offices'
                 WHEN began_how = 'reopened' THEN 'reopened' ELSE channel END AS came,
            CASE WHEN ended_on < :until THEN
                     CASE WHEN ended_how IN ({disposals}) THEN 'disposed' {went_inside} ELSE 'sent' END
                 WHEN NOT is_paused AND overdue_on <= :as_of THEN 'overdue' ELSE 'pending' END AS went,
            is_late AND ended_on < :until AS is_late, coalesce(extended_on < :until, false) AS is_extended,
            CASE WHEN ended_on < :until THEN days END AS days, NULL::smallint AS stars,
            CASE WHEN ended_on < :until THEN is_upheld END AS is_upheld
        FROM ({span}) AS spans
    """


__all__ = [
    *("ALL_SHADES", "ANYWHERE", "Relation", "accusing", "closed", "corrections", "entries", "frozen", "lines", "live"),
    *("selected", "sheets", "source", "spanned"),
]
