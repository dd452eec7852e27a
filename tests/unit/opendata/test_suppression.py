"""No small count is published or can be reckoned out, by a reader who solves the linear system of everything published."""

import random
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import pytest

from grm.opendata.edition import BLOCKS, COUNTS, OPEN, WITHHELD, Entry, Figures, Table, csv_rows, publish
from grm.opendata.suppression import SMALL, SPREAD, Row, protect, ranges, sums
from tests.support.linear import Equation, bounds

MONTH, MADE = date(2026, 10, 1), date(2026, 11, 5)
GROUPS = {"a1": "a", "a2": "a", "a3": "a", "b1": "b", "b2": "b", "c1": "c", "d1": "d", "d2": "d"}
EDITIONS = 16


def count(chance: random.Random) -> int:
    """A count as they come: often nothing, often small, sometimes large."""
    return chance.choice((0, 0, 1, 2, 3, 4, 5, 6, 7, 9, 12, 30, 150))


def figures(chance: random.Random, before: Figures | None = None) -> Figures:
    """A month; or the same month with complaints that came to be known later."""
    size = len(COUNTS)
    programmes: dict[str, list[int]] = {code: [count(chance) for _ in range(size)] for code in (*GROUPS, "none")}
    extra = {code: [0] * size for code in "abcd"}  # what a ministry has without a programme
    extra[chance.choice("abcd")] = list(programmes["none"])
    if before is not None:
        of = {table.dimension: table.entries for table in before.tables}
        few = chance.random() < 0.3
        for code, values in programmes.items():
            is_touched = chance.random() < (0.3 if few else 0.7)
            programmes[code] = [
                old + new * is_touched for old, new in zip(of["programme"][code].counts, values, strict=True)
            ]
        grown = [new - old for new, old in zip(programmes["none"], of["programme"]["none"].counts, strict=True)]
        for code in "abcd":
            known = [
                sum(of["programme"][each].counts[n] for each in GROUPS if GROUPS[each] == code) for n in range(size)
            ]
            extra[code] = [whole - part for whole, part in zip(of["ministry"][code].counts, known, strict=True)]
        extra["a"] = [old + new for old, new in zip(extra["a"], grown, strict=True)]
    ministries = {
        code: [
            sum(programmes[each][n] for each in GROUPS if GROUPS[each] == code) + extra[code][n] for n in range(size)
        ]
        for code in "abcd"
    }
    total = sums([tuple(each) for each in ministries.values()])
    if before is None:
        shares = [[chance.random() ** 3 for _ in range(6)] for _ in total]
        flat = {f"x{n}": [0] * size for n in range(6)}
        for place, whole in enumerate(total):
            for each in chance.choices(range(6), shares[place], k=whole):
                flat[f"x{each}"][place] += 1
    else:
        flat = {code: list(entry.counts) for code, entry in before.tables[2].entries.items()}
        for place, whole in enumerate(total):
            for _ in range(whole - before.total[place]):
                flat[f"x{chance.randrange(2)}"][place] += 1

    def entries(rows: dict[str, list[int]]) -> dict[str, Entry]:
        return {code: Entry(code, code, tuple(row)) for code, row in rows.items()}

    return Figures(
        MONTH,
        total,
        chance.randrange(50),
        (
            Table("ministry", entries(ministries)),
            Table("programme", entries(programmes), GROUPS, "ministry"),
            Table("district", entries(flat)),
        ),
    )


def counts_of(edition: Any, figures: Figures) -> Iterator[tuple[str, str, str, int, int | None]]:
    """(dimension, code, column, the true count, the published one) of all cells."""
    for table in figures.tables:
        for row in edition["tables"][table.dimension]:
            for place, column in enumerate(COUNTS):
                yield table.dimension, row["code"], column, table.entries[row["code"]].counts[place], row[column]


def system(edition: Any, columns: Sequence[str], prefix: str = "") -> list[Equation]:
    """What everybody knows from an edition of one block: published counts, totals, and which ministry has which programme."""
    equations: list[Equation] = []
    for column in columns:
        whole = f"{prefix}total/{column}"
        if edition["total"][column] is not None:
            equations.append(({whole: 1}, edition["total"][column]))
        for dimension, rows in edition["tables"].items():
            equations.append(({**{f"{prefix}{dimension}/{row['code']}/{column}": 1 for row in rows}, whole: -1}, 0))
            for row in rows:
                if row[column] is not None:
                    equations.append(({f"{prefix}{dimension}/{row['code']}/{column}": 1}, row[column]))
    for dimension, rows in edition["tables"].items():
        hidden = [row["code"] for row in rows if row[columns[0]] is None]
        if edition["total"][columns[0]] is not None and len(hidden) < len(rows) and dimension != "programme":
            # Zeros are published unless everything is hidden, so a hidden row is known to have something in it.
            for code in hidden:
                terms = {f"{prefix}{dimension}/{code}/{column}": 1 for column in columns}
                equations.append(({**terms, f"{prefix}{dimension}/{code}/rest/{columns[0]}": -1}, 1))
    return equations


