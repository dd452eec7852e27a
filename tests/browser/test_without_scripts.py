"""An officer's work with scripts switched off, and every page readable so."""

from typing import Any

import pytest

from tests.browser.conftest import Windows
from tests.browser.pages import VIEWS, View, go, press
from tests.browser.site import Site, case_path

ANSWER = "জুলাইয়ের বকেয়া আপনার নতুন হিসাবে জমা হয়েছে। ব্যাংক ৩ ডিসেম্বর তা নিশ্চিত করেছে।"

NEEDS_EVALUATE = {"case", "case-resolved", "case-sensitive", "case-error", "case-conflict", "why", "track-waiting"}


def officer_page(chromium: Any, site: Site) -> Any:
    """An officer's page without scripts, not signed in yet."""
    return chromium.new_context(java_script_enabled=False).new_page()


def test_an_officer_needs_no_script(chromium: Any, site: Site) -> None:
    """The complainant's side of it is `tests/browser/test_journey.py`."""
    number, secret = site.file()
    officer = officer_page(chromium, site)
    go(officer, site, "/login?lang=en")
    officer.fill("[name=username]", "gro.social-welfare")
    officer.fill("[name=password]", "demo")
    press(officer)
    assert officer.url.endswith("/queue")
    officer.fill("[name=number]", number)
    officer.locator("form.filters button").click()
    assert officer.url.endswith(case_path(number))
    officer.get_by_role("button", name="Take this case").click()
    officer.locator("#resolve summary").click()  # a <details> unfolds by itself
    officer.check("#resolve [name=outcome][value=answered]")
    officer.fill("#resolve-reply", ANSWER)
    officer.check("#resolve [name=contact][value=spoke]")
    officer.fill("#resolve-root_cause", "নম্বর তোলার ভুল")
    officer.fill("#resolve-prevention", "উপকারভোগীকে দেখিয়ে নম্বর তোলা")
    officer.locator("#resolve .buttons button").click()
    assert "Resolved" in officer.locator("main").inner_text()
    officer.get_by_role("button", name="Sign out").click()
    assert officer.url == f"{site.url}/"
    go(officer, site, "/queue")
    assert "/login" in officer.url
    officer.context.close()
    citizen = site.browser()
    form = citizen.get("/track").form("secret").fill(tracking_number=number, secret=secret)
    assert ANSWER in citizen.submit(form).text


def looks() -> list[Any]:
    """The forms of citizens; every other page with GRM_BROWSER=all. (A journey goes the whole way without scripts, too.)"""
    return [
        pytest.param(view, id=str(view), marks=[] if view.name.startswith("form-") else [pytest.mark.every_browser])
        for view in VIEWS
        if view.name not in NEEDS_EVALUATE
    ]


@pytest.mark.parametrize("view", looks())
def test_each_page_stands_without_scripts(windows: Windows, site: Site, view: View) -> None:
    page = windows.fresh(site.cookies(view.officer, "bn"), 360, has_scripts=False)
    view.reach(page, site)
    page.locator("main h1").wait_for()
    sources = [script.get_attribute("src") or "" for script in page.locator("script").all()]
    # Comfort only: shortcuts, drafts at the desk, and a status page that closes itself. None does what no button does.
    allowed = {f"/static/{name}.js" for name in ("keys", "desk", "registry")} if view.officer else {"/static/track.js"}
    assert {source.partition("?")[0] for source in sources} <= allowed
    assert page.locator("noscript").count() == 0
