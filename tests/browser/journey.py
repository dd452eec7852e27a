"""The whole way of a complaint as its complainant goes it: home, form, photo, receipt, question, answer, rating, appeal."""

import csv
import io
from collections.abc import Callable
from typing import Any

from PIL import Image, ImageDraw

from grm.guide.content import DATA
from tests.browser.hands import Hand
from tests.browser.site import CODE, COMPLAINT, DETAILS, QUESTION, Site

ANSWER = "০১৭১২-৩৪৫৬৭৮ নম্বরে আসার কথা। চৈত্র মাসে শেষ টাকা পেয়েছি।"
GROUNDS = "টাকা এখনো আসেনি। নম্বরটি ঠিক করা হয়েছে বলা হলেও আমাকে কেউ কিছু জানায়নি।"
REPLIES = {
    "bn": "%s জেলার তালিকা মিলিয়ে দেখা গেছে, হিসাবের নম্বরটি ভুল তোলা ছিল। তা ঠিক করে বকেয়া ভাতা পাঠানো হবে।",
    "en": "Compared with the lists of %s, the number of the account was wrong. It is corrected, and the arrears will be sent.",
}
"""With other districts in each: an office may not send nearly the same words twice."""
GRO = "gro.social-welfare"
MAIN_BUTTON = "main form .buttons button"


def of(action: str) -> str:
    """The button of an act on the status page."""
    return f"form:has(> input[name=action][value={action}]) .buttons button"


def districts(language: str) -> list[str]:
    """The names of the districts in a language."""
    with (DATA / "districts.csv").open(encoding="utf-8", newline="") as file:
        return [row[f"name_{language}"] for row in csv.DictReader(file)]


def photo() -> dict[str, Any]:
    """A photo as a cheap phone takes it."""
    picture = Image.effect_noise((800, 600), 60).convert("RGB")
    ImageDraw.Draw(picture).rectangle((80, 80, 720, 300), fill="white")
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=70)
    return {"name": "ভাতা বই.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def go(hand: Hand, site: Site, look: Callable[[str], None], language: str, nth: int) -> None:
    """Go all of it, as the `nth` in this language. `look` is called with the name of each page when it has come."""
    page = hand.page
    page.goto(f"{site.url}/?lang={language}")
    look("home")
    hand.press("main a[href='/complaints/new']")
    look("form-1")
    hand.choose("programme", COMPLAINT["programme"])
    hand.choose("category", COMPLAINT["category"])
    hand.choose("district", COMPLAINT["district"])
    hand.press(MAIN_BUTTON)
    look("form-2")
    hand.write("details", DETAILS)
    hand.write("place", "ডেমরা, ৬৪ নং ওয়ার্ড")
    hand.press(MAIN_BUTTON)
    look("form-3")
    hand.write("name", "মোছাঃ রহিমা খাতুন")
    hand.write("phone", "০১৭১২-৩৪৫৬৭৮")
    hand.choose("preferred_channel", "sms")
    hand.press(MAIN_BUTTON)
    look("form-4")
    hand.attach("attachments", photo())
    hand.press("[formaction^='/complaints/files']")
    assert page.locator("[name=remove]").count() == 1, page.locator("main").inner_text()
    look("form-4-file")
    hand.tick("declaration")
    hand.press(MAIN_BUTTON)
    assert page.url.endswith("/complaints/sent"), page.locator("main").inner_text()
    number, secret = CODE.findall(page.locator(".receipt").inner_text())
    look("receipt")

    gro = site.signed_in(GRO)
    site.act(gro, number, "ASK", question=QUESTION)
    hand.press("main a[href='/track']")
    look("track")
    follow(hand, number, secret)
    assert QUESTION in page.locator("main").inner_text() and page.url == f"{site.url}/track"
    look("track-question")
    hand.write("answer", ANSWER)
    hand.press(of("answer"))
    look("track-answered")

    site.act(gro, number, "CLAIM")
    reply = REPLIES[language] % ", ".join(districts(language)[nth * 6 : nth * 6 + 6])
    resolution = {"outcome": "answered", "reply": reply, "contact": "spoke"}
    site.act(gro, number, "RESOLVE", **resolution, root_cause="নম্বর তোলার ভুল", prevention="নম্বর মিলিয়ে তোলা")
    hand.press("nav.menu a[href='/track']")
    follow(hand, number, secret)
    assert reply in page.locator("main").inner_text()
    look("track-resolved")
    hand.choose("stars", "2")
    hand.press(of("rate"))
    look("track-rated")
    hand.unfold("details:has(input[value=appeal])")
    hand.write("grounds", GROUNDS)
    hand.press(of("appeal"))
    assert GROUNDS in page.locator("main").inner_text()
    look("track-appealed")
    hand.press("form:has(> input[name=leave]) button")
    assert page.url == f"{site.url}/"


def follow(hand: Hand, number: str, secret: str) -> None:
    """Open the status page with the two codes."""
    hand.write("tracking_number", number)
    hand.write("secret", secret)
    hand.press(MAIN_BUTTON)