def add_programmes(equations: list[Equation], figures: Figures, columns: Sequence[str], prefix: str = "") -> None:
    """Let the reader know besides which ministries have complaints under their programmes only; nothing published says so."""
    of = {table.dimension: table.entries for table in figures.tables}
    for code in "abcd":
        members = [each for each in GROUPS if GROUPS[each] == code]
        for column in columns:
            place = COUNTS.index(column)
            if of["ministry"][code].counts[place] == sum(of["programme"][each].counts[place] for each in members):
                terms = {f"{prefix}programme/{each}/{column}": 1 for each in members}
                equations.append(({**terms, f"{prefix}ministry/{code}/{column}": -1}, 0))


@pytest.mark.parametrize("seed", range(4))
def test_who_solves_the_system_finds_no_small_count(seed: int) -> None:
    chance = random.Random(seed)
    withheld = shown = 0
    for _ in range(EDITIONS // 4):
        made = figures(chance)
        edition = publish(made, MADE)
        assert edition is not None
        for block in BLOCKS.values():
            columns = [COUNTS[place] for place in block]
            equations = system(edition, columns)
            small = [
                f"{dimension}/{code}/{column}"
                for dimension, code, column, true, said in counts_of(edition, made)
                if column in columns and 0 < true < SMALL and code != "none"
            ]
            for name, (least, most) in bounds(equations, small).items():
                assert most is None or most - least >= SPREAD, (name, least, most)
            add_programmes(equations, made, columns)
            inside = [name for name in small if not name.startswith("programme/none/")]
            for name, (least, most) in bounds(equations, inside).items():
                assert most is None or most - least >= SPREAD, (name, least, most)
        cells = list(counts_of(edition, made))
        assert all(said in (None, true) for *_, true, said in cells), "what is shown is the internal figure"
        assert not any(said is not None and 0 < said < SMALL for *_, said in cells)
        withheld += sum(said is None for *_, said in cells)
        shown += sum(said is not None for *_, said in cells)
    assert shown > 100 and withheld > 100, "neither everything nor nothing"


@pytest.mark.parametrize("seed", range(3))
def test_who_compares_two_editions_finds_no_small_count_and_no_small_change(seed: int) -> None:
    """The reader also knows that complaints only come to be known, never disappear."""
    chance = random.Random(100 + seed)
    seen = 0
    for _ in range(EDITIONS):
        first = figures(chance)
        second = figures(chance, first)
        former = publish(first, MADE)
        assert former is not None
        edition = publish(second, MADE, [former])
        if edition is None:
            continue
        seen += 1
        cells = [(f"{d}/{c}/{k}", true, said) for d, c, k, true, said in counts_of(edition, second)]
        before = {f"{d}/{c}/{k}": (true, said) for d, c, k, true, said in counts_of(former, first)}
        assert not any(said is not None and before[name][1] is None for name, _, said in cells), (
            "hidden once, hidden for ever"
        )
        for name, _, said in cells:
            old = before[name][1]
            assert said is None or old is None or abs(said - old) not in range(1, SMALL), (
                "a small change is a small count"
            )
        if seen > 1:
            continue
        for block in BLOCKS.values():
            columns = [COUNTS[place] for place in block]
            equations = system(former, columns, "old/") + system(edition, columns)
            mine = [cell for cell in cells if cell[0].rsplit("/")[-1] in columns]
            equations += [({name: 1, f"old/{name}": -1, f"grown/{name}": -1}, 0) for name, _, _ in mine]
            wanted = [name for name, true, _ in mine if 0 < true < SMALL]
            wanted += [f"old/{name}" for name, _, _ in mine if 0 < before[name][0] < SMALL]
            wanted += [
                f"grown/{n}" for n, true, said in mine if 0 < true - before[n][0] < SMALL and before[n][1] is not None
            ]
            for name, (least, most) in bounds(equations, wanted).items():
                assert most is None or most - least >= SPREAD, (name, least, most)
    assert seen > 3


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ([(1,), (2,)], [(1, 2)]),  # 3 over two rows that are not empty
        ([(4,), (9,)], [(1, 12)]),
        ([(3,)], [(3, 3)]),
        ([(3, 1), (2, 4)], [(0, 5), (0, 5)]),
        ([(3, 0), (4, 0), (0, 1)], [(0, 6), (0, 1)]),  # only one of the other two can live on the second count
        ([(0,), (0,)], []),
    ],
)
def test_the_bounds_of_one_table_are_exact(group: list[Row], expected: list[tuple[int, int]]) -> None:
    assert ranges(group) == expected


