"""Reading reference files: every fault with its file and line, all together, and the shipped files without any."""

from datetime import date
from pathlib import Path

import pytest

from grm.offices import layouts
from grm.offices.layouts import LAYOUTS, SHIPPED
from grm.offices.reference_files import BadFiles, read_folder
from grm.routing.service import PATTERNS

KNOWN = {"district": {"3026"}, "ministry": {"food"}, "division": {"30"}, "place": {"30", "3026"}}
UPAZILAS = "code,name_en,name_bn,parent_code\n"


def faults(folder: Path, **files: str | bytes) -> list[str]:
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / f"{name}.csv").write_bytes(data)
    with pytest.raises(BadFiles) as caught:
        read_folder(folder, LAYOUTS, KNOWN)
    assert caught.value.params == {"count": len(caught.value.faults)}
    return [str(fault) for fault in caught.value.faults]


def test_the_shipped_files_have_no_fault_and_the_promised_numbers() -> None:
    rows = read_folder(SHIPPED, LAYOUTS, {})
    counts = {name.removesuffix(".csv"): len(found) for name, found in rows.items()}
    assert counts | {"aliases": 0, "cluster_ministries": 0} == {
        "clusters": 6,
        "ministries": 39,
        "cluster_ministries": 0,
        "divisions": 8,
        "districts": 64,
        "upazilas": 495,
        "city_corporations": 12,
        "programmes": 58,
        "categories": 15,
        "aliases": 0,
        "office_patterns": 3,
        "post_patterns": 10,
        "providers": 15,
    }
    assert read_folder(SHIPPED, [PATTERNS], {})


def test_every_shipped_file_is_known_to_somebody() -> None:
    ours = {layout.file for layout in LAYOUTS} | {PATTERNS.file}
    others = {"calendar_days.csv", "canned_replies.csv", "return_rules.csv"}  # read by grm/deadlines, cases, returns
    others |= {f"programme_{name}.csv" for name in ("facts", "contacts", "questions", "sources")}  # by grm/guide
    assert {path.name for path in SHIPPED.glob("*.csv")} <= ours | others


def test_the_tiles_of_the_map_do_not_overlap() -> None:
    rows = read_folder(SHIPPED, LAYOUTS, {})[layouts.DISTRICTS.file]
    assert len({(row.values["tile_col"], row.values["tile_row"]) for row in rows}) == 64


def test_all_faults_of_all_files_are_told_together(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        upazilas=UPAZILAS
        + "302690,New,নতুন,3026\n302690,Again,আবার,3026\n302691,  ,\u200b,9999\n3026,District,জেলা,3026\n",
        programmes="slug,name_en,name_bn,ministry_slug,lifecycle_stage\n",
        ministries="slug,name_en,name_bn,cluster\nBad Slug,A,আ,nowhere\n",
    )
    assert found == [
        "ministries.csv:2: slug must be lower-case words joined by hyphens",
        "ministries.csv:2: cluster names no cluster that exists: nowhere",
        "programmes.csv:1: the column kind is missing",
        "upazilas.csv:3: 302690 is there already, in line 2",
        "upazilas.csv:4: name_en is blank",
        "upazilas.csv:4: name_bn is blank",
        "upazilas.csv:4: parent_code names no district that exists: 9999",
        "upazilas.csv:5: 3026 is the code of a district",
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "upazilas.csv:1: the column code is missing"),
        (b"\xff\xfe\x00bad", "upazilas.csv: is no readable UTF-8 text"),
        (UPAZILAS + "302690,N\0w,ন,3026\n", "upazilas.csv: holds NUL characters"),
        (UPAZILAS + '302690,"New,ন,3026\n', "upazilas.csv:2: is no CSV: unexpected end of data"),
        (UPAZILAS + "302690,New\n", "upazilas.csv:2: has 2 cells, the header has 4"),
        (UPAZILAS + "30 26,New,ন,3026\n", "upazilas.csv:2: code must be letters and digits"),
        (UPAZILAS + f"302690,{'x' * 501},ন,3026\n", "upazilas.csv:2: name_en is longer than 500 characters"),
        ("code,code,name_en,name_bn,parent_code\n", "upazilas.csv:1: the column code is there twice"),
        ("code,name_en,name_bn,parent_code,colour\n", "upazilas.csv:1: the column 'colour' is not known"),
        (
            "code,name_en,name_bn,parent_code,valid_from,valid_to\n302690,New,ন,3026,2026-01-01,2026-01-01\n",
            "upazilas.csv:2: valid_to is not after valid_from",
        ),
        (
            "code,name_en,name_bn,parent_code,valid_to\n302690,New,ন,3026,1/2/2026\n",
            "upazilas.csv:2: valid_to must be a date as yyyy-mm-dd",
        ),
    ],
)
def test_one_fault(tmp_path: Path, content: str | bytes, fault: str) -> None:
    assert fault in faults(tmp_path, upazilas=content)


def test_an_alias_names_something_of_its_own_kind(tmp_path: Path) -> None:
    found = faults(tmp_path, aliases="kind,code,name\nplace,3026,Dacca\nprogramme,3026,X\nplanet,3026,Y\n")
    assert found == [
        "aliases.csv:3: code names no programme that exists: 3026",
        "aliases.csv:4: kind must be one of place, programme, ministry, category",
    ]


def test_a_folder_without_any_of_the_files_is_a_fault(tmp_path: Path) -> None:
    assert "has none of the files clusters.csv" in faults(tmp_path)[0]
    with pytest.raises(BadFiles, match="is no folder"):
        read_folder(tmp_path / "missing", LAYOUTS, {})


def test_a_good_row_is_cleaned_and_dated(tmp_path: Path) -> None:
    text = "\ufeffvalid_to,code,name_en,name_bn,parent_code,valid_from\r\n,302690, New   Upazila ,য়,3026,2026-07-01\r\n\r\n"
    (tmp_path / "upazilas.csv").write_text(text, encoding="utf-8", newline="")
    (row,) = read_folder(tmp_path, LAYOUTS, KNOWN)["upazilas.csv"]
    assert row.line == 2
    assert row.values == {
        "code": "302690",
        "name_en": "New Upazila",
        "name_bn": "\u09af\u09bc",  # NFC has the two-character form
        "parent_code": "3026",
        "valid_from": date(2026, 7, 1),
        "valid_to": None,
    }
