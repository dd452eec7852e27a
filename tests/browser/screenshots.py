"""Pictures of every page, for people to look at, and the few that the README shows.

.venv/bin/python -m tests.browser.screenshots DIRECTORY [NAME …]     every view (or those named), both languages and widths
.venv/bin/python -m tests.browser.screenshots --readme docs/img      the pictures of the README
"""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser.conftest import ARGUMENTS, find_chromium
from tests.browser.pages import VIEWS, View
from tests.browser.site import Site

WIDTHS = (1280, 360)
README = {
    "home-bn-360.png": ("home", "bn", 360, 1000),
    "receipt-bn-360.png": ("receipt", "bn", 360, 1000),
    "queue-en-1280.png": ("queue-overdue", "en", 1280, 900),
    "reports-escalations-en-1280.png": ("escalations", "en", 1280, 1240),
}
README_DEMO_CASES = 400
LARGEST_PICTURE_BYTES = 150_000


def take(chromium: Any, site: Site, view: View, language: str, width: int, path: Path, height: int = 0) -> None:
    """Save one picture: of the whole page, or of its first `height` pixels."""
    context = chromium.new_context(viewport={"width": width, "height": height or 900})
    context.add_cookies(site.cookies(view.officer, language))
    page = context.new_page()
    view.reach(page, site)
    # Playwright would hide the caret by a style of its own, which the pages' policy forbids.
    page.screenshot(path=path, full_page=not height, caret="initial")
    context.close()


def main(arguments: list[str]) -> int:
    """Start a system, take the pictures, stop it."""
    is_readme = arguments[:1] == ["--readme"]
    directory, *names = arguments[1:] if is_readme else arguments
    target = Path(directory)
    target.mkdir(parents=True, exist_ok=True)
    top = Path(tempfile.mkdtemp(prefix="grm-pictures-"))
    site = Site(top, README_DEMO_CASES) if is_readme else Site(top)
    path = find_chromium()
    if path is None:
        sys.stderr.write("There is no Chromium on this machine: install Debian's chromium.\n")
        return 1
    views = {view.name: view for view in VIEWS}
    try:
        site.start()
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
            if is_readme:
                for file, (name, language, width, height) in README.items():
                    take(chromium, site, views[name], language, width, target / file, height)
                    assert (target / file).stat().st_size <= LARGEST_PICTURE_BYTES, file
            else:
                for name in names or views:
                    for language in ("bn", "en"):
                        for width in WIDTHS:
                            picture = target / f"{name}.{language}.{width}.png"
                            take(chromium, site, views[name], language, width, picture)
            chromium.close()
    finally:
        site.stop()
        shutil.rmtree(top, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
