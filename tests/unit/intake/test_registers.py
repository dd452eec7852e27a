"""How a register is understood: its header, its dates and numbers, its names, and what makes two rows the same."""

from collections.abc import Iterable
from datetime import date

import pytest

from grm.files.sheets import Refused, Row, Sheet
from grm.intake import batch_values as values
from grm.intake.batch_columns import FIELDS, field_of, guess
from grm.intake.batch_results import HEADINGS
from grm.intake.batch_rows import Plan, Reader, identity_free
from grm.intake.batch_table import Line, Table, rows_of
from grm.intake.batch_wording import COLUMNS
from grm.intake.screening import Choices
from grm.kernel.contact import parse_mobile
from tests.support.registers import HEADER, row

TODAY = date(2026, 11, 22)
CHOICES = Choices(
    programmes=frozenset({"old-age-allowance"}),
    categories={"payment-not-received": False},
    districts=frozenset({"3026", "1004"}),
    upazilas={"302672": "3026", "100409": "1004"},
)


# --- the header ------------------------------------------------------------------------------------------------------


def read(*rows: Sheet | Iterable[str]) -> tuple[list[Line], Table]:
    """Rows as the reader of spreadsheets gives them; a sheet begins where a Sheet stands."""
    pieces: list[Sheet | Row] = []
    number = 0
    for each in rows:
        number = 0 if isinstance(each, Sheet) else number + 1
        pieces.append(each if isinstance(each, Sheet) else Row(number, list(each)))
    table = Table()
    return list(rows_of(pieces if isinstance(pieces[0], Sheet) else [Sheet("", False, False), *pieces], table)), table


def test_the_header_is_found_under_titles_and_what_is_no_complaint_is_passed_over() -> None:
    header = ["ক্রমিক", "নাম", "মোবাইল নং", "অভিযোগের বিবরণ"]
    lines, table = read(
        ["জেলা প্রশাসকের কার্যালয়, ঢাকা"],
        ["তারিখ:", "২২/১১/২০২৬"],
        ["", "অভিযোগকারী", "", "অভিযোগ"],
        header,
        ["১", "২", "৩", "৪"],
        ["1", "রহিমা", "017", "ক"],
        [" ".join(header[0].split()), *header[1:]],
        ["2", "করিম", "018", "খ"],
    )
    assert table.headings == tuple(header)
    assert [(line.number, line.cells[1]) for line in lines] == [(6, "রহিমা"), (8, "করিম")]


def test_sheets_with_the_same_header_are_one_register_and_others_are_named() -> None:
    header = ["নাম", "বিবরণ"]
    lines, table = read(
        *(Sheet("সাভার", False, False), header, ["ক", "১"]),
        *(Sheet("গোপন", True, False),),
        *(Sheet("নোট", False, False), ["এটি তালিকা নয়"], ["আরও কিছু"]),
        *(Sheet("ধামরাই", False, False), header, ["খ", "২"]),
        *(Sheet("অন্য", False, False), ["নাম", "মোবাইল", "কর্মসূচি"], ["গ", "017", "ভাতা"]),
    )
    assert [(table.sheets[line.sheet], line.cells) for line in lines] == [("সাভার", ["ক", "১"]), ("ধামরাই", ["খ", "২"])]
    assert (table.hidden, table.others) == (["গোপন"], [("নোট", 2), ("অন্য", 2)])


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([["কিছু", "একটা"], ["আরও", "কিছু"]], "no-header"),
        ([["bvg", "†gvevBj", "weeiY"], ["iwngv", "017", "K"]], "old-font"),
        ([["নাম", "বিবরণ"]], "no-rows"),
        ([["নাম", "বিবরণ"], [" ", "\u200b"]], "no-rows"),
        ([Sheet("ক", True, False)], "empty"),
    ],
)
def test_what_is_no_register_says_what_is_missing(rows: list[list[str]], code: str) -> None:
    with pytest.raises(Refused, match=code):
        read(*rows)


def test_columns_are_guessed_in_either_language_and_however_they_are_written() -> None:
    wanted = ["", "received_on", "name", "more", "phone", "district", "upazila", "programme", "category", "details"]
    assert guess(HEADER) == wanted
    english = ("Sl. No.", "Date of Receipt", "NAME OF THE COMPLAINANT", "Father's Name", "Mobile Number", "District")
    assert guess((*english, "Upazila/Thana", "Programme name", "Type of complaint", "Complaint details")) == wanted
    assert guess(["নাম", "আবেদনকারীর নাম (পূর্ণ)", "গ্রাম", "ইউনিয়ন", "অচেনা কিছু", "জাতীয় পরিচয়পত্র নং"]) == [
        *("name", "more", "place", "place", "", "")
    ]
    assert [field_of(heading) for heading in HEADINGS] == [""] * len(HEADINGS)
    assert set(FIELDS) <= set(COLUMNS)


