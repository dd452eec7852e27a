"""Every page, in Bangla and English, wide and narrow: accessible, nothing cut off, nothing against the policy, and light.

A public page costs a citizen at most 30 KB over the wire with everything it needs, on the first visit.
"""

import os
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from tests.browser.conftest import Windows
from tests.browser.pages import VIEWS, View
from tests.browser.site import Site

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
ALIKE = () if os.environ.get("GRM_BROWSER") == "all" else ("tbody > tr:nth-child(n+9):not(:last-child)",)
"""Rows that the same lines of a template made as those before them: axe looks at each element for a long time."""
WIDE, NARROW, NARROWEST = 1280, 360, 320
LONGEST_TITLE = 120
LIMIT_BYTES = 30 * 1024
STYLESHEET_LIMIT_BYTES = 8 * 1024


def violations(page: Any) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA, with where."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate(
        "([rules, alike]) => axe.run({exclude: alike}, {runOnly: rules, resultTypes: ['violations'], preload: false})",
        [list(RULES), list(ALIKE)],
    )
    return [
        f"{fault['id']}: {node['html'][:200]} ({' '.join(node['failureSummary'].split())[:300]})"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


def sticking_out(page: Any) -> list[str]:
    """Elements that make the page scroll sideways."""
    return list(
        page.evaluate(
            """() => {
                const width = document.documentElement.clientWidth;
                if (document.documentElement.scrollWidth <= width) return [];
                return [...document.body.querySelectorAll('*')]
                    .filter(e => e.getBoundingClientRect().right > width + 1)
                    .slice(0, 5).map(e => e.outerHTML.slice(0, 150));
            }"""
        )
    )


class Weight:
    """Counts what a page and all it loads weigh over the wire, as Chromium's network layer saw it, with an empty cache."""

    def __init__(self, page: Any) -> None:
        self._sizes: dict[str, int] = {}
        self._addresses: dict[str, str] = {}
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("Network.enable")
        self._devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
        self._devtools.on("Network.requestWillBeSent", self._begin)
        self._devtools.on("Network.loadingFinished", self._end)

    def stop(self) -> None:
        """Count no more."""
        self._devtools.detach()

    def by_address(self) -> dict[str, int]:
        """Bytes of each thing the last page loaded."""
        return {self._addresses[number]: size for number, size in self._sizes.items()}

    def _begin(self, event: dict[str, Any]) -> None:
        if event.get("type") == "Document":
            self._sizes.clear()  # another page begins: count the last one only
        self._addresses[event["requestId"]] = event["request"]["url"]

    def _end(self, event: dict[str, Any]) -> None:
        self._sizes[event["requestId"]] = int(event["encodedDataLength"])


def must_be_light(site: Site, sizes: dict[str, int]) -> None:
    """Fail where a public page is too heavy, or loads anything from elsewhere."""
    assert all(address.startswith((site.url, "data:")) for address in sizes), "nothing comes from elsewhere"
    assert 1000 < sum(sizes.values()) <= LIMIT_BYTES, sizes
    stylesheet = next(size for address, size in sizes.items() if "grm.css" in address)
    assert 1000 < stylesheet <= STYLESHEET_LIMIT_BYTES


def looks() -> list[Any]:
    """Every page in Bangla, and in English the forms that citizens fill in; the others in English with GRM_BROWSER=all."""
    return [
        pytest.param(view, language, id=f"{view}-{language}", marks=marks)
        for view in VIEWS
        for language in ("bn", "en")
        for marks in ([pytest.mark.every_browser] if is_for_make_browsers(view, language) else [],)
    ]


TWINS = frozenset(
    {
        *("reports-of-a-desk", "escalations-of-a-cluster", "directions-all", "return-cases", "samples-nothing"),
        *("review-written", "reviews-of-office"),
    }
)
"""Views made of the same parts as another one that every run looks at."""


def is_for_make_browsers(view: View, language: str) -> bool:
    """Whether only `make browsers` looks at it."""
    return view.name in TWINS or (language == "en" and not is_filled_in(view))


def is_filled_in(view: View) -> bool:
    """Whether a citizen types something on this page. (The journeys look at the rest of the way in both languages.)"""
    return view.is_public and view.name.startswith(("form-", "track")) and not view.name.endswith("-error")


@pytest.mark.parametrize(("view", "language"), looks())
def test_page(windows: Windows, site: Site, view: View, language: str) -> None:
    page = windows.fresh(site.cookies(view.officer, language), WIDE)
    said: list[str] = []
    answers: list[Any] = []
    listeners = {
        "console": lambda message: said.append(message.text),
        "pageerror": lambda error: said.append(str(error)),
        "response": lambda answer: answers.append(answer) if answer.request.is_navigation_request() else None,
    }
    for event, listener in listeners.items():
        page.on(event, listener)
    weight = Weight(page) if view.is_public else None
    try:
        view.reach(page, site)
        assert answers[-1].status == view.status
        # Chromium itself notes every answer that is no 2xx; everything else is ours.
        assert [text for text in said if "Failed to load resource" not in text] == []

        if weight and view.name != "outbox":
            page.wait_for_load_state("load")
            must_be_light(site, weight.by_address())

        assert page.get_attribute("html", "lang") == language
        assert page.locator("h1").count() == 1
        assert page.locator("main").count() == 1
        title = page.title()
        assert title and len(title) <= LONGEST_TITLE

        if language == "bn":  # in English the same elements stand at the same places; once, narrow, looks at its words
            assert violations(page) == [], f"at {WIDE} px"
        assert sticking_out(page) == [], f"at {WIDE} px"
        page.set_viewport_size({"width": NARROW, "height": 780})
        assert sticking_out(page) == [], f"at {NARROW} px"
        assert violations(page) == [], f"at {NARROW} px"
        page.set_viewport_size({"width": NARROWEST, "height": 780})
        assert sticking_out(page) == [], f"at {NARROWEST} px"
    finally:
        for event, listener in listeners.items():
            page.remove_listener(event, listener)
        if weight:
            weight.stop()


def test_the_audit_would_find_a_fault(chromium: Any) -> None:
    page = chromium.new_page()
    page.set_content('<html lang="en"><title>x</title><main><h1>x</h1><img src="data:,"><input></main>')
    found = violations(page)
    assert any(fault.startswith("image-alt") for fault in found) and any(fault.startswith("label") for fault in found)
    page.set_viewport_size({"width": NARROW, "height": 780})
    page.set_content('<main><p style="width: 500px">x</p></main>')
    assert sticking_out(page)
    page.close()
