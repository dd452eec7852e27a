"""A table as PDF: A4, heading and choices on the first page, columns' names and a number on every page, nothing cut off."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from itertools import chain, islice
from typing import IO

from grm.exports.fonts import fonts
from grm.exports.pdf_text import Pen
from grm.exports.sheet import Cell, Column, Row, Sheet, shown
from grm.web.locale import gettext, language
from grm.web.presentation import number, show_date, show_datetime

WIDE, LONG = 841.89, 595.28
"""A4 on its side, in points."""
MARGIN = 34.0
FOOT = 24.0
SIZES = (8.0, 7.0, 6.2)
LEADING = 1.4
PAD = 2.6
LOOKED_AT = 200
"""Rows whose words decide how wide the columns are."""
_GREY, _RULE, _SHADE = "0.35 g", "0.75 G 0.4 w", "0.91 g"


def write(sheet: Sheet, out: IO[bytes], as_of: datetime, say: Callable[[int], None] = lambda done: None) -> int:
    """Write the table; returns the number of rows. ``say`` hears how many are done, and may raise to stop. Raises `NoFonts`."""
    from fpdf import FPDF
    from fpdf.fonts import SubsetMap

    is_bangla = language() == "bn"
    found = fonts()
    pdf = FPDF(orientation="portrait" if sheet.is_portrait else "landscape", unit="pt", format="A4")
    try:
        pdf.set_auto_page_break(False)
        pdf.set_title(sheet.title)
        pdf.set_lang("bn-BD" if is_bangla else "en-GB")
        pdf.set_creator("GRM")
        pdf.set_creation_date(as_of)
        count = _Table(Pen(pdf, found, is_bangla=is_bangla), sheet, as_of).write(say)
        pdf.output(out)  # type: ignore[call-overload]
    finally:
        # fpdf2 remembers by method and for ever what every font of every document was asked.
        SubsetMap.get_glyph.cache_clear()
        SubsetMap.pick.cache_clear()
    return count


def cell_text(column: Column, value: Cell) -> str:
    """A cell as it is read on paper, in the language's digits."""
    value = shown(column, value)
    if value is None:
        return ""
    if isinstance(value, (date, datetime)):
        return show_date(value)
    if isinstance(value, (int, float)) and column.is_figure:
        text = number(value, column.decimals_of(value))
        return text + "%" if column.kind == "percent" else text
    return str(value)


