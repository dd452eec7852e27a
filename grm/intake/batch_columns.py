"""Which column of a register holds what: guessed from the words of its header, in Bangla or English. Pure.

Offices write their registers as they like, so the guess is only a proposal; whoever hands the register in confirms it.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from grm.kernel.words import FILLERS, key, words

NOTHING = ""
"""A column that is not taken; its cells are kept with the submission only."""
APPEND = "more"
"""A column whose cells are added to the description, with its heading before them."""

FIELDS = (
    *("received_on", "medium", "programme", "category", "district", "upazila", "place", "details", "incident_on"),
    *("name", "phone", "email", "sex", "age_group", "disability", "representative_name", "relation", "anonymous"),
)
"""Fields of the desk's form that a column can fill."""
REPEATABLE = frozenset({APPEND, "place", "details"})
"""What several columns may fill together."""
LOOKED_AT = 40
"""Rows among which the header is looked for: titles, the office's name and blank lines stand above it."""
LEAST_KNOWN = 2
"""Columns whose heading must be known for a row to be the header."""

_WORDS: dict[str, tuple[str, ...]] = {
    "received_on": (
        *("তারিখ", "গ্রহণের তারিখ", "প্রাপ্তির তারিখ", "আবেদনের তারিখ", "অভিযোগের তারিখ", "অভিযোগ দাখিলের তারিখ"),
        *("অভিযোগ প্রাপ্তির তারিখ", "দাখিলের তারিখ", "জমার তারিখ", "অভিযোগ গ্রহণের তারিখ", "তাং", "আবেদন গ্রহণের তারিখ"),
        *("date", "received on", "date received", "date of receipt", "receipt date", "received date", "complaint date"),
        *("application date", "date of application", "date of complaint"),
    ),
    "medium": ("মাধ্যম", "অভিযোগের মাধ্যম", "প্রাপ্তির মাধ্যম", "কীভাবে এসেছে", "medium", "channel", "mode", "received by"),
    "programme": (
        *("কর্মসূচি", "কর্মসূচির নাম", "কর্মসূচী", "ভাতা", "ভাতার নাম", "ভাতার ধরন", "সেবা", "সেবার নাম", "প্রকল্প"),
        *("প্রকল্পের নাম", "কার্যক্রম", "কার্যক্রমের নাম", "প্রোগ্রাম", "কোন ভাতা", "সংশ্লিষ্ট কর্মসূচি", "স্কিম"),
        *("programme", "program", "programme name", "scheme", "allowance", "service", "benefit", "allowance type"),
    ),
    "category": (
        *("ধরন", "অভিযোগের ধরন", "অভিযোগের ধরণ", "বিষয়", "অভিযোগের বিষয়", "শ্রেণি", "অভিযোগের শ্রেণি", "ক্যাটাগরি"),
        *("সমস্যার ধরন", "সমস্যা"),
        *(
            "category",
            "type",
            "complaint type",
            "type of complaint",
            "grievance type",
            "subject",
            "nature of complaint",
        ),
    ),
    "district": ("জেলা", "জেলার নাম", "district", "zila", "zilla", "district name"),
    "upazila": (
        *("উপজেলা", "উপজেলার নাম", "থানা", "উপজেলা/থানা", "থানা/উপজেলা", "সিটি কর্পোরেশন", "উপজেলা বা সিটি কর্পোরেশন"),
        *("upazila", "upazilla", "thana", "sub district", "upazila/thana", "upazila name", "city corporation"),
    ),
    "place": (
        *("ঠিকানা", "গ্রাম", "ইউনিয়ন", "ওয়ার্ড", "ওয়ার্ড নং", "গ্রাম/মহল্লা", "মহল্লা", "পৌরসভা", "গ্রামের নাম", "ইউনিয়নের নাম"),
        *("বর্তমান ঠিকানা", "স্থায়ী ঠিকানা", "অভিযোগকারীর ঠিকানা", "ইউনিয়ন/পৌরসভা", "ডাকঘর", "স্থান", "এলাকা"),
        *("address", "village", "union", "ward", "ward no", "place", "location", "post office", "municipality"),
    ),
    "details": (
        *("বিবরণ", "অভিযোগ", "অভিযোগের বিবরণ", "বর্ণনা", "অভিযোগের বর্ণনা", "সংক্ষিপ্ত বিবরণ", "ঘটনা", "ঘটনার বিবরণ"),
        *("অভিযোগের সংক্ষিপ্ত বিবরণ", "আবেদনের বিষয়বস্তু", "সমস্যার বিবরণ", "মূল অভিযোগ", "কী ঘটেছে", "অভিযোগের সারসংক্ষেপ"),
        *("details", "description", "complaint", "grievance", "complaint details", "summary", "what happened"),
        *("details of complaint", "description of complaint"),
    ),
    "incident_on": (
        *("ঘটনার তারিখ", "কবে ঘটেছে", "ঘটনা সংঘটনের তারিখ"),
        *("incident date", "date of incident", "incident on", "when did it happen", "happened on"),
    ),
    "name": (
        *("নাম", "অভিযোগকারীর নাম", "আবেদনকারীর নাম", "ভাতাভোগীর নাম", "উপকারভোগীর নাম", "অভিযোগকারী", "আবেদনকারী"),
        *("সুবিধাভোগীর নাম", "ভোক্তার নাম", "উপকারভোগী", "ভাতাভোগী"),
        *("name", "complainant", "complainant name", "name of complainant", "applicant", "applicant name", "full name"),
        *("beneficiary", "beneficiary name", "name of applicant"),
    ),
    "phone": (
        *("মোবাইল", "মোবাইল নম্বর", "মোবাইল নং", "ফোন", "ফোন নম্বর", "ফোন নং", "মুঠোফোন", "যোগাযোগের নম্বর", "মোবাইল নাম্বার"),
        *("মোবাইল ফোন", "মুঠোফোন নম্বর", "টেলিফোন", "যোগাযোগ", "ফোন নাম্বার", "অভিযোগকারীর মোবাইল"),
        *("phone", "mobile", "mobile no", "mobile number", "phone no", "phone number", "cell", "contact", "contact no"),
        *("telephone", "contact number", "cell no"),
    ),
    "email": ("ইমেইল", "ই-মেইল", "ই-মেইল ঠিকানা", "email", "e-mail", "email address", "mail"),
    "sex": ("লিঙ্গ", "জেন্ডার", "sex", "gender"),
    "age_group": ("বয়স", "বয়সসীমা", "বয়স (বছর)", "age", "age group"),
    "disability": ("প্রতিবন্ধিতা", "প্রতিবন্ধী", "প্রতিবন্ধী কি না", "disability", "disabled"),
    "representative_name": (
        *("প্রতিনিধির নাম", "পক্ষে আবেদনকারী", "পক্ষে যিনি", "যার মাধ্যমে"),
        *("representative", "representative name", "filed by", "on behalf by"),
    ),
    "relation": ("সম্পর্ক", "অভিযোগকারীর সাথে সম্পর্ক", "relation", "relationship"),
    "anonymous": ("নাম গোপন", "পরিচয় গোপন", "বেনামি", "নাম প্রকাশে অনিচ্ছুক", "গোপনীয়", "anonymous", "confidential"),
    APPEND: (
        *("পিতার নাম", "পিতা", "মাতার নাম", "মাতা", "স্বামীর নাম", "স্বামী", "পিতা/স্বামী", "পিতা/স্বামীর নাম", "মন্তব্য"),
        *("পিতা/স্বামী/মাতার নাম", "স্বামী/পিতার নাম", "কতদিন", "টাকার পরিমাণ", "কিস্তি", "মাস"),
        *("father", "father name", "husband", "husband name", "father/husband", "mother name", "remarks", "amount"),
        *("father's name", "husband's name", "mother's name", "father/husband name"),
    ),
    NOTHING: (
        *("ক্রমিক", "ক্রমিক নং", "ক্রমিক নম্বর", "ক্রঃ নং", "ক্র নং", "ক্রম", "নং", "নম্বর", "স্মারক নং", "ডায়েরি নং", "স্বাক্ষর"),
        *("জাতীয় পরিচয়পত্র", "জাতীয় পরিচয়পত্র নম্বর", "এনআইডি", "এনআইডি নম্বর", "এনআইডি নং", "জন্ম নিবন্ধন নম্বর"),
        *("হিসাব নম্বর", "গৃহীত ব্যবস্থা", "ব্যবস্থা", "বই নং", "পরিচয়পত্র নম্বর", "জাতীয় পরিচয়পত্র নং"),
        *("serial", "sl", "sl no", "serial no", "no", "nid", "nid no", "nid number", "national id", "signature", "id"),
        *("account no", "account number", "action taken", "memo no", "diary no"),
    ),
}
RESULT_HEADINGS = (
    *("ফলাফল", "ট্র্যাকিং নম্বর (GRM)", "গোপন কোড (GRM)", "দায়িত্বপ্রাপ্ত দপ্তর (GRM)", "নিষ্পত্তির শেষ তারিখ (GRM)"),
    *("কারণ", "Reason (GRM)", "সারি (GRM)"),
)
"""Headings of the columns that a results file adds; handed in again, they are not part of the register."""

