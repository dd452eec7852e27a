"""A text that says only "not ours" is known for what it is; one that says more is let through."""

import pytest

from grm.cases.not_ours import is_only_not_ours


@pytest.mark.parametrize(
    "text",
    [
        "এটি আমাদের দপ্তরের বিষয় নয়।",
        "বিষয়টি অত্র কার্যালয়ের এখতিয়ারভুক্ত নয় বিধায় নথিজাত করা হলো।",
        "বিষয়টি অত্র কার্যালয়ের এখতিয়ারভুক্ত নয়।",  # ড় ঢ় য় with a separate dot
        "জনাব, অভিযোগটি এ মন্ত্রণালয় সংশ্লিষ্ট নয়। ধন্যবাদ।",
        "বিষয়টি আমাদের আওতার বাইরে।",
        "এই দপ্তরের আওতাধীন নহে",
        "এটা অন্য মন্ত্রণালয়ের বিষয়।",
        "This does not pertain to us.",
        "Dear Sir, the complaint is not related to this ministry. Thank you.",
        "It is OUTSIDE our jurisdiction, hence closed.",
        "It doesn't belong to our department; we regret.",
        "Wrong office!",
    ],
)
def test_only_not_ours(text: str) -> None:
    assert is_only_not_ours(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ধন্যবাদ।",
        "আপনার ভাতা চালু হয়েছে, বকেয়া টাকা পাঠানো হয়েছে।",
        "আপনার বিষয়টি আদালতে বিচারাধীন, মামলা নং ১২৩/২০২৫; রায়ের আগে আমরা কিছু করতে পারি না।",
        "এটি আমাদের এখতিয়ারভুক্ত নয়: তথ্য অধিকার আইনে উপজেলা তথ্য কর্মকর্তার কাছে আবেদন করুন।",
        "Your allowance was paid on 12 May through Nagad.",
        "Not in the list of 2025: the union committee selected 40 others by age; see the list at the parishad.",
    ],
)
def test_what_says_more(text: str) -> None:
    assert not is_only_not_ours(text)
