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


@dataclass(frozen=True, slots=True)
class Atom:
    """One thing that a vector `v` counts as: `what` of it, where a condition holds, in a month, at a place of the histogram."""

    what: str
    when: str
    month: str
    at: str

    def value(self, month: str) -> str:
        """It as a row of VALUES, with NULL where it does not hold; ``month`` is empty for what is of none."""
        return f"(CASE WHEN {self.when} THEN {self.what} END, {self.month + ', ' if month else ''}{self.at})"


HAPPENED = (
    Atom(f"{RECEIVED}", "NOT v.is_part", "v.received_month", "v.received_on - v.received_month + 1"),
    Atom(
        "v.state",
        "NOT v.is_part AND v.state > 0",
        "v.ended_month",
        f"CASE WHEN v.state <= {LATE} THEN v.days_taken ELSE 0 END",
    ),
    Atom(f"{APPEALED}", "NOT v.is_part AND v.appealed_on IS NOT NULL", month_of("v.appealed_on"), "0"),
    Atom(
        f"{APPEALED} - 1 + v.appeal_result",
        "NOT v.is_part AND v.appeal_decided_on IS NOT NULL",
        month_of("v.appeal_decided_on"),
        "0",
    ),
    Atom(f"{STARS_1} - 1 + v.stars", "NOT v.is_part AND v.stars > 0", month_of("v.rated_on"), "0"),
)
"""What happened: the number of a counter; a month; day of the month or days taken. States and results of appeals are numbered in
the order of their counters."""
STANDS = (
    Atom(
        f"CASE WHEN v.is_part THEN {PARTS} WHEN v.is_paused THEN {PAUSED} ELSE {RUNNING} END + v.level",
        "v.state = 0 AND (NOT v.is_part OR v.level > 0)",
        "",
        f"v.due_on - {EPOCH}",
    ),
    Atom(f"{NOT_INFORMED}", "v.is_not_informed AND NOT v.is_part", "", "0"),
)
"""What is so now: how it stands, and the due date in days since 1970."""


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
        FROM ({_counted(source, "month, ", HAPPENED, groupings)}) AS counted GROUP BY {FLOW_KEY}
    """  # noqa: S608 - names of our own


def stocks(source: str, groupings: Iterable[Grouping] = GROUPINGS) -> str:
    """SELECT rows of `tally_now` from signed vectors."""
    return f"""
        SELECT {NOW_KEY}, array_agg(at ORDER BY at) AS due_at, array_agg(n ORDER BY at) AS due_n
        FROM ({_counted(source, "", STANDS, groupings)}) AS counted GROUP BY {NOW_KEY}
    """  # noqa: S608 - names of our own


def _array(column: str, condition: str) -> str:
    return f"coalesce(array_agg({column} ORDER BY at) FILTER (WHERE {condition}), '{{}}')"


def _counted(source: str, month: str, atoms: Iterable[Atom], groupings: Iterable[Grouping]) -> str:
    """How many of each atom of signed vectors, for each key and every shade that counts it; without what comes to nothing."""
    places = ", ".join(
        f"({SPINES[each.spine]}, {NUMBER_OF[each.dimension]}, {_of_vector(each.spine_column)}, "
        f"{_of_vector(each.value_column)}, {each.has_days})"
        for each in groupings
    )
    at = f"CASE WHEN a.what = {RECEIVED} AND NOT g.has_days THEN 0 ELSE a.at END" if month else "a.at"
    exactly = f"""
        SELECT g.spine, g.dimension, g.spine_id, g.value, v.shade AS lightest, a.what, {month}{at} AS at, sum(v.sign) AS n
        FROM {source} AS v
        CROSS JOIN LATERAL (VALUES {", ".join(each.value(month) for each in atoms)}) AS a(what, {month}at)
        CROSS JOIN LATERAL (VALUES {places}) AS g(spine, dimension, spine_id, value, has_days)
        WHERE a.what IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6, 7{", 8" if month else ""}
    """  # noqa: S608 - names of our own
    keys = f"spine, dimension, spine_id, value, shade, what, {month}at"
    return f"""
        SELECT {keys}, sum(n)::integer AS n FROM ({exactly}) AS atoms, generate_series(lightest, {SHADES[-1]}) AS shade
        GROUP BY {keys} HAVING sum(n) <> 0
    """  # noqa: S608 - names of our own


def _of_vector(column: str) -> str:
    return column if column == "0" else f"v.{column}"
