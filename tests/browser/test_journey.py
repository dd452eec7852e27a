"""The whole way of a complaint in Chromium: with and without scripts, by pointing and by the keyboard alone, on narrow and wide
screens, in both languages, on a slow connection with every byte counted.

Two ways are always gone: the hardest (keyboard, slow, small phone, every page audited) and the barest (no scripts, 320 px). With
GRM_BROWSER=all (`make browsers`) every combination is.
"""

from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from tests.browser import journey
from tests.browser.hands import Hand, Keyboard, Pointer
from tests.browser.site import Site
from tests.browser.test_pages import violations

JOURNEY_BYTES = 150 * 1024
PAGE_BYTES = 30 * 1024
ONLY_HERE = {"form-4-file", "track-question", "track-rated", "track-appealed"}
"""Pages in a state that no other test audits; the audits of the others cost too much to be repeated each time."""
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 250_000 / 8, "uploadThroughput": 250_000 / 8}
"""A crowded cell: a quarter of a megabit a second."""


@dataclass(frozen=True)
class Way:
    """One way through."""

    has_scripts: bool
    width: int
    language: str
    has_keyboard_only: bool = False
    is_slow: bool = False

    def __str__(self) -> str:
        parts = ("scripts" if self.has_scripts else "bare", str(self.width), self.language)
        return "-".join((*parts, *(["keys"] if self.has_keyboard_only else []), *(["slow"] if self.is_slow else [])))


HARDEST = Way(True, 360, "bn", has_keyboard_only=True, is_slow=True)
BAREST = Way(False, 320, "en")
ALL = [Way(*each) for each in product((True, False), (320, 360, 1280), ("bn", "en")) if Way(*each) != BAREST]
ALL += [Way(True, width, "en", has_keyboard_only=True) for width in (320, 1280)]


class Wire:
    """Counts every byte that comes over the wire, with headers, over a whole journey; what the browser kept costs nothing."""

    def __init__(self, page: Any) -> None:
        self.devtools = page.context.new_cdp_session(page)
        self.devtools.send("Network.enable")
        self.devtools.on("Network.requestWillBeSent", self._redirected)
        self.devtools.on("Network.loadingFinished", self._end)
        self.bytes = 0
        self.at_last_look = 0

    def since_last_look(self) -> int:
        """Bytes since this was last asked."""
        before, self.at_last_look = self.at_last_look, self.bytes
        return self.bytes - before

    def _redirected(self, event: dict[str, Any]) -> None:
        self.bytes += int(event.get("redirectResponse", {}).get("encodedDataLength", 0))

    def _end(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])


@pytest.mark.parametrize(
    "way", [HARDEST, BAREST, *(pytest.param(way, marks=pytest.mark.every_browser) for way in ALL)], ids=str
)
def test_the_whole_way(chromium: Any, site: Site, way: Way) -> None:
    context = chromium.new_context(
        java_script_enabled=way.has_scripts, viewport={"width": way.width, "height": 780}, reduced_motion="reduce"
    )
    try:
        page = context.new_page()
        wire = Wire(page)
        if way.is_slow:
            wire.devtools.send("Network.emulateNetworkConditions", SLOW)
        sizes: dict[str, int] = {}

        def look(name: str) -> None:
            sizes[name] = wire.since_last_look()
            width = wire.devtools.send("Page.getLayoutMetrics")["cssContentSize"]["width"]
            assert width <= way.width, f"{name} scrolls sideways: {width} px"
            if way.has_scripts:
                assert page.get_attribute("html", "lang") == way.language
                if name in ONLY_HERE or way in ALL:
                    assert violations(page) == [], name

        hand: Hand = Keyboard(page) if way.has_keyboard_only else Pointer(page)
        nth = [each for each in (HARDEST, BAREST, *ALL) if each.language == way.language].index(way)
        journey.go(hand, site, look, way.language, nth)
        total = wire.bytes
        assert 20_000 < total <= JOURNEY_BYTES, sizes
        # The first page brings the stylesheet along.
        assert max(sizes.values()) <= PAGE_BYTES, sizes
    finally:
        context.close()