# --- cells -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        *("05/03/2026", "5/3/26", "০৫-০৩-২০২৬ ইং", "5 March 2026", "March 5, 2026", "মার্চ ৫, ২০২৬", "৫ই মার্চ ২০২৬"),
        *(
            "2026-03-05",
            "2026-03-05 00:00",
            "2026-03-05T10:30:00",
            "46086",
            "৪৬০৮৬",
            "46086.0",
            "5-Mar-26",
            "05.03.2026 খ্রি.",
        ),
    ],
)
def test_a_date_is_read_however_it_is_written(typed: str) -> None:
    assert values.parse_day(typed) == date(2026, 3, 5)


@pytest.mark.parametrize("typed", ["২১ ফাল্গুন ১৪৩২", "03/25/2026", "31/02/2026", "কাল", "12345678", "৫", "মার্চ ২০২৬"])
def test_what_is_no_date_is_not_guessed(typed: str) -> None:
    assert values.parse_day(typed) is None


def test_days_of_an_old_mac_are_counted_from_1904() -> None:
    assert values.parse_day("44624", starts_1904=True) == values.parse_day("46086")


@pytest.mark.parametrize(
    "typed",
    ["1712345678", "01712-345678", "'+8801712345678", "০১৭১২৩৪৫৬৭৮, ০১৮১২৩৪৫৬৭৮", "নাই/01712345678", "01712 345 678"],
)
def test_a_mobile_number_is_mended(typed: str) -> None:
    assert values.mend_phone(typed) == parse_mobile("01712345678")


def test_small_facts_are_read_where_they_can_be() -> None:
    assert (values.parse_sex("মহিলা"), values.parse_sex("M"), values.parse_sex("?")) == ("female", "male", None)
    assert (values.parse_age_group("৬৫ বছর"), values.parse_age_group("17"), values.parse_age_group("বৃদ্ধ")) == (
        *("60_plus", "under_18", None),
    )
    assert values.parse_medium("লিখিত আবেদন") == "paper" and values.parse_medium("৩৩৩") == "call_centre"
    assert (values.parse_yes("হ্যাঁ"), values.parse_yes("No"), values.parse_yes("?")) == (True, False, None)
    assert values.is_nameless("নাম প্রকাশে অনিচ্ছুক") and not values.is_nameless("রহিমা")
    assert values.is_nothing(" - ") and values.is_nothing("নাই") and not values.is_nothing("সাভার")


# --- rows ------------------------------------------------------------------------------------------------------------


class Lists:
    """Names as `batch_names` finds them, few enough to see."""

    def find(self, field: str, typed: str, district: str = "") -> object:
        from grm.intake.batch_names import Named

        known = {"বয়স্ক ভাতা": "old-age-allowance", "ভাতার টাকা পাইনি": "payment-not-received", "ঢাকা": "3026", "সাভার": "302672"}
        if typed == "আমতলী":
            return Named(None, (), "1004")
        return Named(known.get(typed), ("old-age-allowance",) if field == "programme" else ())


def reader(header: Iterable[str] = HEADER, office: str = "dc-3026", **plan: object) -> Reader:
    headings = tuple(header)
    made = Plan(headings, tuple(guess(headings)), **{"defaults": {"medium": "paper", "district": "3026"}, **plan})  # type: ignore[arg-type]
    return Reader(made, Lists(), CHOICES, TODAY, key=b"k" * 32, office=office)  # type: ignore[arg-type]


def texts(cells: Iterable[object]) -> list[object]:
    return [cell if isinstance(cell, dict) else str(cell) for cell in cells]


def problems(**changed: object) -> dict[str, str]:
    found = reader().read(texts(row(1, TODAY, **changed)))  # type: ignore[arg-type]
    assert (found.answers is None) == bool(found.problems)
    return {problem.field: problem.code for problem in found.problems}


def test_a_good_row_becomes_a_filing_with_its_own_date_of_receipt() -> None:
    found = reader().read(texts(row(1, TODAY)))  # type: ignore[arg-type]
    assert found.problems == () and found.answers is not None
    told = found.answers
    assert (told.programme, told.category, told.district, told.upazila) == (
        *("old-age-allowance", "payment-not-received", "3026", "302672"),
    )
    assert (told.received_on, told.medium, told.phone) == (date(2026, 11, 20), "paper", "+8801700000001")
    assert told.details == "তিন মাস ধরে ভাতা পাইনি, বই নম্বর 1\nপিতা/স্বামীর নাম: আব্দুল করিম"


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"c1": "২১ ফাল্গুন ১৪৩২"}, {"received_on": "date-unreadable"}),
        ({"c1": "01/01/2027"}, {"received_on": "date-in-future"}),
        ({"c1": "01/01/2024"}, {"received_on": "date-too-early"}),
        ({"c4": "0171234"}, {"phone": "phone-length"}),
        ({"c4": "1.71235E+09"}, {"phone": "number-shortened"}),
        ({"c5": "আতলান্তিস"}, {"district": "name-unknown"}),
        ({"c6": "আমতলী"}, {"upazila": "upazila-elsewhere"}),
        ({"c7": "বয়স্কদের ভাতাটি"}, {"programme": "name-unknown"}),
        ({"c8": ""}, {"category": "category-missing"}),
        ({"c8": {"e": "formula"}}, {"category": "cell-formula"}),
        ({"c7": "#N/A"}, {"programme": "cell-value"}),
        ({"c3": "", "c9": " \u200b"}, {"details": "details-missing"}),
        ({"c9": "ক\x00খ"}, {"details": "control-characters"}),
        ({"c9": "ক" * 20_001}, {"details": "too-long"}),
        (
            {"c1": "?", "c4": "abc", "c7": "y"},
            {"received_on": "date-unreadable", "phone": "phone-characters", "programme": "name-unknown"},
        ),
    ],
)
def test_everything_wrong_with_a_row_is_named(changed: dict[str, object], wanted: dict[str, str]) -> None:
    assert problems(**changed) == wanted


