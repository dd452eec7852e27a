"""The words of a text, in the form in which they are looked for: one key for all forms and spellings of a word.

Used on write and on query alike, so a key need not be a word; it must only be the same for what belongs together:

* Either encoding of ড় ঢ় য়, any digits, upper and lower case, with and without joiners (`grm.kernel.text.search_key`).
* Inflection: ভাতা, ভাতার, ভাতাটা; office, offices. Endings are taken off one after the other as long as two letters remain,
  so that a form and the form of a form meet at the same key.
* Spellings that sound alike and are mixed up by everybody: ি ী, ু ূ, ণ ন, শ ষ স, জ য at the beginning, ঁ or none.

Taking off too much finds too much, which a second word puts right; taking off too little finds nothing.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from grm.kernel.text import search_key

LONGEST_WORD = 40
"""Letters and marks of a key. Longer ones are cut: a run of a thousand letters is no word."""

HONORIFICS = frozenset(
    {
        *("মো", "মোছা", "মোসা", "মোছাম্মৎ", "মোসাম্মৎ", "জনাব", "জনাবা", "শ্রী", "শ্রীমতী", "মি", "মিসেস", "ডা"),
        *("md", "mst", "most", "mosammat", "mr", "mrs", "ms", "dr"),
    }
)
"""What stands before half of all names and tells nobody apart."""

FILLERS = frozenset({*("ও", "এবং", "বা", "এর", "the", "of", "and", "in", "a", "an", "to", "for", "on")})
"""What a query may leave out: they would only have to be there."""

_VISARGA = "\u0983"  # typed for a colon or a full stop of an abbreviation: মোঃ, তারিখঃ
_MARKS = "".join(chr(code) for code in range(0x0300, 0x0E50) if unicodedata.category(chr(code))[0] == "M")
# Letters and digits, and the marks that follow them: Python's own \w has no marks, and would cut Bangla at every vowel sign.
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}])*")
_ENDINGS = tuple(
    sorted(
        (
            *("গুলোর", "গুলোকে", "গুলোতে", "গুলো", "গুলির", "গুলিকে", "গুলিতে", "গুলি"),
            *("দেরকে", "দের", "েরা", "রা", "টার", "টাকে", "টাতে", "টা", "টির", "টিকে", "টিতে", "টি", "খানা", "খানি"),
            *("ের", "র", "কে", "তে", "ে", "য\u09bc", "ই", "ও"),
        ),
        key=len,
        reverse=True,
    )
)
_ALIKE = str.maketrans({"ী": "ি", "ূ": "ু", "ঈ": "ই", "ঊ": "উ", "ণ": "ন", "ষ": "শ", "স": "শ", "ঁ": None})
_NUKTA = "\u09bc"


def words(text: str) -> Iterator[str]:
    """The words of a text in the order they stand, as typed but for case, digits and encoding; of letters and digits only.

    A sign is never a word: % and _ separate words as a comma does.
    """
    for found in _WORD.finditer(search_key(text)):
        yield found[0].rstrip(_VISARGA)


@lru_cache(maxsize=20_000)
def key(word: str) -> str:
    """What all forms and spellings of a word (as `words` yields it) have in common."""
    short = word[:LONGEST_WORD]
    if short.isascii():
        return _english(short)
    stem = short
    while (shorter := _without_ending(stem)) is not None:
        stem = shorter
    folded = stem.translate(_ALIKE)
    if folded[:1] == "য" and folded[1:2] not in (_NUKTA, "্"):
        folded = "জ" + folded[1:]
    return folded or short


def keys(text: str) -> frozenset[str]:
    """The keys of all words of a text."""
    return frozenset(key(word) for word in words(text))


def name_keys(name: str) -> tuple[str, ...]:
    """The keys of a person's name, each once, in their order, without titles; empty where nothing else is there."""
    return tuple(dict.fromkeys(key(word) for word in words(name) if word not in HONORIFICS))


def _without_ending(word: str) -> str | None:
    for ending in _ENDINGS:
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            if sum(character.isalpha() for character in stem) >= 2 and not stem.endswith("্"):
                return stem
    return None


def _english(word: str) -> str:
    if not word.isalpha() or len(word) < 4:
        return word
    stem = word
    if stem.endswith("ies"):
        stem = stem[:-3] + "y"
    elif stem.endswith("s") and not stem.endswith("ss"):
        stem = stem[:-1]
    for ending in ("ing", "ed"):
        if stem.endswith(ending) and len(stem) - len(ending) >= 4:
            stem = stem.removesuffix(ending)
    return stem[:-1] if stem.endswith("e") and len(stem) > 4 else stem
