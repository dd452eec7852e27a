"""Where things stand in a chart: pure geometry for the macros of `templates/macros/charts.html`.

Positions are per cent of the drawing's width or height, never pixels: the drawing stretches with the page while its words keep
their size, so that one drawing serves a phone, a projector and paper. Words that fit only a wide drawing are marked so, and
the stylesheet hides them on a narrow one. Numbers are never negative; None is "not known", which is not zero.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Number = int | float

NARROW, WIDE = 328, 560
"""Pixels of the narrowest drawing on a phone (360 less the margins), and from which one counts as wide."""
BAR = 250
"""Pixels of the shortest bar: half a page on a projector, or a phone's width less the figure beside it."""
EM = 16
LEFT, RIGHT = 13.0, 96.0
"""Where a trend's first and last points stand, per cent of the width: left of them is room for the scale."""
MOST_SHADES = 5
UNITS = ((10_000_000, "crore"), (100_000, "lakh"), (1_000, "thousand"))


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis from 0 to ``top``. ``ticks`` are (value, per cent of the axis); ``unit`` divides what is written ('' for 1)."""

    top: Number
    ticks: tuple[tuple[Number, float], ...]
    divisor: int
    unit: str


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a line: ``place`` is its index in the series; x and y are per cent from the left and the top."""

    place: int
    value: Number
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """A series: every point, and the stretches between gaps that are long enough to draw, as SVG points."""

    points: tuple[Point, ...]
    stretches: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """A label below a trend. ``shown`` is 'both', 'wide' (hidden on a narrow drawing) or '' (never shown)."""

    place: int
    x: float
    shown: str


@dataclass(frozen=True, slots=True)
class Trend:
    """A trend laid out: the scale, one line a series, the words below, and the height of the target line."""

    scale: Scale
    lines: tuple[Line, ...]
    words: tuple[Word, ...]
    target_y: float | None


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a stacked bar; ``is_shown``: its number fits into it."""

    place: int
    value: int
    x: float
    width: float
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Shade:
    """A class of values on the map: 1 is the lightest. ``least`` and ``most`` are values that occur, both inclusive."""

    number: int
    least: Number
    most: Number


def text_px(text: str, em: float = EM) -> float:
    """Return a generous estimate of a word's width: marks above and below take no room, Bangla letters more than Latin ones."""
    wide = 0.0
    for letter in text:
        category = unicodedata.category(letter)
        if category in ("Mn", "Cf"):
            continue
        if category == "Mc":
            wide += 0.42
        elif letter.isdigit():
            wide += 0.6
        elif letter.isspace() or category.startswith("P"):
            wide += 0.34
        else:
            wide += 0.8 if letter > "\u0900" else 0.64
    return wide * em


