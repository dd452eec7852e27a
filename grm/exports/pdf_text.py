"""Text in a PDF file: Bangla shaped by HarfBuzz, conjuncts and all, Latin letters from a second font, no letter cut in two.

fpdf2 writes the document and embeds the fonts. Its own way to write text takes two milliseconds a cell and breaks র‍্য at the
joiner; here a text is shaped once and written many times, for tables repeat their words.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grm.exports.fonts import Fonts

if TYPE_CHECKING:
    from fpdf import FPDF

_KEPT_SHAPES = 20_000
_SHAPING: dict[str, Any] = {"features": {}, "script": None, "language": None}
# What HarfBuzz and readers take for one letter: a consonant with its conjuncts and signs, or any one character with its marks.
_LETTER = re.compile(
    r"(?:[\u0995-\u09b9\u09ce\u09dc-\u09df\u09f0\u09f1]\u09bc?[\u200c\u200d]?\u09cd[\u200c\u200d]?)*.[\u0981-\u0983\u09bc\u09be-\u09cd\u09d7\u0300-\u036f\u200c\u200d]*",
    re.S,
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A shaped text: how wide it is (in points, at size 1), and how it is written: font and operators, run by run."""

    width: float
    runs: tuple[tuple[Any, tuple[tuple[float, str], ...]], ...]


class Pen:
    """Writes texts on the pages of one PDF file. Positions are in points from the lower left corner."""

    def __init__(self, pdf: "FPDF", found: Fonts, *, is_bangla: bool) -> None:
        self.pdf = pdf
        for name, regular, bold in (
            ("bangla", found.bangla, found.bangla_bold),
            ("latin", found.latin, found.latin_bold),
        ):
            pdf.add_font(name, "", regular)
            pdf.add_font(name, "B", bold)
        first, second = ("bangla", "latin") if is_bangla else ("latin", "bangla")
        self._fonts: dict[bool, list[Any]] = {
            False: [pdf.fonts[first], pdf.fonts[second]],
            True: [pdf.fonts[first + "B"], pdf.fonts[second + "B"]],
        }
        self._shapes: dict[tuple[str, bool], Shape] = {}

    def width(self, text: str, size: float, *, is_bold: bool = False) -> float:
        """How wide a text is at a size, in points."""
        return self._shape(text, is_bold).width * size

    def write(self, text: str, x: float, y: float, size: float, *, is_bold: bool = False) -> None:
        """Write a line with its baseline's beginning at a place."""
        from fpdf.enums import PDFResourceType

        pieces = [f"BT {x:.2f} {y:.2f} Td"]
        for font, shown in self._shape(text, is_bold).runs:
            self.pdf._resource_catalog.add(PDFResourceType.FONT, font.i, self.pdf.page)
            pieces.append(f"/F{font.i} {size:.2f} Tf")
            for rise, operands in shown:
                pieces.append(f"{rise * size:.2f} Ts [{operands}] TJ" if rise else f"[{operands}] TJ")
                if rise:
                    pieces.append("0 Ts")
        pieces.append("ET")
        self.pdf._out(" ".join(pieces))

    def lines(self, text: str, width: float, size: float, *, is_bold: bool = False) -> list[str]:
        """A text in lines no wider than that; a word that is wider is broken between letters, never within a conjunct."""
        found: list[str] = []
        for paragraph in text.splitlines() or [""]:
            line = ""
            for word in paragraph.split():
                longer = f"{line} {word}" if line else word
                if self.width(longer, size, is_bold=is_bold) <= width:
                    line = longer
                    continue
                if line:
                    found.append(line)
                *whole, line = self._broken(word, width, size, is_bold)
                found += whole
            found.append(line)
        return found

    def _broken(self, word: str, width: float, size: float, is_bold: bool) -> list[str]:
        if self.width(word, size, is_bold=is_bold) <= width:
            return [word]
        parts = [""]
        for letter in _LETTER.findall(word):
            if parts[-1] and self.width(parts[-1] + letter, size, is_bold=is_bold) > width:
                parts.append("")
            parts[-1] += letter
        return parts

    def _shape(self, text: str, is_bold: bool) -> Shape:
        known = self._shapes.get((text, is_bold))
        if known is None:
            if len(self._shapes) >= _KEPT_SHAPES:
                self._shapes.clear()
            known = self._shapes[text, is_bold] = self._shaped(text, self._fonts[is_bold])
        return known

    def _shaped(self, text: str, fonts: list[Any]) -> Shape:
        width, runs = 0.0, []
        for font, part in _by_font(text, fonts):
            run_width, shown = _glyphs(font, part)
            width += run_width
            runs.append((font, shown))
        return Shape(width, tuple(runs))


def _by_font(text: str, fonts: list[Any]) -> list[tuple[Any, str]]:
    """A text in runs, each of one font: signs that both have stay with the letters before them. What none has becomes a mark
    that says so, instead of vanishing."""
    runs: list[tuple[Any, str]] = []
    for character in text:
        code = ord(character)
        able = [font for font in fonts if code in font.cmap]
        if not able:
            character, able = "?", [font for font in fonts if ord("?") in font.cmap]
        font = runs[-1][0] if runs and runs[-1][0] in able else able[0]
        if runs and runs[-1][0] is font:
            runs[-1] = (font, runs[-1][1] + character)
        else:
            runs.append((font, character))
    return runs


def _glyphs(font: Any, text: str) -> tuple[float, tuple[tuple[float, str], ...]]:
    """Shape a run. Returns its width at size 1, and (rise, operands of TJ) by the height at which the glyphs stand."""
    infos, positions = font.perform_harfbuzz_shaping(text, 10.0, _SHAPING)
    clusters = sorted({info.cluster for info in infos})
    ends = dict(zip(clusters, [*clusters[1:], len(text)], strict=True))
    told: set[int] = set()
    scale, width = font.scale, 0.0
    shown: list[tuple[float, list[str]]] = []
    for info, position in zip(infos, positions, strict=True):
        # The first glyph of a cluster carries its letters, so that a reader can find and copy them.
        letters = "" if info.cluster in told else text[info.cluster : ends[info.cluster]]
        told.add(info.cluster)
        name = font.ttfont.getGlyphName(info.codepoint)
        own = round(scale * font.ttfont["hmtx"].metrics[name][0])
        glyph = font.subset.get_glyph(
            glyph=info.codepoint, unicode=tuple(map(ord, letters)), glyph_name=name, glyph_width=own
        )
        code = font.subset.pick_glyph(glyph)
        advance, aside = scale * position.x_advance, scale * position.x_offset
        width += advance / 1000
        if code is None:
            continue
        rise = scale * position.y_offset / 1000
        if not shown or shown[-1][0] != rise:
            shown.append((rise, []))
        before, after = -aside, own + aside - advance
        shown[-1][1].append(
            (f"{before:.0f} " if round(before) else "") + f"<{code:04X}>" + (f" {after:.0f} " if round(after) else "")
        )
    return width, tuple((rise, "".join(operands)) for rise, operands in shown)
