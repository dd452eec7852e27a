"""All tallies at once from what all cases were counted as: for the rebuild, and for the proof.

The fold takes vectors one by one to all their groupings. For all cases together that is too much: here they are read in a few
passes, each by a spine and some dimensions at once, and several groupings are added up from what it leaves.
"""

from dataclasses import dataclass

from grm.tallies.cube import (
    COLUMN_OF,
    COUNTERS,
    FLOW_KEY,
    GROUPINGS,
    HAPPENED,
    IN_TIME,
    LATE,
    NOW_KEY,
    NUMBER_OF,
    RECEIVED,
    SPINES,
    STANDS,
    Atom,
    Grouping,
)
from grm.tallies.figures import SHADES

FLOW_COLUMNS = f"{FLOW_KEY}, {', '.join(COUNTERS)}, received_at, received_n, days_at, days_n"
NOW_COLUMNS = f"{NOW_KEY}, due_at, due_n"


@dataclass(frozen=True, slots=True)
class Pass:
    """One reading of all counts. Those of few values go together: what they leave is still much less than the cases."""

    spine: str
    dimensions: tuple[str, ...]
    groupings: tuple[Grouping, ...]
    """Those that are added up from it."""

    def happened(self) -> str:
        """SELECT how many of each atom of `HAPPENED`, by its columns."""
        is_by_day = any(each.has_days for each in self.groupings)
        parts = [self._atoms(each, "month", is_by_day or each is not HAPPENED[0]) for each in HAPPENED]
        return " UNION ALL ".join(parts)

    def stands(self) -> str:
        """SELECT how many of each atom of `STANDS`, by its columns."""
        return " UNION ALL ".join(self._atoms(each, "", True) for each in STANDS)

    def _atoms(self, atom: Atom, month: str, is_placed: bool) -> str:
        columns = [COLUMN_OF[self.spine], *(COLUMN_OF[each] for each in self.dimensions)]
        months = f"{atom.month} AS month, " if month else ""
        keys = ", ".join(str(number) for number in range(1, len(columns) + (5 if month else 4)))
        return f"""
            SELECT {", ".join(f"v.{name}" for name in columns)}, v.shade AS lightest, {atom.what} AS what, {months}
                {atom.at if is_placed else 0} AS at, count(*)::integer AS n
            FROM case_count AS v WHERE {atom.when} GROUP BY {keys}
        """  # noqa: S608 - names of our own


def _passes() -> tuple[Pass, ...]:
    """Each grouping in the first that can make it, so the sums over whole spines in a small one."""
    beside = (("sex", "age_group"), ("channel", "disability", "area"), ("category",), ("programme",))
    plan = [
        *(("office", dimensions) for dimensions in (*beside, ("district",))),
        *(("district", dimensions) for dimensions in beside),
    ]
    left, found = list(GROUPINGS), []
    for spine, dimensions in plan:
        made = [each for each in left if each.spine in ("all", spine) and each.dimension in (None, *dimensions)]
        left = [each for each in left if each not in made]
        found.append(Pass(spine, dimensions, tuple(made)))
    return tuple(found)


PASSES = _passes()


def flows_from(atoms: str, grouping: Grouping) -> str:
    """SELECT `FLOW_COLUMNS` of a grouping's rows of `tally` from a table of what a pass found to have happened."""
    key = f"{grouping.spine_column} AS spine_id, {grouping.value_column} AS value, month"
    counters = ", ".join(
        f"coalesce(sum(n{shade}) FILTER (WHERE what = {number}), 0)::integer AS {name}_{shade}"
        for shade in SHADES
        for number, name in enumerate(COUNTERS)
    )
    has_place = f"what BETWEEN {IN_TIME} AND {LATE}" + (f" OR what = {RECEIVED}" if grouping.has_days else "")
    histograms = ("received", "NOT is_end"), ("days", "is_end")
    arrays = ", ".join(
        f"coalesce(array_agg({column} ORDER BY at) FILTER (WHERE {which} AND n{shade} > 0), '{{}}') AS {name}_{end}_{shade}"
        for shade in SHADES
        for name, which in histograms
        for column, end in (("at", "at"), (f"n{shade}", "n"))
    )
    names = (*COUNTERS, "received_at", "received_n", "days_at", "days_n")
    values = [
        f"""({shade}::smallint, {", ".join(f"{name}_{shade}" for name in COUNTERS)},
            {", ".join(f"coalesce({name}_{shade}, '{{}}')" for name in names[len(COUNTERS) :])})"""
        for shade in SHADES
    ]
    return f"""
        WITH kinds AS (SELECT {key}, what, {_BY_SHADE} FROM {atoms} GROUP BY 1, 2, 3, 4),
        counters AS (SELECT spine_id, value, month, {counters} FROM kinds GROUP BY 1, 2, 3),
        places AS (
            SELECT {key}, what > {RECEIVED} AS is_end, at, {_BY_SHADE} FROM {atoms} WHERE {has_place} GROUP BY 1, 2, 3, 4, 5),
        histograms AS (SELECT spine_id, value, month, {arrays} FROM places GROUP BY 1, 2, 3)
        SELECT {SPINES[grouping.spine]}::smallint AS spine, {NUMBER_OF[grouping.dimension]}::smallint AS dimension, s.shade,
            month, spine_id, value, {", ".join(f"s.{name}" for name in names)}
        FROM counters LEFT JOIN histograms USING (spine_id, value, month)
        CROSS JOIN LATERAL (VALUES {", ".join(values)}) AS s(shade, {", ".join(names)})
        WHERE ({", ".join(f"s.{name}" for name in COUNTERS)}) <> ({", ".join("0" for _ in COUNTERS)})
    """  # noqa: S608 - names of our own


def stocks_from(atoms: str, grouping: Grouping) -> str:
    """SELECT `NOW_COLUMNS` of a grouping's rows of `tally_now` from a table of what a pass found to stand so."""
    key = f"{grouping.spine_column} AS spine_id, {grouping.value_column} AS value, what"
    arrays = ", ".join(
        f"array_agg({column} ORDER BY at) FILTER (WHERE n{shade} > 0) AS due_{end}_{shade}"
        for shade in SHADES
        for column, end in (("at", "at"), (f"n{shade}", "n"))
    )
    values = ", ".join(f"({shade}::smallint, due_at_{shade}, due_n_{shade})" for shade in SHADES)
    return f"""
        WITH places AS (SELECT {key}, at, {_BY_SHADE} FROM {atoms} GROUP BY 1, 2, 3, 4),
        histograms AS (SELECT spine_id, value, what, {arrays} FROM places GROUP BY 1, 2, 3)
        SELECT {SPINES[grouping.spine]}::smallint AS spine, {NUMBER_OF[grouping.dimension]}::smallint AS dimension, s.shade,
            spine_id, value, what::smallint AS what, s.due_at, s.due_n
        FROM histograms CROSS JOIN LATERAL (VALUES {values}) AS s(shade, due_at, due_n) WHERE s.due_at IS NOT NULL
    """  # noqa: S608 - names of our own


_BY_SHADE = ", ".join(f"(sum(n) FILTER (WHERE lightest <= {shade}))::integer AS n{shade}" for shade in SHADES)
"""A row counts its shade and the lighter ones."""
