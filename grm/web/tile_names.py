"""Short names of the 64 districts for the tile map, in two lengths: written down, because a Bangla name cut by counting letters
breaks its conjuncts.

The long form fits a tile on a wide screen and is mostly the whole name; the tiny form fits a tile on a phone. Neither is an
official abbreviation: the whole name is in the tile's label and in the table beside the map.
"""

TINY: dict[str, tuple[str, str]] = {
    "1004": ("Bgn", "বরগু"), "1006": ("Bsl", "বরিশা"), "1009": ("Bho", "ভোলা"), "1042": ("Jhk", "ঝাল"),
    "1078": ("Ptk", "পটু"), "1079": ("Prj", "পিরো"), "2003": ("Bdb", "বান্দ"), "2012": ("BBa", "ব্রা"),
    "2013": ("Cdp", "চাঁদ"), "2015": ("Ctg", "চট্ট"), "2019": ("Cum", "কুমি"), "2022": ("Cox", "কক্স"),
    "2030": ("Fen", "ফেনী"), "2046": ("Kgc", "খাগ"), "2051": ("Lks", "লক্ষ্মী"), "2075": ("Nkh", "নোয়া"),
    "2084": ("Rgm", "রাঙা"), "3026": ("Dha", "ঢাকা"), "3029": ("Fdp", "ফরিদ"), "3033": ("Gaz", "গাজী"),
    "3035": ("Gop", "গোপা"), "3048": ("Ksg", "কিশো"), "3054": ("Mdp", "মাদা"), "3056": ("Mkg", "মানি"),
    "3059": ("Mun", "মুন্সি"), "3067": ("Nrg", "নারা"), "3068": ("Nsd", "নর"), "3082": ("Rjb", "রাজবা"),
    "3086": ("Shp", "শরী"), "3093": ("Tgl", "টাঙ্গা"), "4001": ("Bgh", "বাগে"), "4018": ("Cdg", "চুয়া"),
    "4041": ("Jsr", "যশোর"), "4044": ("Jhd", "ঝিনা"), "4047": ("Khu", "খুল"), "4050": ("Kus", "কুষ্টি"),
    "4055": ("Mag", "মাগু"), "4057": ("Mhp", "মেহে"), "4065": ("Nrl", "নড়া"), "4087": ("Stk", "সাত"),
    "4539": ("Jmp", "জামা"), "4561": ("Mym", "ময়ম"), "4572": ("Net", "নেত্র"), "4589": ("She", "শের"),
    "5010": ("Bog", "বগু"), "5038": ("Jph", "জয়পু"), "5064": ("Nao", "নওগাঁ"), "5069": ("Nat", "নাটো"),
    "5070": ("CNw", "চাঁপা"), "5076": ("Pab", "পাব"), "5081": ("Raj", "রাজ"), "5088": ("Sir", "সিরা"),
    "5527": ("Dnj", "দিনা"), "5532": ("Gai", "গাই"), "5549": ("Kur", "কুড়ি"), "5552": ("Lal", "লাল"),
    "5573": ("Nil", "নীল"), "5577": ("Pcg", "পঞ্চ"), "5585": ("Rng", "রং"), "5594": ("Tkg", "ঠাকু"),
    "6036": ("Hbg", "হবি"), "6058": ("Mlv", "মৌল"), "6090": ("Sun", "সুনা"), "6091": ("Syl", "সিলে"),
}  # fmt: skip
"""District code to (English, Bangla): three Latin letters, or the first syllables in Bangla."""

LONG: dict[str, tuple[str, str]] = {
    "2012": ("B. Baria", "বি. বাড়িয়া"),
    "2046": ("Khagra.", "খাগড়াছড়ি"),
    "5070": ("Nawabganj", "চাঁপাই"),
}
"""The few whose whole name is too wide for a tile."""


def tiny_name(code: str, language: str) -> str:
    """Return the name for a tile of some 30 pixels; the code itself for a district that is not among the 64."""
    english, bangla = TINY.get(code, (code, code))
    return bangla if language == "bn" else english


def long_name(code: str, language: str, whole: str) -> str:
    """Return the name for a tile of some 90 pixels: the whole one where it fits."""
    english, bangla = LONG.get(code, (whole, whole))
    return bangla if language == "bn" else english
