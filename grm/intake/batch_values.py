"""What the cells of a register mean: dates however written, numbers that a spreadsheet has spoilt, words for codes. Pure.

A parser answers None for what it cannot read. Whether that is a fault is for `batch_rows.py` to say: a complaint is not refused
because somebody's age is unreadable.
"""

import re
from datetime import date, timedelta

from grm.kernel.contact import parse_mobile
from grm.kernel.errors import InvalidInput
from grm.kernel.text import latin_digits, parse_date, search_key
from grm.kernel.words import key, words

_MONTHS = (
    *(("january", "jan", "জানুয়ারি", "জানুয়ারী", "জানু"), ("february", "feb", "ফেব্রুয়ারি", "ফেব্রুয়ারী", "ফেব্রু", "ফেব")),
    *(("march", "mar", "মার্চ"), ("april", "apr", "এপ্রিল"), ("may", "মে"), ("june", "jun", "জুন")),
    *(
        ("july", "jul", "জুলাই"),
        ("august", "aug", "আগস্ট", "আগষ্ট", "অগাস্ট"),
        ("september", "sept", "sep", "সেপ্টেম্বর", "সেপ্ট"),
    ),
    *(
        ("october", "oct", "অক্টোবর", "অক্টো"),
        ("november", "nov", "নভেম্বর", "নভে"),
        ("december", "dec", "ডিসেম্বর", "ডিসে"),
    ),
)
_MONTH = {search_key(name): number for number, names in enumerate(_MONTHS, 1) for name in names}
_ERA = re.compile(r"\s*(খ্রিস্টাব্দ|খ্রিষ্টাব্দ|খ্রিঃ|খ্রি[.:]?|খৃঃ|খৃ[.:]?|ইং|ইংরেজি|সাল)[.:।]?\s*$")
_TIME = re.compile(r"[T ]\s*[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?\s*([ap]m)?z?$", re.IGNORECASE)
_SHORT_YEAR = re.compile(r"([0-9]{1,2})\s*[/.\-]\s*([0-9]{1,2})\s*[/.\-]\s*([0-9]{2}|[0-9]{4})")
_SERIAL = re.compile(r"([2-7][0-9]{4})(\.[0-9]+)?")
_DAY_0 = date(1899, 12, 30)
"""Day 0 of Excel's count, as it works for every day from March 1900 on."""
_1904_SHIFT = timedelta(days=1462)

_SHORTENED = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+")
_SEPARATE_NUMBERS = re.compile(r"[,;/|\n]|\bor\b|বা|ও")

_NOTHING = frozenset(
    search_key(text)
    for text in ("-", "--", "---", "।", "n/a", "na", "nil", "none", "নাই", "নেই", "নাই।", "x", "০", "0", ".", "প্রযোজ্য নয়")
)
_UNKNOWN = frozenset(
    search_key(text) for text in ("unknown", "জানি না", "জানা নেই", "জানা নাই", "অজানা", "অজ্ঞাত", "not known", "do not know")
)
_NAMELESS = frozenset(
    search_key(text)
    for text in (
        *("নাম প্রকাশে অনিচ্ছুক", "নাম প্রকাশ না করার শর্তে", "নাম গোপন", "পরিচয় গোপন", "বেনামি", "বেনামী", "অজ্ঞাতনামা"),
        *("anonymous", "name withheld", "withheld", "confidential"),
    )
)
_YES = frozenset(
    search_key(word) for word in ("হ্যাঁ", "হ্যা", "হা", "জি", "yes", "y", "true", "1", "✓", "√", "আছে", "গোপন", "on")
)
_NO = frozenset(search_key(word) for word in ("না", "no", "n", "false"))
_LONGEST_WORD = 40
"""Nothing longer is a word for "none" or "not known"."""
_SEX = {
    "female": ("নারী", "মহিলা", "স্ত্রী", "female", "f", "woman", "ম"),
    "male": ("পুরুষ", "male", "m", "man", "পু"),
    "other": ("হিজড়া", "তৃতীয় লিঙ্গ", "অন্যান্য", "অন্য", "other", "hijra", "third gender"),
}
_MEDIUM = {
    "paper": ("কাগজ", "কাগজে", "লিখিত", "লিখিত আবেদন", "দরখাস্ত", "আবেদন", "paper", "written", "form", "হাতে হাতে"),
    "letter": ("চিঠি", "ডাকযোগে", "ডাক", "letter", "post", "mail"),
    "email": ("ইমেইল", "ই-মেইল", "email", "e-mail"),
    "call_centre": ("ফোন", "ফোনে", "কল", "৩৩৩", "333", "মোবাইলে", "টেলিফোন", "phone", "call", "call centre", "helpline"),
    "assisted": (
        "মৌখিক",
        "সরাসরি",
        "সশরীরে",
        "গণশুনানি",
        "ডেস্ক",
        "ইউডিসি",
        "oral",
        "verbal",
        "in person",
        "desk",
        "assisted",
        "walk in",
    ),
}
_RELATION = {
    "family": (
        "ছেলে",
        "মেয়ে",
        "পুত্র",
        "কন্যা",
        "স্ত্রী",
        "স্বামী",
        "ভাই",
        "বোন",
        "মা",
        "বাবা",
        "পিতা",
        "মাতা",
        "নাতি",
        "আত্মীয়",
        "পরিবার",
    ),
    "neighbour": ("প্রতিবেশী", "neighbour", "neighbor"),
    "guardian": ("অভিভাবক", "guardian"),
    "representative": ("প্রতিনিধি", "মেম্বার", "চেয়ারম্যান", "representative", "member", "chairman"),
}
_ERROR = re.compile(r"#(REF!|DIV/0!|VALUE!|N/A|NAME\?|NUM!|NULL!|FORMULA!)")
"""How a spreadsheet writes its errors into a CSV file; the last one is our own, in results files."""
_AGE = re.compile(r"[0-9]{1,3}")


