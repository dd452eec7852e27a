"""By what figures are broken down: the values of each dimension, and which two may meet.

The tallies know offices, districts, programmes and the rest. Clusters, divisions, stages, and the offices that are no ministry's
are groups of those.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from grm.intake.choices import STAGES
from grm.offices.directory import Directory, in_force
from grm.reports.measures import FILTERS, Selection
from grm.tallies.figures import CODES, NONE, Line, View, can_read, total
from grm.tallies.periods import Period
from grm.tallies.scope import Scope

BASE = {
    "ministry": "office",
    "cluster": "office",
    "programme": "programme",
    "stage": "programme",
    "category": "category",
    "district": "district",
    "division": "district",
} | {name: name for name in CODES}
"""The dimension of the tallies that a dimension is made of."""

CELL, PROVIDERS, DISTRICT_OFFICES = "cell", "providers", "district-offices"
"""Who has cases and is no ministry: the Cabinet Division cell; all payment providers; all district offices: a line each."""
GROUPED_OFFICES = {"provider": PROVIDERS, "district": DISTRICT_OFFICES}

Values = Mapping[str, tuple[str, ...]]
"""Code in the address → the keys of the tallies that it stands for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the overview is asked: within which scope, by which dimension, and kept to one value of another."""

    scope: Scope
    by: str
    only: tuple[str, str] | None


def values_of(book: Directory, dimension: str) -> Values:
    """Return the values of a dimension in the order in which people expect to read them; worked out once an edition."""
    key = (values_of, dimension)
    found: Values | None = book.derived.get(key)
    if found is None:
        found = book.derived[key] = _values(book, dimension)
    return found


def _values(book: Directory, dimension: str) -> Values:
    if dimension in CODES:
        known = [code for code in CODES[dimension] if code != "unknown"]
        return {code: (code,) for code in (*known, "unknown")}
    return {
        "ministry": _offices,
        "cluster": _clusters,
        "programme": lambda book: {each.slug: (str(each.id),) for each in book.programmes} | {NONE: (NONE,)},
        "stage": _stages,
        "category": lambda book: {each.slug: (str(each.id),) for each in book.categories},
        "district": lambda book: {each.code: (str(each.id),) for each in book.districts} | {NONE: (NONE,)},
        "division": _divisions,
    }[dimension](book)


def keys_of(book: Directory, dimension: str, value: str) -> tuple[str, ...]:
    """Return the keys that one value stands for; none for a value that means nothing. A single office goes by its code."""
    if dimension == "ministry":
        if keys_of not in book.derived:
            book.derived[keys_of] = {office.code: (str(office.id),) for office in reversed(book.offices)}
        if by_code := book.derived[keys_of].get(value):
            return tuple(by_code)
    return values_of(book, dimension).get(value, ())


def grouped(book: Directory, dimension: str, lines: Mapping[str, Line]) -> dict[str, Line]:
    """Return the lines of a dimension by the codes of its values, made from lines by what the tallies know."""
    found: dict[str, Line] = {}
    for code, keys in values_of(book, dimension).items():
        parts = [lines[key] for key in keys if key in lines]
        if parts:
            found[code] = parts[0] if len(parts) == 1 else total(parts)
    return found


def single_offices(book: Directory, value: str, lines: Mapping[str, Line]) -> dict[str, Line]:
    """Return the lines of a group's offices one by one (all district offices, all providers), by the code of the office."""
    return {book.office(int(key)).code: lines[key] for key in keys_of(book, "ministry", value) if key in lines}


def may_meet(scope: Scope, *dimensions: str | None) -> bool:
    """Whether cases of a scope are counted by these dimensions together."""
    return can_read(None if scope.ids is None else scope.spine, *(BASE[each] for each in dimensions if each))


def choices(scope: Scope, only: str | None) -> tuple[str, ...]:
    """Return the dimensions by which a scope can be broken down while it is kept to a value of one (None: it is not)."""
    return tuple(each for each in FILTERS if may_meet(scope, each, only))


