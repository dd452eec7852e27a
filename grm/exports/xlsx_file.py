"""A table as Excel file: numbers and dates that can be reckoned with, words that are never formulas, the columns' names in view.

The first sheet is the table and nothing else, so that it can be sorted and filtered; what it is, as of when and how it was chosen
stands on the second, and in the head of printed pages. Rows go through a file, not through memory.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import IO, Any

from grm.exports.sheet import Cell, Column, Sheet, shown
from grm.files.workbook import new_workbook
from grm.kernel.clock import dhaka_date
from grm.web.locale import gettext, language
from grm.web.presentation import number, show_datetime

FONT = {"bn": "Nirmala UI", "en": "Calibri"}
"""Nirmala UI comes with every Windows since 8 and has Bangla; other systems put their own Bangla font in its place."""
BANGLA = "[$-5000845]"
"""Numeral shape 5 (Bangla) of the locale bn-BD (0x0845), ECMA-376 part 1, 18.8.31."""
TOLD_EVERY = 500
WIDEST = 60


def number_format(decimals: int = 0, *, is_bangla: bool) -> str:
    """Lakh and crore (12,34,567), which no locale of the spreadsheet programs does by itself, in the language's digits."""
    digits, end = (BANGLA if is_bangla else ""), ("." + "0" * decimals if decimals else "")
    crore, lakh = "##\\,##\\,##\\,##0", "##\\,##\\,##0"
    return f"[>=10000000]{digits}{crore}{end};[>=100000]{digits}{lakh}{end};{digits}#,##0{end}"


def date_format(*, is_bangla: bool) -> str:
    """21 November 2026, in the language's words and digits."""
    return f"{BANGLA if is_bangla else '[$-809]'}d mmmm yyyy"


def write(sheet: Sheet, out: IO[bytes], as_of: datetime, say: Callable[[int], None] = lambda done: None) -> int:
    """Write the table; returns the number of rows. ``say`` hears how many are done, and may raise to stop."""
    with new_workbook(out) as book:
        return _Book(book, sheet).write(as_of, say)


class _Book:
    def __init__(self, book: Any, sheet: Sheet) -> None:
        self.book, self.sheet = book, sheet
        self.is_bangla = language() == "bn"
        font = {"font_name": FONT["bn" if self.is_bangla else "en"], "valign": "top"}
        book.set_properties({"title": sheet.title, "author": "GRM"})
        self.plain = book.add_format({**font, "text_wrap": True})
        self.bold = book.add_format({**font, "bold": True, "text_wrap": True})
        self.title = book.add_format({**font, "bold": True, "font_size": 14})
        self.head = book.add_format({**font, "bold": True, "text_wrap": True, "bg_color": "#e8e8e8", "bottom": 1})
        self.formats = {
            (is_bold, is_whole): [
                book.add_format({**font, **self._look(column, is_whole), "bold": is_bold}) for column in sheet.columns
            ]
            for is_bold in (False, True)
            for is_whole in (False, True)
        }

    def write(self, as_of: datetime, say: Callable[[int], None]) -> int:
        page = self.book.add_worksheet(gettext("Table"))
        page.freeze_panes(1, 0)
        page.set_landscape()
        page.set_paper(9)  # A4
        page.repeat_rows(0)
        page.fit_to_pages(1, 0)
        page.set_header("&L" + self.sheet.title.replace("&", "&&")[:200])
        page.set_footer("&R&P / &N")
        for place, column in enumerate(self.sheet.columns):
            page.set_column(place, place, min(max(column.characters, _longest(column.title)) + 2, WIDEST))
            page.write_string(0, place, column.title, self.head)
        count = 0
        for count, row in enumerate(self.sheet.rows, 1):
            self._row(page, count, row)
            if count % TOLD_EVERY == 0:
                say(count)
        page.autofilter(0, 0, max(count, 1), len(self.sheet.columns) - 1)
        if self.sheet.total is not None:
            self._row(page, count + 1, self.sheet.total, is_bold=True)
        self._about(as_of, count)
        return count

    def _look(self, column: Column, is_whole: bool) -> dict[str, Any]:
        if column.kind == "number":
            return {"num_format": number_format(column.decimals_of(0 if is_whole else 0.0), is_bangla=self.is_bangla)}
        if column.kind == "percent":
            digits = BANGLA if self.is_bangla else ""
            return {"num_format": f"{digits}0.{'0' * (column.decimals or 1)}%"}
        if column.kind == "date":
            return {"num_format": date_format(is_bangla=self.is_bangla), "align": "left"}
        return {"num_format": "@", "text_wrap": column.kind == "text"}

    def _row(self, page: Any, line: int, row: Any, *, is_bold: bool = False) -> None:
        for place, (column, value) in enumerate(zip(self.sheet.columns, row, strict=True)):
            look = self.formats[is_bold, isinstance(value, int)][place]
            _write(page, line, place, column, shown(column, value), look)

    def _about(self, as_of: datetime, count: int) -> None:
        page = self.book.add_worksheet(gettext("About this file"))
        page.set_column(0, 0, 100)
        told = [
            (self.sheet.title, self.title),
            *((line, self.plain) for line in self.sheet.filters),
            (gettext("As of %(at)s, Dhaka time", at=show_datetime(as_of)), self.plain),
            (gettext("Rows: %(count)s", count=number(count)), self.plain),
            *((note, self.plain) for note in self.sheet.notes),
        ]
        for line, (text, look) in enumerate(told):
            page.write_string(line, 0, text, look)


def _write(page: Any, line: int, place: int, column: Column, value: Cell, look: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, datetime):
        value = dhaka_date(value)
    if isinstance(value, date):
        page.write_datetime(line, place, value, look)
    elif isinstance(value, (int, float)):
        page.write_number(line, place, value / 100 if column.kind == "percent" else value, look)
    else:
        page.write_string(line, place, str(value), look)


def _longest(title: str) -> int:
    return max((len(word) for word in title.split()), default=0)