OLD_FONT = frozenset(
    {
        *("bvg", "ZvwiL", "ZvwiLt", "wVKvbv", "weeiY", "DcRjv", "DcRjv", "gšÍe¨", "eqm", "MÖvg"),
        *("†gvevBj", "‡gvevBj", "†gvevBj bs", "‡gvevBj bs", "Awf‡hvM", "Awf‡hv‡Mi weeiY", "†Rjv", "‡Rjv"),
        *("µwgK", "µwgK bs", "µ: bs", "cÖwZKv‡ii weeiY", "Kg©m~wP", "Dc‡Rjv", "DcRjvi bvg"),
    }
)
"""Headings as the old Bijoy (SutonnyMJ) fonts store them: Latin letters that only look like Bangla in that font."""


def field_of(heading: str) -> str | None:
    """The field that a heading names (`NOTHING` and `APPEND` among them); None for one that is not known."""
    if heading.strip() in RESULT_HEADINGS:
        return NOTHING
    wanted = _key(heading)
    if not wanted:
        return None
    return _known().get(wanted)


def is_result(heading: str) -> bool:
    """Whether a column was added by a results file."""
    return heading.strip() in RESULT_HEADINGS


def known_in(cells: Iterable[str]) -> int:
    """How many different fields a row of headings names."""
    found = [field_of(cell) for cell in cells if cell.strip()]
    return len({each for each in found if each}) + (NOTHING in found)


