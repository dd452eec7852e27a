"""Every page, in Bangla and English, wide and narrow: accessible, nothing cut off, nothing against the policy."""

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest

from tests.browser.pages import VIEWS, View
from tests.browser.site import Site

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
WIDE, NARROW, NARROWEST = 1280, 360, 320
LONGEST_TITLE = 120


def look(chromium: Any, site: Site, view: View, language: str) -> Any:
    """A context of its own for one page; what the console says is kept in `page.said`."""
    context = chromium.new_context(
        viewport={"width": WIDE, "height": 900}, locale="bn-BD" if language == "bn" else "en-GB"
    )
    context.add_cookies(site.cookies(view.officer, language))
    return context


def violations(page: Any) -> list[str]:
    """What axe-core finds against WCAG 2.2 A and AA, with where."""
    page.evaluate(AXE)
    found = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], preload: false})", list(RULES)
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


@pytest.mark.parametrize("language", ["bn", "en"])
@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_page(chromium: Any, site: Site, view: View, language: str) -> None:
    context = look(chromium, site, view, language)
    try:
        page = context.new_page()
        said: list[str] = []
        answers: list[Any] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("response", lambda answer: answers.append(answer) if answer.request.is_navigation_request() else None)
        view.reach(page, site)
        assert answers[-1].status == view.status
        # Chromium itself notes every answer that is no 2xx; everything else is ours.
        assert [text for text in said if "Failed to load resource" not in text] == []

        assert page.get_attribute("html", "lang") == language
        assert page.locator("h1").count() == 1
        assert page.locator("main").count() == 1
        title = page.title()
        assert title and len(title) <= LONGEST_TITLE

        assert violations(page) == [], f"at {WIDE} px"
        page.set_viewport_size({"width": NARROW, "height": 780})
        assert sticking_out(page) == [], f"at {NARROW} px"
        assert violations(page) == [], f"at {NARROW} px"
        page.set_viewport_size({"width": NARROWEST, "height": 780})
        assert sticking_out(page) == [], f"at {NARROWEST} px"
    finally:
        context.close()


def test_the_audit_would_find_a_fault(chromium: Any) -> None:
    page = chromium.new_page()
    page.set_content('<html lang="en"><title>x</title><main><h1>x</h1><img src="data:,"><input></main>')
    found = violations(page)
    assert any(fault.startswith("image-alt") for fault in found) and any(fault.startswith("label") for fault in found)
    page.set_viewport_size({"width": NARROW, "height": 780})
    page.set_content('<main><p style="width: 500px">x</p></main>')
    assert sticking_out(page)
    page.close()