@pytest.mark.parametrize(
    "changed", [{"c7": "-"}, {"c7": ""}, {"c6": ""}, {"c4": "নাই"}, {"c2": ""}, {"c1": ""}, {"c3": {"e": "value"}}]
)
def test_nobody_is_refused_for_what_they_do_not_know(changed: dict[str, object]) -> None:
    assert problems(**changed) == {}


def test_what_a_name_means_is_said_once() -> None:
    cells = texts(row(1, TODAY, c7="বয়স্কদের ভাতাটি"))
    meant = reader(meanings={"programme": {"বয়স্কদের ভাতাটি": "old-age-allowance"}}).read(cells)  # type: ignore[arg-type]
    assert meant.answers is not None and meant.answers.programme == "old-age-allowance"
    unsaid = reader(meanings={"programme": {"বয়স্কদের ভাতাটি": "unknown"}}).read(cells)  # type: ignore[arg-type]
    assert unsaid.answers is not None
    assert (unsaid.answers.programme, unsaid.answers.programme_words) == (None, "বয়স্কদের ভাতাটি")


def test_the_same_row_is_the_same_however_it_is_written_numbered_or_mapped() -> None:
    first = reader().read(texts(row(1, TODAY)))  # type: ignore[arg-type]
    again = reader().read(texts(row(1, TODAY, c0=99, c1="২০/১১/২০২৬", c4="+৮৮০১৭০০০০০০০১", c2="রহিমা  খাতুন ১")))  # type: ignore[arg-type]
    assert again.token == first.token and again.row_key != first.row_key
    other_plan = Plan(
        HEADER,
        tuple("" if column == "phone" else column for column in guess(HEADER)),
        {"category": "payment-not-received"},
    )
    remapped = Reader(other_plan, Lists(), CHOICES, TODAY, key=b"k" * 32, office="dc-3026").read(texts(row(1, TODAY)))  # type: ignore[arg-type]
    assert remapped.token != first.token and remapped.row_key == first.row_key
    results = (*HEADINGS, *HEADER)
    taken_back = reader(results).read([*("x" for _ in HEADINGS), *texts(row(1, TODAY))])  # type: ignore[list-item]
    assert (taken_back.token, taken_back.row_key) == (first.token, first.row_key)


@pytest.mark.parametrize("changed", [{"c2": "করিম"}, {"c4": "01812345678"}, {"c9": "অন্য কথা"}, {"c1": "19/11/2026"}])
def test_another_row_is_another_complaint(changed: dict[str, object]) -> None:
    first = reader().read(texts(row(1, TODAY)))  # type: ignore[arg-type]
    assert reader().read(texts(row(1, TODAY, **changed))).token != first.token  # type: ignore[arg-type]
    assert reader(office="dc-1004").read(texts(row(1, TODAY))).token != first.token  # type: ignore[arg-type]


def test_whoever_wants_no_name_given_keeps_none() -> None:
    cells = texts(row(1, TODAY, c2="নাম প্রকাশে অনিচ্ছুক"))
    found = reader().read(cells)  # type: ignore[arg-type]
    assert found.answers is not None and found.answers.is_anonymous
    assert (found.answers.name, found.answers.phone, found.answers.preferred_channel) == (None, None, "none")
    assert "আব্দুল করিম" not in found.answers.details
    kept = identity_free(cells, Plan(HEADER, tuple(guess(HEADER))))  # type: ignore[arg-type]
    assert [cell for cell in kept if cell] == [cells[1], *cells[5:]]


def test_complainants_are_told_only_where_that_was_wished() -> None:
    cells = texts(row(1, TODAY))
    assert reader().read(cells).answers.preferred_channel == "sms"  # type: ignore[arg-type, union-attr]
    assert reader(tells=False).read(cells).answers.preferred_channel == "none"  # type: ignore[arg-type, union-attr]
