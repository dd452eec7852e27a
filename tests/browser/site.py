"""A running system with a few dozen demo cases and some of our own, for looking at in a browser."""

import re
from pathlib import Path
from typing import Any

from tests.support.rig import System
from tests.support.web import Browser, Page

CODE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{5}\b")
DEMO_CASES = 80
COMPLAINT = {
    "programme": "old-age-allowance",
    "category": "payment-not-received",
    "district": "3026",
}
DETAILS = (
    "গত ছয় মাস ধরে আমার বয়স্ক ভাতার টাকা মোবাইলে আসে না। ইউনিয়ন পরিষদে তিনবার গেছি, কেউ কিছু বলতে পারেনি। "
    "রাষ্ট্র আমাদের জন্য যা দেয় তা ঊর্ধ্বতন কর্মকর্তারা দেখবেন বলে আশা করি। ক্ষুদ্র ঋণের কিস্তিও দিতে পারছি না।"
)
QUESTION = "কোন মোবাইল নম্বরে ভাতা পাওয়ার কথা? শেষ কবে টাকা পেয়েছেন?"
PART = "ডিলারের তালিকায় উপকারভোগীর কার্ড নম্বরটি মিলিয়ে জানান।"
DIRECTION = "সাত কর্মদিবসের মধ্যে উপকারভোগীর বাড়ি গিয়ে যাচাই করে জানান।"
REPLY = (
    "আপনার মোবাইল হিসাবের নম্বরটি ভুলভাবে তোলা হয়েছিল। তা সংশোধন করা হয়েছে; বকেয়া ছয় মাসের ভাতা ১৫ দিনের মধ্যে আপনার নম্বরে পাঠানো হবে।"
)


class Site(System):
    """The system, the codes of three complaints, and browsers in which officers have signed in."""

    def __init__(self, top: Path, demo_cases: int = DEMO_CASES) -> None:
        super().__init__(top, LOG_LEVEL="WARNING", ACKS_PER_RECIPIENT="0")
        self._demo_cases = demo_cases
        self._signed_in: dict[str, Browser] = {}
        self.rehearsed_at = ""
        """The address of a finished rehearsal, once somebody has waited for one."""
        self.fresh: tuple[str, str] = ("", "")
        self.waiting: tuple[str, str] = ("", "")
        self.resolved: tuple[str, str] = ("", "")
        self.sensitive: tuple[str, str] = ("", "")
        self.divided: tuple[str, str] = ("", "")

    def start(self) -> None:
        """Start it and tell a few stories."""
        super().start()
        self.flask("demo", "--cases", str(self._demo_cases), "--seed", "1")
        self.fresh, self.waiting, self.resolved = (self.file() for _ in range(3))
        self.sensitive = self.file(category="bribe-demand", details="ভাতার কার্ড দিতে দুই হাজার টাকা চাওয়া হয়েছে।")
        gro = self.signed_in("gro.social-welfare")
        self.act(gro, self.waiting[0], "ASK", question=QUESTION)
        self.divided = self.file()
        self.act(gro, self.divided[0], "SPLIT", office="food", part=PART)
        self.act(self.signed_in("cabinet"), self.divided[0], "DIRECT", direction=DIRECTION)
        number, secret = self.file()
        self.act(gro, number, "ASK", question=QUESTION)
        citizen = self.browser()
        page = citizen.get("/track")
        page = citizen.submit(page.form("secret").fill(tracking_number=number, secret=secret))
        citizen.submit(page.form("answer").fill(answer="জ্যৈষ্ঠ মাসে শেষ টাকা পেয়েছি।"))  # so that there is an e-mail
        self.act(gro, self.resolved[0], "CLAIM")
        self.act(
            *(gro, self.resolved[0], "RESOLVE"),
            outcome="service_given",
            reply=REPLY,
            contact="spoke",
            root_cause="নম্বর তোলার ভুল",
            prevention="উপকারভোগীকে দেখিয়ে নম্বর তোলা",
        )

    def file(self, **fields: str) -> tuple[str, str]:
        """File a complaint over the four pages; its two codes."""
        values = {**COMPLAINT, "details": DETAILS, **fields}
        browser = self.browser()
        page = browser.get("/complaints/new")
        page = browser.submit(page.form("programme").fill(**{name: values[name] for name in COMPLAINT}))
        page = browser.submit(page.form("details").fill(details=values["details"], place="ডেমরা"))
        page = browser.submit(
            page.form("phone").fill(name="মোছাঃ রহিমা খাতুন", phone="০১৭১২৩৪৫৬৭৮", preferred_channel="sms")
        )
        page = browser.submit(page.form("declaration").fill(declaration=True), "send")
        number, secret = CODE.findall(page.text)
        return number, secret

    def act(self, browser: Browser, number: str, action: str, **fields: str) -> Page:
        """Let an officer act on a case."""
        page = browser.get(case_path(number))
        page = browser.submit(page.form(action=action).fill(**fields))
        assert page.status == 200, page.text[:500]
        return page

    def signed_in(self, username: str) -> Browser:
        """An officer's browser; each signs in once."""
        if username not in self._signed_in:
            self._signed_in[username] = self.officer(username)
        return self._signed_in[username]

    def cookies(self, username: str | None, language: str) -> list[dict[str, Any]]:
        """Cookies for Chromium: the officer's session, and the language."""
        found = [{"name": "grm_lang", "value": language, "url": self.url}]
        if username is not None:
            jar = self.signed_in(username).cookies()
            found += [
                {"name": name, "value": value, "url": self.url} for name, value in jar.items() if name != "grm_lang"
            ]
        return found


def case_path(number: str) -> str:
    """Where the page of a case is."""
    return f"/cases/{number.replace('-', '')}"
