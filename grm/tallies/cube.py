"""By what cases are counted, and how vectors become rows of the tallies: one SQL text for the fold, the rebuild and the reading.

A vector counts in several *atoms*: it was received in a month, ended in one, is open at a level with a due date. Each atom counts
for every *grouping*: a spine (all cases, their office, their district) and one dimension beside it. Signed vectors make signed
rows: a case that changed is taken out as it was and put in as it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from grm.tallies.figures import DIMENSIONS, SHADES
from grm.tallies.vectors import month_of

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
SELDOM = f"""
        (CASE WHEN NOT v.is_part AND v.appealed_on IS NOT NULL THEN {APPEALED} END, {month_of("v.appealed_on")}, 0),
        (CASE WHEN NOT v.is_part AND v.appeal_decided_on IS NOT NULL THEN {APPEALED} - 1 + v.appeal_result END,
            {month_of("v.appeal_decided_on")}, 0),
        (CASE WHEN NOT v.is_part AND v.stars > 0 THEN {STARS_1} - 1 + v.stars END, {month_of("v.rated_on")}, 0)
"""
ATOMS = f"""
        (CASE WHEN NOT v.is_part THEN {RECEIVED} END, v.received_month, v.received_on - v.received_month + 1),
        (CASE WHEN NOT v.is_part AND v.state > 0 THEN v.state END, v.ended_month,
            CASE WHEN v.state <= {LATE} THEN v.days_taken ELSE 0 END),
        {SELDOM}
"""
"""(number of a counter or NULL, month, day of the month or days taken) of a vector `v`; states and results of appeals are
numbered in the order of their counters."""
STOCKS = f"""
        (CASE WHEN v.state = 0 AND NOT v.is_part THEN CASE WHEN v.is_paused THEN {PAUSED} ELSE {RUNNING} END + v.level
            WHEN v.state = 0 AND v.level > 0 THEN {PARTS} + v.level END, v.due_on - {EPOCH}),
        (CASE WHEN v.is_not_informed AND NOT v.is_part THEN {NOT_INFORMED} END, 0)
"""
"""(what or NULL, due date in days since 1970) of a vector `v`."""


def flows(source: str, groupings: Iterable[Grouping] = GROUPINGS, atoms: str = ATOMS) -> str:
    """SELECT rows of `tally` from signed vectors: `source` is a table with their columns and `sign`."""
    return flows_of(_counted(source, "month, ", atoms, groupings))


def stocks(source: str, groupings: Iterable[Grouping] = GROUPINGS) -> str:
    """SELECT rows of `tally_now` from signed vectors."""
    return stocks_of(_counted(source, "", STOCKS, groupings))


def common_atoms(grouping: Grouping) -> str:
    """SELECT how many of the atoms that all cases have, receipts and ends, straight from `case_count`: plain GROUP BYs over the
    table, several times as fast as the general way."""
    key = _key_of(grouping)
    day = "received_on - received_month + 1" if grouping.has_days else "0"
    taken = f"CASE WHEN state <= {LATE} THEN days_taken ELSE 0 END"
    return f"""
        SELECT {key}, {RECEIVED} AS what, received_month AS month, {day} AS at, count(*) AS n FROM case_count
        WHERE NOT is_part GROUP BY 3, 4, 5, 7, 8
        UNION ALL
        SELECT {key}, state, ended_month, {taken}, count(*) FROM case_count
        WHERE NOT is_part AND state > 0 GROUP BY 3, 4, 5, 6, 7, 8
    """  # noqa: S608 - names of our own


def open_atoms(grouping: Grouping) -> str:
    """SELECT how many of the atoms of what is open, straight from `case_count`."""
    key = _key_of(grouping)
    how = f"CASE WHEN is_part THEN {PARTS} WHEN is_paused THEN {PAUSED} ELSE {RUNNING} END + level"
    return f"""
        SELECT {key}, {how} AS what, due_on - {EPOCH} AS at, count(*) AS n FROM case_count
        WHERE state = 0 AND (NOT is_part OR level > 0) GROUP BY 3, 4, 5, 6, 7
        UNION ALL
        SELECT {key}, {NOT_INFORMED}, 0, count(*) FROM case_count WHERE is_not_informed AND NOT is_part GROUP BY 3, 4, 5
    """  # noqa: S608 - names of our own


def _key_of(grouping: Grouping) -> str:
    return (
        f"{SPINES[grouping.spine]} AS spine, {NUMBER_OF[grouping.dimension]} AS dimension, "
        f"{grouping.spine_column} AS spine_id, {grouping.value_column} AS value, shade AS lightest"
    )


def stocks_of(atoms: str) -> str:
    """SELECT rows of `tally_now` from counted atoms of the lightest shade that counts them."""
    return f"""
        SELECT {NOW_KEY}, array_agg(at ORDER BY at) AS due_at, array_agg(n ORDER BY at) AS due_n
        FROM ({_darker(atoms, "")}) AS counted GROUP BY {NOW_KEY}
    """  # noqa: S608 - names of our own


def flows_of(atoms: str) -> str:
    """SELECT rows of `tally` from counted atoms of the lightest shade that counts them."""
    counters = ", ".join(
        f"coalesce(sum(n) FILTER (WHERE what = {number}), 0)::integer AS {name}" for number, name in enumerate(COUNTERS)
    )
    received, ended = f"what = {RECEIVED} AND at > 0", f"what BETWEEN {IN_TIME} AND {LATE}"
    return f"""
        SELECT {FLOW_KEY}, {counters},
            {_array("at", received)} AS received_at, {_array("n", received)} AS received_n,
            {_array("at", ended)} AS days_at, {_array("n", ended)} AS days_n
        FROM ({_darker(atoms, "month, ")}) AS counted GROUP BY {FLOW_KEY}
    """  # noqa: S608 - names of our own


def _array(column: str, condition: str) -> str:
    return f"coalesce(array_agg({column} ORDER BY at) FILTER (WHERE {condition}), '{{}}')"


def _counted(source: str, month: str, atoms: str, groupings: Iterable[Grouping]) -> str:
    """How many of each atom of signed vectors, for each key."""
    places = ", ".join(
        f"({SPINES[each.spine]}, {NUMBER_OF[each.dimension]}, {_of_vector(each.spine_column)}, "
        f"{_of_vector(each.value_column)}, {each.has_days})"
        for each in groupings
    )
    at = f"CASE WHEN a.what = {RECEIVED} AND NOT g.has_days THEN 0 ELSE a.at END" if month else "a.at"
    return f"""
        SELECT g.spine, g.dimension, g.spine_id, g.value, v.shade AS lightest, a.what, {month}{at} AS at, sum(v.sign) AS n
        FROM {source} AS v
        CROSS JOIN LATERAL (VALUES {atoms}) AS a(what, {month}at)
        CROSS JOIN LATERAL (VALUES {places}) AS g(spine, dimension, spine_id, value, has_days)
        WHERE a.what IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7{", 8" if month else ""}
    """  # noqa: S608 - names of our own


def _of_vector(column: str) -> str:
    return column if column == "0" else f"v.{column}"


def _darker(atoms: str, month: str) -> str:
    """Counted atoms for every shade that counts them too, those that come to nothing left out."""
    keys = f"spine, dimension, spine_id, value, shade, what, {month}at"
    return f"""
        SELECT {keys}, sum(n)::integer AS n FROM ({atoms}) AS atoms, generate_series(lightest, {SHADES[-1]}) AS shade
        GROUP BY {keys} HAVING sum(n) <> 0
    """  # noqa: S608 - names of our own
