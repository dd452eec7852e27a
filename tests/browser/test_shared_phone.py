"""A phone that others use, too: whoever presses Back after somebody has left the tracking page finds nothing."""

import contextlib
from typing import Any

import pytest

from tests.browser.pages import tracked
from tests.browser.site import DETAILS, REPLY, Site

WORDS = (DETAILS[:40], REPLY[:40])


def shown(page: Any, site: Site) -> str:
    """Open the complaint that has been answered; the text of its page."""
    tracked("resolved")(page, site)
    assert REPLY[:40] in page.content()
    return str(page.title())


def assert_nothing_is_left(page: Any, site: Site, title: str) -> None:
    """Neither Back nor sending the form again shows anything; nor do title, address or storage."""
    number = site.resolved[0]
    for attempt in ("back", "reload"):
        with contextlib.suppress(Exception):  # Chromium may refuse to show what it was told not to keep
            page.go_back() if attempt == "back" else page.reload()
            page.wait_for_load_state()
        page.wait_for_timeout(300)  # a page that leaves by itself is not read while it goes
        page.wait_for_load_state()
        text = page.content()
        assert not [words for words in WORDS if words in text] and number not in text, attempt
    assert number not in title and number not in page.url
    assert page.evaluate("Object.keys(localStorage).length + Object.keys(sessionStorage).length") == 0


@pytest.mark.parametrize("has_scripts", [True, False])
def test_nothing_comes_back_after_leaving(site: Site, chromium: Any, has_scripts: bool) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=True)
    context.add_cookies(site.cookies(None, "bn"))
    page = context.new_page()
    if not has_scripts:
        page.route("**/*.js*", lambda route: route.abort())
    title = shown(page, site)
    page.locator("#leave button").click()
    page.wait_for_url(f"{site.url}/")
    assert_nothing_is_left(page, site, title)
    context.close()


def test_the_page_ends_by_itself_after_half_an_hour_without_a_touch(site: Site, chromium: Any) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740})
    context.add_cookies(site.cookies(None, "bn"))
    page = context.new_page()
    page.clock.install()
    shown(page, site)
    page.clock.run_for("29:00")
    assert REPLY[:40] in page.content(), "not yet"
    page.clock.run_for("02:00")
    page.wait_for_url(f"{site.url}/")
    page.wait_for_load_state()
    assert REPLY[:40] not in page.content()
    context.close()
