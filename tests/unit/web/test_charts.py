"""Charts: nothing collides, nothing lies, and the same numbers stand in a table."""

import csv
import gzip
import re
import unicodedata
import xml.etree.ElementTree as ElementTree
from datetime import date
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask, render_template_string
from jinja2 import StrictUndefined

from grm.kernel.text import bangla_digits, nfc
from grm.web import charts, locale, presentation, tile_names

ROOT = Path(__file__).parents[3]
DISTRICTS = list(csv.DictReader((ROOT / "grm" / "data" / "districts.csv").open(encoding="utf-8")))
MONTHS = [date(2025 + (10 + n) // 12, (10 + n) % 12 + 1, 1) for n in range(12)]


@pytest.fixture(scope="module")
def app() -> Flask:
    """An application with templates and texts only."""
    made = Flask("grm", root_path=str(ROOT / "grm"), template_folder=str(ROOT / "templates"))
    made.jinja_env.undefined = StrictUndefined
    locale.init_app(made)
    presentation.init_app(made)
    return made


def drawn(app: Flask, call: str, language: str = "bn", **values: Any) -> str:
    """What a macro makes."""
    source = '{% from "macros/charts.html" import trend, compare, ageing, funnel, tile_map %}{{ ' + call + " }}"
    with app.test_request_context(f"/?lang={language}"):
        return render_template_string(source, **values)


def tree(html: str) -> ElementTree.Element:
    """The same as a tree: it is well-formed."""
    return ElementTree.fromstring(f"<div>{html}</div>".replace("&nbsp;", " "))


# --- geometry -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "top", [None, 0, 1, 2, 3, 4, 7, 9, 10, 99, 101, 12_345, 999_999, 12_345_678, 9_876_543_210, 0.3, 99.9]
)
def test_a_scale_has_a_few_round_ticks_and_reaches_its_top(top: Any) -> None:
    found = charts.scale(top, isinstance(top, int))
    values = [value for value, _ in found.ticks]
    assert values[0] == 0 and values[-1] == found.top >= (top or 0) and 2 <= len(values) <= 6
    assert found.top <= max(1, (top or 0) * 2), "not mostly empty"
    assert [share for _, share in found.ticks][:: len(values) - 1] == [0, 100]
    shown = [f"{value / found.divisor:.10g}" for value in values]
    assert len(set(shown)) == len(shown) and all(charts.text_px(each) < 0.12 * charts.NARROW for each in shown)
    if isinstance(top, int):
        assert all(value == int(value) for value in values), "nobody is half a case"


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 7, 11, 12, 13, 24, 36])
@pytest.mark.parametrize("word", ["২০২৬", "সেপ্টেম্বর", "Sept", "i"])
def test_no_two_words_below_a_trend_touch(count: int, word: str) -> None:
    words = charts.trend([[1] * count], [word] * count).words
    for width, shown in ((charts.NARROW, ("both",)), (charts.WIDE, ("both", "wide"))):
        xs = [each.x * width / 100 for each in words if each.shown in shown]
        assert all(right - left > charts.text_px(word) for left, right in pairwise(xs))
    assert words[-1].shown == "both", "the last one is always named"


def test_gaps_break_a_line_and_one_point_is_no_line() -> None:
    found = charts.trend([[1, 2, None, 4, None, None, 7, 8, 9], [None] * 9, [0] * 9], ["x"] * 9, target=20)
    first, unknown, zero = found.lines
    assert [point.place for point in first.points] == [0, 1, 3, 6, 7, 8]
    assert [len(each.split()) for each in first.stretches] == [2, 3], "the lonely fourth is a point only"
    assert (unknown.points, unknown.stretches) == ((), ())
    assert {point.y for point in zero.points} == {100}
    assert found.scale.top >= 20 and found.target_y is not None and 0 <= found.target_y < 20, (
        "the target is on the page"
    )
    only = charts.trend([[5]], ["x"])
    assert (len(only.lines[0].points), only.lines[0].stretches) == (1, ())
    same = charts.trend([[5, 5, 5]], ["x"] * 3)
    assert len({point.y for point in same.lines[0].points}) == 1


