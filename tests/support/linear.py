"""Exact bounds of unknowns that are not negative and obey linear equations: the simplex method in fractions, smallest index first
(Bland), so that it always ends. Small systems only."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

Equation = tuple[Mapping[str, int], int]
"""Coefficients of unknowns by name, and what they add up to."""


def bounds(equations: Sequence[Equation], wanted: Sequence[str]) -> dict[str, tuple[Fraction, Fraction | None]]:
    """Return the least and the greatest value (None: no end) of each wanted unknown. The equations must have a solution."""
    known: dict[str, Fraction] = {}
    left = [({name: Fraction(factor) for name, factor in terms.items()}, Fraction(total)) for terms, total in equations]
    while True:  # what an equation with one unknown says is no unknown
        singles = {next(iter(terms)): total / next(iter(terms.values())) for terms, total in left if len(terms) == 1}
        if not singles:
            break
        known |= singles
        left = [
            (
                {name: factor for name, factor in terms.items() if name not in singles},
                total - sum((factor * singles[name] for name, factor in terms.items() if name in singles), Fraction(0)),
            )
            for terms, total in left
        ]
        assert all(terms or not total for terms, total in left), "no solution"
        left = [(terms, total) for terms, total in left if terms]
    found: dict[str, tuple[Fraction, Fraction | None]] = {
        name: (known[name], known[name]) for name in wanted if name in known
    }
    unknown = [name for name in wanted if name not in known]
    return found | _bounds(left, unknown) if unknown else found


def _bounds(
    equations: Sequence[tuple[Mapping[str, Fraction], Fraction]], wanted: Sequence[str]
) -> dict[str, tuple[Fraction, Fraction | None]]:
    names = sorted({name for terms, _ in equations for name in terms})
    places = {name: place for place, name in enumerate(names)}
    rows: list[list[Fraction]] = []
    for number, (terms, total) in enumerate(equations):
        sign = -1 if total < 0 else 1
        row = [Fraction(0)] * (len(names) + len(equations) + 1)
        for name, factor in terms.items():
            row[places[name]] = Fraction(sign * factor)
        row[len(names) + number] = Fraction(1)  # an artificial unknown, to begin somewhere
        row[-1] = Fraction(sign * total)
        rows.append(row)
    basis = list(range(len(names), len(names) + len(equations)))
    _minimise(rows, basis, [Fraction(place >= len(names)) for place in range(len(names) + len(equations))])
    assert all(rows[n][-1] == 0 for n, place in enumerate(basis) if place >= len(names)), "no solution"
    for n in range(len(rows)):
        column = next((place for place in range(len(names)) if rows[n][place]), None)
        if basis[n] >= len(names) and column is not None:
            _pivot(rows, basis, n, column)
    kept = [n for n, place in enumerate(basis) if place < len(names)]  # the others said nothing new
    kept_basis = [basis[n] for n in kept]
    tableau = [[*rows[n][: len(names)], rows[n][-1]] for n in kept]
    found: dict[str, tuple[Fraction, Fraction | None]] = {}
    for name in wanted:
        ends: list[Fraction | None] = []
        for sign in (1, -1):
            copy, ground = [list(row) for row in tableau], list(kept_basis)
            least = _minimise(copy, ground, [Fraction(sign * (other == name)) for other in names])
            ends.append(None if least is None else sign * least)
        assert ends[0] is not None
        found[name] = (ends[0], ends[1])
    return found


def _minimise(rows: list[list[Fraction]], basis: list[int], cost: Sequence[Fraction]) -> Fraction | None:
    while True:
        column = next(
            (place for place in range(len(cost)) if place not in basis and _gain(rows, basis, cost, place) < 0), None
        )
        if column is None:
            return sum((cost[place] * rows[n][-1] for n, place in enumerate(basis)), Fraction(0))
        steps = [(row[-1] / row[column], basis[n], n) for n, row in enumerate(rows) if row[column] > 0]
        if not steps:
            return None
        _pivot(rows, basis, min(steps)[2], column)


def _gain(rows: list[list[Fraction]], basis: list[int], cost: Sequence[Fraction], place: int) -> Fraction:
    return cost[place] - sum((cost[own] * rows[n][place] for n, own in enumerate(basis) if cost[own]), Fraction(0))


def _pivot(rows: list[list[Fraction]], basis: list[int], n: int, column: int) -> None:
    factor = rows[n][column]
    rows[n] = [value / factor for value in rows[n]]
    for other, row in enumerate(rows):
        if other != n and row[column]:
            times = row[column]
            rows[other] = [value - times * own for value, own in zip(row, rows[n], strict=True)]
    basis[n] = column
