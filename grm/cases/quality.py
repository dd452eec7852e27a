"""Does a reply say something? Questions put to the officer before it is taken; never a refusal. Pure.

Where closed cases were audited elsewhere, one reply in eight was blank or had nothing to do with the complaint. What tells
such a reply: nothing is left of it without polite formulas and set phrases ("noted", "under process", "necessary action has
been taken"); the office has written the same to somebody else; it is a canned text as it came, or one with its blanks still
open; or it is hardly in the language of the complainant. Each of these may be right for once: then the officer confirms it,
and the history notes which question it was.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import blake2b

from grm.kernel.text import search_key

EMPTY, REPEATED, CANNED, UNFILLED, LANGUAGE = "empty", "repeated", "canned", "unfilled", "language"
CODES = (EMPTY, UNFILLED, CANNED, REPEATED, LANGUAGE)
"""The questions, in the order in which they are put."""

FEWEST_WORDS = 3
"""Different words of content that a reply has at least: what was found or done, to what, and when or why."""
SAME_SHARE = 0.9
"""Share of common words from which on two replies are the same; other amounts, dates and names make two of them."""
LEAST_SHARE = 0.35
"""Share of letters in the complainant's script that a reply has at least. One in both languages passes."""
FEWEST_LETTERS = 12
SKETCH_SIZE = 96

_WORD = re.compile(r"[\w\u0980-\u09e5]+")
_NUMBER = re.compile(r"\b[0-9a-z]{4}[- ]?[0-9a-z]{4}[- ]?[0-9a-z]{5}\b")
_QUOTED = re.compile('“[^”]*”|«[^»]*»|„[^“]*“|"[^"\n]*"|‘[^’\n]*’')
_BLANK = re.compile(r"\[[^\]\n]{0,80}\]|\{\w+\}|_{3,}|\.{5,}|…{2,}")
_BANGLA, _LATIN = re.compile("[\u0985-\u09b9\u09ce\u09dc-\u09e1]"), re.compile("[A-Za-z]")

_SET_PHRASES = """
    a an and any are as at be been being but by can could do does done for from had has have having he her his i if in into is
    it its may me my no not of on or our shall she so soon that the their them then there these they this those to us was we
    were will with would you your
    acknowledge acknowledged action actions advised also application appropriate asap attention authorities authority best
    carefully case closed complaint complaints complied concern concerned concerning consideration considered dear department
    disposed dispose duly examined file follow forwarded further given grievance hereby immediate immediately inform informed
    issue issues kindly look looked looking madam make matter matters measures mr mrs ms necessary needful no. note noted now
    number office ok okay ongoing order pending per please possible process processed processing progress prompt promptly
    proper properly receipt received ref reference regard regarding regards related relevant request requested resolve
    resolved respected respond response review reviewed reviewing settled shortly sir sincerely solved steps subject taken
    take taking thank thanks tracking under understood view warm well working yes
    অতএব অতি অত্র অথবা অনুগ্রহ অনুগ্রহপূর্বক অনুযায়ী অনুরোধ অবগত অবহিত অবিলম্বে অভিযোগ অভিযোগকারী অভিযোগকারীর অভিযোগটি
    অভিযোগটির অভিযোগের অর্থাৎ অফিস আইনানুগ আকারে আগে আছে আছেন আন্তরিক আপনাকে আপনার আপনি আমরা আমাদের আমি আর আলাইকুম
    আলোকে আসসালামু আসসালামুআলাইকুম আদাব আবেদন আবেদনটি আবেদনের ইতিমধ্যে ইতোমধ্যে ইহা উক্ত উপরোক্ত উপযুক্ত এ এই এবং এক একটি
    এখন এখনো এটা এটি এতদ্বারা এতে এদিকে এর ঐ ও ওই কখনো কর করছি করছে করতঃ করতে করলে করবে করবেন করব করা করার করানো করি করে
    করেছি করেছে করেছেন কর্তৃক কর্তৃপক্ষ কর্তৃপক্ষকে কর্তৃপক্ষের কাজ কার্যক্রম কার্যালয় কার্যালয়ে কার্যালয়ের কি কিছু কিন্তু কে
    কোন কোনো ক্ষেত্রে খুব গুরুত্ব গুরুত্বের গৃহীত গ্রহণ গেছে গেল চলছে চলমান ছিল জন্য জনাব জনাবা জানা জানানো জানাচ্ছি জানাই
    জ্ঞাত ট্র্যাকিং ট্রাকিং ঠিক ত তবে থেকে তা তাই তাকে তাঁর তার তারা তাহলে তো থাকুন দপ্তর দপ্তরে দপ্তরের দিকে দিয়ে দ্বারা দেওয়া দেয়া
    দেখছি দেখা দেখবে দয়া দ্রুত দ্রুততম ধন্যবাদ ধৈর্য ধরুন নং নথি নথিজাত নথিভুক্ত নথিভূক্ত নম্বর না নাই নিকট নিচ্ছি নিতে
    নিমিত্ত নিবেদন নিয়ম নিয়মানুযায়ী নিয়ে নিয়েছি নির্দেশ নির্দেশনা নির্দেশক্রমে নিষ্পত্তি নিষ্পন্ন নেই নেওয়া নেয়া নেবে নোট পক্ষ
    পক্ষে পদক্ষেপ পর পরবর্তী পরবর্তীতে পরিপ্রেক্ষিতে পরে পর্যালোচনা প্রক্রিয়া প্রক্রিয়াধীন প্রতি প্রদান প্রয়োজন প্রয়োজনীয়
    প্রসঙ্গে প্রাপ্ত প্রিয় প্রেক্ষিতে প্রেরণ বটে বরাবর বর্ণিত বলা বলে বা বিধায় বিধি মোতাবেক বিবেচনা বিবেচনাধীন বিষয় বিষয়টি
    বিষয়টির বিষয়ে বিষয়ের বিশেষ বিনীত ব্যবস্থা ভাবে ভালো মতো মর্মে মধ্যে মহোদয় মহোদয়ের মহাশয় মাননীয় মাধ্যমে মূলে মোতাবেক যখন
    যত যথা যথাযথ যথাযথভাবে যথাশীঘ্র যথাসম্ভব যথাসময়ে যা যাচ্ছে যাবে যায় যে যেন যেতে রয়েছে রেখে লক্ষ্যে শীঘ্র শীঘ্রই শুভেচ্ছা শেষ
    শ্রদ্ধেয় সংক্রান্ত সংশ্লিষ্ট সঙ্গে সময় সমাধান সমাপ্ত সম্পন্ন সম্পর্কে সম্মানিত সহ সহকারে সহিত সাথে সাপেক্ষে সালাম
    সাড়া সে সেই স্যার হইতে হইবে হইয়াছে হইল হচ্ছে হতে হবে হয় হয়নি হয়েছে হয়েছিল হলে হলো হোক টি টির র এর কে ইং
"""
_STOCK = frozenset(_WORD.findall(search_key(_SET_PHRASES)))
"""Words that say nothing of a case: grammar, politeness, and the phrases by which files are closed."""


