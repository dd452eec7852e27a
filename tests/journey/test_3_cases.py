"""Stage 3: the ministry acknowledges and claims; two officers never undo one another; notes stay inside."""

from tests.support.rig import Rig, must_be
from tests.support.web import Browser, Page

from .conftest import Story
from .test_2_routing import plain

NOTE = "মোবাইল ব্যাংকিং প্রতিষ্ঠানের কাছে লেনদেনের হিসাব চাওয়া হবে।"


def case_page(browser: Browser, story: Story) -> Page:
    """The page of the story's case."""
    path = f"/cases/{plain(story.number)}"
    return must_be(browser.get(path), path)


def follow(rig: Rig, story: Story) -> Page:
    """What the complainant sees now."""
    page = story.follower.get("/track")
    return story.follower.submit(page.form("secret").fill(tracking_number=story.number, secret=story.secret))


def test_the_gro_acknowledges_and_the_complainant_sees_it(rig: Rig, story: Story) -> None:
    before = follow(rig, story).heading
    page = case_page(story.gro, story)
    page = story.gro.submit(page.form(action="ACKNOWLEDGE"))
    assert page.status == 200
    assert follow(rig, story).heading != before


def test_of_two_officers_one_wins_and_the_other_keeps_the_text(rig: Rig, story: Story) -> None:
    officer = rig.officer("officer.social-welfare")
    story.note(officer=officer)
    open_since_before = case_page(story.gro, story)
    claimed = officer.submit(case_page(officer, story).form(action="CLAIM"))
    assert claimed.status == 200
    late = story.gro.submit(open_since_before.form("note").fill(note=NOTE))
    assert late.status == 409
    assert late.form("note").values["note"] == [NOTE], "nothing typed is lost"
    assert "Somebody else was faster" in late.text
    again = story.gro.submit(late.form("note"))
    assert again.status == 200 and NOTE in again.text


def test_internal_notes_stay_inside(rig: Rig, story: Story) -> None:
    assert NOTE in case_page(story.officer, story).text
    assert NOTE not in follow(rig, story).text


def test_what_may_not_be_done_says_why(rig: Rig, story: Story) -> None:
    page = case_page(story.officer, story)
    assert "What cannot be done now, and why" in page.text
    [case] = rig.rows("SELECT status, version FROM cases WHERE tracking_number = %s", plain(story.number))
    assert case["status"] == "in_progress"


def test_the_history_is_unbroken(rig: Rig, story: Story) -> None:
    assert rig.flask("audit", "verify").startswith("OK")
