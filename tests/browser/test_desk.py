"""The front desk by keyboard alone: a complaint in under a minute, kept while it is typed, its receipt on one A5 page."""

import io
from typing import Any

import pikepdf

from tests.browser.pages import go
from tests.browser.site import Site

SECONDS_A_KEY = 0.28
"""An average typist's (keystroke-level model, 40 words a minute); who looks for the keys has the rest of the minute."""
A5_MILLIMETRES = (148, 210)


class Keyboard:
    """Counts what is pressed."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self.pressed = 0

    def types(self, *parts: str) -> None:
        """Type texts and press keys; a key's name stands in angle brackets."""
        for part in parts:
            if part.startswith("<"):
                self._page.keyboard.press(part.strip("<>"))
                self.pressed += 1
            else:
                self._page.keyboard.type(part)
                self.pressed += len(part)

    def to(self, name: str) -> None:
        """Press Tab until a field has the focus."""
        for _ in range(12):
            self.types("<Tab>")
            if self._page.evaluate("document.activeElement.name") == name:
                return
        raise AssertionError(f"{name} is too far away")


def sheet(page: Any) -> tuple[int, tuple[int, int]]:
    """How many pages a page prints on, and how large the first one is, in millimetres."""
    with pikepdf.open(io.BytesIO(page.pdf(prefer_css_page_size=True))) as printed:
        _, _, width, height = (float(side) / 72 * 25.4 for side in printed.pages[0].mediabox)
        return len(printed.pages), (round(width), round(height))


def test_a_complaint_is_filed_by_keyboard_alone_in_under_a_minute(chromium: Any, site: Site) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    context.add_cookies(site.cookies("desk.dhaka", "en"))
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.clock.install()
    go(page, site, "/desk/new")
    keys = Keyboard(page)
    keys.types("Mst Rahima Khatun", "<Tab>", "01712345678")
    keys.to("programme")
    keys.types("Old Age")
    keys.to("category")
    keys.types("Payment not")
    keys.to("details")
    keys.types("No allowance for six months. The union office sent her away three times.")
    page.clock.fast_forward(20_000)
    page.wait_for_selector("#desk-said:has-text('Kept')", state="attached")
    keys.to("upazila")
    assert len(page.locator("[name=upazila] optgroup").all()) == 1, "only those of the district"
    keys.types("Dham", "<Control+Enter>")
    page.wait_for_url("**/desk/receipts/*")
    assert keys.pressed * SECONDS_A_KEY < 60, keys.pressed
    assert sheet(page) == (1, A5_MILLIMETRES)
    page.keyboard.press("Enter")  # "File the next one" has the focus
    page.wait_for_url("**/desk/new")
    assert page.evaluate("document.activeElement.name") == "name"
    assert page.locator("a[href*='draft=']").count() == 0, "what was filed is not unfinished"

    # The longest there is: anonymous, in Bangla, about abuse. On paper stands no word of what it is about.
    keys.types("x")
    page.check("[name=anonymous]")
    page.fill("[name=details]", "ভয় দেখায়।")
    page.select_option("[name=programme]", "unknown")
    page.select_option("[name=category]", "abuse-safeguarding")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/desk/receipts/*")
    page.goto(page.url + "?lang=bn")
    page.emulate_media(media="print")
    assert sheet(page) == (1, A5_MILLIMETRES)
    assert page.locator(".big").count() == 2 and not page.get_by_text("১০৯৮").is_visible()
    assert said == []
    context.close()