@dataclass(frozen=True, slots=True)
class Question:
    """Something to look at once more. `language` is the language wanted, where that is the question."""

    code: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier reply of the office on another case, as it is remembered."""

    fingerprint: bytes
    sketch: tuple[int, ...]


def questions(
    reply: str, language: str, earlier: Iterable[Earlier] = (), canned: Iterable[str] = ()
) -> tuple[Question, ...]:
    """What to ask about a reply in the case's language (`bn` or `en`), given what the office has written to others and the
    canned texts as they would have been inserted here."""
    found: set[str] = set()
    if len(_content(reply)) < FEWEST_WORDS:
        found.add(EMPTY)
    if _BLANK.search(reply):
        found.add(UNFILLED)
    if any(_adds_nothing(reply, text) for text in canned):
        found.add(CANNED)
    own = remembered(reply)
    if any(own.fingerprint == each.fingerprint or similarity(own, each) >= SAME_SHARE for each in earlier):
        found.add(REPEATED)
    if is_in_other_language(reply, language):
        found.add(LANGUAGE)
    return tuple(Question(code, language if code == LANGUAGE else "") for code in CODES if code in found)


def remembered(reply: str) -> Earlier:
    """What is kept of a reply to know it again. Neither case, digits' script, punctuation nor its tracking number counts."""
    words = _words(reply)
    fingerprint = blake2b(" ".join(words).encode(), digest_size=16).digest()
    hashes = sorted({int.from_bytes(blake2b(word.encode(), digest_size=6).digest(), "big") for word in words})
    return Earlier(fingerprint, tuple(hashes[:SKETCH_SIZE]))


def similarity(one: Earlier, other: Earlier) -> float:
    """The share of common words, from 0 to 1; exact for up to `SKETCH_SIZE` words, estimated beyond (bottom-k sketches)."""
    ours, theirs = set(one.sketch), set(other.sketch)
    lowest = sorted(ours | theirs)[:SKETCH_SIZE]
    return sum(each in ours and each in theirs for each in lowest) / len(lowest) if lowest else 1.0


def is_in_other_language(text: str, language: str) -> bool:
    """Whether a text is hardly in a language, told by its letters; what is quoted does not count."""
    own = _QUOTED.sub(" ", text)
    bangla, latin = len(_BANGLA.findall(own)), len(_LATIN.findall(own))
    wanted = bangla if language == "bn" else latin
    return bangla + latin >= FEWEST_LETTERS and wanted < LEAST_SHARE * (bangla + latin)


def unanswered(found: Iterable[Question], confirmed: Collection[str]) -> tuple[Question, ...]:
    """The questions that nobody has confirmed yet."""
    return tuple(each for each in found if each.code not in confirmed)


def _words(text: str) -> list[str]:
    return _WORD.findall(_NUMBER.sub(" ", search_key(text)))


def _content(text: str) -> set[str]:
    return {word for word in _words(text) if word not in _STOCK and (len(word) > 1 or word.isdigit())}


def _adds_nothing(reply: str, canned: str) -> bool:
    """Whether a reply is a canned text and hardly a word more; what was taken out of the text makes no answer of it."""
    ours, theirs = set(_words(reply)), set(_words(canned))
    if not theirs or len(ours & theirs) < 0.6 * len(theirs):
        return False
    return len(_content(reply) - theirs) < FEWEST_WORDS - 1
