"""Chromium, once for all tests here, and a system to look at."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.site import Site

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Everything here needs Chromium. What is marked `every_browser` is tried only where GRM_BROWSER=all asks for it."""
    for item in items:
        if "tests/browser/" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)
    if os.environ.get("GRM_BROWSER") != "all":
        left_out = [item for item in items if item.get_closest_marker("every_browser")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def find_chromium() -> str | None:
    """Where the system's Chromium is."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    """The browser."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine: install Debian's chromium to run the browser tests")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield browser
        browser.close()


class Windows:
    """One window with scripts and one without, used again and again: opening one costs as much as looking at five pages."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser
        self._pages: dict[bool, Any] = {}

    def fresh(self, cookies: list[dict[str, Any]], width: int, *, has_scripts: bool = True) -> Any:
        """A page as in a window just opened: nobody has been here but for these cookies."""
        if has_scripts not in self._pages:
            context = self._browser.new_context(java_script_enabled=has_scripts, locale="en-GB")
            self._pages[has_scripts] = context.new_page()
        page = self._pages[has_scripts]
        page.goto("about:blank")
        page.context.clear_cookies()
        page.context.add_cookies(cookies)
        page.set_viewport_size({"width": width, "height": 900})
        return page

    def close(self) -> None:
        """Close them."""
        for page in self._pages.values():
            page.context.close()


@pytest.fixture(scope="package")
def windows(chromium: Any) -> Iterator[Windows]:
    """Windows to look at one page after the other."""
    windows = Windows(chromium)
    yield windows
    windows.close()


@pytest.fixture(scope="package")
def site(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The system; not started where no browser would look at it."""
    site = Site(tmp_path_factory.mktemp("browser"))
    try:
        site.start()
        yield site
    finally:
        site.stop()
