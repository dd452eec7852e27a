"""Registers as district offices keep them: tidy ones, and the messy one of ten thousand rows."""

import contextlib
import csv
import io
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import cached_property
from io import BytesIO
from typing import Any

from xlsxwriter import Workbook

from grm.files import sheet_reader, sheets
from grm.files.sheets import Row, Sheet
from grm.kernel.text import bangla_digits

HEADER = (
    *("ক্রমিক", "তারিখ", "অভিযোগকারীর নাম", "পিতা/স্বামীর নাম", "মোবাইল নম্বর", "জেলা", "উপজেলা"),
    *("কর্মসূচি", "অভিযোগের ধরন", "অভিযোগের বিবরণ"),
)
MONTHS = ["জানুয়ারি", "ফেব্রুয়ারি", "মার্চ", "এপ্রিল", "মে", "জুন", "জুলাই", "আগস্ট", "সেপ্টেম্বর", "অক্টোবর", "নভেম্বর", "ডিসেম্বর"]


def read_here(data: bytes) -> Iterator[Sheet | Row]:
    """As `sheets.read` does, but in this process: starting another one for each file would take most of a test's time."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        sheet_reader.answer(data)
    for line in said.getvalue().splitlines():
        yield sheets.heard(line.encode())


def row(number: int, today: date, **changed: Any) -> list[Any]:
    """A good row; `changed` by place in the header: `c4="…"`."""
    day = today - timedelta(days=1 + number % 300)
    cells: list[Any] = [
        *(number, f"{day:%d/%m/%Y}", f"রহিমা খাতুন {number}", "আব্দুল করিম", f"017{number:08d}", "ঢাকা", "সাভার"),
        *("বয়স্ক ভাতা", "ভাতার টাকা পাইনি", f"তিন মাস ধরে ভাতা পাইনি, বই নম্বর {number}"),
    ]
    for name, value in changed.items():
        cells[int(name[1:])] = value
    return cells


def xlsx(rows: Iterable[Sequence[Any]], header: Sequence[str] = HEADER, titles: Sequence[str] = ()) -> bytes:
    """A workbook of one sheet; dates are written as Excel's dates."""
    out = BytesIO()
    with Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("রেজিস্টার")
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for number, cells in enumerate([*([title] for title in titles), header, *rows]):
            for column, value in enumerate(cells):
                if isinstance(value, date):
                    sheet.write_datetime(number, column, value, day)
                elif value != "":
                    sheet.write(number, column, value)
    return out.getvalue()


def csv_bytes(
    rows: Iterable[Sequence[Any]], header: Sequence[str] = HEADER, separator: str = ",", encoding: str = "utf-8"
) -> bytes:
    """The same as CSV."""
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows([header, *rows])
    return out.getvalue().encode(encoding)


