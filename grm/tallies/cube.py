"""By what cases are counted, and how vectors become rows of the tallies: one SQL text for the fold, the rebuild and the reading.

A vector counts in several *atoms*: it was received in a month, ended in one, is open at a level with a due date. Each atom counts
for every *grouping*: a spine (all cases, their office, their district) and one dimension beside it. Signed vectors make signed
rows: a case that changed is taken out as it was and put in as it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from grm.tallies.figures import DIMENSIONS, SHADES

SPINES = {"all": 0, "office": 1, "district": 2}
NUMBER_OF: dict[str | None, int] = {None: 0, **{name: number for number, name in enumerate(DIMENSIONS, 1)}}
"""The number by which the tables name a dimension; 0: none."""
COLUMN_OF = {
    name: f"{name}_id" if name in ("office", "district", "programme", "category") else name for name in DIMENSIONS
}
_BESIDE = ("programme", "category", "channel", "sex", "age_group", "disability", "area")

RUNNING, PAUSED, PARTS, NOT_INFORMED = 0, 10, 20, 30
"""What is open, in `tally_now.what`: with the level added, under a running clock, with one that stands still, parts of cases; and
those who could not be informed, open or not, under the due date 0."""
COUNTERS = (
    *(
        "received",
        "in_time",
        "extended",
        "late",
        "declined",
        "withdrawn",
        "appealed",
        "appeals_upheld",
        "appeals_rejected",
    ),
    *("stars_1", "stars_2", "stars_3", "stars_4", "stars_5"),
)
"""What happens in a month; the number of an atom is its place here."""
RECEIVED, IN_TIME, LATE, APPEALED, STARS_1 = (
    COUNTERS.index(name) for name in ("received", "in_time", "late", "appealed", "stars_1")
)


@dataclass(frozen=True, slots=True)
class Grouping:
    """A spine and at most one dimension beside it."""

    spine: str
    dimension: str | None = None

    @property
    def spine_column(self) -> str:
        """The column of a vector that the spine is; 0 for all."""
        return "0" if self.spine == "all" else COLUMN_OF[self.spine]

    @property
    def value_column(self) -> str:
        """The column of a vector that the dimension is; 0 for none."""
        return "0" if self.dimension is None else COLUMN_OF[self.dimension]

    @property
    def has_days(self) -> bool:
        """Whether receipts are kept by day: where two dimensions meet they would be as many as the cases."""
        return self.spine == "all" or self.dimension is None


GROUPINGS = (
    *(Grouping("all", dimension) for dimension in (None, *_BESIDE)),
    *(Grouping("office", dimension) for dimension in (None, "district", *_BESIDE)),
    *(Grouping("district", dimension) for dimension in (None, *_BESIDE)),
)

FLOW_KEY = "spine, dimension, shade, month, spine_id, value"
NOW_KEY = "spine, dimension, shade, spine_id, value, what"
EPOCH = "DATE '1970-01-01'"
ATOMS = f"""
    VALUES
        (CASE WHEN NOT v.is_part THEN {RECEIVED} END, date_trunc('month', v.received_on)::date,
            extract(day FROM v.received_on)::integer),
        (CASE WHEN NOT v.is_part AND v.state > 0 THEN v.state END, date_trunc('month', v.ended_on)::date,
            CASE WHEN v.state <= {LATE} THEN v.days_taken ELSE 0 END),
        (CASE WHEN NOT v.is_part AND v.appealed_on IS NOT NULL THEN {APPEALED} END,
            date_trunc('month', v.appealed_on)::date, 0),
        (CASE WHEN NOT v.is_part AND v.appeal_decided_on IS NOT NULL THEN {APPEALED} - 1 + v.appeal_result END,
            date_trunc('month', v.appeal_decided_on)::date, 0),
        (CASE WHEN NOT v.is_part AND v.stars > 0 THEN {STARS_1} - 1 + v.stars END, date_trunc('month', v.rated_on)::date, 0)
"""
"""(number of a counter or NULL, month, day of the month or days taken) of a vector `v`; states and results of appeals are
numbered in the order of their counters."""
STOCKS = f"""
    VALUES
        (CASE WHEN v.state = 0 AND NOT v.is_part THEN CASE WHEN v.is_paused THEN {PAUSED} ELSE {RUNNING} END + v.level
            WHEN v.state = 0 AND v.level > 0 THEN {PARTS} + v.level END, v.due_on - {EPOCH}),
        (CASE WHEN v.is_not_informed AND NOT v.is_part THEN {NOT_INFORMED} END, 0)
"""
"""(what or NULL, due date in days since 1970) of a vector `v`."""


def flows(source: str, groupings: Iterable[Grouping] = GROUPINGS) -> str:
    """SELECT rows of `tally` from signed vectors: `source` is a table with their columns and `sign`."""
    counters = ", ".join(
        f"coalesce(sum(n) FILTER (WHERE what = {number}), 0)::integer AS {name}" for number, name in enumerate(COUNTERS)
    )
    received, ended = f"what = {RECEIVED} AND at > 0", f"what BETWEEN {IN_TIME} AND {LATE}"
    return f"""
        SELECT {FLOW_KEY}, {counters},
            {_array("at", received)} AS received_at, {_array("n", received)} AS received_n,
            {_array("at", ended)} AS days_at, {_array("n", ended)} AS days_n
        FROM ({_counted(source, "month", ATOMS, groupings)}) AS counted GROUP BY {FLOW_KEY}
    """  # noqa: S608 - names of our own


def stocks(source: str, groupings: Iterable[Grouping] = GROUPINGS) -> str:
    """SELECT rows of `tally_now` from signed vectors."""
    return f"""
        SELECT {NOW_KEY}, array_agg(at ORDER BY at) AS due_at, array_agg(n ORDER BY at) AS due_n
        FROM ({_counted(source, None, STOCKS, groupings)}) AS counted GROUP BY {NOW_KEY}
    """  # noqa: S608 - names of our own


def _array(column: str, condition: str) -> str:
    return f"coalesce(array_agg({column} ORDER BY at) FILTER (WHERE {condition}), '{{}}')"


def _counted(source: str, month: str | None, atoms: str, groupings: Iterable[Grouping]) -> str:
    """How many of each atom, for each key; those that come to nothing left out. Counted first, then added to the darker shades,
    so that the expensive step sees each case once."""
    first = f"{month}, " if month else ""
    keys = f"what, {first}at"
    places = ", ".join(
        f"({SPINES[each.spine]}, {NUMBER_OF[each.dimension]}, v.{each.spine_column}, v.{each.value_column}, {each.has_days})"
        for each in groupings
    ).replace("v.0", "0")
    at = f"CASE WHEN a.what = {RECEIVED} AND NOT g.has_days THEN 0 ELSE a.at END" if month else "a.at"
    return f"""
        SELECT spine, dimension, spine_id, value, shade, {keys}, sum(n)::integer AS n
        FROM (
            SELECT g.spine, g.dimension, g.spine_id, g.value, v.shade AS lightest, a.what, {first}{at} AS at,
                sum(v.sign) AS n
            FROM {source} AS v
            CROSS JOIN LATERAL ({atoms}) AS a({keys})
            CROSS JOIN LATERAL (VALUES {places}) AS g(spine, dimension, spine_id, value, has_days)
            WHERE a.what IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7{", 8" if month else ""}
        ) AS atoms, generate_series(lightest, {SHADES[-1]}) AS shade
        GROUP BY spine, dimension, spine_id, value, shade, {keys} HAVING sum(n) <> 0
    """  # noqa: S608 - names of our own
