"""Stage 1: a citizen files a complaint in Bangla, keeps the receipt, and an SMS says that it has arrived."""

import re

from tests.support.rig import Rig, must_be
from tests.support.web import Page

from .conftest import Story

PHONE_TYPED = "০১৭১২-৩৪৫৬৭৮"
PHONE = "+8801712345678"
NAME = "মোছাঃ রহিমা খাতুন"
DETAILS = (
    "গত ছয় মাস ধরে আমার বয়স্ক ভাতার টাকা মোবাইলে আসে না।\r\n"
    "ইউনিয়ন পরিষদে তিনবার গেছি, কেউ কিছু বলতে পারেনি। ক্ষুদ্র ঋণের কিস্তিও দিতে পারছি না।"
)
CODE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{5}\b")
TO_BANGLA = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")
BANGLA_DATE = re.compile(r"[০-৯]{1,2} [\u0980-\u09ff]+ [০-৯]{4}")


def codes(page: Page) -> tuple[str, str]:
    """Tracking number and secret, as a person copies them from a receipt."""
    number, secret = CODE.findall(page.text)
    return number, secret


def test_a_complaint_is_filed_in_bangla_over_four_pages(rig: Rig, story: Story) -> None:
    browser = rig.browser()
    home = must_be(browser.get("/"), "/")
    assert home.document.first("html")["lang"] == "bn"
    page = must_be(browser.click(home, "/complaints/new"), "/complaints/new")
    page = browser.submit(
        page.form("programme").fill(programme="old-age-allowance", category="payment-not-received", district="3026")
    )
    page = browser.submit(page.form("details").fill(details=DETAILS, place="ডেমরা, ৬৪ নং ওয়ার্ড"))
    page = browser.submit(page.form("phone").fill(name=NAME, phone=PHONE_TYPED, preferred_channel="sms", sex="female"))
    assert NAME in page.text and "ক্ষুদ্র ঋণের কিস্তিও" in page.text, "everything is shown for checking"
    last_form = page.form("declaration").fill(declaration=True)
    receipt = must_be(browser.submit(last_form, "send"), "/complaints/sent")
    number, secret = codes(receipt)
    assert "সমাজকল্যাণ মন্ত্রণালয়" in receipt.text, "the responsible office"
    filed_on, due_on = BANGLA_DATE.findall(receipt.text)
    assert filed_on != due_on
    story.note(number=number, secret=secret, due_on_bangla=due_on, complainant=browser, last_form=last_form)


def test_the_same_form_sent_once_more_is_the_same_complaint(rig: Rig, story: Story) -> None:
    again = story.complainant.submit(story.last_form, "send")
    assert codes(again) == (story.number, story.secret)


def test_an_sms_in_bangla_says_that_it_has_arrived(rig: Rig, story: Story) -> None:
    [sms] = rig.wait_until(lambda: rig.sms_to(PHONE), "the acknowledgement by SMS")
    assert sms.encoding == "ucs2"
    assert sms.parts <= 2
    [case] = rig.rows("SELECT due_on FROM cases WHERE tracking_number = %s", story.number.replace("-", ""))
    assert story.number in sms.text and f"{case['due_on']:%d/%m/%Y}".translate(TO_BANGLA) in sms.text
    assert "অভিযোগ" in sms.text
    assert story.secret not in sms.text, "the secret is on the receipt only"


def test_a_desk_officer_files_a_paper_complaint_on_somebodys_behalf(rig: Rig, story: Story) -> None:
    """It stays unclaimed for the rest of the story."""
    desk = rig.officer("desk.dhaka")
    page = must_be(desk.get("/desk/new"), "/desk/new")
    form = page.form("details", "medium").fill(
        medium="paper",
        programme="old-age-allowance",
        category="payment-not-received",
        district="3026",
        details="আবেদনপত্রে লেখা: আট মাস ধরে বয়স্ক ভাতা বন্ধ।",
        name="আব্দুল করিম",
        phone="01812345678",
        language="bn",
        preferred_channel="sms",
    )
    receipt = desk.submit(form)
    assert receipt.status == 200, receipt.text[:500]
    number, _ = codes(receipt)
    assert number != story.number
    story.note(unclaimed=number)
    [sms] = rig.wait_until(lambda: rig.sms_to("+8801812345678"), "the acknowledgement of the paper complaint")
    assert number in sms.text