def test_bars_are_never_negative_never_too_long_and_little_is_seen() -> None:
    assert [charts.share(value, 200) for value in (None, 0, -5, 100, 200, 900)] == [0, 0, 0, 50, 100, 100]
    assert charts.share(1, 10_000_000) == 0.4 and charts.share(3, 0) == 0
    assert charts.funnel([100, 50, 0, 200]) == ((25, 50), (37.5, 25), (50, 0), (0, 100))
    assert charts.funnel([]) == ()


def test_segments_follow_one_another_and_numbers_stand_where_they_fit() -> None:
    values = [400, 0, 3, 97]
    parts = charts.stack(values, 1000, [str(value) for value in values])
    assert [(part.place, part.x, part.width, part.is_shown) for part in parts] == [
        (0, 0, 40, True),
        (2, 40, 0.3, False),
        (3, 40.3, 9.7, False),
    ]
    assert charts.stack([0, 0], 0, ["", ""]) == ()
    wide = charts.stack([1] * 7, 7, ["1"] * 7)
    assert sum(part.width for part in wide) == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([None, 0, 0], []),
        ([4], [(4, 4)]),
        ([3, 3, 3, None, 0], [(3, 3)]),
        ([1, 2, 3, 4, 5], [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)]),
        (list(range(1, 11)), [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10)]),
        ([1] * 60 + [7, 8, 9, 10, 11], [(1, 1), (7, 11)]),
        ([0.5, 1.5, 2.5, 3.5, 4.5, 900.25], [(0.5, 1.5), (2.5, 2.5), (3.5, 3.5), (4.5, 4.5), (900.25, 900.25)]),
    ],
)
def test_shades_hold_every_value_once(values: list[Any], expected: list[tuple[float, float]]) -> None:
    classes = charts.shades(values)
    assert [(each.least, each.most) for each in classes] == expected
    for value in values:
        inside = [each.number for each in classes if value and each.least <= value <= each.most]
        assert charts.shade_of(value, classes) == (None if value is None else inside[0] if value else 0)
        assert len(inside) <= 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, (0, 0, "")), (999, (999, 0, "")), (1000, (1, 0, "thousand")), (9_949, (9.9, 1, "thousand")),
     (9_960, (9, 0, "thousand")), (99_999, (99, 0, "thousand")), (123_456, (1.2, 1, "lakh")),
     (98_765_432, (9.9, 1, "crore")), (1_234_567_890, (123, 0, "crore")), (12.34, (12.34, 1, ""))],
)  # fmt: skip
def test_a_number_in_a_small_tile_is_short(value: float, expected: tuple[float, int, str]) -> None:
    assert charts.compact(value, 1 if isinstance(value, float) else 0) == expected


def test_every_district_has_short_names_that_are_whole_syllables() -> None:
    assert set(tile_names.TINY) == {row["code"] for row in DISTRICTS} and set(tile_names.LONG) <= set(tile_names.TINY)
    for names in (tile_names.TINY, tile_names.LONG):
        for language in (0, 1):
            assert len({both[language] for both in names.values()}) == len(names), "no two districts look the same"
    for code, (english, bangla) in (tile_names.TINY | tile_names.LONG).items():
        assert nfc(bangla) == bangla and english.isascii(), code
        assert not unicodedata.category(bangla[0]).startswith("M") and bangla[-1] != "\u09cd", "a conjunct was cut"
    for row in DISTRICTS:
        tiny = tile_names.TINY[row["code"]]
        assert len(tiny[0]) == 3 and charts.text_px(tiny[1], 0.68 * 16) < 40, (
            "a tile of a phone is some 31 pixels wide; the estimate is generous"
        )
        assert charts.text_px(tile_names.long_name(row["code"], "bn", row["name_bn"])) < 112, row["name_bn"]


# --- macros ---------------------------------------------------------------------------------------------------------


