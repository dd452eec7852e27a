"""A table as CSV, Excel and PDF, in both languages: opened by other libraries, with what could go wrong in the cells."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from grm.exports import csv_file, fonts, pdf_file, xlsx_file
from grm.exports.sheet import Cell, Column, Sheet, without_long_numbers
from grm.web.locale import speaking
from tests.support.pdf import Written, pages_of

AS_OF = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)
NAMES = ("ক্ষুদ্র রাষ্ট্র", "মন্ত্রণালয়", "জ্ঞান", "প্রতিষ্ঠান", "জ্যেষ্ঠ", "ঊর্ধ্বতন", "র‍্যাব", "উদ্‌যাপন")
LONG = " ".join(["দুর্যোগ ব্যবস্থাপনা ও ত্রাণ মন্ত্রণালয়ের ঊর্ধ্বতন কর্তৃপক্ষ"] * 5)
COLUMNS = (
    Column("ট্র্যাকিং নম্বর", "code"),
    Column("কার্যালয়"),
    Column("সংখ্যা", "number"),
    Column("হার", "percent"),
    Column("তারিখ", "date"),
)
ROWS: list[list[Cell]] = [
    ["4K7PQW2XB5R1C", "সমাজকল্যাণ মন্ত্রণালয়", 1234567, 93.5, date(2026, 2, 5)],
    ["ABCDEFGHJKMNP", '=HYPERLINK("http://x")', -5, None, datetime(2026, 11, 21, 18, 30, tzinfo=UTC)],
    ["ABCDEFGHJKMNQ", "+8801712345678", 0, 100.0, None],
    ["ABCDEFGHJKMNR", "এনআইডি ১৯৯০১২৩৪৫৬৭৮৯০১২৩, 1990 12", 23456789, 0.0, None],
]
SHEET = Sheet(
    "বিলম্বিত অভিযোগ",
    COLUMNS,
    ROWS,
    filters=("মন্ত্রণালয়: ত্রাণ",),
    total=["মোট", None, 1234562, 91.2, None],
    notes=("খোলা অভিযোগ গণনা করা হয়েছে।",),
)


def written(writer: object, sheet: Sheet = SHEET, language: str = "bn") -> bytes:
    out = io.BytesIO()
    with speaking(language):
        assert writer.write(sheet, out, AS_OF) == len(list(sheet.rows))  # type: ignore[attr-defined]
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("১৯৯০১২৩৪৫৬৭৮৯০১২৩", "***************২৩"),
        ("NID 1234567890.", "NID ********90."),
        ("123 456 7890", "*** *** **90"),
        ("ফোন +8801712-345678", "ফোন +*******-****78"),
        ("01712 345 678", "***** *** *78"),
        ("2026-11-22 10:30", "2026-11-22 10:30"),
        ("৩০ দিনে ১,২৩,৪৫৬ টাকা", "৩০ দিনে ১,২৩,৪৫৬ টাকা"),
        ("4K7PQW2XB5R1C 123456789", "4K7PQW2XB5R1C 123456789"),
    ],
)
def test_long_numbers_are_masked(text: str, masked: str) -> None:
    assert without_long_numbers(text) == masked


def test_csv_is_for_programs() -> None:
    data = written(csv_file)
    assert data.startswith(b"\xef\xbb\xbf") and data.count(b"\r\n") == len(ROWS) + 2
    header, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert header == [column.title for column in COLUMNS]
    assert rows[0] == ["4K7PQW2XB5R1C", "সমাজকল্যাণ মন্ত্রণালয়", "1234567", "93.5", "2026-02-05"]
    # A word that begins a formula is disarmed, a number below zero stays a number; 18:30 UTC is the next day in Dhaka.
    assert rows[1] == ["ABCDEFGHJKMNP", '\'=HYPERLINK("http://x")', "-5", "", "2026-11-22"]
    assert rows[2][1] == "'+***********78" and rows[3][1] == "এনআইডি ***************২৩, 1990 12"
    assert rows[4] == ["মোট", "", "1234562", "91.2", ""]


@pytest.mark.parametrize("language", ["bn", "en"])
def test_excel_can_reckon_with_it(language: str) -> None:
    book = load_workbook(io.BytesIO(written(xlsx_file, language=language)))
    table, about = book.worksheets
    assert [cell.value for cell in table[1]] == [column.title for column in COLUMNS] and table.freeze_panes == "A2"
    assert [cell.value for cell in table[2]] == [*ROWS[0][:3], 0.935, datetime(2026, 2, 5)]
    assert [cell.data_type for cell in table[2]] == ["s", "s", "n", "n", "d"]
    assert table["B3"].data_type == "s" and table["B3"].value == ROWS[1][1], "a formula"
    assert table["E3"].value == datetime(2026, 11, 22) and table["D3"].value is None
    assert [cell.value for cell in table[6]] == ["মোট", None, 1234562, 0.912, None]
    is_bangla = language == "bn"
    assert table["B2"].font.name == ("Nirmala UI" if is_bangla else "Calibri")
    lakh = xlsx_file.number_format(is_bangla=is_bangla)
    assert table["C2"].number_format == lakh and ("[$-5000845]" in lakh) is is_bangla
    told = [cell.value for cell in about["A"]]
    assert told[:2] == ["বিলম্বিত অভিযোগ", "মন্ত্রণালয়: ত্রাণ"] and told[-1] == SHEET.notes[0]
    assert ("২৩ নভেম্বর ২০২৬, ০০:৩০" if is_bangla else "23 November 2026, 00:30") in told[2]
    assert all(table.column_dimensions[letter].width >= 10 for letter in "ABCDE")


needs_fonts = pytest.mark.skipif(not fonts.has_fonts(), reason=f"needs the package {fonts.PACKAGE}")


@pytest.fixture(scope="module")
def bangla() -> list[list[Written]]:
    if not fonts.has_fonts():
        pytest.skip(f"needs the package {fonts.PACKAGE}")
    rows = [
        [f"4K7PQW2XB{i:04}", NAMES[i % len(NAMES)] + (" " + LONG if i % 9 == 0 else ""), i, 5.0, None]
        for i in range(130)
    ]
    return pages_of(written(pdf_file, replace(SHEET, rows=rows)))


def every(pages: list[list[Written]]) -> Iterator[Written]:
    for page in pages:
        yield from page


def test_pdf_says_what_it_is_on_every_page(bangla: list[list[Written]]) -> None:
    first = [line.text for line in bangla[0]]
    assert first[:3] == ["বিলম্বিত অভিযোগ", "মন্ত্রণালয়: ত্রাণ", "২৩ নভেম্বর ২০২৬, ০০:৩০ (ঢাকার সময়) পর্যন্ত"]
    assert len(bangla) > 3
    for number, page in enumerate(bangla, 1):
        texts = [line.text for line in page]
        assert all(column.title in " ".join(texts) for column in COLUMNS)
        with speaking("bn"):
            assert f"পৃষ্ঠা {pdf_file.number(number)} / {pdf_file.number(len(bangla))}" in texts
    assert "১২,৩৪,৫৬২" in [line.text for line in bangla[-1]], "the total, in lakh and Bangla digits"
    assert "৯১.২%" in [line.text for line in bangla[-1]]


def test_pdf_cuts_nothing_off(bangla: list[list[Written]]) -> None:
    numbers = [line.text for line in every(bangla) if line.text.startswith("4K7P")]
    assert numbers == [f"4K7PQW2XB{i:04}" for i in range(130)], "each row once, in order"
    for line in every(bangla):
        assert line.x >= pdf_file.MARGIN - 1 and line.end <= pdf_file.WIDE - pdf_file.MARGIN + 1, line
        assert pdf_file.MARGIN - 1 <= line.y <= pdf_file.LONG - pdf_file.MARGIN, line
    texts = [line.text for line in bangla[0]]
    assert LONG in " ".join(texts) and not any(LONG in line for line in texts), "a long name goes over several lines"


def test_pdf_joins_letters_as_they_are_written(bangla: list[list[Written]]) -> None:
    """A conjunct is one glyph, and the text can be found and copied as it was typed."""
    shown = {line.text: line.glyphs for line in every(bangla)}
    assert shown["জ্ঞান"] == 3 and shown["জ্যেষ্ঠ"] == 4, "জ্ঞ, া, ন; জ, ্য, ে, ষ্ঠ"
    assert shown["র‍্যাব"] <= 5, "a joiner that is taken apart leaves a dotted circle"
    assert "মন্ত্রণালয়" in shown and "উদ্‌যাপন" in shown


@needs_fonts
def test_pdf_breaks_a_long_word_between_letters_only() -> None:
    from fpdf import FPDF

    from grm.exports.pdf_text import Pen

    pen = Pen(FPDF(unit="pt"), fonts.fonts(), is_bangla=True)
    lines = pen.lines("প্রতিষ্ঠানপ্রতিষ্ঠানপ্রতিষ্ঠান", 30, 8)
    assert len(lines) > 2 and "".join(lines) == "প্রতিষ্ঠান" * 3
    assert not any(line[0] in "্িষ্ঠানা" and line[0] != "ষ" and line[0] != "ন" for line in lines[1:])
    assert not any(line.endswith("্") for line in lines)


@needs_fonts
def test_english_pdf_has_english_figures() -> None:
    texts = [line.text for line in every(pages_of(written(pdf_file, language="en")))]
    assert {"12,34,567", "93.5%", "5 February 2026", "Page 1 of 1"} <= set(texts)


def test_a_machine_without_fonts_says_so(tmp_path: Path) -> None:
    with pytest.raises(fonts.NoFonts):
        fonts.find((tmp_path,))