class _Table:
    def __init__(self, pen: Pen, sheet: Sheet, as_of: datetime) -> None:
        self.pen, self.sheet, self.as_of = pen, sheet, as_of
        self.pdf = pen.pdf
        self.wide, self.long = (LONG, WIDE) if sheet.is_portrait else (WIDE, LONG)
        self.y = 0.0
        self.size = SIZES[0]
        self.widths: list[float] = []

    def write(self, say: Callable[[int], None]) -> int:
        rows = iter(self.sheet.rows)
        first = list(islice(rows, LOOKED_AT))
        self._measure(first)
        self._page()
        self._heading()
        self._names()
        count = 0
        for count, row in enumerate(chain(first, rows), 1):
            self._row(self._texts(row))
            if count % LOOKED_AT == 0:
                say(count)
        if self.sheet.total is not None:
            self._row(self._texts(self.sheet.total), is_bold=True)
        if not count:
            self._row([gettext("No row fits this choice."), *[""] * (len(self.widths) - 1)], is_loose=True)
        self._notes()
        self._feet()
        return count

    def _texts(self, row: Row) -> list[str]:
        return [cell_text(column, value) for column, value in zip(self.sheet.columns, row, strict=True)]

    def _measure(self, rows: Sequence[Row]) -> None:
        """Give each column room for its longest word at least, and the rest by what stands in it."""
        room = self.wide - 2 * MARGIN
        texts = [(self._texts(row), False) for row in rows]
        if self.sheet.total is not None:
            texts.append((self._texts(self.sheet.total), True))
        for size in SIZES:
            needed, liked = [], []
            for place, column in enumerate(self.sheet.columns):
                lines = {(line[place], is_bold) for line, is_bold in texts}
                words = {(word, is_bold) for line, is_bold in lines | {(column.title, True)} for word in line.split()}
                widest = max((self.pen.width(word, size, is_bold=is_bold) for word, is_bold in words), default=0.0)
                longest = max((self.pen.width(line, size, is_bold=is_bold) for line, is_bold in lines), default=0.0)
                needed.append(min(widest, room / 3) + 2 * PAD + 0.5)
                liked.append(max(needed[-1], min(longest, room * 0.6) + 2 * PAD + 0.5))
            self.size = size
            if sum(needed) <= room:
                break
        spare, wish = room - sum(needed), sum(liked) - sum(needed)
        if spare < 0:
            self.widths = [width * room / sum(needed) for width in needed]
        elif wish > 0:
            share = min(1.0, spare / wish)
            self.widths = [need + (like - need) * share for need, like in zip(needed, liked, strict=True)]
        else:
            self.widths = needed

    def _page(self) -> None:
        self.pdf.add_page()
        self.y = self.long - MARGIN

    def _heading(self) -> None:
        for text, size, is_bold in (
            (self.sheet.title, 14.0, True),
            *((line, 9.0, False) for line in self.sheet.filters),
            (gettext("As of %(at)s, Dhaka time", at=show_datetime(self.as_of)), 9.0, False),
        ):
            for line in self.pen.lines(text, self.wide - 2 * MARGIN, size, is_bold=is_bold):
                self.y -= size * LEADING
                self.pen.write(line, MARGIN, self.y + size * 0.3, size, is_bold=is_bold)
        self.y -= 8

    def _names(self) -> None:
        titles = [column.title for column in self.sheet.columns]
        self._draw(self._broken(titles, is_bold=True), is_bold=True, is_shaded=True)

    def _broken(self, texts: Sequence[str], *, is_bold: bool, is_loose: bool = False) -> list[list[str]]:
        widths = [self.wide - 2 * MARGIN] * len(texts) if is_loose else self.widths
        return [
            self.pen.lines(text, width - 2 * PAD, self.size, is_bold=is_bold) if text else []
            for text, width in zip(texts, widths, strict=True)
        ]

    def _row(self, texts: Sequence[str], *, is_bold: bool = False, is_loose: bool = False) -> None:
        """Write a row whole; only one that is longer than a page goes on over the next."""
        cells = self._broken(texts, is_bold=is_bold, is_loose=is_loose)
        while self._height(cells) > self.y - MARGIN - FOOT:
            is_fresh = self.y > self.long - MARGIN - self._height(cells)
            fits = int((self.y - MARGIN - FOOT - 2 * PAD) / (self.size * LEADING))
            if fits > 0 and (is_fresh or self._height(cells) > self.long / 2):
                self._draw([lines[:fits] for lines in cells], is_bold=is_bold)
                cells = [lines[fits:] for lines in cells]
            self._page()
            self._names()
        self._draw(cells, is_bold=is_bold)

    def _height(self, cells: Sequence[Sequence[str]]) -> float:
        return max((len(lines) for lines in cells), default=1) * self.size * LEADING + 2 * PAD

    def _draw(self, cells: Sequence[Sequence[str]], *, is_bold: bool = False, is_shaded: bool = False) -> None:
        height, x = self._height(cells), MARGIN
        if is_shaded:
            self.pdf._out(f"q {_SHADE} {MARGIN:.2f} {self.y - height:.2f} {sum(self.widths):.2f} {height:.2f} re f Q")
        for column, width, lines in zip(self.sheet.columns, self.widths, cells, strict=True):
            y = self.y - PAD - self.size
            for line in lines:
                aside = width - PAD - self.pen.width(line, self.size, is_bold=is_bold) if column.is_figure else PAD
                self.pen.write(line, x + aside, y, self.size, is_bold=is_bold)
                y -= self.size * LEADING
            x += width
        self.y -= height
        self.pdf._out(f"q {_RULE} {MARGIN:.2f} {self.y:.2f} m {MARGIN + sum(self.widths):.2f} {self.y:.2f} l S Q")

    def _notes(self) -> None:
        self.y -= 6
        for note in self.sheet.notes:
            for line in self.pen.lines(note, self.wide - 2 * MARGIN, 8):
                if self.y - 12 < MARGIN + FOOT:
                    self._page()
                self.y -= 12
                self.pen.write(line, MARGIN, self.y, 8)

    def _feet(self) -> None:
        """Number the pages, now that their number is known."""
        last = len(self.pdf.pages)
        for page in range(1, last + 1):
            self.pdf.page = page
            self.pdf._out(f"q {_GREY}")
            told = gettext("Page %(page)s of %(pages)s", page=number(page), pages=number(last))
            self.pen.write(told, self.wide - MARGIN - self.pen.width(told, 8), MARGIN, 8)
            line = self.pen.lines(self.sheet.title, self.wide - 2 * MARGIN - 120, 8)[0]
            self.pen.write(line, MARGIN, MARGIN, 8)
            self.pdf._out("Q")