def places() -> list[Any]:
    return [
        SimpleNamespace(
            code=row["code"], name_en=row["name_en"], name_bn=row["name_bn"],
            tile=(int(row["tile_col"]), int(row["tile_row"])),
        )
        for row in DISTRICTS
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["bn", "en"])
def test_every_chart_has_its_words_its_table_and_no_style(app: Flask, language: str) -> None:
    tiles = [{"place": place, "value": n * 37 if n else None, "href": f"/d/{n}"} for n, place in enumerate(places())]
    rows = [{"label": "ক & <খ>", "value": 91.5, "href": "/x"}, {"label": "গ", "value": None}]
    aged = [{"label": "ক", "values": [12, 0, 3, 0, 1234567], "hrefs": ["/a"] * 5, "href": "/s"}]
    steps = [{"label": "ক", "value": 120, "href": "/a"}, {"label": "খ", "value": 30}, {"label": "গ", "value": 0}]
    trend = drawn(
        app, 'trend("t", "শিরোনাম", "বিবরণ", months, [("ক", a), ("খ", b)], target=90)', language,
        months=MONTHS, a=[1234567, *range(2, 12), None], b=[None] * 12,
    )  # fmt: skip
    compare = drawn(app, 'compare("c", "শি", "বি", rows, target=90, top=100, decimals=1)', language, rows=rows)
    ageing = drawn(app, 'ageing("a", "শি", "বি", rows, ["১", "২", "৩", "৪", "৫"])', language, rows=aged)
    funnel = drawn(app, 'funnel("f", "শি", "বি", steps)', language, steps=steps)
    tile_map = drawn(app, 'tile_map("m", "শি", "বি", tiles, unit="টি")', language, tiles=tiles)
    for html in (trend, compare, ageing, funnel, tile_map):
        found = tree(html)
        assert "style=" not in html and "<script" not in html
        assert all(element.findtext("title") for element in found.iter("svg") if element.get("role"))
        assert found.find(".//table") is not None and found.find(".//figcaption") is not None
        ids = [element.get("id") for element in found.iter() if element.get("id")]
        assert len(set(ids)) == len(ids)
        if language == "bn":
            words = re.sub(r"<[^>]*>", " ", html)
            assert not re.search("[0-9]", words), "Bangla digits only"
    large = "12,34,567"
    assert large in (trend if language == "en" else trend.replace(bangla_digits(large), large))
    assert "&lt;খ&gt;" in compare and "<খ>" not in compare
    map_tree = tree(tile_map)
    links = map_tree.findall(".//svg//a")
    assert len(links) == 64 and all(link.get("aria-label") for link in links)
    drawing = next(element for element in map_tree.iter("svg") if element.get("class") == "drawing")
    assert drawing.get("role") == "group", "a drawing with links in it is no image"
    assert len(gzip.compress((trend + compare + ageing + funnel + tile_map).encode(), 9)) < 8 * 1024


def test_a_map_without_links_is_an_image_and_nothing_known_is_said(app: Flask) -> None:
    tiles = [{"place": place, "value": None} for place in places()[:3]] + [{"place": places()[3], "value": 0}]
    html = drawn(app, 'tile_map("m", "T", "D", tiles, table=false)', "en", tiles=tiles)
    drawing = next(element for element in tree(html).iter("svg") if element.get("class") == "drawing")
    assert drawing.get("role") == "img" and "<table" not in html
    assert "Bhola: not known" in html and "– not known" in html and "Jhalokati: 0" in html


@pytest.mark.parametrize(
    "call",
    [
        'trend("t", "T", "D", [], [("A", [])])',
        'compare("c", "T", "D", [])',
        'ageing("a", "T", "D", [], ["1"])',
        'funnel("f", "T", "D", [])',
        'tile_map("m", "T", "D", [])',
    ],
)
def test_nothing_to_draw_is_no_fault(app: Flask, call: str) -> None:
    assert "<figure" in drawn(app, call, "en")
