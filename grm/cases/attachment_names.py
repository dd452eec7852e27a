"""What a file is called when it is shown or handed out. Pure.

A name somebody else chose is never a path, and never decides what a file is: only its stem is kept, cleaned first and
looked at afterwards, and the ending is that of the kind that was found.
"""

import re
from urllib.parse import quote

from grm.files.kinds import Kind
from grm.kernel.text import nfc

LONGEST = 100
_BAD = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff\ud800-\udfff]"
)
_NO_NAME = re.compile(r'[<>:"|?*%;]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE)
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,5}$")


def clean_name(given: str, kind: Kind) -> str:
    """A name to show and to hand out: of what the sender called it, with the ending that is right. Empty if nothing is left."""
    stem = nfc(_BAD.sub("", given)).replace("\\", "/").rsplit("/", 1)[-1]
    stem = _ENDING.sub("", " ".join(_NO_NAME.sub(" ", stem).split())).strip(" .")
    stem = _shortened(stem, LONGEST)
    if not stem or _RESERVED.fullmatch(stem.split(".")[0]):
        return ""
    return f"{stem}.{kind.extension}"


def disposition(name: str, fallback: str) -> str:
    """The Content-Disposition that makes a browser save a file (RFC 6266): an ASCII name for old ones, the true one beside
    it. `fallback` is ASCII."""
    plain = name if name.isascii() else fallback
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name or fallback, safe='')}"


def _shortened(text: str, longest: int) -> str:
    """At most so many characters, not cut within a Bangla conjunct or before a vowel sign."""
    if len(text) <= longest:
        return text
    end = longest
    while end > longest - 20 and not (text[end].isalnum() and text[end - 1].isalnum()):
        end -= 1
    return text[:end].strip(" .")