def is_nothing(text: str) -> bool:
    """Whether a cell is empty, or holds a dash or a word for "none"."""
    return not text.strip() or (len(text) < _LONGEST_WORD and search_key(text) in _NOTHING)


def error_in(text: str) -> str:
    """The error of the spreadsheet that a cell holds as text: `value` or `formula`; else empty."""
    if not text.startswith("#") or not _ERROR.fullmatch(text.strip()):
        return ""
    return "formula" if "FORMULA" in text else "value"


def error_text(code: str) -> str:
    """An error as it stands in a results file, so that it is one again when the file is handed in again."""
    return "#FORMULA!" if code == "formula" else "#VALUE!"


def is_unknown(text: str) -> bool:
    """Whether a cell says that it is not known."""
    return len(text) < _LONGEST_WORD and search_key(text) in _UNKNOWN


def is_nameless(text: str) -> bool:
    """Whether what stands in the place of the name says that there is to be none."""
    return search_key(text).strip(" ।.()") in _NAMELESS


def parse_day(text: str, starts_1904: bool = False) -> date | None:
    """A date as registers write it: 5/3/26, ০৫-০৩-২০২৬ ইং, 5 March 2026, মার্চ ৫, ২০২৬, 2026-03-05 00:00, or Excel's day number.

    The day comes before the month, always. None for anything else, a Bangla calendar date among them.
    """
    plain = _TIME.sub("", _ERA.sub("", latin_digits(text.strip()[:60]).replace("–", "-").replace("/ ", "/"))).strip()
    if serial := _SERIAL.fullmatch(plain):
        day = _DAY_0 + timedelta(days=int(serial[1]))
        return day + _1904_SHIFT if starts_1904 else day
    if short := _SHORT_YEAR.fullmatch(plain):
        year = short[3] if len(short[3]) == 4 else f"20{short[3]}"
        return parse_date(f"{short[1]}/{short[2]}/{year}")
    return parse_date(plain) or _spelt_out(plain)


def _spelt_out(text: str) -> date | None:
    parts = [
        part
        for part in re.split(r"[\s,./\-|]+", search_key(text))
        if part not in ("", "of", "st", "nd", "rd", "th", "ই", "লা", "রা")
    ]
    months = [_MONTH[part] for part in parts if part in _MONTH]
    figures = [re.sub(r"(st|nd|rd|th|ই|লা|রা|শে|ঠা)$", "", part) for part in parts if part not in _MONTH]
    if len(months) != 1 or len(figures) != 2 or not all(figure.isascii() and figure.isdigit() for figure in figures):
        return None
    day, year = figures if len(figures[0]) < 3 else reversed(figures)
    return parse_date(f"{day}/{months[0]}/{year if len(year) == 4 else '20' + year}")


def is_shortened(text: str) -> bool:
    """Whether a spreadsheet has turned a long number into a power of ten: 1.71E+09. The figures are lost."""
    return _SHORTENED.fullmatch(latin_digits(text.strip())) is not None


def mend_phone(text: str) -> str:
    """The first usable mobile number of a cell, with the zero back that a spreadsheet took; else the text as it is."""
    for part in (text, *_SEPARATE_NUMBERS.split(text)):
        digits = re.sub(r"[\s\-.']", "", latin_digits(part))
        tried = "0" + digits if re.fullmatch("1[3-9][0-9]{8}", digits) else part.strip().lstrip("'")
        try:
            return parse_mobile(tried)
        except InvalidInput:
            continue
    return text


def parse_yes(text: str) -> bool | None:
    """Yes or no in either language; None for neither."""
    plain = search_key(text).strip(" ।.") if text else ""
    return True if plain in _YES else False if plain in _NO else None


def parse_sex(text: str) -> str | None:
    """One of `screening.SEXES`."""
    return _code(text, _SEX)


def parse_medium(text: str) -> str | None:
    """One of `screening.MEDIA`."""
    return _code(text, _MEDIUM)


def parse_relation(text: str) -> str | None:
    """One of `screening.RELATIONS`."""
    return _code(text, _RELATION)


def parse_age_group(text: str) -> str | None:
    """The age group of an age in years."""
    found = _AGE.search(latin_digits(text))
    if found is None or int(found[0]) > 120:
        return None
    age = int(found[0])
    return "under_18" if age < 18 else "18_35" if age <= 35 else "36_59" if age <= 59 else "60_plus"


def _code(text: str, codes: dict[str, tuple[str, ...]]) -> str | None:
    if len(text) > _LONGEST_WORD:
        return None
    plain = search_key(text).strip(" ।.")
    stem = tuple(key(word) for word in words(text))
    for code, names in codes.items():
        if any(plain == search_key(name) or stem == tuple(key(word) for word in words(name)) for name in names):
            return code
    return None