def scale(top: Number | None, is_whole: bool = True) -> Scale:
    """Return an axis of three to six round ticks that reaches ``top``; one of 0 to 1 where there is nothing."""
    wanted = max(0, top or 0)
    if not wanted:
        return Scale(1, ((0, 0.0), (1, 100.0)), 1, "")
    step = _round_step(wanted / 4)
    if is_whole:
        step = max(1, round(step))
    count = -(-wanted // step)
    ticks = tuple((_tidy(step * each), round(100 * each / count, 2)) for each in range(int(count) + 1))
    last = ticks[-1][0]
    divisor, unit = next(((size, name) for size, name in UNITS if step >= size), (1, ""))
    return Scale(last, ticks, divisor, unit)


def trend(series: Sequence[Sequence[Number | None]], words: Sequence[str], target: Number | None = None) -> Trend:
    """Lay out up to three series over the same months, whose ``words`` stand below."""
    count = len(words)
    known = [value for values in series for value in values if value is not None]
    tops = [*known, *([target] if target is not None else [])]
    axis = scale(max(tops, default=0), all(isinstance(value, int) for value in tops))
    xs = [_x(place, count) for place in range(count)]
    return Trend(
        axis,
        tuple(_line(values[:count], xs, axis.top) for values in series),
        tuple(Word(place, xs[place], shown) for place, shown in enumerate(_shown(words, xs))),
        None if target is None else _y(target, axis.top),
    )


def share(value: Number | None, top: Number) -> float:
    """Return a bar's length in per cent of the longest; 0 where the value is not known. A little is never invisible."""
    if not value or value < 0 or not top:
        return 0.0
    return round(max(0.4, min(100.0, 100 * value / top)), 2)


def stack(values: Sequence[int], top: Number, words: Sequence[str]) -> tuple[Segment, ...]:
    """Lay out a stacked bar whose whole is measured against ``top``; nothing is drawn for a zero. ``words`` are its numbers."""
    segments: list[Segment] = []
    done = 0
    for place, value in enumerate(values):
        if value <= 0 or not top:
            continue
        x, end = round(100 * done / top, 2), round(100 * (done + value) / top, 2)
        done += value
        width = round(end - x, 2)
        segments.append(Segment(place, value, x, width, BAR * width / 100 >= text_px(words[place]) + 6))
    return tuple(segments)


def funnel(values: Sequence[int]) -> tuple[tuple[float, float], ...]:
    """Return (x, width) of each step, centred, against the largest."""
    top = max(values, default=0)
    widths = [share(value, top) for value in values]
    return tuple((round((100 - width) / 2, 2), width) for width in widths)


def shades(values: Sequence[Number | None]) -> tuple[Shade, ...]:
    """Divide the values above zero into at most five classes of about as many districts each, lightest first.

    Equal values are always in one class, so there may be fewer. The bounds are values that occur: no district stands between.
    """
    known = sorted(value for value in values if value is not None and value > 0)
    distinct = sorted(set(known))
    if len(distinct) <= MOST_SHADES:
        return tuple(Shade(number, value, value) for number, value in enumerate(distinct, 1))
    uppers: list[Number] = []
    for part in range(1, MOST_SHADES + 1):
        upper = known[-(-len(known) * part // MOST_SHADES) - 1]
        if not uppers or upper > uppers[-1]:
            uppers.append(upper)
    found: list[Shade] = []
    for number, upper in enumerate(uppers, 1):
        inside = [value for value in distinct if value <= upper and (not found or value > found[-1].most)]
        found.append(Shade(number, inside[0], inside[-1]))
    return tuple(found)


def shade_of(value: Number | None, classes: Sequence[Shade]) -> int | None:
    """Return the number of a value's class: 0 for zero, None for "not known"."""
    if value is None:
        return None
    return next((shade.number for shade in classes if shade.least <= value <= shade.most), 0)


def compact(value: Number, decimals: int = 0) -> tuple[Number, int, str]:
    """Return (number, decimals, unit) in four characters at most: 12,345 is (12, 0, 'thousand'), 1,23,456 (1.2, 1, 'lakh')."""
    for size, unit in UNITS:
        if value >= size:
            part = value / size
            if part < 9.95:
                return (round(part, 1), 0 if round(part, 1) == int(round(part, 1)) else 1, unit)
            return (int(part), 0, unit)
    return (value, decimals if value < 100 else 0, "")


def _round_step(about: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is not below ``about``."""
    power = 1.0
    while power * 10 <= about:
        power *= 10
    while power > about:
        power /= 10
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= about * 0.999)


def _tidy(value: float) -> Number:
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def _x(place: int, count: int) -> float:
    return round(LEFT + (RIGHT - LEFT) * (place / (count - 1) if count > 1 else 0.5), 2)


def _y(value: Number, top: Number) -> float:
    return round(100 - 100 * max(0, min(value, top)) / top, 2)


def _line(values: Sequence[Number | None], xs: Sequence[float], top: Number) -> Line:
    points = [Point(i, value, xs[i], _y(value, top)) for i, value in enumerate(values) if value is not None]
    runs: list[list[Point]] = []
    for point in points:
        if runs and runs[-1][-1].place == point.place - 1:
            runs[-1].append(point)
        else:
            runs.append([point])
    return Line(tuple(points), tuple(" ".join(f"{p.x},{p.y}" for p in run) for run in runs if len(run) > 1))


def _shown(words: Sequence[str], xs: Sequence[float]) -> list[str]:
    """Say which words to show: every n-th counted from the last, with the smallest n by which no two touch."""
    last = len(words) - 1
    steps = sorted({1, 2, 3, 4, 6, 12, 24, max(1, last)})
    narrow = next(step for step in (*steps, last + 1) if _is_apart(words, xs, step, NARROW))
    # A wide drawing shows what a narrow one shows and more, hence a divisor.
    wide = next(step for step in range(1, narrow + 1) if narrow % step == 0 and _is_apart(words, xs, step, WIDE))
    from_last = [last - place for place in range(last + 1)]
    return ["both" if away % narrow == 0 else "wide" if away % wide == 0 else "" for away in from_last]


def _is_apart(words: Sequence[str], xs: Sequence[float], step: int, width_px: float) -> bool:
    places = list(range(len(words) - 1, -1, -step))[::-1]
    return all(
        (xs[right] - xs[left]) / 100 * width_px >= (text_px(words[left]) + text_px(words[right])) / 2 + 4
        for left, right in pairwise(places)
    )
