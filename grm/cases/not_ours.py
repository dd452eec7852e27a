"""Does a text say nothing but that the matter is not ours? Such a text ends no case: the case is referred. Pure.

"Wrong office: refer, never close" (GRS practice; the audit of closed cases elsewhere found one in fourteen ended so). A text
that also says what was found, or where to turn, is none of these: the reasons for which a case may be declined (a court, the
right to information, an appeal by law) speak of another authority by their nature.
"""

import re

from grm.kernel.text import nfc, search_key

_L = "[\\w\u0980-\u09ff]"  # a letter or a sign: Bangla vowel signs are no word characters to `re`
_OWN = "(?:আমাদের|আমার|অত্র|এই|এ)"
_PLACE = "(?:দপ্তর|কার্যালয়|অফিস|মন্ত্রণালয়|বিভাগ|অধিদপ্তর|শাখা|ডেস্ক)"
_REMIT = "(?:এখতিয়ার|অধিক্ষেত্র|আওতা|কর্মপরিধি|দায়িত্ব)"
_NOT = "(?:নয়|নহে|না|নেই|নাই|নন)"
_PHRASES = tuple(
    re.compile(nfc(pattern))
    for pattern in (
        rf"{_REMIT}{_L}*(?: {_L}+)? {_NOT}(?!{_L})",
        rf"{_REMIT}{_L}* ?(?:বহির্ভূত|বহির্ভুত|বাইরে|বাহিরে)",
        rf"(?:সংশ্লিষ্ট|সম্পর্কিত|সম্পৃক্ত|সংশ্লিষ্টতা) {_NOT}(?!{_L})",
        rf"{_OWN} (?:{_PLACE}{_L}* )?(?:বিষয়|কাজ|ব্যাপার){_L}* {_NOT}(?!{_L})",
        rf"{_PLACE}{_L}* (?:বিষয়|কাজ|ব্যাপার){_L}* {_NOT}(?!{_L})",
        rf"(?:অন্য|ভিন্ন) {_PLACE}{_L}* (?:বিষয়|কাজ|ব্যাপার|এখতিয়ার|সংশ্লিষ্ট|আওতা){_L}*",
        r"\b(?:does|do|did) not (?:pertain|relate|belong|concern|fall|come)\b",
        r"\b(?:doesn|don|didn) t (?:pertain|relate|belong|concern|fall|come)\b",
        r"\bnot (?:within|under|in|a matter (?:of|for)|the (?:concern|responsibility) of|for) (?:us|our|this|the)\b",
        r"\b(?:not|isn t) (?:our|ours|pertaining|related|relevant|concerned|connected|responsible)\b",
        r"\b(?:outside|beyond|out of) (?:of )?(?:the |our |this )?(?:[a-z]+ )?(?:jurisdiction|purview|scope|mandate|remit)\b",
        r"\b(?:pertains|belongs|relates) to (?:another|other|some other|a different)\b",
        r"\bno (?:jurisdiction|responsibility)\b",
        r"\bwrong (?:office|ministry|department|desk)\b",
    )
)
_SENTENCE = re.compile(r"[।.!?;\n]+")
_SAYS_NOTHING = frozenset(
    search_key(
        """
        জনাব জনাবা মহোদয় প্রিয় ধন্যবাদ দুঃখিত অভিযোগ অভিযোগটি অভিযোগের আবেদন আবেদনটি বিষয় বিষয়টি বিষয়টির তাই সেহেতু যেহেতু বিধায় সুতরাং
        নথিজাত করা হলো হল হইল যাচ্ছে গেল অবগত জানানো আপনার আপনাকে এই এ অত্র আমাদের দপ্তর দপ্তরের কার্যালয় কার্যালয়ের মন্ত্রণালয় মন্ত্রণালয়ের
        সঙ্গে সাথে প্রতি শুভেচ্ছা গ্রহণ সম্ভব নয় নিষ্পত্তি নামঞ্জুর বাতিল কারণে জন্য ও এবং
        dear sir madam thank thanks you regret sorry we are is the this that to your a an of and so hence therefore thus complaint
        case matter application issue it inform informed please note noted closed close declined decline rejected reject cannot
        not be taken taken up can by us our office ministry department disposed regards sincerely yours kindly
        """
    ).split()
)
FEWEST_WORDS = 3
"""Different words, beyond the phrase and politeness, from which on a text says something more."""


def is_only_not_ours(text: str) -> bool:
    """Whether a text says that the matter is another office's, and nothing else."""
    sentences = [" ".join(re.findall(r"[\w\u0980-\u09ff]+", search_key(part))) for part in _SENTENCE.split(text)]
    rest: set[str] = set()
    is_said = False
    for sentence in filter(None, sentences):
        shortened = sentence
        for phrase in _PHRASES:
            shortened = phrase.sub(" ", shortened)
        is_said = is_said or shortened != sentence
        rest |= {word for word in shortened.split() if len(word) > 1 and word not in _SAYS_NOTHING}
    return is_said and len(rest) < FEWEST_WORDS