def test_nothing_is_hidden_where_nothing_is_small() -> None:
    assert protect({"a": (0, 5), "b": (0, 0), "c": (700, 20)}) == frozenset()


def test_the_smallest_others_are_hidden_with_a_small_one() -> None:
    assert protect({"a": (2,), "b": (9,), "c": (30,), "d": (0,)}) == {"a", "b"}
    assert protect({"a": (2,), "b": (0,), "c": (3,)}) == {"a", "b", "c"}, "no choice is safe: all of it"


def test_a_small_change_is_protected_by_changes_not_by_counts_alone() -> None:
    before = {"a": (100,), "b": (200,), "c": (50,), "d": (900,)}
    now = {"a": (101,), "b": (206,), "c": (50,), "d": (900,)}
    assert protect(now) == frozenset()
    # To hide the unchanged c with a would leave the change of a, 1, as the change of both.
    assert protect(now, earlier=[before]) == {"a", "b", "c"}
    assert protect(now, always={"d"}, earlier=[{key: row for key, row in before.items() if key != "d"}]) >= {
        "a",
        "b",
        "d",
    }


def test_what_is_open_does_not_give_back_what_the_country_s_row_withholds() -> None:
    def month(*total: int, untold: Sequence[Row] = ()) -> Any:
        made = publish(Figures(MONTH, total, 70, (Table("sex", {"f": Entry("x", "x", total)}),)), MADE, (), untold)
        assert made is not None
        return made["total"]

    # Open before + 40 - 9 is 70 + what was declined and withdrawn: 2, which the row does not say.
    few = month(40, 9, 0, 2, 0)
    assert few["declined"] is few["withdrawn"] is few[OPEN] is None
    assert month(40, 9, 0, 0, 0)[OPEN] == 70
    # The next month would give back the same, until what is withheld meanwhile is enough to hide each of them.
    assert month(40, 9, 0, 0, 0, untold=[(2, 0)])[OPEN] is None
    assert month(40, 9, 0, 0, 0, untold=[(2, 0), (1, 0)])[OPEN] is None
    assert month(40, 9, 0, 0, 0, untold=[(2, 0), (1, 3)])[OPEN] == 70
    assert month(40, 9, 0, 1, 30)[OPEN] == 70, "one of 31, any of them"
    assert month(40, 9, 0, 0, 0, untold=[(4,)])[OPEN] is None, "received ones stand alone"
    assert month(40, 9, 0, 0, 0, untold=[(4,), (2,)])[OPEN] == 70


def test_a_total_that_is_small_takes_all_with_it_and_a_small_difference_waits() -> None:
    def month(received: int) -> Figures:
        entry = Entry("Dhaka", "ঢাকা", (received, 0, 0, 0, 0))
        return Figures(MONTH, entry.counts, 0, (Table("district", {"3026": entry, "3033": Entry("x", "x", (0,) * 5)}),))

    few = publish(month(4), MADE)
    assert few is not None and few["total"]["received"] is None
    assert [row["received"] for row in few["tables"]["district"]] == [None, None]
    assert next(iter(csv_rows(few)))[6] == WITHHELD
    many = publish(month(40), MADE)
    assert many is not None and many["total"]["received"] == 40 and many["total"][OPEN] == 0
    assert publish(month(40), MADE, [many]) is None, "nothing has changed"
    assert publish(month(43), MADE, [many]) is None, "three came later: they wait for others"
    later = publish(month(45), MADE, [many])
    assert later is not None and (later["edition"], later["total"]["received"]) == (2, 45)
    with pytest.raises(ValueError, match="district"):
        publish(Figures(MONTH, (9, 0, 0, 0, 0), 0, month(8).tables), MADE)
