"""What a public page costs a citizen: at most 30 KB over the wire with everything it needs, on the first visit."""

from typing import Any

import pytest

from tests.browser.pages import VIEWS, View
from tests.browser.site import Site

LIMIT_BYTES = 30 * 1024
STYLESHEET_LIMIT_BYTES = 8 * 1024


@pytest.mark.parametrize("language", ["bn", "en"])
@pytest.mark.parametrize("view", [v for v in VIEWS if v.is_public and v.name != "outbox"], ids=str)
def test_a_public_page_weighs_little(chromium: Any, site: Site, view: View, language: str) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 780})
    context.add_cookies(site.cookies(None, language))
    try:
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
        sizes: dict[str, int] = {}
        addresses: dict[str, str] = {}

        def begin(event: dict[str, Any]) -> None:
            if event.get("type") == "Document":
                sizes.clear()  # another page begins: count the last one only
            addresses[event["requestId"]] = event["request"]["url"]

        devtools.on("Network.requestWillBeSent", begin)
        devtools.on("Network.loadingFinished", lambda e: sizes.update({e["requestId"]: int(e["encodedDataLength"])}))
        view.reach(page, site)
        page.wait_for_load_state("networkidle")
        by_address = {addresses[number]: size for number, size in sizes.items()}
        assert any("grm.css" in address for address in by_address), "the stylesheet is counted"
        assert all(address.startswith((site.url, "data:")) for address in by_address), "nothing comes from elsewhere"
        assert sum(by_address.values()) <= LIMIT_BYTES, by_address
        assert next(s for a, s in by_address.items() if "grm.css" in a) <= STYLESHEET_LIMIT_BYTES
    finally:
        context.close()