def view_of(
    book: Directory,
    scope: Scope,
    span: Period,
    filters: Mapping[str, str],
    by: str | None = None,
) -> View | None:
    """Return what to ask of the tallies; None where they cannot tell: values that mean nothing, or too many dimensions.

    The actor whose accusers are left out must be put in by the caller (`dataclasses.replace(view, excluding=…)`).
    """
    base_by = BASE[by] if by else None
    kept: dict[str, frozenset[str]] = {}
    for dimension, value in filters.items():
        keys = frozenset(keys_of(book, dimension, value))
        base = BASE[dimension]
        kept[base] = kept[base] & keys if base in kept else keys
    spine, ids = scope.spine, scope.ids
    if ids is None and "office" in kept and len(kept) > 1:
        spine, ids = "office", frozenset(int(key) for key in kept.pop("office"))
    elif ids is None and "district" in kept and len(kept) > 1:
        spine, ids = "district", frozenset(0 if key == NONE else int(key) for key in kept.pop("district"))
    elif ids is not None and scope.spine in kept:
        narrowed = kept.pop(scope.spine)
        ids = frozenset(each for each in ids if str(each or NONE) in narrowed)
    if len(kept) > 1 or not can_read(None if ids is None else spine, base_by, *kept):
        return None
    only = next(((base, tuple(sorted(keys))) for base, keys in kept.items()), None)
    return View(
        since=span.starts_on,
        until=span.ends_on,
        shades=scope.shades,
        spine=spine if ids is not None else "all",
        spine_ids=ids,
        by=base_by,
        only=only,
    )


def in_force_on(book: Directory, dimension: str, day: date) -> tuple[str, ...]:
    """Return the values of a dimension that could have had complaints on a day: what silence is told of."""
    entries: dict[str, Iterable[str]] = {
        "ministry": (each.slug for each in book.ministries_on(day)),
        "programme": (each.slug for each in book.programmes_on(day)),
        "district": (each.code for each in in_force(book.districts, day)),
        "category": (each.slug for each in book.categories_on(day)),
    }
    return tuple(entries.get(dimension, ()))


def selection_of(asked: Asked, measure: str, period: str) -> Selection:
    """Return the selection behind the figures over all of a page."""
    filters = {asked.only[0]: asked.only[1]} if asked.only else {}
    return Selection(measure=measure, scope=asked.scope.code, period=period, **filters)  # type: ignore[arg-type]


def _offices(book: Directory) -> Values:
    found: dict[str, tuple[str, ...]] = {ministry.slug: (str(ministry.office_id),) for ministry in book.ministries}
    for office in book.offices:
        if office.ministry_id is None or office.kind != "ministry":
            code = GROUPED_OFFICES.get(office.kind, office.code)
            found[code] = (*found.get(code, ()), str(office.id))
    return found


def _clusters(book: Directory) -> Values:
    found = {
        cluster.slug: tuple(str(book.ministry(each).office_id) for each in cluster.ministry_ids)
        for cluster in book.clusters
    }
    inside = {key for keys in found.values() for key in keys}
    return found | {NONE: tuple(str(office.id) for office in book.offices if str(office.id) not in inside)}


def _stages(book: Directory) -> Values:
    found: dict[str, tuple[str, ...]] = dict.fromkeys(STAGES, ())
    for programme in book.programmes:
        found[programme.lifecycle_stage] = (*found.get(programme.lifecycle_stage, ()), str(programme.id))
    return found | {NONE: (NONE,)}


def _divisions(book: Directory) -> Values:
    found: dict[str, tuple[str, ...]] = {division.code: () for division in book.divisions}
    for district in book.districts:
        division = book.division_of(district)
        if division is not None:
            found[division.code] = (*found[division.code], str(district.id))
    return found | {NONE: (NONE,)}
