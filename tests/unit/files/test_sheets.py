"""What a spreadsheet holds, whoever wrote it: XLSX and CSV in every dress, and what is refused at once."""

import io
import zipfile
from datetime import date, datetime
from typing import Any

import pytest
from xlsxwriter import Workbook

from grm.files import sheets
from grm.files.sheets import Refused, Row, Sheet
from tests.support import registers

ROWS = [["নাম", "মোবাইল", "বিবরণ"], ["রহিমা; করিম", "০১৭১২৩৪৫৬৭৮", 'প্রথম\nদ্বিতীয়, "উদ্ধৃতি"']]


def read(data: bytes) -> list[Sheet | Row]:
    return list(registers.read_here(data))


def cells(data: bytes) -> list[list[sheets.Cell]]:
    return [found.cells for found in read(data) if isinstance(found, Row)]


def refused(data: bytes) -> str:
    with pytest.raises(Refused) as caught:
        read(data)
    return caught.value.code


@pytest.mark.parametrize(
    ("separator", "encoding"),
    [(",", "utf-8"), (",", "utf-8-sig"), (";", "utf-8-sig"), ("\t", "utf-16"), (";", "utf-16-le"), (",", "utf-16-be")],
)
def test_a_csv_is_read_in_any_encoding_and_with_any_separator(separator: str, encoding: str) -> None:
    data = registers.csv_bytes(ROWS[1:], ROWS[0], separator, encoding)
    assert cells(data) == ROWS


def test_blank_lines_are_passed_over_and_numbers_are_those_of_the_spreadsheet() -> None:
    data = "sep=;\r\n\r\nনাম;বিবরণ\r\n\r\n;;\r\nক;খ\r\n".encode()
    assert [(found.number, found.cells) for found in read(data) if isinstance(found, Row)] == [
        (3, ["নাম", "বিবরণ"]),
        (6, ["ক", "খ"]),
    ]


def test_a_quotation_mark_left_open_is_not_swallowed_silently() -> None:
    lines = ["নাম,মোবাইল,উপজেলা,বিবরণ", 'ক,০১৭,সাভার,"চাল, ডাল, তেল, নুন,\nকিছুই পাইনি"', '"খ,০১৮,সাভার,গ', "ঘ,০১৯,সাভার,ঙ"]
    lines += ['চ",০১৬,সাভার,ছ', "জ,০১৫,সাভার,ঝ"]
    found = [each for each in read("\n".join(lines).encode()) if isinstance(each, Row)]
    assert [(each.cells[-1], each.mark) for each in found[1:]] == [
        ("চাল, ডাল, তেল, নুন,\nকিছুই পাইনি", ""),
        ("ছ", "quote-open"),
        ("ঝ", ""),
    ]
    assert refused(('নাম,বিবরণ\nক,"' + "খ" * 40_000).encode()) == "quote-open"


def test_dates_numbers_formulas_and_errors_of_a_workbook() -> None:
    out = io.BytesIO()
    with Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("পাতা")
        sheet.write_row(0, 0, ["ক", "খ", "গ", "ঘ", "ঙ", "চ", "ছ"])
        sheet.write_datetime(1, 0, datetime(2026, 3, 5), book.add_format({"num_format": "dd/mm/yy"}))
        sheet.write_number(1, 1, 1712345678)
        sheet.write_formula(1, 2, '="ক"&"খ"', None, "কখ")
        sheet.write_formula(1, 3, "=A1", None, "")
        sheet.write_formula(1, 4, "=1/0", None, "#DIV/0!")
        sheet.write_number(1, 5, 0.5)
        sheet.write_boolean(1, 6, True)
    assert cells(out.getvalue())[1] == [
        "2026-03-05",
        "1712345678",
        "কখ",
        {"e": "formula"},
        {"e": "value"},
        "0.5",
        "TRUE",
    ]


def test_merged_cells_hold_in_each_of_their_rows_and_hidden_sheets_are_named() -> None:
    out = io.BytesIO()
    with Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("১")
        sheet.merge_range(0, 0, 0, 2, "শিরোনাম")
        sheet.merge_range(1, 1, 3, 1, "বয়স্ক ভাতা")
        for line in (1, 2, 3):
            sheet.write(line, 0, f"ক{line}")
        sheet.merge_range(4, 0, 5, 0, "দুই সারি")
        hidden = book.add_worksheet("গোপন")
        hidden.write(0, 0, "লুকানো সারি")
        hidden.hide()
    found = read(out.getvalue())
    assert [each.cells for each in found if isinstance(each, Row)] == [
        ["শিরোনাম"],
        *(["ক1", "বয়স্ক ভাতা"], ["ক2", "বয়স্ক ভাতা"], ["ক3", "বয়স্ক ভাতা"]),
        ["দুই সারি"],  # its second row has nothing of its own
    ]
    assert [(each.name, each.is_hidden) for each in found if isinstance(each, Sheet)] == [("১", False), ("গোপন", True)]


