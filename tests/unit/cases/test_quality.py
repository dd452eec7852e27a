"""Questions about replies, on replies as officers write them: good and bad, in both languages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.cases.quality import (
    CANNED,
    EMPTY,
    LANGUAGE,
    REPEATED,
    SKETCH_SIZE,
    UNFILLED,
    questions,
    remembered,
    similarity,
    unanswered,
)

GOOD_BN = (
    "আপনার মোবাইল হিসাবের নম্বরটি ভুলভাবে তোলা হয়েছিল। তা সংশোধন করা হয়েছে; বকেয়া ছয় মাসের ভাতা ১৫ দিনের মধ্যে পাঠানো হবে।",
    "যাচাই করে দেখা গেছে, ডিলার ৩০ কেজির বদলে ২৫ কেজি চাল দিয়েছেন। ডিলারের লাইসেন্স স্থগিত করা হয়েছে এবং বাকি ৫ কেজি আপনাকে দেওয়া হয়েছে।",
    "আপনার বয়স জাতীয় পরিচয়পত্র অনুযায়ী ৬২ বছর। বয়স্ক ভাতার জন্য পুরুষের বয়স ৬৫ হতে হয়, তাই এবার তালিকায় নাম ওঠেনি। ২০২৯ সালে আবেদন করতে পারবেন।",
    "bKash হিসাব 01712345678 অন্যের NID-এ নিবন্ধিত ছিল। ১২ এপ্রিল নতুন হিসাবে ১,৮০০ টাকা পাঠানো হয়েছে।",
    "সব বকেয়া পরিশোধ করা হয়েছে আজ।",
    "বিষয়টি আদালতে বিচারাধীন, রায়ের পর আসুন।",
    "উপজেলা সমাজসেবা কর্মকর্তা মোঃ আবদুল করিমকে শোকজ করা হয়েছে।",
)
GOOD_EN = (
    "Your mobile account had been entered with a wrong digit. It was corrected on 3 May and 1,800 taka were sent.",
    "The dealer sold 25 kg instead of 30. His licence is suspended, and the missing 5 kg were handed to you.",
    "Men are eligible from 65; by your identity card you are 62. You may apply again in 2029.",
    "The officer wrote “আপনার আবেদন পাওয়া গেছে” on your form by mistake; the allowance was approved in March.",
    "Mr. আবদুল করিম visited your house on 4 June and put your name on the list of the ward.",
)
EMPTY_BN = (
    "আপনার অভিযোগটি গৃহীত হয়েছে।",
    "ব্যবস্থা নেওয়া হয়েছে। ধন্যবাদ।",
    "প্রয়োজনীয় ব্যবস্থা গ্রহণ করা হয়েছে মর্মে আপনাকে অবহিত করা হলো।",
    "বিষয়টি প্রক্রিয়াধীন আছে, যথাসময়ে জানানো হবে।",
    "সংশ্লিষ্ট কর্তৃপক্ষকে নির্দেশনা প্রদান করা হয়েছে।",
    "অভিযোগ নং 7K3M-PQ9X-R2TB4 নিষ্পত্তি করা হলো।",
    "জনাব, সালাম নিবেন। আপনার অভিযোগের প্রেক্ষিতে যথাযথ ব্যবস্থা নেওয়া হচ্ছে। ধন্যবাদান্তে।",
    "ভাতা ভাতা ভাতা ভাতা ভাতা ভাতা ভাতা।",
    "................................",
    "নথিজাত করা হলো, নথিজাত করা হলো।",
)
EMPTY_EN = (
    "Noted.",
    "Noted. Necessary action has been taken. Thank you.",
    "Dear Sir, your complaint is under process and will be resolved soon. Regards.",
    "The matter has been forwarded to the concerned authority for necessary action.",
    "Your complaint 7K3M-PQ9X-R2TB4 has been disposed of.",
    "ok ok ok ok ok ok ok ok ok",
)


def codes(reply: str, language: str = "bn", **known: object) -> list[str]:
    return [each.code for each in questions(reply, language, **known)]  # type: ignore[arg-type]


@pytest.mark.parametrize("reply", GOOD_BN)
def test_good_replies_in_bangla_raise_no_question(reply: str) -> None:
    assert codes(reply) == []
    assert codes(reply.replace("য়", "\u09df").replace("ড়", "\u09dc")) == [], "in either encoding"


@pytest.mark.parametrize("reply", GOOD_EN)
def test_good_replies_in_english_raise_no_question(reply: str) -> None:
    assert codes(reply, "en") == []


@pytest.mark.parametrize("reply", EMPTY_BN)
def test_formulas_in_bangla_are_empty(reply: str) -> None:
    assert EMPTY in codes(reply)
    assert EMPTY in codes(reply.replace("য়", "\u09df").replace("ড়", "\u09dc")), "in either encoding"


@pytest.mark.parametrize("reply", EMPTY_EN)
def test_formulas_in_english_are_empty(reply: str) -> None:
    assert codes(reply, "en") == [EMPTY]
    assert EMPTY in codes(reply.upper(), "en")


@pytest.mark.parametrize("reply", (*GOOD_EN[:3], "Apnar vata abar chalu kora hoyeche ebong bokeya pathano hoyeche"))
def test_another_language_is_noticed(reply: str) -> None:
    assert codes(reply, "bn") == [LANGUAGE]
    assert questions(reply, "bn")[0].language == "bn"


def test_bangla_to_somebody_who_reads_english_is_noticed() -> None:
    assert codes(GOOD_BN[0], "en") == [LANGUAGE]
    assert codes(f"{GOOD_BN[0]} {GOOD_EN[0]}", "en") == codes(f"{GOOD_BN[0]} {GOOD_EN[0]}", "bn") == [], "both is fine"


@pytest.mark.parametrize(
    "reply",
    [
        "যাচাইয়ে দেখা গেছে [কী পাওয়া গেছে], তাই মার্চের টাকা পাঠানো হয়েছে।",
        "মার্চ মাসের মোট ______ টাকা আপনার হিসাবে পাঠানো হয়েছে।",
        "মার্চ মাসের মোট ........ টাকা আপনার হিসাবে পাঠানো হয়েছে।",
        "মার্চ মাসের মোট টাকা {due_on} তারিখে পাঠানো হয়েছে।",
    ],
)
def test_open_blanks_are_noticed(reply: str) -> None:
    assert codes(reply) == [UNFILLED]


def test_the_same_words_with_other_punctuation_and_digits_are_the_same() -> None:
    earlier = [remembered(GOOD_BN[3])]
    assert codes(GOOD_BN[3], earlier=earlier) == [REPEATED]
    assert codes("  " + GOOD_BN[3].replace("।", " ! ").replace("১২", "12") + "…", earlier=earlier) == [REPEATED]
    assert codes(GOOD_BN[3].replace("bKash", "BKASH").replace("।", f"। {'7K3M-PQ9X-R2TB4'} "), earlier=earlier) == [
        REPEATED
    ]
    assert codes(GOOD_BN[0], earlier=earlier) == []


def test_other_amounts_and_dates_make_another_reply() -> None:
    other = GOOD_BN[3].replace("১,৮০০", "৩,৬০০").replace("১২ এপ্রিল", "৩ মে")
    assert codes(other, earlier=[remembered(GOOD_BN[3])]) == []


def test_a_long_reply_with_one_word_changed_is_the_same() -> None:
    words = [f"শব্দ{n}" for n in range(60)]
    changed = " ".join(["অন্য", *words[1:]])
    assert codes(changed, earlier=[remembered(" ".join(words))]) == [REPEATED]


CANNED_TEXT = "যাচাই করে দেখা গেছে: [কী পাওয়া গেছে]। [মাস] সময়ের মোট [টাকা] টাকা আপনার হিসাবে পাঠানো হয়েছে। টাকা না পেলে জানান।"
FILLED = CANNED_TEXT.replace("[কী পাওয়া গেছে]", "নম্বরে একটি অঙ্ক ভুল ছিল").replace("[মাস]", "জুলাই").replace("[টাকা]", "১৮০০")


def test_a_canned_text_as_it_came_is_noticed() -> None:
    assert codes(CANNED_TEXT, canned=[CANNED_TEXT]) == [UNFILLED, CANNED]
    bare = "যাচাই করে দেখা গেছে। টাকা আপনার হিসাবে পাঠানো হয়েছে। টাকা না পেলে জানান।"
    assert CANNED in codes(bare, canned=[bare + " সময়ের মোট"])
    assert codes(FILLED, canned=[CANNED_TEXT]) == []
    assert codes(GOOD_BN[0], canned=[CANNED_TEXT, ""]) == []


def test_what_is_confirmed_is_asked_no_more() -> None:
    found = questions("Noted. Necessary action has been taken.", "bn")
    assert [each.code for each in unanswered(found, ())] == [EMPTY, LANGUAGE]
    assert [each.code for each in unanswered(found, {EMPTY})] == [LANGUAGE]
    assert unanswered(found, {EMPTY, LANGUAGE, "anything"}) == ()


@given(st.text(max_size=400), st.sampled_from(["bn", "en"]))
def test_any_text_can_be_judged(reply: str, language: str) -> None:
    found = questions(reply, language, [remembered(reply)], [reply])
    assert REPEATED in {each.code for each in found}
    assert len({each.code for each in found}) == len(found)


@given(st.lists(st.integers(0, 400), min_size=1, max_size=300), st.lists(st.integers(0, 400), min_size=1, max_size=300))
def test_sketches_estimate_the_share_of_common_words(ours: list[int], theirs: list[int]) -> None:
    one, other = (remembered(" ".join(f"w{n}" for n in numbers)) for numbers in (ours, theirs))
    assert len(one.sketch) <= SKETCH_SIZE
    share = len(set(ours) & set(theirs)) / len(set(ours) | set(theirs))
    assert similarity(one, other) == similarity(other, one)
    assert abs(similarity(one, other) - share) < (0.25 if len({*ours, *theirs}) > SKETCH_SIZE else 1e-9)