def is_header(cells: Sequence[str]) -> bool:
    """Whether a row can be the header: enough headings are known, and one of them is about a complaint or a person."""
    fields = {field_of(cell) for cell in cells if cell.strip()}
    return known_in(cells) >= LEAST_KNOWN and bool(fields & {"name", "phone", "details", "programme", "category"})


def is_in_old_font(cells: Iterable[str]) -> bool:
    """Whether a row holds headings in the letters of an old Bangla font."""
    return any(cell.strip() in OLD_FONT for cell in cells)


def guess(headings: Sequence[str]) -> list[str]:
    """The field of each column; of several for one field the first has it, the others are added to the description."""
    found: list[str] = []
    for heading in headings:
        field = field_of(heading)
        if field is None:
            field = NOTHING
        elif field and field in found and field not in REPEATABLE:
            field = APPEND
        found.append(field)
    return found


def _key(heading: str) -> tuple[str, ...]:
    """The words of a heading without their order, endings and what stands in brackets to explain it."""
    plain = heading.partition("(")[0].strip() or heading
    return tuple(sorted({key(word) for word in words(plain) if word not in FILLERS}))


@lru_cache(maxsize=1)
def _known() -> dict[tuple[str, ...], str]:
    return {_key(heading): field for field, headings in _WORDS.items() for heading in headings}