def workbook(**parts: bytes) -> bytes:
    """A workbook with parts changed or added; `a__b_xml` is a/b.xml."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(registers.xlsx([registers.row(1, date(2026, 11, 22))]))) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        changed = {name.replace("__", "/").replace("_", "."): data for name, data in parts.items()}
        for entry in source.infolist():
            target.writestr(entry.filename, changed.pop(entry.filename, None) or source.read(entry.filename))
        for name, data in changed.items():
            target.writestr(name, data)
    return out.getvalue()


def with_entities() -> bytes:
    """The texts of a workbook, as good as ever, but for a document type that declares an entity."""
    with zipfile.ZipFile(io.BytesIO(workbook())) as source:
        declaration, texts = source.read("xl/sharedStrings.xml").split(b"?>", 1)
    return declaration + b'?><!DOCTYPE sst [<!ENTITY a "b">]>' + texts


def numbered(*rows: int) -> bytes:
    """A workbook whose rows say themselves which they are."""
    cell = '<c t="inlineStr"><is><t>x</t></is></c>'
    lines = "".join(f'<row r="{row}">{cell}</row>' for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return workbook(
        xl__worksheets__sheet1_xml=f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData></worksheet>'.encode()
    )


def archive(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, data in parts.items():
            target.writestr(name, data)
    return out.getvalue()


def claiming(size: int) -> bytes:
    """A workbook whose sheet is said to have so many bytes when it is unpacked."""
    data = bytearray(workbook())
    entry = data.rindex(b"xl/worksheets/sheet1.xml") - 46  # its line in the archive's list of contents
    data[entry + 24 : entry + 28] = size.to_bytes(4, "little")
    return bytes(data)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500)
BAD: dict[str, tuple[Any, str]] = {
    "nothing": (b"", "empty"),
    "zeros": (bytes(4096), "empty"),
    "blank CSV": (b"\xef\xbb\xbf,,\r\n,,\r\n", "empty"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not-a-sheet"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "not-a-sheet"),
    "program": (bytes(range(256)) * 20, "not-a-sheet"),
    "other archive": (lambda: archive(note=b"x"), "not-a-sheet"),
    "OpenDocument": (lambda: archive(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"), "other-office"),
    "password": (OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
    "old Excel": (OLE + "Workbook".encode("utf-16-le"), "old-excel"),
    "web page": (b"\xef\xbb\xbf<html><table><tr><td>1</td></tr></table>", "web-page"),
    "old encoding": (b"name;details\n" + "caf\xe9;d\xe9tails\n".encode("cp1252"), "encoding"),
    "macros": (lambda: workbook(xl__vbaProject_bin=b"\xd0\xcf"), "macros"),
    "damaged archive": (lambda: workbook()[:2000], "damaged"),
    "damaged sheet": (lambda: workbook(xl__worksheets__sheet1_xml=b"<worksheet><sheetData><row"), "damaged"),
    "entities": (lambda: workbook(xl__sharedStrings_xml=with_entities()), "damaged"),
    "bomb": (lambda: claiming(201 * 1024 * 1024), "too-much"),
    "rows of one number": (lambda: numbered(2, 2), "damaged"),
    "rows beyond the last": (lambda: numbered(2, 99_999_999_999), "damaged"),
    "bomb in disguise": (lambda: claiming(20), "damaged"),
    "too many rows": (lambda: b"a,b\n" * 20_001, "too-many-rows"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_register_is_refused_with_its_reason(name: str) -> None:
    data, code = BAD[name]
    assert refused(data() if callable(data) else data) == code


def test_a_file_is_read_in_a_process_of_its_own() -> None:
    data = registers.xlsx([registers.row(1, date(2026, 11, 22))])
    assert list(sheets.read(data)) == read(data) and len(read(data)) == 3
    with pytest.raises(Refused, match="damaged"):
        list(sheets.read(data[:2000]))
    for _ in sheets.read(data):
        break  # whoever wants no more of it leaves no process behind
    assert sheets.read(data).__next__()


def test_a_reader_that_is_felled_refuses_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "SECONDS", 0.02)
    with pytest.raises(Refused, match="too-much"):
        list(sheets.read(registers.xlsx([registers.row(1, date(2026, 11, 22))])))
