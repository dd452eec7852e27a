"""Text as people in Bangladesh type it: two scripts, two sets of digits, two encodings of some letters.

Rules, applied once, at the edge:

* NFC on write and on query. ড় ঢ় য় have a one-character and a two-character form; both become the
  two-character one.
* NUL and lone surrogates cannot be stored by PostgreSQL at all. They are **refused** (`InvalidInput`
  `control-characters`), never removed silently: whoever sends them is no keyboard.
* Other control characters and directional overrides come with pasted text and mean nothing: they are
  removed.
* ZWJ and ZWNJ shape Bangla conjuncts and are kept.
* At most `MAX_MARKS` combining marks follow one another. Real text needs three or four; thousands break the
  page.
"""

import re
import unicodedata
from datetime import date

from grm.kernel.errors import InvalidInput

MAX_MARKS = 8

# The zeros of Bangla, Arabic-Indic, extended Arabic-Indic, Devanagari and full-width digits.
_ZEROS = (0x09E6, 0x0660, 0x06F0, 0x0966, 0xFF10)
_TO_LATIN = {zero + value: 0x30 + value for zero in _ZEROS for value in range(10)}
_TO_BANGLA = {0x30 + value: 0x09E6 + value for value in range(10)}

_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_DROP_INVISIBLE = {ord(character): None for character in _INVISIBLE}
_BLANK = re.compile(f"[\\s\u00a0{_INVISIBLE}]*")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile("[\x01-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_SPACES = re.compile(r"\s+")
_NO_LETTER = re.compile(rf"\W{{{MAX_MARKS + 1}}}")
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.\-]([0-9]{1,2})[/.\-]([0-9]{4})")
_YEAR_FIRST = re.compile(r"([0-9]{4})[/.\-]([0-9]{1,2})[/.\-]([0-9]{1,2})")
_PAGE = re.compile(r"[0-9]{1,6}")

_EARLIEST_YEAR, _LATEST_YEAR = 1900, 2199


def nfc(text: str) -> str:
    """The text in Unicode normalisation form C, with overlong runs of combining marks cut.

    The runs are cut first because ordering the marks of one run takes time that grows with its square.
    """
    if text.isascii():
        return text
    return _cap_marks(unicodedata.normalize("NFC", _cap_marks(text)))


def latin_digits(text: str) -> str:
    """The text with Bangla, Arabic-Indic, Devanagari and full-width digits as 0-9; all else unchanged."""
    return text.translate(_TO_LATIN)


def bangla_digits(text: str) -> str:
    """The text with 0-9 as ০-৯; all else unchanged."""
    return text.translate(_TO_BANGLA)


def is_blank(text: str | None) -> bool:
    """Whether there is nothing to read: empty, spaces of any kind, or zero-width characters only."""
    return text is None or _BLANK.fullmatch(text) is not None


def has_forbidden_characters(text: str) -> bool:
    """Whether the text holds NUL or a lone surrogate, which can be neither stored nor sent."""
    return _UNSTORABLE.search(text) is not None


def clean_text(text: str) -> str:
    """Text of several lines, ready to store: NFC, LF line ends, no control characters, no blank edges.

    Raises `InvalidInput` `control-characters` for what cannot be stored. Blank text becomes the empty string.
    """
    if has_forbidden_characters(text):
        raise InvalidInput("control-characters")
    if is_blank(text):
        return ""
    lines = _LINE_BREAK.sub("\n", text)
    return nfc(_CONTROL.sub("", lines)).strip()


def clean_line(text: str) -> str:
    """Text of one line (a name, a subject): as `clean_text`, with every run of white space as one space."""
    return _SPACES.sub(" ", clean_text(text))


def search_key(text: str) -> str:
    """What two spellings of the same words have in common: NFC, case folded, Latin digits, single spaces.

    Zero-width characters are dropped: whether somebody typed ZWJ in a conjunct must not decide what is found.
    Never raises: what cannot be stored can be looked for, in vain.
    """
    visible = _CONTROL.sub("", _UNSTORABLE.sub("", text)).translate(_DROP_INVISIBLE)
    return _SPACES.sub(" ", nfc(latin_digits(nfc(visible)).casefold())).strip()


def parse_date(text: str) -> date | None:
    """A date typed as dd/mm/yyyy, dd-mm-yyyy, dd.mm.yyyy or yyyy-mm-dd in any digits; None if it is none of
    these.

    Years outside 1900-2199 are typing errors.
    """
    plain = latin_digits(text[:40]).strip()
    if day_first := _DAY_FIRST.fullmatch(plain):
        day, month, year = (int(part) for part in day_first.groups())
    elif year_first := _YEAR_FIRST.fullmatch(plain):
        year, month, day = (int(part) for part in year_first.groups())
    else:
        return None
    if not _EARLIEST_YEAR <= year <= _LATEST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def parse_page_number(text: str | None) -> int:
    """The page asked for, in any digits; 1 for anything that is no positive number. A page link never
    fails."""
    plain = latin_digits((text or "")[:40]).strip()
    return max(1, int(plain)) if _PAGE.fullmatch(plain) else 1


def _cap_marks(text: str) -> str:
    """Cut each run of combining marks to `MAX_MARKS`; joiners within a run do not start it anew."""
    if not _NO_LETTER.search(text):  # marks and joiners are no letters: nearly every text is done here
        return text
    kept: list[str] = []
    run = 0
    for character in text:
        kind = unicodedata.category(character)
        if kind[0] == "M":
            run += 1
            if run > MAX_MARKS:
                continue
        elif kind != "Cf":
            run = 0
        kept.append(character)
    return text if len(kept) == len(text) else "".join(kept)
