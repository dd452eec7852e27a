"""Which counts of a published table stay hidden, so that nobody works out a small one: pure, and checked by the reader's means.

A count of 1 to 4 may point at somebody, so its row is hidden; a zero points at nobody. Hiding it alone would not help: the total
of the table is published, and subtraction gives it back. So further rows are hidden, the smallest first, until a reader who
knows every published number, all sums between them, that no count is negative and that hidden rows are not empty still finds at
least `SPREAD` + 1 possible values for every hidden count that is not surely zero.

A row holds the counts of one block (such as in time and not in time), hidden together: the sum of two published counts is a
count too, and so is their difference. For such a table these bounds are exact: any shares of the hidden sums over the hidden rows
are possible as long as each row keeps at least one case.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

SMALL = 5
"""Counts from 1 to one less than this are never published, nor derivable (K < 5)."""
SPREAD = SMALL - 1
Row = tuple[int, ...]


def is_small(row: Iterable[int]) -> bool:
    """Whether one of the counts is above zero and below the limit."""
    return any(0 < abs(count) < SMALL for count in row)


def sums(rows: Iterable[Row]) -> Row:
    """The rows' totals, count by count."""
    return tuple(map(sum, zip(*rows, strict=True)))


def protect(
    rows: Mapping[str, Row], always: Collection[str] = (), earlier: Sequence[Mapping[str, Row]] = ()
) -> frozenset[str]:
    """Return the rows of a table to hide, given that their total is published.

    ``always`` stay hidden whatever they are. ``earlier`` are the rows that former editions of this table published: a change by
    1 to 4 is a small count too, of those who came to be known in between, so that row is hidden and protected like any other.
    Where no choice of rows protects the small ones, all are hidden, also the zeros.
    """
    everything = frozenset(rows)
    hidden = {key for key, row in rows.items() if is_small(row)} | (set(always) & everything)
    hidden |= {key for before in earlier for key in before.keys() & everything if is_small(_change(before, rows, key))}
    if not hidden:
        return frozenset()
    spare = sorted((sum(row), key) for key, row in rows.items() if any(row) and key not in hidden)
    while not is_safe(rows, hidden, earlier):
        if not spare:
            return everything
        hidden.add(spare.pop(0)[1])
    return frozenset(hidden)


def protect_within(
    rows: Mapping[str, Row],
    groups: Mapping[str, str],
    hidden_groups: Collection[str],
    always: Collection[str] = (),
    earlier: Sequence[Mapping[str, Row]] = (),
) -> frozenset[str]:
    """Return the rows of a finer table to hide, where the sum of each group is as good as published by a coarser table.

    Rows of a hidden group are all hidden, or their sum would tell what the coarser table does not. A row without a group (what
    belongs to none) counts only towards the table's own total.
    """
    members: dict[str, dict[str, Row]] = {}
    for key, row in rows.items():
        if key in groups:
            members.setdefault(groups[key], {})[key] = row
    everything = frozenset(rows)
    hidden = {key for key, row in rows.items() if key not in groups and is_small(row)} | (set(always) & everything)
    hidden |= {
        key for before in earlier for key in before.keys() & everything - groups.keys()
        if is_small(_change(before, rows, key))
    }  # fmt: skip
    for group, inside in members.items():
        hidden |= inside.keys() if group in hidden_groups else protect(inside, hidden, _of(earlier, inside))
    # What belongs to hidden groups must be safe by itself, as if the sums of the others were known; what belongs to none helps.
    # It must also hide where the rows of a shown group have a small sum: the group shows it with what it has besides.
    loose = {key for key, row in rows.items() if key not in groups and any(row)}
    under = {key for key in rows if groups.get(key) in hidden_groups}
    few = {
        key
        for group, inside in members.items()
        if group not in hidden_groups and is_small(sums(inside.values()))
        for key in inside
    }
    for part in (under, few):
        if not is_safe(rows, part | (hidden & loose), earlier) or (few and loose):
            hidden |= loose
        if not is_safe(rows, part | (hidden & loose), earlier):
            return everything
    # To hide a group's only row would help nobody: its sum is known.
    wide = {key for inside in members.values() if sum(map(any, inside.values())) > 1 for key in inside}
    spare = sorted((sum(row), key) for key, row in rows.items() if any(row) and (key in wide or key not in groups))
    while hidden and not is_safe(rows, hidden, earlier):
        spare = [each for each in spare if each[1] not in hidden]
        if not spare:
            return everything
        key = spare[0][1]
        hidden.add(key)
        if key in groups:
            inside = members[groups[key]]
            hidden |= protect(inside, hidden, _of(earlier, inside))
    return frozenset(hidden)


def is_safe(rows: Mapping[str, Row], hidden: Collection[str], earlier: Sequence[Mapping[str, Row]] = ()) -> bool:
    """Whether every hidden count keeps its range, from this edition's sums and from what changed since each former one."""
    if any(high - low < SPREAD for low, high in ranges([rows[key] for key in hidden])):
        return False
    for before in earlier:
        changes = [_change(before, rows, key) for key in hidden if key in before]
        moved = [sum(map(abs, column)) for column in zip(*changes, strict=True)]
        if is_small(moved) or (any(moved) and len(changes) < 2):
            return False
    return True


def ranges(group: Sequence[Row]) -> list[tuple[int, int]]:
    """The least and the greatest value that each count of the hidden rows may have, for who knows their sums; what is surely
    zero is left out. Each row with anything in it is known to have something in it."""
    live = [row for row in group if any(row)]
    if not live:
        return []
    columns = sums(live)
    found: list[tuple[int, int]] = []
    for column in columns:
        others, rest = sum(columns) - column, len(live) - 1
        if column:
            least = column if not rest else 0 if others else 1
            found.append((least, column - max(0, rest - others)))
    return found


def hides(rows: Iterable[Row]) -> bool:
    """Whether the counts of withheld rows keep their ranges from who knows nothing but what they all come to together, and that
    each row with anything in it is known to have something in it."""
    live = [row for row in rows if any(row)]
    whole, rest = sum(map(sum, live)), len(live) - 1
    lone = whole if not rest else 1
    return all(whole - rest - (lone if len(row) == 1 else 0) >= SPREAD for row in live)


def _change(before: Mapping[str, Row], rows: Mapping[str, Row], key: str) -> Row:
    return tuple(new - old for old, new in zip(before[key], rows[key], strict=True))


def _of(earlier: Sequence[Mapping[str, Row]], inside: Mapping[str, Row]) -> list[dict[str, Row]]:
    return [{key: before[key] for key in before.keys() & inside.keys()} for before in earlier]