class Messy:
    """A register as it comes from an old Excel file, and what is to become of its rows.

    `expected`: kind of row → how many. `bad` kinds must each be explained; `good` and `twice` must add up to the cases.
    """

    def __init__(self, count: int, today: date, seed: int = 7) -> None:
        self.today = today
        self.expected: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._rows: list[list[Any]] = []
        self._kinds: list[str] = []
        while len(self._rows) < count:
            if not self._add_merged():
                self._add()

    def data(self) -> bytes:
        """The file: titles above the header, column numbers under it, blank lines, merged cells, a hidden sheet."""
        out = BytesIO()
        with Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
            hidden = book.add_worksheet("পুরোনো")
            hidden.hide()
            hidden.write_row(0, 0, HEADER)
            hidden.write_row(1, 0, row(1, self.today, c9="লুকানো পাতার সারি"))
            sheet = book.add_worksheet("২০২৬")
            sheet.activate()
            hidden_day = book.add_format({"num_format": "dd-mmm-yy"})
            sheet.merge_range(0, 0, 0, 9, "উপজেলা নির্বাহী অফিসারের কার্যালয়, সাভার, ঢাকা")
            sheet.write(1, 0, "অভিযোগ রেজিস্টার ২০২৬")
            sheet.write_row(3, 0, HEADER)
            sheet.write_row(4, 0, [bangla_digits(str(place)) for place in range(1, 11)])
            at = 5
            for number, cells in enumerate(self._rows):
                if number % 97 == 0:
                    at += 1  # a blank line
                if number and number % 400 == 0:
                    sheet.write_row(at, 0, HEADER)  # the header of the next printed page
                    at += 1
                self._write(sheet, at, cells, hidden_day)
                at += 1
        return out.getvalue()

    def _write(self, sheet: Any, at: int, cells: list[Any], day: Any) -> None:
        for column, value in enumerate(cells):
            if column == 8 and value is None:
                continue
            if column == 8 and self._begins_merged(cells):
                sheet.merge_range(at, 8, at + 2, 8, value)
            elif isinstance(value, tuple):
                sheet.write_formula(at, column, value[0], None, value[1])
            elif isinstance(value, date):
                sheet.write_datetime(at, column, value, day)
            elif value != "":
                sheet.write(at, column, value)

    def _begins_merged(self, cells: list[Any]) -> bool:
        after = self._rows[int(cells[0]) : int(cells[0]) + 1]
        return bool(after) and after[0][8] is None and cells[8] is not None

    def _add_merged(self) -> bool:
        """Three rows that share one cell: what the complaint is about is written once, and merged downwards."""
        number = len(self._rows)
        if number % 100 != 10 or any((number + more) % 97 == 0 or (number + more) % 400 == 0 for more in (1, 2)):
            return False
        for more in range(3):
            self._rows.append(row(number + more + 1, self.today, c8=["ভাতার টাকা পাইনি", None, None][more]))
            self._kinds.append("good")
            self.expected["good"] += 1
        return True

    def _add(self) -> None:
        number = len(self._rows) + 1
        pick = self._random.random()
        good = row(number, self.today)
        day = self.today - timedelta(days=1 + number % 300)
        if pick < 0.60:
            kind = "good"
            good[1] = self._random.choice(
                (
                    day,
                    f"{day:%d/%m/%y}",
                    bangla_digits(f"{day:%d-%m-%Y}") + " ইং",
                    bangla_digits(f"{day.day} {MONTHS[day.month - 1]} {day.year}"),
                    (day - date(1899, 12, 30)).days,
                    f"{day:%Y-%m-%d}",
                    f"{day:%d.%m.%Y} খ্রি.",
                    f"{day.day}-{day:%b}-{day:%y}",
                )
            )
            good[4] = self._random.choice(
                (1700000000 + number, f"+88017{number:08d}", bangla_digits(f"017{number:08d}"), f"017{number:08d}", "")
            )
            good[5] = self._random.choice(("ঢাকা", "ঢাকা জেলা", "Dhaka", "3026", "Dacca"))
            good[6] = self._random.choice(("সাভার", "সাভার উপজেলা", "Savar", ""))
            good[7] = self._random.choice(("বয়স্ক ভাতা", "বয়স্কভাতা", "Old Age Allowance", "OAA", "বৃদ্ধ ভাতা", "ভিজিডি", ""))
            good[8] = self._random.choice(("ভাতার টাকা পাইনি", "payment-not-received", "Payment not received"))
        elif pick < 0.70 and number > 30:
            kind = "twice"
            good = list(self._rows[self._random.choice(self._plain)])
            good[0] = number  # copied, and numbered anew
        elif pick < 0.75:
            kind, good[7] = "good", ('="বয়স্ক "&"ভাতা"', "বয়স্ক ভাতা")
        else:
            kind, column, value = self._random.choice(
                (
                    ("date-unreadable", 1, "২১ ফাল্গুন ১৪৩২"),
                    ("date-in-future", 1, f"{self.today + timedelta(days=30):%d/%m/%Y}"),
                    ("date-too-early", 1, f"{self.today - timedelta(days=900):%d/%m/%Y}"),
                    ("phone", 4, "0171234"),
                    ("number-shortened", 4, "1.71E+09"),
                    ("name-unknown", 5, "আতলান্তিস"),
                    ("upazila-elsewhere", 6, "আমতলী"),
                    ("name-unknown", 7, "চাঁদের আলো প্রকল্প ৭৭"),
                    ("name-unknown", 8, "অন্যরকম কিছু একটা"),
                    ("category-missing", 8, ""),
                    ("details-missing", 9, "  "),
                    ("cell-formula", 8, ("=VLOOKUP(A1,X:Y,2,0)", "")),
                    ("cell-value", 7, ("=1/0", "#DIV/0!")),
                )
            )
            good[column] = value
            if kind == "details-missing":
                good[3] = ""
        self.expected[kind] += 1
        self._kinds.append(kind)
        self._rows.append(good)

    @cached_property
    def _plain(self) -> list[int]:
        """Places of the first good rows that hold nothing but text and numbers."""
        return [
            place
            for place, (kind, cells) in enumerate(zip(self._kinds, self._rows, strict=True))
            if kind == "good" and all(isinstance(cell, str | int) for cell in cells)
        ]
